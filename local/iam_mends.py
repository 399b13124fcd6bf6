"""IAM of the local AWS, mended: who a function is, what a call is about, what a simulation answers.

* On AWS a function's aws:PrincipalArn is its role, with the role's path; in ministack it is its session.
* The ARN with which a call is evaluated lacks the path of a role, and for some kinds of things there is none.
* SimulatePrincipalPolicy looks at the first resource only, and ignores the context.
* STS looks for a session's policies before it looks for the role; AWS says of a role that is not there only that it may not be assumed.
* Policies' resources may have variables. ministack knows them in conditions only.
* The conditions that are unknown here are taken out of every policy when it is evaluated.
"""

import dataclasses
import json
import re
from urllib.parse import unquote
from xml.sax.saxutils import escape

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import autoscaling, iam, sts
from unknown_conditions import stripped

MADE = {
    "CreateVpc": "vpc",
    "CreateSubnet": "subnet",
    "CreateInternetGateway": "internet-gateway",
    "AllocateAddress": "elastic-ip",
    "CreateNatGateway": "natgateway",
    "CreateRouteTable": "route-table",
    "CreateVpcEndpoint": "vpc-endpoint",
    "CreateLaunchTemplate": "launch-template",
    "CreateFlowLogs": "vpc-flow-log",
}
NAMED = {
    "RouteTableId": "route-table",
    "AssociationId": "route-table",
    "NatGatewayId": "natgateway",
    "LaunchTemplateId": "launch-template",
    "FlowLogId.1": "vpc-flow-log",
}
LINKED = {"spot.amazonaws.com": "AWSServiceRoleForEC2Spot"}
IN_A_CLUSTER = {
    "node-groups": "nodegroup",
    "addons": "addon",
    "access-entries": "access-entry",
    "pod-identity-associations": "podidentityassociation",
}
VARIABLE = re.compile(r"\$\{([^}*?$]+)\}")


def mend():
    iam_evaluator._resolve_condition_key = with_roles_as_principals(iam_evaluator._resolve_condition_key)
    iam_evaluator._first_match = with_variables(iam_evaluator._first_match)
    iam_evaluator.parse_policy_document = with_known_conditions(iam_evaluator.parse_policy_document)
    iam_actions.extract_resource_arn = with_whole_arns(iam_actions.extract_resource_arn)
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulate
    sts._session_policies = once_there_is_a_role(sts._session_policies)


def with_roles_as_principals(resolve):
    def resolve_key(key, context):
        value = resolve(key, context)
        if key.lower() == "aws:principalarn" and ":assumed-role/" in str(value):
            account, name = value.split(":")[4], value.split("/")[1]
            role = iam._roles.get_scoped(account, None, name)
            return role["Arn"] if role else value
        return value

    return resolve_key


def with_variables(first_match):
    """A policy's resources may name what the request says: `${aws:PrincipalTag/groundwork:cluster}`. ministack knows that in conditions only.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""

    def first_matching(context, statements, effect):
        return first_match(context, [filled_in(statement, context) for statement in statements], effect)

    return first_matching


def filled_in(statement, context):
    if not any("${" in resource for resource in statement.resources):
        return statement

    def value(variable):
        # What the request does not say stays, and matches nothing.
        return iam_evaluator._resolve_condition_key(variable[1], context) or variable[0]

    return dataclasses.replace(statement, resources=[VARIABLE.sub(value, resource) for resource in statement.resources])


def with_known_conditions(parse):
    def parse_policy_document(document):
        return parse(stripped(json.loads(document) if isinstance(document, str) else document))

    return parse_policy_document


def once_there_is_a_role(session_policies):
    """What is wrong with a session's policies, which nobody is told without a role."""

    def session_policies_of(params, account=None, check=True):
        arn = field(params, "RoleArn")
        known = not arn or iam._roles.get_scoped(account, None, arn.split("/")[-1])
        return session_policies(params, account, check=check and bool(known))

    return session_policies_of


def with_whole_arns(extract):
    def extract_resource_arn(service, method, path, headers, body, query, region, account):
        services = {"autoscaling": of_auto_scaling, "ec2": of_ec2, "eks": of_eks, "elasticloadbalancing": of_balancers, "iam": of_iam}
        known = services.get(service)
        found = known(query, path, f"arn:aws:{service}:{region}:{account}:", account) if known else None
        return found or extract(service, method, path, headers, body, query, region, account)

    return extract_resource_arn


def of_auto_scaling(query, _path, prefix, _account):
    """Of an instance, its group: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html"""
    instance = field(query, "InstanceId")
    having = (name for name, group in autoscaling._asgs.items() if instance in [one["InstanceId"] for one in group["Instances"]])
    return next((f"{prefix}autoScalingGroup:*:autoScalingGroupName/{name}" for name in having), None)


def of_ec2(query, _path, prefix, account):
    made = MADE.get(field(query, "Action"))
    if made:
        return f"{prefix}{made}/*"
    if field(query, "Action") == "DeleteSnapshot":
        # Snapshots have no account in their ARN.
        return f"{prefix.replace(account, '')}snapshot/{field(query, 'SnapshotId')}"
    return next((f"{prefix}{kind}/{field(query, name)}" for name, kind in NAMED.items() if field(query, name)), None)


def of_eks(_query, path, prefix, _account):
    """/clusters/<cluster>/<collection>/<item>. Without an item, the call is about the cluster."""
    parts = [unquote(part) for part in path.split("/") if part]
    if len(parts) < 4 or parts[2] not in IN_A_CLUSTER:
        return None
    return f"{prefix}{IN_A_CLUSTER[parts[2]]}/{parts[1]}/{parts[3]}/1"


def of_iam(query, _path, _prefix, account):
    service = field(query, "AWSServiceName")
    if service:
        return f"arn:aws:iam::{account}:role/aws-service-role/{service}/{LINKED.get(service, '*')}"
    profile = field(query, "InstanceProfileName")
    if profile:
        return f"arn:aws:iam::{account}:instance-profile/{profile}"
    name = field(query, "RoleName")
    if not name:
        return field(query, "PolicySourceArn") or None
    known = iam._roles.get(name)
    return f"arn:aws:iam::{account}:role{known['Path'] if known else field(query, 'Path') or '/'}{name}"


def of_balancers(query, _path, prefix, _account):
    name = field(query, "LoadBalancerName")
    return f"{prefix}loadbalancer/{name}" if name else None


def field(query, name):
    return iam_actions._query_param(query, name)


def simulate(query):
    """Evaluates every action with every resource, in the given context."""
    principal = field(query, "PolicySourceArn")
    account = responses.get_account_id()
    policies = iam_evaluator._gather_role_policies(principal.split("/")[-1], account)
    context = {
        field(query, f"{entry}.ContextKeyName").lower(): members(query, f"{entry}.ContextKeyValues")
        for entry in numbered(query, "ContextEntries", ".ContextKeyName")
    }
    results = ""
    for action in members(query, "ActionNames"):
        resources = members(query, "ResourceArns") or ["*"]
        decided = {resource: decide(principal, account, action, resource, context, policies) for resource in resources}
        results += result(action, decided)
    body = f"<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>"
    return iam._xml(200, "SimulatePrincipalPolicyResponse", body, ns="iam")


def decide(principal, account, action, resource, context, policies):
    asked = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        service_context={key: values[0] if len(values) == 1 else values for key, values in context.items()},
    )
    decision = iam_evaluator.evaluate(asked, policies).decision
    return {"Allow": "allowed", "Deny": "explicitDeny"}.get(decision, "implicitDeny")


def result(action, decided):
    """The decision for the action is the worst one among its resources."""
    each = "".join(
        f"<member><EvalResourceName>{escape(resource)}</EvalResourceName><EvalResourceDecision>{decision}</EvalResourceDecision></member>"
        for resource, decision in decided.items()
    )
    worst = next((decision for decision in decided.values() if decision != "allowed"), "allowed")
    return (
        f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName><EvalDecision>{worst}</EvalDecision>"
        f"<ResourceSpecificResults>{each}</ResourceSpecificResults></member>"
    )


def members(query, name):
    return [field(query, member) for member in numbered(query, name, "")]


def numbered(query, name, rest):
    """`<name>.member.1`, `<name>.member.2` and so on, as long as there are any."""
    found = []
    while field(query, f"{name}.member.{len(found) + 1}{rest}"):
        found.append(f"{name}.member.{len(found) + 1}")
    return found
