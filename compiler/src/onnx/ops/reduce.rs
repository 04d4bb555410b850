//! Operators that look at whole axes: reductions, softmax, normalisation.

use crate::nnir::{Op, ReduceOp};
use crate::onnx::importer::{Context, Mapped};
use crate::onnx::ops::{axis, axis_attribute};

pub(in crate::onnx) fn reduce(c: &mut Context<'_, '_, '_>, op: ReduceOp) -> Mapped {
    let keep = c.int("keepdims", 1)? != 0;
    let nothing = c.int("noop_with_empty_axes", 0)? != 0;
    // An operand since operator set 13 or 18, an attribute before.
    let given = match c.ints("axes") {
        Some(axes) => Some(axes),
        None => c.integers(1)?.map(|axes| axes.data.clone()),
    };
    let given = given.filter(|axes| !axes.is_empty());
    let x = c.float(0)?;
    let rank = c.shape(&x)?.len();
    let axes = match given {
        None if nothing || rank == 0 => return Ok(x),
        None => (0..rank).collect(),
        Some(given) => {
            let mut axes = vec![];
            for along in given {
                axes.push(axis(c, along, rank)?);
            }
            axes.sort_unstable();
            axes.dedup();
            axes
        }
    };
    c.emit(Op::Reduce { op, axes, keep }, &[x])
}

/// `Softmax` and `LogSoftmax`.
pub(in crate::onnx) fn softmax(c: &mut Context<'_, '_, '_>, log: bool) -> Mapped {
    let along = c.int("axis", if c.opset() < 13 { 1 } else { -1 })?;
    let x = c.float(0)?;
    let rank = c.shape(&x)?.len();
    let axis = axis(c, along, rank)?;
    if c.opset() < 13 && axis + 1 != rank {
        // The axes from this one on are one axis there.
        return Err(c.unsupported(
            &format!("axis={along} of operator set {}", c.opset()),
            "the last axis, or operator set 13",
        ));
    }
    c.compose(&[x], |g, name, of| {
        if log {
            g.log_softmax(name, of[0], axis)
        } else {
            g.softmax(name, of[0], axis)
        }
    })
}

/// `LayerNormalization`, or `RMSNormalization` without centring.
pub(in crate::onnx) fn normalization(c: &mut Context<'_, '_, '_>, centre: bool) -> Mapped {
    let eps = c.real("epsilon", 1e-5)?;
    let weight = c.constant(1)?.map(|w| w.tensor);
    let bias = if centre {
        c.constant(2)?.map(|b| b.tensor)
    } else {
        None
    };
    let x = c.float(0)?;
    let (first, rank) = axis_attribute(c, &x, "axis", -1)?;
    c.compose(&[x], |g, name, of| {
        if centre {
            g.layer_norm(name, of[0], rank - first, weight, bias, eps)
        } else {
            g.rms_norm(name, of[0], rank - first, weight, eps)
        }
    })
}
