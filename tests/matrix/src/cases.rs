//! The cases: every call of a create, of a re-run over a changed spec and of a delete × every fault, and many faults at once.

use crate::account::Account;
use crate::aws::Aws;
use crate::journal::{Fault as WriteFault, Frozen, Notebook};
use crate::life::{GRACE, Life};
use crate::{judge, neighbour};
use cloud::answer::Refusal;
use cloud::faults::{Effect, Fault, When};
use cloud::world::World;
use engine::resource::Cluster;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::sleep;

/// The driver's waits are AWS's; what it waits for comes ten times as fast, or most of a life would be looks at what is not there yet.
const SPEED: f64 = 10.0;
/// New ids are seen so late that the driver looks for them in vain for a while: that is what the creation grace is for.
const IDS_SEEN_AFTER: f64 = 100.0;
/// Of how long things take. Random cases have seeds of their own.
const SEED: u64 = 1;

fn world() -> World {
    let mut world = World::new(SEED, SPEED);
    world.ids_seen_after = IDS_SEEN_AFTER;
    world
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    Create,
    Change,
    Delete,
    /// Node groups in a cluster of the customer's, from their creation to their end.
    SelfManaged,
}

pub const SCENARIOS: [Scenario; 4] = [Scenario::Create, Scenario::Change, Scenario::Delete, Scenario::SelfManaged];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    CrashBefore,
    CrashAfter,
    Throttled,
    FailedInside,
    TimedOutAfter,
}

pub const TROUBLES: [Trouble; 5] =
    [Trouble::CrashBefore, Trouble::CrashAfter, Trouble::Throttled, Trouble::FailedInside, Trouble::TimedOutAfter];

#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// The n-th call of AWS from the scenario's beginning, counted from 0.
    Call(usize),
    /// The n-th write of the journal, counted from 1.
    Write(usize),
    /// Calls of AWS that the seed chooses, each with a trouble of the seed's.
    Random { seed: u64 },
}

#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub scenario: Scenario,
    pub place: Place,
    pub trouble: Trouble,
}

/// A rule of the law that is not kept, to see that it is missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Without {
    Nothing,
    CreationGrace,
    IntentBeforeCreate,
    OwnerTags,
}

impl Trouble {
    fn effect(self) -> Effect {
        match self {
            Trouble::CrashBefore => Effect::Hang(When::BeforeEffect),
            Trouble::CrashAfter | Trouble::TimedOutAfter => Effect::Hang(When::AfterEffect),
            Trouble::Throttled => Effect::Refuse(Refusal::new(400, "Throttling", "Rate exceeded")),
            Trouble::FailedInside => Effect::Refuse(Refusal::new(500, "InternalError", "An internal error occurred")),
        }
    }

    fn of_write(self) -> WriteFault {
        match self {
            Trouble::CrashBefore => WriteFault::Crash(When::BeforeEffect),
            Trouble::CrashAfter => WriteFault::Crash(When::AfterEffect),
            Trouble::Throttled => WriteFault::Throttled,
            Trouble::FailedInside => WriteFault::FailedInside,
            Trouble::TimedOutAfter => WriteFault::TimedOutAfterEffect,
        }
    }
}

/// Where a scenario can go wrong: at every write of the journal, and at every call of AWS but those that ask what was asked before,
/// of an account in which nothing was done since. A call that changes nothing is the same before its effect and after.
pub async fn cases(start: &Start) -> Vec<Case> {
    let scene = start.scene(SEED).await;
    scene.act().await.expect("nothing goes wrong");
    let mut asked = BTreeSet::new();
    let mut done = 0;
    let mut cases = vec![];
    for (number, call) in scene.life.account.calls().into_iter().enumerate() {
        let changes = changes(&call);
        if asked.insert((done, call)) {
            let troubles = TROUBLES.into_iter().filter(|trouble| changes || *trouble != Trouble::CrashAfter);
            cases.extend(troubles.map(|trouble| Case { scenario: start.scenario, place: Place::Call(number), trouble }));
        }
        done += usize::from(changes);
    }
    // A write that is refused is one that never came, and the process goes on.
    let troubles = [Trouble::CrashBefore, Trouble::CrashAfter, Trouble::FailedInside, Trouble::TimedOutAfter];
    let writes = (1..=scene.life.journal.writes()).map(Place::Write);
    cases.extend(writes.flat_map(|place| troubles.map(|trouble| Case { scenario: start.scenario, place, trouble })));
    cases
}

fn changes(call: &str) -> bool {
    let action = call.split([':', ' ']).nth(1).unwrap_or_default();
    !["Describe", "Get", "Head", "List"].iter().any(|verb| action.starts_with(verb))
}

impl Case {
    /// # Errors
    /// How it ended otherwise than it must.
    pub async fn run(&self, start: &Start) -> Result<(), String> {
        let seed = if let Place::Random { seed } = self.place { seed } else { SEED };
        let mut scene = start.scene(seed).await;
        scene.arm(self);
        scene.act().await?;
        scene.disarm();
        scene.judge().await?;
        let to_the_end = matches!(self.place, Place::Random { .. }) || start.without != Without::Nothing;
        if to_the_end { scene.end().await } else { Ok(()) }
    }
}

/// The account and the journal from which the cases of a scenario begin.
pub struct Start {
    pub scenario: Scenario,
    without: Without,
    run: u64,
    cluster: Cluster,
    account: Value,
    world: (World, Duration),
    journal: Frozen,
    /// The account before there was a cluster.
    empty: Value,
    /// How many things of each kind there are once the scenario has ended well.
    ended: BTreeMap<String, usize>,
}

impl Start {
    pub async fn of(scenario: Scenario, without: Without) -> Self {
        let account = Account::of(Aws::new(), world());
        let mut life = match scenario {
            Scenario::SelfManaged => Life::self_managed(account).await,
            Scenario::Create | Scenario::Change | Scenario::Delete => Life::new(account),
        };
        // A tag that others have too tells as little as one that nobody looks at.
        let owner = if without == Without::OwnerTags { &life.cluster.id } else { neighbour::OTHER };
        neighbour::settle_in(&life.clients(), owner).await;
        let empty = life.account.snapshot().await;
        if matches!(scenario, Scenario::Change | Scenario::Delete) {
            life.provision().await.expect("nothing goes wrong yet");
        }
        match scenario {
            Scenario::Create | Scenario::SelfManaged => {}
            Scenario::Change => life.change_spec(),
            Scenario::Delete => neighbour::leave_behind(&life).await,
        }
        sleep(neighbour::UNTIL_SEEN).await;
        let mut start = Self {
            scenario,
            without,
            run: life.journal.run,
            cluster: life.cluster.clone(),
            account: life.account.snapshot().await,
            world: life.account.cloud().world(),
            journal: life.journal.frozen(),
            empty,
            ended: BTreeMap::new(),
        };
        if without == Without::Nothing {
            let scene = start.scene(SEED).await;
            scene.act().await.expect("nothing goes wrong");
            start.ended = judge::counts(&scene.life.account.snapshot().await);
        }
        start
    }

    async fn scene(&self, seed: u64) -> Scene<'_> {
        let (world, now) = &self.world;
        let account = Account::thawed(&self.account, world.copy(*now, seed)).await;
        let mut life = Life::of(account, self.cluster.clone(), Notebook::thawed(self.run, &self.journal));
        life.grace = if self.without == Without::CreationGrace { Duration::ZERO } else { GRACE };
        life.journal.forgets_intents = self.without == Without::IntentBeforeCreate;
        Scene { life, start: self }
    }
}

struct Scene<'a> {
    life: Life,
    start: &'a Start,
}

impl Scene<'_> {
    fn arm(&mut self, case: &Case) {
        let cloud = self.life.account.cloud();
        self.life.silence_kills = case.trouble != Trouble::TimedOutAfter;
        match case.place {
            Place::Call(skip) => cloud.set_faults(vec![Fault { skip, times: 1, ..Fault::on("*", case.trouble.effect()) }]),
            Place::Write(nth) => self.life.journal.fail(nth, case.trouble.of_write()),
            Place::Random { .. } => {
                let rule = |trouble: &Trouble| Fault { rate: 0.01, ..Fault::on("*", trouble.effect()) };
                cloud.set_faults(TROUBLES.iter().map(rule).collect());
            }
        }
    }

    fn disarm(&self) {
        self.life.account.cloud().set_faults(vec![]);
    }

    async fn act(&self) -> Result<(), String> {
        match self.start.scenario {
            Scenario::Create | Scenario::Change => self.provision().await,
            Scenario::Delete => self.tear_down().await,
            Scenario::SelfManaged => {
                self.provision().await?;
                judge::one_of_everything(&self.life.cluster, &self.life.account.snapshot().await)?;
                self.tear_down().await
            }
        }
    }

    async fn provision(&self) -> Result<(), String> {
        self.life.provision().await.map_err(|error| format!("parked: {} ({})", error.reason, error.code))
    }

    async fn tear_down(&self) -> Result<(), String> {
        self.life.tear_down().await.map_err(|error| format!("not deleted: {} ({})", error.reason, error.code))
    }

    /// Running with one of everything and nothing besides, or the account as it was before the cluster.
    async fn judge(&self) -> Result<(), String> {
        let account = self.life.account.snapshot().await;
        if matches!(self.start.scenario, Scenario::Delete | Scenario::SelfManaged) {
            return judge::same(&self.start.empty, &account);
        }
        judge::one_of_everything(&self.life.cluster, &account)?;
        if self.start.without == Without::Nothing { judge::as_many(&self.start.ended, &account) } else { Ok(()) }
    }

    /// What is running goes, too.
    async fn end(&self) -> Result<(), String> {
        self.tear_down().await?;
        judge::same(&self.start.empty, &self.life.account.snapshot().await)
    }
}
