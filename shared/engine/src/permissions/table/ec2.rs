//! EC2: the network, launch templates, and what Kubernetes leaves in the network.

use super::*;

// `*` is the role's own partition, which no session can leave: the policy of create-nodegroups has no room for its name.
const VPC: &str = "arn:*:ec2:*:${account}:vpc/*";
const SUBNET: &str = "arn:*:ec2:*:${account}:subnet/*";
const INTERNET_GATEWAY: &str = "arn:*:ec2:*:${account}:internet-gateway/*";
const ELASTIC_IP: &str = "arn:*:ec2:*:${account}:elastic-ip/*";
const NAT_GATEWAY: &str = "arn:*:ec2:*:${account}:natgateway/*";
const ROUTE_TABLE: &str = "arn:*:ec2:*:${account}:route-table/*";
const ENDPOINT: &str = "arn:*:ec2:*:${account}:vpc-endpoint/*";
const FLOW_LOG: &str = "arn:*:ec2:*:${account}:vpc-flow-log/*";
const LAUNCH_TEMPLATE: &str = "arn:*:ec2:*:${account}:launch-template/*";
const INSTANCE: &str = "arn:*:ec2:*:${account}:instance/*";
const VOLUME: &str = "arn:*:ec2:*:${account}:volume/*";
/// Snapshots have no account in their ARN.
const SNAPSHOT: &str = "arn:*:ec2:*::snapshot/*";
const INTERFACE: &str = "arn:*:ec2:*:${account}:network-interface/*";
const SECURITY_GROUP: &str = "arn:*:ec2:*:${account}:security-group/*";
/// Amazon's images have no account in their ARN.
const IMAGE: &str = "arn:*:ec2:*::image/*";

const NEW: &str = "Only with our owner tag in the call itself.";
const OWN: &str = "Only what carries our owner tag.";

/// Neither call makes what the other does.
const WITH_NODES_OR_FLOW_LOG: &[Condition] = &[
    ("StringLike", "aws:RequestTag/groundwork:cluster", &["?*"]),
    ("StringEquals", "ec2:CreateAction", &["RunInstances", "CreateFlowLogs"]),
];

pub const GRANTS: &[Grant] = &[
    Grant {
        sid: "Look",
        resources: ANY,
        conditions: ALWAYS,
        why: "EC2's Describe actions have no resource-level permissions.",
        actions: &[
            action("ec2:DescribeAvailabilityZones", ASSUME_ROLE, "Choose the cluster's zones."),
            action("ec2:DescribeInstanceTypeOfferings", ASSUME_ROLE, "See which zones offer the wanted instance types."),
            action("ec2:DescribeInstanceTypes", ASSUME_ROLE, "See how many vCPUs, how much memory and which GPUs they have."),
            action("ec2:DescribeVpcBlockPublicAccessOptions", ASSUME_ROLE, "See that the account lets nodes out to the internet."),
            action(
                "ec2:DescribeVpcBlockPublicAccessExclusions",
                ASSUME_ROLE,
                "See whether it lets them out of the customer's VPC all the same.",
            ),
            action("ec2:DescribeVpcs", EKS_NODES_CHECKS_DOWN, "Find the VPC by its owner tag; see the ranges of the customer's."),
            action(
                "ec2:DescribeSubnets",
                EKS_NODES_CHECKS_DOWN,
                "Find the subnets by their owner tag; see that the customer's can have a cluster.",
            ),
            action("ec2:DescribeInternetGateways", EKS_NODES_DOWN, "Find the internet gateway by its owner tag."),
            action("ec2:DescribeAddresses", EKS_NODES_DOWN, "Find the NAT gateway's address by its owner tag."),
            action("ec2:DescribeNatGateways", EKS_NODES_DOWN, "Find the NAT gateway by its owner tag, and see when it is up."),
            action(
                "ec2:DescribeRouteTables",
                EKS_NODES_CHECKS_DOWN,
                "Find the route tables by their owner tag; see that the customer's subnets have a way out.",
            ),
            action(
                "ec2:DescribeVpcEndpoints",
                EKS_CHECKS_DOWN,
                "Find the S3 endpoint by its owner tag; see what the customer's subnets reach without a way out.",
            ),
            action("ec2:DescribeFlowLogs", NODES_DOWN, "Find the flow log by its owner tag."),
            action("ec2:DescribeLaunchTemplates", EKS_NODES_DOWN, "Find the launch templates by their owner tag."),
            action("ec2:DescribeInstances", DOWN, "See in the inventory that no instance is left."),
            action("ec2:DescribeNetworkInterfaces", DOWN, "Find interfaces that are left in our VPC."),
            action("ec2:DescribeSecurityGroups", DOWN, "Find security groups that are left in our VPC."),
            action("ec2:DescribeVolumes", DOWN, "Find volumes that claims and nodes left."),
            action("ec2:DescribeSnapshots", DOWN, "Find snapshots of claims' volumes."),
        ],
    },
    Grant {
        sid: "MakeNetwork",
        resources: &[VPC],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateVpc", EKS, "Make the cluster's VPC.")],
    },
    Grant {
        sid: "MakeInNetwork",
        resources: &[SUBNET],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateSubnet", EKS, "Make the cluster's subnets.")],
    },
    Grant {
        sid: "MakeNetwork",
        resources: &[INTERNET_GATEWAY],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateInternetGateway", EKS, "Make the public subnets' way in and out.")],
    },
    Grant {
        sid: "MakeNetwork",
        resources: &[ELASTIC_IP],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:AllocateAddress", EKS, "Get an address for the NAT gateway.")],
    },
    Grant {
        sid: "MakeWaysOut",
        resources: &[NAT_GATEWAY],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateNatGateway", EKS, "Make the private subnets' way out.")],
    },
    Grant {
        sid: "MakeInNetwork",
        resources: &[ROUTE_TABLE],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateRouteTable", EKS, "Make the route tables.")],
    },
    Grant {
        sid: "MakeWaysOut",
        resources: &[ENDPOINT],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateVpcEndpoint", EKS, "Make the S3 endpoint, which keeps that traffic off the NAT gateway.")],
    },
    Grant {
        sid: "MakeNetwork",
        resources: &[LAUNCH_TEMPLATE],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateLaunchTemplate", EKS, "Make the launch templates: IMDSv2, encrypted disks, owner tags.")],
    },
    Grant {
        sid: "TagWhatIsMade",
        resources: &[VPC, SUBNET, INTERNET_GATEWAY, ELASTIC_IP, NAT_GATEWAY, ROUTE_TABLE, ENDPOINT, LAUNCH_TEMPLATE],
        conditions: &[
            ("StringLike", "aws:RequestTag/groundwork:cluster", &["?*"]),
            ("StringLike", "ec2:CreateAction", &["Create*", "AllocateAddress"]),
        ],
        why: "Only together with the create: nothing that exists can be tagged as ours and then deleted.",
        actions: &[action("ec2:CreateTags", EKS, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "MakeByName",
        resources: &[FLOW_LOG],
        conditions: MADE_OURS,
        why: NEW,
        actions: &[action("ec2:CreateFlowLogs", NODES, "Record the VPC's traffic, if the tenant asks for it.")],
    },
    Grant {
        sid: "TagNodesAndFlowLog",
        resources: &[FLOW_LOG],
        conditions: WITH_NODES_OR_FLOW_LOG,
        why: "Only together with the create.",
        actions: &[action("ec2:CreateTags", NODES, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[FLOW_LOG],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:DeleteFlowLogs", DOWN, "Remove the flow log.")],
    },
    Grant {
        sid: "TagNodesAndFlowLog",
        resources: &[INSTANCE, VOLUME, INTERFACE],
        conditions: WITH_NODES_OR_FLOW_LOG,
        why: "Only together with the launch.",
        actions: &[action("ec2:CreateTags", NODES, "EKS asks whether the nodes may be tagged as their launch template says.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[LAUNCH_TEMPLATE, SUBNET],
        conditions: OURS,
        why: "Only our launch templates, into our subnets.",
        actions: &[action("ec2:RunInstances", NODES, "EKS asks whether whoever makes a node group may launch from its template.")],
    },
    Grant {
        sid: "LaunchOurNodes",
        resources: &[INSTANCE, VOLUME, INTERFACE],
        conditions: MADE_OURS,
        why: "Only with our owner tag, which the launch template gives.",
        actions: &[action("ec2:RunInstances", NODES, "The same question, for the node, its disks and its interface.")],
    },
    Grant {
        sid: "LaunchWith",
        resources: &[IMAGE, SECURITY_GROUP],
        conditions: &[("ArnLike", "ec2:LaunchTemplate", &[LAUNCH_TEMPLATE])],
        why: "EKS chooses the image and the cluster's own security group; only launches from a template of this account.",
        actions: &[action("ec2:RunInstances", NODES, "The same question, for the node image and the security group.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[VPC],
        conditions: OURS,
        why: OWN,
        actions: &[
            action("ec2:CreateSubnet", EKS, "Make the subnets in our VPC."),
            action("ec2:CreateRouteTable", EKS, "Make the route tables in our VPC."),
            action("ec2:CreateVpcEndpoint", EKS, "Make the S3 endpoint in our VPC."),
            action("ec2:CreateFlowLogs", NODES, "Record the traffic of our VPC only."),
            action("ec2:DescribeVpcAttribute", EKS_NODES_DOWN, "See whether the VPC has DNS names."),
            action("ec2:ModifyVpcAttribute", EKS, "Turn on DNS names, which EKS's private endpoint needs."),
            action("ec2:DeleteVpc", DOWN, "Remove the VPC."),
        ],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[INTERNET_GATEWAY, VPC],
        conditions: OURS,
        why: OWN,
        actions: &[
            action("ec2:AttachInternetGateway", EKS, "Attach the internet gateway to the VPC."),
            action("ec2:DetachInternetGateway", DOWN, "Detach it, so that it can be removed."),
        ],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[INTERNET_GATEWAY],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:DeleteInternetGateway", DOWN, "Remove the internet gateway.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[SUBNET],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:DeleteSubnet", DOWN, "Remove the subnets.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[SUBNET, ELASTIC_IP],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:CreateNatGateway", EKS, "Put the NAT gateway into our subnet, with our address.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[ELASTIC_IP],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:ReleaseAddress", DOWN, "Give the address back.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[NAT_GATEWAY],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:DeleteNatGateway", EKS_DOWN, "Remove the NAT gateway; on a retry, one that failed.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[ROUTE_TABLE],
        conditions: OURS,
        why: OWN,
        actions: &[
            action("ec2:CreateRoute", EKS, "Route to the gateways."),
            action("ec2:ReplaceRoute", EKS, "Mend a route whose gateway is gone."),
            action("ec2:CreateVpcEndpoint", EKS, "Route S3's traffic to the endpoint."),
            action("ec2:DeleteRouteTable", DOWN, "Remove the route tables."),
        ],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[ROUTE_TABLE, SUBNET],
        conditions: OURS,
        why: OWN,
        actions: &[
            action("ec2:AssociateRouteTable", EKS, "Give the subnets their route table."),
            action("ec2:DisassociateRouteTable", DOWN, "Take it from them, so that it can be removed."),
        ],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[ENDPOINT],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:DeleteVpcEndpoints", EKS_DOWN, "Remove the S3 endpoint; on a retry, one that failed.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[LAUNCH_TEMPLATE],
        conditions: OURS,
        why: OWN,
        actions: &[action("ec2:DeleteLaunchTemplate", DOWN, "Remove the launch templates.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[VOLUME],
        conditions: OURS,
        why: "Only with our owner tag: nodes' disks have it from the launch template, claims' volumes from the EBS CSI add-on.",
        actions: &[action("ec2:DeleteVolume", DOWN, "Remove nodes' disks, and claims' volumes if the tenant said that the data goes.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[SNAPSHOT],
        conditions: OURS,
        why: "Only with our owner tag, which the EBS CSI add-on gives.",
        actions: &[action("ec2:DeleteSnapshot", DOWN, "Remove snapshots of claims' volumes if the tenant said that the data goes.")],
    },
    Grant {
        sid: "OurNetwork",
        resources: &[INTERFACE],
        conditions: OURS,
        why: "Only with our owner tag, which the VPC CNI add-on and the launch template give.",
        actions: &[action("ec2:DeleteNetworkInterface", DOWN, "Remove interfaces that the VPC CNI left.")],
    },
    Grant {
        sid: "GroupsOfOurClusters",
        resources: &[SECURITY_GROUP],
        conditions: &[("StringLike", "aws:ResourceTag/aws:eks:cluster-name", &["groundwork-*-????????????"])],
        why: "Only the security group that EKS made for a cluster of ours.",
        actions: GROUPS,
    },
    Grant {
        sid: "GroupsOfControllers",
        resources: &[SECURITY_GROUP],
        conditions: &[("StringLike", "aws:ResourceTag/elbv2.k8s.aws/cluster", &["groundwork-*-????????????"])],
        why: "Only groups that the AWS Load Balancer Controller made in a cluster of ours.",
        actions: GROUPS,
    },
    Grant {
        sid: "EndpointsOfGuardDuty",
        resources: &[ENDPOINT],
        conditions: &[
            ("StringEquals", "aws:ResourceTag/GuardDutyManaged", &["true"]),
            ("StringLike", "ec2:VpceServiceName", &["com.amazonaws.*.guardduty-data*"]),
        ],
        why: "Only GuardDuty's, by its own tag and service. IAM is not told an endpoint's VPC; Groundwork looks only into its own.",
        actions: &[action("ec2:DeleteVpcEndpoints", DOWN, "Remove the endpoint that GuardDuty put into our VPC and left there.")],
    },
    Grant {
        sid: "GroupsOfGuardDuty",
        resources: &[SECURITY_GROUP],
        conditions: &[("StringEquals", "aws:ResourceTag/GuardDutyManaged", &["true"])],
        why: "Only GuardDuty's, by its own tag. IAM knows no tags of a group's VPC; Groundwork looks only into its own.",
        actions: &[action("ec2:DeleteSecurityGroup", DOWN, "Remove the security group that GuardDuty put into our VPC and left there.")],
    },
];

const GROUPS: &[Action] = &[
    action("ec2:RevokeSecurityGroupIngress", DOWN, "Remove rules that name another group, which could not be removed otherwise."),
    action("ec2:RevokeSecurityGroupEgress", DOWN, "The same for rules outwards."),
    action("ec2:DeleteSecurityGroup", DOWN, "Remove security groups that are left."),
];
