//! The routes. Each reads what it needs from the request and answers only for the token's tenant.

use crate::answer::{Answer, response};
use crate::onboarding::Operator;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::prelude::{BASE64_STANDARD, Engine};
use engine::desk::Desk;
use engine::records::{Records, events};
use engine::requests::audit::Asked;
use engine::requests::{Action, Request, Requests};
use engine::{requests, view};
use jiff::Timestamp;
use serde_json::{Value, json};
use wire::event::Page;
use wire::problem::Problem;
use wire::spec::{self, Fault};
use wire::view::Clusters;

pub struct Api {
    pub requests: Requests,
    pub records: Records,
    pub tenant_claim: String,
    /// The most requests that a tenant may send in a minute.
    pub requests_per_minute: u32,
    pub operator: Operator,
}

/// The most events in one answer.
const PAGE: i32 = 1000;

impl Api {
    pub async fn answer(&self, http: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        let answer = self.route(http).await;
        self.audit(http, &answer);
        response(answer)
    }

    async fn route(&self, http: &ApiGatewayV2httpRequest) -> Result<Answer, Problem> {
        let tenant = self.tenant(http)?;
        self.count(&tenant).await?;
        let name = || http.path_parameters.get("name").cloned().unwrap_or_default();
        match http.route_key.as_deref().unwrap_or_default() {
            "POST /clusters" => self.accept(http, tenant, Action::Create(body(http)?)).await,
            "GET /clusters" => self.list(&tenant).await,
            "GET /clusters/{name}" => self.show(&tenant, &name()).await,
            "DELETE /clusters/{name}" => self.accept(http, tenant, Action::Delete(name())).await,
            "POST /clusters/{name}/retry" => self.accept(http, tenant, Action::Retry(name())).await,
            "POST /clusters/{name}/forget" => self.accept(http, tenant, Action::Forget(name())).await,
            "GET /clusters/{name}/logs" => self.logs(http, &tenant, &name()).await,
            "GET /onboarding" => self.onboarding(&tenant).await,
            _ => Err(Problem::no_route()),
        }
    }

    fn tenant(&self, http: &ApiGatewayV2httpRequest) -> Result<String, Problem> {
        let tenant = claim(http, &self.tenant_claim).filter(|tenant| requests::is_tenant(tenant));
        tenant.map(str::to_owned).ok_or_else(|| Problem::no_tenant(&self.tenant_claim))
    }

    /// Every request counts, even a refused one.
    async fn count(&self, tenant: &str) -> Result<(), Problem> {
        let now = Timestamp::now();
        if self.records.count_request(tenant, now).await? > self.requests_per_minute {
            let next_minute = 60 - (now.as_second() % 60) as u32;
            return Err(Problem::too_many_requests(self.requests_per_minute, next_minute));
        }
        Ok(())
    }

    fn audit(&self, http: &ApiGatewayV2httpRequest, answer: &Result<Answer, Problem>) {
        let (tenant, cluster) = (self.tenant(http).ok(), cluster(http));
        let asked = Asked {
            actor: &actor(http),
            tenant: tenant.as_deref(),
            request: http.route_key.as_deref().unwrap_or_default(),
            cluster: cluster.as_deref(),
            from: source(http),
        };
        asked.log(answer.as_ref().map(Answer::status));
    }

    async fn accept(&self, http: &ApiGatewayV2httpRequest, tenant: String, action: Action) -> Result<Answer, Problem> {
        let idempotency_key = match http.headers.get("idempotency-key").map(|key| key.to_str()) {
            None => None,
            Some(Ok(key)) if requests::is_idempotency_key(key) => Some(key.to_owned()),
            Some(_) => {
                return Err(Problem::invalid(vec![Fault::new("Idempotency-Key", "is not 1 to 256 printable ASCII characters")]));
            }
        };
        let request = Request {
            tenant,
            actor: actor(http),
            from: source(http).to_owned(),
            origin: source(http).parse().ok(),
            idempotency_key,
            action,
        };
        self.requests.accept(&request).await.map(Answer::Accepted)
    }

    async fn list(&self, tenant: &str) -> Result<Answer, Problem> {
        let clusters = self.records.clusters(tenant).await?;
        let clusters = clusters.iter().map(view::summary).collect();
        Ok(Answer::Found(json!(Clusters { clusters })))
    }

    async fn show(&self, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let record = self.requests.find(tenant, name).await?;
        let journal = self.records.journal(&record.id).await?;
        Ok(Answer::Found(json!(view::cluster(&record, &journal))))
    }

    async fn logs(&self, http: &ApiGatewayV2httpRequest, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let record = self.requests.find(tenant, name).await?;
        let query = &http.query_string_parameters;
        let limit = match query.first("limit").map(str::parse) {
            None => PAGE,
            Some(Ok(limit)) if (1..=PAGE).contains(&limit) => limit,
            Some(_) => return Err(Problem::invalid(vec![Fault::new("?limit", "is not a number from 1 to 1000")])),
        };
        let after = query.first("after").unwrap_or_default();
        if !events::is_cursor(after) {
            return Err(Problem::invalid(vec![Fault::new("?after", "is not the `next` of an earlier answer")]));
        }
        let events = self.records.events(&record.id, after, limit).await?;
        Ok(Answer::Found(json!(Page::new(events, after))))
    }

    async fn onboarding(&self, tenant: &str) -> Result<Answer, Problem> {
        let external_id = self.records.external_id(tenant).await?;
        Ok(Answer::Found(json!(self.operator.answer(&external_id))))
    }
}

fn actor(http: &ApiGatewayV2httpRequest) -> String {
    format!("tenant:{}", claim(http, "sub").unwrap_or("unknown"))
}

fn source(http: &ApiGatewayV2httpRequest) -> &str {
    http.request_context.http.source_ip.as_deref().unwrap_or("unknown")
}

/// The name of the cluster that a request is about, if it is a valid name.
fn cluster(http: &ApiGatewayV2httpRequest) -> Option<String> {
    let name = match http.route_key.as_deref() {
        Some("POST /clusters") => body(http).ok()?.get("name")?.as_str()?.to_owned(),
        _ => http.path_parameters.get("name")?.clone(),
    };
    spec::is_name(&name).then_some(name)
}

fn claim<'a>(http: &'a ApiGatewayV2httpRequest, name: &str) -> Option<&'a str> {
    http.request_context.authorizer.as_ref()?.jwt.as_ref()?.claims.get(name).map(String::as_str)
}

/// API Gateway passes a body on as base64 unless its content type is textual.
fn body(http: &ApiGatewayV2httpRequest) -> Result<Value, Problem> {
    let sent = http.body.as_deref().unwrap_or_default();
    let bytes = if http.is_base64_encoded {
        BASE64_STANDARD.decode(sent).map_err(|error| Problem::invalid(vec![Fault::new("$", error.to_string())]))?
    } else {
        sent.as_bytes().to_vec()
    };
    serde_json::from_slice(&bytes).map_err(|error| Problem::invalid(vec![Fault::new("$", format!("is not JSON: {error}"))]))
}
