"""From nothing to a running cluster in a customer's account, and back to nothing."""

import json
import sys
import time

import census
import cloud
import deploy
import environment
import kept
import kubernetes
import settings
import sign_in
import timeline
import up
from account import Account
from api import Api
from problem import Problem, explained
from timed import TIMES, timed

# Two hours of AWS, and ten minutes if that is less, because the machine's own work is not faster than on AWS.
SECONDS_FOR_A_CLUSTER = max(600, 7200 / settings.SPEED)
SECONDS_BETWEEN_LOOKS = 0.5


def main():
    was_up = cloud.is_running()
    try:
        up.up()
        show_a_cluster()
    finally:
        if not was_up:
            cloud.stop()
            environment.forget()
    print(f"\nIt took\n{TIMES.read_text()}", end="")


def show_a_cluster():
    """Two clusters at once: of one the data is kept, as it is by default, and of the other it is deleted, too."""
    account = Account(settings.DEMO_ACCOUNT)
    settle_neighbours(account)
    before = census.census(account)
    request = json.loads((settings.REPOSITORY / "examples/cluster.json").read_text())
    name, other = request["name"], "scratch"
    print(f"\nPOST /clusters {json.dumps(request)}, and another one, {other}", flush=True)
    api = Api(environment.read())
    with timed("create"):
        for one in (name, other):
            api.create(request | {"name": one})
        cluster = follow(api, name, until="running")
        scratch = follow(api, other, until="running", quietly=True)
    print_cluster(cluster)
    timeline.show(cluster, whole_log(api, name))
    for one in (cluster, scratch):
        leave_behind(account, one)
    print("\nIn both, Kubernetes has made a load balancer, its security groups, an interface and a node's disk.")
    print("There is data, too: objects in a bucket, a claim's volume, and a snapshot of that.")
    print(f"\nDELETE /clusters/{name}\nDELETE /clusters/{other}?data=delete", flush=True)
    with timed("delete"):
        # At AWS's own speed a token may not last for both.
        api = Api(environment.read() | {"GROUNDWORK_TOKEN": sign_in.token(deploy.outputs(), settings.DEMO_TENANT)})
        # The log goes on from where the creation ended, so that nothing is shown twice.
        seen = api.logs(name, None).get("next")
        api.delete(name)
        api.delete(other, data="delete")
        cluster = follow(api, name, until="deleted", after=seen)
        print_inventory(name, cluster["inventory"])
        scratch = follow(api, other, until="deleted", quietly=True)
    print_inventory(other, scratch["inventory"])
    remove_what_was_kept(account, cluster)
    print_neighbours(before, census.census(account))


def leave_behind(account, cluster):
    leftovers = kubernetes.of_cluster(account, cluster)
    leftovers.make()
    leftovers.claim()
    for text in (b"first", b"second"):
        account.client("s3").put_object(Bucket=cluster["outputs"]["buckets"]["checkpoints"], Key="weights", Body=text)


def remove_what_was_kept(account, cluster):
    """With the commands, as they stand."""
    for thing in cluster["inventory"]["kept"]:
        if thing.get("remove"):
            kept.remove(account, thing)
    print(f"The tenant has removed what was kept of {cluster['name']}, with these commands.")


def follow(api, name, until, after=None, quietly=False):
    """Prints the log as it grows, or is quiet, until the cluster has the wanted status or cannot reach it. Returns the cluster."""
    deadline = time.monotonic() + SECONDS_FOR_A_CLUSTER
    while time.monotonic() < deadline:
        cluster = api.show(name)
        after = after if quietly else read_news(api, name, after)
        if cluster["status"] == until:
            return cluster
        if cluster["status"] in ("failed", "delete_blocked"):
            raise Problem(f"{cluster['status']}: {cluster.get('reason')}\nhint: {cluster.get('hint')}")
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise Problem(f"{name} is not {until} after {SECONDS_FOR_A_CLUSTER:.0f} s; it is {cluster['status']}")


def read_news(api, name, after):
    """Prints the events after a cursor. Returns the next cursor."""
    page = api.logs(name, after)
    for event in page["events"]:
        print(f"  {event['at']}  {event['action']:<10} {event.get('target') or '':<32} {event.get('message') or ''}")
    sys.stdout.flush()
    return page.get("next") or after


def whole_log(api, name):
    """Read anew: of two events at nearly the same time, the one that is written last may come before a cursor that has passed already."""
    events, after = [], None
    while news := (page := api.logs(name, after))["events"]:
        events, after = events + news, page["next"]
    return events


def print_cluster(cluster):
    print(f"\n{cluster['name']} is {cluster['status']}, with {len(cluster['resources'])} resources:")
    for resource in cluster["resources"]:
        print(f"  {resource['key']:<40} {resource['state']}")
    print(json.dumps(cluster["outputs"], indent=2))


def print_inventory(name, inventory):
    left = inventory["left"]
    print(f"\nInventory after {name}: {len(left)} left, {len(inventory['kept'])} kept")
    for thing in left + inventory["kept"]:
        print(f"  {thing['kind']} {thing['id']}{of_size(thing)}: {thing['why']}")
        if thing.get("remove"):
            print(f"    {thing['remove']}")
    if left:
        raise Problem("Something is left in the customer's account.")


def of_size(thing):
    return f" ({thing['size']})" if thing.get("size") else ""


def settle_neighbours(account):
    """Two networks that belong to somebody else: one with tags that look like a cluster's, one without tags."""
    for tagged in (True, False):
        neighbour = kubernetes.of_neighbour(account, "groundwork-demo-neighbours", tagged)
        neighbour.make()


def print_neighbours(before, after):
    count = sum(len(things) for things in before.values())
    changed = {kind: (things, after[kind]) for kind, things in before.items() if after[kind] != things}
    if changed:
        raise Problem(f"Something that belongs to the neighbours has changed: {changed}")
    print(f"The neighbours: all {count} things that were in the account before are still there, and nothing else is.")


if __name__ == "__main__":
    explained(main)
