//! The one path behind HTTP, SQS and schedules: a request is accepted in one transaction, then its execution is started.

pub mod access;
pub mod audit;
mod delete;
mod forget;
mod refusal;

use crate::desk::{Answer, Desk, With, Written, change};
use crate::errors::Result;
use crate::executions::Executions;
use crate::gate::Gate;
use crate::records::record::Record;
use crate::{names, view};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use wire::event::{self, Event};
use wire::problem::Problem;
use wire::spec::{self, Data, Fault, Spec};
use wire::status::{EndpointAccess, Status};

/// What a tenant asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Create(Value),
    Delete(Deletion),
    Retry(String),
    Forget(String),
}

/// Which cluster is to be deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Deletion {
    pub name: String,
    /// What happens to its data this once, whatever its spec says.
    pub data: Option<Data>,
}

impl Action {
    pub fn verb(&self) -> &'static str {
        match self {
            Action::Create(_) => "create",
            Action::Delete(_) => "delete",
            Action::Retry(_) => "retry",
            Action::Forget(_) => "forget",
        }
    }

    /// The name of the cluster that it is about, if it is a valid name.
    pub fn cluster(&self) -> Option<&str> {
        let name = match self {
            Action::Create(body) => body.get("name")?.as_str()?,
            Action::Delete(deletion) => &deletion.name,
            Action::Retry(name) | Action::Forget(name) => name,
        };
        spec::is_name(name).then_some(name)
    }

    /// The request as text, to compare requests with the same idempotency key; without the external ID, which is stored in one place.
    fn fingerprint(&self) -> String {
        match self {
            Action::Create(body) => format!("create {}", without_external_id(body).0),
            Action::Delete(Deletion { name, data: None }) | Action::Retry(name) | Action::Forget(name) => {
                format!("{} {name}", self.verb())
            }
            Action::Delete(Deletion { name, data: Some(data) }) => format!("delete {name} data={}", data.name()),
        }
    }

    /// What it says about the data.
    fn about_data(&self) -> &'static str {
        match self {
            Action::Delete(Deletion { data: Some(Data::Keep), .. }) => " Its data is to be kept.",
            Action::Delete(Deletion { data: Some(Data::Delete), .. }) => " Its data is to be deleted, too.",
            Action::Create(_) | Action::Delete(_) | Action::Retry(_) | Action::Forget(_) => "",
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
    /// `from`, if it is an address.
    pub origin: Option<IpAddr>,
    pub idempotency_key: Option<String>,
    pub action: Action,
}

#[derive(Clone)]
pub struct Requests {
    pub desk: Arc<dyn Desk>,
    pub executions: Arc<dyn Executions>,
    pub gate: Arc<dyn Gate>,
    /// Where a cluster lives whose request names no region.
    pub default_region: String,
    /// The most clusters that a tenant may have at once.
    pub clusters_per_tenant: u32,
}

/// A tenant's name becomes part of keys, so it has only characters without a meaning there.
pub fn is_tenant(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._@-".contains(character);
    (1..=128).contains(&text.len()) && text.chars().all(plain)
}

pub fn is_idempotency_key(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.chars().all(|character| character.is_ascii_graphic())
}

impl Requests {
    /// Accepts a request and answers with the cluster as it is now. The same idempotency key again is answered with the same cluster.
    /// Boxed, so that what is inside is compiled once, in the library, and not in every function.
    ///
    /// # Errors
    /// The problem, as the caller should see it.
    pub fn accept<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Value, Problem>> {
        Box::pin(self.accept_once(request))
    }

    async fn accept_once(&self, request: &Request) -> Result<Value, Problem> {
        if let Some(answer) = self.replay(request).await? {
            return Ok(answer);
        }
        let accepted = match &request.action {
            Action::Create(body) => self.create(request, body).await,
            Action::Delete(deletion) => self.delete(request, deletion).await,
            Action::Retry(name) => self.retry(request, name).await,
            Action::Forget(name) => self.forget(request, name).await,
        };
        match accepted {
            Ok(record) => {
                if !record.status.is_over() {
                    self.start(&record).await;
                }
                match &request.action {
                    // A new cluster has no journal yet.
                    Action::Create(_) => Ok(json!(view::cluster(&record, &BTreeMap::new(), self.desk.now()))),
                    Action::Delete(_) | Action::Retry(_) | Action::Forget(_) => self.shown(&record).await,
                }
            }
            // The same key may have been used elsewhere in the meantime.
            Err(problem) => self.replay(request).await?.ok_or(problem),
        }
    }

    async fn create(&self, request: &Request, body: &Value) -> Result<Record, Problem> {
        let (spec, endpoint_access) = self.spec(request, body).await?;
        if self.desk.role_of_another(&request.tenant, &spec.role_arn).await? {
            return Err(Problem::role_registered());
        }
        let mut record = Record::new(names::new_cluster_id(), request.tenant.clone(), spec, endpoint_access, self.desk.now());
        record.asked_by = Some(request.actor.clone());
        let mut with = vec![With::Arrival { places: self.clusters_per_tenant }];
        with.extend(self.traces(request, &record));
        match self.desk.write(&record, None, &with).await? {
            Written::Done => Ok(record),
            Written::NoPlace => Err(Problem::too_many_clusters(self.clusters_per_tenant)),
            Written::NameTaken | Written::RecordChanged | Written::Answered => Err(self.name_taken(&record).await?),
        }
    }

    async fn name_taken(&self, refused: &Record) -> Result<Problem, Problem> {
        let holder = self.desk.find(&refused.tenant, &refused.name).await?;
        Ok(Problem::name_taken(&refused.name, holder.map_or(Status::Deleted, |holder| holder.status)))
    }

    /// What the body asks for, or every fault in it.
    async fn spec(&self, request: &Request, body: &Value) -> Result<(Spec, EndpointAccess), Problem> {
        let (body, given) = without_external_id(body);
        let foreign = match given {
            None | Some(Value::Null) => false,
            Some(given) => given != self.desk.external_id(&request.tenant).await?.as_str(),
        };
        let body = spec::in_region(body, &self.default_region);
        let parsed = spec::parse(&body).and_then(|mut spec| access::decide(&mut spec, request).map(|access| (spec, access)));
        match (parsed, foreign) {
            (Ok(accepted), false) => Ok(accepted),
            (parsed, foreign) => {
                let mut faults = parsed.err().unwrap_or_default();
                faults.extend(foreign.then(not_the_tenants));
                Err(Problem::invalid(faults))
            }
        }
    }

    /// Begins a new run of a parked cluster, or of one that lacks what is inside every cluster; repeating it while that run is at work changes nothing, so that of two retries at once both
    /// are accepted and one begins a run.
    async fn retry(&self, request: &Request, name: &str) -> Result<Record, Problem> {
        let record = self.find(&request.tenant, name).await?;
        if !can_be_retried(&record) && !is_being_retried(&record) {
            return Err(Problem::not_parked(record.status));
        }
        let begin = |record: &mut Record| {
            // Another request may have come first.
            if can_be_retried(record) {
                record.begin_run(record.desired, self.desk.now());
                record.retried = Some(record.run);
                record.asked_by = Some(request.actor.clone());
            }
            Ok(())
        };
        let (record, ()) = change(self.desk.as_ref(), &record.id, begin, |record| self.traces(request, record)).await?;
        Ok(record)
    }

    /// The tenant's cluster of that name, or the last one that had it. Another tenant's cluster is as absent as one that never existed.
    pub async fn find(&self, tenant: &str, name: &str) -> Result<Record, Problem> {
        // An invalid name is not looked up, because it could be too long for a key.
        let record = if spec::is_name(name) { self.desk.find(tenant, name).await? } else { None };
        record.ok_or_else(|| Problem::no_cluster(name))
    }

    /// What every accepted request leaves: an event, and the answer under its idempotency key.
    fn traces(&self, request: &Request, record: &Record) -> Vec<With> {
        let message = format!("The cluster is {}.{}", record.status.name(), request.action.about_data());
        let event = Event::new(self.desk.now(), &request.actor, event::Action::Requested, request.action.verb(), message);
        let mut traces = vec![With::Event(Event { from: Some(request.from.clone()), ..event })];
        if let Some(key) = request.idempotency_key.clone() {
            traces.push(With::Answer { key, answer: Answer { fingerprint: request.action.fingerprint(), cluster_id: record.id.clone() } });
        }
        traces
    }

    /// The cluster that the key's first request was about, as it is now.
    async fn replay(&self, request: &Request) -> Result<Option<Value>, Problem> {
        let Some(key) = &request.idempotency_key else { return Ok(None) };
        match self.desk.answer(&request.tenant, key).await? {
            None => Ok(None),
            Some(answer) if answer.fingerprint == request.action.fingerprint() => {
                let record = self.desk.record(&answer.cluster_id).await?;
                self.shown(&record).await.map(Some)
            }
            Some(_) => Err(Problem::key_reused()),
        }
    }

    async fn shown(&self, record: &Record) -> Result<Value, Problem> {
        let journal = self.desk.journal(&record.id).await?;
        Ok(json!(view::cluster(record, &journal, self.desk.now())))
    }

    /// The request is accepted even if this fails: sweep starts what could not be started.
    async fn start(&self, record: &Record) {
        if let Err(error) = self.executions.start(record).await {
            tracing::warn!(cluster_id = record.id, detail = error.detail, "execution not started; sweep will");
        }
    }
}

/// True if a run can change anything about it: a customer's own cluster lacks by design what is inside.
fn can_be_retried(record: &Record) -> bool {
    let is_ours = record.spec.read().is_ok_and(|spec| spec.managed().is_some());
    record.status.is_parked() || record.status == Status::Running && is_ours && !record.is_furnished()
}

/// True as long as the run that a retry began is at work.
fn is_being_retried(record: &Record) -> bool {
    record.status.is_unsettled() && record.retried == Some(record.run)
}

/// Splits off the external ID, which users of older systems send: it is checked, and neither kept nor shown.
fn without_external_id(body: &Value) -> (Value, Option<Value>) {
    let mut body = body.clone();
    let given = body.as_object_mut().and_then(|fields| fields.remove("external_id"));
    (body, given)
}

fn not_the_tenants() -> Fault {
    let message = "is not your tenant's external ID, which GET /onboarding shows; leave this field out.";
    Fault::new("$.external_id", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use jiff::Timestamp;
    use wire::status::Desired;

    #[test]
    fn the_external_id_makes_no_other_request_and_is_not_in_its_text() {
        let (with, without) = (json!({"name": "a", "external_id": "secret"}), json!({"name": "a"}));
        assert_eq!(Action::Create(with.clone()).fingerprint(), Action::Create(without.clone()).fingerprint());
        assert_eq!(without_external_id(&with), (without, Some(json!("secret"))));
    }

    /// The keys of earlier versions are answered, too.
    #[test]
    fn a_deletion_that_says_something_about_the_data_is_another_request() {
        let of = |data| Action::Delete(Deletion { name: "a".into(), data }).fingerprint();
        assert_eq!(of(None), "delete a");
        assert_eq!([Data::Keep, Data::Delete].map(|data| of(Some(data))), ["delete a data=keep", "delete a data=delete"]);
    }

    #[test]
    fn only_the_run_that_a_retry_began_is_being_retried() {
        let Cluster { id, tenant, spec, .. } = Cluster::example(json!({}));
        let mut record = Record::new(id, tenant, spec, EndpointAccess::Given, Timestamp::UNIX_EPOCH);
        assert!(!is_being_retried(&record), "a creation is no retry");
        record.begin_run(Desired::Present, Timestamp::UNIX_EPOCH);
        record.retried = Some(record.run);
        assert!(is_being_retried(&record));
        record.set_status(Status::Running, Timestamp::UNIX_EPOCH);
        assert!(!is_being_retried(&record), "it came to its end");
        record.begin_run(Desired::Absent, Timestamp::UNIX_EPOCH);
        assert!(!is_being_retried(&record), "a deletion came after it");
    }

    #[test]
    fn an_action_names_its_cluster_if_the_name_is_valid() {
        assert_eq!(Action::Create(json!({"name": "a"})).cluster(), Some("a"));
        assert_eq!(Action::Delete(Deletion { name: "b".into(), data: None }).cluster(), Some("b"));
        for no_name in [json!({}), json!([]), json!({"name": 1}), json!({"name": "No name"})] {
            assert_eq!(Action::Create(no_name).cluster(), None);
        }
    }
}
