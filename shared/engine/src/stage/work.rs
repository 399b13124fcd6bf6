//! What each stage does once it holds the lease.

use super::held_journal::HeldJournal;
use super::{Function, Invocation};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::desk::{Hold, change};
use crate::doors::{Faults, Proven, Purpose, noted};
use crate::drive::{self, Answer, Bounds, Plan};
use crate::errors::{Error, Result};
use crate::inventory;
use crate::offering::{self, Offering};
use crate::preflight::network::Verified;
use crate::records::record::{Record, of_newer_version};
use crate::{plan, preflight};
use std::collections::BTreeMap;
use wire::error::Code;
use wire::instances::Hardware;
use wire::inventory::Inventory;
use wire::spec::{self, Ground, InstanceType, Spec};
use wire::stage::Stage;
use wire::stored::StoredSpec;
use wire::view::Warning;

/// Where a cluster can be, and on what.
#[derive(Default)]
struct Place {
    zones: Vec<String>,
    /// None for nodes in a cluster of the customer's.
    offering: Option<Offering>,
    hardware: BTreeMap<String, Hardware>,
    advice: Vec<Warning>,
}

impl Function {
    pub(super) async fn work(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        let cluster = record.cluster()?;
        match self.stage {
            Stage::Validate => {
                self.doors.check_region(&cluster.spec.region).await?;
                validate(&record.spec)
            }
            Stage::AssumeRole => self.assume_role(invocation, cluster).await,
            Stage::CreateBuckets | Stage::CreateEks | Stage::CreateNodegroups => self.provision(invocation, record, cluster).await,
            Stage::Furnish => self.furnish(invocation, record, cluster).await,
            Stage::Teardown => self.tear_down(invocation, record, cluster).await,
        }
    }

    /// All checks come first; only then is anything claimed or chosen.
    async fn assume_role(&self, invocation: &Invocation, cluster: Cluster) -> Result<Answer> {
        let Proven { aws, mut advice } = self.doors.prove(&cluster, Purpose::Cluster).await.map_err(Faults::together)?;
        let cx = Context::new(aws, cluster, self.desk.now());
        let Place { zones, offering, hardware, advice: of_place } = self.examine(&cx).await.map_err(Faults::together)?;
        advice.extend(of_place);
        self.claim(&cx.cluster).await?;
        let choose = |record: &mut Record| {
            self.still_ours(record, invocation)?;
            record.advice.clone_from(&advice);
            // Chosen once, because subnets that exist stay where they are.
            if record.zones.is_empty() {
                record.zones.clone_from(&zones);
            }
            record.door = self.door.filter(|_| cx.cluster.spec.managed().is_some());
            record.offering.clone_from(&offering);
            record.hardware.clone_from(&hardware);
            Ok(())
        };
        change(self.desk.as_ref(), &cx.cluster.id, choose, |_| vec![]).await?;
        Ok(Answer::default())
    }

    /// What the customer can mend is told together, so that a cluster parks once.
    async fn examine(&self, cx: &Context) -> Result<Place, Faults> {
        let mut found = vec![];
        let place = noted(&mut found, find_place(cx).await)?;
        noted(&mut found, verify_way_out(cx).await)?;
        let of_key = noted(&mut found, preflight::key::check(cx).await)?.flatten();
        noted(&mut found, self.verify_version(cx).await)?;
        Faults::none_of(found)?;
        let mut place = place.unwrap_or_default();
        place.advice.extend(of_key);
        Ok(place)
    }

    /// Once there is a control plane, EKS looks after its version.
    async fn verify_version(&self, cx: &Context) -> Result<()> {
        if plan::had_control_plane(&self.desk.journal(&cx.cluster.id).await?) {
            return Ok(());
        }
        preflight::version::check(cx).await
    }

    /// From now on the role belongs to this tenant: another tenant who names it is refused at once.
    async fn claim(&self, cluster: &Cluster) -> Result<()> {
        if self.desk.claim_role(&cluster.tenant, &cluster.spec.role_arn).await? {
            return Ok(());
        }
        Err(Error::of(Code::RoleRegistered, format!("{} is registered by another tenant.", cluster.spec.role_arn)))
    }

    pub(super) async fn provision(&self, invocation: &Invocation, record: &Record, cluster: Cluster) -> Result<Answer> {
        let of_others = record.troubles.iter().filter(|(_, trouble)| trouble.stage != self.stage);
        let stuck = of_others.map(|(key, _)| key.clone()).collect();
        let plan = plan::of_stage(&cluster, self.stage, &self.desk.journal(&cluster.id).await?, stuck);
        // A session in which there is nothing to do would have a policy without a statement, which STS refuses.
        if plan.wanted.is_empty() && plan.unwanted.is_empty() {
            return Ok(Answer::default());
        }
        let cx = self.open(cluster).await?;
        self.walk(invocation, &plan, &cx).await
    }

    /// Removes everything, then looks at the account once more: a cluster is deleted only if nothing is left.
    async fn tear_down(&self, invocation: &Invocation, record: &Record, cluster: Cluster) -> Result<Answer> {
        keeps_only_what_is_known(&record.spec)?;
        if !has_begun(record, &cluster) {
            self.record_inventory(invocation, &Inventory::default()).await?;
            return Ok(Answer::default());
        }
        let cx = self.open(cluster).await?;
        let plan = plan::teardown(&cx.cluster, &self.desk.journal(&record.id).await?)?;
        let answer = self.walk(invocation, &plan, &cx).await?;
        if self.ends(record, &answer) {
            if answer.open.is_empty() && !record.troubles.is_empty() {
                self.forget_troubles(invocation).await?;
            }
            self.look_around(invocation, &cx, &answer).await?;
        }
        Ok(answer)
    }

    /// What is gone is no trouble any more, whatever the last look at the account meets.
    async fn forget_troubles(&self, invocation: &Invocation) -> Result<()> {
        let forget = |record: &mut Record| {
            self.still_ours(record, invocation)?;
            record.troubles.clear();
            Ok(())
        };
        change(self.desk.as_ref(), &invocation.input.cluster_id, forget, |_| vec![]).await.map(drop)
    }

    /// The last look at the account.
    async fn look_around(&self, invocation: &Invocation, cx: &Context, answer: &Answer) -> Result<()> {
        match inventory::take(cx).await {
            Ok(inventory) => {
                self.record_inventory(invocation, &inventory).await?;
                if answer.open.is_empty() && !inventory.left.is_empty() { Err(left_behind(&inventory)) } else { Ok(()) }
            }
            // What is stuck says more than that it could not be listed.
            Err(error) if !answer.open.is_empty() => {
                tracing::warn!(cluster_id = cx.cluster.id, detail = error.detail, "no inventory of a blocked deletion");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn open(&self, cluster: Cluster) -> Result<Context> {
        Ok(Context::new(self.doors.open(&cluster, self.stage).await?, cluster, self.desk.now()))
    }

    /// Rounds begin only in the first half of the invocation, so that the last one can end in the second half.
    pub(super) async fn walk(&self, invocation: &Invocation, plan: &Plan, cx: &Context) -> Result<Answer> {
        let input = &invocation.input;
        let hold = Hold { cluster_id: input.cluster_id.clone(), stage: self.stage, holder: invocation.holder.clone(), run: input.run };
        let now = self.desk.now();
        let bounds = Bounds { grace: self.patience.grace, until: now + invocation.deadline.duration_since(now) / 2 };
        drive::walk(plan, cx, &HeldJournal { desk: self.desk.as_ref(), hold }, bounds).await
    }

    async fn record_inventory(&self, invocation: &Invocation, inventory: &Inventory) -> Result<()> {
        let keep = |record: &mut Record| {
            self.still_ours(record, invocation)?;
            record.inventory = Some(inventory.clone());
            Ok(())
        };
        change(self.desk.as_ref(), &invocation.input.cluster_id, keep, |_| vec![]).await.map(drop)
    }
}

/// The system's among them, if it is ours.
fn types<'a>(spec: &'a Spec, offering: Option<&'a Offering>) -> impl Iterator<Item = &'a str> {
    let system = offering.map(|offering| offering.system.as_str());
    offering::wanted(spec, offering).iter().flat_map(InstanceType::types).chain(system)
}

async fn find_place(cx: &Context) -> Result<Place, Faults> {
    let (given, advice) = verify_network(cx).await?;
    let (zones, offering) = match cx.cluster.spec.ground {
        Ground::Managed(_) => preflight::zones::choose(cx, given).await.map(|(zones, offering)| (zones, Some(offering)))?,
        // The customer's subnets decide where the nodes go.
        Ground::SelfManaged(_) => (vec![], None),
    };
    let hardware = preflight::hardware::ask(cx, types(&cx.cluster.spec, offering.as_ref())).await?;
    preflight::hardware::check(&cx.cluster.spec.instance_types, &hardware)?;
    Ok(Place { zones, offering, hardware, advice })
}

/// The zones of the customer's subnets that a managed cluster is to be in, if it is, and what a person would regret about them.
async fn verify_network(cx: &Context) -> Result<(Option<Vec<String>>, Vec<Warning>), Faults> {
    if !cx.cluster.is_in_their_network() {
        return Ok((None, vec![]));
    }
    let Verified { zones, advice } = preflight::network::check(cx).await?;
    Ok((Some(zones), advice))
}

/// Once there is a VPC of ours, its owner can have exempted it. A VPC of the customer's is looked at with all else that it has.
async fn verify_way_out(cx: &Context) -> Result<()> {
    if cx.cluster.spec.managed().is_some() && !cx.cluster.is_in_their_network() && cx.cluster.zones.is_empty() {
        preflight::way_out::check(cx).await?;
    }
    Ok(())
}

/// What a newer version, rolled back since, was told to keep may not be deleted by this one.
fn keeps_only_what_is_known(spec: &StoredSpec) -> Result<()> {
    match spec.unknown().into_iter().find(|path| path.starts_with("$.deletion")) {
        None => Ok(()),
        Some(path) => Err(of_newer_version(format!("This version of Groundwork does not understand {path} of the cluster's spec."))),
    }
}

/// True once a stage that makes something has begun: until then nothing of ours can be in the account.
fn has_begun(record: &Record, cluster: &Cluster) -> bool {
    plan::makers(cluster).iter().any(|stage| record.stages.contains_key(stage))
}

/// The spec was checked when it was accepted; this checks an older version's record by this version's rules. Nothing begins if a part of
/// the spec would be ignored.
fn validate(spec: &StoredSpec) -> Result<Answer> {
    if let Some(notice) = spec.notice() {
        return Err(of_newer_version(notice));
    }
    match spec::parse(spec.written()) {
        Ok(_) => Ok(Answer::default()),
        Err(faults) => {
            let faults: Vec<String> = faults.into_iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect();
            Err(Error::of(Code::InvalidSpec, format!("By the rules of this version the spec has faults: {}.", faults.join("; "))))
        }
    }
}

/// Everything that we made is gone, but something with our tags or names or in our VPC is still there.
fn left_behind(inventory: &Inventory) -> Error {
    let things: Vec<String> = inventory.left.iter().map(|found| format!("{} {}", found.kind, found.id)).collect();
    Error::of(Code::LeftBehind, format!("{} thing(s) are left in the account: {}.", things.len(), things.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use wire::error::Class;

    #[test]
    fn nothing_begins_with_a_spec_that_is_invalid_or_not_fully_understood() {
        for (field, value, expected, reason) in [
            ("name", json!("research"), None, "as it was accepted"),
            ("network", json!({"mode": "existing"}), Some((Class::Permanent, Code::Spec)), "a newer version's field would be ignored"),
            ("mode", json!("fargate"), Some((Class::Permanent, Code::Spec)), "a newer version's mode"),
            ("instance_types", json!([{"name": "g4ad.xlarge"}]), Some((Class::Customer, Code::InvalidSpec)), "the rules are stricter now"),
        ] {
            let mut written: Value = json!(Cluster::example(json!({})).spec);
            written[field] = value;
            let found = validate(&written.into()).err().map(|error| (error.class, error.code));
            assert_eq!(found, expected, "{reason}");
        }
    }
}
