//! The routes. Each reads what it needs of the request and answers for the token's tenant only.

use crate::answer::{Answer, response};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::prelude::{BASE64_STANDARD, Engine};
use groundwork::problem::Problem;
use groundwork::records::events;
use groundwork::requests::{Action, Request, Requests};
use groundwork::spec::Fault;
use groundwork::{requests, view};
use serde_json::{Value, json};

pub struct Api {
    pub requests: Requests,
    pub tenant_claim: String,
    pub operator_account: String,
    pub principal_pattern: String,
}

/// The most events that one answer carries.
const PAGE: i32 = 1000;

impl Api {
    pub async fn answer(&self, http: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        response(self.route(http).await)
    }

    async fn route(&self, http: &ApiGatewayV2httpRequest) -> Result<Answer, Problem> {
        let tenant = self.tenant(http)?;
        let name = || http.path_parameters.get("name").cloned().unwrap_or_default();
        match http.route_key.as_deref().unwrap_or_default() {
            "POST /clusters" => self.accept(http, tenant, Action::Create(body(http)?)).await,
            "GET /clusters" => self.list(&tenant).await,
            "GET /clusters/{name}" => self.show(&tenant, &name()).await,
            "DELETE /clusters/{name}" => self.accept(http, tenant, Action::Delete(name())).await,
            "POST /clusters/{name}/retry" => self.accept(http, tenant, Action::Retry(name())).await,
            "GET /clusters/{name}/logs" => self.logs(http, &tenant, &name()).await,
            "GET /onboarding" => self.onboarding(&tenant).await,
            _ => Err(Problem::no_route()),
        }
    }

    fn tenant(&self, http: &ApiGatewayV2httpRequest) -> Result<String, Problem> {
        let tenant = claim(http, &self.tenant_claim).filter(|tenant| requests::is_tenant(tenant));
        tenant.map(str::to_owned).ok_or_else(|| Problem::no_tenant(&self.tenant_claim))
    }

    async fn accept(&self, http: &ApiGatewayV2httpRequest, tenant: String, action: Action) -> Result<Answer, Problem> {
        let idempotency_key = match http.headers.get("idempotency-key").map(|key| key.to_str()) {
            None => None,
            Some(Ok(key)) if requests::is_idempotency_key(key) => Some(key.to_owned()),
            Some(_) => {
                return Err(Problem::invalid(vec![fault("Idempotency-Key", "is not 1 to 256 printable ASCII characters")]));
            }
        };
        let request = Request {
            tenant,
            actor: format!("tenant:{}", claim(http, "sub").unwrap_or("unknown")),
            origin: http.request_context.http.source_ip.as_deref().and_then(|address| address.parse().ok()),
            idempotency_key,
            action,
        };
        self.requests.accept(&request).await.map(Answer::Accepted)
    }

    async fn list(&self, tenant: &str) -> Result<Answer, Problem> {
        let clusters = self.requests.records.clusters(tenant).await?;
        let clusters: Vec<Value> = clusters.iter().map(view::summary).collect();
        Ok(Answer::Found(json!({"clusters": clusters})))
    }

    async fn show(&self, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let record = self.requests.find(tenant, name).await?;
        let journal = self.requests.records.journal(&record.id).await?;
        Ok(Answer::Found(view::cluster(&record, &journal)))
    }

    async fn logs(&self, http: &ApiGatewayV2httpRequest, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let record = self.requests.find(tenant, name).await?;
        let query = &http.query_string_parameters;
        let limit = match query.first("limit").map(str::parse) {
            None => PAGE,
            Some(Ok(limit)) if (1..=PAGE).contains(&limit) => limit,
            Some(_) => return Err(Problem::invalid(vec![fault("?limit", "is not a number from 1 to 1000")])),
        };
        let after = query.first("after").unwrap_or_default();
        if !events::is_cursor(after) {
            return Err(Problem::invalid(vec![fault("?after", "is not the next of an earlier answer")]));
        }
        let events = self.requests.records.events(&record.id, after, limit).await?;
        let next = events.last().map_or(after, |event| event.id.as_str());
        Ok(Answer::Found(json!({"events": events, "next": next})))
    }

    async fn onboarding(&self, tenant: &str) -> Result<Answer, Problem> {
        Ok(Answer::Found(json!({
            "external_id": self.requests.records.external_id(tenant).await?,
            "principal": {"account_id": self.operator_account, "pattern": self.principal_pattern},
            "role_name": "groundwork, or any name that begins with it",
            "grant": "Deploy onboarding/quick-start.yaml in the account that the clusters shall live in; it makes the role and grants what it needs.",
        })))
    }
}

fn claim<'a>(http: &'a ApiGatewayV2httpRequest, name: &str) -> Option<&'a str> {
    http.request_context.authorizer.as_ref()?.jwt.as_ref()?.claims.get(name).map(String::as_str)
}

/// API Gateway hands over as base64 what does not come with a textual content type.
fn body(http: &ApiGatewayV2httpRequest) -> Result<Value, Problem> {
    let sent = http.body.as_deref().unwrap_or_default();
    let bytes = match http.is_base64_encoded {
        true => BASE64_STANDARD.decode(sent).map_err(|error| Problem::invalid(vec![fault("$", &error.to_string())]))?,
        false => sent.as_bytes().to_vec(),
    };
    serde_json::from_slice(&bytes).map_err(|error| Problem::invalid(vec![fault("$", &format!("is not JSON: {error}"))]))
}

fn fault(path: &str, message: &str) -> Fault {
    Fault { path: path.into(), message: message.into() }
}
