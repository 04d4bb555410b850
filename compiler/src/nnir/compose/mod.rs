//! Layers that are several operations: one method of [`GraphBuilder`] each, from primitives only.
//!
//! | method                                   | made of                                                              |
//! |------------------------------------------|----------------------------------------------------------------------|
//! | `softmax`, `log_softmax`                 | maximum subtracted, `exp`, sum, reciprocal or logarithm              |
//! | `layer_norm`, `rms_norm`                 | mean square, `rsqrt` times the weight, times the value               |
//! | `lstm`, `gru`                            | a scan per layer and direction, a `linear` per gate                  |
//! | `max_pool1d`                             | the maximum of one `index_select` per tap                            |
//! | `matmul`                                 | products of broadcast operands, summed                               |
//!
//! **Contract.** The last node has the name given, the others that name and a suffix. A call that fails may leave nodes that
//! nothing reads.
//! **Errors.** Those of the primitives, and `Shape` for weights that do not fit each other.

mod matmul;
mod norm;
mod pool;
mod recurrent;
mod softmax;

pub use recurrent::{
    Direction, Recurrent, RecurrentLayer, RecurrentWeights, Run, gru_cell, lstm_cell,
};

use super::builder::GraphBuilder;
use super::types::NodeId;
use crate::error::{CompileError, Result};

impl GraphBuilder {
    /// Extents of a node built before.
    fn extents(&self, layer: &str, id: NodeId) -> Result<Vec<usize>> {
        match self.graph().get(id) {
            Some(node) => Ok(node.ty.shape.clone()),
            None => Err(CompileError::Dangling {
                layer: layer.to_owned(),
                operand: 0,
                problem: format!("{id} is not a node of this graph"),
            }),
        }
    }

    /// A new axis of extent 1 that is never the data dimension, where a reshape may have to guess.
    fn insert_axis(&mut self, name: &str, x: NodeId, axis: usize) -> Result<NodeId> {
        let mut shape = self.extents(name, x)?;
        shape.insert(0, 1);
        let wide = self.expand(format!("{name}.wide"), x, &shape)?;
        if axis == 0 {
            return Ok(wide);
        }
        let mut perm: Vec<usize> = (1..shape.len()).collect();
        perm.insert(axis, 0);
        self.transpose(name, wide, &perm)
    }
}

fn mismatch(layer: &str, op: &'static str, operands: String, problem: String) -> CompileError {
    CompileError::Shape {
        layer: layer.to_owned(),
        op,
        operands,
        problem,
    }
}

#[cfg(test)]
mod check {
    //! Compositions against formulas in `f64`.

    use super::*;
    use crate::nnir::{Evaluator, Graph, Tensor};

    /// Spread over about -2..2, different for every seed.
    pub fn values(shape: &[usize], seed: u32) -> Tensor {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
        Tensor::from_fn(shape, |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(state >> 16).unwrap()) / 16384.0 - 2.0
        })
    }

    pub fn built(
        shapes: &[&[usize]],
        build: impl FnOnce(&mut GraphBuilder, &[NodeId]) -> Result<NodeId>,
    ) -> Graph {
        let mut g = GraphBuilder::new("net");
        let inputs: Vec<NodeId> = shapes
            .iter()
            .enumerate()
            .map(|(i, shape)| g.input(format!("x{i}"), shape))
            .collect();
        let y = build(&mut g, &inputs).unwrap();
        g.output(y);
        g.finish().unwrap()
    }

    pub fn run(graph: &Graph, inputs: &[Tensor]) -> Tensor {
        let mut eval = Evaluator::new(graph).unwrap();
        eval.run(inputs).unwrap().remove(0)
    }

    pub fn wide(t: &Tensor) -> Vec<f64> {
        t.data.iter().copied().map(f64::from).collect()
    }

    /// Largest difference, relative to the largest value.
    fn error(found: &Tensor, expected: &[f64]) -> f64 {
        let scale = expected.iter().fold(1.0e-30_f64, |m, v| m.max(v.abs()));
        let pairs = found.data.iter().zip(expected);
        pairs.fold(0.0, |m, (&f, e)| f64::max(m, (f64::from(f) - e).abs())) / scale
    }

    pub fn same(found: &Tensor, shape: &[usize], expected: &[f64]) {
        assert_eq!(
            (&found.shape[..], found.data.len()),
            (shape, expected.len())
        );
        let e = error(found, expected);
        assert!(e < 2.0e-6, "{e}: {:?} {expected:?}", found.data);
        // The comparison can fail.
        let mut moved = expected.to_vec();
        let largest = (0..moved.len()).max_by(|&a, &b| moved[a].abs().total_cmp(&moved[b].abs()));
        moved[largest.unwrap()] *= 1.0001;
        assert!(error(found, &moved) > 2.0e-6);
    }
}
