//! The ways into customers' accounts, and what can be asked of AWS before that.

use crate::aws::Clients;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::desk::Desk;
use crate::errors::Result;
use crate::session::{self, Door, SessionPolicies};
use crate::{permissions, preflight};
use async_trait::async_trait;
use aws_config::SdkConfig;
use std::sync::Arc;
use wire::spec::Ground;
use wire::stage::Stage;
use wire::view::Warning;

#[async_trait]
pub trait Doors: Send + Sync {
    /// # Errors
    /// `Customer` if AWS has no such region.
    async fn check_region(&self, name: &str) -> Result<()>;

    /// Proves that the cluster's role lets only us in and has every permission that it needs. Changes nothing.
    ///
    /// # Errors
    /// `Customer`, with everything that is missing.
    async fn prove(&self, cluster: &Cluster) -> Result<Proven>;

    /// A session for one stage, for this cluster only.
    async fn open(&self, cluster: &Cluster, stage: Stage) -> Result<Clients>;
}

/// A role that passed.
pub struct Proven {
    pub aws: Clients,
    /// What may yet be denied.
    pub advice: Vec<Warning>,
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

    async fn prove(&self, cluster: &Cluster) -> Result<Proven> {
        let external_id = self.desk.external_id(&cluster.tenant).await?;
        let customer = preflight::trust::both_ways(&self.config, &door(cluster, Stage::AssumeRole), &external_id).await?;
        let others = permissions::STAGES.iter().filter(|stage| **stage != Stage::AssumeRole).map(|stage| door(cluster, *stage));
        let others = preflight::trust::every_stage(&self.config, others, &external_id).await?;
        let context = |session: &SdkConfig| Context::new(Clients::new(session), cluster.clone(), self.desk.now());
        let (cx, making) = (context(&customer), others.get(&Stage::CreateEks).map(context));
        let advice = preflight::permissions::check(&cx, making.as_ref()).await?;
        preflight::trust::no_wildcard(&cx).await?;
        Ok(Proven { aws: cx.aws, advice })
    }

    async fn open(&self, cluster: &Cluster, stage: Stage) -> Result<Clients> {
        let external_id = self.desk.external_id(&cluster.tenant).await?;
        let customer = session::assume(&self.config, &door(cluster, stage), &external_id).await?;
        Ok(Clients::new(&customer))
    }
}

fn door(cluster: &Cluster, stage: Stage) -> Door<'_> {
    let (spec, id) = (&cluster.spec, &cluster.id);
    let policies = match &spec.ground {
        Ground::Managed(_) => SessionPolicies {
            managed: Some(permissions::policy_arn(stage, &spec.names())),
            inline: permissions::session::narrowed(stage, id, cluster.administrator()).compact(),
        },
        Ground::SelfManaged(theirs) => {
            SessionPolicies { managed: None, inline: permissions::self_managed::session(stage, spec, theirs, id).compact() }
        }
    };
    Door { role_arn: &spec.role_arn, region: &spec.region, cluster_id: id, stage, policies }
}
