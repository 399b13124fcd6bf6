//! What Groundwork may do in a customer's account, and why: one table, from which every policy, check and page about it
//! is made.

pub mod boundary;
pub mod customers_network;
pub mod document;
pub mod pods;
pub mod self_managed;
pub mod session;
mod table;
pub mod trust;

use crate::stages::{Account, row, stages};
use document::{Document, Statement};
use std::sync::LazyLock;
use wire::names::Names;
use wire::stage::Stage;

/// Actions that reach the same things under the same conditions.
pub struct Grant {
    /// The name of its statement, which it may share with others of the same conditions.
    pub sid: &'static str,
    /// ARN patterns with the placeholders that [`Names`] fills.
    pub resources: &'static [&'static str],
    pub conditions: &'static [Condition],
    /// What keeps it from reaching further, or why nothing narrower is possible.
    pub why: &'static str,
    pub actions: &'static [Action],
}

/// A condition: operator, key, values.
pub type Condition = (&'static str, &'static str, &'static [&'static str]);

pub struct Action {
    /// `ec2:CreateVpc`
    pub name: &'static str,
    /// The stages whose sessions may do it.
    pub stages: &'static [Stage],
    pub purpose: &'static str,
    /// Where AWS documents that it asks for the action, if no call of ours shows it.
    pub source: Option<&'static str>,
}

/// The stages that work in the customer's account, each with a managed policy of its own.
pub static STAGES: LazyLock<Vec<Stage>> =
    LazyLock::new(|| stages().into_iter().filter(|stage| row(*stage).account == Account::Customer).collect());

pub fn grants() -> impl Iterator<Item = &'static Grant> {
    table::ALL.iter().copied().flatten()
}

/// Everything that the role has to allow, a statement for each grant.
pub fn whole(names: &Names) -> Vec<Statement> {
    let actions = |grant: &Grant| grant.actions.iter().map(|action| action.name).collect::<Vec<_>>();
    grants().map(|grant| Statement::allow(grant.sid, &actions(grant), grant.resources, grant.conditions, names)).collect()
}

/// The managed policy of one stage. Grants of the same name share a statement, because a policy has room for few.
pub fn policy(stage: Stage, names: &Names) -> Document {
    let mut statements: Vec<Statement> = Vec::new();
    for next in grants().filter_map(|grant| statement(grant, stage, names)) {
        match statements.iter_mut().find(|statement| statement.sid == next.sid) {
            Some(statement) => statement.add(next),
            None => statements.push(next),
        }
    }
    Document::new(statements)
}

/// The quick-start gives that policy this name.
pub fn policy_arn(stage: Stage, names: &Names) -> String {
    names.fill(&format!("arn:${{partition}}:iam::${{account}}:policy/groundwork/${{role}}-{stage}"))
}

fn statement(grant: &Grant, stage: Stage, names: &Names) -> Option<Statement> {
    let actions: Vec<&str> = grant.actions.iter().filter(|action| action.stages.contains(&stage)).map(|action| action.name).collect();
    (!actions.is_empty()).then(|| Statement::allow(grant.sid, &actions, grant.resources, grant.conditions, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_action_is_a_wildcard() {
        for grant in grants() {
            assert!(grant.actions.iter().all(|action| !action.name.contains('*')), "{}", grant.sid);
            assert!(!grant.why.is_empty() && grant.actions.iter().all(|action| !action.purpose.is_empty()), "{}", grant.sid);
        }
    }

    #[test]
    fn what_shares_a_statement_shares_its_conditions() {
        for grant in grants() {
            for other in grants().filter(|other| other.sid == grant.sid) {
                assert_eq!(grant.conditions, other.conditions, "{}", grant.sid);
            }
        }
    }

    /// Otherwise a new thing's tag would also open what it is put into: AWS asks about both, and the tag is in the same request.
    #[test]
    fn a_statement_about_new_things_does_not_reach_what_they_are_put_into() {
        for grant in grants().filter(|grant| grant.conditions.iter().any(|(_, key, _)| key.starts_with("aws:RequestTag/"))) {
            let into = grants().filter(|other| other.conditions.iter().any(|(_, key, _)| key.starts_with("aws:ResourceTag/")));
            for other in into.filter(|other| other.actions.iter().any(|one| grant.actions.iter().any(|action| action.name == one.name))) {
                let merged = grants().filter(|merged| merged.sid == grant.sid).flat_map(|merged| merged.resources);
                assert!(merged.into_iter().all(|resource| !other.resources.contains(resource)), "{} reaches {}", grant.sid, other.sid);
            }
        }
    }

    /// IAM's quota for a managed policy; it does not count white space.
    #[test]
    fn every_policy_fits_into_6144_characters_with_the_longest_names() {
        let names = Names { partition: "aws-us-gov", account: "222222222222", role: &"r".repeat(32) };
        for &stage in STAGES.iter() {
            let size = policy(stage, &names).compact().len();
            assert!(size <= 6144, "the policy of {stage} has {size} characters");
        }
        assert!(boundary::policy(&names).compact().len() <= 6144);
    }
}
