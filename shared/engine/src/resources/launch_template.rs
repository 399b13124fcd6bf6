//! A node group's launch template: the settings and tags of its instances and volumes, however the group is scaled. The instance type and
//! the image come from the node group.

use super::owned::{WOULD_SUCCEED, check_ours, ec2_filters, ec2_tags, ec2_token, filter, is_this, outputs};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::operation::create_launch_template::builders::CreateLaunchTemplateFluentBuilder;
use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMappingRequest as Disk, LaunchTemplateEbsBlockDeviceRequest as Ebs, LaunchTemplateHttpTokensState,
    LaunchTemplateInstanceMetadataOptionsRequest as Metadata, LaunchTemplateTagSpecificationRequest as TagSpecification,
    RequestLaunchTemplateData, ResourceType, VolumeType,
};
use wire::instances::{self, Image};
use wire::journal::Outputs;
use wire::key::{Group, Key};
use wire::stage::Stage;

/// GPU workloads have large container images, and Bottlerocket keeps them on the second disk.
const BOTTLEROCKET_DATA_GIB: u32 = 100;
const AL2023_ROOT_GIB: u32 = 80;

pub struct LaunchTemplate {
    pub group: Group,
}

type Found = aws_sdk_ec2::types::LaunchTemplate;

/// Asks EC2 whether the system's would be allowed.
pub async fn may_be_made(cx: &Context) -> Result<()> {
    let asked = LaunchTemplate { group: Group::System }.request(cx).dry_run(true).send().await;
    asked.called("ec2:CreateLaunchTemplate").done_if(&[WOULD_SUCCEED])
}

impl LaunchTemplate {
    fn request(&self, cx: &Context) -> CreateLaunchTemplateFluentBuilder {
        let tags = ec2_tags(&cx.cluster, &self.key(), ResourceType::LaunchTemplate, []);
        let call = cx.aws.ec2.create_launch_template().launch_template_name(self.name(&cx.cluster));
        call.launch_template_data(self.data(&cx.cluster)).tag_specifications(tags)
    }

    fn name(&self, cluster: &Cluster) -> String {
        cluster.scoped(&format!("lt-{}", self.group).replace('/', "-"))
    }

    /// The name is in use: by what an earlier call of ours made, or by somebody else, who must give it up.
    async fn check_name(&self, cx: &Context) -> Result<()> {
        let name = self.name(&cx.cluster);
        let call = cx.aws.ec2.describe_launch_templates().filters(filter("launch-template-name", &name));
        let found = call.send().await.called("ec2:DescribeLaunchTemplates")?.launch_templates.unwrap_or_default();
        let Some(template) = found.into_iter().next() else {
            return Ok(());
        };
        let tags = template.tags().iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()));
        check_ours(&cx.cluster, &format!("The launch template {name}"), tags)
    }

    fn data(&self, cluster: &Cluster) -> RequestLaunchTemplateData {
        let tagged = [ResourceType::Instance, ResourceType::Volume, ResourceType::NetworkInterface];
        RequestLaunchTemplateData::builder()
            .metadata_options(metadata())
            .set_block_device_mappings(Some(self.disks(cluster)))
            .set_tag_specifications(Some(tagged.map(|kind| self.node_tags(cluster, kind)).into()))
            .build()
    }

    fn disks(&self, cluster: &Cluster) -> Vec<Disk> {
        // Without a size, the disk is only as large as the image.
        let disk = |device: &str, size_gib: Option<u32>| disk(device, size_gib, cluster.spec.kms_key());
        let of_images = Some(images_gib(&self.group, cluster));
        if has_gpus(&self.group, cluster) {
            vec![disk("/dev/xvda", None), disk("/dev/xvdb", of_images)]
        } else {
            vec![disk("/dev/xvda", of_images)]
        }
    }

    /// The node group owns the instances, so its key is in their tags.
    fn node_tags(&self, cluster: &Cluster, kind: ResourceType) -> TagSpecification {
        let tags = ec2_tags(cluster, &Key::NodeGroup(self.group.clone()), kind, []);
        TagSpecification::builder().set_resource_type(tags.resource_type).set_tags(tags.tags).build()
    }
}

/// The size of the disk for images, containers and their files.
pub fn images_gib(group: &Group, cluster: &Cluster) -> u32 {
    let usual = if has_gpus(group, cluster) { BOTTLEROCKET_DATA_GIB } else { AL2023_ROOT_GIB };
    cluster.wanted(group).and_then(|wanted| wanted.disk_gib).unwrap_or(usual)
}

fn has_gpus(group: &Group, cluster: &Cluster) -> bool {
    instances::image(cluster.instance_type(group)).is_ok_and(Image::gpu)
}

/// A token of the metadata service goes no further than to the node itself, so that a pod cannot take the node role's credentials.
/// <https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html>, "Restrict access to the instance profile"
///
/// Nothing that Groundwork installs asks it from a pod's own network: vpc-cni, kube-proxy and the Pod Identity agent are in the node's, the
/// EBS CSI controller has Pod Identity, and the driver's pods on the nodes turn to the Kubernetes API:
/// <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/install.md>, "Kubernetes Metadata".
fn metadata() -> Metadata {
    Metadata::builder().http_tokens(LaunchTemplateHttpTokensState::Required).http_put_response_hop_limit(1).build()
}

/// Without a key, by the account's default key for EBS encryption.
fn disk(device: &str, size_gib: Option<u32>, key: Option<&str>) -> Disk {
    let size_gib = size_gib.and_then(|size| i32::try_from(size).ok());
    let ebs = Ebs::builder()
        .encrypted(true)
        .set_kms_key_id(key.map(str::to_owned))
        .volume_type(VolumeType::Gp3)
        .set_volume_size(size_gib)
        .delete_on_termination(true);
    Disk::builder().device_name(device).ebs(ebs.build()).build()
}

impl Planned for LaunchTemplate {
    fn key(&self) -> Key {
        Key::LaunchTemplate(self.group.clone())
    }

    /// Made in parallel to the control plane, so that nodes need not wait for it.
    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
}

#[async_trait]
impl Made for LaunchTemplate {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.ec2.describe_launch_templates().set_filters(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeLaunchTemplates")?.launch_templates.unwrap_or_default();
        Ok(found.into_iter().find(|template| is_this(&cx.cluster, &self.key(), template.tags())))
    }

    /// By its tags alone: nodes have what they were launched with, and a new version of the template would replace them.
    fn judge(&self, _: &Cluster, _: &Found) -> Seen {
        Seen::Ready
    }

    fn outputs(&self, _: &Cluster, template: &Found) -> Outputs {
        let version = template.latest_version_number().map(|number| number.to_string());
        outputs([("id", template.launch_template_id()), ("version", version.as_deref())])
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = self.request(cx).client_token(ec2_token(cx, &self.key(), None));
        let created = call.send().await.called("ec2:CreateLaunchTemplate");
        match created.unless(&["InvalidLaunchTemplateName.AlreadyExistsException"])? {
            Some(_) => Ok(()),
            None => self.check_name(cx).await,
        }
    }

    async fn delete(&self, cx: &Context, template: &Found) -> Result<()> {
        let call = cx.aws.ec2.delete_launch_template().set_launch_template_id(template.launch_template_id.clone());
        call.send().await.called("ec2:DeleteLaunchTemplate").done_if(&["InvalidLaunchTemplateId.NotFound"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_do_not_reach_the_nodes_credentials() {
        let cluster = Cluster::example(serde_json::json!({}));
        let data = LaunchTemplate { group: Group::System }.data(&cluster);
        let metadata = data.metadata_options().expect("the node's metadata service");
        assert_eq!(metadata.http_tokens(), Some(&LaunchTemplateHttpTokensState::Required));
        assert_eq!(metadata.http_put_response_hop_limit(), Some(1));
    }

    #[test]
    fn every_disk_is_encrypted_and_bottlerocket_has_a_second_one() {
        let types = serde_json::json!([{"name": "m6i.large", "disk_gib": 20}, {"name": "g5.xlarge", "disk_gib": 500}]);
        let cluster = Cluster::example(serde_json::json!({"instance_types": types}));
        for (group, sizes) in [
            ("system", vec![Some(80)]),
            ("m7g.large", vec![Some(80)]),
            ("g4dn.xlarge", vec![None, Some(100)]),
            ("m6i.large", vec![Some(20)]),
            ("g5.xlarge", vec![None, Some(500)]),
        ] {
            let disks = LaunchTemplate { group: group.into() }.disks(&cluster);
            let ebs: Vec<&Ebs> = disks.iter().filter_map(Disk::ebs).collect();
            assert!(ebs.iter().all(|ebs| ebs.encrypted() == Some(true) && ebs.kms_key_id().is_none()), "{group}");
            assert_eq!(ebs.iter().map(|ebs| ebs.volume_size()).collect::<Vec<_>>(), sizes, "{group}");
        }
    }

    #[test]
    fn every_disk_has_the_customers_key_if_there_is_one() {
        const KEY: &str = "arn:aws:kms:us-west-2:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let cluster = Cluster::example(serde_json::json!({"encryption": {"kms_key_arn": KEY}}));
        for group in ["system", "g5.xlarge"] {
            let disks = LaunchTemplate { group: group.into() }.disks(&cluster);
            assert!(disks.iter().all(|disk| disk.ebs().and_then(Ebs::kms_key_id) == Some(KEY)), "{group}");
        }
    }
}
