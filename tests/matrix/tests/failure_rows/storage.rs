//! S3, volumes, logs, throttling.

use crate::scene::{Scene, and_more, parks_until_mended, reads, refuse, runs_in_spite_of, times};
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::LifecycleRule;
use cloud::faults::{Effect, Fault};
use engine::names::OWNER_TAG;
use matrix::{judge, neighbour};
use serde_json::{Value, json};
use std::time::Duration;
use wire::error::Class;
use wire::inventory::Found;
use wire::spec::Data;
use wire::status::Status;

/// A cluster with data in it, and what Kubernetes leaves beside that.
async fn with_data(says: Option<Data>) -> Scene {
    let mut scene = Scene::running().await;
    scene.says = says;
    neighbour::leave_behind(&scene).await;
    neighbour::fill(&scene).await;
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    scene
}

/// From now on what holds data counts as part of the account as it was.
async fn expects_data(scene: &mut Scene) {
    let account = scene.account.snapshot().await;
    scene.before = judge::with_data(&scene.cluster, &scene.before, &account);
}

fn slow(call: &str) -> Fault {
    Fault::on(call, Effect::Slow(5.0))
}

/// What was kept: its kind, its size and the beginning of the command that removes it.
fn kept(scene: &Scene) -> Vec<(String, String, String)> {
    let beginning = |remove: &str| remove.split(" --").next().unwrap_or_default().to_owned();
    let told = |found: Found| (found.kind, found.size.unwrap_or_default(), beginning(&found.remove.unwrap_or_default()));
    scene.record().inventory.expect("an inventory").kept.into_iter().map(told).collect()
}

fn told(kind: &str, size: &str, remove: &str) -> (String, String, String) {
    (kind.into(), size.into(), remove.into())
}

/// P: Volumes and snapshots of claims outlive the cluster, which may be all that is left of the data.
#[tokio::test(start_paused = true)]
async fn row_48_what_claims_made_stays_unless_the_tenant_says_that_the_data_goes_and_nodes_disks_go() {
    let mut scene = with_data(None).await;
    expects_data(&mut scene).await;
    scene.goes().await;
    assert_eq!(
        kept(&scene),
        [
            told("volume", "8 GiB", "aws ec2 delete-volume"),
            told("snapshot", "of a volume of 8 GiB", "aws ec2 delete-snapshot"),
            told("log group", "0 bytes", "aws logs delete-log-group"),
            told("bucket", "2 object versions with 1024 bytes, 1 delete markers", "until aws s3api delete-bucket"),
        ]
    );

    let scene = with_data(Some(Data::Delete)).await;
    scene.goes().await;
    assert_eq!(kept(&scene), []);
}

/// R: S3 is still working on a bucket of that name.
#[tokio::test(start_paused = true)]
async fn row_53_a_bucket_that_s3_is_still_working_on_is_tried_again() {
    let message = "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    let conflict = |count, call| times(count, refuse(call, 409, "OperationAborted", message));
    runs_in_spite_of(vec![conflict(25, "s3:CreateBucket"), conflict(4, "s3:PutBucketVersioning")]).await;
}

/// P: A bucket's location is given where S3 wants none, or left out where S3 wants one.
#[tokio::test(start_paused = true)]
async fn row_55_buckets_are_in_the_clusters_region() {
    // The tests of bucket.rs show where a location is given and where not.
    let scene = Scene::running().await;
    let account = scene.account.snapshot().await;
    let buckets = account["s3"]["buckets"].as_object().expect("buckets");
    assert!(buckets.len() == 3 && buckets.values().all(|bucket| bucket["region"] == scene.cluster.spec.region), "{buckets:?}");
}

/// R, F: AWS wants fewer calls.
#[tokio::test(start_paused = true)]
async fn row_58_throttled_calls_are_tried_again_more_slowly() {
    let throttled = |(call, status, code, message)| refuse(call, status, code, message);
    let ways = [
        ("s3:CreateBucket", 503, "SlowDown", "Please reduce your request rate."),
        ("ec2:CreateSubnet", 503, "RequestLimitExceeded", "Request limit exceeded."),
        ("iam:GetRole", 400, "Throttling", "Rate exceeded"),
        ("eks:CreateAddon", 400, "ThrottlingException", "Rate exceeded"),
        ("eks:CreateNodegroup", 429, "TooManyRequestsException", "Too Many Requests"),
    ];
    runs_in_spite_of(ways.map(|way| times(3, throttled(way))).into()).await;

    let hint = "AWS is throttling calls; Groundwork tries again by itself, more and more slowly.";
    for (way, others) in ways.into_iter().zip([2, 3, 4, 2, 1]) {
        let reason = and_more(others, &format!("AWS refused {}: {}: {}", way.0, way.2, way.3));
        parks_until_mended([(throttled(way), Class::Later, reason, hint)]).await;
    }
}

/// F, P: Another account has a bucket of our name.
#[tokio::test(start_paused = true)]
async fn row_70_another_accounts_bucket_is_named_and_holds_up_no_deletion() {
    let scene = Scene::new().await;
    let name = scene.cluster.scoped("logs");
    let about = |fault| Fault { about: name.clone(), ..fault };
    let message = "The requested bucket name is not available.";
    scene.set(vec![
        about(refuse("s3:GetBucketTagging", 403, "AccessDenied", "Access Denied")),
        about(refuse("s3:CreateBucket", 409, "BucketAlreadyExists", message)),
    ]);
    let hint = "Another account owns a bucket of this name; delete the cluster and create it again to get new names.";
    let reason = format!("AWS refused s3:CreateBucket: BucketAlreadyExists: {message}");
    reads(&scene.parks().await, Class::Customer, &reason, hint);
    scene.goes().await;
}

/// F: Objects are locked.
#[tokio::test(start_paused = true)]
async fn row_71_a_locked_object_is_named_and_what_frees_it() {
    let mut scene = Scene::running().await;
    scene.says = Some(Data::Delete);
    let bucket = scene.cluster.scoped("logs");
    scene.clients().s3.put_object().bucket(bucket).key("ledger").send().await.expect("an object");
    scene.set(vec![refuse(
        "s3:DeleteObjects",
        403,
        "AccessDenied",
        "object ledger: Access Denied because object protected by object lock.",
    )]);
    let reason = "AWS refused s3:DeleteObjectVersion: object ledger: Access Denied because object protected by object lock (AccessDenied).";
    let hint = "The object that the reason names is locked: wait until its retention ends, or lift the hold or the retention (in governance \
                mode), then retry.";
    reads(&scene.is_blocked().await, Class::Customer, reason, hint);
    scene.mend();
    scene.goes().await;
}

/// F: A bucket is written to while it is emptied.
#[tokio::test(start_paused = true)]
async fn row_73_a_bucket_that_something_writes_to_is_named() {
    let mut scene = Scene::running().await;
    scene.says = Some(Data::Delete);
    let message = "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
    scene.set(vec![Fault { about: scene.cluster.scoped("logs"), ..refuse("s3:DeleteBucket", 409, "BucketNotEmpty", message) }]);
    let error = scene.is_blocked().await;
    let reason = "Something still writes to the bucket groundwork-abcdefghijkl-logs: it was emptied, and is not empty (BucketNotEmpty).";
    assert!(error.class == Class::Customer && error.reason.ends_with(reason), "{error}");
    scene.mend();
    scene.goes().await;
}

/// P: EKS writes its last log lines after the cluster has gone, and makes the log group if it is missing.
#[tokio::test(start_paused = true)]
async fn row_74_the_log_group_stays_and_is_listed_or_is_gone_for_good() {
    let scene = Scene::running().await;
    scene.goes().await;
    assert_eq!(kept(&scene), [told("log group", "0 bytes", "aws logs delete-log-group")]);
    scene.is_gone_after_an_hour().await;

    let mut scene = Scene::running().await;
    scene.says = Some(Data::Delete);
    scene.tear_down().await.expect("nothing blocks the deletion");
    let deleted = |scene: &Scene| scene.account.calls().iter().filter(|call| call.starts_with("logs:DeleteLogGroup")).count();
    assert_eq!((kept(&scene), deleted(&scene)), (vec![], 2), "once when the cluster has gone, and once when EKS has made it anew");
    scene.is_gone_for_good_after_an_hour().await;

    // Before there is a control plane, nobody writes to it.
    let scene = Scene::new().await;
    scene.set(vec![refuse("eks:CreateCluster", 400, "NeverSeen", "Something new")]);
    scene.parks().await;
    scene.goes().await;
    assert!(scene.record().inventory.expect("an inventory").kept.is_empty());
}

/// P, F: The role's policies are older than what Groundwork looks at.
#[tokio::test(start_paused = true)]
async fn row_84_a_bucket_whose_expiry_an_older_role_may_not_see_goes_all_the_same() {
    let scene = Scene::running().await;
    scene.set(vec![refuse("s3:GetLifecycleConfiguration", 403, "AccessDenied", "Access Denied")]);
    scene.goes().await;

    let denied = refuse("s3:GetLifecycleConfiguration", 403, "AccessDenied", "Access Denied");
    let reason = and_more(2, "AWS refused s3:GetLifecycleConfiguration: the role does not allow it (AccessDenied).");
    let hint = "Add s3:GetLifecycleConfiguration to the role (and to its boundary and the organization's policies), then retry.";
    parks_until_mended([(denied, Class::Customer, reason, hint)]).await;
}

/// P: An object arrives between the look that found the bucket empty and its deletion.
#[tokio::test(start_paused = true)]
async fn row_85_a_bucket_that_was_empty_when_it_was_looked_at_stays_with_what_arrived() {
    for moment in ["s3:ListBucketMultipartUploads", "s3:DeleteBucket"] {
        let scene = Scene::running().await;
        let (bucket, s3) = (scene.cluster.scoped("logs"), scene.clients().s3);
        let before = scene.account.calls().len();
        scene.delete().await;
        let arrives = async {
            let comes = |call: &String| call.starts_with(moment) && call.contains(&bucket);
            // A call that is logged has not reached S3 yet.
            while !scene.account.calls()[before..].iter().any(comes) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            s3.put_object().bucket(&bucket).key("late").body(ByteStream::from_static(b"1")).send().await.expect("an object");
        };
        scene.set(vec![Fault { about: bucket.clone(), times: 1, ..slow(moment) }]);
        assert!(scene.settle(arrives).await);
        assert_eq!(scene.record().status, Status::Deleted, "{moment}");
        assert_eq!(
            kept(&scene).last(),
            Some(&told("bucket", "1 object versions with 1 bytes", "until aws s3api delete-bucket")),
            "{moment}"
        );
        s3.head_object().bucket(&bucket).key("late").send().await.expect("it is still there");
    }
}

/// F: An image was made from a snapshot of a claim's volume.
#[tokio::test(start_paused = true)]
async fn row_86_a_snapshot_that_an_image_uses_is_named_and_holds_up_nothing() {
    let scene = with_data(Some(Data::Delete)).await;
    let message = "The snapshot snap-1 is currently in use by ami-1";
    scene.set(vec![refuse("ec2:DeleteSnapshot", 400, "InvalidSnapshot.InUse", message)]);
    let reason = format!("AWS refused ec2:DeleteSnapshot: InvalidSnapshot.InUse: {message}");
    let hint = "An image was made from the snapshot that the reason names: deregister the image, then retry.";
    reads(&scene.is_blocked().await, Class::Customer, &reason, hint);
    let left: Vec<String> = scene.record().inventory.expect("an inventory").left.into_iter().map(|found| found.kind).collect();
    assert_eq!(left, ["snapshot"], "the network is gone");
    scene.mend();
    scene.goes().await;
}

/// P: A backup plan copies the tags of a claim's volume to its own snapshots.
#[tokio::test(start_paused = true)]
async fn row_87_a_backup_plans_snapshot_is_never_removed() {
    let mut scene = with_data(Some(Data::Delete)).await;
    let ec2 = scene.clients().ec2;
    let volumes = ec2.describe_volumes().send().await.expect("volumes").volumes.unwrap_or_default();
    let volume = volumes.first().and_then(|volume| volume.volume_id()).expect("a volume");
    let tag = |name: &str, value: &str| Tag::builder().key(name).value(value).build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Snapshot).tags(tag(OWNER_TAG, &scene.cluster.id));
    let tags = tags.tags(tag("aws:backup:source-resource", volume)).build();
    let backup = ec2.create_snapshot().volume_id(volume).tag_specifications(tags).send().await.expect("a snapshot");
    let id = backup.snapshot_id.expect("its id");
    let account = scene.account.snapshot().await;
    scene.before["ec2"]["snapshots"][&id] = account["ec2"]["snapshots"][&id].clone();
    scene.goes().await;
    let kept = scene.record().inventory.expect("an inventory").kept;
    assert_eq!(kept.into_iter().map(|found| found.id).collect::<Vec<_>>(), [id]);
}

/// P, F: The role's policies are older than the look at snapshots.
#[tokio::test(start_paused = true)]
async fn row_88_snapshots_that_an_older_role_may_not_list_hold_up_only_a_deletion_of_the_data() {
    let denied =
        || vec![refuse("ec2:DescribeSnapshots", 403, "UnauthorizedOperation", "You are not authorized to perform this operation.")];
    let mut scene = with_data(None).await;
    expects_data(&mut scene).await;
    scene.set(denied());
    scene.goes().await;
    let kept = scene.record().inventory.expect("an inventory").kept;
    let snapshots = kept.iter().find(|found| found.kind == "snapshot").expect("a line about snapshots");
    assert_eq!(snapshots.id, "not looked for");
    assert!(snapshots.why.contains("ec2:DescribeSnapshots") && snapshots.why.contains("aws ec2 describe-snapshots"), "{}", snapshots.why);

    let scene = with_data(Some(Data::Delete)).await;
    scene.set(denied());
    let reason = "AWS refused ec2:DescribeSnapshots: the role does not allow it (UnauthorizedOperation).";
    let hint = "Add ec2:DescribeSnapshots to the role (and to its boundary and the organization's policies), then retry.";
    reads(&scene.is_blocked().await, Class::Customer, reason, hint);
    scene.mend();
    scene.goes().await;
}

/// No failure: S3 has the lifecycle that was asked for.
#[tokio::test(start_paused = true)]
async fn buckets_are_made_by_purpose_with_their_lifecycle() {
    let scene = Scene::asking(&json!({"buckets": [{"purpose": "datasets", "expire_days": 90, "old_versions_days": 7}]})).await;
    scene.runs().await;
    let s3 = scene.clients().s3;
    let named: Vec<String> = s3.list_buckets().send().await.expect("a list").buckets().iter().filter_map(|one| one.name.clone()).collect();
    assert_eq!(named, [scene.cluster.scoped("datasets")]);
    let rules = s3.get_bucket_lifecycle_configuration().bucket(&named[0]).send().await.expect("a lifecycle").rules.unwrap_or_default();
    let days = |rule: &LifecycleRule| {
        let old = rule.noncurrent_version_expiration().and_then(|old| old.noncurrent_days());
        (rule.expiration().and_then(|current| current.days()), old)
    };
    assert_eq!(rules.iter().map(days).collect::<Vec<_>>(), [(Some(90), Some(7))]);
    scene.goes().await;
}

/// P: A company's tool gives every bucket a policy of its own.
#[tokio::test(start_paused = true)]
async fn row_89_a_bucket_keeps_the_statements_of_others_beside_ours() {
    let mut scene = Scene::running().await;
    let (bucket, s3) = (scene.cluster.scoped("logs"), scene.clients().s3);
    let theirs = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl", "Resource": scene.cluster.id});
    let policy = json!({"Version": "2012-10-17", "Id": "company", "Statement": theirs}).to_string();
    s3.put_bucket_policy().bucket(&bucket).policy(policy).send().await.expect("a policy");
    scene.change_spec().await;
    scene.provision().await.expect("nothing parks it");
    let answer = s3.get_bucket_policy().bucket(&bucket).send().await.expect("a policy");
    let policy: Value = serde_json::from_str(answer.policy().expect("its text")).expect("JSON");
    let sids: Vec<&Value> = policy["Statement"].as_array().expect("a list").iter().map(|statement| &statement["Sid"]).collect();
    assert_eq!((&policy["Id"], sids), (&json!("company"), vec![&json!("Theirs"), &json!("TlsOnly")]));
}
