//! A cluster's own control plane: a real API server, which `kubernetes eks` of tests/kubernetes runs and tells of.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which cluster it is of.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub account: String,
    pub region: String,
    pub cluster: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ControlPlane {
    pub of: Place,
    /// Where clients on the internet reach it.
    pub endpoint: String,
    /// Where clients in the operator's VPC do.
    pub endpoint_through_nat: String,
    /// PEM in base64, as EKS gives it.
    pub certificate_authority: String,
}

/// Remembers which of the wanted ones answer, and tells all that are wanted.
pub fn replace(wanted: &mut BTreeMap<Place, Option<ControlPlane>>, answering: Vec<ControlPlane>) -> Vec<Place> {
    wanted.values_mut().for_each(|answers| *answers = None);
    for control_plane in answering {
        if let Some(answers) = wanted.get_mut(&control_plane.of) {
            *answers = Some(control_plane);
        }
    }
    wanted.keys().cloned().collect()
}
