"""An IAM evaluator that knows AWS's authorization reference: @cloud-copilot/iam-simulate, run as a separate program."""

import json
import subprocess
from dataclasses import asdict, dataclass

from policies import REPOSITORY

TOOLS = REPOSITORY / ".local"


@dataclass(frozen=True)
class Question:
    """May the principal do that, by the policies of the identity, and by those of the session and the boundary if there are any?"""

    principal: str
    identity: tuple
    session: str | None
    action: str
    resource: str
    context: dict
    boundary: str | None = None


@dataclass
class Answer:
    decision: str
    why: str
    # The context keys that AWS does not give for this action and resource.
    ignored: list

    @property
    def allowed(self):
        return self.decision == "Allowed"

    @property
    def denied(self):
        return self.decision.endswith("Denied")


def decide(policies, questions):
    """The answers to the questions. They name their policies, which are in `policies`."""
    asked = json.dumps({"policies": policies, "questions": [asdict(one) for one in questions]})
    command = ["node", REPOSITORY / "tests/policy/evaluate.mjs", TOOLS]
    said = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout
    return [Answer(**one) for one in json.loads(said)]


def check_evaluator():
    """The cases that the evaluator gets wrong, of some whose answers are known from the documentation of IAM."""
    principal, vpc = "arn:aws:sts::222222222222:assumed-role/a/b", "arn:aws:ec2:us-west-2:222222222222:vpc/vpc-1"
    tagged, mine, other = (
        {"StringEquals": {"aws:ResourceTag/owner": "me"}},
        {"aws:ResourceTag/owner": ["me"]},
        {"aws:ResourceTag/owner": ["you"]},
    )
    policies = {
        "all": statement("Allow", "*"),
        "tagged": statement("Allow", "ec2:DeleteVpc", Condition=tagged),
        "not others": {
            **statement("Allow", "*"),
            "Statement": statements("Allow", "*")
            + statements(
                "Deny", "*", Condition={"Null": {"aws:ResourceTag/owner": "false"}, "StringNotEquals": {"aws:ResourceTag/owner": "me"}}
            ),
        },
        "only s3": statement("Allow", "s3:*"),
    }
    cases = [
        (("all",), None, {}, "Allowed", "an allow"),
        (("tagged",), None, mine, "Allowed", "the tag is as required"),
        (("tagged",), None, other, "ImplicitlyDenied", "the tag is different"),
        (("tagged",), None, {}, "ImplicitlyDenied", "there is no tag"),
        (("only s3", "tagged"), None, mine, "Allowed", "the role has what any of its policies allows"),
        (("all",), "only s3", {}, "ImplicitlyDenied", "a session has no more than its policy"),
        (("only s3",), "all", {}, "ImplicitlyDenied", "a session has no more than its role"),
        (("all",), "not others", mine, "Allowed", "the denial is about what others own"),
        (("all",), "not others", {}, "Allowed", "the denial is about what has a tag"),
        (("all",), "not others", other, "ExplicitlyDenied", "a denial overrides every allow"),
    ]
    answers = decide(
        policies, [Question(principal, identity, session, "ec2:DeleteVpc", vpc, context) for identity, session, context, _, _ in cases]
    )
    return [f"{why}: {answer.decision} {answer.why}" for (*_, expected, why), answer in zip(cases, answers) if answer.decision != expected]


def statement(effect, action, **more):
    return {"Version": "2012-10-17", "Statement": statements(effect, action, **more)}


def statements(effect, action, **more):
    return [{"Effect": effect, "Action": action, "Resource": "*", **more}]
