//! In an account that blocks public access to S3, no bucket gets a policy that lets everybody in, whatever the bucket's own settings say.
//! Those are accepted there as everywhere; the account's go over them.
//!
//! Source: "Blocking public access to your Amazon S3 storage" (S3 user guide); seen in
//! <https://github.com/aws-samples/unishop-monolith-to-microservices/issues/47>.

use super::Rule;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::world::World;
use serde_json::Value;

pub struct PublicBuckets;

impl Rule for PublicBuckets {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let refused = call.name() == "s3:PutBucketPolicy" && world.account(&call.access_key).blocks_public_buckets && is_public(&call.json);
        let message = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.";
        refused.then(|| Refusal::new(403, "AccessDenied", message).answer(&call.service))
    }
}

/// A condition may close what the principal opens; no policy here has one that does not.
fn is_public(policy: &Value) -> bool {
    let mut statements = policy["Statement"].as_array().into_iter().flatten();
    statements.any(|one| one["Effect"] == "Allow" && one["Condition"].is_null() && names_everybody(&one["Principal"]))
}

fn names_everybody(principal: &Value) -> bool {
    match principal {
        Value::String(name) => name == "*",
        Value::Array(names) => names.iter().any(names_everybody),
        Value::Object(kinds) => kinds.get("AWS").is_some_and(names_everybody),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use bytes::Bytes;
    use http::Request;
    use serde_json::json;

    fn policy(effect: &str, principal: &Value) -> Call {
        let scope = "AWS4-HMAC-SHA256 Credential=222222222222/20260101/us-west-2/s3/aws4_request, SignedHeaders=host";
        let body = json!({"Statement": [{"Effect": effect, "Principal": principal, "Action": "s3:GetObject", "Resource": "*"}]});
        let request = Request::put("/bucket?policy").header("authorization", scope);
        Call::read(request.body(Bytes::from(body.to_string())).expect("valid"))
    }

    #[tokio::test]
    async fn only_an_account_that_blocks_public_access_refuses_what_lets_everybody_in() {
        let (mut plain, mut company) = (World::new(1, 1.0), World::new(1, 1.0));
        company.accounts.insert("222222222222".into(), Account { blocks_public_buckets: true, ..Account::default() });
        for (effect, principal, refused, reason) in [
            ("Allow", json!("*"), true, "everybody"),
            ("Allow", json!({"AWS": "*"}), true, "everybody, by another spelling"),
            ("Allow", json!({"AWS": ["333333333333", "*"]}), true, "everybody, among others"),
            ("Allow", json!({"AWS": ["333333333333"]}), false, "an account is not everybody"),
            ("Allow", json!({"Service": "cloudtrail.amazonaws.com"}), false, "a service is not everybody"),
            ("Deny", json!("*"), false, "it lets nobody in"),
        ] {
            let call = policy(effect, &principal);
            assert_eq!(PublicBuckets.before(&call, &mut company).is_some(), refused, "{reason}");
            assert!(PublicBuckets.before(&call, &mut plain).is_none(), "{reason}");
        }
    }
}
