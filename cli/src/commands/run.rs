//! `sluice run`: inferences on the VM, arrays in and out.
//!
//! | array | shape of the file |
//! |-------|-------------------|
//! | input, output | the tensor's |
//! | with `--steps` | the tensor's with the time axis put back in; one inference per index, state carried over |
//!
//! **Contract.** Values go through the input format of the accelerator (bf16, to nearest); results are exactly the accelerator's.
//! **Errors.** [`CliError::Shape`] and [`CliError::Array`] for files, [`CliError::Usage`] for a wrong number of options.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use sluice_isa::{ModelInfo, TensorInfo};
use sluice_sim::Vm;

use super::{Outcome, metrics};
use crate::error::{CliError, Result};
use crate::npy::{self, Array};
use crate::report::microseconds;
use crate::rng::Rng;
use crate::{progress, table};

const EXAMPLES: &str = "\
Examples:
  sluice run mlp.sluice --input x.npy --output y.npy
  sluice run both.sluice --model second --input a.npy --input b.npy
  sluice run cnn.sluice --input sequence.npy --steps 2 --output results.npy
  sluice run mlp.sluice --random 1 --count 10 --json";

/// Run a program on the VM, bit for bit and cycle for cycle as the hardware does
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// Program file
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// Model, by index or name
    #[arg(short, long, value_name = "MODEL", default_value = "0")]
    model: String,
    /// Input array, .npy of float32; give it once per input, in order
    #[arg(short, long, value_name = "FILE", required_unless_present = "random")]
    input: Vec<PathBuf>,
    /// Where to write an output array, .npy of float32; give it once per output, in order
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Run one inference per index of this axis of the inputs (`auto`: the axis of --streaming-transform)
    #[arg(long, value_name = "AXIS", value_parser = axis, conflicts_with = "random")]
    steps: Option<Steps>,
    /// Uniform inputs in -1..1 from this seed instead of files
    #[arg(long, value_name = "SEED", conflicts_with = "input")]
    random: Option<u64>,
    /// Random inferences to run, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, requires = "random", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Print results and cycles as JSON
    #[arg(long)]
    json: bool,
}

/// Value of `--steps`; `None` is `auto`.
type Steps = Option<usize>;

fn axis(text: &str) -> Result<Steps, String> {
    if text == "auto" {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| "an axis counted from 0, or `auto`".into())
}

#[derive(Serialize)]
struct Report {
    model: String,
    inferences: usize,
    cycles: Vec<u64>,
    us_max: f64,
    outputs: Vec<OutputReport>,
}

#[derive(Serialize)]
struct OutputReport {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Run {
    pub fn run(&self) -> Result<Outcome> {
        let program = metrics::load(&self.program)?;
        let index = find(&program.models, &self.model)?;
        let config = program.config.clone();
        let model = program.models[index].clone();
        if !self.output.is_empty() && self.output.len() != model.outputs.len() {
            return Err(CliError::Usage(format!(
                "model `{}` has {}, --output is given {}; give it once per output",
                model.name,
                table::count(model.outputs.len(), "output"),
                table::count(self.output.len(), "time")
            )));
        }
        let (jobs, stacked) = match self.random {
            Some(seed) => (random(&model, seed, self.count), self.count != 1),
            None => (self.read(&model)?, self.steps.is_some()),
        };
        let mut vm = Vm::new(Arc::new(program))?;
        let mut cycles = Vec::with_capacity(jobs.len());
        let mut results: Vec<Vec<Vec<f32>>> =
            vec![Vec::with_capacity(jobs.len()); model.outputs.len()];
        let bar = progress::bar(jobs.len(), "inferences");
        for job in &jobs {
            let slices: Vec<&[f32]> = job.iter().map(Vec::as_slice).collect();
            let run = vm.run(index, &slices)?;
            cycles.push(run.cycles.spaced);
            for (all, one) in results.iter_mut().zip(run.outputs) {
                all.push(one);
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        let outputs: Vec<Array> = model
            .outputs
            .iter()
            .zip(&results)
            .map(|(t, steps)| {
                if stacked {
                    let axis = self.steps.flatten();
                    join(&t.shape, steps, t.streaming_dim.or(axis).unwrap_or(0))
                } else {
                    Array {
                        shape: t.shape.clone(),
                        data: steps.concat(),
                    }
                }
            })
            .collect();
        for (path, array) in self.output.iter().zip(&outputs) {
            npy::write(path, array)?;
        }
        let slowest = cycles.iter().copied().max().unwrap_or(0);
        let us_max = microseconds(u32::try_from(slowest).unwrap_or(u32::MAX), &config);
        if self.json {
            let named = model.outputs.iter().zip(outputs);
            return Outcome::json(&Report {
                model: model.name,
                inferences: cycles.len(),
                cycles,
                us_max,
                outputs: named
                    .map(|(t, a)| OutputReport {
                        name: t.name.clone(),
                        shape: a.shape,
                        values: a.data,
                    })
                    .collect(),
            });
        }
        let fastest = cycles.iter().copied().min().unwrap_or(0);
        let spread = if fastest == slowest {
            format!("{slowest} cycles")
        } else {
            format!("{fastest} to {slowest} cycles")
        };
        let mut text = format!(
            "model {} ({}): {}, {spread} each, {us_max:.3} us at {} MHz\n",
            index,
            model.name,
            table::count(cycles.len(), "inference"),
            config.clock_mhz
        );
        for (i, (t, a)) in model.outputs.iter().zip(&outputs).enumerate() {
            let values = match self.output.get(i) {
                Some(path) => format!("written to {}", path.display()),
                None => preview(&a.data),
            };
            let _ = writeln!(text, "{} {:?}: {values}", t.name, a.shape);
        }
        Ok(Outcome::ok(text))
    }

    /// Input values per inference and tensor.
    fn read(&self, model: &ModelInfo) -> Result<Vec<Vec<Vec<f32>>>> {
        if self.input.len() != model.inputs.len() {
            let names = model
                .inputs
                .iter()
                .map(|t| format!("{} {:?}", t.name, t.shape))
                .collect::<Vec<_>>()
                .join(", ");
            return Err(CliError::Usage(format!(
                "model `{}` has {} ({names}), --input is given {}; give it once per input",
                model.name,
                table::count(model.inputs.len(), "input"),
                table::count(self.input.len(), "time")
            )));
        }
        let mut jobs: Vec<Vec<Vec<f32>>> = Vec::new();
        for (i, (path, tensor)) in self.input.iter().zip(&model.inputs).enumerate() {
            let steps = match self.steps {
                Some(asked) => {
                    let axis = asked.or(tensor.streaming_dim).ok_or_else(|| {
                        CliError::Usage(format!(
                            "--steps auto: model `{}` was not compiled with --streaming-transform; name the axis",
                            model.name
                        ))
                    })?;
                    steps_of(path, tensor, model, axis)?
                }
                None => vec![whole(path, tensor, model)?],
            };
            if i == 0 {
                jobs.resize(steps.len(), vec![]);
            } else if jobs.len() != steps.len() {
                return Err(CliError::Array {
                    path: path.clone(),
                    problem: format!(
                        "it holds {} steps, {} holds {}; all inputs need the same number",
                        steps.len(),
                        self.input[0].display(),
                        jobs.len()
                    ),
                });
            }
            for (job, step) in jobs.iter_mut().zip(steps) {
                job.push(step);
            }
        }
        Ok(jobs)
    }
}

fn find(models: &[ModelInfo], asked: &str) -> Result<usize> {
    let by_name = models.iter().position(|m| m.name == asked);
    let by_index = asked.parse().ok().filter(|&i: &usize| i < models.len());
    by_name.or(by_index).ok_or_else(|| CliError::NoSuchModel {
        name: asked.into(),
        known: models
            .iter()
            .enumerate()
            .map(|(i, m)| format!("{i} ({})", m.name))
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn steps_of(
    path: &Path,
    tensor: &TensorInfo,
    model: &ModelInfo,
    axis: usize,
) -> Result<Vec<Vec<f32>>> {
    if axis > tensor.shape.len() {
        return Err(CliError::Usage(format!(
            "--steps {axis}: input `{}` with its time axis has axes 0 to {}",
            tensor.name,
            tensor.shape.len()
        )));
    }
    let array = npy::read(path)?;
    let mut step_shape = array.shape.clone();
    if axis < step_shape.len() {
        step_shape.remove(axis);
    }
    if array.shape.len() != tensor.shape.len() + 1 || step_shape != tensor.shape {
        let mut expected: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        expected.insert(axis, "steps".into());
        return Err(CliError::Shape {
            path: path.to_owned(),
            tensor: tensor.name.clone(),
            model: model.name.clone(),
            expected: format!("[{}]", expected.join(", ")),
            got: array.shape,
            hint: String::new(),
        });
    }
    if array.shape[axis] == 0 {
        return Err(CliError::Array {
            path: path.to_owned(),
            problem: format!("axis {axis} has length 0; at least one step is needed"),
        });
    }
    Ok(split(&array, axis))
}

fn whole(path: &Path, tensor: &TensorInfo, model: &ModelInfo) -> Result<Vec<f32>> {
    let array = npy::read(path)?;
    if array.shape == tensor.shape {
        return Ok(array.data);
    }
    let streamed = tensor.streaming_dim.is_some() && array.shape.len() == tensor.shape.len() + 1;
    let hint = if streamed {
        "; for a whole sequence add --steps auto".into()
    } else if array.data.len() == tensor.num_elements() {
        format!("; reshape it with `x.reshape({:?})`", tensor.shape)
    } else {
        String::new()
    };
    Err(CliError::Shape {
        path: path.to_owned(),
        tensor: tensor.name.clone(),
        model: model.name.clone(),
        expected: format!("{:?}", tensor.shape),
        got: array.shape,
        hint,
    })
}

fn random(model: &ModelInfo, seed: u64, count: u32) -> Vec<Vec<Vec<f32>>> {
    let mut rng = Rng::new(seed);
    let mut tensor = |t: &TensorInfo| (0..t.num_elements()).map(|_| rng.unit()).collect();
    (0..count)
        .map(|_| model.inputs.iter().map(&mut tensor).collect())
        .collect()
}

/// The slices of an array along an axis.
fn split(array: &Array, axis: usize) -> Vec<Vec<f32>> {
    let inner: usize = array.shape[axis + 1..].iter().product();
    let steps = array.shape[axis];
    (0..steps)
        .map(|s| {
            let rows = array.data.chunks(inner.max(1));
            rows.skip(s)
                .step_by(steps.max(1))
                .flatten()
                .copied()
                .collect()
        })
        .collect()
}

/// Slices of one shape, joined along a new axis.
fn join(shape: &[usize], steps: &[Vec<f32>], axis: usize) -> Array {
    let axis = axis.min(shape.len());
    let inner: usize = shape[axis..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let mut data = Vec::with_capacity(outer * inner * steps.len());
    for o in 0..outer {
        for step in steps {
            data.extend_from_slice(&step[o * inner..(o + 1) * inner]);
        }
    }
    let mut shape = shape.to_vec();
    shape.insert(axis, steps.len());
    Array { shape, data }
}

fn preview(values: &[f32]) -> String {
    const SHOWN: usize = 8;
    let mut text = values
        .iter()
        .take(SHOWN)
        .map(f32::to_string)
        .collect::<Vec<_>>()
        .join(" ");
    if values.len() > SHOWN {
        let _ = write!(
            text,
            " ... ({} values; --output FILE keeps all)",
            values.len()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_and_join_are_inverse_along_every_axis() {
        let shape = vec![2, 3, 4];
        let array = Array {
            data: (0..24u8).map(f32::from).collect(),
            shape,
        };
        for axis in 0..3 {
            let mut step_shape = array.shape.clone();
            let n = step_shape.remove(axis);
            let steps = split(&array, axis);
            assert_eq!(steps.len(), n);
            assert_eq!(join(&step_shape, &steps, axis), array);
        }
        assert_eq!(split(&array, 1)[2][..5], [8.0, 9.0, 10.0, 11.0, 20.0]);
    }
}
