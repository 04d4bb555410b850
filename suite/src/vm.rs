//! The VM as an executor.
//!
//! **Contract.** Adds nothing to [`Machine`] but the tick register: what the sequencer issues in one cycle is seen in the next.

use std::sync::Arc;

use sluice_isa::Program;
use sluice_sim::{Machine, Pins, Status};

use crate::device::{Device, Executor, Sample, Tick};
use crate::error::SuiteError;

/// Makes VM devices.
#[derive(Debug, Clone, Copy, Default)]
pub struct VmExecutor;

/// A machine with its tick register.
#[derive(Debug)]
pub struct VmDevice {
    machine: Machine,
    tick: Option<Tick>,
}

impl VmDevice {
    /// A machine after reset.
    pub fn new(program: &Arc<Program>) -> Result<Self, SuiteError> {
        Ok(Self {
            machine: Machine::new(Arc::clone(program))?,
            tick: None,
        })
    }
}

impl Device for VmDevice {
    fn step(&mut self, pins: &Pins<'_>, sample: &mut Sample) -> Result<(), SuiteError> {
        let out = self.machine.step(pins)?;
        sample.select_ready = out.select_ready;
        sample.input_ready = out.input_ready;
        sample.output_valid = out.output_valid;
        sample.output_last = out.output_valid && out.output_last;
        sample.output_data.clear();
        sample.output_data.extend_from_slice(out.output_data);
        sample.status = Status {
            busy: false,
            ..out.status
        };
        let next = out.issue.filter(|_| !pins.reset).map(|t| Tick {
            pc: t.pc,
            parity: t.parity,
        });
        sample.tick = std::mem::replace(&mut self.tick, next);
        Ok(())
    }
}

impl Executor for VmExecutor {
    fn name(&self) -> String {
        "VM".into()
    }

    fn device(
        &mut self,
        program: &Arc<Program>,
        _seed: u32,
    ) -> Result<Box<dyn Device + '_>, SuiteError> {
        Ok(Box::new(VmDevice::new(program)?))
    }
}
