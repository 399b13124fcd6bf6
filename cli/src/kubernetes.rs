//! The way to a cluster's API server with the user's own credentials: which context of the kubeconfig leads there.

use crate::failure::{Exit, Failure, Result};
use furniture::{Cause, Error};
use kube::config::{Cluster, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::path::Path;
use url::Url;
use wire::view;

/// The file, or without one `KUBECONFIG` or `~/.kube/config`.
pub fn kubeconfig(file: Option<&Path>) -> Result<Kubeconfig> {
    file.map_or_else(Kubeconfig::read, Kubeconfig::read_from).map_err(|error| {
        let failure = Failure::new(Exit::Failed, "The kubeconfig cannot be read.");
        match error {
            KubeconfigError::ReadConfig(error, path) => failure.because(format!("{}: {error}", path.display())),
            // The parser shows lines of the file, which may hold credentials.
            KubeconfigError::Parse(_) => failure.because("It is not valid YAML, or no kubeconfig."),
            other => failure.because(other),
        }
        .next("Name another with --kubeconfig, or write one with groundwork kubeconfig.")
    })
}

/// A client for the cluster, by the context that is named, or else by one that leads there.
pub async fn client(kubeconfig: Kubeconfig, named: Option<&str>, cluster: &view::Cluster) -> Result<Client> {
    let context = context(&kubeconfig, named, cluster)?;
    let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let unusable = |error: KubeconfigError| {
        Failure::new(Exit::Failed, format!("The context {context} cannot be used.")).because(error).next(write_one(cluster))
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(unusable)?;
    furniture::connect(config).map_err(|error| failure(&error, cluster))
}

/// Of several that lead there, the current one.
fn context(kubeconfig: &Kubeconfig, named: Option<&str>, cluster: &view::Cluster) -> Result<String> {
    let leading = |name: &&str| server(kubeconfig, name).is_some_and(|server| is(server, cluster));
    let all = kubeconfig.contexts.iter().map(|context| context.name.as_str());
    if let Some(name) = named {
        return Some(name).filter(leading).map(str::to_owned).ok_or_else(|| elsewhere(kubeconfig, name, cluster));
    }
    let current = kubeconfig.current_context.as_deref();
    let found = current.into_iter().chain(all).find(leading).map(str::to_owned);
    found.ok_or_else(|| {
        let endpoint = cluster.outputs.endpoint.as_deref().unwrap_or_default();
        Failure::new(Exit::Failed, format!("No context of the kubeconfig leads to {}.", cluster.summary.name))
            .because(format!("Its endpoint is {endpoint}."))
            .next(write_one(cluster))
    })
}

fn elsewhere(kubeconfig: &Kubeconfig, name: &str, cluster: &view::Cluster) -> Failure {
    let target = server(kubeconfig, name).and_then(|server| server.server.as_deref());
    let endpoint = cluster.outputs.endpoint.as_deref().unwrap_or_default();
    match target {
        Some(target) => Failure::new(Exit::Usage, format!("The context {name} does not lead to {}.", cluster.summary.name))
            .because(format!("It leads to {target}, and the cluster's endpoint is {endpoint}."))
            .next(format!("Leave --context out, or: {}", write_one(cluster))),
        None => Failure::new(Exit::Usage, format!("The kubeconfig has no context {name}.")).next(write_one(cluster)),
    }
}

fn write_one(cluster: &view::Cluster) -> String {
    format!("groundwork kubeconfig {}", cluster.summary.name)
}

fn server<'a>(kubeconfig: &'a Kubeconfig, context: &str) -> Option<&'a Cluster> {
    let named = kubeconfig.contexts.iter().find(|found| found.name == context)?.context.as_ref()?;
    kubeconfig.clusters.iter().find(|found| found.name == named.cluster)?.cluster.as_ref()
}

/// By its endpoint; or by its certificate authority, which no other cluster has, so that a tunnel may lead there.
fn is(server: &Cluster, cluster: &view::Cluster) -> bool {
    let address = |text: &Option<String>| Url::parse(text.as_deref()?).ok();
    let is_there = address(&server.server).is_some_and(|there| address(&cluster.outputs.endpoint) == Some(there));
    let authority = server.certificate_authority_data.as_ref().filter(|_| server.insecure_skip_tls_verify != Some(true));
    is_there || authority.is_some_and(|authority| cluster.outputs.certificate_authority.as_ref() == Some(authority))
}

/// What the API server, or the way there, refused.
pub fn failure(error: &Error, cluster: &view::Cluster) -> Failure {
    let next = match error.cause {
        Cause::Unreachable => whence(cluster),
        _ => error.hint.clone(),
    };
    Failure::new(exit(error.cause), format!("{} cannot be furnished.", cluster.summary.name)).because(&error.reason).next(next)
}

fn exit(cause: Cause) -> Exit {
    match cause {
        Cause::Credentials | Cause::Unauthenticated | Cause::Forbidden => Exit::Login,
        Cause::Unreachable | Cause::Tls | Cause::Busy | Cause::Strange => Exit::Unreachable,
        Cause::Refused | Cause::Conflict | Cause::Missing | Cause::Invalid => Exit::Refused,
    }
}

/// From where the endpoint can be reached.
fn whence(cluster: &view::Cluster) -> String {
    let again = format!("groundwork furnish {}", cluster.summary.name);
    match cluster.endpoint_access.cidrs.as_deref() {
        None => format!("If its endpoint is private, run this from a machine in its network or a VPN to it: {again}"),
        Some([]) => format!("Its endpoint is private. Run this from a machine in its VPC, or a VPN to it: {again}"),
        Some(ranges) => format!("Its endpoint lets in {}: run this from there: {again}", ranges.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::cluster;
    use serde_json::json;

    fn of(servers: &[(&str, &str, &str)], current: &str) -> Kubeconfig {
        let clusters: Vec<_> = servers
            .iter()
            .map(|(name, server, ca)| json!({"name": name, "cluster": {"server": server, "certificate-authority-data": ca}}))
            .collect();
        let contexts: Vec<_> = servers.iter().map(|(name, ..)| json!({"name": name, "context": {"cluster": name, "user": "me"}})).collect();
        let config = json!({"apiVersion": "v1", "kind": "Config", "clusters": clusters, "contexts": contexts, "current-context": current});
        Kubeconfig::from_yaml(&config.to_string()).expect("a kubeconfig")
    }

    #[test]
    fn only_a_context_that_leads_to_the_cluster_is_taken() {
        let there = "https://eks.example";
        for (reason, servers, current, named, expected) in [
            ("the only one", &[("prod", "https://prod", "X"), ("a", there, "Q0E=")][..], "prod", None, Ok("a")),
            ("the current one of two", &[("a", there, "Q0E="), ("b", "https://EKS.example:443/", "Q0E=")], "b", None, Ok("b")),
            ("a tunnel with its authority", &[("t", "https://localhost:8443", "Q0E=")], "t", None, Ok("t")),
            ("none", &[("prod", "https://prod", "X")], "prod", None, Err("No context of the kubeconfig leads to research.")),
            ("the named one", &[("a", there, "Q0E="), ("b", there, "Q0E=")], "a", Some("b"), Ok("b")),
            (
                "the named one leads away",
                &[("prod", "https://prod", "X")],
                "prod",
                Some("prod"),
                Err("The context prod does not lead to research."),
            ),
            ("there is none", &[], "", Some("x"), Err("The kubeconfig has no context x.")),
        ] {
            let found = context(&of(servers, current), named, &cluster()).map_err(|failure| failure.what);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{reason}");
        }
    }

    #[test]
    fn a_context_that_leads_away_is_refused_with_where_it_leads() {
        let failure = context(&of(&[("prod", "https://prod", "X")], "prod"), Some("prod"), &cluster()).expect_err("refused");
        assert_eq!(failure.why, ["It leads to https://prod, and the cluster's endpoint is https://eks.example."]);
        assert_eq!(failure.next.as_deref(), Some("Leave --context out, or: groundwork kubeconfig research"));
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_says_from_where_it_can() {
        let error = Error { cause: Cause::Unreachable, reason: "No.".into(), hint: "Somewhere.".into() };
        for (ranges, told) in [
            (Some(vec!["203.0.113.9/32".to_owned()]), "lets in 203.0.113.9/32"),
            (Some(vec![]), "is private. Run this from a machine in its VPC"),
            (None, "If its endpoint is private"),
        ] {
            let mut cluster = cluster();
            cluster.endpoint_access.cidrs = ranges;
            let failure = failure(&error, &cluster);
            assert!(
                failure.next.clone().is_some_and(|next| next.contains(told) && next.ends_with("groundwork furnish research")),
                "{failure:?}"
            );
            assert_eq!(failure.exit, Exit::Unreachable);
        }
    }

    #[test]
    fn a_broken_kubeconfig_is_not_shown() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "users:\n- name: me\n  user: {token: secret}\n  : [").expect("written");
        let failure = kubeconfig(Some(file.path())).expect_err("broken");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
    }
}
