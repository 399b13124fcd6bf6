//! The flow log of the VPC.

use crate::scene::{Scene, reads, refuse};
use engine::survey::survey;
use matrix::kms::{self, KEY};
use serde_json::{Value, json};
use wire::error::{Class, Code};
use wire::key::Key;

const PERMISSIONS: &str = include_str!("../../../../onboarding/permissions.json");

async fn recorded() -> Scene {
    Scene::asking(&json!({"network": {"flow_logs": true}})).await
}

/// One whose first run ends before this call.
async fn recorded_up_to(call: &str) -> Scene {
    let scene = recorded().await;
    scene.set(vec![refuse(call, 400, "NeverSeen", "Something new")]);
    scene.parks().await;
    scene.mend();
    scene
}

async fn policy(scene: &Scene) -> Value {
    let answer = scene.clients().s3.get_bucket_policy().bucket(scene.cluster.scoped("logs")).send().await.expect("a policy");
    serde_json::from_str(&answer.policy.expect("a policy")).expect("JSON")
}

async fn put_policy(scene: &Scene, policy: &Value) {
    let call = scene.clients().s3.put_bucket_policy().bucket(scene.cluster.scoped("logs")).policy(policy.to_string());
    call.send().await.expect("a policy");
}

/// The company lets nobody write into the bucket. Returns the policy of before.
async fn close_the_bucket(scene: &Scene) -> Value {
    let open = policy(scene).await;
    let mut closed = open.clone();
    let denial = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"});
    closed["Statement"].as_array_mut().expect("statements").push(denial);
    put_policy(scene, &closed).await;
    open
}

const HINT: &str = "Remove what keeps delivery.logs.amazonaws.com out from the policy of the bucket logs (and of the key of \
                    encryption.kms_key_arn). AWS tries to deliver again every ten minutes: wait that long, then retry.";

/// F: Somebody keeps AWS's delivery out of the bucket that a flow log goes into.
#[tokio::test(start_paused = true)]
async fn row_138_a_flow_log_that_is_not_delivered_is_named_until_the_bucket_takes_it() {
    let scene = recorded_up_to("eks:CreateNodegroup").await;
    let open = close_the_bucket(&scene).await;
    let reason = "AWS cannot deliver the VPC's flow log into the bucket groundwork-abcdefghijkl-logs: Access error.";
    let error = scene.parks().await;
    reads(&error, Class::Customer, reason, HINT);
    assert_eq!(error.code, Code::FlowLogUndelivered);
    assert!(scene.record().troubles.keys().eq([&Key::FlowLog]), "the nodes are there: {:?}", scene.record().troubles);
    put_policy(&scene, &open).await;
    scene.runs().await;
    scene.goes().await;
}

/// F: EC2 begins no flow log into a bucket that keeps the delivery out.
#[tokio::test(start_paused = true)]
async fn row_139_a_flow_log_that_is_not_even_begun_is_the_tenants_turn() {
    let scene = recorded_up_to("ec2:CreateVpc").await;
    let open = close_the_bucket(&scene).await;
    let reason = "AWS refused ec2:CreateFlowLogs: 400: Access Denied for LogDestination: groundwork-abcdefghijkl-logs. Please check \
                  LogDestination permission";
    reads(&scene.parks().await, Class::Customer, reason, HINT);
    put_policy(&scene, &open).await;
    scene.runs().await;
    scene.goes().await;
}

/// P: What lets the delivery of flow logs in is taken out of the bucket's policy.
#[tokio::test(start_paused = true)]
async fn row_140_what_lets_flow_logs_in_is_put_back_into_the_buckets_policy_by_a_retry() {
    let scene = recorded_up_to("eks:CreateNodegroup").await;
    let bucket = scene.cluster.scoped("logs");
    scene.clients().s3.delete_bucket_policy().bucket(bucket).send().await.expect("deleted");
    let seen = survey(&scene.context()).await.expect("a look at everything");
    assert!(seen.iter().any(|(key, seen)| *key == Key::Bucket("logs".into()) && format!("{seen:?}").contains("flow_logs")), "{seen:?}");
    scene.runs().await;
    let allowed = policy(&scene).await.to_string();
    assert!(allowed.contains("AWSLogDeliveryWrite") && allowed.contains("aws:SecureTransport"), "{allowed}");
    scene.goes().await;
}

/// P: AWS writes over the policy of a bucket if whoever makes a flow log into it may change the policy.
#[test]
fn row_141_who_makes_flow_logs_may_not_change_the_policies_of_buckets() {
    let rows: Vec<Value> = serde_json::from_str(PERMISSIONS).expect("rows");
    let may = |action: &str, stage: &str| rows.iter().any(|row| row["action"] == action && row["stages"].to_string().contains(stage));
    assert!(may("ec2:CreateFlowLogs", "create-nodegroups") && may("s3:PutBucketPolicy", "create-buckets"));
    assert!(!may("s3:PutBucketPolicy", "create-nodegroups") && !may("ec2:CreateFlowLogs", "create-buckets"));
}

/// P: The policy of the customer's key does not let the delivery of flow logs in.
#[tokio::test(start_paused = true)]
async fn row_142_a_key_whose_policy_keeps_flow_logs_out_is_refused_with_the_statement_to_add() {
    let scene = Scene::asking(&json!({"network": {"flow_logs": true}, "encryption": {"kms_key_arn": KEY}})).await;
    let kms = scene.clients().kms;
    let mut without = kms::policy(true);
    without["Statement"].as_array_mut().expect("statements").retain(|statement| statement["Principal"]["Service"].is_null());
    kms.put_key_policy().key_id(KEY).policy(without.to_string()).send().await.expect("a policy");
    let reason = format!(
        "The key {KEY} cannot encrypt the cluster: its policy does not allow the delivery of flow logs kms:GenerateDataKey, kms:Decrypt."
    );
    let hint = "Add to the statements of the key's policy: {\"Action\":[\"kms:Encrypt\",\"kms:Decrypt\",\"kms:ReEncrypt*\",\"kms:GenerateDataKey*\",\
                \"kms:DescribeKey\"],\"Condition\":{\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:logs:us-west-2:123456789012:*\"},\"StringEquals\":\
                {\"aws:SourceAccount\":\"123456789012\"}},\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"delivery.logs.amazonaws.com\"},\
                \"Resource\":\"*\",\"Sid\":\"FlowLogs\"}. Then retry.";
    reads(&scene.parks().await, Class::Customer, &reason, hint);
    let makes = |call: &String| ["ec2", "eks", "iam", "s3"].iter().any(|service| call.starts_with(&format!("{service}:Create")));
    assert!(!scene.account.calls().iter().any(makes), "something was made");
    kms.put_key_policy().key_id(KEY).policy(kms::policy(true).to_string()).send().await.expect("with the delivery's");
    scene.runs().await;
    scene.goes().await;
}
