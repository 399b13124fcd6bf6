//! Checks that the customer's role lets only us in and that the region can be used.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::AssumeRole).await
}
