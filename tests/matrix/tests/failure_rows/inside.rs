//! What keeps Groundwork from making what is inside a cluster, and what it would leave there.

use crate::scene::{Scene, refuse};
use cloud::faults::{Effect, Fault, When};
use matrix::judge;
use wire::error::Code;
use wire::status::Status;

/// The cluster runs all the same and nobody of ours is inside; why it is not furnished is told, and a retry furnishes it.
async fn runs_without_until_mended(faults: Vec<Fault>, code: Code, told: &str) {
    let scene = Scene::with_door().await;
    scene.set(faults);
    scene.runs().await;
    let why = scene.record().furnishing.expect("it was tried").failure.expect("it failed");
    assert!(why.code == code && why.reason.contains(told) && !why.hint.is_empty(), "{why:?}");
    assert_eq!((scene.record().status, scene.record().troubles.len()), (Status::Running, 0));
    judge::nobody_is_inside(&scene.account.snapshot().await).expect("nobody of ours");
    scene.mend();
    scene.is_furnished().await;
    scene.goes().await;
}

/// R, F: The API server's endpoint does not answer, or answers that it cannot.
#[tokio::test(start_paused = true)]
async fn row_145_a_cluster_whose_endpoint_does_not_answer_runs_and_says_so() {
    let silent = Fault::on("kubernetes:*", Effect::Lose(When::BeforeEffect));
    runs_without_until_mended(vec![silent], Code::ApiServer, "does not answer").await;
    let unable = refuse("kubernetes:*", 503, "ServiceUnavailable", "the server is currently unable to handle the request");
    runs_without_until_mended(vec![unable], Code::ApiServer, "currently unable").await;
}

/// R, F: The API server does not know who comes (401), for longer than an access entry takes.
#[tokio::test(start_paused = true)]
async fn row_146_a_cluster_that_does_not_know_us_runs_and_says_so() {
    let unknown = refuse("kubernetes:*", 401, "Unauthorized", "Unauthorized");
    runs_without_until_mended(vec![unknown], Code::ApiServer, "(401)").await;
    let denied = refuse("sts:AssumeRole", 403, "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole");
    runs_without_until_mended(vec![denied], Code::AccessDenied, "sts:AssumeRole").await;
}

/// F: A webhook or a policy in the cluster refuses what is to be made.
#[tokio::test(start_paused = true)]
async fn row_147_what_a_webhook_says_is_told_at_once() {
    let refused = refuse("kubernetes:ApplyObject", 400, "BadRequest", "admission webhook \"owners\" denied the request: no owner label");
    runs_without_until_mended(vec![refused], Code::ApiServer, "denied the request: no owner label").await;
}

/// P, F: The organization forbids public endpoints, also those that are open to one address for minutes.
#[tokio::test(start_paused = true)]
async fn row_148_a_closed_cluster_is_made_although_no_endpoint_may_be_public() {
    let deny = |calls: &str| {
        let denied =
            format!("User: x is not authorized to perform: {calls} on resource: y with an explicit deny in a service control policy");
        refuse(calls, 403, "AccessDeniedException", &denied)
    };
    let open = Fault { about: "54.240.193.9/32".into(), ..deny("eks:CreateCluster") };
    runs_without_until_mended(vec![open, deny("eks:UpdateClusterConfig")], Code::AccessDeniedException, "eks:UpdateClusterConfig").await;
}

/// F: Our own role's access entry cannot be deleted, or the endpoint not be closed.
#[tokio::test(start_paused = true)]
async fn row_149_a_way_in_that_cannot_be_taken_away_parks_the_cluster() {
    for calls in ["eks:DeleteAccessEntry", "eks:UpdateClusterConfig"] {
        let scene = Scene::with_door().await;
        scene.set(vec![refuse(calls, 403, "AccessDeniedException", "You are not authorized to perform this operation.")]);
        let error = scene.parks().await;
        assert!(scene.record().is_furnished() && error.hint.contains(calls), "{error:?}");
        scene.mend();
        scene.runs().await;
        judge::nobody_is_inside(&scene.account.snapshot().await).expect("nobody of ours");
        scene.goes().await;
    }
}
