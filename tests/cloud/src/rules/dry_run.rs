//! EC2 does nothing if it is only asked whether it would be allowed. What denies it has spoken before; the AWS behind would do it.
//!
//! Source: the parameter `DryRun` (EC2 API reference); getmoto/moto#1980, for the answer.

use super::Rule;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::world::World;

pub struct DryRun;

impl Rule for DryRun {
    fn before(&mut self, call: &Call, _: &mut World) -> Option<Answer> {
        let asked = call.service == "ec2" && call.field("DryRun") == Some("true");
        let would = || Refusal::new(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
        asked.then(|| would().answer("ec2"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::ec2 as call;

    #[tokio::test]
    async fn only_what_is_asked_for_real_is_done() {
        let mut world = World::new(1, 1.0);
        for (form, status) in [("DryRun=true", Some(412)), ("DryRun=false", None), ("CidrBlock=10.0.0.0/16", None)] {
            let answer = DryRun.before(&call(&format!("Action=CreateVpc&{form}")), &mut world);
            assert_eq!(answer.map(|answer| answer.status().as_u16()), status, "{form}");
        }
    }
}
