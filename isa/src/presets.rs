//! Named configurations: the boards of the public documentation, and small ones for tests.
//!
//! **Contract.** Every preset validates. Board names have short aliases without the vendor's name.
//! A name that ends in `f8`, and the V80 boards, have FP8 weights.
//! Stores of the boards follow their published capacities (cores x depth x block size squared weights).
//! **Errors.** [`IsaError::UnknownPreset`] lists the names.

use crate::config::{Fabric, HardwareConfig};
use crate::error::IsaError;

struct Preset {
    name: &'static str,
    aliases: &'static [&'static str],
    cores: u32,
    block: u32,
    weights: u32,
    fabric: Fabric,
    clock: u32,
}

const fn board(
    name: &'static str,
    aliases: &'static [&'static str],
    cores: u32,
    block: u32,
    weights: u32,
    fabric: Fabric,
    clock: u32,
) -> Preset {
    Preset {
        name,
        aliases,
        cores,
        block,
        weights,
        fabric,
        clock,
    }
}

const PRESETS: &[Preset] = &[
    board(
        "bittware_ia420f_c6b32",
        &["ia_420f_c6b32", "c6b32"],
        6,
        32,
        512,
        Fabric::Agilex,
        320,
    ),
    board(
        "bittware_ia840f_c3b64",
        &["ia_840f_c3b64", "c3b64"],
        3,
        64,
        512,
        Fabric::Agilex,
        320,
    ),
    board(
        "bittware_ia840f_c2b64d",
        &["ia_840f_c2b64d"],
        2,
        64,
        1024,
        Fabric::Agilex,
        320,
    ),
    board(
        "napatech_nt400d11_c6b32",
        &["nt400d11_c6b32"],
        6,
        32,
        512,
        Fabric::Agilex,
        320,
    ),
    board(
        "amd_v80_c6b32",
        &["v80_c6b32"],
        6,
        32,
        4096,
        Fabric::VersalSg2,
        300,
    ),
    board(
        "amd_v80ll_c6b32",
        &["v80ll_c6b32"],
        6,
        32,
        4096,
        Fabric::VersalSg3,
        330,
    ),
    board(
        "silicom_artena_c8b32",
        &["artena_c8b32"],
        8,
        32,
        4096,
        Fabric::VersalSg2,
        300,
    ),
    board("c1b4", &[], 1, 4, 128, Fabric::Generic, 100),
    board("c1b8", &[], 1, 8, 64, Fabric::Ecp5, 80),
    board("c2b8", &[], 2, 8, 128, Fabric::Ecp5, 80),
    board("c2b8f8", &[], 2, 8, 128, Fabric::Generic, 100),
];

/// Names of all presets, without aliases.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|p| p.name).collect()
}

/// The preset of that name or alias.
pub fn preset(name: &str) -> Result<HardwareConfig, IsaError> {
    let Some(p) = PRESETS
        .iter()
        .find(|p| p.name == name || p.aliases.contains(&name))
    else {
        let known = PRESETS
            .iter()
            .map(|p| p.name)
            .collect::<Vec<_>>()
            .join(", ");
        return Err(IsaError::UnknownPreset {
            name: name.into(),
            known,
        });
    };
    let mut c = HardwareConfig::new(p.name, p.cores, p.block);
    c.weight_store_depth = p.weights;
    c.fabric = p.fabric;
    c.clock_mhz = p.clock;
    c.fp8_weights = p.name.contains("_v80") || p.name.ends_with("f8");
    if p.weights > 1024 {
        c.instr_store_depth = 16384;
        c.tensor_ram_depth = 2048;
        c.const_store_depth = 2048;
    }
    if p.block < 16 {
        c.tensor_ram_depth = 128;
        c.const_store_depth = 64;
        c.instr_store_depth = 1024;
        c.accum_store_depth = 16;
        c.max_models = 8;
        c.select_fifo_depth = 8;
        c.output_fifo_depth = 64;
    }
    Ok(c)
}

/// The configuration of an IP core instance (generic board, IO in packets of one block).
pub fn ip_core(num_cores: u32, block_size: u32) -> Result<HardwareConfig, IsaError> {
    let c = HardwareConfig::new(
        format!("ip_core_c{num_cores}b{block_size}"),
        num_cores,
        block_size,
    );
    c.validate()?;
    Ok(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_validate_and_have_the_published_capacity() {
        for name in names() {
            preset(name).unwrap().validate().unwrap();
        }
        let capacity = |n: &str| preset(n).unwrap().weight_capacity();
        assert_eq!(capacity("ia_420f_c6b32"), 3_145_728);
        assert_eq!(capacity("ia_840f_c3b64"), 6_291_456);
        assert_eq!(capacity("ia_840f_c2b64d"), 8_388_608);
        assert_eq!(capacity("v80_c6b32"), 25_165_824);
        assert_eq!(capacity("artena_c8b32"), 33_554_432);
    }

    #[test]
    fn versal_boards_and_their_small_twin_have_fp8_weights() {
        let with: Vec<_> = names()
            .into_iter()
            .filter(|n| preset(n).unwrap().fp8_weights)
            .collect();
        assert_eq!(with, ["amd_v80_c6b32", "amd_v80ll_c6b32", "c2b8f8"]);
    }

    #[test]
    fn unknown_names_list_the_known() {
        let text = preset("c7b7").unwrap_err().to_string();
        assert!(
            text.contains("c7b7") && text.contains("bittware_ia420f_c6b32"),
            "{text}"
        );
    }
}
