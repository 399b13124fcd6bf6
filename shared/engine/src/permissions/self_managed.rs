//! What Groundwork may do where the customer made the cluster and the buckets: a table of its own, and one policy from it.

use super::document::{Document, Statement};
use super::table::iam::{FOR_NODE_GROUPS, FOR_SPOT, LOOK_AT_ITSELF, SERVICE_LINKED};
use super::table::{ALWAYS, ASSUME_ROLE, BUCKETS as BUCKETS_STAGE, DOWN, NODES, NODES_DOWN, action, asked_for};
use super::{Action, Condition, Grant};
use wire::names::{Names, PLACEHOLDERS};
use wire::spec::{SelfManaged, Spec};
use wire::stage::Stage;

/// What the customer made, and which of our clusters; or Terraform's placeholders for them.
struct Theirs<'a> {
    names: Names<'a>,
    region: &'a str,
    /// The name of the EKS cluster.
    cluster: &'a str,
    /// ARNs.
    buckets: Vec<String>,
    /// An ARN; none if no nodes are wanted.
    node_role: Option<&'a str>,
    /// ARNs.
    service_roles: &'static [&'static str],
    /// The id of our cluster, or a pattern of ids.
    id: &'a str,
}

const FOR_NODES: &[&str] = &[FOR_NODE_GROUPS, FOR_SPOT];
/// In a session, whose text has to be short: of these the role has the two above.
const FOR_SERVICES: &[&str] = &["arn:${partition}:iam::${account}:role/aws-service-role/*"];

/// Any cluster of ours: the role is made before there is one.
const ANY_ID: &str = "????????????";

const CLUSTER: &str = "arn:${partition}:eks:${region}:${account}:cluster/${cluster}";
const NODE_GROUPS: &str = "arn:${partition}:eks:${region}:${account}:nodegroup/${cluster}/groundwork-${id}-*/*";
const BUCKETS: &str = "${buckets}";
const NODE_ROLE: &str = "${node_role}";

const VERIFY_CLUSTER: &[Stage] = &[Stage::CreateEks, Stage::CreateNodegroups];

const MADE_OURS: &[Condition] = &[("StringLike", "aws:RequestTag/groundwork:cluster", &["${id}"])];

const CREATE_NODE_GROUP: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/eks-iam.html";

pub const GRANTS: &[Grant] = &[
    LOOK_AT_ITSELF,
    Grant {
        sid: "Look",
        resources: &["*"],
        conditions: ALWAYS,
        why: "EC2's Describe actions and ListRoles have no resource-level permissions.",
        actions: &[
            action("ec2:DescribeInstanceTypes", ASSUME_ROLE, "See how many vCPUs, how much memory and which GPUs the types have."),
            asked_for("ec2:DescribeSubnets", NODES, "EKS looks at the subnets of a node group.", CREATE_NODE_GROUP),
            action("iam:ListRoles", NODES, "See whether the account has EC2 Spot's service-linked role."),
        ],
    },
    Grant {
        sid: "Buckets",
        resources: &[BUCKETS],
        conditions: ALWAYS,
        why: "Only the buckets that the customer names, and nothing in them.",
        actions: &[
            action("s3:GetBucketLocation", BUCKETS_STAGE, "See that the bucket is there, the customer's, and in the region."),
            action("s3:GetBucketPublicAccessBlock", BUCKETS_STAGE, "See that it is closed to the public."),
        ],
    },
    Grant {
        sid: "Cluster",
        resources: &[CLUSTER],
        conditions: ALWAYS,
        why: "Only the cluster that the customer names.",
        actions: &[
            action("eks:DescribeCluster", VERIFY_CLUSTER, "See that the cluster is there and active, and which subnets it has."),
            action("eks:ListNodegroups", DOWN, "List in the inventory every node group of ours that is left."),
        ],
    },
    Grant {
        sid: "MakeNodes",
        resources: &[CLUSTER],
        conditions: MADE_OURS,
        why: "Only in the cluster that the customer names, and only with our owner tag in the call itself.",
        actions: &[action("eks:CreateNodegroup", NODES, "Make the node groups.")],
    },
    Grant {
        sid: "TagNodes",
        resources: &[NODE_GROUPS],
        conditions: MADE_OURS,
        why: "Only node groups with our name, and only with our owner tag.",
        actions: &[action("eks:TagResource", NODES, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "OurNodes",
        resources: &[NODE_GROUPS],
        conditions: ALWAYS,
        why: "Only node groups with our name.",
        actions: &[
            action("eks:DescribeNodegroup", NODES_DOWN, "See when a node group is up or gone, and that it is ours."),
            action("eks:DeleteNodegroup", NODES_DOWN, "Remove a node group; on a retry, one that failed."),
        ],
    },
    Grant {
        sid: "PassNodeRole",
        resources: &[NODE_ROLE],
        conditions: &[("StringEquals", "iam:PassedToService", &["eks.amazonaws.com"])],
        why: "Only the node role that the customer names, only to EKS.",
        actions: &[action("iam:PassRole", NODES, "Give the nodes their role.")],
    },
    Grant {
        sid: "NodeRole",
        resources: &[NODE_ROLE],
        conditions: ALWAYS,
        why: "Only the node role that the customer names.",
        actions: &[
            asked_for("iam:GetRole", NODES, "EKS checks that the role exists.", CREATE_NODE_GROUP),
            asked_for("iam:ListAttachedRolePolicies", NODES, "EKS checks that it has the policies that nodes need.", CREATE_NODE_GROUP),
        ],
    },
    Grant {
        sid: "ServiceRoles",
        resources: FOR_NODES,
        conditions: ALWAYS,
        why: "Only the service-linked roles of EKS node groups and of EC2 Spot.",
        actions: &[
            asked_for(
                "iam:CreateServiceLinkedRole",
                NODES,
                "An account's first node group makes the one, its first spot nodes need the other.",
                SERVICE_LINKED,
            ),
            asked_for("iam:GetRole", NODES, "EKS checks whether the account has its own.", SERVICE_LINKED),
        ],
    },
];

/// The policy of the customer's role, with the placeholders that `templatefile` fills. The buckets have one placeholder: their
/// ARNs with `", "` between them.
pub fn template() -> Document {
    let theirs = Theirs {
        names: PLACEHOLDERS,
        region: "${region}",
        cluster: "${cluster}",
        buckets: vec![BUCKETS.into()],
        node_role: Some(NODE_ROLE),
        service_roles: FOR_NODES,
        id: ANY_ID,
    };
    theirs.document(|_| true)
}

/// All that a stage's session may do. No managed policy stands beside it, so these are Allows, of one cluster. Partition and account
/// are the role's, which a session cannot leave, so they take no space here.
pub fn session(stage: Stage, spec: &Spec, theirs: &SelfManaged, id: &str) -> Document {
    let names = Names { partition: "*", account: "*", role: spec.role_name() };
    let theirs = Theirs { service_roles: FOR_SERVICES, ..Theirs::of(spec, theirs, names, id) };
    theirs.document(|action| action.stages.contains(&stage))
}

/// Everything that the role has to allow for this cluster.
pub fn whole(spec: &Spec, theirs: &SelfManaged, id: &str) -> Vec<Statement> {
    Theirs::of(spec, theirs, spec.names(), id).document(|_| true).statement
}

impl<'a> Theirs<'a> {
    fn of(spec: &'a Spec, theirs: &'a SelfManaged, names: Names<'a>, id: &'a str) -> Self {
        Self {
            region: &spec.region,
            cluster: &theirs.eks_cluster_name,
            buckets: theirs.buckets.iter().map(|name| format!("arn:{}:s3:::{name}", names.partition)).collect(),
            node_role: theirs.node_role_arn.as_deref(),
            service_roles: FOR_NODES,
            names,
            id,
        }
    }

    fn document(&self, of: impl Fn(&Action) -> bool) -> Document {
        Document::new(GRANTS.iter().filter_map(|grant| self.statement(grant, &of)).collect())
    }

    fn statement(&self, grant: &Grant, of: impl Fn(&Action) -> bool) -> Option<Statement> {
        let actions: Vec<&str> = grant.actions.iter().filter(|action| of(action)).map(|action| action.name).collect();
        let patterns = if grant.resources == FOR_NODES { self.service_roles } else { grant.resources };
        let resources: Vec<String> = patterns.iter().flat_map(|pattern| self.fill(pattern)).collect();
        if actions.is_empty() || resources.is_empty() {
            return None;
        }
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        let allow = Statement::allow(grant.sid, &actions, &resources, &[], &self.names);
        Some(grant.conditions.iter().fold(allow, |statement, (operator, key, values)| {
            statement.when(operator, key, values.iter().flat_map(|value| self.fill(value)).collect())
        }))
    }

    fn fill(&self, pattern: &str) -> Vec<String> {
        match pattern {
            BUCKETS => self.buckets.clone(),
            NODE_ROLE => self.node_role.map(str::to_owned).into_iter().collect(),
            _ => {
                let filled = pattern.replace("${region}", self.region).replace("${cluster}", self.cluster).replace("${id}", self.id);
                vec![self.names.fill(&filled)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::STAGES;
    use super::super::session::LIMIT;
    use super::*;
    use crate::cluster::Cluster;
    use serde_json::json;

    fn session(stage: Stage, cluster: &Cluster) -> Document {
        super::session(stage, &cluster.spec, cluster.spec.self_managed().expect("the customer's"), &cluster.id)
    }

    fn actions(document: &Document) -> Vec<&str> {
        document.statement.iter().flat_map(|statement| &statement.action).map(String::as_str).collect()
    }

    #[test]
    fn a_session_reaches_only_this_cluster_and_only_what_its_stage_does() {
        let cluster = Cluster::self_managed(json!({}));
        let buckets = session(Stage::CreateBuckets, &cluster);
        assert_eq!(actions(&buckets), ["s3:GetBucketLocation", "s3:GetBucketPublicAccessBlock"]);
        assert_eq!(buckets.statement[0].resource, ["arn:*:s3:::their-data", "arn:*:s3:::their-logs"]);
        let down = session(Stage::Teardown, &cluster);
        assert_eq!(actions(&down), ["eks:ListNodegroups", "eks:DescribeNodegroup", "eks:DeleteNodegroup"]);
        assert_eq!(down.statement[1].resource, ["arn:*:eks:us-west-2:*:nodegroup/theirs/groundwork-abcdefghijkl-*/*"]);
        let nodes = session(Stage::CreateNodegroups, &cluster).compact();
        for part in ["arn:aws:iam::222222222222:role/nodes", r#""aws:RequestTag/groundwork:cluster":["abcdefghijkl"]"#] {
            assert!(nodes.contains(part), "{part}: {nodes}");
        }
        assert!(!nodes.contains("${"), "{nodes}");
    }

    #[test]
    fn nothing_is_granted_about_node_roles_without_one() {
        let cluster = Cluster::self_managed(json!({"instance_types": [], "node_role_arn": null}));
        assert!(!actions(&session(Stage::CreateNodegroups, &cluster)).contains(&"iam:PassRole"));
    }

    #[test]
    fn every_session_policy_is_within_the_limit_whatever_the_names() {
        let cluster = Cluster::self_managed(json!({
            "role_arn": format!("arn:aws-us-gov:iam::222222222222:role/groundwork{}", "r".repeat(22)),
            "eks_cluster_name": "c".repeat(100),
            "buckets": (0..10).map(|index| format!("{index}{}", "b".repeat(62))).collect::<Vec<_>>(),
            "node_role_arn": format!("arn:aws-us-gov:iam::222222222222:role/{}", "n".repeat(122)),
            "region": "ap-southeast-1"
        }));
        for &stage in STAGES.iter() {
            let size = session(stage, &cluster).compact().len();
            assert!(size <= LIMIT, "the session policy of {stage} has {size} characters");
        }
    }
}
