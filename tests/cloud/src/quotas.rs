//! The quotas that a cluster can meet: AWS's codes and names, and what a new account has of each.
//!
//! Sources: "Amazon VPC quotas" (VPC User Guide), "Amazon EC2 service quotas", "Amazon EKS endpoints and quotas", "IAM and AWS STS quotas",
//! "Amazon S3 endpoints and quotas" (AWS General Reference). Left out are those that no cluster of ours meets, because it makes its own VPC
//! with a few things in it: subnets and route tables of a VPC, routes, rules and security groups.

use crate::account::Account;

pub struct Quota {
    /// `L-F678F1CE`
    pub code: &'static str,
    /// As Service Quotas names the service: `vpc`.
    pub service: &'static str,
    pub name: &'static str,
    /// What an account has that has not asked for more.
    pub default: u32,
}

const fn quota(code: &'static str, service: &'static str, name: &'static str, default: u32) -> Quota {
    Quota { code, service, name, default }
}

pub const STANDARD: Quota = quota("L-1216C47A", "ec2", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5);
pub const G_AND_VT: Quota = quota("L-DB2E81BA", "ec2", "Running On-Demand G and VT instances", 0);
pub const P: Quota = quota("L-417A185B", "ec2", "Running On-Demand P instances", 0);
pub const X: Quota = quota("L-7295265B", "ec2", "Running On-Demand X instances", 0);
pub const SPOT_STANDARD: Quota = quota("L-34B43A08", "ec2", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5);
pub const SPOT_G_AND_VT: Quota = quota("L-3819A6DF", "ec2", "All G and VT Spot Instance Requests", 0);
pub const SPOT_P: Quota = quota("L-7212CCBC", "ec2", "All P4, P3 and P2 Spot Instance Requests", 0);
pub const SPOT_X: Quota = quota("L-E3A00192", "ec2", "All X Spot Instance Requests", 0);
pub const ADDRESSES: Quota = quota("L-0263D0A3", "ec2", "EC2-VPC Elastic IPs", 5);
pub const VPCS: Quota = quota("L-F678F1CE", "vpc", "VPCs per Region", 5);
pub const INTERNET_GATEWAYS: Quota = quota("L-A4707A72", "vpc", "Internet gateways per Region", 5);
pub const NAT_GATEWAYS: Quota = quota("L-FE5A380F", "vpc", "NAT gateways per Availability Zone", 5);
pub const GATEWAY_ENDPOINTS: Quota = quota("L-1B52E74A", "vpc", "Gateway VPC endpoints per Region", 20);
pub const CLUSTERS: Quota = quota("L-1194D53C", "eks", "Clusters", 100);
pub const NODE_GROUPS: Quota = quota("L-6D54EA21", "eks", "Managed node groups per cluster", 30);
pub const NODES: Quota = quota("L-BD136A63", "eks", "Nodes per managed node group", 450);
pub const BUCKETS: Quota = quota("L-DC2B2D3D", "s3", "General purpose buckets", 10_000);
pub const ROLES: Quota = quota("L-FE177D64", "iam", "Roles per account", 1000);

pub const ALL: [&Quota; 18] = [
    &STANDARD,
    &G_AND_VT,
    &P,
    &X,
    &SPOT_STANDARD,
    &SPOT_G_AND_VT,
    &SPOT_P,
    &SPOT_X,
    &ADDRESSES,
    &VPCS,
    &INTERNET_GATEWAYS,
    &NAT_GATEWAYS,
    &GATEWAY_ENDPOINTS,
    &CLUSTERS,
    &NODE_GROUPS,
    &NODES,
    &BUCKETS,
    &ROLES,
];

impl Quota {
    /// What this account may have.
    pub fn of(&self, account: &Account) -> u32 {
        account.quotas.get(self.code).copied().unwrap_or(self.default)
    }

    /// One for the account, and not for each region.
    pub fn is_global(&self) -> bool {
        ["iam", "s3"].contains(&self.service)
    }

    /// What AWS itself has put into each region of an account: a VPC with a way out.
    /// Source: "Default VPCs" (VPC User Guide).
    pub fn given(&self) -> u32 {
        u32::from([VPCS.code, INTERNET_GATEWAYS.code].contains(&self.code))
    }
}
