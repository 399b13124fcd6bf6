//! Which tenant a customer's role belongs to: the first whose external ID the role was seen to trust.

use super::{Records, transact_put};
use crate::errors::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Claim {
    tenant: String,
}

impl Records {
    /// Claims a role for a tenant; asked again, nothing new happens. False: another tenant has it.
    /// Only for a role that passed the trust test, or anybody could keep others from theirs.
    pub async fn claim_role(&self, tenant: &str, arn: &str) -> Result<bool> {
        let claim = Claim { tenant: tenant.to_owned() };
        let put = self
            .put(&role_pk(arn), "CLAIM", &claim)?
            .condition_expression("attribute_not_exists(pk) OR tenant = :tenant")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_owned()));
        self.commit(vec![transact_put(put)?]).await
    }

    /// True for a role that another tenant has claimed.
    pub async fn role_of_another(&self, tenant: &str, arn: &str) -> Result<bool> {
        let claim: Option<Claim> = self.get(&role_pk(arn), "CLAIM").await?;
        Ok(claim.is_some_and(|claim| claim.tenant != tenant))
    }
}

/// No two roles of an account differ in case only, so spelling one otherwise makes it no other role.
fn role_pk(arn: &str) -> String {
    format!("ROLE#{}", arn.to_lowercase())
}
