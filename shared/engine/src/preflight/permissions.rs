//! Whether the role has every permission of the table, checked before anything is made. Everything missing is named at once.
//!
//! There are two kinds of evidence: IAM's own simulation of each row, and calls that are made for real: a harmless one to each service, and
//! EC2's first creates, which EC2 only judges (`DryRun`). The simulation knows neither resource policies nor the session's own policy,
//! and errs about conditions in the organization's policies. So what only these deny in it is advice; what a call meets is a fact.

use super::simulation::{self, Denied};
use crate::context::Context;
use crate::doors::Faults;
use crate::errors::table::GONE_IN_EKS;
use crate::errors::{Called, Error, Result, Unless};
use crate::names::ROLE_PATH;
use crate::permissions;
use crate::resources::{elastic_ip, internet_gateway, vpc};
use futures::join;
use wire::error::Code;
use wire::spec::{Ground, Spec, Tags};
use wire::view::Warning;

/// What the tenant's tags are given to.
const MAKING: [&str; 3] = ["ec2:CreateVpc", "ec2:AllocateAddress", "ec2:CreateInternetGateway"];
/// How many actions the advice names.
const NAMED: usize = 5;

/// A call that was denied: its action, and what AWS said.
type Refused = (&'static str, Error);

/// With the session of this stage, and of the one that makes the network. Returns what the tenant should know although the check passes.
///
/// # Errors
/// `Customer`, with everything that is missing, and everything that the organization denies. IAM may not know a new role everywhere yet, so
/// for a while this counts as a refusal.
pub async fn check(cx: &Context, making: Option<&Context>) -> Result<Vec<Warning>, Faults> {
    let (spec, id) = (&cx.cluster.spec, &cx.cluster.id);
    let (needed, refused) = match &spec.ground {
        Ground::Managed(_) => (permissions::whole(&spec.names()), refused(cx, making).await?),
        // The stages themselves look at all that this role may look at.
        Ground::SelfManaged(theirs) => (permissions::self_managed::whole(spec, theirs, id), vec![]),
    };
    let Denied { by_role, by_organization } = simulation::denied(cx, &needed).await?;
    let suspected = |action: &str| by_organization.iter().any(|what| what.split(' ').next() == Some(action));
    let (forbidden, refused): (Vec<_>, Vec<_>) =
        refused.into_iter().partition(|(action, error)| error.is_denied_by_organization() || suspected(action));
    let missing: Vec<String> =
        by_role.into_iter().chain(refused.iter().map(|(action, _)| format!("{action} (refused when tried)"))).collect();
    let lacks = (!missing.is_empty()).then(|| lacking(spec, &missing));
    let forbids = (!forbidden.is_empty()).then(|| forbids(&forbidden, &spec.tags));
    Faults::none_of(lacks.into_iter().chain(forbids))?;
    Ok(advice(&by_organization.into_iter().collect::<Vec<_>>()).into_iter().collect())
}

fn lacking(spec: &Spec, missing: &[String]) -> Error {
    let reason = format!("The role {} lacks {} permission(s): {}.", spec.role_arn, missing.len(), missing.join("; "));
    let error = Error::of(Code::MissingPermissions, reason);
    match spec.ground {
        Ground::Managed(_) => error,
        Ground::SelfManaged(_) => error.with_hint(
            "Add what is missing to the role, then retry. If eks_cluster_name, buckets or node_role_arn is wrong, delete this cluster and \
             create it with the right one.",
        ),
    }
}

fn forbids(refused: &[Refused], tags: &Tags) -> Error {
    let said: Vec<&str> = refused.iter().map(|(_, error)| error.reason.as_str()).collect();
    let error = Error::of(
        Code::OrganizationForbids,
        format!("Of the calls that are tried before anything is made, {} were denied. {}", said.len(), said.join(" ")),
    );
    if refused.iter().any(|(action, _)| MAKING.contains(action)) { error.about_tags(tags) } else { error }
}

fn advice(doubtful: &[String]) -> Option<Warning> {
    let named = doubtful.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let rest = doubtful.len().saturating_sub(NAMED);
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    (!doubtful.is_empty()).then(|| {
        let message = format!(
            "In IAM's simulation a policy of the organization denies {} of the role's permissions ({named}{more}). It errs about policies \
             with conditions, such as one that denies other regions, and every call that was tried for real was allowed: so it stops no \
             cluster. If a call is denied after all, the cluster's reason will say which.",
            doubtful.len()
        );
        Warning::new("$.role_arn", message)
    })
}

async fn refused(cx: &Context, making: Option<&Context>) -> Result<Vec<Refused>> {
    let mut refused = Vec::new();
    for (action, outcome) in look(cx).await {
        match outcome {
            Err(error) if error.is_denial() => refused.push((action, error)),
            other => other?,
        }
    }
    let Some(making) = making else { return Ok(refused) };
    for (action, outcome) in make(making).await {
        match outcome {
            Err(error) if error.is_denial() => refused.push((action, error)),
            Err(error) if error.class.retryable() => return Err(error),
            // Whether there is room for one more is not the question here, and ours may be there already.
            _ => {}
        }
    }
    Ok(refused)
}

/// Reads something of each service.
async fn look(cx: &Context) -> [(&'static str, Result<()>); 6] {
    let aws = &cx.aws;
    let (zones, cluster, roles, groups, balancers, buckets) = join!(
        aws.ec2.describe_availability_zones().send(),
        aws.eks.describe_cluster().name(cx.cluster.eks_name()).send(),
        aws.iam.list_roles().path_prefix(ROLE_PATH).send(),
        aws.logs.describe_log_groups().limit(1).send(),
        aws.elbv2.describe_load_balancers().page_size(1).send(),
        aws.s3.list_buckets().max_buckets(1).send(),
    );
    [
        ("ec2:DescribeAvailabilityZones", zones.called("ec2:DescribeAvailabilityZones").map(drop)),
        ("eks:DescribeCluster", cluster.called("eks:DescribeCluster").unless(GONE_IN_EKS).map(drop)),
        ("iam:ListRoles", roles.called("iam:ListRoles").map(drop)),
        ("logs:DescribeLogGroups", groups.called("logs:DescribeLogGroups").map(drop)),
        ("elasticloadbalancing:DescribeLoadBalancers", balancers.called("elasticloadbalancing:DescribeLoadBalancers").map(drop)),
        ("s3:ListAllMyBuckets", buckets.called("s3:ListAllMyBuckets").map(drop)),
    ]
}

/// Asks EC2 whether what needs nothing else may be made, with its tags: policies of organizations demand tags, and deny regions.
async fn make(cx: &Context) -> [(&'static str, Result<()>); 3] {
    let (vpc, address, gateway) = join!(vpc::may_be_made(cx), elastic_ip::may_be_made(cx), internet_gateway::may_be_made(cx));
    let [of_vpc, of_address, of_gateway] = MAKING;
    [(of_vpc, vpc), (of_address, address), (of_gateway, gateway)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_a_few_and_counts_the_rest() {
        let doubtful: Vec<String> = (1..=7).map(|index| format!("ec2:Action{index}")).collect();
        let text = advice(&doubtful).expect("there are doubts").message;
        assert!(text.contains("denies 7 of") && text.contains("ec2:Action5; and 2 more)") && !text.contains("ec2:Action6"), "{text}");
        assert!(advice(&doubtful[..5]).is_some_and(|one| one.message.contains("ec2:Action5)")));
        assert_eq!(advice(&[]), None);
    }
}
