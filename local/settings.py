"""Where things are and what they are called, on the local AWS."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TOOLS = REPOSITORY / ".local"
# What belongs to one running local AWS. The tests have their own, beside the one of `make up`.
STATE = REPOSITORY / os.environ.get("GROUNDWORK_LOCAL_DIR", ".local")

PORT = int(os.environ.get("GROUNDWORK_PORT", "4566"))
# An address, not a name: the SDKs then put bucket names in the path, and nothing has to resolve them.
EMULATOR_URL = f"http://127.0.0.1:{PORT}"
# A proxy in front of the emulator gives it AWS's timing, strictness and faults.
CLOUD_PORT = int(os.environ.get("GROUNDWORK_CLOUD_PORT", "4567"))
PROXY_URL = f"http://127.0.0.1:{CLOUD_PORT}"
# The AWS that the functions call.
CLOUD_URL = os.environ.get("GROUNDWORK_CLOUD_URL", PROXY_URL)
# So many seconds of AWS go by in a second.
SPEED = int(os.environ.get("GROUNDWORK_SPEED", "60"))
# The seed of how long things take, of the faults, and of what the tests draw by lot.
SEED = int(os.environ.get("SEED", "7"))
# Whether the emulator writes down what is in it when it stops, and where to: for restarts in the middle of things.
KEEPS_STATE = os.environ.get("GROUNDWORK_KEEPS_STATE") == "1"
KEPT = STATE / "kept"

REGION = "us-west-2"
STACK = "groundwork"
OPERATOR_ACCOUNT = "111111111111"
OPERATOR_KEYS = ("test", "test")

DEMO_ACCOUNT = "222222222222"
# On the local AWS an account's number is the access key of its root user.
DEMO_KEYS = (DEMO_ACCOUNT, "test")
DEMO_TENANT = "demo"

# Everything is ready sooner than on AWS, and a killed function may block its cluster less long.
PARAMETERS = {
    "RefusalGraceSeconds": "3",
    "CreationGraceSeconds": "3",
    "StageTimeoutSeconds": "20",
    "StuckAfterSeconds": "60",
    "TeardownBudgetSeconds": "60",
    "JobsRetryAfterSeconds": "5",
    # Tests look every few tenths of a second.
    "RequestsPerMinute": "100000",
}
