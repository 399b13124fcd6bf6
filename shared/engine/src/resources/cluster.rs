//! The EKS control plane: always a private endpoint, the logs that say who did what, and administrators only by access entry.

use super::existing_network;
use super::health::{Issue, broken};
use super::owned::{check_ours, outputs, tag_map};
use crate::context::Context;
use crate::errors::table::{GONE_IN_EKS, THERE_IN_EKS};
use crate::errors::{Called, Error, Result, Unless};
use crate::resource::{Difference, How, Made, Pace, Planned, Seen, Usual};
use async_trait::async_trait;
use aws_sdk_eks::types::{
    AuthenticationMode, Cluster, ClusterStatus, CreateAccessConfigRequest, EncryptionConfig, KubernetesNetworkConfigRequest, LogSetup,
    LogType, Logging, Provider, SupportType, UpgradePolicyRequest, VpcConfigRequest,
};
use wire::journal::Outputs;
use wire::key::{Key, Role, Side};
use wire::spec::{Log, Spec, UpgradePolicy};
use wire::stage::Stage;

const ROLE: Key = Key::Role(Role::Cluster);
/// EKS's quota of ranges. <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>
const MOST_RANGES: usize = 40;

/// Needs subnets, its role and the log group, but no way out: the NAT gateway comes up beside it.
pub struct ControlPlane {
    /// The number of availability zones that the cluster's subnets are in.
    pub zones: usize,
    /// The subnets are the customer's.
    pub in_theirs: bool,
}

impl ControlPlane {
    fn subnets(&self) -> Vec<Key> {
        if self.in_theirs {
            return vec![Key::Network];
        }
        Key::subnets(Side::Public, self.zones).chain(Key::subnets(Side::Private, self.zones)).collect()
    }

    fn network(&self, cx: &Context, ranges: Vec<String>) -> Result<VpcConfigRequest> {
        let ours = || self.subnets().iter().map(|subnet| cx.output(subnet, "id")).collect();
        let subnet_ids = if self.in_theirs { existing_network::ids(cx) } else { ours() };
        Ok(VpcConfigRequest::builder()
            .set_subnet_ids(Some(subnet_ids?))
            .endpoint_private_access(true)
            .endpoint_public_access(!ranges.is_empty())
            .set_public_access_cidrs((!ranges.is_empty()).then_some(ranges))
            .build())
    }

    /// Without a token of ours, like everything in EKS: its name is unique, and a retry after a failed cluster must not be answered with
    /// the first one's record.
    async fn ask(&self, cx: &Context, ranges: Vec<String>) -> Result<()> {
        let access = CreateAccessConfigRequest::builder().authentication_mode(AuthenticationMode::Api);
        let access = access.bootstrap_cluster_creator_admin_permissions(false).build();
        let call = cx.aws.eks.create_cluster().name(cx.cluster.eks_name()).role_arn(cx.output(&ROLE, "arn")?);
        let call = call.resources_vpc_config(self.network(cx, ranges)?).set_kubernetes_network_config(services(&cx.cluster));
        let kubernetes = cx.cluster.spec.kubernetes();
        let policy = kubernetes.upgrade_policy.map(|wanted| UpgradePolicyRequest::builder().support_type(support(wanted)).build());
        let call = call.access_config(access).logging(logging(kubernetes.logs())).set_upgrade_policy(policy);
        let call = call.set_version(kubernetes.version).set_encryption_config(encryption(&cx.cluster).map(|key| vec![key]));
        let call = call.bootstrap_self_managed_addons(false).set_tags(tag_map(&cx.cluster, &self.key()));
        call.send().await.called("eks:CreateCluster").map(drop)
    }

    fn explain(&self, error: Error, spec: &Spec) -> Error {
        let error = explain(error, spec);
        if self.in_theirs { existing_network::blame(error) } else { error }
    }
}

/// AWS does not say which of a policy's conditions denied. One can forbid public endpoints (`eks:endpointPublicAccess`), and the tenant can do
/// without.
fn explain(error: Error, spec: &Spec) -> Error {
    let public = spec.public_cidrs().is_some_and(|cidrs| !cidrs.is_empty());
    if !public || !error.is_denied_by_organization() {
        return error;
    }
    let hint = format!(
        "If your organization forbids public endpoints, delete the cluster and create it without access.public_cidrs. Otherwise: {}",
        error.hint
    );
    error.with_hint(hint)
}

/// EKS's name of a log.
fn log_type(log: Log) -> LogType {
    match log {
        Log::Api => LogType::Api,
        Log::Audit => LogType::Audit,
        Log::Authenticator => LogType::Authenticator,
        Log::ControllerManager => LogType::ControllerManager,
        Log::Scheduler => LogType::Scheduler,
    }
}

fn logging(wanted: &[Log]) -> Logging {
    let types = wanted.iter().map(|log| log_type(*log)).collect();
    Logging::builder().cluster_logging(LogSetup::builder().set_types(Some(types)).enabled(true).build()).build()
}

/// What EKS is told to do when the version's standard support ends. Of a record of before nothing was said.
fn support(wanted: UpgradePolicy) -> SupportType {
    match wanted {
        UpgradePolicy::Standard => SupportType::Standard,
        UpgradePolicy::Extended => SupportType::Extended,
    }
}

pub(super) fn describe(cluster: &Cluster) -> Outputs {
    let network = cluster.resources_vpc_config();
    outputs([
        ("name", cluster.name()),
        ("arn", cluster.arn()),
        ("endpoint", cluster.endpoint()),
        ("ca", cluster.certificate_authority().and_then(|authority| authority.data())),
        ("version", cluster.version()),
        ("platform", cluster.platform_version()),
        ("security_group", network.and_then(|network| network.cluster_security_group_id())),
    ])
}

impl Planned for ControlPlane {
    fn key(&self) -> Key {
        Key::Cluster
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        [ROLE, Key::LogGroup, Key::Leftovers, Key::Disks].into_iter().chain(self.subnets()).collect()
    }

    fn pace(&self) -> Pace {
        Pace::seconds(420, 10)
    }

    fn usual(&self) -> Usual {
        Usual { made: 570, removed: 180 }
    }
}

#[async_trait]
impl Made for ControlPlane {
    type Thing = Cluster;

    async fn find(&self, cx: &Context) -> Result<Option<Cluster>> {
        ours(cx).await
    }

    fn judge(&self, ours: &crate::cluster::Cluster, cluster: &Cluster) -> Seen {
        match cluster.status() {
            Some(ClusterStatus::Active) => Seen::but_for([
                role(ours, cluster),
                service_cidr(ours, cluster),
                silent(ours, cluster),
                policy(ours, cluster),
                key(ours, cluster),
            ]),
            Some(status @ ClusterStatus::Failed) => {
                let issues = cluster.health().map(|health| health.issues()).unwrap_or_default();
                let issues = issues.iter().map(|issue| Issue { code: issue.code().map(|code| code.as_str()), message: issue.message() });
                Seen::given_up(broken("The EKS cluster", status.as_str(), issues))
            }
            _ => Seen::Busy,
        }
    }

    fn outputs(&self, _: &crate::cluster::Cluster, cluster: &Cluster) -> Outputs {
        describe(cluster)
    }

    /// Open to the operator from the beginning, because an update takes minutes. An organization that forbids public endpoints has no part in
    /// what the tenant did not ask for.
    async fn create(&self, cx: &Context) -> Result<()> {
        let given = cx.cluster.spec.public_cidrs().unwrap_or_default();
        let door = cx.cluster.door.filter(|_| cx.cluster.needs_door() && given.len() < MOST_RANGES);
        let ranges = given.iter().cloned().chain(door.map(|door| door.to_string())).collect();
        let mut created = self.ask(cx, ranges).await;
        if given.is_empty() && door.is_some() && created.as_ref().is_err_and(Error::is_denied_by_organization) {
            created = self.ask(cx, vec![]).await;
        }
        created.map_err(|error| self.explain(error, &cx.cluster.spec)).done_if(THERE_IN_EKS)
    }

    async fn delete(&self, cx: &Context, _: &Cluster) -> Result<()> {
        let call = cx.aws.eks.delete_cluster().name(cx.cluster.eks_name());
        call.send().await.called("eks:DeleteCluster").done_if(GONE_IN_EKS)
    }
}

/// The cluster, if it is there.
pub(crate) async fn ours(cx: &Context) -> Result<Option<Cluster>> {
    let name = cx.cluster.eks_name();
    let answer = cx.aws.eks.describe_cluster().name(&name).send().await.called("eks:DescribeCluster");
    let Some(cluster) = answer.unless(GONE_IN_EKS)?.and_then(|answer| answer.cluster) else {
        return Ok(None);
    };
    check_ours(&cx.cluster, &format!("The EKS cluster {name}"), cluster.tags().into_iter().flatten())?;
    Ok(Some(cluster))
}

/// EKS cannot change a cluster's role: <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html>.
fn role(ours: &crate::cluster::Cluster, cluster: &Cluster) -> Option<Difference> {
    let is = cluster.role_arn()?.rsplit('/').next().unwrap_or_default();
    Difference::between("role", is, ours.scoped("cluster").as_str(), How::Never)
}

/// Where nothing is said, EKS chooses.
fn services(ours: &crate::cluster::Cluster) -> Option<KubernetesNetworkConfigRequest> {
    let range = ours.spec.managed()?.network.service_cidr?;
    Some(KubernetesNetworkConfigRequest::builder().service_ipv4_cidr(range).build())
}

/// Nor its services' range.
fn service_cidr(ours: &crate::cluster::Cluster, cluster: &Cluster) -> Option<Difference> {
    let wanted = services(ours)?;
    let is = cluster.kubernetes_network_config().and_then(|network| network.service_ipv4_cidr()).unwrap_or_default();
    Difference::between("service_cidr", is, wanted.service_ipv4_cidr().unwrap_or_default(), How::Never)
}

/// The key encrypts all of the Kubernetes API's data, whatever is named: <https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html>.
fn encryption(ours: &crate::cluster::Cluster) -> Option<EncryptionConfig> {
    let provider = Provider::builder().key_arn(ours.spec.kms_key()?).build();
    Some(EncryptionConfig::builder().provider(provider).build())
}

/// EKS neither changes a cluster's key nor takes it away; and a health issue of a running one is about its key: disabled, to be deleted, or
/// its grant revoked.
fn key(ours: &crate::cluster::Cluster, cluster: &Cluster) -> Option<Difference> {
    let wanted = ours.spec.kms_key()?;
    let provider = cluster.encryption_config().iter().find_map(EncryptionConfig::provider);
    let is = provider.and_then(Provider::key_arn).unwrap_or_default();
    let issues = cluster.health().map(|health| health.issues()).unwrap_or_default();
    let codes = issues.iter().filter_map(|issue| issue.code()).map(|code| code.as_str());
    let of_key: Vec<&str> = codes.filter(|code| code.starts_with("Kms")).collect();
    let is = if of_key.is_empty() { is.to_owned() } else { format!("{is} ({})", of_key.join(", ")) };
    Difference::between("kms_key", is, wanted.to_owned(), How::Never)
}

/// What was to be logged and is not. Whoever finds a fault in Kubernetes can turn on more for as long as it is needed.
fn silent(ours: &crate::cluster::Cluster, cluster: &Cluster) -> Option<Difference> {
    let setups = cluster.logging()?.cluster_logging();
    let enabled: Vec<&LogType> = setups.iter().filter(|setup| setup.enabled() == Some(true)).flat_map(LogSetup::types).collect();
    let wanted = ours.spec.kubernetes();
    let missing: Vec<LogType> = wanted.logs().iter().map(|log| log_type(*log)).filter(|log| !enabled.contains(&log)).collect();
    let missing: Vec<&str> = missing.iter().map(LogType::as_str).collect();
    Difference::between("missing_logs", missing.join(", "), String::new(), How::Never)
}

fn policy(ours: &crate::cluster::Cluster, cluster: &Cluster) -> Option<Difference> {
    let is = cluster.upgrade_policy()?.support_type()?.as_str();
    let wanted = support(ours.spec.kubernetes().upgrade_policy?);
    Difference::between("upgrade_policy", is, wanted.as_str(), How::Never)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::from_answer;
    use aws_sdk_eks::types::{ClusterHealth, ClusterIssue, ClusterIssueCode, KubernetesNetworkConfigResponse};
    use serde_json::json;
    use wire::error::Code;

    fn judged(cluster: &Cluster) -> Seen {
        ControlPlane { zones: 2, in_theirs: false }.judge(&crate::cluster::Cluster::example(json!({})), cluster)
    }

    #[test]
    fn only_active_is_ready_and_only_failed_is_broken() {
        for (status, expected) in [
            (ClusterStatus::Active, Seen::Ready),
            (ClusterStatus::Creating, Seen::Busy),
            (ClusterStatus::Pending, Seen::Busy),
            (ClusterStatus::Updating, Seen::Busy),
            (ClusterStatus::Deleting, Seen::Busy),
            (ClusterStatus::Failed, Seen::Broken(broken("The EKS cluster", "FAILED", []))),
        ] {
            assert_eq!(judged(&Cluster::builder().status(status.clone()).build()), expected, "{status}");
        }
    }

    #[test]
    fn the_logs_are_those_that_say_who_did_what_unless_others_are_asked_for() {
        let types = |kubernetes: serde_json::Value| {
            let spec = crate::cluster::Cluster::example(json!({"kubernetes": kubernetes})).spec;
            let logging = logging(spec.kubernetes().logs());
            logging.cluster_logging().iter().flat_map(LogSetup::types).cloned().collect::<Vec<_>>()
        };
        assert_eq!(types(json!({})), [LogType::Audit, LogType::Authenticator]);
        assert_eq!(types(json!({"logs": ["controller_manager"]})), [LogType::ControllerManager]);
    }

    #[test]
    fn a_failed_cluster_says_what_aws_says() {
        let issue = ClusterIssue::builder().code(ClusterIssueCode::InsufficientFreeAddresses).message("subnet-1 is full").build();
        let health = ClusterHealth::builder().issues(issue).build();
        let Seen::Broken(error) = judged(&Cluster::builder().status(ClusterStatus::Failed).health(health).build()) else {
            panic!("must be broken")
        };
        assert_eq!(error.reason, "The EKS cluster is FAILED; InsufficientFreeAddresses: subnet-1 is full");
    }

    #[test]
    fn a_denial_by_the_organization_says_how_to_do_without_a_public_endpoint_if_there_is_one() {
        let denied = |policy: &str| {
            let message =
                format!("User: x is not authorized to perform: eks:CreateCluster on resource: y with an explicit deny in {policy}");
            from_answer("eks:CreateCluster", Some(403), Code::AccessDeniedException, &message)
        };
        for (cidrs, policy, expected, reason) in [
            (json!(["8.8.8.0/24"]), "a service control policy", true, "it may be the endpoint"),
            (json!([]), "a service control policy", false, "there is none"),
            (json!(["8.8.8.0/24"]), "an identity-based policy", false, "the role's own policy"),
        ] {
            let cluster = crate::cluster::Cluster::example(json!({"public_access_cidrs": cidrs}));
            let hint = explain(denied(policy), &cluster.spec).hint;
            assert_eq!(hint.contains("access.public_cidrs"), expected, "{reason}: {hint}");
        }
    }

    #[test]
    fn another_range_of_services_is_a_difference_only_if_one_was_asked_for() {
        let active = |range: &str| {
            let network = KubernetesNetworkConfigResponse::builder().service_ipv4_cidr(range).build();
            Cluster::builder().status(ClusterStatus::Active).kubernetes_network_config(network).build()
        };
        let differs = Difference::between("service_cidr", "10.100.0.0/16", "10.96.0.0/12", How::Never);
        for (network, is, expected) in [
            (json!({}), "10.100.0.0/16", Seen::Ready),
            (json!({"service_cidr": "10.96.0.0/12"}), "10.96.0.0/12", Seen::Ready),
            (json!({"service_cidr": "10.96.0.0/12"}), "10.100.0.0/16", Seen::but_for([differs])),
        ] {
            let cluster = crate::cluster::Cluster::example(json!({"network": network}));
            assert_eq!(ControlPlane { zones: 2, in_theirs: false }.judge(&cluster, &active(is)), expected, "{network} {is}");
        }
    }

    #[test]
    fn a_clusters_key_is_the_customers_and_works() {
        const KEY: &str = "arn:aws:kms:us-west-2:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let active = |key: Option<&str>, issue: Option<ClusterIssueCode>| {
            let provider = Provider::builder().set_key_arn(key.map(str::to_owned)).build();
            let health = ClusterHealth::builder().set_issues(issue.map(|code| vec![ClusterIssue::builder().code(code).build()])).build();
            let config = EncryptionConfig::builder().provider(provider).build();
            Cluster::builder().status(ClusterStatus::Active).encryption_config(config).health(health).build()
        };
        let differs = |is: &str| Seen::but_for([Difference::between("kms_key", is, KEY, How::Never)]);
        let disabled = ClusterIssueCode::KmsKeyDisabled;
        for (key, issue, expected, reason) in [
            (Some(KEY), None, Seen::Ready, "as asked for"),
            (None, None, differs(""), "AWS's own"),
            (Some(KEY), Some(disabled.clone()), differs(&format!("{KEY} (KmsKeyDisabled)")), "disabled since"),
            (Some(KEY), Some(ClusterIssueCode::Ec2SubnetNotFound), Seen::Ready, "nothing about the key"),
        ] {
            let ours = crate::cluster::Cluster::example(json!({"encryption": {"kms_key_arn": KEY}}));
            assert_eq!(ControlPlane { zones: 2, in_theirs: false }.judge(&ours, &active(key, issue)), expected, "{reason}");
        }
        assert_eq!(judged(&active(Some(KEY), None)), Seen::Ready, "nobody asked for one");
    }

    #[test]
    fn another_role_is_a_difference_that_cannot_be_mended() {
        let arn = |role: &str| format!("arn:aws:iam::222222222222:role/groundwork/{role}");
        let active = |role: &str| Cluster::builder().status(ClusterStatus::Active).role_arn(arn(role)).build();
        assert_eq!(judged(&active("groundwork-abcdefghijkl-cluster")), Seen::Ready);
        let expected = Difference::between("role", "another", "groundwork-abcdefghijkl-cluster", How::Never);
        assert_eq!(judged(&active("another")), Seen::but_for([expected]));
    }

    #[test]
    fn what_is_not_logged_and_another_support_policy_are_noted() {
        let setup = |types: &[LogType]| LogSetup::builder().enabled(true).set_types(Some(types.to_vec())).build();
        let with = |types: &[LogType], policy: SupportType| {
            let policy = aws_sdk_eks::types::UpgradePolicyResponse::builder().support_type(policy).build();
            let logging = Logging::builder().cluster_logging(setup(types)).build();
            Cluster::builder().status(ClusterStatus::Active).logging(logging).upgrade_policy(policy).build()
        };
        let all = [LogType::Api, LogType::Audit, LogType::Authenticator];
        let silent = Difference::between("missing_logs", "authenticator", "", How::Never);
        let policy = Difference::between("upgrade_policy", "EXTENDED", "STANDARD", How::Never);
        for (found, expected, reason) in [
            (with(&all, SupportType::Standard), Seen::Ready, "more is logged, by whoever needs it"),
            (with(&all[..2], SupportType::Standard), Seen::but_for([silent]), "somebody turned it off"),
            (with(&all, SupportType::Extended), Seen::but_for([policy]), "somebody changed it"),
        ] {
            assert_eq!(judged(&found), expected, "{reason}");
        }
    }
}
