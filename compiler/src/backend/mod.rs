//! From NNIR to a program: lowering, placement, scheduling, allocation, encoding.
//!
//! | step | file | from -> to |
//! |------|------|-----------|
//! | lower | `lower.rs`, `tiles.rs` | graph -> operations on blocks ([`block`]) |
//! | free the matrix units | `port_x.rs`, `ahead.rs` | words that only read -> none; sums over state -> the end of the previous job |
//! | place | `place.rs` | operations -> cores, K splits |
//! | schedule | `schedule.rs` | operations -> ticks |
//! | allocate | `allocate.rs` | blocks -> addresses |
//! | encode | `encode.rs` | everything -> store images |
//!
//! **Contract.** [`ProgramBuilder`] is deterministic: same graphs, options and configuration, same program bytes. A model's schedule does not depend on
//! the other models of the program.
//! **Errors.** [`CompileError`], naming the model and the layer.

mod ahead;
pub mod allocate;
pub mod block;
mod encode;
pub mod listing;
mod lower;
pub mod place;
mod port_x;
pub mod schedule;
mod tiles;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use sluice_isa::{HardwareConfig, ModelInfo, NumberFormat, Program, TensorInfo};

use crate::error::{CompileError, Result};
use crate::nnir::{Graph, NodeId, Op, Precision};
use crate::passes;
use block::{LayerId, Tile};
use place::{Placed, Split, WeightUse, place, splittable};
use schedule::{Schedule, refine, schedule};

/// Options of one model.
#[derive(Debug, Clone, Default)]
pub struct ModelOptions {
    /// Name; the graph's own if `None`.
    pub name: Option<String>,
    /// Cores the model may use; all if `None`.
    pub cores: Option<Vec<usize>>,
    /// Where the streamed axis of each input and output stood; empty if not streamed.
    pub input_streaming_dims: Vec<Option<usize>>,
    /// Same for outputs.
    pub output_streaming_dims: Vec<Option<usize>>,
    /// The model's state can be reset at run time. It costs nothing: a reset runs the initialisation that a model with state has anyway.
    pub resettable: bool,
}

/// One model, compiled as far as it can be without knowing the others.
#[derive(Debug, Clone)]
pub struct CompiledModel {
    /// Name in the program.
    pub name: String,
    /// Operations with cores.
    pub placed: Placed,
    /// Their ticks.
    pub schedule: Schedule,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    parameters: u64,
    resettable: bool,
}

/// Builds one program from several models.
#[derive(Debug)]
pub struct ProgramBuilder {
    config: HardwareConfig,
    models: Vec<CompiledModel>,
    used: WeightUse,
    keys: HashMap<Arc<Tile>, u32>,
}

impl ProgramBuilder {
    /// A builder for a configuration.
    pub fn new(config: &HardwareConfig) -> Result<Self> {
        config
            .validate()
            .map_err(|e| CompileError::Config(e.to_string()))?;
        Ok(Self {
            config: config.clone(),
            models: vec![],
            used: WeightUse::new(config),
            keys: HashMap::new(),
        })
    }

    /// Compiles a model and adds it; its index is the number of models added before.
    pub fn add(&mut self, graph: &Graph, options: &ModelOptions) -> Result<usize> {
        if self.models.len() >= self.config.max_models as usize {
            return Err(CompileError::Allocation {
                memory: "model table".into(),
                layer: graph.name.clone(),
                model: graph.name.clone(),
                need: self.models.len() + 1,
                capacity: self.config.max_models as usize,
                unit: "models",
                hint: "use a configuration with a larger model table".into(),
            });
        }
        graph.verify()?;
        if let Some(layer) = graph.first_fp8_layer().filter(|_| !self.config.fp8_weights) {
            return Err(CompileError::NoFp8 {
                layer: layer.to_owned(),
                config: self.config.name.clone(),
            });
        }
        let mut graph = graph.clone();
        passes::PassManager::standard().run(&mut graph)?;
        let name = options.name.clone().unwrap_or_else(|| graph.name.clone());
        graph.name.clone_from(&name);
        let cores = self.cores(options)?;
        let mut model = lower::lower(&graph, self.config.block_size as usize)?;
        for tile in &model.tiles {
            let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
            model
                .tile_keys
                .push(*self.keys.entry(Arc::clone(tile)).or_insert(next));
        }
        self.check_streams(&model)?;
        let (placed, schedule, used) = best(&model, &self.config, &cores, &self.used)?;
        self.used = used;
        let inputs = graph
            .inputs
            .iter()
            .enumerate()
            .map(|(i, &id)| {
                tensor_info(
                    &graph,
                    id,
                    options.input_streaming_dims.get(i).copied().flatten(),
                )
            })
            .collect();
        let outputs = graph
            .outputs
            .iter()
            .enumerate()
            .map(|(i, &id)| {
                tensor_info(
                    &graph,
                    id,
                    options.output_streaming_dims.get(i).copied().flatten(),
                )
            })
            .collect();
        self.models.push(CompiledModel {
            name,
            placed,
            schedule,
            inputs,
            outputs,
            parameters: parameters(&graph),
            resettable: options.resettable,
        });
        Ok(self.models.len() - 1)
    }

    fn cores(&self, options: &ModelOptions) -> Result<Vec<usize>> {
        let n = self.config.num_cores as usize;
        let Some(cores) = &options.cores else {
            return Ok((0..n).collect());
        };
        let set: BTreeSet<usize> = cores.iter().copied().collect();
        match set.iter().find(|&&c| c >= n) {
            Some(c) => Err(CompileError::Config(format!(
                "core {c} does not exist; configuration '{}' has cores 0 to {}",
                self.config.name,
                n - 1
            ))),
            None if set.is_empty() => Err(CompileError::Config(
                "a model needs at least one core; the list of cores is empty".into(),
            )),
            None => Ok(set.into_iter().collect()),
        }
    }

    fn check_streams(&self, model: &block::BlockModel) -> Result<()> {
        let over = |stream: &str, need: usize, capacity: u32, hint: &str| {
            if need > capacity as usize {
                return Err(CompileError::StreamTooLarge {
                    stream: stream.into(),
                    model: model.name.clone(),
                    need,
                    capacity: capacity as usize,
                    hint: hint.into(),
                });
            }
            Ok(())
        };
        over(
            "the input (beats of one job)",
            model.input_beats,
            self.config.input_capacity(),
            "use a configuration with a deeper tensor RAM, or split the input",
        )?;
        over(
            "the output (beats of one job)",
            model.outputs.len(),
            self.config.output_fifo_depth,
            "use a configuration with a deeper output FIFO, or split the output",
        )
    }

    /// The models added so far.
    pub fn models(&self) -> &[CompiledModel] {
        &self.models
    }

    /// Allocates and encodes the program.
    pub fn build(&self) -> Result<Program> {
        if self.models.is_empty() {
            return Err(CompileError::Empty {
                graph: "program".into(),
                missing: "model",
            });
        }
        let mut next = vec![0; self.config.num_cores as usize];
        let states: Vec<_> = self
            .models
            .iter()
            .map(|m| allocate::state_addresses(&m.placed.model, &m.schedule, &mut next))
            .collect();
        let mut stores = encode::Stores::new(&self.config);
        let mut infos = Vec::new();
        for (m, state) in self.models.iter().zip(&states) {
            let addresses =
                allocate::addresses(&self.config, &m.placed.model, &m.schedule, state, &next)?;
            let entry = stores.add(&m.placed.model, &m.schedule, &addresses)?;
            infos.push(m.info(&self.config, entry));
        }
        let control = std::mem::take(&mut stores.control);
        let program = Program {
            config: self.config.clone(),
            models: infos,
            control,
            cores: stores.finish(),
        };
        program
            .validate()
            .map_err(|e| CompileError::Internal(e.to_string()))?;
        Ok(program)
    }
}

impl CompiledModel {
    fn info(&self, config: &HardwareConfig, entry: encode::Entry) -> ModelInfo {
        let narrow = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
        let model = &self.placed.model;
        let tiles: HashSet<usize> = model
            .ops
            .iter()
            .flat_map(|o| match &o.source {
                block::Source::Sum { terms, .. } => terms.clone(),
                _ => vec![],
            })
            .filter_map(|t| {
                if let block::Term::Product(tile, _) = t {
                    Some(tile.0)
                } else {
                    None
                }
            })
            .collect();
        ModelInfo {
            name: self.name.clone(),
            entry_pc: entry.job_pc,
            ticks: entry.ticks,
            init_pc: entry.init_pc,
            resettable: self.resettable,
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            n_in: narrow(model.input_beats),
            n_out: narrow(model.outputs.len()),
            cycles_spaced: narrow(self.schedule.spaced),
            cycles_contiguous: narrow(contiguous(&self.schedule, config)),
            parameters: self.parameters,
            weight_blocks: tiles.len() as u64,
        }
    }
}

/// Steady-state distance of back-to-back jobs: the job's ticks, and the wait for output credit if two jobs' outputs do not fit the FIFO.
fn contiguous(schedule: &Schedule, config: &HardwareConfig) -> usize {
    let depth = config.output_fifo_depth as usize;
    let n = schedule.outputs.len();
    let done = schedule.ticks - 1;
    // A beat whose word is issued at tick t is taken at t + 5 and its credit is back one cycle later.
    let back = |t: &usize| t + 6;
    let credit = |at: usize| depth - n + schedule.outputs.iter().filter(|t| back(t) <= at).count();
    let mut at = done;
    while credit(at) < n {
        at += 1;
    }
    schedule.ticks + (at - done)
}

/// Values of the graph's constants. Steps of an unrolled loop have the same ones, which count once: layers of equal weights and bias, and
/// constants that are one tensor. Equal values of different layers, such as zero biases, count in each.
fn parameters(graph: &Graph) -> u64 {
    let mut layers: HashSet<Vec<u32>> = HashSet::new();
    let mut constants = HashSet::new();
    let mut count = 0;
    for id in graph.node_ids() {
        let op = &graph.node(id).op;
        let tensors = op.tensors();
        let new = match op {
            Op::Constant(value) => constants.insert(Arc::as_ptr(value)),
            Op::Linear { .. } | Op::Conv1d { .. } => layers.insert(
                tensors
                    .iter()
                    .flat_map(|(_, t)| t.data.iter().map(|x| x.to_bits()))
                    .collect(),
            ),
            _ => true,
        };
        if new {
            count += tensors
                .iter()
                .map(|(_, t)| t.data.len() as u64)
                .sum::<u64>();
        }
    }
    count
}

fn tensor_info(graph: &Graph, id: NodeId, streaming_dim: Option<usize>) -> TensorInfo {
    let node = graph.node(id);
    let mut shape = node.ty.shape.clone();
    if shape.is_empty() {
        shape.push(1);
    }
    let data_dim = node.ty.data_dim.unwrap_or(shape.len() - 1);
    let name = match node.op {
        Op::Input { .. } => node.name.clone(),
        _ => format!("{}_out", node.name),
    };
    TensorInfo {
        name,
        shape,
        data_dim,
        streaming_dim,
        format: match node.ty.precision {
            Precision::Bf16 => NumberFormat::Bf16,
            Precision::Fp32 => NumberFormat::Fp32,
        },
    }
}

/// The schedule with the fewest cycles over the choices of layers to split.
fn best(
    model: &block::BlockModel,
    config: &HardwareConfig,
    cores: &[usize],
    used: &WeightUse,
) -> Result<(Placed, Schedule, WeightUse)> {
    type Splits = BTreeMap<LayerId, Split>;
    let attempt = |split: &Splits| -> Result<(Placed, Schedule, WeightUse)> {
        let (placed, used) = place(model, config, cores, split, used)?;
        let schedule = schedule(&placed, config)?;
        Ok((placed, schedule, used))
    };
    let cost = |s: &Schedule| (s.spaced, s.ticks);
    let layers = splittable(model, cores.len());
    let mut best_split = Splits::new();
    let mut best = attempt(&best_split);
    let mut consider = |split: Splits, best_split: &mut Splits| {
        let candidate = attempt(&split);
        let better = match (&candidate, &best) {
            (Ok(c), Ok(b)) => cost(&c.1) < cost(&b.1),
            (Ok(_), Err(_)) => true,
            _ => false,
        };
        if better {
            best = candidate;
            *best_split = split;
        }
    };
    if !layers.is_empty() {
        let all = layers.iter().map(|&layer| (layer, Split::Even));
        consider(all.collect(), &mut best_split);
        for &layer in layers.iter().take(64) {
            for choice in [None, Some(Split::Even), Some(Split::Stairs)] {
                let mut changed = best_split.clone();
                match choice {
                    Some(how) => changed.insert(layer, how),
                    None => changed.remove(&layer),
                };
                if changed != best_split {
                    consider(changed, &mut best_split);
                }
            }
        }
    }
    let (placed, schedule, before) = best?;
    let schedule = refine(&placed, config, schedule)?;
    let mut best = Candidate {
        model: model.clone(),
        placed,
        schedule,
        used: before,
    };
    // Ways to free the matrix units, kept where the job becomes shorter.
    let improve = |model: block::BlockModel, best: &mut Candidate| -> Result<()> {
        let Ok((placed, used)) = place(&model, config, cores, &best_split, used) else {
            return Ok(());
        };
        let schedule = refine(&placed, config, schedule::schedule(&placed, config)?)?;
        if cost(&schedule) < cost(&best.schedule) {
            *best = Candidate {
                model,
                placed,
                schedule,
                used,
            };
        }
        Ok(())
    };
    for model in port_x::without(model, cores.len()) {
        improve(model, &mut best)?;
    }
    let model = best.model.clone();
    for count in counts_ahead(&model, config, &best.schedule, cores.len()) {
        let model = ahead::ahead(&model, config.block_size as usize, count);
        improve(model, &mut best)?;
    }
    Ok((best.placed, best.schedule, best.used))
}

/// A form of a model, with its schedule and the weight blocks held with it.
struct Candidate {
    model: block::BlockModel,
    placed: Placed,
    schedule: Schedule,
    used: WeightUse,
}

/// How many sums to move to the end of the previous job: what fills the cycles in which no matrix unit works, and somewhat less and more. They
/// take no more than a 32nd of the tensor banks.
fn counts_ahead(
    model: &block::BlockModel,
    config: &HardwareConfig,
    schedule: &Schedule,
    cores: usize,
) -> BTreeSet<usize> {
    let sums = ahead::sums(model, config.block_size as usize);
    let busy = schedule.cores.iter().map(|c| c.matrix.len()).max();
    let idle = schedule.ticks - busy.unwrap_or(0);
    let mut cycles = 0;
    let fill = sums
        .iter()
        .take_while(|&&terms| {
            cycles += terms - 1;
            cycles <= idle * cores
        })
        .count();
    // Planes take two addresses.
    let most = sums
        .len()
        .min(config.tensor_ram_depth as usize / 64 * cores);
    [fill / 4, fill / 2, fill * 3 / 4, fill, fill * 5 / 4]
        .map(|n| n.next_multiple_of(cores).min(most))
        .into_iter()
        .filter(|&n| n > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::{GraphBuilder, Tensor};
    use sluice_isa::presets::preset;

    /// Layers with bias and `ReLU`; every weight block is different.
    pub(crate) fn dense(sizes: &[usize]) -> Graph {
        let mut g = GraphBuilder::new("dense");
        let mut x = g.input("x", &[sizes[0]]);
        let mut state = 1u32;
        for (i, w) in sizes.windows(2).enumerate() {
            let weight = Tensor::from_fn([w[1], w[0]], |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(state >> 16).unwrap_or(0)) / 32768.0 - 1.0
            });
            x = g
                .linear(
                    format!("fc{i}"),
                    x,
                    weight,
                    Some(Tensor::zeros([w[1]]).into()),
                )
                .unwrap();
            x = g.relu(format!("relu{i}"), x).unwrap();
        }
        g.output(x);
        g.finish().unwrap()
    }

    fn whole_and_best(sizes: &[usize]) -> (usize, usize) {
        let config = preset("c6b32").unwrap();
        let mut builder = ProgramBuilder::new(&config).unwrap();
        builder
            .add(&dense(sizes), &ModelOptions::default())
            .unwrap();
        let mut model = lower::lower(&dense(sizes), 32).unwrap();
        model.tile_keys = (0..u32::try_from(model.tiles.len()).unwrap()).collect();
        let cores: Vec<usize> = (0..6).collect();
        let (placed, _) = place(
            &model,
            &config,
            &cores,
            &BTreeMap::new(),
            &WeightUse::new(&config),
        )
        .unwrap();
        (
            schedule(&placed, &config).unwrap().spaced,
            builder.models[0].schedule.spaced,
        )
    }

    #[test]
    fn parameters_of_steps_count_once() {
        let mut g = GraphBuilder::new("steps");
        let mut x = g.input("x", &[8]);
        let weight = Tensor::from_fn([8, 8], |i| f32::from(u8::try_from(i).unwrap_or(0)));
        for i in 0..3 {
            // As a front end writes steps: a tensor of its own each time.
            let bias = Some(Tensor::zeros([8]).into());
            x = g
                .linear(format!("step{i}"), x, weight.clone(), bias)
                .unwrap();
        }
        let other = Tensor::from_fn([8, 8], |_| 1.0);
        let bias = Some(Tensor::zeros([8]).into());
        x = g.linear("other", x, other, bias).unwrap();
        g.output(x);
        assert_eq!(parameters(&g.finish().unwrap()), 2 * (64 + 8));
    }

    #[test]
    fn splitting_left_over_rows_pays() {
        for sizes in [
            &[1024, 1024][..],
            &[512, 512, 512],
            &[512, 512, 512, 512, 512],
        ] {
            let (whole, best) = whole_and_best(sizes);
            println!("{sizes:?}: {whole} / {best}");
            assert!(best < whole, "{sizes:?}: {best} against {whole}");
        }
        let (whole, best) = whole_and_best(&[384, 384, 384]);
        assert_eq!(whole, best, "rows divide by the cores");
    }
}
