//! Every name and tag that we put on AWS, derived from a cluster's random id so that tenants and generations never collide.

use rand::RngExt;

/// The tag that says which cluster a thing belongs to; nothing without it is ours.
pub const OWNER_TAG: &str = "groundwork:cluster";
/// The tag that says which resource of the plan a thing is.
pub const RESOURCE_TAG: &str = "groundwork:resource";
/// The customer's tag on a KMS key that lets clusters be encrypted with it. The policies ask for it; Groundwork cannot give it.
pub const KEY_TAG: &str = "groundwork:encryption";
pub const KEY_TAG_VALUE: &str = "allowed";
/// The IAM path of the roles that we make.
pub const ROLE_PATH: &str = "/groundwork/";

const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Sixty random bits, enough that two clusters never collide in S3's global namespace. The permissions match the twelve characters.
pub fn new_cluster_id() -> String {
    random(12)
}

/// True for what could be a cluster's id.
pub fn is_cluster_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// A hundred and sixty random bits, so that it cannot be guessed.
pub fn new_external_id() -> String {
    random(32)
}

fn random(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| ALPHABET[rng.random_range(0..ALPHABET.len())] as char).collect()
}

/// The EKS cluster's name, at most 87 of the 100 characters that EKS allows.
pub fn eks_cluster(name: &str, cluster_id: &str) -> String {
    format!("groundwork-{name}-{cluster_id}")
}

/// EKS writes a cluster's control plane logs to this group, whoever made the group.
pub fn log_group(name: &str, cluster_id: &str) -> String {
    format!("/aws/eks/{}/cluster", eks_cluster(name, cluster_id))
}

/// Container Insights writes what a cluster's nodes and pods say to groups that begin with this.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-setup-logs-FluentBit.html>
pub fn node_logs(name: &str, cluster_id: &str) -> String {
    format!("/aws/containerinsights/{}/", eks_cluster(name, cluster_id))
}

/// What of a text AWS takes as the value of a tag: names of users may have a comma, and paths are long.
pub fn tag_value(text: &str) -> String {
    text.replace(',', ".").chars().take(256).collect()
}

/// The tag that Kubernetes puts on what its controllers make for a cluster.
pub fn kubernetes_tag(name: &str, cluster_id: &str) -> String {
    format!("kubernetes.io/cluster/{}", eks_cluster(name, cluster_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_made_as_an_id_is_one() {
        assert!(is_cluster_id(&new_cluster_id()));
        for text in ["", "abcdefghijk", "abcdefghijklm", "abcdefghijk1", "abcdefghijkL", "abcdef#hijkl", "abcdefghijé"] {
            assert!(!is_cluster_id(text), "{text}");
        }
    }
}
