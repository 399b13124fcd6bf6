//! The objects, and what becomes of them on a server in memory.

use crate::memory::{Fault, Memory};
use crate::{Applied, Cause, Done, Error, Facts, Scales, Server, State, apply, look, objects};
use http::Method;
use serde_json::{Value, json};

const CLASS: &str = "/apis/storage.k8s.io/v1/storageclasses/gp3";
const NAMESPACE: &str = "/api/v1/namespaces/research";
const ACCOUNT: &str = "/api/v1/namespaces/research/serviceaccounts/run";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/kube-system/deployments/cluster-autoscaler";
const POD: &str = "/api/v1/namespaces/kube-system/pods/cluster-autoscaler-1";
const BINDING: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/cluster-autoscaler";

fn facts() -> Facts {
    Facts {
        cluster: "abcdefghijkl".into(),
        eks_name: "groundwork-research-abcdefghijkl".into(),
        region: "us-west-2".into(),
        scale_down_after_minutes: 10,
        scales: Scales::All,
        mounts: vec![],
    }
}

fn server() -> Server {
    Server { minor: 35, has_default_class: false }
}

fn wanted(facts: &Facts, server: &Server, name: &str) -> Value {
    let found = objects(facts, server).into_iter().find(|object| object.to_string() == name);
    found.unwrap_or_else(|| panic!("there is no {name}")).wanted().clone()
}

/// A furnished cluster whose autoscaler runs.
async fn furnished() -> Memory {
    let memory = Memory::default();
    apply(&memory.client(), &facts()).await.expect("applied");
    memory.change(DEPLOYMENT, |deployment| {
        deployment["status"] = json!({"observedGeneration": 1, "conditions": [{"type": "Available", "status": "True"}]});
    });
    memory.changes();
    memory
}

async fn states(memory: &Memory) -> Vec<(String, State)> {
    let seen = look(&memory.client(), &facts()).await.expect("looked");
    seen.into_iter().map(|seen| (seen.object.to_string(), seen.state)).filter(|(_, state)| *state != State::Ready).collect()
}

async fn done(memory: &Memory) -> Vec<(String, Done)> {
    let applied = apply(&memory.client(), &facts()).await.expect("applied");
    applied.into_iter().map(|Applied { object, done }| (object.to_string(), done)).filter(|(_, done)| *done != Done::Kept).collect()
}

fn fault(method: Method, path: &str, code: u16, message: &str) -> Fault {
    Fault { method, path: path.into(), code, message: message.into(), has_effect: false }
}

#[test]
fn every_cluster_has_these_objects_and_each_says_whose_it_is() {
    let all = objects(&facts(), &server());
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let expected = [
        "StorageClass gp3",
        "Namespace research",
        "ServiceAccount research/run",
        "ResourceQuota research/research",
        "LimitRange research/research",
        "ServiceAccount kube-system/cluster-autoscaler",
        "ClusterRole cluster-autoscaler",
        "ClusterRoleBinding cluster-autoscaler",
        "Role kube-system/cluster-autoscaler",
        "RoleBinding kube-system/cluster-autoscaler",
        "Deployment kube-system/cluster-autoscaler",
    ];
    assert_eq!(names, expected);
    for object in all {
        let labels = &object.wanted()["metadata"]["labels"];
        assert_eq!(
            (&labels["groundwork.dev/cluster"], &labels["app.kubernetes.io/managed-by"]),
            (&json!("abcdefghijkl"), &json!("groundwork"))
        );
    }
}

#[test]
fn a_volume_is_encrypted_and_the_customer_s_default_class_stays_the_default() {
    let theirs = Server { has_default_class: true, ..server() };
    for (server, default) in [(server(), "true"), (theirs, "false")] {
        let class = wanted(&facts(), &server, "StorageClass gp3");
        assert_eq!(
            (&class["parameters"], &class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"]),
            (&json!({"type": "gp3", "encrypted": "true"}), &json!(default))
        );
    }
}

#[test]
fn a_bucket_is_mounted_by_a_claim_of_the_place_to_work_with_the_rights_of_the_pod() {
    let facts = Facts { mounts: vec![("logs".into(), "groundwork-abcdefghijkl-logs".into())], ..facts() };
    let volume = wanted(&facts, &server(), "PersistentVolume groundwork-abcdefghijkl-logs");
    let claim = wanted(&facts, &server(), "PersistentVolumeClaim research/logs");
    assert_eq!((&volume["spec"]["claimRef"]["name"], &claim["spec"]["volumeName"]), (&json!("logs"), &volume["metadata"]["name"]));
    let attributes = json!({"bucketName": "groundwork-abcdefghijkl-logs", "authenticationSource": "pod"});
    assert_eq!(volume["spec"]["csi"]["volumeAttributes"], attributes);
}

#[test]
fn the_autoscaler_finds_the_cluster_s_groups_and_stays_on_nodes_that_do_not_go() {
    let deployment = wanted(&facts(), &server(), "Deployment kube-system/cluster-autoscaler");
    let pod = &deployment["spec"]["template"]["spec"];
    let args = &pod["containers"][0]["args"];
    for flag in [
        "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/groundwork-research-abcdefghijkl",
        "--scale-down-unneeded-time=10m",
    ] {
        assert!(args.as_array().is_some_and(|args| args.contains(&json!(flag))), "{flag}: {args}");
    }
    assert_eq!(pod["nodeSelector"], json!({"groundwork.dev/node-group": "system"}));
}

#[test]
fn of_a_cluster_with_others_groups_it_finds_those_that_are_named_and_without_any_there_is_none() {
    let groups = ["groundwork-abcdefghijkl-m6i-large", "groundwork-abcdefghijkl-g4dn-xlarge"];
    let some = Facts { scales: Scales::Only(groups.map(Into::into).to_vec()), ..facts() };
    let pod = &wanted(&some, &server(), "Deployment kube-system/cluster-autoscaler")["spec"]["template"]["spec"];
    let args = pod["containers"][0]["args"].as_array().expect("flags");
    let tags = |group| format!("asg:tag=eks:cluster-name=groundwork-research-abcdefghijkl,eks:nodegroup-name={group}");
    let discovery = args.iter().filter_map(|arg| arg.as_str()?.strip_prefix("--node-group-auto-discovery="));
    assert_eq!(discovery.collect::<Vec<_>>(), groups.map(tags));
    assert_eq!(pod.get("nodeSelector"), None);

    let all = objects(&facts(), &server());
    let without = objects(&Facts { scales: Scales::Only(vec![]), ..facts() }, &server());
    assert!(without.iter().all(|object| object.name() != "cluster-autoscaler") && !without.is_empty());
    assert_eq!(without, all[..without.len()]);
}

#[test]
fn the_autoscaler_may_list_every_kind_that_it_waits_for_and_change_nothing_but_nodes() {
    let role = wanted(&facts(), &server(), "ClusterRole cluster-autoscaler");
    let rules = role["rules"].as_array().cloned().unwrap_or_default();
    let may = |resource: &str, verb: &str| {
        rules.iter().any(|rule| {
            let has = |field: &str, word: &str| rule[field].as_array().is_some_and(|words| words.contains(&json!(word)));
            has("resources", resource) && has("verbs", verb)
        })
    };
    for kind in ["volumeattachments", "resourceslices", "resourceclaims", "deviceclasses", "csinodes", "poddisruptionbudgets", "pods"] {
        assert!(may(kind, "list") && may(kind, "watch"), "{kind}");
    }
    for (kind, verb) in [("nodes", "delete"), ("pods", "delete"), ("secrets", "get"), ("configmaps", "update"), ("jobs", "patch")] {
        assert!(!may(kind, verb), "{verb} {kind}");
    }
}

#[tokio::test]
async fn what_is_absent_is_made_once() {
    let memory = Memory::default();
    assert!(states(&memory).await.iter().all(|(_, state)| *state == State::Absent));
    assert!(done(&memory).await.iter().all(|(_, done)| *done == Done::Made));
    memory.changes();
    assert_eq!(states(&memory).await, [("Deployment kube-system/cluster-autoscaler".to_owned(), State::Starting)]);
    apply(&memory.client(), &facts()).await.expect("applied");
    assert_eq!(memory.changes(), [""; 0]);
}

#[tokio::test]
async fn what_somebody_changed_is_set_right_and_what_somebody_added_stays() {
    let memory = furnished().await;
    memory.change(ACCOUNT, |account| account["automountServiceAccountToken"] = json!(true));
    memory.change(NAMESPACE, |namespace| namespace["metadata"]["labels"]["team"] = json!("vision"));
    let fields = vec!["automountServiceAccountToken".to_owned()];
    assert_eq!(states(&memory).await, [("ServiceAccount research/run".to_owned(), State::Drifted { fields: fields.clone() })]);
    assert_eq!(done(&memory).await, [("ServiceAccount research/run".to_owned(), Done::Changed { fields })]);
    assert_eq!(states(&memory).await, []);
    assert_eq!(memory.object(NAMESPACE).expect("a namespace")["metadata"]["labels"]["team"], "vision");
}

#[tokio::test]
async fn what_cannot_change_is_made_anew_but_never_a_namespace() {
    let memory = furnished().await;
    memory.change(CLASS, |class| class["parameters"]["encrypted"] = json!("false"));
    memory.change(BINDING, |binding| binding["roleRef"]["name"] = json!("cluster-admin"));
    let replaced = |name: &str, field: &str| (name.to_owned(), Done::Replaced { fields: vec![field.to_owned()] });
    let expected =
        [replaced("StorageClass gp3", "parameters.encrypted"), replaced("ClusterRoleBinding cluster-autoscaler", "roleRef.name")];
    assert_eq!(done(&memory).await, expected);
    assert_eq!(states(&memory).await, []);

    memory.change(NAMESPACE, |namespace| namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = json!("privileged"));
    memory.answer_with(fault(Method::PATCH, NAMESPACE, 422, "no"));
    memory.changes();
    assert!(matches!(&done(&memory).await[..], [(_, Done::Refused(Error { cause: Cause::Invalid, .. }))]));
    assert_eq!(memory.changes(), [format!("PATCH {NAMESPACE}")]);
}

#[tokio::test]
async fn a_bucket_whose_claim_somebody_deleted_can_be_claimed_again() {
    let facts = Facts { mounts: vec![("logs".into(), "groundwork-abcdefghijkl-logs".into())], ..facts() };
    let volume = "/api/v1/persistentvolumes/groundwork-abcdefghijkl-logs";
    let memory = Memory::default();
    apply(&memory.client(), &facts).await.expect("applied");
    memory.change(volume, |volume| {
        volume["spec"]["claimRef"]["uid"] = json!("1");
        volume["status"] = json!({"phase": "Released"});
    });
    let applied = apply(&memory.client(), &facts).await.expect("applied");
    let anew = applied.iter().find(|applied| applied.object.kind() == "PersistentVolume").map(|applied| &applied.done);
    assert_eq!(anew, Some(&Done::Replaced { fields: vec!["spec.claimRef".into()] }));
    assert_eq!(memory.object(volume).expect("a volume")["spec"]["claimRef"], json!({"namespace": "research", "name": "logs"}));
}

#[tokio::test]
async fn what_is_another_s_is_named_and_left_as_it_is_with_all_that_would_go_into_it() {
    let theirs = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "research"}});
    let memory = Memory::default();
    memory.put(NAMESPACE, theirs.clone());
    let mut class = wanted(&facts(), &server(), "StorageClass gp3");
    class["metadata"]["labels"]["groundwork.dev/cluster"] = json!("another");
    memory.put(CLASS, class);
    let done = done(&memory).await;
    let left = |whose: &str| Done::LeftOut { whose: whose.into() };
    let of = |name: &str| done.iter().find(|(of, _)| of == name).map(|(_, done)| done.clone());
    assert_eq!(of("StorageClass gp3"), Some(Done::OfAnother { cluster: "another".into() }));
    assert_eq!(of("Namespace research"), Some(left("It was there before, and Groundwork did not make it.")));
    assert_eq!(of("ResourceQuota research/research"), Some(left("Its namespace research is another's.")));
    assert_eq!(of("Deployment kube-system/cluster-autoscaler"), Some(Done::Made));
    assert_eq!(memory.object(NAMESPACE), Some(theirs));
    assert_eq!(memory.object(ACCOUNT), None);
}

#[tokio::test]
async fn a_default_class_of_the_customer_s_stays_the_only_one() {
    let memory = furnished().await;
    let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    let efs = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "efs", "annotations": annotations}, "provisioner": "efs"});
    memory.put("/apis/storage.k8s.io/v1/storageclasses/efs", efs);
    let fields = vec!["metadata.annotations.storageclass.kubernetes.io/is-default-class".to_owned()];
    assert_eq!(done(&memory).await, [("StorageClass gp3".to_owned(), Done::Changed { fields })]);
    assert_eq!(states(&memory).await, []);
}

#[tokio::test]
async fn an_autoscaler_that_does_not_run_says_why_and_an_object_that_goes_is_waited_for() {
    let memory = furnished().await;
    memory.change(DEPLOYMENT, |deployment| deployment["status"]["conditions"][0]["status"] = json!("False"));
    memory.put(
        POD,
        json!({"metadata": {"name": "a"}, "spec": {"containers": [{"env": [{"name": "AWS_ROLE_ARN"}]}]}, "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]}}),
    );
    memory.change(NAMESPACE, |namespace| namespace["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z"));
    let sick = |name: &str, reason: &str| (name.to_owned(), State::Sick { reason: reason.into() });
    let expected = [
        sick("Namespace research", "It is being deleted."),
        sick("Deployment kube-system/cluster-autoscaler", "No node takes its pod: 0/1 nodes"),
    ];
    assert_eq!(states(&memory).await, expected);
    apply(&memory.client(), &facts()).await.expect("applied");
    assert_eq!(memory.changes(), [""; 0], "there is nothing to set right");
}

#[tokio::test]
async fn the_autoscaler_waits_for_its_role_and_a_pod_from_before_is_made_anew() {
    let deployment = || "Deployment kube-system/cluster-autoscaler".to_owned();
    let memory = Memory::default();
    memory.give_roles(false);
    assert_eq!(done(&memory).await.last(), Some(&(deployment(), Done::WithoutRole)));
    assert_eq!(memory.object(DEPLOYMENT), None);
    memory.give_roles(true);
    assert_eq!(done(&memory).await, [(deployment(), Done::Made)]);

    let crashed = json!({"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "no credentials"}}}]});
    let sick = Done::Sick { reason: "Its pod does not run (CrashLoopBackOff): no credentials".into() };
    let credentials = json!([{"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"}]);
    for (env, given, expected, is_there) in
        [(credentials, true, sick.clone(), true), (json!([]), false, sick, true), (json!([]), true, Done::Restarted, false)]
    {
        let pod = json!({"metadata": {"name": "cluster-autoscaler-1"}, "spec": {"containers": [{"env": env}]}, "status": crashed});
        memory.put(POD, pod);
        memory.give_roles(given);
        assert_eq!(done(&memory).await.last(), Some(&(deployment(), expected)));
        assert_eq!(memory.object(POD).is_some(), is_there);
    }
}

#[tokio::test]
async fn what_only_aws_can_give_is_named_while_it_is_not_there() {
    let memory = furnished().await;
    memory.give_roles(false);
    memory.answer_with(fault(Method::GET, "/ebs.csi.aws.com", 404, "not found"));
    let sick = |name: &str, reason: &str| (name.to_owned(), State::Sick { reason: reason.into() });
    let expected = [
        sick("StorageClass gp3", "The cluster has no driver ebs.csi.aws.com, so nothing makes its disks."),
        sick("ServiceAccount research/run", "It has no role in AWS, so its pods reach no bucket."),
    ];
    assert_eq!(states(&memory).await, expected);
    memory.give_roles(true);
    memory.mend();
    assert_eq!(states(&memory).await, []);
}

#[tokio::test]
async fn a_full_quota_says_nothing_about_roles() {
    let memory = furnished().await;
    memory.give_roles(false);
    memory.answer_with(fault(Method::POST, "/namespaces/research/pods", 403, "pods \"a\" is forbidden: exceeded quota: research"));
    assert_eq!(states(&memory).await, []);
}

#[tokio::test]
async fn what_is_refused_is_told_and_the_rest_goes_on() {
    let memory = Memory::default();
    memory.answer_with(fault(Method::PATCH, DEPLOYMENT, 400, "admission webhook \"v.example.com\" denied the request: no owner"));
    let done = done(&memory).await;
    let (refused, made): (Vec<_>, Vec<_>) = done.into_iter().partition(|(_, done)| matches!(done, Done::Refused(_)));
    let [(_, Done::Refused(error))] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!((error.cause, made.len()), (Cause::Refused, 10));
    let told = "Groundwork could not apply the Deployment kube-system/cluster-autoscaler: admission webhook \"v.example.com\" denied the request: no owner";
    assert_eq!(error.to_string(), told);
    memory.mend();
    assert_eq!(self::done(&memory).await, [("Deployment kube-system/cluster-autoscaler".to_owned(), Done::Made)]);
}

#[tokio::test]
async fn what_helps_no_object_ends_it_and_an_answer_that_was_lost_does_no_harm() {
    let memory = Memory::default();
    memory.answer_with(fault(Method::PATCH, "/run", 401, "Unauthorized"));
    let error = apply(&memory.client(), &facts()).await.expect_err("401");
    assert_eq!((error.cause, memory.changes().len()), (Cause::Unauthenticated, 3));
    memory.mend();
    memory.answer_with(Fault { has_effect: true, ..fault(Method::PATCH, "/run", 504, "timeout") });
    assert!(done(&memory).await.iter().any(|(_, done)| matches!(done, Done::Refused(Error { cause: Cause::Busy, .. }))));
    memory.mend();
    assert!(states(&memory).await.iter().all(|(name, _)| name.starts_with("Deployment")));
}

#[tokio::test]
async fn what_somebody_makes_in_the_same_moment_is_not_taken_over() {
    let memory = Memory::default();
    let client = memory.client();
    let seen = look(&client, &facts()).await.expect("looked");
    assert_eq!(seen[0].state, State::Absent);
    memory.put(CLASS, json!({"metadata": {"name": "gp3"}, "provisioner": "theirs"}));
    let params = kube::api::PatchParams::apply(crate::MANAGER);
    let sent = seen[0].object.api(&client).patch("gp3", &params, &kube::api::Patch::Apply(seen[0].object.wanted())).await;
    assert_eq!(Error::from(sent.expect_err("a conflict")).cause, Cause::Conflict);
}

/// Over a socket, as nobody listens, or somebody who is no API server.
#[tokio::test]
async fn nobody_and_somebody_else_are_told_from_each_other() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    for (port, cause) in [(1, Cause::Unreachable), (port, Cause::Tls)] {
        let config = kube::Config::new(format!("https://127.0.0.1:{port}").parse().expect("an address"));
        let client = crate::connect(config).expect("a client");
        let error = look(&client, &facts()).await.expect_err("no API server");
        assert_eq!(error.cause, cause, "{error}");
    }
}
