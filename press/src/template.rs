//! The parts of template.yaml that tables decide: the routes; and the stages' functions, the state machines and their alarms.

use crate::frame::{fill, pascal};
use engine::stage::Stage;
use engine::stages::{Account, Budget, MACHINES, Machine, row, stages};
use strum::VariantArray;
use wire::api::Route;

const BEGIN_STAGES: &str = "  # Begin of what `make press` writes from shared/engine/src/stages.rs: change that.\n";
const BEGIN_ROUTES: &str = "  # Begin of what `make press` writes from shared/wire/src/api: change that.\n";
const END: &str = "  # End of what `make press` writes.\n";
const ROUTE: &str = include_str!("frames/route.yaml");
const TOKEN: &str = "AuthorizationType: JWT\nAuthorizerId: !Ref HttpAuthorizer";
const STAGE: &str = include_str!("frames/stage.yaml");
const OPERATOR_DOOR: &str = include_str!("frames/operator-door.yaml");
const CUSTOMER_DOOR: &str = include_str!("frames/customer-door.yaml");
const OWN_NETWORK: &str = include_str!("frames/own-network.yaml");
const IN_OWN_NETWORK: &str =
    "\nVpcConfig: !If [ReachesIntoClusters, {SubnetIds: [!Ref OwnSubnet], SecurityGroupIds: [!Ref OwnGroup]}, !Ref AWS::NoValue]";
const MACHINE: &str = include_str!("frames/machine.yaml");
const ALARM: &str = include_str!("frames/alarm.yaml");
/// How an execution can end without parking its cluster: the suffix of AWS's metric, and the words for it.
const ENDS: [(&str, &str); 3] = [("Failed", "failed"), ("TimedOut", "ran out of time"), ("Aborted", "was stopped")];

/// The template with its parts replaced. None if a comment around a part is missing.
pub fn template(now: &str) -> Option<String> {
    let routes = Route::VARIANTS.iter().map(|route| self::route(*route));
    let stages = stages().into_iter().map(stage).chain(MACHINES.iter().map(machine));
    let with_routes = replaced(now, BEGIN_ROUTES, &routes.collect::<Vec<_>>().join("\n"))?;
    replaced(&with_routes, BEGIN_STAGES, &stages.collect::<Vec<_>>().join("\n\n"))
}

fn replaced(now: &str, begin: &str, resources: &str) -> Option<String> {
    let (before, rest) = now.split_once(begin)?;
    let (_, after) = rest.split_once(END)?;
    let indented = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    Some(format!("{before}{begin}{}{END}{after}", resources.lines().map(indented).collect::<String>()))
}

fn route(route: Route) -> String {
    let authorization = if route.needs_token() { TOKEN } else { "AuthorizationType: NONE" };
    fill(ROUTE, &[("Route", &format!("{route:?}")), ("key", route.about().key), ("authorization", authorization)])
}

fn stage(stage: Stage) -> String {
    let (row, name) = (row(stage), stage.to_string());
    let budget = match row.budget {
        Budget::Seconds(seconds) => format!("\"{seconds}\""),
        Budget::Setting { parameter, .. } => format!("!Ref {parameter}"),
    };
    let doors = [(row.regions, OPERATOR_DOOR), (row.account == Account::Customer, CUSTOMER_DOOR), (row.reaches_in, OWN_NETWORK)];
    let doors: String = doors.into_iter().filter(|(opens, _)| *opens).map(|(_, door)| door).collect();
    fill(
        STAGE,
        &[
            ("Stage", &pascal(&name)),
            ("stage", &name),
            ("network", if row.reaches_in { IN_OWN_NETWORK } else { "" }),
            ("budget", &budget),
            ("records", &row.records.join(", ")),
            ("doors", doors.trim_end()),
        ],
    )
}

fn machine(machine: &Machine) -> String {
    let stages: Vec<String> = machine.stages().map(|stage| pascal(&stage.to_string())).collect();
    let substitutions: Vec<String> = stages.iter().map(|stage| format!("{stage}: !GetAtt Stage{stage}.Arn")).collect();
    let functions: Vec<String> = stages.iter().map(|stage| format!("- !GetAtt Stage{stage}.Arn")).collect();
    let alarms = ENDS.map(|(metric, ended)| fill(ALARM, &[("Ended", metric), ("ended", ended)]));
    fill(
        MACHINE,
        &[
            ("substitutions", &substitutions.join("\n")),
            ("functions", &functions.join("\n")),
            ("alarms", &alarms.join("\n")),
            // Last, because the alarms have these places too.
            ("Machine", &pascal(machine.name)),
            ("machine", machine.name),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::stages::TASK_TIMEOUT_SECONDS;

    /// The `MaxValue` of a parameter in template.yaml.
    fn max_value(parameter: &str) -> u32 {
        let template = include_str!("../../template.yaml");
        let (_, rest) = template.split_once(&format!("\n  {parameter}:\n")).expect(parameter);
        let mut fields = rest.lines().take_while(|line| line.starts_with("    "));
        fields.find_map(|field| field.strip_prefix("    MaxValue: ")).and_then(|most| most.parse().ok()).expect(parameter)
    }

    #[test]
    fn the_parameters_allow_what_the_table_counts_on() {
        for stage in stages() {
            if let Budget::Setting { parameter, most_seconds } = row(stage).budget {
                assert_eq!(max_value(parameter), most_seconds, "{parameter}");
            }
        }
        assert!(max_value("StageTimeoutSeconds") < TASK_TIMEOUT_SECONDS);
    }

    #[test]
    fn people_may_be_sent_back_to_the_ports_that_the_api_names() {
        let callbacks = wire::view::LOGIN_PORTS.map(|port| format!("http://localhost:{port}/callback")).join(", ");
        assert!(include_str!("../../template.yaml").contains(&format!("\n      CallbackURLs: [{callbacks}]\n")), "{callbacks}");
    }
}
