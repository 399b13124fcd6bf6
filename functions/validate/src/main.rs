//! Checks the spec of a record by the rules of this version.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    groundwork::stage::serve(groundwork::resource::Stage::Validate).await
}
