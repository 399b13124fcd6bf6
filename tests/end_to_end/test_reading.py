"""What may be asked of the list of clusters and of a cluster's log."""

from answers import problem
from tenants import without_role


def listed(tenant, query):
    answer = tenant.call("GET", f"/clusters?{query}").json()
    return [cluster["name"] for cluster in answer["clusters"]], answer["next"]


def test_the_list_is_filtered_and_has_pages(stranger):
    without_role(stranger)
    for name in ("one", "two", "three"):
        stranger.create(name)
        stranger.wait(name, "failed")
    region = stranger.show("one")["region"]
    assert listed(stranger, f"status=failed&region={region}") == (["one", "three", "two"], None)
    assert listed(stranger, "status=running") == ([], None)
    assert listed(stranger, "limit=2") == (["one", "three"], "three")
    assert listed(stranger, "limit=2&after=three") == (["two"], None)
    for query in ("status=asleep", "region=mars", "limit=0", "colour=red"):
        problem(stranger.call("GET", f"/clusters?{query}"), 400)


def test_a_log_is_read_from_one_time_to_another(stranger):
    without_role(stranger).create("talkative")
    stranger.wait("talkative", "failed")
    whole = shown(stranger, "from=24 hours ago")
    middle = whole[1]["at"]
    assert shown(stranger, f"to={middle}") == [event for event in whole if event["at"] < middle]
    assert shown(stranger, f"from={middle}") == [event for event in whole if event["at"] >= middle]
    for query in ("from=yesterday", "to=soon", "wait=21"):
        problem(stranger.call("GET", f"/clusters/talkative/logs?{query}"), 400)


def shown(tenant, query):
    return tenant.call("GET", f"/clusters/talkative/logs?{query}").json()["events"]


def test_whoever_follows_a_log_misses_nothing(stranger):
    without_role(stranger).create("talkative")
    followed, after = [], ""
    while not any(event["action"] == "parked" for event in followed):
        page = stranger.call("GET", f"/clusters/talkative/logs?after={after}&wait=20").json()
        assert page["events"], "nothing happened for twenty seconds"
        followed += page["events"]
        after = page["next"]
    assert followed == stranger.events("talkative")[: len(followed)]
