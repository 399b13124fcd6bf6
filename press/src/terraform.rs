//! The policies for the Terraform module and the self-managed example: JSON with the placeholders that `templatefile` fills.

use engine::permissions::customers_network::PARTS;
use engine::permissions::document::Document;
use engine::permissions::{STAGES, boundary, pods, policy, self_managed, trust};
use wire::names::PLACEHOLDERS;

pub fn policies() -> Vec<(String, String)> {
    let stages = STAGES.iter().map(|stage| (stage.to_string(), policy(*stage, &PLACEHOLDERS)));
    let pods = pods::POLICIES.iter().map(|pods| (pods.name.to_owned(), pods.document(&PLACEHOLDERS)));
    let boundary = ("boundary".to_owned(), boundary::policy(&PLACEHOLDERS));
    let mut files: Vec<_> = stages.chain(pods).chain([boundary]).map(|(name, document)| (path(&name), text(&document))).collect();
    let own_images = serde_json::to_string_pretty(&boundary::pull_own_images(&[])).unwrap_or_default();
    files.push((path("own-images"), own_images + "\n"));
    files.push((path("customers-network"), customers_network()));
    let trust = format!("{:#}\n", trust::policy(&trust::PLACEHOLDERS));
    files.push((path("trust"), trust.clone()));
    files.push(("examples/self-managed/trust.json".into(), trust));
    files
        .extend(pods::THEIRS.iter().map(|pods| (format!("examples/self-managed/{}.json", pods.name), text(&pods.document(&PLACEHOLDERS)))));
    files.push(("examples/self-managed/policy.json".into(), text(&self_managed::template())));
    files
}

/// By the policy that each statement belongs to; the module puts the ARNs of the VPCs in.
fn customers_network() -> String {
    let parts = PARTS.iter().map(|part| (part.policy(), serde_json::json!(part.statement(&[VPCS], &PLACEHOLDERS))));
    format!("{:#}\n", serde_json::Value::Object(parts.collect()))
}

/// Stands for their list.
const VPCS: &str = "${vpcs}";

fn path(name: &str) -> String {
    format!("onboarding/terraform/policies/{name}.json")
}

/// `templatefile` leaves IAM's own variables alone if they have two dollars.
fn text(document: &Document) -> String {
    document.pretty().replace("${aws:", "$${aws:") + "\n"
}
