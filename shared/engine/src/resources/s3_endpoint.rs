//! The S3 gateway endpoint: traffic to buckets bypasses the NAT gateway and costs nothing.

use super::owned::{check_free, ec2_filters, ec2_tags, ec2_token, has_tag, id, in_vpcs, is_this};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless, from_answer};
use crate::names::OWNER_TAG;
use crate::resource::{Made, Pace, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, UnsuccessfulItem, VpcEndpoint, VpcEndpointType};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::{Key, Side};
use wire::stage::Stage;

pub struct S3Endpoint {
    /// How many route tables the private subnets have.
    pub ways_out: usize,
}

impl S3Endpoint {
    fn route_tables(&self) -> impl Iterator<Item = Key> {
        let private = (0..self.ways_out).map(|index| Key::RouteTable(Side::Private, index));
        [Key::RouteTable(Side::Public, 0)].into_iter().chain(private)
    }

    async fn find_all(&self, cx: &Context) -> Result<Vec<VpcEndpoint>> {
        let call = cx.aws.ec2.describe_vpc_endpoints().set_filters(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeVpcEndpoints")?;
        let endpoints = found.vpc_endpoints.unwrap_or_default().into_iter();
        Ok(endpoints.filter(|endpoint| is_this(&cx.cluster, &self.key(), endpoint.tags())).collect())
    }
}

fn service(cluster: &Cluster) -> String {
    format!("com.amazonaws.{}.s3", cluster.spec.region)
}

/// A route table has a route to S3: by what an earlier call of ours made, or by somebody else's endpoint.
async fn check_routes(cx: &Context) -> Result<()> {
    let call = cx.aws.ec2.describe_vpc_endpoints().filters(in_vpcs(&[cx.output(&Key::Vpc, "id")?]));
    let found = call.send().await.called("ec2:DescribeVpcEndpoints")?.vpc_endpoints.unwrap_or_default();
    let to_s3 = |endpoint: &&VpcEndpoint| endpoint.service_name() == Some(&service(&cx.cluster)) && !is_dead(endpoint);
    let foreign = found.iter().filter(to_s3).filter(|endpoint| !has_tag(endpoint.tags(), OWNER_TAG, &cx.cluster.id));
    let named = |endpoint: &VpcEndpoint| Some(format!("the endpoint {}", endpoint.vpc_endpoint_id()?));
    check_free("The route to S3", &foreign.filter_map(named).collect::<Vec<_>>())
}

/// The documents say `Available`, EC2 answers `available` (github.com/awslabs/aws-sdk-rust/issues/619).
pub fn state(endpoint: &VpcEndpoint) -> String {
    endpoint.state().map(|state| state.as_str().to_lowercase()).unwrap_or_default()
}

fn is_dead(endpoint: &VpcEndpoint) -> bool {
    matches!(state(endpoint).as_str(), "deleting" | "deleted" | "failed")
}

pub(super) async fn delete(cx: &Context, id: &str) -> Result<()> {
    let answer = cx.aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.called("ec2:DeleteVpcEndpoints")?;
    refusal(answer.unsuccessful).done_if(&["InvalidVpcEndpoint.NotFound", "InvalidVpcEndpointId.NotFound"])
}

/// `DeleteVpcEndpoints` succeeds even when it deletes nothing, and says so in a list.
fn refusal(refused: Option<Vec<UnsuccessfulItem>>) -> Result<()> {
    let Some(cause) = refused.into_iter().flatten().find_map(|item| item.error) else {
        return Ok(());
    };
    Err(from_answer(
        "ec2:DeleteVpcEndpoints",
        None,
        cause.code().map_or(Code::Unknown, Code::from),
        cause.message().unwrap_or("no message"),
    ))
}

impl Planned for S3Endpoint {
    fn key(&self) -> Key {
        Key::S3Endpoint
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        [Key::Vpc].into_iter().chain(self.route_tables()).collect()
    }

    fn pace(&self) -> Pace {
        Pace::seconds(5, 3)
    }
}

#[async_trait]
impl Made for S3Endpoint {
    type Thing = VpcEndpoint;

    async fn find(&self, cx: &Context) -> Result<Option<VpcEndpoint>> {
        Ok(self.find_all(cx).await?.into_iter().find(|endpoint| state(endpoint) != "deleted"))
    }

    fn judge(&self, _: &Cluster, endpoint: &VpcEndpoint) -> Seen {
        match state(endpoint).as_str() {
            "available" => Seen::Ready,
            "failed" | "rejected" | "expired" => {
                let cause = endpoint.last_error();
                let code = cause.and_then(|cause| cause.code()).map_or(Code::VpcEndpointFailed, Code::from);
                let message = cause.and_then(|cause| cause.message()).unwrap_or("AWS gives no cause");
                Seen::given_up(from_answer("ec2:CreateVpcEndpoint", None, code, message))
            }
            _ => Seen::Busy,
        }
    }

    fn outputs(&self, _: &Cluster, endpoint: &VpcEndpoint) -> Outputs {
        id(endpoint.vpc_endpoint_id().unwrap_or_default())
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let listed = self.find_all(cx).await?;
        let dead = listed.iter().filter(|endpoint| is_dead(endpoint));
        let newest_dead = dead.max_by_key(|endpoint| endpoint.creation_timestamp.map(|time| time.secs()));
        let call = cx.aws.ec2.create_vpc_endpoint().vpc_id(cx.output(&Key::Vpc, "id")?).vpc_endpoint_type(VpcEndpointType::Gateway);
        let call = call.service_name(service(&cx.cluster));
        let route_tables: Result<_> = self.route_tables().map(|table| cx.output(&table, "id")).collect();
        let call = call.set_route_table_ids(Some(route_tables?));
        let call = call.client_token(ec2_token(cx, &self.key(), newest_dead.and_then(VpcEndpoint::vpc_endpoint_id)));
        let call = call.tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::VpcEndpoint, []));
        match call.send().await.called("ec2:CreateVpcEndpoint").unless(&["RouteAlreadyExists"])? {
            Some(_) => Ok(()),
            None => check_routes(cx).await,
        }
    }

    async fn delete(&self, cx: &Context, endpoint: &VpcEndpoint) -> Result<()> {
        delete(cx, endpoint.vpc_endpoint_id().unwrap_or_default()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{LastError, State};

    #[test]
    fn states_are_read_in_either_spelling() {
        let cluster = Cluster::example(serde_json::json!({}));
        let cause = || Seen::Broken(from_answer("ec2:CreateVpcEndpoint", None, "Odd".into(), "not today"));
        for (given, expected) in
            [("available", Seen::Ready), ("Available", Seen::Ready), ("pending", Seen::Busy), ("Deleting", Seen::Busy), ("failed", cause())]
        {
            let error = LastError::builder().code("Odd").message("not today").build();
            let found = VpcEndpoint::builder().state(State::from(given)).last_error(error).build();
            assert_eq!(S3Endpoint { ways_out: 1 }.judge(&cluster, &found), expected, "{given}");
        }
    }
}
