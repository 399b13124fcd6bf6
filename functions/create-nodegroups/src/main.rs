//! Creates the nodes and the add-ons that need them; then the cluster is running.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::CreateNodegroups).await
}
