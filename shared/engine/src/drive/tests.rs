//! The law, tried on a small world: things that become visible late, calls that fail before and after their effect.

use super::*;
use crate::resource::{Cluster, Stage};
use crate::session::Clients;
use async_trait::async_trait;
use std::sync::Arc;

/// What exists, how often each thing was made, and which call fails next.
#[derive(Default)]
struct World {
    things: BTreeMap<Key, Thing>,
    calls: Vec<String>,
    /// The number of the call that fails, and how.
    fault: Option<(usize, Fault)>,
    /// How many looks at a new thing find nothing.
    invisible: u32,
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
    broken: bool,
    sick: bool,
    blocked: bool,
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
            Some(Fault::Refused) => Err(Error::transient("Throttled", "refused")),
            Some(Fault::Before | Fault::After) => Err(Error { refused: false, ..Error::transient("NoAnswer", "lost") }),
        }
    }
}

#[derive(Clone)]
struct Part {
    key: &'static str,
    needs: &'static [&'static str],
    two_steps: bool,
    holds_data: bool,
    world: Arc<Mutex<World>>,
}

#[async_trait]
impl Resource for Part {
    fn key(&self) -> Key {
        self.key.into()
    }
    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
    fn needs(&self) -> Vec<Key> {
        self.needs.iter().map(|key| Key::from(*key)).collect()
    }
    fn holds_data(&self) -> bool {
        self.holds_data
    }
    async fn observe(&self, _: &Context) -> Result<Observed> {
        let mut world = lock(&self.world);
        let Some(thing) = world.things.get_mut(&self.key()) else {
            return Ok(Observed::Absent);
        };
        if thing.invisible > 0 {
            thing.invisible -= 1;
            return Ok(Observed::Absent);
        }
        Ok(match thing {
            Thing { broken: true, .. } => Observed::Broken(Error::customer("Broken", "AWS gave up", "mend it")),
            Thing { sick: true, .. } => Observed::Sick(Error::customer("Degraded", "no capacity", "wait")),
            Thing { half_made: true, .. } => Observed::Drifted,
            _ => Observed::Ready(Outputs::from([("id".into(), format!("{}-1", self.key))])),
        })
    }
    async fn create(&self, _: &Context) -> Result<()> {
        let mut world = lock(&self.world);
        world.call(format!("create {}", self.key), |world| {
            let invisible = world.invisible;
            let thing = world.things.entry(self.key()).or_default();
            *thing = Thing { copies: thing.copies + 1, invisible, half_made: self.two_steps, ..Thing::default() };
        })
    }
    async fn update(&self, _: &Context) -> Result<()> {
        let mut world = lock(&self.world);
        world.call(format!("update {}", self.key), |world| {
            world.things.entry(self.key()).and_modify(|thing| thing.half_made = false);
        })
    }
    async fn delete(&self, _: &Context) -> Result<()> {
        let mut world = lock(&self.world);
        if world.things.get(&self.key()).is_some_and(|thing| thing.blocked) {
            return Err(Error::transient("DependencyViolation", "something depends on it"));
        }
        world.call(format!("delete {}", self.key), |world| {
            world.things.remove(&self.key());
        })
    }
}

#[derive(Default)]
struct Memory {
    run: u64,
    entries: Mutex<BTreeMap<Key, Entry>>,
    superseded: bool,
}

#[async_trait]
impl Journal for Memory {
    fn run(&self) -> u64 {
        self.run
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

/// A network and a cluster in miniature, with the world that they are made in.
struct Scene {
    world: Arc<Mutex<World>>,
    plan: Plan,
    journal: Memory,
    grace: Duration,
}

const LONG: Duration = Duration::from_secs(3600);

impl Scene {
    fn new() -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let part = |key, needs, two_steps| Part { key, needs, two_steps, holds_data: key == "bucket", world: Arc::clone(&world) };
        let plan: Plan = vec![
            Box::new(part("cluster", &["subnet", "role"], false)),
            Box::new(part("subnet", &["vpc"], false)),
            Box::new(part("gateway", &["vpc"], true)),
            Box::new(part("vpc", &[], true)),
            Box::new(part("role", &[], false)),
            Box::new(part("bucket", &[], true)),
        ];
        Self { world, plan, journal: Memory { run: 1, ..Memory::default() }, grace: LONG }
    }

    async fn drive(&self, direction: Direction) -> Result<Answer> {
        let limits = Limits { grace: self.grace, until: Instant::now() + LONG };
        let cx = context();
        match direction {
            Direction::Ensure => ensure(&self.plan, &cx, &self.journal, limits).await,
            Direction::Destroy => destroy(&self.plan, &cx, &self.journal, limits).await,
        }
    }

    /// As the state machine does: again after an error that passes and after "pending", the grace being over then.
    async fn drive_to_the_end(&mut self, direction: Direction) {
        for _ in 0..20 {
            match self.drive(direction).await {
                Ok(Answer::Ready) => return,
                Ok(Answer::Pending { .. }) => self.grace = Duration::ZERO,
                Err(error) => assert!(error.class.retryable(), "{error}"),
            }
        }
        panic!("the driver does not come to an end: {:?}", lock(&self.world).calls);
    }

    fn calls(&self) -> Vec<String> {
        lock(&self.world).calls.clone()
    }

    fn copies(&self) -> Vec<u32> {
        lock(&self.world).things.values().map(|thing| thing.copies).collect()
    }

    fn place(&self, key: &str) -> usize {
        self.calls().iter().position(|call| call == key).unwrap_or_else(|| panic!("{key} was not called"))
    }
}

fn context() -> Context {
    let config = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
    let body = serde_json::json!({
        "name": "a", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "instance_types": [{"name": "m6i.large"}]
    });
    let cluster = Cluster {
        id: "id".into(),
        name: "a".into(),
        tenant: "demo".into(),
        account: "222222222222".into(),
        zones: vec![],
        spec: crate::spec::parse(&body).expect("valid"),
    };
    Context { aws: Clients::new(&config), cluster, outputs: Default::default() }
}

#[tokio::test]
async fn a_plan_comes_about_in_the_order_of_its_needs_and_goes_in_the_reverse() {
    let scene = Scene::new();
    assert_eq!(scene.drive(Direction::Ensure).await.expect("no error"), Answer::Ready);
    assert!(scene.place("update vpc") < scene.place("create subnet"));
    assert!(scene.place("create subnet") < scene.place("create cluster"));
    assert_eq!(scene.drive(Direction::Destroy).await.expect("no error"), Answer::Ready);
    assert!(scene.place("delete cluster") < scene.place("delete subnet"));
    assert!(scene.place("delete subnet") < scene.place("delete vpc"));
    assert!(scene.copies().is_empty() && lock(&scene.journal.entries).values().all(|entry| entry.state == State::Gone));
}

#[tokio::test]
async fn whichever_call_fails_before_or_after_its_effect_there_is_one_of_everything_and_then_nothing() {
    let calls = {
        let mut whole = Scene::new();
        whole.drive_to_the_end(Direction::Ensure).await;
        whole.drive_to_the_end(Direction::Destroy).await;
        whole.calls().len()
    };
    for number in 1..=calls {
        for fault in [Fault::Refused, Fault::Before, Fault::After] {
            let mut scene = Scene::new();
            lock(&scene.world).fault = Some((number, fault));
            scene.drive_to_the_end(Direction::Ensure).await;
            assert_eq!(scene.copies(), [1; 6], "call {number}: {:?}", scene.calls());
            scene.drive_to_the_end(Direction::Destroy).await;
            assert!(scene.copies().is_empty(), "call {number}: {:?}", scene.calls());
        }
    }
}

#[tokio::test]
async fn what_aws_does_not_show_yet_is_not_made_twice() {
    let scene = Scene::new();
    lock(&scene.world).invisible = 3;
    while !matches!(scene.drive(Direction::Ensure).await.expect("no error"), Answer::Ready) {}
    assert_eq!(scene.copies(), [1; 6]);
}

#[tokio::test]
async fn without_the_grace_it_would_be() {
    let mut scene = Scene::new();
    scene.grace = Duration::ZERO;
    lock(&scene.world).invisible = 3;
    for _ in 0..3 {
        scene.drive(Direction::Ensure).await.expect("no error");
    }
    assert!(scene.copies().iter().any(|copies| *copies > 1));
}

#[tokio::test]
async fn a_lost_create_is_waited_for_and_a_refused_one_is_not() {
    let scene = Scene::new();
    lock(&scene.world).fault = Some((1, Fault::Refused));
    scene.drive(Direction::Ensure).await.expect_err("refused");
    assert_eq!(scene.drive(Direction::Ensure).await.expect("no error"), Answer::Ready);

    let scene = Scene::new();
    lock(&scene.world).fault = Some((1, Fault::Before));
    scene.drive(Direction::Ensure).await.expect_err("lost");
    assert!(matches!(scene.drive(Direction::Ensure).await.expect("no error"), Answer::Pending { .. }));
}

#[tokio::test]
async fn half_made_things_are_deleted_on_the_way_down() {
    let scene = Scene::new();
    lock(&scene.world).things.insert("gateway".into(), Thing { copies: 1, half_made: true, ..Thing::default() });
    assert_eq!(scene.drive(Direction::Destroy).await.expect("no error"), Answer::Ready);
    assert_eq!(scene.calls(), ["delete gateway"], "what the journal has lost is found all the same");
}

#[tokio::test]
async fn a_broken_thing_stops_its_run_and_the_next_run_makes_it_again() {
    let mut scene = Scene::new();
    scene.drive_to_the_end(Direction::Ensure).await;
    lock(&scene.world).things.insert("cluster".into(), Thing { copies: 1, broken: true, ..Thing::default() });
    scene.journal.run = 2;
    scene.drive(Direction::Ensure).await.expect_err("broken");
    scene.drive(Direction::Ensure).await.expect_err("still broken in the same run");
    scene.journal.run = 3;
    scene.drive_to_the_end(Direction::Ensure).await;
    assert!(scene.place("delete cluster") < scene.calls().len());
    assert_eq!(scene.copies(), [1; 6]);
}

#[tokio::test]
async fn a_broken_thing_that_holds_data_is_never_deleted_by_a_retry() {
    let mut scene = Scene::new();
    lock(&scene.world).things.insert("bucket".into(), Thing { copies: 1, broken: true, ..Thing::default() });
    for run in 1..4 {
        scene.journal.run = run;
        scene.drive(Direction::Ensure).await.expect_err("broken");
    }
    assert!(!scene.calls().contains(&"delete bucket".to_owned()));
}

#[tokio::test]
async fn a_sick_thing_stops_every_run_and_is_replaced_by_none() {
    let mut scene = Scene::new();
    lock(&scene.world).things.insert("role".into(), Thing { copies: 1, sick: true, ..Thing::default() });
    for run in 1..4 {
        scene.journal.run = run;
        scene.drive(Direction::Ensure).await.expect_err("sick");
    }
    assert!(!scene.calls().contains(&"delete role".to_owned()));
    scene.drive_to_the_end(Direction::Destroy).await;
    assert!(scene.copies().is_empty());
}

#[tokio::test]
async fn what_a_run_has_seen_ready_is_looked_at_again_by_the_next_run_only() {
    let mut scene = Scene::new();
    scene.drive_to_the_end(Direction::Ensure).await;
    lock(&scene.world).things.remove(&Key::from("role"));
    scene.drive_to_the_end(Direction::Ensure).await;
    assert_eq!(scene.copies(), [1; 5]);
    scene.journal.run = 2;
    scene.drive_to_the_end(Direction::Ensure).await;
    assert_eq!(scene.copies(), [1; 6]);
}

#[tokio::test]
async fn what_a_run_has_seen_gone_is_looked_at_again_by_the_next_run_only() {
    let mut scene = Scene::new();
    scene.drive_to_the_end(Direction::Ensure).await;
    scene.drive_to_the_end(Direction::Destroy).await;
    lock(&scene.world).things.insert("role".into(), Thing { copies: 1, ..Thing::default() });
    scene.drive_to_the_end(Direction::Destroy).await;
    assert_eq!(scene.copies(), [1]);
    scene.journal.run = 2;
    scene.drive_to_the_end(Direction::Destroy).await;
    assert!(scene.copies().is_empty());
}

#[tokio::test]
async fn an_execution_that_a_newer_request_has_replaced_calls_nothing_more() {
    let mut scene = Scene::new();
    scene.journal.superseded = true;
    let error = scene.drive(Direction::Ensure).await.expect_err("superseded");
    assert_eq!((error.class, scene.calls()), (Class::Superseded, vec![]));
}

#[tokio::test]
async fn a_delete_that_something_still_blocks_is_waited_for() {
    let mut scene = Scene::new();
    scene.drive_to_the_end(Direction::Ensure).await;
    lock(&scene.world).things.entry("subnet".into()).and_modify(|thing| thing.blocked = true);
    let on = match scene.drive(Direction::Destroy).await.expect("no error") {
        Answer::Pending { on, .. } => on,
        Answer::Ready => panic!("the subnet is still there"),
    };
    assert_eq!(on, ["subnet".into()]);
    assert_eq!(scene.copies(), [1, 1], "subnet and the VPC that it is in");
}
