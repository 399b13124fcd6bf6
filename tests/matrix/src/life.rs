//! A cluster from request to end: the product's own requests, stages and sweep, with Step Functions played around them.

use crate::account::{Account, REGION};
use crate::desk::MemoryDesk;
use crate::executions::{Machines, Started};
use crate::kubernetes::DOOR;
use crate::{kms, theirs};
use async_trait::async_trait;
use engine::aws::Clients;
use engine::cluster::Cluster;
use engine::context::Context;
use engine::desk::Desk;
use engine::doors::{Doors, Faults, Proven, Purpose};
use engine::errors::{Error, Result};
use engine::executions::Executions;
use engine::gate::Gate;
use engine::records::record::Record;
use engine::requests::{Action, Deletion, Request, Requests};
use engine::stage::{Function, Patience, Stage};
use engine::sweep::Sweep;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wire::error::Code;
use wire::problem::Problem;
use wire::spec::Data;
use wire::status::{Desired, EndpointAccess, Status};

const ID: &str = "abcdefghijkl";
const NAME: &str = "research";
const TENANT: &str = "demo";

/// As template.yaml has them.
pub const PATIENCE: Patience =
    Patience { grace: Duration::from_secs(300), refusal_grace: Duration::from_secs(60), budget: Duration::from_secs(3600) };
const STUCK_AFTER: Duration = Duration::from_secs(900);
/// How often a client asks before it gives up.
const MOST_REQUESTS: usize = 3;
/// More of them have never helped.
const MOST_SWEEPS: usize = 50;
/// The schedule of the sweep.
const SWEEP: Duration = Duration::from_secs(300);

pub struct Life {
    pub account: Account,
    pub desk: Arc<MemoryDesk>,
    pub cluster: Cluster,
    pub machines: Machines,
    requests: Requests,
    /// Whether the customer has deleted the role.
    pub role_is_gone: Arc<AtomicBool>,
    /// What its tenant says about the data when it deletes the cluster.
    pub says: Option<Data>,
    /// Made once, because in a debug build that takes longer than most calls.
    aws: Clients,
}

/// The customer's role, which somebody may delete.
struct Role {
    clients: Clients,
    is_gone: Arc<AtomicBool>,
}

impl Role {
    fn assume(&self) -> Result<Clients> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(Error::of(Code::RoleRefused, "AWS does not let Groundwork assume the role."));
        }
        Ok(self.clients.clone())
    }
}

#[async_trait]
impl Doors for Role {
    async fn check_region(&self, _: &str) -> Result<()> {
        Ok(())
    }

    async fn prove(&self, _: &Cluster, _: Purpose) -> Result<Proven, Faults> {
        Ok(Proven { aws: self.assume()?, advice: vec![] })
    }

    async fn open(&self, _: &Cluster, _: Stage) -> Result<Clients> {
        self.assume()
    }
}

/// The teardown's function, asked directly.
struct Knocking(Arc<Function>);

#[async_trait]
impl Gate for Knocking {
    async fn is_open(&self, record: &Record) -> Result<bool> {
        self.0.knock(&record.id).await.map(|knocked| knocked.open)
    }
}

/// A requested cluster in two zones with these instance types.
fn asked_for(types: &[&str]) -> Value {
    let types: Vec<_> = types.iter().map(|name| json!({"name": name})).collect();
    json!({
        "name": NAME, "role_arn": "arn:aws:iam::123456789012:role/groundwork", "region": REGION, "instance_types": types,
        "admin_principal_arn": "arn:aws:iam::123456789012:role/admin"
    })
}

/// A cluster with all that a tenant can ask for beyond that.
fn rich() -> Value {
    let mut body = asked_for(&["m6i.large"]);
    body["performance_profile"] = json!("standard");
    body["network"] = json!({"cidr": "100.64.16.0/20", "flow_logs": true, "service_cidr": "10.96.0.0/12", "zones": [format!("{REGION}a"), format!("{REGION}b")]});
    body["kubernetes"] =
        json!({"version": "1.33", "logs": ["audit", "controller_manager"], "log_retention_days": 7, "upgrade_policy": "extended"});
    body["instance_types"] = json!([{
        "name": "m6i.large", "capacity": "spot", "alternatives": ["m7i.large"], "disk_gib": 50, "labels": {"team": "vision"},
        "taints": [{"key": "team", "value": "vision", "effect": "PreferNoSchedule"}]
    }]);
    body["tags"] = json!({"CostCenter": "4711"});
    body["encryption"] = json!({"kms_key_arn": kms::KEY});
    body["buckets"] = json!([{"purpose": "artifacts", "expire_days": 90, "old_versions_days": 7}, {"purpose": "logs"}]);
    body
}

/// One with arm64 nodes in subnets of the customer's.
fn asked_for_in_their_network(subnets: &[String]) -> Value {
    let mut body = asked_for(&["m7g.large"]);
    body["network"] = json!({"subnet_ids": subnets});
    body
}

/// Two node groups in the cluster that `theirs` makes.
fn asked_for_in_theirs() -> Value {
    json!({
        "name": NAME, "role_arn": "arn:aws:iam::123456789012:role/groundwork", "region": REGION, "mode": "self_managed",
        "eks_cluster_name": theirs::CLUSTER, "buckets": theirs::BUCKETS, "node_role_arn": "arn:aws:iam::123456789012:role/nodes",
        "instance_types": [{"name": "m6i.large"}, {"name": "g4dn.xlarge"}]
    })
}

fn spec(body: &Value) -> wire::spec::Spec {
    wire::spec::parse(body).expect("a valid spec")
}

impl Life {
    /// A requested cluster in this account.
    pub fn new(account: Account) -> Self {
        Self::requested(account, &["m6i.large"], &["a", "b"])
    }

    /// In these zones, by their letters.
    pub fn in_zones(account: Account, letters: &[&str]) -> Self {
        let mut body = asked_for(&["m6i.large"]);
        body["network"] = json!({"zones": letters.iter().map(|letter| format!("{REGION}{letter}")).collect::<Vec<_>>()});
        Self::asked(account, &body, &[])
    }

    /// With these instance types, and in zones that are not chosen yet.
    pub fn wanting(account: Account, types: &[&str]) -> Self {
        Self::requested(account, types, &[])
    }

    /// With all that a tenant can ask for.
    pub fn rich(account: Account) -> Self {
        Self::asked(account, &rich(), &["a", "b"])
    }

    /// With these fields besides.
    pub fn asking(account: Account, fields: &Value) -> Self {
        let mut body = asked_for(&["m6i.large"]);
        for (name, value) in fields.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        Self::asked(account, &body, &["a", "b"])
    }

    fn requested(account: Account, types: &[&str], zones: &[&str]) -> Self {
        Self::asked(account, &asked_for(types), zones)
    }

    fn asked(account: Account, body: &Value, zones: &[&str]) -> Self {
        let desk = MemoryDesk::new(account.log().clone());
        let mut record = Record::new(ID.into(), TENANT.into(), spec(body), EndpointAccess::Closed, desk.now());
        record.zones = zones.iter().map(|zone| format!("{REGION}{zone}")).collect();
        desk.put(record);
        Self::of(account, desk, PATIENCE)
    }

    /// Requested node groups in a customer's own cluster.
    pub async fn self_managed(account: Account) -> Self {
        theirs::make(&account.clients()).await;
        let desk = MemoryDesk::new(account.log().clone());
        let spec = spec(&asked_for_in_theirs());
        desk.put(Record::new(ID.into(), TENANT.into(), spec, EndpointAccess::Customer, desk.now()));
        Self::of(account, desk, PATIENCE)
    }

    /// A requested cluster in these subnets of the customer's.
    pub fn in_subnets(account: Account, subnets: &[String]) -> Self {
        let desk = MemoryDesk::new(account.log().clone());
        let spec = spec(&asked_for_in_their_network(subnets));
        desk.put(Record::new(ID.into(), TENANT.into(), spec, EndpointAccess::Closed, desk.now()));
        Self::of(account, desk, PATIENCE)
    }

    /// With the record that is on the desk.
    pub fn of(account: Account, desk: MemoryDesk, patience: Patience) -> Self {
        let (desk, aws, started) = (Arc::new(desk), account.clients(), Arc::new(Started::default()));
        let role_is_gone = Arc::new(AtomicBool::default());
        let doors = Arc::new(Role { clients: aws.clone(), is_gone: role_is_gone.clone() });
        let stages = engine::stages::stages();
        let door = desk.peek(ID).door;
        let function = |stage: Stage| Arc::new(Function { stage, desk: desk.clone(), doors: doors.clone(), patience, door });
        let stages: BTreeMap<_, _> = stages.into_iter().map(|stage| (stage, function(stage))).collect();
        let sweep = Arc::new(Sweep { desk: desk.clone(), executions: started.clone(), stuck_after: STUCK_AFTER });
        let gate = Arc::new(Knocking(function(Stage::Teardown)));
        let requests =
            Requests { desk: desk.clone(), executions: started.clone(), gate, default_region: REGION.into(), clusters_per_tenant: 20 };
        let cluster = desk.peek(ID).cluster().expect("a spec that is understood");
        Self {
            account,
            cluster,
            machines: Machines::new(stages, sweep, desk.clone(), started),
            desk,
            requests,
            role_is_gone,
            says: None,
            aws,
        }
    }

    /// The cluster as its record has it by now.
    pub fn look_again(&mut self) {
        self.cluster = self.record().cluster().expect("a spec that is understood");
    }

    pub fn record(&self) -> Record {
        self.desk.peek(ID)
    }

    /// Nothing has begun yet, and these instance types are asked for instead.
    pub fn ask_for(&mut self, instance_types: &Value) {
        let mut body = asked_for(&[]);
        body["instance_types"] = instance_types.clone();
        let mut record = self.record();
        record.spec = spec(&body).into();
        self.desk.put(record);
        self.cluster = self.record().cluster().expect("a spec that is understood");
    }

    /// An edit: another instance type in place of the first.
    pub async fn change_spec(&mut self) {
        let mut record = self.record();
        record.spec = spec(&asked_for(&["g4dn.xlarge"])).into();
        record.generation += 1;
        record.begin_run(Desired::Present, self.desk.now());
        self.desk.put(record);
        self.look_again();
    }

    /// As for an operator with an address of its own, from the next life on.
    pub fn open_door(&self) {
        let mut record = self.record();
        record.door = Some(DOOR.parse().expect("an address"));
        self.desk.put(record);
    }

    /// The same, of such an operator.
    pub fn with_door(self) -> Self {
        self.open_door();
        let desk = MemoryDesk::thawed(&self.desk.frozen(), 1, self.account.log().clone());
        Self::of(self.account, desk, PATIENCE)
    }

    /// Makes inside what a running cluster lacks.
    ///
    /// # Errors
    /// What parks the cluster.
    pub async fn furnish(&self) -> Result<()> {
        self.retry().await.expect("it is not furnished");
        self.settle(async {}).await;
        self.outcome()
    }

    /// Creates what was requested, or goes on with a retry.
    ///
    /// # Errors
    /// What parks the cluster.
    pub async fn provision(&self) -> Result<()> {
        if self.record().status == Status::Failed {
            self.retry().await.expect("it is parked");
        } else {
            self.start().await;
        }
        self.settle(async {}).await;
        self.outcome()
    }

    /// Starts the execution of the request.
    pub async fn start(&self) {
        self.machines.started.start(&self.record()).await.expect("Step Functions is there");
    }

    /// # Errors
    /// What blocks the deletion, or what is left after it.
    pub async fn tear_down(&self) -> Result<()> {
        if self.record().status == Status::DeleteBlocked {
            self.retry().await.expect("it is blocked");
        } else {
            self.delete().await;
        }
        self.settle(async {}).await;
        self.outcome()
    }

    async fn ask(&self, action: Action) -> Result<(), Problem> {
        let request = Request {
            tenant: TENANT.into(),
            actor: "tenant:test".into(),
            from: "198.51.100.1".into(),
            origin: None,
            idempotency_key: None,
            action,
        };
        for _ in 0..MOST_REQUESTS {
            let (requests, request) = (self.requests.clone(), request.clone());
            match self.machines.mortality.run(async move { requests.accept(&request).await }).await {
                // The client tries again: nobody has told it what came of its request.
                None => {}
                Some(Err(problem)) if problem.status == 503 => {}
                Some(outcome) => return outcome.map(drop),
            }
        }
        Err(Problem::unavailable())
    }

    pub async fn delete(&self) {
        self.delete_saying(self.says).await.expect("the cluster is there");
    }

    /// # Errors
    /// Why it is refused: what was kept is kept.
    pub async fn delete_saying(&self, data: Option<Data>) -> Result<(), Problem> {
        self.ask(Action::Delete(Deletion { name: NAME.into(), data })).await
    }

    /// # Errors
    /// Why it is refused: another retry came first.
    pub async fn retry(&self) -> Result<(), Problem> {
        self.ask(Action::Retry(NAME.into())).await
    }

    /// # Errors
    /// Why it is refused.
    pub async fn forget(&self) -> Result<(), Problem> {
        self.ask(Action::Forget(NAME.into())).await
    }

    /// As long as this, the sweep comes as its schedule says.
    pub async fn passes(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            sleep(SWEEP).await;
            self.sweep(STUCK_AFTER).await;
            self.play_all(async {}).await;
        }
    }

    /// Plays every execution to its end, and lets the sweep look after what ended without a word.
    /// True if what came meanwhile is over, too.
    pub async fn settle(&self, meanwhile: impl Future<Output = ()>) -> bool {
        let over = self.play_all(meanwhile).await;
        for _ in 0..MOST_SWEEPS {
            if !self.record().status.is_unsettled() || self.record().status == Status::DeleteBlocked {
                return over;
            }
            sleep(SWEEP).await;
            self.sweep(STUCK_AFTER).await;
            self.play_all(async {}).await;
        }
        false
    }

    /// What is parked begins again by itself when its time has come.
    ///
    /// # Errors
    /// What parks it again.
    pub async fn begin_again(&self) -> Result<()> {
        let at = self.record().again_at().expect("it begins again by itself");
        sleep(Duration::try_from(at.duration_since(self.desk.now())).expect("it is in the future")).await;
        self.sweep(STUCK_AFTER).await;
        self.settle(async {}).await;
        self.outcome()
    }

    /// What the schedule does, or with no patience the news of an ended execution. An error is in its log, and the next time is as good.
    pub async fn sweep(&self, stuck_after: Duration) {
        let sweep = Arc::clone(&self.machines.sweep);
        if let Some(Err(error)) = self.machines.mortality.run(async move { sweep.one(ID, stuck_after).await }).await {
            assert!(error.class.retryable(), "{error}");
        }
    }

    async fn play_all(&self, meanwhile: impl Future<Output = ()>) -> bool {
        let mut playing = FuturesUnordered::new();
        let mut meanwhile = std::pin::pin!(meanwhile);
        let mut over = false;
        loop {
            playing.extend(self.machines.started.waiting().into_iter().map(|run| Box::pin(self.machines.play(run))));
            tokio::select! {
                biased;
                () = &mut meanwhile, if !over => over = true,
                Some(()) = playing.next() => {}
                else => return over,
            }
            if playing.is_empty() && self.machines.started.is_idle() {
                return over;
            }
        }
    }

    /// # Errors
    /// What the tenant reads about a parked cluster.
    fn outcome(&self) -> Result<()> {
        let record = self.record();
        if !record.status.is_parked() {
            return Ok(());
        }
        let failure = record.failure.expect("a parked cluster says why");
        let class = failure.class.expect("this version parked it");
        Err(Error { class, hint: failure.hint, ..Error::of(failure.code, failure.reason) })
    }

    pub fn context(&self) -> Context {
        Context::new(self.clients(), self.cluster.clone(), self.desk.now())
    }

    pub fn clients(&self) -> Clients {
        self.aws.clone()
    }
}
