//! Whether the customer's KMS key can encrypt the cluster: its state, its tag, and whom its policy lets in. Everything that is wrong with it
//! is told at once, with what mends it.

use super::key_policy::{Known, Verdict, Who, judge};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::table::NOT_LET_IN;
use crate::errors::{Called, Error, Result};
use crate::names::{KEY_TAG, KEY_TAG_VALUE, ROLE_PATH};
use crate::resources::delivery;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, KeySpec, KeyState, KeyUsageType, Tag};
use futures::join;
use serde_json::{Value, json};
use wire::error::Code;
use wire::spec::KMS_KEY;
use wire::view::Warning;

/// KMS knows no other name.
const POLICY: &str = "default";

/// What KMS says of the key. None of what it does not tell us.
#[derive(Default)]
struct Found {
    metadata: Option<KeyMetadata>,
    tags: Option<Vec<Tag>>,
    policy: Option<Value>,
    refused: Vec<Error>,
}

/// Something that is wrong, and what mends it.
struct Flaw {
    what: String,
    mend: String,
}

/// Returns what the tenant should know although the check passes.
///
/// # Errors
/// `Customer` if the key cannot encrypt the cluster as it is.
pub async fn check(cx: &Context) -> Result<Option<Warning>> {
    let Some(key) = cx.cluster.spec.kms_key() else { return Ok(None) };
    let found = ask(cx, key).await?;
    if let Some(flaw) = found.metadata.as_ref().and_then(not_theirs) {
        return Err(unusable(key, &[flaw]));
    }
    let (mut flaws, unclear) = whom_it_lets_in(&cx.cluster, key, found.policy.as_ref());
    flaws.splice(0..0, state(&cx.cluster, key, &found));
    if flaws.is_empty() { Ok(doubt(key, &unclear)) } else { Err(unusable(key, &flaws)) }
}

async fn ask(cx: &Context, key: &str) -> Result<Found> {
    let kms = &cx.aws.kms;
    let (metadata, tags, policy) = join!(
        kms.describe_key().key_id(key).send(),
        kms.list_resource_tags().key_id(key).send(),
        kms.get_key_policy().key_id(key).policy_name(POLICY).send()
    );
    let mut found = Found::default();
    found.metadata = told(&mut found.refused, metadata.called("kms:DescribeKey"))?.and_then(|answer| answer.key_metadata);
    found.tags = told(&mut found.refused, tags.called("kms:ListResourceTags"))?.map(|answer| answer.tags.unwrap_or_default());
    let policy = told(&mut found.refused, policy.called("kms:GetKeyPolicy"))?.and_then(|answer| answer.policy);
    // What is no JSON lets nobody in.
    found.policy = policy.map(|text| serde_json::from_str(&text).unwrap_or_default());
    Ok(found)
}

/// A key that is not there and a denial are faults beside others.
fn told<T>(refused: &mut Vec<Error>, answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_denial() || error.code.as_str() == NOT_FOUND => {
            refused.push(error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

const NOT_FOUND: &str = "NotFoundException";

/// Of a key of AWS's own, such as alias/aws/ebs, nothing that it lacks can be added.
fn not_theirs(metadata: &KeyMetadata) -> Option<Flaw> {
    let mend = || "Delete the cluster and create it with a key of yours, or without encryption.kms_key_arn".to_owned();
    let is_awss = metadata.key_manager() == Some(&KeyManagerType::Aws);
    is_awss.then(|| Flaw { what: "it is AWS's own, whose tags and policy nobody can change".into(), mend: mend() })
}

/// What is wrong with the key itself.
fn state(cluster: &Cluster, key: &str, found: &Found) -> Vec<Flaw> {
    if found.refused.iter().any(|error| error.code.as_str() == NOT_FOUND) {
        let mend = "Delete the cluster and create it with a key that exists".to_owned();
        return vec![Flaw { what: "KMS has no such key".into(), mend }];
    }
    let mut flaws: Vec<Flaw> = found.refused.iter().map(|error| denied(cluster, error)).collect();
    if let Some(metadata) = &found.metadata {
        let (usage, spec) = (metadata.key_usage(), metadata.key_spec());
        if usage != Some(&KeyUsageType::EncryptDecrypt) || spec != Some(&KeySpec::SymmetricDefault) {
            let mend = "Delete the cluster and create it with a symmetric key that encrypts and decrypts".to_owned();
            flaws.push(Flaw { what: format!("it is no symmetric key for encryption, but {}", kind(metadata)), mend });
        }
        flaws.extend(asleep(cluster, key, metadata.key_state()));
    }
    let is_ours = |tag: &Tag| (tag.tag_key(), tag.tag_value()) == (KEY_TAG, KEY_TAG_VALUE);
    if found.tags.as_ref().is_some_and(|tags| !tags.iter().any(is_ours)) {
        let region = &cluster.spec.region;
        let tag = format!("aws kms tag-resource --region {region} --key-id {key} --tags TagKey={KEY_TAG},TagValue={KEY_TAG_VALUE}");
        let mend = format!("Let Groundwork use it: {tag} (KMS takes up to five minutes to heed it)");
        flaws.push(Flaw { what: format!("it does not have the tag {KEY_TAG} = {KEY_TAG_VALUE}"), mend });
    }
    flaws
}

fn kind(metadata: &KeyMetadata) -> String {
    let spec = metadata.key_spec().map_or("unknown", KeySpec::as_str);
    format!("{spec} for {}", metadata.key_usage().map_or("unknown", KeyUsageType::as_str))
}

/// Whether it is the role or the key's policy that lacks something, AWS says.
fn denied(cluster: &Cluster, error: &Error) -> Flaw {
    let mend = if error.hint == NOT_LET_IN { groundwork(cluster).mend() } else { error.hint.trim_end_matches(", then retry.").to_owned() };
    Flaw { what: error.reason.trim_end_matches('.').to_owned(), mend }
}

fn asleep(cluster: &Cluster, key: &str, state: Option<&KeyState>) -> Option<Flaw> {
    let run = |verb: &str| format!("aws kms {verb} --region {} --key-id {key}", cluster.spec.region);
    let mend = match state? {
        KeyState::Enabled => return None,
        KeyState::Disabled => format!("Enable it: {}", run("enable-key")),
        KeyState::PendingDeletion => format!("Keep it: {} and {}", run("cancel-key-deletion"), run("enable-key")),
        _ => "Bring it to the state Enabled".to_owned(),
    };
    Some(Flaw { what: format!("its state is {}", state?.as_str()), mend })
}

/// One who has to use the key.
struct User {
    called: &'static str,
    kind: Kind,
    /// Of a role its ARN.
    name: String,
    actions: &'static [&'static str],
    /// The service that asks in its name.
    via: Option<&'static str>,
    /// What the policy has to say if it does not let them in.
    statements: Value,
    /// What may have to be done before.
    first: &'static str,
}

#[derive(Clone, Copy)]
enum Kind {
    Role { allowed_by_iam: bool },
    Service,
}

/// What EC2 does to launch an instance with encrypted volumes.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html>
const VOLUMES: &[&str] =
    &["kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:Decrypt", "kms:CreateGrant"];

/// What S3 asks of whoever puts an object into an encrypted bucket, in one part or several.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
const OBJECTS: &[&str] = &["kms:GenerateDataKey", "kms:Decrypt"];

fn users(cluster: &Cluster) -> Vec<User> {
    let mut users = vec![auto_scaling(cluster), groundwork(cluster), control_plane(cluster)];
    users.extend(cluster.spec.has_flow_logs().then(|| delivery(cluster)));
    users
}

/// It launches the nodes, and no policy of its role's own allows it a key of the customer's.
fn auto_scaling(cluster: &Cluster) -> User {
    let (account, partition) = (&cluster.account, cluster.spec.partition());
    let role = format!("arn:{partition}:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    User {
        called: "Auto Scaling",
        kind: Kind::Role { allowed_by_iam: false },
        actions: VOLUMES,
        via: Some("ec2"),
        statements: for_scaling(&role),
        name: role,
        // KMS takes no principal that does not exist, and an account's first Auto Scaling group makes this one.
        first: " (if KMS knows no such role yet: aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com)",
    }
}

/// EKS gives the control plane's role a grant with its permissions.
fn groundwork(cluster: &Cluster) -> User {
    let role = cluster.spec.role_arn.clone();
    User {
        called: "Groundwork's role",
        kind: Kind::Role { allowed_by_iam: true },
        actions: &["kms:DescribeKey", "kms:CreateGrant"],
        via: None,
        statements: json!([{
            "Sid": "Groundwork", "Effect": "Allow", "Principal": {"AWS": role}, "Resource": "*",
            "Action": ["kms:CreateGrant", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListResourceTags"]
        }]),
        name: role,
        first: "",
    }
}

/// It looks whether the key is there.
fn control_plane(cluster: &Cluster) -> User {
    let (account, partition) = (&cluster.account, cluster.spec.partition());
    let role = |id: &str| format!("arn:{partition}:iam::{account}:role{ROLE_PATH}groundwork-{id}-cluster");
    User {
        called: "the control plane's role",
        name: role(&cluster.id),
        kind: Kind::Role { allowed_by_iam: true },
        actions: &["kms:DescribeKey"],
        via: None,
        statements: json!([{
            "Sid": "GroundworkControlPlanes", "Effect": "Allow", "Principal": {"AWS": root(cluster)}, "Resource": "*",
            "Action": "kms:DescribeKey", "Condition": {"ArnLike": {"aws:PrincipalArn": role("*")}}
        }]),
        first: "",
    }
}

/// It puts the flow log into its bucket, for this account and region only.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html#AWS-logs-SSE-KMS-S3>
fn delivery(cluster: &Cluster) -> User {
    let from = json!({"StringEquals": {"aws:SourceAccount": cluster.account}, "ArnLike": {"aws:SourceArn": delivery::source(cluster)}});
    User {
        called: "the delivery of flow logs",
        name: delivery::SERVICE.to_owned(),
        kind: Kind::Service,
        actions: OBJECTS,
        via: Some("s3"),
        statements: json!([{
            "Sid": "FlowLogs", "Effect": "Allow", "Principal": {"Service": delivery::SERVICE}, "Resource": "*",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"], "Condition": from
        }]),
        first: "",
    }
}

/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html>
fn for_scaling(role: &str) -> Value {
    json!([
        {
            "Sid": "AutoScalingUsesIt", "Effect": "Allow", "Principal": {"AWS": role}, "Resource": "*",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        },
        {
            "Sid": "AutoScalingAttachesVolumes", "Effect": "Allow", "Principal": {"AWS": role}, "Resource": "*",
            "Action": "kms:CreateGrant", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        }
    ])
}

fn root(cluster: &Cluster) -> String {
    format!("arn:{}:iam::{}:root", cluster.spec.partition(), cluster.account)
}

/// What the policy keeps from those who have to use the key, and of whom it cannot be told.
fn whom_it_lets_in(cluster: &Cluster, key: &str, policy: Option<&Value>) -> (Vec<Flaw>, Vec<String>) {
    let (mut flaws, mut unclear) = (vec![], vec![]);
    let Some(policy) = policy else { return (flaws, unclear) };
    for user in users(cluster) {
        let verdicts: Vec<_> = user.actions.iter().map(|action| (*action, user.verdict(cluster, key, policy, action))).collect();
        let of =
            |wanted: Verdict| verdicts.iter().filter(|(_, is)| *is == wanted).map(|(action, _)| *action).collect::<Vec<_>>().join(", ");
        let (denied, missing, doubtful) = (of(Verdict::Denied), of(Verdict::NotAllowed), of(Verdict::Unclear));
        if !denied.is_empty() {
            let mend = format!("Take what denies {} {denied} out of the key's policy", user.name);
            flaws.push(Flaw { what: format!("its policy denies {} {denied}", user.called), mend });
        }
        if !missing.is_empty() {
            flaws.push(Flaw { what: format!("its policy does not allow {} {missing}", user.called), mend: user.mend() });
        }
        if !doubtful.is_empty() {
            unclear.push(format!("{} ({}) {doubtful}", user.called, user.name));
        }
    }
    (flaws, unclear)
}

impl User {
    fn verdict(&self, cluster: &Cluster, key: &str, policy: &Value, action: &str) -> Verdict {
        let (root, source) = (root(cluster), delivery::source(cluster));
        let via = self.via.map(|service| format!("{service}.{}.amazonaws.com", cluster.spec.region));
        let mut known = Known::from([("aws:securetransport", "true")]);
        known.extend(via.as_deref().map(|via| ("kms:viaservice", via)));
        let who = match self.kind {
            Kind::Role { allowed_by_iam } => {
                known.extend([
                    ("aws:principalaccount", cluster.account.as_str()),
                    ("aws:principalarn", &self.name),
                    ("kms:calleraccount", &cluster.account),
                    // CreateCluster does not say so of its grant: <https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html>.
                    ("kms:grantisforawsresource", if self.via.is_some() { "true" } else { "false" }),
                ]);
                Who::Role { arn: &self.name, root: &root, allowed_by_iam }
            }
            Kind::Service => {
                let service = [("aws:principalisawsservice", "true"), ("aws:principalservicename", self.name.as_str())];
                known.extend(service.into_iter().chain([("aws:sourceaccount", cluster.account.as_str()), ("aws:sourcearn", &source)]));
                Who::Service(&self.name)
            }
        };
        judge(policy, key, &who, action, &known)
    }

    fn mend(&self) -> String {
        let statements: Vec<String> = self.statements.as_array().into_iter().flatten().map(Value::to_string).collect();
        format!("Add to the statements of the key's policy: {}{}", statements.join(", "), self.first)
    }
}

fn unusable(key: &str, flaws: &[Flaw]) -> Error {
    let what: Vec<&str> = flaws.iter().map(|flaw| flaw.what.as_str()).collect();
    let mut mends: Vec<&str> = flaws.iter().map(|flaw| flaw.mend.as_str()).collect();
    mends.dedup();
    let reason = format!("The key {key} cannot encrypt the cluster: {}.", what.join("; "));
    Error::of(Code::KeyNotUsable, reason).with_hint(format!("{}. Then retry.", mends.join(". ")))
}

fn doubt(key: &str, unclear: &[String]) -> Option<Warning> {
    let message = format!(
        "The policy of {key} has conditions that cannot be judged from here. See that it allows {}: otherwise what needs it will not come \
         up, and the reason will say so.",
        unclear.join("; ")
    );
    (!unclear.is_empty()).then(|| Warning::new(KMS_KEY, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::from_answer;

    const KEY: &str = "arn:aws:kms:us-west-2:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn cluster() -> Cluster {
        Cluster::example(json!({"encryption": {"kms_key_arn": KEY}, "network": {"flow_logs": true}}))
    }

    fn enabled() -> Found {
        let metadata = KeyMetadata::builder().key_id("1").key_state(KeyState::Enabled);
        let metadata = metadata.key_usage(KeyUsageType::EncryptDecrypt).key_spec(KeySpec::SymmetricDefault);
        let tag = Tag::builder().tag_key(KEY_TAG).tag_value(KEY_TAG_VALUE).build().expect("a tag");
        Found { metadata: Some(metadata.build().expect("a key")), tags: Some(vec![tag]), ..Found::default() }
    }

    /// The policy that KMS gives a key, and these statements.
    fn policy(more: &[&Value]) -> Value {
        let own = json!([{"Effect": "Allow", "Principal": {"AWS": root(&cluster())}, "Action": "kms:*", "Resource": "*"}]);
        let all: Vec<&Value> = std::iter::once(&own).chain(more.iter().copied()).filter_map(Value::as_array).flatten().collect();
        json!({"Version": "2012-10-17", "Statement": all})
    }

    fn what(flaws: &[Flaw]) -> Vec<&str> {
        flaws.iter().map(|flaw| flaw.what.as_str()).collect()
    }

    #[test]
    fn a_key_is_symmetric_enabled_and_tagged() {
        let with = |change: fn(&mut KeyMetadata)| {
            let mut found = enabled();
            found.metadata.iter_mut().for_each(change);
            found
        };
        for (found, expected, mend, reason) in [
            (enabled(), None, "", "as it should be"),
            (with(|key| key.key_state = Some(KeyState::Disabled)), Some("its state is Disabled"), "aws kms enable-key", "disabled"),
            (
                with(|key| key.key_state = Some(KeyState::PendingDeletion)),
                Some("its state is PendingDeletion"),
                "aws kms cancel-key-deletion",
                "it would take the data with it",
            ),
            (with(|key| key.key_spec = Some(KeySpec::Rsa2048)), Some("it is no symmetric key"), "create it with a symmetric", "RSA"),
            (Found { tags: Some(vec![]), ..enabled() }, Some("it does not have the tag"), "aws kms tag-resource", "nobody allowed it"),
            (Found { tags: None, ..enabled() }, None, "", "another flaw says that nobody could look"),
        ] {
            let flaws = state(&cluster(), KEY, &found);
            assert_eq!(flaws.len(), usize::from(expected.is_some()), "{reason}: {:?}", what(&flaws));
            assert!(flaws.iter().all(|flaw| flaw.what.starts_with(expected.unwrap_or_default()) && flaw.mend.contains(mend)), "{reason}");
        }
    }

    #[test]
    fn a_key_of_awss_own_gets_no_advice_that_nobody_can_follow() {
        let mut metadata = enabled().metadata.expect("a key");
        assert!(not_theirs(&metadata).is_none(), "a customer's");
        metadata.key_manager = Some(KeyManagerType::Aws);
        assert!(not_theirs(&metadata).is_some_and(|flaw| flaw.mend.contains("a key of yours")), "alias/aws/ebs");
    }

    #[test]
    fn what_a_hint_says_to_add_is_enough() {
        let cluster = cluster();
        let (scaling, delivery) = (auto_scaling(&cluster).statements, delivery(&cluster).statements);
        let flaws = |policy: &Value| whom_it_lets_in(&cluster, KEY, Some(policy)).0.len();
        assert_eq!(flaws(&policy(&[&scaling, &delivery])), 0, "with the policy that KMS gives a key");
        assert_eq!(flaws(&policy(&[&delivery])), 1, "Auto Scaling's role has no policy of its own about the key");
        assert_eq!(flaws(&policy(&[&scaling])), 1, "nor has the delivery of flow logs, which is no principal of the account's");
        let mut marked = groundwork(&cluster).statements;
        marked[0]["Condition"] = json!({"Bool": {"kms:GrantIsForAWSResource": "true"}});
        let without_account = json!({"Statement": [scaling[0], scaling[1], delivery[0], marked[0], control_plane(&cluster).statements[0]]});
        assert_eq!(flaws(&without_account), 1, "EKS does not mark the grant of a control plane");
        let bare = json!({"Statement": []});
        assert_eq!(flaws(&bare), 4, "nobody is let in");
        let all: Vec<Value> = users(&cluster).into_iter().filter_map(|user| user.statements.as_array().cloned()).flatten().collect();
        assert_eq!(flaws(&json!({"Statement": all})), 0, "all that the four hints say");
    }

    #[test]
    fn flow_logs_are_delivered_with_the_key_only_if_there_are_any() {
        let scaling = auto_scaling(&cluster()).statements;
        let without = Cluster::example(json!({"encryption": {"kms_key_arn": KEY}}));
        assert_eq!(what(&whom_it_lets_in(&without, KEY, Some(&policy(&[&scaling]))).0), [""; 0]);
        let (flaws, _) = whom_it_lets_in(&cluster(), KEY, Some(&policy(&[&scaling])));
        assert_eq!(what(&flaws), ["its policy does not allow the delivery of flow logs kms:GenerateDataKey, kms:Decrypt"]);
        assert!(!flaws[0].mend.contains("create-service-linked-role"), "{}", flaws[0].mend);
        let another = delivery(&Cluster { account: "333333333333".into(), ..cluster() }).statements;
        assert_eq!(whom_it_lets_in(&cluster(), KEY, Some(&policy(&[&scaling, &another]))).0.len(), 1, "for another account's logs");
    }

    #[test]
    fn every_flaw_is_told_at_once_with_what_mends_it() {
        let (mut flaws, _) = whom_it_lets_in(&cluster(), KEY, Some(&policy(&[])));
        let mut found = enabled();
        found.tags = Some(vec![]);
        flaws.splice(0..0, state(&cluster(), KEY, &found));
        let error = unusable(KEY, &flaws);
        for part in
            ["groundwork:encryption = allowed; its policy does not allow Auto Scaling kms:DescribeKey", "kms:CreateGrant; its policy"]
        {
            assert!(error.reason.contains(part), "{part}: {}", error.reason);
        }
        for part in ["tag-resource", r#""Sid":"AutoScalingAttachesVolumes""#, "create-service-linked-role", ". Then retry."] {
            assert!(error.hint.contains(part), "{part}: {}", error.hint);
        }
    }

    #[test]
    fn who_may_not_even_look_is_told_whether_the_role_or_the_key_keeps_it_out() {
        for (code, message, mend, reason) in [
            (
                "AccessDeniedException",
                "because no resource-based policy allows the kms:DescribeKey action",
                r#""Sid":"Groundwork""#,
                "the key",
            ),
            (
                "AccessDeniedException",
                "because no identity-based policy allows the kms:DescribeKey action",
                "Deploy the quick-start",
                "the role",
            ),
            ("NotFoundException", "Key does not exist", "create it with a key that exists", "there is none"),
        ] {
            let refused = vec![from_answer("kms:DescribeKey", Some(400), code.into(), message)];
            let flaws = state(&cluster(), KEY, &Found { refused, ..Found::default() });
            let error = unusable(KEY, &flaws);
            assert!(flaws.len() == 1 && error.hint.contains(mend) && error.hint.ends_with(". Then retry."), "{reason}: {}", error.hint);
        }
    }

    #[test]
    fn what_conditions_may_keep_out_is_a_warning_and_what_denies_a_fault() {
        let cluster = cluster();
        let (scaling, delivery) = (auto_scaling(&cluster).statements, delivery(&cluster).statements);
        let deny = |condition: Value| json!([{"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*", "Condition": condition}]);
        let perhaps = deny(json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}));
        let (flaws, unclear) = whom_it_lets_in(&cluster, KEY, Some(&policy(&[&scaling, &delivery, &perhaps])));
        assert_eq!((flaws.len(), unclear.len()), (0, 2), "{unclear:?}");
        let warning = doubt(KEY, &unclear).expect("a warning");
        assert!(
            warning.path == KMS_KEY && warning.message.contains("AWSServiceRoleForAutoScaling) kms:CreateGrant"),
            "{}",
            warning.message
        );
        let denied = deny(json!({}));
        let (flaws, _) = whom_it_lets_in(&cluster, KEY, Some(&policy(&[&scaling, &delivery, &denied])));
        assert_eq!(what(&flaws), ["its policy denies Auto Scaling kms:CreateGrant", "its policy denies Groundwork's role kms:CreateGrant"]);
    }
}
