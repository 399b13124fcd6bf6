//! Jobs from the queue, which operators and schedules fill. Only the jobs that fail go back, and finally to the dead-letter queue.

mod job;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use engine::executions::StepFunctions;
use engine::gate::StageFunction;
use engine::records::Records;
use engine::requests::audit::Asked;
use engine::requests::{Request, Requests};
use engine::{aws, lambda, settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use std::sync::Arc;
use wire::problem::Problem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::log();
    let config = aws::operator_config().await;
    let requests = &Requests {
        desk: Arc::new(Records::new(&config, settings::text("TABLE")?)),
        executions: Arc::new(StepFunctions::new(&config)?),
        gate: Arc::new(StageFunction::new(&config, "TEARDOWN_FUNCTION")?),
        default_region: settings::text("DEFAULT_REGION")?,
        clusters_per_tenant: settings::number("CLUSTERS_PER_TENANT")?,
    };
    let handle = move |event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(work(requests, event.payload).await) };
    lambda_runtime::run(service_fn(handle)).await
}

async fn work(requests: &Requests, batch: SqsEvent) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in &batch.records {
        if let Err(problem) = one(requests, message).await {
            let message_id = message.message_id.clone().unwrap_or_default();
            tracing::error!(message_id, why = %serde_json::json!(problem), "job failed");
            response.add_failure(message_id);
        }
    }
    response
}

async fn one(requests: &Requests, message: &SqsMessage) -> Result<(), Problem> {
    let job = job::read(message);
    let outcome = match &job {
        Ok(request) => accept(requests, request).await,
        Err(problem) => Err(problem.clone()),
    };
    audit(message, job.ok().as_ref(), &outcome);
    outcome
}

async fn accept(requests: &Requests, request: &Request) -> Result<(), Problem> {
    let cluster = requests.accept(request).await?;
    tracing::info!(tenant = request.tenant, cluster_id = cluster["id"].as_str(), "job accepted");
    Ok(())
}

fn audit(message: &SqsMessage, job: Option<&Request>, outcome: &Result<(), Problem>) {
    let from = job::sender(message);
    let asked = Asked {
        actor: &format!("queue:{from}"),
        tenant: job.map(|job| job.tenant.as_str()),
        request: &job.map_or("job".to_owned(), |job| format!("job {}", job.action.verb())),
        cluster: job.and_then(|job| job.action.cluster()),
        from,
    };
    asked.log(outcome.as_ref().map(|()| 202));
}
