//! The one path behind HTTP, SQS and schedules: a request is accepted in one transaction, then its execution is started.

pub mod access;
pub mod audit;
pub mod idempotency;

use crate::errors::Result;
use crate::executions::Executions;
use crate::problem::Problem;
use crate::records::Records;
use crate::records::events::Event;
use crate::records::record::{Desired, Record, Status};
use crate::spec::{self, Fault, Spec};
use crate::{names, view};
use aws_sdk_dynamodb::types::TransactWriteItem;
use futures::future::BoxFuture;
use serde_json::Value;
use std::net::IpAddr;

/// What a tenant asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Create(Value),
    Delete(String),
    Retry(String),
}

impl Action {
    pub fn verb(&self) -> &'static str {
        match self {
            Action::Create(_) => "create",
            Action::Delete(_) => "delete",
            Action::Retry(_) => "retry",
        }
    }

    /// The name of the cluster that it is about, if that is a name.
    pub fn cluster(&self) -> Option<&str> {
        let name = match self {
            Action::Create(body) => body.get("name")?.as_str()?,
            Action::Delete(name) | Action::Retry(name) => name,
        };
        spec::is_name(name).then_some(name)
    }

    /// The request as text, to tell whether an idempotency key is used for the same one. The external ID is kept in one place only.
    fn fingerprint(&self) -> String {
        match self {
            Action::Create(body) => format!("create {}", without_external_id(body).0),
            Action::Delete(name) | Action::Retry(name) => format!("{} {name}", self.verb()),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub tenant: String,
    /// Who asks, for the cluster's events: `tenant:<subject>`, `queue:<sender>`.
    pub actor: String,
    /// Where the request came from: an address, or the queue's sender.
    pub from: String,
    /// `from`, where it is an address.
    pub origin: Option<IpAddr>,
    pub idempotency_key: Option<String>,
    pub action: Action,
}

/// Where the tenant's place stands among the items of a creation.
const PLACE: usize = 2;

#[derive(Clone)]
pub struct Requests {
    pub records: Records,
    pub executions: Executions,
    /// The most clusters that a tenant may have at once.
    pub clusters_per_tenant: u32,
}

/// A tenant's name becomes part of keys, so it is kept to characters that mean nothing there.
pub fn is_tenant(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._@-".contains(character);
    (1..=128).contains(&text.len()) && text.chars().all(plain)
}

pub fn is_idempotency_key(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.chars().all(|character| character.is_ascii_graphic())
}

impl Requests {
    /// Accepts a request and answers with the cluster as the API shows it. The same idempotency key again gets the same answer.
    /// Boxed, so that the library and not every function compiles what is inside.
    ///
    /// # Errors
    /// The problem, as the caller should read it.
    pub fn accept<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Value, Problem>> {
        Box::pin(self.accept_once(request))
    }

    async fn accept_once(&self, request: &Request) -> Result<Value, Problem> {
        if let Some(answer) = self.replay(request).await? {
            return Ok(answer);
        }
        let accepted = match &request.action {
            Action::Create(body) => self.create(request, body).await,
            Action::Delete(name) => self.delete(request, name).await,
            Action::Retry(name) => self.retry(request, name).await,
        };
        match accepted {
            Ok(record) => {
                self.start(&record).await;
                Ok(view::cluster(&record, &Default::default()))
            }
            // The same key may have come first by another way.
            Err(problem) => self.replay(request).await?.ok_or(problem),
        }
    }

    async fn create(&self, request: &Request, body: &Value) -> Result<Record, Problem> {
        let mut spec = self.spec(&request.tenant, body).await?;
        if self.records.role_of_another(&request.tenant, &spec.role_arn).await? {
            return Err(Problem::role_registered());
        }
        let endpoint_access = access::decide(&mut spec, request.origin);
        let name = spec.name.clone();
        let record = Record::new(names::new_cluster_id(), request.tenant.clone(), spec, endpoint_access);
        let place = self.records.take_place(&record, self.clusters_per_tenant)?;
        let mut items = vec![self.records.put_record(&record, None)?, self.records.take_name(&record)?, place];
        items.extend(self.traces(request, &record)?);
        match self.records.commit_or_refused(items).await? {
            None => Ok(record),
            Some(PLACE) => Err(Problem::too_many_clusters(self.clusters_per_tenant)),
            Some(_) => Err(Problem::name_taken(&name)),
        }
    }

    /// What the body asks for, or every fault in it.
    async fn spec(&self, tenant: &str, body: &Value) -> Result<Spec, Problem> {
        let (body, given) = without_external_id(body);
        let foreign = match given {
            None | Some(Value::Null) => false,
            Some(given) => given != self.records.external_id(tenant).await?.as_str(),
        };
        match (spec::parse(&body), foreign) {
            (Ok(spec), false) => Ok(spec),
            (parsed, foreign) => {
                let mut faults = parsed.err().unwrap_or_default();
                faults.extend(foreign.then(not_the_tenants));
                Err(Problem::invalid(faults))
            }
        }
    }

    /// Tears a cluster down; asked again, nothing new happens.
    async fn delete(&self, request: &Request, name: &str) -> Result<Record, Problem> {
        let record = self.find(&request.tenant, name).await?;
        let begin = |record: &mut Record| {
            let at_work = matches!(record.status, Status::Terminating | Status::Deleted);
            if !at_work {
                record.begin_run(Desired::Absent);
            }
            Ok(())
        };
        let (record, ()) = self.records.change(&record.id, begin, |record| self.traces(request, record)).await?;
        Ok(record)
    }

    async fn retry(&self, request: &Request, name: &str) -> Result<Record, Problem> {
        let record = self.find(&request.tenant, name).await?;
        if !matches!(record.status, Status::Failed | Status::DeleteBlocked) {
            return Err(Problem::not_parked(record.status.name()));
        }
        let begin = |record: &mut Record| {
            // Somebody else's retry may have come first.
            if matches!(record.status, Status::Failed | Status::DeleteBlocked) {
                record.begin_run(record.desired);
            }
            Ok(())
        };
        let (record, ()) = self.records.change(&record.id, begin, |record| self.traces(request, record)).await?;
        Ok(record)
    }

    /// The tenant's cluster of that name, or the last one that had it. Another tenant's is as absent as one that never was.
    pub async fn find(&self, tenant: &str, name: &str) -> Result<Record, Problem> {
        // What cannot be a name is not looked up: it could be longer than a key may be.
        let record = match spec::is_name(name) {
            true => self.records.find(tenant, name).await?,
            false => None,
        };
        record.ok_or_else(|| Problem::no_cluster(name))
    }

    /// What every accepted request leaves behind: an event, and the answer under its idempotency key.
    fn traces(&self, request: &Request, record: &Record) -> Result<Vec<TransactWriteItem>> {
        let message = format!("The cluster is {}.", record.status.name());
        let event = Event { from: Some(request.from.clone()), ..Event::new(&request.actor, "requested", request.action.verb(), message) };
        let mut items = vec![self.records.put_event(&record.id, &event)?];
        if let Some(key) = &request.idempotency_key {
            let answer = view::cluster(record, &Default::default());
            items.push(self.records.put_answer(&request.tenant, key, &request.action.fingerprint(), &answer)?);
        }
        Ok(items)
    }

    async fn replay(&self, request: &Request) -> Result<Option<Value>, Problem> {
        let Some(key) = &request.idempotency_key else { return Ok(None) };
        match self.records.answer(&request.tenant, key).await? {
            None => Ok(None),
            Some(answer) if answer.fingerprint == request.action.fingerprint() => answer.body().map(Some).map_err(Problem::from),
            Some(_) => Err(Problem::key_reused()),
        }
    }

    /// The request is accepted whatever comes of this: sweep starts what could not be started.
    async fn start(&self, record: &Record) {
        if let Err(error) = self.executions.start(record).await {
            tracing::warn!(cluster_id = record.id, detail = error.detail, "execution not started; sweep will");
        }
    }
}

/// Splits off the external ID, which users of older systems send along: it is checked, and neither kept nor shown.
fn without_external_id(body: &Value) -> (Value, Option<Value>) {
    let mut body = body.clone();
    let given = body.as_object_mut().and_then(|fields| fields.remove("external_id"));
    (body, given)
}

fn not_the_tenants() -> Fault {
    let message = "is not your tenant's external ID, which Groundwork makes. GET /onboarding has it; leave this field out.";
    Fault { path: "$.external_id".into(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_the_same_with_and_without_the_external_id_and_its_text_does_not_tell_it() {
        let (with, without) = (json!({"name": "a", "external_id": "secret"}), json!({"name": "a"}));
        assert_eq!(Action::Create(with.clone()).fingerprint(), Action::Create(without.clone()).fingerprint());
        assert_eq!(without_external_id(&with), (without, Some(json!("secret"))));
    }

    #[test]
    fn an_action_names_its_cluster_if_that_can_be_one() {
        assert_eq!(Action::Create(json!({"name": "a"})).cluster(), Some("a"));
        assert_eq!(Action::Delete("b".into()).cluster(), Some("b"));
        for no_name in [json!({}), json!([]), json!({"name": 1}), json!({"name": "No name"})] {
            assert_eq!(Action::Create(no_name).cluster(), None);
        }
    }
}
