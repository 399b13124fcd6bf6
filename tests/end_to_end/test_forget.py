"""A cluster whose account lets nobody in any more is given up, and not before."""

import customer_role
import dynamodb_table


def test_a_blocked_cluster_whose_role_was_refused_for_a_day_is_forgotten(tenant, service):
    cluster = tenant.running("abandoned")
    refused(tenant.forget("abandoned"), "The cluster is running")

    let_in = customer_role.replace_trust(tenant.account, "groundwork", tenant.onboarding()["external_id"], "somebody-else-s-external-id")
    tenant.delete("abandoned")
    blocked = tenant.wait("abandoned", "delete_blocked")
    assert (blocked["code"], blocked["turn"], blocked["stage"]) == ("RoleRefused", "tenant", "teardown"), blocked
    assert blocked["again_at"] > blocked["updated_at"]
    refused(tenant.forget("abandoned"), "only since")

    dynamodb_table.refused_since_long_ago(service, cluster["id"])
    let_in()
    refused(tenant.forget("abandoned"), "assume the role again")
    customer_role.replace_trust(tenant.account, "groundwork", tenant.onboarding()["external_id"], "somebody-else-s-external-id")

    for answer in [tenant.forget("abandoned"), tenant.forget("abandoned")]:
        assert answer.status_code == 202, answer.text
        left = {found["kind"]: found["id"] for found in answer.json()["inventory"]["left"]}
        assert answer.json()["status"] == "forgotten" and left["vpc"].startswith("vpc-") and "bucket/logs" in left, left
    assert tenant.list() == []
    assert "forgotten" in {event["action"] for event in tenant.events("abandoned")}
    # The name and the role are free.
    tenant.create("abandoned")


def refused(answer, reason):
    assert (answer.status_code, answer.json()["code"]) == (409, "not_forgettable"), answer.text
    assert reason in answer.json()["detail"], answer.json()
