//! An AWS inside the process: winterbaume's services, mended so that they answer as AWS does.
//!
//! Each mend is a function that says what winterbaume lacks. Not here: how long AWS takes, what it refuses because something
//! depends on it, client tokens, and faults.

use crate::kms::Keys;
use crate::kubernetes;
use bytes::Bytes;
use engine::permissions::pods::POLICIES;
use furniture::memory::Memory;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio::sync::Mutex;
use winterbaume_cloudwatchlogs::CloudWatchLogsService;
use winterbaume_core::auth::{extract_region_from_headers, extract_service_from_headers};
use winterbaume_core::{
    DEFAULT_ACCOUNT_ID, MockRequest, MockResponse, MockService, StatefulService, extract_path, extract_query_string, parse_query_string,
    rest_json_error, xml_escape,
};
use winterbaume_ec2::Ec2Service;
use winterbaume_ec2::views::{CountersView, Ec2StateView, RouteTableAssociationView};
use winterbaume_eks::EksService;
use winterbaume_elasticloadbalancingv2::ElasticLoadBalancingV2Service;
use winterbaume_iam::IamService;
use winterbaume_iam::views::{IamStateView, ManagedPolicyView};
use winterbaume_s3::S3Service;
use wire::names::Names;

pub const ACCOUNT: &str = DEFAULT_ACCOUNT_ID;
/// The only region, because snapshots have no other.
pub const REGION: &str = "us-west-2";
/// Where winterbaume keeps what IAM holds for all regions.
const IAM_REGION: &str = "us-east-1";
/// At most this many things of a kind are made between two snapshots.
const ROOM: u32 = 0x1000;

const MANAGED_POLICIES: [&str; 6] = [
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
    "service-role/AmazonEBSCSIDriverPolicy",
    "CloudWatchAgentServerPolicy",
];

#[derive(Default)]
pub struct Aws {
    ec2: Ec2Service,
    eks: EksService,
    elbv2: ElasticLoadBalancingV2Service,
    iam: IamService,
    /// Of the only cluster.
    kubernetes: Memory,
    keys: Mutex<Keys>,
    logs: CloudWatchLogsService,
    s3: S3Service,
    /// Locked for a whole call, because a mend looks, asks and writes in several steps.
    asked: Mutex<Asked>,
}

/// What EKS was asked to make, by the path of what was made: `clusters/<name>/node-groups/<name>`.
type Asked = BTreeMap<String, Value>;
/// True if EC2 would refuse the request in this account.
type IsSo = fn(&Form, &Ec2StateView) -> bool;
/// The fields of EC2's, IAM's and ELB's requests.
type Form = HashMap<String, String>;

impl Aws {
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers one signed request of the SDK.
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request = read(request);
        let service = extract_service_from_headers(&request.headers).unwrap_or_default();
        let region = extract_region_from_headers(&request.headers).unwrap_or_default();
        // IAM is in no region, and sessions are opened in the operator's.
        assert!(region == REGION || service == "iam" || service == "sts", "{service} was asked in {region}");
        let mut asked = self.asked.lock().await;
        write(match service.as_str() {
            "ec2" => self.call_ec2(request).await,
            "eks" => self.call_eks(request, &mut asked).await,
            "elasticloadbalancing" => self.call_balancers(request).await,
            "iam" => self.call_iam(request).await,
            "kubernetes" => self.call_kubernetes(&request, &asked).await,
            "sts" => let_in(),
            "kms" => self.keys.lock().await.call(&request),
            "logs" => self.logs.handle(request).await,
            "s3" => self.call_s3(request).await,
            _ => MockResponse::error(501, "NotImplemented", &service),
        })
    }

    /// Everything that exists in the account, as JSON, in an order that does not depend on hashing: the views are maps, which serde_json
    /// sorts (without its feature `preserve_order`). Two equal accounts give equal values. What S3 objects contain is not in it, nor are
    /// unfinished uploads: winterbaume does not show them.
    pub async fn snapshot(&self) -> Value {
        let asked = self.asked.lock().await;
        let mut ec2 = self.see_ec2().await;
        let mut iam = self.iam.snapshot(ACCOUNT, IAM_REGION).await;
        let mut eks = self.eks.snapshot(ACCOUNT, REGION).await;
        leave_out_the_dead(&mut ec2);
        // AWS's, not the account's.
        iam.policies.retain(|arn, _| !is_managed(arn));
        iam.roles.retain(|_, role| !role.path.starts_with("/aws-service-role/"));
        // A second copy of the clusters' tags, which winterbaume keeps after the clusters.
        eks.resource_tags.clear();
        json!({
            "asked": *asked,
            "ec2": without_counters(ec2),
            "eks": value(eks),
            "elbv2": value(self.elbv2.snapshot(ACCOUNT, REGION).await),
            "iam": value(iam),
            "kms": value(&*self.keys.lock().await),
            "kubernetes": self.kubernetes.snapshot(),
            "logs": value(self.logs.snapshot(ACCOUNT, REGION).await),
            "s3": value(self.s3.snapshot(ACCOUNT, REGION).await),
        })
    }

    /// Restores a snapshot. New things get other ids than they would have had in the snapshot's `Aws`.
    pub async fn restore(&self, snapshot: &Value) {
        let mut asked = self.asked.lock().await;
        *asked = view(&snapshot["asked"]);
        let mut ec2: Ec2StateView = view(&snapshot["ec2"]);
        ec2.counters = fresh_counters(&snapshot["ec2"]);
        put(&self.ec2, REGION, ec2).await;
        put(&self.eks, REGION, view(&snapshot["eks"])).await;
        put(&self.elbv2, REGION, view(&snapshot["elbv2"])).await;
        put(&self.iam, IAM_REGION, view(&snapshot["iam"])).await;
        *self.keys.lock().await = view(&snapshot["kms"]);
        self.kubernetes.restore(&snapshot["kubernetes"]).expect("a snapshot");
        put(&self.logs, REGION, view(&snapshot["logs"])).await;
        put(&self.s3, REGION, view(&snapshot["s3"])).await;
    }
}

// EC2

impl Aws {
    async fn call_ec2(&self, mut request: MockRequest) -> MockResponse {
        let form = form(&request);
        let action = field(&form, "Action");
        if let Some((code, message)) = self.refused(action, &form).await {
            return ec2_error(code, message);
        }
        if action == "DescribeNatGateways" {
            ask_for_the_deleted(&mut request, &form);
        }
        let mut answer = self.ec2.handle(request.clone()).await;
        if is_success(&answer) {
            self.follow(action, &request, &mut answer).await;
        } else {
            correct_code(&mut answer);
        }
        answer
    }

    /// What EC2 refuses but winterbaume does, mostly a second time.
    async fn refused(&self, action: &str, form: &Form) -> Option<(&'static str, &'static str)> {
        let refusals: &[(IsSo, &str, &str)] = match action {
            "CreateSubnet" => &[(has_subnet, "InvalidSubnet.Conflict", "The CIDR conflicts with another subnet")],
            "CreateRoute" => &[(has_route, "RouteAlreadyExists", "The route exists.")],
            "CreateVpcEndpoint" => {
                &[(has_endpoint, "RouteAlreadyExists", "The route table has a route with that destination-prefix-list-id")]
            }
            "AssociateRouteTable" => &[(is_associated, "Resource.AlreadyAssociated", "It conflicts with an existing association")],
            "AttachInternetGateway" => &[
                (is_attached, "Resource.AlreadyAssociated", "The gateway is already attached to a network"),
                (has_way_out, "InvalidParameterValue", "The network already has an internet gateway attached"),
            ],
            "DetachInternetGateway" => &[(is_detached, "Gateway.NotAttached", "It is not attached.")],
            "DeleteSecurityGroup" => &[(is_default, "CannotDelete", "The default group cannot be deleted.")],
            // To see all that EC2 has takes longer than most calls.
            _ => return None,
        };
        let ec2 = self.see_ec2().await;
        refusals.iter().find(|(is_so, ..)| is_so(form, &ec2)).map(|(_, code, message)| (*code, *message))
    }

    async fn follow(&self, action: &str, request: &MockRequest, answer: &mut MockResponse) {
        match action {
            "CreateVpc" => self.furnish(request, answer).await,
            "DescribeNatGateways" => show_times(answer, &self.see_ec2().await),
            "DescribeNetworkInterfaces" => show_tags_and_groups(answer, &self.see_ec2().await),
            "DescribeVpcEndpoints" => show_tags(answer, &self.see_ec2().await),
            "DescribeFlowLogs" => show_tags_of_flow_logs(answer, &self.see_ec2().await),
            "AttachInternetGateway"
            | "DeleteNatGateway"
            | "DeleteSnapshot"
            | "DeleteSubnet"
            | "DeleteVolume"
            | "DeleteVpc"
            | "DetachInternetGateway"
            | "ReplaceRoute" => {
                self.change_ec2(settle).await;
            }
            _ => {}
        }
    }

    async fn see_ec2(&self) -> Ec2StateView {
        self.ec2.snapshot(ACCOUNT, REGION).await
    }

    async fn change_ec2(&self, change: impl FnOnce(&mut Ec2StateView)) {
        let mut ec2 = self.see_ec2().await;
        change(&mut ec2);
        put(&self.ec2, REGION, ec2).await;
    }

    /// EC2 gives every VPC a default security group and a main route table; winterbaume gives it only a network ACL.
    async fn furnish(&self, request: &MockRequest, created: &MockResponse) {
        let vpc = text_of(created, "vpcId");
        let ask = |fields: &str| MockRequest { body: format!("{fields}&VpcId={vpc}").into(), ..request.clone() };
        self.ec2.handle(ask("Action=CreateSecurityGroup&GroupName=default&GroupDescription=default")).await;
        let table = text_of(&self.ec2.handle(ask("Action=CreateRouteTable")).await, "routeTableId");
        self.change_ec2(|ec2| make_main(ec2, &table)).await;
    }
}

fn make_main(ec2: &mut Ec2StateView, table: &str) {
    ec2.counters.rtbassoc += 1;
    let association_id = format!("rtbassoc-{:08x}", ec2.counters.rtbassoc);
    let association =
        RouteTableAssociationView { association_id, subnet_id: None, gateway_id: None, main: true, state: "associated".into() };
    ec2.route_tables.get_mut(table).expect("it was just made").associations.push(association);
}

/// Any overlap is a conflict; our subnets overlap only if they are equal.
fn has_subnet(form: &Form, ec2: &Ec2StateView) -> bool {
    ec2.subnets.values().any(|other| other.vpc_id == field(form, "VpcId") && other.cidr_block == field(form, "CidrBlock"))
}

fn has_route(form: &Form, ec2: &Ec2StateView) -> bool {
    let mut routes = ec2.route_tables.get(field(form, "RouteTableId")).into_iter().flat_map(|table| &table.routes);
    routes.any(|route| route.destination_cidr_block.as_deref() == Some(field(form, "DestinationCidrBlock")))
}

fn is_associated(form: &Form, ec2: &Ec2StateView) -> bool {
    let mut associations = ec2.route_tables.values().flat_map(|table| &table.associations);
    associations.any(|association| association.subnet_id.as_deref() == Some(field(form, "SubnetId")))
}

fn is_attached(form: &Form, ec2: &Ec2StateView) -> bool {
    ec2.igws.get(field(form, "InternetGatewayId")).is_some_and(|gateway| !gateway.attachments.is_empty())
}

fn has_way_out(form: &Form, ec2: &Ec2StateView) -> bool {
    let mut attached = ec2.igws.values().flat_map(|gateway| &gateway.attachments);
    attached.any(|attachment| attachment.vpc_id == field(form, "VpcId"))
}

/// One gateway endpoint of a service for each route table.
fn has_endpoint(form: &Form, ec2: &Ec2StateView) -> bool {
    let asked: Vec<&String> = form.iter().filter(|(name, _)| name.starts_with("RouteTableId.")).map(|(_, id)| id).collect();
    let alike = ec2.vpc_endpoints.values().filter(|other| other.service_name == field(form, "ServiceName"));
    alike.flat_map(|other| &other.route_table_ids).any(|id| asked.contains(&id))
}

fn is_detached(form: &Form, ec2: &Ec2StateView) -> bool {
    let gateway = ec2.igws.get(field(form, "InternetGatewayId"));
    gateway.is_some_and(|gateway| gateway.attachments.iter().all(|attachment| attachment.vpc_id != field(form, "VpcId")))
}

fn is_default(form: &Form, ec2: &Ec2StateView) -> bool {
    ec2.security_groups.get(field(form, "GroupId")).is_some_and(|group| group.group_name == "default")
}

fn ec2_error(code: &str, message: &str) -> MockResponse {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    MockResponse::xml(400, format!("<Response><Errors>{error}</Errors></Response>"))
}

/// winterbaume's names for these two differ from EC2's.
fn correct_code(answer: &mut MockResponse) {
    rewrite(answer, |text| {
        text.replace("<Code>InvalidNatGatewayID.NotFound<", "<Code>NatGatewayNotFound<")
            .replace("<Code>InvalidVolumeID.NotFound<", "<Code>InvalidVolume.NotFound<")
    });
}

/// EC2 also lists deleted NAT gateways, for an hour; winterbaume lists them only if asked by state.
fn ask_for_the_deleted(request: &mut MockRequest, form: &Form) {
    let next = 1 + form.keys().filter(|name| name.starts_with("Filter.") && name.ends_with(".Name")).count();
    let state = format!("Filter.{next}.Name=state&Filter.{next}.Value.1=available&Filter.{next}.Value.2=deleted");
    request.body = format!("{}&{state}", text(&request.body)).into();
}

/// winterbaume keeps no creation times, by which the newest is known. Any times in the order of creation will do.
fn show_times(answer: &mut MockResponse, ec2: &Ec2StateView) {
    for id in ec2.nat_gateways.keys() {
        let time = Timestamp::from_second(number(id).unwrap_or_default().into()).expect("32 bits are within all time");
        add(answer, "natGatewayId", id, &format!("<createTime>{time}</createTime>"));
    }
}

/// winterbaume lists network interfaces without their tags and groups.
fn show_tags_and_groups(answer: &mut MockResponse, ec2: &Ec2StateView) {
    for (id, interface) in &ec2.network_interfaces {
        add(answer, "networkInterfaceId", id, &(tag_set(&interface.tags) + &group_set(&interface.security_groups)));
    }
}

/// winterbaume lists VPC endpoints without their tags.
fn show_tags(answer: &mut MockResponse, ec2: &Ec2StateView) {
    for (id, endpoint) in &ec2.vpc_endpoints {
        add(answer, "vpcEndpointId", id, &tag_set(&endpoint.tags));
    }
}

/// And flow logs, whatever the filters.
fn show_tags_of_flow_logs(answer: &mut MockResponse, ec2: &Ec2StateView) {
    for (id, log) in &ec2.flow_logs {
        add(answer, "flowLogId", id, &tag_set(&log.tags));
    }
}

/// Adds elements to the thing of that id.
fn add(answer: &mut MockResponse, element: &str, id: &str, elements: &str) {
    let named = format!("<{element}>{id}</{element}>");
    rewrite(answer, |text| text.replace(&named, &format!("{named}{elements}")));
}

fn tag_set(tags: &HashMap<String, String>) -> String {
    let item =
        |(key, value): (&String, &String)| format!("<item><key>{}</key><value>{}</value></item>", xml_escape(key), xml_escape(value));
    format!("<tagSet>{}</tagSet>", tags.iter().map(item).collect::<String>())
}

fn group_set(groups: &[String]) -> String {
    format!("<groupSet>{}</groupSet>", groups.iter().map(|id| format!("<item><groupId>{id}</groupId></item>")).collect::<String>())
}

/// What EC2 does by itself when something is gone, and winterbaume does not.
fn settle(ec2: &mut Ec2StateView) {
    drop_parts_of_gone_vpcs(ec2);
    drop_associations_of_gone_subnets(ec2);
    darken_routes(ec2);
    // EC2 uses the recycle bin only if a rule asks for it.
    ec2.deleted_volumes_recycle_bin.clear();
    ec2.deleted_snapshots_recycle_bin.clear();
}

/// What EC2 made with a VPC goes with it. Nothing else does, so that a test sees what was left inside.
fn drop_parts_of_gone_vpcs(ec2: &mut Ec2StateView) {
    let there = |vpc: &String| ec2.vpcs.contains_key(vpc);
    ec2.network_acls.retain(|_, acl| !acl.is_default || there(&acl.vpc_id));
    ec2.security_groups.retain(|_, group| group.group_name != "default" || there(&group.vpc_id));
    ec2.route_tables.retain(|_, table| !table.associations.iter().any(|association| association.main) || there(&table.vpc_id));
}

fn drop_associations_of_gone_subnets(ec2: &mut Ec2StateView) {
    let there = |subnet: &String| ec2.subnets.contains_key(subnet);
    for acl in ec2.network_acls.values_mut() {
        acl.associations.retain(|association| there(&association.subnet_id));
    }
    for table in ec2.route_tables.values_mut() {
        table.associations.retain(|association| association.subnet_id.as_ref().is_none_or(there));
    }
}

/// A route whose gateway is gone stays, as a black hole, until it is replaced.
fn darken_routes(ec2: &mut Ec2StateView) {
    let gateways = ec2.nat_gateways.iter().filter(|(_, gateway)| gateway.state != "deleted").map(|(id, _)| id);
    let attached = ec2.igws.iter().filter(|(_, gateway)| !gateway.attachments.is_empty()).map(|(id, _)| id);
    let live: HashSet<&String> = gateways.chain(attached).collect();
    for route in ec2.route_tables.values_mut().flat_map(|table| &mut table.routes) {
        let is_dead = |id: &String| (id.starts_with("nat-") || id.starts_with("igw-")) && !live.contains(id);
        route.state = if route.gateway_id.as_ref().is_some_and(is_dead) { "blackhole" } else { "active" }.into();
    }
}

/// EC2 lists deleted NAT gateways and terminated instances for an hour; once their VPC is gone, that cannot matter.
fn leave_out_the_dead(ec2: &mut Ec2StateView) {
    let there = |vpc: &String| ec2.vpcs.contains_key(vpc);
    ec2.nat_gateways.retain(|_, gateway| gateway.state != "deleted" || there(&gateway.vpc_id));
    ec2.instances.retain(|_, instance| instance.state.name != "terminated" || instance.vpc_id.as_ref().is_some_and(there));
}

/// winterbaume numbers what it makes. Without the counters, an account that is empty again equals one that always was.
fn without_counters(ec2: Ec2StateView) -> Value {
    let mut ec2 = value(ec2);
    ec2.as_object_mut().expect("a view is an object").remove("counters");
    ec2
}

/// Beyond every number in use or used before, so that no id is used twice.
fn fresh_counters(ec2: &Value) -> CountersView {
    let kinds = ec2.as_object().expect("a view is an object").values();
    let numbers = kinds.filter_map(Value::as_object).flat_map(Map::keys).filter_map(|id| number(id));
    let next = (numbers.max().unwrap_or_default() / ROOM + 1) * ROOM;
    let mut counters = value(CountersView::default());
    counters.as_object_mut().expect("a view is an object").values_mut().for_each(|counter| *counter = next.into());
    view(&counters)
}

/// The number in an id of winterbaume's: `vpc-0000000a`.
fn number(id: &str) -> Option<u32> {
    u32::from_str_radix(id.rsplit_once('-')?.1, 16).ok()
}

// EKS

impl Aws {
    async fn call_eks(&self, request: MockRequest, asked: &mut Asked) -> MockResponse {
        let path = extract_path(&request.uri).trim_matches('/').to_owned();
        let query = parse_query_string(extract_query_string(&request.uri));
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let method = request.method.clone();
        let parts: Vec<&str> = path.split('/').collect();
        let place = (method.as_str(), parts.as_slice());
        if let ("POST", ["clusters", cluster, "pod-identity-associations"]) = place
            && self.is_associated(cluster, &body).await
        {
            return rest_json_error(409, "ResourceInUseException", "Association already exists: a-1");
        }
        let mut answer = self.eks.handle(request).await;
        if !is_success(&answer) {
            return answer;
        }
        match place {
            ("POST", ["clusters"]) => {
                let made = format!("{path}/{}", string(&body, "name"));
                keep(&made, with_authority(body), asked, &mut answer);
            }
            ("POST", [.., "node-groups"]) => keep(&format!("{path}/{}", string(&body, "nodegroupName")), body, asked, &mut answer),
            ("GET", ["clusters", _] | ["clusters", _, "node-groups", _]) => show_asked(&path, asked, &mut answer),
            ("GET", [.., "pod-identity-associations"]) => narrow(&query, &mut answer),
            // winterbaume keeps the ranges as they were.
            ("POST", ["clusters", _, "update-config"]) => self.change_network(parts[1], &body, asked),
            ("DELETE", ["clusters", _]) => {
                self.kubernetes.restore(&Memory::default().snapshot()).expect("an empty one");
                asked.retain(|other, _| *other != path && !other.starts_with(&format!("{path}/")));
            }
            ("DELETE", _) => asked.retain(|other, _| *other != path && !other.starts_with(&format!("{path}/"))),
            _ => {}
        }
        answer
    }

    fn change_network(&self, cluster: &str, body: &Value, asked: &mut Asked) {
        let network = body["resourcesVpcConfig"].as_object().cloned().unwrap_or_default();
        if let Some(made) = asked.get_mut(&format!("clusters/{cluster}")).and_then(|made| made["resourcesVpcConfig"].as_object_mut()) {
            made.extend(network);
        }
    }

    async fn call_kubernetes(&self, request: &MockRequest, asked: &Asked) -> MockResponse {
        let clusters = self.eks.snapshot(ACCOUNT, REGION).await.clusters;
        let Some((name, cluster)) = clusters.iter().next() else { return MockResponse::error(404, "NotFound", "no cluster") };
        let made = asked.get(&format!("clusters/{name}")).cloned().unwrap_or_default();
        let (method, uri) = (request.method.parse().expect("a method"), request.uri.parse().expect("a URI"));
        let (code, body) = kubernetes::answer(&self.kubernetes, &made, &value(cluster), &method, &uri, &request.body);
        MockResponse::json(code, body.to_string())
    }

    /// EKS allows a service account one association; winterbaume any number.
    async fn is_associated(&self, cluster: &str, body: &Value) -> bool {
        let clusters = self.eks.snapshot(ACCOUNT, REGION).await.clusters;
        let mut associations = clusters.get(cluster).into_iter().flat_map(|cluster| cluster.pod_identity_associations.values());
        associations.any(|other| body["namespace"] == other.namespace && body["serviceAccount"] == other.service_account)
    }
}

/// winterbaume gives a cluster no certificate authority.
fn with_authority(mut cluster: Value) -> Value {
    cluster["certificateAuthority"] = json!({"data": "Y2E="});
    cluster
}

/// winterbaume forgets most of a cluster's or node group's input: the network, a node group's tags. EKS shows all of it.
fn keep(made: &str, body: Value, asked: &mut Asked, answer: &mut MockResponse) {
    asked.insert(made.to_owned(), body);
    show_asked(made, asked, answer);
}

/// A request's fields have the same names as the answer's, which has one more level around them.
fn show_asked(made: &str, asked: &Asked, answer: &mut MockResponse) {
    let Some(Value::Object(fields)) = asked.get(made) else { return };
    rewrite_json(answer, |answer| {
        for thing in answer.as_object_mut().into_iter().flat_map(Map::values_mut) {
            for (name, value) in fields {
                if is_empty(&thing[name]) {
                    thing[name] = value.clone();
                }
            }
        }
    });
}

/// winterbaume lists the associations of all service accounts, whichever it is asked for.
fn narrow(query: &Form, answer: &mut MockResponse) {
    let wanted = |association: &Value| {
        ["namespace", "serviceAccount"].iter().all(|name| query.get(*name).is_none_or(|wanted| association[name] == **wanted))
    };
    rewrite_json(answer, |answer| {
        if let Some(associations) = answer["associations"].as_array_mut() {
            associations.retain(wanted);
        }
    });
}

// STS

/// Everybody is whom they want to be; whether IAM allows it is for the policy proof.
fn let_in() -> MockResponse {
    let credentials = "<AccessKeyId>ASIAHAND</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
                       <Expiration>2100-01-01T00:00:00Z</Expiration>";
    let result = format!("<AssumeRoleResult><Credentials>{credentials}</Credentials></AssumeRoleResult>");
    MockResponse::xml(200, format!("<AssumeRoleResponse>{result}</AssumeRoleResponse>"))
}

// IAM

impl Aws {
    async fn call_iam(&self, request: MockRequest) -> MockResponse {
        let form = form(&request);
        let action = field(&form, "Action");
        match action {
            "AttachRolePolicy" => self.have_managed_policies().await,
            "ListInstanceProfilesForRole" => {
                if let Some(refusal) = self.missing_role(&request).await {
                    return refusal;
                }
            }
            _ => {}
        }
        let mut answer = self.iam.handle(request.clone()).await;
        if action == "GetRole" && is_success(&answer) {
            self.show_role_tags(&request, &mut answer).await;
        }
        answer
    }

    /// AWS's own policies exist in every account, and the quick-start's in every customer's; in winterbaume only after somebody has made them.
    async fn have_managed_policies(&self) {
        let there = self.iam.snapshot(ACCOUNT, IAM_REGION).await.policies;
        let names = Names { partition: "aws", account: ACCOUNT, role: "groundwork" };
        let aws = MANAGED_POLICIES.map(|path| format!("arn:aws:iam::aws:policy/{path}"));
        let policies = aws.into_iter().chain(POLICIES.iter().map(|pods| pods.arn(&names))).map(managed_policy);
        let policies = policies.filter(|policy| !there.contains_key(&policy.arn));
        let policies = policies.map(|policy| (policy.arn.clone(), policy)).collect();
        let missing = IamStateView { policies, ..IamStateView::default() };
        self.iam.merge(ACCOUNT, IAM_REGION, missing).await.expect("the view is valid");
    }

    /// winterbaume lists no instance profiles for a role that does not exist, instead of refusing.
    async fn missing_role(&self, request: &MockRequest) -> Option<MockResponse> {
        let answer = self.iam.handle(with_action(request, "GetRole")).await;
        (!is_success(&answer)).then_some(answer)
    }

    /// winterbaume's GetRole answers without the tags.
    async fn show_role_tags(&self, request: &MockRequest, answer: &mut MockResponse) {
        let listed = self.iam.handle(with_action(request, "ListRoleTags")).await;
        let tags = between(text(&listed.body), "<Tags>", "</Tags>").unwrap_or_default().to_owned();
        rewrite(answer, |text| text.replace("</Role>", &format!("<Tags>{tags}</Tags></Role>")));
    }
}

fn is_managed(arn: &str) -> bool {
    arn.starts_with("arn:aws:iam::aws:policy/") || arn.contains(":policy/groundwork/")
}

fn managed_policy(arn: String) -> ManagedPolicyView {
    let path = arn.split_once(":policy/").map_or("", |(_, path)| path);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    ManagedPolicyView {
        policy_name: name.into(),
        policy_id: format!("ANPA{}", name.to_uppercase()),
        path: format!("/{folder}"),
        arn,
        default_version_id: "v1".into(),
        description: String::new(),
        create_date: None,
        update_date: None,
        is_attachable: true,
        document: "{}".into(),
        versions: vec![],
        tags: HashMap::new(),
        attachment_count: 0,
    }
}

fn with_action(request: &MockRequest, action: &str) -> MockRequest {
    let own = format!("Action={}", field(&form(request), "Action"));
    MockRequest { body: text(&request.body).replace(&own, &format!("Action={action}")).into(), ..request.clone() }
}

// S3

impl Aws {
    async fn call_s3(&self, request: MockRequest) -> MockResponse {
        let mut answer = self.s3.handle(request.clone()).await;
        if is_success(&answer) {
            self.keep_bucket_tags(&request).await;
            if request.uri.contains("?location") {
                unwrap_location(&mut answer);
            }
        }
        answer
    }

    /// winterbaume forgets the tags of CreateBucket; S3 keeps them.
    async fn keep_bucket_tags(&self, request: &MockRequest) {
        let Some(configuration) = between(text(&request.body), "<CreateBucketConfiguration", "</CreateBucketConfiguration>") else {
            return;
        };
        let Some(tags) = between(configuration, "<Tags>", "</Tags>") else { return };
        let bucket = request.uri.split('?').next().unwrap_or_default();
        let body = format!("<Tagging><TagSet>{tags}</TagSet></Tagging>").into();
        self.s3.handle(MockRequest { uri: format!("{bucket}?tagging"), body, ..request.clone() }).await;
    }
}

/// winterbaume answers GetBucketLocation with an element inside an element of the same name.
fn unwrap_location(answer: &mut MockResponse) {
    let region = between(text(&answer.body), "<LocationConstraint><LocationConstraint>", "<").unwrap_or_default();
    answer.body = format!("<LocationConstraint>{region}</LocationConstraint>").into();
}

// Elastic Load Balancing

impl Aws {
    async fn call_balancers(&self, request: MockRequest) -> MockResponse {
        let form = form(&request);
        let answer = self.elbv2.handle(request).await;
        if is_success(&answer) {
            match field(&form, "Action") {
                "CreateLoadBalancer" => self.place(&form, &text_of(&answer, "LoadBalancerArn")).await,
                "CreateTargetGroup" => self.place(&form, &text_of(&answer, "TargetGroupArn")).await,
                _ => {}
            }
        }
        answer
    }

    /// winterbaume puts every load balancer into the same nonexistent VPC, and forgets its tags.
    async fn place(&self, form: &Form, arn: &str) {
        let vpc = self.vpc_of_subnets(form).await;
        let mut elbv2 = self.elbv2.snapshot(ACCOUNT, REGION).await;
        elbv2.resource_tags.insert(arn.to_owned(), tags(form));
        if let (Some(balancer), Some(vpc)) = (elbv2.load_balancers.get_mut(arn), vpc) {
            balancer.vpc_id = vpc;
            balancer.subnets = members(form, "Subnets").collect();
            balancer.security_groups = members(form, "SecurityGroups").collect();
        }
        put(&self.elbv2, REGION, elbv2).await;
    }

    async fn vpc_of_subnets(&self, form: &Form) -> Option<String> {
        let subnet = members(form, "Subnets").next()?;
        Some(self.see_ec2().await.subnets.get(&subnet)?.vpc_id.clone())
    }
}

fn members(form: &Form, name: &str) -> impl Iterator<Item = String> {
    (1..).map_while(move |index| form.get(&format!("{name}.member.{index}")).cloned())
}

fn tags(form: &Form) -> HashMap<String, String> {
    let tag = |index: usize| {
        let part = |part: &str| form.get(&format!("Tags.member.{index}.{part}")).cloned();
        Some((part("Key")?, part("Value").unwrap_or_default()))
    };
    (1..).map_while(tag).collect()
}

// Requests, answers and views

fn read(request: Request<Bytes>) -> MockRequest {
    let (parts, body) = request.into_parts();
    MockRequest { method: parts.method.to_string(), uri: parts.uri.to_string(), headers: parts.headers, body }
}

fn write(answer: MockResponse) -> Response<Bytes> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("a status of HTTP");
    *response.headers_mut() = answer.headers;
    response
}

fn form(request: &MockRequest) -> Form {
    parse_query_string(text(&request.body))
}

fn field<'a>(form: &'a Form, name: &str) -> &'a str {
    form.get(name).map(String::as_str).unwrap_or_default()
}

fn string<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || *value == json!([]) || *value == json!({})
}

fn is_success(answer: &MockResponse) -> bool {
    answer.status / 100 == 2
}

fn text(body: &Bytes) -> &str {
    std::str::from_utf8(body).unwrap_or_default()
}

/// The text of the first element of that name.
fn text_of(answer: &MockResponse, element: &str) -> String {
    between(text(&answer.body), &format!("<{element}>"), "<").unwrap_or_default().to_owned()
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    Some(text.split_once(open)?.1.split_once(close)?.0)
}

fn rewrite(answer: &mut MockResponse, change: impl FnOnce(&str) -> String) {
    answer.body = change(text(&answer.body)).into();
}

fn rewrite_json(answer: &mut MockResponse, change: impl FnOnce(&mut Value)) {
    let mut body: Value = serde_json::from_slice(&answer.body).expect("EKS speaks JSON");
    change(&mut body);
    answer.body = body.to_string().into();
}

fn value(view: impl Serialize) -> Value {
    serde_json::to_value(view).expect("a view is made to be written")
}

fn view<V: DeserializeOwned>(value: &Value) -> V {
    V::deserialize(value).expect("a part of a snapshot")
}

async fn put<S: StatefulService>(service: &S, region: &str, view: S::StateView) {
    service.restore(ACCOUNT, region, view).await.expect("the view is valid");
}
