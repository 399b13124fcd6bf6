"""What EKS does inside a cluster, on the local AWS: what the control planes of tests/kubernetes ask it.

* Who a token is of: ministack checks the token's signature with the secret of its key, and finds the access entry. A token lives for 15
  minutes, by the machine's clock or by the functions', whichever its maker had.
  https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
* What a cluster is to be: who reaches it, the access policies as roles and bindings, the drivers of add-ons, which service accounts have roles, the
  node groups with their instances.
* AssumeRoleForPodIdentity: the credentials of a pod, by its service account's token. That is believed unseen; only the cluster's own
  server could check it.
  https://docs.aws.amazon.com/eks/latest/APIReference/API_auth_AssumeRoleForPodIdentity.html
"""

import base64
import json
import re
import secrets
import time
from contextvars import ContextVar
from datetime import datetime
from types import SimpleNamespace

import clock
import settings
from eks_mends import scaled_by
from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import autoscaling, ec2, eks, iam, sts

# ministack takes a POST that begins like this for one of a control plane, which has no credentials of AWS.
QUESTION = re.compile(r"/_ministack/eks-auth/([0-9]{12})/([a-z0-9-]+)/([A-Za-z0-9_-]+)/(review|state)")
POD_IDENTITY = re.compile(r"/clusters/([A-Za-z0-9_-]+)/assume-role-for-pod-identity")
PODS = "pods.eks.amazonaws.com"
# https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
DRIVERS = {"aws-ebs-csi-driver": "ebs.csi.aws.com", "aws-mountpoint-s3-csi-driver": "s3.csi.aws.com"}
HOUR = 3600


def mend():
    eks._handle_request_sync = with_questions(eks._handle_request_sync)
    eks._verify_eks_token = by_either_clock(eks._verify_eks_token)
    app.detect_service = with_pod_identity(app.detect_service)


def with_pod_identity(detect):
    def detect_service(method, path, headers, query):
        return "eks" if POD_IDENTITY.fullmatch(path) else detect(method, path, headers, query)

    return detect_service


def with_questions(handle):
    def handle_request(method, path, headers, body, query):
        if asked := QUESTION.fullmatch(path):
            account, region, cluster, question = asked.groups()
            with request_scope(account, region):
                return {"review": review, "state": state}[question](account, region, cluster, json.loads(body))
        if asked := POD_IDENTITY.fullmatch(path):
            return assume_role(asked[1], json.loads(body))
        return handle(method, path, headers, body, query)

    return handle_request


# --- Tokens ----------------------------------------------------------------------------------------

READ = ContextVar("READ", default=datetime.now)


class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return READ.get()(tz)


def by_either_clock(verify):
    # In this module of ministack's, only the age of a token is read from it.
    eks.dt = SimpleNamespace(datetime=Clock, timezone=eks.dt.timezone)

    def verify_token(token, cluster):
        READ.set(datetime.now)
        known = verify(token, cluster)
        READ.set(lambda _: clock.now())
        return known or verify(token, cluster)

    return verify_token


def review(account, region, name, asked):
    cluster = eks._clusters.get(name) or {}
    return eks._authenticate_token_review(name, account, region, asked, cluster.get("_auth_token", ""))


# --- What a cluster is to be -----------------------------------------------------------------------


def state(account, region, name, asked):
    cluster = eks._clusters.get(name)
    if not cluster:
        return eks._error(404, "ResourceNotFoundException", f"No cluster found for name: {name}.")
    reach = cluster["resourcesVpcConfig"]
    groups = [group for group in eks._nodegroups.values() if group["clusterName"] == name]
    return eks._json_resp(200, {
        "public": reach["publicAccessCidrs"] if reach["endpointPublicAccess"] else [],
        "operator": operators_address(reach["publicAccessCidrs"]),
        "objects": eks._access_policy_rbac_objects(name, account, region, asked["namespaces"]) + drivers(name),
        "associated": [f"{one['namespace']}/{one['serviceAccount']}" for one in associations(name)],
        "groups": [group | {"instances": instances_of(group), "diskSize": disk_of(group)} for group in groups],
    })


def operators_address(ranges):
    """Of one of the operator's NAT gateways, if there is any: each stack has its own, and of which a call comes is not told apart."""
    with request_scope(settings.OPERATOR_ACCOUNT, settings.REGION):
        gateways = [gateway for gateway in ec2._nat_gateways.values() if gateway["State"] == "available"]
        addresses = [ec2._addresses[gateway["AllocationId"]]["PublicIp"] for gateway in gateways if gateway["AllocationId"] in ec2._addresses]
    admitted = [address for address in addresses if f"{address}/32" in ranges]
    return next(iter(admitted + addresses), "")


def drivers(name):
    """Of the add-ons for disks and buckets."""
    return [
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": driver}, "spec": {}}
        for addon, driver in DRIVERS.items()
        if f"{name}/{addon}" in eks._addons
    ]


def instances_of(group):
    scaled = autoscaling._asgs.get(scaled_by(group)) or {"Instances": []}
    return [{"id": one["InstanceId"], "zone": one["AvailabilityZone"]} for one in scaled["Instances"]]


def disk_of(group):
    """In GiB, the largest of its launch template's disks, which has the containers; or its own."""
    mappings = [mapping for data in template_data(group) for mapping in data.get("BlockDeviceMappings", [])]
    sizes = [mapping["Ebs"]["VolumeSize"] for mapping in mappings if "VolumeSize" in mapping.get("Ebs", {})]
    return max(sizes, default=group["diskSize"])


def template_data(group):
    """Of its launch template's version, if it has one."""
    wanted = group.get("launchTemplate", {})
    for template in ec2._launch_templates.values():
        if wanted.get("id") == template["LaunchTemplateId"] or wanted.get("name") == template["LaunchTemplateName"]:
            for version in template["Versions"]:
                if str(version["VersionNumber"]) == wanted.get("version", str(template["DefaultVersionNumber"])):
                    yield version["LaunchTemplateData"]


# --- Pods ------------------------------------------------------------------------------------------


def assume_role(cluster, body):
    namespace, account = subject_of(body["token"])
    association = associated(cluster, namespace, account)
    if not association:
        return eks._error(404, "ResourceNotFoundException", "No pod identity association for this service account")
    role = association["roleArn"]
    if not trusts_pods(role):
        message = f"Unauthorized Exception! EKS does not have permissions to assume the associated role: {role}"
        return eks._error(400, "AccessDeniedException", message)
    session = f"eks-{cluster}-{account}"[:60].rstrip("-")
    arn = role.replace(":iam:", ":sts:").split(":role/")[0] + f":assumed-role/{role.split('/')[-1]}/{session}"
    keys = {"accessKeyId": sts._gen_session_access_key(), "secretAccessKey": sts._gen_secret(), "sessionToken": sts._gen_session_token()}
    until = time.time() + 6 * HOUR
    sts.register_session(keys["accessKeyId"], {
        "Arn": arn,
        "UserId": f"{sts._role_id(role)}:{session}",
        "SecretAccessKey": keys["secretAccessKey"],
        "SessionToken": keys["sessionToken"],
        "Expiration": until,
        "AccountId": role.split(":")[4],
        "PrincipalType": "AssumedRole",
        "SessionTags": tags_of(cluster, namespace, account, association),
    })
    return eks._json_resp(200, {
        "subject": {"namespace": namespace, "serviceAccount": account},
        "audience": PODS,
        "podIdentityAssociation": {"associationArn": association["associationArn"], "associationId": association["associationId"]},
        "assumedRoleUser": {"arn": arn, "assumeRoleId": secrets.token_hex(8)},
        "credentials": keys | {"expiration": int(until)},
    })


def subject_of(token):
    """Namespace and name, from `system:serviceaccount:<namespace>:<name>`."""
    claims = token.split(".")[1]
    subject = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
    return subject.split(":")[2:]


def associations(cluster):
    return [one for key, one in eks._pod_identity_associations.items() if key.startswith(f"{cluster}\x00")]


def associated(cluster, namespace, account):
    return next((one for one in associations(cluster) if (one["namespace"], one["serviceAccount"]) == (namespace, account)), None)


def trusts_pods(arn):
    role = iam._roles.get(arn.split("/")[-1])
    if not role:
        return False
    trust = json.loads(role["AssumeRolePolicyDocument"])
    about_pods = {"Statement": [one for one in trust["Statement"] if PODS in services_in(one)]}
    asked = [asking(action, arn) for action in ("sts:AssumeRole", "sts:TagSession")]
    return all(iam_evaluator.evaluate_trust_policy(about_pods, context.principal_arn, context) for context in asked)


def services_in(statement):
    services = statement.get("Principal", {}).get("Service", [])
    return [services] if isinstance(services, str) else services


def asking(action, arn):
    """To ministack, every service is the account's root."""
    account = arn.split(":")[4]
    return iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{account}:root",
        principal_type="Root",
        principal_account=account,
        action=action,
        resource_arn=arn,
        region=settings.REGION,
    )


def tags_of(cluster, namespace, account, association):
    """https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html"""
    if association["disableSessionTags"]:
        return []
    tags = {"eks-cluster-name": cluster, "kubernetes-namespace": namespace, "kubernetes-service-account": account}
    return [{"Key": key, "Value": value} for key, value in tags.items()]
