//! LSTM and GRU, over whole sequences.
//!
//! | value         | shape                        | note                                            |
//! |---------------|------------------------------|-------------------------------------------------|
//! | operand       | `[.., T, .., inputs]`        | T along `axis`                                  |
//! | weights       | `[gates H, inputs or H]`     | LSTM: input, forget, cell, output; GRU: reset, update, new |
//! | biases        | `[gates H]`                  | both are added; apart only in the new gate of a GRU |
//! | first states  | `[.., H]`                    | zero if absent                                  |
//! | output        | `[.., T, .., directions H]`  | forward, then backward                          |
//!
//! **Contract.** One `linear` per gate over the operand and the last hidden state, so that gate, function and product are one
//! operation of the machine. Gate order and formulas are torch's.

use std::sync::Arc;

use super::mismatch;
use crate::error::Result;
use crate::nnir::builder::GraphBuilder;
use crate::nnir::graph::Graph;
use crate::nnir::op::{Op, UnaryOp};
use crate::nnir::tensor::Tensor;
use crate::nnir::types::{NodeId, Precision};

/// The weights of one layer in one direction.
#[derive(Clone, Debug)]
pub struct RecurrentWeights {
    /// `[gates H, inputs]`.
    pub input: Arc<Tensor>,
    /// `[gates H, H]`.
    pub hidden: Arc<Tensor>,
    /// `[gates H]`.
    pub input_bias: Option<Arc<Tensor>>,
    /// `[gates H]`.
    pub hidden_bias: Option<Arc<Tensor>>,
}

/// One direction of a layer.
#[derive(Clone, Debug)]
pub struct Direction {
    /// Its weights.
    pub weights: RecurrentWeights,
    /// Hidden state before the first step.
    pub h0: Option<Arc<Tensor>>,
    /// Cell state before the first step; of an LSTM.
    pub c0: Option<Arc<Tensor>>,
}

/// A layer.
#[derive(Clone, Debug)]
pub struct RecurrentLayer {
    /// From the first step to the last.
    pub forward: Direction,
    /// From the last to the first.
    pub backward: Option<Direction>,
}

/// What a recurrent network gives.
#[derive(Clone, Debug)]
pub struct Recurrent {
    /// Hidden states of the last layer, all steps.
    pub output: NodeId,
    /// One per layer and direction, forward first; for the last states.
    pub runs: Vec<Run>,
}

/// One layer in one direction.
#[derive(Clone, Debug)]
pub struct Run {
    name: String,
    operand: NodeId,
    hidden: NodeId,
    body: Arc<Graph>,
    axis: usize,
    reverse: bool,
}

impl Run {
    /// Hidden states of all steps, in the order of the steps.
    pub fn hidden(&self) -> NodeId {
        self.hidden
    }
}

/// One matrix per gate, checked against each other.
struct Gates<'w> {
    weights: &'w RecurrentWeights,
    hidden: usize,
}

impl<'w> Gates<'w> {
    fn new(
        name: &str,
        op: &'static str,
        weights: &'w RecurrentWeights,
        gates: usize,
    ) -> Result<Self> {
        let biases = [&weights.input_bias, &weights.hidden_bias];
        let hidden = weights.hidden.shape.last().copied().unwrap_or(0);
        let rows = hidden.saturating_mul(gates);
        let fits = weights.hidden.shape == [rows, hidden]
            && matches!(weights.input.shape[..], [r, _] if r == rows)
            && biases.iter().copied().flatten().all(|b| b.shape == [rows])
            && [&weights.hidden, &weights.input]
                .iter()
                .all(|t| t.is_consistent())
            && biases.iter().copied().flatten().all(|b| b.is_consistent());
        if fits {
            return Ok(Self { weights, hidden });
        }
        let operands = format!(
            "{name}.input {:?}, {name}.hidden {:?}, {name}.bias {:?}",
            weights.input.shape,
            weights.hidden.shape,
            biases.map(|b| b.as_ref().map(|b| &b.shape))
        );
        let problem =
            format!("needs [{gates} H, inputs], [{gates} H, H] and biases of [{gates} H]");
        Err(mismatch(name, op, operands, problem))
    }

    fn rows(&self, of: &Tensor, gate: usize) -> Tensor {
        let columns: usize = of.shape[1..].iter().product();
        let count = self.hidden * columns;
        let mut shape = of.shape.clone();
        shape[0] = self.hidden;
        Tensor {
            shape,
            data: of.data[gate * count..][..count].to_vec(),
        }
    }

    fn input(&self, gate: usize) -> Arc<Tensor> {
        self.rows(&self.weights.input, gate).into()
    }

    fn hidden(&self, gate: usize) -> Arc<Tensor> {
        self.rows(&self.weights.hidden, gate).into()
    }

    fn bias(&self, gate: usize, of: &[&Option<Arc<Tensor>>]) -> Option<Arc<Tensor>> {
        let mut parts = of.iter().copied().flatten().map(|b| self.rows(b, gate));
        let mut sum = parts.next()?;
        for part in parts {
            for (a, b) in sum.data.iter_mut().zip(part.data) {
                *a += b;
            }
        }
        Some(sum.into())
    }

    /// `W x + V h + b`.
    fn sum(
        &self,
        g: &mut GraphBuilder,
        name: &str,
        gate: usize,
        x: NodeId,
        h: NodeId,
    ) -> Result<NodeId> {
        let terms = vec![(x, self.input(gate)), (h, self.hidden(gate))];
        let biases = [&self.weights.input_bias, &self.weights.hidden_bias];
        g.linear_sum(name, terms, self.bias(gate, &biases))
    }
}

/// A builder for one step, its operand and the state it starts from.
fn step(
    name: &str,
    shape: &[usize],
    hidden: usize,
    precision: Precision,
) -> (GraphBuilder, NodeId, Vec<usize>) {
    let mut g = GraphBuilder::new(name);
    g.precision(precision);
    let x = g.input("x", shape);
    let mut state = shape.to_vec();
    if let Some(last) = state.last_mut() {
        *last = hidden;
    }
    (g, x, state)
}

fn first_state(
    g: &mut GraphBuilder,
    name: &str,
    init: Option<&Arc<Tensor>>,
    shape: &[usize],
) -> Result<NodeId> {
    match init {
        Some(init) if init.shape != shape => {
            let operands = format!("{name} {:?}", init.shape);
            let problem = format!("needs a first state of shape {shape:?}");
            Err(mismatch(name, "state", operands, problem))
        }
        Some(init) => g.state(name, Arc::clone(init)),
        None => g.state(name, Tensor::zeros(shape)),
    }
}

/// One step of an LSTM on operands of this shape; its outputs are the new hidden and cell states.
pub fn lstm_cell(
    name: &str,
    shape: &[usize],
    direction: &Direction,
    precision: Precision,
) -> Result<Graph> {
    let gates = Gates::new(name, "lstm", &direction.weights, 4)?;
    let (mut g, x, state) = step(name, shape, gates.hidden, precision);
    let h = first_state(&mut g, "h", direction.h0.as_ref(), &state)?;
    let c = first_state(&mut g, "c", direction.c0.as_ref(), &state)?;
    let gate = |g: &mut GraphBuilder, name: &str, index, function| {
        let sum = gates.sum(g, &format!("{name}.sum"), index, x, h)?;
        g.unary(name, function, sum)
    };
    let forget = gate(&mut g, "forget", 1, UnaryOp::Sigmoid)?;
    let kept = g.mul("kept", forget, c)?;
    let input = gate(&mut g, "input", 0, UnaryOp::Sigmoid)?;
    let cell = gate(&mut g, "cell", 2, UnaryOp::Tanh)?;
    let new = g.mul("new", cell, input)?;
    let next_c = g.add("c_next", kept, new)?;
    let shown = g.unary("shown", UnaryOp::Tanh, next_c)?;
    let output = gate(&mut g, "output", 3, UnaryOp::Sigmoid)?;
    let next_h = g.mul("h_next", output, shown)?;
    g.update(h, next_h)?;
    g.update(c, next_c)?;
    g.output(next_h).output(next_c);
    g.finish()
}

/// One step of a GRU on operands of this shape; its output is the new hidden state.
///
/// `reset_after` resets `V h + b` as torch does, otherwise `h` itself.
pub fn gru_cell(
    name: &str,
    shape: &[usize],
    direction: &Direction,
    reset_after: bool,
    precision: Precision,
) -> Result<Graph> {
    let gates = Gates::new(name, "gru", &direction.weights, 3)?;
    let (mut g, x, state) = step(name, shape, gates.hidden, precision);
    let h = first_state(&mut g, "h", direction.h0.as_ref(), &state)?;
    let sum = gates.sum(&mut g, "reset.sum", 0, x, h)?;
    let reset = g.unary("reset", UnaryOp::Sigmoid, sum)?;
    let sum = if reset_after {
        let of = |of| gates.bias(2, &[of]);
        let bias = of(&gates.weights.hidden_bias);
        let past = g.linear("new.past", h, gates.hidden(2), bias)?;
        let past = g.mul("new.reset", past, reset)?;
        let bias = of(&gates.weights.input_bias);
        let present = g.linear("new.present", x, gates.input(2), bias)?;
        g.add("new.sum", present, past)?
    } else {
        let past = g.mul("new.reset", reset, h)?;
        gates.sum(&mut g, "new.sum", 2, x, past)?
    };
    let new = g.unary("new", UnaryOp::Tanh, sum)?;
    let sum = gates.sum(&mut g, "update.sum", 1, x, h)?;
    let update = g.unary("update", UnaryOp::Sigmoid, sum)?;
    let difference = g.sub("difference", h, new)?;
    let part = g.mul("part", update, difference)?;
    let next = g.add("h_next", part, new)?;
    g.update(h, next)?;
    g.output(next);
    g.finish()
}

impl GraphBuilder {
    /// A stack of LSTM layers over the steps of `axis`.
    pub fn lstm(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
        layers: &[RecurrentLayer],
    ) -> Result<Recurrent> {
        self.recurrent(&name.into(), x, layers, |g, name, x, direction, reverse| {
            g.lstm_run(name, x, axis, direction, reverse)
        })
    }

    /// A stack of GRU layers over the steps of `axis`; see [`gru_cell`].
    pub fn gru(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
        layers: &[RecurrentLayer],
        reset_after: bool,
    ) -> Result<Recurrent> {
        self.recurrent(&name.into(), x, layers, |g, name, x, direction, reverse| {
            g.gru_run(name, x, axis, direction, reverse, reset_after)
        })
    }

    /// One LSTM layer in one direction.
    pub fn lstm_run(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
        direction: &Direction,
        reverse: bool,
    ) -> Result<Run> {
        let name = name.into();
        let (shape, precision) = (
            self.step_of("lstm", &name, x, axis)?,
            self.current_precision(),
        );
        let body = lstm_cell(&name, &shape, direction, precision)?;
        self.run(name, x, axis, reverse, body)
    }

    /// One GRU layer in one direction; see [`gru_cell`].
    pub fn gru_run(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
        direction: &Direction,
        reverse: bool,
        reset_after: bool,
    ) -> Result<Run> {
        let name = name.into();
        let (shape, precision) = (
            self.step_of("gru", &name, x, axis)?,
            self.current_precision(),
        );
        let body = gru_cell(&name, &shape, direction, reset_after, precision)?;
        self.run(name, x, axis, reverse, body)
    }

    fn step_of(&self, op: &'static str, name: &str, x: NodeId, axis: usize) -> Result<Vec<usize>> {
        let mut shape = self.extents(name, x)?;
        if axis + 1 >= shape.len() {
            let operands = format!("{} {shape:?}", self.graph().node(x).name);
            let problem =
                format!("axis {axis} must be one before the last, which holds the features");
            return Err(mismatch(name, op, operands, problem));
        }
        shape.remove(axis);
        Ok(shape)
    }

    fn run(
        &mut self,
        name: String,
        operand: NodeId,
        axis: usize,
        reverse: bool,
        body: Graph,
    ) -> Result<Run> {
        let body = if self.stores_fp8() {
            body.with_fp8_weights()
        } else {
            body
        };
        let mut run = Run {
            hidden: operand,
            name: name.clone(),
            operand,
            body: Arc::new(body),
            axis,
            reverse,
        };
        run.hidden = self.run_output(&run, name, 0)?;
        Ok(run)
    }

    fn recurrent(
        &mut self,
        name: &str,
        x: NodeId,
        layers: &[RecurrentLayer],
        run: impl Fn(&mut Self, String, NodeId, &Direction, bool) -> Result<Run>,
    ) -> Result<Recurrent> {
        let (mut output, mut runs) = (x, vec![]);
        for (i, layer) in layers.iter().enumerate() {
            let whole = if i + 1 == layers.len() {
                name.to_owned()
            } else {
                format!("{name}.{i}")
            };
            let Some(backward) = &layer.backward else {
                let forward = run(self, whole, output, &layer.forward, false)?;
                output = forward.hidden;
                runs.push(forward);
                continue;
            };
            let forward = run(
                self,
                format!("{whole}.forward"),
                output,
                &layer.forward,
                false,
            )?;
            let backward = run(self, format!("{whole}.backward"), output, backward, true)?;
            let last = self.extents(&whole, forward.hidden)?.len() - 1;
            output = self.concat(whole, &[forward.hidden, backward.hidden], last)?;
            runs.extend([forward, backward]);
        }
        Ok(Recurrent { output, runs })
    }

    fn run_output(&mut self, run: &Run, name: String, output: usize) -> Result<NodeId> {
        let op = Op::Scan {
            body: Arc::clone(&run.body),
            axis: run.axis,
            reverse: run.reverse,
            output,
        };
        self.layer(name, op, &[run.operand])
    }

    /// The hidden state after a run's last step, the axis of the steps at extent 1.
    pub fn last_hidden(&mut self, run: &Run) -> Result<NodeId> {
        self.last_step(run, format!("{}.h_last", run.name), run.hidden)
    }

    /// The cell state after a run's last step, the axis of the steps at extent 1; of an LSTM.
    pub fn last_cell(&mut self, run: &Run) -> Result<NodeId> {
        let cells = self.run_output(run, format!("{}.c", run.name), 1)?;
        self.last_step(run, format!("{}.c_last", run.name), cells)
    }

    fn last_step(&mut self, run: &Run, name: String, states: NodeId) -> Result<NodeId> {
        let steps = self.extents(&name, states)?[run.axis];
        let at = if run.reverse {
            0
        } else {
            steps.saturating_sub(1)
        };
        self.slice(name, states, run.axis, at, at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::compose::check::{built, run, same, values, wide};
    use crate::nnir::{Evaluator, Tensor};

    fn weights(
        gates: usize,
        inputs: usize,
        hidden: usize,
        seed: u32,
        bias: bool,
    ) -> RecurrentWeights {
        let rows = gates * hidden;
        let bias = |s| bias.then(|| Arc::new(values(&[rows], seed + s)));
        RecurrentWeights {
            input: values(&[rows, inputs], seed).into(),
            hidden: values(&[rows, hidden], seed + 1).into(),
            input_bias: bias(2),
            hidden_bias: bias(3),
        }
    }

    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    /// `W x + b` of every gate.
    fn affine(w: &Tensor, b: Option<&Arc<Tensor>>, x: &[f64]) -> Vec<f64> {
        let row = |i: usize| {
            let sum: f64 = (0..x.len())
                .map(|j| f64::from(w.data[i * x.len() + j]) * x[j])
                .sum();
            sum + b.map_or(0.0, |b| f64::from(b.data[i]))
        };
        (0..w.shape[0]).map(row).collect()
    }

    /// Torch's formulas; hidden states of every step in running order, and the last cell state.
    fn lstm_reference(d: &Direction, xs: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<f64>) {
        let n = d.weights.hidden.shape[1];
        let of = |t: &Option<Arc<Tensor>>| t.as_ref().map_or(vec![0.0; n], |t| wide(t));
        let (mut h, mut c, mut all) = (of(&d.h0), of(&d.c0), vec![]);
        for x in xs {
            let a = affine(&d.weights.input, d.weights.input_bias.as_ref(), x);
            let b = affine(&d.weights.hidden, d.weights.hidden_bias.as_ref(), &h);
            let s = |gate: usize, i: usize| a[gate * n + i] + b[gate * n + i];
            for i in 0..n {
                c[i] = sigmoid(s(1, i)) * c[i] + sigmoid(s(0, i)) * s(2, i).tanh();
                h[i] = sigmoid(s(3, i)) * c[i].tanh();
            }
            all.push(h.clone());
        }
        (all, c)
    }

    fn gru_reference(d: &Direction, xs: &[Vec<f64>], reset_after: bool) -> Vec<Vec<f64>> {
        let n = d.weights.hidden.shape[1];
        let mut h = d.h0.as_ref().map_or(vec![0.0; n], |t| wide(t));
        let mut all = vec![];
        for x in xs {
            let a = affine(&d.weights.input, d.weights.input_bias.as_ref(), x);
            let b = affine(&d.weights.hidden, d.weights.hidden_bias.as_ref(), &h);
            let r: Vec<f64> = (0..n).map(|i| sigmoid(a[i] + b[i])).collect();
            let z: Vec<f64> = (0..n).map(|i| sigmoid(a[n + i] + b[n + i])).collect();
            let reset: Vec<f64> = (0..n).map(|i| r[i] * h[i]).collect();
            let before = affine(&d.weights.hidden, d.weights.hidden_bias.as_ref(), &reset);
            for i in 0..n {
                let past = if reset_after {
                    r[i] * b[2 * n + i]
                } else {
                    before[2 * n + i]
                };
                let new = (a[2 * n + i] + past).tanh();
                h[i] = (1.0 - z[i]) * new + z[i] * h[i];
            }
            all.push(h.clone());
        }
        all
    }

    fn rows(x: &Tensor) -> Vec<Vec<f64>> {
        wide(x).chunks(x.shape[1]).map(<[f64]>::to_vec).collect()
    }

    #[test]
    fn one_lstm_layer_with_first_states() {
        let direction = Direction {
            weights: weights(4, 3, 2, 10, true),
            h0: Some(values(&[2], 20).into()),
            c0: Some(values(&[2], 21).into()),
        };
        let layer = RecurrentLayer {
            forward: direction.clone(),
            backward: None,
        };
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[5, 3]);
        let y = g.lstm("rnn", x, 0, &[layer]).unwrap();
        let (h, c) = (
            g.last_hidden(&y.runs[0]).unwrap(),
            g.last_cell(&y.runs[0]).unwrap(),
        );
        g.output(y.output).output(h).output(c);
        let graph = g.finish().unwrap();
        assert_eq!(graph.node(y.output).name, "rnn");
        let x = values(&[5, 3], 1);
        let (hidden, cell) = lstm_reference(&direction, &rows(&x));
        let found = Evaluator::new(&graph).unwrap().run(&[x]).unwrap();
        same(&found[0], &[5, 2], &hidden.concat());
        same(&found[1], &[1, 2], &hidden[4]);
        same(&found[2], &[1, 2], &cell);
    }

    #[test]
    fn layers_stack_and_directions_join() {
        let one = |inputs, seed| Direction {
            weights: weights(4, inputs, 2, seed, seed % 2 == 0),
            h0: None,
            c0: None,
        };
        let both = |inputs, seed| RecurrentLayer {
            forward: one(inputs, seed),
            backward: Some(one(inputs, seed + 5)),
        };
        let layers = [both(3, 10), both(4, 31)];
        let graph = built(&[&[4, 3]], |g, x| {
            Ok(g.lstm("rnn", x[0], 0, &layers)?.output)
        });
        let x = values(&[4, 3], 2);
        let mut steps = rows(&x);
        for layer in &layers {
            let (forward, _) = lstm_reference(&layer.forward, &steps);
            steps.reverse();
            let (mut backward, _) = lstm_reference(layer.backward.as_ref().unwrap(), &steps);
            backward.reverse();
            steps = forward
                .iter()
                .zip(&backward)
                .map(|(f, b)| [&f[..], b].concat())
                .collect();
        }
        same(&run(&graph, &[x]), &[4, 4], &steps.concat());
    }

    #[test]
    fn a_batch_runs_side_by_side_whichever_axis_is_first() {
        let forward = Direction {
            weights: weights(4, 3, 2, 50, true),
            h0: None,
            c0: None,
        };
        let layer = RecurrentLayer {
            forward: forward.clone(),
            backward: None,
        };
        let graph = built(&[&[2, 4, 3]], |g, x| {
            Ok(g.lstm("rnn", x[0], 1, std::slice::from_ref(&layer))?.output)
        });
        let x = values(&[2, 4, 3], 3);
        let expected: Vec<f64> = (0..2)
            .flat_map(|item| lstm_reference(&forward, &rows(&x.step(0, item))).0.concat())
            .collect();
        same(&run(&graph, &[x]), &[2, 4, 2], &expected);
    }

    #[test]
    fn gru_in_both_forms() {
        for (reset_after, seed) in [(true, 70), (false, 80), (true, 91)] {
            let forward = Direction {
                weights: weights(3, 3, 2, seed, seed % 2 == 0),
                h0: (seed == 70).then(|| Arc::new(values(&[2], seed + 9))),
                c0: None,
            };
            let layer = RecurrentLayer {
                forward: forward.clone(),
                backward: None,
            };
            let graph = built(&[&[5, 3]], |g, x| {
                Ok(
                    g.gru("rnn", x[0], 0, std::slice::from_ref(&layer), reset_after)?
                        .output,
                )
            });
            let x = values(&[5, 3], 4);
            let expected = gru_reference(&forward, &rows(&x), reset_after).concat();
            same(&run(&graph, &[x]), &[5, 2], &expected);
        }
    }

    #[test]
    fn weights_and_axes_are_checked() {
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[5, 3]);
        let of = |weights, h0| {
            [RecurrentLayer {
                forward: Direction {
                    weights,
                    h0,
                    c0: None,
                },
                backward: None,
            }]
        };
        let mut wrong = weights(4, 3, 2, 1, true);
        wrong.input_bias = Some(values(&[7], 0).into());
        let long = Some(Arc::new(values(&[3], 0)));
        let cases = [
            (0, of(wrong, None), "[4 H]"),
            (0, of(weights(3, 3, 2, 1, true), None), "[4 H, H]"),
            (0, of(weights(4, 3, 2, 1, true), long), "shape [2]"),
            (1, of(weights(4, 3, 2, 1, true), None), "axis 1"),
        ];
        for (axis, layers, problem) in cases {
            let text = g.lstm("rnn", x, axis, &layers).unwrap_err().to_string();
            assert!(text.contains(problem), "{text}");
        }
    }
}
