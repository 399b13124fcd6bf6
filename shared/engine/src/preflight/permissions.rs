//! Whether the role has every permission of the table, checked before anything is made. Everything missing is named at once.
//!
//! There are two kinds of evidence: IAM's own simulation of each row, and a harmless call to each service. Neither knows resource policies
//! or the session's own policy.

use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::table::GONE_IN_EKS;
use crate::errors::{Called, Error, Result, Unless};
use crate::names::ROLE_PATH;
use crate::permissions::{self, document::Statement};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType as Decision};
use futures::{StreamExt, TryStreamExt, join, stream};
use wire::error::Code;
use wire::spec::{Ground, Spec};

/// IAM is shared with everything else in the account.
const AT_ONCE: usize = 6;

/// # Errors
/// `Customer`, with everything that is missing. IAM may not know a new role everywhere yet, so for a while this counts as a refusal.
pub async fn check(cx: &Context) -> Result<()> {
    let (spec, id) = (&cx.cluster.spec, &cx.cluster.id);
    let (needed, refused) = match &spec.ground {
        Ground::Managed(_) => (permissions::whole(&spec.names()), refused_probes(cx).await?),
        // No probes: the stages themselves look at all that this role may look at.
        Ground::SelfManaged(theirs) => (permissions::self_managed::whole(spec, theirs, id), vec![]),
    };
    let questions: Vec<_> = needed.iter().filter(|statement| can_be_simulated(statement)).map(|statement| ask(cx, statement)).collect();
    let simulated: Vec<Vec<String>> = stream::iter(questions).buffered(AT_ONCE).try_collect().await?;
    let missing: Vec<String> = simulated.into_iter().flatten().chain(refused).collect();
    if missing.is_empty() { Ok(()) } else { Err(lacking(spec, &missing)) }
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

/// IAM simulates a launch only with an instance, an image and a group that exist.
fn can_be_simulated(statement: &Statement) -> bool {
    !statement.action.iter().any(|action| action == "ec2:RunInstances")
}

/// The actions of a statement that IAM would not allow on things like those of the cluster to be.
async fn ask(cx: &Context, statement: &Statement) -> Result<Vec<String>> {
    let patterns = statement.resource.iter().filter(|pattern| *pattern != "*");
    let resources: Vec<String> = patterns.map(|pattern| example(&cx.cluster, pattern)).collect();
    let answer = cx
        .aws
        .iam
        .simulate_principal_policy()
        .policy_source_arn(&cx.cluster.spec.role_arn)
        .set_action_names(Some(statement.action.clone()))
        .set_resource_arns((!resources.is_empty()).then_some(resources))
        .set_context_entries(Some(context(&cx.cluster, statement)))
        .max_items(1000)
        .send()
        .await
        .called("iam:SimulatePrincipalPolicy")?;
    Ok(answer.evaluation_results().iter().flat_map(denied).collect())
}

fn context(cluster: &Cluster, statement: &Statement) -> Vec<ContextEntry> {
    let keys = statement.condition.values().flatten();
    let entry = |(key, values): (&String, &Vec<String>)| {
        let value = values.first().map(|value| example(cluster, value)).unwrap_or_default();
        ContextEntry::builder().context_key_name(key).context_key_type(ContextKeyTypeEnum::String).context_key_values(value).build()
    };
    keys.map(entry).collect()
}

/// Something of this cluster that the pattern matches.
fn example(cluster: &Cluster, pattern: &str) -> String {
    let placed = match pattern.splitn(6, ':').collect::<Vec<_>>()[..] {
        [arn, partition, service, "*", account, what] => [arn, partition, service, &cluster.spec.region, account, what].join(":"),
        _ => pattern.to_owned(),
    };
    placed.replace("????????????", &cluster.id).replace("?*", &cluster.id).replace('*', &cluster.id)
}

/// `ec2:CreateVpc on arn:…`, for each resource that is denied.
fn denied(result: &EvaluationResult) -> Vec<String> {
    let action = result.eval_action_name();
    let of_resources = result.resource_specific_results();
    if of_resources.is_empty() {
        let allowed = result.eval_decision() == &Decision::Allowed;
        return if allowed { vec![] } else { vec![action.to_owned()] };
    }
    let refused = of_resources.iter().filter(|one| one.eval_resource_decision() != &Decision::Allowed);
    refused.map(|one| of(action, one.eval_resource_name())).collect()
}

fn of(action: &str, resource: &str) -> String {
    if resource == "*" { action.to_owned() } else { format!("{action} on {resource}") }
}

/// This shows what a policy of the organization forbids although the role's own policies allow it.
async fn refused_probes(cx: &Context) -> Result<Vec<String>> {
    let aws = &cx.aws;
    let (zones, cluster, roles, groups, balancers, buckets) = join!(
        aws.ec2.describe_availability_zones().send(),
        aws.eks.describe_cluster().name(cx.cluster.eks_name()).send(),
        aws.iam.list_roles().path_prefix(ROLE_PATH).send(),
        aws.logs.describe_log_groups().limit(1).send(),
        aws.elbv2.describe_load_balancers().page_size(1).send(),
        aws.s3.list_buckets().max_buckets(1).send(),
    );
    let probes = [
        ("ec2:DescribeAvailabilityZones", zones.called("ec2:DescribeAvailabilityZones").map(drop)),
        ("eks:DescribeCluster", cluster.called("eks:DescribeCluster").unless(GONE_IN_EKS).map(drop)),
        ("iam:ListRoles", roles.called("iam:ListRoles").map(drop)),
        ("logs:DescribeLogGroups", groups.called("logs:DescribeLogGroups").map(drop)),
        ("elasticloadbalancing:DescribeLoadBalancers", balancers.called("elasticloadbalancing:DescribeLoadBalancers").map(drop)),
        ("s3:ListAllMyBuckets", buckets.called("s3:ListAllMyBuckets").map(drop)),
    ];
    let mut refused = Vec::new();
    for (action, outcome) in probes {
        match outcome {
            Ok(()) => {}
            Err(error) if error.is_denial() => refused.push(format!("{action} (refused when tried)")),
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}
