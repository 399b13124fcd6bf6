//! The free addresses of a subnet: the AWS behind does not count them.

use super::Rule;
use crate::answer::Answer;
use crate::call::Call;
use crate::world::World;
use crate::xml;

pub struct FreeAddresses;

impl Rule for FreeAddresses {
    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        let full = &world.account(&call.access_key).full_subnets;
        if call.name() == "ec2:DescribeSubnets" && !full.is_empty() {
            xml::retain_items(answer, |subnet| {
                if xml::child_text(subnet, "subnetId").is_some_and(|id| full.contains(&id)) {
                    xml::set_child(subnet, "availableIpAddressCount", "0");
                }
                true
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::call::tests::ec2 as call;

    #[test]
    fn only_a_full_subnet_has_no_free_address() {
        let mut world = World::new(1, 1.0);
        world.plain = Account { full_subnets: vec!["subnet-1".into()], ..Account::default() };
        let subnet = |id: &str| format!("<item><subnetId>{id}</subnetId><availableIpAddressCount>9</availableIpAddressCount></item>");
        let mut answer = Answer::new(format!("<r><subnetSet>{}{}</subnetSet></r>", subnet("subnet-1"), subnet("subnet-2")).into());
        FreeAddresses.after(&call("Action=DescribeSubnets"), &mut answer, &mut world);
        let shown = String::from_utf8_lossy(answer.body()).into_owned();
        let counts = ["0", "9"].map(|count| shown.matches(&format!("Count>{count}<")).count());
        assert_eq!(counts, [1, 1], "{shown}");
    }
}
