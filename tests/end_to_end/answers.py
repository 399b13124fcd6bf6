"""What the API's answers have to look like."""


def problem(answer, status, code=None):
    """The body of an answer that has to be a problem with that status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["title"] and body["code"] and body["hint"], body
    assert code in (None, body["code"])
    return body


def timeless(cluster):
    """Without the service's time, which goes on from one answer to the next."""
    return cluster | {"progress": {name: value for name, value in cluster["progress"].items() if name != "at"}}
