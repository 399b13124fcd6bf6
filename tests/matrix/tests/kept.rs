//! What a tenant may still say about the data once the cluster is going down, and when it is too late.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

use cloud::answer::Refusal;
use cloud::faults::{Effect, Fault};
use matrix::account::Account;
use matrix::life::Life;
use matrix::{judge, neighbour};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wire::problem::ProblemCode;
use wire::spec::Data;
use wire::status::Status;

/// A running cluster with data in it, and the account before it.
async fn full() -> (Life, Value) {
    let life = Life::new(Account::new(1));
    let before = life.account.snapshot().await;
    life.provision().await.expect("nothing parks it");
    neighbour::fill(&life).await;
    sleep(neighbour::UNTIL_SEEN).await;
    (life, before)
}

/// With its data and log, even after all that AWS does late.
async fn is_gone_for_good(life: &Life, before: &Value) {
    let record = life.record();
    let inventory = record.inventory.expect("an inventory");
    assert_eq!((record.status, inventory.left.len(), inventory.kept.len()), (Status::Deleted, 0, 0), "{:?}", record.failure);
    sleep(Duration::from_secs(3600)).await;
    life.clients().logs.describe_log_groups().send().await.expect("an answer");
    judge::same(before, &life.account.snapshot().await).expect("the account as it was");
}

/// How long a deletion takes that says this about the data.
async fn duration(says: Option<Data>) -> Duration {
    let (mut life, _) = full().await;
    life.says = says;
    let begun = Instant::now();
    life.tear_down().await.expect("nothing blocks the deletion");
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_word_about_the_data_counts_at_every_moment_of_a_deletion() {
    let whole = duration(None).await;
    for quarters in 0..4 {
        let (life, before) = full().await;
        life.delete().await;
        let says = async {
            sleep(whole * quarters / 4).await;
            assert_eq!(life.record().status, Status::Terminating, "after {quarters} quarters");
            life.delete_saying(Some(Data::Delete)).await.expect("it is going down");
        };
        assert!(life.settle(says).await);
        assert_eq!(life.record().run, 3, "a run of its own");
        is_gone_for_good(&life, &before).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_word_about_the_data_counts_when_the_deletion_is_blocked() {
    let (life, before) = full().await;
    let denied = Refusal::new(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    life.account.cloud().set_faults(vec![Fault::on("ec2:DeleteVpc", Effect::Refuse(denied))]);
    life.tear_down().await.expect_err("blocked");
    assert_eq!(life.record().inventory.expect("an inventory").kept.len(), 4, "data and log are kept so far");
    life.account.cloud().set_faults(vec![]);
    life.delete_saying(Some(Data::Delete)).await.expect("it is blocked");
    life.settle(async {}).await;
    is_gone_for_good(&life, &before).await;
}

#[tokio::test(start_paused = true)]
async fn a_word_of_keeping_stops_what_was_to_be_deleted() {
    let (mut life, before) = full().await;
    let expected = judge::with_data(&life.cluster, &before, &life.account.snapshot().await);
    life.says = Some(Data::Delete);
    life.delete().await;
    life.delete_saying(Some(Data::Keep)).await.expect("nothing has begun");
    life.settle(async {}).await;
    judge::gone(&life.cluster, &expected, &life.account.snapshot().await).expect("the data is there");
}

#[tokio::test(start_paused = true)]
async fn a_word_about_the_data_is_too_late_once_the_cluster_is_deleted() {
    let (life, _) = full().await;
    life.tear_down().await.expect("nothing blocks the deletion");
    for repetition in [None, Some(Data::Keep)] {
        life.delete_saying(repetition).await.expect("a repetition changes nothing");
    }
    let record = life.record();
    let problem = life.delete_saying(Some(Data::Delete)).await.expect_err("too late");
    assert_eq!((problem.code, problem.kept.len()), (ProblemCode::AlreadyDeleted, 4));
    assert!(problem.kept.iter().all(|found| found.remove.is_some()), "{:?}", problem.kept);
    assert_eq!(life.record(), record, "nothing is written");
}

/// The log is waited for until nobody can write it again.
#[tokio::test(start_paused = true)]
async fn only_a_deletion_of_the_data_waits_for_the_log() {
    let minutes = async |says| duration(says).await.as_secs() / 60;
    let (kept, deleted) = (minutes(None).await, minutes(Some(Data::Delete)).await);
    println!("a deletion takes {kept} minutes, with the data {deleted}");
    assert!((5..16).contains(&kept) && (3..11).contains(&(deleted - kept)), "{kept} and {deleted}");
}
