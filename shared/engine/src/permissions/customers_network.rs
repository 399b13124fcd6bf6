//! What clusters in a VPC of the customer's need besides. It would reach every network of the account, so the quick-start grants it only of
//! the VPCs that the customer names (`NetworkVpcs`), and to nobody else.

use super::document::Statement;
use wire::names::Names;
use wire::spec::Spec;
use wire::stage::Stage;

/// `*` is the partition, for which the policy has no room.
const SUBNET: &str = "arn:*:ec2:*:${account}:subnet/*";
/// Of every subnet, route table and interface AWS tells the VPC.
pub const CONDITION: &str = "ec2:Vpc";
pub const OPERATOR: &str = "ArnLike";

/// A statement that is there only if the customer names VPCs, whose ARNs stand where [`Part::place`] says.
pub struct Part {
    /// The policy that it belongs to: a stage's, or the boundary.
    pub stage: Option<Stage>,
    pub place: Place,
    sid: &'static str,
    action: &'static str,
    pub why: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In `Resource`.
    Resource,
    /// In the condition [`CONDITION`].
    Condition,
}

pub const PARTS: [Part; 3] = [
    Part {
        stage: Some(Stage::AssumeRole),
        place: Place::Resource,
        sid: "LookAtTheirNetwork",
        action: "ec2:DescribeVpcAttribute",
        why: "See whether the customer's VPC has DNS names.",
    },
    Part {
        stage: Some(Stage::CreateNodegroups),
        place: Place::Condition,
        sid: "LaunchInTheirNetwork",
        action: "ec2:RunInstances",
        why: "Only into the VPCs that the customer names; what is launched is granted elsewhere.",
    },
    Part {
        stage: None,
        place: Place::Condition,
        sid: "InterfacesInTheirNetwork",
        action: "ec2:CreateNetworkInterface",
        why: "Pods' interfaces in the VPCs that the customer names.",
    },
];

impl Part {
    /// With these ARNs of VPCs.
    pub fn statement(&self, vpcs: &[&str], names: &Names) -> Statement {
        match self.place {
            Place::Resource => Statement::allow(self.sid, &[self.action], vpcs, &[], names),
            Place::Condition => {
                let vpcs = vpcs.iter().map(|vpc| (*vpc).to_owned()).collect();
                Statement::allow(self.sid, &[self.action], &[SUBNET], &[], names).when(OPERATOR, CONDITION, vpcs)
            }
        }
    }

    /// `create-nodegroups`, or `boundary`.
    pub fn policy(&self) -> String {
        self.stage.map_or("boundary".into(), |stage| stage.to_string())
    }
}

/// What a customer writes into `NetworkVpcs`.
pub fn vpc_arn(spec: &Spec, vpc: &str) -> String {
    format!("arn:{}:ec2:{}:{}:vpc/{vpc}", spec.partition(), spec.region, spec.account())
}

#[cfg(test)]
mod tests {
    use super::super::{boundary, document::Document, policy};
    use super::*;

    const NAMES: Names<'static> = Names { partition: "aws-us-gov", account: "222222222222", role: "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr" };
    const VPC: &str = "arn:aws-us-gov:ec2:us-gov-west-1:222222222222:vpc/vpc-0123456789abcdef0";

    /// IAM's quota for a managed policy.
    #[test]
    fn every_policy_has_room_for_four_vpcs_of_the_customer_and_the_boundary_for_a_dozen_repositories_besides() {
        let repository = format!("arn:aws-us-gov:ecr:us-gov-west-1:222222222222:repository/{}", "n".repeat(16));
        for part in &PARTS {
            let mut document: Document = part.stage.map_or_else(|| boundary::policy(&NAMES), |stage| policy(stage, &NAMES));
            document.statement.push(part.statement(&[VPC; 4], &NAMES));
            if part.stage.is_none() {
                document.statement.push(boundary::pull_own_images(&[repository.as_str(); 12]));
            }
            assert!(document.compact().len() <= 6144, "{}: {}", part.policy(), document.compact().len());
        }
    }
}
