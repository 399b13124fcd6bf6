//! S3: buckets whose names begin with `groundwork-`. Nothing here reads an object.

use super::*;

/// `*` is the partition, as in ec2.rs.
const NAMES: &str = "arn:*:s3:::groundwork-????????????-*";
const OBJECTS: &str = "arn:*:s3:::groundwork-????????????-*/*";

const NAMED: &str = "Only buckets with our name.";

pub const GRANTS: &[Grant] = &[
    Grant {
        sid: "Look",
        resources: ANY,
        conditions: ALWAYS,
        why: "ListAllMyBuckets has no resource-level permissions.",
        actions: &[
            action("s3:ListAllMyBuckets", CHECKS_DOWN, "See in the inventory that no bucket is left."),
            asked_for(
                "s3:ListAllMyBuckets",
                BUCKETS,
                "See whether a bucket of our name that refuses us is another account's.",
                "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html",
            ),
        ],
    },
    Grant {
        sid: "MakeByName",
        resources: &[NAMES],
        conditions: MADE_OURS,
        why: "Only with our name, and with our owner tag in the call itself.",
        actions: &[
            action("s3:CreateBucket", BUCKETS, "Make the buckets."),
            action("s3:TagResource", BUCKETS, "Put the owner tags on in the create call."),
        ],
    },
    Grant {
        sid: "OurBuckets",
        resources: &[NAMES],
        conditions: ALWAYS,
        why: NAMED,
        actions: &[
            action("s3:GetBucketTagging", BUCKETS_NODES_DOWN, "See that a bucket is ours."),
            action("s3:GetBucketPublicAccessBlock", BUCKETS_NODES_DOWN, "See whether it is closed to the public."),
            action("s3:PutBucketPublicAccessBlock", BUCKETS, "Close it to the public."),
            action("s3:GetBucketVersioning", BUCKETS_NODES_DOWN, "See whether it keeps versions."),
            action("s3:PutBucketVersioning", BUCKETS, "Make it keep versions."),
            action("s3:GetEncryptionConfiguration", BUCKETS_NODES_DOWN, "See whether it is encrypted."),
            action("s3:PutEncryptionConfiguration", BUCKETS, "Encrypt it."),
            action("s3:GetBucketPolicy", BUCKETS_NODES_DOWN, "See whether it refuses plain HTTP, and lets flow logs in."),
            action("s3:PutBucketPolicy", BUCKETS, "Make it refuse plain HTTP, and let flow logs in."),
            action("s3:GetLifecycleConfiguration", BUCKETS_NODES_DOWN, "See whether old versions in it expire."),
            action("s3:PutLifecycleConfiguration", BUCKETS, "Let old versions and unfinished uploads in it expire."),
            action(
                "s3:ListBucketVersions",
                DOWN,
                "See whether it may go: only if it is empty, or the tenant said that the data goes. Then, to empty it.",
            ),
            action("s3:ListBucketMultipartUploads", DOWN, "Find unfinished uploads in it."),
            action("s3:DeleteBucket", DOWN, "Remove it."),
        ],
    },
    Grant {
        sid: "EmptyOurBuckets",
        resources: &[OBJECTS],
        conditions: ALWAYS,
        why: "Only what is in buckets with our name. Nothing can be read.",
        actions: &[
            asked_for(
                "s3:DeleteObject",
                DOWN,
                "Remove delete markers and objects without a version.",
                "https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html",
            ),
            action("s3:DeleteObjectVersion", DOWN, "Remove versions."),
            action("s3:AbortMultipartUpload", DOWN, "Remove the parts of unfinished uploads."),
        ],
    },
];
