//! Jobs from the queue, which operators and schedules fill. A job that fails goes back alone, and to the dead-letter queue in the end.

mod job;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use groundwork::executions::Executions;
use groundwork::records::Records;
use groundwork::requests::Requests;
use groundwork::{session, settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    settings::log();
    let config = session::operator_config().await;
    let requests = &Requests { records: Records::new(&config, settings::text("TABLE")?), executions: Executions::new(&config)? };
    let handle = move |event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(work(requests, event.payload).await) };
    lambda_runtime::run(service_fn(handle)).await
}

async fn work(requests: &Requests, batch: SqsEvent) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in &batch.records {
        let message_id = message.message_id.clone().unwrap_or_default();
        if let Err(why) = one(requests, message).await {
            tracing::error!(message_id, why, "job failed");
            response.add_failure(message_id);
        }
    }
    response
}

async fn one(requests: &Requests, message: &SqsMessage) -> Result<(), String> {
    let request = job::read(message)?;
    match requests.accept(&request).await {
        Ok(cluster) => {
            tracing::info!(tenant = request.tenant, cluster_id = cluster["id"].as_str(), "job accepted");
            Ok(())
        }
        Err(problem) => Err(serde_json::json!(problem).to_string()),
    }
}
