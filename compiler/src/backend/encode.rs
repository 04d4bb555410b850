//! Scheduled models to store images: words, weights, constants, clamps.
//!
//! **Contract.** Equal weight blocks, constants and clamps of a core are stored once, whatever model they belong to. Clamp entry 0 of every core is
//! (-Inf, +Inf). FP8 blocks stand behind the others of their core, two at an address.
//! Models' ticks follow each other in the stores; a model with state is preceded by its initialisation.
//! **Errors.** A store that is full: [`CompileError::Allocation`] or [`CompileError::StreamTooLarge`].

use sluice_isa::timing::{TENSOR_P0, Timing};
use sluice_isa::{
    ASrc, BSrc, ControlWord, CoreImage, Format, HardwareConfig, Init, MatrixKind, MatrixWord, Op,
    Special, VectorWord, WeightFormat,
};
use std::collections::HashMap;

use super::allocate::Address;
use super::block::{BlockId, BlockModel, Clamp, LayerId, Operand, Origin, Source, Term, TileId};
use super::schedule::Schedule;
use crate::error::{CompileError, Result};

/// Stores under construction.
pub struct Stores<'a> {
    config: &'a HardwareConfig,
    /// Control words.
    pub control: Vec<ControlWord>,
    /// Core images; words for FP8 blocks count their addresses from 0, as long as [`Stores::finish`] has not moved them.
    cores: Vec<CoreImage>,
    /// Address of each weight block, by key.
    weights: Vec<HashMap<u32, (u32, WeightFormat)>>,
    constants: Vec<HashMap<Vec<u32>, u32>>,
}

/// Where a model stands in the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// First tick of the job.
    pub job_pc: u32,
    /// First tick of the initialisation.
    pub init_pc: Option<u32>,
    /// Ticks of the job.
    pub ticks: u32,
}

fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl<'a> Stores<'a> {
    /// Empty stores.
    pub fn new(config: &'a HardwareConfig) -> Self {
        let n = config.num_cores as usize;
        let open = (f32::NEG_INFINITY.to_bits(), f32::INFINITY.to_bits());
        Self {
            config,
            control: vec![],
            cores: vec![
                CoreImage {
                    clamps: vec![open],
                    ..CoreImage::default()
                };
                n
            ],
            weights: vec![HashMap::new(); n],
            constants: vec![HashMap::new(); n],
        }
    }

    fn full(
        memory: String,
        capacity: u32,
        unit: &'static str,
        model: &BlockModel,
        layer: LayerId,
        hint: &str,
    ) -> CompileError {
        CompileError::Allocation {
            memory,
            layer: model
                .layers
                .get(layer.0)
                .map_or_else(|| "initial state".to_owned(), |l| l.name.clone()),
            model: model.name.clone(),
            need: capacity as usize + 1,
            capacity: capacity as usize,
            unit,
            hint: hint.to_owned(),
        }
    }

    fn weight(
        &mut self,
        core: usize,
        tile: TileId,
        model: &BlockModel,
        layer: LayerId,
    ) -> Result<(u32, WeightFormat)> {
        let key = model.tile_keys[tile.0];
        if let Some(&at) = self.weights[core].get(&key) {
            return Ok(at);
        }
        let tile = &model.tiles[tile.0];
        let image = &mut self.cores[core];
        let (blocks, at) = if tile.fp8 {
            let at = image.fp8.len();
            let format = [WeightFormat::Fp8Low, WeightFormat::Fp8High][at % 2];
            (&mut image.fp8, (narrow(at / 2), format))
        } else {
            let at = narrow(image.weights.len());
            (&mut image.weights, (at, WeightFormat::Lbfp17))
        };
        blocks.push(tile.block.clone());
        if image.weight_addresses() > self.config.weight_store_depth as usize {
            let depth = self.config.weight_store_depth;
            return Err(Self::full(
                format!("weight store of core {core}"),
                depth,
                "weight blocks",
                model,
                layer,
                "use a configuration with deeper weight stores or more cores",
            ));
        }
        self.weights[core].insert(key, at);
        Ok(at)
    }

    fn constant(
        &mut self,
        core: usize,
        values: &[u32],
        model: &BlockModel,
        layer: LayerId,
    ) -> Result<u32> {
        if let Some(&at) = self.constants[core].get(values) {
            return Ok(at);
        }
        let at = narrow(self.cores[core].constants.len());
        if at >= self.config.const_store_depth {
            let depth = self.config.const_store_depth;
            return Err(Self::full(
                format!("constant store of core {core}"),
                depth,
                "constant blocks",
                model,
                layer,
                "use a configuration with deeper constant stores, or fewer different biases and constants",
            ));
        }
        self.cores[core].constants.push(values.to_vec());
        self.constants[core].insert(values.to_vec(), at);
        Ok(at)
    }

    fn clamp(
        &mut self,
        core: usize,
        clamp: Clamp,
        model: &BlockModel,
        layer: LayerId,
    ) -> Result<u32> {
        let Some((lo, hi)) = clamp else { return Ok(0) };
        let entry = (lo.to_bits(), hi.to_bits());
        if let Some(at) = self.cores[core].clamps.iter().position(|&c| c == entry) {
            return Ok(narrow(at));
        }
        let at = narrow(self.cores[core].clamps.len());
        if at >= self.config.clamp_store_depth {
            let depth = self.config.clamp_store_depth;
            return Err(Self::full(
                format!("clamp store of core {core}"),
                depth,
                "clamp settings",
                model,
                layer,
                "use fewer different clamp bounds, or a configuration with a deeper clamp store",
            ));
        }
        self.cores[core].clamps.push(entry);
        Ok(at)
    }

    fn grow(&mut self, ticks: usize, model: &BlockModel) -> Result<usize> {
        let start = self.control.len();
        let need = start + ticks;
        if need > self.config.instr_store_depth as usize {
            return Err(CompileError::StreamTooLarge {
                stream: "the instruction stores (all models together)".into(),
                model: model.name.clone(),
                need,
                capacity: self.config.instr_store_depth as usize,
                hint:
                    "use a configuration with deeper instruction stores, or fewer or smaller models"
                        .into(),
            });
        }
        self.control.resize(need, ControlWord::default());
        for core in &mut self.cores {
            core.matrix.resize(need, MatrixWord::default());
            core.vector.resize(need, VectorWord::default());
        }
        Ok(start)
    }

    /// Appends a model.
    pub fn add(
        &mut self,
        model: &BlockModel,
        schedule: &Schedule,
        addresses: &[Address],
    ) -> Result<Entry> {
        let init_pc = self.initialisation(model, addresses)?;
        let start = self.grow(schedule.ticks, model)?;
        for (i, &tick) in schedule.outputs.iter().enumerate() {
            let beat = model.outputs[i];
            let at = addresses[beat.block.0];
            let w = &mut self.control[start + tick];
            *w = ControlWord {
                out_valid: true,
                out_last: beat.last,
                out_bank: at.bank,
                out_addr: at.addr + narrow(beat.plane.offset()),
                out_lanes: narrow(beat.lanes),
                ..*w
            };
        }
        for n in 0..model.input_beats {
            self.control[start + schedule.t0 + n].beat = true;
        }
        self.control[start + schedule.ticks - 1].last = true;
        for (core, slots) in schedule.cores.iter().enumerate() {
            for (&tick, slot) in &slots.matrix {
                let op = &model.ops[slot.op];
                let at = |b: super::block::BlockId| addresses[b.0];
                let word = match slot.term {
                    Some(Term::Product(tile, block)) => {
                        let bias = match &op.source {
                            Source::Sum { bias: Some(c), .. } if slot.first => {
                                Some(model.constants[c.0].clone())
                            }
                            _ => None,
                        };
                        let (weight, weight_format) = self.weight(core, tile, model, op.layer)?;
                        MatrixWord {
                            kind: MatrixKind::Product,
                            first: slot.first,
                            init: if bias.is_some() {
                                Init::Const
                            } else {
                                Init::Zero
                            },
                            bank: at(block).bank,
                            addr: at(block).addr,
                            weight,
                            weight_format,
                            acc: narrow(slot.acc),
                            init_addr: bias
                                .map_or(Ok(0), |b| self.constant(core, &b, model, op.layer))?,
                        }
                    }
                    Some(Term::Planes(block)) => MatrixWord {
                        kind: MatrixKind::Add32,
                        first: slot.first,
                        bank: at(block).bank,
                        addr: at(block).addr,
                        acc: narrow(slot.acc),
                        ..MatrixWord::default()
                    },
                    None => {
                        let Source::Block(block, _) = op.source else {
                            continue;
                        };
                        MatrixWord {
                            kind: MatrixKind::Read,
                            bank: at(block).bank,
                            addr: at(block).addr,
                            ..MatrixWord::default()
                        }
                    }
                };
                self.cores[core].matrix[start + tick] = word;
            }
            for (&tick, &op) in &slots.vector {
                let word = self.vector_word(core, model, op, addresses)?;
                self.cores[core].vector[start + tick] = word;
            }
        }
        Ok(Entry {
            job_pc: narrow(start),
            init_pc,
            ticks: narrow(schedule.ticks),
        })
    }

    /// The core images, FP8 blocks behind the others.
    pub fn finish(mut self) -> Vec<CoreImage> {
        for core in &mut self.cores {
            let base = narrow(core.weights.len());
            for word in &mut core.matrix {
                if word.weight_format != WeightFormat::Lbfp17 {
                    word.weight += base;
                }
            }
        }
        self.cores
    }

    fn vector_word(
        &mut self,
        core: usize,
        model: &BlockModel,
        op: usize,
        addresses: &[Address],
    ) -> Result<VectorWord> {
        let o = &model.ops[op];
        let mut w = VectorWord {
            valid: true,
            pre: self.clamp(core, o.pre, model, o.layer)?,
            post: self.clamp(core, o.post, model, o.layer)?,
            special: o.special.map_or(Special::None, Special::from),
            format: match o.source {
                Source::Plane(..) => Format::Raw,
                _ => model.blocks[o.dst.0].format,
            },
            lane_lo: narrow(o.lanes.0),
            lane_hi: narrow(o.lanes.1),
            dst_addr: addresses[o.dst.0].addr,
            ..VectorWord::default()
        };
        let b_block = match o.alu {
            Some((alu, Operand::Block(b))) => {
                let from = if model.is_planes(b) {
                    BSrc::Planes
                } else {
                    BSrc::Y
                };
                (w.op, w.b_src, w.y_bank, w.y_addr) =
                    (alu, from, addresses[b.0].bank, addresses[b.0].addr);
                true
            }
            Some((alu, Operand::Const(c))) => {
                (w.op, w.b_src, w.const_addr) = (
                    alu,
                    BSrc::Const,
                    self.constant(core, &model.constants[c.0], model, o.layer)?,
                );
                false
            }
            None => {
                w.op = Op::Pass;
                false
            }
        };
        match &o.source {
            Source::Sum { .. } => w.a_src = ASrc::Acc,
            Source::Block(_, rot) if b_block => (w.a_src, w.rot) = (ASrc::X, narrow(*rot)),
            Source::Block(b, rot) => {
                (w.a_src, w.y_bank, w.y_addr, w.rot) = (
                    ASrc::Y,
                    addresses[b.0].bank,
                    addresses[b.0].addr,
                    narrow(*rot),
                );
            }
            Source::Plane(b, rot, plane) => {
                let at = narrow(plane.offset());
                w.a_src = ASrc::Y;
                (w.y_bank, w.y_addr) = (addresses[b.0].bank, addresses[b.0].addr + at);
                (w.rot, w.dst_addr) = (narrow(*rot), w.dst_addr + at);
            }
            Source::Const(c) => {
                (w.a_src, w.const_addr) = (
                    ASrc::Const,
                    self.constant(core, &model.constants[c.0], model, o.layer)?,
                );
            }
        }
        Ok(w)
    }

    /// Ticks that write the first value of every state block, if there is any.
    fn initialisation(&mut self, model: &BlockModel, addresses: &[Address]) -> Result<Option<u32>> {
        let mut per_core: Vec<Vec<usize>> = vec![vec![]; self.cores.len()];
        for (b, block) in model.blocks.iter().enumerate() {
            if block.origin == Origin::State {
                per_core[addresses[b].bank as usize].push(b);
            }
        }
        // Planes leave in two cycles.
        let length = |list: &Vec<usize>| list.iter().map(|&b| model.size(BlockId(b))).sum();
        let longest: usize = per_core.iter().map(length).max().unwrap_or(0);
        if longest == 0 {
            return Ok(None);
        }
        let timing = Timing::of(self.config);
        // The guard keeps clear of the previous job's results, the tail lets the state become readable.
        let guard = (timing.acc_p0() - TENSOR_P0) as usize;
        let tail = (TENSOR_P0 + timing.readable_after_output()) as usize;
        let start = self.grow(guard + longest + tail, model)?;
        let zero = vec![0; self.config.block_size as usize];
        for (core, list) in per_core.iter().enumerate() {
            let mut tick = start + guard;
            for &b in list {
                let first = model.state_init.get(&BlockId(b));
                let value = first.map_or(&zero, |c| &model.constants[c.0]);
                let const_addr = self.constant(core, value, model, model.blocks[b].layer)?;
                let dst_addr = addresses[b].addr;
                self.cores[core].vector[tick] = VectorWord {
                    valid: true,
                    a_src: ASrc::Const,
                    const_addr,
                    lane_hi: self.config.block_size,
                    dst_addr,
                    format: model.blocks[b].format,
                    ..VectorWord::default()
                };
                tick += model.size(BlockId(b));
            }
        }
        if let Some(w) = self.control.last_mut() {
            w.last = true;
        }
        Ok(Some(narrow(start)))
    }
}
