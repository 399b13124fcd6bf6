//! What stays broken for days: when Groundwork tries again by itself, and how a cluster is given up.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

use cloud::answer::Refusal;
use cloud::faults::{Effect, Fault};
use matrix::account::Account;
use matrix::judge;
use matrix::life::Life;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wire::error::{Class, Code};
use wire::problem::ProblemCode;
use wire::status::Status;

const HOUR: Duration = Duration::from_secs(3600);

fn refuse(call: &str, code: &str) -> Fault {
    Fault::on(call, Effect::Refuse(Refusal::new(403, code, "User: x is not authorized")))
}

async fn running() -> Life {
    let life = Life::new(Account::new(1));
    life.provision().await.expect("nothing parks it");
    life
}

#[tokio::test(start_paused = true)]
async fn a_blocked_deletion_is_tried_again_more_and_more_rarely_until_it_is_once_a_day() {
    let life = running().await;
    life.account.cloud().set_faults(vec![refuse("s3:DeleteBucket", "AccessDenied")]);
    life.tear_down().await.expect_err("blocked");
    let mut runs = vec![];
    for _ in 0..5 {
        let before = life.record().run;
        life.passes(24 * HOUR).await;
        assert_eq!(life.record().status, Status::DeleteBlocked);
        runs.push(life.record().run - before);
    }
    assert_eq!(runs, [6, 1, 1, 1, 1], "in each day");
    life.account.cloud().set_faults(vec![]);
    life.passes(25 * HOUR).await;
    assert_eq!(life.record().status, Status::Deleted, "mended, it goes by itself");
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_with_what_passes_begins_again_by_itself_and_another_does_not() {
    for (code, class, expected) in [("PleaseRetry", Class::Later, Status::Running), ("AccessDenied", Class::Customer, Status::Failed)] {
        let life = Life::new(Account::new(1));
        let status = if class == Class::Later { 500 } else { 403 };
        let fault = Fault::on("s3:CreateBucket", Effect::Refuse(Refusal::new(status, code, "no")));
        life.account.cloud().set_faults(vec![fault]);
        assert_eq!(life.provision().await.expect_err("parked").class, class);
        life.account.cloud().set_faults(vec![]);
        life.passes(HOUR).await;
        assert_eq!(life.record().status, expected, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_role_is_gone_is_forgotten_after_a_day_and_not_before() {
    let life = running().await;
    let refused = async |reason: &str| {
        let problem = life.forget().await.expect_err("too early");
        assert_eq!((problem.code, problem.detail.contains(reason)), (ProblemCode::NotForgettable, true), "{}", problem.detail);
    };
    refused("The cluster is running").await;

    life.role_is_gone.store(true, Ordering::Relaxed);
    assert_eq!(life.tear_down().await.expect_err("nobody is let in").code, Code::RoleRefused);
    refused("only since").await;
    life.passes(23 * HOUR).await;
    refused("only since").await;
    life.passes(2 * HOUR).await;

    life.role_is_gone.store(false, Ordering::Relaxed);
    refused("assume the role again").await;
    life.role_is_gone.store(true, Ordering::Relaxed);
    for again in ["the first time", "and repeated"] {
        life.forget().await.expect(again);
    }
    let record = life.record();
    let left = record.inventory.expect("what may be left").left;
    assert_eq!(record.status, Status::Forgotten);
    assert!(left.iter().any(|found| found.kind == "vpc" && found.id.starts_with("vpc-")), "{left:?}");
    life.passes(48 * HOUR).await;
    assert_eq!(life.record().run, record.run, "nothing is tried any more");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_lets_groundwork_in_again_is_no_reason_to_forget() {
    let life = running().await;
    life.role_is_gone.store(true, Ordering::Relaxed);
    life.tear_down().await.expect_err("nobody is let in");
    life.passes(30 * HOUR).await;
    life.role_is_gone.store(false, Ordering::Relaxed);
    life.tear_down().await.expect("a retry goes on");
    judge::gone(&life.cluster, &Account::new(1).snapshot().await, &life.account.snapshot().await).expect("nothing is left");
    assert_eq!(life.record().refused_since, None);
}
