"""KMS keys that customers let their clusters be encrypted with."""

import json

TAGS = [{"TagKey": "groundwork:encryption", "TagValue": "allowed"}]


def new(account):
    """The ARN of a key with the tag, and with the policy that KMS gives a key and that Auto Scaling and the delivery of flow logs need."""
    made = account.client("kms").create_key(Tags=TAGS, Policy=json.dumps(policy(account.number)))
    return made["KeyMetadata"]["Arn"]


def policy(number, auto_scaling=True, flow_logs=True):
    root = f"arn:aws:iam::{number}:root"
    scaling = f"arn:aws:iam::{number}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    uses = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    statements = [allow(root, "kms:*")]
    if auto_scaling:
        grant = allow(scaling, "kms:CreateGrant") | {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
        statements += [allow(scaling, uses), grant]
    if flow_logs:
        statements.append(allow(None, uses) | {"Principal": {"Service": "delivery.logs.amazonaws.com"}})
    return {"Version": "2012-10-17", "Statement": statements}


def allow(principal, actions):
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"}
