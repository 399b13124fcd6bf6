//! The Kubernetes of a managed cluster: its version, and what its control plane logs.

use super::schema::IN_PLACE;
use super::{Fault, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The newest that this release was tested with; EKS has it in standard support until 2027-03-27.
/// <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html>
const TESTED: &str = "1.35";
/// Who did what, and who was let in. What the API server, the controller manager and the scheduler say of themselves serves to find faults
/// of Kubernetes, and on a busy cluster can cost more than the control plane.
const LOGS: &[Log] = &[Log::Audit, Log::Authenticator];
const LOG_RETENTION_DAYS: i32 = 90;
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTIONS: [i32; 22] = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The version of Kubernetes, and what the control plane logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Kubernetes {
    /// A version of Kubernetes that EKS offers, such as 1.35; before anything is made, EKS is asked whether it does, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^1\.[0-9]{1,3}$"), extend("x-change" = IN_PLACE, "default" = TESTED))]
    pub version: Option<String>,
    /// What the control plane writes to CloudWatch Logs, each once: "audit", "authenticator", "api", "controller_manager", "scheduler".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Log>", length(min = 1), extend("uniqueItems" = true, "x-change" = IN_PLACE, "default" = LOGS))]
    pub logs: Option<Vec<Log>>,
    /// After how many days a line of the control plane's log expires, as CloudWatch Logs takes it: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180,
    /// 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i32", extend("enum" = RETENTIONS, "x-change" = IN_PLACE, "default" = LOG_RETENTION_DAYS))]
    pub log_retention_days: Option<i32>,
    /// What EKS does when the version's standard support ends: "standard" upgrades the control plane to the next version; "extended" keeps it
    /// for up to 12 more months, for six times the price. A version that is in extended support already takes "extended".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "UpgradePolicy", extend("x-change" = IN_PLACE, "default" = UpgradePolicy::Standard))]
    pub upgrade_policy: Option<UpgradePolicy>,
}

/// One of the control plane's logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Log {
    Api,
    Audit,
    Authenticator,
    ControllerManager,
    Scheduler,
}

/// What happens when the version's standard support ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum UpgradePolicy {
    Standard,
    Extended,
}

impl Kubernetes {
    /// Writes out what counts where nothing was said. A record of before says nothing: its cluster has EKS's default version, and EKS's default
    /// policy, which is the extended one.
    pub(super) fn settle(&mut self) {
        self.version.get_or_insert_with(|| TESTED.into());
        self.logs.get_or_insert_with(|| LOGS.into());
        self.log_retention_days.get_or_insert(LOG_RETENTION_DAYS);
        self.upgrade_policy.get_or_insert(UpgradePolicy::Standard);
    }

    /// What the control plane logs. That of a record of before logs what is now the default.
    pub fn logs(&self) -> &[Log] {
        self.logs.as_deref().unwrap_or(LOGS)
    }

    /// After how many days the log expires. That of a record of before expires as it does now by default.
    pub fn log_retention_days(&self) -> i32 {
        self.log_retention_days.unwrap_or(LOG_RETENTION_DAYS)
    }
}

impl Section for Kubernetes {
    /// The schema says everything that can be said without EKS.
    fn check(&self) -> Vec<Fault> {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use serde_json::{Value, json};

    fn asked_for(kubernetes: &Value) -> Value {
        json!({
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2",
            "instance_types": [{"name": "m6i.large"}], "kubernetes": kubernetes
        })
    }

    #[test]
    fn what_counts_is_written_out_and_what_was_said_stays() {
        let defaults =
            json!({"version": "1.35", "logs": ["audit", "authenticator"], "log_retention_days": 90, "upgrade_policy": "standard"});
        let own = json!({"version": "1.33", "logs": ["api"], "log_retention_days": 3653, "upgrade_policy": "extended"});
        for (sent, written) in [(json!({}), &defaults), (own.clone(), &own)] {
            assert_eq!(json!(parse(&asked_for(&sent)).expect("valid"))["kubernetes"], *written, "{sent}");
        }
    }

    #[test]
    fn a_record_of_before_has_what_its_cluster_was_made_with() {
        let before = Kubernetes::default();
        assert_eq!((before.version.as_deref(), before.upgrade_policy), (None, None), "EKS's defaults");
        assert_eq!((before.logs(), before.log_retention_days()), (&[Log::Audit, Log::Authenticator][..], 90));
    }
}
