//! S3, logs, throttling.

use crate::scene::{Scene, and_more, parks_until_mended, reads, refuse, runs_in_spite_of, times};
use cloud::faults::Fault;
use std::time::Duration;
use wire::error::Class;
use wire::inventory::Found;

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
    for (way, others) in ways.into_iter().zip([2, 3, 2, 2, 1]) {
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
    let scene = Scene::running().await;
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
    let scene = Scene::running().await;
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
async fn row_74_the_log_group_stays_until_it_expires_and_is_listed() {
    let scene = Scene::running().await;
    scene.goes().await;
    let kept = scene.record().inventory.expect("an inventory").kept;
    let why = "the control plane's log, which expires after 90 days; delete it if you do not need it";
    assert_eq!(kept, [Found::new("log group", scene.cluster.log_group(), why)]);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    scene.clients().logs.describe_log_groups().send().await.expect("an answer");
    scene.is_gone().await;

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
