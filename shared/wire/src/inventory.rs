//! What is still in an account after a teardown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is still in the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// In words: `subnet`, `load balancer`.
    pub kind: String,
    /// The id, name or ARN by which the tenant finds it.
    pub id: String,
    /// Why it counts as this cluster's, or why it is kept.
    pub why: String,
    /// How much of it there is, in words: `8 GiB`, `more than 1000 object versions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// A command of the AWS CLI that removes it for good, if it is kept and the tenant may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<String>,
}

impl Found {
    pub fn new(kind: &str, id: impl Into<String>, why: &str) -> Self {
        Self { kind: kind.into(), id: id.into(), why: why.into(), size: None, remove: None }
    }
}

/// What the last look at the account found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// What has to go before the cluster counts as deleted.
    pub left: Vec<Found>,
    /// What stays on purpose.
    pub kept: Vec<Found>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_inventory_is_stored_and_shown_as_two_lists() {
        let inventory = Inventory { left: vec![Found::new("subnet", "subnet-1", "its tag")], kept: vec![] };
        let row = json!({"left": [{"kind": "subnet", "id": "subnet-1", "why": "its tag"}], "kept": []});
        assert_eq!(json!(inventory), row);
        assert_eq!(serde_json::from_value::<Inventory>(row).expect("an inventory"), inventory);
        let (size, remove) = (Some("8 GiB".to_owned()), Some("aws ec2 delete-volume --volume-id vol-1".to_owned()));
        let kept = Found { size, remove, ..Found::new("volume", "vol-1", "a claim's") };
        let row = json!({
            "kind": "volume", "id": "vol-1", "why": "a claim's", "size": "8 GiB", "remove": "aws ec2 delete-volume --volume-id vol-1"
        });
        assert_eq!(json!(kept), row);
        assert_eq!(serde_json::from_value::<Found>(row).expect("a thing"), kept);
    }
}
