//! Which node groups an account may run: EC2 counts the vCPUs of running instances, by family.

use crate::instance_types;
use crate::quotas::{G_AND_VT, P, Quota, SPOT_G_AND_VT, SPOT_P, SPOT_STANDARD, SPOT_X, STANDARD, X};
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
    let on_demand = format!(
        "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of \
         {limit} allows for the instance bucket that the specified instance type belongs to. Please visit \
         http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. Launching EC2 instance failed."
    );
    let spot = "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded";
    let message = if is_spot(world.lives.get(group)?) { spot.to_owned() } else { on_demand };
    (wanted > 0 && running + wanted > u64::from(limit)).then(|| Issue { code: "AsgInstanceLaunchFailures".into(), message })
}

fn is_spot(life: &Life) -> bool {
    life.body["capacityType"] == "SPOT"
}

/// The vCPUs of a node group's instances, and the quota that they count towards. None for families that have another one.
fn wanted_by(life: &Life) -> Option<(&'static Quota, u64)> {
    let instance_type = life.body["instanceTypes"][0].as_str().unwrap_or("t3.medium");
    let family: String = instance_type.chars().take_while(char::is_ascii_alphabetic).collect();
    let [standard, g, p, x] = match is_spot(life) {
        true => [&SPOT_STANDARD, &SPOT_G_AND_VT, &SPOT_P, &SPOT_X],
        false => [&STANDARD, &G_AND_VT, &P, &X],
    };
    let quota = match family.as_str() {
        "a" | "c" | "d" | "h" | "i" | "im" | "is" | "m" | "r" | "t" | "z" => standard,
        "g" | "gr" | "vt" => g,
        "p" => p,
        "x" => x,
        _ => return None,
    };
    let vcpus = instance_types::find(instance_type)?.vcpus;
    Some((quota, life.body["scalingConfig"]["desiredSize"].as_u64().unwrap_or_default() * u64::from(vcpus)))
}
