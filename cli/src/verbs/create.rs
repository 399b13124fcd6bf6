use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::live::Wait;
use crate::told;
use clap::Args;
use dialoguer::{Confirm, Editor, Input};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use wire::spec::{self, DEFAULTS, Data, FLOW_LOGS, Ground, Managed, PerformanceProfile, REQUESTER, Spec};

/// Create a cluster in your account.
///
/// In a terminal you are asked for what you leave out, and see what will be made before anything is. What is given as a flag goes before
/// what is in the file.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork create
  groundwork create research --instance-types g4dn.xlarge,m6i.large --wait
  groundwork create gpu --instance-types g5.xlarge --spot --tag CostCenter=47
  groundwork create -f cluster.yaml --wait --timeout 90m
  groundwork create gpu -f cluster.yaml --edit-before-creation

A cluster.yaml:
  name: research
  role_arn: arn:aws:iam::222222222222:role/groundwork
  region: us-west-2
  instance_types: [{name: g4dn.xlarge, max_count: 4}]
  access:
    administrators: [arn:aws:iam::222222222222:role/research]
    public_cidrs: [requester]")]
pub struct Create {
    /// The cluster's name: lower-case letters, digits and hyphens.
    name: Option<String>,
    /// The request, as YAML or JSON; - is the standard input.
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The role that lets Groundwork into your account; by default the one that groundwork onboard saw work.
    #[arg(long, env = "GROUNDWORK_ROLE_ARN", value_name = "ARN")]
    role_arn: Option<String>,
    /// The AWS region, such as us-west-2; by default the one that Groundwork's operator has chosen.
    #[arg(long)]
    region: Option<String>,
    /// EC2 instance types, such as g4dn.xlarge,m6i.large. Each gets a node group of 0 to 10 nodes; the file can say other numbers.
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    instance_types: Vec<String>,
    /// Take the nodes of --instance-types from spot capacity: much cheaper, and AWS may take them back two minutes after it says so.
    #[arg(long, requires = "instance_types")]
    spot: bool,
    /// How much the cluster may cost while nothing runs on it: cost_saving (the default), or standard, which the loss of a zone does not stop.
    #[arg(long, value_name = "PROFILE")]
    performance_profile: Option<String>,
    /// What other systems call --performance-profile cost_saving.
    #[arg(long, conflicts_with = "performance_profile")]
    cost_savings: bool,
    /// The range of addresses of the cluster's network, such as 10.20.0.0/16.
    #[arg(long, value_name = "RANGE")]
    cidr: Option<String>,
    /// A tag for everything that is made; may be given several times.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// The external ID that your role expects. Groundwork knows it, so you need not give it; if you do, it is compared.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Open the whole request in your editor before it is sent.
    #[arg(long)]
    edit_before_creation: bool,
    /// Do not ask whether to create it.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    wait: Wait,
}

impl Create {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let api = cx.api()?;
        let mut body = self.body(cx)?;
        // Only asked for if it is needed.
        let default = || api.onboarding().map(|wanted| wanted.default_region);
        if cx.is_attended() {
            ask(&mut body, default)?;
        }
        if body["region"].is_null() {
            body["region"] = json!(default()?);
        }
        if self.edit_before_creation {
            body = edit(cx, &body)?;
        }
        let spec = spec::parse(&body).map_err(|faults| refused(faults, cx.is_attended()))?;
        if let Some(given) = &self.external_id {
            compare(given, &api.onboarding()?.external_id)?;
        }
        if cx.is_attended() {
            eprintln!("{}", plan(&spec));
            if !self.yes && !confirmed("Create it?")? {
                return Err(Failure::new(Exit::Interrupted, "Nothing was created."));
            }
        }
        let cluster = api.create(&body)?;
        self.wait.follow(cx, &api, cluster, "is being created")
    }

    /// The file, and over it the flags.
    fn body(&self, cx: &Context) -> Result<Value> {
        let mut body = self.file.as_deref().map(read).transpose()?.unwrap_or_else(|| json!({}));
        let remembered = || cx.operator().ok().and_then(|(_, operator)| operator.role_arn);
        let role_arn = self.role_arn.clone().or_else(|| if body["role_arn"].is_null() { remembered() } else { None });
        if let Some(role_arn) = role_arn {
            body["role_arn"] = json!(role_arn);
        }
        self.put(&mut body);
        Ok(body)
    }

    /// Puts the flags over what the file says.
    fn put(&self, body: &mut Value) {
        let profile = self.cost_savings.then(|| "cost_saving".to_owned()).or_else(|| self.performance_profile.clone());
        for (field, value) in [("name", self.name.clone()), ("region", self.region.clone()), ("performance_profile", profile)] {
            if let Some(value) = value {
                body[field] = json!(value);
            }
        }
        if let Some(cidr) = &self.cidr {
            put_in(body, "network", "cidr", json!(cidr));
        }
        for (key, value) in &self.tags {
            put_in(body, "tags", key, json!(value));
        }
        if !self.instance_types.is_empty() {
            body["instance_types"] = instance_types(self.instance_types.iter().map(String::as_str), self.spot);
        }
    }
}

fn instance_types<'a>(names: impl Iterator<Item = &'a str>, spot: bool) -> Value {
    let names = names.map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| if spot { json!({"name": name, "capacity": "spot"}) } else { json!({"name": name}) }).collect()
}

/// A section that is none stays as it is: the request is refused for that.
fn put_in(body: &mut Value, section: &str, field: &str, value: Value) {
    if body[section].is_null() || body[section].is_object() {
        body[section][field] = value;
    }
}

fn tag(text: &str) -> std::result::Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, _)| !key.is_empty());
    parts.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| "write KEY=VALUE, such as CostCenter=4711".into())
}

fn read(path: &Path) -> Result<Value> {
    let named = path.display();
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| Failure::new(Exit::Failed, format!("{named} cannot be read.")).because(error))?;
    parse(&text).map_err(|why| {
        Failure::new(Exit::Usage, format!("{named} is no request."))
            .because(why)
            .next("Write a mapping as YAML or JSON, with name, role_arn, region and instance_types.")
    })
}

/// JSON is YAML, too.
fn parse(text: &str) -> std::result::Result<Value, String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    if value.is_object() { Ok(value) } else { Err("It is not a mapping.".into()) }
}

/// For what every request needs and this one lacks; and whoever begins with nothing is asked who gets in, too.
fn ask(body: &mut Value, default_region: impl Fn() -> Result<String>) -> Result<()> {
    let begins = body["name"].is_null() && body["instance_types"].is_null();
    let region = match ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(crate::context::variable) {
        Some(region) => region,
        None if body["region"].is_null() => default_region()?,
        None => String::new(),
    };
    for (field, question, default) in [
        ("name", "Name", Some("research".to_owned())),
        ("role_arn", "ARN of the role that lets Groundwork in (groundwork onboard makes one)", None),
        ("region", "AWS region", Some(region)),
        ("instance_types", "Instance types, with commas between them", Some("g4dn.xlarge".into())),
    ] {
        let is_missing = body[field].is_null() && !(field == "instance_types" && body["mode"] == "self_managed");
        if is_missing {
            let answer = asked(question, default)?;
            body[field] = if field == "instance_types" { instance_types(answer.split(','), false) } else { json!(answer.trim()) };
        }
    }
    if begins { ask_who_gets_in(body) } else { Ok(()) }
}

/// By default nobody does, and a cluster without anybody is of little use.
fn ask_who_gets_in(body: &mut Value) -> Result<()> {
    let question = "ARN of the IAM role or user that becomes its administrator (empty for none)";
    let administrator = asked(question, Some(String::new()))?;
    if !administrator.trim().is_empty() {
        put_in(body, "access", "administrators", json!([administrator.trim()]));
    }
    if confirmed("May this machine's address reach its endpoint? (No: only what is in its network)")? {
        put_in(body, "access", "public_cidrs", json!([REQUESTER]));
    }
    Ok(())
}

fn asked(question: &str, default: Option<String>) -> Result<String> {
    let input = Input::<String>::new().with_prompt(question);
    let input = if let Some(default) = default { input.default(default).allow_empty(true) } else { input };
    input.interact_text().map_err(unanswered)
}

fn confirmed(question: &str) -> Result<bool> {
    Confirm::new().with_prompt(question).default(true).interact().map_err(unanswered)
}

fn unanswered(error: dialoguer::Error) -> Failure {
    Failure::new(Exit::Interrupted, "Nothing was created.").because(error)
}

/// Until it is a mapping, or the editor is left without saving.
fn edit(cx: &Context, body: &Value) -> Result<Value> {
    if !cx.is_attended() {
        return Err(Failure::new(Exit::Usage, "--edit-before-creation needs a terminal.")
            .next("Write the request to a file: groundwork create -f cluster.yaml"));
    }
    let mut text =
        serde_saphyr::to_string(body).map_err(|error| Failure::new(Exit::Failed, "The request cannot be edited.").because(error))?;
    loop {
        let edited = Editor::new().extension(".yaml").require_save(true).edit(&text).map_err(unanswered)?;
        text = edited.ok_or_else(|| Failure::new(Exit::Interrupted, "Nothing was created: the editor was left without saving."))?;
        match parse(&text) {
            Ok(body) => return Ok(body),
            Err(why) => eprintln!("That is no request: {why}"),
        }
    }
}

/// Paths of fields, each with its flag.
const FLAGS: [(&str, &str); 6] = [
    ("$.role_arn", "--role-arn"),
    ("$.region", "--region"),
    ("$.instance_types", "--instance-types"),
    ("$.performance_profile", "--performance-profile"),
    ("$.network.cidr", "--cidr"),
    ("$.tags", "--tag"),
];

/// In words of the flags where there is one.
fn refused(faults: Vec<spec::Fault>, attended: bool) -> Failure {
    let count = faults.len();
    let what = if count == 1 { "The request has a fault.".into() } else { format!("The request has {count} faults.") };
    let lines = faults.into_iter().map(|fault| {
        let flag = FLAGS.into_iter().find(|(path, _)| fault.path.starts_with(path)).map_or(String::new(), |(_, flag)| format!(" ({flag})"));
        format!("{}{flag}: {}", fault.path, fault.message)
    });
    let failure = lines.fold(Failure::new(Exit::Usage, what), |failure, line| failure.because(line));
    failure.next(if attended {
        "Correct it and run the command again."
    } else {
        "Correct every fault and run the command again, or run it in a terminal to be asked."
    })
}

fn compare(given: &str, known: &str) -> Result<()> {
    if given == known {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("{given} is not your external ID."))
        .because(format!("Groundwork made yours, which is {known}, and presents it to your role."))
        .next("Let the role expect that one (groundwork onboard), and leave out --external-id."))
}

/// What will be made, in a few lines.
fn plan(spec: &Spec) -> String {
    let Spec { name, region, tags, .. } = spec;
    let tags = tags.0.iter().map(|(key, value)| format!("\n  tag:    {key}={value}")).collect::<String>();
    let nodes = nodes(spec);
    let place = format!("account {}, {region}", spec.account());
    let parts = match &spec.ground {
        Ground::Managed(ours) => format!(
            "  {}\n  nodes: {nodes}, and {} for the system\n  access: {}\n  data:   {}\n\
             Groundwork takes all of it away again: groundwork delete {name}",
            base(spec),
            system_nodes(spec),
            access(ours),
            data(ours)
        ),
        Ground::SelfManaged(theirs) => {
            let buckets = theirs.buckets.len();
            format!(
                "  nodes: {nodes}\nfor your EKS cluster {}, after a look at it and at your {buckets} bucket(s).",
                theirs.eks_cluster_name
            )
        }
    };
    let key = spec.kms_key().map(|key| format!("\n  key:    {key}")).unwrap_or_default();
    format!("\n{name} will be made in {place}:{tags}{key}\n{parts}\n")
}

/// What is made, and what of the customer's it is made in.
fn base(spec: &Spec) -> String {
    let made = "an EKS cluster with its add-ons, IAM roles and buckets";
    match spec.customers_subnets() {
        [] if spec.has_flow_logs() => format!("a network with flow logs (into the bucket {FLOW_LOGS}), {made}"),
        [] => format!("a network, {made}"),
        theirs => format!("{made},\n  in your subnets, which stay as they are: {}", theirs.join(", ")),
    }
}

fn system_nodes(spec: &Spec) -> &'static str {
    match spec.performance_profile() {
        PerformanceProfile::CostSaving => "one",
        PerformanceProfile::Standard => "two",
    }
}

fn nodes(spec: &Spec) -> String {
    match (&spec.instance_types[..], &spec.ground) {
        ([], Ground::Managed(_)) => format!("{}, as far as the zones offer them, none of them running", DEFAULTS.join(", ")),
        ([], Ground::SelfManaged(_)) => "none of ours".into(),
        (groups, _) => told::nodes(groups, &BTreeMap::new()),
    }
}

fn access(ours: &Managed) -> String {
    let from = match ours.access.public_cidrs.as_deref() {
        None | Some([]) => "only from inside its network".into(),
        Some(ranges) => {
            ranges.iter().map(|range| if range == REQUESTER { "from this machine's address" } else { range }).collect::<Vec<_>>().join(", ")
        }
    };
    let who = match &ours.access.administrators[..] {
        [] => "no administrator".into(),
        [one] => format!("administrator {one}"),
        several => format!("administrators {}", several.join(", ")),
    };
    let users = match &ours.access.users[..] {
        [] => String::new(),
        some => format!("; users {}", some.join(", ")),
    };
    format!("{from}; {who}{users}")
}

fn data(ours: &Managed) -> &'static str {
    match ours.deletion.data {
        Some(Data::Delete) => "deleted with the cluster",
        Some(Data::Keep) | None => "kept when the cluster is deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Value {
        json!({
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2",
            "instance_types": instance_types(["g4dn.xlarge", " m6i.large ", ""].into_iter(), false),
            "tags": {"CostCenter": "4711"}
        })
    }

    #[test]
    fn what_will_be_made_is_said_before() {
        let text = plan(&spec::parse(&body()).expect("a request"));
        for told in [
            "research will be made in account 222222222222, us-west-2",
            "g4dn.xlarge 0-10, m6i.large 0-10, and one for the system",
            "kept when",
            "tag:    CostCenter=4711",
            "only from inside its network; no administrator",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }

    #[test]
    fn what_will_be_made_depends_on_profile_and_network() {
        let (own, subnets) = ("a network, an EKS cluster", json!({"subnet_ids": ["subnet-0000000a", "subnet-0000000b"]}));
        for (field, value, told, untold) in [
            ("performance_profile", json!("cost_saving"), [own, "and one for the system"], "flow logs"),
            ("performance_profile", json!("standard"), [own, "and two for the system"], "flow logs"),
            ("network", json!({"flow_logs": true}), ["a network with flow logs (into the bucket logs), an EKS", "and one"], "subnets"),
            (
                "network",
                subnets,
                ["  an EKS cluster", "in your subnets, which stay as they are: subnet-0000000a, subnet-0000000b\n"],
                "a network",
            ),
        ] {
            let mut body = body();
            body[field] = value.clone();
            let text = plan(&spec::parse(&body).expect("a request"));
            assert!(told.iter().all(|words| text.contains(words)) && !text.contains(untold), "{value}: {text}");
        }
    }

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        create: Create,
    }

    fn given(flags: &[&str]) -> std::result::Result<Value, String> {
        let line = <Line as clap::Parser>::try_parse_from([&["create"], flags].concat()).map_err(|error| error.to_string())?;
        let mut body = json!({"network": {"zones": ["us-west-2a", "us-west-2b"]}, "tags": {"Team": "blue", "Stage": "test"}});
        line.create.put(&mut body);
        Ok(body)
    }

    #[test]
    fn a_flag_goes_over_its_field_and_leaves_the_others() {
        let zones = ["us-west-2a", "us-west-2b"];
        for (flags, field, expected) in [
            (&["research"][..], "name", json!("research")),
            (&["--performance-profile", "standard"], "performance_profile", json!("standard")),
            (&["--cost-savings"], "performance_profile", json!("cost_saving")),
            (&["--cidr", "10.20.0.0/16"], "network", json!({"zones": zones, "cidr": "10.20.0.0/16"})),
            (&["--tag", "Team=red=green", "--tag", "CostCenter="], "tags", json!({"Team": "red=green", "Stage": "test", "CostCenter": ""})),
            (&["--instance-types", "g5.xlarge", "--spot"], "instance_types", json!([{"name": "g5.xlarge", "capacity": "spot"}])),
        ] {
            assert_eq!(given(flags).map(|body| body[field].clone()), Ok(expected), "{flags:?}");
        }
    }

    #[test]
    fn flags_that_say_nothing_or_two_things_are_refused() {
        for (flags, words) in [
            (&["--cost-savings", "--performance-profile", "standard"][..], "cannot be used with"),
            (&["--spot"], "--instance-types <TYPES>"),
            (&["--tag", "CostCenter"], "write KEY=VALUE, such as CostCenter=4711"),
            (&["--tag", "=4711"], "write KEY=VALUE"),
        ] {
            let refused = given(flags).expect_err("it must be refused");
            assert!(refused.contains(words), "{flags:?}: {refused}");
        }
    }

    #[test]
    fn the_default_instance_types_are_named() {
        let mut none = body();
        none["instance_types"] = json!([]);
        assert!(plan(&spec::parse(&none).expect("a request")).contains("nodes: m6i.xlarge, c6i.xlarge, "));
    }

    #[test]
    fn every_fault_is_named_with_its_flag() {
        let failure = refused(spec::parse(&json!({"name": "A", "tags": {"Name": "mine"}})).expect_err("faults"), false);
        let text = failure.why.join("\n");
        for told in ["$.name:", "$.tags.Name (--tag):", "$.role_arn (--role-arn):", "$.region (--region):"] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }

    #[test]
    fn a_file_is_yaml_or_json_and_a_mapping() {
        for (text, good) in [("name: a", true), ("{\"name\": \"a\"}", true), ("- a", false), ("a: [", false), ("", false)] {
            assert_eq!(parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_tag_has_a_key_and_whatever_follows_the_first_equals_sign() {
        assert_eq!(tag("Query=a=b"), Ok(("Query".into(), "a=b".into())));
        assert!(tag("CostCenter").is_err());
    }

    #[test]
    fn another_external_id_is_not_ignored() {
        assert_eq!(compare("a", "a"), Ok(()));
        assert!(compare("dummy", "a").is_err_and(|failure| failure.why[0].contains("which is a")));
    }
}
