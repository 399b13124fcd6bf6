//! Executions of the two state machines.

use crate::errors::{Called, Result, Unless};
use crate::records::record::Record;
use crate::settings;
use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use serde::{Deserialize, Serialize};
use wire::status::Desired;

/// One execution per run, named after the run, so that starting it twice runs it once.
#[async_trait]
pub trait Executions: Send + Sync {
    async fn start(&self, record: &Record) -> Result<()>;
    async fn of(&self, record: &Record) -> Result<Execution>;
}

/// Executions of the two state machines.
pub struct StepFunctions {
    sfn: Client,
    provision_arn: String,
    teardown_arn: String,
}

/// All that travels through a state machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    pub cluster_id: String,
    pub run: u64,
}

/// What became of a run's execution.
#[derive(Debug, PartialEq)]
pub enum Execution {
    NeverStarted,
    Running,
    Ended,
}

impl StepFunctions {
    /// # Errors
    /// Names the setting that is missing.
    pub fn new(config: &aws_config::SdkConfig) -> Result<Self, String> {
        Ok(Self {
            sfn: Client::new(config),
            provision_arn: settings::text("PROVISION_ARN")?,
            teardown_arn: settings::text("TEARDOWN_ARN")?,
        })
    }

    fn machine(&self, record: &Record) -> &str {
        match record.desired {
            Desired::Present => &self.provision_arn,
            Desired::Absent => &self.teardown_arn,
        }
    }
}

#[async_trait]
impl Executions for StepFunctions {
    async fn start(&self, record: &Record) -> Result<()> {
        let input = Input { cluster_id: record.id.clone(), run: record.run };
        let input = serde_json::json!(input).to_string();
        self.sfn
            .start_execution()
            .state_machine_arn(self.machine(record))
            .name(record.execution_name())
            .input(input)
            .send()
            .await
            .called("states:StartExecution")
            .unless(&["ExecutionAlreadyExists"])?;
        Ok(())
    }

    async fn of(&self, record: &Record) -> Result<Execution> {
        let arn = format!("{}:{}", self.machine(record).replace(":stateMachine:", ":execution:"), record.execution_name());
        let found = self.sfn.describe_execution().execution_arn(arn).send().await.called("states:DescribeExecution");
        Ok(match found.unless(&["ExecutionDoesNotExist"])? {
            None => Execution::NeverStarted,
            Some(execution) if *execution.status() == ExecutionStatus::Running => Execution::Running,
            Some(_) => Execution::Ended,
        })
    }
}
