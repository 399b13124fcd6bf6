//! What differs between customers' accounts, and is filled into the patterns of the permissions; and what is ours by its name.

/// The names of one account, or CloudFormation's or Terraform's placeholders for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    /// `aws` or `aws-us-gov`.
    pub partition: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// The name of the customer's role, without its path.
    pub role: &'a str,
}

/// The placeholders in the patterns, which Terraform's `templatefile` fills too.
pub const PLACEHOLDERS: Names<'static> = Names { partition: "${partition}", account: "${account}", role: "${role}" };

impl Names<'_> {
    /// The pattern with these names in place of its placeholders.
    pub fn fill(&self, pattern: &str) -> String {
        pattern
            .replace(PLACEHOLDERS.partition, self.partition)
            .replace(PLACEHOLDERS.account, self.account)
            .replace(PLACEHOLDERS.role, self.role)
    }
}

/// `groundwork-<id>-<purpose>`: buckets, roles, launch templates and `Name` tags.
pub fn scoped(cluster_id: &str, purpose: &str) -> String {
    format!("groundwork-{cluster_id}-{purpose}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_filled_even_with_itself() {
        let names = Names { partition: "aws-us-gov", account: "222222222222", role: "groundwork" };
        for (pattern, filled) in [
            ("arn:${partition}:iam::${account}:role/${role}", "arn:aws-us-gov:iam::222222222222:role/groundwork"),
            ("${role}${role}", "groundworkgroundwork"),
            ("arn:aws:s3:::*", "arn:aws:s3:::*"),
        ] {
            assert_eq!(names.fill(pattern), filled);
            assert_eq!(PLACEHOLDERS.fill(pattern), pattern);
        }
    }
}
