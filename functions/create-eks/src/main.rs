//! Creates the network, the IAM roles, the EKS cluster and the add-ons that need no node.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::CreateEks).await
}
