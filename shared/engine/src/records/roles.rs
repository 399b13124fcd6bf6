//! Which tenant a customer's role belongs to: the first one whose external ID the role was seen to trust.

use super::{Records, transact_put};
use crate::errors::{Called, Result, Unless};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Claim {
    tenant: String,
}

impl Records {
    pub(super) async fn put_claim(&self, tenant: &str, arn: &str) -> Result<bool> {
        let claim = Claim { tenant: tenant.to_owned() };
        let put = self
            .put(&role_pk(arn), "CLAIM", &claim)?
            .condition_expression("attribute_not_exists(pk) OR tenant = :tenant")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_owned()));
        self.commit(vec![transact_put(put)?]).await
    }

    /// Drops the tenant's claim; another tenant's stays.
    pub(super) async fn drop_claim(&self, tenant: &str, arn: &str) -> Result<()> {
        let sent = self
            .db
            .delete_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(role_pk(arn)))
            .key("sk", AttributeValue::S("CLAIM".into()))
            .condition_expression("tenant = :tenant")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_owned()))
            .send()
            .await;
        sent.called("dynamodb:DeleteItem").done_if(&["ConditionalCheckFailedException"])
    }

    /// The tenant that has claimed the role.
    pub(super) async fn claimed_by(&self, arn: &str) -> Result<Option<String>> {
        let claim: Option<Claim> = self.get(&role_pk(arn), "CLAIM").await?;
        Ok(claim.map(|claim| claim.tenant))
    }
}

/// No two roles of an account differ only in case, so another spelling is still the same role.
fn role_pk(arn: &str) -> String {
    format!("ROLE#{}", arn.to_lowercase())
}
