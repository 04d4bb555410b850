//! `Metrics`: what a program takes of its configuration.
//!
//! | figure | unit |
//! |--------|------|
//! | `input_bytes`, `output_bytes` | bytes of one inference on the streams, padding included |
//! | `num_instrs` | ticks in which a core does something |
//! | `num_micro_instructions` | operations of its matrix and vector unit in them |
//! | `weight_store_*`, `tensor_ram_*`, `const_store_*` | blocks |
//! | `clamp_store_*` | entries |
//!
//! **Contract.** `*_used` and counts have one entry per core, `*_depth` is what every core has. **Errors.** None.

use std::collections::BTreeSet;

use pyo3::prelude::*;
use sluice_isa::{CoreImage, Format, MatrixKind, Program, TensorInfo};

/// Static resource figures of a program.
#[pyclass(module = "vollo_compiler", frozen, get_all)]
pub struct Metrics {
    model_names: Vec<Option<String>>,
    input_bytes: Vec<u64>,
    output_bytes: Vec<u64>,
    num_instrs: Vec<usize>,
    num_micro_instructions: Vec<usize>,
    weight_store_used: Vec<usize>,
    weight_store_depth: u32,
    tensor_ram_used: Vec<usize>,
    tensor_ram_depth: u32,
    clamp_store_used: Vec<usize>,
    clamp_store_depth: u32,
    const_store_used: Vec<usize>,
    const_store_depth: u32,
}

/// Blocks of its own bank a core ever writes.
fn blocks_written(core: &CoreImage) -> usize {
    let writes = core.vector.iter().filter(|v| v.valid);
    writes
        .flat_map(|v| {
            let second = (v.format == Format::Planes).then_some(v.dst_addr + 1);
            std::iter::once(v.dst_addr).chain(second)
        })
        .collect::<BTreeSet<_>>()
        .len()
}

impl Metrics {
    pub fn of(program: &Program) -> Self {
        let c = &program.config;
        let block = c.block_size as usize;
        let bytes = |tensors: &[TensorInfo]| {
            tensors
                .iter()
                .map(|t| (t.beats(block) * block * size_of::<u16>()) as u64)
                .sum()
        };
        let per_core =
            |f: fn(&CoreImage) -> usize| program.cores.iter().map(f).collect::<Vec<usize>>();
        let works = |kind: MatrixKind| kind != MatrixKind::None;
        Self {
            model_names: program
                .models
                .iter()
                .map(|m| Some(m.name.clone()))
                .collect(),
            input_bytes: program.models.iter().map(|m| bytes(&m.inputs)).collect(),
            output_bytes: program.models.iter().map(|m| bytes(&m.outputs)).collect(),
            num_instrs: program
                .cores
                .iter()
                .map(|core| {
                    let words = core.matrix.iter().zip(&core.vector);
                    words.filter(|(m, v)| works(m.kind) || v.valid).count()
                })
                .collect(),
            num_micro_instructions: program
                .cores
                .iter()
                .map(|core| {
                    core.matrix.iter().filter(|m| works(m.kind)).count()
                        + core.vector.iter().filter(|v| v.valid).count()
                })
                .collect(),
            weight_store_used: per_core(sluice_isa::CoreImage::weight_addresses),
            weight_store_depth: c.weight_store_depth,
            tensor_ram_used: per_core(blocks_written),
            tensor_ram_depth: c.tensor_ram_depth,
            clamp_store_used: per_core(|core| core.clamps.len()),
            clamp_store_depth: c.clamp_store_depth,
            const_store_used: per_core(|core| core.constants.len()),
            const_store_depth: c.const_store_depth,
        }
    }
}

#[pymethods]
impl Metrics {
    fn __repr__(&self) -> String {
        format!(
            "Metrics(model_names={:?}, input_bytes={:?}, output_bytes={:?}, num_instrs={:?}, num_micro_instructions={:?}, \
             weight_store_used={:?} of {}, tensor_ram_used={:?} of {}, clamp_store_used={:?} of {}, const_store_used={:?} of {})",
            self.model_names.iter().flatten().collect::<Vec<_>>(),
            self.input_bytes,
            self.output_bytes,
            self.num_instrs,
            self.num_micro_instructions,
            self.weight_store_used,
            self.weight_store_depth,
            self.tensor_ram_used,
            self.tensor_ram_depth,
            self.clamp_store_used,
            self.clamp_store_depth,
            self.const_store_used,
            self.const_store_depth,
        )
    }
}
