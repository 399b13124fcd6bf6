//! The quick-start as a CloudFormation template: a frame, and the policies in it.

use crate::frame::pascal;
use engine::permissions::customers_network::{CONDITION, OPERATOR, PARTS, Part, Place};
use engine::permissions::document::{Document, Statement};
use engine::permissions::{Grant, STAGES, boundary, grants, pods, policy, trust};
use std::collections::BTreeSet;
use std::fmt::Write;
use wire::names::Names;

const FRAME: &str = include_str!("frames/quick-start.yaml");
const NAMES: Names<'static> = Names { partition: "${AWS::Partition}", account: "${AWS::AccountId}", role: "${RoleName}" };
const TRUST: trust::Who<'static> = trust::Who {
    partition: "${AWS::Partition}",
    operator_account: "${OperatorAccountId}",
    principal_pattern: "${OperatorPrincipalPattern}",
    external_id: "${ExternalId}",
};

/// What is made last is deleted first, and what CloudFormation cannot delete keeps what it depends on: IAM keeps the boundary as long as a
/// cluster's roles use it. <https://github.com/gruntwork-io/cloud-nuke/issues/972>
const BOUNDARY_FIRST: &[&str] = &[
    "# So the boundary goes first. As long as a cluster's roles use it, IAM keeps it, and so CloudFormation the role that removes clusters.",
    ROLE_LAST,
];
const ROLE_LAST: &str = "DependsOn: Role";

pub fn quick_start() -> String {
    let mut policies = String::new();
    for stage in STAGES.iter() {
        managed(&mut policies, &stage.to_string(), &[], &format!("What Groundwork's stage {stage} may do."), &policy(*stage, &NAMES));
    }
    for pods in pods::POLICIES {
        managed(&mut policies, pods.name, &[ROLE_LAST], pods.description, &pods.document(&NAMES));
    }
    managed(&mut policies, "boundary", BOUNDARY_FIRST, "The most that a role made by Groundwork may do.", &boundary::policy(&NAMES));
    own_images(&mut policies);
    let attached: String = STAGES.iter().map(|stage| format!("        - !Ref {}Policy\n", pascal(&stage.to_string()))).collect();
    FRAME.replace("{attached}\n", &attached).replace("{trust}\n", &yaml(&trust::policy(&TRUST), 8)).replace("{policies}\n", &policies)
}

fn managed(out: &mut String, name: &str, order: &[&str], description: &str, document: &Document) {
    let resource = pascal(name);
    line(out, 2, &format!("{resource}Policy:"));
    line(out, 4, "Type: AWS::IAM::ManagedPolicy");
    order.iter().for_each(|text| line(out, 4, text));
    line(out, 4, "Properties:");
    line(out, 6, &format!("ManagedPolicyName: !Sub ${{RoleName}}-{name}"));
    line(out, 6, "Path: /groundwork/");
    line(out, 6, &format!("Description: {description}"));
    line(out, 6, "PolicyDocument:");
    line(out, 8, "Version: \"2012-10-17\"");
    line(out, 8, "Statement:");
    document.statement.iter().for_each(|one| statement(out, one));
    PARTS.iter().filter(|part| part.policy() == name).for_each(|part| customers_network(out, part));
}

fn statement(out: &mut String, statement: &Statement) {
    let within = |grant: &&Grant| {
        grant.sid == statement.sid && grant.actions.iter().any(|action| statement.action.iter().any(|one| one == action.name))
    };
    let reasons: BTreeSet<&str> = grants().filter(within).map(|grant| grant.why).collect();
    // Once, where a reader meets it first: the whole has little room.
    let told: Vec<String> = reasons.iter().map(|why| format!("# {why}")).filter(|why| !out.contains(why)).collect();
    told.iter().for_each(|why| line(out, 8, why));
    line(out, 8, &format!("- Sid: {}", statement.sid));
    line(out, 10, "Effect: Allow");
    list(out, 10, "Action", &statement.action);
    list(out, 10, "Resource", &statement.resource);
    if statement.condition.is_empty() {
        return;
    }
    line(out, 10, "Condition:");
    for (operator, keys) in &statement.condition {
        line(out, 12, &format!("{operator}:"));
        keys.iter().for_each(|(key, values)| list(out, 14, key, values));
    }
}

/// The boundary's last statement, which is there only if the customer names repositories.
fn own_images(out: &mut String) {
    let own = boundary::pull_own_images(&[]);
    line(out, 8, "# Only what the customer names.");
    line(out, 8, "- !If");
    line(out, 10, "- PullsOwnImages");
    line(out, 10, &format!("- Sid: {}", own.sid));
    line(out, 12, "Effect: Allow");
    list(out, 12, "Action", &own.action);
    line(out, 12, "Resource: !Split [\",\", !Ref ImageRepositories]");
    line(out, 10, "- !Ref AWS::NoValue");
}

/// A statement that is there only if the customer names VPCs.
fn customers_network(out: &mut String, part: &Part) {
    const VPCS: &str = "!Split [\",\", !Ref NetworkVpcs]";
    let own = part.statement(&[], &NAMES);
    line(out, 8, &format!("# {}", part.why));
    line(out, 8, "- !If");
    line(out, 10, "- UsesOwnNetwork");
    line(out, 10, &format!("- Sid: {}", own.sid));
    line(out, 12, "Effect: Allow");
    list(out, 12, "Action", &own.action);
    match part.place {
        Place::Resource => line(out, 12, &format!("Resource: {VPCS}")),
        Place::Condition => {
            list(out, 12, "Resource", &own.resource);
            line(out, 12, "Condition:");
            line(out, 14, &format!("{OPERATOR}:"));
            line(out, 16, &format!("{CONDITION}: {VPCS}"));
        }
    }
    line(out, 10, "- !Ref AWS::NoValue");
}

/// No list is indented under its key, because the template may have only so many bytes.
fn list(out: &mut String, indent: usize, key: &str, values: &[String]) {
    match values {
        [only] => line(out, indent, &format!("{key}: {}", scalar(only))),
        _ => {
            line(out, indent, &format!("{key}:"));
            values.iter().for_each(|value| line(out, indent, &format!("- {}", scalar(value))));
        }
    }
}

/// Any JSON as YAML in block style.
fn yaml(value: &serde_json::Value, indent: usize) -> String {
    let mut out = String::new();
    block(&mut out, indent, value);
    out
}

fn block(out: &mut String, indent: usize, value: &serde_json::Value) {
    let Some(fields) = value.as_object() else { return };
    for (key, value) in fields {
        match value {
            serde_json::Value::Object(_) => {
                line(out, indent, &format!("{key}:"));
                block(out, indent + 2, value);
            }
            serde_json::Value::Array(items) => {
                line(out, indent, &format!("{key}:"));
                for item in items {
                    let mut inner = String::new();
                    block(&mut inner, indent + 4, item);
                    out.push_str(&" ".repeat(indent + 2));
                    out.push_str("- ");
                    out.push_str(inner.trim_start());
                }
            }
            _ => line(out, indent, &format!("{key}: {}", scalar(value.as_str().unwrap_or_default()))),
        }
    }
}

/// Quoted, because ARNs and patterns have characters with a meaning in YAML; an action has none.
fn scalar(text: &str) -> String {
    if text.contains(':') && text.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, ':' | '-')) {
        return text.to_owned();
    }
    // IAM's own variables are not CloudFormation's.
    if text.replace("${aws:", "").contains("${") {
        format!("!Sub \"{}\"", text.replace("${aws:", "${!aws:"))
    } else {
        format!("\"{text}\"")
    }
}

fn line(out: &mut String, indent: usize, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{text}", " ".repeat(indent));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Template body size in a request" of CloudFormation's quotas: a longer one has to be uploaded to a bucket first.
    const MOST_BYTES: usize = 51_200;

    #[test]
    fn the_quick_start_is_deployed_without_a_bucket() {
        assert!(quick_start().len() <= MOST_BYTES, "{}", quick_start().len());
    }
}
