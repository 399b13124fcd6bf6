"""S3 of the local AWS, mended: there is no TLS here. A bucket policy that refuses requests without it would lock everybody out, so every
request counts as one that came over TLS.
"""

from ministack.core import iam_evaluator


def mend():
    iam_evaluator._resolve_condition_key = with_secure_transport(iam_evaluator._resolve_condition_key)


def with_secure_transport(resolve):
    """The lookup of a condition key, with aws:SecureTransport always true."""

    def resolve_key(key, context):
        if key.lower() == "aws:securetransport":
            return "true"
        return resolve(key, context)

    return resolve_key
