//! What is inside every cluster, made through its API server: a storage class, a place to work, the autoscaler.

use crate::api_server::{enter, told};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Error, Result};
use crate::plan::ways_in;
use crate::resource::{Difference, How, Made, Pace, Planned, Seen, Usual};
use async_trait::async_trait;
use furniture::{Applied, Done, Facts, Scales, State, apply, look};
use wire::error::{Class, Code};
use wire::journal::Outputs;
use wire::key::{Key, Role};
use wire::stage::Stage;

pub struct Furniture {
    ways_in: Vec<Key>,
}

impl Furniture {
    pub fn of(cluster: &Cluster) -> Self {
        Self { ways_in: ways_in(cluster) }
    }
}

fn facts(cluster: &Cluster) -> Facts {
    Facts::of(&cluster.id, &cluster.eks_name(), &cluster.spec, Scales::All)
}

impl Planned for Furniture {
    fn key(&self) -> Key {
        Key::Furniture
    }

    fn stage(&self) -> Stage {
        Stage::Furnish
    }

    fn needs(&self) -> Vec<Key> {
        let pods = [Role::Autoscaler, Role::Workload].map(Key::PodIdentity);
        self.ways_in.iter().cloned().chain([Key::Cluster, Key::Role(Role::Hand)]).chain(pods).collect()
    }

    fn pace(&self) -> Pace {
        Pace::seconds(5, 5)
    }

    fn usual(&self) -> Usual {
        Usual { made: 30, removed: 0 }
    }
}

#[async_trait]
impl Made for Furniture {
    type Thing = Vec<furniture::Seen>;

    async fn find(&self, cx: &Context) -> Result<Option<Self::Thing>> {
        look(&enter(cx).await?, &facts(&cx.cluster)).await.map(Some).map_err(told)
    }

    fn judge(&self, _: &Cluster, found: &Self::Thing) -> Seen {
        let differs = |seen: &furniture::Seen| matches!(seen.state, State::Absent | State::Drifted { .. } | State::Released);
        if found.iter().any(differs) {
            let differences = found.iter().filter_map(|seen| difference(&seen.state, &seen.object));
            return Seen::Differs(differences.collect());
        }
        if found.iter().any(|seen| seen.state == State::Starting) {
            return Seen::Busy;
        }
        let sick = found.iter().find_map(|seen| if let State::Sick { reason } = &seen.state { Some((seen, reason)) } else { None });
        match sick {
            Some((seen, reason)) => Seen::Sick(sickness(&seen.object.to_string(), reason)),
            None => Seen::but_for(found.iter().map(|seen| difference(&seen.state, &seen.object))),
        }
    }

    fn outputs(&self, _: &Cluster, _: &Self::Thing) -> Outputs {
        Outputs::new()
    }

    /// A look always shows something.
    async fn create(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn mend(&self, cx: &Context, _: &Self::Thing) -> Result<()> {
        let applied = apply(&enter(cx).await?, &facts(&cx.cluster)).await.map_err(told)?;
        applied.into_iter().find_map(undone).map_or(Ok(()), Err)
    }

    /// It goes with the cluster.
    async fn delete(&self, _: &Context, _: &Self::Thing) -> Result<()> {
        Ok(())
    }
}

fn difference(state: &State, object: &furniture::Object) -> Option<Difference> {
    let differs = |is: String, how| Some(Difference { field: object.to_string(), is, wanted: "as every cluster has it".into(), how });
    match state {
        State::Absent => differs("absent".into(), How::InPlace),
        State::Drifted { fields } => differs(format!("otherwise in {}", fields.join(", ")), How::InPlace),
        State::Released => differs("without its claim".into(), How::InPlace),
        State::Foreign { whose } => differs(format!("left alone ({whose})"), How::Never),
        State::OfAnother { cluster } => differs(format!("left alone (It is of the cluster {cluster}.)"), How::Never),
        State::Ready | State::Starting | State::Sick { .. } => None,
    }
}

fn undone(Applied { object, done }: Applied) -> Option<Error> {
    match done {
        Done::Refused(error) => Some(told(error)),
        Done::WithoutRole => Some(sickness(&object.to_string(), "EKS would give its pod no credentials of AWS.")),
        _ => None,
    }
}

/// It is there and does not work, which may pass: a node has to come first, or an image.
fn sickness(object: &str, reason: &str) -> Error {
    let hint = "Mend what it lacks; if it is a fault of Groundwork's, tell the operator.";
    Error { class: Class::Transient, ..Error::of(Code::ApiServer, format!("{object}: {reason}")).with_hint(hint) }
}
