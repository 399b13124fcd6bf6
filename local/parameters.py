"""The template's parameters for the local cloud, reckoned from those for AWS. Nothing else is scaled by hand."""

import cloudformation
import settings

# What the functions reckon with, on their own clock. Below so many of the machine's seconds it would be their own work that takes longer.
ON_THE_FUNCTIONS_CLOCK = {
    "CreationGraceSeconds": 3,
    "RefusalGraceSeconds": 3,
    "CreateBucketsBudgetSeconds": 300,
    "CreateEksBudgetSeconds": 300,
    "CreateNodegroupsBudgetSeconds": 300,
    "FurnishBudgetSeconds": 300,
    "TeardownBudgetSeconds": 60,
    "StuckAfterSeconds": 60,
}
# What Lambda and SQS reckon with. These are the emulator's, on the machine's clock.
ON_THE_MACHINE_S_CLOCK = {
    "StageTimeoutSeconds": 20,
    "JobsRetryAfterSeconds": 5,
}


def scaled(speed, clock_speed):
    """If `speed` seconds of AWS pass in one of the machine's, and `clock_speed` on the functions' clock."""
    declared = cloudformation.template("template.yaml")["Parameters"]
    clocks = [(ON_THE_FUNCTIONS_CLOCK, clock_speed), (ON_THE_MACHINE_S_CLOCK, 1)]
    return {name: value(declared[name], speed, clock, least) for clocked, clock in clocks for name, least in clocked.items()}


def value(declared, speed, clock, least):
    seconds = round(max(int(declared["Default"]) / speed, least) * clock)
    return str(min(seconds, declared.get("MaxValue", seconds)))


PARAMETERS = scaled(settings.SPEED, settings.CLOCK_SPEED) | {
    # Without a control plane behind it, an endpoint is nobody's.
    "FixedAddress": "no",
    # Tests poll every few tenths of a second.
    "RequestsPerMinute": "100000",
}
