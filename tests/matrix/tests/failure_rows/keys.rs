//! The customer's KMS key.

use crate::scene::{Scene, reads, refuse, times};
use engine::survey::survey;
use matrix::kms::{self, KEY};
use serde_json::json;
use std::time::Duration;
use wire::error::{Class, Code};
use wire::key::Key;

async fn encrypted() -> Scene {
    Scene::asking(&json!({"encryption": {"kms_key_arn": KEY}})).await
}

/// Parks before anything is made, for these reasons and with these hints.
async fn is_refused(scene: &Scene, reasons: &[&str], hints: &[&str]) {
    let error = scene.parks().await;
    assert_eq!((error.class, &error.code), (Class::Customer, &Code::KeyNotUsable));
    assert!(error.reason.starts_with(&format!("The key {KEY} cannot encrypt the cluster: ")), "{}", error.reason);
    assert!(reasons.iter().all(|part| error.reason.contains(part)), "{}", error.reason);
    assert!(hints.iter().all(|part| error.hint.contains(part)) && error.hint.ends_with("Then retry."), "{}", error.hint);
    assert!(!scene.account.calls().iter().any(|call| call.contains(":Create")), "something was made");
}

/// P: A KMS key lacks a policy, or is deleted.
#[tokio::test(start_paused = true)]
async fn row_25_a_key_that_cannot_encrypt_a_cluster_is_refused_with_everything_that_mends_it() {
    let scene = encrypted().await;
    let kms = scene.clients().kms;
    kms.schedule_key_deletion().key_id(KEY).send().await.expect("scheduled");
    kms.untag_resource().key_id(KEY).tag_keys("groundwork:encryption").send().await.expect("untagged");
    kms.put_key_policy().key_id(KEY).policy(kms::policy(false).to_string()).send().await.expect("the policy that KMS gives a key");
    let reasons = ["its state is PendingDeletion", "the tag groundwork:encryption = allowed", "does not allow Auto Scaling"];
    is_refused(&scene, &reasons, &["aws kms cancel-key-deletion", "aws kms tag-resource", "AutoScalingAttachesVolumes"]).await;
}

/// P: A KMS key, the version of Kubernetes and the alternatives of a type are wrong at once.
#[tokio::test(start_paused = true)]
async fn row_130_all_that_the_customer_can_mend_is_told_together() {
    let types = json!([{"name": "g5.xlarge", "capacity": "spot", "alternatives": ["g4dn.12xlarge"]}]);
    let scene = Scene::asking(&json!({
        "encryption": {"kms_key_arn": KEY}, "kubernetes": {"version": "1.28"}, "instance_types": types
    }))
    .await;
    scene.clients().kms.disable_key().key_id(KEY).send().await.expect("disabled");
    let error = scene.parks().await;
    assert_eq!((error.class, &error.code), (Class::Customer, &Code::AlternativesDiffer));
    for part in ["Alternatives differ: g4dn.12xlarge", "its state is Disabled", "EKS makes no clusters of Kubernetes 1.28"] {
        assert!(error.reason.contains(part), "{part}: {}", error.reason);
    }
    for part in [Code::AlternativesDiffer.means().hint, "aws kms enable-key", Code::VersionNotOffered.means().hint] {
        assert!(error.hint.contains(part), "{part}: {}", error.hint);
    }
    scene.clients().kms.enable_key().key_id(KEY).send().await.expect("as it was");
    scene.goes().await;
}

/// P: The customer's key is disabled.
#[tokio::test(start_paused = true)]
async fn row_131_a_disabled_key_is_refused_until_it_is_enabled() {
    let scene = encrypted().await;
    let kms = scene.clients().kms;
    kms.disable_key().key_id(KEY).send().await.expect("disabled");
    is_refused(&scene, &["its state is Disabled"], &["aws kms enable-key"]).await;
    kms.enable_key().key_id(KEY).send().await.expect("enabled");
    scene.runs().await;
    scene.goes().await;
}

/// P: The policy of the customer's key does not let Auto Scaling in, and no node would start.
#[tokio::test(start_paused = true)]
async fn row_132_a_key_whose_policy_keeps_auto_scaling_out_is_refused_with_the_statements_to_add() {
    let scene = encrypted().await;
    let kms = scene.clients().kms;
    kms.put_key_policy().key_id(KEY).policy(kms::policy(false).to_string()).send().await.expect("the policy that KMS gives a key");
    let role = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
    is_refused(&scene, &["its policy does not allow Auto Scaling kms:DescribeKey"], &[role, "kms:GenerateDataKey*"]).await;
    kms.put_key_policy().key_id(KEY).policy(kms::policy(true).to_string()).send().await.expect("with Auto Scaling's");
    scene.runs().await;
    scene.goes().await;
}

/// P: The customer's key is in another account or region.
#[test]
fn row_133_a_key_of_another_account_or_region_is_refused_at_the_door() {
    for (key, reason) in [
        (KEY.replace("123456789012", "333333333333"), "this must be a key in the account of role_arn, 123456789012"),
        (KEY.replace("us-west-2", "us-east-1"), "this must be in us-west-2"),
    ] {
        let body = json!({
            "name": "research", "role_arn": "arn:aws:iam::123456789012:role/groundwork", "region": "us-west-2", "encryption": {"kms_key_arn": key}
        });
        let faults = wire::spec::parse(&body).expect_err("refused");
        assert_eq!(
            faults.iter().map(|fault| (fault.path.as_str(), fault.message.as_str())).collect::<Vec<_>>(),
            [(wire::spec::KMS_KEY, reason)]
        );
    }
}

/// F: EKS may not use the customer's key in the role's name.
#[tokio::test(start_paused = true)]
async fn row_134_what_eks_may_not_do_with_a_key_is_the_tenants_turn() {
    let scene = encrypted().await;
    let message = "User not authorized to perform kms:CreateGrant operation";
    scene.set(vec![refuse("eks:CreateCluster", 400, "InvalidRequestException", message)]);
    let hint = "EKS may not use the key of encryption.kms_key_arn through the role: see that the key has the tag groundwork:encryption = allowed, which KMS heeds after up to five minutes, and a policy that lets the role in, and deploy the quick-start again, then retry.";
    reads(&scene.parks().await, Class::Customer, &format!("AWS refused eks:CreateCluster: InvalidRequestException: {message}"), hint);
    scene.mend();
    scene.runs().await;
    scene.goes().await;
}

/// R: KMS has not heard yet of the role that a control plane was just given.
#[tokio::test(start_paused = true)]
async fn row_143_a_key_that_eks_cannot_use_yet_is_tried_again() {
    let scene = encrypted().await;
    let message = format!("Access denied to KMS key {KEY} due to explicit deny policy or revoked grant");
    scene.set(vec![times(2, refuse("eks:CreateCluster", 400, "InvalidParameterException", &message))]);
    scene.runs().await;
    scene.goes().await;
}

/// F: The customer's key is disabled once there are nodes.
#[tokio::test(start_paused = true)]
async fn row_135_a_key_that_is_disabled_later_is_named_and_the_cluster_can_still_be_deleted() {
    let scene = encrypted().await;
    scene.runs().await;
    scene.clients().kms.disable_key().key_id(KEY).send().await.expect("disabled");
    let seen = survey(&scene.context()).await.expect("a look at everything");
    assert!(seen.iter().any(|(key, seen)| *key == Key::Cluster && format!("{seen:?}").contains("(KmsKeyDisabled)")), "{seen:?}");
    scene.tear_down().await.expect("nothing blocks the deletion");
    scene.clients().kms.enable_key().key_id(KEY).send().await.expect("as it was");
    scene.is_gone().await;
}

/// F: The customer's key is disabled while nodes start.
#[tokio::test(start_paused = true)]
async fn row_137_nodes_that_do_not_start_with_a_disabled_key_say_so() {
    let scene = encrypted().await;
    let disables = async {
        while !scene.account.calls().iter().any(|call| call.starts_with("eks:CreateNodegroup")) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        scene.clients().kms.disable_key().key_id(KEY).send().await.expect("disabled");
    };
    scene.start().await;
    scene.settle(disables).await;
    let failure = scene.record().failure.expect("it is parked");
    assert!(
        failure.hint.starts_with("Enable the key of the nodes' volumes (encryption.kms_key_arn"),
        "{}: {}",
        failure.reason,
        failure.hint
    );
    let parked = scene.parks().await;
    assert!(parked.code == Code::KeyNotUsable && parked.hint.contains("aws kms enable-key"), "{}", parked.hint);
    scene.clients().kms.enable_key().key_id(KEY).send().await.expect("enabled");
    scene.runs().await;
    scene.goes().await;
}

/// P: A cluster, a volume or a bucket is encrypted with another key than the customer's.
#[tokio::test(start_paused = true)]
async fn row_136_everything_is_encrypted_with_the_customers_key() {
    let scene = encrypted().await;
    scene.runs().await;
    let aws = scene.clients();
    let cluster = aws.eks.describe_cluster().name(scene.cluster.eks_name()).send().await.expect("an answer").cluster.expect("the cluster");
    let key = cluster.encryption_config().iter().find_map(|config| config.provider()).and_then(|provider| provider.key_arn());
    assert_eq!(key, Some(KEY));
    let bucket = scene.cluster.scoped("logs");
    let rules = aws.s3.get_bucket_encryption().bucket(&bucket).send().await.expect("an answer").server_side_encryption_configuration;
    let rules = rules.expect("a configuration").rules;
    assert_eq!(rules[0].apply_server_side_encryption_by_default().and_then(|by| by.kms_master_key_id()), Some(KEY));
    let templates: Vec<String> = scene.account.calls().into_iter().filter(|call| call.starts_with("ec2:CreateLaunchTemplate")).collect();
    assert!(!templates.is_empty() && templates.iter().all(|call| call.contains(KEY)), "{templates:?}");

    aws.s3.delete_bucket_encryption().bucket(&bucket).send().await.expect("deleted");
    let differs = survey(&scene.context()).await.expect("a look at everything");
    assert!(differs.iter().any(|(key, seen)| *key == Key::Bucket("logs".into()) && format!("{seen:?}").contains("encryption")));
    scene.goes().await;
}
