//! The audit log: one line for every request, by whatever way it came and whatever became of it. The README tells operators how to
//! read it. A request that changed something has left an event in the cluster's own log besides, in the same transaction as the change.

use jiff::Timestamp;
use wire::problem::Problem;

/// Who asked for what, and from where.
pub struct Asked<'a> {
    /// `tenant:<subject of the token>`, `queue:<sender>`.
    pub actor: &'a str,
    /// None if the request names none that could be.
    pub tenant: Option<&'a str>,
    /// The route, or `job create`, `job delete`, `job retry`; `job` if that much cannot be read.
    pub request: &'a str,
    /// The name of the cluster that it is about.
    pub cluster: Option<&'a str>,
    /// The source address, or the queue's sender.
    pub from: &'a str,
}

impl Asked<'_> {
    /// Writes the line. `outcome` is the HTTP status of what went well, or the problem.
    pub fn log(&self, outcome: Result<u16, &Problem>) {
        let Self { actor, tenant, request, cluster, from } = self;
        let (status, code) = outcome.map_or_else(|problem| (problem.status, Some(problem.code.name())), |status| (status, None));
        tracing::info!(at = %Timestamp::now(), actor, tenant, request, cluster, from, status, code, "audit");
    }
}
