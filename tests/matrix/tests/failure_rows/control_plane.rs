//! The control plane and what is in it.

use crate::scene::{QUICK_START, Scene, doom, goes_in_spite_of, parks_until_mended, reads, refuse, runs_in_spite_of, times};
use aws_sdk_eks::types::VpcConfigRequest;
use cloud::faults::{Effect, Fault, When};
use engine::{inventory, preflight};
use serde_json::json;
use wire::error::{Class, VERSION};

/// P, F: EKS cannot create a control plane in a zone.
#[tokio::test(start_paused = true)]
async fn row_16_zones_without_control_planes_are_left_out_and_usable_ones_named() {
    // None of the known ones is in this region: see the tests of preflight.rs.
    let (zones, _) = preflight::zones::choose(&Scene::wanting(&["m6i.large"]).await.context(), None).await.expect("zones");
    assert_eq!(zones, ["us-west-2a", "us-west-2b", "us-west-2c"]);

    let message = "Cannot create cluster 'x' because EKS does not support creating control plane instances in us-west-2a, the targeted \
                   availability zone. Retry cluster creation using control plane subnets that span at least two of these availability \
                   zones: us-west-2b, us-west-2c";
    let reason = format!("AWS refused eks:CreateCluster: UnsupportedAvailabilityZoneException: {message}");
    let hint = "EKS cannot create a control plane in one of the cluster's zones; the reason names the zones it can use. Delete the cluster and \
                create it in another region, or ask the operator to exclude the zone.";
    let fault = refuse("eks:CreateCluster", 400, "UnsupportedAvailabilityZoneException", message);
    parks_until_mended([(fault, Class::Customer, &reason, hint)]).await;
}

/// A, F: A cluster of this name exists.
#[tokio::test(start_paused = true)]
async fn row_17_a_cluster_of_the_same_name_is_adopted_only_if_it_is_ours() {
    let lost = times(1, Fault::on("eks:CreateCluster", Effect::Lose(When::AfterEffect)));
    runs_in_spite_of(vec![lost.clone()]).await;
    runs_in_spite_of(vec![Fault { whole_operation: false, ..lost }]).await;

    let scene = Scene::new().await;
    let (eks, name) = (scene.clients().eks, scene.cluster.eks_name());
    let foreign = eks.create_cluster().name(&name).role_arn("x").resources_vpc_config(VpcConfigRequest::builder().build());
    foreign.send().await.expect("somebody else's");
    let reason = "The EKS cluster groundwork-research-abcdefghijkl has this cluster's name but not its owner tag \
                  groundwork:cluster=abcdefghijkl.";
    let hint = "If it belongs to this cluster, put the tag back, otherwise remove it; then retry.";
    reads(&scene.parks().await, Class::Customer, reason, hint);
    reads(&scene.is_blocked().await, Class::Customer, reason, hint);
    eks.describe_cluster().name(name).send().await.expect("it is still there");
}

/// P, F: The subnets have no free addresses.
#[tokio::test(start_paused = true)]
async fn row_18_full_subnets_are_named() {
    let message = "Provided subnets subnet-1 Free IPs: 0 , need at least 5 IPs in each subnet to be free for this operation";
    let hint = "The cluster's subnets have no free addresses; release some, then retry.";
    let parked = ["eks:CreateCluster", "eks:CreateNodegroup"].map(|call| {
        let reason = format!("AWS refused {call}: InvalidRequestException: {message}");
        // Of the node groups one is enough.
        let fault = Fault {
            about: if call == "eks:CreateCluster" { "" } else { "node-group/system" }.into(),
            ..refuse(call, 400, "InvalidRequestException", message)
        };
        (fault, Class::Customer, reason, hint)
    });
    parks_until_mended(parked).await;
}

/// P: One call has two kinds of update.
#[tokio::test(start_paused = true)]
async fn row_20_an_update_is_about_the_endpoint_alone() {
    let scene = Scene::with_door().await;
    scene.runs().await;
    let updates: Vec<String> = scene.account.calls().into_iter().filter(|call| call.starts_with("eks:Update")).collect();
    assert!(
        !updates.is_empty() && updates.iter().all(|call| call.starts_with("eks:UpdateClusterConfig") && !call.contains("audit")),
        "{updates:?}"
    );
}

/// P: A version is skipped or lowered.
#[test]
fn row_22_no_control_plane_changes_its_version() {
    assert!(!QUICK_START.contains("eks:UpdateClusterVersion"));
}

/// P: Node groups lag behind the control plane.
#[test]
fn row_23_no_node_group_changes_its_version() {
    assert!(!QUICK_START.contains("eks:UpdateNodegroupVersion"));
}

/// P: A disruption budget blocks draining nodes.
#[test]
fn row_24_no_node_group_is_updated() {
    assert!(!QUICK_START.contains("eks:UpdateNodegroup"));
}

/// P, W, F: An add-on waits for nodes, or fails.
#[tokio::test(start_paused = true)]
async fn row_26_add_ons_wait_for_nodes_and_a_failed_one_is_made_again() {
    let scene = Scene::new().await;
    // Those that need no node come first.
    scene.set(vec![Fault { skip: 3, ..doom("eks:CreateAddon", "InsufficientNumberOfReplicas", "no node is ready") }]);
    let error = scene.parks().await;
    // Both need nodes, and either may come first.
    let failed = if error.reason.contains("coredns") { "coredns" } else { "aws-ebs-csi-driver" };
    let reason = format!("The add-on {failed} is CREATE_FAILED; InsufficientNumberOfReplicas: no node is ready");
    let hint = "The add-on's pods found no node to run on; check that the nodes are ready and have room, then retry.";
    reads(&error, Class::Customer, &reason, hint);
    scene.mend();
    scene.runs().await;

    let addon = |name| format!("eks:CreateAddon clusters {} addons {name}", scene.cluster.eks_name());
    let (nodes, looked_at) = (scene.first("eks:CreateNodegroup"), scene.first("eks:DescribeNodegroup"));
    assert!(scene.first(&addon("vpc-cni")) < nodes && scene.first(&addon("kube-proxy")) < nodes);
    assert!(looked_at < scene.first(&addon("coredns")));
    scene.goes().await;
}

/// W: Nodes join too early.
#[tokio::test(start_paused = true)]
async fn row_27_nodes_are_made_once_the_add_ons_are_up() {
    let scene = Scene::running().await;
    for addon in ["vpc-cni", "kube-proxy"] {
        let seen = scene.last(&format!("eks:DescribeAddon clusters {} addons {addon}", scene.cluster.eks_name()));
        assert!(seen < scene.first("eks:CreateNodegroup"), "{addon}");
    }
}

/// R: Pod Identity and access entries do not see a new role.
#[tokio::test(start_paused = true)]
async fn row_28_pod_identity_waits_until_eks_sees_the_role() {
    let fresh = |call| times(5, refuse(call, 400, "InvalidParameterException", "Role provided in the request does not exist"));
    runs_in_spite_of(["eks:CreatePodIdentityAssociation", "eks:CreateAccessEntry"].map(fresh).into()).await;
}

/// R: The cluster is being updated or scaled when it is to be deleted.
#[tokio::test(start_paused = true)]
async fn row_30_deleting_waits_for_what_is_in_progress() {
    let message = "Cannot delete because cluster research currently has an update in progress";
    goes_in_spite_of(vec![times(30, refuse("eks:DeleteCluster", 409, "ResourceInUseException", message))]).await;
}

/// W, F: The cluster has node groups that are not ours.
#[tokio::test(start_paused = true)]
async fn row_31_node_groups_go_first_and_others_are_named_as_what_blocks() {
    let scene = Scene::running().await;
    let (eks, name) = (scene.clients().eks, scene.cluster.eks_name());
    eks.create_nodegroup().cluster_name(&name).nodegroup_name("foreign").node_role("x").subnets("x").send().await.expect("a stranger's");
    scene.is_blocked().await;
    let left = inventory::take(&scene.context()).await.expect("an inventory").left;
    let foreign = left.iter().find(|found| found.id == "foreign").expect("it is named");
    assert_eq!((foreign.kind.as_str(), foreign.why.as_str()), ("node group", "it is in this cluster"));

    eks.delete_nodegroup().cluster_name(name).nodegroup_name("foreign").send().await.expect("its owner takes it away");
    scene.mend();
    scene.goes().await;
}

/// R: A code that says "exists" says something else: the cluster is being patched, or what was deleted is still remembered.
#[tokio::test(start_paused = true)]
async fn row_65_only_the_words_already_exists_mean_that_it_is_there() {
    let busy = |call, code, message| times(3, refuse(call, if code == "ResourceInUseException" { 409 } else { 400 }, code, message));
    let scene = Scene::new().await;
    scene.set(vec![
        busy("eks:CreateNodegroup", "ResourceInUseException", "Cluster research currently has an update in progress"),
        busy("eks:CreateAddon", "ResourceInUseException", "Cluster research currently has an update in progress"),
        busy("eks:CreatePodIdentityAssociation", "InvalidRequestException", "Cluster is in invalid state"),
        busy("eks:CreateAccessEntry", "InvalidRequestException", "Cluster 'research' is not in ACTIVE status"),
    ]);
    let begun = tokio::time::Instant::now();
    scene.runs().await;
    let lasted = begun.elapsed().as_secs();
    assert!(lasted < 20 * 60, "nothing waits until AWS would have shown what was refused: {lasted} s");
    scene.goes().await;
}

/// R: EKS has two codes for a cluster that is not there.
#[tokio::test(start_paused = true)]
async fn row_66_a_cluster_that_is_not_found_is_gone_whatever_the_code() {
    let gone = |call| times(1, refuse(call, 400, "ClientException", "No cluster found for name: groundwork-research-abcdefghijkl."));
    let scene = Scene::new().await;
    scene.set(["eks:DescribeCluster", "eks:DescribeAddon", "eks:DescribeNodegroup"].map(gone).into());
    scene.runs().await;
    scene.set(["eks:DeleteNodegroup", "eks:DeleteCluster", "eks:ListNodegroups"].map(gone).into());
    scene.goes().await;
}

/// F: The cluster is protected from deletion.
#[tokio::test(start_paused = true)]
async fn row_72_a_deletion_protection_is_named() {
    let scene = Scene::running().await;
    let message = "Cluster research cannot be deleted: deletion protection is enabled.";
    scene.set(vec![refuse("eks:DeleteCluster", 400, "InvalidRequestException", message)]);
    let hint = "Turn off the EKS cluster's deletion protection (aws eks update-cluster-config --name <cluster> --no-deletion-protection), then \
                retry.";
    reads(&scene.is_blocked().await, Class::Customer, &format!("AWS refused eks:DeleteCluster: InvalidRequestException: {message}"), hint);
    scene.mend();
    scene.goes().await;
}

/// P, F: EKS has the version of Kubernetes no more.
#[tokio::test(start_paused = true)]
async fn row_111_a_version_that_has_ended_is_named_before_anything_is_made_with_those_that_there_are() {
    let scene = Scene::asking(&json!({"kubernetes": {"version": "1.28"}})).await;
    let reason = "EKS makes no clusters of Kubernetes 1.28. In us-west-2 it has 1.35 (standard support until 2027-03-27), 1.34 (standard \
                  support until 2026-12-02), 1.33 (extended support until 2027-07-29), 1.32 (extended support until 2027-03-23).";
    reads(&scene.parks().await, Class::Customer, reason, VERSION);
    scene.is_gone().await;

    // It ends between the question and the cluster.
    let message = "unsupported Kubernetes version 1.35";
    let reason = format!("AWS refused eks:CreateCluster: InvalidParameterException: {message}");
    parks_until_mended([(refuse("eks:CreateCluster", 400, "InvalidParameterException", message), Class::Customer, &reason, VERSION)]).await;
}

/// P, F: A version of Kubernetes costs six times as much.
#[tokio::test(start_paused = true)]
async fn row_112_a_version_in_extended_support_is_made_only_for_whoever_asks_for_that() {
    let scene = Scene::asking(&json!({"kubernetes": {"version": "1.33"}})).await;
    let error = scene.parks().await;
    assert!(
        error.reason.starts_with("EKS has Kubernetes 1.33 only in extended support, and kubernetes.upgrade_policy is standard."),
        "{error}"
    );
    scene.is_gone().await;

    let scene = Scene::asking(&json!({"kubernetes": {"version": "1.33", "upgrade_policy": "extended"}})).await;
    scene.runs().await;
    scene.goes().await;
}

/// F: EKS does not offer an add-on for the version of Kubernetes.
#[tokio::test(start_paused = true)]
async fn row_113_an_add_on_that_is_not_offered_is_named_and_the_rest_is_made() {
    let scene = Scene::asking(&json!({"performance_profile": "standard"})).await;
    // <https://github.com/marcincuber/eks/issues/10>
    let message = "Addon metrics-server specified is not supported in 1.35 kubernetes version";
    let refused = refuse("eks:CreateAddon", 400, "InvalidParameterException", message);
    scene.set(vec![Fault { about: "metrics-server".into(), ..refused }]);
    let reason = format!("AWS refused eks:CreateAddon: InvalidParameterException: {message}");
    let hint = "EKS does not offer this add-on for the cluster's version of Kubernetes in its region: delete the cluster and create it with another \
                kubernetes.version, or, for an add-on of the standard profile, with performance_profile cost_saving.";
    reads(&scene.parks().await, Class::Customer, &reason, hint);
    assert_eq!(scene.record().troubles.keys().map(ToString::to_string).collect::<Vec<_>>(), ["addon/metrics-server"]);
    scene.goes().await;
}
