//! Ranges of IPv4 addresses.

use ipnet::{AddrParseError, Ipv4Net};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A range such as 10.0.0.0/16. It may have been written with an address in it in place of the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr(Ipv4Net);

impl Cidr {
    /// Panics with a prefix of more than 32.
    pub const fn new([a, b, c, d]: [u8; 4], prefix: u8) -> Self {
        Self(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
    }

    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// False if it was written with an address in it in place of the first one.
    pub fn begins_where_it_says(self) -> bool {
        self.0.trunc() == self.0
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.0.network() <= other.0.broadcast() && other.0.network() <= self.0.broadcast()
    }

    pub fn contains(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// One of the parts with this prefix that it has, counted from 0.
    pub fn part(self, prefix: u8, index: usize) -> Self {
        let size = 1_u32.checked_shl(32 - u32::from(prefix)).unwrap_or_default();
        let first = u32::from(self.0.network()).wrapping_add(size.wrapping_mul(index as u32));
        Self(Ipv4Net::new_assert(first.into(), prefix))
    }
}

impl From<Ipv4Addr> for Cidr {
    fn from(address: Ipv4Addr) -> Self {
        Self(address.into())
    }
}

impl FromStr for Cidr {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for Cidr {
    type Error = AddrParseError;

    fn try_from(text: String) -> Result<Self, AddrParseError> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(range: Cidr) -> Self {
        range.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Cidr {
        text.parse().expect("a range")
    }

    #[test]
    fn ranges_overlap_if_they_share_an_address() {
        for (one, other, overlap, within) in [
            ("10.0.0.0/16", "10.0.0.0/16", true, true),
            ("10.0.0.0/16", "10.0.64.0/18", true, true),
            ("10.0.64.0/18", "10.0.0.0/16", true, false),
            ("10.0.0.0/17", "10.0.128.0/17", false, false),
            ("0.0.0.0/0", "255.255.255.255/32", true, true),
            ("10.0.7.7/16", "10.0.64.0/18", true, true),
        ] {
            let (one, other) = (range(one), range(other));
            assert_eq!((one.overlaps(other), other.overlaps(one)), (overlap, overlap), "{one} {other}");
            assert_eq!(one.contains(other), within, "{one} {other}");
        }
    }

    #[test]
    fn parts_are_counted_from_the_first_address() {
        let vpc = range("100.64.16.0/20");
        assert_eq!([0, 1, 3].map(|index| vpc.part(22, index).to_string()), ["100.64.16.0/22", "100.64.20.0/22", "100.64.28.0/22"]);
        assert_eq!(range("10.0.7.7/16").part(32, 1).to_string(), "10.0.0.1/32");
        assert_eq!(range("0.0.0.0/0").part(0, 0).to_string(), "0.0.0.0/0");
    }

    #[test]
    fn a_range_is_its_text_in_json_too() {
        assert_eq!(serde_json::json!(range("10.0.0.0/16")), "10.0.0.0/16");
        serde_json::from_str::<Cidr>("\"10.0.0.0/33\"").expect_err("no range");
        assert_eq!([range("10.0.0.0/16"), range("10.0.0.1/16")].map(Cidr::begins_where_it_says), [true, false]);
    }
}
