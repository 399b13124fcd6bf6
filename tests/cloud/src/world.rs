//! What the cloud knows that the AWS behind does not: the time, what is on its way up or down, and what depends on what.

use crate::account::Account;
use crate::authorization::ledger::Assumed;
use crate::control_plane::{ControlPlane, Place};
use crate::network::Network;
use crate::timing::{ID_SEEN, LAST_LOGS};
use crate::usage::Usage;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

pub struct World {
    start: Instant,
    /// AWS's time at the start.
    before: Duration,
    speed: f64,
    /// Average seconds of AWS's time until EC2 shows a new id everywhere.
    pub ids_seen_after: f64,
    pub rng: StdRng,
    pub lives: BTreeMap<String, Life>,
    pub network: Network,
    /// What counts towards quotas.
    pub usage: Usage,
    /// What AWS will do by itself, and when.
    late: Vec<(Duration, Request<Bytes>)>,
    /// Access key → the session that it belongs to.
    pub sessions: BTreeMap<String, Session>,
    /// By number, the accounts that are not plain.
    pub accounts: BTreeMap<String, Account>,
    /// What every other account has.
    pub plain: Account,
    /// The clusters that have a control plane of their own, from their creation on; None until it answers.
    pub control_planes: BTreeMap<Place, Option<ControlPlane>>,
}

/// Something that takes AWS time. EKS's things are named by their path, NAT gateways by their id.
#[derive(Clone)]
pub struct Life {
    pub kind: Kind,
    pub born: Duration,
    pub ready: Duration,
    pub busy_until: Duration,
    /// Why it fails when it should be ready.
    pub issue: Option<Issue>,
    /// Nodes: whether they have joined the cluster.
    pub joined: bool,
    /// When its deletion is finished, and the request that the AWS behind gets then.
    pub dies: Option<(Duration, Request<Bytes>)>,
    /// Why it is not deleted when it should be gone.
    pub clings: Option<Issue>,
    /// What AWS last said about it.
    pub body: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Cluster,
    NodeGroup,
    Addon,
    NatGateway,
    VpcEndpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Coming,
    There,
    Busy,
    Failed,
    Going,
    DeleteFailed,
}

/// What EKS lists under `health.issues`, or EC2 as a failure.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Issue {
    pub code: String,
    pub message: String,
}

#[derive(Clone)]
pub struct Session {
    pub assumed: Assumed,
    pub issued: Duration,
}

impl World {
    /// `speed` seconds of AWS pass in a second.
    pub fn new(seed: u64, speed: f64) -> Self {
        Self {
            start: Instant::now(),
            before: Duration::ZERO,
            speed,
            ids_seen_after: ID_SEEN,
            rng: StdRng::seed_from_u64(seed),
            lives: BTreeMap::new(),
            network: Network::default(),
            usage: Usage::default(),
            late: vec![],
            sessions: BTreeMap::new(),
            accounts: BTreeMap::new(),
            plain: Account::default(),
            control_planes: BTreeMap::new(),
        }
    }

    /// AWS's time since the beginning.
    pub fn now(&self) -> Duration {
        self.before + self.start.elapsed().mul_f64(self.speed)
    }

    /// The same world, but from now on with other random events.
    pub fn copy(&self, at: Duration, seed: u64) -> Self {
        Self {
            before: at,
            ids_seen_after: self.ids_seen_after,
            lives: self.lives.clone(),
            network: self.network.clone(),
            usage: self.usage.clone(),
            late: self.late.clone(),
            sessions: self.sessions.clone(),
            accounts: self.accounts.clone(),
            plain: self.plain.clone(),
            control_planes: self.control_planes.clone(),
            ..Self::new(seed, self.speed)
        }
    }

    /// How long this much of AWS's time lasts here.
    pub fn real(&self, aws: Duration) -> Duration {
        aws.div_f64(self.speed)
    }

    pub fn phase(&self, name: &str) -> Option<Phase> {
        self.lives.get(name).map(|life| life.phase(self.now()))
    }

    pub fn children<'a>(&'a self, cluster: &'a str, kind: Kind) -> impl Iterator<Item = (&'a String, &'a Life)> {
        self.lives.iter().filter(move |(name, life)| life.kind == kind && is_within(name, cluster))
    }

    /// Ends what would never end.
    pub fn finish(&mut self) {
        let now = self.now();
        for life in self.lives.values_mut() {
            let dies = life.dies.as_mut().map(|(at, _)| at);
            for never in dies.into_iter().chain([&mut life.ready]).filter(|at| **at == Duration::MAX) {
                *never = now;
            }
        }
    }

    /// AWS will do this by itself.
    pub fn later(&mut self, at: Duration, request: Request<Bytes>) {
        self.late.push((at, request));
    }

    /// True if there is something to bury, or AWS does something by itself now.
    pub fn is_burial_due(&self) -> bool {
        let now = self.now();
        self.lives.values().any(|life| life.is_over(now)) || self.late.iter().any(|(at, _)| *at <= now)
    }

    /// What AWS does by itself now; the requests are for the AWS behind.
    pub fn due(&mut self) -> Vec<Request<Bytes>> {
        let now = self.now();
        self.late.extract_if(.., |(at, _)| *at <= now).map(|(_, request)| request).collect()
    }

    /// Buries what has finished its deletion; the requests are for the AWS behind.
    pub fn bury(&mut self) -> Vec<Request<Bytes>> {
        let now = self.now();
        let dead: Vec<String> = self.lives.iter().filter(|(_, life)| life.is_over(now)).map(|(name, _)| name.clone()).collect();
        dead.iter().filter_map(|name| self.remove(name)).collect()
    }

    /// A cluster takes along what is in it.
    fn remove(&mut self, name: &str) -> Option<Request<Bytes>> {
        self.network.cut(name);
        self.usage.bury(name);
        let life = self.lives.remove(name)?;
        self.lives.retain(|other, _| !is_within(other, name));
        self.control_planes.retain(|place, _| name.strip_prefix("clusters/") != Some(&place.cluster));
        let (at, request) = life.dies?;
        if life.kind == Kind::Cluster && !life.body["logging"].is_null() {
            self.late.extend(last_logs(name, &request).map(|last| (at + LAST_LOGS, last)));
        }
        Some(request)
    }

    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>` of the signer.
    pub fn caller(&self, access_key: &str) -> &str {
        self.sessions.get(access_key).map_or("", |session| &session.assumed.session)
    }

    /// The number of the signer's account: on a local AWS it is the access key of the account's root user. Empty for the operator's functions.
    pub fn number<'a>(&'a self, access_key: &'a str) -> &'a str {
        match self.sessions.get(access_key) {
            Some(session) => session.assumed.session.split(':').nth(4).unwrap_or_default(),
            None if is_number(access_key) => access_key,
            None => "",
        }
    }

    /// The signer's account.
    pub fn account(&self, access_key: &str) -> &Account {
        self.numbered(self.number(access_key))
    }

    /// The account of that number.
    pub fn numbered(&self, number: &str) -> &Account {
        self.accounts.get(number).unwrap_or(&self.plain)
    }
}

/// EKS writes a control plane's last lines when it has gone, and makes the log group if it is missing.
/// <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2446>
fn last_logs(name: &str, deletion: &Request<Bytes>) -> Option<Request<Bytes>> {
    let mut uri = deletion.uri().clone().into_parts();
    uri.path_and_query = Some(PathAndQuery::from_static("/"));
    let mut request = Request::post(Uri::from_parts(uri).ok()?).header("x-amz-target", "Logs_20140328.CreateLogGroup");
    for (header, value) in deletion.headers().iter().filter(|(header, _)| ["authorization", "host"].contains(&header.as_str())) {
        request = request.header(header, value.to_str().ok()?.replace("/eks/", "/logs/").replace("//eks.", "//logs."));
    }
    let group = format!("/aws/eks/{}/cluster", name.strip_prefix("clusters/")?);
    let body = serde_json::json!({"logGroupName": group}).to_string();
    request.header("content-type", "application/x-amz-json-1.1").body(body.into()).ok()
}

fn is_number(access_key: &str) -> bool {
    access_key.len() == 12 && access_key.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_within(name: &str, cluster: &str) -> bool {
    name.strip_prefix(cluster).is_some_and(|rest| rest.starts_with('/'))
}

impl Life {
    /// Its deletion is finished.
    fn is_over(&self, now: Duration) -> bool {
        self.clings.is_none() && self.dies.as_ref().is_some_and(|(at, _)| *at <= now)
    }

    pub fn phase(&self, now: Duration) -> Phase {
        if let Some((at, _)) = &self.dies {
            if self.clings.is_some() && *at <= now { Phase::DeleteFailed } else { Phase::Going }
        } else if now < self.ready {
            Phase::Coming
        } else if self.issue.is_some() {
            Phase::Failed
        } else if now < self.busy_until {
            Phase::Busy
        } else {
            Phase::There
        }
    }
}
