//! `Config`: the accelerator a program is compiled for.
//!
//! **Contract.** Immutable and always valid. Preset functions return equal configurations for a name and its deprecated alias.
//! **Errors.** `ValueError` names the field, the value and the limit; `SaveError` and `OSError` for files.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use sluice_isa::config::FORMAT_VERSION;
use sluice_isa::{Fabric, HardwareConfig, presets};

use crate::errors::{SaveError, guard, isa};

/// An accelerator: cores, block size, stores, clock.
#[pyclass(module = "vollo_compiler", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Config(pub HardwareConfig);

const FABRICS: [(&str, Fabric); 5] = [
    ("agilex", Fabric::Agilex),
    ("versal-sg2", Fabric::VersalSg2),
    ("versal-sg3", Fabric::VersalSg3),
    ("ecp5", Fabric::Ecp5),
    ("generic", Fabric::Generic),
];

fn fabric(name: &str) -> PyResult<Fabric> {
    let plain = name.to_lowercase().replace([' ', '_'], "-");
    FABRICS
        .iter()
        .find(|(known, _)| *known == plain)
        .map(|&(_, fabric)| fabric)
        .ok_or_else(|| {
            let known: Vec<_> = FABRICS.iter().map(|(name, _)| *name).collect();
            PyValueError::new_err(format!(
                "fabric = '{name}', but it must be one of {}",
                known.join(", ")
            ))
        })
}

fn named(name: &str) -> PyResult<Config> {
    guard(|| presets::preset(name).map(Config).map_err(isa))
}

macro_rules! presets {
    ($($function:ident, $name:literal, $text:literal;)*) => {
        #[pymethods]
        impl Config {
            $(
                #[doc = $text]
                #[staticmethod]
                fn $function() -> PyResult<Self> {
                    named($name)
                }
            )*
        }
    };
}

presets! {
    bittware_ia420f_c6b32, "bittware_ia420f_c6b32", "6 cores of block size 32 on an IA-420F.";
    ia_420f_c6b32, "bittware_ia420f_c6b32", "Deprecated name of `bittware_ia420f_c6b32`.";
    bittware_ia840f_c3b64, "bittware_ia840f_c3b64", "3 cores of block size 64 on an IA-840F.";
    ia_840f_c3b64, "bittware_ia840f_c3b64", "Deprecated name of `bittware_ia840f_c3b64`.";
    bittware_ia840f_c2b64d, "bittware_ia840f_c2b64d", "2 cores of block size 64 with deep weight stores on an IA-840F.";
    ia_840f_c2b64d, "bittware_ia840f_c2b64d", "Deprecated name of `bittware_ia840f_c2b64d`.";
    napatech_nt400d11_c6b32, "napatech_nt400d11_c6b32", "6 cores of block size 32 on a Napatech NT400D11.";
    nt400d11_c6b32, "napatech_nt400d11_c6b32", "Deprecated name of `napatech_nt400d11_c6b32`.";
    amd_v80_c6b32, "amd_v80_c6b32", "6 cores of block size 32 on an AMD V80.";
    v80_c6b32, "amd_v80_c6b32", "Deprecated name of `amd_v80_c6b32`.";
    amd_v80ll_c6b32, "amd_v80ll_c6b32", "6 cores of block size 32 on an AMD V80LL.";
    v80ll_c6b32, "amd_v80ll_c6b32", "Deprecated name of `amd_v80ll_c6b32`.";
    silicom_artena_c8b32, "silicom_artena_c8b32", "8 cores of block size 32 on a Silicom Artena.";
    artena_c8b32, "silicom_artena_c8b32", "Deprecated name of `silicom_artena_c8b32`.";
}

#[pymethods]
impl Config {
    /// A configuration; what is not given is as in the 32-wide product. The clock follows the fabric.
    #[new]
    #[pyo3(signature = (
        num_cores, block_size, *, fabric="agilex", clock_mhz=None, name=None, tensor_ram_depth=None, weight_store_depth=None,
        accum_store_depth=None, const_store_depth=None, clamp_store_depth=None, instr_store_depth=None, max_models=None,
        select_fifo_depth=None, output_fifo_depth=None, exchange_stages=None, fp8_weights=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "the public signature")]
    fn new(
        num_cores: u32,
        block_size: u32,
        fabric: &str,
        clock_mhz: Option<u32>,
        name: Option<String>,
        tensor_ram_depth: Option<u32>,
        weight_store_depth: Option<u32>,
        accum_store_depth: Option<u32>,
        const_store_depth: Option<u32>,
        clamp_store_depth: Option<u32>,
        instr_store_depth: Option<u32>,
        max_models: Option<u32>,
        select_fifo_depth: Option<u32>,
        output_fifo_depth: Option<u32>,
        exchange_stages: Option<u32>,
        fp8_weights: bool,
    ) -> PyResult<Self> {
        guard(|| {
            let name = name.unwrap_or_else(|| format!("c{num_cores}b{block_size}"));
            let mut c = HardwareConfig::new(name, num_cores, block_size);
            c.fabric = self::fabric(fabric)?;
            c.clock_mhz = clock_mhz.or(c.fabric.default_clock_mhz()).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "fabric '{fabric}' has no clock of its own; give clock_mhz"
                ))
            })?;
            for (field, value) in [
                (&mut c.tensor_ram_depth, tensor_ram_depth),
                (&mut c.weight_store_depth, weight_store_depth),
                (&mut c.accum_store_depth, accum_store_depth),
                (&mut c.const_store_depth, const_store_depth),
                (&mut c.clamp_store_depth, clamp_store_depth),
                (&mut c.instr_store_depth, instr_store_depth),
                (&mut c.max_models, max_models),
                (&mut c.select_fifo_depth, select_fifo_depth),
                (&mut c.output_fifo_depth, output_fifo_depth),
                (&mut c.exchange_stages, exchange_stages),
            ] {
                *field = value.unwrap_or(*field);
            }
            c.fp8_weights = fp8_weights;
            c.validate().map_err(isa)?;
            Ok(Self(c))
        })
    }

    /// The accelerator of `silicom_artena_c8b32`: this machine has no smaller one for LSTM models alone.
    #[staticmethod]
    fn silicom_artena_c8b32lstm() -> PyResult<Self> {
        let mut c = named("silicom_artena_c8b32")?;
        c.0.name = "silicom_artena_c8b32lstm".into();
        Ok(c)
    }

    /// Deprecated name of `silicom_artena_c8b32lstm`.
    #[staticmethod]
    fn artena_c8b32lstm() -> PyResult<Self> {
        Self::silicom_artena_c8b32lstm()
    }

    /// The core to build into a design of one's own.
    #[staticmethod]
    fn ip_core(num_cores: u32, block_size: u32) -> PyResult<Self> {
        guard(|| {
            presets::ip_core(num_cores, block_size)
                .map(Self)
                .map_err(isa)
        })
    }

    /// A preset by name, the small ones for tests (c1b4, c1b8, c2b8, c2b8f8) included.
    #[staticmethod]
    fn preset(name: &str) -> PyResult<Self> {
        named(name)
    }

    /// Names of all presets.
    #[staticmethod]
    fn presets() -> Vec<&'static str> {
        presets::names()
    }

    /// Reads a configuration file.
    #[staticmethod]
    #[pyo3(signature = (json_path, check_version_matches=true))]
    fn load(json_path: PathBuf, check_version_matches: bool) -> PyResult<Self> {
        guard(|| {
            let text = std::fs::read_to_string(&json_path)
                .map_err(|e| crate::errors::os(&json_path, &e))?;
            let text = if check_version_matches {
                text
            } else {
                any_version(&text)
            };
            HardwareConfig::from_json(&text)
                .map(Self)
                .map_err(|e| PyValueError::new_err(format!("{}: {e}", json_path.display())))
        })
    }

    /// Writes a configuration file.
    fn save(&self, json_path: PathBuf) -> PyResult<()> {
        guard(|| {
            self.0
                .save(&json_path)
                .map_err(|e| SaveError::new_err(e.to_string()))
        })
    }

    /// Compute cores.
    #[getter]
    fn num_cores(&self) -> u32 {
        self.0.num_cores
    }

    /// Values in a block.
    #[getter]
    fn block_size(&self) -> u32 {
        self.0.block_size
    }

    /// Blocks of activation memory, per core.
    #[getter]
    fn tensor_ram_depth(&self) -> u32 {
        self.0.tensor_ram_depth
    }

    /// Tensor blocks a core can name: those of every bank.
    #[getter]
    fn tensor_descriptor_count(&self) -> u32 {
        (self.0.num_cores + 1) * self.0.tensor_ram_depth
    }

    /// Weight blocks, per core.
    #[getter]
    fn weight_store_depth(&self) -> u32 {
        self.0.weight_store_depth
    }

    /// Accumulator blocks, per core.
    #[getter]
    fn accum_store_depth(&self) -> u32 {
        self.0.accum_store_depth
    }

    /// Blocks of state, per core: state lives in the tensor RAM.
    #[getter]
    fn cell_state_depth(&self) -> u32 {
        self.0.tensor_ram_depth
    }

    /// Clamp settings, per core.
    #[getter]
    fn clamp_store_depth(&self) -> u32 {
        self.0.clamp_store_depth
    }

    /// Constant blocks, per core.
    #[getter]
    fn const_store_depth(&self) -> u32 {
        self.0.const_store_depth
    }

    /// Ticks of all models together.
    #[getter]
    fn instr_store_depth(&self) -> u32 {
        self.0.instr_store_depth
    }

    /// Models a program can hold.
    #[getter]
    fn max_models(&self) -> u32 {
        self.0.max_models
    }

    /// Blocks one instruction reads.
    #[getter]
    #[expect(clippy::unused_self, reason = "a property of Python's")]
    fn max_read_size(&self) -> u32 {
        1
    }

    /// Values every input and output is padded to.
    #[getter]
    fn io_size(&self) -> u32 {
        self.0.io_size()
    }

    /// FPGA family.
    #[getter]
    fn fabric(&self) -> &'static str {
        FABRICS
            .iter()
            .find(|(_, f)| *f == self.0.fabric)
            .map_or("generic", |(name, _)| name)
    }

    /// Compute clock, MHz.
    #[getter]
    fn clock_mhz(&self) -> u32 {
        self.0.clock_mhz
    }

    /// Name of the configuration.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// A weight store address may hold two blocks of FP8 weights.
    #[getter]
    fn fp8_weights(&self) -> bool {
        self.0.fp8_weights
    }

    /// Weights all cores hold together; twice as many FP8 weights.
    #[getter]
    fn weight_capacity(&self) -> u64 {
        self.0.weight_capacity()
    }

    fn __repr__(&self) -> String {
        let c = &self.0;
        format!(
            "<Config '{}': {} cores of block size {}, {} MHz>",
            c.name, c.num_cores, c.block_size, c.clock_mhz
        )
    }
}

/// The same text with this build's format version, whatever version wrote it.
fn any_version(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(text) else {
        return text.to_owned();
    };
    if let Some(version) = value.get_mut("format_version") {
        *version = FORMAT_VERSION.into();
    }
    value.to_string()
}
