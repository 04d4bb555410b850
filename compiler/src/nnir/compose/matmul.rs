//! The product of two run-time matrices.
//!
//! | packed axis of `a [.., m, k]` | of `b [.., k, n]` | made of                                               | packed axis of the result |
//! |-------------------------------|-------------------|-------------------------------------------------------|---------------------------|
//! | `k`                           | `k`               | `sum_k` of `a [m, 1, k] * b^T [1, n, k]`              | `n`                       |
//! | `k`                           | `n`               | `sum_k` of a column of `a`, one value per vector, times a row of `b` | `n`        |
//! | `m`                           | `k`               | the transpose of the row above                        | `m`                       |
//! | `m`                           | `n`               | not supported: nothing packed is contracted           |                           |
//!
//! **Contract.** Leading axes are a batch, broadcast as numpy does. A data dimension that is still open is taken to be the last
//! axis.

use super::mismatch;
use crate::error::{CompileError, Result};
use crate::nnir::builder::GraphBuilder;
use crate::nnir::infer::broadcast;
use crate::nnir::op::ReduceOp;
use crate::nnir::types::NodeId;

impl GraphBuilder {
    /// `a b` of two matrices, or batches of them.
    pub fn matmul(&mut self, name: impl Into<String>, a: NodeId, b: NodeId) -> Result<NodeId> {
        let name = name.into();
        let (left, right) = (self.extents(&name, a)?, self.extents(&name, b)?);
        let wrong = |g: &Self, problem: &str| {
            let name_of = |id| g.graph().node(id).name.as_str();
            let operands = format!("{} {left:?}, {} {right:?}", name_of(a), name_of(b));
            Err(mismatch(&name, "matmul", operands, problem.to_owned()))
        };
        let (&[ref batch_a @ .., _, k], &[ref batch_b @ .., rows, _]) = (&left[..], &right[..])
        else {
            return wrong(self, "both operands need two axes or more");
        };
        if k != rows {
            return wrong(
                self,
                "the last axis of the first must be as long as the last but one of the second",
            );
        }
        let Some(batch) = broadcast(batch_a, batch_b) else {
            return wrong(self, "the leading axes must be equal or 1");
        };
        let a = self.batched(&format!("{name}.a"), a, &batch)?;
        let b = self.batched(&format!("{name}.b"), b, &batch)?;
        let (row, column) = (batch.len(), batch.len() + 1);
        let packed = |g: &Self, id: NodeId| g.graph().node(id).ty.data_dim.unwrap_or(column);
        match (packed(self, a) == column, packed(self, b) == row) {
            (true, true) => self.both_contracted(name, a, b, row),
            (true, false) if packed(self, b) == column => self.left_contracted(name, a, b, row),
            (false, true) if packed(self, a) == row => {
                let mut perm: Vec<usize> = (0..=column).collect();
                perm.swap(row, column);
                let a = self.transpose(format!("{name}.at"), a, &perm)?;
                let b = self.transpose(format!("{name}.bt"), b, &perm)?;
                let turned = self.left_contracted(format!("{name}.turned"), b, a, row)?;
                self.transpose(name, turned, &perm)
            }
            _ => Err(CompileError::Unsupported {
                layer: name,
                op: "matmul".to_owned(),
                attribute: format!(
                    "a contraction along neither data dimension, axis {} of {left:?} and axis {} of {right:?},",
                    packed(self, a),
                    packed(self, b)
                ),
                nearest: "operands of which one at least is packed along the contracted axis"
                    .to_owned(),
            }),
        }
    }

    fn batched(&mut self, name: &str, x: NodeId, batch: &[usize]) -> Result<NodeId> {
        let shape = self.extents(name, x)?;
        let matrix = &shape[shape.len() - 2..];
        let wanted: Vec<usize> = batch.iter().chain(matrix).copied().collect();
        if wanted == shape {
            return Ok(x);
        }
        self.expand(name, x, &wanted)
    }

    /// `[.., m, 1, k] * [.., 1, n, k]`, summed over the packed axis.
    fn both_contracted(
        &mut self,
        name: String,
        a: NodeId,
        b: NodeId,
        row: usize,
    ) -> Result<NodeId> {
        let mut perm: Vec<usize> = (0..=row + 1).collect();
        perm.swap(row, row + 1);
        let turned = self.transpose(format!("{name}.bt"), b, &perm)?;
        let a = self.insert_axis(&format!("{name}.rows"), a, row + 1)?;
        let b = self.insert_axis(&format!("{name}.columns"), turned, row)?;
        let product = self.mul(format!("{name}.products"), a, b)?;
        self.reduce(name, ReduceOp::Sum, product, &[row + 2], false)
    }

    /// `[k, .., m, 1] * [k, .., 1, n]`, summed over the first axis.
    fn left_contracted(
        &mut self,
        name: String,
        a: NodeId,
        b: NodeId,
        row: usize,
    ) -> Result<NodeId> {
        let shape = self.extents(&name, a)?;
        let mut columns = vec![];
        for k in 0..shape[row + 1] {
            let column = self.slice(format!("{name}.column{k}"), a, row + 1, k, k + 1)?;
            columns.push(self.insert_axis(&format!("{name}.column{k}"), column, 0)?);
        }
        let columns = self.concat(format!("{name}.columns"), &columns, 0)?;
        let mut perm: Vec<usize> = (0..=row + 1).collect();
        let k = perm.remove(row);
        perm.insert(0, k);
        let rows = self.transpose(format!("{name}.first"), b, &perm)?;
        let rows = self.insert_axis(&format!("{name}.rows"), rows, row + 1)?;
        let product = self.mul(format!("{name}.products"), columns, rows)?;
        self.reduce(name, ReduceOp::Sum, product, &[0], false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::compose::check::{built, run, same, values, wide};
    use crate::nnir::tensor::Tensor;

    fn reference(a: &Tensor, b: &Tensor, m: usize, k: usize, n: usize) -> Vec<f64> {
        let (a, b) = (wide(a), wide(b));
        let batches = (a.len() / (m * k)).max(b.len() / (k * n));
        let at = |batch: usize, i: usize, j: usize| {
            let (a0, b0) = (batch * m * k % a.len(), batch * k * n % b.len());
            (0..k).map(|l| a[a0 + i * k + l] * b[b0 + l * n + j]).sum()
        };
        (0..batches * m * n)
            .map(|i| at(i / (m * n), i / n % m, i % n))
            .collect()
    }

    /// Packs axis 0 or 1 of a matrix, whatever its extents.
    fn packed(g: &mut GraphBuilder, x: NodeId, axis: usize) -> Result<NodeId> {
        let shape = g.extents("pin", x)?;
        let n = shape[axis];
        let id = Tensor::from_fn([n, n], |i| if i / n == i % n { 1.0 } else { 0.0 });
        if axis == 1 {
            return g.linear("pin", x, id, None);
        }
        let kernel = Tensor::new([n, n, 1], id.data)?;
        g.conv1d("pin", x, kernel, None, 1, 1)
    }

    #[test]
    fn every_supported_packing() {
        for (m, k, n) in [(3, 4, 5), (1, 4, 1), (2, 1, 3), (1, 1, 1)] {
            let (a, b) = (values(&[m, k], 1), values(&[k, n], 2));
            let expected = reference(&a, &b, m, k, n);
            for (pa, pb, out) in [(1, 0, 1), (1, 1, 1), (0, 0, 0)] {
                let graph = built(&[&[m, k], &[k, n]], |g, x| {
                    let (a, b) = (packed(g, x[0], pa)?, packed(g, x[1], pb)?);
                    g.matmul("y", a, b)
                });
                let y = graph.node(graph.outputs[0]);
                assert_eq!((&y.name[..], y.ty.data_dim), ("y", Some(out)), "{pa} {pb}");
                same(&run(&graph, &[a.clone(), b.clone()]), &[m, n], &expected);
            }
        }
    }

    #[test]
    fn batches_broadcast_and_open_axes_are_the_last() {
        let (a, b) = (values(&[2, 3, 4], 1), values(&[4, 5], 2));
        let graph = built(&[&[2, 3, 4], &[4, 5]], |g, x| g.matmul("y", x[0], x[1]));
        let expected = reference(&a, &b, 3, 4, 5);
        same(&run(&graph, &[a, b]), &[2, 3, 5], &expected);
    }

    #[test]
    fn what_is_not_supported_says_so() {
        let mut g = GraphBuilder::new("net");
        let (x, y) = (g.input("x", &[3, 4]), g.input("y", &[4, 5]));
        let (x, y) = (packed(&mut g, x, 0).unwrap(), packed(&mut g, y, 1).unwrap());
        let error = g.matmul("product", x, y).unwrap_err();
        assert_eq!(error.code(), "SL-C006");
        let error = g.matmul("product", x, x).unwrap_err().to_string();
        assert!(
            error.contains("'product'") && error.contains("[3, 4]"),
            "{error}"
        );
    }
}
