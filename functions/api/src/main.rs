//! The HTTP API: reads the request and the tenant, calls the one path for all requests, writes the answer.

mod answer;
mod http;
mod listing;
mod log;
mod onboarding;
mod routes;

use engine::executions::StepFunctions;
use engine::gate::StageFunction;
use engine::records::Records;
use engine::requests::Requests;
use engine::{aws, lambda, settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use std::sync::Arc;
use wire::view::{LOGIN_PORTS, Login};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::log();
    let config = aws::operator_config().await;
    let records = Records::new(&config, settings::text("TABLE")?);
    let api = &routes::Api {
        requests: Requests {
            desk: Arc::new(records.clone()),
            executions: Arc::new(StepFunctions::new(&config)?),
            gate: Arc::new(StageFunction::new(&config, "TEARDOWN_FUNCTION")?),
            default_region: settings::text("DEFAULT_REGION")?,
            clusters_per_tenant: settings::number("CLUSTERS_PER_TENANT")?,
        },
        records,
        assume_role: StageFunction::new(&config, "ASSUME_ROLE_FUNCTION")?,
        tenant_claim: settings::text("TENANT_CLAIM")?,
        requests_per_minute: settings::number("REQUESTS_PER_MINUTE")?,
        operator: onboarding::Operator {
            account: settings::text("OPERATOR_ACCOUNT_ID")?,
            principal_pattern: settings::text("PRINCIPAL_PATTERN")?,
            region: settings::text("AWS_REGION")?,
            template_url: Some(settings::text("TEMPLATE_URL")?).filter(|url| !url.is_empty()),
        },
        login: Login {
            issuer: settings::text("LOGIN_ISSUER")?,
            client_id: settings::text("LOGIN_CLIENT_ID")?,
            ports: LOGIN_PORTS.to_vec(),
            version: env!("CARGO_PKG_VERSION").into(),
        },
    };
    let handle = move |event: LambdaEvent<Value>| async move { Ok::<_, Error>(api.answer(&event.payload).await) };
    lambda_runtime::run(service_fn(handle)).await
}
