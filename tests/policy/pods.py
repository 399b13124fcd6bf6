"""The roles of pods: what the autoscaler's and a researcher's have to be able to do, and what an attacker in such a pod would try.

The quick-start's policy is also the role's boundary, so that nothing else that such a role may get counts: in these questions its other
policies allow all of AWS. In a cluster of the customer's own it is the role's only policy.
"""

import policies
from attacks import ACCOUNT, ALLOWED_KEY, CUSTOMERS, EKS, REFUSED_KEY, REGION, S3, THEIRS, Attack, ec2, key

AUTOSCALER, WORKLOAD = "autoscaler", "workload"
# In a cluster that the customer made.
THEIR_AUTOSCALER, THEIR_WORKLOAD = "self-managed autoscaler", "self-managed workload"


def document(name):
    whose, _, kind = name.rpartition(" ")
    return policies.of_their_pods(kind, **THEIRS) if whose else policies.document(kind, ACCOUNT)


OURS = {"s3:ResourceAccount": [ACCOUNT]}
OF_ANOTHER_ACCOUNT = {"s3:ResourceAccount": ["333333333333"]}
BY_S3 = {"kms:ViaService": [f"s3.{REGION}.amazonaws.com"]}
BY_EC2 = {"kms:ViaService": [f"ec2.{REGION}.amazonaws.com"]}

GROUP = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:1:autoScalingGroupName"
NODES = {"aws:ResourceTag/eks:cluster-name": ["groundwork-a-abcdefghijkl"]}
OF_ANOTHER = {"aws:ResourceTag/eks:cluster-name": ["groundwork-a-zyxwvutsrqpo"]}
OF_A_FOREIGN = {"aws:ResourceTag/eks:cluster-name": ["production"]}
IN_THEIRS = {"aws:ResourceTag/eks:cluster-name": ["theirs"], "aws:ResourceTag/eks:nodegroup-name": ["groundwork-abcdefghijkl-g4dn-xlarge"]}
THEIR_OWN = IN_THEIRS | {"aws:ResourceTag/eks:nodegroup-name": ["system"]}
ELSEWHERE = IN_THEIRS | OF_A_FOREIGN


def bucket(what, action, name, context=None):
    return Attack(what, f"s3:{action}", f"{S3}:{name}", OURS if context is None else context)


def scaling(what, action, group, context=None):
    return Attack(what, f"autoscaling:{action}", f"{GROUP}/{group}", context or {})


WORK = {
    AUTOSCALER: [
        Attack("Look at the scaling groups", "autoscaling:DescribeAutoScalingGroups", "*"),
        Attack("Look at a node group of its cluster", "eks:DescribeNodegroup", f"{EKS}:nodegroup/groundwork-a-abcdefghijkl/g4dn-xlarge/1"),
        scaling("Ask for a node", "SetDesiredCapacity", "eks-g4dn-xlarge-1", NODES),
        scaling("Give a node back", "TerminateInstanceInAutoScalingGroup", "eks-g4dn-xlarge-1", NODES),
    ],
    WORKLOAD: [
        bucket("List a bucket of its cluster", "ListBucket", "groundwork-abcdefghijkl-artifacts"),
        bucket("Read from it", "GetObject", "groundwork-abcdefghijkl-artifacts/model"),
        bucket("Write into it", "PutObject", "groundwork-abcdefghijkl-artifacts/model"),
        bucket("Delete in it", "DeleteObject", "groundwork-abcdefghijkl-artifacts/model"),
        key("Read what the customer's key encrypts in a bucket", "Decrypt", ALLOWED_KEY, BY_S3),
        key("Write so that it does", "GenerateDataKey", ALLOWED_KEY, BY_S3),
    ],
    THEIR_AUTOSCALER: [
        Attack("Look at the scaling groups", "autoscaling:DescribeAutoScalingGroups", "*"),
        Attack("Look at a node group of ours", "eks:DescribeNodegroup", f"{EKS}:nodegroup/theirs/groundwork-abcdefghijkl-g4dn-xlarge/1"),
        scaling("Ask for a node", "SetDesiredCapacity", "eks-groundwork-abcdefghijkl-g4dn-xlarge-1", IN_THEIRS),
        scaling("Give a node back", "TerminateInstanceInAutoScalingGroup", "eks-groundwork-abcdefghijkl-g4dn-xlarge-1", IN_THEIRS),
    ],
    THEIR_WORKLOAD: [
        bucket("List a bucket that the customer names", "ListBucket", "theirs-data"),
        bucket("Read from it", "GetObject", "theirs-data/model"),
        bucket("Write into it", "PutObject", "theirs-logs/line"),
    ],
}

EVERYWHERE = [
    Attack("Assume the customer's role", "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:{CUSTOMERS}"),
    Attack("Assume a foreign role", "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin"),
    ec2("Run an instance", "RunInstances", "instance/*"),
    ec2("Terminate an instance", "TerminateInstances", "instance/i-1"),
    Attack("Become administrator of a cluster", "eks:CreateAccessEntry", f"{EKS}:cluster/groundwork-a-abcdefghijkl"),
    Attack("Read a secret", "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database"),
]

ATTACKS = {
    AUTOSCALER: [
        *EVERYWHERE,
        scaling("Ask for a node of another cluster of ours", "SetDesiredCapacity", "eks-g4dn-xlarge-1", OF_ANOTHER),
        scaling("End a node of a foreign cluster", "TerminateInstanceInAutoScalingGroup", "eks-web-1", OF_A_FOREIGN),
        scaling("Scale a group that is of no cluster", "SetDesiredCapacity", "web"),
        scaling("Let a group have more nodes than the spec says", "UpdateAutoScalingGroup", "eks-g4dn-xlarge-1", NODES),
        scaling("Delete a group", "DeleteAutoScalingGroup", "eks-g4dn-xlarge-1", NODES),
        Attack("Look at another cluster's node group", "eks:DescribeNodegroup", f"{EKS}:nodegroup/groundwork-a-zyxwvutsrqpo/system/1"),
        Attack("Change a node group", "eks:UpdateNodegroupConfig", f"{EKS}:nodegroup/groundwork-a-abcdefghijkl/g4dn-xlarge/1"),
        bucket("Read from a bucket of its cluster", "GetObject", "groundwork-abcdefghijkl-artifacts/model"),
    ],
    WORKLOAD: [
        *EVERYWHERE,
        bucket("List another cluster's bucket", "ListBucket", "groundwork-zyxwvutsrqpo-artifacts"),
        bucket("Read from another cluster's bucket", "GetObject", "groundwork-zyxwvutsrqpo-artifacts/model"),
        bucket("Read from a foreign bucket", "GetObject", "customers-data/secret"),
        bucket("Write into another account's bucket with such a name", "PutObject", "groundwork-abcdefghijkl-x/y", OF_ANOTHER_ACCOUNT),
        bucket("Open a bucket of its cluster to everybody", "PutBucketPolicy", "groundwork-abcdefghijkl-artifacts"),
        bucket("Delete a bucket of its cluster", "DeleteBucket", "groundwork-abcdefghijkl-artifacts"),
        bucket("Let what is in it expire", "PutLifecycleConfiguration", "groundwork-abcdefghijkl-artifacts"),
        key("Use the customer's key beside S3", "Decrypt", ALLOWED_KEY, BY_EC2),
        key("Use a key that is not for clusters", "Decrypt", REFUSED_KEY, BY_S3),
        scaling("Ask for a node", "SetDesiredCapacity", "eks-g4dn-xlarge-1", NODES),
    ],
    THEIR_AUTOSCALER: [
        *EVERYWHERE,
        scaling("Scale a group of the customer's in the same cluster", "SetDesiredCapacity", "eks-system-1", THEIR_OWN),
        scaling("End a node of the customer's", "TerminateInstanceInAutoScalingGroup", "eks-system-1", THEIR_OWN),
        scaling("Scale a group of that name in another cluster", "SetDesiredCapacity", "eks-groundwork-abcdefghijkl-g4dn-xlarge-1", ELSEWHERE),
        scaling("Let a group have more nodes than the spec says", "UpdateAutoScalingGroup", "eks-groundwork-abcdefghijkl-g4dn-xlarge-1", IN_THEIRS),
        Attack("Look at a node group of the customer's", "eks:DescribeNodegroup", f"{EKS}:nodegroup/theirs/system/1"),
        bucket("Read from a bucket", "GetObject", "theirs-data/model"),
    ],
    THEIR_WORKLOAD: [
        *EVERYWHERE,
        bucket("Read from another bucket of the customer's", "GetObject", "customers-data/secret"),
        bucket("Write into another account's bucket with such a name", "PutObject", "theirs-data/y", OF_ANOTHER_ACCOUNT),
        bucket("Open a bucket to everybody", "PutBucketPolicy", "theirs-data"),
        bucket("Delete a bucket", "DeleteBucket", "theirs-data"),
        scaling("Ask for a node", "SetDesiredCapacity", "eks-groundwork-abcdefghijkl-g4dn-xlarge-1", IN_THEIRS),
    ],
}
