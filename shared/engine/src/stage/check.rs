//! Whether a role would do for a cluster: all that is tried before anything is made, and that does not depend on what the cluster is to be.

use crate::cluster::Cluster;
use crate::context::Context;
use crate::doors::{Doors, Faults, Proven, Purpose};
use crate::errors::Error;
use crate::names::new_cluster_id;
use crate::preflight::way_out;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::timeout;
use wire::error::{Code, Turn};
use wire::spec::{Data, Ground, Managed, Spec, Tags};
use wire::view::{RoleCheck, RoleFault, Warning};

/// API Gateway gives up after 30 seconds, and in that time two functions may have to be started, too.
const MOST: Duration = Duration::from_secs(20);

/// A role that somebody would like to create clusters with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Candidate {
    pub tenant: String,
    pub role_arn: String,
    pub region: String,
}

impl Candidate {
    /// A cluster that will never be, in whose name the role is tried.
    fn cluster(&self) -> Cluster {
        let name = "check".to_owned();
        let (role_arn, region, ground) = (self.role_arn.clone(), self.region.clone(), Ground::Managed(Managed::default()));
        let spec = Spec {
            name: name.clone(),
            role_arn,
            region,
            instance_types: vec![],
            scale_down_after_minutes: None,
            tags: Tags::default(),
            ground,
        };
        let account = spec.account().to_owned();
        Cluster {
            id: new_cluster_id(),
            name,
            tenant: self.tenant.clone(),
            account,
            zones: vec![],
            offering: None,
            data: Data::Keep,
            door: None,
            spec,
        }
    }
}

/// Everything that keeps the role from working now, as far as AWS says so in time.
pub async fn check(doors: &dyn Doors, candidate: &Candidate, now: Timestamp) -> RoleCheck {
    let (mut faults, warnings) = match timeout(MOST, tried(doors, candidate.cluster(), now)).await {
        Ok(Ok(warnings)) => (vec![], warnings),
        Ok(Err(faults)) => (faults.into_iter().collect(), vec![]),
        Err(_) => (vec![too_slow()], vec![]),
    };
    // A role that lets others in is told first, although part of that is found last.
    faults.sort_by_key(|fault: &Error| fault.code != Code::OpenTrust);
    RoleCheck {
        role_arn: candidate.role_arn.clone(),
        region: candidate.region.clone(),
        works: faults.is_empty(),
        faults: faults.iter().map(told).collect(),
        warnings,
    }
}

async fn tried(doors: &dyn Doors, cluster: Cluster, now: Timestamp) -> Result<Vec<Warning>, Faults> {
    doors.check_region(&cluster.spec.region).await?;
    let Proven { aws, advice } = doors.prove(&cluster, Purpose::Any).await?;
    way_out::check(&Context::new(aws, cluster, now)).await?;
    Ok(advice)
}

fn too_slow() -> Error {
    let reason =
        format!("AWS did not answer within {} seconds all that has to be asked, so nobody knows whether the role works.", MOST.as_secs());
    Error::of(Code::NoAnswer, reason)
}

fn told(error: &Error) -> RoleFault {
    let turn = error.class.turn();
    if turn == Turn::Operator {
        tracing::error!(class = error.class.name(), detail = error.detail, "a role could not be tried");
    }
    RoleFault { code: error.code.clone(), reason: error.reason.clone(), hint: hint(error, turn), turn }
}

/// There is no cluster that could be retried or deleted, and nobody tries again by themselves.
fn hint(error: &Error, turn: Turn) -> String {
    match (&error.code, turn) {
        (Code::RoleRefused, _) => REFUSED,
        (Code::MissingPolicies, _) => {
            "Deploy the quick-start from GET /onboarding in the role's account, which creates these policies, then check again."
        }
        (Code::OpenTrust, _) => "The quick-start from GET /onboarding has the right trust policy; correct yours, then check again.",
        (Code::MissingPermissions, _) => "Deploy the quick-start from GET /onboarding again, or add what is missing; then check again.",
        (Code::AnotherAccount, _) => "Check the ARN of a role in the account that you mean.",
        (Code::NoSuchRegion, _) => "Check with a region that `aws ec2 describe-regions --all-regions` lists.",
        (Code::InternetBlocked, _) => BLOCKED,
        (Code::OrganizationForbids, _) => FORBIDDEN,
        (_, Turn::Nobody) => "This usually passes: check again in a minute.",
        (_, Turn::Operator) => "Groundwork did not foresee this: ask the operator, whose log has the cause.",
        (_, Turn::Tenant) => &error.hint,
    }
    .to_owned()
}

const REFUSED: &str = "See that the role exists: groundwork onboard has the commands that make it, and GET /onboarding its trust policy to \
                       compare: the principal, and the external ID in its sts:ExternalId condition. Then check again: what it may do is tried once it lets Groundwork in, and a role that was made just \
                       now is known everywhere in AWS after a minute. If all is right, a policy of the organization (a resource control policy \
                       on sts:AssumeRole) keeps other companies out: an administrator of the organization has to exempt the role.";
const FORBIDDEN: &str = "A policy of the organization denies it. If it demands a tag, give that in the tags of a request: this check has none. If it is about \
                         regions or settings, an administrator of the organization has to exempt this account or role; then check again.";
const BLOCKED: &str = "Set VPC Block Public Access to off or block-ingress in this region (VPC console, Settings; if it is managed by \
                       declarative-policy, an administrator of the organization has to), or choose another region. Then check again.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Clients;
    use crate::errors::{Result, from_answer};
    use crate::stage::Stage;
    use async_trait::async_trait;
    use std::future::pending;
    use tokio::time::Instant;

    /// What is found at each door; nothing at all if AWS does not answer.
    struct Found {
        region: Option<Error>,
        role: Option<Vec<Error>>,
    }

    #[async_trait]
    impl Doors for Found {
        async fn check_region(&self, _: &str) -> Result<()> {
            self.region.clone().map_or(Ok(()), Err)
        }

        async fn prove(&self, _: &Cluster, _: Purpose) -> Result<Proven, Faults> {
            match self.role.clone() {
                Some(faults) => Faults::none_of(faults).map(|()| unreachable!("a role that works is tried on the local cloud")),
                None => pending().await,
            }
        }

        async fn open(&self, _: &Cluster, _: Stage) -> Result<Clients> {
            unreachable!("no stage's session is opened")
        }
    }

    async fn checked(found: Found) -> RoleCheck {
        let (role_arn, region) = ("arn:aws:iam::222222222222:role/groundwork".into(), "us-west-2".into());
        check(&found, &Candidate { tenant: "demo".into(), role_arn, region }, Timestamp::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn everything_that_keeps_a_role_from_working_is_told_and_its_trust_first() {
        let faults = [Code::MissingPolicies, Code::MissingPermissions, Code::OpenTrust].map(|code| Error::of(code, "It is so."));
        let told = checked(Found { region: None, role: Some(faults.into()) }).await;
        let codes: Vec<&str> = told.faults.iter().map(|fault| fault.code.as_str()).collect();
        assert_eq!((told.works, codes), (false, vec!["OpenTrust", "MissingPolicies", "MissingPermissions"]));
        assert_eq!((told.role_arn.as_str(), told.region.as_str()), ("arn:aws:iam::222222222222:role/groundwork", "us-west-2"));
    }

    #[tokio::test]
    async fn in_a_region_that_is_not_there_nothing_is_tried() {
        let told = checked(Found { region: Some(Error::of(Code::NoSuchRegion, "AWS has no region us-west-2.")), role: None }).await;
        assert_eq!(told.faults.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>(), ["NoSuchRegion"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_aws_that_does_not_answer_is_not_waited_for_longer_than_api_gateway_waits() {
        let begun = Instant::now();
        let told = checked(Found { region: None, role: None }).await;
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
        let [fault] = &told.faults[..] else { panic!("{told:?}") };
        assert_eq!((told.works, &fault.code, fault.turn), (false, &Code::NoAnswer, Turn::Nobody));
        assert!(fault.reason.contains("nobody knows"), "{}", fault.reason);
    }

    /// Most hints of codes are about a cluster that exists.
    #[tokio::test]
    async fn no_hint_speaks_of_a_cluster_or_of_trying_again_by_itself() {
        let denied =
            from_answer("ec2:DescribeVpcs", Some(403), Code::UnauthorizedOperation, "You are not authorized to perform this operation.");
        let of_ours = [
            Code::RoleRefused,
            Code::OpenTrust,
            Code::MissingPolicies,
            Code::MissingPermissions,
            Code::OrganizationForbids,
            Code::AnotherAccount,
            Code::NoSuchRegion,
            Code::InternetBlocked,
            Code::NoAnswer,
            Code::Unknown,
        ];
        for error in of_ours.map(|code| Error::of(code, "It is so.")).into_iter().chain([denied]) {
            let told = checked(Found { region: None, role: Some(vec![error]) }).await;
            let RoleFault { code, hint, .. } = &told.faults[0];
            assert!(!["cluster", "by itself", "run stops"].iter().any(|words| hint.contains(words)), "{code}: {hint}");
        }
    }
}
