//! What a tenant may ask for. A mode is a type: what is meaningful only in one mode exists only in that mode.
//!
//! On the wire all fields are flat, with `mode` among them. [`parse`] is the door: it refuses what this version does not know. What is
//! stored is read tolerantly, by [`crate::stored::StoredSpec`].

mod access;
mod buckets;
mod deletion;
mod encryption;
mod fault;
mod fields;
mod ground;
mod kubernetes;
mod labels;
mod mode;
mod network;
mod nodes;
mod older;
mod profile;
pub mod reference;
pub mod refusals;
mod renamed;
mod schema;
mod self_managed;
mod tags;

pub use access::{Access, EVERYBODY, Guest, REQUESTER, Right, is_public};
pub use buckets::Bucket;
pub use deletion::{BucketsAfter, Data, Deletion};
pub use encryption::Encryption;
pub use fault::{Fault, shortened};
pub use ground::{Ground, Managed};
pub use kubernetes::{Kubernetes, Log, UpgradePolicy};
pub use labels::{Effect, Taint};
pub use mode::Mode;
pub use network::{Network, Subnets};
pub use nodes::{Capacity, DEFAULTS, InstanceType};
pub use profile::PerformanceProfile;
pub use self_managed::SelfManaged;
pub use tags::Tags;

pub(crate) use fields::unknown_fields;
pub(crate) use mode::foreign;

use crate::cidr::Cidr;
use crate::names::Names;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body of `POST /clusters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = schema::close)]
pub struct Spec {
    /// 1-63 lower-case letters, digits and hyphens, a letter or digit at both ends.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"), extend("x-change" = schema::NEVER))]
    pub name: String,
    /// The ARN of the quick-start's role, in the partition aws or aws-us-gov: "groundwork" and up to 22 more characters, and no path.
    #[schemars(regex(pattern = r"^arn:aws(-us-gov)?:iam::[0-9]{12}:role/groundwork[A-Za-z0-9+=,.@_-]{0,22}$"), extend("x-change" = schema::NEVER))]
    pub role_arn: String,
    /// An AWS region such as us-west-2; if absent, the operator's default.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"), extend("x-change" = schema::NEVER))]
    pub region: String,
    /// Up to 20 instance types, each once on demand and once as spot. If none are given: with mode managed six that are kept at 0 nodes
    /// (m6i.xlarge, c6i.xlarge, r6i.xlarge, g4dn.xlarge, g5.xlarge, g5.12xlarge), as far as the zones offer them; with self_managed none.
    #[serde(default)]
    #[schemars(length(max = 20), extend("x-change" = schema::IN_PLACE))]
    pub instance_types: Vec<InstanceType>,
    /// After how many minutes without work a node goes that is not among those kept running, 1 to 1440.
    // Written out, so that a cluster keeps what it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1, max = 1440), extend("x-change" = schema::IN_PLACE, "default" = SCALE_DOWN_AFTER_MINUTES))]
    pub scale_down_after_minutes: Option<u32>,
    /// Up to 40 tags, such as {"CostCenter": "4711"}, on everything that is made, nodes, volumes and interfaces included; with the mode
    /// self_managed on the node groups, from which EKS gives nodes none. A key has 1 to 127 letters, digits, spaces and _.:/+@-, a value up
    /// to 255 and = too; no space at an end.
    #[serde(default, skip_serializing_if = "ground::is_default")]
    #[schemars(extend("x-change" = schema::NEVER))]
    pub tags: Tags,
    #[serde(flatten)]
    pub ground: Ground,
}

/// A part of what a tenant asks for, in a file of its own. Its schema says what is valid for each single field.
trait Section {
    /// The faults that a schema cannot find, each with the JSON path of its field.
    fn check(&self) -> Vec<Fault>;
}

/// The Cluster Autoscaler's own default.
const SCALE_DOWN_AFTER_MINUTES: u32 = 10;

/// Where a spec names the customer's key.
pub const KMS_KEY: &str = "$.encryption.kms_key_arn";

/// The purpose of the bucket that flow logs go into.
pub const FLOW_LOGS: &str = "logs";

/// The body in this region, unless it names one.
pub fn in_region(mut body: Value, default: &str) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.entry("region").or_insert(default.into());
    }
    body
}

/// Reads a spec that has a region.
///
/// # Errors
/// Every fault: those in single fields and of the mode, then what else is wrong with the fields that have none of these.
pub fn parse(body: &Value) -> Result<Spec, Vec<Fault>> {
    let modern = renamed::modern(body);
    let mut spec = read(&modern.body, modern.faults.clone())
        .map_err(|faults| faults.into_iter().map(|fault| modern.as_sent(fault)).collect::<Vec<_>>())?;
    spec.scale_down_after_minutes.get_or_insert(SCALE_DOWN_AFTER_MINUTES);
    if let Ground::Managed(ours) = &mut spec.ground {
        ours.settle();
    }
    Ok(spec)
}

fn read(body: &Value, mut faults: Vec<Fault>) -> Result<Spec, Vec<Fault>> {
    faults.extend(fields::faults(body).into_iter().chain(mode::faults(body)));
    faults.extend(fields::fractions(body, &faults));
    if body.is_object() && body.get("region").is_none() {
        faults.push(Fault::new("$.region", fields::REQUIRED));
    }
    let spec = match Spec::deserialize(without(body, &faults)) {
        Ok(spec) => spec,
        Err(_) if !faults.is_empty() => return Err(faults),
        Err(error) => return Err(vec![Fault::new("$", error.to_string())]),
    };
    // Whose account it is only the role says.
    let strangers = if is_at_fault("role_arn", &faults) { vec![] } else { spec.strangers() };
    let elsewhere = if is_at_fault("region", &faults) { vec![] } else { spec.elsewhere() };
    faults.extend(spec.sections().into_iter().flat_map(Section::check).chain(strangers).chain(elsewhere).chain(spec.homeless()));
    if faults.is_empty() { Ok(spec) } else { Err(faults) }
}

/// A spec of any version under the names of now.
pub(crate) fn modern(written: &Value) -> Value {
    renamed::modern(written).body.into_owned()
}

/// What no spec is without. They stand for those that are at fault, so that all the others are judged still.
const STAND_INS: [(&str, &str); 3] = [("name", "name"), ("role_arn", "arn:aws:iam::000000000000:role/groundwork"), ("region", "us-west-2")];

/// The body without the fields that are at fault.
fn without(body: &Value, faults: &[Fault]) -> Value {
    let mut sound = body.clone();
    faults.iter().for_each(|fault| remove(&mut sound, &fault.steps()));
    if let Some(fields) = sound.as_object_mut() {
        for (name, value) in STAND_INS {
            fields.entry(name).or_insert(value.into());
        }
    }
    sound
}

fn remove(part: &mut Value, steps: &[&str]) {
    let (Some(fields), [name, rest @ ..]) = (part.as_object_mut(), steps) else { return };
    match fields.get_mut(*name) {
        Some(section @ Value::Object(_)) if !rest.is_empty() => remove(section, rest),
        _ => drop(fields.remove(*name)),
    }
}

fn is_at_fault(field: &str, faults: &[Fault]) -> bool {
    faults.iter().any(|fault| fault.steps().first() == Some(&field))
}

/// The faults in fields that are given as parameters of a query, by the same rules: with paths such as `?role_arn`. What a spec must have must be
/// given.
pub fn parameter_faults(given: &[(&str, Option<&str>)]) -> Vec<Fault> {
    let body: Map<String, Value> = given.iter().filter_map(|(name, value)| Some(((*name).to_owned(), Value::from((*value)?)))).collect();
    let faults = fields::faults(&body.into()).into_iter().filter_map(|fault| {
        let name = fault.path.strip_prefix("$.")?;
        given.iter().any(|(known, _)| *known == name).then(|| Fault::new(format!("?{name}"), fault.message))
    });
    faults.collect()
}

/// True for a valid cluster name, by the schema.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().is_some_and(plain) && bytes.last().is_some_and(plain);
    ends && bytes.len() <= 63 && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

impl Spec {
    /// Without `..`, so that a new section does not compile until it is checked. The schema says everything about a name, an ARN and a region.
    fn sections(&self) -> Vec<&dyn Section> {
        let Spec { name: _, role_arn: _, region: _, instance_types, scale_down_after_minutes: _, tags, ground } = self;
        let mut sections: Vec<&dyn Section> = vec![instance_types, tags];
        match ground {
            Ground::Managed(Managed { performance_profile: _, network, access, kubernetes, encryption, buckets, deletion }) => {
                sections.extend([network as &dyn Section, access, kubernetes, encryption, buckets, deletion]);
            }
            Ground::SelfManaged(theirs) => sections.push(theirs),
        }
        sections
    }

    /// The principals to which the role's policies let us give nothing: in another account than the role, or Groundwork's own.
    fn strangers(&self) -> Vec<Fault> {
        let guests = self.managed().into_iter().flat_map(|ours| ours.access.given());
        let nodes = self.self_managed().and_then(|theirs| theirs.node_role_arn.as_ref());
        let given = guests.chain(nodes.map(|arn| ("$.node_role_arn".to_owned(), arn)));
        let principals = given.filter_map(|(path, arn)| Some(Fault::new(path, self.stranger(arn)?)));
        principals.chain(self.strange_key()).collect()
    }

    /// Auto Scaling, EKS and S3 would take a key of another account, but what its policy says can only be read there.
    fn strange_key(&self) -> Option<Fault> {
        let arn = self.kms_key()?;
        let is_here = account(arn) == Some(self.account()) && arn.split(':').nth(1) == Some(self.partition());
        let fault = || format!("this must be a key in the account of role_arn, {}", self.account());
        (!is_here).then(|| Fault::new(KMS_KEY, fault()))
    }

    /// The zones and the key that are in another region. Which of the region's there are only AWS knows.
    fn elsewhere(&self) -> Vec<Fault> {
        let zones = self.managed().into_iter().flat_map(|ours| &ours.network.zones).enumerate();
        let elsewhere = zones.filter(|(_, zone)| zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase()) != self.region);
        let zones = elsewhere.map(|(index, _)| format!("$.network.zones[{index}]"));
        let key = self.kms_key().filter(|arn| arn.split(':').nth(3) != Some(self.region.as_str()));
        let paths = zones.chain(key.map(|_| KMS_KEY.to_owned()));
        paths.map(|path| Fault::new(path, format!("this must be in {}", self.region))).collect()
    }

    /// Flow logs without the bucket that they go into.
    fn homeless(&self) -> Option<Fault> {
        let has_bucket = self.buckets().iter().any(|bucket| bucket.purpose == FLOW_LOGS);
        let fault = format!("the VPC's flow log goes into the bucket {FLOW_LOGS}: add {{\"purpose\": \"{FLOW_LOGS}\"}} to buckets");
        let is_ours = self.customers_subnets().is_empty();
        (self.has_flow_logs() && is_ours && !has_bucket).then(|| Fault::new("$.network.flow_logs", fault))
    }

    /// Why the role's policies let us give nothing to this principal.
    fn stranger(&self, arn: &str) -> Option<String> {
        let account = format!("arn:{}:iam::{}:", self.partition(), self.account());
        if !arn.starts_with(&account) {
            return Some(format!("this must be in the account of role_arn, {}", self.account()));
        }
        let is_ours = arn == self.role_arn || arn.starts_with(&format!("{account}role/groundwork/"));
        is_ours.then(|| "this must be a principal of yours, and not a role of Groundwork's".into())
    }

    /// After how many minutes without work a node goes. In a cluster of before, as it does now by default.
    pub fn scale_down_after_minutes(&self) -> u32 {
        self.scale_down_after_minutes.unwrap_or(SCALE_DOWN_AFTER_MINUTES)
    }

    /// Who makes the cluster and its buckets.
    pub fn mode(&self) -> Mode {
        match &self.ground {
            Ground::Managed(_) => Mode::Managed,
            Ground::SelfManaged(_) => Mode::SelfManaged,
        }
    }

    /// What a cluster has that Groundwork makes.
    pub fn managed(&self) -> Option<&Managed> {
        match &self.ground {
            Ground::Managed(ours) => Some(ours),
            Ground::SelfManaged(_) => None,
        }
    }

    /// The ARN of the customer's key that encrypts a managed cluster.
    pub fn kms_key(&self) -> Option<&str> {
        self.managed()?.encryption.kms_key_arn.as_deref()
    }

    /// What a cluster has that the customer made.
    pub fn self_managed(&self) -> Option<&SelfManaged> {
        match &self.ground {
            Ground::Managed(_) => None,
            Ground::SelfManaged(theirs) => Some(theirs),
        }
    }

    /// The customer's subnets that a managed cluster is in; none if it has a VPC of ours.
    pub fn customers_subnets(&self) -> &[String] {
        self.managed().map_or(&[], |ours| &ours.network.subnet_ids)
    }

    /// True if the traffic of the cluster's VPC is recorded, in the bucket [`FLOW_LOGS`].
    pub fn has_flow_logs(&self) -> bool {
        self.managed().is_some_and(|ours| ours.network.flow_logs)
    }

    /// The role's account, twelve digits. The schema has made sure that it is there.
    pub fn account(&self) -> &str {
        account(&self.role_arn).unwrap_or_default()
    }

    /// The role's own name, without its path.
    pub fn role_name(&self) -> &str {
        self.role_arn.rsplit('/').next().unwrap_or_default()
    }

    /// `aws` or `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.role_arn.split(':').nth(1).unwrap_or("aws")
    }

    /// The names in the quick-start's policies.
    pub fn names(&self) -> Names<'_> {
        Names { partition: self.partition(), account: self.account(), role: self.role_name() }
    }

    /// How much it may cost. A record of before has what is now the cheaper one.
    pub fn performance_profile(&self) -> PerformanceProfile {
        self.managed().and_then(|ours| ours.performance_profile).unwrap_or_default()
    }

    /// The range of the VPC that Groundwork makes.
    pub fn cidr(&self) -> Cidr {
        self.managed().map_or_else(|| Network::default().cidr(), |ours| ours.network.cidr())
    }

    /// The version of Kubernetes and what it logs. A record of before says nothing of them.
    pub fn kubernetes(&self) -> Kubernetes {
        self.managed().map(|ours| ours.kubernetes.clone()).unwrap_or_default()
    }

    /// The buckets that we make. A record of before has the usual ones.
    pub fn buckets(&self) -> Vec<Bucket> {
        self.managed().and_then(|ours| ours.buckets.clone()).unwrap_or_else(buckets::usual)
    }

    /// What happens to the data if nobody says otherwise with the deletion. A spec of before, which does not tell a default from a wish, keeps it.
    pub fn data(&self) -> Data {
        self.managed().and_then(|ours| ours.deletion.data).unwrap_or_default()
    }

    /// True if buckets stay even if they are empty, as earlier versions promised it.
    pub fn retains_buckets(&self) -> bool {
        self.managed().is_some_and(|ours| ours.deletion.buckets == Some(BucketsAfter::Retain))
    }

    /// The IPv4 ranges that may reach the public endpoint of a managed cluster. None if the customer decides.
    pub fn public_cidrs(&self) -> Option<&[String]> {
        Some(self.managed()?.access.public_cidrs.as_deref().unwrap_or_default())
    }
}

/// The account in an ARN.
pub(crate) fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

#[cfg(test)]
mod tests;
