"""S3 of the local AWS, mended.

* There is no TLS here. A bucket policy that refuses requests without it would lock everybody out, so every request counts as one that came
  over TLS.
* The operator's account is a company's: S3 Block Public Access is on for all of it, over what its buckets say.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
  ministack knows the setting of buckets only, and its CloudFormation does not ask S3 whether a bucket's policy is allowed.
"""

import settings
from ministack.core import iam_evaluator
from ministack.services import s3
from ministack.services.cloudformation import provisioners


def mend():
    iam_evaluator._resolve_condition_key = with_secure_transport(iam_evaluator._resolve_condition_key)
    s3._public_access_blocked = with_the_account_s(s3._public_access_blocked)
    provisioners._s3_bucket_policy_create = asking_s3(provisioners._s3_bucket_policy_create)
    provisioners._RESOURCE_HANDLERS["AWS::S3::BucketPolicy"]["create"] = provisioners._s3_bucket_policy_create


def with_secure_transport(resolve):
    """The lookup of a condition key, with aws:SecureTransport always true."""

    def resolve_key(key, context):
        if key.lower() == "aws:securetransport":
            return "true"
        return resolve(key, context)

    return resolve_key


def with_the_account_s(blocked):
    def public_access_blocked(owner_account, bucket_name, setting):
        return owner_account == settings.OPERATOR_ACCOUNT or blocked(owner_account, bucket_name, setting)

    return public_access_blocked


def asking_s3(create):
    """CloudFormation's AWS::S3::BucketPolicy, which fails if S3 refuses it."""

    def create_bucket_policy(logical_id, properties, stack_name):
        status, _, body = s3._put_bucket_policy(properties["Bucket"], provisioners._policy_document_json(properties).encode())
        if status >= 400:
            raise ValueError(f"{body.decode()} (Service: S3, Status Code: {status})")
        return create(logical_id, properties, stack_name)

    return create_bucket_policy
