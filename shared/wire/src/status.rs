//! A cluster's status, the state that it is to reach, and who may reach its endpoint.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Where a cluster is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Accepted; its execution has not begun.
    Queued,
    /// It is being created.
    Provisioning,
    /// It is ready.
    Running,
    /// Parked: what exists is kept, and a retry goes on from there.
    Failed,
    /// It is being removed.
    Terminating,
    /// Removed except for what `inventory.left` lists; Groundwork tries again by itself.
    DeleteBlocked,
    /// Nothing of it is left except what `inventory.kept` lists.
    Deleted,
    /// Given up, because its account lets nobody in any more; `inventory.left` lists what may still be there.
    Forgotten,
}

impl Status {
    /// The words of the API, the same as the serialized ones.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// True if the cluster can be retried.
    pub fn is_parked(self) -> bool {
        match self {
            Status::Failed | Status::DeleteBlocked => true,
            Status::Queued | Status::Provisioning | Status::Running | Status::Terminating | Status::Deleted | Status::Forgotten => false,
        }
    }

    /// True once nothing will happen to the cluster any more, and its name is free.
    pub fn is_over(self) -> bool {
        match self {
            Status::Deleted | Status::Forgotten => true,
            Status::Queued | Status::Provisioning | Status::Running | Status::Failed | Status::Terminating | Status::DeleteBlocked => false,
        }
    }

    /// True as long as Groundwork itself has something to do.
    pub fn is_unsettled(self) -> bool {
        match self {
            Status::Queued | Status::Provisioning | Status::Terminating | Status::DeleteBlocked => true,
            Status::Running | Status::Failed | Status::Deleted | Status::Forgotten => false,
        }
    }
}

/// What a cluster is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Desired {
    Present,
    Absent,
}

/// Who may reach the cluster's public endpoint, and who decided that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointAccess {
    /// Open to the ranges that the request gave.
    Given,
    /// Open to the address that the request came from.
    Requester,
    /// Closed: the request gave no ranges, or an empty list.
    Closed,
    /// As the customer made it, because the cluster is theirs.
    Customer,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_has_its_word_and_says_whose_turn_it_is() {
        for (status, name, parked, unsettled, over) in [
            (Status::Queued, "queued", false, true, false),
            (Status::Provisioning, "provisioning", false, true, false),
            (Status::Running, "running", false, false, false),
            (Status::Failed, "failed", true, false, false),
            (Status::Terminating, "terminating", false, true, false),
            (Status::DeleteBlocked, "delete_blocked", true, true, false),
            (Status::Deleted, "deleted", false, false, true),
            (Status::Forgotten, "forgotten", false, false, true),
        ] {
            assert_eq!((json!(status), status.name()), (json!(name), name));
            assert_eq!((status.is_parked(), status.is_unsettled(), status.is_over()), (parked, unsettled, over), "{name}");
        }
    }

    #[test]
    fn a_records_other_enums_have_their_words_too() {
        assert_eq!(json!([Desired::Present, Desired::Absent]), json!(["present", "absent"]));
        let access = [EndpointAccess::Given, EndpointAccess::Requester, EndpointAccess::Closed, EndpointAccess::Customer];
        assert_eq!(json!(access), json!(["given", "requester", "closed", "customer"]));
    }
}
