//! What the service control policies of an account's organization deny, and how IAM simulates with them.
//!
//! Sources: Control Tower's region deny control, for what is in no region; karpenter-provider-aws#7370 and
//! ministryofjustice/aws-root-account#1494, for the words of EC2 and of the others; aws/aws-sdk#102, aws-ecs-exec-checker#70 and
//! aws-toolkit-vscode#3106, for simulations that deny whatever a policy with a condition on the region is about; SimulatePrincipalPolicy
//! (IAM API reference), for leaving those policies out.

use super::Rule;
use crate::account::Account;
use crate::answer::{Answer, Refusal, replace_body};
use crate::authorization::things::Things;
use crate::authorization::{self, Authorization};
use crate::call::Call;
use crate::world::World;
use crate::xml;
use xmltree::{Element, XMLNode};

/// Remembers what launch templates give to nodes. One that it has not seen is taken to give every tag.
#[derive(Default)]
pub struct Organization {
    templates: Things,
}

/// Services, and actions of others, that are in no region.
const GLOBAL: [&str; 2] = ["iam:", "sts:"];
const GLOBAL_ACTIONS: [&str; 2] = ["ec2:DescribeRegions", "s3:ListAllMyBuckets"];

/// What must carry the tag that the organization demands.
const TAGGED: [&str; 18] = [
    "ec2:AllocateAddress",
    "ec2:CreateInternetGateway",
    "ec2:CreateLaunchTemplate",
    "ec2:CreateNatGateway",
    "ec2:CreateRouteTable",
    "ec2:CreateSubnet",
    "ec2:CreateVolume",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "ec2:RunInstances",
    "eks:CreateAccessEntry",
    "eks:CreateAddon",
    "eks:CreateCluster",
    "eks:CreateNodegroup",
    "eks:CreatePodIdentityAssociation",
    "iam:CreateRole",
    "logs:CreateLogGroup",
    "s3:CreateBucket",
];
/// What a launch makes.
const LAUNCHED: [&str; 3] = [":instance/*", ":volume/*", ":network-interface/*"];

impl Rule for Organization {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let account = world.account(&call.access_key);
        if !has_policies(account) {
            return None;
        }
        let caller = caller(call, world);
        let asked = authorization::about(call, &caller);
        let denied = is_elsewhere(account, call) || lacks_tag(account, &asked) || is_public(account, call);
        let refusal = if denied { Some(denial(&caller, &asked)) } else { self.launch_denied(account, call, &caller) };
        refusal.map(|refusal| refusal.answer(&call.service))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        let account = world.account(&call.access_key);
        if has_policies(account) && call.name() == "ec2:CreateLaunchTemplate" {
            self.templates.learn(call, &caller(call, world), answer);
        }
        let simulated = call.name() == "iam:SimulatePrincipalPolicy" && answer.status().is_success();
        if simulated && has_policies(account) && !leaves_policies_out(call) {
            amend(answer, |action| allows_in_simulation(account, action));
        }
    }
}

impl Organization {
    /// EKS asks EC2 with the caller's permissions whether it may launch from the template of a node group, and says no more than that.
    fn launch_denied(&self, account: &Account, call: &Call, caller: &str) -> Option<Refusal> {
        let template = call.json["launchTemplate"]["id"].as_str().filter(|_| call.name() == "eks:CreateNodegroup")?;
        self.templates.get(template)?;
        let asked = authorization::everything(call, caller, &self.templates);
        let mut launched = asked.iter().filter(|asked| LAUNCHED.iter().any(|kind| asked.resource.ends_with(kind)));
        launched.any(|asked| lacks_tag(account, asked)).then(|| {
            let message =
                "You are not authorized to launch instances with this launch template. Encoded authorization failure message: abc";
            Refusal::new(400, "InvalidRequestException", message)
        })
    }
}

fn caller(call: &Call, world: &World) -> String {
    match world.caller(&call.access_key) {
        "" => format!("arn:aws:iam::{}:root", world.number(&call.access_key)),
        session => session.to_owned(),
    }
}

fn is_regional(action: &str) -> bool {
    !GLOBAL.iter().any(|service| action.starts_with(service)) && !GLOBAL_ACTIONS.contains(&action)
}

fn is_elsewhere(account: &Account, call: &Call) -> bool {
    !account.only_regions.is_empty() && is_regional(&call.name()) && !account.only_regions.contains(&call.region)
}

fn lacks_tag(account: &Account, asked: &Authorization) -> bool {
    let demanded = account.demanded_tag.as_ref().filter(|_| TAGGED.contains(&asked.action.as_str()));
    demanded.is_some_and(|tag| !asked.context.contains_key(&format!("aws:RequestTag/{tag}")))
}

/// By the condition key `eks:endpointPublicAccess`.
fn is_public(account: &Account, call: &Call) -> bool {
    let sets = matches!(call.name().as_str(), "eks:CreateCluster" | "eks:UpdateClusterConfig");
    account.private_endpoints_only && sets && call.json["resourcesVpcConfig"]["endpointPublicAccess"] == true
}

fn denial(caller: &str, asked: &Authorization) -> Refusal {
    let Authorization { action, resource, .. } = asked;
    let why = format!(
        "User: {caller} is not authorized to perform: {action} on resource: {resource} with an explicit deny in a service control policy"
    );
    match action.split(':').next().unwrap_or_default() {
        "ec2" => {
            let message = format!(
                "You are not authorized to perform this operation. {why}. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcdefghijklmn"
            );
            Refusal::new(403, "UnauthorizedOperation", message)
        }
        "eks" | "servicequotas" => Refusal::new(403, "AccessDeniedException", why),
        "logs" => Refusal::new(400, "AccessDeniedException", why),
        _ => Refusal::new(403, "AccessDenied", format!("{why}: arn:aws:organizations::999999999999:policy/o-1/service_control_policy/p-1")),
    }
}

fn has_policies(account: &Account) -> bool {
    !account.only_regions.is_empty() || account.demanded_tag.is_some() || account.private_endpoints_only
}

fn leaves_policies_out(call: &Call) -> bool {
    let is_type = |name: &str| name.starts_with("PolicyExclusionList.member.") && name.ends_with(".PolicyType");
    call.form.iter().any(|(name, value)| is_type(name) && value == "scp")
}

/// A denial with a condition on the region counts in every simulation, whatever region its context names; so does one without a tag.
fn allows_in_simulation(account: &Account, action: &str) -> bool {
    let elsewhere = !account.only_regions.is_empty() && is_regional(action);
    let untagged = account.demanded_tag.is_some() && TAGGED.contains(&action);
    !elsewhere && !untagged
}

/// Each action's result says whether the organization allows it. Where it does not, the simulation ends, and no other policy is looked at.
fn amend(answer: &mut Answer, allows: impl Fn(&str) -> bool) {
    let Ok(mut root) = Element::parse(answer.body().as_ref()) else { return };
    let results = root.get_mut_child("SimulatePrincipalPolicyResult").and_then(|result| result.get_mut_child("EvaluationResults"));
    for result in results.into_iter().flat_map(members) {
        let allowed = xml::child_text(result, "EvalActionName").is_some_and(|action| allows(&action));
        let mut detail = Element::new("OrganizationsDecisionDetail");
        xml::set_child(&mut detail, "AllowedByOrganizations", if allowed { "true" } else { "false" });
        result.children.push(XMLNode::Element(detail));
        if !allowed {
            xml::set_child(result, "EvalDecision", "explicitDeny");
            let each = result.get_mut_child("ResourceSpecificResults");
            each.into_iter().flat_map(members).for_each(|one| xml::set_child(one, "EvalResourceDecision", "explicitDeny"));
        }
    }
    let mut body = Vec::new();
    root.write(&mut body).expect("a vector takes every byte");
    replace_body(answer, body);
}

fn members(list: &mut Element) -> impl Iterator<Item = &mut Element> {
    list.children.iter_mut().filter_map(XMLNode::as_mut_element)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::signed;

    const ACCOUNT: &str = "222222222222";

    fn world(account: serde_json::Value) -> World {
        let mut world = World::new(1, 1.0);
        world.accounts.insert(ACCOUNT.into(), serde_json::from_value(account).expect("an account"));
        world
    }

    fn answered(call: &Call, account: serde_json::Value) -> String {
        let answer = Organization::default().before(call, &mut world(account));
        answer.map(|answer| String::from_utf8_lossy(answer.body()).into_owned()).unwrap_or_default()
    }

    #[tokio::test]
    async fn each_policy_denies_what_it_is_about_and_nothing_else() {
        let tagged = |key: &str| format!("Action=CreateVpc&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key={key}");
        let cluster = |public: bool| format!(r#"{{"name": "a", "resourcesVpcConfig": {{"endpointPublicAccess": {public}}}}}"#);
        let [form, json] =
            [|service, body: &str| signed(ACCOUNT, service, "/", body), |service, body: &str| signed(ACCOUNT, service, "/clusters", body)];
        let regions = |regions: &[&str]| serde_json::json!({"only_regions": regions});
        let tag = || serde_json::json!({"demanded_tag": "CostCenter"});
        let private = || serde_json::json!({"private_endpoints_only": true});
        for (call, account, expected, reason) in [
            (form("ec2", "Action=DescribeVpcs"), regions(&["eu-west-1"]), "UnauthorizedOperation", "another region"),
            (form("ec2", "Action=DescribeVpcs"), regions(&["us-west-2"]), "", "the region that is allowed"),
            (form("ec2", "Action=DescribeRegions"), regions(&["eu-west-1"]), "", "in no region"),
            (form("iam", "Action=ListRoles"), regions(&["eu-west-1"]), "", "in no region"),
            (
                form("ec2", &tagged("owner")),
                tag(),
                "on resource: arn:aws:ec2:us-west-2:222222222222:vpc/* with an explicit deny",
                "another tag",
            ),
            (form("ec2", &tagged("CostCenter")), tag(), "", "the tag"),
            (form("ec2", "Action=CreateRoute"), tag(), "", "takes no tags"),
            (json("eks", &cluster(true)), private(), "AccessDeniedException", "a public endpoint"),
            (json("eks", &cluster(false)), private(), "", "a private one"),
        ] {
            let text = answered(&call, account);
            assert_eq!((text.is_empty(), text.contains(expected)), (expected.is_empty(), true), "{reason}: {text}");
        }
    }

    #[tokio::test]
    async fn a_node_group_is_denied_whose_template_gives_its_nodes_disks_or_interfaces_no_tag() {
        let given = |kinds: &[&str]| {
            let of = |(index, kind): (usize, &&str)| {
                let one = format!("LaunchTemplateData.TagSpecification.{}", index + 1);
                format!("&{one}.ResourceType={kind}&{one}.Tag.1.Key=CostCenter&{one}.Tag.1.Value=4711")
            };
            kinds.iter().enumerate().map(of).collect::<String>()
        };
        let answer = "<r><launchTemplate><launchTemplateId>lt-1</launchTemplateId></launchTemplate></r>";
        let body = r#"{"nodegroupName": "a", "tags": {"CostCenter": "4711"}, "launchTemplate": {"id": "lt-1"}, "subnets": ["subnet-1"]}"#;
        for (kinds, denied, reason) in [
            (&["instance", "volume", "network-interface"][..], false, "all that a launch makes"),
            (&["instance", "network-interface"], true, "no volume"),
            (&[], true, "nothing"),
        ] {
            let (mut organization, mut world) = (Organization::default(), world(serde_json::json!({"demanded_tag": "CostCenter"})));
            let template = signed(ACCOUNT, "ec2", "/", &format!("Action=CreateLaunchTemplate{}", given(kinds)));
            organization.after(&template, &mut Answer::new(answer.into()), &mut world);
            let group = signed(ACCOUNT, "eks", "/clusters/a/node-groups", body);
            assert_eq!(organization.before(&group, &mut world).is_some(), denied, "{reason}");
        }
    }

    #[tokio::test]
    async fn a_simulation_denies_what_is_in_a_region_even_in_the_one_that_is_allowed_unless_the_policies_are_left_out() {
        let result = |action: &str| {
            format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalDecision>allowed</EvalDecision><ResourceSpecificResults><member>\
                 <EvalResourceDecision>allowed</EvalResourceDecision></member></ResourceSpecificResults></member>"
            )
        };
        let results = result("ec2:CreateVpc") + &result("iam:GetRole");
        let body = format!(
            "<r><SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults></SimulatePrincipalPolicyResult></r>"
        );
        for (form, denied, reason) in [
            ("Action=SimulatePrincipalPolicy", 2, "the action, and its resource"),
            ("Action=SimulatePrincipalPolicy&PolicyExclusionList.member.1=scp", 2, "not how a union is written"),
            ("Action=SimulatePrincipalPolicy&PolicyExclusionList.member.1.PolicyType=scp", 0, "left out"),
        ] {
            let mut answer = Answer::new(body.clone().into());
            let call = signed(ACCOUNT, "iam", "/", form);
            Organization::default().after(&call, &mut answer, &mut world(serde_json::json!({"only_regions": ["us-west-2"]})));
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            assert_eq!(text.matches("explicitDeny").count(), denied, "{reason}: {text}");
            assert_eq!(text.contains("<AllowedByOrganizations>false<"), denied > 0, "{reason}");
        }
    }
}
