use crate::context::Context;
use crate::failure::Result;
use crate::told;
use clap::Args;

/// Give up a cluster whose account lets nobody in.
///
/// For one that is delete_blocked because its role has been refused for a day: the name is free again. Nothing is removed; what is left in
/// the account stays there, and is listed.
#[derive(Args)]
#[command(after_help = "\
Example:
  groundwork forget research

The service refuses it as long as the account may let Groundwork in again.")]
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
