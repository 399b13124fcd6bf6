use crate::api::{Api, Identity};
use crate::config::Config;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::login::tokens;
use clap::Args;
use console::style;
use jiff::Timestamp;
use serde::Serialize;
use std::net::{TcpStream, ToSocketAddrs};
use std::process::Command;
use std::time::Duration;
use url::Url;

/// Look for what may be wrong.
///
/// Checks the tools on this machine, the service and its version, your login, the clock, the role in your account, and whether the
/// cluster's endpoint can be reached from here. Each problem comes with what to do.
#[derive(Args)]
#[command(after_help = "Examples:\n  groundwork doctor\n  groundwork doctor research")]
pub struct Doctor {
    /// A cluster whose endpoint is to be reached; by default the one that groundwork use chose, if any.
    name: Option<String>,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    good: bool,
    told: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A clock that is off by more makes tokens look over, or not yet good.
const MOST_SECONDS_OFF: i64 = 60;
const PATIENCE: Duration = Duration::from_secs(5);

impl Doctor {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let findings = self.findings(cx);
        let bad = findings.iter().filter(|finding| !finding.good).count();
        cx.output().print(&findings, |findings| findings.iter().map(line).collect())?;
        if bad == 0 {
            return Ok(());
        }
        Err(Failure::new(Exit::Failed, format!("{bad} of {} things are not as they should be.", findings.len())))
    }

    /// What cannot be looked at because of something before it is left out.
    fn findings(&self, cx: &Context) -> Vec<Finding> {
        let mut findings =
            vec![configuration(), tool("aws", "kubectl asks it for credentials"), tool("kubectl", "it is how clusters are used")];
        let operator = match cx.operator() {
            Ok((name, operator)) => (name, operator),
            Err(failure) => return push(findings, found("operator", Err(failure))),
        };
        findings.push(found("operator", Ok(format!("{} at {}", operator.0, operator.1.url))));
        let service = Api::new(&operator.1.url, Identity::Nobody).and_then(|api| api.login());
        let reached = service.is_ok();
        findings.push(found("service", service.map(|login| versions(&login.version))));
        if !reached {
            return findings;
        }
        let token = cx.api().and_then(|api| Ok((api.token()?, api)));
        let (token, api) = match token {
            Ok((token, api)) => (token.unwrap_or_default(), api),
            Err(failure) => return push(findings, found("login", Err(failure))),
        };
        let listed = api.clusters(vec![]);
        let until = tokens::expires_at(&token).map_or(String::new(), |end| format!(", good until {end}"));
        findings.push(found("login", listed.as_ref().map(|_| format!("accepted{until}")).map_err(Clone::clone)));
        let Ok(listed) = listed else { return findings };
        findings.push(clock(listed.at, Timestamp::now()));
        findings.extend(operator.1.role_arn.map(|arn| role(&api, &arn)));
        findings.extend(cx.cluster(self.name.as_ref()).ok().map(|name| endpoint(&api, &name)));
        findings
    }
}

fn push(mut findings: Vec<Finding>, last: Finding) -> Vec<Finding> {
    findings.push(last);
    findings
}

fn found(what: &'static str, looked: Result<String>) -> Finding {
    match looked {
        Ok(told) => Finding { what, good: true, told, next: None },
        Err(failure) => Finding { what, good: false, told: [vec![failure.what], failure.why].concat().join(" "), next: failure.next },
    }
}

fn line(finding: &Finding) -> String {
    let mark = if finding.good { style("✓").green() } else { style("✗").red() };
    let next = finding.next.as_ref().map_or(String::new(), |next| format!("\n    next: {next}"));
    format!("{mark} {:<14} {}{next}\n", finding.what, finding.told)
}

fn configuration() -> Finding {
    found("configuration", Config::path().map(|path| path.display().to_string()))
}

fn tool(name: &'static str, why: &str) -> Finding {
    let arguments: &[&str] = if name == "kubectl" { &["version", "--client"] } else { &["--version"] };
    let ran = Command::new(name).args(arguments).output().ok().filter(|ran| ran.status.success());
    let said = ran.and_then(|ran| Some(String::from_utf8_lossy(&ran.stdout).lines().next()?.to_owned()));
    found(name, said.ok_or_else(|| Failure::new(Exit::Failed, format!("There is no {name} here; {why}.")).next(format!("Install {name}."))))
}

fn versions(service: &str) -> String {
    let own = env!("CARGO_PKG_VERSION");
    if service == own { format!("reached; both are version {own}") } else { format!("reached; it is version {service}, and this is {own}") }
}

fn clock(service: Timestamp, own: Timestamp) -> Finding {
    let off = own.duration_since(service).as_secs().abs();
    let told = format!("{off} s from the service's");
    let wrong = || {
        Failure::new(Exit::Failed, format!("This machine's clock is {off} s from the service's."))
            .next("Set this machine's clock: tokens seem over, or not yet good, by a wrong one.")
    };
    found("clock", if off <= MOST_SECONDS_OFF { Ok(told) } else { Err(wrong()) })
}

fn role(api: &Api, arn: &str) -> Finding {
    let checked = api.check_role(arn, None).and_then(|check| match check.faults.first() {
        None => Ok(format!("{arn} works in {}", check.region)),
        Some(fault) => Err(Failure::new(Exit::Refused, fault.reason.clone()).next(fault.hint.clone())),
    });
    found("role", checked)
}

/// Only whether its port can be reached from here: who gets in is asked by kubectl.
fn endpoint(api: &Api, name: &str) -> Finding {
    let looked = api.cluster(name).and_then(|cluster| {
        let unready = || Failure::new(Exit::Refused, format!("{name} has no endpoint yet.")).next(format!("groundwork watch {name}"));
        let address = cluster.outputs.endpoint.ok_or_else(unready)?;
        let allowed = cluster.endpoint_access.cidrs.map_or("what the cluster's owner allows".into(), |ranges| ranges.join(", "));
        let blocked = |why: String| {
            Failure::new(Exit::Failed, format!("{address} cannot be reached from here."))
                .because(why)
                .next(format!("It lets in {allowed}: is this machine there?"))
        };
        connect(&address).map(|()| format!("{address} can be reached")).map_err(blocked)
    });
    found("endpoint", looked)
}

fn connect(address: &str) -> std::result::Result<(), String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    let address = (host, port).to_socket_addrs().map_err(|error| error.to_string())?.next().ok_or("its name has no address")?;
    TcpStream::connect_timeout(&address, PATIENCE).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_found() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        for (then, good) in [
            ("2026-01-02T03:04:05Z", true),
            ("2026-01-02T03:05:05Z", true),
            ("2026-01-02T03:02:04Z", false),
            ("2026-01-03T03:04:05Z", false),
        ] {
            assert_eq!(clock(then.parse().expect("a time"), now).good, good, "{then}");
        }
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("https://{}", listener.local_addr().expect("an address"));
        assert_eq!(connect(&address), Ok(()));
        drop(listener);
        assert!(connect(&address).is_err());
    }
}
