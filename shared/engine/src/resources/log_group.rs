//! The log group of the control plane. EKS would make it, without owner tags and kept for ever; so ours is there first.

use super::owned::{is_ours, tag_map};
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Outputs, Resource, Stage};
use async_trait::async_trait;
use std::collections::HashMap;

const RETENTION_DAYS: i32 = 90;

pub struct LogGroup;

impl LogGroup {
    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_cloudwatchlogs::types::LogGroup>> {
        let name = cx.cluster.log_group();
        let answer = cx.aws.logs.describe_log_groups().log_group_name_prefix(&name).send().await.called("logs:DescribeLogGroups")?;
        Ok(answer.log_groups.unwrap_or_default().into_iter().find(|group| group.log_group_name() == Some(name.as_str())))
    }

    async fn tags(&self, cx: &Context, arn: &str) -> Result<HashMap<String, String>> {
        let answer = cx
            .aws
            .logs
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await
            .called("logs:ListTagsForResource")
            .unless(&["ResourceNotFoundException"])?;
        Ok(answer.and_then(|answer| answer.tags).unwrap_or_default())
    }
}

#[async_trait]
impl Resource for LogGroup {
    fn key(&self) -> Key {
        "log-group".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![]
    }

    /// The name holds the cluster's random id, so the group is ours even without tags: a late flush of EKS makes it again.
    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(group) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        let tagged = is_ours(&cx.cluster, self.tags(cx, arn(&group)).await?);
        if !tagged || group.retention_in_days() != Some(RETENTION_DAYS) {
            return Ok(Observed::Drifted);
        }
        Ok(Observed::Ready(Outputs::from([("name".into(), cx.cluster.log_group())])))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .logs
            .create_log_group()
            .log_group_name(cx.cluster.log_group())
            .set_tags(tag_map(&cx.cluster, &self.key()))
            .send()
            .await
            .called("logs:CreateLogGroup")
            .unless(&["ResourceAlreadyExistsException"])?;
        Ok(())
    }

    async fn update(&self, cx: &Context) -> Result<()> {
        let Some(group) = self.find(cx).await? else { return Ok(()) };
        let tags = tag_map(&cx.cluster, &self.key());
        cx.aws.logs.tag_resource().resource_arn(arn(&group)).set_tags(tags).send().await.called("logs:TagResource")?;
        cx.aws
            .logs
            .put_retention_policy()
            .log_group_name(cx.cluster.log_group())
            .retention_in_days(RETENTION_DAYS)
            .send()
            .await
            .called("logs:PutRetentionPolicy")?;
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        cx.aws
            .logs
            .delete_log_group()
            .log_group_name(cx.cluster.log_group())
            .send()
            .await
            .called("logs:DeleteLogGroup")
            .unless(&["ResourceNotFoundException"])?;
        Ok(())
    }
}

/// The ARN as the calls about tags want it: without the `:*` for the streams.
fn arn(group: &aws_sdk_cloudwatchlogs::types::LogGroup) -> &str {
    group.arn().unwrap_or_default().trim_end_matches(":*")
}
