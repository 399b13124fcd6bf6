"""Lets clusters live through everything that can happen to them on a local AWS, and writes down what IAM would be asked.

`record.py FILE`: everything in the proof that needs a running service. `prove.py` judges it.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "end_to_end")]

import own_cloud  # noqa: E402

own_cloud.choose(".local/policy-proof", speed=600)

import attacks  # noqa: E402
import cloud  # noqa: E402
import environment  # noqa: E402
import lives  # noqa: E402
import sessions  # noqa: E402
import settings  # noqa: E402
import tenants  # noqa: E402
import trespasses  # noqa: E402
from self_managed_customer import Customer  # noqa: E402
from parameters import PARAMETERS  # noqa: E402
from service import brought_up  # noqa: E402
from timed import timed  # noqa: E402


def main(file):
    try:
        with timed("up"):
            service = brought_up(PARAMETERS | {"FixedAddress": "yes"})
        customer = Customer(tenants.new(service))
        with timed("live"):
            all_tenants, networks = lives.lived(service, customer)
        recorded = cloud.authorizations()
        with timed("attack"):
            way_in = sessions.WayIn(all_tenants[0])
            tried = trespasses.tried(way_in, recorded)
            attacked = attacks.tried(way_in)
    finally:
        cloud.stop()
        environment.forget()
    Path(file).write_text(
        json.dumps(
            {
                "self_managed": made_by(customer),
                "networks": networks,
                "sessions": recorded,
                "trespasses": tried,
                "attacks": attacked,
            },
            indent=1,
        )
    )


def made_by(customer):
    """What the policy of self-managed mode names."""
    account, cluster, buckets, node_role = customer.account.number, customer.cluster, customer.buckets, customer.node_role
    return {"account": account, "region": settings.REGION, "cluster": cluster, "buckets": buckets, "node_role": node_role}


if __name__ == "__main__":
    main(sys.argv[1])
