"""The clusters of the soak: requested in every way, followed until they are settled, retried when they are parked."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import jobs
import requests
import tenants
from account import new_account
from waiting import until

CLUSTERS_OF_A_TENANT = 5
# How ten clusters are requested: by HTTP, through the queue, by a schedule.
WAYS = ["http"] * 6 + ["queue"] * 2 + ["schedule"] * 2
REQUESTS_AT_ONCE = 6
SECONDS_BETWEEN_LOOKS = 2


@dataclass
class Cluster:
    tenant: tenants.Tenant
    name: str
    way: str
    id: str | None = None
    status: str = "asked for"
    stage: str | None = None
    # What its deletion says about the data, once there is some.
    data: str | None = None

    @property
    def label(self):
        return f"{self.name} of {self.tenant.name} ({self.way}, {self.id})"


@dataclass
class Parked:
    """How and why a cluster was parked."""

    cluster: Cluster
    status: str
    code: str
    reason: str
    hint: str


class Fleet:
    def __init__(self, service, count, seed):
        self.service = service
        self.random = random.Random(f"fleet {seed}")
        self.tenants = [self.onboarded(number) for number in range(-(-count // CLUSTERS_OF_A_TENANT))]
        self.ways = self.random.sample(WAYS, len(WAYS))
        self.clusters = [self.planned(number) for number in range(count)]
        self.parked = []

    def onboarded(self, number):
        return tenants.with_role(self.service, tenants.Tenant(self.service, f"tenant-{number}"), new_account(self.random))

    def planned(self, number):
        tenant = self.tenants[number % len(self.tenants)]
        return Cluster(tenant, f"cluster-{number}", self.ways[number % len(WAYS)])

    # --- Asking ---------------------------------------------------------------------------------

    def create(self):
        """All at once. What comes through the queue or from a schedule comes twice."""
        for cluster in self.by("schedule"):
            jobs.schedule_once(self.service, schedule_of(cluster), self.firing(cluster))
        for cluster in self.by("queue"):
            job = jobs.create(cluster.tenant, cluster.name, cluster.name)
            self.service.send(job, job)
        at_once(self.post, self.by("http"))
        for cluster in self.by("schedule"):
            self.fire_again(cluster)

    def delete(self):
        for cluster in self.by("queue"):
            job = jobs.delete(cluster.tenant, cluster.name, cluster.data)
            self.service.send(job, job)
        at_once(self.post_deletion, self.by("http") + self.by("schedule"))

    def by(self, way):
        return [cluster for cluster in self.clusters if cluster.way == way]

    def post(self, cluster):
        persistently(cluster.tenant, "POST", "/clusters", cluster.tenant.request(cluster.name), key=cluster.name)

    def post_deletion(self, cluster):
        said = f"?data={cluster.data}" if cluster.data else ""
        persistently(cluster.tenant, "DELETE", f"/clusters/{cluster.name}{said}", key=f"delete-{cluster.name}")

    def firing(self, cluster):
        return jobs.create(cluster.tenant, cluster.name, jobs.KEY_OF_FIRING)

    def fire_again(self, cluster):
        """The scheduler delivers at least once, so the same firing comes again, with the same key."""
        path = f"/{schedule_of(cluster)}/"
        [key] = until(lambda: jobs.keys_of(self.service, cluster.tenant, path), f"{path} has fired and is accepted")
        self.service.send(self.firing(cluster).replace(jobs.KEY_OF_FIRING, key))

    # --- Following ------------------------------------------------------------------------------

    def look(self):
        """Reads what the tenants are told about their clusters. A deleted one is no longer listed."""
        for tenant in self.tenants:
            told = {one["name"]: one for one in persistently(tenant, "GET", "/clusters")["clusters"]}
            for cluster in self.clusters:
                if cluster.tenant is tenant:
                    self.note(cluster, told.get(cluster.name))

    def note(self, cluster, told):
        if told is None:
            cluster.status, cluster.stage = "deleted" if cluster.id else "unknown", None
        else:
            cluster.id, cluster.status, cluster.stage = told["id"], told["status"], told["stage"]
            if told["status"] in tenants.PARKED:
                self.retry(cluster, told)

    def retry(self, cluster, told):
        """What a user does with a parked cluster. The reason is kept for the summary."""
        self.parked.append(Parked(cluster, told["status"], told["code"], told["reason"], told["hint"]))
        print(f"  parked: {cluster.label} is {told['status']}: {told['reason']} {told['hint']}", flush=True)
        persistently(cluster.tenant, "POST", f"/clusters/{cluster.name}/retry", key=f"{cluster.name}-{len(self.parked)}", refusable=True)

    def settle(self, wanted, seconds):
        """Polls until all clusters have the wanted status, and returns those that never had it."""
        begun = time.monotonic()
        counts = None
        while set(counts or ()) != {wanted} and time.monotonic() < begun + seconds:
            self.look()
            if counts != (counts := Counter(cluster.status for cluster in self.clusters)):
                print(f"  {time.monotonic() - begun:5.0f} s: {dict(counts)}", flush=True)
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return [cluster for cluster in self.clusters if cluster.status != wanted]


def schedule_of(cluster):
    return f"{cluster.tenant.name}-{cluster.name}"


def at_once(ask, clusters):
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        list(pool.map(ask, clusters))


def persistently(tenant, method, path, body=None, key=None, refusable=False):
    """What a persistent client does: the same request with the same key, until the answer is not a failure of the service."""

    def answered():
        try:
            answer = tenant.call(method, path, body, **({"Idempotency-Key": key} if key else {}))
        except requests.RequestException:
            return None
        return answer if answer.status_code < 500 else None

    answer = until(answered, f"{method} {path} of {tenant.name} is answered")
    assert answer.ok or refusable, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()
