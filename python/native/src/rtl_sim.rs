//! `RtlSim`: programs on the Verilated RTL.
//!
//! | phase of a run | pins |
//! |----------------|------|
//! | select | the model, then nothing until all that needs no input is done and the pipelines are empty |
//! | input | one beat per cycle as the accelerator takes them; the sink is always ready |
//! | end | the last output beat and the job's end have been seen, and the pipelines are empty |
//!
//! **Contract.** A run is isolated, as the VM's: same bits, same cycles. The model of a configuration is built once (seconds to
//! minutes) and found in the cache afterwards. **Errors.** `RtlSimError`: missing tools and how to get them, failed assertions, a
//! run that does not end.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use sluice_isa::{Program, SELECT_RESET};
use sluice_sim::Pins;
use sluice_sim::machine::DRAIN;
use sluice_suite::{Device as _, Sample, SuiteError};
use sluice_verilator_tests::{RtlDevice, RtlExecutor};

use crate::errors::RtlSimError;
use crate::long;
use crate::session::Session;

/// The Verilated RTL with a program loaded; its state persists from run to run.
#[pyclass(module = "vollo_compiler")]
pub struct RtlSim(pub Session);

crate::vm::session_methods!(RtlSim);

/// What the suite says.
pub fn failure(error: &SuiteError) -> PyErr {
    RtlSimError::new_err(error.to_string())
}

/// One instance of the RTL.
pub struct Rtl {
    device: Mutex<RtlDevice>,
    program: Arc<Program>,
    initialised: Vec<bool>,
}

impl Rtl {
    /// Builds the RTL of the program's configuration (or finds it in the cache) and loads the program.
    pub fn new(py: Python<'_>, program: &Arc<Program>, seed: u32) -> PyResult<Self> {
        let image = Arc::clone(program);
        let what = format!("building the RTL of {}", program.config.name);
        let device = long::run(py, &what, move || {
            RtlExecutor::new(&image.config)?.loaded(&image, seed)
        })?;
        Ok(Self {
            device: Mutex::new(device.map_err(|e| failure(&e))?),
            program: Arc::clone(program),
            initialised: vec![false; program.models.len()],
        })
    }

    /// Returns every model to its initial state.
    pub fn reset(&mut self) -> Result<(), SuiteError> {
        self.initialised.fill(false);
        lock(&mut self.device).reset()
    }

    /// Returns one model to its initial state, by a select beat.
    pub fn reset_model(&mut self, index: usize) -> Result<(), SuiteError> {
        self.initialised[index] = false;
        let device = lock(&mut self.device);
        let mut sample = Sample::default();
        let pins = Pins {
            select_valid: true,
            select_data: u16::try_from(index).unwrap_or(u16::MAX) | SELECT_RESET,
            output_ready: true,
            enable: true,
            ..Pins::default()
        };
        // Nothing runs and the FIFO is empty: the beat is taken at once, and in order with the next job's.
        device.step(&pins, &mut sample)?;
        if sample.select_ready {
            return Ok(());
        }
        Err(SuiteError::Device {
            device: "the RTL".into(),
            why: "an idle accelerator takes no select beat".into(),
        })
    }

    /// One inference; returns outputs and cycles.
    pub fn run(
        &mut self,
        index: usize,
        inputs: &[&[u16]],
    ) -> Result<(Vec<Vec<f32>>, u64), SuiteError> {
        let m = &self.program.models[index];
        let block = self.program.config.block_size as usize;
        let device = lock(&mut self.device);
        let beats: Vec<Vec<u16>> = m
            .inputs
            .iter()
            .zip(inputs)
            .flat_map(|(t, words)| t.layout(block).into_iter().zip(std::iter::repeat(words)))
            .map(|(lanes, words)| {
                let lane = |l: Option<usize>| l.and_then(|i| words.get(i)).copied().unwrap_or(0);
                lanes.into_iter().map(lane).collect()
            })
            .collect();
        let init = match (m.init_pc, self.initialised[index]) {
            (Some(_), false) => self.program.control.len() as u64,
            _ => 0,
        };
        let ahead = init + u64::from(m.ticks) + DRAIN;
        let n_out = m.n_out as usize;
        let limit = 2 * ahead + 8 * (u64::from(m.n_in) + u64::from(m.n_out)) + 1024;
        let (mut selected, mut ended) = (None, None);
        let (mut first_input, mut last_output) = (None, 0);
        let (mut taken, mut jobs) = (0, None);
        let mut output = Vec::with_capacity(n_out);
        let mut sample = Sample::default();
        for cycle in 0.. {
            if ended.is_some_and(|end| cycle > end + DRAIN) {
                break;
            }
            if cycle > limit {
                return Err(SuiteError::Stuck {
                    device: "the RTL".into(),
                    cycle,
                    beats: output.len(),
                    expected: n_out,
                });
            }
            let offer = selected.is_some_and(|at| cycle > at + ahead);
            let pins = Pins {
                select_valid: selected.is_none(),
                select_data: u16::try_from(index).unwrap_or(u16::MAX),
                input_valid: offer && taken < beats.len(),
                input_data: beats.get(taken).map_or(&[], Vec::as_slice),
                output_ready: true,
                enable: true,
                reset: false,
            };
            device.step(&pins, &mut sample)?;
            let before = *jobs.get_or_insert(sample.status.jobs_done);
            if pins.select_valid && sample.select_ready {
                selected = Some(cycle);
            }
            if pins.input_valid && sample.input_ready {
                taken += 1;
                first_input.get_or_insert(cycle);
            }
            if sample.output_valid {
                output.push(std::mem::take(&mut sample.output_data));
                last_output = cycle;
            }
            if output.len() >= n_out && sample.status.jobs_done != before {
                ended.get_or_insert(cycle);
            }
        }
        if output.len() != n_out {
            return Err(SuiteError::Device {
                device: "the RTL".into(),
                why: format!("{} output beats came, {n_out} were expected", output.len()),
            });
        }
        self.initialised[index] = true;
        let mut rows = output.iter();
        let outputs = m
            .outputs
            .iter()
            .map(|t| {
                let mut words = vec![0; t.num_words()];
                for (lanes, row) in t.layout(block).into_iter().zip(rows.by_ref()) {
                    for (lane, &word) in lanes.into_iter().zip(row) {
                        if let Some(place) = lane.and_then(|i| words.get_mut(i)) {
                            *place = word;
                        }
                    }
                }
                t.values(&words)
            })
            .collect();
        Ok((
            outputs,
            last_output + 1 - first_input.unwrap_or(last_output),
        ))
    }
}

fn lock(device: &mut Mutex<RtlDevice>) -> &mut RtlDevice {
    device
        .get_mut()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
