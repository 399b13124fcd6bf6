//! A cluster from its request to its end, driven as the state machine drives the stages.

use crate::account::{Account, REGION};
use crate::journal::{Frozen, Notebook};
use crate::theirs;
use engine::drive::{self, Answer, Limits};
use engine::errors::{Error, Result};
use engine::inventory;
use engine::journal::Journal;
use engine::plan;
use engine::resource::{Cluster, Context, Stage};
use engine::session::Clients;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const STAGES: [Stage; 3] = [Stage::CreateBuckets, Stage::CreateEks, Stage::CreateNodegroups];

/// AWS's: see `CreationGraceSeconds` in template.yaml.
pub const GRACE: Duration = Duration::from_secs(300);
/// A stage's invocations at AWS's pace; one that needs more goes round in a circle.
const MOST_INVOCATIONS: usize = 400;
/// `MaxAttempts` of the state machine's Retry.
const MOST_RETRIES: usize = 30;
/// See `RefusalGraceSeconds` in template.yaml.
const REFUSAL_GRACE: Duration = Duration::from_secs(60);
/// A lease of an invocation that died lasts as long as Lambda would have let it live.
const LEASE: Duration = Duration::from_secs(60);

pub struct Life {
    pub account: Account,
    /// Made once: in a debug build making them takes longer than most calls.
    aws: Clients,
    pub cluster: Cluster,
    pub journal: Notebook,
    pub grace: Duration,
    /// A call that falls silent is the end of the process; else it is a timeout.
    pub silence_kills: bool,
}

/// What is asked of a cluster: two zones and so many instance types.
fn spec(types: &[&str]) -> engine::spec::Spec {
    let types: Vec<_> = types.iter().map(|name| json!({"name": name})).collect();
    let body = json!({
        "name": "research", "role_arn": "arn:aws:iam::123456789012:role/groundwork", "region": REGION, "instance_types": types,
        "admin_principal_arn": "arn:aws:iam::123456789012:role/admin"
    });
    engine::spec::parse(&body).expect("a valid spec")
}

/// The cluster that is asked for.
fn research() -> Cluster {
    Cluster {
        id: "abcdefghijkl".into(),
        name: "research".into(),
        tenant: "demo".into(),
        account: "123456789012".into(),
        zones: vec![format!("{REGION}a"), format!("{REGION}b")],
        spec: spec(&["m6i.large"]),
    }
}

/// Two node groups in the cluster that `theirs` makes.
fn self_managed() -> Cluster {
    let body = json!({
        "name": "research", "role_arn": "arn:aws:iam::123456789012:role/groundwork", "region": REGION, "mode": "self_managed",
        "eks_cluster_name": theirs::CLUSTER, "buckets": theirs::BUCKETS, "node_role_arn": "arn:aws:iam::123456789012:role/nodes",
        "instance_types": [{"name": "m6i.large"}, {"name": "g4dn.xlarge"}]
    });
    Cluster { zones: vec![], spec: engine::spec::parse(&body).expect("a valid spec"), ..research() }
}

impl Life {
    /// A cluster that was asked for, in this account.
    pub fn new(account: Account) -> Self {
        Self::of(account, research(), Notebook::thawed(1, &Frozen::default()))
    }

    /// Node groups that were asked for, in a cluster that the customer made.
    pub async fn self_managed(account: Account) -> Self {
        theirs::make(&account.clients()).await;
        Self::of(account, self_managed(), Notebook::thawed(1, &Frozen::default()))
    }

    pub fn of(account: Account, cluster: Cluster, journal: Notebook) -> Self {
        Self { aws: account.clients(), account, cluster, journal, grace: GRACE, silence_kills: true }
    }

    /// A new request for the same cluster with an instance type more.
    pub fn change_spec(&mut self) {
        self.cluster.spec = spec(&["m6i.large", "g4dn.xlarge"]);
        self.journal.run += 1;
    }

    /// # Errors
    /// What parks the cluster.
    pub async fn provision(&self) -> Result<()> {
        for stage in STAGES {
            self.bring_about(stage).await?;
        }
        Ok(())
    }

    /// # Errors
    /// What blocks the deletion, or what is left after it.
    pub async fn tear_down(&self) -> Result<()> {
        self.bring_about(Stage::Teardown).await
    }

    async fn bring_about(&self, stage: Stage) -> Result<()> {
        let mut retries = 0;
        let mut refused_since = None;
        for _ in 0..MOST_INVOCATIONS {
            let outcome = self.invoke(stage).await;
            let refused = matches!(&outcome, Some(Err(error)) if error.is_denial());
            refused_since = refused.then(|| refused_since.unwrap_or_else(tokio::time::Instant::now));
            match outcome {
                None => sleep(LEASE).await,
                Some(Ok(Answer::Ready)) => return Ok(()),
                Some(Ok(Answer::Pending { wait, .. })) => sleep(wait).await,
                Some(Err(error)) if error.class.retryable() && retries < MOST_RETRIES => {
                    retries += 1;
                    sleep(Duration::from_secs(10)).await;
                }
                Some(Err(_)) if refused_since.is_some_and(|since| since.elapsed() < REFUSAL_GRACE) => sleep(Duration::from_secs(5)).await,
                Some(Err(error)) => return Err(error),
            }
        }
        Err(Error::permanent("Endless", format!("{stage} comes to no end")))
    }

    /// None if the process died.
    async fn invoke(&self, stage: Stage) -> Option<Result<Answer>> {
        tokio::select! {
            biased;
            answer = self.work(stage) => Some(answer),
            () = self.account.cloud().silent.notified(), if self.silence_kills => None,
            () = self.journal.silent.notified() => None,
        }
    }

    async fn work(&self, stage: Stage) -> Result<Answer> {
        let cx = self.context();
        let limits = Limits { grace: self.grace, until: Instant::now() + Duration::from_secs(30) };
        if stage != Stage::Teardown {
            let plan = plan::of_stage(&cx.cluster, stage, &self.journal.entries().await?);
            return drive::ensure(&plan, &cx, &self.journal, limits).await;
        }
        let answer = drive::destroy(&plan::teardown(&cx.cluster, self.journal.keys().into_iter()), &cx, &self.journal, limits).await?;
        if answer == Answer::Ready {
            let left = inventory::take(&cx).await?.left;
            if !left.is_empty() {
                return Err(Error::customer("LeftBehind", format!("{left:?}"), ""));
            }
        }
        Ok(answer)
    }

    pub fn context(&self) -> Context {
        Context { aws: self.clients(), cluster: self.cluster.clone(), outputs: Default::default() }
    }

    pub fn clients(&self) -> Clients {
        self.aws.clone()
    }
}
