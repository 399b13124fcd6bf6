"""Many clusters at once, while calls fail and the service is disturbed: none is lost, and nothing of them is left.

`soak.py`, with CLUSTERS, SEED and FAULTS (the share of calls that fail) in the environment. The last line is the result.
"""

import os
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "end_to_end")]

import own_cloud  # noqa: E402

# A quarter of an hour of AWS takes fifteen seconds, which is long enough to disturb it.
own_cloud.choose(".local/soak", speed=60, keeps_state=True)

import census  # noqa: E402
import cloud  # noqa: E402
import environment  # noqa: E402
import faults  # noqa: E402
import kept  # noqa: E402
import kubernetes  # noqa: E402
import parameters  # noqa: E402
import settings  # noqa: E402
import sweeping  # noqa: E402
from fleet import Fleet, persistently  # noqa: E402
from service import brought_up  # noqa: E402
from timed import timed  # noqa: E402
from trouble import Trouble  # noqa: E402

CLUSTERS = int(os.environ.get("CLUSTERS", "30"))
FAULTS = float(os.environ.get("FAULTS", "0.05"))
SECONDS_TO_SETTLE = 420
SHARE_WITH_LEFTOVERS = 0.3
DATA = {"bucket", "volume", "snapshot"}

# Thirty clusters share two processors with the local AWS, so calls take longer than with a single cluster.
PARAMETERS = parameters.PARAMETERS | {
    "StageTimeoutSeconds": "40",
    "StuckAfterSeconds": "20",
    "CreateBucketsBudgetSeconds": "1200",
    "CreateEksBudgetSeconds": "1200",
    "CreateNodegroupsBudgetSeconds": "1200",
    # With its data, a deletion waits ten minutes for the control plane's log.
    "TeardownBudgetSeconds": "1800",
}


def main():
    print(f"{CLUSTERS} clusters, {FAULTS:.1%} of calls fail, seed {settings.SEED}", flush=True)
    print(f"{settings.SPEED} s of AWS pass in a second, so sweep also runs every {sweeping.SECONDS_BETWEEN:.0f} s", flush=True)
    try:
        with timed("soak"):
            leaks, parked, lost = soak()
    finally:
        cloud.stop()
        environment.forget()
    print(f"soak: {CLUSTERS} clusters, {leaks} leaks, {parked} parked, {lost} lost")
    return 1 if leaks or lost else 0


def soak():
    with timed("up"):
        service = brought_up(PARAMETERS)
    with timed("onboard"):
        fleet = Fleet(service, CLUSTERS, settings.SEED)
        before = [census.census(tenant.account) for tenant in fleet.tenants]
    trouble = Trouble(service, fleet, settings.SEED)
    lost = []

    cloud.set_faults(faults.mix(FAULTS))
    with sweeping.Sweeping(service):
        with timed("ask"):
            fleet.create()
        with timed("trouble"):
            trouble.during_creates()
        with timed("settle"):
            lost += [f"{cluster.label} never ran: {cluster.status}" for cluster in fleet.settle("running", SECONDS_TO_SETTLE)]
        # Clusters that were never made cannot be deleted.
        fleet.clusters = [cluster for cluster in fleet.clusters if cluster.id]
        with timed("count"):
            leaks = made_twice(fleet)
            leave_behind(fleet)
        with timed("ask"):
            fleet.delete()
        with timed("trouble"):
            trouble.during_deletes()
        with timed("settle"):
            lost += [f"{cluster.label} was never deleted: {cluster.status}" for cluster in fleet.settle("deleted", SECONDS_TO_SETTLE)]
    lost += remove_what_was_kept(fleet)
    leaks += [leak for tenant, then in zip(fleet.tenants, before) for leak in changes(tenant.account, then)]
    tell(fleet, trouble, leaks, lost)
    return len(leaks), len(fleet.parked), len(lost)


def made_twice(fleet):
    found = [(cluster, census.owned(cluster.tenant.account, cluster.id)) for cluster in fleet.clusters if cluster.status == "running"]
    return [f"{cluster.label} has {count} of {key}" for cluster, owned in found for key, count in owned.items() if count > 1]


def leave_behind(fleet):
    """In some clusters, makes what Kubernetes makes and does not delete, and data, which is to be kept in every other one."""
    running = [cluster for cluster in fleet.clusters if cluster.status == "running"]
    chosen = fleet.random.sample(running, round(SHARE_WITH_LEFTOVERS * len(running)))
    for number, cluster in enumerate(chosen):
        shown = persistently(cluster.tenant, "GET", f"/clusters/{cluster.name}")
        leftovers = kubernetes.of_cluster(cluster.tenant.account, shown)
        leftovers.make()
        leftovers.claim()
        cluster.tenant.account.client("s3").put_object(Bucket=shown["outputs"]["buckets"]["checkpoints"], Key="weights", Body=b"data")
        cluster.data = ("keep", "delete")[number % 2]
    print(f"  {len(chosen)} clusters have leftovers of Kubernetes and data", flush=True)


def remove_what_was_kept(fleet):
    """As the tenants do it. Returns what was to be kept and is not listed."""
    missing = []
    for cluster in (one for one in fleet.clusters if one.data == "keep" and one.status == "deleted"):
        listed = persistently(cluster.tenant, "GET", f"/clusters/{cluster.id}")["inventory"]["kept"]
        for thing in (one for one in listed if one.get("remove")):
            kept.remove(cluster.tenant.account, thing)
        missing += [f"{cluster.label} lost its {kind}" for kind in DATA - {one["kind"] for one in listed}]
    return missing


def changes(account, before):
    """What is in an account and was not before, and what is no longer in it."""
    now = census.census(account)
    left = [f"account {account.number}: {kind} {one} is left" for kind in now for one in set(now[kind]) - set(before[kind])]
    return left + [f"account {account.number}: {kind} {one} is missing" for kind in now for one in set(before[kind]) - set(now[kind])]


def tell(fleet, trouble, leaks, lost):
    said = cloud.report()
    print(f"\ncalls: {sum(said['calls'].values())}, of them retries: {said['retries']}, struck: {sum(said['faults'].values())}")
    show("faults struck", [f"{count:6} {effect}" for effect, count in sorted(said["faults"].items())])
    show("clusters asked for", [f"{count:6} by {way}" for way, count in Counter(cluster.way for cluster in fleet.clusters).items()])
    show("done to the service", [f"{seconds:5.0f} s: {what}" for seconds, what in trouble.done])
    show("parked", [f"{one.status}: {one.cluster.label}: {one.code}: {one.reason} {one.hint}" for one in fleet.parked])
    show("leaks", leaks)
    show("lost", lost)


def show(title, lines):
    print(f"{title}:" + "".join(f"\n  {line}" for line in lines or ["none"]))


if __name__ == "__main__":
    sys.exit(main())
