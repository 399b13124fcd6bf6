//! The audit log: one line for every request, wherever it came from and whatever came of it. docs/operate.md tells operators how
//! to read it. A request that changed something also left an event in the cluster's own log, in the same transaction as the change.

use jiff::Timestamp;
use wire::problem::Problem;

/// Who asked for what, and from where.
pub struct Asked<'a> {
    /// `tenant:<subject of the token>`, `queue:<sender>`, or `anonymous` without a token.
    pub actor: &'a str,
    /// None if the request names no valid tenant.
    pub tenant: Option<&'a str>,
    /// The route, or `job create`, `job delete`, `job retry`; `job` if the message cannot be read.
    pub request: &'a str,
    /// The name of the cluster that it is about.
    pub cluster: Option<&'a str>,
    /// The source address, or the queue's sender.
    pub from: &'a str,
}

impl Asked<'_> {
    /// Writes the line. `outcome` is the HTTP status of a success, or the problem.
    pub fn log(&self, outcome: Result<u16, &Problem>) {
        let Self { actor, tenant, request, cluster, from } = self;
        let (status, code) = outcome.map_or_else(|problem| (problem.status, Some(problem.code.name())), |status| (status, None));
        tracing::info!(at = %Timestamp::now(), actor, tenant, request, cluster, from, status, code, "audit");
    }
}
