//! The maximum over windows of one axis.
//!
//! | value  | extent along the axis                                     |
//! |--------|-----------------------------------------------------------|
//! | input  | `n`                                                       |
//! | result | `(n - dilation (kernel - 1) - 1) / stride + 1`, rounded down |
//!
//! **Contract.** Windows that reach beyond the end are left out; there is no padding.

use super::mismatch;
use crate::error::Result;
use crate::nnir::builder::GraphBuilder;
use crate::nnir::types::NodeId;

impl GraphBuilder {
    /// The largest of `kernel` values `dilation` apart, in windows that start `stride` apart.
    pub fn max_pool1d(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
    ) -> Result<NodeId> {
        let name = name.into();
        let shape = self.extents(&name, x)?;
        let room = |extent: usize| {
            let reach = kernel.checked_sub(1)?.checked_mul(dilation)?;
            extent.checked_sub(reach.checked_add(1)?)
        };
        let room = shape.get(axis).copied().and_then(room);
        let (Some(room), true) = (room, stride > 0 && dilation > 0) else {
            let operands = format!("{} {shape:?}", self.graph().node(x).name);
            let problem = format!(
                "a window of {kernel} values {dilation} apart does not fit axis {axis}, or starts {stride} apart"
            );
            return Err(mismatch(&name, "max_pool1d", operands, problem));
        };
        let starts: Vec<usize> = (0..=room / stride).map(|i| i * stride).collect();
        let mut largest = None;
        for tap in 0..kernel {
            let indices: Vec<usize> = starts.iter().map(|s| s + tap * dilation).collect();
            let last = tap + 1 == kernel;
            let label = |part: &str, last: bool| {
                if last {
                    name.clone()
                } else {
                    format!("{name}.{part}{tap}")
                }
            };
            let taken = self.index_select(label("tap", last && tap == 0), x, axis, &indices)?;
            largest = Some(match largest {
                None => taken,
                Some(before) => self.max(label("max", last), before, taken)?,
            });
        }
        Ok(largest.unwrap_or(x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::compose::check::{built, run, values, wide};

    #[test]
    fn windows_slide_with_stride_and_dilation() {
        let x = values(&[2, 9], 4);
        let v = wide(&x);
        for (kernel, stride, dilation) in [(1, 1, 1), (3, 1, 1), (2, 2, 1), (3, 2, 2), (9, 5, 1)] {
            let graph = built(&[&[2, 9]], |g, x| {
                g.max_pool1d("y", x[0], 1, kernel, stride, dilation)
            });
            let y = run(&graph, std::slice::from_ref(&x));
            let count = (9 - dilation * (kernel - 1) - 1) / stride + 1;
            let one = |row: usize, i: usize| {
                (0..kernel)
                    .map(|k| v[row * 9 + i * stride + k * dilation])
                    .fold(f64::NEG_INFINITY, f64::max)
            };
            let expected: Vec<f64> = (0..2)
                .flat_map(|row| (0..count).map(move |i| one(row, i)))
                .collect();
            assert_eq!((&y.shape[..], wide(&y)), (&[2, count][..], expected));
        }
    }

    #[test]
    fn windows_must_fit() {
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[4, 6]);
        for (axis, kernel, stride, dilation) in [
            (1, 7, 1, 1),
            (1, 0, 1, 1),
            (1, 2, 0, 1),
            (1, 2, 1, 0),
            (2, 1, 1, 1),
            (1, 2, 1, usize::MAX),
        ] {
            let error = g.max_pool1d("pool", x, axis, kernel, stride, dilation);
            assert_eq!(error.unwrap_err().code(), "SL-C004");
        }
    }
}
