//! Sweep: on its schedule, when an execution failed, and when a state machine parks a run.

use engine::errors::Error;
use engine::executions::StepFunctions;
use engine::records::Records;
use engine::sweep::{Park, Sweep};
use engine::{aws, lambda, settings};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use wire::error::Code;

#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Parked {
        park: Park,
    },
    /// EventBridge's "Step Functions Execution Status Change".
    Ended {
        detail: Execution,
    },
    Scheduled {},
}

#[derive(Deserialize)]
struct Execution {
    input: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::log();
    let config = aws::operator_config().await;
    let sweep = &Sweep {
        desk: Arc::new(Records::new(&config, settings::text("TABLE")?)),
        executions: Arc::new(StepFunctions::new(&config)?),
        stuck_after: settings::seconds("STUCK_AFTER_SECONDS")?,
    };
    let handle = move |event: LambdaEvent<Event>| async move { work(sweep, event.payload).await.map_err(Diagnostic::from) };
    lambda_runtime::run(service_fn(handle)).await
}

async fn work(sweep: &Sweep, event: Event) -> Result<(), Error> {
    match event {
        Event::Parked { park } => sweep.park(&park).await,
        Event::Ended { detail } => sweep.one(&sweep_id(&detail)?, Duration::ZERO).await,
        Event::Scheduled {} => sweep.all().await,
    }
}

fn sweep_id(execution: &Execution) -> Result<String, Error> {
    let input: engine::executions::Input = serde_json::from_str(&execution.input).map_err(|error| Error::caused(Code::Event, &error))?;
    Ok(input.cluster_id)
}
