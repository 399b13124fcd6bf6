//! The clients of the AWS APIs that a cluster is made with.

use crate::api_server::{ApiServers, ByNetwork};
use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use std::sync::Arc;
use std::time::Duration;

/// One client per AWS API, all in the customer's account and the cluster's region.
#[derive(Clone)]
pub struct Clients {
    pub ec2: aws_sdk_ec2::Client,
    pub eks: aws_sdk_eks::Client,
    pub iam: aws_sdk_iam::Client,
    pub kms: aws_sdk_kms::Client,
    pub s3: aws_sdk_s3::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub elbv2: aws_sdk_elasticloadbalancingv2::Client,
    pub sts: aws_sdk_sts::Client,
    /// Of the account's clusters.
    pub api_servers: Arc<dyn ApiServers>,
}

impl Clients {
    pub fn new(config: &SdkConfig) -> Self {
        // Path style reaches a bucket by the region's own host name, whatever the bucket is called.
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        Self {
            ec2: aws_sdk_ec2::Client::new(config),
            eks: aws_sdk_eks::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            api_servers: Arc::new(ByNetwork),
        }
    }
}

/// The function's own configuration.
pub async fn operator_config() -> SdkConfig {
    aws_config::defaults(aws_config::BehaviorVersion::latest()).retry_config(retries()).timeout_config(timeouts()).load().await
}

pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(4)
}

/// They keep a silent endpoint from using up an invocation. The slowest calls (a node group, which EKS first tries with a dry run of its own; a
/// thousand versions of objects) take a few seconds; one that is cut off is repeated, and names and tokens make the two calls one.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(8))
        .operation_timeout(Duration::from_secs(20))
        .build()
}
