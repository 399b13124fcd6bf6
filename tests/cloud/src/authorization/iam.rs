//! IAM checks the role's or instance profile's ARN, with the role's boundary, and tagging on creation.
//!
//! Sources: Actions, resources, and condition keys for AWS Identity and Access Management (service authorization reference); CreateRole
//! (IAM API reference), for iam:TagRole. The path of a role that does not exist is unknown, so AWS checks without one.

use super::tags;
use super::things::Thing;
use super::{Authorization, Scene};
use crate::xml;
use xmltree::Element;

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    let call = scene.call;
    match call.action.as_str() {
        "CreateRole" => create_role(scene),
        "CreateServiceLinkedRole" => vec![service_linked(scene)],
        "RemoveRoleFromInstanceProfile" | "DeleteInstanceProfile" | "GetInstanceProfile" => {
            vec![on(scene, "instance-profile", "InstanceProfileName")]
        }
        "SimulatePrincipalPolicy" => vec![scene.own(call.field("PolicySourceArn").unwrap_or("*"))],
        _ if call.field("RoleName").is_some() => {
            let policy = call.field("PolicyArn");
            vec![on(scene, "role", "RoleName").with_given("iam:PolicyARN", policy)]
        }
        _ => vec![scene.own(call.field("PolicyArn").unwrap_or("*"))],
    }
}

fn create_role(scene: &Scene<'_>) -> Vec<Authorization> {
    let call = scene.call;
    let (arn, tags) = (new_role(scene), tags::listed(call, "Tags.member"));
    let own = scene.own(&arn).requesting(&tags).with_given("iam:PermissionsBoundary", call.field("PermissionsBoundary"));
    let tag = (!tags.is_empty()).then(|| Authorization::new("iam:TagRole", &arn).requesting(&tags));
    std::iter::once(own).chain(tag).collect()
}

fn new_role(scene: &Scene<'_>) -> String {
    let field = |name| scene.call.field(name).unwrap_or_default();
    scene.global_arn("iam", scene.account, format!("role{}{}", scene.call.field("Path").unwrap_or("/"), field("RoleName")))
}

/// A service's role, of the name that AWS gives it.
fn service_linked(scene: &Scene<'_>) -> Authorization {
    let service = scene.call.field("AWSServiceName").unwrap_or_default();
    let name = if service == "spot.amazonaws.com" { "AWSServiceRoleForEC2Spot" } else { "*" };
    scene.own(scene.global_arn("iam", scene.account, format!("role/aws-service-role/{service}/{name}"))).with("iam:AWSServiceName", service)
}

fn on(scene: &Scene<'_>, kind: &str, field: &str) -> Authorization {
    let name = scene.call.field(field).unwrap_or_default();
    let thing = scene.things.get(&known_as(kind, scene.account, name));
    let arn = thing.and_then(|thing| thing.arn.clone()).unwrap_or_else(|| scene.global_arn("iam", scene.account, format!("{kind}/{name}")));
    // Lists are checked without it.
    let boundary = thing.and_then(|thing| thing.boundary.as_deref()).filter(|_| !scene.call.action.starts_with("List"));
    scene.own(arn).tagged(thing).with_given("iam:PermissionsBoundary", boundary)
}

fn known_as(kind: &str, account: &str, name: &str) -> String {
    format!("{kind} {account} {name}")
}

/// A role with its boundary, which not every answer repeats.
pub fn made(scene: &Scene<'_>) -> Option<(String, Thing)> {
    let call = scene.call;
    let name = call.field("RoleName").filter(|_| call.action == "CreateRole")?;
    let boundary = call.field("PermissionsBoundary").map(str::to_owned);
    let thing = Thing { arn: Some(new_role(scene)), tags: tags::listed(call, "Tags.member"), boundary, ..Thing::default() };
    Some((known_as("role", scene.account, name), thing))
}

/// A role or an instance profile, wherever it stands in an answer.
pub fn seen(element: &Element) -> Option<(String, Thing)> {
    let text = |name: &str| xml::child_text(element, name);
    let (kind, name) = match text("InstanceProfileName") {
        Some(name) => ("instance-profile", name),
        None => ("role", text("RoleName")?),
    };
    let arn = text("Arn")?;
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let boundary = element.get_child("PermissionsBoundary").and_then(|boundary| xml::child_text(boundary, "PermissionsBoundaryArn"));
    let tags = element.get_child("Tags").map(tags::elements).unwrap_or_default();
    Some((known_as(kind, &account, &name), Thing { arn: Some(arn), tags, boundary, ..Thing::default() }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{form, known, told};
    use crate::authorization::things::Things;

    const CREATE: &str = "Action=CreateRole&RoleName=a&Path=/groundwork/&PermissionsBoundary=arn:b\
        &Tags.member.1.Key=owner&Tags.member.1.Value=x";

    #[test]
    fn a_role_is_checked_with_its_boundary_and_its_tags() {
        assert_eq!(
            told(&form("iam", CREATE), &Things::default()),
            [
                "iam:CreateRole role/groundwork/a aws:RequestTag/owner=x aws:TagKeys=owner iam:PermissionsBoundary=arn:b",
                "iam:TagRole role/groundwork/a aws:RequestTag/owner=x aws:TagKeys=owner",
            ]
        );
    }

    #[test]
    fn a_service_linked_role_is_checked_by_the_name_that_it_will_have() {
        let create = form("iam", "Action=CreateServiceLinkedRole&AWSServiceName=spot.amazonaws.com");
        let expected = "iam:CreateServiceLinkedRole role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot \
                        iam:AWSServiceName=spot.amazonaws.com";
        assert_eq!(told(&create, &Things::default()), [expected]);
    }

    #[test]
    fn a_roles_path_and_boundary_are_known_only_once_it_exists() {
        let attach = form("iam", "Action=AttachRolePolicy&RoleName=a&PolicyArn=arn:p");
        assert_eq!(told(&attach, &Things::default()), ["iam:AttachRolePolicy role/a iam:PolicyARN=arn:p"]);
        let things = known(&[(form("iam", CREATE), "<r/>")]);
        let expected = "iam:AttachRolePolicy role/groundwork/a aws:ResourceTag/owner=x iam:PermissionsBoundary=arn:b iam:PolicyARN=arn:p";
        assert_eq!(told(&attach, &things), [expected]);
    }

    #[test]
    fn an_instance_profile_is_known_from_the_list() {
        let answer = "<r><member><InstanceProfileName>p</InstanceProfileName><Arn>arn:aws:iam::222222222222:instance-profile/eks/p</Arn></member></r>";
        let things = known(&[(form("iam", "Action=ListInstanceProfilesForRole&RoleName=a"), answer)]);
        let delete = form("iam", "Action=DeleteInstanceProfile&InstanceProfileName=p");
        assert_eq!(told(&delete, &things), ["iam:DeleteInstanceProfile instance-profile/eks/p"]);
    }
}
