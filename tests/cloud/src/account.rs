//! What only some companies' accounts have: policies of their organization, GuardDuty, other quotas. A plain account has none of it.

use serde::Deserialize;
use std::collections::BTreeMap;

/// `local/cloud.py` reads it, too.
const COMPANY: &str = include_str!("../company.json");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// The only regions in which a service control policy of the organization allows calls to regional services. If empty, all.
    pub only_regions: Vec<String>,
    /// The key of a tag without which a service control policy denies to make anything that can have tags.
    pub demanded_tag: Option<String>,
    /// A service control policy denies control planes with a public endpoint.
    pub private_endpoints_only: bool,
    /// GuardDuty's Runtime Monitoring manages its agent: each VPC with a cluster gets an endpoint and a security group of GuardDuty's.
    pub guard_duty: bool,
    /// Regions that AWS enables on request only and this account has enabled; the operator's has not.
    pub opted_in: Vec<String>,
    /// S3 Block Public Access is on for the whole account.
    pub blocks_public_buckets: bool,
    /// VPC Block Public Access is on: internet gateways and NAT gateways let nothing through.
    pub blocks_internet: bool,
    /// VPCs and subnets that are exempted from it outwards, by id.
    pub exempted: Vec<String>,
    /// Subnets with no free address left, by id.
    pub full_subnets: Vec<String>,
    /// Each cluster gets a control plane of its own, run by `kubernetes eks` of tests/kubernetes.
    pub kubernetes: bool,
    /// Quota code → value, where AWS has granted another one than its default.
    pub quotas: BTreeMap<String, u32>,
}

impl Account {
    /// What a company's account has when clusters are about to be made in it.
    pub fn company() -> Self {
        serde_json::from_str(COMPANY).expect("the fields above")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotas;

    #[test]
    fn a_company_has_more_than_aws_gives_a_new_account() {
        let company = Account::company();
        for (code, value) in &company.quotas {
            let quota = quotas::ALL.into_iter().find(|quota| quota.code == code).expect("a quota that is enforced");
            assert!(*value > quota.default, "{}", quota.name);
        }
    }
}
