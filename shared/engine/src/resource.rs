//! The law of a resource: one thing that we make in a customer's account, look at in it, or only remove from it.
//!
//! Looking, judging and acting are separate: `find` asks AWS and changes nothing, `judge` is pure, and what was found travels to the verb.

use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Error, Result};
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;
use wire::error::{Class, Code};
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

/// What a look at a thing shows.
#[derive(Debug, PartialEq)]
pub enum Seen {
    Ready,
    /// On its way up or down, so that nothing can be done with it now.
    Busy,
    /// Ours, but half-made or not as the spec wants it.
    Differs(Vec<Difference>),
    /// There and in use, but not healthy: the error says why. Going up it stops the run, but a retry does not replace it.
    Sick(Error),
    /// AWS gave up on it; the error carries the cause that AWS gives.
    Broken(Error),
    /// AWS gave up deleting it; the error carries the cause that AWS gives.
    DeleteFailed(Error),
}

impl Seen {
    /// Ready, unless something differs.
    pub fn but_for(differences: impl IntoIterator<Item = Option<Difference>>) -> Self {
        let differences: Vec<Difference> = differences.into_iter().flatten().collect();
        if differences.is_empty() { Seen::Ready } else { Seen::Differs(differences) }
    }

    /// Broken. A cause that passes does so only for a thing that is made anew, which is a later run's work.
    pub fn given_up(cause: Error) -> Self {
        let class = if cause.class.retryable() { Class::Later } else { cause.class };
        Seen::Broken(Error { class, ..cause })
    }
}

/// How a found thing differs from the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: String,
    pub is: String,
    pub wanted: String,
    pub how: How,
}

/// How a difference can be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    InPlace,
    /// By deleting the thing and making it again.
    Replace,
    /// Not at all: too much depends on the thing.
    Never,
}

impl Difference {
    /// None if the field is as it should be.
    pub fn between<T: PartialEq + ToString>(field: &'static str, is: T, wanted: T, how: How) -> Option<Self> {
        (is != wanted).then(|| Self { field: field.into(), is: is.to_string(), wanted: wanted.to_string(), how })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, the spec wants {}", self.field, self.is, self.wanted)
    }
}

/// When to look again: first this long after the create, then at this interval.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub first: Duration,
    pub then: Duration,
}

impl Pace {
    pub const fn seconds(first: u64, then: u64) -> Self {
        Self { first: Duration::from_secs(first), then: Duration::from_secs(then) }
    }
}

/// How many seconds AWS usually takes. People are told so; nothing is decided by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    pub made: u32,
    pub removed: u32,
}

/// What the plan has to know about a resource.
pub trait Planned: Send + Sync {
    fn key(&self) -> Key;
    fn stage(&self) -> Stage;
    /// The resources that must be ready before it; going down, it goes before them.
    fn needs(&self) -> Vec<Key> {
        vec![]
    }
    /// EKS removes it with its cluster, so that nothing needs to wait for it if it does not go by itself.
    fn goes_with_the_cluster(&self) -> bool {
        false
    }
    /// What does not need it and yet goes before it, as long as that goes by itself.
    fn goes_after(&self) -> Vec<Key> {
        vec![]
    }
    fn pace(&self) -> Pace {
        Pace::seconds(2, 3)
    }
    /// Medians of public logs of eksctl and Terraform.
    fn usual(&self) -> Usual {
        Usual { made: 3, removed: 3 }
    }
}

/// One thing that we own in a customer's account. The law:
///
/// 1. No verb waits. `create`, `mend` and `delete` ask; only the next `find` says that it happened.
/// 2. Every verb can run any number of times, and the process can die at any await point.
/// 3. `find` looks by owner tag, or by name and owner tag, and needs no outputs of others. The same name without our tag is a
///    user's error: never adopted, never deleted.
/// 4. Tags go in the create call itself. Where the API takes a token and no name makes the thing one of a kind, the token comes from
///    `Cluster::token`.
/// 5. "Already exists" (ours) on create and "not found" on delete are success.
/// 6. What Kubernetes made is ours to remove only with this cluster's Kubernetes tags and, where it has one, inside our VPC; what GuardDuty
///    made, only with its tag and inside our VPC. In a VPC of the customer's we touch only what carries this cluster's own tags.
#[async_trait]
pub trait Made: Planned {
    /// What `find` finds: everything that `judge`, `mend` and `delete` need to know.
    type Thing: Send + Sync;

    /// Data that a retry must not delete when the resource is broken.
    fn holds_data(&self) -> bool {
        false
    }
    /// True if AWS may make it again by itself for some time after the cluster has gone.
    fn comes_back(&self) -> bool {
        false
    }
    /// None if it is not there.
    async fn find(&self, cx: &Context) -> Result<Option<Self::Thing>>;
    fn judge(&self, cluster: &Cluster, thing: &Self::Thing) -> Seen;
    /// What the resources that need it use, once it is ready.
    fn outputs(&self, cluster: &Cluster, thing: &Self::Thing) -> Outputs;
    async fn create(&self, cx: &Context) -> Result<()>;
    /// Mends what `judge` said can be mended in place. A resource of which it never says so has nothing to mend.
    async fn mend(&self, _: &Context, _: &Self::Thing) -> Result<()> {
        Err(Error::of(Code::NothingToMend, format!("{} has nothing that can be mended in place.", self.key())))
    }
    async fn delete(&self, cx: &Context, thing: &Self::Thing) -> Result<()>;
    /// True if it stays although nobody wants it: there is data in it, and nobody said that this may go.
    async fn stays(&self, _: &Context, _: &Self::Thing) -> Result<bool> {
        Ok(false)
    }
}

/// What somebody else made and a cluster needs: never created, changed, tagged or deleted.
#[async_trait]
pub trait LookedAt: Planned {
    /// What a look shows, and its outputs if it is ready.
    async fn look(&self, cx: &Context) -> Result<(Seen, Outputs)>;
}

/// What is in no plan but has to be removed in a teardown. Going up it is neither created nor looked at.
#[async_trait]
pub trait Removed: Planned {
    async fn find(&self, cx: &Context) -> Result<Vec<Leftover>>;
    /// Removes what is not busy.
    async fn remove(&self, cx: &Context, left: &[Leftover]) -> Result<()>;
}

/// One thing that was left in the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    pub kind: LeftoverKind,
    /// The ARN of a load balancer or target group, else the id.
    pub id: String,
    /// Something else holds it: only waiting helps.
    pub busy: bool,
    /// What AWS says that it is for, such as `EFS mount target for fs-1`, if it says so.
    pub purpose: Option<String>,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)?;
        self.purpose.as_ref().map_or(Ok(()), |purpose| write!(f, " ({purpose})"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum LeftoverKind {
    #[strum(serialize = "load balancer")]
    LoadBalancer,
    #[strum(serialize = "target group")]
    TargetGroup,
    #[strum(serialize = "network interface")]
    Interface,
    #[strum(serialize = "security group")]
    SecurityGroup,
    #[strum(serialize = "VPC endpoint")]
    Endpoint,
    #[strum(serialize = "volume")]
    Volume,
    #[strum(serialize = "snapshot")]
    Snapshot,
}

/// A resource of a plan, of any of the three kinds.
pub enum Resource {
    Made(Box<dyn AnyMade>),
    LookedAt(Box<dyn LookedAt>),
    Removed(Box<dyn Removed>),
}

impl Resource {
    pub fn planned(&self) -> &dyn Planned {
        match self {
            Resource::Made(made) => made.as_ref(),
            Resource::LookedAt(looked_at) => looked_at.as_ref(),
            Resource::Removed(removed) => removed.as_ref(),
        }
    }

    pub fn key(&self) -> Key {
        self.planned().key()
    }
}

/// `Made` for any type of found thing.
#[async_trait]
pub trait AnyMade: Planned {
    fn holds_data(&self) -> bool;
    fn comes_back(&self) -> bool;
    async fn find<'a>(&'a self, cx: &Context) -> Result<Option<Box<dyn Found + 'a>>>;
    async fn create(&self, cx: &Context) -> Result<()>;
}

/// A found thing with the resource that knows what to do with it.
#[async_trait]
pub trait Found: Send + Sync {
    fn judge(&self, cluster: &Cluster) -> Seen;
    fn outputs(&self, cluster: &Cluster) -> Outputs;
    async fn mend(&self, cx: &Context) -> Result<()>;
    async fn delete(&self, cx: &Context) -> Result<()>;
    async fn stays(&self, cx: &Context) -> Result<bool>;
}

struct Bound<'a, M: Made> {
    resource: &'a M,
    thing: M::Thing,
}

#[async_trait]
impl<M: Made> AnyMade for M {
    fn holds_data(&self) -> bool {
        Made::holds_data(self)
    }

    fn comes_back(&self) -> bool {
        Made::comes_back(self)
    }

    async fn find<'a>(&'a self, cx: &Context) -> Result<Option<Box<dyn Found + 'a>>> {
        let found = Made::find(self, cx).await?;
        Ok(found.map(|thing| Box::new(Bound { resource: self, thing }) as Box<dyn Found + 'a>))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        Made::create(self, cx).await
    }
}

#[async_trait]
impl<M: Made> Found for Bound<'_, M> {
    fn judge(&self, cluster: &Cluster) -> Seen {
        self.resource.judge(cluster, &self.thing)
    }

    fn outputs(&self, cluster: &Cluster) -> Outputs {
        self.resource.outputs(cluster, &self.thing)
    }

    async fn mend(&self, cx: &Context) -> Result<()> {
        self.resource.mend(cx, &self.thing).await
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        self.resource.delete(cx, &self.thing).await
    }

    async fn stays(&self, cx: &Context) -> Result<bool> {
        self.resource.stays(cx, &self.thing).await
    }
}
