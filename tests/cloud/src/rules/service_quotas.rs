//! Service Quotas tells what an account's quotas are. The AWS behind does not have it.
//!
//! Source: the Service Quotas API reference. Quotas of global services are told in us-east-1 only.

use super::Rule;
use crate::account::Account;
use crate::answer::{Answer, Refusal, json_answer};
use crate::call::Call;
use crate::quotas::{self, Quota};
use crate::world::World;
use serde_json::{Value, json};

pub struct ServiceQuotas;

impl Rule for ServiceQuotas {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        if call.service != "servicequotas" {
            return None;
        }
        let plain = Account::default();
        let account = if call.action.contains("AWSDefault") { &plain } else { world.account(&call.access_key) };
        let told = |quota: &&Quota| shown(quota, quota.of(account), &call.region, world.number(&call.access_key));
        let mut asked = quotas::ALL.into_iter().filter(|quota| is_asked(quota, call));
        Some(match call.action.as_str() {
            "ListServiceQuotas" | "ListAWSDefaultServiceQuotas" => {
                json_answer(&json!({"Quotas": asked.map(|quota| told(&quota)).collect::<Vec<_>>()}))
            }
            "GetServiceQuota" | "GetAWSDefaultServiceQuota" => match asked.next() {
                Some(quota) => json_answer(&json!({"Quota": told(&quota)})),
                None => Refusal::new(400, "NoSuchResourceException", "The request failed because the specified quota does not exist.")
                    .answer(&call.service),
            },
            _ => return None,
        })
    }
}

fn is_asked(quota: &Quota, call: &Call) -> bool {
    let is_named = call.json["QuotaCode"].as_str().is_none_or(|code| code == quota.code);
    let is_here = !quota.is_global() || call.region == "us-east-1";
    is_named && is_here && call.json["ServiceCode"] == quota.service
}

fn shown(quota: &Quota, value: u32, region: &str, account: &str) -> Value {
    let Quota { code, service, name, .. } = quota;
    let place = if quota.is_global() { "" } else { region };
    json!({
        "ServiceCode": service, "QuotaCode": code, "QuotaName": name, "Value": f64::from(value), "Unit": "None", "Adjustable": true,
        "GlobalQuota": quota.is_global(), "QuotaArn": format!("arn:aws:servicequotas:{place}:{account}:{service}/{code}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::json_of;
    use bytes::Bytes;
    use http::Request;

    fn asked(action: &str, region: &str, body: &Value) -> Value {
        let mut world = World::new(1, 1.0);
        let quotas = [("L-F678F1CE".to_owned(), 20)].into();
        world.accounts.insert("222222222222".into(), Account { quotas, ..Account::default() });
        let scope = format!("AWS4-HMAC-SHA256 Credential=222222222222/20260101/{region}/servicequotas/aws4_request, SignedHeaders=host");
        let request = Request::post("/").header("authorization", scope).header("x-amz-target", format!("ServiceQuotasV20190624.{action}"));
        let call = Call::read(request.body(Bytes::from(body.to_string())).expect("valid"));
        json_of(&ServiceQuotas.before(&call, &mut world).expect("an answer")).expect("JSON")
    }

    #[tokio::test]
    async fn what_an_account_was_given_is_told_and_otherwise_the_default() {
        let vpcs = json!({"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"});
        let roles = json!({"ServiceCode": "iam", "QuotaCode": "L-FE177D64"});
        for (action, region, question, value, why) in [
            ("GetServiceQuota", "us-west-2", &vpcs, 20.0, "as granted"),
            ("GetAWSDefaultServiceQuota", "us-west-2", &vpcs, 5.0, "before that"),
            ("GetServiceQuota", "us-east-1", &roles, 1000.0, "never asked for"),
        ] {
            let told = asked(action, region, question);
            assert_eq!(told["Quota"]["Value"], value, "{why}: {told}");
        }
        assert_eq!(asked("GetServiceQuota", "us-west-2", &roles)["__type"], "NoSuchResourceException", "IAM's are told in us-east-1");
        let listed = asked("ListServiceQuotas", "us-west-2", &json!({"ServiceCode": "vpc"}));
        let names: Vec<&str> = listed["Quotas"].as_array().into_iter().flatten().filter_map(|quota| quota["QuotaName"].as_str()).collect();
        assert_eq!(names.len(), 4, "{names:?}");
    }
}
