//! The flow log of the VPC: who talks to whom in it, every ten minutes into the bucket `logs`. It is made by the last stage, because the bucket
//! is made beside the VPC. Nothing of it can be changed, so there is nothing to compare.
//!
//! Whoever makes one and may change the bucket's policy has it overwritten by AWS, so this stage may not, and the bucket lets the delivery in
//! before: <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html>.

use super::owned::{ec2_filters, ec2_tags, ec2_token, id, is_this};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result, Unless, from_answer};
use crate::resource::{Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::types::{FlowLogsResourceType, LogDestinationType, ResourceType, TrafficType, UnsuccessfulItem};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;
use wire::spec::FLOW_LOGS;
use wire::stage::Stage;

pub struct FlowLog;

type Found = aws_sdk_ec2::types::FlowLog;

/// AWS answers even when it does nothing, and says so in a list.
fn refusal(action: &'static str, refused: Option<Vec<UnsuccessfulItem>>) -> Result<()> {
    let Some(cause) = refused.into_iter().flatten().find_map(|item| item.error) else {
        return Ok(());
    };
    let code = cause.code().map_or(Code::Unknown, Code::from);
    Err(from_answer(action, None, code, cause.message().unwrap_or("no message")))
}

/// What AWS cannot deliver for a reason of its own, it delivers later.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_FlowLog.html>
const PASSES: [&str; 2] = ["Rate limited", "Unknown error"];

/// Somebody keeps the delivery out.
fn undelivered(cluster: &Cluster, log: &Found) -> Option<Error> {
    let cause = log.deliver_logs_error_message().unwrap_or("AWS gives no cause");
    let is_kept_out = log.deliver_logs_status() == Some("FAILED") && !PASSES.contains(&cause);
    let reason = || format!("AWS cannot deliver the VPC's flow log into the bucket {}: {cause}.", cluster.scoped(FLOW_LOGS));
    is_kept_out.then(|| Error::of(Code::FlowLogUndelivered, reason()))
}

impl Planned for FlowLog {
    fn key(&self) -> Key {
        Key::FlowLog
    }

    fn stage(&self) -> Stage {
        Stage::CreateNodegroups
    }

    fn needs(&self) -> Vec<Key> {
        vec![Key::Vpc, Key::Bucket(FLOW_LOGS.into())]
    }
}

#[async_trait]
impl Made for FlowLog {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.ec2.describe_flow_logs().set_filter(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeFlowLogs")?.flow_logs.unwrap_or_default();
        Ok(found.into_iter().find(|log| is_this(&cx.cluster, &self.key(), log.tags())))
    }

    fn judge(&self, cluster: &Cluster, log: &Found) -> Seen {
        undelivered(cluster, log).map_or(Seen::Ready, Seen::Sick)
    }

    fn outputs(&self, _: &Cluster, log: &Found) -> Outputs {
        id(log.flow_log_id().unwrap_or_default())
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.ec2.create_flow_logs().resource_type(FlowLogsResourceType::Vpc).resource_ids(cx.output(&Key::Vpc, "id")?);
        let call = call.traffic_type(TrafficType::All).log_destination_type(LogDestinationType::S3);
        let call = call.log_destination(cx.output(&Key::Bucket(FLOW_LOGS.into()), "arn")?);
        let call = call.client_token(ec2_token(cx, &self.key(), None));
        let call = call.tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::VpcFlowLog, []));
        let made = call.send().await.called("ec2:CreateFlowLogs")?;
        refusal("ec2:CreateFlowLogs", made.unsuccessful).done_if(&["FlowLogAlreadyExists"])
    }

    async fn delete(&self, cx: &Context, log: &Found) -> Result<()> {
        let call = cx.aws.ec2.delete_flow_logs().flow_log_ids(log.flow_log_id().unwrap_or_default());
        let deleted = call.send().await.called("ec2:DeleteFlowLogs").unless(&["InvalidFlowLogId.NotFound"])?;
        refusal("ec2:DeleteFlowLogs", deleted.and_then(|deleted| deleted.unsuccessful)).done_if(&["InvalidFlowLogId.NotFound"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::UnsuccessfulItemError;
    use wire::error::Class;

    #[test]
    fn a_flow_log_that_somebody_keeps_out_of_the_bucket_is_sick_with_the_cause() {
        let cluster = Cluster::example(serde_json::json!({}));
        for (status, message, expected, reason) in [
            (None, None, None, "nothing was delivered yet"),
            (Some("SUCCESS"), None, None, "delivered"),
            (Some("FAILED"), Some("Access error"), Some("-logs: Access error."), "a policy keeps it out"),
            (Some("FAILED"), None, Some("-logs: AWS gives no cause."), "nobody knows why"),
            (Some("FAILED"), Some("Unknown error"), None, "something inside AWS, which tries again"),
            (Some("FAILED"), Some("Rate limited"), None, "the same"),
            (Some("SUCCESS"), Some("Access error"), None, "what was wrong before is mended"),
        ] {
            let log = Found::builder().set_deliver_logs_status(status.map(str::to_owned));
            let log = log.set_deliver_logs_error_message(message.map(str::to_owned)).build();
            match (FlowLog.judge(&cluster, &log), expected) {
                (Seen::Ready, None) => {}
                (Seen::Sick(error), Some(words)) => assert!(error.reason.ends_with(words), "{reason}: {}", error.reason),
                (seen, _) => panic!("{reason}: {seen:?}"),
            }
        }
    }

    #[test]
    fn what_ec2_says_in_a_list_is_a_refusal_like_any_other() {
        let item = |code: &str, message: &str| {
            let error = UnsuccessfulItemError::builder().code(code).message(message).build();
            Some(vec![UnsuccessfulItem::builder().resource_id("vpc-1").error(error).build()])
        };
        assert!(refusal("ec2:CreateFlowLogs", None).is_ok() && refusal("ec2:CreateFlowLogs", Some(vec![])).is_ok());
        let message = "Access Denied for LogDestination: groundwork-a-logs. Please check LogDestination permission";
        let error = refusal("ec2:CreateFlowLogs", item("400", message)).expect_err("refused");
        assert_eq!((error.class, error.refused), (Class::Customer, true));
        assert!(error.reason.ends_with(message) && error.hint.contains("delivery.logs.amazonaws.com"), "{}", error.hint);
        let there = refusal("ec2:CreateFlowLogs", item("FlowLogAlreadyExists", "There is one."));
        assert!(there.done_if(&["FlowLogAlreadyExists"]).is_ok());
    }
}
