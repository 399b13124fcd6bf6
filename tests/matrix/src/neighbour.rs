//! What else is in the account and must stay the same: another cluster of ours and things without tags; and what Kubernetes makes.

use crate::account::REGION;
use crate::life::Life;
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use engine::aws::Clients;
use engine::names::{OWNER_TAG, RESOURCE_TAG};
use std::time::Duration;
use tokio::time::sleep;

/// New ids are not visible at once, as on AWS.
pub const UNTIL_SEEN: Duration = Duration::from_secs(120);

/// The id of another cluster in the same account.
pub const OTHER: &str = "zyxwvutsrqpo";

/// A network whose resources have our names but another cluster's tag, and one without tags.
pub async fn settle_in(aws: &Clients, owner: &str) {
    for owned in [true, false] {
        let tags = |kind, key: &str| owned.then(|| owner_tags(kind, owner, key));
        let vpc =
            aws.ec2.create_vpc().cidr_block("10.0.0.0/16").set_tag_specifications(tags(ResourceType::Vpc, "vpc").map(|tag| vec![tag]));
        let vpc = vpc.send().await.expect("a VPC").vpc.and_then(|vpc| vpc.vpc_id).expect("its id");
        sleep(UNTIL_SEEN).await;
        let subnet = aws.ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.0.0/24").availability_zone(format!("{REGION}a"));
        let subnet = subnet.set_tag_specifications(tags(ResourceType::Subnet, "subnet/private-0").map(|tag| vec![tag]));
        let subnet = subnet.send().await.expect("a subnet").subnet.and_then(|subnet| subnet.subnet_id).expect("its id");
        sleep(UNTIL_SEEN).await;
        aws.ec2.create_network_interface().subnet_id(subnet).send().await.expect("an interface");
        let group = aws.ec2.create_security_group().vpc_id(&vpc).group_name("k8s-elb-neighbour").description("a neighbour's");
        group.send().await.expect("a group");
        aws.ec2
            .allocate_address()
            .set_tag_specifications(tags(ResourceType::ElasticIp, "elastic-ip").map(|tag| vec![tag]))
            .send()
            .await
            .expect("an address");
    }
    aws.ec2.create_volume().availability_zone(format!("{REGION}a")).size(1).send().await.expect("a volume");
    aws.s3.create_bucket().bucket(format!("groundwork-{OTHER}-logs")).send().await.expect("a bucket");
}

fn owner_tags(kind: ResourceType, owner: &str, key: &str) -> TagSpecification {
    let tag = |name: &str, value: &str| Tag::builder().key(name).value(value).build();
    TagSpecification::builder().resource_type(kind).tags(tag(OWNER_TAG, owner)).tags(tag(RESOURCE_TAG, key)).build()
}

/// What a cluster's Kubernetes leaves: the network plugin's interface, a node's disk, a group and a load balancer. Plugin and launch
/// template are configured to give our owner tag to what they make.
pub async fn leave_behind(life: &Life) {
    let aws = life.clients();
    let owned = |kind| {
        let tag = |name: &str, value: &str| Tag::builder().key(name).value(value).build();
        let tag = match kind {
            ResourceType::SecurityGroup => tag("elbv2.k8s.aws/cluster", &life.cluster.eks_name()),
            _ => tag(OWNER_TAG, &life.cluster.id),
        };
        TagSpecification::builder().resource_type(kind).tags(tag).build()
    };
    let ours = match life.cluster.spec.customers_subnets().first() {
        Some(id) => Filter::builder().name("subnet-id").values(id).build(),
        None => Filter::builder().name(format!("tag:{OWNER_TAG}")).values(&life.cluster.id).build(),
    };
    let subnets = aws.ec2.describe_subnets().filters(ours).send().await.expect("subnets").subnets.unwrap_or_default();
    let (subnet, vpc) = subnets.first().and_then(|subnet| Some((subnet.subnet_id()?, subnet.vpc_id()?))).expect("a subnet");
    let interface = aws.ec2.create_network_interface().subnet_id(subnet).description("aws-K8S-i-0123456789abcdef0");
    interface.tag_specifications(owned(ResourceType::NetworkInterface)).send().await.expect("an interface");
    let group = aws.ec2.create_security_group().vpc_id(vpc).group_name("k8s-elb-ours").description("a load balancer's");
    group.tag_specifications(owned(ResourceType::SecurityGroup)).send().await.expect("a group");
    let volume = aws.ec2.create_volume().availability_zone(format!("{REGION}a")).size(1);
    volume.tag_specifications(owned(ResourceType::Volume)).send().await.expect("a volume");
    let tag = aws_sdk_elasticloadbalancingv2::types::Tag::builder().key("elbv2.k8s.aws/cluster").value(life.cluster.eks_name());
    let balancer = aws.elbv2.create_load_balancer().name("k8s-ours").set_subnets(Some(vec![subnet.to_owned()]));
    balancer.tags(tag.build()).send().await.expect("a load balancer");
}

/// The data of a cluster: in the bucket `artifacts` two versions and a delete marker, a claim's volume, and a snapshot of that.
pub async fn fill(life: &Life) {
    let (aws, bucket) = (life.clients(), life.cluster.scoped("artifacts"));
    for _ in 0..2 {
        aws.s3.put_object().bucket(&bucket).key("weights").body(ByteStream::from_static(&[1; 512])).send().await.expect("an object");
    }
    let object = ObjectIdentifier::builder().key("weights").build().expect("an object");
    let delete = Delete::builder().objects(object).build().expect("a list");
    aws.s3.delete_objects().bucket(&bucket).delete(delete).send().await.expect("a delete marker");
    let volume = aws.ec2.create_volume().availability_zone(format!("{REGION}a")).size(8);
    let volume = volume.tag_specifications(of_driver(life, ResourceType::Volume, "CSIVolumeName", "pvc-1"));
    let volume = volume.send().await.expect("a volume").volume_id.expect("its id");
    let snapshot = aws.ec2.create_snapshot().volume_id(volume);
    let snapshot = snapshot.tag_specifications(of_driver(life, ResourceType::Snapshot, "CSIVolumeSnapshotName", "snapcontent-1"));
    snapshot.send().await.expect("a snapshot");
}

/// As the EBS CSI driver tags what it makes, with the owner tag that its add-on is told to add.
/// <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>
fn of_driver(life: &Life, kind: ResourceType, name: &str, value: &str) -> TagSpecification {
    let tag = |name: &str, value: &str| Tag::builder().key(name).value(value).build();
    let own = TagSpecification::builder().resource_type(kind).tags(tag("ebs.csi.aws.com/cluster", "true")).tags(tag(name, value));
    own.tags(tag(OWNER_TAG, &life.cluster.id)).build()
}
