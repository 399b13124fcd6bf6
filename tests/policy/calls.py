"""The recorded calls, put to the evaluator: all are allowed, and each action of the table is needed by one."""

from collections import defaultdict

import policies
from evaluator import Question, decide

# A session is asked for with its stage's policy and with one that narrows it.
UNNARROWED = "no session policy"


class Recorded:
    """Every distinct question that AWS asks IAM for the recorded sessions, with the sessions' stages."""

    def __init__(self, sessions):
        self.policies = {}
        self.faults = []
        self.asked = {}
        self.calls = 0
        for session in sessions:
            self.add(session)

    def add(self, session):
        account, stage = session["session"].split(":")[4], session["stage"]
        expected = f"arn:aws:iam::{account}:policy/groundwork/{policies.ROLE}-{stage}"
        if session["policy_arns"] != [expected] or not session["inline_policy"]:
            self.faults.append(f"{session['session']} was not narrowed to its stage and its cluster: {session['policy_arns']}")
            return
        narrowed = self.session_policy(account, stage, session["inline_policy"])
        for call in session["calls"]:
            self.calls += 1
            for one in call["authorizations"]:
                question = Question(session["session"], self.identity(account), narrowed, one["action"], one["resource"], one["context"])
                self.asked.setdefault(str((narrowed, one)), (stage, call["call"], question))

    def identity(self, account):
        """The role has all stages' policies."""
        for stage in policies.STAGES:
            self.policies.setdefault(f"{account} {stage}", policies.document(stage, account))
        return tuple(f"{account} {stage}" for stage in policies.STAGES)

    def session_policy(self, account, stage, inline):
        name = f"{account} {stage} {inline}"
        self.policies.setdefault(name, session_of(stage, account, inline))
        return name

    def judge(self):
        """Answers (stage, call, question, answer) for each."""
        questions = list(self.asked.values())
        answers = decide(self.policies, [question for _, _, question in questions])
        return [(*asked, answer) for asked, answer in zip(questions, answers)]


def session_of(stage, account, inline, without=None):
    stage_policy = policies.document(stage, account)
    if without:
        stage_policy = policies.without(stage_policy, *without)
    return policies.merged(stage_policy, policies.json.loads(inline))


def denied(judged):
    return [told(stage, call, question, answer) for stage, call, question, answer in judged if not answer.allowed]


def told(stage, call, question, answer):
    about = " ".join(f"{key}={','.join(values)}" for key, values in question.context.items())
    return f"{stage}: {call}: {question.action} on {question.resource} with {about or 'nothing'}: {answer.decision} {answer.why}".rstrip()


def unknown_to_aws(judged, documents):
    """Conditions that rest on what AWS does not give for the action and the resource, although the recorder gave it."""
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
    """(statement, action, stage) without which some recorded call is denied: each is taken out alone."""
    by_action = defaultdict(list)
    for stage, _, question, answer in judged:
        if answer.allowed:
            by_action[stage, question.action].append(question)
    documents, questions, about = dict(recorded.policies), [], []
    for row in rows:
        for stage in row["stages"]:
            for question in by_action[stage, row["action"]]:
                account, _, inline = question.session.split(" ", 2)
                name = f"{question.session} without {row['statement']} {row['action']}"
                documents.setdefault(name, session_of(stage, account, inline, (row["statement"], row["action"])))
                questions.append(Question(**{**vars(question), "session": name}))
                about.append((row["statement"], row["action"], stage))
    return {key for key, answer in zip(about, decide(documents, questions)) if answer.denied}
