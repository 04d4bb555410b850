//! `sluice example`: small models to try the other commands with.
//!
//! | name | network | file holds |
//! |------|---------|------------|
//! | `mlp` | `h = relu(fc1 x); h = relu(fc2 h) + h; out h` | one inference |
//! | `cnn` | two causal convolutions of 3 taps, rectified | a sequence, axis 2; compile with `--streaming-transform 2` |
//!
//! **Contract.** Same options, same file. Weights are uniform, of He's variance.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use sluice_compiler::nnir::{Graph, GraphBuilder, Tensor};

use super::Outcome;
use crate::error::{CliError, Result};
use crate::rng::Rng;

const EXAMPLES: &str = "\
Examples:
  sluice example mlp -o mlp.nnir
  sluice example cnn -o cnn.nnir --inputs 32 --hidden 128 --outputs 1
  sluice example mlp -o tiny.nnir --inputs 8 --hidden 8 --outputs 4";

/// Steps of the sequence in the file; streaming makes it any number.
const STEPS: usize = 16;

/// Write an example model as NNIR text
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Example {
    /// Which network
    #[arg(value_enum, value_name = "NAME")]
    name: Name,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Width of the input [default: mlp 784, cnn 32]
    #[arg(long, value_name = "N", value_parser = width)]
    inputs: Option<usize>,
    /// Width of the hidden layers
    #[arg(long, value_name = "N", value_parser = width, default_value_t = 128)]
    hidden: usize,
    /// Width of the output [default: mlp 10, cnn 1]
    #[arg(long, value_name = "N", value_parser = width)]
    outputs: Option<usize>,
    /// Seed of the weights
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// Three dense layers with a residual connection
    Mlp,
    /// Two causal convolutions over a sequence
    Cnn,
}

fn width(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| (1..=4096).contains(n))
        .ok_or_else(|| "a width from 1 to 4096".into())
}

impl Example {
    pub fn run(&self) -> Result<Outcome> {
        let mut rng = Rng::new(self.seed);
        let (graph, next) = match self.name {
            Name::Mlp => (
                mlp(
                    &mut rng,
                    self.inputs.unwrap_or(784),
                    self.hidden,
                    self.outputs.unwrap_or(10),
                ),
                "",
            ),
            Name::Cnn => (
                cnn(
                    &mut rng,
                    self.inputs.unwrap_or(32),
                    self.hidden,
                    self.outputs.unwrap_or(1),
                ),
                " --streaming-transform 2",
            ),
        };
        let graph = graph.map_err(|e| CliError::Internal(e.to_string()))?;
        std::fs::write(&self.output, graph.to_string())
            .map_err(|e| CliError::io("write", &self.output, &e))?;
        let path = self.output.display();
        Ok(Outcome::ok(format!(
            "{} written to {path}\nnext: sluice compile {path} --config c6b32{next}\n",
            graph.name
        )))
    }
}

type GraphResult = Result<Graph, sluice_compiler::error::CompileError>;

fn weights(rng: &mut Rng, shape: &[usize]) -> Tensor {
    let fan_in: usize = shape[1..].iter().product();
    #[expect(clippy::cast_precision_loss, reason = "a width")]
    let scale = (6.0 / fan_in as f32).sqrt();
    Tensor::from_fn(shape, |_| rng.unit() * scale)
}

fn bias(rng: &mut Rng, n: usize) -> Arc<Tensor> {
    Arc::new(Tensor::from_fn([n], |_| rng.unit() * 0.25))
}

fn mlp(rng: &mut Rng, inputs: usize, hidden: usize, outputs: usize) -> GraphResult {
    let mut g = GraphBuilder::new("mlp");
    let x = g.input("x", &[inputs]);
    let w = weights(rng, &[hidden, inputs]);
    let h = g.linear("fc1", x, w, Some(bias(rng, hidden)))?;
    let h = g.relu("relu1", h)?;
    let w = weights(rng, &[hidden, hidden]);
    let r = g.linear("fc2", h, w, Some(bias(rng, hidden)))?;
    let r = g.relu("relu2", r)?;
    let s = g.add("residual", r, h)?;
    let w = weights(rng, &[outputs, hidden]);
    let y = g.linear("out", s, w, Some(bias(rng, outputs)))?;
    g.output(y);
    g.finish()
}

fn cnn(rng: &mut Rng, inputs: usize, hidden: usize, outputs: usize) -> GraphResult {
    let mut g = GraphBuilder::new("cnn");
    let x = g.input("x", &[1, inputs, STEPS]);
    let w = weights(rng, &[hidden, inputs, 3]);
    let c = g.conv1d("conv1", x, w, Some(bias(rng, hidden)), 1, 1)?;
    let c = g.relu("relu1", c)?;
    let w = weights(rng, &[outputs, hidden, 3]);
    let c = g.conv1d("conv2", c, w, Some(bias(rng, outputs)), 1, 1)?;
    let c = g.relu("relu2", c)?;
    g.output(c);
    g.finish()
}
