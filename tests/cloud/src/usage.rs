//! What exists and counts towards quotas, and whose it is. Like all that the cloud knows, only what it has seen being made.

use crate::quotas::Quota;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub struct Usage {
    things: BTreeMap<Name, Thing>,
}

/// A bucket and a role can have the same name, and so can the roles of two accounts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    account: String,
    quota: &'static str,
    /// An id of EC2's, a path of EKS's, the name of a bucket or role.
    name: String,
}

#[derive(Clone)]
struct Thing {
    owner: Owner,
    /// What has the quota within the region, if it is not the region itself: a zone, a cluster.
    within: String,
}

/// An account's number, and a region. Empty for what is in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub account: String,
    pub region: String,
}

impl Usage {
    pub fn add(&mut self, quota: &Quota, owner: Owner, within: String, name: String) {
        self.things.insert(Name { account: owner.account.clone(), quota: quota.code, name }, Thing { owner, within });
    }

    pub fn remove(&mut self, quota: &Quota, account: &str, name: &str) {
        self.things.remove(&Name { account: account.to_owned(), quota: quota.code, name: name.to_owned() });
    }

    /// What takes time to go, and everything in it, is gone. No two accounts have one of the same name.
    pub fn bury(&mut self, name: &str) {
        self.things.retain(|other, _| !(other.name == name || other.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))));
    }

    pub fn has(&self, quota: &Quota, account: &str, name: &str) -> bool {
        self.things.contains_key(&Name { account: account.to_owned(), quota: quota.code, name: name.to_owned() })
    }

    pub fn owner(&self, name: &str) -> Option<&Owner> {
        self.things.iter().find(|(other, _)| other.name == name).map(|(_, thing)| &thing.owner)
    }

    pub fn count(&self, quota: &Quota, owner: &Owner, within: &str) -> u32 {
        let alike = |(name, thing): &(&Name, &Thing)| name.quota == quota.code && thing.owner == *owner && thing.within == within;
        quota.given() + u32::try_from(self.things.iter().filter(alike).count()).unwrap_or(u32::MAX)
    }
}
