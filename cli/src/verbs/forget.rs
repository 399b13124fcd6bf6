use crate::context::Context;
use crate::failure::Result;
use crate::told;
use clap::Args;

/// Give up a blocked cluster whose account lets nobody in any more. What is left there stays, and is listed.
#[derive(Args)]
#[command(after_help = "\
Example:
  groundwork forget research

This frees the name; it removes nothing. The service refuses it as long as the account may let Groundwork in again.")]
pub struct Forget {
    /// The cluster's name.
    name: String,
}

impl Forget {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let cluster = cx.api()?.forget(&self.name)?;
        cx.output().print(&cluster, told::cluster)
    }
}
