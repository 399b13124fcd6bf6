//! A bucket that a customer made: verified, and never created, changed, tagged, emptied or deleted.

use super::bucket::{HOME_REGION, blocks_public_access};
use super::owned::outputs;
use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::resource::{LookedAt, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_s3::types::BucketLocationConstraint;
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

pub struct ExistingBucket {
    pub name: String,
}

impl ExistingBucket {
    /// None if there is no such bucket. The account is named, so that another account's bucket is not taken for the customer's.
    async fn region(&self, cx: &Context) -> Result<Option<String>> {
        let call = cx.aws.s3.get_bucket_location().bucket(&self.name).expected_bucket_owner(&cx.cluster.account);
        match call.send().await.called("s3:GetBucketLocation") {
            Ok(answer) => Ok(Some(region_of(answer.location_constraint()))),
            Err(error) if error.code.as_str() == "NoSuchBucket" => Ok(None),
            Err(error) if SENT_ELSEWHERE.contains(&error.code.as_str()) => Ok(Some("another region".into())),
            Err(error) => Err(self.explain_refusal(error, &cx.cluster.account)),
        }
    }

    /// The role may look only at the buckets in its policy, so a wrong name is refused, like another account's bucket.
    fn explain_refusal(&self, error: Error, account: &str) -> Error {
        if !error.is_denial() {
            return error;
        }
        let name = &self.name;
        let hint = format!(
            "If {name} is the bucket's name and account {account} owns it, add s3:GetBucketLocation on it to the role, then retry; \
             if not, delete this cluster and create it with the right buckets."
        );
        Error { hint, ..error }
    }

    fn wrong(&self, code: Code, what: &str) -> (Seen, Outputs) {
        (Seen::Sick(Error::of(code, format!("The bucket {} {what}.", self.name))), Outputs::new())
    }
}

/// S3's answers about a bucket in another region.
const SENT_ELSEWHERE: [&str; 2] = ["PermanentRedirect", "AuthorizationHeaderMalformed"];

impl Planned for ExistingBucket {
    fn key(&self) -> Key {
        Key::Bucket(self.name.clone())
    }

    fn stage(&self) -> Stage {
        Stage::CreateBuckets
    }
}

#[async_trait]
impl LookedAt for ExistingBucket {
    async fn look(&self, cx: &Context) -> Result<(Seen, Outputs)> {
        let wanted = &cx.cluster.spec.region;
        let Some(region) = self.region(cx).await? else {
            return Ok(self.wrong(Code::NoBucket, "does not exist"));
        };
        if region != *wanted {
            return Ok(self.wrong(Code::BucketElsewhere, &format!("is in {region}, not in {wanted}")));
        }
        if !blocks_public_access(cx, &self.name).await? {
            return Ok(self.wrong(Code::BucketNotClosed, "is not closed to the public"));
        }
        Ok((Seen::Ready, outputs([("name", Some(&self.name))])))
    }
}

/// S3 leaves out its first region, and has an old name for Ireland.
fn region_of(constraint: Option<&BucketLocationConstraint>) -> String {
    match constraint.map(BucketLocationConstraint::as_str) {
        None | Some("") => HOME_REGION.to_owned(),
        Some("EU") => "eu-west-1".to_owned(),
        Some(region) => region.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::from_answer;

    #[test]
    fn the_region_is_read_from_the_buckets_location() {
        for (said, region) in [(None, "us-east-1"), (Some(""), "us-east-1"), (Some("EU"), "eu-west-1"), (Some("us-west-2"), "us-west-2")] {
            assert_eq!(region_of(said.map(BucketLocationConstraint::from).as_ref()), region, "{said:?}");
        }
    }

    #[test]
    fn a_refusal_says_that_the_name_may_be_wrong() {
        let bucket = ExistingBucket { name: "their-data".into() };
        let error = bucket.explain_refusal(from_answer("s3:GetBucketLocation", Some(403), Code::AccessDenied, "no"), "222222222222");
        assert!(error.is_denial() && error.hint.contains("their-data") && error.hint.contains("222222222222"), "{}", error.hint);
    }
}
