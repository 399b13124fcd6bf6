//! A cluster that the version before made: its record is read and shown, it is retried, and it is torn down.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

use cloud::world::World;
use engine::view;
use matrix::account::Account;
use matrix::desk::MemoryDesk;
use matrix::judge;
use matrix::life::{Life, PATIENCE};
use serde_json::{Value, from_value, json};
use wire::status::Status;

/// What it had written and made when EKS refused its node groups: the record, the journal and the account; and the account before it.
const PARKED: &str = include_str!("version_before/parked.json");

async fn parked() -> (Life, Value) {
    let mut written: Value = serde_json::from_str(PARKED).expect("JSON");
    let account = Account::thawed(&written["account"], World::new(1, 1.0)).await;
    let (record, journal) = (written["record"].take(), written["journal"].take());
    let desk = MemoryDesk::with(from_value(record).expect("a record"), from_value(journal).expect("a journal"), account.log().clone());
    (Life::of(account, desk, PATIENCE), written["empty"].take())
}

#[tokio::test(start_paused = true)]
async fn its_record_is_shown_under_the_names_of_now_and_kept_as_it_is() {
    let (life, _) = parked().await;
    let shown = view::cluster(&life.record(), &life.desk.entries(&life.cluster.id), life.record().updated_at);
    let (stored, shown) = (json!(life.record().spec), json!(shown.spec));
    assert_eq!(shown["access"]["administrators"], json!([stored["admin_principal_arn"]]));
    assert_eq!((life.record().spec.notice(), shown.get("admin_principal_arn")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_with_a_retry_and_nothing_is_made_twice() {
    let (life, _) = parked().await;
    life.provision().await.expect("nothing parks it");
    assert_eq!(life.record().status, Status::Running);
    judge::nothing_differs(&life.context()).await.expect("everything as the spec wants it");
    let account = life.account.snapshot().await;
    let entries = account["eks"]["clusters"][life.cluster.eks_name()]["access_entries"].as_object();
    assert_eq!(entries.map(serde_json::Map::len), Some(1), "{entries:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_torn_down_and_nothing_is_left() {
    for retried in [false, true] {
        let (life, before) = parked().await;
        if retried {
            life.provision().await.expect("nothing parks it");
        }
        life.tear_down().await.expect("nothing blocks it");
        let inventory = life.record().inventory.expect("an inventory");
        assert_eq!((life.record().status, inventory.left.len()), (Status::Deleted, 0), "retried: {retried}");
        judge::gone(&life.cluster, &before, &life.account.snapshot().await).expect("the account as it was, but for what is kept");
    }
}
