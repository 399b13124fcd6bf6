//! EC2 checks every thing that a call makes or names, and tagging on creation as a separate action.
//!
//! Sources: Actions, resources, and condition keys for Amazon EC2 (service authorization reference); "Grant permission to tag Amazon EC2
//! resources during creation" (EC2 user guide), for `ec2:CreateTags` and `ec2:CreateAction`.

use super::tags::{self, Tags};
use super::things::Thing;
use super::{Authorization, Scene};
use crate::answer::Answer;
use crate::call::Call;
use crate::xml;
use xmltree::Element;

/// Call, the kind of thing that it makes, the fields with the things that it names; without calls that AWS checks only on `*`.
const ABOUT: &[(&str, Option<&str>, &[&str])] = &[
    ("AllocateAddress", Some("elastic-ip"), &[]),
    ("AssociateRouteTable", None, &["RouteTableId", "SubnetId"]),
    ("AttachInternetGateway", None, &["InternetGatewayId", "VpcId"]),
    ("CreateFlowLogs", Some("vpc-flow-log"), &["ResourceId"]),
    ("CreateInternetGateway", Some("internet-gateway"), &[]),
    ("CreateLaunchTemplate", Some("launch-template"), &[]),
    ("CreateNatGateway", Some("natgateway"), &["SubnetId", "AllocationId"]),
    ("CreateRoute", None, &["RouteTableId"]),
    ("CreateRouteTable", Some("route-table"), &["VpcId"]),
    ("CreateSubnet", Some("subnet"), &["VpcId"]),
    ("CreateVpc", Some("vpc"), &[]),
    ("CreateVpcEndpoint", Some("vpc-endpoint"), &["VpcId", "RouteTableId"]),
    ("DeleteFlowLogs", None, &["FlowLogId"]),
    ("DeleteInternetGateway", None, &["InternetGatewayId"]),
    ("DeleteLaunchTemplate", None, &["LaunchTemplateId"]),
    ("DeleteNatGateway", None, &["NatGatewayId"]),
    ("DeleteNetworkInterface", None, &["NetworkInterfaceId"]),
    ("DeleteRouteTable", None, &["RouteTableId"]),
    ("DeleteSecurityGroup", None, &["GroupId"]),
    ("DeleteSnapshot", None, &["SnapshotId"]),
    ("DeleteSubnet", None, &["SubnetId"]),
    ("DeleteVolume", None, &["VolumeId"]),
    ("DeleteVpc", None, &["VpcId"]),
    ("DeleteVpcEndpoints", None, &["VpcEndpointId"]),
    ("DescribeVpcAttribute", None, &["VpcId"]),
    ("DetachInternetGateway", None, &["InternetGatewayId", "VpcId"]),
    ("DisassociateRouteTable", None, &["AssociationId"]),
    ("ModifyVpcAttribute", None, &["VpcId"]),
    ("ReleaseAddress", None, &["AllocationId"]),
    ("ReplaceRoute", None, &["RouteTableId"]),
    ("RevokeSecurityGroupEgress", None, &["GroupId"]),
    ("RevokeSecurityGroupIngress", None, &["GroupId"]),
];

/// What is asked besides, of no resource: "IAM policy for IAM principals that publish flow logs to Amazon S3" (VPC user guide).
const BESIDES: &[(&str, &str)] = &[("CreateFlowLogs", "logs:CreateLogDelivery"), ("DeleteFlowLogs", "logs:DeleteLogDelivery")];

/// How ids of a kind begin, and the element that holds a thing's own id. Things name others too, so the order counts: what is named by
/// others comes after them.
const KINDS: &[(&str, &str, &str)] = &[
    ("vpc-flow-log", "fl-", "flowLogId"),
    ("natgateway", "nat-", "natGatewayId"),
    ("vpc-endpoint", "vpce-", "vpcEndpointId"),
    ("route-table", "rtb-", "routeTableId"),
    ("internet-gateway", "igw-", "internetGatewayId"),
    ("elastic-ip", "eipalloc-", "allocationId"),
    ("launch-template", "lt-", "launchTemplateId"),
    ("volume", "vol-", "volumeId"),
    ("snapshot", "snap-", "snapshotId"),
    ("instance", "i-", "instanceId"),
    ("network-interface", "eni-", "networkInterfaceId"),
    ("security-group", "sg-", "groupId"),
    ("subnet", "subnet-", "subnetId"),
    ("vpc", "vpc-", "vpcId"),
];

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    let call = scene.call;
    let Some((_, made, fields)) = ABOUT.iter().find(|(action, _, _)| *action == call.action) else {
        return vec![scene.own("*")];
    };
    let named = fields.iter().flat_map(|field| call.list(field)).flat_map(|id| names(scene, id));
    let besides = BESIDES.iter().filter(|(action, _)| *action == call.action).map(|(_, asked)| Authorization::new(*asked, "*"));
    made.iter().flat_map(|kind| make(scene, kind)).chain(named.map(|id| on(scene, &call.name(), id))).chain(besides).collect()
}

/// An association counts as its route table and its subnet.
fn names<'a>(scene: &Scene<'a>, id: &'a str) -> Vec<&'a str> {
    match scene.things.get(id) {
        Some(association) if !association.ties.is_empty() => association.ties.iter().map(String::as_str).collect(),
        _ => vec![id],
    }
}

/// What is made is named `*`; tagging it is checked too.
fn make(scene: &Scene<'_>, kind: &str) -> Vec<Authorization> {
    let call = scene.call;
    let tags = tags::specifications(call, "TagSpecification").remove(kind).unwrap_or_default();
    let new = scene.arn("ec2", format!("{kind}/*"));
    let own = scene.own(&new).requesting(&tags).with_given("ec2:VpceServiceName", call.field("ServiceName"));
    std::iter::once(own).chain(tag(&new, &tags, &call.action)).collect()
}

fn tag(new: &str, tags: &Tags, action: &str) -> Option<Authorization> {
    (!tags.is_empty()).then(|| Authorization::new("ec2:CreateTags", new).requesting(tags).with("ec2:CreateAction", action))
}

fn on(scene: &Scene<'_>, action: &str, id: &str) -> Authorization {
    let kind = KINDS.iter().find(|(_, start, _)| id.starts_with(start)).map_or("unknown", |(kind, _, _)| kind);
    let thing = scene.things.get(id);
    let vpc = thing.and_then(|thing| thing.vpc.as_ref()).filter(|_| within_a_vpc(kind));
    let vpc = vpc.map(|vpc| scene.arn("ec2", format!("vpc/{vpc}")));
    let service = thing.and_then(|thing| thing.service.as_deref());
    let asked = Authorization::new(action, arn(scene, kind, id)).tagged(thing);
    asked.with_given("ec2:Vpc", vpc.as_deref()).with_given("ec2:VpceServiceName", service)
}

/// Snapshots have no account in theirs.
fn arn(scene: &Scene<'_>, kind: &str, id: &str) -> String {
    match kind {
        "snapshot" => format!("arn:{}:ec2:{}::snapshot/{id}", scene.partition, scene.region),
        _ => scene.arn("ec2", format!("{kind}/{id}")),
    }
}

/// The kinds that have `ec2:Vpc` in the reference.
fn within_a_vpc(kind: &str) -> bool {
    matches!(kind, "route-table" | "network-interface" | "security-group" | "subnet")
}

/// What EKS tries with the caller's permissions before it makes a node group with a launch template.
///
/// Source: "Customize managed nodes with launch templates" (EKS user guide): the caller needs ec2:RunInstances and, for the template's
/// tags, ec2:CreateTags. It is not documented which security group it names, so it counts as one without tags.
pub fn trial_run<'a>(scene: &Scene<'_>, template: &str, subnets: impl Iterator<Item = &'a str>) -> Vec<Authorization> {
    let template_arn = scene.arn("ec2", format!("launch-template/{template}"));
    let launches = scene.things.get(template).map(|thing| &thing.launches);
    let tags = |kind: &str| launches.and_then(|launches| launches.get(kind)).cloned().unwrap_or_default();
    let mut asked = vec![
        Authorization::new("ec2:RunInstances", format!("arn:{}:ec2:{}::image/*", scene.partition, scene.region))
            .with("ec2:Owner", "amazon"),
        Authorization::new("ec2:RunInstances", scene.arn("ec2", "security-group/*")),
        on(scene, "ec2:RunInstances", template),
    ];
    asked.extend(subnets.map(|subnet| on(scene, "ec2:RunInstances", subnet)));
    for kind in ["instance", "volume", "network-interface"] {
        let new = scene.arn("ec2", format!("{kind}/*"));
        asked.push(Authorization::new("ec2:RunInstances", &new).requesting(&tags(kind)));
        asked.extend(tag(&new, &tags(kind), "RunInstances"));
    }
    let launched =
        |asked: Authorization| if asked.action == "ec2:RunInstances" { asked.with("ec2:LaunchTemplate", &template_arn) } else { asked };
    asked.into_iter().map(launched).collect()
}

/// What a create call says about the thing that it made, whether the answer repeats it or not.
pub fn made(call: &Call, answer: &Answer) -> Option<(String, Thing)> {
    let (_, kind, _) = ABOUT.iter().find(|(action, _, _)| *action == call.action)?;
    let (kind, _, element) = KINDS.iter().find(|(one, _, _)| Some(*one) == *kind)?;
    let tags = tags::specifications(call, "TagSpecification").remove(*kind).unwrap_or_default();
    let launches = tags::specifications(call, "LaunchTemplateData.TagSpecification");
    let [vpc, service] = ["VpcId", "ServiceName"].map(|name| call.field(name).map(str::to_owned));
    let thing = Thing { tags, launches, vpc, service, ..Thing::default() };
    Some((xml::text_of(answer, element)?.to_owned(), thing))
}

/// A thing with its tags, wherever it stands in an answer; or an association.
pub fn seen(element: &Element) -> Option<(String, Thing)> {
    let text = |name: &str| xml::child_text(element, name);
    if let Some(association) = text("routeTableAssociationId") {
        let ties = [text("routeTableId"), text("subnetId")].into_iter().flatten().collect();
        return Some((association, Thing { ties, ..Thing::default() }));
    }
    let tags = tags::elements(element.get_child("tagSet")?);
    // A snapshot names its volume, and a volume the snapshot that it was made from; only a snapshot has a progress.
    let snapshot = text("progress").and_then(|_| text("snapshotId"));
    let id = snapshot.or_else(|| KINDS.iter().find_map(|(_, _, own)| text(own)))?;
    Some((id, Thing { tags, vpc: text("vpcId"), service: text("serviceName"), ..Thing::default() }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{form, known, told};
    use crate::authorization::things::Things;

    const TAGS: &str = "&TagSpecification.1.Tag.1.Key=owner&TagSpecification.1.Tag.1.Value=x";

    #[test]
    fn a_create_is_checked_with_the_new_tags_and_those_of_what_it_names() {
        let vpc = form("ec2", &format!("Action=CreateVpc&TagSpecification.1.ResourceType=vpc{TAGS}"));
        let things = known(&[(vpc, "<r><vpc><vpcId>vpc-1</vpcId></vpc></r>")]);
        let subnet = form("ec2", &format!("Action=CreateSubnet&VpcId=vpc-1&TagSpecification.1.ResourceType=subnet{TAGS}"));
        assert_eq!(
            told(&subnet, &things),
            [
                "ec2:CreateSubnet subnet/* aws:RequestTag/owner=x aws:TagKeys=owner",
                "ec2:CreateTags subnet/* aws:RequestTag/owner=x aws:TagKeys=owner ec2:CreateAction=CreateSubnet",
                "ec2:CreateSubnet vpc/vpc-1 aws:ResourceTag/owner=x",
            ]
        );
    }

    #[test]
    fn a_flow_log_is_checked_with_its_vpc_and_its_delivery() {
        let vpc = form("ec2", &format!("Action=CreateVpc&TagSpecification.1.ResourceType=vpc{TAGS}"));
        let shown = "<r><flowLogSet><item><flowLogId>fl-1</flowLogId><tagSet><item><key>owner</key><value>x</value></item></tagSet></item></flowLogSet></r>";
        let things = known(&[(vpc, "<r><vpc><vpcId>vpc-1</vpcId></vpc></r>"), (form("ec2", "Action=DescribeFlowLogs"), shown)]);
        let made = form("ec2", &format!("Action=CreateFlowLogs&ResourceId.1=vpc-1&TagSpecification.1.ResourceType=vpc-flow-log{TAGS}"));
        assert_eq!(
            told(&made, &things),
            [
                "ec2:CreateFlowLogs vpc-flow-log/* aws:RequestTag/owner=x aws:TagKeys=owner",
                "ec2:CreateTags vpc-flow-log/* aws:RequestTag/owner=x aws:TagKeys=owner ec2:CreateAction=CreateFlowLogs",
                "ec2:CreateFlowLogs vpc/vpc-1 aws:ResourceTag/owner=x",
                "logs:CreateLogDelivery *",
            ]
        );
        let removed = form("ec2", "Action=DeleteFlowLogs&FlowLogId.1=fl-1");
        assert_eq!(told(&removed, &things), ["ec2:DeleteFlowLogs vpc-flow-log/fl-1 aws:ResourceTag/owner=x", "logs:DeleteLogDelivery *"]);
    }

    #[test]
    fn things_that_others_made_are_known_from_awss_answers() {
        let group = "<r><securityGroupInfo><item><groupId>sg-1</groupId><vpcId>vpc-1</vpcId>\
            <tagSet><item><key>owner</key><value>x</value></item></tagSet></item></securityGroupInfo></r>";
        let things = known(&[(form("ec2", "Action=DescribeSecurityGroups"), group)]);
        let expected =
            "ec2:DeleteSecurityGroup security-group/sg-1 aws:ResourceTag/owner=x ec2:Vpc=arn:aws:ec2:us-west-2:222222222222:vpc/vpc-1";
        assert_eq!(told(&form("ec2", "Action=DeleteSecurityGroup&GroupId=sg-1"), &things), [expected]);
    }

    #[test]
    fn an_endpoint_is_checked_with_its_service() {
        let endpoint = "<r><vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId><vpcId>vpc-1</vpcId>\
            <serviceName>com.amazonaws.us-west-2.s3</serviceName><tagSet/></item></vpcEndpointSet></r>";
        let things = known(&[(form("ec2", "Action=DescribeVpcEndpoints"), endpoint)]);
        let expected = "ec2:DeleteVpcEndpoints vpc-endpoint/vpce-1 ec2:VpceServiceName=com.amazonaws.us-west-2.s3";
        assert_eq!(told(&form("ec2", "Action=DeleteVpcEndpoints&VpcEndpointId.1=vpce-1"), &things), [expected]);
    }

    #[test]
    fn a_snapshot_and_its_volume_are_known_apart() {
        let tag = |value: &str| format!("<tagSet><item><key>owner</key><value>{value}</value></item></tagSet>");
        let ids = "<snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId>";
        let snapshots = format!("<r><item>{ids}<progress>100%</progress>{}</item></r>", tag("x"));
        let volumes = format!("<r><item>{ids}{}</item></r>", tag("y"));
        let things = known(&[
            (form("ec2", "Action=DescribeSnapshots"), snapshots.as_str()),
            (form("ec2", "Action=DescribeVolumes"), volumes.as_str()),
        ]);
        for (call, expected) in [
            ("Action=DeleteSnapshot&SnapshotId=snap-1", "ec2:DeleteSnapshot snapshot/snap-1 aws:ResourceTag/owner=x"),
            ("Action=DeleteVolume&VolumeId=vol-1", "ec2:DeleteVolume volume/vol-1 aws:ResourceTag/owner=y"),
        ] {
            assert_eq!(told(&form("ec2", call), &things), [expected]);
        }
    }

    #[test]
    fn an_association_is_checked_as_its_table_and_its_subnet() {
        let table = "<r><item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>rtb-1</routeTableId>\
            <subnetId>subnet-1</subnetId></item></r>";
        let things = known(&[(form("ec2", "Action=DescribeRouteTables"), table)]);
        let disassociate = form("ec2", "Action=DisassociateRouteTable&AssociationId=rtbassoc-1");
        assert_eq!(
            told(&disassociate, &things),
            ["ec2:DisassociateRouteTable route-table/rtb-1", "ec2:DisassociateRouteTable subnet/subnet-1"]
        );
    }

    #[test]
    fn describe_actions_are_checked_on_everything() {
        assert_eq!(told(&form("ec2", "Action=DescribeVpcs&Filter.1.Name=vpc-id"), &Things::default()), ["ec2:DescribeVpcs *"]);
    }
}
