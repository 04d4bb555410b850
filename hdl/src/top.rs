//! The generated modules: the core with its sizes filled in, `sl_core_block.sv`, the accelerator `sl_top.sv`, and the accelerator with its
//! configuration bus, `sl_ip_top.sv`; beside them an example of its use, `sl_example.sv`.
//!
//! **Contract.** A function of the configuration's sizes alone; every width is a number here.
//! **Errors.** Rendering cannot fail for a validated configuration.

use askama::Template;
use sluice_isa::HardwareConfig;
use sluice_isa::load::{SPACES, Space, data_width, load_words, space_depth, space_words};
use sluice_isa::registers::capability;

use crate::error::HdlError;
use crate::generator::{EXAMPLE, IP_TOP};

/// Numbers the templates use.
struct Sizes<'a> {
    version: &'a str,
    name: &'a str,
    cores: u32,
    block: u32,
    data_width: u32,
    load_width: u32,
    weight_depth: u32,
    tensor_depth: u32,
    accum_depth: u32,
    const_depth: u32,
    clamp_depth: u32,
    instr_depth: u32,
    max_models: u32,
    select_fifo_depth: u32,
    output_fifo_depth: u32,
    exchange_stages: u32,
    fp8_weights: &'static str,
}

impl<'a> Sizes<'a> {
    fn of(c: &'a HardwareConfig) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            name: &c.name,
            cores: c.num_cores,
            block: c.block_size,
            data_width: 16 * c.block_size,
            load_width: data_width(c),
            weight_depth: c.weight_store_depth,
            tensor_depth: c.tensor_ram_depth,
            accum_depth: c.accum_store_depth,
            const_depth: c.const_store_depth,
            clamp_depth: c.clamp_store_depth,
            instr_depth: c.instr_store_depth,
            max_models: c.max_models,
            select_fifo_depth: c.select_fifo_depth,
            output_fifo_depth: c.output_fifo_depth,
            exchange_stages: c.exchange_stages,
            fp8_weights: if c.fp8_weights { "1'b1" } else { "1'b0" },
        }
    }
}

#[derive(Template)]
#[template(path = "sl_top.sv")]
struct Top<'a> {
    s: Sizes<'a>,
    core_list: Vec<u32>,
}

#[derive(Template)]
#[template(path = "sl_core_block.sv")]
struct CoreBlock<'a> {
    s: Sizes<'a>,
}

#[derive(Template)]
#[template(path = "sl_ip_top.sv")]
struct IpTop<'a> {
    s: Sizes<'a>,
    load_words: u32,
    /// Words of a load stream beat, 0 without a load stream.
    stream_words: u32,
    /// The same, at least the one word of the bus.
    beat_words: u32,
    /// Registers `config_hash` to `capability_streams`, the last first.
    capability: Vec<String>,
    space_words: String,
    space_depth: String,
}

#[derive(Template)]
#[template(path = "sl_example.sv")]
struct Example<'a> {
    s: Sizes<'a>,
    module: &'static str,
    top: &'static str,
    stream_words: u32,
}

/// A packed array with one element per load space, the last first.
fn by_space(width: u32, value: impl Fn(Space) -> u32) -> String {
    let elements: Vec<String> = SPACES
        .iter()
        .rev()
        .map(|(space, _)| format!("{width}'d{}", value(*space)))
        .collect();
    elements.join(", ")
}

/// The example of use: its text.
pub fn example(config: &HardwareConfig, stream_words: u32) -> Result<String, HdlError> {
    let example = Example {
        s: Sizes::of(config),
        module: EXAMPLE,
        top: IP_TOP,
        stream_words,
    };
    example
        .render()
        .map(|t| t + "\n")
        .map_err(|e| HdlError::Internal(e.to_string()))
}

/// The generated modules in compile order: file name and text.
pub fn render(
    config: &HardwareConfig,
    stream_words: u32,
) -> Result<Vec<(&'static str, String)>, HdlError> {
    let internal = |e: askama::Error| HdlError::Internal(e.to_string());
    let block = CoreBlock {
        s: Sizes::of(config),
    };
    let top = Top {
        s: Sizes::of(config),
        core_list: (0..config.num_cores).collect(),
    };
    let ip_top = IpTop {
        s: Sizes::of(config),
        load_words: load_words(config),
        stream_words,
        beat_words: stream_words.max(1),
        capability: capability(config)
            .iter()
            .flat_map(|(_, words)| words)
            .rev()
            .map(|word| format!("{word:08X}"))
            .collect(),
        space_words: by_space(7, |s| space_words(config, s)),
        space_depth: by_space(17, |s| space_depth(config, s)),
    };
    // askama drops the last newline of a template
    Ok(vec![
        ("sl_core_block.sv", block.render().map_err(internal)? + "\n"),
        ("sl_top.sv", top.render().map_err(internal)? + "\n"),
        ("sl_ip_top.sv", ip_top.render().map_err(internal)? + "\n"),
    ])
}
