//! What depends on what: a thing on which others depend cannot be deleted.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Default)]
pub struct Network {
    /// (what depends, what it depends on)
    ties: BTreeSet<(String, String)>,
    /// Association → route table and subnet.
    associations: BTreeMap<String, (String, String)>,
    /// VPC → its main route table, which subnets without one of their own have.
    mains: BTreeMap<String, String>,
    /// Route table → the gateway of its default route.
    ways_out: BTreeMap<String, String>,
    /// Subnet → the name of its zone.
    zones: BTreeMap<String, String>,
}

impl Network {
    pub fn tie(&mut self, child: &str, parents: impl IntoIterator<Item = impl Into<String>>) {
        self.ties.extend(parents.into_iter().map(|parent| (child.to_owned(), parent.into())));
    }

    /// The thing is gone, and no longer holds what it depended on.
    pub fn cut(&mut self, child: &str) {
        self.ties.retain(|(one, _)| one != child);
        self.associations.retain(|id, (_, subnet)| id != child && subnet != child);
        self.mains.retain(|vpc, table| vpc != child && table != child);
        self.ways_out.remove(child);
        self.zones.remove(child);
    }

    pub fn place(&mut self, subnet: &str, zone: &str) {
        self.zones.insert(subnet.to_owned(), zone.to_owned());
    }

    /// None if the subnet's creation was not seen.
    pub fn zone(&self, subnet: &str) -> Option<&str> {
        self.zones.get(subnet).map(String::as_str)
    }

    pub fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a str> {
        let ties = self.ties.iter().filter(move |(_, other)| other == parent).map(|(child, _)| child.as_str());
        let associations = self.associations.iter().filter(move |(_, (table, _))| table == parent).map(|(id, _)| id.as_str());
        ties.chain(associations)
    }

    pub fn parents<'a>(&'a self, child: &'a str) -> impl Iterator<Item = &'a str> {
        self.ties.iter().filter(move |(one, _)| one == child).map(|(_, parent)| parent.as_str())
    }

    /// A route table as AWS shows it: the gateway of its default route, and its associations with their subnets.
    pub fn show_table(&mut self, table: &str, way_out: Option<String>, associations: Vec<(String, String)>) {
        self.associations.retain(|_, (other, _)| other != table);
        self.associations.extend(associations.into_iter().map(|(id, subnet)| (id, (table.to_owned(), subnet))));
        self.ways_out.remove(table);
        self.ways_out.extend(way_out.map(|gateway| (table.to_owned(), gateway)));
    }

    pub fn show_main(&mut self, vpc: &str, table: &str) {
        self.mains.insert(vpc.to_owned(), table.to_owned());
    }

    /// The gateway by which a subnet reaches the internet.
    pub fn way_out(&self, subnet: &str) -> Option<&str> {
        let own = self.associations.values().find(|(_, other)| other == subnet).map(|(table, _)| table);
        let table = own.or_else(|| self.parents(subnet).find_map(|vpc| self.mains.get(vpc)))?;
        self.ways_out.get(table).map(String::as_str)
    }

    /// The NAT gateways in a VPC, each of which maps a public address into it.
    pub fn mapped_addresses<'a>(&'a self, vpc: &'a str) -> impl Iterator<Item = &'a str> {
        self.children(vpc).flat_map(|subnet| self.children(subnet)).filter(|child| child.starts_with("nat-"))
    }
}
