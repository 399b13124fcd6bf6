//! Which node groups an account may run: EC2 counts the vCPUs of running instances, by family.

use crate::instance_types;
use crate::quotas::{G_AND_VT, P, Quota, STANDARD, X};
use crate::world::{Issue, Kind, Life, World};

/// Why EC2 does not launch the instances of a node group: the groups that run already have the account's vCPUs. EKS tells it in the words
/// of EC2: <https://github.com/aws/aws-parallelcluster/issues/1115>.
pub fn lacking(group: &str, world: &World) -> Option<Issue> {
    let owner = world.usage.owner(group)?;
    let (quota, wanted) = wanted_by(world.lives.get(group)?)?;
    let limit = quota.of(world.numbered(&owner.account));
    let runs = |(name, life): &(&String, &Life)| life.kind == Kind::NodeGroup && life.joined && world.usage.owner(name) == Some(owner);
    let others = world.lives.iter().filter(runs).filter_map(|(_, life)| wanted_by(life)).filter(|(other, _)| other.code == quota.code);
    let running: u64 = others.map(|(_, count)| count).sum();
    let message = format!(
        "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of \
         {limit} allows for the instance bucket that the specified instance type belongs to. Please visit \
         http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. Launching EC2 instance failed."
    );
    (wanted > 0 && running + wanted > u64::from(limit)).then(|| Issue { code: "AsgInstanceLaunchFailures".into(), message })
}

/// The vCPUs of a node group's instances, and the quota that they count towards. None for families that have another one.
fn wanted_by(life: &Life) -> Option<(&'static Quota, u64)> {
    let instance_type = life.body["instanceTypes"][0].as_str().unwrap_or("t3.medium");
    let family: String = instance_type.chars().take_while(char::is_ascii_alphabetic).collect();
    let quota = match family.as_str() {
        "a" | "c" | "d" | "h" | "i" | "im" | "is" | "m" | "r" | "t" | "z" => &STANDARD,
        "g" | "gr" | "vt" => &G_AND_VT,
        "p" => &P,
        "x" => &X,
        _ => return None,
    };
    let vcpus = instance_types::find(instance_type)?.vcpus;
    Some((quota, life.body["scalingConfig"]["desiredSize"].as_u64().unwrap_or_default() * u64::from(vcpus)))
}
