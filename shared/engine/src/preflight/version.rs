//! Whether EKS makes clusters of the version of Kubernetes that was asked for, and on which terms.

use crate::context::Context;
use crate::errors::{Called, Error, Result};
use aws_sdk_eks::types::{ClusterVersionInformation, VersionStatus};
use jiff::Timestamp;
use wire::error::Code;
use wire::spec::{Kubernetes, UpgradePolicy};

/// EKS has versions of its own for clusters on Outposts.
const IN_THE_REGION: &str = "eks";

/// A cluster of an earlier version of Groundwork has EKS's default version.
///
/// # Errors
/// `Customer` if EKS does not make clusters of that version, or only for the price of extended support, and nobody has asked for that.
pub async fn check(cx: &Context) -> Result<()> {
    let Kubernetes { version, upgrade_policy, .. } = cx.cluster.spec.kubernetes();
    let Some(wanted) = version else { return Ok(()) };
    let request = cx.aws.eks.describe_cluster_versions().cluster_type(IN_THE_REGION);
    let all: Vec<_> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("eks:DescribeClusterVersions")?;
    judge(&wanted, upgrade_policy == Some(UpgradePolicy::Extended), &all, &cx.cluster.spec.region)
}

fn judge(wanted: &str, may_be_extended: bool, all: &[ClusterVersionInformation], region: &str) -> Result<()> {
    let found = all.iter().find(|one| one.cluster_version() == Some(wanted));
    match found.and_then(ClusterVersionInformation::version_status) {
        Some(VersionStatus::StandardSupport) => Ok(()),
        Some(VersionStatus::ExtendedSupport) if may_be_extended => Ok(()),
        Some(VersionStatus::ExtendedSupport) => {
            let reason = format!("EKS has Kubernetes {wanted} only in extended support, and kubernetes.upgrade_policy is standard.");
            Err(Error::of(Code::ExtendedSupport, format!("{reason} {}", offer(all, region))))
        }
        _ => Err(Error::of(Code::VersionNotOffered, format!("EKS makes no clusters of Kubernetes {wanted}. {}", offer(all, region)))),
    }
}

/// In the order in which EKS lists them, which is the newest first.
fn offer(all: &[ClusterVersionInformation], region: &str) -> String {
    let offered: Vec<String> = all.iter().filter_map(terms).collect();
    format!("In {region} it has {}.", offered.join(", "))
}

/// None for a version that has ended.
fn terms(one: &ClusterVersionInformation) -> Option<String> {
    let (support, end) = match one.version_status()? {
        VersionStatus::StandardSupport => ("standard", one.end_of_standard_support_date()),
        VersionStatus::ExtendedSupport => ("extended", one.end_of_extended_support_date()),
        _ => return None,
    };
    let until = end.and_then(|end| Timestamp::from_second(end.secs()).ok()).map(|end| format!(" until {}", end.strftime("%F")));
    Some(format!("{} ({support} support{})", one.cluster_version()?, until.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eks::primitives::DateTime;

    fn version(number: &str, status: VersionStatus, standard: &str, extended: &str) -> ClusterVersionInformation {
        let date = |day: &str| DateTime::from_secs(format!("{day}T00:00:00Z").parse::<Timestamp>().expect("a day").as_second());
        let one = ClusterVersionInformation::builder().cluster_version(number).version_status(status);
        one.end_of_standard_support_date(date(standard)).end_of_extended_support_date(date(extended)).build()
    }

    #[test]
    fn a_version_is_one_that_eks_has_and_for_the_price_that_was_asked_for() {
        let all = [
            version("1.35", VersionStatus::StandardSupport, "2027-03-27", "2028-03-27"),
            version("1.33", VersionStatus::ExtendedSupport, "2026-07-29", "2027-07-29"),
            version("1.28", VersionStatus::Unsupported, "2024-11-26", "2025-11-26"),
        ];
        let offered = "In us-west-2 it has 1.35 (standard support until 2027-03-27), 1.33 (extended support until 2027-07-29).";
        let ended = |wanted: &str| Some((Code::VersionNotOffered, format!("EKS makes no clusters of Kubernetes {wanted}. {offered}")));
        let only = "EKS has Kubernetes 1.33 only in extended support, and kubernetes.upgrade_policy is standard.";
        for (wanted, may_be_extended, expected, reason) in [
            ("1.35", false, None, "in standard support"),
            ("1.35", true, None, "and some day in extended support"),
            ("1.33", true, None, "for its price"),
            ("1.33", false, Some((Code::ExtendedSupport, format!("{only} {offered}"))), "nobody asked for that price"),
            ("1.28", true, ended("1.28"), "it has ended"),
            ("1.99", true, ended("1.99"), "nobody has it"),
        ] {
            let found = judge(wanted, may_be_extended, &all, "us-west-2").err().map(|error| (error.code, error.reason));
            assert_eq!(found, expected, "{reason}");
        }
    }
}
