//! Elastic Load Balancing checks a deletion on the ARN, with its tags, and Describe actions on everything.
//!
//! Source: Actions, resources, and condition keys for Elastic Load Balancing V2 (service authorization reference).

use super::{Authorization, Scene};

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    let call = scene.call;
    let target = call.field("LoadBalancerArn").or(call.field("TargetGroupArn")).filter(|_| call.action.starts_with("Delete"));
    match target {
        Some(arn) => vec![scene.own(arn).tagged(scene.things.get(arn))],
        None => vec![scene.own("*")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{form, known, told};

    #[test]
    fn a_load_balancer_is_checked_with_the_tags_that_aws_showed() {
        let arn = "arn:aws:elasticloadbalancing:us-west-2:222222222222:loadbalancer/net/a/1";
        let tags =
            format!("<r><member><ResourceArn>{arn}</ResourceArn><Tags><member><Key>k</Key><Value>v</Value></member></Tags></member></r>");
        let things = known(&[(form("elasticloadbalancing", "Action=DescribeTags"), &tags)]);
        for (body, expected) in [
            ("Action=DescribeLoadBalancers".to_owned(), "elasticloadbalancing:DescribeLoadBalancers *"),
            (
                format!("Action=DeleteLoadBalancer&LoadBalancerArn={arn}"),
                "elasticloadbalancing:DeleteLoadBalancer loadbalancer/net/a/1 aws:ResourceTag/k=v",
            ),
        ] {
            assert_eq!(told(&form("elasticloadbalancing", &body), &things), [expected]);
        }
    }
}
