//! What lets AWS deliver flow logs into a bucket: two statements of its policy, for logs of this account and region only.
//! <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html>
//!
//! The page also asks for the ACL `bucket-owner-full-control`. A new bucket has no ACLs, and then the delivery may send none:
//! <https://github.com/cloudposse/terraform-aws-vpc-flow-logs-s3-bucket/pull/101>.

use crate::cluster::Cluster;
use serde_json::{Value, json};

/// Who delivers.
pub const SERVICE: &str = "delivery.logs.amazonaws.com";

/// The names that AWS documents.
const WRITE: &str = "AWSLogDeliveryWrite";
const CHECK: &str = "AWSLogDeliveryAclCheck";

/// What the logs that it delivers are of, as AWS names it.
pub fn source(cluster: &Cluster) -> String {
    format!("arn:{}:logs:{}:{}:*", cluster.spec.partition(), cluster.spec.region, cluster.account)
}

/// Exactly as we write them: whoever changed one of them may have let others in.
pub fn is_let_in(statements: &[Value], cluster: &Cluster, bucket: &str) -> bool {
    ours(cluster, bucket).iter().all(|one| statements.contains(one))
}

/// The statements with ours, in the place of any that have our names.
pub fn let_in(statements: &[Value], cluster: &Cluster, bucket: &str) -> Vec<Value> {
    let others = statements.iter().filter(|one| one["Sid"] != WRITE && one["Sid"] != CHECK).cloned();
    others.chain(ours(cluster, bucket)).collect()
}

/// `bucket` is its ARN.
fn ours(cluster: &Cluster, bucket: &str) -> [Value; 2] {
    let statement = |sid: &str, action: &str, resource: String| {
        json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": SERVICE},
            "Action": action,
            "Resource": resource,
            "Condition": {"StringEquals": {"aws:SourceAccount": cluster.account}, "ArnLike": {"aws:SourceArn": source(cluster)}}
        })
    };
    [
        statement(WRITE, "s3:PutObject", format!("{bucket}/AWSLogs/{}/*", cluster.account)),
        statement(CHECK, "s3:GetBucketAcl", bucket.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "arn:aws:s3:::groundwork-a-logs";

    #[test]
    fn what_others_put_into_the_policy_stays_and_what_has_our_names_is_ours() {
        let cluster = Cluster::example(json!({}));
        let [write, check] = ours(&cluster, BUCKET);
        let theirs = json!({"Sid": "Audit", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*"});
        let mut wide = write.clone();
        wide["Principal"] = json!("*");
        let whole = [theirs.clone(), write.clone(), check.clone()];
        for (statements, is_in, reason) in [
            (vec![theirs.clone()], false, "none of ours"),
            (vec![theirs.clone(), write.clone()], false, "half of ours"),
            (vec![theirs.clone(), check.clone(), wide], false, "one of them says something else"),
            (whole.to_vec(), true, "all of ours"),
        ] {
            assert_eq!(is_let_in(&statements, &cluster, BUCKET), is_in, "{reason}");
            assert_eq!(let_in(&statements, &cluster, BUCKET), whole, "{reason}");
        }
    }

    #[test]
    fn only_the_delivery_of_the_clusters_account_and_region_is_let_in_and_only_below_awss_prefix() {
        let [write, _] = ours(&Cluster::example(json!({})), BUCKET);
        assert_eq!(write["Resource"], "arn:aws:s3:::groundwork-a-logs/AWSLogs/222222222222/*");
        assert_eq!(write["Condition"]["StringEquals"]["aws:SourceAccount"], "222222222222");
        assert_eq!(write["Condition"]["ArnLike"]["aws:SourceArn"], "arn:aws:logs:us-west-2:222222222222:*");
    }
}
