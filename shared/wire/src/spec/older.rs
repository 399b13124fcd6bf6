//! Words of the systems that Groundwork's users come from (Grid, Lightning, Determined's `det-deploy aws`) which are no field here: which
//! field says it instead, or why nothing does.

/// Each with what to do, wherever it stands.
pub(super) const WORDS: [(&str, &str); 18] = [
    ("agent_instance_type", "this is instance_types[].name"),
    (
        "availability_zone",
        "this is network.zones, two or three of them; if absent, zones are chosen by what they offer of your instance types",
    ),
    ("cluster_id", "this is name; the id is Groundwork's to give"),
    ("cluster_name", "this is name; with mode self_managed, eks_cluster_name is the name in EKS"),
    ("cost_savings", "this is performance_profile \"cost_saving\", which is the default"),
    ("db_password", "there is no database in a cluster: leave it out"),
    (
        "deployment_type",
        "for simple (the default VPC) give network.subnet_ids; every other cluster is what vpc and secure are; file systems (efs, fsx) are not made: \
         leave it out",
    ),
    ("edit_before_creation", "this is for the command line: groundwork create --edit-before-creation"),
    ("inbound_cidr", "this is access.public_cidrs"),
    ("instance_type", "this is instance_types[].name"),
    ("keypair", "nodes have no SSH: leave it out, and look at them with kubectl debug"),
    ("master_instance_type", "AWS runs the control plane: leave it out"),
    ("max_dynamic_agents", "this is instance_types[].max_count"),
    ("max_idle_agent_period", "this is scale_down_after_minutes"),
    ("provider", "every cluster is on AWS: leave it out"),
    ("spot", "this is instance_types[].capacity \"spot\""),
    ("spot_max_price", "managed node groups have no spot price limit, and spot never costs more than on demand: leave it out"),
    ("wait", "this is for the command line: groundwork create --wait"),
];

/// What to do instead of giving a field that there is not, by its path. Flags are known, too: `spot-max-price`.
pub(super) fn instead(path: &str) -> Option<&'static str> {
    let given = path.rsplit('.').next().unwrap_or_default().replace('-', "_");
    WORDS.iter().find(|(word, _)| *word == given).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::reference;

    #[test]
    fn a_word_is_known_wherever_it_stands_and_however_it_is_written() {
        for (path, known) in [
            ("$.spot_max_price", true),
            ("$.instance_types[0].spot-max-price", true),
            ("$.access.inbound_cidr", true),
            ("$.flavour", false),
        ] {
            assert_eq!(instead(path).is_some(), known, "{path}");
        }
    }

    #[test]
    fn what_a_word_is_called_now_is_a_field_and_the_word_is_none() {
        let fields: Vec<String> = reference::fields().into_iter().map(|field| field.path).collect();
        for (word, what) in WORDS {
            assert!(!fields.iter().any(|field| field == word), "{word}");
            let now = what.strip_prefix("this is ").filter(|rest| !rest.starts_with("for "));
            let now = now.and_then(|rest| rest.split([' ', ';', ',']).next());
            assert!(now.is_none_or(|now| fields.iter().any(|field| field == now)), "{word}: {what}");
            assert!(now.is_some() || what.contains("leave it out") || what.contains("groundwork create"), "{word}: {what}");
        }
    }
}
