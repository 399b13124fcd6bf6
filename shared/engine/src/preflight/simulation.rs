//! IAM's simulation of what the role may do: every row of the table, in few calls.
//!
//! It counts the organization's service control policies, but not always as AWS does in earnest: one with a condition, such as the denial
//! of other regions, may deny everything here (github.com/aws/aws-sdk/issues/102). What such policies deny is therefore asked once more
//! without them, which tells what the role lacks from what only the organization may deny.

use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result};
use crate::permissions::document::Statement;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType as Decision};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// IAM is shared with everything else in the account.
const AT_ONCE: usize = 4;
/// Of an action and a resource, in one call: IAM decides each with each, wanted or not, and its answer says so at length.
const PAIRS: usize = 100;
const ANY: &str = "*";

/// What is not allowed: `ec2:CreateVpc on arn:…`, or only the action.
#[derive(Default)]
pub struct Denied {
    pub by_role: BTreeSet<String>,
    pub by_organization: BTreeSet<String>,
}

#[derive(Clone, Copy)]
enum Organization {
    Counts,
    LeftOut,
}

/// What one call asks.
struct Question {
    /// The wanted pairs of an action and a resource.
    pairs: BTreeSet<(String, String)>,
    context: BTreeMap<String, String>,
}

pub async fn denied(cx: &Context, statements: &[Statement]) -> Result<Denied> {
    let questions = questions(&cx.cluster, statements);
    let asked: Vec<_> = questions.iter().map(|question| ask(cx, question)).collect();
    let all: Vec<Denied> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    Ok(all.into_iter().fold(Denied::default(), |mut sum, mut one| {
        sum.by_role.append(&mut one.by_role);
        sum.by_organization.append(&mut one.by_organization);
        sum
    }))
}

async fn ask(cx: &Context, question: &Question) -> Result<Denied> {
    let mut denied = question.denied(&simulate(cx, question, Organization::Counts).await?);
    if !denied.by_organization.is_empty() {
        denied.by_role.extend(question.denied(&simulate(cx, question, Organization::LeftOut).await?).by_role);
        denied.by_organization.retain(|what| !denied.by_role.contains(what));
    }
    Ok(denied)
}

/// IAM may send fewer results than it has.
async fn simulate(cx: &Context, question: &Question, organization: Organization) -> Result<Vec<EvaluationResult>> {
    let (mut results, mut marker) = (vec![], None);
    loop {
        let call = cx
            .aws
            .iam
            .simulate_principal_policy()
            .policy_source_arn(&cx.cluster.spec.role_arn)
            .set_action_names(Some(question.actions().into_iter().map(str::to_owned).collect()))
            .set_resource_arns(Some(question.resources().into_iter().map(str::to_owned).collect()))
            .set_context_entries(Some(question.entries()))
            .set_marker(marker)
            .max_items(1000);
        let answer = match organization {
            Organization::Counts => call.send().await,
            Organization::LeftOut => call.customize().mutate_request(leave_organization_out).send().await,
        };
        let answer = answer.called("iam:SimulatePrincipalPolicy")?;
        results.extend(answer.evaluation_results.unwrap_or_default());
        marker = answer.marker.filter(|_| answer.is_truncated);
        if marker.is_none() {
            return Ok(results);
        }
    }
}

/// `PolicyExclusionList` of SimulatePrincipalPolicy (IAM API reference). The SDK writes the value of this union without its member's name.
fn leave_organization_out(request: &mut HttpRequest) {
    let form = [request.body().bytes().unwrap_or_default(), b"&PolicyExclusionList.member.1.PolicyType=scp"].concat();
    request.headers_mut().insert("content-length", form.len().to_string());
    *request.body_mut() = form.into();
}

fn questions(cluster: &Cluster, statements: &[Statement]) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    for next in statements.iter().filter(|statement| can_be_simulated(statement)).map(|statement| Question::new(cluster, statement)) {
        match questions.iter_mut().find(|question| question.goes_with(&next)) {
            Some(question) => question.add(next),
            None => questions.push(next),
        }
    }
    questions
}

/// IAM simulates a launch only with an instance, an image and a group that exist.
fn can_be_simulated(statement: &Statement) -> bool {
    !statement.action.iter().any(|action| action == "ec2:RunInstances")
}

impl Question {
    /// About things like those of the cluster to be.
    fn new(cluster: &Cluster, statement: &Statement) -> Self {
        let resources: Vec<String> = statement.resource.iter().map(|pattern| example(cluster, pattern)).collect();
        let pairs = statement.action.iter().flat_map(|action| resources.iter().map(|resource| (action.clone(), resource.clone())));
        // What a condition excludes is no example of what it lets pass.
        let given = statement.condition.iter().filter(|(operator, _)| !operator.contains("Not"));
        let value = |values: &Vec<String>| values.first().map(|value| example(cluster, value)).unwrap_or_default();
        let given = given.flat_map(|(_, keys)| keys).map(|(key, values)| (key.clone(), value(values)));
        let region = ("aws:RequestedRegion".to_owned(), requested_region(cluster, &statement.action));
        Self { pairs: pairs.collect(), context: given.chain([region]).collect() }
    }

    fn actions(&self) -> BTreeSet<&str> {
        self.pairs.iter().map(|(action, _)| action.as_str()).collect()
    }

    fn resources(&self) -> BTreeSet<&str> {
        self.pairs.iter().map(|(_, resource)| resource.as_str()).collect()
    }

    /// All are texts, because no statement of ours compares anything else. A tag that is "true" is one, too.
    fn entries(&self) -> Vec<ContextEntry> {
        let entry = |(key, value): (&String, &String)| {
            ContextEntry::builder().context_key_name(key).context_key_type(ContextKeyTypeEnum::String).context_key_values(value).build()
        };
        self.context.iter().map(entry).collect()
    }

    /// Whether one call can ask both, and get the same answers as two. An action of both could be allowed for the one by what is in the
    /// context for the other.
    fn goes_with(&self, other: &Self) -> bool {
        let agree = other.context.iter().all(|(key, value)| self.context.get(key).is_none_or(|own| own == value));
        let (actions, resources) = (&self.actions() | &other.actions(), &self.resources() | &other.resources());
        let apart = self.actions().is_disjoint(&other.actions());
        let alike = !resources.contains(ANY) || resources.len() == 1;
        agree && apart && alike && actions.len() * resources.len() <= PAIRS
    }

    fn add(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.context.extend(other.context);
    }

    fn denied(&self, results: &[EvaluationResult]) -> Denied {
        let mut denied = Denied::default();
        for result in results {
            let organization = result.organizations_decision_detail().is_some_and(|detail| !detail.allowed_by_organizations());
            let set = if organization { &mut denied.by_organization } else { &mut denied.by_role };
            let wanted = self.pairs.iter().filter(|(action, resource)| action == result.eval_action_name() && !allows(result, resource));
            set.extend(wanted.map(|(action, resource)| named(action, resource)));
        }
        denied
    }
}

/// The decision about one resource, or about all.
fn allows(result: &EvaluationResult, resource: &str) -> bool {
    let of_resource = result.resource_specific_results().iter().find(|one| one.eval_resource_name() == resource);
    let decision = of_resource.map_or(result.eval_decision(), |one| one.eval_resource_decision());
    decision == &Decision::Allowed
}

fn named(action: &str, resource: &str) -> String {
    if resource == ANY { action.to_owned() } else { format!("{action} on {resource}") }
}

/// IAM has one endpoint for all regions of a partition.
fn requested_region(cluster: &Cluster, actions: &[String]) -> String {
    let spec = &cluster.spec;
    match spec.names().partition {
        _ if !actions.iter().any(|action| action.starts_with("iam:")) => spec.region.clone(),
        "aws-us-gov" => "us-gov-west-1".into(),
        "aws-cn" => "cn-north-1".into(),
        _ => "us-east-1".into(),
    }
}

/// Something of this cluster that the pattern matches.
fn example(cluster: &Cluster, pattern: &str) -> String {
    if pattern == ANY {
        return pattern.to_owned();
    }
    // IAM simulates nothing about a partition or region that does not exist.
    let at_home = pattern.replacen("arn:*:", &format!("arn:{}:", cluster.spec.partition()), 1);
    let placed = match at_home.splitn(6, ':').collect::<Vec<_>>()[..] {
        [arn, partition, service, "*", account, what] => [arn, partition, service, &cluster.spec.region, account, what].join(":"),
        _ => at_home.clone(),
    };
    placed.replace("????????????", &cluster.id).replace("?*", &cluster.id).replace('*', &cluster.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions;
    use aws_sdk_iam::types::{OrganizationsDecisionDetail, ResourceSpecificResult};
    use serde_json::json;

    fn whole() -> (Cluster, Vec<Statement>) {
        let cluster = Cluster::example(json!({}));
        let statements = permissions::whole(&cluster.spec.names());
        (cluster, statements)
    }

    #[test]
    fn the_whole_role_is_asked_about_in_few_calls_and_nothing_is_left_out() {
        let (cluster, statements) = whole();
        let questions = questions(&cluster, &statements);
        let single = statements.iter().filter(|statement| can_be_simulated(statement));
        let wanted: BTreeSet<_> = single.flat_map(|statement| Question::new(&cluster, statement).pairs).collect();
        assert_eq!(questions.iter().flat_map(|question| question.pairs.clone()).collect::<BTreeSet<_>>(), wanted);
        assert!(questions.len() <= 15, "{} calls", questions.len());
        assert!(questions.iter().all(|question| question.actions().len() * question.resources().len() <= PAIRS));
    }

    #[test]
    fn every_question_names_the_region_that_the_call_will_be_about() {
        let (cluster, statements) = whole();
        for question in questions(&cluster, &statements) {
            let global = question.actions().iter().any(|action| action.starts_with("iam:"));
            assert_eq!(question.context["aws:RequestedRegion"], if global { "us-east-1" } else { "us-west-2" });
        }
    }

    #[test]
    fn conditions_compare_texts_alone_as_every_question_says() {
        let (_, statements) = whole();
        let mut operators = statements.iter().flat_map(|statement| statement.condition.keys());
        assert!(operators.all(|operator| operator.contains("String") || operator.contains("Arn") || operator == "Null"), "another type");
    }

    #[test]
    fn what_is_asked_about_is_in_the_clusters_partition_and_region() {
        let cluster = Cluster::example(json!({}));
        for (pattern, expected) in [
            ("arn:*:kms:*:222222222222:key/*", "arn:aws:kms:us-west-2:222222222222:key/abcdefghijkl"),
            ("arn:*:iam::aws:policy/AmazonEKSClusterPolicy", "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"),
            ("arn:aws:s3:::groundwork-????????????-*", "arn:aws:s3:::groundwork-abcdefghijkl-abcdefghijkl"),
            ("*", "*"),
        ] {
            assert_eq!(example(&cluster, pattern), expected);
        }
    }

    #[test]
    fn a_call_asks_no_action_in_the_circumstances_of_another_statement() {
        let cluster = Cluster::example(json!({}));
        let statement = |action: &str, resource: &str, value: &str| {
            Statement::allow("S", &[action], &[resource], &[], &cluster.spec.names()).when("StringEquals", "key", vec![value.into()])
        };
        for (other, expected, reason) in [
            (statement("ec2:B", "arn:b", "x"), true, "another action, in the same circumstances"),
            (statement("ec2:A", "arn:b", "x"), false, "the same action"),
            (statement("ec2:B", "arn:b", "y"), false, "other circumstances"),
            (statement("ec2:B", "*", "x"), false, "about everything"),
        ] {
            let [one, other] = [statement("ec2:A", "arn:a", "x"), other].map(|statement| Question::new(&cluster, &statement));
            assert_eq!(one.goes_with(&other), expected, "{reason}");
        }
    }

    #[test]
    fn a_denial_is_the_organizations_only_if_iam_says_so_and_only_wanted_pairs_count() {
        let question = Question {
            pairs: [("ec2:A", "arn:a"), ("ec2:B", "arn:b")].map(|(action, resource)| (action.into(), resource.into())).into(),
            context: BTreeMap::new(),
        };
        let each = |resource: &str, decision| {
            ResourceSpecificResult::builder().eval_resource_name(resource).eval_resource_decision(decision).build().expect("all of it")
        };
        let result = |action: &str, a, b, organization: Option<bool>| {
            let detail = organization.map(|allowed| OrganizationsDecisionDetail::builder().allowed_by_organizations(allowed).build());
            EvaluationResult::builder()
                .eval_action_name(action)
                .eval_decision(Decision::ImplicitDeny)
                .resource_specific_results(each("arn:a", a))
                .resource_specific_results(each("arn:b", b))
                .set_organizations_decision_detail(detail)
                .build()
                .expect("all of it")
        };
        for (results, by_role, by_organization, reason) in [
            (vec![result("ec2:A", Decision::Allowed, Decision::ImplicitDeny, None)], vec![], vec![], "denied on what is not wanted"),
            (vec![result("ec2:A", Decision::ImplicitDeny, Decision::Allowed, None)], vec!["ec2:A on arn:a"], vec![], "no organization"),
            (
                vec![result("ec2:B", Decision::Allowed, Decision::ExplicitDeny, Some(true))],
                vec!["ec2:B on arn:b"],
                vec![],
                "the organization allows it",
            ),
            (vec![result("ec2:B", Decision::Allowed, Decision::ExplicitDeny, Some(false))], vec![], vec!["ec2:B on arn:b"], "it does not"),
        ] {
            let denied = question.denied(&results);
            assert_eq!(
                (Vec::from_iter(denied.by_role), Vec::from_iter(denied.by_organization)),
                (by_role.into_iter().map(str::to_owned).collect(), by_organization.into_iter().map(str::to_owned).collect()),
                "{reason}"
            );
        }
    }

    #[test]
    fn the_policies_of_the_organization_are_left_out_as_the_query_protocol_writes_a_union() {
        let mut request = HttpRequest::new("Action=SimulatePrincipalPolicy".into());
        leave_organization_out(&mut request);
        let form = "Action=SimulatePrincipalPolicy&PolicyExclusionList.member.1.PolicyType=scp";
        assert_eq!(request.body().bytes(), Some(form.as_bytes()));
        assert_eq!(request.headers().get("content-length"), Some(form.len().to_string().as_str()));
    }
}
