//! What a customer made for a self-managed cluster: an EKS cluster with its network, and buckets that are closed to the public.

use aws_sdk_eks::types::VpcConfigRequest;
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use engine::aws::Clients;

pub const CLUSTER: &str = "theirs";
pub const BUCKETS: [&str; 2] = ["their-data", "their-logs"];

pub async fn make(aws: &Clients) {
    cluster(aws).await;
    for name in BUCKETS {
        bucket(aws, name).await;
    }
}

pub async fn cluster(aws: &Clients) {
    let network = VpcConfigRequest::builder().subnet_ids("subnet-0123456789abcdef0").build();
    let cluster = aws.eks.create_cluster().name(CLUSTER).role_arn("arn:aws:iam::123456789012:role/theirs").resources_vpc_config(network);
    cluster.send().await.expect("a cluster");
}

pub async fn bucket(aws: &Clients, name: &str) {
    aws.s3.create_bucket().bucket(name).send().await.expect("a bucket");
    let closed = PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(true);
    let closed = closed.block_public_policy(true).restrict_public_buckets(true).build();
    aws.s3.put_public_access_block().bucket(name).public_access_block_configuration(closed).send().await.expect("a closed bucket");
}
