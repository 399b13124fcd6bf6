//! Which node image an EC2 instance type needs, by its family.
//!
//! The names follow AWS's naming convention for instance types: a class, a generation, options, a dot and a size.
//! Source: EC2 instance types guide, "Instance type naming conventions".

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

/// The image for an instance type.
///
/// # Errors
/// Why there is no image, and what to choose instead.
pub fn image(instance_type: &str) -> Result<Image, String> {
    let family = instance_type.split('.').next().unwrap_or_default();
    let class: String = family.chars().take_while(char::is_ascii_alphabetic).collect();
    let arm = is_arm(family, &class);
    match class.as_str() {
        "g" if family == "g4ad" => Err("g4ad has AMD GPUs; EKS has images for NVIDIA GPUs only: choose g4dn, g5 or g6".into()),
        "inf" | "trn" | "dl" | "vt" | "f" => {
            Err(format!("{family} has accelerators that Groundwork has no image for: choose a CPU or NVIDIA GPU type"))
        }
        "mac" => Err(format!("{family} cannot run Kubernetes nodes: choose a Linux type")),
        "g" | "gr" | "p" => Ok(if arm { Image::BottlerocketNvidiaArm } else { Image::BottlerocketNvidiaX86 }),
        _ => Ok(if arm { Image::Al2023Arm } else { Image::Al2023X86 }),
    }
}

/// A `g` among the options after the generation stands for Graviton; the first Graviton type has no options.
fn is_arm(family: &str, class: &str) -> bool {
    let options = family.trim_start_matches(class).trim_start_matches(|character: char| character.is_ascii_digit());
    options.contains('g') || family == "a1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_decides_architecture_and_accelerator() {
        for (instance_type, expected, gpu) in [
            ("t3.medium", Image::Al2023X86, false),
            ("m7g.large", Image::Al2023Arm, false),
            ("m6gd.large", Image::Al2023Arm, false),
            ("a1.large", Image::Al2023Arm, false),
            ("c7i-flex.large", Image::Al2023X86, false),
            ("g4dn.xlarge", Image::BottlerocketNvidiaX86, true),
            ("gr6.4xlarge", Image::BottlerocketNvidiaX86, true),
            ("g5g.xlarge", Image::BottlerocketNvidiaArm, true),
            ("p4d.24xlarge", Image::BottlerocketNvidiaX86, true),
        ] {
            assert_eq!(image(instance_type), Ok(expected), "{instance_type}");
            assert_eq!(expected.gpu(), gpu, "{instance_type}");
        }
    }

    #[test]
    fn accelerators_without_an_image_are_refused_with_an_alternative() {
        for instance_type in ["g4ad.xlarge", "inf2.xlarge", "trn1.2xlarge", "mac2.metal"] {
            assert!(image(instance_type).expect_err(instance_type).contains("choose"), "{instance_type}");
        }
    }
}
