use crate::context::Context;
use crate::failure::Result;
use crate::live::Wait;
use clap::Args;

/// Try a failed or blocked cluster again.
///
/// It goes on where it stopped: what exists is kept. First do what groundwork show says, or it stops there again.
#[derive(Args)]
#[command(after_help = "Example:\n  groundwork retry research --wait")]
pub struct Retry {
    /// The cluster's name; by default the one that groundwork use chose.
    name: Option<String>,
    #[command(flatten)]
    wait: Wait,
}

impl Retry {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let api = cx.api()?;
        let cluster = api.retry(&cx.cluster(self.name.as_ref())?)?;
        self.wait.follow(cx, &api, cluster, "is tried again")
    }
}
