//! The network, load balancers.

use crate::scene::{QUICK_START, Scene, TEMPLATE, doom, goes_in_spite_of, passes_by_itself, reads, refuse, runs_in_spite_of, times};
use aws_sdk_ec2::types::{IpPermission, NetworkInterface, NetworkInterfaceType, ResourceType, Tag, TagSpecification, UserIdGroupPair};
use matrix::neighbour;
use wire::error::Class;
use wire::key::{Key, Side};

/// C, W: Interfaces that the network plugin left hold subnets and groups.
#[tokio::test(start_paused = true)]
async fn row_43_leftover_interfaces_go_before_the_subnets_that_they_hold() {
    let scene = Scene::running().await;
    neighbour::leave_behind(&scene).await;
    let held = |call, message| times(3, refuse(call, 400, "DependencyViolation", message));
    scene.set(vec![
        held("ec2:DeleteSubnet", "The subnet 'subnet-1' has dependencies and cannot be deleted."),
        held("ec2:DeleteSecurityGroup", "resource sg-1 has a dependent object"),
        held("ec2:DeleteVpc", "The vpc 'vpc-1' has dependencies and cannot be deleted."),
    ]);
    scene.goes().await;
    assert!(scene.last("ec2:DeleteNetworkInterface") < scene.first("ec2:DeleteSubnet"));
}

/// C, W: Kubernetes' load balancers hold addresses and interfaces.
#[tokio::test(start_paused = true)]
async fn row_44_load_balancers_go_before_the_gateway_whose_addresses_they_hold() {
    let scene = Scene::running().await;
    neighbour::leave_behind(&scene).await;
    let message = "Network vpc-1 has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.";
    scene.set(vec![times(20, refuse("ec2:DetachInternetGateway", 400, "DependencyViolation", message))]);
    scene.goes().await;
    assert!(scene.last("elasticloadbalancing:DeleteLoadBalancer") < scene.first("ec2:DetachInternetGateway"));
}

/// C: Load balancers' security groups refer to each other.
#[tokio::test(start_paused = true)]
async fn row_45_rules_that_name_a_group_go_before_it() {
    let scene = Scene::running().await;
    let ec2 = scene.clients().ec2;
    let vpc = ec2.describe_vpcs().send().await.expect("a VPC").vpcs.and_then(|vpcs| vpcs.into_iter().find_map(|vpc| vpc.vpc_id));
    let mut groups = vec![];
    for name in ["k8s-elb-a", "k8s-elb-b"] {
        let group = ec2.create_security_group().set_vpc_id(vpc.clone()).group_name(name).description("a load balancer's");
        let tag = Tag::builder().key("elbv2.k8s.aws/cluster").value(scene.cluster.eks_name()).build();
        let group = group.tag_specifications(TagSpecification::builder().resource_type(ResourceType::SecurityGroup).tags(tag).build());
        groups.push(group.send().await.expect("a group").group_id.expect("its id"));
    }
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    for (group, other) in [(&groups[0], &groups[1]), (&groups[1], &groups[0])] {
        let pair = UserIdGroupPair::builder().group_id(other).build();
        let rule = IpPermission::builder().ip_protocol("tcp").from_port(1).to_port(2).user_id_group_pairs(pair).build();
        ec2.authorize_security_group_ingress().group_id(group).ip_permissions(rule).send().await.expect("a rule");
    }
    scene.goes().await;
    assert!(scene.last("ec2:RevokeSecurityGroupIngress") < scene.first("ec2:DeleteSecurityGroup"));
}

fn raise(code: &str, name: &str, service: &str, room: &str) -> String {
    format!(
        "Raise the quota {code} ({name}) at https://console.aws.amazon.com/servicequotas/home/services/{service}/quotas/{code} in the cluster's \
         region or {room}, then retry."
    )
}

/// F: A quota is used up.
#[tokio::test(start_paused = true)]
async fn row_50_a_used_up_quota_is_named_by_its_code() {
    let vpcs = raise("L-F678F1CE", "VPCs per Region", "vpc", "delete a VPC");
    let gateways = raise("L-A4707A72", "Internet gateways per Region", "vpc", "delete an internet gateway");
    let nats = raise("L-FE5A380F", "NAT gateways per Availability Zone", "vpc", "delete a NAT gateway in the zone");
    let addresses = raise("L-0263D0A3", "EC2-VPC Elastic IPs", "ec2", "release an address");
    let endpoints = raise("L-1B52E74A", "Gateway VPC endpoints per Region", "vpc", "delete a gateway endpoint");
    for (quota, call, code, message, hint) in [
        ("L-F678F1CE", "ec2:CreateVpc", "VpcLimitExceeded", "The maximum number of VPCs has been reached.", &vpcs),
        (
            "L-A4707A72",
            "ec2:CreateInternetGateway",
            "InternetGatewayLimitExceeded",
            "The maximum number of internet gateways has been reached.",
            &gateways,
        ),
        (
            "L-FE5A380F",
            "ec2:CreateNatGateway",
            "NatGatewayLimitExceeded",
            "Performing this operation would exceed the limit of 0 NAT gateways",
            &nats,
        ),
        ("L-0263D0A3", "ec2:AllocateAddress", "AddressLimitExceeded", "The maximum number of addresses has been reached.", &addresses),
        (
            "L-1B52E74A",
            "ec2:CreateVpcEndpoint",
            "VpcEndpointLimitExceeded",
            "The maximum number of VPC endpoints has been reached.",
            &endpoints,
        ),
    ] {
        let scene = Scene::new().await;
        scene.grant(&[(quota, 0)]);
        reads(&scene.parks().await, Class::Customer, &format!("AWS refused {call}: {code}: {message}"), hint);
        scene.grant(&[]);
        scene.runs().await;
        scene.goes().await;
    }

    for (quota, name, service, region, room) in [
        ("L-DC2B2D3D", "General purpose buckets", "s3", "us-east-1", "delete a bucket"),
        ("L-1194D53C", "Clusters", "eks", "the cluster's region", "delete a cluster"),
        ("L-6D54EA21", "Managed node groups per cluster", "eks", "the cluster's region", "delete a node group"),
        ("L-FE177D64", "Roles per account", "iam", "us-east-1", "delete a role"),
    ] {
        let scene = Scene::new().await;
        scene.grant(&[(quota, 0)]);
        let hint = raise(quota, name, service, room).replace("the cluster's region", region);
        let parked = scene.parks().await;
        assert_eq!((parked.class, parked.hint), (Class::Customer, hint));
        scene.grant(&[]);
        scene.runs().await;
        scene.goes().await;
    }

    // A new account may have five VPCs, of which AWS has made one.
    let mut scene = Scene::new().await;
    for _ in 0..4 {
        scene.clients().ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.expect("a VPC");
    }
    scene.begin_here().await;
    assert_eq!(scene.parks().await.hint, vpcs);
    scene.goes().await;
}

/// R: EC2 does not know an id that it has just given.
#[tokio::test(start_paused = true)]
async fn row_51_calls_with_ids_that_ec2_does_not_know_yet_are_tried_again() {
    let unseen = |(call, code)| times(3, refuse(call, 400, code, "The ID does not exist"));
    let up = [
        ("ec2:ModifyVpcAttribute", "InvalidVpcID.NotFound"),
        ("ec2:CreateSubnet", "InvalidVpcID.NotFound"),
        ("ec2:AttachInternetGateway", "InvalidInternetGatewayID.NotFound"),
        ("ec2:CreateNatGateway", "InvalidAllocationID.NotFound"),
        ("ec2:AssociateRouteTable", "InvalidRouteTableID.NotFound"),
        ("ec2:CreateRoute", "InvalidNatGatewayID.NotFound"),
        ("ec2:CreateVpcEndpoint", "InvalidRouteTableID.NotFound"),
        ("eks:CreateNodegroup", "InvalidLaunchTemplateId.NotFound"),
    ];
    runs_in_spite_of(up.map(unseen).into()).await;
    // What the deletion no longer finds is gone.
    goes_in_spite_of(vec![unseen(("ec2:DeleteRouteTable", "InvalidRouteTableID.NotFound"))]).await;
}

/// P: Lambda functions' interfaces hold subnets.
#[test]
fn row_52_no_function_is_in_a_vpc_of_a_customers() {
    let inside: Vec<&str> = TEMPLATE.lines().filter(|line| line.contains("VpcConfig")).collect();
    assert!(inside.iter().all(|line| line.contains("!Ref OwnSubnet")) && !QUICK_START.contains("lambda:"), "{inside:?}");
}

/// P: Routes go before the nodes that need them.
#[tokio::test(start_paused = true)]
async fn row_52b_the_way_out_stays_until_the_nodes_are_gone() {
    let scene = Scene::running().await;
    let message = "You are not authorized to perform this operation.";
    scene.set(vec![refuse("ec2:DeleteNatGateway", 403, "UnauthorizedOperation", message)]);
    let reason = "AWS refused ec2:DeleteNatGateway: the role does not allow it (UnauthorizedOperation).";
    let hint = "Add ec2:DeleteNatGateway to the role (and to its boundary and the organization's policies), then retry.";
    reads(&scene.is_blocked().await, Class::Customer, reason, hint);

    for group in ["system", "m6i-large"] {
        let request = scene.clients().eks.describe_nodegroup().cluster_name(scene.cluster.eks_name()).nodegroup_name(group);
        request.send().await.expect_err("the nodes are gone");
    }
    scene.mend();
    scene.goes().await;
}

/// F: What was begun fails for a cause that passes.
#[tokio::test(start_paused = true)]
async fn row_63_a_dead_gateway_or_endpoint_is_made_anew_later() {
    let wait = "Something in the account still depends on it or is changing it; Groundwork tries again by itself.";
    let inside = "Something failed inside AWS; Groundwork tries again by itself.";
    let dead = |call: &str, code: &str, message: &str, hint| {
        (doom(call, code, message), Class::Later, format!("AWS refused {call}: {code}: {message}"), hint)
    };
    let interface = "Network interface eni-1, created and used internally by this NAT gateway is in an invalid state. Please try again.";
    passes_by_itself([
        dead("ec2:CreateNatGateway", "InternalError", interface, inside),
        dead("ec2:CreateNatGateway", "Gateway.NotAttached", "Network vpc-1 has no Internet gateway attached", wait),
        dead("ec2:CreateNatGateway", "Resource.AlreadyAssociated", "Elastic IP address eipalloc-1 is already associated", wait),
    ])
    .await;
    passes_by_itself([dead("ec2:CreateVpcEndpoint", "InternalError", "An internal error has occurred", inside)]).await;
}

/// F: Somebody else's subnet, gateway, route table or endpoint has the place of ours in our VPC.
#[tokio::test(start_paused = true)]
async fn row_64_what_takes_a_place_in_our_vpc_is_named_at_once() {
    let scene = Scene::new().await;
    let ec2 = scene.clients().ec2;
    let held_up = |call| refuse(call, 400, "NeverSeen", "Something new");
    scene.set(["ec2:CreateSubnet", "ec2:AttachInternetGateway"].map(held_up).into());
    scene.parks().await;
    scene.mend();
    let vpc = scene.output(&Key::Vpc);
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.0.0/18").send().await.expect("a subnet").subnet;
    let subnet = subnet.and_then(|subnet| subnet.subnet_id).expect("its id");
    let gateway = ec2.create_internet_gateway().send().await.expect("a gateway").internet_gateway;
    let gateway = gateway.and_then(|gateway| gateway.internet_gateway_id).expect("its id");
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    ec2.attach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&vpc).send().await.expect("attached");
    scene.parks().await;
    scene.names(
        &Key::Subnet(Side::Private, 0),
        &format!("The range 10.0.0.0/18 is taken in the cluster's VPC by the subnet {subnet} (10.0.0.0/18)"),
    );
    scene.names(&Key::InternetGateway, &format!("The way out is taken in the cluster's VPC by the internet gateway {gateway}"));
    ec2.delete_subnet().subnet_id(subnet).send().await.expect("gone");
    ec2.detach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&vpc).send().await.expect("detached");
    ec2.delete_internet_gateway().internet_gateway_id(gateway).send().await.expect("gone");

    scene.set(["ec2:AssociateRouteTable", "ec2:CreateVpcEndpoint"].map(held_up).into());
    scene.parks().await;
    scene.mend();
    let subnet = scene.output(&Key::Subnet(Side::Public, 0));
    let table = ec2.create_route_table().vpc_id(&vpc).send().await.expect("a table").route_table;
    let table = table.and_then(|table| table.route_table_id).expect("its id");
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    let association = ec2.associate_route_table().route_table_id(&table).subnet_id(&subnet).send().await.expect("associated");
    scene.parks().await;
    scene
        .names(&Key::RouteTable(Side::Public, 0), &format!("The subnet {subnet} is taken in the cluster's VPC by the route table {table}"));
    ec2.disassociate_route_table().set_association_id(association.association_id).send().await.expect("disassociated");
    ec2.delete_route_table().route_table_id(table).send().await.expect("gone");

    scene.set(vec![held_up("ec2:CreateVpcEndpoint")]);
    scene.parks().await;
    scene.mend();
    let service = format!("com.amazonaws.{}.s3", scene.cluster.spec.region);
    let endpoint =
        ec2.create_vpc_endpoint().vpc_id(&vpc).service_name(service).route_table_ids(scene.output(&Key::RouteTable(Side::Private, 0)));
    let endpoint = endpoint.send().await.expect("an endpoint").vpc_endpoint.and_then(|endpoint| endpoint.vpc_endpoint_id).expect("its id");
    scene.parks().await;
    scene.names(&Key::S3Endpoint, &format!("The route to S3 is taken in the cluster's VPC by the endpoint {endpoint}"));
    ec2.delete_vpc_endpoints().vpc_endpoint_ids(endpoint).send().await.expect("gone");
    scene.runs().await;
    scene.goes().await;
}

/// R: A NAT gateway's address is asked about while the gateway comes or goes.
#[tokio::test(start_paused = true)]
async fn row_75_an_address_is_tried_again_and_given_back() {
    let unseen = "The elasticIp ID 'eipalloc-1' does not exist";
    runs_in_spite_of(vec![times(3, refuse("ec2:CreateNatGateway", 400, "InvalidElasticIpID.NotFound", unseen))]).await;
    // The gateway's interface has gone; the address has not.
    let gone = "The networkInterface ID 'eni-1' does not exist";
    goes_in_spite_of(vec![times(3, refuse("ec2:ReleaseAddress", 400, "InvalidNetworkInterfaceID.NotFound", gone))]).await;
}

/// C, W: GuardDuty put an endpoint and a security group into our VPC, and leaves them.
#[tokio::test(start_paused = true)]
async fn row_82_what_guard_duty_put_into_our_vpc_goes_and_elsewhere_it_stays() {
    let mut scene = Scene::new().await;
    let ec2 = scene.clients().ec2;
    let guard_dutys = |kind| {
        let tag = Tag::builder().key("GuardDutyManaged").value("true").build();
        TagSpecification::builder().resource_type(kind).tags(tag).build()
    };
    let vpc = ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.expect("a VPC").vpc.and_then(|vpc| vpc.vpc_id).expect("its id");
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    let elsewhere = ec2.create_vpc_endpoint().vpc_id(&vpc).service_name("com.amazonaws.us-west-2.guardduty-data");
    elsewhere.tag_specifications(guard_dutys(ResourceType::VpcEndpoint)).send().await.expect("an endpoint");
    let group = ec2.create_security_group().vpc_id(vpc).group_name("GuardDutyManagedSecurityGroup-elsewhere").description("GuardDuty's");
    group.tag_specifications(guard_dutys(ResourceType::SecurityGroup)).send().await.expect("a group");
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    scene.begin_here().await;

    let monitored = cloud::account::Account { guard_duty: true, ..Default::default() };
    scene.account.cloud().set_account(scene.cluster.account.clone(), monitored);
    scene.runs().await;
    let inside = ec2.describe_network_interfaces().send().await.expect("interfaces").network_interfaces.unwrap_or_default();
    let of_endpoint = |interface: &NetworkInterface| interface.interface_type() == Some(&NetworkInterfaceType::VpcEndpoint);
    assert_eq!(inside.iter().filter(|interface| of_endpoint(interface)).count(), 4, "one in each subnet");
    scene.goes().await;
    assert!(scene.last("ec2:DeleteVpcEndpoints") < scene.first("ec2:DeleteSubnet"));
}

/// W, F: A file system, a database or a function of the customer's has an interface in our VPC.
#[tokio::test(start_paused = true)]
async fn row_83_somebody_elses_interface_is_named_with_what_it_is_for() {
    let scene = Scene::running().await;
    let ec2 = scene.clients().ec2;
    let about = "EFS mount target for fs-1 (fsmt-1)";
    let interface = ec2.create_network_interface().subnet_id(scene.output(&Key::Subnet(Side::Private, 0))).description(about);
    let interface = interface.send().await.expect("an interface").network_interface;
    let interface = interface.and_then(|interface| interface.network_interface_id).expect("its id");
    let reason = format!(
        "leftovers could not be removed in 60 minutes. Something in the account still uses network interface {interface} \
         ({about})."
    );
    let hint = "Something else in the account uses it: inventory.left lists what is there. Remove what you do not need, then retry; \
                Groundwork also tries again by itself.";
    reads(&scene.is_blocked().await, Class::Customer, &reason, hint);
    ec2.delete_network_interface().network_interface_id(interface).send().await.expect("gone");
    scene.goes().await;
}
