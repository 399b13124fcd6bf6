//! An account has only as many things as its quotas allow.
//!
//! What is on its way up or down counts. What was made behind the cloud's back does not, except the VPC that AWS puts into every region.

use super::Rule;
use super::lifecycle;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::quotas::{
    ADDRESSES, BUCKETS, CLUSTERS, GATEWAY_ENDPOINTS, INTERNET_GATEWAYS, NAT_GATEWAYS, NODE_GROUPS, NODES, Quota, ROLES, VPCS,
};
use crate::usage::Owner;
use crate::world::World;
use crate::xml;

/// Something of which an account may have so many.
struct Counted {
    makes: &'static str,
    /// Empty for what takes time to go: see `World::bury`.
    removes: &'static str,
    quota: &'static Quota,
    status: u16,
    code: &'static str,
    /// `{}` stands for the quota.
    message: &'static str,
}

const fn counted(
    makes: &'static str,
    removes: &'static str,
    quota: &'static Quota,
    (status, code, message): (u16, &'static str, &'static str),
) -> Counted {
    Counted { makes, removes, quota, status, code, message }
}

/// Sources: terraform-aws-modules/terraform-aws-vpc#429 (VPCs and addresses), eksctl-io/eksctl#560 and openshift/hive#792 (NAT gateways),
/// eksctl-io/eksctl#3706 (internet gateways), pulumi/pulumi-eks#1311 (clusters; for node groups the same with their word, as for Fargate
/// profiles), opstrace/opstrace#1142 (buckets), serverless-nextjs/serverless-next.js#2234 (roles), "Error codes for the Amazon EC2 API".
const COUNTED: [Counted; 9] = [
    counted("ec2:CreateVpc", "ec2:DeleteVpc", &VPCS, (400, "VpcLimitExceeded", "The maximum number of VPCs has been reached.")),
    counted(
        "ec2:CreateInternetGateway",
        "ec2:DeleteInternetGateway",
        &INTERNET_GATEWAYS,
        (400, "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached."),
    ),
    counted(
        "ec2:AllocateAddress",
        "ec2:ReleaseAddress",
        &ADDRESSES,
        (400, "AddressLimitExceeded", "The maximum number of addresses has been reached."),
    ),
    counted(
        "ec2:CreateNatGateway",
        "",
        &NAT_GATEWAYS,
        (400, "NatGatewayLimitExceeded", "Performing this operation would exceed the limit of {} NAT gateways"),
    ),
    counted(
        "ec2:CreateVpcEndpoint",
        "ec2:DeleteVpcEndpoints",
        &GATEWAY_ENDPOINTS,
        (400, "VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached."),
    ),
    counted("eks:CreateCluster", "", &CLUSTERS, (400, "ResourceLimitExceededException", "Cluster limit exceeded for account.")),
    counted("eks:CreateNodegroup", "", &NODE_GROUPS, (400, "ResourceLimitExceededException", "Nodegroup limit exceeded for cluster.")),
    counted(
        "s3:CreateBucket",
        "s3:DeleteBucket",
        &BUCKETS,
        (400, "TooManyBuckets", "You have attempted to create more buckets than allowed"),
    ),
    counted("iam:CreateRole", "iam:DeleteRole", &ROLES, (409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: {}")),
];

pub struct Quotas;

impl Rule for Quotas {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        too_large(call, world).or_else(|| used_up(call, world)).map(|refusal| refusal.answer(&call.service))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if !answer.status().is_success() {
            return;
        }
        if let Some((counted, name)) = made(call).and_then(|counted| Some((counted, name_of_new(call, answer)?))) {
            let (owner, within) = (owner(counted.quota, call, world), within(call, world));
            world.usage.add(counted.quota, owner, within, name);
        }
        remove(call, world);
    }

    /// If it was not done after all, one too few is counted.
    fn unanswered(&mut self, call: &Call, world: &mut World) {
        remove(call, world);
    }
}

fn used_up(call: &Call, world: &World) -> Option<Refusal> {
    let Counted { quota, status, code, message, .. } = made(call)?;
    let (owner, limit) = (owner(quota, call, world), quota.of(world.account(&call.access_key)));
    // What is there already is refused for that, or answered as before.
    let is_there = given_name(call).is_some_and(|name| world.usage.has(quota, &owner.account, &name));
    let is_used_up = !is_there && world.usage.count(quota, &owner, &within(call, world)) >= limit;
    is_used_up.then(|| Refusal::new(*status, code, message.replace("{}", &limit.to_string())))
}

/// What has the quota within the region.
fn within(call: &Call, world: &World) -> String {
    match call.action.as_str() {
        "CreateNatGateway" => call.field("SubnetId").and_then(|subnet| world.network.zone(subnet)).unwrap_or_default().to_owned(),
        "CreateNodegroup" => call.path[..2].join("/"),
        _ => String::new(),
    }
}

/// An endpoint is a gateway if nothing else is said; a dry run makes nothing.
fn made(call: &Call) -> Option<&'static Counted> {
    let is_counted = call.field("VpcEndpointType").is_none_or(|kind| kind == "Gateway") && call.field("DryRun") != Some("true");
    COUNTED.iter().find(|counted| is_counted && counted.makes == call.name())
}

fn owner(quota: &Quota, call: &Call, world: &World) -> Owner {
    let region = if quota.is_global() { String::new() } else { call.region.clone() };
    Owner { account: world.number(&call.access_key).to_owned(), region }
}

/// The name of what the caller itself names.
fn given_name(call: &Call) -> Option<String> {
    match call.service.as_str() {
        "ec2" => None,
        "s3" => call.path.first().cloned(),
        "iam" => call.field("RoleName").map(str::to_owned),
        _ => lifecycle::name_of_new(call, &Answer::default()),
    }
}

fn name_of_new(call: &Call, answer: &Answer) -> Option<String> {
    let element = match call.action.as_str() {
        "CreateVpc" => "vpcId",
        "CreateInternetGateway" => "internetGatewayId",
        "AllocateAddress" => "allocationId",
        "CreateNatGateway" => "natGatewayId",
        "CreateVpcEndpoint" => "vpcEndpointId",
        _ => return given_name(call),
    };
    xml::text_of(answer, element).map(str::to_owned)
}

fn remove(call: &Call, world: &mut World) {
    if let Some(Counted { quota, .. }) = COUNTED.iter().find(|counted| counted.removes == call.name()) {
        let account = world.number(&call.access_key).to_owned();
        call.texts().into_iter().for_each(|name| world.usage.remove(quota, &account, name));
    }
}

/// EKS counts the nodes that a group may ever have. Its code and words for more are not known.
fn too_large(call: &Call, world: &World) -> Option<Refusal> {
    let most = NODES.of(world.account(&call.access_key));
    let wanted = ["minSize", "desiredSize", "maxSize"].iter().filter_map(|size| call.json["scalingConfig"][size].as_u64()).max()?;
    let message = format!("The maximum number of nodes of a node group is {most}.");
    (call.service == "eks" && wanted > u64::from(most)).then(|| Refusal::new(400, "InvalidParameterException", message))
}
