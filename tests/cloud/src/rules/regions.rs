//! A region that AWS enables on request knows only the credentials of accounts that have enabled it. STS there is no exception; it is the
//! account of who asks that counts, and a session made elsewhere by a regional endpoint is known wherever its account is.
//!
//! Sources: "Manage AWS STS in an AWS Region" (IAM user guide); awsdocs/iam-user-guide#283; aws/aws-cli#8413.

use super::Rule;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::world::World;
use crate::xml;

pub struct Regions;

impl Rule for Regions {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        // IAM is in no region.
        let unknown = call.service != "iam" && is_on_request(&call.region, world) && !has_enabled(&call.region, call, world);
        unknown.then(|| unknown_credentials(&call.service).answer(&call.service))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if call.name() != "ec2:DescribeRegions" || !answer.status().is_success() {
            return;
        }
        let all = call.field("AllRegions") == Some("true");
        xml::retain_items(answer, |region| {
            let name = xml::child_text(region, "regionName").unwrap_or_default();
            if !is_on_request(&name, world) {
                return true;
            }
            let enabled = has_enabled(&name, call, world);
            xml::set_child(region, "optInStatus", if enabled { "opted-in" } else { "not-opted-in" });
            enabled || all
        });
    }
}

/// Of the regions that AWS enables on request, only those count here that some account has enabled.
fn is_on_request(region: &str, world: &World) -> bool {
    world.accounts.values().any(|account| account.opted_in.iter().any(|one| one == region))
}

fn has_enabled(region: &str, call: &Call, world: &World) -> bool {
    world.account(&call.access_key).opted_in.iter().any(|one| one == region)
}

fn unknown_credentials(service: &str) -> Refusal {
    match service {
        "ec2" => Refusal::new(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        "s3" => Refusal::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
        "eks" | "logs" | "servicequotas" => {
            Refusal::new(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        _ => Refusal::new(403, "InvalidClientTokenId", "The security token included in the request is invalid"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::call::tests::signed;

    #[tokio::test]
    async fn only_accounts_that_have_enabled_the_region_are_known_there() {
        let mut world = World::new(1, 1.0);
        world.accounts.insert("222222222222".into(), Account { opted_in: vec!["us-west-2".into()], ..Account::default() });
        for (key, service, code) in [
            ("222222222222", "sts", ""),
            ("operator", "sts", "InvalidClientTokenId"),
            ("operator", "ec2", "AuthFailure"),
            ("operator", "iam", ""),
        ] {
            let answer = Regions.before(&signed(key, service, "/", "Action=X"), &mut world);
            let text = answer.map(|answer| String::from_utf8_lossy(answer.body()).into_owned()).unwrap_or_default();
            assert_eq!((text.is_empty(), text.contains(code)), (code.is_empty(), true), "{key} {service}: {text}");
        }
    }

    #[tokio::test]
    async fn regions_are_listed_with_what_the_account_has_enabled() {
        let mut world = World::new(1, 1.0);
        world.accounts.insert("222222222222".into(), Account { opted_in: vec!["ap-east-1".into()], ..Account::default() });
        let region = |name: &str| format!("<item><regionName>{name}</regionName><optInStatus>x</optInStatus></item>");
        let regions = format!("<r><regionInfo>{}{}</regionInfo></r>", region("ap-east-1"), region("us-west-2"));
        for (key, form, told, untouched) in
            [("222222222222", "", ">opted-in<", 1), ("operator", "", "us-west-2", 1), ("operator", "&AllRegions=true", ">not-opted-in<", 1)]
        {
            let mut answer = Answer::new(regions.clone().into());
            Regions.after(&signed(key, "ec2", "/", &format!("Action=DescribeRegions{form}")), &mut answer, &mut world);
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            assert!(text.contains(told) && text.matches(">x<").count() == untouched, "{key}{form}: {text}");
            assert_eq!(text.contains("ap-east-1"), told.contains("opted"), "{key}{form}: {text}");
        }
    }
}
