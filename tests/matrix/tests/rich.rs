//! A cluster with all that a tenant can ask for, looked at in the account.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

use aws_sdk_ec2::types::{Filter, RouteTable, Subnet};
use aws_sdk_eks::types::{CapacityTypes, LogType, SupportType, TaintEffect};
use engine::aws::Clients;
use engine::names::OWNER_TAG;
use matrix::account::Account;
use matrix::judge;
use matrix::life::Life;
use std::collections::BTreeMap;
use wire::spec::Data;

#[tokio::test(start_paused = true)]
async fn it_is_as_asked_for_and_leaves_nothing() {
    let life = Life::rich(Account::new(1));
    let before = life.account.snapshot().await;
    life.provision().await.expect("nothing parks it");
    judge::one_of_everything(&life.cluster, &life.account.snapshot().await).expect("one of everything");
    judge::nothing_differs(&life.context()).await.expect("nothing differs");
    each_zone_has_its_own_way_out(&life).await;
    kubernetes_is_as_asked_for(&life).await;
    sick_nodes_are_repaired(&life).await;
    nodes_are_as_asked_for(&life).await;
    life.tear_down().await.expect("nothing blocks the deletion");
    judge::gone(&life.cluster, &before, &life.account.snapshot().await).expect("the account as it was");
}

async fn nodes_are_as_asked_for(life: &Life) {
    let call = life.clients().eks.describe_nodegroup().cluster_name(life.cluster.eks_name()).nodegroup_name("spot-m6i-large");
    let group = call.send().await.expect("an answer").nodegroup.expect("the node group");
    assert_eq!(
        (group.instance_types(), group.capacity_type()),
        (&["m6i.large".to_owned(), "m7i.large".into()][..], Some(&CapacityTypes::Spot))
    );
    assert_eq!(group.labels().and_then(|labels| labels.get("team")).map(String::as_str), Some("vision"));
    let taints: Vec<_> = group.taints().iter().map(|taint| (taint.key(), taint.effect())).collect();
    assert_eq!(taints, [(Some("team"), Some(&TaintEffect::PreferNoSchedule))]);
    let templates = life.account.calls();
    assert!(templates.iter().any(|call| call.starts_with("ec2:CreateLaunchTemplate") && call.contains("spot-m6i.large")), "{templates:?}");
}

#[tokio::test(start_paused = true)]
async fn its_logs_are_kept_and_listed_or_go_with_the_data() {
    for (says, kept) in [(None, 5), (Some(Data::Delete), 0)] {
        let mut life = Life::rich(Account::new(1));
        life.says = says;
        life.provision().await.expect("nothing parks it");
        life.tear_down().await.expect("nothing blocks the deletion");
        let inventory = life.record().inventory.expect("the last look at the account");
        assert_eq!(inventory.kept.iter().filter(|found| found.kind == "log group").count(), kept, "{says:?}: {:?}", inventory.kept);
        let groups = life.clients().logs.describe_log_groups().send().await.expect("log groups").log_groups.unwrap_or_default();
        assert_eq!(groups.len(), kept, "{says:?}");
    }
}

async fn each_zone_has_its_own_way_out(life: &Life) {
    let aws = life.clients();
    let subnets = subnets(life, &aws).await;
    let zone = |subnet: &str| subnets[subnet].availability_zone().expect("a zone").to_owned();
    let gateways = aws.ec2.describe_nat_gateways().send().await.expect("gateways").nat_gateways.unwrap_or_default();
    let gateways: BTreeMap<String, String> =
        gateways.into_iter().filter_map(|gateway| Some((gateway.nat_gateway_id?, zone(&gateway.subnet_id?)))).collect();
    let tables = aws.ec2.describe_route_tables().send().await.expect("route tables").route_tables.unwrap_or_default();
    let mut private = 0;
    for (table, gateway) in tables.iter().filter_map(|table| Some((table, through(table)?))) {
        let zones: Vec<String> = table.associations().iter().filter_map(|one| one.subnet_id()).map(zone).collect();
        assert_eq!(zones, [gateways[gateway].as_str()], "{table:?}");
        private += 1;
    }
    assert_eq!((private, gateways.len()), (life.cluster.zones.len(), life.cluster.zones.len()));
}

async fn kubernetes_is_as_asked_for(life: &Life) {
    let aws = life.clients();
    let shown = aws.eks.describe_cluster().name(life.cluster.eks_name()).send().await.expect("it runs").cluster.expect("a cluster");
    let policy = shown.upgrade_policy().and_then(|policy| policy.support_type());
    assert_eq!((shown.version(), policy), (Some("1.33"), Some(&SupportType::Extended)));
    let setups = shown.logging().expect("logs").cluster_logging();
    let logs: Vec<LogType> = setups.iter().flat_map(|setup| setup.types()).cloned().collect();
    assert_eq!(logs, [LogType::Audit, LogType::ControllerManager]);
    let groups = aws.logs.describe_log_groups().send().await.expect("log groups").log_groups.unwrap_or_default();
    assert_eq!(groups.iter().map(|group| group.retention_in_days()).collect::<Vec<_>>(), [Some(7); 5], "control plane, and four of nodes");
}

async fn sick_nodes_are_repaired(life: &Life) {
    let (eks, cluster) = (life.clients().eks, life.cluster.eks_name());
    let groups = eks.list_nodegroups().cluster_name(&cluster).send().await.expect("node groups").nodegroups.unwrap_or_default();
    assert!(groups.len() > 1, "{groups:?}");
    for name in groups {
        let shown = eks.describe_nodegroup().cluster_name(&cluster).nodegroup_name(&name).send().await.expect("it runs").nodegroup;
        let repair = shown.as_ref().and_then(|group| group.node_repair_config());
        assert_eq!(repair.and_then(|repair| repair.enabled()), Some(true), "{name}");
    }
}

/// A NAT gateway; winterbaume shows it as any other gateway.
fn through(table: &RouteTable) -> Option<&str> {
    table.routes().iter().filter_map(|route| route.gateway_id()).find(|id| id.starts_with("nat-"))
}

async fn subnets(life: &Life, aws: &Clients) -> BTreeMap<String, Subnet> {
    let ours = Filter::builder().name(format!("tag:{OWNER_TAG}")).values(&life.cluster.id).build();
    let subnets = aws.ec2.describe_subnets().filters(ours).send().await.expect("subnets").subnets.unwrap_or_default();
    subnets.into_iter().map(|subnet| (subnet.subnet_id().expect("an id").to_owned(), subnet)).collect()
}
