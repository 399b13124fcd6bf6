//! Looks at every resource that a cluster should have, and judges it. It creates, mends and removes nothing and keeps no journal: what
//! a dry run or a report of drift needs.

use crate::context::Context;
use crate::errors::Result;
use crate::plan;
use crate::resource::{Resource, Seen};
use crate::resources;
use futures::future::try_join_all;
use wire::key::Key;

/// What is seen of each resource that the spec wants; none of what is not there.
///
/// # Errors
/// Any look that fails fails the whole: half a survey says nothing about the rest.
pub async fn survey(cx: &Context) -> Result<Vec<(Key, Option<Seen>)>> {
    let wanted = plan::wanted(&cx.cluster).into_iter().filter_map(|key| resources::of(&key, &cx.cluster));
    try_join_all(wanted.map(async |resource| Ok((resource.key(), look(&resource, cx).await?)))).await
}

async fn look(resource: &Resource, cx: &Context) -> Result<Option<Seen>> {
    match resource {
        Resource::Made(made) => Ok(made.find(cx).await?.map(|found| found.judge(&cx.cluster))),
        Resource::LookedAt(looked_at) => looked_at.look(cx).await.map(|(seen, _)| Some(seen)),
        // Nobody planned it, so there is nothing that it should be.
        Resource::Removed(_) => Ok(Some(Seen::Ready)),
    }
}
