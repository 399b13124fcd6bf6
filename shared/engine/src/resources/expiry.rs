//! What S3 removes from a bucket of the cluster by itself, because it costs money and nobody sees it: old versions, after 30 days unless the
//! spec has another number, and the parts of uploads that nobody finished after 7. Current objects expire only if the spec says when.
//!
//! A bucket that goes is not emptied this way: S3 expires once a day, while a deletion lasts minutes; and whoever may set an expiry may
//! destroy everything by it, so the teardown's policy does not allow it.

use crate::context::Context;
use crate::errors::{Called, Error, Result, Unless};
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use wire::error::Code;
use wire::spec::Bucket;

const OLD_VERSIONS_DAYS: i32 = 30;
const UNFINISHED_UPLOADS_DAYS: i32 = 7;
/// The name of our rule. The tenant's stand beside it.
const OURS: &str = "groundwork";

/// A role of an older quick-start may not look. For a bucket that goes it does not matter; for one that stays, `turn_on` is denied too.
pub async fn is_on(cx: &Context, bucket: &str, wanted: &Bucket) -> Result<bool> {
    match rules(cx, bucket).await {
        Err(error) if error.is_denial() => Ok(false),
        found => found.map(|rules| expires(&rules, wanted)),
    }
}

/// S3 takes all rules at once, so the tenant's are put again.
pub async fn turn_on(cx: &Context, bucket: &str, wanted: &Bucket) -> Result<()> {
    let rules = with_ours(rules(cx, bucket).await?, wanted).map_err(unbuilt)?;
    let configuration = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(unbuilt)?;
    let call = cx.aws.s3.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(configuration);
    call.send().await.called("s3:PutLifecycleConfiguration").map(drop)
}

async fn rules(cx: &Context, bucket: &str) -> Result<Vec<LifecycleRule>> {
    let call = cx.aws.s3.get_bucket_lifecycle_configuration().bucket(bucket);
    let answer = call.send().await.called("s3:GetLifecycleConfiguration").unless(&["NoSuchLifecycleConfiguration"])?;
    Ok(answer.and_then(|answer| answer.rules).unwrap_or_default())
}

/// By any rule; where the spec has no number, after any time: the tenant may have chosen their own.
fn expires(rules: &[LifecycleRule], wanted: &Bucket) -> bool {
    let enabled = || rules.iter().filter(|rule| rule.status() == &ExpirationStatus::Enabled);
    let fits = |is: Option<i32>, wanted: Option<u16>| wanted.is_none_or(|days| is == Some(days.into()));
    let old = |old: &NoncurrentVersionExpiration| fits(old.noncurrent_days(), wanted.old_versions_days);
    let current = |rule: &LifecycleRule| fits(rule.expiration().and_then(LifecycleExpiration::days), wanted.expire_days);
    enabled().any(|rule| rule.noncurrent_version_expiration().is_some_and(old))
        && enabled().any(|rule| rule.abort_incomplete_multipart_upload().is_some())
        && enabled().any(current)
}

/// A bucket's old version is not removed before it has become one, so an object is gone for good after both times together.
fn with_ours(theirs: Vec<LifecycleRule>, wanted: &Bucket) -> Result<Vec<LifecycleRule>, BuildError> {
    let old_days = wanted.old_versions_days.map_or(OLD_VERSIONS_DAYS, i32::from);
    let old = NoncurrentVersionExpiration::builder().noncurrent_days(old_days).build();
    let current = wanted.expire_days.map(|days| LifecycleExpiration::builder().days(days.into()).build());
    let unfinished = AbortIncompleteMultipartUpload::builder().days_after_initiation(UNFINISHED_UPLOADS_DAYS).build();
    let everything = LifecycleRuleFilter::builder().prefix("").build();
    let ours = LifecycleRule::builder().id(OURS).status(ExpirationStatus::Enabled).filter(everything);
    let ours = ours.set_expiration(current).noncurrent_version_expiration(old).abort_incomplete_multipart_upload(unfinished).build()?;
    Ok(theirs.into_iter().filter(|rule| rule.id() != Some(OURS)).chain([ours]).collect())
}

fn unbuilt(error: BuildError) -> Error {
    Error::caused(Code::IncompleteRequest, &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, status: ExpirationStatus, old: bool, unfinished: bool) -> LifecycleRule {
        let old = old.then(|| NoncurrentVersionExpiration::builder().noncurrent_days(365).build());
        let unfinished = unfinished.then(|| AbortIncompleteMultipartUpload::builder().days_after_initiation(1).build());
        let rule = LifecycleRule::builder().id(id).status(status).set_noncurrent_version_expiration(old);
        rule.set_abort_incomplete_multipart_upload(unfinished).build().expect("a rule")
    }

    #[test]
    fn a_bucket_expires_what_nobody_sees_by_whichever_rules() {
        use ExpirationStatus::{Disabled, Enabled};
        for (rules, expected, reason) in [
            (vec![], false, "as S3 makes it"),
            (with_ours(vec![], &Bucket::default()).expect("ours"), true, "as we put it"),
            (vec![rule("theirs", Enabled, true, true)], true, "the tenant's own times"),
            (vec![rule("versions", Enabled, true, false), rule("uploads", Enabled, false, true)], true, "in two rules"),
            (vec![rule("versions", Enabled, true, false)], false, "unfinished uploads stay"),
            (vec![rule(OURS, Disabled, true, true)], false, "switched off"),
        ] {
            assert_eq!(expires(&rules, &Bucket::default()), expected, "{reason}");
        }
    }

    #[test]
    fn old_versions_go_after_a_month_unfinished_uploads_after_a_week_and_current_objects_never() {
        let rules = with_ours(vec![], &Bucket::default()).expect("ours");
        let old = rules[0].noncurrent_version_expiration().and_then(NoncurrentVersionExpiration::noncurrent_days);
        let unfinished = rules[0].abort_incomplete_multipart_upload().and_then(AbortIncompleteMultipartUpload::days_after_initiation);
        assert_eq!((old, unfinished, rules[0].expiration()), (Some(30), Some(7), None));
    }

    #[test]
    fn what_the_spec_says_counts_and_not_another_number() {
        let wanted = |expire_days, old_versions_days| Bucket { expire_days, old_versions_days, ..Bucket::default() };
        for (put, asked, expected, reason) in [
            (wanted(Some(90), Some(7)), wanted(Some(90), Some(7)), true, "as we put it"),
            (wanted(Some(90), Some(7)), wanted(None, None), true, "nothing is asked for"),
            (wanted(None, None), wanted(Some(90), None), false, "objects would stay"),
            (wanted(Some(91), None), wanted(Some(90), None), false, "another day"),
            (wanted(None, Some(30)), wanted(None, Some(7)), false, "old versions would stay longer"),
        ] {
            assert_eq!(expires(&with_ours(vec![], &put).expect("ours"), &asked), expected, "{reason}");
        }
    }

    #[test]
    fn the_tenants_rules_stay_beside_ours() {
        let theirs = rule("theirs", ExpirationStatus::Enabled, false, false);
        let off = rule(OURS, ExpirationStatus::Disabled, true, true);
        let rules = with_ours(vec![theirs, off], &Bucket::default()).expect("rules");
        assert_eq!(rules.iter().filter_map(LifecycleRule::id).collect::<Vec<_>>(), ["theirs", OURS]);
        assert!(expires(&rules, &Bucket::default()));
    }
}
