use crate::api::Api;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::files;
use crate::output::prose;
use clap::Args;
use dialoguer::Input;
use jiff::SignedDuration;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wire::view::{Onboarding, RoleCheck};

/// Let Groundwork into your AWS account.
///
/// Prints what to run there, which makes a role. Then it tries the role until it works, and says what is still missing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork onboard
  groundwork onboard --terraform
  groundwork onboard --role-arn arn:aws:iam::222222222222:role/groundwork")]
pub struct Onboard {
    /// The role that you made: check it until it works.
    #[arg(long, env = "GROUNDWORK_ROLE_ARN", value_name = "ARN")]
    role_arn: Option<String>,
    /// The region that clusters are to live in; by default the operator's.
    #[arg(long)]
    region: Option<String>,
    /// The lines for Terraform in place of those for CloudFormation.
    #[arg(long)]
    terraform: bool,
    /// How long to check, such as 30m.
    #[arg(long, value_name = "TIME", default_value = "15m")]
    timeout: SignedDuration,
}

const INTERVAL: Duration = Duration::from_secs(5);
/// What the commands call the template.
const TEMPLATE: &str = "quick-start.yaml";

impl Onboard {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let api = cx.api()?;
        if self.terraform || self.role_arn.is_none() {
            self.explain(cx, &api)?;
        }
        let Some(role_arn) = self.role_arn(cx)? else { return Ok(()) };
        let check = self.wait(&api, &role_arn)?;
        cx.remember(|operator| operator.role_arn = Some(role_arn))?;
        cx.output().print(&check, |check| {
            let mut text = format!("{} works in {}.\n", check.role_arn, check.region);
            for warning in &check.warnings {
                text.push_str(&format!("You should know:\n{}", prose(&warning.message, "  ")));
            }
            text + "Next: groundwork create"
        })
    }

    fn explain(&self, cx: &Context, api: &Api) -> Result<()> {
        let wanted = api.onboarding()?;
        let text = match (cx.output().is_for_people(), self.terraform) {
            (false, _) => String::new(),
            (true, true) => terraform(&wanted),
            (true, false) => cloudformation(&wanted)?,
        };
        cx.output().print(&wanted, |_| text)
    }

    /// The one that was given, or is made now; none if nobody is there to say.
    fn role_arn(&self, cx: &Context) -> Result<Option<String>> {
        if self.role_arn.is_some() || !cx.is_attended() {
            return Ok(self.role_arn.clone());
        }
        let asked = Input::<String>::new().with_prompt("The role's ARN, once it is made").interact_text();
        asked.map(|role_arn| Some(role_arn.trim().into())).map_err(|error| {
            Failure::new(Exit::Interrupted, "The role was not checked.").because(error).next("groundwork onboard --role-arn <ARN>")
        })
    }

    /// Until the role works. What is missing is said whenever that changes.
    fn wait(&self, api: &Api, role_arn: &str) -> Result<RoleCheck> {
        let (began, mut said) = (Instant::now(), String::new());
        loop {
            let check = api.check_role(role_arn, self.region.as_deref())?;
            if check.works {
                return Ok(check);
            }
            let missing = missing(&check);
            if began.elapsed().as_secs() as i64 >= self.timeout.as_secs() {
                return Err(Failure::new(Exit::TimedOut, format!("{role_arn} does not work yet."))
                    .because(missing)
                    .next(format!("groundwork onboard --role-arn {role_arn}")));
            }
            if missing != said {
                eprintln!("{role_arn} does not work yet; it is looked at again until it does:\n{missing}");
                said = missing;
            }
            sleep(INTERVAL);
        }
    }
}

fn missing(check: &RoleCheck) -> String {
    check.faults.iter().map(|fault| prose(&format!("{} ({})", fault.reason, fault.code), "  ") + &prose(&fault.hint, "    ")).collect()
}

/// Saves the template, because the commands read it.
fn cloudformation(wanted: &Onboarding) -> Result<String> {
    let path = Path::new(TEMPLATE);
    if files::read(path)?.is_some_and(|there| there != wanted.template) {
        return Err(Failure::new(Exit::Failed, format!("There is another {TEMPLATE} in this directory."))
            .next("Move it, or run the command in another directory."));
    }
    files::write(path, &wanted.template)?;
    let link = wanted
        .quick_create_url
        .as_ref()
        .map_or(String::new(), |url| format!("\nOr open this there, and then protect the stack as the second command does:\n  {url}\n"));
    let (id, commands) = (&wanted.external_id, wanted.commands.trim_end().replace('\n', "\n  "));
    Ok(format!(
        "Your external ID is {id}. Groundwork made it for you alone; the role lets in nobody who does not present it.\n\n\
         {TEMPLATE} is in this directory now. Signed in to the account that the clusters are to live in, run\n  {commands}\n{link}\n\
         The last command prints the role's ARN. Then: groundwork onboard --role-arn <ARN>\n"
    ))
}

fn terraform(wanted: &Onboarding) -> String {
    let values = [
        ("source", "./onboarding/terraform"),
        ("operator_account_id", &wanted.principal.account_id),
        ("operator_principal_pattern", &wanted.principal.pattern),
        ("external_id", &wanted.external_id),
    ];
    let width = values.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: String = values.iter().map(|(name, value)| format!("  {name:<width$} = {value:?}\n")).collect();
    format!(
        "module \"groundwork\" {{\n{lines}}}\n\noutput \"groundwork_role_arn\" {{\n  value = module.groundwork.role_arn\n}}\n\n\
         The module is the folder onboarding/terraform of the repository. Then: groundwork onboard --role-arn <ARN>\n"
    )
}
