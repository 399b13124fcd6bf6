//! Faults that last: a call that AWS refuses until somebody mends it, and what AWS never finishes or gives up.

use crate::cases::{Scenario, action, changes};
use cloud::answer::Refusal;
use cloud::faults::{Effect, Fault};
use cloud::world::Issue;
use engine::cluster::Cluster;
use engine::records::record::Record;
use engine::resource::Resource;
use engine::{plan, resources, view};
use std::collections::{BTreeMap, BTreeSet};
use wire::error::Class;
use wire::journal::{Entry, State};
use wire::key::{Group, Key};
use wire::status::Desired;

/// Strikes every call of this name, or only those about one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Lasting {
    pub calls: String,
    about: String,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Denied,
    /// An error that no table knows.
    Unforeseen,
    FailedInside,
    /// AWS begins and gives up.
    GivenUp,
    /// AWS begins and never ends.
    Unfinished,
}

/// What AWS begins with an answer and finishes later, with a cause for which it can give up.
const SLOW: [(&str, Option<&str>); 8] = [
    ("eks:CreateCluster", Some("AccessDenied")),
    ("eks:CreateNodegroup", Some("AccessDenied")),
    ("eks:CreateAddon", Some("AccessDenied")),
    ("ec2:CreateNatGateway", Some("InsufficientFreeAddressesInSubnet")),
    ("eks:DeleteNodegroup", Some("AccessDenied")),
    ("eks:DeleteAddon", Some("AccessDenied")),
    ("eks:DeleteCluster", None),
    ("ec2:DeleteNatGateway", None),
];

/// The faults that a life with these calls can meet.
pub fn all(cluster: &Cluster, calls: &[String]) -> Vec<Lasting> {
    let things = things(cluster);
    let named = |call: &String| call.split(' ').next().unwrap_or_default().to_owned();
    let about = |call: &String| things.iter().filter(|thing| call.contains(*thing)).max_by_key(|thing| thing.len()).cloned();
    let about: BTreeSet<(String, String)> = calls.iter().map(|call| (named(call), about(call).unwrap_or_default())).collect();
    let names: BTreeSet<String> = calls.iter().map(named).collect();
    let denied = about.iter().map(|(calls, about)| Lasting { calls: calls.clone(), about: about.clone(), how: How::Denied });
    let of_all = |how| move |calls: &String| Lasting { calls: calls.clone(), about: String::new(), how };
    let unforeseen = names.iter().filter(|call| changes(call)).map(of_all(How::Unforeseen));
    let failed_inside = names.iter().map(of_all(How::FailedInside));
    let slow = about.iter().flat_map(|(calls, about)| {
        let how = SLOW.iter().filter(|(slow, _)| slow == calls).flat_map(|(_, cause)| [Some(How::Unfinished), cause.map(|_| How::GivenUp)]);
        how.flatten().map(|how| Lasting { calls: calls.clone(), about: about.clone(), how }).collect::<Vec<_>>()
    });
    denied.chain(unforeseen).chain(failed_inside).chain(slow).collect()
}

/// Texts by which a call shows what it is about: keys stand in tags, names in paths.
fn things(cluster: &Cluster) -> Vec<String> {
    let keys = plan::wanted(cluster).into_iter();
    keys.flat_map(|key| match key {
        Key::Bucket(name) => vec![cluster.scoped(&name)],
        Key::NodeGroup(Group::InstanceType(name)) => vec![cluster.scoped(&name), name.replace('.', "-")],
        Key::NodeGroup(Group::Spot(name)) => vec![cluster.scoped(&name), format!("spot-{}", name.replace('.', "-"))],
        Key::Role(role) => vec![cluster.scoped(&role.to_string())],
        Key::Addon(addon) => vec![addon.to_string()],
        key => vec![key.to_string()],
    })
    .filter(|text| text.len() > 3 && text != "cluster")
    .collect()
}

impl Lasting {
    pub fn rule(&self) -> Fault {
        let name = action(&self.calls);
        let effect = match self.how {
            How::Denied => Effect::Refuse(Refusal::new(403, denial(&self.calls), format!("User: x is not authorized to perform: {name}"))),
            How::Unforeseen => Effect::Refuse(Refusal::new(400, "NeverSeen", "Something new")),
            How::FailedInside => Effect::Refuse(Refusal::new(500, "InternalError", "An internal error occurred")),
            How::GivenUp => Effect::Fail(Issue { code: self.cause().into(), message: "AWS gave up".into() }),
            How::Unfinished => Effect::Stall,
        };
        Fault { about: self.about.clone(), ..Fault::on(&self.calls, effect) }
    }

    /// The calls that it strikes, and what they are about.
    pub fn text(&self) -> String {
        format!("{} {}", self.calls, self.about)
    }

    fn cause(&self) -> &'static str {
        let slow = SLOW.iter().find(|(calls, _)| *calls == self.calls);
        slow.and_then(|(_, cause)| *cause).expect("a cause for which it is given up")
    }

    fn class(&self) -> Class {
        match self.how {
            How::Denied | How::GivenUp => Class::Customer,
            How::Unforeseen => Class::Permanent,
            How::FailedInside | How::Unfinished => Class::Later,
        }
    }

    /// EKS removes these with the cluster; what of a bucket expires does not matter to one that goes, nor does which snapshots there are
    /// if they stay.
    pub fn holds_up_nothing(&self, scenario: Scenario) -> bool {
        let goes_along = ["eks:DeleteAddon", "eks:DeleteAccessEntry", "eks:DeletePodIdentityAssociation"];
        let looks = [
            "eks:DescribeAddon",
            "eks:DescribeAccessEntry",
            "eks:DescribePodIdentityAssociation",
            "eks:ListAssociatedAccessPolicies",
            "eks:ListPodIdentityAssociations",
        ];
        let denied = |call| self.how == How::Denied && self.calls == call;
        let does_not_matter = denied("s3:GetLifecycleConfiguration") || denied("ec2:DescribeSnapshots") && scenario == Scenario::Delete;
        let goes_along = goes_along.iter().any(|call| self.calls == *call);
        let holds_up = !does_not_matter && !goes_along && !looks.iter().any(|call| self.calls == *call);
        match scenario {
            Scenario::Delete | Scenario::DeleteData => !holds_up,
            // A life from creation to deletion makes these calls only in the deletion, too.
            Scenario::Rich => goes_along,
            // Whether nodes get out does not depend on whether we may ask.
            Scenario::InTheirNetwork => denied("ec2:DescribeVpcBlockPublicAccessOptions"),
            Scenario::Create | Scenario::Change | Scenario::SelfManaged | Scenario::Furnish => false,
        }
    }

    /// What the user reads: each thing that cannot be done, with what to do, and nothing else is undone than what waits for it.
    pub fn is_told(&self, record: &Record, journal: &BTreeMap<Key, Entry>) -> Result<(), String> {
        let failure = record.failure.as_ref().ok_or("nothing says why it is parked")?;
        if failure.class != Some(self.class()) || failure.hint.is_empty() || failure.stage.is_none() {
            return Err(format!("told as {failure:?}"));
        }
        if record.troubles.is_empty() {
            // No resource's: of the stage.
            return Ok(());
        }
        let shown = view::cluster(record, journal, record.updated_at).troubles;
        if let Some(other) = record.troubles.values().find(|trouble| trouble.class != self.class() || trouble.given_up_at.is_none()) {
            return Err(format!("not of the fault: {other:?}"));
        }
        let mut told: BTreeSet<Key> = shown.into_iter().flat_map(|trouble| trouble.waiting.into_iter().chain([trouble.key])).collect();
        let mut open = open(record, journal);
        // Without a journal entry nobody knows whether anything is left.
        let removed = |key: &Key| matches!(key, Key::Leftovers | Key::Disks);
        [&mut told, &mut open].into_iter().for_each(|keys| keys.retain(|key| !removed(key)));
        if told == open { Ok(()) } else { Err(format!("told: {}; open: {}", list(&told), list(&open))) }
    }
}

/// EC2 has a word of its own.
fn denial(call: &str) -> &'static str {
    match call.split(':').next() {
        Some("ec2") => "UnauthorizedOperation",
        Some("eks" | "kms" | "logs") => "AccessDeniedException",
        _ => "AccessDenied",
    }
}

fn list(keys: &BTreeSet<Key>) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What of the plan is not done.
fn open(record: &Record, journal: &BTreeMap<Key, Entry>) -> BTreeSet<Key> {
    let cluster = record.cluster().expect("a spec that is understood");
    let state = |key: &Key| journal.get(key).map(|entry| entry.state);
    match record.desired {
        Desired::Present => {
            let all = plan::wanted(&cluster).into_iter();
            let made = all.filter(|key| !matches!(resources::of(key, &cluster), Some(Resource::Removed(_))));
            made.filter(|key| state(key) != Some(State::Ready)).collect()
        }
        Desired::Absent => {
            let all = plan::teardown(&cluster, journal).expect("nothing of another version").unwanted;
            let done = |key: &Key| journal.get(key).is_none_or(|entry| entry.is_removed_or_kept(record.run));
            all.iter().map(Resource::key).filter(|key| !done(key)).collect()
        }
    }
}
