"""Real sessions of a customer's role on the local AWS, assumed as the stage functions do."""

import json
import secrets

import boto3

import aws_clients
import settings


class WayIn:
    def __init__(self, tenant):
        self.tenant = tenant
        self.wanted = tenant.onboarding()
        self.operator = as_stage_function(self.wanted["principal"]["pattern"])

    def session(self, name, **policies):
        """With `PolicyArns` and `Policy`, or with everything that the role may do."""
        given = assumed(self.operator, self.tenant.role_arn, name, ExternalId=self.wanted["external_id"], **policies)
        return Session(given)


class Session:
    def __init__(self, given):
        self.given = given

    def refusal(self, service, call, parameters):
        """The code with which AWS refuses the call if a permission is missing, otherwise None."""
        client = boto3.client(service, endpoint_url=settings.EMULATOR_URL, region_name=settings.REGION, **self.given)
        try:
            getattr(client, call)(**parameters)
        except client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            return code if code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation") else None
        return None


def as_stage_function(pattern):
    """A session of a role that matches the pattern that customers trust: a path, and any name."""
    iam = aws_clients.operator("iam")
    path, name = pattern.split(":role")[1].removesuffix("*"), secrets.token_hex(4)
    root = {"AWS": f"arn:aws:iam::{settings.OPERATOR_ACCOUNT}:root"}
    role = iam.create_role(Path=path, RoleName=name, AssumeRolePolicyDocument=document(Principal=root, Action="sts:AssumeRole"))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="assume", PolicyDocument=document(Action="sts:AssumeRole", Resource="*"))
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), settings.OPERATOR_KEYS))
    return assumed(keys, role["Arn"], "proof")


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def assumed(credentials, role_arn, name, **more):
    sts = boto3.client("sts", endpoint_url=settings.EMULATOR_URL, region_name=settings.REGION, **credentials)
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName=name, **more)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
