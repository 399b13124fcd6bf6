//! A cluster on an AWS that fails in a certain way.

use cloud::account;
use cloud::answer::Refusal;
use cloud::faults::{Effect, Fault};
use cloud::world::Issue;
use engine::errors::Error;
use matrix::account::Account;
use matrix::life::Life;
use matrix::theirs::Network;
use matrix::{judge, theirs};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::time::Duration;
use wire::error::Class;
use wire::key::Key;

/// What a customer's role may do.
pub const QUICK_START: &str = include_str!("../../../../onboarding/quick-start.yaml");
/// The service itself.
pub const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The call is refused, every time.
pub fn refuse(call: &str, status: u16, code: &str, message: &str) -> Fault {
    Fault::on(call, Effect::Refuse(Refusal::new(status, code, message)))
}

/// What the call makes fails.
pub fn doom(call: &str, code: &str, message: &str) -> Fault {
    Fault { times: 1, ..Fault::on(call, Effect::Fail(Issue { code: code.into(), message: message.into() })) }
}

pub fn times(times: usize, fault: Fault) -> Fault {
    Fault { times, ..fault }
}

pub struct Scene {
    life: Life,
    pub before: Value,
}

impl Deref for Scene {
    type Target = Life;
    fn deref(&self) -> &Life {
        &self.life
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut Life {
        &mut self.life
    }
}

impl Scene {
    /// A requested cluster in an empty account.
    pub async fn new() -> Self {
        Self::of(Life::new(Account::new(1))).await
    }

    /// A requested cluster with these instance types, in zones that are not chosen yet.
    pub async fn wanting(types: &[&str]) -> Self {
        Self::of(Life::wanting(Account::new(1), types)).await
    }

    /// A requested cluster with these fields.
    pub async fn asking(fields: &Value) -> Self {
        Self::of(Life::asking(Account::new(1), fields)).await
    }

    /// A requested cluster, which the operator reaches from an address of its own.
    pub async fn with_door() -> Self {
        Self::of(Life::new(Account::new(1)).with_door()).await
    }

    /// A requested cluster in these zones.
    pub async fn in_zones(letters: &[&str]) -> Self {
        Self::of(Life::in_zones(Account::new(1), letters)).await
    }

    /// A requested cluster in these subnets of the customer's.
    pub async fn in_subnets(account: Account, subnets: &[String]) -> Self {
        Self::of(Life::in_subnets(account, subnets)).await
    }

    /// One in the private subnets of a network of the customer's.
    pub async fn in_their_network() -> (Self, Network) {
        let account = Account::new(1);
        let network = theirs::network(&account.clients()).await;
        (Self::in_subnets(account, &network.subnets).await, network)
    }

    async fn of(life: Life) -> Self {
        let before = life.account.snapshot().await;
        Self { life, before }
    }

    pub async fn running() -> Self {
        let scene = Self::new().await;
        scene.runs().await;
        scene
    }

    /// AWS has granted the account these quotas.
    pub fn grant(&self, quotas: &[(&str, u32)]) {
        let quotas = quotas.iter().map(|(code, value)| ((*code).to_owned(), *value)).collect();
        self.account.becomes(account::Account { quotas, ..Default::default() });
    }

    pub fn set(&self, faults: Vec<Fault>) {
        self.account.cloud().set_faults(faults);
    }

    /// Somebody fixed it. The next request should go on.
    pub fn mend(&self) {
        self.set(vec![]);
    }

    pub async fn runs(&self) {
        self.provision().await.expect("nothing parks it");
        self.has_everything().await;
    }

    /// A retry makes what is inside, and nobody of ours stays there.
    pub async fn is_furnished(&self) {
        self.furnish().await.expect("nothing parks it");
        judge::furnished(&self.record(), &self.account.snapshot().await).expect("all is inside, and nobody of ours");
    }

    async fn has_everything(&self) {
        judge::one_of_everything(&self.cluster, &self.account.snapshot().await).expect("one of everything");
    }

    pub async fn parks(&self) -> Error {
        self.provision().await.expect_err("it must park")
    }

    pub async fn goes(&self) {
        self.tear_down().await.expect("nothing blocks the deletion");
        self.is_gone().await;
    }

    pub async fn is_gone(&self) {
        judge::gone(&self.cluster, &self.before, &self.account.snapshot().await).expect("the account as it was");
    }

    /// When AWS has done all that it does late.
    pub async fn is_gone_after_an_hour(&self) {
        self.hour_passes().await;
        self.is_gone().await;
    }

    /// The same, and not even the control plane's log is there.
    pub async fn is_gone_for_good_after_an_hour(&self) {
        self.hour_passes().await;
        judge::same(&self.before, &self.account.snapshot().await).expect("the account as it was");
    }

    /// What AWS does late, it has done by the next call.
    async fn hour_passes(&self) {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        self.clients().logs.describe_log_groups().send().await.expect("an answer");
    }

    pub async fn is_blocked(&self) -> Error {
        self.tear_down().await.expect_err("it must be blocked")
    }

    /// The zones of a node group's subnets.
    pub async fn zones_of(&self, group: &str) -> BTreeSet<String> {
        let aws = self.clients();
        let group = aws.eks.describe_nodegroup().cluster_name(self.cluster.eks_name()).nodegroup_name(group).send().await;
        let subnets = group.expect("a node group").nodegroup.and_then(|group| group.subnets);
        let subnets = aws.ec2.describe_subnets().set_subnet_ids(subnets).send().await.expect("subnets").subnets.unwrap_or_default();
        subnets.into_iter().filter_map(|subnet| subnet.availability_zone).collect()
    }

    /// The id of what is ready.
    pub fn output(&self, key: &Key) -> String {
        self.desk.entries(&self.cluster.id)[key].outputs["id"].clone()
    }

    /// The tenant reads about this resource, without having waited, that somebody else's thing is in its place.
    pub fn names(&self, key: &Key, reason: &str) {
        let trouble = &self.record().troubles[key];
        assert_eq!((trouble.class, trouble.given_up_at), (Class::Customer, Some(trouble.since)));
        assert_eq!(trouble.reason, format!("{reason}, which Groundwork did not make."));
        assert_eq!(trouble.hint, "Remove what the reason names, then retry.");
    }

    /// From now on, the present account counts as the account before the cluster.
    pub async fn begin_here(&mut self) {
        self.before = self.account.snapshot().await;
    }

    /// The position of the last call that begins with this text.
    pub fn last(&self, call: &str) -> usize {
        self.account.calls().iter().rposition(|made| made.starts_with(call)).expect(call)
    }

    /// The position of the first call that begins with this text.
    pub fn first(&self, call: &str) -> usize {
        self.account.calls().iter().position(|made| made.starts_with(call)).expect(call)
    }

    fn all_struck(&self, faults: &[Fault]) {
        let report = self.account.cloud().report();
        let wanted: usize = faults.iter().map(|fault| fault.times).sum();
        let struck: usize = report.faults.values().sum();
        assert!(struck >= wanted, "{struck} of {wanted} faults struck: {:?}", report.faults);
    }
}

/// Ends running despite these faults, and leaves nothing when it is deleted.
pub async fn runs_in_spite_of(faults: Vec<Fault>) {
    let scene = Scene::new().await;
    scene.set(faults.clone());
    scene.runs().await;
    scene.all_struck(&faults);
    scene.goes().await;
}

/// Is deleted despite these faults.
pub async fn goes_in_spite_of(faults: Vec<Fault>) {
    let scene = Scene::running().await;
    scene.set(faults.clone());
    scene.goes().await;
    scene.all_struck(&faults);
}

/// Parks with each class, reason and hint in turn. Once the causes are fixed, a retry ends running, and a deletion leaves nothing.
pub async fn parks_until_mended<R: AsRef<str>>(parked: impl IntoIterator<Item = (Fault, Class, R, &str)>) {
    let scene = Scene::new().await;
    for (fault, class, reason, hint) in parked {
        scene.set(vec![fault]);
        reads(&scene.parks().await, class, reason.as_ref(), hint);
        scene.mend();
    }
    scene.runs().await;
    scene.goes().await;
}

/// Parks with each class, reason and hint in turn, begins again each time without anybody, and ends running. A deletion leaves nothing.
pub async fn passes_by_itself(parked: impl IntoIterator<Item = (Fault, Class, String, &str)>) {
    let scene = Scene::new().await;
    for (index, (fault, class, reason, hint)) in parked.into_iter().enumerate() {
        scene.set(vec![fault]);
        let parks = if index == 0 { scene.provision().await } else { scene.begin_again().await };
        reads(&parks.expect_err("it must park"), class, &reason, hint);
    }
    scene.mend();
    scene.begin_again().await.expect("nothing parks it");
    scene.has_everything().await;
    scene.goes().await;
}

/// What the user reads about the first of several.
pub fn and_more(others: usize, reason: &str) -> String {
    format!("{reason} ({others} more could not be done either: see troubles)")
}

/// What the user reads.
pub fn reads(error: &Error, class: Class, reason: &str, hint: &str) {
    assert_eq!((error.class, error.reason.as_str(), error.hint.as_str()), (class, reason, hint));
}
