"""Puts the recorded calls to the evaluator: all are allowed, and each action of the table is needed by one of them."""

from collections import defaultdict
from dataclasses import dataclass

import policies
from evaluator import Question, decide


@dataclass(frozen=True)
class Narrowed:
    """A session's policies: those of its stage in managed mode, and the inline one. In self-managed mode there is only the inline one."""

    mode: str
    account: str
    stage: str
    inline: str
    # The ARNs of the VPCs that the customer named.
    vpcs: tuple

    def policy(self, without=None):
        """The policies as AWS combines them, optionally without one action of one statement."""
        managed, inline = self.mode == "managed", policies.json.loads(self.inline)
        own = policies.document(self.stage, self.account, self.vpcs) if managed else inline
        if without:
            own = policies.without(own, *without)
        return policies.merged(own, inline) if managed else policies.merged(own)


def is_groundworks(session):
    """False for the pods of a cluster, which act as its roles: pods.py asks what those may do."""
    return "/groundwork-" not in session["session"].split(":assumed-role")[1].rpartition("/")[0]


class Recorded:
    """Every distinct question that AWS would ask IAM in the recorded sessions, with the stage of the session."""

    def __init__(self, sessions, self_managed, networks):
        self.theirs, self.networks = self_managed, networks
        self.policies = {}
        self.narrowed = {}
        self.faults = []
        self.asked = {}
        self.calls = 0
        for session in filter(is_groundworks, sessions):
            self.add(session)

    def add(self, session):
        account, stage = session["session"].split(":")[4], session["stage"]
        mode = "self_managed" if account == self.theirs["account"] else "managed"
        expected = [f"arn:aws:iam::{account}:policy/groundwork/{policies.ROLE}-{stage}"] if mode == "managed" else []
        if session["policy_arns"] != expected or not session["inline_policy"]:
            self.faults.append(f"{session['session']} was not narrowed to its stage and its cluster: {session['policy_arns']}")
            return
        name = self.name(Narrowed(mode, account, stage, session["inline_policy"], self.vpcs(account)))
        identity = self.identity(mode, account)
        for call in session["calls"]:
            self.calls += 1
            for one in call["authorizations"]:
                question = Question(session["session"], identity, name, one["action"], one["resource"], one["context"])
                self.asked.setdefault(str((name, one)), (stage, call["call"], question))

    def identity(self, mode, account):
        """The role has the policies of all stages, or in self-managed mode a single one."""
        if mode == "self_managed":
            self.policies.setdefault(mode, policies.self_managed(**self.theirs))
            return (mode,)
        for stage in policies.STAGES:
            self.policies.setdefault(f"{account} {stage}", policies.document(stage, account, self.vpcs(account)))
        return tuple(f"{account} {stage}" for stage in policies.STAGES)

    def vpcs(self, account):
        return tuple(self.networks.get(account, ()))

    def name(self, narrowed):
        name = f"session {narrowed}"
        self.narrowed[name] = narrowed
        self.policies.setdefault(name, narrowed.policy())
        return name

    def judge(self):
        """(stage, call, question, answer) for each question."""
        questions = list(self.asked.values())
        answers = decide(self.policies, [question for _, _, question in questions])
        return [(*asked, answer) for asked, answer in zip(questions, answers)]


def denied(judged):
    return [told(stage, call, question, answer) for stage, call, question, answer in judged if not answer.allowed]


def told(stage, call, question, answer):
    about = " ".join(f"{key}={','.join(values)}" for key, values in question.context.items())
    return f"{stage}: {call}: {question.action} on {question.resource} with {about or 'nothing'}: {answer.decision} {answer.why}".rstrip()


def unknown_to_aws(judged, documents):
    """Conditions on keys that AWS does not give for the action and the resource, although the recorder did."""
    relied_on = {key for one in documents.values() for statement in one["Statement"] for key in keys_of(statement)}
    found = {
        (question.action, question.resource.split(":")[5].split("/")[0], key)
        for _, _, question, answer in judged
        for key in answer.ignored
        if key in relied_on
    }
    return sorted(f"{action} on {kind}: AWS does not give {key}" for action, kind, key in found)


def keys_of(statement):
    return {key for keys in statement.get("Condition", {}).values() for key in keys}


def enforced(recorded, judged, rows):
    """(mode, statement, action, stage) without which a recorded call is denied. Each is taken out alone."""
    by_action = defaultdict(list)
    for stage, _, question, answer in judged:
        if answer.allowed:
            by_action[recorded.narrowed[question.session].mode, stage, question.action].append(question)
    documents, questions, about = dict(recorded.policies), [], []
    for row in rows:
        for stage in row["stages"]:
            for question in by_action[row["mode"], stage, row["action"]]:
                place = (row["statement"], row["action"])
                name = f"{question.session} without {place}"
                documents.setdefault(name, recorded.narrowed[question.session].policy(place))
                questions.append(Question(**{**vars(question), "session": name}))
                about.append((row["mode"], *place, stage))
    return {key for key, answer in zip(about, decide(documents, questions)) if answer.denied}
