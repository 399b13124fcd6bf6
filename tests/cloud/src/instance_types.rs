//! Some of EC2's instance types, as DescribeInstanceTypes and DescribeInstanceTypeOfferings listed them in us-west-2 in 2026, in the copies
//! that moto 5.2.5 brings (moto/ec2/resources). Every region of the local cloud offers them in its zones of the same letters.

/// Of each region. Where the AWS behind has fewer, the rule adds what is missing.
pub const ZONES: &str = "abcd";

pub struct InstanceType {
    pub name: &'static str,
    pub vcpus: u32,
    pub memory_mib: u32,
    pub architecture: &'static str,
    pub gpus: Option<Gpus>,
    /// The letters of the zones that offer it.
    zones: &'static str,
}

pub struct Gpus {
    /// 0 if it is a part of one.
    pub count: u32,
    /// All are NVIDIA's.
    pub name: &'static str,
    /// Of each.
    pub memory_mib: u32,
}

impl InstanceType {
    /// The names of the region's zones that offer it.
    pub fn zones(&self, region: &str) -> Vec<String> {
        self.zones.chars().map(|letter| format!("{region}{letter}")).collect()
    }
}

pub fn find(name: &str) -> Option<&'static InstanceType> {
    TABLE.iter().find(|one| one.name == name)
}

const X86: &str = "x86_64";
const ARM: &str = "arm64";
const X86_MAC: &str = "x86_64_mac";
const ARM_MAC: &str = "arm64_mac";
const NONE: Option<Gpus> = None;

const fn gpus(count: u32, name: &'static str, memory_mib: u32) -> Option<Gpus> {
    Some(Gpus { count, name, memory_mib })
}

const fn row(
    name: &'static str,
    vcpus: u32,
    memory_mib: u32,
    architecture: &'static str,
    gpus: Option<Gpus>,
    zones: &'static str,
) -> InstanceType {
    InstanceType { name, vcpus, memory_mib, architecture, gpus, zones }
}

pub const TABLE: &[InstanceType] = &[
    row("t2.medium", 2, 4096, X86, NONE, "abc"),
    row("t3.medium", 2, 4096, X86, NONE, "abcd"),
    row("t3.large", 2, 8192, X86, NONE, "abcd"),
    row("t3a.medium", 2, 4096, X86, NONE, "abcd"),
    row("t4g.medium", 2, 4096, ARM, NONE, "abcd"),
    row("m4.large", 2, 8192, X86, NONE, "abc"),
    row("m4.xlarge", 4, 16_384, X86, NONE, "abc"),
    row("m5.large", 2, 8192, X86, NONE, "abcd"),
    row("m5.xlarge", 4, 16_384, X86, NONE, "abcd"),
    row("m6a.large", 2, 8192, X86, NONE, "abcd"),
    row("m6g.large", 2, 8192, ARM, NONE, "abcd"),
    row("m6gd.large", 2, 8192, ARM, NONE, "abcd"),
    row("m6i.large", 2, 8192, X86, NONE, "abcd"),
    row("m6i.xlarge", 4, 16_384, X86, NONE, "abcd"),
    row("m6i.2xlarge", 8, 32_768, X86, NONE, "abcd"),
    row("m7a.large", 2, 8192, X86, NONE, "abcd"),
    row("m7g.large", 2, 8192, ARM, NONE, "abcd"),
    row("m7i.large", 2, 8192, X86, NONE, "abcd"),
    row("m7i-flex.large", 2, 8192, X86, NONE, "abcd"),
    row("m8g.large", 2, 8192, ARM, NONE, "abcd"),
    row("m8i.large", 2, 8192, X86, NONE, "abcd"),
    row("c5.xlarge", 4, 8192, X86, NONE, "abcd"),
    row("c6i.large", 2, 4096, X86, NONE, "abcd"),
    row("c6i.xlarge", 4, 8192, X86, NONE, "abcd"),
    row("c7g.large", 2, 4096, ARM, NONE, "abcd"),
    row("c7i.xlarge", 4, 8192, X86, NONE, "abcd"),
    row("c8g.large", 2, 4096, ARM, NONE, "abcd"),
    row("r5.large", 2, 16_384, X86, NONE, "abcd"),
    row("r6i.large", 2, 16_384, X86, NONE, "abcd"),
    row("r6i.xlarge", 4, 32_768, X86, NONE, "abcd"),
    row("r7g.large", 2, 16_384, ARM, NONE, "abcd"),
    row("r8g.large", 2, 16_384, ARM, NONE, "abcd"),
    row("x2idn.16xlarge", 64, 1_048_576, X86, NONE, "abc"),
    row("i3.large", 2, 15_616, X86, NONE, "abcd"),
    row("i4i.large", 2, 16_384, X86, NONE, "abcd"),
    row("d3.xlarge", 4, 32_768, X86, NONE, "abcd"),
    row("g4dn.xlarge", 4, 16_384, X86, gpus(1, "T4", 16_384), "abc"),
    row("g4dn.2xlarge", 8, 32_768, X86, gpus(1, "T4", 16_384), "abc"),
    row("g4dn.12xlarge", 48, 196_608, X86, gpus(4, "T4", 16_384), "abc"),
    row("g5.xlarge", 4, 16_384, X86, gpus(1, "A10G", 22_888), "abc"),
    row("g5.2xlarge", 8, 32_768, X86, gpus(1, "A10G", 22_888), "abc"),
    row("g5.12xlarge", 48, 196_608, X86, gpus(4, "A10G", 22_888), "abc"),
    row("g5g.xlarge", 4, 8192, ARM, gpus(1, "T4g", 16_384), "abc"),
    row("g6.xlarge", 4, 16_384, X86, gpus(1, "L4", 22_888), "abcd"),
    row("g6.2xlarge", 8, 32_768, X86, gpus(1, "L4", 22_888), "abcd"),
    row("g6e.xlarge", 4, 32_768, X86, gpus(1, "L40S", 45_776), "abcd"),
    row("g6f.large", 2, 8192, X86, gpus(0, "L4", 2861), "abcd"),
    row("gr6.4xlarge", 16, 131_072, X86, gpus(1, "L4", 22_888), "abcd"),
    row("gr6f.4xlarge", 16, 131_072, X86, gpus(0, "L4", 11_444), "abcd"),
    row("g7.2xlarge", 8, 32_768, X86, gpus(1, "RTX PRO 4500", 32_768), "abcd"),
    row("g7e.2xlarge", 8, 65_536, X86, gpus(1, "RTX PRO Server 6000", 98_304), "abcd"),
    row("p3dn.24xlarge", 96, 786_432, X86, gpus(8, "V100", 32_768), "bc"),
    row("p4d.24xlarge", 96, 1_179_648, X86, gpus(8, "A100", 40_960), "abcd"),
    row("p4de.24xlarge", 96, 1_179_648, X86, gpus(8, "A100", 81_920), "abc"),
    row("p5.4xlarge", 16, 262_144, X86, gpus(1, "H100", 81_920), "abcd"),
    row("p5.48xlarge", 192, 2_097_152, X86, gpus(8, "H100", 81_920), "abcd"),
    row("p5e.48xlarge", 192, 2_097_152, X86, gpus(8, "H200", 144_384), "c"),
    row("p5en.48xlarge", 192, 2_097_152, X86, gpus(8, "H200", 144_384), "acd"),
    row("p6-b200.48xlarge", 192, 2_097_152, X86, gpus(8, "B200", 183_359), "abd"),
    row("p6-b300.48xlarge", 192, 4_194_304, X86, gpus(8, "B300", 275_040), "ab"),
    row("inf1.xlarge", 4, 8192, X86, NONE, "abcd"),
    row("inf2.xlarge", 4, 16_384, X86, NONE, "abcd"),
    row("trn1.2xlarge", 8, 32_768, X86, NONE, "bd"),
    row("a1.large", 2, 4096, ARM, NONE, "ac"),
    row("mac1.metal", 12, 32_768, X86_MAC, NONE, "abcd"),
    row("mac2.metal", 8, 16_384, ARM_MAC, NONE, "abcd"),
];
