//! The role by which EC2 runs spot instances: one for the whole account, which AWS keeps.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html>: only the console makes it,
//! whoever asks for spot by an API has to see that it is there.

use super::owned::list_roles;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};

const SERVICE: &str = "spot.amazonaws.com";

/// Makes it if the account has none. Looks first, because an organization may let nobody make such roles.
pub async fn has_its_role(cx: &Context) -> Result<()> {
    if !list_roles(cx, &format!("/aws-service-role/{SERVICE}/")).await?.is_empty() {
        return Ok(());
    }
    let made = cx.aws.iam.create_service_linked_role().aws_service_name(SERVICE).send().await.called("iam:CreateServiceLinkedRole");
    // It is there by now: "has been taken in this account".
    made.done_if(&["InvalidInput"])
}
