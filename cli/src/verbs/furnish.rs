use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::kubernetes;
use crate::output::table;
use clap::Args;
use furniture::{Applied, Done, Facts, Object, Scales, Server};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use wire::spec::{Mode, Spec};
use wire::status::Status;
use wire::view::Cluster;

/// Put into a cluster what every cluster has.
///
/// A default storage class, the namespace research with its service account, quota and defaults, and the autoscaler, which brings a node for
/// a pod that waits. It uses your own kubeconfig, so it works wherever you reach the cluster as its administrator. What is there already and not
/// Groundwork's is named and left as it is, and so is what pods would need of AWS and do not get. It can be run again at any time.
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
        unfinished(&lines, &cluster).map_or(Ok(()), Err)
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
    Ok(Facts::of(&cluster.summary.id, eks_name, spec, scales(cluster, spec)))
}

/// A cluster of the customer's has groups that are none of ours.
fn scales(cluster: &Cluster, spec: &Spec) -> Scales {
    match spec.mode() {
        Mode::Managed => Scales::All,
        Mode::SelfManaged => Scales::Only(cluster.outputs.node_groups.values().cloned().collect()),
    }
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
    let is_new = lines.iter().any(|line| !matches!(line.done, Done::Kept | Done::LeftOut { .. } | Done::OfAnother { .. }));
    let next = if is_new { format!("\nNext: groundwork furnish {name} tells whether all of it works.\n") } else { String::new() };
    table(&["object", "what was done"], rows) + &next
}

fn in_words(done: &Done) -> String {
    match done {
        Done::Made => "made".into(),
        Done::Changed { fields } => format!("changed: {}", fields.join(", ")),
        Done::Replaced { fields } => format!("made anew: {}", fields.join(", ")),
        Done::Kept => "as it should be".into(),
        Done::Starting => "starts".into(),
        Done::Restarted => "started anew: its pod was there before its role".into(),
        Done::Sick { reason } => format!("does not work: {reason}"),
        Done::LeftOut { whose } => format!("left out: {whose}"),
        Done::OfAnother { cluster } => {
            format!("left out: it is of the cluster with the id {cluster}; if that is deleted, delete this, too, and run it again.")
        }
        Done::WithoutRole => format!("left out: {WITHOUT_ROLE}"),
        Done::Refused(error) => format!("refused: {}", error.reason),
    }
}

const WITHOUT_ROLE: &str = "its service account has no role in AWS, so it could do nothing.";

fn unfinished(lines: &[Line], cluster: &Cluster) -> Option<Failure> {
    refused(lines, cluster).or_else(|| missing(lines, cluster))
}

/// Whose hint comes first is told; the next run tells the next one.
fn refused(lines: &[Line], cluster: &Cluster) -> Option<Failure> {
    let errors: Vec<_> = lines.iter().filter_map(|line| if let Done::Refused(error) = &line.done { Some(error) } else { None }).collect();
    let first = kubernetes::failure(errors.first()?, cluster);
    let what = format!("{} of {} objects were refused.", errors.len(), lines.len());
    Some(Failure { what, why: errors.iter().map(|error| error.reason.clone()).collect(), ..first })
}

/// What does not work, mostly for want of something in AWS: whose account it is has to bring that.
fn missing(lines: &[Line], cluster: &Cluster) -> Option<Failure> {
    let is_missing = |line: &&Line| matches!(line.done, Done::Sick { .. } | Done::WithoutRole | Done::OfAnother { .. });
    let missing: Vec<String> = lines.iter().filter(is_missing).map(|line| format!("{}: {}", line.object, in_words(&line.done))).collect();
    let lacks_a_role = lines.iter().any(|line| line.done == Done::WithoutRole);
    let is_of_another = |line: &Line| matches!(line.done, Done::OfAnother { .. });
    let name = &cluster.summary.name;
    let next = match (cluster.summary.mode, cluster.summary.status) {
        _ if lines.iter().filter(is_missing).all(is_of_another) => {
            format!(
                "Take away what is left of it, as docs/clusters.md says under Self-managed, and run it again: groundwork furnish {name}"
            )
        }
        (Some(Mode::SelfManaged), _) => {
            "Bring what is missing, as examples/self-managed does with Terraform: roles, their associations, add-ons, a node that stays."
                .into()
        }
        (_, Status::Running) if !lacks_a_role => format!("Mend what keeps them from it, and run it again: groundwork furnish {name}"),
        (_, Status::Running | Status::Failed) => format!("groundwork retry {name}"),
        _ => format!("groundwork watch {name}"),
    };
    let what = format!("{} of {} objects do not work.", missing.len(), lines.len());
    (!missing.is_empty()).then(|| Failure { why: missing, ..Failure::new(Exit::Failed, what).next(next) })
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

    fn line(object: &str, done: Done) -> Line {
        Line { object: object.into(), done }
    }

    #[test]
    fn what_does_not_work_fails_with_who_brings_what_it_needs() {
        let lines = [
            line("StorageClass gp3", Done::Kept),
            line("ServiceAccount research/run", Done::Sick { reason: "It has no role in AWS.".into() }),
            line("Deployment kube-system/cluster-autoscaler", Done::WithoutRole),
        ];
        for (some, changed, what, next) in [
            (3, json!({"mode": "self_managed"}), "2 of 3", "Bring what is missing, as examples/self-managed does with Terraform"),
            (3, json!({"status": "provisioning"}), "2 of 3", "groundwork watch research"),
            (3, json!({"status": "running"}), "2 of 3", "groundwork retry research"),
            (2, json!({"status": "running"}), "1 of 2", "Mend what keeps them from it"),
        ] {
            let failure = unfinished(&lines[..some], &of(changed)).expect("something is missing");
            assert_eq!((failure.exit, failure.what), (Exit::Failed, format!("{what} objects do not work.")));
            assert!(failure.next.as_deref().is_some_and(|told| told.starts_with(next)), "{:?}", failure.next);
        }
        assert!(unfinished(&lines[..1], &cluster()).is_none());
        let left = [line("StorageClass gp3", Done::OfAnother { cluster: "zyxwvutsrqpo".into() })];
        let failure = unfinished(&left, &cluster()).expect("nothing makes disks for this cluster");
        assert!(failure.why[0].contains("the id zyxwvutsrqpo"), "{:?}", failure.why);
        assert!(failure.next.as_deref().is_some_and(|told| told.starts_with("Take away what is left of it")), "{:?}", failure.next);
    }

    #[test]
    fn of_a_customer_s_own_cluster_only_our_node_groups_are_scaled() {
        let outputs = json!({
            "cluster_name": "theirs", "endpoint": "https://eks.example", "certificate_authority": "Q0E=", "buckets": {},
            "node_groups": {"m6i.large": "groundwork-abcdefghijkl-m6i-large"}, "connect": null
        });
        let cluster = of(json!({"outputs": outputs, "spec": {
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "self_managed",
            "eks_cluster_name": "theirs", "buckets": ["theirs"], "instance_types": [{"name": "m6i.large"}],
            "node_role_arn": "arn:aws:iam::222222222222:role/nodes"
        }}));
        let facts = facts(&cluster, spec(&cluster).expect("understood")).expect("ready");
        assert_eq!((facts.eks_name.as_str(), facts.scales), ("theirs", Scales::Only(vec!["groundwork-abcdefghijkl-m6i-large".into()])));
    }

    #[test]
    fn the_facts_are_those_of_the_answer() {
        let cluster = cluster();
        let facts = facts(&cluster, spec(&cluster).expect("understood")).expect("ready");
        let expected = Facts {
            cluster: "abcdefghijkl".into(),
            eks_name: "research-abcdefghijkl".into(),
            region: "us-west-2".into(),
            scale_down_after_minutes: 10,
            scales: Scales::All,
            mounts: vec![],
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
        let cluster = cluster();
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
