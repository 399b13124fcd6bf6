use crate::context::Context;
use crate::failure::Result;
use crate::told;
use clap::Args;

/// Show a cluster, what is in its way and how to use it.
///
/// Its status and how far it is, the reason and what to do if it is stuck, what it is made of, and how to get in.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork show research
  groundwork show research --output json | jq .outputs
  groundwork show --resources")]
pub struct Show {
    /// The cluster's name or id; by default the one that groundwork use chose.
    name: Option<String>,
    /// Every resource with its state.
    #[arg(long)]
    resources: bool,
}

impl Show {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let cluster = cx.api()?.cluster(&cx.cluster(self.name.as_ref())?)?;
        cx.output().print(&cluster, |cluster| {
            let resources = if self.resources { told::resources(cluster) } else { String::new() };
            told::cluster(cluster) + &resources
        })
    }
}
