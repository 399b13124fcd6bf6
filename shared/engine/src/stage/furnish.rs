//! The last stage of a creation: the roles of pods, and then, if there is a way, what is inside the cluster. The cluster runs whatever comes of
//! that; but nothing is left that lets us in.

use super::outcome::still_differs;
use super::{Function, Invocation};
use crate::clock::passed;
use crate::cluster::Cluster;
use crate::desk::change;
use crate::drive::{Answer, Why};
use crate::errors::{Error, Result};
use crate::plan;
use crate::records::record::{Failure, Furnishing, Record};
use jiff::Timestamp;
use std::time::Duration;
use wire::error::Code;
use wire::event::{Action, sentence};
use wire::key::Key;

impl Function {
    pub(super) async fn furnish(&self, invocation: &Invocation, record: &Record, cluster: Cluster) -> Result<Answer> {
        let roles = self.provision(invocation, record, cluster.clone()).await?;
        // What is stuck keeps the cluster from running anyway.
        let stuck = record.troubles.keys().cloned().collect();
        if !roles.open.is_empty() || plan::keeps_pods_from_running(&cluster, &stuck) {
            return Ok(roles);
        }
        if cluster.door.is_none() {
            self.note(invocation, Some(no_door(&cluster))).await?;
            return Ok(roles);
        }
        let cx = self.open(cluster).await?;
        if !record.has_been_inside() {
            let inside = self.walk(invocation, &plan::inside(&cx.cluster), &cx).await?;
            if !inside.open.is_empty() && self.goes_on(record, &inside) {
                return Ok(inside);
            }
            self.note(invocation, self.not_furnished(inside)).await?;
        }
        self.walk(invocation, &plan::leaving(&cx.cluster), &cx).await
    }

    /// True as long as trying again can help. The other half of the stage's time is for closing the door.
    fn goes_on(&self, record: &Record, inside: &Answer) -> bool {
        let began = record.stages.get(&self.stage).map(|progress| progress.started_at);
        let is_younger = |since: Option<Timestamp>, age| since.is_none_or(|since| passed(since, self.desk.now()) < age);
        let refused_since = |key: &Key| record.troubles.get(key).map(|trouble| trouble.since);
        let passes = |(key, why): (&Key, &Why)| match why {
            Why::Failed(error) if error.class.retryable() => true,
            Why::Failed(error) => error.may_be_stale() && is_younger(refused_since(key), self.patience.refusal_grace),
            Why::Busy | Why::Unseen | Why::Differs(_) | Why::Held(_) => true,
        };
        is_younger(began, self.half()) && inside.open.iter().any(passes)
    }

    fn half(&self) -> Duration {
        self.patience.budget / 2
    }

    /// Why it is not furnished, if it is not. What the rest waits for comes first in the order of the keys.
    fn not_furnished(&self, inside: Answer) -> Option<Error> {
        let (key, why) = inside.open.into_iter().next()?;
        Some(match why {
            Why::Failed(error) | Why::Held(error) => error,
            Why::Differs(differences) => still_differs(Code::ApiServer, &key, &differences),
            Why::Busy | Why::Unseen => {
                let reason = format!("{key} was not finished within {} minutes.", self.half().as_secs() / 60);
                Error::of(Code::ApiServer, reason).with_hint("Give it some minutes.")
            }
        })
    }

    /// What came of it, for everybody to read.
    async fn note(&self, invocation: &Invocation, failure: Option<Error>) -> Result<()> {
        let now = self.desk.now();
        let furnish = |record: &mut Record| {
            self.still_ours(record, invocation)?;
            let failure = failure.as_ref().map(|error| Failure::new(record.run, Some(self.stage), error));
            record.furnishing = Some(Furnishing { run: record.run, failure });
            Ok(())
        };
        let told = |_: &Record| match &failure {
            None => vec![self.event(Action::Finished, &Key::Furniture, "The cluster is furnished.".into(), now)],
            Some(error) => {
                vec![self.event(Action::Stuck, &Key::Furniture, format!("The cluster is not furnished. {}", sentence(&error.reason)), now)]
            }
        };
        change(self.desk.as_ref(), &invocation.input.cluster_id, furnish, told).await.map(drop)
    }
}

fn no_door(cluster: &Cluster) -> Error {
    let reason = match cluster.spec.self_managed() {
        Some(_) => "The cluster is your own, so Groundwork makes nothing inside it.",
        None => "This Groundwork has no address of its own, so it does not reach into clusters.",
    };
    Error::of(Code::NoDoor, reason)
}
