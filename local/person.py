"""Somebody in a customer's account: a role that its people assume, and the environment of a terminal as that role."""

import json
import os

import settings


def role(account, name):
    """The ARN of a new role that whoever is in the account may assume."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.number}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return account.client("iam").create_role(RoleName=name, Path="/people/", AssumeRolePolicyDocument=document)["Role"]["Arn"]


def terminal(account, role_arn):
    """A token for Kubernetes is signed without a call, so there is no AWS to say where."""
    session = account.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="her")["Credentials"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | {
        "PATH": f"{settings.TOOLS / 'test/bin'}:{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
