//! The stages: the parts of a run, each its own Lambda function.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

/// In the order of a run; the last one removes everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Display, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Stage {
    Validate,
    AssumeRole,
    CreateBuckets,
    CreateEks,
    CreateNodegroups,
    Furnish,
    Teardown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_written_in_the_same_way_everywhere() {
        for stage in Stage::VARIANTS {
            assert_eq!(serde_json::json!(stage), stage.to_string());
        }
    }
}
