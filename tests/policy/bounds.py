"""The boundary of the roles that Groundwork makes: what it has to refuse, and what it has to let nodes do.

An attacker who has taken over the customer's role may give a role of ours another trust policy and all the policies that we may give it.
Then only the boundary is left. So the role's policies allow all of AWS in these questions, and nothing but the boundary refuses.
"""

from attacks import (
    ACCOUNT,
    ALLOWED_KEY,
    BOUNDARY,
    CUSTOMERS,
    EKS,
    IAM,
    IN_NAMED,
    IN_OTHER,
    LIMIT,
    NODES,
    OURS,
    OWNED,
    OWNER,
    REFUSED_KEY,
    REGION,
    S3,
    Attack,
    balancer,
    ec2,
    iam,
    key,
    passed,
    snapshot,
)

# The role that has the boundary, and the tag that says which cluster it belongs to.
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/{NODES}/i-1"
PRINCIPAL = {"aws:PrincipalTag/groundwork:cluster": ["abcdefghijkl"]}

# Another cluster that Groundwork made in the account.
OTHERS = {"aws:ResourceTag/groundwork:cluster": ["zyxwvutsrqpo"]}
FOR_OTHERS = {"aws:RequestTag/groundwork:cluster": ["zyxwvutsrqpo"], "aws:TagKeys": ["groundwork:cluster"]}
CLUSTERS_GROUP = {"aws:ResourceTag/aws:eks:cluster-name": ["groundwork-a-abcdefghijkl"]}
FOREIGN_GROUP = {"aws:ResourceTag/aws:eks:cluster-name": ["production"]}
OF_INSTANCE = {"aws:RequestTag/node.k8s.amazonaws.com/instance_id": ["i-1"]}
CLUSTER = f"{EKS}:cluster/groundwork-a-abcdefghijkl"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/containerinsights"
IMAGES = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app"
AMAZONS = f"arn:aws:ecr:{REGION}:602401143452:repository/eks/pause"
ELSEWHERE = "arn:aws:ecr:eu-south-1:590381155156:repository/amazon-k8s-cni"
BOTTLEROCKETS = f"arn:aws:ecr:{REGION}:328549459982:repository/bottlerocket-control"


def creating(call):
    return OWNER | {"ec2:CreateAction": [call]}


BOUNDED = [
    ec2("Open a foreign security group", "AuthorizeSecurityGroupIngress", "security-group/sg-1"),
    ec2("Delete a foreign security group", "DeleteSecurityGroup", "security-group/sg-1"),
    ec2("Attach a foreign volume", "AttachVolume", "volume/vol-1"),
    ec2("Attach one of our volumes to a foreign instance", "AttachVolume", "instance/i-1"),
    ec2("Copy a foreign volume", "CreateSnapshot", "volume/vol-1"),
    ec2("Copy a foreign volume with our tag on the copy", "CreateSnapshot", "volume/vol-1", OWNER),
    snapshot("Read a foreign snapshot through a volume with our tag", "CreateVolume", "snap-1", OWNER),
    ec2("Get into a foreign subnet with our tag on the interface", "CreateNetworkInterface", "subnet/subnet-1", OWNER),
    ec2("Get into a foreign security group with our tag", "CreateNetworkInterface", "security-group/sg-1", OWNER),
    ec2("Get into a foreign cluster's security group", "ModifyNetworkInterfaceAttribute", "security-group/sg-1", FOREIGN_GROUP),
    ec2("Make a volume without our tag", "CreateVolume", "volume/*"),
    ec2("Change a foreign volume", "ModifyVolume", "volume/vol-1"),
    ec2("Delete a foreign volume", "DeleteVolume", "volume/vol-1"),
    snapshot("Delete a foreign snapshot", "DeleteSnapshot", "snap-1"),
    ec2("Tag a foreign volume as ours", "CreateTags", "volume/vol-1", OWNER),
    ec2("Tag a foreign instance as ours", "CreateTags", "instance/i-1", OWNER),
    ec2("Remove the tags of a foreign thing", "DeleteTags", "volume/vol-1"),
    ec2("Change a foreign instance", "ModifyInstanceAttribute", "instance/i-1"),
    ec2("Terminate a foreign instance", "TerminateInstances", "instance/i-1"),
    ec2("Run an instance", "RunInstances", "instance/*", OWNER),
    ec2("Delete a foreign network interface", "DeleteNetworkInterface", "network-interface/eni-1"),
    ec2("Unassign addresses of a foreign interface", "UnassignPrivateIpAddresses", "network-interface/eni-1"),
    ec2("Redirect a foreign route table", "CreateRoute", "route-table/rtb-1"),
    balancer("Delete a foreign load balancer", "DeleteLoadBalancer", "loadbalancer/net/web/1"),
    balancer("Redirect a foreign load balancer", "ModifyListener", "listener/app/web/1/2"),
    # Another cluster of ours
    ec2("Attach another cluster's volume", "AttachVolume", "volume/vol-1", OTHERS),
    ec2("Attach a volume to another cluster's instance", "AttachVolume", "instance/i-1", OTHERS),
    ec2("Copy another cluster's volume", "CreateSnapshot", "volume/vol-1", OTHERS | OWNER),
    snapshot("Read another cluster's snapshot", "CreateVolume", "snap-1", OTHERS | OWNER),
    ec2("Delete another cluster's volume", "DeleteVolume", "volume/vol-1", OTHERS),
    snapshot("Delete another cluster's snapshot", "DeleteSnapshot", "snap-1", OTHERS),
    ec2("Delete another cluster's interface", "DeleteNetworkInterface", "network-interface/eni-1", OTHERS),
    ec2("Get into another cluster's subnet", "CreateNetworkInterface", "subnet/subnet-1", OTHERS | OWNER),
    ec2("Tag another cluster's volume as one's own", "CreateTags", "volume/vol-1", OTHERS | OWNER),
    ec2("Make a volume in another cluster's name", "CreateVolume", "volume/*", FOR_OTHERS),
    Attack("Write into another cluster's log", "logs:PutLogEvents", f"{LOGS}/groundwork-a-zyxwvutsrqpo/application:log-stream:x"),
    Attack("Write into a foreign log", "logs:PutLogEvents", f"{LOGS}/production/application:log-stream:x"),
    # Rights, data and code
    iam("Make a role", "CreateRole", OURS, OWNER, BOUNDARY),
    iam("Attach AdministratorAccess to itself", "AttachRolePolicy", OURS, BOUNDARY),
    iam("Remove its own boundary", "DeleteRolePermissionsBoundary", OURS, BOUNDARY),
    iam("Give itself another cluster's tag", "TagRole", OURS, FOR_OTHERS),
    iam("Rewrite the boundary", "CreatePolicyVersion", LIMIT),
    passed("Pass itself to EC2", OURS, "ec2"),
    Attack("Assume the customer's role", "sts:AssumeRole", f"{IAM}:{CUSTOMERS}"),
    Attack("Look at a foreign cluster", "eks:DescribeCluster", f"{EKS}:cluster/production"),
    Attack("Read a foreign bucket", "s3:GetObject", f"{S3}:customers-data/secret"),
    Attack("Read a secret", "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database-abcdef"),
    key("Decrypt with a foreign key", "Decrypt"),
    key("Decrypt with a key whose tag says otherwise", "Decrypt", REFUSED_KEY),
    key("Let others use a key that clusters may use", "CreateGrant", ALLOWED_KEY),
    Attack("Push an image", "ecr:PutImage", IMAGES),
    Attack("Pull a private image of the account", "ecr:BatchGetImage", IMAGES),
    Attack("Pull a layer of it", "ecr:GetDownloadUrlForLayer", IMAGES),
    Attack("Fetch an image into a cache of the account", "ecr:BatchImportUpstreamImage", IMAGES),
    Attack("Pull an image of the company's shared registry", "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:333333333333:repository/app"),
]

# Every call of the network plugin, the kubelet and the EBS CSI driver, with everything that each call names.
WITHIN_BOUNDS = [
    # VPC CNI
    ec2("Make an interface", "CreateNetworkInterface", "network-interface/*", OWNER),
    ec2("Make an interface in a subnet", "CreateNetworkInterface", "subnet/subnet-1", OWNED),
    ec2("Make an interface in the cluster's security group", "CreateNetworkInterface", "security-group/sg-1", CLUSTERS_GROUP),
    ec2("Tag a new interface", "CreateTags", "network-interface/*", creating("CreateNetworkInterface")),
    ec2("Tag an own interface", "CreateTags", "network-interface/eni-1", OWNED | OF_INSTANCE),
    ec2("Attach an interface to an instance", "AttachNetworkInterface", "instance/i-1", OWNED),
    ec2("Attach an interface", "AttachNetworkInterface", "network-interface/eni-1", OWNED),
    ec2("Detach an interface from an instance", "DetachNetworkInterface", "instance/i-1", OWNED),
    ec2("Detach an interface", "DetachNetworkInterface", "network-interface/eni-1", OWNED),
    ec2("Delete an interface", "DeleteNetworkInterface", "network-interface/eni-1", OWNED),
    ec2("Assign addresses", "AssignPrivateIpAddresses", "network-interface/eni-1", OWNED),
    ec2("Unassign addresses", "UnassignPrivateIpAddresses", "network-interface/eni-1", OWNED),
    ec2("Have an interface deleted with its instance", "ModifyNetworkInterfaceAttribute", "network-interface/eni-1", OWNED),
    ec2("Move an interface into the cluster's security group", "ModifyNetworkInterfaceAttribute", "security-group/sg-1", CLUSTERS_GROUP),
    Attack("Look at interfaces", "ec2:DescribeNetworkInterfaces", "*"),
    Attack("Look at subnets", "ec2:DescribeSubnets", "*"),
    Attack("Look at tags", "ec2:DescribeTags", "*"),
    Attack("Look at instance types", "ec2:DescribeInstanceTypes", "*"),
    # The control plane's encryption
    key("Look at the key", "DescribeKey", ALLOWED_KEY),
    key("Encrypt", "Encrypt", ALLOWED_KEY),
    key("Decrypt", "Decrypt", ALLOWED_KEY),
    # Kubelet and containerd
    Attack("Look at instances", "ec2:DescribeInstances", "*"),
    Attack("Look at its cluster", "eks:DescribeCluster", CLUSTER),
    Attack("Ask for a pod's role", "eks-auth:AssumeRoleForPodIdentity", CLUSTER),
    Attack("Log in for images", "ecr:GetAuthorizationToken", "*"),
    Attack("Pull an image of EKS", "ecr:BatchGetImage", AMAZONS),
    Attack("Pull a layer of it", "ecr:GetDownloadUrlForLayer", AMAZONS),
    Attack("Pull an image of EKS in a region with a registry of its own", "ecr:BatchGetImage", ELSEWHERE),
    Attack("Pull Bottlerocket's control container", "ecr:BatchGetImage", BOTTLEROCKETS),
    # CloudWatch agent and Fluent Bit
    Attack("Make a log group", "logs:CreateLogGroup", f"{LOGS}/groundwork-a-abcdefghijkl/application:log-stream:"),
    Attack("Make a stream", "logs:CreateLogStream", f"{LOGS}/groundwork-a-abcdefghijkl/application:log-stream:x"),
    Attack("Look at the streams", "logs:DescribeLogStreams", f"{LOGS}/groundwork-a-abcdefghijkl/performance:log-stream:"),
    Attack("Write what a pod says", "logs:PutLogEvents", f"{LOGS}/groundwork-a-abcdefghijkl/application:log-stream:x"),
    # EBS CSI driver
    ec2("Make a volume", "CreateVolume", "volume/*", OWNER),
    snapshot("Make a volume from an own snapshot", "CreateVolume", "snap-1", OWNED),
    ec2("Tag a new volume", "CreateTags", "volume/*", creating("CreateVolume")),
    ec2("Attach a volume to an instance", "AttachVolume", "instance/i-1", OWNED),
    ec2("Attach a volume", "AttachVolume", "volume/vol-1", OWNED),
    ec2("Detach a volume from an instance", "DetachVolume", "instance/i-1", OWNED),
    ec2("Detach a volume", "DetachVolume", "volume/vol-1", OWNED),
    ec2("Grow a volume", "ModifyVolume", "volume/vol-1", OWNED),
    ec2("Delete a volume", "DeleteVolume", "volume/vol-1", OWNED),
    ec2("Copy a volume", "CreateSnapshot", "volume/vol-1", OWNED),
    snapshot("Make a snapshot", "CreateSnapshot", "*", OWNER),
    snapshot("Tag a new snapshot", "CreateTags", "*", creating("CreateSnapshot")),
    snapshot("Delete a snapshot", "DeleteSnapshot", "snap-1", OWNED),
    snapshot("Enable fast restores of a snapshot", "EnableFastSnapshotRestores", "snap-1", OWNED),
    Attack("Look at volumes", "ec2:DescribeVolumes", "*"),
    Attack("Look at snapshots", "ec2:DescribeSnapshots", "*"),
    Attack("Look at the growth of a volume", "ec2:DescribeVolumesModifications", "*"),
    Attack("Look at zones", "ec2:DescribeAvailabilityZones", "*"),
]

# Where the customer has named a VPC.
BESIDE_VPC = [
    ec2("Get into a subnet of another VPC", "CreateNetworkInterface", "subnet/subnet-1", IN_OTHER | OWNER),
    ec2("Get into a foreign security group in the VPC", "CreateNetworkInterface", "security-group/sg-1", IN_NAMED | OWNER),
    ec2("Run an instance in the VPC", "RunInstances", "subnet/subnet-1", IN_NAMED),
]
IN_VPC = [ec2("Make an interface in a subnet of the VPC", "CreateNetworkInterface", "subnet/subnet-1", IN_NAMED)]
