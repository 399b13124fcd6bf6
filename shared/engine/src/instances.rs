//! Which node image an EC2 instance type needs, by its family; the names follow AWS's instance naming convention.

use aws_sdk_eks::types::AmiTypes;

/// What a node group of an instance type runs.
#[derive(Debug, PartialEq)]
pub struct Image {
    pub ami: AmiTypes,
    pub gpu: bool,
}

/// The image for an instance type, or why there is none.
///
/// GPU types get Bottlerocket's NVIDIA image, which brings the device plugin.
pub fn image(instance_type: &str) -> Result<Image, String> {
    let family = instance_type.split('.').next().unwrap_or_default();
    let class: String = family.chars().take_while(char::is_ascii_alphabetic).collect();
    let options: String = family.trim_start_matches(&class).chars().skip_while(char::is_ascii_digit).collect();
    let arm = options.contains('g') || family == "a1";
    match class.as_str() {
        "g" if family == "g4ad" => Err("g4ad has AMD GPUs; EKS has images for NVIDIA GPUs only: choose g4dn, g5 or g6".into()),
        "inf" | "trn" | "dl" | "vt" | "f" => {
            Err(format!("{family} has accelerators that Groundwork has no image for: choose a CPU or NVIDIA GPU type"))
        }
        "mac" => Err(format!("{family} cannot run Kubernetes nodes: choose a Linux type")),
        "g" | "gr" | "p" => {
            Ok(Image { ami: if arm { AmiTypes::BottlerocketArm64Nvidia } else { AmiTypes::BottlerocketX8664Nvidia }, gpu: true })
        }
        _ => Ok(Image { ami: if arm { AmiTypes::Al2023Arm64Standard } else { AmiTypes::Al2023X8664Standard }, gpu: false }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_decides_architecture_and_accelerator() {
        for (instance_type, ami, gpu) in [
            ("t3.medium", AmiTypes::Al2023X8664Standard, false),
            ("m7g.large", AmiTypes::Al2023Arm64Standard, false),
            ("m6gd.large", AmiTypes::Al2023Arm64Standard, false),
            ("a1.large", AmiTypes::Al2023Arm64Standard, false),
            ("c7i-flex.large", AmiTypes::Al2023X8664Standard, false),
            ("g4dn.xlarge", AmiTypes::BottlerocketX8664Nvidia, true),
            ("g5g.xlarge", AmiTypes::BottlerocketArm64Nvidia, true),
            ("p4d.24xlarge", AmiTypes::BottlerocketX8664Nvidia, true),
        ] {
            assert_eq!(image(instance_type), Ok(Image { ami, gpu }), "{instance_type}");
        }
    }

    #[test]
    fn accelerators_without_an_image_are_refused_with_an_alternative() {
        for instance_type in ["g4ad.xlarge", "inf2.xlarge", "trn1.2xlarge", "mac2.metal"] {
            assert!(image(instance_type).expect_err(instance_type).contains("choose"), "{instance_type}");
        }
    }
}
