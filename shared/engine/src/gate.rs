//! What requests have to know of a customer's role. Only a stage's function can try it: the role trusts no other.

use crate::aws;
use crate::errors::{Called, Error, Result};
use crate::records::record::Record;
use crate::settings;
use crate::stage::{Asked, Candidate, Knocked};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::time::Duration;
use wire::error::Code;
use wire::view::RoleCheck;

/// Longer than a function takes to answer that gives up by itself, and less than the 30 seconds that API Gateway waits.
const MOST: Duration = Duration::from_secs(25);

#[async_trait]
pub trait Gate: Send + Sync {
    /// Tries the role of the record's cluster now.
    async fn is_open(&self, record: &Record) -> Result<bool>;
}

/// Calls a stage's function and waits for its answer.
pub struct StageFunction {
    lambda: Client,
    function: String,
}

impl StageFunction {
    /// The function that the setting names.
    ///
    /// # Errors
    /// Names the setting that is missing.
    pub fn new(config: &SdkConfig, setting: &str) -> Result<Self, String> {
        let timeouts = aws::timeouts().to_builder().operation_attempt_timeout(MOST).operation_timeout(MOST).build();
        let lambda = Client::from_conf(Builder::from(config).timeout_config(timeouts).build());
        Ok(Self { lambda, function: settings::text(setting)? })
    }

    /// Tries a role that may have no cluster yet. The function is assume-role's.
    ///
    /// # Errors
    /// If there is no answer; what is wrong with the role is none.
    pub async fn check(&self, check: Candidate) -> Result<RoleCheck> {
        self.ask(&Asked::Check { check }).await
    }

    async fn ask<T: DeserializeOwned>(&self, asked: &Asked) -> Result<T> {
        let payload = Blob::new(json!(asked).to_string());
        let answer = self.lambda.invoke().function_name(&self.function).payload(payload).send().await.called("lambda:InvokeFunction")?;
        let said = answer.payload.map(Blob::into_inner).unwrap_or_default();
        if let Some(error) = answer.function_error {
            let detail = format!("{error}: {}", String::from_utf8_lossy(&said));
            return Err(Error { detail, ..Error::of(Code::NoAnswer, "The role could not be tried.") });
        }
        serde_json::from_slice(&said).map_err(|error| Error::caused(Code::Answer, &error))
    }
}

/// The function is teardown's.
#[async_trait]
impl Gate for StageFunction {
    async fn is_open(&self, record: &Record) -> Result<bool> {
        let knocked: Knocked = self.ask(&Asked::Knock { knock: record.id.clone() }).await?;
        Ok(knocked.open)
    }
}
