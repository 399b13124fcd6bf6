//! Names inside a cluster that its objects, its roles and its users' rights share.

/// Where researchers work, and all that they may change.
pub const NAMESPACE: &str = "research";

/// The service account of the pods that do their work, which reach the cluster's buckets.
pub const SERVICE_ACCOUNT: &str = "run";

/// Where the autoscaler runs.
pub const AUTOSCALER_NAMESPACE: &str = "kube-system";

/// The autoscaler's service account and deployment.
pub const AUTOSCALER: &str = "cluster-autoscaler";

/// The label of a node that says which group it is of: `g4dn-xlarge`, `system`.
pub const GROUP_LABEL: &str = "groundwork.dev/node-group";
