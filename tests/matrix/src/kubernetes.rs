//! The cluster's API server: whom it lets in, by what EKS knows at the moment, and the way to it, on which the same can go wrong as on the way
//! to AWS.

use crate::account::{Account, REGION};
use async_trait::async_trait;
use bytes::Bytes;
use engine::api_server::{ApiServers, Entrance};
use engine::errors::Result;
use furniture::memory::Memory;
use http::{Method, Request, Response, Uri};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// The operator's address.
pub const DOOR: &str = "54.240.193.9/32";
const ADMINISTRATOR: &str = "AmazonEKSClusterAdminPolicy";
/// Nobody answered.
const SILENCE: u16 = 599;
/// As the product's own client has it.
const PATIENCE: Duration = Duration::from_secs(35);

/// Reaches the API server of the account's only cluster.
pub struct Way(pub Account);

#[async_trait]
impl ApiServers for Way {
    async fn connect(&self, entrance: Entrance) -> Result<Client> {
        let (account, token) = (self.0.clone(), entrance.token);
        let service = tower::service_fn(move |request: Request<Body>| send(account.clone(), token.clone(), request));
        Ok(Client::new(service, "default"))
    }
}

async fn send(account: Account, token: String, request: Request<Body>) -> io::Result<Response<Body>> {
    assert!(token.starts_with("k8s-aws-v1."), "{token}");
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let signed = format!("AWS4-HMAC-SHA256 Credential=hand/20260101/{REGION}/kubernetes/aws4_request, SignedHeaders=host");
    head.headers.insert("authorization", signed.parse().map_err(io::Error::other)?);
    // Each is an operation of its own: nobody repeats it on the way.
    head.headers.insert("amz-sdk-invocation-id", rand::random::<u64>().into());
    head.headers.insert("x-amz-target", action(&head.method).parse().map_err(io::Error::other)?);
    let answer = timeout(PATIENCE, account.pass(Request::from_parts(head, body))).await.map_err(io::Error::other)?;
    let answer = answer.ok_or_else(|| io::Error::other("connection reset"))?;
    match answer.status().as_u16() {
        SILENCE => Err(io::Error::other("nobody answers")),
        _ => Ok(in_kubernetes_words(answer).map(Body::from)),
    }
}

/// Named like AWS's: what does not begin with Get changes something.
fn action(method: &Method) -> &'static str {
    match *method {
        // What is posted is not to be made: a dry run.
        Method::GET | Method::POST => "GetObject",
        Method::PATCH => "ApplyObject",
        _ => "DeleteObject",
    }
}

/// A fault is told in AWS's words.
fn in_kubernetes_words(answer: Response<Bytes>) -> Response<Vec<u8>> {
    let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let Some(code) = said["__type"].as_str() else { return answer.map(|body| body.to_vec()) };
    let code = if code == "Throttling" { 429 } else { answer.status().as_u16() };
    let mut told = Response::new(failure(code, said["message"].as_str().unwrap_or_default()).to_string().into_bytes());
    *told.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    told
}

fn failure(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message, "metadata": {}})
}

/// What the API server answers: `asked` is how EKS was asked to make the cluster, and `clusters` what EKS knows.
pub fn answer(server: &Memory, asked: &Value, cluster: &Value, method: &Method, uri: &Uri, body: &[u8]) -> (u16, Value) {
    if !is_reached(&asked["resourcesVpcConfig"]) {
        return (SILENCE, Value::Null);
    }
    if !knows_us(cluster) {
        return (401, failure(401, "Unauthorized"));
    }
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    server.give_roles(has_role(cluster, uri, &sent));
    let answer = server.answer(method, uri, sent);
    server.change(uri.path(), run);
    answer
}

fn is_reached(network: &Value) -> bool {
    let ranges = network["publicAccessCidrs"].as_array();
    network["endpointPublicAccess"] == true && ranges.is_some_and(|ranges| ranges.iter().any(|range| range == DOOR))
}

fn knows_us(cluster: &Value) -> bool {
    let entries = cluster["access_entries"].as_object().into_iter().flatten();
    let ours = entries.filter(|(arn, _)| arn.ends_with("-hand")).filter_map(|(_, entry)| entry["associated_policies"].as_object());
    ours.flat_map(|policies| policies.keys()).any(|policy| policy.ends_with(ADMINISTRATOR))
}

/// Of the service account of a pod that is asked for there.
fn has_role(cluster: &Value, uri: &Uri, pod: &Value) -> bool {
    let associations = cluster["pod_identity_associations"].as_object().into_iter().flat_map(|all| all.values());
    let account = &pod["spec"]["serviceAccountName"];
    associations
        .filter(|one| one["service_account"] == *account)
        .filter_map(|one| one["namespace"].as_str())
        .any(|namespace| uri.path().contains(&format!("/namespaces/{namespace}/")))
}

/// The controllers see to it that its pod runs.
fn run(object: &mut Value) {
    if object["kind"] == "Deployment" {
        object["status"] = json!({
            "observedGeneration": object["metadata"]["generation"], "conditions": [{"type": "Available", "status": "True"}]
        });
    }
}
