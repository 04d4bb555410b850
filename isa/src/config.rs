//! Hardware configuration: everything the RTL's size depends on, and nothing else.
//!
//! | field | unit | limits |
//! |-------|------|--------|
//! | `num_cores` | cores | 1..=16 |
//! | `block_size` | values | 4, 8, 16, 32, 64 |
//! | `weight_store_depth` | blocks per core | 2..=8192 |
//! | `tensor_ram_depth` | blocks per bank | power of two, 4..=4096 |
//! | `accum_store_depth` | blocks per core | power of two, 2..=64 |
//! | `const_store_depth` | fp32 blocks per core | 2..=2048 |
//! | `clamp_store_depth` | entries per core | power of two, 2..=32 |
//! | `instr_store_depth` | ticks | 16..=65536 |
//! | `max_models` | models | power of two, 2..=256 |
//! | `select_fifo_depth` | beats | power of two, 2..=1024 |
//! | `output_fifo_depth` | beats | power of two, 4..=4096 |
//! | `exchange_stages` | cycles | 1 or 2 |
//! | `fp8_weights` | - | true: a weight store address may hold two blocks of FP8 weights |
//! | `clock_mhz` | MHz | 1..=2000 |
//!
//! **Contract.** A value of this type that went through [`HardwareConfig::validate`] can be generated, simulated and compiled for.
//! Saved as JSON with a format version; loading refuses newer versions and unknown fields. Version 1 had no `fp8_weights`: false.
//! **Errors.** [`IsaError::Config`] names the field, the value and the limit.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::IsaError;

/// Version of the JSON form.
pub const FORMAT_VERSION: u32 = 2;

/// FPGA family a configuration is meant for; decides the default clock, nothing in the RTL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fabric {
    /// Intel Agilex 7.
    Agilex,
    /// AMD Versal, speed grade 2.
    VersalSg2,
    /// AMD Versal, speed grade 3.
    VersalSg3,
    /// Lattice ECP5.
    Ecp5,
    /// No particular family.
    Generic,
}

impl Fabric {
    /// Clock a configuration of this family gets when none is given, MHz; `None` where there is no sensible default.
    pub const fn default_clock_mhz(self) -> Option<u32> {
        match self {
            Self::Agilex => Some(320),
            Self::VersalSg2 => Some(300),
            Self::VersalSg3 => Some(330),
            Self::Ecp5 => Some(80),
            Self::Generic => None,
        }
    }
}

/// One accelerator.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardwareConfig {
    /// Name, for messages and file names.
    pub name: String,
    /// Compute cores.
    pub num_cores: u32,
    /// Values in a block; a weight block is `block_size` x `block_size`.
    pub block_size: u32,
    /// Weight blocks per core.
    pub weight_store_depth: u32,
    /// Blocks per tensor bank; there is one bank per core and one for the input.
    pub tensor_ram_depth: u32,
    /// Accumulator blocks per core.
    pub accum_store_depth: u32,
    /// fp32 constant blocks per core.
    pub const_store_depth: u32,
    /// Clamp settings per core.
    pub clamp_store_depth: u32,
    /// Ticks of all models together.
    pub instr_store_depth: u32,
    /// Resident models.
    pub max_models: u32,
    /// Model-select beats that may wait.
    pub select_fifo_depth: u32,
    /// Output beats that may wait; a job's outputs must fit.
    pub output_fifo_depth: u32,
    /// Register stages between the exchange registers and the banks.
    pub exchange_stages: u32,
    /// The weight store also takes FP8 blocks, two at an address ([`crate::fp8`]).
    #[serde(default)]
    pub fp8_weights: bool,
    /// FPGA family.
    pub fabric: Fabric,
    /// Compute clock, MHz.
    pub clock_mhz: u32,
}

/// JSON envelope.
#[derive(Serialize, Deserialize)]
struct Envelope {
    format: String,
    format_version: u32,
    config: serde_json::Value,
}

impl HardwareConfig {
    /// A configuration of `num_cores` cores of `block_size` with the stores of the 32-wide product; not validated yet.
    pub fn new(name: impl Into<String>, num_cores: u32, block_size: u32) -> Self {
        Self {
            name: name.into(),
            num_cores,
            block_size,
            weight_store_depth: 512,
            tensor_ram_depth: 512,
            accum_store_depth: 64,
            const_store_depth: 512,
            clamp_store_depth: 16,
            instr_store_depth: 4096,
            max_models: 16,
            select_fifo_depth: 64,
            output_fifo_depth: 512,
            exchange_stages: 1,
            fp8_weights: false,
            fabric: Fabric::Agilex,
            clock_mhz: 320,
        }
    }

    /// Checks every field against its limits.
    pub fn validate(&self) -> Result<(), IsaError> {
        let err = |field, value: u32, limit: &str| {
            Err(IsaError::Config {
                config: self.name.clone(),
                field,
                value: value.to_string(),
                limit: limit.into(),
            })
        };
        let name_ok = !self.name.is_empty()
            && self.name.len() <= 64
            && self
                .name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !name_ok {
            return Err(IsaError::Config {
                config: self.name.clone(),
                field: "name",
                value: format!("{:?}", self.name),
                limit: "it must be 1 to 64 letters, digits and underscores (it names files and modules)".into(),
            });
        }
        let ranges: [(&'static str, u32, u32, u32); 13] = [
            ("num_cores", self.num_cores, 1, 16),
            ("block_size", self.block_size, 4, 64),
            ("weight_store_depth", self.weight_store_depth, 2, 8192),
            ("tensor_ram_depth", self.tensor_ram_depth, 4, 4096),
            ("accum_store_depth", self.accum_store_depth, 2, 64),
            ("const_store_depth", self.const_store_depth, 2, 2048),
            ("clamp_store_depth", self.clamp_store_depth, 2, 32),
            ("instr_store_depth", self.instr_store_depth, 16, 65536),
            ("max_models", self.max_models, 2, 256),
            ("select_fifo_depth", self.select_fifo_depth, 2, 1024),
            ("output_fifo_depth", self.output_fifo_depth, 4, 4096),
            ("exchange_stages", self.exchange_stages, 1, 2),
            ("clock_mhz", self.clock_mhz, 1, 2000),
        ];
        for (field, value, lo, hi) in ranges {
            if !(lo..=hi).contains(&value) {
                return err(field, value, &format!("it must be {lo} to {hi}"));
            }
        }
        let powers = [
            ("block_size", self.block_size),
            ("tensor_ram_depth", self.tensor_ram_depth),
            ("accum_store_depth", self.accum_store_depth),
            ("clamp_store_depth", self.clamp_store_depth),
            ("max_models", self.max_models),
            ("select_fifo_depth", self.select_fifo_depth),
            ("output_fifo_depth", self.output_fifo_depth),
        ];
        for (field, value) in powers {
            if !value.is_power_of_two() {
                return err(field, value, "it must be a power of two");
            }
        }
        Ok(())
    }

    /// Number of the input bank.
    pub const fn input_bank(&self) -> u32 {
        self.num_cores
    }

    /// Blocks of input one job may have: half of the input bank.
    pub const fn input_capacity(&self) -> u32 {
        self.tensor_ram_depth / 2
    }

    /// Values every input and output tensor is padded to.
    pub const fn io_size(&self) -> u32 {
        self.block_size
    }

    /// Weights the configuration can hold.
    pub const fn weight_capacity(&self) -> u64 {
        self.num_cores as u64
            * self.weight_store_depth as u64
            * (self.block_size as u64 * self.block_size as u64)
    }

    /// First difference to another configuration that matters to a program (name and clock do not).
    pub fn difference(&self, other: &Self) -> Option<String> {
        let a = serde_json::to_value(self).ok()?;
        let b = serde_json::to_value(other).ok()?;
        let (a, b) = (a.as_object()?, b.as_object()?);
        a.iter()
            .filter(|(k, _)| !matches!(k.as_str(), "name" | "clock_mhz" | "fabric"))
            .find(|(k, v)| b.get(*k) != Some(v))
            .map(|(k, v)| {
                format!(
                    "{k} is {v} in one and {} in the other",
                    b.get(k).unwrap_or(&serde_json::Value::Null)
                )
            })
    }

    /// JSON text with format version.
    pub fn to_json(&self) -> String {
        let envelope = Envelope {
            format: "sluice-config".into(),
            format_version: FORMAT_VERSION,
            config: serde_json::to_value(self).unwrap_or_default(),
        };
        let mut text = serde_json::to_string_pretty(&envelope).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads and validates the JSON form.
    pub fn from_json(text: &str) -> Result<Self, IsaError> {
        let corrupt = |why: String| IsaError::Corrupt {
            what: "configuration",
            why,
        };
        let envelope: Envelope = serde_json::from_str(text).map_err(|e| corrupt(e.to_string()))?;
        if envelope.format != "sluice-config" {
            return Err(corrupt(format!(
                "`format` is `{}`, not `sluice-config`",
                envelope.format
            )));
        }
        if envelope.format_version > FORMAT_VERSION {
            return Err(IsaError::Version {
                what: "configuration",
                found: envelope.format_version.to_string(),
                supported: FORMAT_VERSION,
                hint: "use the release that wrote it, or a newer one",
            });
        }
        let config: Self =
            serde_json::from_value(envelope.config).map_err(|e| corrupt(e.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Writes the JSON form.
    pub fn save(&self, path: &Path) -> Result<(), IsaError> {
        std::fs::write(path, self.to_json()).map_err(|e| IsaError::Io {
            path: path.display().to_string(),
            why: e.to_string(),
        })
    }

    /// Reads and validates a JSON file.
    pub fn load(path: &Path) -> Result<Self, IsaError> {
        let text = std::fs::read_to_string(path).map_err(|e| IsaError::Io {
            path: path.display().to_string(),
            why: e.to_string(),
        })?;
        Self::from_json(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_round_trip_and_version() {
        let c = HardwareConfig::new("c6b32", 6, 32);
        assert_eq!(HardwareConfig::from_json(&c.to_json()).unwrap(), c);
        let newer = c
            .to_json()
            .replace("\"format_version\": 2", "\"format_version\": 3");
        assert_eq!(
            HardwareConfig::from_json(&newer).unwrap_err().code(),
            "SL-I002"
        );
        let extra = c
            .to_json()
            .replace("\"num_cores\": 6", "\"num_cores\": 6, \"colour\": 1");
        assert!(
            HardwareConfig::from_json(&extra)
                .unwrap_err()
                .to_string()
                .contains("colour")
        );
        let first = c
            .to_json()
            .replace("\"format_version\": 2", "\"format_version\": 1")
            .replace("    \"fp8_weights\": false,\n", "");
        assert!(!first.contains("fp8"));
        assert_eq!(HardwareConfig::from_json(&first).unwrap(), c);
        let mut capable = c.clone();
        capable.fp8_weights = true;
        assert!(c.difference(&capable).unwrap().contains("fp8_weights"));
        assert_eq!(
            HardwareConfig::from_json(&capable.to_json()).unwrap(),
            capable
        );
        assert_eq!(
            HardwareConfig::from_json("{").unwrap_err().code(),
            "SL-I003"
        );
    }

    #[test]
    fn limits_are_named() {
        let bad = |f: fn(&mut HardwareConfig)| {
            let mut c = HardwareConfig::new("x", 6, 32);
            f(&mut c);
            c.validate().unwrap_err().to_string()
        };
        assert_eq!(
            bad(|c| c.num_cores = 0),
            "[SL-I001] configuration `x`: num_cores = 0, but it must be 1 to 16"
        );
        assert_eq!(
            bad(|c| c.block_size = 24),
            "[SL-I001] configuration `x`: block_size = 24, but it must be a power of two"
        );
        assert_eq!(
            bad(|c| c.exchange_stages = 3),
            "[SL-I001] configuration `x`: exchange_stages = 3, but it must be 1 to 2"
        );
        assert!(bad(|c| c.name = "a/b".into()).contains("name"));
    }
}
