//! A tenant's own external ID: random, made by us once, never chosen by anybody.

use super::{Records, names::tenant_pk, transact_put};
use crate::errors::{Error, Result};
use serde::{Deserialize, Serialize};
use wire::error::Code;

#[derive(Serialize, Deserialize)]
struct Profile {
    external_id: String,
}

impl Records {
    pub(super) async fn tenants_external_id(&self, tenant: &str) -> Result<String> {
        let pk = tenant_pk(tenant);
        for _ in 0..crate::desk::ATTEMPTS {
            if let Some(profile) = self.get::<Profile>(&pk, "PROFILE").await? {
                return Ok(profile.external_id);
            }
            let fresh = Profile { external_id: crate::names::new_external_id() };
            let put = self.put(&pk, "PROFILE", &fresh)?.condition_expression("attribute_not_exists(pk)");
            // The second writer reads what the first one wrote.
            if self.commit(vec![transact_put(put)?]).await? {
                return Ok(fresh.external_id);
            }
        }
        Err(Error::of(Code::Contention, "The tenant's profile is being written by others."))
    }
}
