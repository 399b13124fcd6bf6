use crate::api::{Api, Query};
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::output::{Format, say};
use clap::Args;
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::VecDeque;
use wire::event::Listed;

/// Print a cluster's log: who did what, when, to what.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork logs research
  groundwork logs research --follow
  groundwork logs research --from \"24 hours ago\" --limit 50
  groundwork logs research --from 2026-01-02T03:04:05Z --to \"1 hour ago\"
  groundwork logs research --time-format %H:%M:%S

The log of a deleted cluster is kept, under its id: groundwork list --deleted --output json")]
pub struct Logs {
    /// The cluster's name or id; by default the one that groundwork use chose.
    name: Option<String>,
    /// Go on printing until nothing more can happen; ctrl-C ends it.
    #[arg(long, short)]
    follow: bool,
    /// Only what happened since: a time such as 2026-01-02T03:04:05Z, or a while such as "24 hours ago".
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what happened before: a time or a while, as with --from.
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    to: Option<String>,
    /// Only the last so many lines.
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// How to write times, as strftime(3) says; your own time zone is meant.
    #[arg(long, default_value = "%Y-%m-%d %H:%M:%S", value_name = "FORMAT")]
    time_format: String,
}

/// How long the service may wait for something to happen.
const WAIT: &str = "15";

impl Logs {
    pub fn run(&self, cx: &Context) -> Result<()> {
        self.check_time_format()?;
        let (api, name) = (cx.api()?, cx.cluster(self.name.as_ref())?);
        let (events, mut after) = self.so_far(&api, &name)?;
        if !self.follow {
            return cx.output().print(&json!({"events": events, "next": after}), |_| self.lines(&events).concat());
        }
        self.print(cx.output(), &events)?;
        loop {
            // Asked before the look, so that what ends in between is seen in the next.
            let is_over = api.cluster(&name).map_or(true, |cluster| cluster.summary.status.is_over());
            let page = api.logs(&name, vec![("after", after.clone()), ("wait", WAIT.into())])?;
            self.print(cx.output(), &page.events)?;
            // Nothing more comes of a cluster that is over.
            if page.events.is_empty() && is_over {
                return Ok(());
            }
            after = page.next;
        }
    }

    /// What happened until now, and the cursor after it.
    fn so_far(&self, api: &Api, name: &str) -> Result<(Vec<Listed>, String)> {
        let mut events = VecDeque::new();
        let after = api.read_log(name, self.query(), |page| {
            events.extend(page);
            let surplus = self.limit.map_or(0, |limit| events.len().saturating_sub(limit));
            events.drain(..surplus);
        })?;
        Ok((events.into(), after))
    }

    fn query(&self) -> Query<'_> {
        let given = [("from", &self.from), ("to", &self.to)].into_iter().filter_map(|(name, time)| Some((name, time.clone()?)));
        // Whoever follows is shown an event only once none can come before it any more.
        let wait = self.follow.then(|| ("wait", "1".to_owned()));
        given.chain(wait).collect()
    }

    /// As it comes: a line for each, which is a JSON object for programs.
    fn print(&self, format: Format, events: &[Listed]) -> Result<()> {
        match format {
            Format::Table => self.lines(events).iter().try_for_each(|line| say(line)),
            Format::Json => events.iter().try_for_each(|event| say(&json!(event).to_string())),
            Format::Yaml => events.iter().try_for_each(|event| Format::Yaml.print(&[event], |_| String::new())),
        }
    }

    fn lines(&self, events: &[Listed]) -> Vec<String> {
        events
            .iter()
            .map(|Listed { event, .. }| {
                let at = self.time(event.at).unwrap_or_else(|_| event.at.to_string());
                format!("{at}  {:<10} {:<30} {}\n", event.action.to_string(), event.target, event.message)
            })
            .collect()
    }

    fn time(&self, at: Timestamp) -> std::result::Result<String, jiff::Error> {
        strtime::format(&self.time_format, &at.to_zoned(TimeZone::system()))
    }

    fn check_time_format(&self) -> Result<()> {
        let error = self.time(Timestamp::UNIX_EPOCH).err();
        error.map_or(Ok(()), |error| {
            Err(Failure::new(Exit::Usage, format!("{:?} is no format for times.", self.time_format))
                .because(error)
                .next("For example: --time-format %H:%M:%S"))
        })
    }
}
