"""The role in a customer's account: the quick-start makes it, and tests change it as a customer might."""

import json

import templates
from waiting import until


def onboard(account, wanted, role_name="groundwork", external_id=None, **more):
    """Deploys the quick-start with what GET /onboarding said, and with `more` parameters, and returns the role's ARN."""
    cloudformation = account.client("cloudformation")
    parameters = {
        "OperatorAccountId": wanted["principal"]["account_id"],
        "OperatorPrincipalPattern": wanted["principal"]["pattern"],
        "ExternalId": external_id or wanted["external_id"],
        "RoleName": role_name,
        **more,
    }
    stack_name = f"onboarding-{role_name}"
    cloudformation.create_stack(
        StackName=stack_name,
        TemplateBody=templates.source("onboarding/quick-start.yaml"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    stack = until(lambda: ended(cloudformation, stack_name), f"{stack_name} is deployed")
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "RoleArn")


def ended(cloudformation, stack_name):
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack


def replace_trust(account, role_name, old, new):
    """Replaces a text in the role's trust policy. Returns a function that puts the old policy back."""

    def replaced(policy):
        assert old in json.dumps(policy)
        return json.loads(json.dumps(policy).replace(old, new))

    return change_trust(account, role_name, replaced)


def change_trust(account, role_name, change):
    """Gives the role a changed trust policy. Returns a function that puts the old one back."""
    iam = account.client("iam")
    before = iam.get_role(RoleName=role_name)["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=json.dumps(change(before)))
    return lambda: iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=json.dumps(before))


def take_permission(account, role_name, action):
    """Takes an action out of every policy of the role. Returns a function that puts it back."""
    iam = account.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]
    before = {policy["PolicyArn"]: document(iam, policy["PolicyArn"]) for policy in attached}
    taken = {arn: whole for arn, whole in before.items() if without(whole, action) != whole}
    assert taken, f"no policy of {role_name} has {action}"
    write_policies(iam, {arn: without(whole, action) for arn, whole in taken.items()})
    return lambda: write_policies(iam, taken)


def remove_policy(account, role_name, stage):
    """Detaches and deletes a stage's policy, and returns its ARN."""
    iam = account.client("iam")
    arn = f"arn:aws:iam::{account.number}:policy/groundwork/{role_name}-{stage}"
    iam.detach_role_policy(RoleName=role_name, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    return arn


def document(iam, arn):
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def write_policies(iam, documents):
    for arn, text in documents.items():
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(text), SetAsDefault=True)


def without(policy, action):
    def kept(statement):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        return {**statement, "Action": [one for one in actions if one != action]}

    statements = [kept(statement) for statement in policy["Statement"]]
    return {**policy, "Statement": [statement for statement in statements if statement["Action"]]}
