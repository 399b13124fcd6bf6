//! How much a managed cluster may cost when nothing runs on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// "cost_saving" (the default): one node for the system, one NAT gateway. "standard": two nodes for the system and a NAT gateway in each
/// zone, so that the loss of a zone stops nothing in the others; the add-ons aws-mountpoint-s3-csi-driver, metrics-server,
/// eks-node-monitoring-agent and amazon-cloudwatch-observability; and EKS replaces or reboots nodes that are sick. docs/clusters.md says what
/// each costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum PerformanceProfile {
    #[default]
    CostSaving,
    Standard,
}
