//! Addresses: blocks in tensor banks, after the schedule has fixed their lives.
//!
//! **Contract.** State keeps its address for the life of the program; a block that replaces it is written there. Other blocks share addresses when the later writer is issued no earlier
//! than the last reader and writes after it has read, so that a pause cannot bring them together. The input bank is addressed by beat.
//! **Errors.** [`CompileError::Allocation`] naming bank, need, capacity and the layer that did not fit.

use sluice_isa::HardwareConfig;

use super::block::{BlockId, BlockModel, Origin};
use super::schedule::Schedule;
use crate::error::{CompileError, Result};

/// Bank and address of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Address {
    /// Bank.
    pub bank: u32,
    /// Blocks.
    pub addr: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    tick: usize,
    cycle: usize,
}

/// Gives every state block its address; `next` is the first free address per bank and is moved on.
pub fn state_addresses(
    model: &BlockModel,
    schedule: &Schedule,
    next: &mut [u32],
) -> Vec<Option<Address>> {
    let mut result = vec![None; model.blocks.len()];
    for (b, block) in model.blocks.iter().enumerate() {
        if block.origin == Origin::State {
            let core = schedule.life[b].core;
            result[b] = Some(Address {
                bank: u32::try_from(core).unwrap_or(u32::MAX),
                addr: next[core],
            });
            next[core] += u32::try_from(model.size(BlockId(b))).unwrap_or(u32::MAX);
        }
    }
    result
}

/// Completes the addresses of a model; its scratch blocks start at `base` in each bank, shared with other models.
pub fn addresses(
    config: &HardwareConfig,
    model: &BlockModel,
    schedule: &Schedule,
    state: &[Option<Address>],
    base: &[u32],
) -> Result<Vec<Address>> {
    let mut result = vec![Address::default(); model.blocks.len()];
    let mut order = Vec::new();
    for (b, block) in model.blocks.iter().enumerate() {
        match block.origin {
            Origin::Input(n) => {
                result[b] = Address {
                    bank: config.input_bank(),
                    addr: u32::try_from(n).unwrap_or(u32::MAX),
                }
            }
            Origin::State => result[b] = state[b].unwrap_or_default(),
            Origin::Computed => match model.replaces.get(&BlockId(b)) {
                Some(old) => result[b] = state[old.0].unwrap_or_default(),
                None => order.push(b),
            },
        }
    }
    order.sort_by_key(|&b| (schedule.life[b].first_write, b));
    let mut banks: Vec<Vec<Slot>> = vec![vec![]; config.num_cores as usize];
    for b in order {
        let life = &schedule.life[b];
        let size = model.size(BlockId(b));
        let bank = &mut banks[life.core];
        let free = |s: &Slot| life.write_tick >= s.tick && life.first_write > s.cycle;
        let at = (0..=bank.len())
            .find(|&a| (a..a + size).all(|i| bank.get(i).is_none_or(free)))
            .unwrap_or(bank.len());
        if bank.len() < at + size {
            bank.resize(at + size, Slot::default());
        }
        for slot in &mut bank[at..at + size] {
            *slot = Slot {
                tick: life.read_tick.max(life.write_tick),
                cycle: life.last_read.max(life.last_write),
            };
        }
        let addr = base[life.core] as usize + at;
        if addr + size > config.tensor_ram_depth as usize {
            return Err(CompileError::Allocation {
                memory: format!("tensor bank of core {}", life.core),
                layer: model.layers[model.blocks[b].layer.0].name.clone(),
                model: model.name.clone(),
                need: addr + size,
                capacity: config.tensor_ram_depth as usize,
                unit: "blocks",
                hint: "use a configuration with a deeper tensor RAM, or shorter convolution windows and fewer live intermediate tensors".into(),
            });
        }
        result[b] = Address {
            bank: u32::try_from(life.core).unwrap_or(u32::MAX),
            addr: u32::try_from(addr).unwrap_or(u32::MAX),
        };
    }
    Ok(result)
}
