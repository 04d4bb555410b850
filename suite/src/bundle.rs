//! Networks compiled into one program, jobs for them, and what the float reference says of the results.
//!
//! | value | type | unit |
//! |-------|------|------|
//! | job inputs | `f32`, exactly representable in bf16 | standard normal |
//! | budget | per value | `atol + rtol * reference`, or the spread of the noisy reference |
//!
//! **Contract.** [`Bundle::jobs`] is a function of its seed. Padding lanes of input beats hold random bits, NaN and infinities among them:
//! nothing may depend on them. The reference sees the jobs of each model in order, so state is compared too.
//! **Errors.** The compiler's, and [`SuiteError::Mismatch`] for a result outside its budget.

use std::sync::Arc;

use sluice_compiler::backend::{ModelOptions, ProgramBuilder};
use sluice_compiler::nnir::{Evaluator, Graph, Tensor};
use sluice_isa::float::{self, bf16_to_f32, f32_to_bf16};
use sluice_isa::{HardwareConfig, ModelInfo, NumberFormat, Program, SELECT_RESET};
use sluice_sim::{Job, OutBeat};

use crate::error::SuiteError;
use crate::net::Net;
use crate::rng::Rng;

/// Allowed difference from the float reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// `|error| <= atol + rtol * |reference|`.
    Absolute {
        /// Absolute part.
        atol: f32,
        /// Relative part.
        rtol: f32,
    },
    /// A multiple of how far the result moves when every layer is disturbed by half a unit in the last place of bf16.
    Noise,
}

impl Budget {
    /// The budget of the reference networks.
    pub const NORMAL: Self = Self::Absolute {
        atol: 1e-2,
        rtol: 1e-2,
    };
}

/// How far results were from the reference.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ErrorReport {
    /// Values compared.
    pub values: usize,
    /// Values outside the budget.
    pub outside: usize,
    /// Largest absolute error.
    pub max_abs: f32,
    /// Root mean square of the errors over that of the reference.
    pub relative_rms: f64,
}

/// A job with the tensors it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Model index; with [`SELECT_RESET`] a reset of its state.
    pub model: u16,
    /// Inputs; empty for an unknown model and for a reset.
    pub inputs: Vec<Tensor>,
}

/// Models compiled into one program.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The networks.
    pub nets: Vec<Net>,
    /// Their graphs.
    pub graphs: Vec<Graph>,
    /// The program.
    pub program: Arc<Program>,
}

impl Bundle {
    /// Compiles the networks, in order.
    pub fn compile(nets: &[Net], config: &HardwareConfig) -> Result<Self, SuiteError> {
        Self::compile_resettable(nets, config, |_| false)
    }

    /// Compiles the networks; the state of those named can be reset at run time.
    pub fn compile_resettable(
        nets: &[Net],
        config: &HardwareConfig,
        resettable: impl Fn(usize) -> bool,
    ) -> Result<Self, SuiteError> {
        let mut builder = ProgramBuilder::new(config)?;
        let mut graphs = Vec::new();
        for (index, net) in nets.iter().enumerate() {
            let graph = net.graph()?;
            let options = ModelOptions {
                resettable: resettable(index),
                ..ModelOptions::default()
            };
            builder.add(&graph, &options)?;
            graphs.push(graph);
        }
        Ok(Self {
            nets: nets.to_vec(),
            graphs,
            program: Arc::new(builder.build()?),
        })
    }

    /// A request with random inputs.
    pub fn request(&self, model: usize, rng: &mut Rng) -> Request {
        let inputs = self.program.models.get(model).map_or_else(Vec::new, |m| {
            m.inputs
                .iter()
                .map(|t| {
                    Tensor::from_fn(t.shape.clone(), |_| match t.format {
                        NumberFormat::Bf16 => rng.activation(),
                        NumberFormat::Fp32 => rng.normal(),
                    })
                })
                .collect()
        });
        Request {
            model: u16::try_from(model).unwrap_or(u16::MAX),
            inputs,
        }
    }

    /// A reset of a model's state; it has no effect if the model was not compiled for it.
    pub fn reset(model: usize) -> Request {
        Request {
            model: u16::try_from(model).unwrap_or(u16::MAX) | SELECT_RESET,
            inputs: vec![],
        }
    }

    /// `count` requests of random models with random inputs.
    pub fn requests(&self, count: usize, seed: u64) -> Vec<Request> {
        let mut rng = Rng::labelled(seed, "requests");
        let mut used = vec![0; self.program.models.len()];
        (0..count)
            .map(|_| {
                // The less used of two random ones: random order, but nobody is left out of a short list.
                let (a, b) = (rng.below(used.len()), rng.below(used.len()));
                let model = if used[a] <= used[b] { a } else { b };
                used[model] += 1;
                self.request(model, &mut rng)
            })
            .collect()
    }

    /// Requests as beats.
    pub fn jobs(&self, requests: &[Request], seed: u64) -> Vec<Job> {
        let mut rng = Rng::labelled(seed, "padding");
        let b = self.program.config.block_size as usize;
        requests
            .iter()
            .map(|r| Job {
                model: r.model,
                beats: self
                    .program
                    .models
                    .get(usize::from(r.model))
                    .map_or_else(Vec::new, |m| beats(m, &r.inputs, b, &mut rng)),
            })
            .collect()
    }

    /// Output tensors of each job, from the beats of a run; jobs of unknown models have none.
    pub fn tensors(
        &self,
        requests: &[Request],
        beats: &[OutBeat],
    ) -> Result<Vec<Vec<Tensor>>, SuiteError> {
        let b = self.program.config.block_size as usize;
        let mut next = beats.iter();
        let mut all = Vec::new();
        for (job, r) in requests.iter().enumerate() {
            let mut tensors = Vec::new();
            for t in self
                .program
                .models
                .get(usize::from(r.model))
                .map_or(&[][..], |m| &m.outputs)
            {
                let mut words = vec![float::BF16_QNAN; t.num_words()];
                let layout = t.layout(b);
                for (i, lanes) in layout.iter().enumerate() {
                    let mismatch = |what: String| {
                        SuiteError::Mismatch(format!(
                            "job {job}, output `{}`, beat {i}: {what}",
                            t.name
                        ))
                    };
                    let beat = next
                        .next()
                        .ok_or_else(|| mismatch("it did not come".into()))?;
                    if beat.last != (i + 1 == layout.len()) {
                        return Err(mismatch(format!("last is {}", beat.last)));
                    }
                    for (lane, &word) in lanes.iter().zip(&beat.data) {
                        match lane {
                            Some(at) => words[*at] = word,
                            None if word != 0 => {
                                return Err(mismatch(format!("padding is {word:04x}, not zero")));
                            }
                            None => {}
                        }
                    }
                }
                tensors.push(Tensor {
                    shape: t.shape.clone(),
                    data: t.values(&words),
                });
            }
            all.push(tensors);
        }
        if next.next().is_some() {
            return Err(SuiteError::Mismatch(
                "there are more output beats than the jobs have".into(),
            ));
        }
        Ok(all)
    }

    /// Results of the float reference.
    pub fn reference(&self, requests: &[Request]) -> Result<Vec<Vec<Tensor>>, SuiteError> {
        self.evaluate(&self.graphs, requests, None)
    }

    /// Results of bf16 weights and activations with wide sums: what the usual number format alone costs.
    pub fn bf16_reference(&self, requests: &[Request]) -> Result<Vec<Vec<Tensor>>, SuiteError> {
        let round = |x: f32| f32::from_bits(bf16_to_f32(f32_to_bf16(x.to_bits())));
        let graphs: Vec<Graph> = self.graphs.iter().map(|g| g.map_weights(round)).collect();
        self.evaluate(&graphs, requests, Some(round))
    }

    /// Compares results with the reference; one report per model.
    pub fn errors(
        &self,
        requests: &[Request],
        results: &[Vec<Tensor>],
        budget: Budget,
    ) -> Result<Vec<ErrorReport>, SuiteError> {
        let reference = self.reference(requests)?;
        let spread = match budget {
            Budget::Absolute { .. } => None,
            Budget::Noise => Some(self.spread(requests, &reference)?),
        };
        let mut reports = vec![ErrorReport::default(); self.nets.len()];
        let mut power = vec![(0.0_f64, 0.0_f64); self.nets.len()];
        for (job, r) in requests.iter().enumerate() {
            let model = usize::from(r.model);
            let Some(report) = reports.get_mut(model) else {
                continue;
            };
            for (t, (got, want)) in results[job].iter().zip(&reference[job]).enumerate() {
                for (i, (&g, &w)) in got.data.iter().zip(&want.data).enumerate() {
                    let error = (g - w).abs();
                    let allowed = match (&spread, budget) {
                        (None, Budget::Absolute { atol, rtol }) => atol + rtol * w.abs(),
                        (Some(s), _) => s[job][t].data[i],
                        (None, Budget::Noise) => 0.0,
                    };
                    report.values += 1;
                    // A NaN is outside whatever is allowed.
                    report.outside += usize::from(!matches!(
                        error.partial_cmp(&allowed),
                        Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)
                    ));
                    report.max_abs =
                        report
                            .max_abs
                            .max(if error.is_nan() { f32::INFINITY } else { error });
                    power[model].0 += f64::from(error).powi(2);
                    power[model].1 += f64::from(w).powi(2);
                }
            }
        }
        for (r, (e, p)) in reports.iter_mut().zip(power) {
            r.relative_rms = if p > 0.0 { (e / p).sqrt() } else { e.sqrt() };
        }
        Ok(reports)
    }

    /// As [`Bundle::errors`], with any value outside the budget an error.
    pub fn check(
        &self,
        requests: &[Request],
        results: &[Vec<Tensor>],
        budget: Budget,
    ) -> Result<Vec<ErrorReport>, SuiteError> {
        let reports = self.errors(requests, results, budget)?;
        if let Some((net, r)) = self.nets.iter().zip(&reports).find(|(_, r)| r.outside > 0) {
            return Err(SuiteError::Mismatch(format!(
                "network `{}`: {} of {} values are outside the error budget of the float reference, largest error {:.3e}, relative rms {:.3e}",
                net.name, r.outside, r.values, r.max_abs, r.relative_rms
            )));
        }
        Ok(reports)
    }

    /// Allowed error per value: eight times the largest move under noise, and a floor from the tensor's own size.
    fn spread(
        &self,
        requests: &[Request],
        reference: &[Vec<Tensor>],
    ) -> Result<Vec<Vec<Tensor>>, SuiteError> {
        let mut allowed: Vec<Vec<Tensor>> = reference
            .iter()
            .map(|job| {
                job.iter()
                    .map(|t| {
                        #[expect(clippy::cast_precision_loss, reason = "a tensor's size")]
                        let rms = (t.data.iter().map(|x| x * x).sum::<f32>() / t.data.len() as f32)
                            .sqrt();
                        Tensor::from_fn(t.shape.clone(), |i| {
                            0.01 * rms + 0.01 * t.data[i].abs() + 1e-4
                        })
                    })
                    .collect()
            })
            .collect();
        let mut moved: Vec<Vec<Tensor>> = reference
            .iter()
            .map(|job| job.iter().map(|t| Tensor::zeros(t.shape.clone())).collect())
            .collect();
        for seed in 0..4 {
            let graphs = self
                .nets
                .iter()
                .map(|n| n.noisy(seed))
                .collect::<Result<Vec<_>, _>>()?;
            let noisy = self.evaluate(&graphs, requests, None)?;
            for (m, (n, r)) in moved
                .iter_mut()
                .flatten()
                .zip(noisy.iter().flatten().zip(reference.iter().flatten()))
            {
                for (m, (n, r)) in m.data.iter_mut().zip(n.data.iter().zip(&r.data)) {
                    *m = m.max((n - r).abs());
                }
            }
        }
        for (a, m) in allowed.iter_mut().flatten().zip(moved.iter().flatten()) {
            // A value's own moves are few samples; the tensor's mean move steadies them.
            #[expect(clippy::cast_precision_loss, reason = "a tensor's size")]
            let mean = m.data.iter().sum::<f32>() / m.data.len().max(1) as f32;
            for (a, m) in a.data.iter_mut().zip(&m.data) {
                *a += 8.0 * m.max(mean);
            }
        }
        Ok(allowed)
    }

    fn evaluate(
        &self,
        graphs: &[Graph],
        requests: &[Request],
        round: Option<fn(f32) -> f32>,
    ) -> Result<Vec<Vec<Tensor>>, SuiteError> {
        let mut evaluators = graphs
            .iter()
            .map(Evaluator::new)
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(round) = round {
            evaluators = evaluators.into_iter().map(|e| e.rounding(round)).collect();
        }
        let mut all = Vec::new();
        for r in requests {
            let model = usize::from(r.model & !SELECT_RESET);
            all.push(match evaluators.get_mut(model) {
                Some(e) if r.model & SELECT_RESET == 0 => e.run(&r.inputs)?,
                Some(e) => {
                    if self.program.models[model].resettable {
                        e.reset();
                    }
                    vec![]
                }
                None => vec![],
            });
        }
        Ok(all)
    }
}

fn beats(model: &ModelInfo, inputs: &[Tensor], block: usize, rng: &mut Rng) -> Vec<Vec<u16>> {
    let mut all = Vec::new();
    for (info, tensor) in model.inputs.iter().zip(inputs) {
        let words = info.words(&tensor.data);
        for lanes in info.layout(block) {
            all.push(
                lanes
                    .into_iter()
                    .map(|at| match at {
                        Some(i) => words[i],
                        None => padding(rng),
                    })
                    .collect(),
            );
        }
    }
    all
}

fn padding(rng: &mut Rng) -> u16 {
    match rng.below(4) {
        0 => 0x7FC0,
        1 => 0xFF80,
        _ => u16::try_from(rng.next_u64() >> 48).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Executor;
    use crate::models;
    use crate::vm::VmExecutor;
    use sluice_isa::presets::preset;
    use sluice_sim::StallPattern;

    fn bundle() -> Bundle {
        let mut config = preset("c2b8").unwrap();
        config.instr_store_depth = 4096;
        let nets = [
            models::residual_mlp(20, 16, 5, 1),
            models::cnn(4, 10, 2, 2),
            models::mixed(9, 3),
        ];
        Bundle::compile(&nets, &config).unwrap()
    }

    #[test]
    fn both_budgets_hold_and_can_fail() {
        let bundle = bundle();
        let requests = bundle.requests(12, 5);
        let jobs = bundle.jobs(&requests, 5);
        let run = VmExecutor
            .run(&bundle.program, &jobs, &StallPattern::FREE)
            .unwrap();
        let mut results = bundle.tensors(&requests, &run.beats).unwrap();
        for budget in [
            Budget::NORMAL,
            Budget::Absolute {
                atol: 0.05,
                rtol: 0.05,
            },
            Budget::Noise,
        ] {
            let reports = bundle.errors(&requests, &results, budget).unwrap();
            println!("{budget:?}: {reports:?}");
            assert!(reports.iter().all(|r| r.relative_rms < 0.01), "{reports:?}");
            assert!(
                budget == Budget::NORMAL || reports.iter().all(|r| r.outside == 0),
                "{reports:?}"
            );
        }
        // Two values swapped, a NaN, a job that saw another model's input: all are outside.
        let good = results.clone();
        results[0][0].data[0] = f32::NAN;
        assert!(bundle.check(&requests, &results, Budget::Noise).is_err());
        results.clone_from(&good);
        results[0][0].data.swap(0, 1);
        assert!(bundle.check(&requests, &results, Budget::Noise).is_err());
        results.clone_from(&good);
        let same = (1..requests.len())
            .find(|&i| requests[i].model == requests[0].model)
            .unwrap();
        results.swap(0, same);
        assert!(bundle.check(&requests, &results, Budget::Noise).is_err());
    }
}
