"""What answers have to look like."""


def problem(answer, status, code=None):
    """The answer's body, if it is a problem of that status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["title"] and body["code"] and body["hint"], body
    assert code in (None, body["code"])
    return body
