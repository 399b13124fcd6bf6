"""Judges what `record.py` wrote down, the policies themselves and their enemies. The last line is the result.

`prove.py FILE`: writes docs/policy-proof.md, too, if all holds.
"""

import json
import sys
from pathlib import Path

import attacks
import calls
import comparison
import linters
import operator_side
import page
import policies
import reference
from evaluator import Question, check_evaluator, decide, statement

SHOWN = 20
BOUNDARY = "boundary"


def main(file):
    record = json.loads(Path(file).read_text())
    rows = policies.rows()
    whole = policies.whole(attacks.ACCOUNT)
    recorded = calls.Recorded(record["sessions"])
    judged = recorded.judge()
    evidence = Evidence(rows, calls.enforced(recorded, judged, rows))
    denied = calls.denied(judged)
    faults = {
        "the evaluator is wrong": check_evaluator(),
        "the table and the policies differ": differences(rows),
        "sessions that were not narrowed": recorded.faults,
        "calls of ours that are denied": denied,
        "conditions on what AWS does not give": calls.unknown_to_aws(judged, recorded.policies),
        "actions without evidence": evidence.unproved(),
        "what the authorization reference does not know": [fault for row in rows for fault in reference.faults(row)],
        "findings of cloudsplaining and parliament": unjudged(whole, rows),
        "attacks that the policies allow": allowed_attacks(),
        "attacks that the boundary allows": allowed_by_boundary(attacks.BOUNDED),
        "work of nodes that the boundary refuses": refused_by_boundary(attacks.WITHIN_BOUNDS),
        "attacks that the local AWS allows": [one["what"] for one in record["attacks"] if not one["refusal"]],
        "stages that go beyond theirs on the local AWS": trespassed(record["trespasses"]),
        "policies of the operator's functions": operator_side.faults(),
    }
    for title, found in faults.items():
        show(title, found)
    if not any(faults.values()):
        page.write(evidence, comparison.table(whole), record, len(attacks.ATTACKS), len(attacks.BOUNDED))
    counts = f"{len(evidence.actions)} actions, {len(evidence.of('enforced'))} enforced, {len(evidence.of('documented'))} documented"
    asked = f"{recorded.calls} calls allowed" if not denied else f"{recorded.calls} calls"
    print(f"policy: {counts}, {len(evidence.of('unproved'))} unproved, {asked}, {len(denied)} denied")
    return 1 if any(faults.values()) else 0


def show(title, found):
    more = [f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    print(f"{title}: {len(found)}" + "".join(f"\n  {one}" for one in found[:SHOWN] + more))


class Evidence:
    """What shows that an action is needed: enforced if every one of its places is, documented if AWS's documentation has to stand in."""

    def __init__(self, rows, enforced):
        self.rows, self.enforced = rows, enforced
        self.actions = sorted({row["action"] for row in rows})

    def places(self):
        """(row, stage, evidence)"""
        for row in self.rows:
            for stage in row["stages"]:
                shown = (row["statement"], row["action"], stage) in self.enforced
                yield row, stage, "enforced" if shown else "documented" if row["source"] else "unproved"

    def of(self, kind):
        """The actions whose weakest place is of that kind."""
        order = ["enforced", "documented", "unproved"]
        weakest = {
            action: max((found for row, _, found in self.places() if row["action"] == action), key=order.index) for action in self.actions
        }
        return [action for action, found in weakest.items() if found == kind]

    def unproved(self):
        unproved = (f"{stage}: {row['action']} in {row['statement']}" for row, stage, found in self.places() if found == "unproved")
        return list(dict.fromkeys(unproved))


def differences(rows):
    """The policies are made from the table; each action of one is in the other."""
    wanted = {(stage, row["statement"], row["action"]) for row in rows for stage in row["stages"]}
    there = {
        (stage, statement["Sid"], action)
        for stage in policies.STAGES
        for statement in policies.document(stage, attacks.ACCOUNT)["Statement"]
        for action in policies.actions_of(statement)
    }
    return [" ".join(one) for one in sorted(wanted ^ there)]


def unjudged(whole, rows):
    found = linters.findings(whole, {row["action"] for row in rows})
    stale = [f"no longer found: {one}" for one in linters.JUDGED if one not in found]
    return [one for one in found if one not in linters.JUDGED] + stale


def allowed_attacks():
    documents = {stage: policies.document(stage, attacks.ACCOUNT) for stage in policies.STAGES}
    return told(answer for answer in attacked(attacks.ATTACKS, documents) if not answer[1].denied)


def allowed_by_boundary(tried):
    return told(answer for answer in attacked(tried, {"all": statement("Allow", "*")}, BOUNDARY) if not answer[1].denied)


def refused_by_boundary(tried):
    return told(answer for answer in attacked(tried, {"all": statement("Allow", "*")}, BOUNDARY) if not answer[1].allowed)


def attacked(tried, documents, boundary=None):
    """(attack, answer) for each, without a session policy."""
    known = documents | {BOUNDARY: policies.document(BOUNDARY, attacks.ACCOUNT)}
    principal = f"arn:aws:sts::{attacks.ACCOUNT}:assumed-role/{policies.ROLE}/attack"
    asked = [Question(principal, tuple(documents), None, one.action, one.resource, one.context, boundary) for one in tried]
    return zip(tried, decide(known, asked))


def told(answers):
    return [f"{one.what}: {answer.decision} {answer.why}".rstrip() for one, answer in answers]


def trespassed(tried):
    """A refused call of its own counts too: then the refusals of others' calls would show nothing."""
    wrong = [one for one in tried if one["own"] == bool(one["refusal"])]
    return [f"{one['stage']}: {one['action']} {'is refused' if one['own'] else 'is not refused'}" for one in wrong]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
