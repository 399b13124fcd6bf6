"""What the local EKS believes of a token: what its control planes ask it, without one."""

import json
import os
import random
import subprocess
import time

import aws_clients
import clock
import cloud
import pytest
import requests
import settings
from account import Account
from service import one_at_a_time

MINUTE = 60


@pytest.fixture
def account():
    with one_at_a_time():
        cloud.start()
    account = Account(str(random.randrange(3 * 10**11, 10**12)))
    allowed = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [allowed]}
    role = account.client("iam").create_role(RoleName="cluster", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    eks = aws_clients.client("eks", (account.number, "test"), settings.PROXY_URL)
    for name in ("one", "another"):
        # Who made a cluster has an entry in it.
        eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": []})
    return account


def test_a_token_is_believed_for_its_cluster_and_a_quarter_of_an_hour(account):
    for asked, changed, believed, why in (
        ("one", {}, True, "the maker's"),
        ("another", {}, False, "it is signed for another cluster"),
        ("one", {"AWS_SECRET_ACCESS_KEY": "guessed"}, False, "it is signed with another secret"),
        ("one", {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, False, "nobody has that key"),
        ("one", made_ago(14 * MINUTE), True, "it is young enough"),
        ("one", made_ago(16 * MINUTE), False, "it is too old"),
        ("one", made_ago(-16 * MINUTE), False, "it is of the future"),
    ):
        assert is_believed(account, asked, token(account, changed)) == believed, why
    assert not is_believed(account, "one", "k8s-aws-v1.c29tZXRoaW5n"), "it is no request to STS"


def made_ago(seconds):
    """The clock of whoever makes it stands still then."""
    return {"LD_PRELOAD": str(clock.LIBRARY), "CLOCK_BEGUN": str(int(time.time()) - seconds), "CLOCK_SPEED": "0"}


def token(account, changed):
    command = [settings.TOOLS / "test/bin/aws", "eks", "get-token", "--cluster-name", "one", "--region", settings.REGION]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": account.number, "AWS_SECRET_ACCESS_KEY": "test"}
    made = subprocess.run(command, env=inherited | keys | changed, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(made.stdout)["status"]["token"]


def is_believed(account, cluster, token):
    url = f"{settings.EMULATOR_URL}/_ministack/eks-auth/{account.number}/{settings.REGION}/{cluster}/review"
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    return requests.post(url, json=review, timeout=30).json()["status"]["authenticated"]
