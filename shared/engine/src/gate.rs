//! Whether a customer's role still lets Groundwork in. Only a stage's function can try: the role trusts no other.

use crate::errors::{Called, Error, Result};
use crate::records::record::Record;
use crate::settings;
use crate::stage::Knocked;
use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use serde_json::json;
use wire::error::Code;

#[async_trait]
pub trait Gate: Send + Sync {
    /// Tries the role of the record's cluster now.
    async fn is_open(&self, record: &Record) -> Result<bool>;
}

/// Calls the teardown function and waits for its answer.
pub struct Teardown {
    lambda: Client,
    function: String,
}

impl Teardown {
    /// # Errors
    /// Names the setting that is missing.
    pub fn new(config: &aws_config::SdkConfig) -> Result<Self, String> {
        Ok(Self { lambda: Client::new(config), function: settings::text("TEARDOWN_FUNCTION")? })
    }
}

#[async_trait]
impl Gate for Teardown {
    async fn is_open(&self, record: &Record) -> Result<bool> {
        let knock = Blob::new(json!({"knock": record.id}).to_string());
        let answer = self.lambda.invoke().function_name(&self.function).payload(knock).send().await.called("lambda:InvokeFunction")?;
        let said = answer.payload.map(Blob::into_inner).unwrap_or_default();
        if let Some(error) = answer.function_error {
            let detail = format!("{error}: {}", String::from_utf8_lossy(&said));
            return Err(Error { detail, ..Error::of(Code::NoAnswer, "The role could not be tried.") });
        }
        let knocked: Knocked = serde_json::from_slice(&said).map_err(|error| Error::caused(Code::Answer, &error))?;
        Ok(knocked.open)
    }
}
