//! The routes. Each reads what it needs from the request and answers only for the token's tenant.

use crate::answer::{Answer, response};
use crate::http::Http;
use crate::listing::Wanted;
use crate::log::Reading;
use crate::onboarding::Operator;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use engine::desk::Desk;
use engine::gate::StageFunction;
use engine::records::Records;
use engine::records::record::Record;
use engine::requests::audit::Asked;
use engine::requests::{Action, Deletion, Request, Requests};
use engine::stage::Candidate;
use engine::{requests, view};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use wire::api::{Route, openapi};
use wire::event::Page;
use wire::problem::{Problem, ProblemCode};
use wire::spec::{self, Data, Fault};
use wire::view::Login;

pub struct Api {
    pub requests: Requests,
    pub records: Records,
    pub assume_role: StageFunction,
    pub tenant_claim: String,
    /// The most requests that a tenant may send in a minute.
    pub requests_per_minute: u32,
    pub operator: Operator,
    pub login: Login,
}

/// How often whoever waits for an event looks for one.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

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
        let route = Route::of(&http.route_key);
        if let Some(public) = route.and_then(|route| self.public(route)) {
            http.check(route)?;
            return Ok(Answer::Found(public));
        }
        let tenant = self.tenant(http)?;
        self.count(&tenant).await?;
        http.check(route)?;
        match route {
            Some(Route::CreateCluster) => self.accept(http, tenant, Action::Create(http.body()?)).await,
            Some(Route::DeleteCluster) => self.accept(http, tenant, Action::Delete(deletion(http)?)).await,
            Some(Route::RetryCluster) => self.accept(http, tenant, Action::Retry(http.name().to_owned())).await,
            Some(Route::ForgetCluster) => self.accept(http, tenant, Action::Forget(http.name().to_owned())).await,
            Some(Route::ListClusters) => self.list(http, &tenant).await,
            Some(Route::GetCluster) => self.show(&tenant, http.name()).await,
            Some(Route::GetClusterLogs) => self.logs(http, &tenant, http.name()).await,
            Some(Route::GetOnboarding) => self.onboarding(&tenant).await,
            Some(Route::CheckRole) => self.check_role(http, tenant).await,
            Some(Route::GetLogin | Route::GetOpenApi) | None => Err(Problem::no_route(&http.line())),
        }
    }

    /// What is the same for everybody, and so needs no token and reads no records.
    fn public(&self, route: Route) -> Option<Value> {
        match route {
            Route::GetLogin => Some(json!(self.login)),
            Route::GetOpenApi => Some(openapi()),
            _ => None,
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
        let wanted = Wanted::read(http)?;
        let records = if wanted.deleted { self.records.deleted(tenant).await? } else { self.records.clusters(tenant).await? };
        let clusters = records.iter().map(view::summary).collect();
        Ok(Answer::Found(json!(wanted.page(clusters, Timestamp::now())?)))
    }

    /// The tenant's cluster with this name, or else with this id.
    async fn find(&self, tenant: &str, name_or_id: &str) -> Result<Option<Record>, Problem> {
        match self.requests.find(tenant, name_or_id).await {
            Err(problem) if problem.code == ProblemCode::ClusterNotFound => Ok(self.records.with_id(tenant, name_or_id).await?),
            found => found.map(Some),
        }
    }

    async fn show(&self, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let record = self.find(tenant, name).await?.ok_or_else(|| Problem::no_cluster(name))?;
        let journal = self.records.journal(&record.id).await?;
        Ok(Answer::Found(json!(view::cluster(&record, &journal, Timestamp::now()))))
    }

    async fn logs(&self, http: &Http, tenant: &str, name: &str) -> Result<Answer, Problem> {
        let Reading { span, limit, wait } = Reading::read(http, Timestamp::now())?;
        let found = self.find(tenant, name).await?;
        let (id, over) = match found {
            Some(record) => (record.id, record.status.is_over().then_some(record.updated_at)),
            // The log outlives the record of a deleted cluster.
            None if self.records.had(tenant, name).await? => (name.to_owned(), Some(Timestamp::MIN)),
            None => return Err(Problem::no_cluster(name)),
        };
        let until = Instant::now() + wait;
        loop {
            let now = Timestamp::now();
            let events = self.records.events(&id, &span, limit, now).await?;
            if !events.is_empty() || !span.may_grow(over, now) || Instant::now() >= until {
                return Ok(Answer::Found(json!(Page::new(events, &span.after))));
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn onboarding(&self, tenant: &str) -> Result<Answer, Problem> {
        let external_id = self.records.external_id(tenant).await?;
        Ok(Answer::Found(json!(self.operator.answer(&external_id, &self.requests.default_region))))
    }

    /// Another tenant's role is not tried.
    async fn check_role(&self, http: &Http, tenant: String) -> Result<Answer, Problem> {
        let check = candidate(http, tenant, &self.requests.default_region)?;
        if self.records.role_of_another(&check.tenant, &check.role_arn).await? {
            return Err(Problem::role_registered());
        }
        Ok(Answer::Found(json!(self.assume_role.check(check).await?)))
    }
}

/// Without a region the one is meant in which a cluster would be.
fn candidate(http: &Http, tenant: String, default_region: &str) -> Result<Candidate, Problem> {
    let (role_arn, region) = (http.parameter("role_arn"), http.parameter("region").unwrap_or(default_region));
    let faults = spec::parameter_faults(&[("role_arn", role_arn), ("region", Some(region))]);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    Ok(Candidate { tenant, role_arn: role_arn.unwrap_or_default().to_owned(), region: region.to_owned() })
}

fn deletion(http: &Http) -> Result<Deletion, Problem> {
    let data = http.parameter("data").map(str::parse::<Data>).transpose();
    let data = data.map_err(|_| Problem::invalid(vec![Fault::new("?data", "is not keep or delete")]))?;
    Ok(Deletion { name: http.name().to_owned(), data })
}

/// Whoever has no token is nobody in particular.
fn actor(http: &Http) -> String {
    http.claim("sub").map_or_else(|| "anonymous".into(), |sub| format!("tenant:{sub}"))
}

/// The name of the cluster that a request is about, if it is a valid name.
fn cluster(http: &Http) -> Option<String> {
    let name = match http.route_key.as_str() {
        "POST /clusters" => http.body().ok()?.get("name")?.as_str()?.to_owned(),
        _ => http.name().to_owned(),
    };
    spec::is_name(&name).then_some(name)
}
