//! A customer's account: an AWS in this process, as strict and slow as AWS, reached through the real SDK.

use crate::aws::{ACCOUNT, Aws};
use crate::kubernetes::Way;
use crate::log::Log;
use crate::process;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use cloud::answer::Answer;
use cloud::call::Call;
use cloud::cloud::{Aws as Behind, Cloud, NoAnswer};
use cloud::world::World;
use engine::aws::{Clients, retries, timeouts};
use futures::future::{BoxFuture, FutureExt};
use http::Request;
use std::sync::Arc;
use tokio::time::sleep;

pub const REGION: &str = "us-west-2";

#[derive(Clone, Debug)]
pub struct Account(Arc<Inside>);

pub struct Inside {
    cloud: Cloud<InProcess>,
    log: Log,
}

pub struct InProcess(pub Aws);

impl Behind for InProcess {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Option<Answer>> {
        async move { Some(self.0.call(request).await) }.boxed()
    }
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account")
    }
}

impl Account {
    /// An empty account in which everything takes as long as on AWS; the seed decides how long.
    pub fn new(seed: u64) -> Self {
        Self::of(Aws::new(), World::new(seed, 1.0))
    }

    pub fn of(aws: Aws, world: World) -> Self {
        Self(Arc::new(Inside { cloud: Cloud::new(InProcess(aws), world), log: Log::default() }))
    }

    /// An account as it was when a snapshot was taken and the cloud frozen.
    pub async fn thawed(snapshot: &serde_json::Value, world: World) -> Self {
        let aws = Aws::new();
        aws.restore(snapshot).await;
        Self::of(aws, world)
    }

    pub fn cloud(&self) -> &Cloud<InProcess> {
        &self.0.cloud
    }

    /// From now on it is like this.
    pub fn becomes(&self, like: cloud::account::Account) {
        self.cloud().set_account(ACCOUNT.into(), like);
    }

    /// Everything in the account.
    pub async fn snapshot(&self) -> serde_json::Value {
        self.0.cloud.behind.0.snapshot().await
    }

    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// The calls of AWS in order: each operation with its input.
    pub fn calls(&self) -> Vec<String> {
        self.0.log.calls()
    }

    /// Clients as patient as a function's.
    pub fn clients(&self) -> Clients {
        Clients { api_servers: Arc::new(Way(self.clone())), ..Clients::new(&self.config()) }
    }

    /// On its way like any call. None if the connection is reset.
    pub async fn pass(&self, request: Request<Bytes>) -> Option<Answer> {
        let call = Call::read(request.clone());
        self.0.log.call([&[call.name().as_str()], call.texts().as_slice()].concat().join(" "));
        sleep(self.0.log.latency()).await;
        match self.cloud().call(request).await {
            Ok(answer) => Some(answer),
            Err(NoAnswer::Reset) => None,
            Err(NoAnswer::Silence) => process::silence().await,
        }
    }

    pub fn config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(ACCOUNT, "test", None, None, "test")))
            .retry_config(retries())
            .timeout_config(timeouts())
            .http_client(SharedHttpClient::new(self.clone()))
            .build()
    }
}

impl HttpClient for Account {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Account {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let account = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::other(error.into(), None))?;
            let request = request.map(|body| body.bytes().map(Bytes::copy_from_slice).unwrap_or_default());
            let answer = account.pass(request).await.ok_or_else(|| ConnectorError::io("connection reset".into()))?;
            HttpResponse::try_from(answer.map(Into::into)).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
