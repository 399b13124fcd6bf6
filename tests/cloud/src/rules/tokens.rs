//! A create call with a client token is done once; a second one with the same token is answered as the first was.

use super::Rule;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::world::World;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Tokens {
    /// Signer's account or session, call and token → what was asked, what was answered.
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
        if let Some(key) = key(call, world).filter(|_| answer.status().is_success()) {
            self.answered.insert(key, (call.form.clone(), answer.clone()));
        }
    }
}
