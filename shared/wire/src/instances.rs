//! Which node image an EC2 instance type needs, by its family: the part of its name before the dot.
//!
//! One table has the families that are known to work and those that are known not to; no other is accepted. Whether a family has a size,
//! and where, is asked of EC2 when a cluster is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What EC2 says of an instance type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hardware {
    pub architecture: Architecture,
    pub vcpus: u32,
    pub memory_mib: u64,
    /// How many a pod can ask for; a part of one counts as one.
    pub gpus: u32,
}

/// Of a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Architecture {
    #[serde(rename = "x86_64")]
    X86,
    Arm64,
}

/// What the nodes of a group run: one of EKS's optimized images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    Al2023X86,
    Al2023Arm,
    BottlerocketNvidiaX86,
    BottlerocketNvidiaArm,
}

impl Image {
    /// True for the images that bring NVIDIA's driver and device plugin.
    pub fn gpu(self) -> bool {
        match self {
            Image::BottlerocketNvidiaX86 | Image::BottlerocketNvidiaArm => true,
            Image::Al2023X86 | Image::Al2023Arm => false,
        }
    }
}

/// The families that an image runs on.
/// Sources: EC2's list of instance types (with their architectures, DescribeInstanceTypes); for GPUs the table of "Use EKS-optimized
/// accelerated AMIs for GPU instances" (EKS user guide).
const KNOWN: &[(Image, &str)] = &[
    (Image::Al2023X86, "t2 t3 t3a t8i"),
    (Image::Al2023X86, "m4 m5 m5a m5ad m5d m5dn m5n m5zn m6a m6i m6id m6idn m6in m7a m7i m7i-flex"),
    (Image::Al2023X86, "m8a m8azn m8i m8i-flex m8ib m8id m8idb m8idn m8in m8ine"),
    (Image::Al2023X86, "c4 c5 c5a c5ad c5d c5n c6a c6i c6id c6in c7a c7i c7i-flex c8a c8i c8i-flex c8ib c8id c8in c8ine"),
    (Image::Al2023X86, "r4 r5 r5a r5ad r5b r5d r5dn r5n r6a r6i r6id r6idn r6in r7a r7i r7iz"),
    (Image::Al2023X86, "r8a r8i r8i-flex r8ib r8id r8idb r8idn r8in"),
    (Image::Al2023X86, "x1 x1e x2idn x2iedn x2iezn x8aedz x8i z1d"),
    (Image::Al2023X86, "d2 d3 d3en h1 i3 i3en i4i i7i i7ie hpc6a hpc6id hpc7a hpc8a"),
    (Image::Al2023Arm, "t4g m6g m6gd m7g m7gd m8g m8gb m8gd m8gn m9g m9gd"),
    (Image::Al2023Arm, "c6g c6gd c6gn c7g c7gd c7gn c8g c8gb c8gd c8gn c9g c9gd"),
    (Image::Al2023Arm, "r6g r6gd r7g r7gd r8g r8gb r8gd r8gn r9g r9gd"),
    (Image::Al2023Arm, "x2gd x8g i4g i8g i8ge im4gn is4gen hpc7g"),
    (Image::BottlerocketNvidiaX86, "g4dn g5 g6 g6e g6f g7e gr6 gr6f"),
    (Image::BottlerocketNvidiaX86, "p3 p3dn p4d p4de p5 p5e p5en p6-b200 p6-b300"),
    (Image::BottlerocketNvidiaArm, "g5g"),
];

const ACCELERATORS: &str = "has accelerators that Groundwork has no image for: choose a CPU type, or NVIDIA GPUs (g5, g6, g6e, p4d, p5)";
const MAC: &str = "cannot run Kubernetes nodes: choose a Linux type, such as m7g or m6i";
const OLD_GPUS: &str = "has GPUs that NVIDIA's driver in EKS's images does not support any more: choose g4dn, g5 or g6";
const ULTRASERVER: &str = "is sold as part of an UltraServer, for which EKS has no Bottlerocket image: choose p6-b200 or p6-b300";

/// Families that would come to mind, and why not: nodes would never join, or would join without their accelerators.
/// Sources: <https://github.com/bottlerocket-os/bottlerocket/issues/4889> (g7);
/// <https://github.com/bottlerocket-os/bottlerocket/pull/2286> (p2: no driver since R470; g3's Maxwell is on its last branch);
/// EKS's table, as above (p6e); AL2023 user guide, "System requirements" (its ARM build is for Graviton2 and later).
const REFUSED: &[(&str, &str)] = &[
    ("a1", "has Graviton processors of the first generation, on which AL2023 does not run: choose t4g, m6g or m7g"),
    ("g7", "has GPUs that need a newer driver than EKS's Bottlerocket image brings: choose g7e, g6e or g6"),
    ("g4ad", "has AMD GPUs; EKS has images for NVIDIA GPUs only: choose g4dn, g5 or g6"),
    ("g2 g3 g3s p2", OLD_GPUS),
    ("p6e-gb200 p6e-gb300", ULTRASERVER),
    ("inf1 inf2 trn1 trn1n trn2 trn2u trn3 dl1 dl2q vt1 f1 f2", ACCELERATORS),
    ("mac1 mac2 mac2-m1ultra mac2-m2 mac2-m2pro mac-m3ultra mac-m4 mac-m4max mac-m4pro", MAC),
];

/// The image for an instance type.
///
/// # Errors
/// Why there is no image, and what to choose instead.
pub fn image(instance_type: &str) -> Result<Image, String> {
    let family = family(instance_type);
    let among = |names: &str| names.split(' ').any(|name| name == family);
    if let Some((image, _)) = KNOWN.iter().find(|(_, names)| among(names)) {
        return Ok(*image);
    }
    Err(match REFUSED.iter().find(|(names, _)| among(names)) {
        Some((_, why)) => format!("{family} {why}"),
        None => format!(
            "Groundwork does not know the family {family} yet: choose one that it does, such as m6i, m7i, m7g, c7i or r7i, and for GPUs \
             g4dn, g5, g6, g6e, p4d or p5"
        ),
    })
}

/// `m7i-flex` of `m7i-flex.large`.
pub fn family(instance_type: &str) -> &str {
    instance_type.split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_family_decides_architecture_and_accelerator() {
        for (instance_type, expected, gpu) in [
            ("t3.medium", Image::Al2023X86, false),
            ("m7g.large", Image::Al2023Arm, false),
            ("m6gd.large", Image::Al2023Arm, false),
            ("c7i-flex.large", Image::Al2023X86, false),
            ("g4dn.xlarge", Image::BottlerocketNvidiaX86, true),
            ("gr6.4xlarge", Image::BottlerocketNvidiaX86, true),
            ("g5g.xlarge", Image::BottlerocketNvidiaArm, true),
            ("p4d.24xlarge", Image::BottlerocketNvidiaX86, true),
            ("p6-b200.48xlarge", Image::BottlerocketNvidiaX86, true),
        ] {
            assert_eq!(image(instance_type), Ok(expected), "{instance_type}");
            assert_eq!(expected.gpu(), gpu, "{instance_type}");
        }
    }

    #[test]
    fn what_no_image_runs_on_and_what_nobody_knows_is_refused_with_an_alternative() {
        for (instance_type, reason) in [
            ("g7.2xlarge", "it boots with the wrong driver and never joins"),
            ("p2.xlarge", "the driver has forgotten its GPUs"),
            ("g3s.xlarge", "the driver is about to forget its GPUs"),
            ("g4ad.xlarge", "AMD"),
            ("inf2.xlarge", "no device plugin"),
            ("trn1.2xlarge", "no device plugin"),
            ("mac2.metal", "no Linux"),
            ("a1.large", "AL2023 needs ARMv8.2"),
            ("g99.xlarge", "it looks like a GPU type"),
            ("m99g.large", "it looks like Graviton"),
        ] {
            let refusal = image(instance_type).expect_err(reason);
            let (_, alternatives) = refusal.split_once("choose ").unwrap_or_else(|| panic!("{instance_type}: {refusal}"));
            let words = alternatives.split(|character: char| !(character.is_alphanumeric() || character == '-'));
            assert!(words.filter(|word| image(word).is_ok()).count() >= 2, "{instance_type}: {refusal}");
        }
    }

    #[test]
    fn a_family_that_no_image_runs_on_is_refused_for_a_reason_of_its_own() {
        let met = ["g2", "g3", "g3s", "p2", "g7", "a1"].into_iter();
        for family in REFUSED.iter().flat_map(|(names, _)| names.split(' ')).chain(met) {
            let refusal = image(&format!("{family}.xlarge")).expect_err(family);
            assert!(!refusal.contains("does not know"), "{refusal}");
        }
    }

    #[test]
    fn every_family_is_listed_once() {
        let known = KNOWN.iter().map(|(_, names)| names);
        let all: Vec<&str> = known.chain(REFUSED.iter().map(|(names, _)| names)).flat_map(|names| names.split(' ')).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
