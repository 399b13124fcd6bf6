//! The HTTP API: reads the request and the tenant, calls the one path behind all requests, writes the answer.

mod answer;
mod routes;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use groundwork::executions::Executions;
use groundwork::records::Records;
use groundwork::requests::Requests;
use groundwork::{session, settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    settings::log();
    let config = session::operator_config().await;
    let api = &routes::Api {
        requests: Requests { records: Records::new(&config, settings::text("TABLE")?), executions: Executions::new(&config)? },
        tenant_claim: settings::text("TENANT_CLAIM")?,
        operator_account: settings::text("OPERATOR_ACCOUNT_ID")?,
        principal_pattern: settings::text("PRINCIPAL_PATTERN")?,
    };
    let handle = move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move { Ok::<_, Error>(api.answer(&event.payload).await) };
    lambda_runtime::run(service_fn(handle)).await
}
