//! The node groups: one for each instance type.

use super::schema::IN_PLACE;
use super::{Fault, Section};
use crate::instances;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A node group of one instance type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct InstanceType {
    /// An EC2 instance type such as g4dn.xlarge.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$"), length(max = 32), extend("x-change" = IN_PLACE))]
    pub name: String,
    /// Nodes that are kept running even when nothing asks for them, 0 to 450.
    #[serde(default)]
    #[schemars(range(max = 450), extend("x-change" = IN_PLACE))]
    pub overprovisioned_ondemand_count: u32,
    /// The most nodes that the group may have, 1 to 450 (AWS's default quota for a node group).
    #[serde(default = "default_max_count")]
    #[schemars(range(min = 1, max = 450), extend("x-change" = IN_PLACE))]
    pub max_count: u32,
}

fn default_max_count() -> u32 {
    10
}

impl Section for Vec<InstanceType> {
    fn check(&self) -> Vec<Fault> {
        self.iter().enumerate().flat_map(|(index, wanted)| faults(index, wanted, &self[..index])).collect()
    }
}

fn faults(index: usize, wanted: &InstanceType, earlier: &[InstanceType]) -> Vec<Fault> {
    let at = |field: &str| format!("$.instance_types[{index}].{field}");
    let InstanceType { name, overprovisioned_ondemand_count: kept, max_count } = wanted;
    let mut faults = Vec::new();
    if let Err(message) = instances::image(name) {
        faults.push(Fault::new(at("name"), message));
    }
    if kept > max_count {
        faults.push(Fault::new(at("overprovisioned_ondemand_count"), format!("{kept} is more than max_count ({max_count})")));
    }
    if earlier.iter().any(|earlier| earlier.name == *name) {
        faults.push(Fault::new(at("name"), format!("{name} is listed twice")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_every_instance_type_is_named() {
        let of = |name: &str, kept, max| InstanceType { name: name.into(), overprovisioned_ondemand_count: kept, max_count: max };
        let wanted = vec![of("g4dn.xlarge", 3, 2), of("g4dn.xlarge", 2, 2), of("g4ad.xlarge", 0, 10)];
        let found: Vec<(String, String)> = wanted.check().into_iter().map(|fault| (fault.path, fault.message)).collect();
        let expected = [
            ("$.instance_types[0].overprovisioned_ondemand_count", "3 is more than max_count (2)"),
            ("$.instance_types[1].name", "g4dn.xlarge is listed twice"),
            ("$.instance_types[2].name", "g4ad has AMD GPUs; EKS has images for NVIDIA GPUs only: choose g4dn, g5 or g6"),
        ];
        assert_eq!(found, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
    }
}
