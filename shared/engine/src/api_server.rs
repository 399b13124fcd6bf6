//! The way to a cluster's API server: by a token of our own role in the cluster, which may do nothing in AWS.

use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::resources::cluster;
use async_trait::async_trait;
use aws_sdk_sts::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use std::error::Error as StdError;
use std::time::{Duration, SystemTime};
use wire::error::{Class, Code};
use wire::key::{Key, Role};

#[async_trait]
pub trait ApiServers: Send + Sync {
    /// # Errors
    /// Something of the entrance cannot be used.
    async fn connect(&self, entrance: Entrance) -> Result<Client>;
}

/// Where an API server is, and as whom it knows us.
pub struct Entrance {
    pub endpoint: String,
    /// The authority of its certificate, as EKS tells it: PEM in base64.
    pub ca: String,
    /// Whoever has it is us in that cluster, for a quarter of an hour: it is neither logged nor kept.
    pub token: String,
}

/// Over the network.
pub struct ByNetwork;

#[async_trait]
impl ApiServers for ByNetwork {
    async fn connect(&self, Entrance { endpoint, ca, token }: Entrance) -> Result<Client> {
        let kubeconfig = json!({
            "current-context": "hand",
            "clusters": [{"name": "hand", "cluster": {"server": endpoint, "certificate-authority-data": ca}}],
            "users": [{"name": "hand", "user": {"token": token}}],
            "contexts": [{"name": "hand", "context": {"cluster": "hand", "user": "hand"}}],
        });
        // What a library says of it may hold the token.
        let unusable = || Error::of(Code::ApiServer, "EKS tells an endpoint or a certificate authority that cannot be used.");
        let kubeconfig: Kubeconfig = serde_json::from_value(kubeconfig).map_err(|_| unusable())?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(|_| unusable())?;
        furniture::connect(config).map_err(told)
    }
}

/// As our own role in the cluster.
///
/// # Errors
/// AWS does not let us be it.
pub async fn enter(cx: &Context) -> Result<Client> {
    let credentials = hand(cx).await?;
    let token = token(&credentials, &cx.cluster.spec.region, &cx.cluster.eks_name(), SystemTime::now());
    let token = token.map_err(|error| Error::caused(Code::Build, &error))?;
    let (endpoint, ca) = whereabouts(cx).await?;
    cx.aws.api_servers.connect(Entrance { endpoint, ca, token }).await
}

/// As EKS tells them now: authorities rotate.
async fn whereabouts(cx: &Context) -> Result<(String, String)> {
    let cluster = cluster::ours(cx).await?;
    let told = cluster.and_then(|cluster| Some((cluster.endpoint?, cluster.certificate_authority?.data?)));
    told.ok_or_else(|| Error::of(Code::ApiServer, "EKS tells no endpoint of the cluster, or no certificate authority."))
}

async fn hand(cx: &Context) -> Result<Credentials> {
    let role_arn = cx.output(&Key::Role(Role::Hand), "arn")?;
    let call = cx.aws.sts.assume_role().role_arn(role_arn).role_session_name(format!("groundwork-{}", cx.cluster.id));
    // STS's shortest.
    let answer = call.duration_seconds(900).send().await.called("sts:AssumeRole")?;
    let granted = answer.credentials().ok_or_else(|| Error::of(Code::NoCredentials, "STS answered without credentials."))?;
    let (key, secret, token) = (granted.access_key_id(), granted.secret_access_key(), granted.session_token());
    Ok(Credentials::new(key, secret, Some(token.to_owned()), None, "hand"))
}

/// What EKS takes as a token: a signed question to STS of who asks, which only that cluster may put.
/// <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>
fn token(credentials: &Credentials, region: &str, cluster: &str, now: SystemTime) -> Result<String, Box<dyn StdError + Send + Sync>> {
    let question = format!("https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15");
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(60));
    let params = SigningParams::builder().identity(&identity).region(region).name("sts").time(now).settings(settings).build()?;
    let headers = [("x-k8s-aws-id", cluster)].into_iter();
    let (instructions, _) = sign(SignableRequest::new("GET", &question, headers, SignableBody::Bytes(&[]))?, &params.into())?.into_parts();
    let mut signed = Request::get(&question).body(())?;
    instructions.apply_to_request_http1x(&mut signed);
    Ok(format!("k8s-aws-v1.{}", BASE64_URL_SAFE_NO_PAD.encode(signed.uri().to_string())))
}

/// A refusal by the API server is none of AWS's: what is not of us passes, or is for the cluster's people to mend.
pub fn told(error: furniture::Error) -> Error {
    use furniture::Cause;
    let class = match error.cause {
        Cause::Unreachable | Cause::Busy | Cause::Conflict | Cause::Missing => Class::Transient,
        // EKS heeds a new entry and its policy after some seconds.
        Cause::Unauthenticated | Cause::Forbidden => Class::Transient,
        Cause::Tls | Cause::Credentials | Cause::Refused | Cause::Invalid | Cause::Strange => Class::Customer,
    };
    Error { class, ..Error::of(Code::ApiServer, error.reason).with_hint(error.hint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_signed_question_that_names_the_cluster_and_shows_no_secret() {
        let credentials = Credentials::new("AKID", "secret", Some("session".into()), None, "test");
        let token = token(&credentials, "us-west-2", "groundwork-research-abcdefghijkl", SystemTime::UNIX_EPOCH).expect("a token");
        let encoded = token.strip_prefix("k8s-aws-v1.").expect("its form");
        let url = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(encoded).expect("base64")).expect("text");
        assert!(url.starts_with("https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&"), "{url}");
        for part in ["X-Amz-SignedHeaders=host%3Bx-k8s-aws-id", "X-Amz-Expires=60", "X-Amz-Security-Token=session", "us-west-2%2Fsts%2F"] {
            assert!(url.contains(part), "{part}: {url}");
        }
        assert!(!url.contains("secret"), "{url}");
    }
}
