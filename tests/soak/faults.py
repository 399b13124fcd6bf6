"""What the local cloud does to a share of all calls: AWS on a bad day. Every one of these faults passes."""

# How services say that they are asked too often, and that a session has expired.
THROTTLED = {
    "ec2": (503, "RequestLimitExceeded"),
    "eks": (429, "TooManyRequestsException"),
    "s3": (503, "SlowDown"),
    "iam": (400, "Throttling"),
    "sts": (400, "Throttling"),
    "elasticloadbalancing": (400, "Throttling"),
    "logs": (400, "ThrottlingException"),
    "dynamodb": (400, "ThrottlingException"),
    "states": (400, "ThrottlingException"),
}
EXPIRED = {
    "ec2": (400, "RequestExpired"),
    "eks": (403, "ExpiredTokenException"),
    "s3": (400, "ExpiredToken"),
    "iam": (403, "ExpiredToken"),
    "logs": (400, "ExpiredTokenException"),
}
# The sessions of the customers' roles have names that begin like this. The functions' own sessions do not expire.
IN_CUSTOMERS_ACCOUNTS = ":assumed-role/groundwork"

LOST_BEFORE, LOST_AFTER = {"lose": "before_effect"}, {"lose": "after_effect"}
SECONDS_OF_SLOWNESS = 120


def refused(status, code, message):
    return {"refuse": {"status": status, "code": code, "message": message}}


FAILED_INSIDE = refused(500, "InternalError", "An internal error has occurred")


def mix(share):
    """Rules that make about this share of all calls fail. The factors that apply to one call add up to one."""
    throttled = [rule(f"{service}:*", refused(*said, "Rate exceeded"), 0.30 * share) for service, said in THROTTLED.items()]
    expired = [
        rule(f"{service}:*", refused(*said, "The security token is expired"), 0.05 * share, by=IN_CUSTOMERS_ACCOUNTS)
        for service, said in EXPIRED.items()
    ]
    passing = [
        rule("*", FAILED_INSIDE, 0.20 * share),
        rule("*", LOST_BEFORE, 0.10 * share),
        rule("*", LOST_AFTER, 0.15 * share),
        rule("*", {"slow": SECONDS_OF_SLOWNESS}, 0.10 * share),
    ]
    # The SDK's retries fail too, so the whole stage has to be tried again.
    stubborn = [
        rule("*", FAILED_INSIDE, 0.03 * share, whole_operation=True),
        rule("*", LOST_BEFORE, 0.03 * share, whole_operation=True),
        rule("*", LOST_AFTER, 0.04 * share, whole_operation=True),
    ]
    return throttled + expired + passing + stubborn


def rule(calls, effect, rate, **more):
    return {"calls": calls, "effect": effect, "rate": rate} | more
