//! New things are not visible everywhere at once: ids to EC2, roles and their policies to EKS.

use super::Rule;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::timing::{ROLE_SEEN, seen_after};
use crate::world::World;
use crate::xml;
use std::collections::BTreeMap;
use std::time::Duration;

/// The prefix of an id, the element that names it in an answer, and EC2's error for an unknown one.
const IDS: &[(&str, &str, &str)] = &[
    ("vpc-", "vpcId", "InvalidVpcID.NotFound"),
    ("subnet-", "subnetId", "InvalidSubnetID.NotFound"),
    ("igw-", "internetGatewayId", "InvalidInternetGatewayID.NotFound"),
    ("rtb-", "routeTableId", "InvalidRouteTableID.NotFound"),
    ("eipalloc-", "allocationId", "InvalidAllocationID.NotFound"),
    ("nat-", "natGatewayId", "NatGatewayNotFound"),
    ("vpce-", "vpcEndpointId", "InvalidVpcEndpointId.NotFound"),
    ("lt-", "launchTemplateId", "InvalidLaunchTemplateId.NotFound"),
    ("sg-", "groupId", "InvalidGroup.NotFound"),
];

#[derive(Default)]
pub struct Visibility {
    /// EC2 id → when it is visible.
    ids: BTreeMap<String, Duration>,
    /// Role name → when EKS sees it as it is now.
    roles: BTreeMap<String, Duration>,
}

impl Visibility {
    fn is_hidden(&self, id: &str, world: &World) -> bool {
        self.ids.get(id).is_some_and(|seen| world.now() < *seen)
    }

    fn hide_new(&mut self, call: &Call, answer: &Answer, world: &mut World) {
        let given = call.texts();
        let named = IDS.iter().filter_map(|(prefix, element, _)| xml::text_of(answer, element).filter(|id| id.starts_with(prefix)));
        for id in named.filter(|id| !given.contains(id)) {
            let seen = world.now() + seen_after(world.ids_seen_after, &mut world.rng);
            self.ids.insert(id.to_owned(), seen);
        }
    }

    fn unknown(&self, call: &Call, world: &World) -> Option<Refusal> {
        let id = call.texts().into_iter().find(|text| self.is_hidden(text, world))?;
        let (_, _, code) = IDS.iter().find(|(prefix, _, _)| id.starts_with(prefix))?;
        Some(Refusal::new(400, code, format!("The ID '{id}' does not exist")))
    }

    /// EKS's error for a role, or its policies, that it cannot see.
    fn unseen_role(&self, call: &Call, world: &World) -> Option<Refusal> {
        let fresh = |text: &str| self.roles.get(text.rsplit('/').next()?).filter(|seen| world.now() < **seen).map(|_| text.to_owned());
        let role = call.texts().into_iter().filter(|text| text.contains(":role/")).find_map(fresh)?;
        let message = match call.action.as_str() {
            "CreatePodIdentityAssociation" | "CreateAccessEntry" => "Role provided in the request does not exist".to_owned(),
            _ => format!("Role with arn: {role}, could not be assumed because it does not exist or the trusted entity is not correct"),
        };
        Some(Refusal::new(400, "InvalidParameterException", message))
    }
}

impl Rule for Visibility {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let refusal = match call.service.as_str() {
            "ec2" if !call.action.starts_with("Describe") => self.unknown(call, world),
            "eks" => self.unseen_role(call, world),
            _ => None,
        }?;
        Some(refusal.answer(&call.service))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if !answer.status().is_success() {
            return;
        }
        match (call.service.as_str(), call.action.as_str()) {
            ("iam", "CreateRole" | "AttachRolePolicy") => {
                let seen = world.now() + seen_after(ROLE_SEEN, &mut world.rng);
                self.roles.insert(call.field("RoleName").unwrap_or_default().to_owned(), seen);
            }
            ("ec2", action) if action.starts_with("Describe") && self.ids.values().any(|seen| world.now() < *seen) => {
                let own = IDS.iter().find(|(_, element, _)| lists(action, element));
                let hidden = |item: &xmltree::Element| own.and_then(|(_, element, _)| xml::child_text(item, element));
                xml::retain_items(answer, |item| !hidden(item).is_some_and(|id| self.is_hidden(&id, world)));
            }
            ("ec2", action) if action.starts_with("Create") || action == "AllocateAddress" => self.hide_new(call, answer, world),
            _ => {}
        }
    }
}

/// Whether `DescribeVpcs` lists things whose own id is `vpcId`.
fn lists(action: &str, element: &str) -> bool {
    let noun = match element {
        "allocationId" => "Address",
        "groupId" => "SecurityGroup",
        _ => element.trim_end_matches("Id"),
    };
    let listed = action.trim_start_matches("Describe").trim_end_matches('s').trim_end_matches("e");
    listed.eq_ignore_ascii_case(noun.trim_end_matches('e'))
}
