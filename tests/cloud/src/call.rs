//! What a request asks of AWS, in any protocol.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// On a request that came in by the way out of the operator's VPC: AWS and the clusters see the address of its NAT gateway.
#[derive(Clone)]
pub struct ThroughNat;

/// One attempt of one call.
#[derive(Clone)]
pub struct Call {
    /// The service's signing name: `ec2`, `eks`, `elasticloadbalancing`.
    pub service: String,
    /// The operation: `CreateVpc`. For S3, the IAM action: `PutBucketTagging`.
    pub action: String,
    /// The segments of the path.
    pub path: Vec<String>,
    /// The fields of a form, for EC2, IAM, STS and ELB.
    pub form: BTreeMap<String, String>,
    /// The body, for services that use JSON.
    pub json: Value,
    /// The same for all attempts of one SDK call.
    pub operation: String,
    /// Who signed it.
    pub access_key: String,
    /// The region that it is signed for.
    pub region: String,
    pub request: Request<Bytes>,
}

impl Call {
    pub fn read(request: Request<Bytes>) -> Self {
        let Signer { access_key, region, service } = signer(header(&request, "authorization"));
        let path = segments(request.uri().path());
        let form = if is_form(&request) { fields(request.body()) } else { BTreeMap::new() };
        let json = serde_json::from_slice(request.body()).unwrap_or_default();
        let action = action(&service, &request, &path, &form);
        let operation = header(&request, "amz-sdk-invocation-id").to_owned();
        Self { service, action, path, form, json, operation, access_key, region, request }
    }

    pub fn is_through_nat(&self) -> bool {
        self.request.extensions().get::<ThroughNat>().is_some()
    }

    /// `ec2:CreateVpc`
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }

    /// The values of a form's list: `SubnetId.1`, `SubnetId.2`, or `Tags.member.1`.
    pub fn list<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{name}.");
        self.form
            .iter()
            .filter(move |(key, _)| **key == prefix[..prefix.len() - 1] || key.starts_with(&prefix))
            .map(|(_, value)| value.as_str())
    }

    /// Every text in the request, to see which things it is about.
    pub fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = self.form.values().chain(&self.path).map(String::as_str).collect();
        leaves(&self.json, &mut texts);
        texts
    }
}

fn leaves<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, texts)),
        _ => {}
    }
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

struct Signer {
    access_key: String,
    region: String,
    service: String,
}

/// From `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`.
fn signer(authorization: &str) -> Signer {
    let scope = authorization.split("Credential=").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default();
    let parts: Vec<&str> = scope.split('/').collect();
    let part = |index: usize| parts.get(index).copied().unwrap_or_default().to_owned();
    Signer { access_key: part(0), region: part(2), service: part(3) }
}

fn is_form(request: &Request<Bytes>) -> bool {
    header(request, "content-type").starts_with("application/x-www-form-urlencoded")
}

fn fields(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn segments(path: &str) -> Vec<String> {
    let decoded = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    path.split('/').filter(|part| !part.is_empty()).map(decoded).collect()
}

fn action(service: &str, request: &Request<Bytes>, path: &[String], form: &BTreeMap<String, String>) -> String {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match service {
        "eks" => eks_action(request.method().as_str(), &path),
        "s3" => s3_action(request, &path),
        // It has no other.
        "eks-auth" => "AssumeRoleForPodIdentity".to_owned(),
        _ => match form.get("Action") {
            Some(action) => action.clone(),
            None => header(request, "x-amz-target").rsplit('.').next().unwrap_or_default().to_owned(),
        },
    }
}

/// EKS names its things by the path: `/clusters/<name>/node-groups/<name>`.
fn eks_action(method: &str, path: &[&str]) -> String {
    let noun = |collection: &str| match collection {
        "clusters" => "Cluster",
        "node-groups" => "Nodegroup",
        "addons" => "Addon",
        "access-entries" => "AccessEntry",
        "access-policies" => "AccessPolicy",
        "pod-identity-associations" => "PodIdentityAssociation",
        "updates" => "Update",
        _ => "Unknown",
    };
    match (method, path) {
        ("GET", ["cluster-versions"]) => "DescribeClusterVersions".to_owned(),
        ("POST", [.., _, "access-policies"]) => "AssociateAccessPolicy".to_owned(),
        ("GET", [.., _, "access-policies"]) => "ListAssociatedAccessPolicies".to_owned(),
        ("POST", [.., collection, _, update]) if update.starts_with("update") => format!("Update{}{}", noun(collection), update_of(update)),
        ("POST", [collection] | [_, _, collection]) => format!("Create{}", noun(collection)),
        ("GET", [collection] | [_, _, collection]) => format!("List{}", plural(noun(collection))),
        ("GET", [.., collection, _]) => format!("Describe{}", noun(collection)),
        ("DELETE", [.., collection, _]) => format!("Delete{}", noun(collection)),
        _ => format!("{method} {}", path.join("/")),
    }
}

fn update_of(update: &str) -> &str {
    match update {
        "update-config" => "Config",
        "update-version" | "updates" => "Version",
        _ => "",
    }
}

fn plural(noun: &str) -> Cow<'_, str> {
    match noun.strip_suffix("Entry") {
        Some(stem) => format!("{stem}Entries").into(),
        None => format!("{noun}s").into(),
    }
}

/// The IAM action of a request by path: `/<bucket>?versioning`, `/<bucket>/<key>`.
fn s3_action(request: &Request<Bytes>, path: &[&str]) -> String {
    let query = request.uri().query().unwrap_or_default();
    let parameters: Vec<&str> = query.split('&').map(|part| part.split('=').next().unwrap_or_default()).collect();
    let about = |name: &str| parameters.contains(&name);
    let verb = match request.method().as_str() {
        "PUT" => "Put",
        "GET" => "Get",
        "DELETE" => "Delete",
        "HEAD" => "Head",
        other => other,
    };
    let subresources = [
        ("versioning", "BucketVersioning"),
        ("tagging", "BucketTagging"),
        ("policy", "BucketPolicy"),
        ("publicAccessBlock", "BucketPublicAccessBlock"),
        ("ownershipControls", "BucketOwnershipControls"),
        ("encryption", "EncryptionConfiguration"),
        ("location", "BucketLocation"),
        ("lifecycle", "LifecycleConfiguration"),
    ];
    let subresource = subresources.iter().find(|(parameter, _)| about(parameter));
    match (verb, path, subresource) {
        ("Get", [], _) => "ListAllMyBuckets".into(),
        (_, [_], Some((_, name))) => format!("{verb}{name}"),
        ("Get", [_], _) if about("versions") => "ListBucketVersions".into(),
        ("Get", [_], _) if about("uploads") => "ListBucketMultipartUploads".into(),
        ("Get", [_], _) => "ListBucket".into(),
        ("Put", [_], _) => "CreateBucket".into(),
        ("POST", [_], _) if about("delete") => "DeleteObjects".into(),
        (_, [_], _) => format!("{verb}Bucket"),
        ("Delete", _, _) if about("uploadId") => "AbortMultipartUpload".into(),
        ("Delete", _, _) if about("versionId") => "DeleteObjectVersion".into(),
        _ => format!("{verb}Object"),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An EC2 call with that form.
    pub fn ec2(form: &str) -> Call {
        signed("ASIA", "ec2", "/", form)
    }

    /// A call with that form, or that JSON.
    pub fn signed(access_key: &str, service: &str, path: &str, body: &str) -> Call {
        let scope = format!("AWS4-HMAC-SHA256 Credential={access_key}/20260101/us-west-2/{service}/aws4_request, SignedHeaders=host");
        let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let request = Request::post(path).header("authorization", scope).header("content-type", kind);
        Call::read(request.body(Bytes::from(body.to_owned())).expect("valid"))
    }

    fn action_of(service: &str, method: &str, uri: &str) -> String {
        let scope = format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/{service}/aws4_request, SignedHeaders=host");
        let request = Request::builder().method(method).uri(uri).header("authorization", scope).body(Bytes::new()).expect("valid");
        Call::read(request).name()
    }

    #[test]
    fn the_action_follows_from_method_and_path() {
        for (service, method, uri, expected) in [
            ("eks", "POST", "/clusters", "eks:CreateCluster"),
            ("eks", "GET", "/clusters/a", "eks:DescribeCluster"),
            ("eks", "GET", "/cluster-versions?clusterType=eks", "eks:DescribeClusterVersions"),
            ("eks", "DELETE", "/clusters/a/node-groups/b", "eks:DeleteNodegroup"),
            ("eks", "POST", "/clusters/a/node-groups/b/update-config", "eks:UpdateNodegroupConfig"),
            ("eks", "POST", "/clusters/a/update-config", "eks:UpdateClusterConfig"),
            ("eks", "GET", "/clusters/a/updates/b", "eks:DescribeUpdate"),
            ("eks", "GET", "/clusters/a/access-entries", "eks:ListAccessEntries"),
            ("eks", "POST", "/clusters/a/access-entries/arn%3Ax%2Fy/access-policies", "eks:AssociateAccessPolicy"),
            ("s3", "PUT", "/bucket", "s3:CreateBucket"),
            ("s3", "PUT", "/bucket/?versioning", "s3:PutBucketVersioning"),
            ("s3", "GET", "/?x-id=ListBuckets", "s3:ListAllMyBuckets"),
            ("s3", "POST", "/bucket/?delete", "s3:DeleteObjects"),
        ] {
            assert_eq!(action_of(service, method, uri), expected, "{method} {uri}");
        }
    }
}
