//! The lease: one invocation of a stage works on a cluster at a time, and none of an older run.

use super::{Function, Invocation};
use crate::clock::passed;
use crate::desk::change;
use crate::errors::{Error, Result};
use crate::records::record::{Lease, Progress, Record};
use std::time::Duration;
use wire::stage::Stage;
use wire::status::{Desired, Status};

pub(super) enum Begun {
    Held(Box<Record>),
    HeldByAnother { wait: Duration },
}

impl Function {
    /// Takes the lease, unless another invocation may still be at work. A lease ends when Lambda would have ended its invocation.
    pub(super) async fn begin(&self, invocation: &Invocation) -> Result<Begun> {
        let (now, stage) = (self.desk.now(), self.stage);
        let begin = |record: &mut Record| {
            self.still_ours(record, invocation)?;
            record.leases.retain(|_, lease| lease.until > now && lease.holder != invocation.holder);
            // Stages of the same run may work beside each other, but none of an older run.
            let other = record.leases.iter().find(|(held, lease)| **held == stage || lease.run != invocation.input.run);
            if let Some((_, lease)) = other {
                return Ok(Some(lease.until));
            }
            record.leases.insert(stage, Lease { holder: invocation.holder.clone(), run: record.run, until: invocation.deadline });
            if record.stages.get(&stage).is_none_or(|progress| progress.run != record.run) {
                record.stages.insert(stage, Progress { run: record.run, started_at: now, ready_at: None, refused_since: None });
            }
            if record.status == Status::Queued {
                record.set_status(Status::Provisioning, now);
            }
            Ok(None)
        };
        let (record, held_until) = change(self.desk.as_ref(), &invocation.input.cluster_id, begin, |_| vec![]).await?;
        Ok(match held_until {
            None => Begun::Held(Box::new(record)),
            Some(until) => Begun::HeldByAnother { wait: passed(now, until) },
        })
    }

    /// An error if a newer run owns the cluster, or if this run is already parked because the stage beside this one failed.
    pub(super) fn still_ours(&self, record: &Record, invocation: &Invocation) -> Result<()> {
        let wanted = if self.stage == Stage::Teardown { Desired::Absent } else { Desired::Present };
        let parked = record.status.is_parked();
        if record.run != invocation.input.run || record.desired != wanted || parked { Err(Error::superseded()) } else { Ok(()) }
    }

    /// Gives back only the lease: the cluster belongs to a newer run, which should not have to wait.
    pub(super) async fn give_back(&self, invocation: &Invocation) -> Result<()> {
        let give_back = |record: &mut Record| {
            record.leases.retain(|_, lease| lease.holder != invocation.holder);
            Ok(())
        };
        change(self.desk.as_ref(), &invocation.input.cluster_id, give_back, |_| vec![]).await.map(drop)
    }
}
