//! An API server in memory: objects by path, with server-side apply, generations, fields that never change, and the answers that a test wants
//! instead. It knows no schema and runs no controller; a real one is in `tests/kubernetes`.

use crate::difference::is_keyed;
use http::{Method, Request, Response, Uri};
use kube::Client;
use kube::client::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones are the same server.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Contents>>);

#[derive(Serialize, Deserialize)]
struct Contents {
    objects: BTreeMap<String, Value>,
    /// What was last applied to an object, by path: the fields that are the applier's.
    applied: BTreeMap<String, Value>,
    #[serde(skip)]
    faults: Vec<Fault>,
    /// Each call that changes something, as "PATCH /api/v1/…".
    #[serde(skip)]
    changes: Vec<String>,
    /// EKS gives pods no credentials.
    #[serde(skip)]
    without_roles: bool,
    version: u64,
}

/// An answer instead of the one that there would be.
#[derive(Clone)]
pub struct Fault {
    pub method: Method,
    /// How the path ends.
    pub path: String,
    pub code: u16,
    pub message: String,
    /// The call has its effect, and only its answer is lost.
    pub has_effect: bool,
}

/// A status and a body.
pub type Answer = (u16, Value);

impl Memory {
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.respond(request).await) }
        });
        Client::new(service, "default")
    }

    /// What somebody else made or changed; his are all its fields.
    pub fn put(&self, path: &str, object: Value) {
        let mut contents = self.contents();
        contents.applied.remove(path);
        contents.objects.insert(path.to_owned(), object);
    }

    pub fn object(&self, path: &str) -> Option<Value> {
        self.contents().objects.get(path).cloned()
    }

    /// Changes it as a controller or a person would.
    pub fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        if let Some(object) = self.contents().objects.get_mut(path) {
            change(object);
        }
    }

    pub fn answer_with(&self, fault: Fault) {
        self.contents().faults.push(fault);
    }

    pub fn mend(&self) {
        self.contents().faults.clear();
    }

    /// Whether service accounts have roles of AWS. At first they have.
    pub fn give_roles(&self, given: bool) {
        self.contents().without_roles = !given;
    }

    /// The calls since the last time that changed something, or tried to.
    pub fn changes(&self) -> Vec<String> {
        std::mem::take(&mut self.contents().changes)
    }

    /// Answers one request, whoever brings it.
    pub fn answer(&self, method: &Method, uri: &Uri, sent: Value) -> Answer {
        let has = |parameter: &str| uri.query().is_some_and(|query| query.contains(parameter));
        if *method == Method::POST && has("dryRun=All") {
            return self.contents().answer_without(uri.path(), sent);
        }
        self.contents().answer(method, uri.path(), sent, has("force=true"))
    }

    /// All that is in it.
    pub fn snapshot(&self) -> Value {
        json!(*self.contents())
    }

    /// As it was then.
    ///
    /// # Errors
    /// It is no snapshot.
    pub fn restore(&self, snapshot: &Value) -> serde_json::Result<()> {
        *self.contents() = Contents::deserialize(snapshot)?;
        Ok(())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn respond(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let sent = body.collect_bytes().await.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let (code, answer) = self.answer(&head.method, &head.uri, sent);
        let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
        *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
        response
    }
}

/// With the driver of disks, which EKS's add-on puts there.
impl Default for Contents {
    fn default() -> Self {
        let (name, path) = ("ebs.csi.aws.com", "/apis/storage.k8s.io/v1/csidrivers/ebs.csi.aws.com");
        let driver = json!({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}, "spec": {}});
        Self {
            objects: BTreeMap::from([(path.to_owned(), driver)]),
            applied: BTreeMap::new(),
            faults: vec![],
            changes: vec![],
            without_roles: false,
            version: 0,
        }
    }
}

impl Contents {
    /// A pod as it would be admitted.
    fn answer_without(&self, path: &str, mut pod: Value) -> Answer {
        if let Some(fault) = self.fault(&Method::POST, path) {
            return failure(fault.code, &fault.message);
        }
        let account = pod["spec"]["serviceAccountName"].as_str().unwrap_or_default();
        if !self.objects.contains_key(&path.replace("/pods", &format!("/serviceaccounts/{account}"))) {
            return failure(403, &format!("error looking up service account: serviceaccount {account:?} not found"));
        }
        if !self.without_roles {
            pod["spec"]["containers"][0]["env"] = json!([{"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23"}]);
        }
        (201, pod)
    }

    fn fault(&self, method: &Method, path: &str) -> Option<Fault> {
        self.faults.iter().find(|fault| fault.method == method && path.ends_with(&fault.path)).cloned()
    }

    fn answer(&mut self, method: &Method, path: &str, sent: Value, forces: bool) -> Answer {
        if method != Method::GET {
            self.changes.push(format!("{method} {path}"));
        }
        match self.fault(method, path) {
            Some(fault) => {
                if fault.has_effect {
                    self.act(method, path, sent, forces);
                }
                failure(fault.code, &fault.message)
            }
            None => self.act(method, path, sent, forces),
        }
    }

    fn act(&mut self, method: &Method, path: &str, sent: Value, forces: bool) -> Answer {
        if path == "/version" {
            return (200, version());
        }
        match *method {
            Method::GET if is_list(path) => (200, self.list(path)),
            Method::GET => self.objects.get(path).map_or_else(|| missing(path), |found| (200, found.clone())),
            Method::PATCH => self.apply(path, sent, forces),
            Method::DELETE => self.delete(path),
            _ => failure(405, "not allowed"),
        }
    }

    fn list(&self, path: &str) -> Value {
        let within = format!("{path}/");
        let items = self.objects.iter().filter(|(path, _)| path.starts_with(&within)).map(|(_, object)| object);
        json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items.collect::<Vec<_>>()})
    }

    fn delete(&mut self, path: &str) -> Answer {
        self.applied.remove(path);
        match self.objects.remove(path) {
            Some(object) => (200, object),
            None => missing(path),
        }
    }

    fn apply(&mut self, path: &str, sent: Value, forces: bool) -> Answer {
        if let Some(namespace) = self.missing_namespace(path) {
            return failure(404, &format!("namespaces {namespace:?} not found"));
        }
        let before = self.objects.get(path).cloned();
        let mine = self.applied.get(path).cloned().unwrap_or_default();
        let mut object = before.clone().unwrap_or_default();
        if !forces && before.is_some() && conflicts(&sent, &object, &mine) {
            return failure(409, "Apply failed with 1 conflict");
        }
        if let Some(field) = before.as_ref().and_then(|before| unchangeable(before, &sent)) {
            return failure(422, &format!("{path} is invalid: {field}: Forbidden: updates to {field} are forbidden."));
        }
        remove(&mut object, &mine, &sent);
        merge(&mut object, &sent);
        self.settle(&mut object, before.as_ref());
        self.applied.insert(path.to_owned(), sent);
        self.objects.insert(path.to_owned(), object.clone());
        (if before.is_some() { 200 } else { 201 }, object)
    }

    /// What the server itself writes.
    fn settle(&mut self, object: &mut Value, before: Option<&Value>) {
        self.version += 1;
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(self.version.to_string());
        if metadata.get("uid").is_none() {
            metadata["uid"] = json!(format!("uid-{}", self.version));
            metadata["creationTimestamp"] = json!("2026-01-02T03:04:05Z");
        }
        let generation = before.and_then(|before| before["metadata"]["generation"].as_u64()).unwrap_or_default();
        let changed = before.is_none_or(|before| before.get("spec") != object.get("spec"));
        object["metadata"]["generation"] = json!(generation + u64::from(changed));
    }

    fn missing_namespace(&self, path: &str) -> Option<String> {
        let namespace = path.split("/namespaces/").nth(1)?.split_once('/')?.0;
        let is_there = namespace == "kube-system" || self.objects.contains_key(&format!("/api/v1/namespaces/{namespace}"));
        (!is_there).then(|| namespace.to_owned())
    }
}

fn version() -> Value {
    let text = "";
    json!({
        "major": "1", "minor": "35+", "gitVersion": "v1.35.0", "gitCommit": text, "gitTreeState": text, "buildDate": text, "goVersion": text,
        "compiler": text, "platform": text
    })
}

/// Of the collections that are listed here.
fn is_list(path: &str) -> bool {
    ["/storageclasses", "/pods"].iter().any(|collection| path.ends_with(collection))
}

fn missing(path: &str) -> Answer {
    failure(404, &format!("{path} not found"))
}

fn failure(code: u16, message: &str) -> Answer {
    let reason = if code == 404 { "NotFound" } else { "" };
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message, "metadata": {}}),
    )
}

/// A field that never changes, and would.
fn unchangeable(before: &Value, sent: &Value) -> Option<&'static str> {
    let fields = ["parameters", "provisioner", "roleRef"];
    let differs = |field: &str| before.get(field).is_some_and(|before| sent.get(field).is_some_and(|sent| sent != before));
    if before["spec"]["selector"] != sent["spec"]["selector"] && before["kind"] == "Deployment" {
        return Some("spec.selector");
    }
    fields.into_iter().find(|field| differs(field))
}

/// True if a field would become another value that is somebody else's.
fn conflicts(sent: &Value, found: &Value, mine: &Value) -> bool {
    match (sent, found) {
        (Value::Object(sent), Value::Object(found)) => sent
            .iter()
            .any(|(name, sent)| found.get(name).is_some_and(|found| conflicts(sent, found, mine.get(name).unwrap_or(&Value::Null)))),
        (sent, found) => sent != found && mine.is_null(),
    }
}

/// Takes away what was applied before and is not any more.
fn remove(object: &mut Value, mine: &Value, sent: &Value) {
    if let (Some(object), Some(mine)) = (object.as_object_mut(), mine.as_object()) {
        object.retain(|name, _| !mine.contains_key(name) || sent.get(name).is_some());
        for (name, value) in object.iter_mut() {
            remove(value, mine.get(name).unwrap_or(&Value::Null), sent.get(name).unwrap_or(&Value::Null));
        }
    }
}

fn merge(object: &mut Value, sent: &Value) {
    match sent {
        Value::Object(fields) => {
            if !object.is_object() {
                *object = Value::Object(Map::new());
            }
            fields.iter().for_each(|(name, value)| merge(&mut object[name.as_str()], value));
        }
        Value::Array(items) if is_keyed(items) && object.is_array() => {
            for item in items {
                merge_item(object, item);
            }
        }
        other => *object = other.clone(),
    }
}

fn merge_item(list: &mut Value, item: &Value) {
    let Some(list) = list.as_array_mut() else { return };
    match list.iter_mut().find(|found| found["name"] == item["name"]) {
        Some(found) => merge(found, item),
        None => list.push(item.clone()),
    }
}
