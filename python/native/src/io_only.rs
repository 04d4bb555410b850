//! Programs that only move data: what the streams cost without any compute.
//!
//! **Contract.** A job waits for its last input beat, then sends its output beats, one per tick; they repeat the job's input. Cycle
//! figures are counted by the VM. **Errors.** A signature that does not fit the streams' memories.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use sluice_isa::{
    ControlWord, CoreImage, HardwareConfig, MatrixWord, ModelInfo, Program, TensorInfo, VectorWord,
};
use sluice_sim::Vm;
use std::sync::Arc;

use crate::errors::{AllocationError, internal, isa, sim};

/// A model's signature.
pub struct Signature {
    pub name: String,
    pub inputs: Vec<TensorInfo>,
    pub outputs: Vec<TensorInfo>,
}

impl Signature {
    /// One input and one output vector.
    pub fn vectors(input_values: usize, output_values: usize) -> PyResult<Self> {
        let tensor = |name: &str, values: usize| {
            if values == 0 {
                return Err(PyValueError::new_err(format!(
                    "{name}_values = 0, but it must be at least 1"
                )));
            }
            Ok(vec![TensorInfo {
                name: name.into(),
                shape: vec![values],
                data_dim: 0,
                streaming_dim: None,
                format: sluice_isa::NumberFormat::Bf16,
            }])
        };
        Ok(Self {
            name: "io_only".into(),
            inputs: tensor("input", input_values)?,
            outputs: tensor("output", output_values)?,
        })
    }
}

fn fit(what: &str, model: &str, need: usize, capacity: u32) -> PyResult<u32> {
    u32::try_from(need)
        .ok()
        .filter(|&n| n <= capacity)
        .ok_or_else(|| {
            AllocationError::new_err(format!(
                "model '{model}': its {what} takes {need} blocks, the configuration has room for {capacity}"
            ))
        })
}

/// A program of such models.
pub fn program(config: &HardwareConfig, signatures: Vec<Signature>) -> PyResult<Program> {
    let block = config.block_size as usize;
    let mut control = vec![];
    let mut models = vec![];
    for s in signatures {
        let beats = |ts: &[TensorInfo]| ts.iter().map(|t| t.beats(block)).sum::<usize>();
        let n_in = fit("input", &s.name, beats(&s.inputs), config.input_capacity())?;
        let n_out = fit(
            "output",
            &s.name,
            beats(&s.outputs),
            config.output_fifo_depth,
        )?;
        let entry_pc = fit("schedule", &s.name, control.len(), config.instr_store_depth)?;
        // The tick that takes the last beat sends the first one.
        for _ in 1..n_in {
            control.push(ControlWord {
                beat: true,
                ..ControlWord::default()
            });
        }
        let mut at = 0;
        for tensor in &s.outputs {
            let count = tensor.beats(block);
            for (i, lanes) in tensor.layout(block).into_iter().enumerate() {
                let used = lanes.iter().filter(|l| l.is_some()).count();
                control.push(ControlWord {
                    last: at + 1 == n_out,
                    beat: at == 0,
                    out_valid: true,
                    out_last: i + 1 == count,
                    out_bank: config.input_bank(),
                    out_addr: at % n_in,
                    out_lanes: u32::try_from(used).unwrap_or(config.block_size),
                });
                at += 1;
            }
        }
        models.push(ModelInfo {
            name: s.name,
            entry_pc,
            ticks: n_in - 1 + n_out,
            init_pc: None,
            resettable: false,
            inputs: s.inputs,
            outputs: s.outputs,
            n_in,
            n_out,
            cycles_spaced: 0,
            cycles_contiguous: 0,
            parameters: 0,
            weight_blocks: 0,
        });
    }
    let idle = CoreImage {
        matrix: vec![MatrixWord::default(); control.len()],
        vector: vec![VectorWord::default(); control.len()],
        ..CoreImage::default()
    };
    let mut program = Program {
        config: config.clone(),
        models,
        control,
        cores: vec![idle; config.num_cores as usize],
    };
    program.validate().map_err(isa)?;
    let vm = Vm::new(Arc::new(program.clone())).map_err(sim)?;
    let narrow = |cycles: u64| u32::try_from(cycles).map_err(|e| internal(&e.to_string()));
    for (i, model) in program.models.iter_mut().enumerate() {
        model.cycles_spaced = narrow(vm.spaced(i).map_err(sim)?)?;
        model.cycles_contiguous = narrow(vm.contiguous(i).map_err(sim)?)?;
    }
    Ok(program)
}
