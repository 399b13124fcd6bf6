//! docs/permissions.md, for those who read every permission.

use engine::permissions::{Condition, Grant, STAGES, grants, pods, self_managed};
use std::collections::BTreeSet;
use std::fmt::Write;

const HEAD: &str = include_str!("frames/permissions.head.md");
const COLUMNS: &str = "\n| action | on | only | stages | what for |\n|---|---|---|---|---|\n";
const OF_PODS: &str = "
# What pods may do

Two roles of a cluster are for pods, by EKS Pod Identity. Each has one policy of the quick-start's, which is its boundary, too.
`${aws:PrincipalTag/groundwork:cluster}` is the cluster that the role is of.
";
const SELF_MANAGED: &str = "
# Self-managed mode

If the customer made the cluster and the buckets (`\"mode\": \"self_managed\"`), the role needs only this, and nothing from above:
[examples/self-managed/policy.json](../examples/self-managed/policy.json). A session's only policy is made from the same rows, for its
stage, this cluster, these buckets and this node role. Nothing in EC2 can be made or changed: the node groups have no launch
template, so EKS's own service-linked role launches their instances.
";

pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut service = "";
    for grant in grants() {
        let next = grant.actions.first().map_or("", |action| action.name.split(':').next().unwrap_or_default());
        if next != service {
            service = next;
            // Writing to a String cannot fail.
            let _ = write!(page, "\n## {service}\n{COLUMNS}");
        }
        rows(&mut page, grant);
    }
    page.push_str(OF_PODS);
    pods::POLICIES.iter().for_each(|policy| of_pods(&mut page, policy));
    page.push_str(SELF_MANAGED);
    page.push_str(COLUMNS);
    self_managed::GRANTS.iter().for_each(|grant| rows(&mut page, grant));
    page
}

fn rows(page: &mut String, grant: &Grant) {
    let on: Vec<String> = grant.resources.iter().map(|arn| format!("`{}`", short(arn))).collect();
    for action in grant.actions {
        let purpose = match action.source {
            Some(source) => format!("{} ([AWS]({source}))", action.purpose),
            None => action.purpose.to_owned(),
        };
        let _ = writeln!(page, "| `{}` | {} | {} | {} | {purpose} |", action.name, on.join(" "), grant.why, stages(action.stages));
    }
}

fn of_pods(page: &mut String, policy: &pods::Policy) {
    let _ = write!(page, "\n## {}\n\n| action | on | only if |\n|---|---|---|\n", policy.name);
    for allowed in policy.allowed {
        let on: Vec<String> = allowed.resources.iter().map(|arn| format!("`{}`", short(arn))).collect();
        let only: Vec<String> = allowed.conditions.iter().map(condition).collect();
        for action in allowed.actions {
            let _ = writeln!(page, "| `{action}` | {} | {} |", on.join(" "), only.join(" "));
        }
    }
}

fn condition((operator, key, values): &Condition) -> String {
    format!("`{operator}` `{key}` `{}`", values.join("` `"))
}

/// `arn:${partition}:ec2:*:${account}:vpc/*` → `vpc/*`
fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

fn stages(of: &[engine::stage::Stage]) -> String {
    let all: BTreeSet<_> = STAGES.iter().collect();
    if of.iter().collect::<BTreeSet<_>>() == all { "all".into() } else { of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") }
}
