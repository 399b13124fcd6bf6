//! The routes. Each reads what it needs from the request and answers only for the token's tenant.

use crate::answer::{Answer, response};
use crate::http::Http;
use crate::onboarding::Operator;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use engine::desk::Desk;
use engine::records::record::Record;
use engine::records::{Records, events};
use engine::requests::audit::Asked;
use engine::requests::{Action, Deletion, Request, Requests};
use engine::{requests, view};
use jiff::Timestamp;
use serde_json::{Value, json};
use wire::event::Page;
use wire::problem::{Problem, ProblemCode};
use wire::spec::{self, Data, Fault};
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
    /// Answers whatever API Gateway sends, so that nobody gets an error of the runtime's in place of ours.
    pub async fn answer(&self, event: &Value) -> ApiGatewayV2httpResponse {
        let (http, answer) = match Http::read(event) {
            Ok(http) => {
                let answer = self.route(&http).await;
                (http, answer)
            }
            Err(problem) => (Http::default(), Err(problem)),
        };
        self.audit(&http, &answer);
        response(answer)
    }

    async fn route(&self, http: &Http) -> Result<Answer, Problem> {
        let tenant = self.tenant(http)?;
        self.count(&tenant).await?;
        http.check(match http.route_key.as_str() {
            "$default" => return Err(Problem::no_route(&http.line())),
            "GET /clusters" => &["deleted"],
            "DELETE /clusters/{name}" => &["data"],
            "GET /clusters/{name}/logs" => &["after", "limit"],
            _ => &[],
        })?;
        match http.route_key.as_str() {
            "POST /clusters" => self.accept(http, tenant, Action::Create(http.body()?)).await,
            "GET /clusters" => self.list(http, &tenant).await,
            "GET /clusters/{name}" => self.show(&tenant, http.name()).await,
            "DELETE /clusters/{name}" => self.accept(http, tenant, Action::Delete(deletion(http)?)).await,
            "POST /clusters/{name}/retry" => self.accept(http, tenant, Action::Retry(http.name().to_owned())).await,
            "POST /clusters/{name}/forget" => self.accept(http, tenant, Action::Forget(http.name().to_owned())).await,
            "GET /clusters/{name}/logs" => self.logs(http, &tenant, http.name()).await,
            "GET /onboarding" => self.onboarding(&tenant).await,
            _ => Err(Problem::no_route(&http.line())),
        }
    }

    fn tenant(&self, http: &Http) -> Result<String, Problem> {
        let tenant = http.claim(&self.tenant_claim).filter(|tenant| requests::is_tenant(tenant));
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

    fn audit(&self, http: &Http, answer: &Result<Answer, Problem>) {
        let (tenant, cluster) = (self.tenant(http).ok(), cluster(http));
        let asked = Asked {
            actor: &actor(http),
            tenant: tenant.as_deref(),
            request: &http.route_key,
            cluster: cluster.as_deref(),
            from: http.source(),
        };
        asked.log(answer.as_ref().map(Answer::status));
    }

    async fn accept(&self, http: &Http, tenant: String, action: Action) -> Result<Answer, Problem> {
        let idempotency_key = match http.header("idempotency-key") {
            None => None,
            Some(key) if requests::is_idempotency_key(key) => Some(key.to_owned()),
            Some(_) => {
                return Err(Problem::invalid(vec![Fault::new("Idempotency-Key", "is not 1 to 256 printable ASCII characters")]));
            }
        };
        let request = Request {
            tenant,
            actor: actor(http),
            from: http.source().to_owned(),
            origin: http.source().parse().ok(),
            idempotency_key,
            action,
        };
        self.requests.accept(&request).await.map(Answer::Accepted)
    }

    async fn list(&self, http: &Http, tenant: &str) -> Result<Answer, Problem> {
        let clusters = match http.parameter("deleted") {
            None | Some("false") => self.records.clusters(tenant).await?,
            Some("true") => self.records.deleted(tenant).await?,
            Some(_) => return Err(Problem::invalid(vec![Fault::new("?deleted", "is not true or false")])),
        };
        let clusters = clusters.iter().map(view::summary).collect();
        Ok(Answer::Found(json!(Clusters { clusters })))
    }

    /// The tenant's cluster with this name, or else with this id.
    async fn find(&self, tenant: &str, name_or_id: &str) -> Result<Option<Record>, Problem> {
        match self.requests.find(tenant, name_or_id).await {
            Err(problem) if problem.code == ProblemCode::ClusterNotFound => Ok(self.records.with_id(tenant, name_or_id).await?),
            found => found.map(Some),
        }
    }

    /// The id of a cluster whose log is kept. The log outlives the record of a deleted one.
    async fn id(&self, tenant: &str, name_or_id: &str) -> Result<String, Problem> {
        match self.find(tenant, name_or_id).await? {
            Some(record) => Ok(record.id),
            None if self.records.had(tenant, name_or_id).await? => Ok(name_or_id.to_owned()),
            None => Err(Problem::no_cluster(name_or_id)),
        }
    }

    async fn show(&self, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let record = self.find(tenant, name).await?.ok_or_else(|| Problem::no_cluster(name))?;
        let journal = self.records.journal(&record.id).await?;
        Ok(Answer::Found(json!(view::cluster(&record, &journal))))
    }

    async fn logs(&self, http: &Http, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let id = self.id(tenant, name).await?;
        let limit = match http.parameter("limit").map(str::parse) {
            None => PAGE,
            Some(Ok(limit)) if (1..=PAGE).contains(&limit) => limit,
            Some(_) => return Err(Problem::invalid(vec![Fault::new("?limit", "is not a number from 1 to 1000")])),
        };
        let after = http.parameter("after").unwrap_or_default();
        if !events::is_cursor(after) {
            return Err(Problem::invalid(vec![Fault::new("?after", "is not the `next` of an earlier answer")]));
        }
        let events = self.records.events(&id, after, limit).await?;
        Ok(Answer::Found(json!(Page::new(events, after))))
    }

    async fn onboarding(&self, tenant: &str) -> Result<Answer, Problem> {
        let external_id = self.records.external_id(tenant).await?;
        Ok(Answer::Found(json!(self.operator.answer(&external_id))))
    }
}

fn deletion(http: &Http) -> Result<Deletion, Problem> {
    let data = http.parameter("data").map(str::parse::<Data>).transpose();
    let data = data.map_err(|_| Problem::invalid(vec![Fault::new("?data", "is not keep or delete")]))?;
    Ok(Deletion { name: http.name().to_owned(), data })
}

fn actor(http: &Http) -> String {
    format!("tenant:{}", http.claim("sub").unwrap_or("unknown"))
}

/// The name of the cluster that a request is about, if it is a valid name.
fn cluster(http: &Http) -> Option<String> {
    let name = match http.route_key.as_str() {
        "POST /clusters" => http.body().ok()?.get("name")?.as_str()?.to_owned(),
        _ => http.name().to_owned(),
    };
    spec::is_name(&name).then_some(name)
}
