//! One inference at a time: tensors in, tensors and cycle counts out.
//!
//! | value | shape | type |
//! |-------|-------|------|
//! | inputs | one slice per input tensor, row-major | `f32`, or words of 16 bits |
//! | outputs | one vector per output tensor, row-major | `f32`, and the words of 16 bits |
//! | cycles | | `u64`, compute clock |
//!
//! Words are bf16, or both halves of an fp32 value, the upper one first ([`TensorInfo::words`]); fp32 tensors are never rounded.
//!
//! **Contract.** The state of every model persists between runs; [`Vm::reset`] returns all of them to their initial state,
//! [`Vm::reset_model`] one that was compiled for it. A run is
//! isolated: its select beat comes early, everything that needs no input is done before the first input beat, and the sink is always
//! ready. So [`JobCycles::spaced`] is the spaced latency of the model, except in its first run (initialisation) where it is equal too,
//! because the initialisation also precedes the input.
//! **Errors.** [`SimError`]: model index, number and sizes of inputs, faults of the program.

use std::sync::Arc;

use sluice_isa::float::{f32_to_bf16, f32_to_bf16_truncate};
use sluice_isa::{Program, SELECT_RESET, TensorInfo};

use crate::error::SimError;
use crate::machine::{Machine, Pins};

/// How `f32` inputs become bf16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rounding {
    /// To nearest, ties to even.
    #[default]
    NearestEven,
    /// Lower half cut off.
    Truncate,
}

/// Cycle numbers of one job, counted by the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCycles {
    /// First input beat accepted.
    pub first_input: u64,
    /// Last input beat accepted.
    pub last_input: u64,
    /// First output beat taken.
    pub first_output: u64,
    /// Last output beat taken.
    pub last_output: u64,
    /// `last_output - first_input + 1`.
    pub spaced: u64,
}

/// Result of one inference.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Output tensors, row-major.
    pub outputs: Vec<Vec<f32>>,
    /// The same as words.
    pub words: Vec<Vec<u16>>,
    /// When it happened.
    pub cycles: JobCycles,
}

/// No element: padding of a beat.
const PAD: u32 = u32::MAX;

#[derive(Debug, Clone)]
struct Interface {
    inputs: Vec<Vec<u32>>,
    outputs: Vec<Vec<u32>>,
}

/// The simulator with a program loaded.
#[derive(Debug, Clone)]
pub struct Vm {
    machine: Machine,
    interfaces: Vec<Interface>,
    rounding: Rounding,
    /// Input and output beats of a run, reused.
    input: Vec<u16>,
    output: Vec<u16>,
}

impl Vm {
    /// A simulator of the program's own configuration.
    pub fn new(program: Arc<Program>) -> Result<Self, SimError> {
        let machine = Machine::new(program)?;
        let b = machine.program().config.block_size as usize;
        let tensors = |ts: &[TensorInfo]| {
            ts.iter()
                .map(|t| {
                    t.layout(b)
                        .into_iter()
                        .flatten()
                        .map(|i| i.and_then(|i| u32::try_from(i).ok()).unwrap_or(PAD))
                        .collect()
                })
                .collect()
        };
        let interfaces = machine
            .program()
            .models
            .iter()
            .map(|m| Interface {
                inputs: tensors(&m.inputs),
                outputs: tensors(&m.outputs),
            })
            .collect();
        Ok(Self {
            machine,
            interfaces,
            rounding: Rounding::default(),
            input: Vec::new(),
            output: Vec::new(),
        })
    }

    /// Chooses how `f32` inputs become bf16.
    pub const fn set_rounding(&mut self, rounding: Rounding) {
        self.rounding = rounding;
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        self.machine.program()
    }

    /// The machine, for cycle-level work.
    pub const fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Returns every model to its initial state.
    pub fn reset(&mut self) -> Result<(), SimError> {
        let pins = Pins {
            reset: true,
            ..Pins::default()
        };
        self.machine.step(&pins)?;
        Ok(())
    }

    /// Returns one model to its initial state before its next job, by a select beat; the others keep theirs.
    pub fn reset_model(&mut self, model: usize) -> Result<(), SimError> {
        self.check_index(model)?;
        let info = &self.machine.program().models[model];
        if !info.resettable {
            return Err(SimError::NotResettable {
                model: info.name.clone(),
            });
        }
        let mut pins = Pins {
            select_valid: true,
            select_data: u16::try_from(model).unwrap_or(u16::MAX) | SELECT_RESET,
            output_ready: true,
            enable: true,
            ..Pins::default()
        };
        let limit = self.machine.cycle() + patience(&self.machine);
        while pins.select_valid || !self.machine.dispatcher().idle() {
            let cycle = self.machine.cycle();
            if cycle > limit {
                return Err(SimError::Stuck {
                    model: self.machine.program().models[model].name.clone(),
                    cycle,
                    what: "its reset has not been taken".into(),
                });
            }
            if self.machine.step(&pins)?.select_ready {
                pins.select_valid = false;
            }
        }
        Ok(())
    }

    /// One inference with `f32` tensors.
    pub fn run(&mut self, model: usize, inputs: &[&[f32]]) -> Result<Run, SimError> {
        let round = match self.rounding {
            Rounding::NearestEven => f32_to_bf16,
            Rounding::Truncate => f32_to_bf16_truncate,
        };
        self.check(
            model,
            inputs.iter().map(|x| x.len()),
            TensorInfo::num_elements,
        )?;
        let infos = &self.machine.program().models[model].inputs;
        let words: Vec<Vec<u16>> = infos
            .iter()
            .zip(inputs)
            .map(|(t, x)| t.words_with(x, round))
            .collect();
        let refs: Vec<&[u16]> = words.iter().map(Vec::as_slice).collect();
        self.run_words(model, &refs)
    }

    /// One inference with words.
    pub fn run_words(&mut self, model: usize, inputs: &[&[u16]]) -> Result<Run, SimError> {
        self.check(model, inputs.iter().map(|x| x.len()), TensorInfo::num_words)?;
        let b = self.machine.program().config.block_size as usize;
        self.input.clear();
        for (layout, x) in self.interfaces[model].inputs.iter().zip(inputs) {
            self.input.extend(
                layout
                    .iter()
                    .map(|&i| x.get(i as usize).copied().unwrap_or(0)),
            );
        }
        let cycles = match run_job(&mut self.machine, model, &self.input, &mut self.output) {
            Ok(cycles) => cycles,
            Err(fault) => {
                // The job cannot be continued; leave a machine that can start another one.
                self.machine.restart();
                return Err(fault);
            }
        };
        let info = &self.machine.program().models[model];
        let mut beats = self.output.as_slice();
        let mut words = Vec::with_capacity(info.outputs.len());
        for (layout, t) in self.interfaces[model].outputs.iter().zip(&info.outputs) {
            let (mine, rest) = beats.split_at(layout.len().next_multiple_of(b).min(beats.len()));
            beats = rest;
            let mut tensor = vec![0u16; t.num_words()];
            for (&i, &w) in layout.iter().zip(mine) {
                if let Some(slot) = tensor.get_mut(i as usize) {
                    *slot = w;
                }
            }
            words.push(tensor);
        }
        Ok(Run {
            outputs: info
                .outputs
                .iter()
                .zip(&words)
                .map(|(t, w)| t.values(w))
                .collect(),
            words,
            cycles,
        })
    }

    /// Cycles from the first accepted input beat to the last output beat, both inclusive, of an isolated job of an initialised model.
    pub fn spaced(&self, model: usize) -> Result<u64, SimError> {
        let mut machine = self.timing_machine(model)?;
        let beats = self.zero_input(model);
        let mut output = Vec::new();
        run_job(&mut machine, model, &beats, &mut output)?;
        Ok(run_job(&mut machine, model, &beats, &mut output)?.spaced)
    }

    /// Steady-state distance of the last output beats of back-to-back jobs with input always offered and output always taken.
    ///
    /// If the distance keeps changing it is the mean over the last half of the jobs measured, rounded up.
    pub fn contiguous(&self, model: usize) -> Result<u64, SimError> {
        const JOBS: usize = 24;
        let mut machine = self.timing_machine(model)?;
        let beats = self.zero_input(model);
        let b = machine.program().config.block_size as usize;
        let name = machine.program().models[model].name.clone();
        let n_out = machine.program().models[model].n_out as usize;
        let limit = patience(&machine) * JOBS as u64;
        let select_data = u16::try_from(model).unwrap_or(u16::MAX);
        let (mut selected, mut beat, mut taken) = (0, 0, 0);
        let mut ends = Vec::with_capacity(JOBS);
        while ends.len() < JOBS {
            let cycle = machine.cycle();
            if cycle > limit {
                return Err(SimError::Stuck {
                    model: name,
                    cycle,
                    what: format!("{} of {JOBS} jobs are done", ends.len()),
                });
            }
            let out = machine.step(&Pins {
                select_valid: selected < JOBS,
                select_data,
                input_valid: true,
                input_data: &beats[beat..beat + b],
                output_ready: true,
                enable: true,
                reset: false,
            })?;
            selected += usize::from(out.select_ready && selected < JOBS);
            if out.input_ready {
                beat = (beat + b) % beats.len();
            }
            if out.output_valid {
                taken += 1;
                if taken % n_out == 0 {
                    ends.push(cycle);
                }
            }
        }
        let late = &ends[JOBS / 2 - 1..];
        let span = late[late.len() - 1] - late[0];
        Ok(span.div_ceil(late.len() as u64 - 1))
    }

    fn timing_machine(&self, model: usize) -> Result<Machine, SimError> {
        self.check_index(model)?;
        let mut machine = self.machine.clone();
        machine.set_compute(false);
        machine.restart();
        Ok(machine)
    }

    fn zero_input(&self, model: usize) -> Vec<u16> {
        let values: usize = self.interfaces[model].inputs.iter().map(Vec::len).sum();
        vec![0; values]
    }

    fn check_index(&self, index: usize) -> Result<(), SimError> {
        let count = self.interfaces.len();
        if index >= count {
            return Err(SimError::NoSuchModel { index, count });
        }
        Ok(())
    }

    /// `expected` is the length of each input.
    fn check(
        &self,
        model: usize,
        inputs: impl ExactSizeIterator<Item = usize>,
        expected: impl Fn(&TensorInfo) -> usize,
    ) -> Result<(), SimError> {
        self.check_index(model)?;
        let info = &self.machine.program().models[model];
        if inputs.len() != info.inputs.len() {
            return Err(SimError::InputCount {
                model: info.name.clone(),
                expected: info.inputs.len(),
                got: inputs.len(),
            });
        }
        for (got, t) in inputs.zip(&info.inputs) {
            if got != expected(t) {
                return Err(SimError::InputLength {
                    model: info.name.clone(),
                    input: t.name.clone(),
                    shape: t.shape.clone(),
                    expected: expected(t),
                    got,
                });
            }
        }
        Ok(())
    }
}

/// Cycles after which a machine that shows no progress never will: every tick of the program twice, and the pipelines.
fn patience(machine: &Machine) -> u64 {
    let program = machine.program();
    let beats: u64 = program
        .models
        .iter()
        .map(|m| u64::from(m.n_in) + u64::from(m.n_out))
        .max()
        .unwrap_or(0);
    2 * program.control.len() as u64 + 2 * beats + 256
}

/// One isolated job; `input` and `output` are whole beats.
fn run_job(
    machine: &mut Machine,
    model: usize,
    input: &[u16],
    output: &mut Vec<u16>,
) -> Result<JobCycles, SimError> {
    let b = machine.program().config.block_size as usize;
    let n_out = machine.program().models[model].n_out as usize * b;
    let patience = patience(machine);
    let mut pins = Pins {
        select_valid: true,
        select_data: u16::try_from(model).unwrap_or(u16::MAX),
        output_ready: true,
        enable: true,
        ..Pins::default()
    };
    output.clear();
    let (mut first_input, mut last_input) = (None, 0);
    let (mut first_output, mut last_output) = (None, 0);
    let mut at = 0;
    let jobs = machine.dispatcher().jobs_done();
    // Input is offered from the moment the job waits for it and nothing is in flight.
    let mut offered = false;
    let mut limit = machine.cycle() + 2 * patience;
    while output.len() < n_out || machine.dispatcher().jobs_done() == jobs || !machine.drained() {
        let cycle = machine.cycle();
        if cycle > limit {
            let beats = output.len() / b;
            return Err(SimError::Stuck {
                model: machine.program().models[model].name.clone(),
                cycle,
                what: format!("{beats} output beats have come"),
            });
        }
        if !offered && machine.dispatcher().holding() && machine.drained() {
            offered = true;
            limit = cycle + patience;
        }
        pins.input_valid = offered && at < input.len();
        pins.input_data = input.get(at..at + b).unwrap_or(&[]);
        let out = machine.step(&pins)?;
        if out.select_ready {
            pins.select_valid = false;
        }
        if pins.input_valid && out.input_ready {
            at += b;
            first_input.get_or_insert(cycle);
            last_input = cycle;
        }
        if out.output_valid {
            output.extend_from_slice(out.output_data);
            first_output.get_or_insert(cycle);
            last_output = cycle;
        }
    }
    let first_input = first_input.unwrap_or(last_input);
    Ok(JobCycles {
        first_input,
        last_input,
        first_output: first_output.unwrap_or(last_output),
        last_output,
        spaced: (last_output + 1).saturating_sub(first_input),
    })
}
