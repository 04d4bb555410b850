//! What a program says of its models, for people and as JSON.
//!
//! | figure | unit | where from |
//! |--------|------|------------|
//! | `cycles_spaced` | cycles | first input beat to last output beat of an isolated inference, both inclusive |
//! | `cycles_contiguous` | cycles | distance of back-to-back inferences |
//! | `us_*` | microseconds | the same at the configuration's clock |
//! | `busy` | 0..1 | share of a job's matrix slots, over all cores, that hold a product |
//!
//! **Contract.** JSON keys are stable; new ones may come.

use serde::Serialize;
use sluice_isa::{HardwareConfig, MatrixKind, NumberFormat, Program, TensorInfo};

use crate::table::Table;

/// One tensor.
#[derive(Debug, Serialize)]
pub struct Tensor {
    name: String,
    shape: Vec<usize>,
    data_dim: usize,
    format: NumberFormat,
    streaming_dim: Option<usize>,
    beats: usize,
}

/// One model.
#[derive(Debug, Serialize)]
pub struct Model {
    index: usize,
    name: String,
    parameters: u64,
    has_state: bool,
    resettable: bool,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    ticks: u32,
    cycles_spaced: u32,
    cycles_contiguous: u32,
    us_spaced: f64,
    us_contiguous: f64,
    weight_blocks: u64,
    products: usize,
    busy: f64,
}

/// How full a store is, in the core where it is fullest.
#[derive(Debug, Serialize)]
pub struct Store {
    name: &'static str,
    used: usize,
    capacity: u32,
    unit: &'static str,
}

/// A program.
#[derive(Debug, Serialize)]
pub struct Report {
    configuration: HardwareConfig,
    models: Vec<Model>,
    stores: Vec<Store>,
}

/// Cycles as microseconds.
pub fn microseconds(cycles: u32, config: &HardwareConfig) -> f64 {
    f64::from(cycles) / f64::from(config.clock_mhz)
}

fn tensor(t: &TensorInfo, config: &HardwareConfig) -> Tensor {
    Tensor {
        name: t.name.clone(),
        shape: t.shape.clone(),
        data_dim: t.data_dim,
        format: t.format,
        streaming_dim: t.streaming_dim,
        beats: t.beats(config.block_size as usize),
    }
}

#[expect(clippy::cast_precision_loss, reason = "slots of a program: below 2^21")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

impl Report {
    /// Of a valid program.
    pub fn new(program: &Program) -> Self {
        let c = &program.config;
        let models = program
            .models
            .iter()
            .enumerate()
            .map(|(index, m)| {
                let ticks = m.entry_pc as usize..(m.entry_pc + m.ticks) as usize;
                let products = program
                    .cores
                    .iter()
                    .flat_map(|core| core.matrix.get(ticks.clone()).unwrap_or_default())
                    .filter(|w| w.kind == MatrixKind::Product)
                    .count();
                Model {
                    index,
                    name: m.name.clone(),
                    parameters: m.parameters,
                    has_state: m.init_pc.is_some(),
                    resettable: m.resettable,
                    inputs: m.inputs.iter().map(|t| tensor(t, c)).collect(),
                    outputs: m.outputs.iter().map(|t| tensor(t, c)).collect(),
                    ticks: m.ticks,
                    cycles_spaced: m.cycles_spaced,
                    cycles_contiguous: m.cycles_contiguous,
                    us_spaced: microseconds(m.cycles_spaced, c),
                    us_contiguous: microseconds(m.cycles_contiguous, c),
                    weight_blocks: m.weight_blocks,
                    products,
                    busy: share(products, ticks.len() * program.cores.len()),
                }
            })
            .collect();
        let fullest = |of: fn(&sluice_isa::CoreImage) -> usize| {
            program.cores.iter().map(of).max().unwrap_or(0)
        };
        let store = |name, used, capacity, unit| Store {
            name,
            used,
            capacity,
            unit,
        };
        let stores = vec![
            store(
                "weights",
                fullest(sluice_isa::CoreImage::weight_addresses),
                c.weight_store_depth,
                "blocks, fullest core",
            ),
            store(
                "constants",
                fullest(|i| i.constants.len()),
                c.const_store_depth,
                "blocks, fullest core",
            ),
            store(
                "clamps",
                fullest(|i| i.clamps.len()),
                c.clamp_store_depth,
                "entries, fullest core",
            ),
            store(
                "instructions",
                program.control.len(),
                c.instr_store_depth,
                "ticks",
            ),
            store("models", program.models.len(), c.max_models, "models"),
        ];
        Self {
            configuration: c.clone(),
            models,
            stores,
        }
    }

    /// One line on the configuration.
    pub fn headline(&self) -> String {
        let c = &self.configuration;
        format!(
            "configuration {}: {} cores, blocks of {}, {} MHz\n",
            c.name, c.num_cores, c.block_size, c.clock_mhz
        )
    }

    /// A row per model.
    pub fn models_table(&self) -> String {
        let shapes = |ts: &[Tensor]| {
            ts.iter()
                .map(|t| format!("{} {:?}", t.name, t.shape))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut t = Table::new(&[
            "#",
            "model",
            "parameters",
            "inputs",
            "outputs",
            "ticks",
            "spaced",
            "contiguous",
            "us spaced",
            "us contiguous",
            "weight blocks",
            "busy",
        ]);
        for m in &self.models {
            t.row([
                m.index.to_string(),
                m.name.clone(),
                m.parameters.to_string(),
                shapes(&m.inputs),
                shapes(&m.outputs),
                m.ticks.to_string(),
                m.cycles_spaced.to_string(),
                m.cycles_contiguous.to_string(),
                format!("{:.3}", m.us_spaced),
                format!("{:.3}", m.us_contiguous),
                m.weight_blocks.to_string(),
                format!("{:.1}%", 100.0 * m.busy),
            ]);
        }
        t.text()
    }

    /// A row per store.
    pub fn stores_table(&self) -> String {
        let mut t = Table::new(&["store", "used", "capacity", "full", "unit"]);
        for s in &self.stores {
            t.row([
                s.name.to_owned(),
                s.used.to_string(),
                s.capacity.to_string(),
                format!("{:.1}%", 100.0 * share(s.used, s.capacity as usize)),
                s.unit.to_owned(),
            ]);
        }
        t.text()
    }
}
