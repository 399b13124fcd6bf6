use crate::context::Context;
use crate::failure::Result;
use clap::Args;
use serde_json::json;

/// Choose the cluster that commands mean if they name none.
#[derive(Args)]
#[command(after_help = "Examples:\n  groundwork use research\n  groundwork show")]
pub struct Use {
    /// The cluster's name.
    name: String,
}

impl Use {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let cluster = cx.api()?.cluster(&self.name)?;
        cx.remember(|operator| operator.cluster = Some(cluster.summary.name.clone()))?;
        cx.output().print(&json!({"cluster": cluster.summary.name}), |_| format!("Commands that name no cluster mean {} now.", self.name))
    }
}
