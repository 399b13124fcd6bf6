//! The cases: every call of a create, an edit and a delete × every trouble; every write to the desk × every crash; what may come in
//! between at every call; and many troubles at once.

use crate::account::Account;
use crate::aws::Aws;
use crate::desk::{Frozen, Lax, MemoryDesk, WriteFault};
use crate::lasting::{self, Lasting};
use crate::life::{Life, PATIENCE};
use crate::log::Step;
use crate::{judge, neighbour, theirs};
use cloud::answer::Refusal;
use cloud::faults::{Effect, Fault, When};
use cloud::world::World;
use engine::stage::Patience;
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::sleep;
use wire::journal::State;
use wire::spec::Data;
use wire::status::Status;

/// The driver waits as for AWS, but what it waits for comes ten times as fast; otherwise most calls would look in vain.
const SPEED: f64 = 10.0;
/// New ids become visible so late that the driver needs the creation grace.
const IDS_SEEN_AFTER: f64 = 100.0;
/// The seed for how long things take. Random cases have their own seeds.
const SEED: u64 = 1;

/// By then AWS has done all that it does by itself.
const LATE: Duration = Duration::from_secs(3600);

/// What GuardDuty puts into a VPC of the customer's stays there, so it is off where nothing may differ.
fn world(scenario: Scenario) -> World {
    let mut world = World::new(SEED, SPEED);
    world.ids_seen_after = IDS_SEEN_AFTER;
    world.plain = cloud::account::Account::company();
    world.plain.guard_duty &= scenario != Scenario::InTheirNetwork;
    // Row 148 has what comes of that.
    world.plain.private_endpoints_only &= scenario != Scenario::Furnish;
    world
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    Create,
    /// An edit: one node group goes and another comes.
    Change,
    /// With what Kubernetes left, and with data, which stays.
    Delete,
    /// The same, but the tenant says that the data goes, too: only the cases at what is about the data.
    DeleteData,
    /// With all that a tenant can ask for, from creation to deletion: only the cases at what the lives above do not do.
    Rich,
    /// Node groups in a customer's own cluster, from creation to deletion.
    SelfManaged,
    /// What is inside the cluster, by the operator's address and with our own role, and both taken away again: only the cases at that.
    Furnish,
    /// In subnets of the customer's, from creation to deletion: only the cases at what the lives above do not do.
    InTheirNetwork,
}

pub const SCENARIOS: [Scenario; 8] = [
    Scenario::Create,
    Scenario::Change,
    Scenario::Delete,
    Scenario::DeleteData,
    Scenario::Rich,
    Scenario::SelfManaged,
    Scenario::Furnish,
    Scenario::InTheirNetwork,
];

impl Scenario {
    /// It begins with a running cluster, to be deleted.
    pub fn is_deletion(self) -> bool {
        matches!(self, Scenario::Delete | Scenario::DeleteData)
    }

    /// Whether a step of it is one of its own cases. What is not about the data is the same in the other deletion, and what is not about the
    /// inside the same in a creation.
    fn tries(self, step: &Step) -> bool {
        let (Step::Call(text) | Step::Entry(text) | Step::Record(text)) = step;
        let begins = |with: &[&str]| with.iter().any(|begin| text.starts_with(begin));
        match self {
            Scenario::DeleteData => {
                begins(&["s3:", "logs:", "ec2:DescribeVolumes", "ec2:DeleteVolume", "ec2:DescribeSnapshots", "ec2:DeleteSnapshot"])
                    || begins(&["bucket/", "log-group ", "disks "])
            }
            Scenario::Furnish => {
                begins(&["kubernetes:", "sts:", "eks:UpdateClusterConfig", "door ", "furniture "]) || text.contains("-hand")
            }
            _ => true,
        }
    }
}

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

/// How often each of them comes at random. The last look at an account is forty calls in one invocation: of Step Functions' tries one has to
/// get through, and with twice as much one deletion in 140 did not.
const RANDOM_RATE: f64 = 0.005;

/// What comes in between without being a trouble.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Visit {
    /// The tenant deletes the cluster.
    Delete,
    /// The tenant says of a cluster that is going down that its data goes, too.
    DeleteData,
    /// Two sweeps at once, as if the cluster had not moved for long.
    Sweep,
    /// Step Functions loses the answer of a stage, and calls it again while it is still at work.
    Again,
    /// The clock is put back by an hour.
    ClockBack,
    /// The clock jumps two minutes ahead.
    ClockAhead,
}

#[derive(Clone, Debug)]
pub enum What {
    /// The n-th AWS call of the scenario, counted from 0.
    Call(usize, Trouble),
    /// The n-th write to the desk, counted from 1.
    Write(usize, Trouble),
    /// Just before the n-th AWS call, counted from 0.
    Visit(usize, Visit),
    /// The cluster is parked, then the tenant sends two retries at once. The seed decides which comes first at each point.
    TwoRetries { seed: u64 },
    /// A fault that stays until somebody mends it.
    Lasting(Lasting),
    /// The seed chooses AWS calls and a trouble for each. A silence is a crash or a timeout.
    Random { seed: u64, crashes: bool },
}

#[derive(Clone, Debug)]
pub struct Case {
    pub scenario: Scenario,
    pub what: What,
}

/// A rule that is switched off, to see that a case then fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Without {
    Nothing,
    CreationGrace,
    IntentBeforeCreate,
    OwnerTags,
    Lease,
    Run,
    /// What fails would hold up everything else.
    GoingOn,
}

impl Without {
    fn patience(self) -> Patience {
        let grace = if self == Without::CreationGrace { Duration::ZERO } else { PATIENCE.grace };
        Patience { grace, ..PATIENCE }
    }

    fn lax(self) -> Lax {
        Lax {
            forgets_intents: self == Without::IntentBeforeCreate,
            without_lease: self == Without::Lease,
            without_run: self == Without::Run,
            stops_at_the_first_trouble: self == Without::GoingOn,
        }
    }
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
            Trouble::Throttled | Trouble::FailedInside => WriteFault::FailedInside,
            Trouble::TimedOutAfter => WriteFault::TimedOutAfterEffect,
        }
    }
}

/// Where a scenario can go wrong: at every AWS call and every write to the desk, except repetitions while nothing else was done. A call
/// that changes nothing is the same before and after its effect.
pub async fn cases(start: &Start) -> Vec<Case> {
    let (steps, lasting) = start.points().await;
    let known = Known::to(start.scenario).await;
    let mut said = BTreeSet::new();
    let (mut calls, mut writes, mut done) = (0, 0, 0);
    let lasting = lasting.into_iter().filter(|fault| {
        start.scenario != Scenario::Change && start.scenario.tries(&Step::Call(fault.text())) && !known.faults.contains(fault)
    });
    let mut whats: Vec<What> = lasting.map(What::Lasting).collect();
    for step in steps {
        let new = said.insert((done, step.clone())) && start.scenario.tries(&step) && !known.steps.contains(&without_ids(&step));
        match &step {
            Step::Call(call) => {
                let changes = changes(call);
                if new {
                    let troubles = TROUBLES.into_iter().filter(|trouble| changes || *trouble != Trouble::CrashAfter);
                    whats.extend(troubles.map(|trouble| What::Call(calls, trouble)));
                    whats.extend(visits(start.scenario, calls).map(|visit| What::Visit(calls, visit)));
                }
                calls += 1;
                done += usize::from(changes);
            }
            Step::Record(_) | Step::Entry(_) => {
                writes += 1;
                if new {
                    whats.extend(troubles_of_write(&step).iter().map(|trouble| What::Write(writes, *trouble)));
                }
            }
        }
    }
    whats.into_iter().map(|what| Case { scenario: start.scenario, what }).collect()
}

/// Where other lives go wrong already.
#[derive(Default)]
struct Known {
    steps: BTreeSet<String>,
    faults: Vec<Lasting>,
}

impl Known {
    async fn to(scenario: Scenario) -> Self {
        let mut known = Self::default();
        let is_more = matches!(scenario, Scenario::Rich | Scenario::Furnish | Scenario::InTheirNetwork);
        let others: &[Scenario] = if is_more { &[Scenario::Create, Scenario::Delete] } else { &[] };
        for other in others {
            let (steps, lasting) = Start::of(*other, Without::Nothing).await.points().await;
            known.steps.extend(steps.iter().map(without_ids));
            known.faults.extend(lasting);
        }
        known
    }
}

/// The same thing has another id in another life.
fn without_ids(step: &Step) -> String {
    let is_id = |word: &&str| word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    format!("{step:?}").split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !is_id(word)).collect::<Vec<_>>().join(" ")
}

/// An invocation ends with the error of a record's write as it would with a crash. After the error of a journal's write it goes on with
/// what else can act.
fn troubles_of_write(step: &Step) -> &'static [Trouble] {
    match step {
        Step::Call(_) => &[],
        Step::Record(_) => &[Trouble::CrashBefore, Trouble::CrashAfter],
        Step::Entry(_) => &[Trouble::CrashBefore, Trouble::CrashAfter, Trouble::FailedInside, Trouble::TimedOutAfter],
    }
}

/// A deletion comes in at every call of a creation; the others take turns, as each call is only another moment for the same few writes.
fn visits(scenario: Scenario, call: usize) -> impl Iterator<Item = Visit> {
    let [delete, data, others] = match scenario {
        Scenario::Create => [true, false, true],
        Scenario::Delete => [false, call % 3 == 1, call.is_multiple_of(3)],
        Scenario::Furnish => [false, false, true],
        Scenario::Change | Scenario::DeleteData | Scenario::Rich | Scenario::SelfManaged | Scenario::InTheirNetwork => {
            [false, false, false]
        }
    };
    let turn = [Visit::Again, Visit::Sweep, Visit::ClockBack, Visit::ClockAhead][call % 4];
    let all = [(delete, Visit::Delete), (data, Visit::DeleteData), (others, turn)];
    all.into_iter().filter(|(comes, _)| *comes).map(|(_, visit)| visit)
}

pub(crate) fn action(call: &str) -> &str {
    call.split([':', ' ']).nth(1).unwrap_or_default()
}

/// A route is a part of its table.
fn makes(call: &str) -> bool {
    ["Create", "Allocate"].iter().any(|verb| action(call).starts_with(verb)) && action(call) != "CreateRoute"
}

pub(crate) fn changes(call: &str) -> bool {
    let action = action(call);
    !["Describe", "Get", "Head", "List"].iter().any(|verb| action.starts_with(verb))
}

impl Case {
    /// # Errors
    /// How the end differs from what it must be.
    pub async fn run(&self, start: &Start) -> Result<(), String> {
        let seed = match self.what {
            What::Random { seed, .. } | What::TwoRetries { seed } => seed,
            What::Call(..) | What::Write(..) | What::Visit(..) | What::Lasting(_) => SEED,
        };
        let scene = start.scene(seed).await;
        match &self.what {
            What::Visit(call, visit) => return scene.visited(*call, *visit).await,
            What::TwoRetries { .. } => return scene.retried_twice().await,
            What::Lasting(fault) => return scene.outlasts(fault).await,
            What::Call(..) | What::Write(..) | What::Random { .. } => {}
        }
        scene.arm(&self.what);
        scene.act().await?;
        scene.struck(&self.what)?;
        scene.disarm();
        scene.judge().await?;
        let to_the_end = matches!(self.what, What::Random { .. }) || start.without != Without::Nothing;
        if to_the_end { scene.end().await } else { Ok(()) }
    }
}

/// The account and the desk with which a scenario's cases begin.
pub struct Start {
    pub scenario: Scenario,
    pub without: Without,
    account: Value,
    world: (World, Duration),
    desk: Frozen,
    /// The account before there was a cluster.
    empty: Value,
    /// The same with the data that a deletion keeps.
    kept: Value,
    /// How many things of each kind there are once the scenario has ended well.
    ended: BTreeMap<String, usize>,
}

impl Start {
    pub async fn of(scenario: Scenario, without: Without) -> Self {
        let account = Account::of(Aws::new(), world(scenario));
        let mut life = match scenario {
            Scenario::SelfManaged => Life::self_managed(account).await,
            Scenario::Rich => Life::rich(account),
            Scenario::InTheirNetwork => {
                let network = theirs::network(&account.clients()).await;
                Life::in_subnets(account, &network.subnets)
            }
            Scenario::Create | Scenario::Change | Scenario::Delete | Scenario::DeleteData | Scenario::Furnish => Life::new(account),
        };
        // With our cluster's tag on a neighbour's things, owner tags no longer say what is ours.
        let owner = if without == Without::OwnerTags { &life.cluster.id } else { neighbour::OTHER };
        neighbour::settle_in(&life.clients(), owner).await;
        let empty = life.account.snapshot().await;
        if matches!(scenario, Scenario::Change | Scenario::Furnish) || scenario.is_deletion() {
            life.provision().await.expect("nothing goes wrong yet");
        }
        match scenario {
            Scenario::Create | Scenario::Rich | Scenario::SelfManaged => {}
            // By its tags, it makes no difference that it is there before the cluster.
            Scenario::InTheirNetwork => neighbour::leave_behind(&life).await,
            Scenario::Change => life.change_spec().await,
            Scenario::Furnish => life.open_door(),
            Scenario::Delete | Scenario::DeleteData => {
                neighbour::leave_behind(&life).await;
                neighbour::fill(&life).await;
            }
        }
        sleep(neighbour::UNTIL_SEEN).await;
        let account = life.account.snapshot().await;
        let mut start = Self {
            scenario,
            without,
            world: life.account.cloud().world(),
            desk: life.desk.frozen(),
            kept: if scenario == Scenario::Delete { judge::with_data(&life.cluster, &empty, &account) } else { empty.clone() },
            account,
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

    /// All that is done when nothing goes wrong, and the faults that can last.
    async fn points(&self) -> (Vec<Step>, Vec<Lasting>) {
        let scene = self.scene(SEED).await;
        scene.act().await.expect("nothing goes wrong");
        let account = &scene.life.account;
        (account.log().steps(), lasting::all(&scene.life.cluster, &account.calls()))
    }

    async fn scene(&self, seed: u64) -> Scene<'_> {
        let (world, now) = &self.world;
        let account = Account::thawed(&self.account, world.copy(*now, seed)).await;
        let mut desk = MemoryDesk::thawed(&self.desk, seed, account.log().clone());
        desk.lax = self.without.lax();
        let mut life = Life::of(account, desk, self.without.patience());
        life.says = (self.scenario == Scenario::DeleteData).then_some(Data::Delete);
        life.machines.mortality.set(true);
        Scene { life, start: self }
    }
}

struct Scene<'a> {
    life: Life,
    start: &'a Start,
}

impl Scene<'_> {
    fn arm(&self, what: &What) {
        let cloud = self.life.account.cloud();
        match what {
            What::Call(skip, trouble) => {
                self.life.machines.mortality.set(*trouble != Trouble::TimedOutAfter);
                cloud.set_faults(vec![Fault { skip: *skip, times: 1, ..Fault::on("*", trouble.effect()) }]);
            }
            What::Write(nth, trouble) => self.life.desk.fail(*nth, Some(trouble.of_write())),
            What::Random { crashes, .. } => {
                self.life.machines.mortality.set(*crashes);
                let rule = |trouble: &Trouble| Fault { rate: RANDOM_RATE, ..Fault::on("*", trouble.effect()) };
                cloud.set_faults(TROUBLES.iter().map(rule).collect());
            }
            What::Lasting(_) | What::Visit(..) | What::TwoRetries { .. } => {}
        }
    }

    /// A trouble that never came proves nothing.
    fn struck(&self, what: &What) -> Result<(), String> {
        let struck = match what {
            What::Call(..) => !self.life.account.cloud().report().faults.is_empty(),
            What::Write(..) => self.life.desk.has_failed(),
            What::Random { .. } | What::Lasting(_) | What::Visit(..) | What::TwoRetries { .. } => true,
        };
        // Without a rule a life may end before its trouble.
        if struck || self.start.without != Without::Nothing { Ok(()) } else { Err("the trouble never came".into()) }
    }

    fn disarm(&self) {
        self.life.account.cloud().set_faults(vec![]);
        self.life.desk.fail(0, None);
    }

    async fn act(&self) -> Result<(), String> {
        match self.start.scenario {
            Scenario::Create | Scenario::Change => self.provision().await,
            Scenario::Delete | Scenario::DeleteData => self.tear_down().await,
            Scenario::Furnish => self.furnish().await,
            Scenario::Rich | Scenario::SelfManaged => {
                self.provision().await?;
                judge::one_of_everything(&self.life.cluster, &self.life.account.snapshot().await)?;
                self.tear_down().await
            }
            Scenario::InTheirNetwork => {
                self.provision().await?;
                let during = self.life.account.snapshot().await;
                judge::one_of_everything(&self.life.cluster, &during)?;
                judge::untouched(&self.start.empty, &during)?;
                self.tear_down().await
            }
        }
    }

    async fn provision(&self) -> Result<(), String> {
        self.life.provision().await.map_err(|error| format!("parked: {} ({})", error.reason, error.code))
    }

    async fn furnish(&self) -> Result<(), String> {
        self.life.furnish().await.map_err(|error| format!("parked: {} ({})", error.reason, error.code))
    }

    async fn tear_down(&self) -> Result<(), String> {
        self.life.tear_down().await.map_err(|error| format!("not deleted: {} ({})", error.reason, error.code))
    }

    /// Something comes in before a call. Then everything goes on as without it, except that a deletion leaves nothing.
    async fn visited(&self, call: usize, visit: Visit) -> Result<(), String> {
        let life = &self.life;
        let mut deletion = None;
        let meanwhile = async {
            life.account.log().reaches(call).await;
            match visit {
                Visit::Delete => {
                    life.delete().await;
                    deletion = Some(self.under_way());
                }
                Visit::DeleteData => life.delete_saying(Some(Data::Delete)).await.expect("it is going down"),
                Visit::Again => life.machines.invoke_again(&life.record()).await,
                Visit::Sweep => drop(tokio::join!(life.sweep(Duration::ZERO), life.sweep(Duration::ZERO))),
                Visit::ClockBack => life.desk.put_clock(-SignedDuration::from_hours(1)),
                Visit::ClockAhead => life.desk.put_clock(SignedDuration::from_mins(2)),
            }
        };
        match self.start.scenario {
            scenario if scenario.is_deletion() => life.delete().await,
            Scenario::Furnish => life.retry().await.expect("it is not furnished"),
            _ => life.start().await,
        }
        let runs = life.record().run + u64::from(matches!(visit, Visit::Delete | Visit::DeleteData));
        if !life.settle(meanwhile).await {
            return Err("nobody came, or it comes to no end".into());
        }
        if let Some(deletion) = deletion {
            self.gave_way(deletion)?;
        }
        let (record, deleted) = (life.record(), visit == Visit::Delete || self.start.scenario.is_deletion());
        let expected = if deleted { Status::Deleted } else { Status::Running };
        if record.status != expected {
            return Err(format!("{}: {:?}", record.status.name(), record.failure));
        }
        if record.run != runs {
            return Err(format!("run {} and not {runs}", record.run));
        }
        match visit {
            Visit::Delete => judge::gone(&life.cluster, &self.start.empty, &life.account.snapshot().await),
            Visit::DeleteData => self.gone_for_good().await,
            Visit::Sweep | Visit::Again | Visit::ClockBack | Visit::ClockAhead => self.judge().await,
        }
    }

    /// How many things have their intent in the journal, and how many calls there were.
    fn under_way(&self) -> (usize, usize) {
        let entries = self.life.desk.entries(&self.life.cluster.id);
        let intents = entries.into_values().filter(|entry| entry.state == State::Creating).count();
        (intents, self.life.account.calls().len())
    }

    /// Once a deletion was accepted, nothing was made that had no intent in the journal by then.
    fn gave_way(&self, (intents, calls): (usize, usize)) -> Result<(), String> {
        let made: Vec<String> = self.life.account.calls().split_off(calls).into_iter().filter(|call| makes(call)).collect();
        if made.len() <= intents { Ok(()) } else { Err(format!("made after the deletion: {}", made.join(", "))) }
    }

    /// A fault that lasts parks the cluster, when everything else is done and with the fault told. Mended, it ends as without it.
    async fn outlasts(&self, fault: &Lasting) -> Result<(), String> {
        let life = &self.life;
        life.account.cloud().set_faults(vec![fault.rule()]);
        let ended = self.act().await;
        if life.account.cloud().report().faults.is_empty() {
            return Err("the fault never came".into());
        }
        if self.start.scenario == Scenario::Furnish {
            return self.outlasts_inside(ended).await;
        }
        let record = life.record();
        match (&ended, fault.holds_up_nothing(self.start.scenario)) {
            (Ok(()), true) => return self.judge().await,
            (Err(error), true) => return Err(format!("held up: {error}")),
            (Ok(()), false) => return Err(format!("{} in spite of it", record.status.name())),
            (Err(_), false) => {}
        }
        fault.is_told(&record, &life.desk.entries(&record.id))?;
        self.disarm();
        life.account.cloud().finish();
        let mended = if record.status == Status::DeleteBlocked { self.tear_down().await } else { self.act().await };
        mended.map_err(|error| format!("mended, {error}"))?;
        self.judge().await
    }

    /// What cannot be made inside keeps no cluster from running, and says so; only one that we cannot leave is parked.
    async fn outlasts_inside(&self, ended: Result<(), String>) -> Result<(), String> {
        let record = self.life.record();
        let failure = if ended.is_err() { record.failure } else { record.furnishing.and_then(|furnishing| furnishing.failure) };
        let failure = failure.ok_or("furnished in spite of it")?;
        if failure.reason.is_empty() || failure.hint.is_empty() {
            return Err(format!("told as {failure:?}"));
        }
        if ended.is_ok() {
            judge::nobody_is_inside(&self.life.account.snapshot().await)?;
        }
        self.disarm();
        self.life.account.cloud().finish();
        self.furnish().await.map_err(|error| format!("mended, {error}"))?;
        self.judge().await
    }

    /// A lasting fault parks the cluster, while the stage beside the faulty one may still be at work.
    async fn retried_twice(&self) -> Result<(), String> {
        let denied = Refusal::new(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
        self.life.account.cloud().set_faults(vec![Fault::on("ec2:CreateSubnet", Effect::Refuse(denied))]);
        self.life.provision().await.err().ok_or("it is not parked")?;
        self.life.account.cloud().set_faults(vec![]);
        let parked = self.life.record().run;
        let (one, other) = tokio::join!(self.life.retry(), self.life.retry());
        if one.is_err() && other.is_err() {
            return Err("both retries are refused".into());
        }
        if !self.life.settle(async {}).await {
            return Err("it comes to no end".into());
        }
        let record = self.life.record();
        if (record.status, record.run) != (Status::Running, parked + 1) {
            return Err(format!("{} in run {}: {:?}", record.status.name(), record.run, record.failure));
        }
        self.judge().await
    }

    /// Running with one of everything and nothing else, or the account as it was before the cluster.
    async fn judge(&self) -> Result<(), String> {
        let account = self.life.account.snapshot().await;
        match self.start.scenario {
            Scenario::Delete | Scenario::Rich | Scenario::SelfManaged | Scenario::InTheirNetwork => {
                return judge::gone(&self.life.cluster, &self.start.kept, &account);
            }
            Scenario::DeleteData => return self.gone_for_good().await,
            Scenario::Furnish => judge::furnished(&self.life.record(), &account)?,
            Scenario::Create | Scenario::Change => {}
        }
        judge::one_of_everything(&self.life.cluster, &account)?;
        if self.start.without == Without::Nothing { judge::as_many(&self.start.ended, &account) } else { Ok(()) }
    }

    /// The account as it was, even after all that AWS does late.
    async fn gone_for_good(&self) -> Result<(), String> {
        sleep(LATE).await;
        self.life.clients().logs.describe_log_groups().send().await.expect("an answer");
        judge::same(&self.start.empty, &self.life.account.snapshot().await)
    }

    /// What is running is as it should be, and goes, too.
    async fn end(&self) -> Result<(), String> {
        if self.start.without == Without::Nothing && matches!(self.start.scenario, Scenario::Create | Scenario::Change) {
            judge::nothing_differs(&self.life.context()).await?;
        }
        self.tear_down().await?;
        judge::gone(&self.life.cluster, &self.start.kept, &self.life.account.snapshot().await)
    }
}
