//! What is made inside a cluster, through the operator's address and as our own role: what lets us in goes again, whatever comes of it.

use matrix::account::Account;
use matrix::judge;
use matrix::life::Life;
use serde_json::{Value, json};
use wire::error::Code;

fn life(fields: &Value) -> Life {
    Life::asking(Account::new(1), fields).with_door()
}

fn calls_of(life: &Life, name: &str) -> Vec<String> {
    life.account.calls().into_iter().filter(|call| call.starts_with(name)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_cluster_is_born_open_to_the_operator_alone_furnished_and_closed() {
    let life = life(&json!({}));
    let before = life.account.snapshot().await;
    life.provision().await.expect("nothing parks it");
    judge::furnished(&life.record(), &life.account.snapshot().await).expect("all is inside, and nobody of ours");
    assert_eq!(calls_of(&life, "eks:UpdateClusterConfig").len(), 1, "only to close it");
    assert!(calls_of(&life, "eks:CreateCluster")[0].contains("54.240.193.9/32"));
    life.tear_down().await.expect("nothing blocks the deletion");
    judge::gone(&life.cluster, &before, &life.account.snapshot().await).expect("nothing is left");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_its_tenant_opens_keeps_the_operators_address_and_needs_no_update() {
    for (ranges, told) in [(json!(["8.8.8.0/24"]), true), (json!(["0.0.0.0/0"]), false)] {
        let life = life(&json!({"public_access_cidrs": ranges}));
        life.provision().await.expect("nothing parks it");
        let made = &calls_of(&life, "eks:CreateCluster")[0];
        assert_eq!(made.contains("54.240.193.9/32"), told, "{made}");
        assert_eq!(calls_of(&life, "eks:UpdateClusterConfig"), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_address_of_the_operators_a_cluster_runs_and_says_that_nobody_furnished_it() {
    let life = Life::asking(Account::new(1), &json!({}));
    life.provision().await.expect("nothing parks it");
    let why = life.record().furnishing.and_then(|furnishing| furnishing.failure);
    assert_eq!(why.map(|why| why.code), Some(Code::NoDoor));
    assert_eq!(calls_of(&life, "kubernetes:"), [""; 0]);
    let life = life.with_door();
    life.furnish().await.expect("nothing parks it");
    judge::furnished(&life.record(), &life.account.snapshot().await).expect("all is inside, and nobody of ours");
}
