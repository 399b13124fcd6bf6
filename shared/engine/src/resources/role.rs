//! The IAM roles of the control plane, the nodes, and the pods that reach AWS: drivers and agents, the autoscaler, the researchers' own. And
//! ours, which is known to Kubernetes alone.

use super::owned::check_ours;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result, Unless};
use crate::names::ROLE_PATH;
use crate::permissions::{boundary, pods};
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_iam::error::BuildError;
use aws_sdk_iam::types::Tag;
use serde_json::{Value, json};
use wire::error::{Class, Code};
use wire::journal::Outputs;
use wire::key::{Key, Role};
use wire::stage::Stage;

pub struct Found {
    arn: String,
    name: String,
    /// The ARNs of the policies that are attached to it.
    attached: Vec<String>,
}

/// Who may assume it, and how: Pod Identity tags its sessions with the pod's names.
fn trust(role: Role, cluster: &Cluster) -> String {
    let by = |service: &str, actions: &[&str]| json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": actions});
    let statement = match role {
        Role::Cluster => by("eks.amazonaws.com", &["sts:AssumeRole"]),
        Role::Node => by("ec2.amazonaws.com", &["sts:AssumeRole"]),
        Role::EbsCsi | Role::CloudwatchAgent | Role::Autoscaler | Role::Workload => {
            by("pods.eks.amazonaws.com", &["sts:AssumeRole", "sts:TagSession"])
        }
        Role::Hand => by_ours(cluster),
    };
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Only a session of the role through which we are in the account. By a condition, because a role that is deleted and made again is another
/// principal.
fn by_ours(cluster: &Cluster) -> Value {
    let account = format!("arn:{}:iam::{}:root", cluster.spec.partition(), cluster.account);
    json!({
        "Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": cluster.spec.role_arn}}
    })
}

/// The ARNs of the policies that the role needs: AWS's, and for what AWS has none, those of the quick-start.
fn policies(role: Role, cluster: &Cluster) -> Vec<String> {
    let aws = |paths: &[&str]| paths.iter().map(|path| format!("arn:{}:iam::aws:policy/{path}", cluster.spec.partition())).collect();
    match role {
        Role::Cluster => aws(&["AmazonEKSClusterPolicy"]),
        Role::Node => aws(&["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"]),
        Role::EbsCsi => aws(&["service-role/AmazonEBSCSIDriverPolicy"]),
        Role::CloudwatchAgent => aws(&["CloudWatchAgentServerPolicy"]),
        Role::Autoscaler => vec![pods::AUTOSCALER.arn(&cluster.spec.names())],
        Role::Workload => vec![pods::WORKLOAD.arn(&cluster.spec.names())],
        Role::Hand => vec![],
    }
}

/// The ARN of its permissions boundary. Ours has no policy, and the narrowest boundary that there is.
fn boundary(role: Role, cluster: &Cluster) -> String {
    let names = cluster.spec.names();
    match role {
        Role::Cluster | Role::Node | Role::EbsCsi | Role::CloudwatchAgent => boundary::arn(&names),
        Role::Autoscaler => pods::AUTOSCALER.arn(&names),
        Role::Workload | Role::Hand => pods::WORKLOAD.arn(&names),
    }
}

/// The ARNs of needed policies that are not attached.
fn missing(role: Role, cluster: &Cluster, found: &Found) -> Vec<String> {
    policies(role, cluster).into_iter().filter(|arn| !found.attached.contains(arn)).collect()
}

async fn attached(cx: &Context, name: &str) -> Result<Vec<String>> {
    let answer = cx.aws.iam.list_attached_role_policies().role_name(name).send().await.called("iam:ListAttachedRolePolicies");
    let policies = answer.unless(&["NoSuchEntity"])?.and_then(|answer| answer.attached_policies).unwrap_or_default();
    Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect())
}

/// All of them, because a customer's organization may attach its own policies to every role.
async fn detach_policies(cx: &Context, found: &Found) -> Result<()> {
    for arn in &found.attached {
        let call = cx.aws.iam.detach_role_policy().role_name(&found.name).policy_arn(arn);
        call.send().await.called("iam:DetachRolePolicy").done_if(&["NoSuchEntity"])?;
    }
    Ok(())
}

async fn delete_inline_policies(cx: &Context, name: &str) -> Result<()> {
    let answer = cx.aws.iam.list_role_policies().role_name(name).send().await.called("iam:ListRolePolicies").unless(&["NoSuchEntity"])?;
    for policy in answer.map(|answer| answer.policy_names).unwrap_or_default() {
        let call = cx.aws.iam.delete_role_policy().role_name(name).policy_name(policy);
        call.send().await.called("iam:DeleteRolePolicy").done_if(&["NoSuchEntity"])?;
    }
    Ok(())
}

/// How EKS's names of profiles begin.
const PROFILES: &str = "eks-";

/// IAM deletes no role that is in an instance profile. EKS makes one for the nodes and removes it with them. No policy of ours reaches a
/// profile, because EKS puts no tag on it that says whose it is.
async fn check_profiles(cx: &Context, name: &str) -> Result<()> {
    let answer = cx.aws.iam.list_instance_profiles_for_role().role_name(name).send().await.called("iam:ListInstanceProfilesForRole");
    let profiles = answer.unless(&["NoSuchEntity"])?.map(|answer| answer.instance_profiles).unwrap_or_default();
    profiles.first().map_or(Ok(()), |profile| Err(in_profile(name, profile.instance_profile_name())))
}

fn in_profile(role: &str, profile: &str) -> Error {
    let is_in = format!("The role {role} is in the instance profile {profile}");
    let take_out = format!("aws iam remove-role-from-instance-profile --instance-profile-name {profile} --role-name {role}");
    if !profile.starts_with(PROFILES) {
        let reason = format!("{is_in}, which Groundwork did not make.");
        return Error::of(Code::InUse, reason).with_hint(format!("Take the role out of it ({take_out}), then retry."));
    }
    let reason = format!("{is_in}, which EKS made for the nodes and has not removed.");
    let hint = format!(
        "EKS usually removes it within minutes. If not, do so ({take_out}; aws iam delete-instance-profile \
         --instance-profile-name {profile}), then retry."
    );
    Error { class: Class::Transient, ..Error::of(Code::InUse, reason).with_hint(hint) }
}

impl Planned for Role {
    fn key(&self) -> Key {
        Key::Role(*self)
    }

    fn stage(&self) -> Stage {
        match self {
            Role::Cluster | Role::Node | Role::EbsCsi | Role::CloudwatchAgent => Stage::CreateEks,
            Role::Autoscaler | Role::Workload | Role::Hand => Stage::Furnish,
        }
    }
}

#[async_trait]
impl Made for Role {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let name = cx.cluster.scoped(&self.to_string());
        let answer = cx.aws.iam.get_role().role_name(&name).send().await.called("iam:GetRole").unless(&["NoSuchEntity"])?;
        let Some(role) = answer.and_then(|answer| answer.role) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The IAM role {name}"), role.tags().iter().map(|tag| (tag.key(), tag.value())))?;
        Ok(Some(Found { attached: attached(cx, &name).await?, arn: role.arn, name }))
    }

    fn judge(&self, cluster: &Cluster, found: &Found) -> Seen {
        let missing = missing(*self, cluster, found).join(", ");
        Seen::but_for([Difference::between("missing_policies", missing, String::new(), How::InPlace)])
    }

    fn outputs(&self, _: &Cluster, found: &Found) -> Outputs {
        Outputs::from([("arn".into(), found.arn.clone()), ("name".into(), found.name.clone())])
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.iam.create_role().role_name(cx.cluster.scoped(&self.to_string())).path(ROLE_PATH);
        let call = call.permissions_boundary(boundary(*self, &cx.cluster)).assume_role_policy_document(trust(*self, &cx.cluster));
        let call = call.set_tags(Some(tags(cx, &self.key())?));
        call.send().await.called("iam:CreateRole").done_if(&["EntityAlreadyExists"])
    }

    async fn mend(&self, cx: &Context, found: &Found) -> Result<()> {
        for arn in missing(*self, &cx.cluster, found) {
            cx.aws.iam.attach_role_policy().role_name(&found.name).policy_arn(arn).send().await.called("iam:AttachRolePolicy")?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Context, found: &Found) -> Result<()> {
        detach_policies(cx, found).await?;
        delete_inline_policies(cx, &found.name).await?;
        check_profiles(cx, &found.name).await?;
        cx.aws.iam.delete_role().role_name(&found.name).send().await.called("iam:DeleteRole").done_if(&["NoSuchEntity"])
    }
}

fn tags(cx: &Context, key: &Key) -> Result<Vec<Tag>> {
    let tags: Result<_, BuildError> =
        cx.cluster.tags(key).into_iter().map(|(name, value)| Tag::builder().key(name).value(value).build()).collect();
    tags.map_err(|error| Error::caused(Code::Tags, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_service_that_uses_a_role_may_assume_it() {
        for (role, service, tags_sessions) in [
            (Role::Cluster, "eks.amazonaws.com", false),
            (Role::Node, "ec2.amazonaws.com", false),
            (Role::EbsCsi, "pods.eks.amazonaws.com", true),
            (Role::CloudwatchAgent, "pods.eks.amazonaws.com", true),
            (Role::Autoscaler, "pods.eks.amazonaws.com", true),
            (Role::Workload, "pods.eks.amazonaws.com", true),
        ] {
            let trust = trust(role, &Cluster::example(json!({})));
            let document: Value = serde_json::from_str(&trust).expect("valid JSON");
            assert_eq!(document["Statement"][0]["Principal"], json!({"Service": service}), "{role:?}");
            assert_eq!(trust.contains("sts:TagSession"), tags_sessions, "{role:?}");
        }
    }

    /// For what only they may do, no boundary of the others has room.
    #[test]
    fn a_role_with_a_policy_of_the_quick_start_has_that_as_its_boundary() {
        let cluster = Cluster::example(json!({}));
        for role in [Role::Autoscaler, Role::Workload] {
            assert_eq!(policies(role, &cluster), [boundary(role, &cluster)], "{role:?}");
        }
        assert_eq!(boundary(Role::Node, &cluster), "arn:aws:iam::222222222222:policy/groundwork/groundwork-boundary");
    }

    #[test]
    fn a_role_is_ready_once_it_has_all_needed_policies() {
        let cluster = Cluster::example(json!({}));
        let arn = |path: &str| format!("arn:aws:iam::aws:policy/{path}");
        let all = policies(Role::Node, &cluster);
        let some = Difference::between("missing_policies", all[1..].join(", "), String::new(), How::InPlace);
        let foreign = [all.clone(), vec![arn("AmazonSSMManagedInstanceCore")]].concat();
        for (attached, expected, reason) in [
            (all.clone(), Seen::Ready, "all of them"),
            (foreign, Seen::Ready, "the organization adds its own"),
            (vec![all[0].clone()], Seen::but_for([some]), "two are missing"),
        ] {
            assert_eq!(Role::Node.judge(&cluster, &Found { arn: "arn".into(), name: "name".into(), attached }), expected, "{reason}");
        }
    }
}
