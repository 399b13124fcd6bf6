//! Whether the role has every permission of the table, checked before anything is made. Everything missing is named at once.
//!
//! There are two kinds of evidence: IAM's own simulation of each row, and calls that are made for real: a harmless one to each service, and
//! EC2's first creates, which EC2 only judges (`DryRun`). The simulation knows neither resource policies nor the session's own policy,
//! and errs about conditions in the organization's policies. So what only these deny in it is advice; what a call meets is a fact.

use super::simulation::{self, Denied};
use crate::context::Context;
use crate::doors::{Faults, Purpose};
use crate::errors::table::GONE_IN_EKS;
use crate::errors::{Called, Error, Result, Unless};
use crate::names::ROLE_PATH;
use crate::permissions;
use crate::resources::{elastic_ip, internet_gateway, launch_template, vpc};
use futures::join;
use wire::error::Code;
use wire::spec::{Ground, Spec, Tags};
use wire::view::Warning;

/// What is tried of a network, which a cluster in the customer's subnets does not make.
const NETWORK: [&str; 3] = ["ec2:CreateVpc", "ec2:AllocateAddress", "ec2:CreateInternetGateway"];
/// What is tried for every cluster.
const TEMPLATE: &str = "ec2:CreateLaunchTemplate";
/// How many actions the advice names.
const NAMED: usize = 5;

/// A call that was denied: its action, and what AWS said.
type Refused = (&'static str, Error);

/// With the session of this stage, and of the one that makes the network. Returns what the tenant should know although the check passes.
///
/// # Errors
/// `Customer`, with everything that is missing, and everything that the organization denies. IAM may not know a new role everywhere yet, so
/// for a while this counts as a refusal.
pub async fn check(cx: &Context, making: Option<&Context>, purpose: Purpose) -> Result<Vec<Warning>, Faults> {
    let (spec, id) = (&cx.cluster.spec, &cx.cluster.id);
    let (needed, refused) = match &spec.ground {
        Ground::Managed(_) => (permissions::whole(&spec.names()), refused(cx, making).await?),
        // The stages themselves look at all that this role may look at.
        Ground::SelfManaged(theirs) => (permissions::self_managed::whole(spec, theirs, id), vec![]),
    };
    judge(spec, purpose, simulation::denied(cx, &needed).await?, refused)
}

fn judge(spec: &Spec, purpose: Purpose, denied: Denied, refused: Vec<Refused>) -> Result<Vec<Warning>, Faults> {
    let Denied { by_role, mut by_organization } = denied;
    let suspected = |action: &str| by_organization.iter().any(|what| what.split(' ').next() == Some(action));
    let (forbidden, refused): (Vec<_>, Vec<_>) =
        refused.into_iter().partition(|(action, error)| error.is_denied_by_organization() || suspected(action));
    let may_do_without = purpose == Purpose::Any && forbidden.iter().all(|(action, _)| NETWORK.contains(action));
    let (dispensable, forbidden) = if may_do_without { (forbidden, vec![]) } else { (vec![], forbidden) };
    let missing: Vec<String> =
        by_role.into_iter().chain(refused.iter().map(|(action, _)| format!("{action} (refused when tried)"))).collect();
    let lacks = (!missing.is_empty()).then(|| lacking(spec, &missing));
    let forbids = (!forbidden.is_empty()).then(|| forbids(&forbidden, &spec.tags));
    Faults::none_of(lacks.into_iter().chain(forbids))?;
    by_organization.retain(|what| !dispensable.iter().any(|(action, _)| what.split(' ').next() == Some(*action)));
    let doubtful: Vec<String> = by_organization.into_iter().collect();
    Ok(only_in_their_network(&dispensable).into_iter().chain(advice(&doubtful, dispensable.is_empty())).collect())
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
    if refused.iter().any(|(action, _)| NETWORK.contains(action) || *action == TEMPLATE) { error.about_tags(tags) } else { error }
}

/// Nobody has asked for a network yet.
fn only_in_their_network(dispensable: &[Refused]) -> Option<Warning> {
    let said: Vec<&str> = dispensable.iter().map(|(_, error)| error.reason.as_str()).collect();
    (!said.is_empty()).then(|| {
        let message = format!(
            "A policy of the organization lets the role make no network, so clusters can only be in subnets of yours (network.subnet_ids). If \
             it demands a tag, give that in the tags of a request; otherwise an administrator of the organization has to exempt this account or \
             role if clusters are to have a network of their own. {}",
            said.join(" ")
        );
        Warning::new("$.role_arn", message)
    })
}

/// Of what was not tried, or not denied when it was.
fn advice(doubtful: &[String], all_allowed: bool) -> Option<Warning> {
    let tried = if all_allowed { "every call" } else { "every other call" };
    let named = doubtful.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let rest = doubtful.len().saturating_sub(NAMED);
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    (!doubtful.is_empty()).then(|| {
        let message = format!(
            "In IAM's simulation a policy of the organization denies {} of the role's permissions ({named}{more}). It errs about policies \
             with conditions, such as one that denies other regions, and {tried} that was tried for real was allowed: so it stops no \
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
async fn make(cx: &Context) -> Vec<(&'static str, Result<()>)> {
    if cx.cluster.is_in_their_network() {
        return vec![(TEMPLATE, launch_template::may_be_made(cx).await)];
    }
    let (vpc, address, gateway, template) =
        join!(vpc::may_be_made(cx), elastic_ip::may_be_made(cx), internet_gateway::may_be_made(cx), launch_template::may_be_made(cx));
    NETWORK.into_iter().chain([TEMPLATE]).zip([vpc, address, gateway, template]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::from_answer;
    use std::collections::BTreeSet;

    #[test]
    fn the_advice_names_a_few_and_counts_the_rest() {
        let doubtful: Vec<String> = (1..=7).map(|index| format!("ec2:Action{index}")).collect();
        let text = advice(&doubtful, true).expect("there are doubts").message;
        assert!(text.contains("denies 7 of") && text.contains("ec2:Action5; and 2 more)") && !text.contains("ec2:Action6"), "{text}");
        assert!(advice(&doubtful[..5], true).is_some_and(|one| one.message.contains("ec2:Action5)")));
        assert_eq!(advice(&[], true), None);
    }

    #[test]
    fn what_only_a_network_of_its_own_needs_stops_no_check_of_a_role_without_a_cluster() {
        let spec = crate::cluster::Cluster::example(serde_json::json!({})).spec;
        let message = "You are not authorized to perform this operation. User: a is not authorized to perform: ec2:A on resource: * with an \
                       explicit deny in a service control policy.";
        let refusal = |action| (action, from_answer(action, Some(403), Code::UnauthorizedOperation, &message.replace("ec2:A", action)));
        let simulated = || ["ec2:CreateVpc on arn:aws:ec2:us-west-2:2:vpc/*", "ec2:CreateSubnet on *"].map(str::to_owned).into();
        for (purpose, refused, works, expected, reason) in [
            (Purpose::Any, &NETWORK[..], true, &["lets the role make no network", "denies 1 of the role's"][..], "in subnets of theirs"),
            (Purpose::Cluster, &NETWORK, false, &[], "it needs them"),
            (Purpose::Any, &["ec2:CreateVpc", TEMPLATE], false, &[], "no cluster does without a template"),
            (Purpose::Any, &[], true, &["and every call that was tried"], "only the simulation has doubts"),
        ] {
            let denied = Denied { by_role: BTreeSet::new(), by_organization: simulated() };
            let judged = judge(&spec, purpose, denied, refused.iter().copied().map(refusal).collect());
            let codes: Vec<Code> = judged.as_ref().err().map(|faults| faults.first.code.clone()).into_iter().collect();
            assert_eq!(codes, if works { vec![] } else { vec![Code::OrganizationForbids] }, "{reason}");
            let told: Vec<String> = judged.unwrap_or_default().into_iter().map(|warning| warning.message).collect();
            assert_eq!(told.len(), expected.len(), "{reason}: {told:?}");
            assert!(told.iter().zip(expected).all(|(message, part)| message.contains(part)), "{reason}: {told:?}");
        }
    }
}
