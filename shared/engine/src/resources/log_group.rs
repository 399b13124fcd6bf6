//! The log groups of the control plane, and of nodes and pods. EKS and the CloudWatch agent would make them without owner tags or expiry, so
//! we make them first.

use super::owned::{is_ours, tag_map};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Difference, How, Made, Planned, Seen, Usual};
use async_trait::async_trait;
use wire::journal::Outputs;
use wire::key::{Key, NodeLog};
use wire::spec::Data;
use wire::stage::Stage;

pub struct LogGroup {
    /// None of the control plane's.
    pub log: Option<NodeLog>,
}

impl LogGroup {
    fn name(&self, cluster: &Cluster) -> String {
        self.log.map_or_else(|| cluster.log_group(), |log| cluster.node_log(log))
    }
}

/// The name has the cluster's random id, so the group is ours even without tags: EKS may make it again with a late flush.
pub struct Found {
    group: aws_sdk_cloudwatchlogs::types::LogGroup,
    tagged: bool,
}

impl Found {
    /// The ARN as the tag calls want it: without the streams' `:*`.
    fn arn(&self) -> &str {
        arn(&self.group)
    }
}

fn arn(group: &aws_sdk_cloudwatchlogs::types::LogGroup) -> &str {
    group.arn().unwrap_or_default().trim_end_matches(":*")
}

async fn is_tagged(cx: &Context, arn: &str) -> Result<bool> {
    let answer = cx.aws.logs.list_tags_for_resource().resource_arn(arn).send().await.called("logs:ListTagsForResource");
    let answer = answer.unless(&["ResourceNotFoundException"])?;
    Ok(is_ours(&cx.cluster, answer.and_then(|answer| answer.tags).unwrap_or_default()))
}

impl Planned for LogGroup {
    fn key(&self) -> Key {
        self.log.map_or(Key::LogGroup, Key::NodeLog)
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    /// It is waited for because it may come back: for two creation graces of five minutes.
    fn usual(&self) -> Usual {
        Usual { made: 3, removed: 600 }
    }
}

#[async_trait]
impl Made for LogGroup {
    type Thing = Found;

    /// EKS flushes the last lines minutes after the control plane has gone, by its service-linked role, and makes the group anew if it is
    /// not there. How many minutes is documented nowhere. So does Fluent Bit on the nodes with its own.
    /// <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2446>
    /// <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2763>
    fn comes_back(&self) -> bool {
        true
    }

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let name = self.name(&cx.cluster);
        let answer = cx.aws.logs.describe_log_groups().log_group_name_prefix(&name).send().await.called("logs:DescribeLogGroups")?;
        let found = answer.log_groups.unwrap_or_default().into_iter().find(|group| group.log_group_name() == Some(&name));
        let Some(group) = found else { return Ok(None) };
        let tagged = is_tagged(cx, arn(&group)).await?;
        Ok(Some(Found { group, tagged }))
    }

    fn judge(&self, cluster: &Cluster, found: &Found) -> Seen {
        // Another retention is the account's own wish: many companies set one for all their groups.
        let retention = match found.group.retention_in_days() {
            Some(_) => None,
            None => {
                let wanted = cluster.spec.kubernetes().log_retention_days().to_string();
                Difference::between("retention_days", "for ever".to_owned(), wanted, How::InPlace)
            }
        };
        Seen::but_for([Difference::between("tagged", found.tagged, true, How::InPlace), retention])
    }

    fn outputs(&self, cluster: &Cluster, _: &Found) -> Outputs {
        Outputs::from([("name".into(), self.name(cluster))])
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.logs.create_log_group().log_group_name(self.name(&cx.cluster)).set_tags(tag_map(&cx.cluster, &self.key()));
        call.send().await.called("logs:CreateLogGroup").done_if(&["ResourceAlreadyExistsException"])
    }

    async fn mend(&self, cx: &Context, found: &Found) -> Result<()> {
        let call = cx.aws.logs.tag_resource().resource_arn(found.arn()).set_tags(tag_map(&cx.cluster, &self.key()));
        call.send().await.called("logs:TagResource")?;
        if found.group.retention_in_days().is_some() {
            return Ok(());
        }
        let call = cx.aws.logs.put_retention_policy().log_group_name(self.name(&cx.cluster));
        let call = call.retention_in_days(cx.cluster.spec.kubernetes().log_retention_days());
        call.send().await.called("logs:PutRetentionPolicy").map(drop)
    }

    async fn delete(&self, cx: &Context, _: &Found) -> Result<()> {
        let call = cx.aws.logs.delete_log_group().log_group_name(self.name(&cx.cluster));
        call.send().await.called("logs:DeleteLogGroup").done_if(&["ResourceNotFoundException"])
    }

    /// The plan lets it go only if there was no control plane, but a journal can be lost. CloudWatch says after some hours what is in it.
    async fn stays(&self, cx: &Context, found: &Found) -> Result<bool> {
        Ok(cx.cluster.data == Data::Keep && found.group.stored_bytes().is_some_and(|bytes| bytes > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_eks_made_lacks_tags_and_expiry() {
        let cluster = Cluster::example(serde_json::json!({"kubernetes": {"log_retention_days": 400}}));
        let retention = || Difference::between("retention_days", "for ever".to_owned(), "400".into(), How::InPlace);
        let tags = || Difference::between("tagged", false, true, How::InPlace);
        for (tagged, days, expected) in [
            (true, Some(90), Seen::Ready),
            (true, Some(400), Seen::Ready),
            (true, None, Seen::but_for([retention()])),
            (false, Some(90), Seen::but_for([tags()])),
            (false, None, Seen::but_for([tags(), retention()])),
        ] {
            let group = aws_sdk_cloudwatchlogs::types::LogGroup::builder().set_retention_in_days(days).build();
            assert_eq!(LogGroup { log: None }.judge(&cluster, &Found { group, tagged }), expected, "{tagged} {days:?}");
        }
    }
}
