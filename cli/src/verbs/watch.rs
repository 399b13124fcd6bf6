use crate::context::Context;
use crate::failure::Result;
use crate::live::{self, Timeout};
use clap::Args;

/// Watch a cluster until it is done or needs you.
///
/// Shows what is being made or removed, for how long, and what waits for what. It ends when the cluster is running, deleted, or stuck until
/// somebody does something. Ctrl-C ends the watching, not the work.
#[derive(Args)]
#[command(after_help = "Example:\n  groundwork watch research --timeout 30m")]
pub struct Watch {
    /// The cluster's name; by default the one that groundwork use chose.
    name: Option<String>,
    #[command(flatten)]
    timeout: Timeout,
}

impl Watch {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let api = cx.api()?;
        let cluster = api.cluster(&cx.cluster(self.name.as_ref())?)?;
        live::follow(cx, &api, cluster, self.timeout.timeout)
    }
}
