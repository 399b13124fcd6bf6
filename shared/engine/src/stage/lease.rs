//! The lease: one invocation of a stage works on a cluster at a time, and an older run not at all.

use super::{Function, Invocation};
use crate::errors::{Error, Result};
use crate::records::record::{Desired, Lease, Progress, Record, Status};
use crate::resource::Stage;
use jiff::Timestamp;
use std::time::Duration;

pub(super) enum Begun {
    Held(Box<Record>),
    HeldByAnother { wait: Duration },
}

impl Function {
    /// Takes the lease, unless another invocation may still be at work: its lease ends when Lambda would have ended it.
    pub(super) async fn begin(&self, invocation: &Invocation) -> Result<Begun> {
        let now = Timestamp::now();
        let stage = self.stage;
        let begin = |record: &mut Record| {
            self.owned(record, invocation)?;
            record.leases.retain(|_, lease| lease.until > now && lease.holder != invocation.holder);
            let other = record.leases.iter().find(|(held, lease)| **held == stage || lease.run != invocation.input.run);
            if let Some((_, lease)) = other {
                return Ok(Some(lease.until));
            }
            let until = Timestamp::try_from(invocation.deadline).map_err(|error| Error::permanent("Deadline", error.to_string()))?;
            record.leases.insert(stage, Lease { holder: invocation.holder.clone(), run: record.run, until });
            if record.stages.get(&stage).is_none_or(|progress| progress.run != record.run) {
                record.stages.insert(stage, Progress { run: record.run, started_at: now, ready_at: None, refused_since: None });
            }
            if record.status == Status::Queued {
                record.set_status(Status::Provisioning);
            }
            Ok(None)
        };
        let (record, held_until) = self.records.change(&invocation.input.cluster_id, begin, |_| Ok(vec![])).await?;
        Ok(match held_until {
            None => Begun::Held(Box::new(record)),
            Some(until) => Begun::HeldByAnother { wait: until.duration_since(now).unsigned_abs() },
        })
    }

    /// A newer run owns the cluster, or this one is parked already: the stage beside this one stumbled.
    pub(super) fn owned(&self, record: &Record, invocation: &Invocation) -> Result<()> {
        let wanted = if self.stage == Stage::Teardown { Desired::Absent } else { Desired::Present };
        let parked = matches!(record.status, Status::Failed | Status::DeleteBlocked);
        if record.run != invocation.input.run || record.desired != wanted || parked { Err(Error::superseded()) } else { Ok(()) }
    }

    /// Only the lease: the cluster belongs to a newer run, which need not wait.
    pub(super) async fn give_back(&self, invocation: &Invocation) -> Result<()> {
        let give_back = |record: &mut Record| {
            record.leases.retain(|_, lease| lease.holder != invocation.holder);
            Ok(())
        };
        self.records.change(&invocation.input.cluster_id, give_back, |_| Ok(vec![])).await.map(drop)
    }
}
