//! What AWS asked IAM for each session in a customer's account, each question once.

use super::things::Things;
use super::{Authorization, Scene, of};
use crate::answer::Answer;
use crate::call::Call;
use crate::world::Session;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Ledger {
    things: Things,
    /// Session → call, and the questions about it.
    asked: BTreeMap<Assumed, BTreeSet<Asked>>,
}

/// A session as it was requested; sessions with equal requests count as one.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Assumed {
    pub session: String,
    pub policy_arns: Vec<String>,
    pub inline_policy: Option<String>,
}

#[derive(Clone, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Asked {
    pub call: String,
    pub authorizations: Vec<Authorization>,
}

#[derive(Serialize)]
pub struct Entry {
    #[serde(flatten)]
    assumed: Assumed,
    /// Both from the session's name, `groundwork-<cluster>-<stage>`.
    cluster: String,
    stage: String,
    calls: Vec<Asked>,
}

impl Ledger {
    /// Only for sessions that the cloud has seen being assumed.
    pub fn ask(&mut self, call: &Call, session: Option<&Session>) {
        let Some(session) = session else { return };
        let authorizations = of(&Scene::new(call, &session.assumed.session, &self.things));
        if !authorizations.is_empty() {
            self.asked.entry(session.assumed.clone()).or_default().insert(Asked { call: call.name(), authorizations });
        }
    }

    pub fn learn(&mut self, call: &Call, session: Option<&Session>, answer: &Answer) {
        if let Some(session) = session {
            self.things.learn(call, &session.assumed.session, answer);
        }
    }

    pub fn entries(&self) -> Vec<Entry> {
        let entry = |(assumed, calls): (&Assumed, &BTreeSet<Asked>)| {
            let (cluster, stage) = cluster_and_stage(&assumed.session);
            Entry { assumed: assumed.clone(), cluster: cluster.into(), stage: stage.into(), calls: calls.iter().cloned().collect() }
        };
        self.asked.iter().map(entry).collect()
    }
}

fn cluster_and_stage(session: &str) -> (&str, &str) {
    let name = session.rsplit('/').next().unwrap_or_default();
    name.strip_prefix("groundwork-").and_then(|rest| rest.split_once('-')).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::form;
    use super::*;
    use crate::answer::Answer;
    use std::time::Duration;

    #[test]
    fn a_sessions_questions_are_kept_once_with_its_policies() {
        let assumed = Assumed {
            session: "arn:aws:sts::1:assumed-role/groundwork/groundwork-abc-create-eks".into(),
            policy_arns: vec!["arn:stage".into()],
            inline_policy: None,
        };
        let session = Session { assumed, issued: Duration::ZERO };
        let mut ledger = Ledger::default();
        let vpc = form(
            "ec2",
            "Action=CreateVpc&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=o&TagSpecification.1.Tag.1.Value=x",
        );
        for call in [&vpc, &vpc, &form("ec2", "Action=DeleteVpc&VpcId=vpc-1"), &form("sts", "Action=GetCallerIdentity")] {
            ledger.ask(call, Some(&session));
            ledger.ask(call, None);
            ledger.learn(call, Some(&session), &Answer::new("<r><vpc><vpcId>vpc-1</vpcId></vpc></r>".into()));
        }
        let told = serde_json::to_value(ledger.entries()).expect("plain data");
        assert_eq!((&told[0]["cluster"], &told[0]["stage"]), (&"abc".into(), &"create-eks".into()));
        assert_eq!(told[0]["policy_arns"], serde_json::json!(["arn:stage"]));
        let calls = told[0]["calls"].as_array().expect("a list");
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0]["authorizations"][1]["context"]["ec2:CreateAction"], serde_json::json!(["CreateVpc"]));
        assert_eq!(calls[1]["authorizations"][0]["context"]["aws:ResourceTag/o"], serde_json::json!(["x"]));
    }
}
