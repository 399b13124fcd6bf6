"""Where things are on the local AWS, and what they are called."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TOOLS = REPOSITORY / ".local"
# The state of one running local AWS. The tests have their own, beside that of `make up`.
STATE = REPOSITORY / os.environ.get("GROUNDWORK_LOCAL_DIR", ".local")

PORT = int(os.environ.get("GROUNDWORK_PORT", "4566"))
# An address rather than a host name: the SDKs then put bucket names in the path, and nothing has to resolve them.
EMULATOR_URL = f"http://127.0.0.1:{PORT}"
# A proxy in front of the emulator gives it AWS's timing, strictness and faults.
CLOUD_PORT = int(os.environ.get("GROUNDWORK_CLOUD_PORT", "4567"))
PROXY_URL = f"http://127.0.0.1:{CLOUD_PORT}"
# What the functions call as AWS.
CLOUD_URL = os.environ.get("GROUNDWORK_CLOUD_URL", PROXY_URL)
# The same, by the way out of the operator's VPC: whoever comes in there has the address of its NAT gateway.
NAT_PORT = int(os.environ.get("GROUNDWORK_NAT_PORT", "4568"))
NAT_URL = f"http://127.0.0.1:{NAT_PORT}"
# Who runs the control planes of accounts that have any.
KUBERNETES_PORT = int(os.environ.get("GROUNDWORK_KUBERNETES_PORT", "4569"))
KUBERNETES = STATE / "kubernetes"
# How many seconds of AWS pass in one second.
SPEED = int(os.environ.get("GROUNDWORK_SPEED", "60"))
# How many of them pass on the functions' clock. With more than a minute in a second, or with many clusters at once, what they do
# themselves takes most of the time, and that is not to count as AWS's.
CLOCK_SPEED = int(os.environ.get("GROUNDWORK_CLOCK_SPEED", SPEED if SPEED <= 60 else 1))
# The seed for how long things take, for the faults, and for what the tests do at random.
SEED = int(os.environ.get("SEED", "7"))
# Whether the emulator saves its state when it stops, and where: for restarts while clusters are at work.
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
