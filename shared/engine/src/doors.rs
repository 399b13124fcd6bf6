//! The ways into customers' accounts, and what can be asked of AWS before that.

use crate::aws::Clients;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::desk::Desk;
use crate::errors::{Error, Result};
use crate::session::{self, Door, SessionPolicies};
use crate::{permissions, preflight};
use async_trait::async_trait;
use aws_config::SdkConfig;
use std::sync::Arc;
use wire::error::Class;
use wire::event::sentence;
use wire::spec::Ground;
use wire::stage::Stage;
use wire::view::Warning;

#[async_trait]
pub trait Doors: Send + Sync {
    /// # Errors
    /// `Customer` if AWS has no such region.
    async fn check_region(&self, name: &str) -> Result<()>;

    /// Proves that the cluster's role lets only us in and has every permission that it needs for this purpose. Changes nothing.
    ///
    /// # Errors
    /// Everything that keeps it from working, as far as it could be tried.
    async fn prove(&self, cluster: &Cluster, purpose: Purpose) -> Result<Proven, Faults>;

    /// A session for one stage, for this cluster only.
    async fn open(&self, cluster: &Cluster, stage: Stage) -> Result<Clients>;
}

/// For what a role is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// This cluster.
    Cluster,
    /// Whatever may be asked for one day: nobody knows yet whether it needs a network of its own.
    Any,
}

/// A role that passed.
pub struct Proven {
    pub aws: Clients,
    /// What may yet be denied.
    pub advice: Vec<Warning>,
}

/// What keeps a role from working, in the order in which it was found.
#[derive(Debug)]
pub struct Faults {
    pub first: Box<Error>,
    pub others: Vec<Error>,
}

impl Faults {
    /// # Errors
    /// The faults, if there are any.
    pub fn none_of(found: impl IntoIterator<Item = Error>) -> Result<(), Self> {
        let mut found = found.into_iter();
        found.next().map_or(Ok(()), |first| Err(Self { first: first.into(), others: found.collect() }))
    }

    /// As the one error with which a cluster parks: the first's code, and all that the customer can mend.
    pub fn together(self) -> Error {
        let others = self.others.into_iter().filter(|other| other.class == Class::Customer);
        others.fold(*self.first, |all, one| Error {
            reason: format!("{} {}", sentence(&all.reason), one.reason),
            hint: if all.hint.contains(&one.hint) { all.hint } else { format!("{} {}", sentence(&all.hint), one.hint) },
            detail: format!("{} {}", sentence(&all.detail), one.detail),
            ..all
        })
    }
}

impl From<Error> for Faults {
    fn from(first: Error) -> Self {
        Self { first: first.into(), others: vec![] }
    }
}

impl IntoIterator for Faults {
    type Item = Error;
    type IntoIter = std::iter::Chain<std::iter::Once<Error>, std::vec::IntoIter<Error>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(*self.first).chain(self.others)
    }
}

/// By STS, with the tenant's external ID.
pub struct Sts {
    pub config: SdkConfig,
    pub desk: Arc<dyn Desk>,
}

#[async_trait]
impl Doors for Sts {
    async fn check_region(&self, name: &str) -> Result<()> {
        preflight::region(&self.config, name).await
    }

    async fn prove(&self, cluster: &Cluster, purpose: Purpose) -> Result<Proven, Faults> {
        let external_id = self.desk.external_id(&cluster.tenant).await?;
        let own = door(cluster, Stage::AssumeRole);
        let customer = session::assume(&self.config, &own, &external_id).await?;
        let mut found = vec![];
        noted(&mut found, preflight::trust::nobody_else(&self.config, &own).await)?;
        let others = permissions::STAGES.iter().filter(|stage| **stage != Stage::AssumeRole && has_work(cluster, **stage));
        let others = others.map(|stage| door(cluster, *stage));
        let others = noted(&mut found, preflight::trust::every_stage(&self.config, others, &external_id).await)?.unwrap_or_default();
        let context = |session: &SdkConfig| Context::new(Clients::new(session), cluster.clone(), self.desk.now());
        let (cx, making) = (context(&customer), others.get(&Stage::CreateEks).map(context));
        let advice = noted(&mut found, preflight::permissions::check(&cx, making.as_ref(), purpose).await)?.unwrap_or_default();
        noted(&mut found, preflight::trust::no_wildcard(&cx).await)?;
        Faults::none_of(found)?;
        Ok(Proven { aws: cx.aws, advice })
    }

    async fn open(&self, cluster: &Cluster, stage: Stage) -> Result<Clients> {
        let external_id = self.desk.external_id(&cluster.tenant).await?;
        let customer = session::assume(&self.config, &door(cluster, stage), &external_id).await?;
        Ok(Clients::new(&customer))
    }
}

/// What the customer can mend hides nothing of what comes after it. Anything else ends the trial, because it says nothing about the role.
pub(crate) fn noted<T>(found: &mut Vec<Error>, outcome: Result<T, impl Into<Faults>>) -> Result<Option<T>, Faults> {
    let faults = match outcome {
        Ok(value) => return Ok(Some(value)),
        Err(faults) => faults.into(),
    };
    found.extend(faults);
    if found.iter().any(|error| error.class != Class::Customer) {
        Faults::none_of(std::mem::take(found))?;
    }
    Ok(None)
}

/// STS refuses a policy without a statement.
fn has_work(cluster: &Cluster, stage: Stage) -> bool {
    let (spec, id) = (&cluster.spec, &cluster.id);
    spec.self_managed().is_none_or(|theirs| !permissions::self_managed::session(stage, spec, theirs, id).statement.is_empty())
}

fn door(cluster: &Cluster, stage: Stage) -> Door<'_> {
    let (spec, id) = (&cluster.spec, &cluster.id);
    let policies = match &spec.ground {
        Ground::Managed(_) => SessionPolicies {
            managed: Some(permissions::policy_arn(stage, &spec.names())),
            inline: permissions::session::narrowed(stage, id, cluster.guests().map(|guest| guest.principal)).compact(),
        },
        Ground::SelfManaged(theirs) => {
            SessionPolicies { managed: None, inline: permissions::self_managed::session(stage, spec, theirs, id).compact() }
        }
    };
    Door { role_arn: &spec.role_arn, region: &spec.region, cluster_id: id, stage, policies }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::error::Code;

    #[test]
    fn a_cluster_parks_with_all_that_the_customer_can_mend_and_each_hint_once() {
        let one = |code, reason: &str, hint: &str| Error::of(code, reason).with_hint(hint);
        let found = [
            one(Code::UnusableSubnets, "A subnet is full.", "Mend it, then retry."),
            one(Code::KeyNotUsable, "KMS has no such key", "Mend it, then retry."),
            one(Code::VersionNotOffered, "No such version.", "Take another."),
            one(Code::NoAnswer, "AWS did not answer.", "Wait."),
        ];
        let error = Faults::none_of(found).expect_err("faults").together();
        assert_eq!((error.class, error.code), (Class::Customer, Code::UnusableSubnets));
        assert_eq!(error.reason, "A subnet is full. KMS has no such key. No such version.");
        assert_eq!(error.hint, "Mend it, then retry. Take another.");
    }

    #[test]
    fn what_the_customer_can_mend_hides_nothing_and_what_says_nothing_of_the_role_ends_the_trial() {
        for (outcomes, expected, reason) in [
            (&[Code::OpenTrust, Code::MissingPolicies, Code::MissingPermissions][..], 3, "all of it is the customer's"),
            (&[Code::NoAnswer, Code::MissingPolicies], 1, "AWS did not answer: the rest would not be answered, either"),
            (&[Code::OpenTrust, Code::NoAnswer, Code::MissingPermissions], 2, "what was found before is told, and first"),
            (&[Code::TrustPolicy, Code::MissingPermissions], 1, "nobody foresaw it"),
        ] {
            let tried = || {
                let mut found = vec![];
                for code in outcomes {
                    noted(&mut found, Err::<(), _>(Error::of(code.clone(), "It is so.")))?;
                }
                Faults::none_of(found)
            };
            let codes: Vec<Code> = tried().expect_err(reason).into_iter().map(|error| error.code).collect();
            assert_eq!(codes, outcomes[..expected], "{reason}");
        }
        let mut found = vec![];
        assert!(matches!(noted(&mut found, Ok::<_, Error>(1)), Ok(Some(1))) && Faults::none_of(found).is_ok());
    }
}
