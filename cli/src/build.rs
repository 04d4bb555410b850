//! Model files to one program: what `compile` and `schedule` share.
//!
//! **Contract.** Models keep the order of the command line. Names within a program are unique.
//! **Errors.** Those of the front end and the compiler, with the model's file in front; [`CliError::Usage`] for options that do not
//! match the models in number.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use sluice_compiler::backend::{ModelOptions, ProgramBuilder};
use sluice_isa::HardwareConfig;

use crate::error::{CliError, Result};
use crate::{frontend, progress, table};

/// How models are read, beyond their files.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Name of a model in the program; give it once per model, in order [default: the model's own]
    #[arg(long, value_name = "NAME")]
    model_name: Vec<String>,
    /// Makes one step of a sequence one inference: the time axis of each input, e.g. 2 or 0,1; `none` leaves a model as it is.
    /// Give it once per model, in order
    #[arg(long, value_name = "AXES")]
    streaming_transform: Vec<Axes>,
    /// Shape of an input the model file leaves open, e.g. 1,64; give it once per input (.onnx only, one model)
    #[arg(long, value_name = "SHAPE")]
    input_shape: Vec<Shape>,
    /// The state of the models can be reset at run time, by a model-select beat with bit 15 set; costs nothing
    #[arg(long)]
    state_reset: bool,
}

/// Value of `--streaming-transform`.
#[derive(Debug, Clone)]
struct Axes(Option<Vec<usize>>);

impl FromStr for Axes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let axes = text.split(',').map(str::parse).collect::<Result<_, _>>();
        axes.map(|a| Self(Some(a)))
            .map_err(|_| "an axis counted from 0 per input, like 2 or 0,1, or `none`".into())
    }
}

/// Value of `--input-shape`.
#[derive(Debug, Clone)]
struct Shape(Vec<usize>);

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let extents = text.split(',').map(str::parse).collect::<Result<_, _>>();
        extents.map(Self).map_err(|_| "extents like 1,64".into())
    }
}

/// Compiles the models of a program.
pub fn program(
    models: &[PathBuf],
    args: &ModelArgs,
    config: &HardwareConfig,
) -> Result<ProgramBuilder> {
    let count = models.len();
    per_model("--model-name", args.model_name.len(), count)?;
    per_model(
        "--streaming-transform",
        args.streaming_transform.len(),
        count,
    )?;
    if !args.input_shape.is_empty() && count > 1 {
        return Err(CliError::Usage(
            "--input-shape goes with one model; fix the shapes when exporting the models".into(),
        ));
    }
    let shapes: Vec<Vec<usize>> = args.input_shape.iter().map(|s| s.0.clone()).collect();
    let mut builder = ProgramBuilder::new(config)?;
    let mut names = std::collections::BTreeSet::new();
    let bar = progress::bar(count, "compiling");
    for (i, path) in models.iter().enumerate() {
        bar.set_message(path.display().to_string());
        let blame = |source| CliError::Model {
            path: path.clone(),
            source,
        };
        let mut graph = frontend::load(path, &shapes)?;
        let mut options = ModelOptions {
            name: args.model_name.get(i).cloned(),
            resettable: args.state_reset,
            ..ModelOptions::default()
        };
        if let Some(Axes(Some(axes))) = args.streaming_transform.get(i) {
            let (streamed, outputs) = graph.streaming_transform(axes).map_err(blame)?;
            graph = streamed;
            options.input_streaming_dims = axes.iter().copied().map(Some).collect();
            options.output_streaming_dims = outputs.into_iter().map(Some).collect();
        }
        let name = options.name.clone().unwrap_or_else(|| graph.name.clone());
        if !names.insert(name.clone()) {
            return Err(CliError::DuplicateName(name));
        }
        builder.add(&graph, &options).map_err(blame)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(builder)
}

fn per_model(option: &str, given: usize, models: usize) -> Result<()> {
    if given == 0 || given == models {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "{option} is given {} for {}; give it once per model, in their order",
        table::count(given, "time"),
        table::count(models, "model")
    )))
}
