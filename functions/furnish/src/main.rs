//! Gives the autoscaler and the researchers' pods their roles; then the cluster is running.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::Furnish).await
}
