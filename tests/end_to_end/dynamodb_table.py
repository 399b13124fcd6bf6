"""The records in the table, and changes to them behind the service's back."""

import aws_clients

LONG_AGO = "2026-01-01T00:00:00Z"


def key(cluster_id, sort_key="RECORD"):
    return {"pk": {"S": f"CLUSTER#{cluster_id}"}, "sk": {"S": sort_key}}


def run_of(service, cluster_id):
    found = aws_clients.operator("dynamodb").get_item(TableName=service.stack["TableName"], Key=key(cluster_id))
    return int(found["Item"]["run"]["N"])


def without_execution(service, cluster_id, status):
    """As if the process had died long ago, after it wrote that a run begins and before it started the execution."""
    aws_clients.operator("dynamodb").update_item(
        TableName=service.stack["TableName"],
        Key=key(cluster_id),
        # The version changes too, so that no stage at work overwrites this.
        UpdateExpression="SET #status = :status, unsettled = :yes, updated_at = :at, #run = #run + :one, #version = #version + :one",
        ExpressionAttributeNames={"#status": "status", "#run": "run", "#version": "version"},
        ExpressionAttributeValues={":status": {"S": status}, ":yes": {"S": "yes"}, ":at": {"S": LONG_AGO}, ":one": {"N": "1"}},
    )


def refused_since_long_ago(service, cluster_id):
    """As if AWS had refused the cluster's role for months."""
    aws_clients.operator("dynamodb").update_item(
        TableName=service.stack["TableName"],
        Key=key(cluster_id),
        UpdateExpression="SET refused_since = :at",
        ConditionExpression="attribute_exists(refused_since)",
        ExpressionAttributeValues={":at": {"S": LONG_AGO}},
    )


def journal(service, cluster_id):
    """The sort keys of the journal's entries."""
    keys = (item["sk"]["S"] for item in service.records(f"CLUSTER#{cluster_id}"))
    return sorted(one for one in keys if one.startswith("RESOURCE#"))


def lose(service, cluster_id, entry):
    aws_clients.operator("dynamodb").delete_item(TableName=service.stack["TableName"], Key=key(cluster_id, entry))


def replace(service, row, attribute, other, text):
    """Takes one attribute of a row away, and gives it another one."""
    aws_clients.operator("dynamodb").update_item(
        TableName=service.stack["TableName"],
        Key=row,
        UpdateExpression="REMOVE #attribute SET #other = :text",
        ExpressionAttributeNames={"#attribute": attribute, "#other": other},
        ExpressionAttributeValues={":text": {"S": text}},
    )


def put(service, item):
    aws_clients.operator("dynamodb").put_item(TableName=service.stack["TableName"], Item=item)
