//! Creates the nodes, the add-ons that need them, and the entries of those who are let in.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::CreateNodegroups).await
}
