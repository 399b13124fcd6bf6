use crate::context::Context;
use crate::failure::Result;
use crate::timeline;
use clap::Args;

/// Show how long each part of a creation took.
///
/// When each resource was asked for and ready, what it waited for, and which of them decided how long it all took.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork timeline research
  groundwork timeline research --output json")]
pub struct Timeline {
    /// The cluster's name or id; by default the one that groundwork use chose.
    name: Option<String>,
}

impl Timeline {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let api = cx.api()?;
        let cluster = api.cluster(&cx.cluster(self.name.as_ref())?)?;
        let mut log = vec![];
        api.read_log(&cluster.summary.id, vec![], |page| log.extend(page))?;
        cx.output().print(&timeline::of(&cluster, &log), timeline::Timeline::text)
    }
}
