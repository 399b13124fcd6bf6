use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::kubernetes;
use crate::output::table;
use clap::Args;
use furniture::{Applied, Done, Facts, Object, Server};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use wire::key::{Key, Role};
use wire::spec::{Mode, Spec};
use wire::status::Status;
use wire::view::{Cluster, ResourceState};

/// Put into a cluster what every cluster has.
///
/// A default storage class, the namespace research with its service account, quota and defaults, and the autoscaler, which brings a node for
/// a pod that waits; a self-managed cluster gets all but that. It uses your own kubeconfig, so it works wherever you reach the cluster as its
/// administrator. What is there already and not Groundwork's is named and left as it is. It can be run again at any time.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork furnish research
  groundwork furnish research --kubeconfig ./kubeconfig --context gpu

Look at it first, or apply it by another way:
  groundwork furnish research --print > objects.yaml
  kubectl apply --server-side --filename objects.yaml")]
pub struct Furnish {
    /// The cluster's name; by default the one that groundwork use chose.
    name: Option<String>,
    /// The kubeconfig; by default KUBECONFIG, or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// A context of it; by default one that leads to the cluster.
    #[arg(long)]
    context: Option<String>,
    /// Print the objects for kubectl and reach no cluster.
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"])]
    print: bool,
}

/// An object with what was done about it.
#[derive(Serialize)]
struct Line {
    object: String,
    #[serde(flatten)]
    done: Done,
}

impl Furnish {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let cluster = cx.api()?.cluster(&cx.cluster(self.name.as_ref())?)?;
        let spec = spec(&cluster)?;
        let facts = facts(&cluster, spec)?;
        if self.print {
            let server = Server::of_version(spec.kubernetes().version.as_deref());
            return cx.output().print(&list(furniture::objects(&facts, &server)), documents);
        }
        let lines: Vec<Line> = self.apply(&cluster, &facts)?.into_iter().map(line).collect();
        cx.output().print(&lines, |lines| told(lines, &cluster))?;
        refused(&lines, &cluster).map_or(Ok(()), Err)
    }

    fn apply(&self, cluster: &Cluster, facts: &Facts) -> Result<Vec<Applied>> {
        let kubeconfig = kubernetes::kubeconfig(self.kubeconfig.as_deref())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::new(Exit::Failed, "The network cannot be used.").because(error))?;
        runtime.block_on(async {
            let client = kubernetes::client(kubeconfig, self.context.as_deref(), cluster).await?;
            furniture::apply(&client, facts).await.map_err(|error| kubernetes::failure(&error, cluster))
        })
    }
}

fn spec(cluster: &Cluster) -> Result<&Spec> {
    cluster.spec.read().map_err(|why| {
        Failure::new(Exit::Failed, "This version of groundwork does not understand what the cluster is.")
            .because(why)
            .next("Compare the versions with groundwork doctor, and update the older one.")
    })
}

fn facts(cluster: &Cluster, spec: &Spec) -> Result<Facts> {
    let (name, status) = (&cluster.summary.name, cluster.summary.status.name());
    let none =
        || Failure::new(Exit::Refused, format!("{name} has no endpoint yet; it is {status}.")).next(format!("groundwork watch {name}"));
    let (Some(eks_name), Some(_)) = (&cluster.outputs.cluster_name, &cluster.outputs.endpoint) else { return Err(none()) };
    let facts = Facts::of(&cluster.summary.id, eks_name, spec);
    if facts.autoscales && !has_role(cluster) {
        return Err(without_role(cluster));
    }
    Ok(facts)
}

/// EKS gives a pod its credentials as it admits it, so an autoscaler that is there before its role never gets any.
fn has_role(cluster: &Cluster) -> bool {
    let key = Key::PodIdentity(Role::Autoscaler);
    cluster.resources.iter().any(|one| one.key == key && one.state == ResourceState::Ready)
}

fn without_role(cluster: &Cluster) -> Failure {
    let (name, status) = (&cluster.summary.name, cluster.summary.status);
    let next = match status {
        Status::Running => "An older version made it, and gives no role later: delete the cluster and create it anew.".into(),
        Status::Failed => format!("groundwork retry {name}"),
        _ => format!("groundwork watch {name}"),
    };
    Failure::new(Exit::Refused, format!("{name} has no role for the autoscaler; it is {}.", status.name())).next(next)
}

fn list(objects: Vec<Object>) -> Value {
    let items: Vec<&Value> = objects.iter().map(Object::wanted).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// A YAML document each, as people read them.
fn documents(list: &Value) -> String {
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|item| serde_saphyr::to_string(item).ok()).map(|text| format!("---\n{text}")).collect()
}

fn line(Applied { object, done }: Applied) -> Line {
    Line { object: object.to_string(), done }
}

fn told(lines: &[Line], cluster: &Cluster) -> String {
    let rows = lines.iter().map(|line| vec![line.object.clone(), in_words(&line.done)]).collect();
    let name = &cluster.summary.name;
    let starts = lines.iter().any(|line| line.object.starts_with("Deployment") && line.done != Done::Kept);
    let next =
        if starts { format!("\nNext: groundwork furnish {name} tells whether the autoscaler runs by now.\n") } else { String::new() };
    let left_out = match cluster.summary.mode {
        Some(Mode::SelfManaged) => "\nThe autoscaler is left out: nobody made a role for it in your cluster.\n",
        _ => "",
    };
    table(&["object", "what was done"], rows) + left_out + &next
}

fn in_words(done: &Done) -> String {
    match done {
        Done::Made => "made".into(),
        Done::Changed { fields } => format!("changed: {}", fields.join(", ")),
        Done::Replaced { fields } => format!("made anew: {}", fields.join(", ")),
        Done::Kept => "as it should be".into(),
        Done::Starting => "starts".into(),
        Done::Sick { reason } => format!("does not work: {reason}"),
        Done::LeftOut { whose } => format!("left out: {whose}"),
        Done::Refused(error) => format!("refused: {}", error.reason),
    }
}

/// Whose hint comes first is told; the next run tells the next one.
fn refused(lines: &[Line], cluster: &Cluster) -> Option<Failure> {
    let errors: Vec<_> = lines.iter().filter_map(|line| if let Done::Refused(error) = &line.done { Some(error) } else { None }).collect();
    let first = kubernetes::failure(errors.first()?, cluster);
    let what = format!("{} of {} objects were refused.", errors.len(), lines.len());
    Some(Failure { what, why: errors.iter().map(|error| error.reason.clone()).collect(), ..first })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::{answer, cluster, read};
    use furniture::{Cause, Error};

    fn of(mut changed: Value) -> Cluster {
        let mut answer = answer();
        let fields = changed.as_object_mut().expect("fields");
        fields.iter().for_each(|(name, value)| answer[name.as_str()] = value.clone());
        read(answer)
    }

    /// With its autoscaler's role.
    fn furnishable() -> Cluster {
        let role = json!({"key": "pod-identity/autoscaler", "stage": "furnish", "needs": [], "usual_seconds": 3, "state": "ready"});
        of(json!({"resources": [role]}))
    }

    #[test]
    fn without_a_role_no_autoscaler_is_started_that_would_never_get_one() {
        for (status, next) in [
            ("provisioning", "groundwork watch research"),
            ("failed", "groundwork retry research"),
            ("running", "An older version made it, and gives no role later: delete the cluster and create it anew."),
        ] {
            let cluster = of(json!({"status": status}));
            let failure = facts(&cluster, spec(&cluster).expect("understood")).expect_err("no role");
            assert_eq!((failure.exit, failure.next.as_deref()), (Exit::Refused, Some(next)));
            assert_eq!(failure.what, format!("research has no role for the autoscaler; it is {status}."));
        }
    }

    #[test]
    fn the_facts_are_those_of_the_answer() {
        let cluster = furnishable();
        let facts = facts(&cluster, spec(&cluster).expect("understood")).expect("ready");
        let expected = Facts {
            cluster: "abcdefghijkl".into(),
            eks_name: "research-abcdefghijkl".into(),
            region: "us-west-2".into(),
            scale_down_after_minutes: 10,
            autoscales: true,
        };
        assert_eq!(facts, expected);
    }

    #[test]
    fn a_cluster_without_an_endpoint_is_to_be_watched() {
        let cluster = of(json!({"status": "provisioning", "outputs": {"buckets": {}, "node_groups": {}}}));
        let failure = facts(&cluster, spec(&cluster).expect("understood")).expect_err("not ready");
        assert_eq!(
            (failure.what.as_str(), failure.next.as_deref()),
            ("research has no endpoint yet; it is provisioning.", Some("groundwork watch research"))
        );
    }

    #[test]
    fn what_is_printed_is_one_document_for_each_object() {
        let cluster = furnishable();
        let facts = facts(&cluster, spec(&cluster).expect("understood")).expect("ready");
        let objects = furniture::objects(&facts, &Server::of_version(Some("1.34")));
        let printed = documents(&list(objects.clone()));
        let read: Vec<Value> = serde_saphyr::from_multiple(&printed).expect("YAML");
        assert_eq!(read, objects.iter().map(|object| object.wanted().clone()).collect::<Vec<_>>());
        assert!(printed.contains("cluster-autoscaler:v1.34."), "{printed}");
    }

    #[test]
    fn all_that_was_done_is_told_and_what_was_refused_fails_at_the_end() {
        let error = Error { cause: Cause::Forbidden, reason: "No.".into(), hint: "Ask.".into() };
        let line = |object: &str, done| Line { object: object.into(), done };
        let lines = [
            line("StorageClass gp3", Done::LeftOut { whose: "It is another's.".into() }),
            line("Namespace research", Done::Changed { fields: vec!["metadata.labels.a".into()] }),
            line("ClusterRole cluster-autoscaler", Done::Refused(error)),
            line("Deployment kube-system/cluster-autoscaler", Done::Made),
        ];
        let text = told(&lines, &cluster());
        for words in ["left out: It is another's.", "changed: metadata.labels.a", "refused: No.", "Next: groundwork furnish research"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let failure = refused(&lines, &cluster()).expect("a failure");
        assert_eq!(
            (failure.what.as_str(), failure.exit, failure.next.as_deref()),
            ("1 of 4 objects were refused.", Exit::Login, Some("Ask."))
        );
        assert_eq!(json!(lines[1]), json!({"object": "Namespace research", "done": "changed", "fields": ["metadata.labels.a"]}));
        assert_eq!(json!(lines[2])["reason"], "No.");
        assert!(!told(&[line("Deployment a", Done::Kept)], &cluster()).contains("Next:"));
    }
}
