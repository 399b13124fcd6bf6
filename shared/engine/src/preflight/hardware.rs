//! What EC2 says of the cluster's instance types: processors, memory, GPUs.

use super::zones::filter_by;
use crate::context::Context;
use crate::errors::{Called, Error, Result};
use aws_sdk_ec2::types::{ArchitectureType, GpuDeviceInfo, InstanceTypeInfo};
use std::collections::BTreeMap;
use wire::error::Code;
use wire::instances::{Architecture, Hardware};
use wire::spec::InstanceType;

/// By the names of the types. It does not say in which zones they are.
///
/// # Errors
/// `Customer` if the region has no such types.
pub async fn ask<'a>(cx: &Context, types: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, Hardware>> {
    let types: Vec<&str> = types.collect();
    if types.is_empty() {
        return Ok(BTreeMap::new());
    }
    let call = cx.aws.ec2.describe_instance_types().filters(filter_by("instance-type", types.iter().copied()));
    let pages = call.into_paginator().items().send();
    let found: Vec<InstanceTypeInfo> = pages.collect::<Result<_, _>>().await.called("ec2:DescribeInstanceTypes")?;
    let known: BTreeMap<String, Hardware> =
        found.iter().filter_map(|info| Some((info.instance_type()?.as_str().to_owned(), of(info)?))).collect();
    let missing: Vec<&str> = types.into_iter().filter(|name| !known.contains_key(*name)).collect();
    if missing.is_empty() { Ok(known) } else { Err(unknown(&cx.cluster.spec.region, &missing)) }
}

/// What a pod asks for has to be on each node of a group.
///
/// # Errors
/// `Customer` if alternatives have another architecture or number of GPUs.
pub fn check(wanted: &[InstanceType], hardware: &BTreeMap<String, Hardware>) -> Result<()> {
    let differ = |one: &InstanceType| -> Vec<String> {
        let Some(first) = hardware.get(&one.name) else { return vec![] };
        let same = |other: &Hardware| (other.architecture, other.gpus) == (first.architecture, first.gpus);
        let others = one.alternatives.iter().filter_map(|name| Some((name, hardware.get(name).filter(|other| !same(other))?)));
        others.map(|(name, other)| format!("{name} has {} and {} has {}", said(other), one.name, said(first))).collect()
    };
    let differ: Vec<String> = wanted.iter().flat_map(differ).collect();
    if differ.is_empty() {
        Ok(())
    } else {
        Err(Error::of(Code::AlternativesDiffer, format!("Alternatives differ: {}.", differ.join("; "))))
    }
}

fn said(hardware: &Hardware) -> String {
    let architecture = match hardware.architecture {
        Architecture::X86 => "x86_64",
        Architecture::Arm64 => "arm64",
    };
    format!("{} GPU(s) and {architecture}", hardware.gpus)
}

fn unknown(region: &str, missing: &[&str]) -> Error {
    Error::of(Code::InstanceTypeNotOffered, format!("{region} has no instance type {}.", missing.join(", ")))
}

/// Older types can run 32 bits, too.
fn of(info: &InstanceTypeInfo) -> Option<Hardware> {
    let is_arm = info.processor_info()?.supported_architectures().contains(&ArchitectureType::Arm64);
    Some(Hardware {
        architecture: if is_arm { Architecture::Arm64 } else { Architecture::X86 },
        vcpus: number(info.v_cpu_info()?.default_v_cpus()?),
        memory_mib: info.memory_info()?.size_in_mib()?.try_into().unwrap_or_default(),
        gpus: info.gpu_info().map(|gpus| gpus.gpus().iter().map(count).sum()).unwrap_or_default(),
    })
}

/// Of types with a part of a GPU, EC2 counts none, or says apart how many the operating system sees.
fn count(gpus: &GpuDeviceInfo) -> u32 {
    number(gpus.logical_gpu_count().or(gpus.count()).unwrap_or_default()).max(1)
}

fn number(count: i32) -> u32 {
    count.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{GpuInfo, MemoryInfo, ProcessorInfo, VCpuInfo};

    fn info(architectures: &[&str], gpus: &[GpuDeviceInfo]) -> InstanceTypeInfo {
        let architectures = architectures.iter().map(|name| ArchitectureType::from(*name)).collect();
        InstanceTypeInfo::builder()
            .processor_info(ProcessorInfo::builder().set_supported_architectures(Some(architectures)).build())
            .v_cpu_info(VCpuInfo::builder().default_v_cpus(4).build())
            .memory_info(MemoryInfo::builder().size_in_mib(16_384).build())
            .gpu_info(GpuInfo::builder().set_gpus(Some(gpus.to_vec())).build())
            .build()
    }

    #[test]
    fn architecture_and_gpus_are_as_a_pod_meets_them() {
        let gpus = |count| GpuDeviceInfo::builder().count(count).build();
        let parts = GpuDeviceInfo::builder().count(0).logical_gpu_count(2).build();
        for (info, architecture, count, reason) in [
            (info(&["x86_64"], &[]), Architecture::X86, 0, "none"),
            (info(&["i386", "x86_64"], &[gpus(4)]), Architecture::X86, 4, "several, on a processor that runs 32 bits, too"),
            (info(&["arm64"], &[gpus(1)]), Architecture::Arm64, 1, "on Graviton"),
            (info(&["x86_64"], &[gpus(0)]), Architecture::X86, 1, "a part of one"),
            (info(&["x86_64"], &[parts]), Architecture::X86, 2, "parts of one"),
        ] {
            let expected = Hardware { architecture, vcpus: 4, memory_mib: 16_384, gpus: count };
            assert_eq!(of(&info), Some(expected), "{reason}");
        }
    }

    #[test]
    fn alternatives_have_the_same_architecture_and_gpus() {
        let of = |architecture, gpus| Hardware { architecture, vcpus: 4, memory_mib: 16_384, gpus };
        let hardware =
            [("a", Architecture::X86, 1), ("b", Architecture::X86, 1), ("c", Architecture::X86, 4), ("d", Architecture::Arm64, 1)];
        let hardware = hardware.map(|(name, architecture, gpus)| (name.to_owned(), of(architecture, gpus))).into();
        for (alternatives, reason) in [
            (&["b"][..], ""),
            (&[], ""),
            (
                &["b", "c", "d"],
                "Alternatives differ: c has 4 GPU(s) and x86_64 and a has 1 GPU(s) and x86_64; d has 1 GPU(s) and arm64 and a has 1 GPU(s) and \
                 x86_64.",
            ),
        ] {
            let wanted = serde_json::json!([{"name": "a", "capacity": "spot", "alternatives": alternatives}]);
            let wanted: Vec<InstanceType> = serde_json::from_value(wanted).expect("types");
            let found = check(&wanted, &hardware).err().map(|error| error.reason).unwrap_or_default();
            assert_eq!(found, reason);
        }
    }
}
