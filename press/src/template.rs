//! The part of template.yaml that the table of stages decides: the stages' functions, the state machines and their alarms.

use crate::frame::{fill, pascal};
use engine::stage::Stage;
use engine::stages::{Account, Budget, MACHINES, Machine, row, stages};

const BEGIN: &str = "  # Begin of what `make press` writes from shared/engine/src/stages.rs: change that.\n";
const END: &str = "  # End of what `make press` writes.\n";
const STAGE: &str = include_str!("frames/stage.yaml");
const OPERATOR_DOOR: &str = include_str!("frames/operator-door.yaml");
const CUSTOMER_DOOR: &str = include_str!("frames/customer-door.yaml");
const MACHINE: &str = include_str!("frames/machine.yaml");
const ALARM: &str = include_str!("frames/alarm.yaml");
/// How an execution can end without parking its cluster: the suffix of AWS's metric, and the words for it.
const ENDS: [(&str, &str); 3] = [("Failed", "failed"), ("TimedOut", "ran out of time"), ("Aborted", "was stopped")];

/// The template with its part replaced. None if a comment around that part is missing.
pub fn template(now: &str) -> Option<String> {
    let (before, rest) = now.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{}{END}{after}", part()))
}

fn part() -> String {
    let resources: Vec<String> = stages().into_iter().map(stage).chain(MACHINES.iter().map(machine)).collect();
    let indented = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    resources.join("\n\n").lines().map(indented).collect()
}

fn stage(stage: Stage) -> String {
    let (row, name) = (row(stage), stage.to_string());
    let budget = match row.budget {
        Budget::Seconds(seconds) => format!("\"{seconds}\""),
        Budget::Setting { parameter, .. } => format!("!Ref {parameter}"),
    };
    let door = match row.account {
        Account::Operator => OPERATOR_DOOR,
        Account::Customer => CUSTOMER_DOOR,
    };
    fill(
        STAGE,
        &[
            ("Stage", &pascal(&name)),
            ("stage", &name),
            ("budget", &budget),
            ("records", &row.records.join(", ")),
            ("door", door.trim_end()),
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
}
