//! The S3 gateway endpoint: traffic to buckets stays out of the NAT gateway and costs nothing.

use super::owned::{ec2_filters, ec2_tags, ec2_token, id, is_this};
use super::route_table;
use crate::errors::{Called, Result, Unless, from_answer};
use crate::resource::{Context, Key, Observed, Pace, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, UnsuccessfulItem, VpcEndpoint, VpcEndpointType};

pub struct S3Endpoint;

impl S3Endpoint {
    async fn find_all(&self, cx: &Context) -> Result<Vec<VpcEndpoint>> {
        let found = cx
            .aws
            .ec2
            .describe_vpc_endpoints()
            .set_filters(ec2_filters(&cx.cluster, &self.key()))
            .send()
            .await
            .called("ec2:DescribeVpcEndpoints")?;
        let endpoints = found.vpc_endpoints.unwrap_or_default().into_iter();
        Ok(endpoints.filter(|endpoint| is_this(&cx.cluster, &self.key(), endpoint.tags())).collect())
    }

    async fn find(&self, cx: &Context) -> Result<Option<VpcEndpoint>> {
        Ok(self.find_all(cx).await?.into_iter().find(|endpoint| state(endpoint) != "deleted"))
    }
}

/// The documents say `Available`, EC2 answers `available`.
fn state(endpoint: &VpcEndpoint) -> String {
    endpoint.state().map(|state| state.as_str().to_lowercase()).unwrap_or_default()
}

fn is_dead(endpoint: &VpcEndpoint) -> bool {
    matches!(state(endpoint).as_str(), "deleting" | "deleted" | "failed")
}

fn observed(endpoint: VpcEndpoint) -> Observed {
    match state(&endpoint).as_str() {
        "available" => Observed::Ready(id(endpoint.vpc_endpoint_id.unwrap_or_default())),
        "failed" | "rejected" | "expired" => {
            let cause = endpoint.last_error();
            let code = cause.and_then(|cause| cause.code()).unwrap_or("VpcEndpointFailed");
            let message = cause.and_then(|cause| cause.message()).unwrap_or("AWS gives no cause");
            Observed::Broken(from_answer("ec2:CreateVpcEndpoint", None, code, message))
        }
        _ => Observed::Pending,
    }
}

/// `DeleteVpcEndpoints` succeeds even when it deletes nothing, and says so in a list.
fn refusal(refused: Option<Vec<UnsuccessfulItem>>) -> Result<()> {
    let Some(cause) = refused.into_iter().flatten().find_map(|item| item.error) else {
        return Ok(());
    };
    Err(from_answer("ec2:DeleteVpcEndpoints", None, cause.code().unwrap_or("Unknown"), cause.message().unwrap_or("no message")))
}

#[async_trait]
impl Resource for S3Endpoint {
    fn key(&self) -> Key {
        "s3-endpoint".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec!["vpc".into(), route_table::key(true), route_table::key(false)]
    }

    fn pace(&self) -> Pace {
        Pace::seconds(5, 3)
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        Ok(self.find(cx).await?.map_or(Observed::Absent, observed))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let listed = self.find_all(cx).await?;
        let dead =
            listed.iter().filter(|endpoint| is_dead(endpoint)).max_by_key(|endpoint| endpoint.creation_timestamp.map(|time| time.secs()));
        cx.aws
            .ec2
            .create_vpc_endpoint()
            .vpc_id(cx.output("vpc", "id")?)
            .vpc_endpoint_type(VpcEndpointType::Gateway)
            .service_name(format!("com.amazonaws.{}.s3", cx.cluster.spec.region))
            .route_table_ids(cx.output(route_table::key(true), "id")?)
            .route_table_ids(cx.output(route_table::key(false), "id")?)
            .client_token(ec2_token(&cx.cluster, &self.key(), dead.and_then(VpcEndpoint::vpc_endpoint_id)))
            .tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::VpcEndpoint, []))
            .send()
            .await
            .called("ec2:CreateVpcEndpoint")?;
        Ok(())
    }

    async fn update(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        let Some(endpoint) = self.find(cx).await? else { return Ok(()) };
        let answer = cx
            .aws
            .ec2
            .delete_vpc_endpoints()
            .vpc_endpoint_ids(endpoint.vpc_endpoint_id.unwrap_or_default())
            .send()
            .await
            .called("ec2:DeleteVpcEndpoints")?;
        refusal(answer.unsuccessful).unless(&["InvalidVpcEndpoint.NotFound", "InvalidVpcEndpointId.NotFound"])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::State;

    #[test]
    fn states_count_in_either_spelling() {
        for (given, expected) in
            [("available", "Ready"), ("Available", "Ready"), ("pending", "Pending"), ("Deleting", "Pending"), ("failed", "Broken")]
        {
            let found = observed(VpcEndpoint::builder().state(State::from(given)).build());
            assert!(format!("{found:?}").starts_with(expected), "{given}: {found:?}");
        }
    }
}
