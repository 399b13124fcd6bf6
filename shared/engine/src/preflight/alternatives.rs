//! What would do in place of an instance type that is not offered.

use std::cmp::Reverse;
use wire::instances::{family, image};

const MOST: usize = 4;
const SMALL: [&str; 5] = ["nano", "micro", "small", "medium", "large"];

/// The types most like it that run the same image: of its family first, then of its size.
pub fn of<'a>(wanted: &str, offered: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut like: Vec<_> = offered.filter(|other| image(other) == image(wanted)).collect();
    like.sort_by_key(|other| (distance(wanted, other), Reverse(in_common(family(wanted), family(other))), size(other), *other));
    like.truncate(MOST);
    like
}

fn distance(wanted: &str, other: &str) -> u8 {
    let same_size = size(wanted) == size(other);
    match () {
        () if family(wanted) == family(other) => 0,
        () if class(wanted) == class(other) && same_size => 1,
        () if same_size => 2,
        () if class(wanted) == class(other) => 3,
        () => 4,
    }
}

/// The letters before the generation: `m`, `gr`.
fn class(instance_type: &str) -> &str {
    instance_type.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default()
}

fn in_common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

/// A number that grows with the size; the largest for whole machines.
fn size(instance_type: &str) -> usize {
    let size = instance_type.split_once('.').map_or("", |(_, size)| size);
    match (SMALL.iter().position(|small| *small == size), size.strip_suffix("xlarge")) {
        (Some(place), _) => place,
        (None, Some("")) => SMALL.len(),
        (None, Some(times)) => times.parse().map_or(usize::MAX, |times: usize| SMALL.len() + times),
        (None, None) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_most_like_it_comes_first() {
        let offered = [
            "a1.large",
            "c6i.large",
            "g4dn.12xlarge",
            "g4dn.2xlarge",
            "g4dn.xlarge",
            "g5.2xlarge",
            "g5g.2xlarge",
            "m6g.large",
            "m6i.2xlarge",
            "m6i.large",
            "m6i.xlarge",
            "m7i.large",
            "p3dn.24xlarge",
            "p5.48xlarge",
            "t3.medium",
        ];
        for (wanted, expected, reason) in [
            ("m6i.lrge", &["m6i.large", "m6i.xlarge", "m6i.2xlarge", "m7i.large"][..], "a typo: its family, the smallest first"),
            ("m6id.large", &["m6i.large", "m7i.large", "c6i.large", "m6i.xlarge"], "its class and size, then its size"),
            ("p3.2xlarge", &["g4dn.2xlarge", "g5.2xlarge", "p3dn.24xlarge", "p5.48xlarge"], "other GPUs of that size, then larger ones"),
            ("r7g.large", &["m6g.large"], "only Graviton runs its image"),
            ("g5g.xlarge", &["g5g.2xlarge"], "and only one GPU does so on Graviton"),
        ] {
            assert_eq!(of(wanted, offered.into_iter()), expected, "{reason}");
        }
    }
}
