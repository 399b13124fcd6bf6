//! The stages and the state machines that run them: a row for each. `make press` prints `statemachine/` and its part of template.yaml
//! from here.

use std::collections::BTreeSet;
use strum::VariantArray;
use wire::error::Class;
use wire::stage::Stage;
use wire::status::Status;

/// A state of a state machine, as somebody who looks at an execution sees it.
pub struct State {
    pub title: &'static str,
    pub comment: &'static str,
}

/// What there is to know about a stage, except what it does.
pub struct Row {
    pub state: State,
    pub account: Account,
    /// Whether it asks AWS which regions there are.
    pub regions: bool,
    /// Whether it reaches into clusters, from the operator's fixed address.
    pub reaches_in: bool,
    pub budget: Budget,
    /// The status of the cluster once the stage is ready; none if another stage follows.
    pub settles: Option<Status>,
    /// What its role may do with the table of records: DynamoDB's actions.
    pub records: &'static [&'static str],
}

/// Whose account a stage works in.
#[derive(Debug, PartialEq, Eq)]
pub enum Account {
    Operator,
    /// By assuming the customer's role, which has a managed policy for each such stage.
    Customer,
}

/// How long a stage may take. Over its budget it fails by itself, so that the cluster is parked with a reason.
pub enum Budget {
    Seconds(u32),
    /// A parameter of template.yaml, and its `MaxValue`.
    Setting {
        parameter: &'static str,
        most_seconds: u32,
    },
}

pub struct Machine {
    pub name: &'static str,
    pub comment: &'static str,
    /// The last resort, after which sweep starts a new run.
    pub timeout_seconds: u32,
    pub turns: &'static [Turn],
    pub end: State,
}

pub enum Turn {
    One(Stage),
    AtOnce { state: State, stages: &'static [Stage] },
}

/// How Step Functions calls a failed function again, with full jitter.
pub struct Retry {
    pub interval_seconds: u32,
    pub backoff_rate: u32,
    pub max_delay_seconds: u32,
    pub max_attempts: u32,
}

pub const MACHINES: &[Machine] = &[
    Machine {
        name: "provision",
        comment: "From a request to a running cluster.",
        timeout_seconds: 16200,
        turns: &[
            Turn::One(Stage::Validate),
            Turn::One(Stage::AssumeRole),
            Turn::AtOnce {
                state: State {
                    title: "Create",
                    comment: "The buckets need nothing from the cluster. An error in either branch stops both; what exists is kept.",
                },
                stages: &[Stage::CreateBuckets, Stage::CreateEks],
            },
            Turn::One(Stage::CreateNodegroups),
            Turn::One(Stage::Furnish),
        ],
        end: State { title: "Running", comment: "Everything that was asked for is ready." },
    },
    Machine {
        name: "teardown",
        comment: "From a request to nothing left.",
        timeout_seconds: 7200,
        turns: &[Turn::One(Stage::Teardown)],
        end: State { title: "Settled", comment: "Deleted. A blocked deletion is parked instead, with what blocks it on the record." },
    },
];

pub const RETRY: Retry = Retry { interval_seconds: 1, backoff_rate: 2, max_delay_seconds: 30, max_attempts: 30 };

/// A function ends before that: `StageTimeoutSeconds` of template.yaml is 90 at most.
pub const TASK_TIMEOUT_SECONDS: u32 = 120;

/// Lambda's and Step Functions' names for a function that gave no answer. The next call goes on from where it stopped.
const NO_ANSWER: &[&str] = &[
    "Runtime.ExitError",
    "Runtime.Unknown",
    "Sandbox.Timedout",
    "Lambda.Unknown",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "States.Timeout",
];

const READS_AND_WRITES: &[&str] = &["dynamodb:GetItem", "dynamodb:PutItem"];
/// The journal too, to see whether there is a control plane.
const READS_THE_JOURNAL: &[&str] = &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"];
/// The journal too, where a refused intent is forgotten.
const KEEPS_THE_JOURNAL: &[&str] =
    &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"];
/// The journal too, which forgets nothing here; and the cluster's name and its place in the tenant's quota are given back.
const CLOSES_THE_JOURNAL: &[&str] =
    &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"];

/// Exhaustive, so that a new stage does not compile until it has a row.
pub fn row(stage: Stage) -> Row {
    match stage {
        Stage::Validate => Row {
            state: State { title: "Validate", comment: "Checks what can be known without the tenant's account." },
            account: Account::Operator,
            regions: true,
            reaches_in: false,
            budget: Budget::Seconds(60),
            settles: None,
            records: READS_AND_WRITES,
        },
        Stage::AssumeRole => Row {
            state: State {
                title: "Assume role",
                comment: "Checks that the tenant's role lets us in only with its external ID, and that the region can be used.",
            },
            account: Account::Customer,
            regions: true,
            reaches_in: false,
            budget: Budget::Seconds(60),
            settles: None,
            records: READS_THE_JOURNAL,
        },
        Stage::CreateBuckets => Row {
            state: State { title: "Create buckets", comment: "Creates the buckets." },
            account: Account::Customer,
            regions: false,
            reaches_in: false,
            budget: Budget::Setting { parameter: "CreateBucketsBudgetSeconds", most_seconds: 3600 },
            settles: None,
            records: KEEPS_THE_JOURNAL,
        },
        Stage::CreateEks => Row {
            state: State { title: "Create EKS", comment: "Creates network, roles, control plane and the add-ons that need no node." },
            account: Account::Customer,
            regions: false,
            reaches_in: false,
            budget: Budget::Setting { parameter: "CreateEksBudgetSeconds", most_seconds: 3600 },
            settles: None,
            records: KEEPS_THE_JOURNAL,
        },
        Stage::CreateNodegroups => Row {
            state: State {
                title: "Create node groups",
                comment: "Creates the nodes, the add-ons that need them, and the entries of those who are let in.",
            },
            account: Account::Customer,
            regions: false,
            reaches_in: false,
            budget: Budget::Setting { parameter: "CreateNodegroupsBudgetSeconds", most_seconds: 3600 },
            settles: None,
            records: KEEPS_THE_JOURNAL,
        },
        Stage::Furnish => Row {
            state: State {
                title: "Furnish",
                comment: "Gives pods their roles, makes what is inside the cluster, leaves it, and marks the record running.",
            },
            account: Account::Customer,
            regions: false,
            reaches_in: true,
            budget: Budget::Setting { parameter: "FurnishBudgetSeconds", most_seconds: 1800 },
            settles: Some(Status::Running),
            records: KEEPS_THE_JOURNAL,
        },
        Stage::Teardown => Row {
            state: State { title: "Tear down", comment: "Removes everything that is ours, then checks that nothing is left." },
            account: Account::Customer,
            regions: false,
            reaches_in: false,
            budget: Budget::Setting { parameter: "TeardownBudgetSeconds", most_seconds: 3600 },
            settles: Some(Status::Deleted),
            records: CLOSES_THE_JOURNAL,
        },
    }
}

/// Every stage that a machine runs, in the order of a run.
pub fn stages() -> BTreeSet<Stage> {
    MACHINES.iter().flat_map(Machine::stages).collect()
}

/// The names of the errors after which a function is called again.
pub fn retried() -> Vec<&'static str> {
    let classes = Class::VARIANTS.iter().filter(|class| class.retryable()).map(|class| class.name());
    classes.chain(NO_ANSWER.iter().copied()).collect()
}

impl Machine {
    /// How long its stages may take, each with a series of retries.
    pub fn most_seconds(&self) -> u32 {
        self.turns.iter().map(|turn| turn.most_seconds() + RETRY.most_seconds()).sum()
    }

    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        self.turns.iter().flat_map(Turn::stages).copied()
    }
}

impl Turn {
    pub fn title(&self) -> &'static str {
        match self {
            Turn::One(stage) => row(*stage).state.title,
            Turn::AtOnce { state, .. } => state.title,
        }
    }

    pub fn stages(&self) -> &[Stage] {
        match self {
            Turn::One(stage) => std::slice::from_ref(stage),
            Turn::AtOnce { stages, .. } => stages,
        }
    }

    /// The budget of the slowest of its stages.
    pub fn most_seconds(&self) -> u32 {
        self.stages().iter().map(|stage| row(*stage).budget.most_seconds()).max().unwrap_or_default()
    }
}

impl Budget {
    fn most_seconds(&self) -> u32 {
        match self {
            Budget::Seconds(seconds) => *seconds,
            Budget::Setting { most_seconds, .. } => *most_seconds,
        }
    }
}

impl Retry {
    /// The waits of one series of attempts, added up.
    pub fn most_seconds(&self) -> u32 {
        self.max_attempts * self.max_delay_seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_of_a_machine_settles_the_cluster_and_no_other() {
        for machine in MACHINES {
            let stages: Vec<Stage> = machine.stages().collect();
            let settling: Vec<Stage> = machine.stages().filter(|stage| row(*stage).settles.is_some()).collect();
            assert_eq!(settling, stages[stages.len() - 1..], "{}", machine.name);
        }
    }

    #[test]
    fn errors_that_somebody_has_to_look_at_are_not_retried() {
        assert!(
            ["Transient", "Throttled", "Lambda.TooManyRequestsException", "States.Timeout"].iter().all(|error| retried().contains(error))
        );
        assert!(!["Customer", "Permanent", "Superseded", "States.ALL"].iter().any(|error| retried().contains(error)));
    }

    #[test]
    fn a_machine_lives_longer_than_its_stages_may_take() {
        for machine in MACHINES {
            assert!(machine.timeout_seconds > machine.most_seconds(), "{}", machine.name);
        }
    }
}
