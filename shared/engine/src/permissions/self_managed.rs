//! What Groundwork may do where the customer made the cluster and the buckets: a table of its own, and one policy from it.

use super::document::{self, Document, Names, Statement};
use super::table::iam::{FOR_NODE_GROUPS, LOOK_AT_ITSELF, SERVICE_LINKED};
use super::table::{ALWAYS, BUCKETS as BUCKETS_STAGE, DOWN, NODES, NODES_DOWN, action, asked_for};
use super::{Action, Condition, Grant};
use crate::resource::Stage;
use crate::spec::Spec;

/// What the customer made, and which of our clusters; also the text that Terraform puts there.
struct Theirs<'a> {
    names: Names<'a>,
    region: &'a str,
    /// The name of the EKS cluster.
    cluster: &'a str,
    /// ARNs.
    buckets: Vec<String>,
    /// An ARN; none where no nodes are wanted.
    node_role: Option<&'a str>,
    /// The id of our cluster, or a pattern of ids.
    id: &'a str,
}

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
            action("eks:ListNodegroups", DOWN, "Name in the inventory whatever node group of ours is left."),
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
        sid: "Subnets",
        resources: &["*"],
        conditions: ALWAYS,
        why: "EC2's Describe actions know no resource and no tag.",
        actions: &[asked_for("ec2:DescribeSubnets", NODES, "EKS looks at the subnets of a node group.", CREATE_NODE_GROUP)],
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
            asked_for("iam:GetRole", NODES, "EKS looks whether the role is there.", CREATE_NODE_GROUP),
            asked_for("iam:ListAttachedRolePolicies", NODES, "EKS looks whether it has what nodes need.", CREATE_NODE_GROUP),
        ],
    },
    Grant {
        sid: "ServiceRole",
        resources: &[FOR_NODE_GROUPS],
        conditions: ALWAYS,
        why: "Only EKS node groups' own service-linked role.",
        actions: &[
            asked_for("iam:CreateServiceLinkedRole", NODES, "An account's first node group makes it.", SERVICE_LINKED),
            asked_for("iam:GetRole", NODES, "EKS looks whether the account has it.", SERVICE_LINKED),
        ],
    },
];

/// The policy of the customer's role, with the placeholders that `templatefile` fills. Of the buckets one text is asked for: their
/// ARNs with `", "` between them.
pub fn template() -> Document {
    let theirs = Theirs {
        names: document::PLACEHOLDERS,
        region: "${region}",
        cluster: "${cluster}",
        buckets: vec![BUCKETS.into()],
        node_role: Some(NODE_ROLE),
        id: ANY_ID,
    };
    theirs.document(|_| true)
}

/// All that a stage's session may do. No managed policy stands beside it, so these are Allows, of one cluster. Partition and account
/// are the role's, which a session cannot leave, so they need no room here.
pub fn session(stage: Stage, spec: &Spec, id: &str) -> Document {
    let names = Names { partition: "*", account: "*", role: spec.role_name() };
    Theirs::of(spec, names, id).document(|action| action.stages.contains(&stage))
}

/// All that the role has to allow for this cluster.
pub fn whole(spec: &Spec, id: &str) -> Vec<Statement> {
    Theirs::of(spec, spec.names(), id).document(|_| true).statement
}

impl<'a> Theirs<'a> {
    fn of(spec: &'a Spec, names: Names<'a>, id: &'a str) -> Self {
        Self {
            region: &spec.region,
            cluster: spec.eks_cluster_name.as_deref().unwrap_or_default(),
            buckets: spec.buckets.iter().map(|name| format!("arn:{}:s3:::{name}", names.partition)).collect(),
            node_role: spec.node_role_arn.as_deref(),
            names,
            id,
        }
    }

    fn document(&self, of: impl Fn(&Action) -> bool) -> Document {
        Document::new(GRANTS.iter().filter_map(|grant| self.statement(grant, &of)).collect())
    }

    fn statement(&self, grant: &Grant, of: impl Fn(&Action) -> bool) -> Option<Statement> {
        let actions: Vec<&str> = grant.actions.iter().filter(|action| of(action)).map(|action| action.name).collect();
        let resources: Vec<String> = grant.resources.iter().flat_map(|pattern| self.fill(pattern)).collect();
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
    use serde_json::{Value, json};

    fn body() -> Value {
        json!({
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "self_managed",
            "eks_cluster_name": "theirs", "buckets": ["their-data", "their-logs"],
            "node_role_arn": "arn:aws:iam::222222222222:role/nodes", "instance_types": [{"name": "m6i.large"}]
        })
    }

    fn actions(document: &Document) -> Vec<&str> {
        document.statement.iter().flat_map(|statement| &statement.action).map(String::as_str).collect()
    }

    #[test]
    fn a_session_is_of_this_cluster_these_buckets_this_node_role_and_its_own_stage() {
        let spec = crate::spec::parse(&body()).expect("valid");
        let buckets = session(Stage::CreateBuckets, &spec, "abc");
        assert_eq!(actions(&buckets), ["s3:GetBucketLocation", "s3:GetBucketPublicAccessBlock"]);
        assert_eq!(buckets.statement[0].resource, ["arn:*:s3:::their-data", "arn:*:s3:::their-logs"]);
        let down = session(Stage::Teardown, &spec, "abc");
        assert_eq!(actions(&down), ["eks:ListNodegroups", "eks:DescribeNodegroup", "eks:DeleteNodegroup"]);
        assert_eq!(down.statement[1].resource, ["arn:*:eks:us-west-2:*:nodegroup/theirs/groundwork-abc-*/*"]);
        let nodes = session(Stage::CreateNodegroups, &spec, "abc").compact();
        for part in ["arn:aws:iam::222222222222:role/nodes", r#""aws:RequestTag/groundwork:cluster":["abc"]"#] {
            assert!(nodes.contains(part), "{part}: {nodes}");
        }
        assert!(!nodes.contains("${"), "{nodes}");
    }

    #[test]
    fn nothing_is_granted_about_node_roles_where_there_is_none() {
        let mut body = body();
        body["instance_types"] = json!([]);
        body["node_role_arn"] = json!(null);
        let spec = crate::spec::parse(&body).expect("valid");
        assert!(!actions(&session(Stage::CreateNodegroups, &spec, "abc")).contains(&"iam:PassRole"));
    }

    #[test]
    fn every_session_policy_is_within_the_limit_whatever_the_names() {
        let mut body = body();
        body["role_arn"] = json!(format!("arn:aws-us-gov:iam::222222222222:role/groundwork{}", "r".repeat(22)));
        body["eks_cluster_name"] = json!("c".repeat(100));
        body["buckets"] = json!((0..10).map(|index| format!("{index}{}", "b".repeat(62))).collect::<Vec<_>>());
        body["node_role_arn"] = json!(format!("arn:aws-us-gov:iam::222222222222:role/{}", "n".repeat(122)));
        body["region"] = json!("ap-southeast-1");
        let spec = crate::spec::parse(&body).expect("valid");
        for &stage in STAGES.iter() {
            let size = session(stage, &spec, &"i".repeat(12)).compact().len();
            assert!(size <= LIMIT, "the session policy of {stage} has {size} characters");
        }
    }
}
