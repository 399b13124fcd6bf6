use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::files;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use wire::view::{Cluster, Connect};

/// Add a cluster to your kubeconfig, for kubectl.
///
/// It becomes the current context; everything else in the file stays. No credentials are written: kubectl asks the AWS CLI for them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork kubeconfig research
  kubectl get nodes

  groundwork kubeconfig research --context gpu --file ./kubeconfig

kubectl runs aws eks get-token, so the AWS CLI must be signed in as somebody whom \
the cluster lets in: access.administrators, or whoever has an access entry.")]
pub struct Kubeconfig {
    /// The cluster's name; by default the one that groundwork use chose.
    name: Option<String>,
    /// What to call the context; by default the cluster's name.
    #[arg(long)]
    context: Option<String>,
    /// The file; by default the first of KUBECONFIG, or ~/.kube/config.
    #[arg(long)]
    file: Option<PathBuf>,
}

impl Kubeconfig {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let cluster = cx.api()?.cluster(&cx.cluster(self.name.as_ref())?)?;
        let context = self.context.clone().unwrap_or(cluster.summary.name.clone());
        let path = self.path()?;
        let before = files::read(&path)?.filter(|text| !text.trim().is_empty());
        let before = before.map(|text| serde_saphyr::from_str::<Value>(&text)).transpose();
        let broken = |why: String| {
            Failure::new(Exit::Failed, format!("{} is no kubeconfig.", path.display()))
                .because(why)
                .next("Mend it, or name another: --file")
        };
        let mut config = before
            .map_err(|error| broken(error.to_string()))?
            .unwrap_or_else(|| json!({"apiVersion": "v1", "kind": "Config", "preferences": {}}));
        merge(&mut config, &context, &cluster).map_err(|refused| match refused {
            Refused::NotReady => not_ready(&cluster),
            Refused::Broken(why) => broken(why),
            Refused::Taken => Failure::new(Exit::Failed, format!("The context {context} in {} is of another cluster.", path.display()))
                .next(format!("Choose another name: groundwork kubeconfig {} --context …", cluster.summary.name)),
        })?;
        let text = serde_saphyr::to_string(&config)
            .map_err(|error| Failure::new(Exit::Failed, "The kubeconfig cannot be written.").because(error))?;
        files::write(&path, &text)?;
        cx.output().print(&json!({"file": path, "context": context}), |_| {
            format!("{} has the context {context} now, and it is the current one.\nNext: kubectl get nodes", path.display())
        })
    }

    fn path(&self) -> Result<PathBuf> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let named =
            std::env::var_os("KUBECONFIG").and_then(|paths| std::env::split_paths(&paths).find(|path| !path.as_os_str().is_empty()));
        let home = || etcetera::home_dir().ok().map(|home| home.join(".kube/config"));
        named.or_else(home).ok_or_else(|| Failure::new(Exit::Failed, "There is no home directory.").next("Name a file: --file"))
    }
}

fn not_ready(cluster: &Cluster) -> Failure {
    let (name, status) = (&cluster.summary.name, cluster.summary.status.name());
    Failure::new(Exit::Refused, format!("The cluster {name} has no endpoint yet; it is {status}.")).next(format!("groundwork watch {name}"))
}

#[derive(Debug, PartialEq)]
enum Refused {
    NotReady,
    /// The file is not what it should be.
    Broken(String),
    /// The context's name is another cluster's.
    Taken,
}

/// Puts the cluster, how to get into it, and a context for both into a kubeconfig, and leaves everything else as it is.
fn merge(config: &mut Value, context: &str, cluster: &Cluster) -> std::result::Result<(), Refused> {
    let region = cluster.summary.region.as_deref().ok_or(Refused::NotReady)?;
    let Connect { kubeconfig, .. } = Connect::of(context, region, &cluster.outputs).ok_or(Refused::NotReady)?;
    let ours = format!("groundwork/{}/{}", cluster.summary.name, cluster.summary.id);
    let theirs = entry(config, "contexts", context)?.map(|found| found["context"]["cluster"].clone());
    if theirs
        .is_some_and(|theirs| !theirs.as_str().is_some_and(|theirs| theirs.starts_with(&format!("groundwork/{}/", cluster.summary.name))))
    {
        return Err(Refused::Taken);
    }
    put(config, "clusters", &ours, "cluster", kubeconfig["clusters"][0]["cluster"].clone())?;
    put(config, "users", &ours, "user", kubeconfig["users"][0]["user"].clone())?;
    put(config, "contexts", context, "context", json!({"cluster": ours, "user": ours}))?;
    config["current-context"] = json!(context);
    Ok(())
}

/// The entry of a list with a name.
fn entry<'a>(config: &'a mut Value, list: &str, name: &str) -> std::result::Result<Option<&'a mut Value>, Refused> {
    let fields = config.as_object_mut().ok_or_else(|| Refused::Broken("It is not a mapping.".into()))?;
    let entries = fields.entry(list).or_insert(json!([]));
    if entries.is_null() {
        *entries = json!([]);
    }
    let entries = entries.as_array_mut().ok_or_else(|| Refused::Broken(format!("{list} is not a list.")))?;
    Ok(entries.iter_mut().find(|entry| entry["name"] == name))
}

fn put(config: &mut Value, list: &str, name: &str, field: &str, value: Value) -> std::result::Result<(), Refused> {
    match entry(config, list, name)? {
        Some(found) => found[field] = value,
        None => config[list].as_array_mut().into_iter().for_each(|entries| entries.push(json!({"name": name, field: value}))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::cluster;

    #[test]
    fn what_others_wrote_stays_and_ours_is_written_once() {
        let other = json!({"name": "prod", "context": {"cluster": "prod", "user": "me", "namespace": "a"}});
        let mut config = json!({"apiVersion": "v1", "contexts": [other], "users": null, "current-context": "prod", "extensions": [1]});
        for _ in 0..2 {
            merge(&mut config, "research", &cluster()).expect("merged");
        }
        assert_eq!((config["contexts"].as_array().map(Vec::len), config["clusters"].as_array().map(Vec::len)), (Some(2), Some(1)));
        assert_eq!((&config["contexts"][0], &config["extensions"]), (&other, &json!([1])));
        assert_eq!(config["current-context"], "research");
        let args = &config["users"][0]["user"]["exec"]["args"];
        assert_eq!(
            args,
            &json!(["--region", "us-west-2", "eks", "get-token", "--cluster-name", "research-abcdefghijkl", "--output", "json"])
        );
    }

    #[test]
    fn a_context_of_another_cluster_is_not_taken() {
        let mut config = json!({"contexts": [{"name": "research", "context": {"cluster": "prod", "user": "me"}}]});
        assert_eq!(merge(&mut config, "research", &cluster()), Err(Refused::Taken));
        merge(&mut config, "gpu", &cluster()).expect("another name");
        let mut unready = cluster();
        unready.outputs.endpoint = None;
        assert_eq!(merge(&mut config, "gpu", &unready), Err(Refused::NotReady));
        assert!(matches!(merge(&mut json!({"contexts": 1}), "gpu", &cluster()), Err(Refused::Broken(_))));
    }
}
