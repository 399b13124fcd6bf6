use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::live::Wait;
use crate::output::prose;
use clap::{Args, ValueEnum};
use dialoguer::Input;
use wire::spec::{self, Ground};
use wire::view::Cluster;

/// Delete a cluster and all that was made for it.
///
/// You see what goes and what data is in it, and type its name. The data is kept in your account, and listed with the commands that remove
/// it, unless you say --data delete.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork delete research --wait
  groundwork delete research --data delete
  groundwork delete research --yes --wait --timeout 1h

There is no --force: if something is in the way, groundwork show names it and \
says what to do about it.")]
pub struct Delete {
    /// The cluster's name.
    name: String,
    /// What happens to the data: what is in the buckets, the volumes of claims and the control plane's log.
    #[arg(long, value_enum)]
    data: Option<Data>,
    /// Do not ask for the name again.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Clone, Copy, ValueEnum)]
enum Data {
    /// It stays in the account, and is listed with the commands that remove it.
    Keep,
    /// It is removed for good.
    Delete,
}

impl Data {
    fn wire(self) -> spec::Data {
        match self {
            Data::Keep => spec::Data::Keep,
            Data::Delete => spec::Data::Delete,
        }
    }
}

impl Delete {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let api = cx.api()?;
        if !self.yes {
            if !cx.is_attended() {
                return Err(Failure::new(Exit::Usage, "Nobody is there to ask, so nothing was deleted.")
                    .next(format!("groundwork delete {} --yes", self.name)));
            }
            let cluster = api.cluster(&self.name)?;
            eprint!("\n{}\n", goes(&cluster, self.data.map(Data::wire)));
            confirm(&cluster.summary.name)?;
        }
        let query = self.data.map(|data| ("data", data.wire().name().to_owned())).into_iter().collect();
        let cluster = api.delete(&self.name, query)?;
        self.wait.follow(cx, &api, cluster, "is being deleted")
    }
}

/// What goes, and what data is in it.
fn goes(cluster: &Cluster, said: Option<spec::Data>) -> String {
    let summary = &cluster.summary;
    let place = format!("account {}, {}", summary.account.as_deref().unwrap_or("?"), summary.region.as_deref().unwrap_or("?"));
    let made = cluster.resources.iter().filter(|one| one.seen.is_some()).count();
    let buckets: Vec<&str> = cluster.outputs.buckets.values().map(String::as_str).collect();
    let buckets = if buckets.is_empty() { "no buckets yet".into() } else { format!("the buckets {}", buckets.join(", ")) };
    let (ground, data) = match cluster.spec.read().map(|spec| &spec.ground) {
        Ok(Ground::SelfManaged(_)) => {
            ("The node groups that Groundwork made go; the EKS cluster and the buckets are yours and stay.", None)
        }
        Ok(Ground::Managed(ours)) => {
            ("Everything that Groundwork made for it goes.", Some(said.or(ours.deletion.data).unwrap_or_default()))
        }
        Err(_) => ("Everything that Groundwork made for it goes.", said),
    };
    let data = match data {
        Some(spec::Data::Keep) => {
            format!("Its data is kept: {buckets} unless they are empty, the volumes of claims, and the control plane's log.")
        }
        Some(spec::Data::Delete) => format!("Its data is deleted FOR GOOD: {buckets}, the volumes of claims, and the control plane's log."),
        None => String::new(),
    };
    let what = format!("{} in {place}, with {made} resources, will be deleted.", summary.name);
    [what.as_str(), ground, &data].map(|sentence| prose(sentence, "")).concat()
}

fn confirm(name: &str) -> Result<()> {
    let not = || Failure::new(Exit::Interrupted, "Nothing was deleted.");
    let typed: String = Input::new()
        .with_prompt(format!("Type {name} to delete it"))
        .allow_empty(true)
        .interact_text()
        .map_err(|error| not().because(error))?;
    if typed.trim() == name { Ok(()) } else { Err(not()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::cluster;

    #[test]
    fn what_becomes_of_the_data_is_said_before() {
        for (said, told) in [
            (None, "Its data is kept: the buckets research-abcdefghijkl-artifacts unless"),
            (Some(spec::Data::Keep), "Its data is kept"),
            (Some(spec::Data::Delete), "deleted FOR GOOD: the buckets research-abcdefghijkl-artifacts"),
        ] {
            let text = goes(&cluster(), said);
            assert!(text.contains(told) && text.contains("account 222222222222, us-west-2, with 4 resources"), "{text}");
        }
    }
}
