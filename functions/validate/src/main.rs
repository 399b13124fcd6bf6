//! Checks a record's spec by this version's rules, and that AWS has its region.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::Validate).await
}
