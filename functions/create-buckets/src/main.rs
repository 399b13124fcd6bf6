//! Creates the cluster's S3 buckets.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    engine::stage::serve(engine::stage::Stage::CreateBuckets).await
}
