//! What the journal names and this version of Groundwork does not know: a newer one made it, before it was rolled back.

use crate::context::Context;
use crate::errors::{Error, Result};
use crate::resource::{Leftover, Planned, Removed};
use async_trait::async_trait;
use wire::error::Code;
use wire::key::Key;
use wire::stage::Stage;

pub struct Unknown {
    pub text: String,
}

impl Planned for Unknown {
    fn key(&self) -> Key {
        Key::Unknown(self.text.clone())
    }

    fn stage(&self) -> Stage {
        Stage::Teardown
    }
}

#[async_trait]
impl Removed for Unknown {
    async fn find(&self, _: &Context) -> Result<Vec<Leftover>> {
        let reason = format!("A newer version of Groundwork made {}, and this one does not know how to remove it.", self.text);
        Err(Error {
            hint: "Ask the operator to deploy the newer version again, then retry.".into(),
            ..Error::permanent(Code::UnknownResource, reason)
        })
    }

    async fn remove(&self, cx: &Context, _: &[Leftover]) -> Result<()> {
        self.find(cx).await.map(drop)
    }
}
