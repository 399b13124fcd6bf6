"""A function in a VPC of the operator's calls AWS by the NAT gateway, and every other function does not."""

import io
import json
import zipfile

import aws_clients
import cloud
import pytest
import settings
from service import one_at_a_time

# It tells whoever invokes it what it calls as AWS.
BOOTSTRAP = """#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
    id=$(curl -sS -D - -o /dev/null "$api/next" | tr -d '\\r' | awk -F': ' 'tolower($1) == "lambda-runtime-aws-request-id" { print $2 }')
    curl -sS -o /dev/null -d "\\"$AWS_ENDPOINT_URL\\"" "$api/$id/response"
done
"""
ALLOWED = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = {"Version": "2012-10-17", "Statement": [ALLOWED]}


@pytest.fixture
def aws():
    with one_at_a_time():
        cloud.start()
    return aws_clients.operator


def test_a_function_in_a_vpc_goes_out_by_its_nat_gateway(aws):
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.78.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.78.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="ways-out", Description="of a function", VpcId=vpc)["GroupId"]
    role = aws("iam").create_role(RoleName="ways-out", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    for name, more, way in (
        ("ways-out-vpc", {"VpcConfig": {"SubnetIds": [subnet], "SecurityGroupIds": [group]}}, settings.NAT_URL),
        ("ways-out-none", {}, settings.CLOUD_URL),
    ):
        aws("lambda").create_function(
            FunctionName=name, Runtime="provided.al2023", Handler="bootstrap", Role=role, Code={"ZipFile": zipped()}, **more
        )
        answer = aws("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert json.load(answer["Payload"]) == way, name
        aws("lambda").delete_function(FunctionName=name)
    aws("iam").delete_role(RoleName="ways-out")
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        archive.writestr(bootstrap, BOOTSTRAP)
    return file.getvalue()
