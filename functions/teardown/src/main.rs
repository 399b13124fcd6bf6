//! Removes every resource and looks at the account once more.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::Teardown).await
}
