//! Softmax and its logarithm along one axis.
//!
//! **Contract.** The largest value is subtracted first, so no finite input overflows.

use crate::error::Result;
use crate::nnir::builder::GraphBuilder;
use crate::nnir::op::{ReduceOp, UnaryOp};
use crate::nnir::types::NodeId;

impl GraphBuilder {
    /// `exp(x) / sum(exp(x))` along an axis.
    pub fn softmax(&mut self, name: impl Into<String>, x: NodeId, axis: usize) -> Result<NodeId> {
        let name = name.into();
        let (_, exp, sum) = self.shifted(&name, x, axis)?;
        let scale = self.unary(format!("{name}.recip"), UnaryOp::Recip, sum)?;
        self.mul(name, exp, scale)
    }

    /// `x - log(sum(exp(x)))` along an axis.
    pub fn log_softmax(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
    ) -> Result<NodeId> {
        let name = name.into();
        let (shifted, _, sum) = self.shifted(&name, x, axis)?;
        let log = self.unary(format!("{name}.log"), UnaryOp::Log, sum)?;
        self.sub(name, shifted, log)
    }

    /// `x - max`, its exponential and the sum of that.
    fn shifted(&mut self, name: &str, x: NodeId, axis: usize) -> Result<(NodeId, NodeId, NodeId)> {
        let max = self.reduce(format!("{name}.max"), ReduceOp::Max, x, &[axis], true)?;
        let shifted = self.sub(format!("{name}.shifted"), x, max)?;
        let exp = self.unary(format!("{name}.exp"), UnaryOp::Exp, shifted)?;
        let sum = self.reduce(format!("{name}.sum"), ReduceOp::Sum, exp, &[axis], true)?;
        Ok((shifted, exp, sum))
    }
}

#[cfg(test)]
mod tests {
    use crate::nnir::compose::check::{built, run, same, values, wide};

    #[test]
    fn along_either_axis_in_both_forms() {
        let x = values(&[3, 5], 1);
        let v = wide(&x);
        for axis in [0, 1] {
            let of = |i: usize| -> Vec<usize> {
                let other = if axis == 0 { i % 5 } else { i / 5 };
                (0..15)
                    .filter(|j| (if axis == 0 { j % 5 } else { j / 5 }) == other)
                    .collect()
            };
            let expected: Vec<f64> = (0..15)
                .map(|i| v[i].exp() / of(i).iter().map(|&j| v[j].exp()).sum::<f64>())
                .collect();
            let graph = built(&[&[3, 5]], |g, x| g.softmax("y", x[0], axis));
            same(&run(&graph, std::slice::from_ref(&x)), &[3, 5], &expected);
            let logs: Vec<f64> = expected.iter().map(|p| p.ln()).collect();
            let graph = built(&[&[3, 5]], |g, x| g.log_softmax("y", x[0], axis));
            same(&run(&graph, std::slice::from_ref(&x)), &[3, 5], &logs);
        }
    }

    #[test]
    fn large_values_do_not_overflow() {
        let mut x = values(&[4], 2);
        x.data[1] = 3.0e38;
        let graph = built(&[&[4]], |g, x| g.softmax("y", x[0], 0));
        assert_eq!(run(&graph, &[x]).data, [0.0, 1.0, 0.0, 0.0]);
    }
}
