//! Faults on demand: which calls fail, how, and how often.

use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{Issue, World};
use rand::RngExt;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One rule. The first one that strikes a call decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `ec2:CreateVpc`, `ec2:*`, `*`
    pub calls: String,
    /// Strikes only callers whose session's ARN contains this: an account, a cluster, a stage.
    #[serde(default)]
    pub by: String,
    /// Strikes only calls in which this text stands: a name, an id, a tag.
    #[serde(default)]
    pub about: String,
    pub effect: Effect,
    /// The share of calls that are struck.
    #[serde(default = "always")]
    pub rate: f64,
    /// This many calls pass first.
    #[serde(default)]
    pub skip: usize,
    /// At most this many are struck.
    #[serde(default = "forever")]
    pub times: usize,
    /// The SDK's retries of a call that was struck are struck too.
    #[serde(default)]
    pub whole_operation: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// An AWS error: throttling, a failure inside, a quota, a denial, an expired session.
    Refuse(Refusal),
    /// The connection is reset.
    Lose(When),
    /// There is never an answer.
    Hang(When),
    /// The answer comes after this many seconds of AWS's time.
    Slow(f64),
    /// What is being made or deleted fails later, with an EKS issue or an EC2 failure.
    Fail(Issue),
    /// What is being made or deleted is never finished.
    Stall,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum When {
    BeforeEffect,
    AfterEffect,
}

fn always() -> f64 {
    1.0
}

fn forever() -> usize {
    usize::MAX
}

impl Fault {
    pub fn on(calls: &str, effect: Effect) -> Self {
        Self {
            calls: calls.into(),
            by: String::new(),
            about: String::new(),
            effect,
            rate: always(),
            skip: 0,
            times: forever(),
            whole_operation: true,
        }
    }

    /// # Errors
    /// What is invalid about the rule.
    pub fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.rate) {
            return Err(format!("{}: the rate {} is not between 0 and 1", self.calls, self.rate));
        }
        match self.effect {
            Effect::Slow(seconds) if !(0.0..=86_400.0).contains(&seconds) => {
                Err(format!("{}: {seconds} is not a number of seconds within a day", self.calls))
            }
            _ => Ok(()),
        }
    }

    fn is_about(&self, call: &Call, world: &World) -> bool {
        let name = call.name();
        let named = match self.calls.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == self.calls,
        };
        let mentioned = || self.about.is_empty() || call.texts().iter().any(|text| text.contains(&self.about));
        named && (self.by.is_empty() || world.caller(&call.access_key).contains(&self.by)) && mentioned()
    }
}

#[derive(Default)]
pub struct Faults {
    rules: Vec<Fault>,
    /// Operation → the rule that struck it.
    struck: BTreeMap<String, usize>,
    /// Operations that passed, so that their retries are not counted again.
    passed: BTreeSet<(usize, String)>,
    pub counts: BTreeMap<String, usize>,
}

impl Faults {
    /// Replaces the rules.
    pub fn replace(&mut self, rules: Vec<Fault>) {
        *self = Self { rules, counts: std::mem::take(&mut self.counts), ..Self::default() };
    }

    pub fn strike(&mut self, call: &Call, world: &mut World) -> Option<Effect> {
        let index = match self.struck.get(&call.operation) {
            Some(index) if self.rules[*index].whole_operation => Some(*index),
            _ => (0..self.rules.len()).find(|index| self.strikes(*index, call, world)),
        }?;
        self.struck.insert(call.operation.clone(), index);
        let effect = self.rules[index].effect.clone();
        *self.counts.entry(effect.name()).or_default() += 1;
        Some(effect)
    }

    fn strikes(&mut self, index: usize, call: &Call, world: &mut World) -> bool {
        let rule = &mut self.rules[index];
        if rule.times == 0 || !rule.is_about(call, world) || self.passed.contains(&(index, call.operation.clone())) {
            return false;
        }
        if rule.skip > 0 {
            rule.skip -= 1;
            self.passed.insert((index, call.operation.clone()));
            return false;
        }
        if !world.rng.random_bool(rule.rate) {
            return false;
        }
        rule.times -= 1;
        true
    }
}

impl Effect {
    fn name(&self) -> String {
        match self {
            Effect::Refuse(refusal) => refusal.code.clone(),
            Effect::Lose(When::BeforeEffect) => "reset before the effect".into(),
            Effect::Lose(When::AfterEffect) => "reset after the effect".into(),
            Effect::Hang(When::BeforeEffect) => "silence before the effect".into(),
            Effect::Hang(When::AfterEffect) => "silence after the effect".into(),
            Effect::Slow(_) => "slow".into(),
            Effect::Fail(issue) => issue.code.clone(),
            Effect::Stall => "never finished".into(),
        }
    }
}
