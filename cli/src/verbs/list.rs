use crate::api::Query;
use crate::context::Context;
use crate::failure::Result;
use crate::output::{ago, table};
use clap::Args;
use jiff::Timestamp;
use wire::spec::Mode;
use wire::view::{Clusters, Summary};

/// List your clusters.
#[derive(Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  groundwork list
  groundwork list --status failed --region us-west-2
  groundwork list --output json | jq -r '.clusters[].name'"
)]
pub struct List {
    /// Only those with this status: queued, provisioning, running, failed, terminating or delete_blocked.
    #[arg(long)]
    status: Option<String>,
    /// Only those in this region.
    #[arg(long)]
    region: Option<String>,
    /// The deleted ones in place of the others, the last one first.
    #[arg(long)]
    deleted: bool,
}

impl List {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let all = self.all(cx)?;
        cx.output().print(&all, |all| self.text(all))
    }

    /// Every page.
    fn all(&self, cx: &Context) -> Result<Clusters> {
        let api = cx.api()?;
        let mut all = api.clusters(self.query())?;
        while let Some(next) = all.next.take() {
            let page = api.clusters(self.query().into_iter().chain([("after", next)]).collect())?;
            all.clusters.extend(page.clusters);
            all.next = page.next;
        }
        Ok(all)
    }

    fn query(&self) -> Query<'_> {
        let status = self.status.clone().map(|status| ("status", status));
        let region = self.region.clone().map(|region| ("region", region));
        let deleted = self.deleted.then(|| ("deleted", "true".to_owned()));
        [status, region, deleted].into_iter().flatten().collect()
    }

    fn text(&self, all: &Clusters) -> String {
        if all.clusters.is_empty() {
            let filtered = self.status.is_some() || self.region.is_some() || self.deleted;
            return if filtered { "No cluster is like that.".into() } else { "You have no clusters yet. Next: groundwork create".into() };
        }
        let rows = all.clusters.iter().map(|cluster| row(cluster, all.at)).collect();
        table(&["name", "type", "status", "region", "nodes", "created"], rows)
    }
}

fn row(cluster: &Summary, now: Timestamp) -> Vec<String> {
    let mode = match cluster.mode {
        Some(Mode::Managed) => "managed",
        Some(Mode::SelfManaged) => "self-managed",
        None => "?",
    };
    let nodes = cluster.nodes.map_or("?".into(), |nodes| format!("{}-{}", nodes.kept, nodes.most));
    let region = cluster.region.clone().unwrap_or("?".into());
    vec![cluster.name.clone(), mode.into(), cluster.status.name().into(), region, nodes, ago(cluster.created_at, now)]
}
