//! Checks the spec of a record by the rules of this version.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::Validate).await
}
