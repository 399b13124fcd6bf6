//! An S3 bucket of the cluster: encrypted, versioned, closed to the public and to plain HTTP, without old versions for ever.

use super::owned::{check_ours, outputs};
use super::{contents, delivery, expiry};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result, Unless, from_answer};
use crate::permissions::document::list;
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Delete, ObjectIdentifier, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag,
    VersioningConfiguration,
};
use serde_json::{Value, json};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;
use wire::spec::{self, Data, FLOW_LOGS};
use wire::stage::Stage;

/// A million objects take hundreds of batches. One call removes this many, and the next look goes on.
const BATCHES: usize = 10;
/// Where S3 does not accept a location constraint.
pub(super) const HOME_REGION: &str = "us-east-1";

pub struct Bucket {
    /// Such as `checkpoints`.
    pub purpose: String,
}

/// A found bucket: its safeguards that are off.
pub struct Found {
    off: Vec<Safeguard>,
}

/// What makes a bucket safe, and of use to AWS's own logs; S3 takes them one call at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Safeguard {
    AccessBlock,
    Versioning,
    Encryption,
    TlsOnly,
    Expiry,
    /// Only of the bucket that flow logs go into.
    FlowLogs,
}

const SAFEGUARDS: [Safeguard; 5] =
    [Safeguard::AccessBlock, Safeguard::Versioning, Safeguard::Encryption, Safeguard::TlsOnly, Safeguard::Expiry];

impl Bucket {
    fn name(&self, cluster: &Cluster) -> String {
        cluster.scoped(&self.purpose)
    }

    fn safeguards(&self, cluster: &Cluster) -> impl Iterator<Item = Safeguard> {
        let takes_flow_logs = cluster.spec.has_flow_logs() && self.purpose == FLOW_LOGS;
        SAFEGUARDS.into_iter().chain(takes_flow_logs.then_some(Safeguard::FlowLogs))
    }

    fn arn(&self, cluster: &Cluster) -> String {
        format!("arn:{}:s3:::{}", cluster.spec.partition(), self.name(cluster))
    }

    /// What the spec says of it, or the usual if only the journal knows it.
    fn wanted(&self, cluster: &Cluster) -> spec::Bucket {
        let found = cluster.spec.buckets().into_iter().find(|bucket| bucket.purpose == self.purpose);
        found.unwrap_or_default()
    }

    /// By its tags and not by HeadBucket, whose errors have no code. The account is named, so that another account's bucket is never ours.
    async fn exists(&self, cx: &Context) -> Result<bool> {
        let name = self.name(&cx.cluster);
        let call = cx.aws.s3.get_bucket_tagging().bucket(&name).expected_bucket_owner(&cx.cluster.account);
        let answer = call.send().await.called("s3:GetBucketTagging");
        let tags = match answer {
            Ok(answer) => answer.tag_set,
            Err(error) if error.code.as_str() == "NoSuchBucket" => return Ok(false),
            Err(error) if error.code.as_str() == "NoSuchTagSet" => vec![],
            // Another account's: not ours to make, nor to remove.
            Err(error) if error.is_denial() && !is_listed(cx, &name).await? => return Ok(false),
            Err(error) => return Err(error),
        };
        check_ours(&cx.cluster, &format!("The bucket {name}"), tags.iter().map(|tag| (tag.key(), tag.value())))?;
        Ok(true)
    }

    fn configuration(&self, cx: &Context) -> Result<CreateBucketConfiguration> {
        let tags: Result<Vec<_>, _> =
            cx.cluster.tags(&self.key()).into_iter().map(|(name, value)| Tag::builder().key(name).value(value).build()).collect();
        let tags = tags.map_err(unbuilt)?;
        Ok(CreateBucketConfiguration::builder().set_location_constraint(constraint(&cx.cluster.spec.region)).set_tags(Some(tags)).build())
    }

    /// True when the bucket is empty, false when there is more than a call's worth in it.
    async fn empty(&self, cx: &Context) -> Result<bool> {
        for _ in 0..BATCHES {
            let versions = self.some_versions(cx).await?;
            if versions.is_empty() {
                return self.abort_uploads(cx).await;
            }
            self.remove(cx, versions).await?;
        }
        Ok(false)
    }

    async fn some_versions(&self, cx: &Context) -> Result<Vec<ObjectIdentifier>> {
        let call = cx.aws.s3.list_object_versions().bucket(self.name(&cx.cluster));
        let answer = call.send().await.called("s3:ListBucketVersions").unless(&["NoSuchBucket"])?;
        let Some(answer) = answer else { return Ok(vec![]) };
        let versions = answer.versions.unwrap_or_default().into_iter().map(|version| (version.key, version.version_id));
        let markers = answer.delete_markers.unwrap_or_default().into_iter().map(|marker| (marker.key, marker.version_id));
        let identifiers: Result<_, BuildError> = versions
            .chain(markers)
            .map(|(key, version)| ObjectIdentifier::builder().set_key(key).set_version_id(version).build())
            .collect();
        identifiers.map_err(unbuilt)
    }

    async fn remove(&self, cx: &Context, versions: Vec<ObjectIdentifier>) -> Result<()> {
        let batch = Delete::builder().set_objects(Some(versions)).quiet(true).build().map_err(unbuilt)?;
        let call = cx.aws.s3.delete_objects().bucket(self.name(&cx.cluster)).delete(batch);
        let answer = call.send().await.called("s3:DeleteObjectVersion").unless(&["NoSuchBucket"])?;
        let refused = answer.and_then(|answer| answer.errors).unwrap_or_default().into_iter().next();
        refused.map_or(Ok(()), |error| {
            let message = format!("object {}: {}", error.key().unwrap_or_default(), error.message().unwrap_or_default());
            Err(from_answer("s3:DeleteObjectVersion", None, error.code().map_or(Code::Unknown, Code::from), &message))
        })
    }

    /// The parts of unfinished uploads are not in any list of objects, but cost as much.
    async fn abort_uploads(&self, cx: &Context) -> Result<bool> {
        let call = cx.aws.s3.list_multipart_uploads().bucket(self.name(&cx.cluster));
        let answer = call.send().await.called("s3:ListBucketMultipartUploads").unless(&["NoSuchBucket"])?;
        let Some(answer) = answer else { return Ok(true) };
        for upload in answer.uploads() {
            let call = cx
                .aws
                .s3
                .abort_multipart_upload()
                .bucket(self.name(&cx.cluster))
                .set_key(upload.key.clone())
                .set_upload_id(upload.upload_id.clone());
            call.send().await.called("s3:AbortMultipartUpload").done_if(&["NoSuchUpload", "NoSuchBucket"])?;
        }
        Ok(!answer.is_truncated().unwrap_or_default())
    }
}

/// True if it is one of the account's own.
async fn is_listed(cx: &Context, name: &str) -> Result<bool> {
    let request = cx.aws.s3.list_buckets().prefix(name);
    let found: Vec<_> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("s3:ListAllMyBuckets")?;
    Ok(found.iter().any(|bucket| bucket.name() == Some(name)))
}

/// It was just emptied.
fn written_to(bucket: &str, error: Error) -> Error {
    Error { reason: format!("Something still writes to the bucket {bucket}: it was emptied, and is not empty ({}).", error.code), ..error }
}

fn constraint(region: &str) -> Option<BucketLocationConstraint> {
    (region != HOME_REGION).then(|| BucketLocationConstraint::from(region))
}

impl Safeguard {
    /// The difference's field.
    fn field(self) -> &'static str {
        match self {
            Safeguard::AccessBlock => "public_access_block",
            Safeguard::Versioning => "versioning",
            Safeguard::Encryption => "encryption",
            Safeguard::TlsOnly => "tls_only",
            Safeguard::Expiry => "expiry",
            Safeguard::FlowLogs => "flow_logs",
        }
    }

    async fn is_on(self, cx: &Context, bucket: &str, arn: &str, wanted: &spec::Bucket) -> Result<bool> {
        match self {
            Safeguard::AccessBlock => blocks_public_access(cx, bucket).await,
            Safeguard::Versioning => is_versioned(cx, bucket).await,
            Safeguard::Encryption => is_encrypted(cx, bucket, cx.cluster.spec.kms_key()).await,
            Safeguard::TlsOnly => is_tls_only(cx, bucket).await,
            Safeguard::Expiry => expiry::is_on(cx, bucket, wanted).await,
            Safeguard::FlowLogs => takes_flow_logs(cx, bucket, arn).await,
        }
    }

    async fn turn_on(self, cx: &Context, bucket: &str, arn: &str, wanted: &spec::Bucket) -> Result<()> {
        match self {
            Safeguard::AccessBlock => block_public_access(cx, bucket).await,
            Safeguard::Versioning => keep_versions(cx, bucket).await,
            Safeguard::Encryption => encrypt(cx, bucket, cx.cluster.spec.kms_key()).await,
            Safeguard::TlsOnly => demand_tls(cx, bucket, arn).await,
            Safeguard::Expiry => expiry::turn_on(cx, bucket, wanted).await,
            Safeguard::FlowLogs => take_flow_logs(cx, bucket, arn).await,
        }
    }
}

impl Planned for Bucket {
    fn key(&self) -> Key {
        Key::Bucket(self.purpose.clone())
    }

    fn stage(&self) -> Stage {
        Stage::CreateBuckets
    }
}

#[async_trait]
impl Made for Bucket {
    type Thing = Found;

    fn holds_data(&self) -> bool {
        true
    }

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        if !self.exists(cx).await? {
            return Ok(None);
        }
        let name = self.name(&cx.cluster);
        let (mut off, arn, wanted) = (Vec::new(), self.arn(&cx.cluster), self.wanted(&cx.cluster));
        for safeguard in self.safeguards(&cx.cluster) {
            if !safeguard.is_on(cx, &name, &arn, &wanted).await? {
                off.push(safeguard);
            }
        }
        Ok(Some(Found { off }))
    }

    fn judge(&self, _: &Cluster, found: &Found) -> Seen {
        let difference = |safeguard: Safeguard| Difference::between(safeguard.field(), "off", "on", How::InPlace);
        Seen::but_for(found.off.iter().copied().map(difference))
    }

    fn outputs(&self, cluster: &Cluster, _: &Found) -> Outputs {
        outputs([("name", Some(&self.name(cluster))), ("arn", Some(&self.arn(cluster)))])
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.s3.create_bucket().bucket(self.name(&cx.cluster)).create_bucket_configuration(self.configuration(cx)?);
        call.send().await.called("s3:CreateBucket").done_if(&["BucketAlreadyOwnedByYou"])
    }

    async fn mend(&self, cx: &Context, found: &Found) -> Result<()> {
        for safeguard in &found.off {
            safeguard.turn_on(cx, &self.name(&cx.cluster), &self.arn(&cx.cluster), &self.wanted(&cx.cluster)).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Context, _: &Found) -> Result<()> {
        let (name, goes_with_its_data) = (self.name(&cx.cluster), cx.cluster.data == Data::Delete);
        if goes_with_its_data && !self.empty(cx).await? {
            return Ok(());
        }
        let deleted = cx.aws.s3.delete_bucket().bucket(&name).send().await.called("s3:DeleteBucket").done_if(&["NoSuchBucket"]);
        match deleted {
            Err(error) if error.code.as_str() == "BucketNotEmpty" && goes_with_its_data => Err(written_to(&name, error)),
            // Something was written since it was seen empty, so the next look keeps it.
            Err(error) if error.code.as_str() == "BucketNotEmpty" => Ok(()),
            deleted => deleted,
        }
    }

    async fn stays(&self, cx: &Context, _: &Found) -> Result<bool> {
        let name = self.name(&cx.cluster);
        Ok(cx.cluster.data == Data::Keep && !contents::look(cx, &name, 1).await?.is_nothing())
    }
}

pub(super) async fn blocks_public_access(cx: &Context, bucket: &str) -> Result<bool> {
    let call = cx.aws.s3.get_public_access_block().bucket(bucket);
    let answer = call.send().await.called("s3:GetBucketPublicAccessBlock").unless(&["NoSuchPublicAccessBlockConfiguration"])?;
    Ok(answer.and_then(|answer| answer.public_access_block_configuration) == Some(everything_blocked()))
}

async fn block_public_access(cx: &Context, bucket: &str) -> Result<()> {
    let call = cx.aws.s3.put_public_access_block().bucket(bucket).public_access_block_configuration(everything_blocked());
    call.send().await.called("s3:PutBucketPublicAccessBlock").map(drop)
}

fn everything_blocked() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build()
}

async fn is_versioned(cx: &Context, bucket: &str) -> Result<bool> {
    let answer = cx.aws.s3.get_bucket_versioning().bucket(bucket).send().await.called("s3:GetBucketVersioning")?;
    Ok(answer.status() == Some(&BucketVersioningStatus::Enabled))
}

async fn keep_versions(cx: &Context, bucket: &str) -> Result<()> {
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    cx.aws.s3.put_bucket_versioning().bucket(bucket).versioning_configuration(enabled).send().await.called("s3:PutBucketVersioning")?;
    Ok(())
}

async fn is_encrypted(cx: &Context, bucket: &str, key: Option<&str>) -> Result<bool> {
    let call = cx.aws.s3.get_bucket_encryption().bucket(bucket);
    let answer = call.send().await.called("s3:GetEncryptionConfiguration").unless(&["ServerSideEncryptionConfigurationNotFoundError"])?;
    let configuration = answer.and_then(|answer| answer.server_side_encryption_configuration);
    let rules = configuration.iter().flat_map(|configuration| configuration.rules());
    Ok(rules.filter_map(|rule| rule.apply_server_side_encryption_by_default()).any(|is| is_as_wanted(is, key)))
}

/// Where the spec names no key, with any: the tenant may have chosen their own in the account.
fn is_as_wanted(is: &ServerSideEncryptionByDefault, key: Option<&str>) -> bool {
    key.is_none_or(|key| is.sse_algorithm() == &ServerSideEncryption::AwsKms && is.kms_master_key_id() == Some(key))
}

async fn encrypt(cx: &Context, bucket: &str, key: Option<&str>) -> Result<()> {
    let algorithm = if key.is_some() { ServerSideEncryption::AwsKms } else { ServerSideEncryption::Aes256 };
    let with = ServerSideEncryptionByDefault::builder().sse_algorithm(algorithm).set_kms_master_key_id(key.map(str::to_owned));
    let with = with.build().map_err(unbuilt)?;
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(with).bucket_key_enabled(true).build();
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(unbuilt)?;
    let call = cx.aws.s3.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(configuration);
    call.send().await.called("s3:PutEncryptionConfiguration").map(drop)
}

/// With what the tenant or their company added.
async fn policy(cx: &Context, bucket: &str) -> Result<Value> {
    let answer = cx.aws.s3.get_bucket_policy().bucket(bucket).send().await.called("s3:GetBucketPolicy").unless(&["NoSuchBucketPolicy"])?;
    let policy = answer.and_then(|answer| answer.policy).and_then(|policy| serde_json::from_str(&policy).ok());
    Ok(policy.unwrap_or_else(|| json!({"Version": "2012-10-17", "Statement": []})))
}

async fn is_tls_only(cx: &Context, bucket: &str) -> Result<bool> {
    Ok(list(&policy(cx, bucket).await?["Statement"]).iter().any(denies_plain_http))
}

async fn demand_tls(cx: &Context, bucket: &str, arn: &str) -> Result<()> {
    let mut policy = policy(cx, bucket).await?;
    policy["Statement"] = [list(&policy["Statement"]), &[tls_only(arn)]].concat().into();
    put_policy(cx, bucket, &policy).await
}

async fn takes_flow_logs(cx: &Context, bucket: &str, arn: &str) -> Result<bool> {
    Ok(delivery::is_let_in(list(&policy(cx, bucket).await?["Statement"]), &cx.cluster, arn))
}

async fn take_flow_logs(cx: &Context, bucket: &str, arn: &str) -> Result<()> {
    let mut policy = policy(cx, bucket).await?;
    policy["Statement"] = delivery::let_in(list(&policy["Statement"]), &cx.cluster, arn).into();
    put_policy(cx, bucket, &policy).await
}

async fn put_policy(cx: &Context, bucket: &str, policy: &Value) -> Result<()> {
    cx.aws.s3.put_bucket_policy().bucket(bucket).policy(policy.to_string()).send().await.called("s3:PutBucketPolicy").map(drop)
}

fn tls_only(arn: &str) -> Value {
    json!({
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    })
}

/// Also as others write it, for a policy has many spellings.
fn denies_plain_http(statement: &Value) -> bool {
    let without_tls = ["Bool", "BoolIfExists"].map(|operator| &statement["Condition"][operator]["aws:SecureTransport"]);
    let is_false = |value: &Value| *value == json!("false") || *value == json!(false);
    statement["Effect"] == "Deny" && without_tls.into_iter().flat_map(list).any(is_false)
}

fn unbuilt(error: BuildError) -> Error {
    Error::caused(Code::IncompleteRequest, &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_location_is_left_out_only_in_the_home_region() {
        for (region, expected) in [("us-east-1", None), ("eu-west-1", Some("eu-west-1"))] {
            assert_eq!(constraint(region), expected.map(BucketLocationConstraint::from), "{region}");
        }
    }

    #[test]
    fn a_bucket_is_ready_once_all_its_safeguards_are_on() {
        let cluster = Cluster::example(json!({}));
        let bucket = Bucket { purpose: "logs".into() };
        assert_eq!(bucket.judge(&cluster, &Found { off: vec![] }), Seen::Ready);
        let off = [Safeguard::Versioning, Safeguard::TlsOnly];
        let expected = ["versioning", "tls_only"].map(|field| Difference::between(field, "off", "on", How::InPlace));
        assert_eq!(bucket.judge(&cluster, &Found { off: off.into() }), Seen::but_for(expected));
    }

    #[test]
    fn a_bucket_has_the_specs_key_or_without_one_any() {
        let by = |algorithm, key: Option<&str>| {
            let by = ServerSideEncryptionByDefault::builder().sse_algorithm(algorithm).set_kms_master_key_id(key.map(str::to_owned));
            by.build().expect("all of it")
        };
        for (is, key, expected, reason) in [
            (by(ServerSideEncryption::Aes256, None), None, true, "S3's own"),
            (by(ServerSideEncryption::AwsKms, Some("theirs")), None, true, "the tenant chose one"),
            (by(ServerSideEncryption::AwsKms, Some("theirs")), Some("theirs"), true, "the spec's"),
            (by(ServerSideEncryption::Aes256, None), Some("theirs"), false, "S3's own instead of the spec's"),
            (by(ServerSideEncryption::AwsKms, Some("another")), Some("theirs"), false, "another than the spec's"),
        ] {
            assert_eq!(is_as_wanted(&is, key), expected, "{reason}");
        }
    }

    #[test]
    fn a_statement_that_denies_plain_http_is_recognized_however_it_is_written() {
        let denial = |condition| json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": condition});
        let mut allow = tls_only("arn:aws:s3:::groundwork-a-logs");
        allow["Effect"] = json!("Allow");
        for (statement, expected, why) in [
            (tls_only("arn:aws:s3:::groundwork-a-logs"), true, "as we put it"),
            (denial(json!({"Bool": {"aws:SecureTransport": false}})), true, "without quotation marks"),
            (denial(json!({"BoolIfExists": {"aws:SecureTransport": ["false"]}})), true, "as a list, with another operator"),
            (denial(json!({"Bool": {"aws:SecureTransport": "true"}})), false, "the wrong way round"),
            (allow, false, "an Allow denies nothing"),
            (json!({"Effect": "Deny", "Action": "s3:*"}), false, "another Deny"),
        ] {
            assert_eq!(denies_plain_http(&statement), expected, "{why}");
        }
    }
}
