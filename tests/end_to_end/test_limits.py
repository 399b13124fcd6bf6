"""How much a tenant may have and ask for, and what it is told beyond that."""

import audit_log
import aws_clients
import clock
import jobs
import templates
import tenants
from answers import problem
from parameters import PARAMETERS
from waiting import at_once, until

CLUSTERS = int(templates.template("template.yaml")["Parameters"]["ClustersPerTenant"]["Default"])
REQUESTS = int(PARAMETERS["RequestsPerMinute"])


def write(service, tenant, sort_key, **values):
    item = {"pk": {"S": f"TENANT#{tenant.name}"}, "sk": {"S": sort_key}, **values}
    aws_clients.operator("dynamodb").put_item(TableName=service.stack["TableName"], Item=item)


def leave_places(service, tenant, count):
    """As if the tenant had so many clusters that only `count` more are allowed."""
    write(service, tenant, "CLUSTERS", ids={"SS": [f"elsewhere-{number}" for number in range(CLUSTERS - count)]})


def test_the_last_place_for_a_cluster_is_given_once_and_is_free_after_its_deletion(stranger, service):
    tenants.without_role(stranger)
    leave_places(service, stranger, 1)
    names = [f"wanted-{number}" for number in range(4)]
    answers = at_once(*[lambda name=name: stranger.call("POST", "/clusters", stranger.request(name)) for name in names])
    assert sorted(answer.status_code for answer in answers) == [202, 429, 429, 429]
    refused = [problem(answer, 429, "cluster_limit") for answer in answers if answer.status_code == 429]
    assert all(f"{CLUSTERS} clusters" in one["detail"] for one in refused)

    [cluster] = stranger.list()
    stranger.gone(cluster["name"])
    stranger.create("next")
    problem(stranger.call("POST", "/clusters", stranger.request("next")), 409, "name_taken")
    problem(stranger.call("POST", "/clusters", stranger.request("one-more")), 429, "cluster_limit")


def test_a_refused_request_for_a_name_in_use_takes_no_place(stranger, service):
    tenants.without_role(stranger)
    leave_places(service, stranger, 2)
    stranger.create("one")
    problem(stranger.call("POST", "/clusters", stranger.request("one")), 409, "name_taken")
    stranger.create("two")


def test_jobs_count_for_the_limit_of_clusters(stranger, service):
    tenants.without_role(stranger)
    leave_places(service, stranger, 0)
    service.send(jobs.create(stranger, "by-job", "beyond"))
    answered = until(lambda: audit_log.events(service, "jobs", stranger.name), "the job is answered")
    assert (answered[0]["status"], answered[0]["code"]) == ("429", "cluster_limit")
    assert stranger.list() == []


def test_a_tenant_at_its_limit_does_not_limit_another(stranger, service):
    leave_places(service, tenants.new(service), 0)
    tenants.without_role(stranger).create("mine")


def test_a_tenant_that_asks_too_often_is_told_when_to_ask_again_and_others_are_answered(stranger, service):
    minute = int(clock.now().timestamp()) // 60
    for number in (minute, minute + 1):
        write(service, stranger, f"MINUTE#{number}", requests={"N": str(REQUESTS)})
    answer = stranger.call("GET", "/clusters")
    assert f"{REQUESTS} requests" in problem(answer, 429, "request_limit")["detail"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert tenants.new(service).call("GET", "/clusters").status_code == 200


def test_every_request_of_a_tenant_counts_including_refused_ones(stranger, service):
    for method, path in [("GET", "/clusters"), ("GET", "/clusters/none"), ("POST", "/clusters"), ("GET", "/onboarding")]:
        stranger.call(method, path)
    counts = [item for item in service.records(f"TENANT#{stranger.name}") if item["sk"]["S"].startswith("MINUTE#")]
    assert sum(int(item["requests"]["N"]) for item in counts) == 4
    assert all(int(item["expires_at"]["N"]) > clock.now().timestamp() for item in counts)
