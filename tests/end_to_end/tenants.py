"""A tenant: what it asks the API for, and what it waits for."""

import secrets
from urllib.parse import urlencode

import pytest
import requests

import customer_role
import settings
import sign_in
from waiting import until

PARKED = ("failed", "delete_blocked")


class Tenant:
    def __init__(self, service, name):
        self.service = service
        self.name = name
        self.account = None
        self.role_arn = None
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {sign_in.token(service.stack, name)}"

    def call(self, method, path, body=None, **headers):
        """The answer as it is, whatever its status."""
        return self.session.request(method, self.service.url + path, json=body, headers=headers, timeout=60)

    def accepted(self, method, path, body=None, **headers):
        answer = self.call(method, path, body, **headers)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def request(self, name, **more):
        """The body of a request for a cluster."""
        smallest = {"name": name, "role_arn": self.role_arn, "region": settings.REGION}
        return smallest | {"instance_types": [{"name": "m6i.large"}]} | more

    def create(self, name, **more):
        return self.accepted("POST", "/clusters", self.request(name, **more))

    def delete(self, name, data=None):
        return self.accepted("DELETE", f"/clusters/{name}" + (f"?data={data}" if data else ""))

    def retry(self, name):
        return self.accepted("POST", f"/clusters/{name}/retry")

    def forget(self, name):
        return self.call("POST", f"/clusters/{name}/forget")

    def show(self, name):
        answer = self.call("GET", f"/clusters/{name}")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return answer.json()

    def list(self):
        return self.call("GET", "/clusters").json()["clusters"]

    def events(self, name):
        return self.call("GET", f"/clusters/{name}/logs").json()["events"]

    def requested(self, name):
        """The events of the requests that were accepted."""
        return [event for event in self.events(name) if event["action"] == "requested"]

    def wait(self, name, status):
        """The cluster, once it has the status. A cluster that is parked instead does not get there by itself, so the test fails."""

        def reached():
            cluster = self.show(name)
            if cluster and cluster["status"] in PARKED and cluster["status"] != status:
                pytest.fail(f"{name} is {cluster['status']}: {cluster['reason']} {cluster['hint']} {cluster['inventory']}")
            return cluster if cluster and cluster["status"] == status else None

        return until(reached, lambda: f"{name} of {self.name} is {status}. {self.show(name)}, after {self.events(name)[-10:]}")

    def running(self, name, **more):
        """Creates a cluster and waits for it."""
        self.create(name, **more)
        return self.wait(name, "running")

    def gone(self, name, data=None):
        """Deletes a cluster and waits until nothing is left of it."""
        self.delete(name, data)
        cluster = self.wait(name, "deleted")
        assert cluster["inventory"]["left"] == []
        return cluster

    def check(self, role_arn=None, **parameters):
        """Whether a role, or its own, would do for a cluster."""
        query = urlencode({"role_arn": role_arn or self.role_arn, **parameters})
        answer = self.call("GET", f"/onboarding/check?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def onboarding(self):
        return self.call("GET", "/onboarding").json()


def new(service):
    return Tenant(service, f"tenant-{secrets.token_hex(4)}")


def with_role(service, tenant, account, **more):
    """Gives the tenant an account and, in it, the quick-start's role."""
    tenant.account = account
    tenant.role_arn = customer_role.onboard(account, tenant.onboarding(), **more)
    return tenant


def without_role(tenant):
    """Its requests are accepted, and its clusters are parked because there is no role. That is enough for tests of the API."""
    tenant.role_arn = f"arn:aws:iam::{secrets.randbelow(10**11) + 3 * 10**11}:role/groundwork-none"
    return tenant
