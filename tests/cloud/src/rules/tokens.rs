//! A create call with a client token is done once; a second one with the same token gets the same answer.

use super::Rule;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::world::World;
use crate::xml;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Tokens {
    /// Signer's account or session, call and token → the question and the answer.
    answered: BTreeMap<(String, String), (BTreeMap<String, String>, Answer)>,
}

fn key(call: &Call, world: &World) -> Option<(String, String)> {
    let token = call.field("ClientToken")?;
    let account = world.caller(&call.access_key).split(':').nth(4).unwrap_or_default();
    Some((account.to_owned(), format!("{} {token}", call.name())))
}

impl Rule for Tokens {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let (asked, answer) = self.answered.get(&key(call, world)?)?;
        if *asked == call.form {
            return Some(answer.clone());
        }
        let message = "The client token was used before with other parameters.";
        Some(Refusal::new(400, "IdempotentParameterMismatch", message).answer(&call.service))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if call.action == "DeleteVpcEndpoints" {
            call.list("VpcEndpointId").for_each(|id| self.forget(id));
        }
        if let Some(key) = key(call, world).filter(|_| answer.status().is_success()) {
            self.answered.insert(key, (call.form.clone(), answer.clone()));
        }
    }
}

impl Tokens {
    /// AWS lists dead things for a while, and callers that see them use another token. The AWS behind lists no dead endpoints.
    fn forget(&mut self, id: &str) {
        self.answered.retain(|_, (_, answer)| xml::text_of(answer, "vpcEndpointId") != Some(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::ec2 as call;

    #[tokio::test]
    async fn a_token_makes_one_endpoint_until_that_is_deleted() {
        let (mut tokens, mut world) = (Tokens::default(), World::new(1, 1.0));
        let create = call("Action=CreateVpcEndpoint&ClientToken=t");
        tokens.after(&create, &mut Answer::new("<r><vpcEndpointId>vpce-1</vpcEndpointId></r>".into()), &mut world);
        assert!(tokens.before(&create, &mut world).is_some());
        tokens.after(&call("Action=DeleteVpcEndpoints&VpcEndpointId.1=vpce-1"), &mut Answer::default(), &mut world);
        assert!(tokens.before(&create, &mut world).is_none());
    }
}
