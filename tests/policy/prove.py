"""Judges the policies by what `record.py` wrote down, by AWS's reference and by attacks. The last line is the result.

`prove.py FILE`: also writes docs/policy-proof.md if everything holds.
"""

import json
import sys
from pathlib import Path

import attacks
import bounds
import calls
import comparison
import linters
import operator_side
import page
import pods
import policies
import reference
from evaluator import Question, check_evaluator, decide, statement

SHOWN = 20
BOUNDARY = "boundary"
ANYTHING = statement("Allow", "*")


def main(file):
    record = json.loads(Path(file).read_text())
    rows = policies.rows()
    whole, theirs = policies.whole(attacks.ACCOUNT), policies.self_managed(**attacks.THEIRS)
    boundary = policies.document(BOUNDARY, attacks.ACCOUNT)
    whole_there = policies.whole(attacks.ACCOUNT, [attacks.VPC])
    boundary_there = policies.document(BOUNDARY, attacks.ACCOUNT, [attacks.VPC])
    recorded = calls.Recorded(record["sessions"], record["self_managed"], record["networks"])
    judged = recorded.judge()
    evidence = Evidence(rows, calls.enforced(recorded, judged, rows))
    denied = calls.denied(judged)
    faults = {
        "the evaluator is wrong": check_evaluator(),
        "the table and the policies differ": differences(rows),
        "sessions that were not narrowed": recorded.faults,
        "calls of ours that are denied": denied,
        "conditions on keys that AWS does not give": calls.unknown_to_aws(judged, recorded.policies),
        "actions without evidence": evidence.unproved(),
        "what the authorization reference does not know": unknown_to_reference(rows, theirs, boundary),
        "findings of cloudsplaining and parliament": unjudged(whole, linters.JUDGED, rows) + unjudged(theirs, linters.JUDGED_THEIRS, rows),
        "attacks that the policies allow": allowed(attacks.ATTACKS, whole),
        "attacks that self-managed mode allows": allowed(attacks.ATTACKS + attacks.SELF_MANAGED, theirs),
        "attacks within reach that are refused": refused([attack for attack, _ in attacks.IN_REACH], whole),
        "attacks that the boundary allows": allowed(bounds.BOUNDED, ANYTHING, boundary),
        "work of nodes that the boundary refuses": refused(bounds.WITHIN_BOUNDS, ANYTHING, boundary),
        "attacks that the pods' policies allow": of_pods(allowed, pods.ATTACKS),
        "work of pods that their policies refuse": of_pods(refused, pods.WORK),
        "attacks that a VPC of the customer's allows": allowed(attacks.ATTACKS + attacks.BESIDE_VPC, whole_there)
        + allowed(bounds.BOUNDED + bounds.BESIDE_VPC, ANYTHING, boundary_there),
        "work in a VPC of the customer's that is refused": refused(attacks.IN_VPC, whole_there)
        + refused(bounds.IN_VPC, ANYTHING, boundary_there),
        "attacks that the local AWS allows": [one["what"] for one in record["attacks"] if not one["refusal"]],
        "sessions of stages that are wrong on the local AWS": trespassed(record["trespasses"]),
        "policies of the operator's functions": operator_side.faults(),
    }
    for title, found in faults.items():
        show(title, found)
    if not any(faults.values()):
        page.write(evidence, comparison.table(whole), record)
    counts = f"{len(evidence.actions)} actions, {len(evidence.of('enforced'))} enforced, {len(evidence.of('documented'))} documented"
    asked = f"{recorded.calls} calls allowed" if not denied else f"{recorded.calls} calls"
    print(f"policy: {counts}, {len(evidence.of('unproved'))} unproved, {asked}, {len(denied)} denied")
    return 1 if any(faults.values()) else 0


def show(title, found):
    more = [f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    print(f"{title}: {len(found)}" + "".join(f"\n  {one}" for one in found[:SHOWN] + more))


class Evidence:
    """What shows that an action is needed: enforced if every place of it is, documented if AWS's documentation covers the others."""

    def __init__(self, rows, enforced):
        self.rows, self.enforced = rows, enforced
        self.actions = sorted({row["action"] for row in rows})

    def places(self):
        """(row, stage, evidence)"""
        for row in self.rows:
            for stage in row["stages"]:
                shown = (row["mode"], row["statement"], row["action"], stage) in self.enforced
                yield row, stage, "enforced" if shown else "documented" if row["source"] else "unproved"

    def of(self, kind):
        """The actions whose weakest evidence is of that kind."""
        order = ["enforced", "documented", "unproved"]
        weakest = {
            action: max((found for row, _, found in self.places() if row["action"] == action), key=order.index) for action in self.actions
        }
        return [action for action, found in weakest.items() if found == kind]

    def unproved(self):
        unproved = ((row["mode"], stage, row["action"], row["statement"]) for row, stage, found in self.places() if found == "unproved")
        return [f"{mode}, {stage}: {action} in {statement}" for mode, stage, action, statement in dict.fromkeys(unproved)]


def differences(rows):
    """What is in the table or in the policies, but not in both."""
    managed = [row for row in rows if row["mode"] == "managed"]
    wanted = {(stage, row["statement"], row["action"]) for row in managed for stage in row["stages"]}
    wanted |= {(row["mode"], row["statement"], row["action"]) for row in rows if row not in managed}
    documents = {stage: policies.document(stage, attacks.ACCOUNT) for stage in policies.STAGES}
    documents["self_managed"] = policies.self_managed(**attacks.THEIRS)
    there = {
        (name, statement["Sid"], action)
        for name, document in documents.items()
        for statement in document["Statement"]
        for action in policies.actions_of(statement)
    }
    return [" ".join(one) for one in sorted(wanted ^ there)]


def unknown_to_reference(rows, theirs, boundary):
    """The rows of self-managed mode are checked as the policy has them, with the customer's names filled in."""
    managed = [row for row in rows if row["mode"] == "managed"]
    of_tables = [fault for row in [*managed, *policies.grants_of(theirs)] for fault in reference.faults(row)]
    limits = {BOUNDARY: boundary} | {name: pods.document(name) for name in pods.WORK}
    return of_tables + [f"{name}: {fault}" for name, limit in limits.items() for fault in reference.faults_of_policy(limit)]


def unjudged(policy, judged, rows):
    found = linters.findings(policy, {row["action"] for row in rows})
    stale = [f"no longer found: {one}" for one in judged if one not in found]
    return [one for one in found if one not in judged] + stale


def allowed(tried, policy, boundary=None):
    return told(answer for answer in answered(tried, policy, boundary) if not answer[1].denied)


def refused(tried, policy, boundary=None):
    return told(answer for answer in answered(tried, policy, boundary) if not answer[1].allowed)


def of_pods(judge, tried):
    return [f"{name}: {one}" for name, some in tried.items() for one in judge(some, ANYTHING, pods.document(name))]


def answered(tried, policy, boundary):
    """(attack, answer) for each, without a session policy: by the customer's role or, with a boundary, by a role that Groundwork made."""
    principal = bounds.ROLE if boundary else f"arn:aws:sts::{attacks.ACCOUNT}:assumed-role/{policies.ROLE}/attack"
    known = {"role": policy, BOUNDARY: boundary} if boundary else {"role": policy}
    more, limit = (bounds.PRINCIPAL, BOUNDARY) if boundary else ({}, None)
    asked = [Question(principal, ("role",), None, one.action, one.resource, one.context | more, limit) for one in tried]
    return zip(tried, decide(known, asked))


def told(answers):
    return [f"{one.what}: {answer.decision} {answer.why}".rstrip() for one, answer in answers]


def trespassed(tried):
    """A refusal of a stage's own call is a fault too: then the other refusals would show nothing."""
    wrong = [one for one in tried if one["own"] == bool(one["refusal"])]
    return [f"{one['stage']}: {one['action']} {'is refused' if one['own'] else 'is not refused'}" for one in wrong]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
