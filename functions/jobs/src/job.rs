//! The job message, the same from an operator's program and from a schedule.

use aws_lambda_events::sqs::SqsMessage;
use engine::requests::{self, Action, Deletion, Request};
use serde::Deserialize;
use serde_json::Value;
use wire::body;
use wire::problem::Problem;
use wire::spec::{Data, Fault, shortened};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    action: Verb,
    tenant: String,
    cluster: Option<Value>,
    name: Option<String>,
    /// What happens to the data this once, with a delete job.
    data: Option<Data>,
    idempotency_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Create,
    Delete,
    Retry,
    Forget,
}

/// Reads a message from the queue. `tenant` is trusted, because the queue admits only principals of the operator's account.
///
/// # Errors
/// What is wrong with the message, for the operator's log.
pub fn read(message: &SqsMessage) -> Result<Request, Problem> {
    let body = body::read(message.body.as_deref().unwrap_or_default().as_bytes())?;
    parse(message, body).map_err(|message| Problem::invalid(vec![Fault::new("$", message)]))
}

/// Who put the message on the queue.
pub fn sender(message: &SqsMessage) -> &str {
    message.attributes.get("SenderId").map_or("unknown", String::as_str)
}

fn parse(message: &SqsMessage, body: Value) -> Result<Request, String> {
    let job: Job = serde_json::from_value(body).map_err(|error| format!("not a job: {}", shortened(&error.to_string())))?;
    if !requests::is_tenant(&job.tenant) {
        return Err(format!("tenant {:?} is not 1 to 128 letters, digits and ._@-", shortened(&job.tenant)));
    }
    if job.data.is_some() && !matches!(job.action, Verb::Delete) {
        return Err("only a delete job says something about the data".into());
    }
    let action = match (job.action, job.cluster, job.name) {
        (Verb::Create, Some(cluster), None) => Action::Create(cluster),
        (Verb::Delete, None, Some(name)) => Action::Delete(Deletion { name, data: job.data }),
        (Verb::Retry, None, Some(name)) => Action::Retry(name),
        (Verb::Forget, None, Some(name)) => Action::Forget(name),
        (Verb::Create, ..) => return Err("a create job has a cluster and no name".into()),
        (Verb::Delete | Verb::Retry | Verb::Forget, ..) => return Err("a delete, retry or forget job has a name and no cluster".into()),
    };
    // A message without a key is its own key: delivered twice, it counts once.
    let key = job.idempotency_key.or_else(|| message.message_id.clone());
    if let Some(key) = key.as_deref().filter(|key| !requests::is_idempotency_key(key)) {
        let key = shortened(key);
        return Err(format!("idempotency_key {key:?} is not 1 to 256 printable ASCII characters"));
    }
    let from = sender(message).to_owned();
    Ok(Request { tenant: job.tenant, actor: format!("queue:{from}"), from, origin: None, idempotency_key: key, action })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(body: &str) -> SqsMessage {
        let mut message = SqsMessage::default();
        message.body = Some(body.to_owned());
        message.message_id = Some("m-1".to_owned());
        message.attributes.insert("SenderId".to_owned(), "AIDAEXAMPLE".to_owned());
        message
    }

    #[test]
    fn a_job_names_its_sender_and_without_a_key_its_message_is_the_key() {
        let request = read(&message(r#"{"action":"delete","tenant":"demo","name":"research"}"#)).expect("a job");
        assert_eq!(request.action, Action::Delete(Deletion { name: "research".into(), data: None }));
        assert_eq!((request.actor.as_str(), request.from.as_str()), ("queue:AIDAEXAMPLE", "AIDAEXAMPLE"));
        assert_eq!(request.idempotency_key.as_deref(), Some("m-1"));
        let request = read(&message(r#"{"action":"delete","tenant":"demo","name":"research","idempotency_key":"k"}"#)).expect("a job");
        assert_eq!(request.idempotency_key.as_deref(), Some("k"));
    }

    #[test]
    fn a_delete_job_may_say_what_happens_to_the_data() {
        for (text, data) in [("keep", Data::Keep), ("delete", Data::Delete)] {
            let body = format!(r#"{{"action":"delete","tenant":"demo","name":"research","data":"{text}"}}"#);
            let action = read(&message(&body)).expect("a job").action;
            assert_eq!(action, Action::Delete(Deletion { name: "research".into(), data: Some(data) }));
        }
    }

    #[test]
    fn a_message_that_is_not_a_job_is_refused_with_the_reason() {
        for (body, why) in [
            ("poison", "is not JSON"),
            ("[]", "not a job"),
            (r#"{"action":"delete","tenant":"demo","name":"a","name":"b"}"#, "written twice"),
            (&" ".repeat(70_000), "more than 65536 bytes"),
            (&format!(r#"{{"action":"{}"}}"#, "x".repeat(60_000)), "not a job"),
            (r#"{"action":"destroy","tenant":"demo","name":"a"}"#, "not a job"),
            (r#"{"action":"delete","tenant":"demo","name":"a","force":true}"#, "not a job"),
            (r#"{"action":"delete","tenant":"de#mo","name":"a"}"#, "tenant"),
            (r#"{"action":"delete","tenant":"demo","name":"a","data":"burn"}"#, "`keep` or `delete`"),
            (r#"{"action":"retry","tenant":"demo","name":"a","data":"delete"}"#, "only a delete job"),
            (r#"{"action":"create","tenant":"demo","name":"a"}"#, "a create job has a cluster"),
            (r#"{"action":"retry","tenant":"demo"}"#, "a delete, retry or forget job has a name"),
            (r#"{"action":"delete","tenant":"demo","name":"a","idempotency_key":""}"#, "idempotency_key"),
        ] {
            let told = json!(read(&message(body)).expect_err(body)).to_string();
            assert!(told.contains(why) && told.len() < 1000, "{told}");
        }
    }
}
