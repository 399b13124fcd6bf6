//! What each stage does, once it holds the lease.

use super::{Function, Invocation};
use crate::drive::{self, Answer, Limits};
use crate::errors::{Error, Result};
use crate::inventory::{self, Inventory};
use crate::records::journal::TableJournal;
use crate::records::record::Record;
use crate::resource::{Context, Stage};
use crate::spec::Mode;
use crate::{permissions, plan, preflight, session, spec};
use aws_config::SdkConfig;
use std::time::{Instant, SystemTime};

impl Function {
    pub(super) async fn work(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        match self.stage {
            Stage::Validate => {
                preflight::region(&self.config, &record.spec.region).await?;
                validate(record)
            }
            Stage::AssumeRole => self.assume_role(invocation, record).await,
            Stage::CreateBuckets | Stage::CreateEks | Stage::CreateNodegroups => self.provision(invocation, record).await,
            Stage::Teardown => self.tear_down(invocation, record).await,
        }
    }

    async fn open(&self, record: &Record) -> Result<Context> {
        let external_id = self.records.external_id(&record.tenant).await?;
        let customer = session::assume(&self.config, &entry(record, self.stage), &external_id).await?;
        Ok(context(&customer, record))
    }

    /// Proves that the role lets us in, and nobody else; then that it may do what it must, and that the region is usable.
    async fn assume_role(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        let external_id = self.records.external_id(&record.tenant).await?;
        let customer = preflight::trust::both_ways(&self.config, &entry(record, self.stage), &external_id).await?;
        let others = permissions::STAGES.iter().filter(|stage| **stage != self.stage).map(|stage| entry(record, *stage));
        preflight::trust::every_stage(&self.config, others, &external_id).await?;
        let cx = context(&customer, record);
        preflight::permissions::check(&cx).await?;
        preflight::trust::no_wildcard(&cx).await?;
        self.claim(record).await?;
        let zones = match record.spec.mode {
            Mode::Managed => preflight::zones(&cx).await?,
            // Where the nodes go is in the customer's subnets.
            Mode::SelfManaged => vec![],
        };
        let choose = |record: &mut Record| {
            self.owned(record, invocation)?;
            // Chosen once: subnets that exist stay where they are.
            if record.zones.is_empty() {
                record.zones.clone_from(&zones);
            }
            Ok(())
        };
        self.records.change(&record.id, choose, |_| Ok(vec![])).await?;
        Ok(Answer::Ready)
    }

    /// The role is the tenant's from now on: another one that names it is refused at once.
    async fn claim(&self, record: &Record) -> Result<()> {
        match self.records.claim_role(&record.tenant, &record.spec.role_arn).await? {
            true => Ok(()),
            false => Err(Error::customer(
                "RoleRegistered",
                format!("{} is registered by another tenant.", record.spec.role_arn),
                "Deploy the quick-start with another role name and create the cluster with that role.",
            )),
        }
    }

    async fn provision(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        let cx = self.open(record).await?;
        let plan = plan::of_stage(&cx.cluster, self.stage, &self.records.journal(&record.id).await?);
        drive::ensure(&plan, &cx, &self.journal(invocation), self.limits(invocation)).await
    }

    /// Takes everything away and looks at the account once more: deleted is what left nothing.
    async fn tear_down(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        if !record.has_begun() {
            self.record_inventory(invocation, &Inventory::default()).await?;
            return Ok(Answer::Ready);
        }
        let cx = self.open(record).await?;
        let journal = self.journal(invocation);
        let entries = self.records.journal(&record.id).await?;
        let plan = plan::teardown(&cx.cluster, entries.into_keys());
        let answer = drive::destroy(&plan, &cx, &journal, self.limits(invocation)).await;
        let stuck = match &answer {
            Ok(Answer::Ready) => true,
            Ok(Answer::Pending { .. }) => self.over_budget(record),
            Err(error) => !error.class.retryable(),
        };
        if stuck {
            let inventory = inventory::take(&cx).await?;
            self.record_inventory(invocation, &inventory).await?;
            if let (Ok(Answer::Ready), false) = (&answer, inventory.left.is_empty()) {
                return Err(left_behind(&inventory));
            }
        }
        answer
    }

    async fn record_inventory(&self, invocation: &Invocation, inventory: &Inventory) -> Result<()> {
        let keep = |record: &mut Record| {
            self.owned(record, invocation)?;
            record.inventory = Some(inventory.clone());
            Ok(())
        };
        self.records.change(&invocation.input.cluster_id, keep, |_| Ok(vec![])).await.map(drop)
    }

    fn journal(&self, invocation: &Invocation) -> TableJournal {
        let input = &invocation.input;
        TableJournal::new(self.records.clone(), input.cluster_id.clone(), self.stage, invocation.holder.clone(), input.run)
    }

    /// Rounds begin in the first half of the invocation only, so that the last one can end in the second.
    fn limits(&self, invocation: &Invocation) -> Limits {
        let left = invocation.deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Limits { grace: self.grace, until: Instant::now() + left / 2 }
    }
}

/// How a stage goes into the customer's account.
fn entry(record: &Record, stage: Stage) -> session::Entry<'_> {
    let (spec, id) = (&record.spec, &record.id);
    let limits = match spec.mode {
        Mode::Managed => session::SessionPolicies {
            managed: Some(permissions::policy_arn(stage, &spec.names())),
            inline: permissions::session::narrowed(stage, id, spec.admin_principal_arn.as_deref()).compact(),
        },
        Mode::SelfManaged => {
            session::SessionPolicies { managed: None, inline: permissions::self_managed::session(stage, spec, id).compact() }
        }
    };
    session::Entry { role_arn: &spec.role_arn, region: &spec.region, cluster_id: id, stage, limits }
}

fn context(customer: &SdkConfig, record: &Record) -> Context {
    Context { aws: session::Clients::new(customer), cluster: record.cluster(), outputs: Default::default() }
}

/// The spec was checked when it was accepted; a record that an older version wrote is checked by the rules of this one.
fn validate(record: &Record) -> Result<Answer> {
    let body = serde_json::to_value(&record.spec).map_err(|error| Error::permanent("Spec", error.to_string()))?;
    match spec::parse(&body) {
        Ok(_) => Ok(Answer::Ready),
        Err(faults) => {
            let faults: Vec<String> = faults.into_iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect();
            Err(Error::customer("InvalidSpec", faults.join("; "), "Delete the cluster and create it with a spec that is valid."))
        }
    }
}

/// Everything that we made is gone, and yet something with our tags, our names or in our VPC is there.
fn left_behind(inventory: &Inventory) -> Error {
    let things: Vec<String> = inventory.left.iter().map(|found| format!("{} {}", found.kind, found.id)).collect();
    Error::customer(
        "LeftBehind",
        format!("{} thing(s) are left in the account: {}.", things.len(), things.join(", ")),
        "inventory.left says why each counts. Remove what you do not need, then delete again; Groundwork also tries again by itself.",
    )
}
