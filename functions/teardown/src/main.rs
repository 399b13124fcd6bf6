//! Takes every resource away and looks at the account once more.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    groundwork::stage::serve(groundwork::resource::Stage::Teardown).await
}
