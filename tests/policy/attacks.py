"""What an attacker who has taken over the customer's role would try, without a session policy in the way: all of it is refused.

Each is a question to the evaluator, and a call to the local AWS if that knows the conditions that refuse it.
"""

from dataclasses import dataclass, field

REGION = "us-west-2"
ACCOUNT = "222222222222"
IAM = f"arn:aws:iam::{ACCOUNT}"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
EKS = f"arn:aws:eks:{REGION}:{ACCOUNT}"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}"
S3 = "arn:aws:s3::"

CUSTOMERS = "role/groundwork"
NODES = "groundwork-abcdefghijkl-node"
OURS = f"role/groundwork/{NODES}"
CONTROL_PLANES = "role/groundwork/groundwork-abcdefghijkl-cluster"
LIMIT = "policy/groundwork/groundwork-boundary"
STAGES_POLICY = "policy/groundwork/groundwork-create-eks"
PODS = "role/groundwork/groundwork-abcdefghijkl-workload"
HAND = "role/groundwork/groundwork-abcdefghijkl-hand"
PODS_POLICY = "policy/groundwork/groundwork-workload"
OUR_CLUSTER = "cluster/groundwork-a-abcdefghijkl"
LINKED = "role/aws-service-role/lex.amazonaws.com/AWSServiceRoleForLex"

ADMINISTRATOR_HERE = f"{IAM}:role/evil"

OWNER = {"aws:RequestTag/groundwork:cluster": ["abcdefghijkl"], "aws:TagKeys": ["groundwork:cluster"]}
OWNED = {"aws:ResourceTag/groundwork:cluster": ["abcdefghijkl"]}
BOUNDARY = {"iam:PermissionsBoundary": [f"{IAM}:{LIMIT}"]}
WITHIN_PODS = {"iam:PermissionsBoundary": [f"{IAM}:{PODS_POLICY}"]}
NO_BOUNDARY = {"iam:PermissionsBoundary": ["arn:aws:iam::aws:policy/AdministratorAccess"]}
FOREIGN_CLUSTER = {"aws:ResourceTag/kubernetes.io/cluster/production": ["owned"]}
FOREIGN_SERVICE = FOREIGN_CLUSTER | {"aws:ResourceTag/kubernetes.io/service-name": ["default/web"]}
FOREIGN_CONTROLLER = {"aws:ResourceTag/elbv2.k8s.aws/cluster": ["production"]}

GUARD_DUTYS = {"aws:ResourceTag/GuardDutyManaged": ["true"]}
NOT_GUARD_DUTYS = {"aws:ResourceTag/GuardDutyManaged": ["false"]}
AS_GUARD_DUTYS = {"aws:RequestTag/GuardDutyManaged": ["true"], "aws:TagKeys": ["GuardDutyManaged"]}
OF_GUARD_DUTY = {"ec2:VpceServiceName": [f"com.amazonaws.{REGION}.guardduty-data"]}
OF_S3 = {"ec2:VpceServiceName": [f"com.amazonaws.{REGION}.s3"]}

ALLOWED_KEY = {"aws:ResourceTag/groundwork:encryption": ["allowed"]}
REFUSED_KEY = {"aws:ResourceTag/groundwork:encryption": ["never"]}
AS_ALLOWED_KEY = {"aws:RequestTag/groundwork:encryption": ["allowed"], "aws:TagKeys": ["groundwork:encryption"]}
# A VPC that the customer named in the quick-start, and another one.
VPC = f"{EC2}:vpc/vpc-1"
IN_NAMED = {"ec2:Vpc": [VPC]}
IN_OTHER = {"ec2:Vpc": [f"{EC2}:vpc/vpc-2"]}

LIKE_OURS = {"aws:ResourceTag/aws:eks:cluster-name": ["groundwork-prod"]}


@dataclass
class Attack:
    what: str
    action: str
    resource: str
    context: dict = field(default_factory=dict)


def iam(what, action, resource, *contexts):
    return Attack(what, f"iam:{action}", f"{IAM}:{resource}", {key: values for one in contexts for key, values in one.items()})


def attach_ours(what, resource, policy, *contexts):
    return iam(what, "AttachRolePolicy", resource, {"iam:PolicyARN": [f"{IAM}:policy/groundwork/groundwork-{policy}"]}, *contexts)


def attach(what, resource, policy, *contexts):
    return iam(what, "AttachRolePolicy", resource, {"iam:PolicyARN": [f"arn:aws:iam::aws:policy/{policy}"]}, *contexts)


def passed(what, resource, service):
    return iam(what, "PassRole", resource, {"iam:PassedToService": [f"{service}.amazonaws.com"]})


def ec2(what, action, resource, context=None):
    return Attack(what, f"ec2:{action}", f"{EC2}:{resource}", context or {})


def snapshot(what, action, name, context=None):
    """Snapshots have no account in their ARN."""
    return Attack(what, f"ec2:{action}", f"arn:aws:ec2:{REGION}::snapshot/{name}", context or {})


def balancer(what, action, resource, context=None):
    return Attack(what, f"elasticloadbalancing:{action}", f"{ELB}:{resource}", context or {})


def key(what, action, *contexts):
    context = {name: values for one in contexts for name, values in one.items()}
    return Attack(what, f"kms:{action}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", context)


def entry(what, principal, kind="STANDARD"):
    """In a cluster that Groundwork made."""
    asked = OWNER | {"eks:principalArn": [principal], "eks:accessEntryType": [kind]}
    return Attack(what, "eks:CreateAccessEntry", f"{EKS}:{OUR_CLUSTER}", asked)


def policy(what, name):
    arn = f"arn:aws:eks::aws:cluster-access-policy/{name}"
    resource = f"{EKS}:access-entry/groundwork-a-abcdefghijkl/role/{ACCOUNT}/evil/1"
    return Attack(what, "eks:AssociateAccessPolicy", resource, {"eks:policyArn": [arn], "eks:accessScope": ["cluster"]})


ATTACKS = [
    # Roles and policies
    iam("Make a role without the boundary", "CreateRole", OURS, OWNER),
    iam("Make a role with another boundary", "CreateRole", OURS, OWNER, NO_BOUNDARY),
    iam("Make a role outside our path", "CreateRole", f"role/{NODES}", OWNER, BOUNDARY),
    iam("Make a role with another name", "CreateRole", "role/groundwork/admin", OWNER, BOUNDARY),
    iam("Make a role with no owner tag", "CreateRole", OURS, BOUNDARY),
    attach("Attach AdministratorAccess to one of our roles", OURS, "AdministratorAccess", BOUNDARY),
    attach("Attach a node's policy to a role without the boundary", OURS, "AmazonEKSWorkerNodePolicy"),
    attach("Attach a policy to the customer's role itself", CUSTOMERS, "AmazonEKSClusterPolicy"),
    iam("Make a role for pods without their policy as its boundary", "CreateRole", PODS, OWNER, NO_BOUNDARY),
    iam("Make a node's role within the pods' policy", "CreateRole", OURS, OWNER, WITHIN_PODS),
    attach("Attach AdministratorAccess to a pods' role", PODS, "AdministratorAccess", WITHIN_PODS),
    attach_ours("Attach a stage's policy to a pods' role", PODS, "create-eks", WITHIN_PODS),
    attach_ours("Attach the pods' policy to a node's role", OURS, "workload", BOUNDARY),
    iam("Rewrite the pods' policy", "CreatePolicyVersion", PODS_POLICY),
    passed("Pass a pods' role to EC2", PODS, "ec2"),
    iam("Put an inline policy on one of our roles", "PutRolePolicy", OURS, BOUNDARY),
    iam("Put an inline policy on the customer's role itself", "PutRolePolicy", CUSTOMERS),
    iam("Remove the boundary of one of our roles", "DeleteRolePermissionsBoundary", OURS, BOUNDARY),
    iam("Give one of our roles another boundary", "PutRolePermissionsBoundary", OURS, NO_BOUNDARY),
    iam("Let somebody else assume one of our roles", "UpdateAssumeRolePolicy", OURS),
    iam("Let somebody else assume the customer's role", "UpdateAssumeRolePolicy", CUSTOMERS),
    iam("Detach a stage's policy from the customer's role", "DetachRolePolicy", CUSTOMERS),
    iam("Delete the customer's role", "DeleteRole", CUSTOMERS),
    iam("Delete a foreign role", "DeleteRole", "role/admin"),
    iam("Tag a foreign role as ours", "TagRole", "role/admin", OWNER),
    iam("Rewrite the boundary", "CreatePolicyVersion", LIMIT),
    iam("Set the boundary to another version", "SetDefaultPolicyVersion", LIMIT),
    iam("Delete the boundary", "DeletePolicy", LIMIT),
    iam("Delete a version of the boundary", "DeletePolicyVersion", LIMIT),
    iam("Rewrite a stage's policy", "CreatePolicyVersion", STAGES_POLICY),
    iam("Make a user", "CreateUser", "user/evil"),
    iam("Make an access key for a user", "CreateAccessKey", "user/admin"),
    iam("Put one of our roles on an instance profile", "AddRoleToInstanceProfile", "instance-profile/eks-1"),
    iam("Delete a foreign instance profile", "DeleteInstanceProfile", "instance-profile/web"),
    iam("Delete the instance profile of a foreign node group", "DeleteInstanceProfile", "instance-profile/eks-1"),
    iam("Take the role of foreign nodes out of their profile", "RemoveRoleFromInstanceProfile", "instance-profile/eks-1"),
    iam("Make another service's linked role", "CreateServiceLinkedRole", LINKED, {"iam:AWSServiceName": ["lex.amazonaws.com"]}),
    Attack("Assume a foreign role", "sts:AssumeRole", f"{IAM}:role/admin"),
    Attack("Assume the role of a cluster's nodes", "sts:AssumeRole", f"{IAM}:{OURS}"),
    Attack("Assume the role of researchers' pods", "sts:AssumeRole", f"{IAM}:{PODS}"),
    attach("Give our own role in a cluster a policy of AWS's", HAND, "AdministratorAccess", WITHIN_PODS),
    attach_ours("Give our own role in a cluster the policy of pods", HAND, "workload", WITHIN_PODS),
    iam("Make our own role in a cluster without a boundary", "CreateRole", HAND, OWNER),
    passed("Give our own role in a cluster to pods", HAND, "pods.eks"),
    # Passing roles
    passed("Pass a foreign role to EKS", "role/admin", "eks"),
    passed("Pass a foreign role to EC2", "role/admin", "ec2"),
    passed("Pass one of our roles to Lambda", OURS, "lambda"),
    passed("Pass one of our roles to CloudFormation", OURS, "cloudformation"),
    passed("Pass the nodes' role to EC2", OURS, "ec2"),
    passed("Pass the customer's role to EC2", CUSTOMERS, "ec2"),
    passed("Pass the customer's role to EKS", CUSTOMERS, "eks"),
    passed("Pass the control plane's role to pods", CONTROL_PLANES, "pods.eks"),
    # Networks and machines
    ec2("Delete an untagged VPC", "DeleteVpc", "vpc/vpc-1"),
    ec2("Change an untagged VPC", "ModifyVpcAttribute", "vpc/vpc-1"),
    ec2("Delete a VPC that only looks like ours", "DeleteVpc", "vpc/vpc-1", {"aws:ResourceTag/Name": ["groundwork-abcdefghijkl-vpc"]}),
    ec2("Tag a foreign VPC as ours, in order to delete it", "CreateTags", "vpc/vpc-1", OWNER),
    ec2("Remove the owner tag", "DeleteTags", "vpc/vpc-1", OWNED),
    ec2("Make a VPC without the owner tag", "CreateVpc", "vpc/*"),
    ec2("Make a subnet in a foreign VPC", "CreateSubnet", "vpc/vpc-1"),
    ec2("Record the traffic of a foreign VPC", "CreateFlowLogs", "vpc/vpc-1"),
    ec2("Make a flow log without the owner tag", "CreateFlowLogs", "vpc-flow-log/*"),
    ec2("Stop the record of a foreign VPC's traffic", "DeleteFlowLogs", "vpc-flow-log/fl-1"),
    ec2("Redirect a foreign route table", "CreateRoute", "route-table/rtb-1"),
    ec2("Replace a route of a foreign table", "ReplaceRoute", "route-table/rtb-1"),
    ec2("Detach a foreign internet gateway", "DetachInternetGateway", "internet-gateway/igw-1"),
    ec2("Release a foreign address", "ReleaseAddress", "elastic-ip/eipalloc-1"),
    ec2("Delete a foreign NAT gateway", "DeleteNatGateway", "natgateway/nat-1"),
    ec2("Delete a foreign VPC endpoint", "DeleteVpcEndpoints", "vpc-endpoint/vpce-1"),
    ec2("Open a foreign security group", "AuthorizeSecurityGroupIngress", "security-group/sg-1"),
    ec2("Delete a foreign security group", "DeleteSecurityGroup", "security-group/sg-1"),
    ec2("Delete a foreign cluster's security group", "DeleteSecurityGroup", "security-group/sg-1", FOREIGN_CLUSTER),
    ec2("Revoke the rules of a foreign security group", "RevokeSecurityGroupIngress", "security-group/sg-1"),
    ec2("Revoke the outgoing rules of a foreign security group", "RevokeSecurityGroupEgress", "security-group/sg-1"),
    ec2("Delete an endpoint that only has GuardDuty's tag", "DeleteVpcEndpoints", "vpc-endpoint/vpce-1", GUARD_DUTYS | OF_S3),
    ec2("Delete an endpoint of GuardDuty's service without its tag", "DeleteVpcEndpoints", "vpc-endpoint/vpce-1", OF_GUARD_DUTY),
    ec2("Delete an endpoint that is kept from GuardDuty", "DeleteVpcEndpoints", "vpc-endpoint/vpce-1", NOT_GUARD_DUTYS | OF_GUARD_DUTY),
    ec2("Give a foreign endpoint GuardDuty's tag, in order to delete it", "CreateTags", "vpc-endpoint/vpce-1", AS_GUARD_DUTYS),
    ec2("Open GuardDuty's security group", "AuthorizeSecurityGroupIngress", "security-group/sg-1", GUARD_DUTYS),
    ec2("Empty GuardDuty's security group", "RevokeSecurityGroupIngress", "security-group/sg-1", GUARD_DUTYS),
    ec2("Delete a network interface with GuardDuty's tag", "DeleteNetworkInterface", "network-interface/eni-1", GUARD_DUTYS),
    ec2("Delete a VPC with GuardDuty's tag", "DeleteVpc", "vpc/vpc-1", GUARD_DUTYS),
    ec2("Delete a foreign network interface", "DeleteNetworkInterface", "network-interface/eni-1"),
    ec2("Delete a foreign volume", "DeleteVolume", "volume/vol-1"),
    ec2("Delete a foreign cluster's volume", "DeleteVolume", "volume/vol-1", FOREIGN_CLUSTER),
    snapshot("Delete a foreign snapshot", "DeleteSnapshot", "snap-1"),
    ec2("Copy a foreign volume", "CreateSnapshot", "volume/vol-1"),
    ec2("Terminate a foreign instance", "TerminateInstances", "instance/i-1"),
    ec2("Run instances from a foreign launch template", "RunInstances", "launch-template/lt-1"),
    ec2("Run instances in a foreign subnet", "RunInstances", "subnet/subnet-1"),
    ec2("Run instances without the owner tag", "RunInstances", "instance/*"),
    Attack("Run instances from an image alone", "ec2:RunInstances", f"arn:aws:ec2:{REGION}::image/ami-1", {"ec2:Owner": ["amazon"]}),
    ec2("Delete a foreign launch template", "DeleteLaunchTemplate", "launch-template/lt-1"),
    balancer("Delete a foreign load balancer", "DeleteLoadBalancer", "loadbalancer/net/web/1"),
    balancer("Delete a foreign classic load balancer", "DeleteLoadBalancer", "loadbalancer/web"),
    balancer("Delete a foreign cluster's load balancer", "DeleteLoadBalancer", "loadbalancer/net/web/1", FOREIGN_SERVICE),
    balancer("Delete a foreign controller's load balancer", "DeleteLoadBalancer", "loadbalancer/app/web/1", FOREIGN_CONTROLLER),
    balancer("Delete a foreign target group", "DeleteTargetGroup", "targetgroup/web/1"),
    balancer("Redirect a foreign load balancer", "ModifyListener", "listener/app/web/1/2"),
    # Data
    Attack("Read a foreign bucket", "s3:GetObject", f"{S3}:customers-data/secret"),
    Attack("Read an object of one of our buckets", "s3:GetObject", f"{S3}:groundwork-abcdefghijkl-logs/secret"),
    Attack("List a foreign bucket", "s3:ListBucket", f"{S3}:customers-data"),
    Attack("Write into a foreign bucket", "s3:PutObject", f"{S3}:customers-data/page"),
    Attack("Open a foreign bucket to everybody", "s3:PutBucketPolicy", f"{S3}:customers-data"),
    Attack("Remove the access block of a foreign bucket", "s3:PutBucketPublicAccessBlock", f"{S3}:customers-data"),
    Attack("Delete a foreign bucket", "s3:DeleteBucket", f"{S3}:customers-data"),
    Attack("Delete an object of a foreign bucket", "s3:DeleteObject", f"{S3}:customers-data/secret"),
    Attack("Make a bucket under another name", "s3:CreateBucket", f"{S3}:customers-other", OWNER),
    Attack("Delete a foreign log group", "logs:DeleteLogGroup", f"{LOGS}:log-group:/aws/eks/production/cluster:log-stream:"),
    Attack("Read our clusters' logs", "logs:GetLogEvents", f"{LOGS}:log-group:/aws/eks/groundwork-a-abcdefghijkl/cluster:log-stream:audit"),
    Attack("Read a secret", "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database-abcdef"),
    key("Decrypt with a foreign key", "Decrypt"),
    key("Decrypt with a key that clusters may use", "Decrypt", ALLOWED_KEY),
    key("Let a control plane use a foreign key", "CreateGrant"),
    key("Let a control plane use a key whose tag says otherwise", "CreateGrant", REFUSED_KEY),
    key("Give a foreign key the tag of those that clusters may use", "TagResource", AS_ALLOWED_KEY),
    key("Rewrite the policy of a key that clusters may use", "PutKeyPolicy", ALLOWED_KEY),
    key("Have a key deleted that clusters may use", "ScheduleKeyDeletion", ALLOWED_KEY),
    # Names that merely begin like ours
    Attack("Open a bucket with a name like ours", "s3:PutBucketPolicy", f"{S3}:groundwork-tfstate"),
    Attack("Delete a bucket with a name like ours", "s3:DeleteBucket", f"{S3}:groundwork-tfstate"),
    Attack("Delete a version in a bucket with a name like ours", "s3:DeleteObjectVersion", f"{S3}:groundwork-tfstate/state"),
    Attack("Delete a cluster with a name like ours", "eks:DeleteCluster", f"{EKS}:cluster/groundwork-prod"),
    Attack("Delete nodes of a cluster with a name like ours", "eks:DeleteNodegroup", f"{EKS}:nodegroup/groundwork-prod/a/1"),
    Attack("Get access to a cluster with a name like ours", "eks:CreateAccessEntry", f"{EKS}:cluster/groundwork-prod", OWNER),
    Attack("Delete its log group", "logs:DeleteLogGroup", f"{LOGS}:log-group:/aws/eks/groundwork-prod/cluster:log-stream:"),
    iam("Make a role with a name like ours", "CreateRole", "role/groundwork/groundwork-x", OWNER, BOUNDARY),
    iam("Delete a role with a name like ours", "DeleteRole", "role/groundwork/groundwork-x"),
    passed("Pass a role with a name like ours", "role/groundwork/groundwork-x-node", "eks"),
    ec2("Delete the security group of a cluster with a name like ours", "DeleteSecurityGroup", "security-group/sg-1", LIKE_OURS),
    # Clusters and code
    Attack("Delete a foreign cluster", "eks:DeleteCluster", f"{EKS}:cluster/production"),
    Attack("Open the endpoint of a foreign cluster", "eks:UpdateClusterConfig", f"{EKS}:cluster/production"),
    Attack("Become an administrator of a foreign cluster", "eks:CreateAccessEntry", f"{EKS}:cluster/production", OWNER),
    entry("Let a principal of another account into one of our clusters", "arn:aws:iam::333333333333:role/evil"),
    entry("Let the customer's role itself into one of our clusters", f"{IAM}:{CUSTOMERS}"),
    entry("Let a role that Groundwork made into one of our clusters", f"{IAM}:{OURS}"),
    entry("Let a principal in under another type, with what EKS gives that", ADMINISTRATOR_HERE, "EC2_LINUX"),
    policy("Give an entry in one of our clusters another access policy", "AmazonEKSSecretReaderPolicy"),
    Attack("Make a cluster without the owner tag", "eks:CreateCluster", "*"),
    Attack("Give a pod of a foreign cluster a role", "eks:CreatePodIdentityAssociation", f"{EKS}:cluster/production", OWNER),
    Attack("Add nodes to a foreign cluster", "eks:CreateNodegroup", f"{EKS}:cluster/production", OWNER),
    Attack("Run code in Lambda", "lambda:CreateFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:evil"),
]

# What patterns of names and tags cannot prevent, with the reason. It is allowed on purpose, and the page says so.
IN_REACH = [
    (
        ec2("Delete GuardDuty's endpoint in any VPC", "DeleteVpcEndpoints", "vpc-endpoint/vpce-1", GUARD_DUTYS | OF_GUARD_DUTY),
        "it holds the VPC of a cluster that is deleted, and IAM is not told which VPC an endpoint is in. Only the teardown may do it, which"
        " looks only into its own VPC. GuardDuty shows a VPC without its endpoint as not covered",
    ),
    (
        ec2("Delete GuardDuty's security group in any VPC", "DeleteSecurityGroup", "security-group/sg-1", GUARD_DUTYS),
        "the same. EC2 deletes no group that an endpoint is in",
    ),
    (
        entry("Let a principal of the account into a cluster that Groundwork made", ADMINISTRATOR_HERE),
        "the administrator that the tenant names has to get access. It cannot be the role itself, and the session of a stage may name"
        " nobody else",
    ),
    (
        policy("Make it administrator of that cluster", "AmazonEKSClusterAdminPolicy"),
        "the same. Whoever makes a cluster can always give themselves access",
    ),
    (
        Attack("Open the endpoint of a cluster that Groundwork made", "eks:UpdateClusterConfig", f"{EKS}:{OUR_CLUSTER}"),
        "the operator's address has to be let in while a cluster is furnished, and IAM is not told which ranges are asked for. Whoever comes"
        " in still needs an access entry",
    ),
    (
        iam("Make a role like the one of researchers' pods", "CreateRole", PODS, OWNER, WITHIN_PODS),
        "IAM has no condition on whom a role trusts. Whoever it trusts reaches the data in this cluster's buckets, as its pods do",
    ),
    (
        key("Let oneself use a key that the customer lets clusters use", "CreateGrant", ALLOWED_KEY),
        "EKS makes the grant of a control plane in the caller's name, and supports no condition that tells it from another",
    ),
]

# Where the customer has named a VPC: what that must not be good for, and what it is for.
BESIDE_VPC = [
    ec2("Run instances in a subnet of another VPC", "RunInstances", "subnet/subnet-1", IN_OTHER),
    ec2("Run instances without the owner tag in the VPC", "RunInstances", "instance/*", IN_NAMED),
    ec2("Look at another VPC's attributes", "DescribeVpcAttribute", "vpc/vpc-2"),
    ec2("Change the VPC", "ModifyVpcAttribute", "vpc/vpc-1"),
    ec2("Make a subnet in the VPC", "CreateSubnet", "vpc/vpc-1", IN_NAMED),
    ec2("Delete a subnet of the VPC", "DeleteSubnet", "subnet/subnet-1", IN_NAMED),
    ec2("Record the traffic of the VPC", "CreateFlowLogs", "vpc/vpc-1"),
    ec2("Tag a subnet of the VPC", "CreateTags", "subnet/subnet-1", IN_NAMED | OWNER),
    ec2("Redirect a route table of the VPC", "CreateRoute", "route-table/rtb-1", IN_NAMED),
    ec2("Delete a security group of the VPC", "DeleteSecurityGroup", "security-group/sg-1", IN_NAMED),
    ec2("Delete an interface of the VPC", "DeleteNetworkInterface", "network-interface/eni-1", IN_NAMED),
]
IN_VPC = [
    ec2("Launch nodes into a subnet of the VPC", "RunInstances", "subnet/subnet-1", IN_NAMED),
    ec2("Look at the VPC's attributes", "DescribeVpcAttribute", "vpc/vpc-1"),
]

# What the customer made for self-managed mode, and what an attacker with the role would try there, in addition to all of the above.
THEIRS = {
    "account": ACCOUNT,
    "region": REGION,
    "cluster": "theirs",
    "buckets": ["theirs-data", "theirs-logs"],
    "node_role": f"{IAM}:role/nodes",
}
SELF_MANAGED = [
    Attack("Delete the customer's cluster", "eks:DeleteCluster", f"{EKS}:cluster/theirs"),
    Attack("Change the customer's cluster", "eks:UpdateClusterConfig", f"{EKS}:cluster/theirs"),
    Attack("Become administrator of the customer's cluster", "eks:CreateAccessEntry", f"{EKS}:cluster/theirs", OWNER),
    Attack("Give its pods a role", "eks:CreatePodIdentityAssociation", f"{EKS}:cluster/theirs", OWNER),
    Attack("Add nodes without the owner tag", "eks:CreateNodegroup", f"{EKS}:cluster/theirs"),
    Attack("Delete one of the customer's node groups", "eks:DeleteNodegroup", f"{EKS}:nodegroup/theirs/web/1"),
    Attack("Delete a node group with a name like ours", "eks:DeleteNodegroup", f"{EKS}:nodegroup/theirs/groundwork-web/1"),
    Attack("Tag one of the customer's node groups as ours", "eks:TagResource", f"{EKS}:nodegroup/theirs/web/1", OWNER),
    Attack("Delete the customer's bucket", "s3:DeleteBucket", f"{S3}:theirs-data"),
    Attack("Open the customer's bucket", "s3:PutBucketPolicy", f"{S3}:theirs-data"),
    Attack("List the customer's bucket", "s3:ListBucket", f"{S3}:theirs-data"),
    Attack("Read the customer's objects", "s3:GetObject", f"{S3}:theirs-data/secret"),
    Attack("Write the customer's objects", "s3:PutObject", f"{S3}:theirs-data/secret"),
    Attack("Delete the customer's objects", "s3:DeleteObject", f"{S3}:theirs-data/secret"),
    passed("Pass another role to EKS", "role/other", "eks"),
    passed("Pass the node role to EC2", "role/nodes", "ec2"),
    iam("Attach a policy to the node role", "AttachRolePolicy", "role/nodes"),
]

TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'
ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
TAG = {"Key": "groundwork:cluster", "Value": "x"}
ELSEWHERE = {"LocationConstraint": REGION}
SECRET = {"Bucket": "customers-data", "Key": "secret"}
LIMIT_HERE = "arn:aws:iam::{account}:policy/groundwork/groundwork-boundary"
STAGES_POLICY_HERE = "arn:aws:iam::{account}:policy/groundwork/groundwork-create-eks"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

# The attacks as calls to the local AWS, if it knows what refuses them. `{account}` is the customer's.
HERE = {
    "Make a role with another name": (
        "iam", "create_role", {"RoleName": "admin", "Path": "/groundwork/", "AssumeRolePolicyDocument": TRUST}
    ),
    "Put an inline policy on one of our roles": ("iam", "put_role_policy", {"RoleName": NODES, "PolicyName": "all", "PolicyDocument": ALL}),
    "Put an inline policy on the customer's role itself": (
        "iam", "put_role_policy", {"RoleName": "groundwork", "PolicyName": "all", "PolicyDocument": ALL}
    ),
    "Remove the boundary of one of our roles": ("iam", "delete_role_permissions_boundary", {"RoleName": NODES}),
    "Give one of our roles another boundary": (
        "iam", "put_role_permissions_boundary", {"RoleName": NODES, "PermissionsBoundary": ADMINISTRATOR}
    ),
    "Let somebody else assume one of our roles": ("iam", "update_assume_role_policy", {"RoleName": NODES, "PolicyDocument": TRUST}),
    "Let somebody else assume the customer's role": (
        "iam", "update_assume_role_policy", {"RoleName": "groundwork", "PolicyDocument": TRUST}
    ),
    "Delete a foreign role": ("iam", "delete_role", {"RoleName": "admin"}),
    "Tag a foreign role as ours": ("iam", "tag_role", {"RoleName": "admin", "Tags": [TAG]}),
    "Rewrite the boundary": ("iam", "create_policy_version", {"PolicyArn": LIMIT_HERE, "PolicyDocument": ALL, "SetAsDefault": True}),
    "Set the boundary to another version": ("iam", "set_default_policy_version", {"PolicyArn": LIMIT_HERE, "VersionId": "v1"}),
    "Delete the boundary": ("iam", "delete_policy", {"PolicyArn": LIMIT_HERE}),
    "Rewrite a stage's policy": (
        "iam", "create_policy_version", {"PolicyArn": STAGES_POLICY_HERE, "PolicyDocument": ALL, "SetAsDefault": True}
    ),
    "Make a user": ("iam", "create_user", {"UserName": "evil"}),
    "Make an access key for a user": ("iam", "create_access_key", {"UserName": "admin"}),
    "Delete a foreign instance profile": ("iam", "delete_instance_profile", {"InstanceProfileName": "web"}),
    "Tag a foreign VPC as ours, in order to delete it": ("ec2", "create_tags", {"Resources": ["vpc-1"], "Tags": [TAG]}),
    "Remove the owner tag": ("ec2", "delete_tags", {"Resources": ["vpc-1"], "Tags": [TAG]}),
    "Terminate a foreign instance": ("ec2", "terminate_instances", {"InstanceIds": ["i-1"]}),
    "Read a foreign bucket": ("s3", "get_object", SECRET),
    "Read an object of one of our buckets": ("s3", "get_object", SECRET | {"Bucket": "groundwork-abcdefghijkl-logs"}),
    "List a foreign bucket": ("s3", "list_objects_v2", {"Bucket": "customers-data"}),
    "Write into a foreign bucket": ("s3", "put_object", SECRET | {"Body": b"x"}),
    "Open a foreign bucket to everybody": ("s3", "put_bucket_policy", {"Bucket": "customers-data", "Policy": ALL}),
    "Remove the access block of a foreign bucket": (
        "s3", "put_public_access_block", {"Bucket": "customers-data", "PublicAccessBlockConfiguration": {"BlockPublicAcls": False}}
    ),
    "Delete a foreign bucket": ("s3", "delete_bucket", {"Bucket": "customers-data"}),
    "Delete an object of a foreign bucket": ("s3", "delete_object", SECRET),
    "Make a bucket under another name": ("s3", "create_bucket", {"Bucket": "customers-other", "CreateBucketConfiguration": ELSEWHERE}),
    "Delete a foreign log group": ("logs", "delete_log_group", {"logGroupName": "/aws/eks/production/cluster"}),
    "Delete a foreign cluster": ("eks", "delete_cluster", {"name": "production"}),
    "Become an administrator of a foreign cluster": (
        "eks", "create_access_entry", {"clusterName": "production", "principalArn": f"{IAM}:role/evil"}
    ),
    "Read a secret": ("secretsmanager", "get_secret_value", {"SecretId": "database"}),
}


def tried(way_in):
    """{what, refusal} of the attacks that the local AWS can judge, with everything that the role may do."""
    account = way_in.tenant.account
    for bucket in ("customers-data", "groundwork-abcdefghijkl-logs"):
        fill(account.client("s3"), bucket)
    session = way_in.session("attack")
    refusals = {what: session.refusal(service, call, in_account(given, account.number)) for what, (service, call, given) in HERE.items()}
    return [{"what": what, "refusal": refusal} for what, refusal in refusals.items()]


def fill(s3, bucket):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=ELSEWHERE)
    s3.put_object(Bucket=bucket, Key="secret", Body=b"secret")


def in_account(parameters, account):
    return {key: value.replace("{account}", account) if isinstance(value, str) else value for key, value in parameters.items()}
