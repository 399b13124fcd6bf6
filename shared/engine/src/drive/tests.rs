//! The law, tested in a small world where things become visible late and calls fail before and after their effect.

use super::*;
use crate::aws::Clients;
use crate::cluster::Cluster;
use crate::resource::{Leftover, Made, Planned};
use async_trait::async_trait;
use std::sync::Arc;
use wire::key::{Role, Side};
use wire::stage::Stage;

const VPC: Key = Key::Vpc;
const SUBNET: Key = Key::Subnet(Side::Private, 0);
const GATEWAY: Key = Key::InternetGateway;
const ROLE: Key = Key::Role(Role::Cluster);
const CLUSTER: Key = Key::Cluster;

fn bucket() -> Key {
    Key::Bucket("logs".into())
}

/// What exists, how often each thing was made, and which call fails next.
#[derive(Default)]
struct World {
    things: BTreeMap<Key, Thing>,
    calls: Vec<String>,
    /// The number of the call that fails, and how.
    fault: Option<(usize, Fault)>,
    /// How many looks do not find a new thing.
    invisible: u32,
    /// The role may be made again by somebody else.
    role_comes_back: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// AWS refuses: no effect.
    Refused,
    /// The answer is lost before the effect.
    Before,
    /// The answer is lost after the effect.
    After,
}

#[derive(Clone, Default)]
struct Thing {
    copies: u32,
    invisible: u32,
    half_made: bool,
    /// Somebody makes it half again.
    changed_back: bool,
    broken: bool,
    sick: bool,
    blocked: bool,
    /// AWS accepts the delete and gives up.
    clinging: bool,
    /// There is data in it that is to be kept.
    filled: bool,
    size: u32,
}

fn tenants(code: &str, reason: &str) -> Error {
    Error { class: Class::Customer, ..Error::of(code.into(), reason) }.with_hint("mend it")
}

fn passing(code: &str, reason: &str) -> Error {
    Error { class: Class::Transient, ..Error::of(code.into(), reason) }
}

fn cling() -> Error {
    tenants("DELETE_FAILED", "AWS gave up")
}

impl World {
    fn call(&mut self, what: String, effect: impl FnOnce(&mut Self)) -> Result<()> {
        self.calls.push(what);
        let fault = self.fault.filter(|(number, _)| *number == self.calls.len()).map(|(_, fault)| fault);
        if matches!(fault, None | Some(Fault::After)) {
            effect(self);
        }
        match fault {
            None => Ok(()),
            Some(Fault::Refused) => Err(passing("Throttled", "refused")),
            Some(Fault::Before | Fault::After) => Err(Error { refused: false, ..Error::of(Code::NoAnswer, "lost") }),
        }
    }
}

#[derive(Clone)]
struct Part {
    key: Key,
    needs: Vec<Key>,
    goes_after: Vec<Key>,
    two_steps: bool,
    world: Arc<Mutex<World>>,
}

impl Planned for Part {
    fn key(&self) -> Key {
        self.key.clone()
    }
    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
    fn needs(&self) -> Vec<Key> {
        self.needs.clone()
    }
    fn goes_after(&self) -> Vec<Key> {
        self.goes_after.clone()
    }
}

#[async_trait]
impl Made for Part {
    type Thing = Thing;

    fn holds_data(&self) -> bool {
        matches!(self.key, Key::Bucket(_))
    }
    fn comes_back(&self) -> bool {
        self.key == ROLE && lock(&self.world).role_comes_back
    }
    async fn find(&self, _: &Context) -> Result<Option<Thing>> {
        let mut world = lock(&self.world);
        let Some(thing) = world.things.get_mut(&self.key) else {
            return Ok(None);
        };
        if thing.invisible > 0 {
            thing.invisible -= 1;
            return Ok(None);
        }
        Ok(Some(thing.clone()))
    }
    fn judge(&self, _: &Cluster, thing: &Thing) -> Seen {
        match thing {
            Thing { clinging: true, .. } => Seen::DeleteFailed(cling()),
            Thing { broken: true, .. } => Seen::Broken(tenants("Broken", "AWS gave up")),
            Thing { sick: true, .. } => Seen::Sick(tenants("Degraded", "no capacity")),
            Thing { half_made, size, .. } => Seen::but_for([
                Difference::between("half_made", *half_made, false, How::InPlace),
                Difference::between("size", *size, 0, How::Replace),
            ]),
        }
    }
    fn outputs(&self, _: &Cluster, _: &Thing) -> Outputs {
        Outputs::from([("id".into(), format!("{}-1", self.key))])
    }
    async fn create(&self, _: &Context) -> Result<()> {
        let mut world = lock(&self.world);
        world.call(format!("create {}", self.key), |world| {
            let invisible = world.invisible;
            let thing = world.things.entry(self.key.clone()).or_default();
            *thing = Thing { copies: thing.copies + 1, invisible, half_made: self.two_steps, ..Thing::default() };
        })
    }
    async fn mend(&self, _: &Context, _: &Thing) -> Result<()> {
        let mut world = lock(&self.world);
        world.call(format!("mend {}", self.key), |world| {
            world.things.entry(self.key.clone()).and_modify(|thing| thing.half_made = thing.changed_back);
        })
    }
    async fn delete(&self, _: &Context, _: &Thing) -> Result<()> {
        let mut world = lock(&self.world);
        if world.things.get(&self.key).is_some_and(|thing| thing.blocked) {
            return Err(passing("DependencyViolation", "something depends on it"));
        }
        world.call(format!("delete {}", self.key), |world| {
            if world.things.get(&self.key).is_some_and(|thing| !thing.clinging) {
                world.things.remove(&self.key);
            }
        })
    }
    async fn stays(&self, _: &Context, thing: &Thing) -> Result<bool> {
        Ok(thing.filled)
    }
}

#[derive(Default)]
struct Memory {
    run: u64,
    entries: Mutex<BTreeMap<Key, Entry>>,
    superseded: bool,
    /// How far the clock has advanced.
    passed: Duration,
}

#[async_trait]
impl Journal for Memory {
    fn run(&self) -> u64 {
        self.run
    }
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.passed
    }
    async fn entries(&self) -> Result<BTreeMap<Key, Entry>> {
        Ok(lock(&self.entries).clone())
    }
    async fn write(&self, key: &Key, entry: &Entry) -> Result<()> {
        if self.superseded {
            return Err(Error::superseded());
        }
        lock(&self.entries).insert(key.clone(), entry.clone());
        Ok(())
    }
    async fn forget(&self, key: &Key) -> Result<()> {
        lock(&self.entries).remove(key);
        Ok(())
    }
}

/// A small network and cluster, with the world that they are made in.
struct Scene {
    world: Arc<Mutex<World>>,
    journal: Memory,
}

const GRACE: Duration = Duration::from_secs(300);

/// What a walk does with each resource.
#[derive(Clone, Copy, PartialEq)]
enum Aim {
    Up,
    Down,
    /// An edit: the subnet and what needs it are no longer wanted.
    WithoutSubnet,
}

impl Scene {
    fn new() -> Self {
        Self { world: Arc::default(), journal: Memory { run: 1, ..Memory::default() } }
    }

    fn parts(&self) -> [Part; 6] {
        let part = |key: Key, needs: &[Key], two_steps| Part {
            key,
            needs: needs.to_vec(),
            goes_after: vec![],
            two_steps,
            world: Arc::clone(&self.world),
        };
        [
            part(CLUSTER, &[SUBNET, ROLE], false),
            part(SUBNET, &[VPC], false),
            part(GATEWAY, &[VPC], true),
            part(VPC, &[], true),
            part(ROLE, &[], false),
            part(bucket(), &[], true),
        ]
    }

    fn plan(&self, aim: Aim) -> Plan {
        let goes = |part: &Part| aim == Aim::Down || aim == Aim::WithoutSubnet && [CLUSTER, SUBNET].contains(&part.key);
        let (unwanted, wanted): (Vec<Part>, Vec<Part>) = self.parts().into_iter().partition(goes);
        let resources = |parts: Vec<Part>| parts.into_iter().map(|part| Resource::Made(Box::new(part))).collect();
        Plan { wanted: resources(wanted), unwanted: resources(unwanted), ..Plan::default() }
    }

    /// What is not done, and why.
    async fn walk(&self, aim: Aim) -> BTreeMap<Key, Why> {
        self.walk_plan(&self.plan(aim)).await.expect("the journal is there").open
    }

    async fn walk_plan(&self, plan: &Plan) -> Result<Answer> {
        let bounds = Bounds { grace: GRACE, until: Timestamp::MAX };
        walk(plan, &context(), &self.journal, bounds).await
    }

    /// Like the state machine: again as long as something is open that passes, when the grace is over.
    async fn walk_to_the_end(&mut self, aim: Aim) {
        for _ in 0..20 {
            let open = self.walk(aim).await;
            if open.is_empty() {
                return;
            }
            let lasting = open.values().any(|why| matches!(why, Why::Failed(error) if !error.class.retryable()));
            assert!(!lasting, "{open:?}");
            self.journal.passed += GRACE;
        }
        panic!("the driver does not end: {:?}", lock(&self.world).calls);
    }

    fn calls(&self) -> Vec<String> {
        lock(&self.world).calls.clone()
    }

    fn copies(&self) -> Vec<u32> {
        lock(&self.world).things.values().map(|thing| thing.copies).collect()
    }

    /// The number of this call among all calls.
    fn turn(&self, call: &str) -> usize {
        self.calls().iter().position(|made| made == call).unwrap_or_else(|| panic!("{call} was not called"))
    }

    fn put(&self, key: Key, thing: Thing) {
        lock(&self.world).things.insert(key, Thing { copies: 1, ..thing });
    }
}

fn context() -> Context {
    let config = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
    Context::new(Clients::new(&config), Cluster::example(serde_json::json!({})), Timestamp::UNIX_EPOCH)
}

#[tokio::test]
async fn a_plan_is_created_in_the_order_of_needs_and_deleted_in_reverse() {
    let scene = Scene::new();
    assert!(scene.walk(Aim::Up).await.is_empty());
    assert!(scene.turn("mend vpc") < scene.turn("create subnet/private-0"));
    assert!(scene.turn("create subnet/private-0") < scene.turn("create cluster"));
    assert!(scene.walk(Aim::Down).await.is_empty());
    assert!(scene.turn("delete cluster") < scene.turn("delete subnet/private-0"));
    assert!(scene.turn("delete subnet/private-0") < scene.turn("delete vpc"));
    assert!(scene.copies().is_empty() && lock(&scene.journal.entries).values().all(|entry| entry.state == State::Gone));
}

/// The autoscaler's role goes before the node groups, and must not keep them if it does not go.
#[tokio::test]
async fn what_goes_after_something_waits_for_it_only_as_long_as_that_goes_by_itself() {
    for (role, expected, reason) in [
        (Thing::default(), &["delete role/cluster", "delete vpc"][..], "it goes first"),
        (Thing { clinging: true, ..Thing::default() }, &["delete role/cluster"], "AWS gives up deleting it"),
        (Thing { blocked: true, ..Thing::default() }, &[], "something depends on it still"),
    ] {
        let mut scene = Scene::new();
        scene.put(ROLE, role.clone());
        scene.put(VPC, Thing::default());
        let [_, _, _, vpc, role_of_it, _] = scene.parts();
        let parts = [role_of_it, Part { goes_after: vec![ROLE], ..vpc }];
        let plan = Plan { unwanted: parts.into_iter().map(|part| Resource::Made(Box::new(part))).collect(), ..Plan::default() };
        scene.walk_plan(&plan).await.expect("the journal is there");
        assert_eq!(scene.calls(), expected, "{reason}");
        scene.journal.passed += OVERDUE + GRACE;
        scene.walk_plan(&plan).await.expect("the journal is there");
        assert!(scene.calls().contains(&"delete vpc".to_owned()), "{reason}, and is overdue");
    }
}

#[tokio::test]
async fn what_somebody_changes_back_is_mended_once_in_a_walk_and_says_how_it_differs() {
    let scene = Scene::new();
    scene.put(ROLE, Thing { half_made: true, changed_back: true, ..Thing::default() });
    for mended in 1..3 {
        assert_eq!(scene.walk(Aim::Up).await[&ROLE], Why::Differs("half_made is true, the spec wants false".into()));
        assert_eq!(scene.calls().iter().filter(|call| *call == "mend role/cluster").count(), mended);
    }
}

#[tokio::test]
async fn a_walk_without_time_left_is_not_done_although_all_that_it_looked_at_is() {
    let scene = Scene::new();
    for key in [VPC, ROLE, bucket()] {
        scene.put(key, Thing::default());
    }
    let bounds = Bounds { grace: GRACE, until: Timestamp::MIN };
    let answer = walk(&scene.plan(Aim::Up), &context(), &scene.journal, bounds).await.expect("no error");
    assert_eq!(answer.open, BTreeMap::from([(SUBNET, Why::Busy), (GATEWAY, Why::Busy)]), "what needs them comes next");
}

#[tokio::test]
async fn any_call_can_fail_and_there_is_one_of_everything_and_in_the_end_nothing() {
    let calls = {
        let mut whole = Scene::new();
        whole.walk_to_the_end(Aim::Up).await;
        whole.walk_to_the_end(Aim::Down).await;
        whole.calls().len()
    };
    for number in 1..=calls {
        for fault in [Fault::Refused, Fault::Before, Fault::After] {
            let mut scene = Scene::new();
            lock(&scene.world).fault = Some((number, fault));
            scene.walk_to_the_end(Aim::Up).await;
            assert_eq!(scene.copies(), [1; 6], "call {number}: {:?}", scene.calls());
            scene.walk_to_the_end(Aim::Down).await;
            assert!(scene.copies().is_empty(), "call {number}: {:?}", scene.calls());
        }
    }
}

#[tokio::test]
async fn a_thing_that_aws_does_not_show_yet_is_not_made_twice() {
    let scene = Scene::new();
    lock(&scene.world).invisible = 3;
    while !scene.walk(Aim::Up).await.is_empty() {}
    assert_eq!(scene.copies(), [1; 6]);
}

#[tokio::test]
async fn without_the_grace_it_would_be() {
    let mut scene = Scene::new();
    lock(&scene.world).invisible = 3;
    for _ in 0..3 {
        scene.journal.passed += GRACE;
        scene.walk(Aim::Up).await;
    }
    assert!(scene.copies().iter().any(|copies| *copies > 1));
}

#[tokio::test]
async fn a_lost_create_is_waited_for_and_a_refused_one_is_not() {
    for (fault, expected, reason) in [(Fault::Refused, vec![], "made at once"), (Fault::Before, vec![&Why::Unseen], "it may be there")] {
        let scene = Scene::new();
        lock(&scene.world).fault = Some((1, fault));
        let first = scene.walk(Aim::Up).await;
        assert!(first.values().all(|why| matches!(why, Why::Failed(_))) && first.len() == 1, "{first:?}");
        assert_eq!(scene.walk(Aim::Up).await.values().collect::<Vec<_>>(), expected, "{reason}");
    }
}

#[tokio::test]
async fn half_made_things_are_deleted_going_down() {
    let scene = Scene::new();
    scene.put(GATEWAY, Thing { half_made: true, ..Thing::default() });
    assert!(scene.walk(Aim::Down).await.is_empty());
    assert_eq!(scene.calls(), ["delete internet-gateway"], "it is found although the journal lost it");
}

#[tokio::test]
async fn a_broken_thing_stops_its_run_and_the_next_run_makes_it_again() {
    let mut scene = Scene::new();
    scene.walk_to_the_end(Aim::Up).await;
    scene.put(CLUSTER, Thing { broken: true, ..Thing::default() });
    scene.journal.run = 2;
    for look in ["the first", "another in the same run"] {
        assert!(matches!(scene.walk(Aim::Up).await[&CLUSTER], Why::Failed(_)), "{look}");
    }
    scene.journal.run = 3;
    scene.walk_to_the_end(Aim::Up).await;
    assert!(scene.turn("delete cluster") < scene.calls().len());
    assert_eq!(scene.copies(), [1; 6]);
}

#[tokio::test]
async fn a_broken_thing_that_holds_data_is_never_deleted_by_a_retry() {
    let mut scene = Scene::new();
    scene.put(bucket(), Thing { broken: true, ..Thing::default() });
    for run in 1..4 {
        scene.journal.run = run;
        assert!(matches!(scene.walk(Aim::Up).await[&bucket()], Why::Failed(_)));
    }
    assert!(!scene.calls().contains(&"delete bucket/logs".to_owned()));
}

#[tokio::test]
async fn what_holds_data_stays_and_is_looked_at_once_in_a_run() {
    let mut scene = Scene::new();
    scene.walk_to_the_end(Aim::Up).await;
    scene.journal.run = 2;
    scene.put(bucket(), Thing { filled: true, ..Thing::default() });
    scene.walk_to_the_end(Aim::Down).await;
    assert_eq!(scene.copies(), [1], "the rest goes");
    let entry = lock(&scene.journal.entries)[&bucket()].clone();
    assert_eq!((entry.state, entry.run, entry.note.as_deref()), (State::Ready, 2, Some(KEPT)));

    scene.put(bucket(), Thing::default());
    assert!(scene.walk(Aim::Down).await.is_empty(), "seen in this run");
    assert_eq!(scene.copies(), [1]);
    scene.journal.run = 3;
    scene.walk_to_the_end(Aim::Down).await;
    assert!(scene.copies().is_empty(), "the next run looks again");
}

#[tokio::test]
async fn what_may_come_back_is_believed_to_be_gone_only_some_time_after_the_cluster() {
    let mut scene = Scene::new();
    scene.walk_to_the_end(Aim::Up).await;
    scene.journal.run = 2;
    let minute = Duration::from_secs(60);
    lock(&scene.world).role_comes_back = true;
    let open = scene.walk(Aim::Down).await;
    assert_eq!(open.into_iter().collect::<Vec<_>>(), [(ROLE, Why::Busy)], "everything else is gone");
    scene.journal.passed += 2 * GRACE - minute;
    scene.put(ROLE, Thing::default());
    assert_eq!(scene.walk(Aim::Down).await.into_keys().collect::<Vec<_>>(), [ROLE], "it came back, and is removed again");
    assert!(scene.copies().is_empty());

    scene.journal.run = 3;
    let left = scene.walk_plan(&scene.plan(Aim::Down)).await.expect("an answer").wait;
    assert_eq!(left, minute, "another run does not wait anew");
    scene.journal.passed += minute;
    assert!(scene.walk(Aim::Down).await.is_empty());
}

#[tokio::test]
async fn a_sick_thing_stops_every_run_and_is_never_replaced() {
    let mut scene = Scene::new();
    scene.put(ROLE, Thing { sick: true, ..Thing::default() });
    for run in 1..4 {
        scene.journal.run = run;
        assert!(matches!(scene.walk(Aim::Up).await[&ROLE], Why::Failed(_)));
    }
    assert!(!scene.calls().contains(&"delete role/cluster".to_owned()));
    scene.walk_to_the_end(Aim::Down).await;
    assert!(scene.copies().is_empty());
}

#[tokio::test]
async fn a_ready_thing_is_looked_at_again_only_by_the_next_run() {
    let mut scene = Scene::new();
    scene.walk_to_the_end(Aim::Up).await;
    lock(&scene.world).things.remove(&ROLE);
    scene.walk_to_the_end(Aim::Up).await;
    assert_eq!(scene.copies(), [1; 5]);
    scene.journal.run = 2;
    scene.walk_to_the_end(Aim::Up).await;
    assert_eq!(scene.copies(), [1; 6]);
}

#[tokio::test]
async fn a_gone_thing_is_looked_at_again_only_by_the_next_run() {
    let mut scene = Scene::new();
    scene.walk_to_the_end(Aim::Up).await;
    scene.walk_to_the_end(Aim::Down).await;
    scene.put(ROLE, Thing::default());
    scene.walk_to_the_end(Aim::Down).await;
    assert_eq!(scene.copies(), [1]);
    scene.journal.run = 2;
    scene.walk_to_the_end(Aim::Down).await;
    assert!(scene.copies().is_empty());
}

#[tokio::test]
async fn an_execution_that_a_newer_request_replaced_calls_nothing() {
    let mut scene = Scene::new();
    scene.journal.superseded = true;
    let error = scene.walk_plan(&scene.plan(Aim::Up)).await.expect_err("superseded");
    assert_eq!((error.class, scene.calls()), (Class::Superseded, vec![]));
}

#[tokio::test]
async fn a_delete_that_something_still_blocks_is_waited_for() {
    let mut scene = Scene::new();
    scene.walk_to_the_end(Aim::Up).await;
    lock(&scene.world).things.entry(SUBNET).and_modify(|thing| thing.blocked = true);
    let open = scene.walk(Aim::Down).await;
    assert!(matches!(&open[&SUBNET], Why::Held(said) if said.code.as_str() == "DependencyViolation") && open.len() == 1, "{open:?}");
    assert_eq!(scene.copies(), [1, 1], "subnet and the VPC that it is in");
}

#[tokio::test]
async fn one_walk_makes_what_an_edit_adds_and_removes_what_it_drops() {
    let mut scene = Scene::new();
    scene.walk_to_the_end(Aim::Up).await;
    lock(&scene.world).things.remove(&GATEWAY);
    scene.journal.run = 2;
    assert!(scene.walk(Aim::WithoutSubnet).await.is_empty());
    assert!(scene.turn("delete cluster") < scene.turn("delete subnet/private-0"));
    let left: Vec<Key> = lock(&scene.world).things.keys().cloned().collect();
    assert_eq!(left, [VPC, GATEWAY, ROLE, bucket()]);
}

#[tokio::test]
async fn an_edit_ends_the_same_whichever_call_fails() {
    for number in 1..=4 {
        for fault in [Fault::Refused, Fault::Before, Fault::After] {
            let mut scene = Scene::new();
            scene.walk_to_the_end(Aim::Up).await;
            lock(&scene.world).things.remove(&GATEWAY);
            let calls = scene.calls().len();
            lock(&scene.world).fault = Some((calls + number, fault));
            scene.journal.run = 2;
            scene.walk_to_the_end(Aim::WithoutSubnet).await;
            assert_eq!(scene.copies(), [1; 4], "call {number}: {:?}", scene.calls());
        }
    }
}

#[tokio::test]
async fn a_difference_that_only_replacing_mends_is_noted_and_left_alone() {
    let scene = Scene::new();
    scene.put(ROLE, Thing { size: 3, ..Thing::default() });
    assert!(scene.walk(Aim::Up).await.is_empty());
    let entry = lock(&scene.journal.entries)[&ROLE].clone();
    assert_eq!((entry.state, entry.note.as_deref()), (State::Ready, Some("size is 3, the spec wants 0")));
    assert!(!scene.calls().iter().any(|call| call.ends_with("role/cluster")), "{:?}", scene.calls());
}

#[tokio::test]
async fn nothing_is_made_twice_when_the_clock_is_put_back() {
    let mut scene = Scene::new();
    lock(&scene.world).invisible = 3;
    scene.journal.passed = Duration::from_secs(7200);
    scene.walk(Aim::Up).await;
    scene.journal.passed = Duration::ZERO;
    while !scene.walk(Aim::Up).await.is_empty() {}
    assert_eq!(scene.copies(), [1; 6]);
}

/// What was left in the account, some of it held by something else.
struct Remains(Mutex<Vec<Leftover>>);

impl Planned for Arc<Remains> {
    fn key(&self) -> Key {
        Key::Leftovers
    }
    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
}

#[async_trait]
impl Removed for Arc<Remains> {
    async fn find(&self, _: &Context) -> Result<Vec<Leftover>> {
        Ok(lock(&self.0).clone())
    }
    async fn remove(&self, _: &Context, _: &[Leftover]) -> Result<()> {
        lock(&self.0).retain(|leftover| leftover.busy);
        Ok(())
    }
}

#[tokio::test]
async fn only_held_leftovers_are_waited_for() {
    let purpose = || Some("EFS mount target for fs-1".to_owned());
    let left = |busy| Leftover { kind: crate::resource::LeftoverKind::Interface, id: "eni-1".into(), busy, purpose: purpose() };
    let named = "network interface eni-1 (EFS mount target for fs-1)";
    let held = |why: &Why| matches!(why, Why::Held(said) if said.reason.contains(named));
    for (found, expected, reason) in
        [(vec![], false, "nothing was left"), (vec![left(false)], false, "it can go"), (vec![left(true), left(false)], true, "one is held")]
    {
        let remains = Arc::new(Remains(Mutex::new(found)));
        let resource = || vec![Resource::Removed(Box::new(Arc::clone(&remains)))];
        let up = Plan { wanted: resource(), ..Plan::default() };
        let answer = Scene::new().walk_plan(&up).await.expect("no error");
        assert!(answer.open.is_empty(), "going up, leftovers are not looked for");
        let down = Plan { unwanted: resource(), ..Plan::default() };
        let open = Scene::new().walk_plan(&down).await.expect("no error").open;
        assert_eq!(open.get(&Key::Leftovers).is_some_and(held), expected, "{reason}");
    }
}

#[tokio::test]
async fn what_is_stuck_holds_up_only_what_waits_for_it() {
    let mut scene = Scene::new();
    scene.put(SUBNET, Thing { sick: true, ..Thing::default() });
    let open = scene.walk(Aim::Up).await;
    assert_eq!(open.keys().collect::<Vec<_>>(), [&SUBNET]);
    let there: Vec<Key> = lock(&scene.world).things.keys().cloned().collect();
    assert_eq!(there, [VPC, GATEWAY, SUBNET, ROLE, bucket()], "everything but the cluster, which needs the subnet");

    lock(&scene.world).things.entry(SUBNET).and_modify(|thing| thing.sick = false);
    scene.walk_to_the_end(Aim::Up).await;
    lock(&scene.world).things.entry(ROLE).and_modify(|thing| thing.clinging = true);
    scene.journal.run = 2;
    while scene.walk(Aim::Down).await.values().any(|why| matches!(why, Why::Busy | Why::Unseen)) {}
    let there: Vec<Key> = lock(&scene.world).things.keys().cloned().collect();
    assert_eq!(there, [ROLE], "the network goes although the role does not");
}

#[tokio::test]
async fn what_aws_gave_up_deleting_is_deleted_once_more_in_each_run_and_then_its_cause_is_told() {
    let mut scene = Scene::new();
    scene.put(ROLE, Thing { clinging: true, ..Thing::default() });
    for run in [1, 2] {
        scene.journal.run = run;
        let calls = scene.calls().len();
        while scene.walk(Aim::Down).await != BTreeMap::from([(ROLE, Why::Failed(cling()))]) {}
        assert_eq!(scene.calls()[calls..], ["delete role/cluster", "delete role/cluster"], "run {run}");
    }
}

#[tokio::test]
async fn what_another_stage_gave_up_is_not_looked_at_and_what_needs_it_waits() {
    let scene = Scene::new();
    let mut plan = scene.plan(Aim::Up);
    plan.wanted.retain(|one| one.key() != SUBNET);
    plan.stuck = BTreeSet::from([SUBNET]);
    assert!(scene.walk_plan(&plan).await.expect("no error").open.is_empty(), "all is done that can be");
    assert!(!lock(&scene.world).things.contains_key(&CLUSTER));
    plan.stuck.clear();
    let error = scene.walk_plan(&plan).await.expect_err("the need is nowhere");
    assert_eq!(error.code, Code::Plan);
}
