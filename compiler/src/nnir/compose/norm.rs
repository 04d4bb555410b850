//! Normalisation by mean and variance, or by the root of the mean square.
//!
//! | step           | layer norm                       | RMS norm                     |
//! |----------------|----------------------------------|------------------------------|
//! | `c`            | `x - mean(x)`                    | `x`                          |
//! | `r`            | `rsqrt(mean(c c) + eps)`         | the same                     |
//! | result         | `(r weight) c + bias`            | `(r weight) c`               |
//!
//! **Contract.** `r` is multiplied by the weight first: on the machine the root and that product are one operation. Weight and
//! bias are constants of the extents of the normalised axes, the last `axes` of the operand.

use std::sync::Arc;

use super::mismatch;
use crate::error::Result;
use crate::nnir::builder::GraphBuilder;
use crate::nnir::op::{ReduceOp, UnaryOp};
use crate::nnir::tensor::Tensor;
use crate::nnir::types::NodeId;

impl GraphBuilder {
    /// `(x - mean) / sqrt(variance + eps) * weight + bias` over the last `axes` axes.
    pub fn layer_norm(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axes: usize,
        weight: Option<Arc<Tensor>>,
        bias: Option<Arc<Tensor>>,
        eps: f32,
    ) -> Result<NodeId> {
        let name = name.into();
        let over = self.last_axes("layer_norm", &name, x, axes, &[&weight, &bias])?;
        let mean = self.reduce(format!("{name}.mean"), ReduceOp::Mean, x, &over, true)?;
        let centred = self.sub(format!("{name}.centred"), x, mean)?;
        let Some(bias) = bias else {
            return self.scaled_by_root(name, centred, &over, weight, eps);
        };
        let scaled = self.scaled_by_root(format!("{name}.scaled"), centred, &over, weight, eps)?;
        let bias = self.constant(format!("{name}.bias"), bias)?;
        self.add(name, scaled, bias)
    }

    /// `x / sqrt(mean(x x) + eps) * weight` over the last `axes` axes.
    pub fn rms_norm(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axes: usize,
        weight: Option<Arc<Tensor>>,
        eps: f32,
    ) -> Result<NodeId> {
        let name = name.into();
        let over = self.last_axes("rms_norm", &name, x, axes, &[&weight])?;
        self.scaled_by_root(name, x, &over, weight, eps)
    }

    fn last_axes(
        &self,
        op: &'static str,
        name: &str,
        x: NodeId,
        axes: usize,
        constants: &[&Option<Arc<Tensor>>],
    ) -> Result<Vec<usize>> {
        let shape = self.extents(name, x)?;
        let first = shape.len().checked_sub(axes).filter(|_| axes > 0);
        let Some(first) = first else {
            let operands = format!("{} {shape:?}", self.graph().node(x).name);
            let problem = format!("cannot normalise over {axes} axes");
            return Err(mismatch(name, op, operands, problem));
        };
        for constant in constants.iter().copied().flatten() {
            if constant.shape != shape[first..] {
                let operands = format!("{name}.weight or bias {:?}", constant.shape);
                let problem = format!("needs weight and bias of shape {:?}", &shape[first..]);
                return Err(mismatch(name, op, operands, problem));
            }
        }
        Ok((first..shape.len()).collect())
    }

    fn scaled_by_root(
        &mut self,
        name: String,
        x: NodeId,
        over: &[usize],
        weight: Option<Arc<Tensor>>,
        eps: f32,
    ) -> Result<NodeId> {
        let square = self.mul(format!("{name}.square"), x, x)?;
        let mean = self.reduce(
            format!("{name}.mean_square"),
            ReduceOp::Mean,
            square,
            over,
            true,
        )?;
        let eps = self.constant(format!("{name}.eps"), Tensor::scalar(eps))?;
        let sum = self.add(format!("{name}.plus_eps"), mean, eps)?;
        let mut scale = self.unary(format!("{name}.rsqrt"), UnaryOp::Rsqrt, sum)?;
        if let Some(weight) = weight {
            let weight = self.constant(format!("{name}.weight"), weight)?;
            scale = self.mul(format!("{name}.scale"), scale, weight)?;
        }
        self.mul(name, scale, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::compose::check::{built, run, same, values, wide};

    /// Rows of `n` values, normalised; `centre` for layer norm.
    fn reference(x: &[f64], n: usize, centre: bool, w: &[f64], b: &[f64], eps: f64) -> Vec<f64> {
        let count = f64::from(u32::try_from(n).unwrap());
        let row = |row: &[f64]| -> Vec<f64> {
            let mean = if centre {
                row.iter().sum::<f64>() / count
            } else {
                0.0
            };
            let square = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            let each = row.iter().enumerate();
            each.map(|(i, v)| (v - mean) / (square + eps).sqrt() * w[i] + b[i])
                .collect()
        };
        x.chunks(n).flat_map(row).collect()
    }

    #[test]
    fn both_norms_with_and_without_weights() {
        let (x, w, b) = (values(&[2, 3, 4], 1), values(&[4], 2), values(&[4], 3));
        let (ones, zeros) = (vec![1.0; 12], vec![0.0; 12]);
        let x = std::slice::from_ref(&x);
        let weights = || Some(Arc::new(w.clone()));
        let biases = || Some(Arc::new(b.clone()));
        let shape: &[usize] = &[2, 3, 4];
        let eps = 0.0078125;

        let graph = built(&[shape], |g, x| {
            g.layer_norm("y", x[0], 1, weights(), biases(), eps)
        });
        let expected = reference(&wide(&x[0]), 4, true, &wide(&w), &wide(&b), eps.into());
        same(&run(&graph, x), shape, &expected);

        let graph = built(&[shape], |g, x| g.layer_norm("y", x[0], 2, None, None, eps));
        let expected = reference(&wide(&x[0]), 12, true, &ones, &zeros, eps.into());
        same(&run(&graph, x), shape, &expected);

        let graph = built(&[shape], |g, x| g.rms_norm("y", x[0], 1, weights(), eps));
        let expected = reference(&wide(&x[0]), 4, false, &wide(&w), &zeros, eps.into());
        same(&run(&graph, x), shape, &expected);

        let graph = built(&[shape], |g, x| g.rms_norm("y", x[0], 1, None, eps));
        let expected = reference(&wide(&x[0]), 4, false, &ones, &zeros, eps.into());
        same(&run(&graph, x), shape, &expected);
    }

    #[test]
    fn axes_and_weights_are_checked() {
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[3, 4]);
        let text = g.layer_norm("norm", x, 3, None, None, 0.0).unwrap_err();
        assert!(text.to_string().contains("3 axes"), "{text}");
        let weight = Some(Arc::new(values(&[3], 0)));
        let text = g.rms_norm("norm", x, 1, weight, 0.0).unwrap_err();
        let text = text.to_string();
        assert!(
            text.contains("'norm'") && text.contains("shape [4]"),
            "{text}"
        );
    }
}
