//! A cluster in the customer's own subnets: the network is the same before, during and after.

use aws_sdk_eks::types::AmiTypes;
use matrix::account::Account;
use matrix::life::Life;
use matrix::{judge, neighbour, theirs};
use serde_json::Value;
use wire::key::Key;

/// VPCs, subnets, route tables, gateways, network ACLs, groups, interfaces and instances with their tags.
fn network(account: &Value) -> &Value {
    &account["ec2"]
}

#[tokio::test(start_paused = true)]
async fn the_customers_network_is_the_same_before_during_and_after() {
    let account = Account::new(1);
    let theirs = theirs::network(&account.clients()).await;
    let mut life = Life::in_subnets(account, &theirs.subnets);
    let before = life.account.snapshot().await;
    life.provision().await.expect("nothing parks it");
    life.look_again();
    assert_eq!(life.cluster.zones, ["us-west-2a", "us-west-2b"], "the zones of the subnets");
    let entry = life.desk.entries(&life.cluster.id)[&Key::Network].outputs.clone();
    assert_eq!((entry["vpc"].as_str(), entry["subnets"].as_str()), (theirs.vpc.as_str(), theirs.subnets.join(",").as_str()));

    let during = life.account.snapshot().await;
    judge::one_of_everything(&life.cluster, &during).expect("one of everything");
    judge::untouched(network(&before), network(&during)).expect("the network as it was");
    judge::nothing_differs(&life.context()).await.expect("as the spec wants it");
    let group = life.clients().eks.describe_nodegroup().cluster_name(life.cluster.eks_name()).nodegroup_name("m7g-large").send().await;
    let nodes = group.expect("an answer").nodegroup.expect("the node group");
    assert_eq!(nodes.ami_type(), Some(&AmiTypes::Al2023Arm64Standard));
    for kind in ["vpcs", "subnets", "route_tables", "igws", "nat_gateways", "vpc_endpoints"] {
        assert_eq!(network(&during)[kind], network(&before)[kind], "nothing has come to the {kind}");
    }

    neighbour::leave_behind(&life).await;
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    life.tear_down().await.expect("nothing blocks the deletion");
    let after = life.account.snapshot().await;
    assert_eq!(network(&after), network(&before), "the network as it was");
    judge::gone(&life.cluster, &before, &after).expect("the account as it was");
}
