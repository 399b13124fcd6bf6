"""From nothing to a running cluster in a customer's account, and back to nothing, with the commands that its user would type."""

import json
import os
import shlex
import subprocess

import census
import cloud
import deploy
import environment
import kept
import kubernetes
import person
import settings
import sign_in
import up
from account import Account
from parameters import PARAMETERS
from problem import Problem, explained
from timed import TIMES, timed

REQUEST = "examples/cluster.json"
JOB = "examples/gpu-job.yaml"
# Of one the data is kept, as it is by default, and of the other it is deleted, too.
NAME, OTHER = "research", "scratch"


def main():
    was_up = cloud.is_running()
    try:
        up.up(PARAMETERS | {"FixedAddress": "yes"})
        show_two_clusters()
    finally:
        if not was_up:
            cloud.stop()
            environment.forget()
    print(f"\nIt took\n{TIMES.read_text()}", end="")


def show_two_clusters():
    account = Account(settings.DEMO_ACCOUNT)
    cloud.set_account(account.number, cloud.COMPANY | {"private_endpoints_only": False, "kubernetes": True})
    administrator = person.role(account, "administrator")
    settle_neighbours(account)
    before = census.census(account)
    with timed("create"):
        groundwork("create", OTHER, "--file", REQUEST, "--yes")
        groundwork("create", NAME, "--file", with_access(administrator), "--yes", "--wait")
        groundwork("watch", OTHER)
    groundwork("timeline", NAME)
    with timed("gpu"):
        bring_a_gpu(person.terminal(account, administrator))
    for name in (NAME, OTHER):
        leave_behind(account, shown(name))
    print("\nIn both, Kubernetes has made a load balancer, its security groups, an interface and a node's disk.")
    print("There is data, too: objects in a bucket, a claim's volume, and a snapshot of that.")
    ids = {name: shown(name)["id"] for name in (NAME, OTHER)}
    with timed("delete"):
        groundwork("delete", OTHER, "--data", "delete", "--yes")
        groundwork("delete", NAME, "--yes", "--wait")
        groundwork("watch", ids[OTHER])
    groundwork("list", "--deleted")
    remove_what_was_kept(account, shown(ids[NAME]))
    print_neighbours(before, census.census(account))


def with_access(administrator):
    """The request, with somebody who gets in, from anywhere."""
    request = json.loads((settings.REPOSITORY / REQUEST).read_text())
    request["access"] = {"administrators": [administrator], "public_cidrs": ["0.0.0.0/0"]}
    file = settings.STATE / f"{NAME}.json"
    file.write_text(json.dumps(request, indent=2))
    return str(file.relative_to(settings.REPOSITORY))


def bring_a_gpu(terminal):
    """A job waits for a GPU, its node comes, and it runs."""
    kubeconfig = str((settings.STATE / "kubeconfig").relative_to(settings.REPOSITORY))
    groundwork("kubeconfig", NAME, "--file", kubeconfig)
    for words in (
        ("get", "nodes"),
        ("apply", "--filename", JOB),
        ("wait", "job/train", "--namespace", "research", "--for=condition=complete", "--timeout=5m"),
        ("logs", "job/train", "--namespace", "research"),
        ("get", "nodes", "--label-columns", "node.kubernetes.io/instance-type"),
    ):
        run("kubectl", "--kubeconfig", kubeconfig, *words, environment=terminal)


def groundwork(*arguments):
    """As the demo's tenant would type it."""
    print(f"\n$ {shlex.join(['groundwork', *arguments])}", flush=True)
    check(command(*arguments))


def run(*words, environment):
    """As somebody else would."""
    print(f"\n$ {shlex.join(words)}", flush=True)
    check(subprocess.run(words, cwd=settings.REPOSITORY, env=environment))


def check(done):
    if done.returncode != 0:
        raise Problem("The demo ends here, because this command failed.")


def shown(name):
    return json.loads(command("show", name, "--output", "json", stdout=subprocess.PIPE, check=True).stdout)


def command(*arguments, **more):
    # At AWS's own speed a token may not last from beginning to end.
    tenant = environment.read()
    token = sign_in.with_password(deploy.outputs(), settings.DEMO_TENANT, tenant["GROUNDWORK_PASSWORD"])
    binary = settings.TOOLS / "bin/groundwork"
    return subprocess.run([binary, *arguments], cwd=settings.REPOSITORY, env=os.environ | tenant | {"GROUNDWORK_TOKEN": token}, text=True, **more)


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
    print(f"\nThe tenant has removed what was kept of {cluster['name']}, with these commands.")


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
