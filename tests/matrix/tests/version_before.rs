//! A cluster of the version before: its record is read and shown, it is retried, and it is torn down.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

use cloud::answer::Refusal;
use cloud::faults::{Effect, Fault};
use engine::view;
use matrix::account::Account;
use matrix::judge;
use matrix::life::Life;
use serde_json::{Value, json};
use wire::journal::State;
use wire::key::Key;
use wire::status::Status;

/// As it was written when EKS refused the node groups.
const RECORD: &str = include_str!("version_before/record.json");
/// What has another key in its journal than it has now.
const RENAMED: [(&str, &str); 1] = [("access-entry/role/admin", "access-entry/admin")];

/// The cluster, parked, and the account before it.
async fn parked() -> (Life, Value) {
    let mut life = Life::new(Account::new(1));
    let before = life.account.snapshot().await;
    let denied = Refusal::new(403, "AccessDeniedException", "User: x is not authorized to perform: eks:CreateNodegroup");
    life.desk.put(serde_json::from_str(RECORD).expect("a record"));
    life.retry().await.expect("it is parked");
    life.account.cloud().set_faults(vec![Fault::on("eks:CreateNodegroup", Effect::Refuse(denied))]);
    life.settle(async {}).await;
    life.account.cloud().set_faults(vec![]);
    for (now, then) in RENAMED {
        assert_eq!(life.desk.entries(&life.cluster.id)[&Key::from(now)].state, State::Ready, "{now}");
        life.desk.rename(&life.cluster.id, &now.into(), &then.into());
    }
    life.look_again();
    (life, before)
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
    judge::one_of_everything(&life.cluster, &life.account.snapshot().await).expect("one of everything");
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
