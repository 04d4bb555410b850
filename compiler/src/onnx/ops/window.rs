//! Padding and pooling along time.

use crate::onnx::importer::{Context, Mapped};
use crate::onnx::tensors::{Padded, Value};

/// Longest padding, in steps.
pub(super) const MAX_PADDING: usize = 1 << 16;

/// Zeros along the last axis; a convolution that follows takes them over.
pub(in crate::onnx) fn pad(c: &mut Context<'_, '_, '_>) -> Mapped {
    let mode = c.text("mode").unwrap_or_else(|| "constant".to_owned());
    if mode != "constant" {
        return Err(c.unsupported(&format!("mode={mode}"), "mode=constant"));
    }
    if let Some(value) = c.constant(2)?
        && value.tensor.data.iter().any(|&v| v.to_bits() != 0)
    {
        let attribute = format!("value {:?}", value.tensor.data);
        return Err(c.unsupported(&attribute, "padding with 0"));
    }
    let (pads, axes) = (c.integers(1)?, c.integers(3)?);
    let Some(pads) = pads else {
        return Err(c.invalid("the pads are missing"));
    };
    let x = c.float(0)?;
    let rank = c.shape(&x)?.len();
    let axes: Vec<i64> = match axes {
        Some(axes) => axes.data.clone(),
        None => (0_i64..).take(rank).collect(),
    };
    if pads.data.len() != 2 * axes.len() {
        return Err(c.invalid(format!("{} pads for {} axes", pads.data.len(), axes.len())));
    }
    let (mut left, mut right) = (0, 0);
    for (i, along) in axes.iter().enumerate() {
        let ends = [pads.data[i], pads.data[i + axes.len()]];
        let sizes = ends.map(|p| usize::try_from(p).ok().filter(|&p| p <= MAX_PADDING));
        let axis = super::axis(c, *along, rank)?;
        match sizes {
            [Some(0), Some(0)] => {}
            [Some(l), Some(r)] if axis + 1 == rank => (left, right) = (l, r),
            _ => {
                let attribute = format!("pads={ends:?} along axis {axis}");
                return Err(c.unsupported(&attribute, "zeros added along the last axis"));
            }
        }
    }
    let Value::Runtime(source) = x else {
        return Err(c.unsupported("padding of a constant", "the padded constant"));
    };
    if (left, right) == (0, 0) {
        return Ok(x);
    }
    let name = c.own_name().to_owned();
    Ok(Value::Padded(Padded {
        name,
        source,
        left,
        right,
    }))
}

pub(in crate::onnx) fn max_pool(c: &mut Context<'_, '_, '_>) -> Mapped {
    let auto_pad = c.text("auto_pad").unwrap_or_default();
    if !matches!(auto_pad.as_str(), "" | "NOTSET" | "VALID") {
        return Err(c.unsupported(&format!("auto_pad={auto_pad}"), "auto_pad=NOTSET"));
    }
    if c.int("ceil_mode", 0)? != 0 {
        return Err(c.unsupported("ceil_mode=1", "ceil_mode=0"));
    }
    let pads = c.ints("pads").unwrap_or_default();
    if pads.iter().any(|&pad| pad != 0) {
        return Err(c.unsupported(&format!("pads={pads:?}"), "pads=[0, 0]"));
    }
    let mut sizes = [1; 3];
    for (size, name) in sizes
        .iter_mut()
        .zip(["kernel_shape", "strides", "dilations"])
    {
        match c.ints(name).as_deref() {
            None | Some([]) if name != "kernel_shape" => {}
            Some(&[value]) => match usize::try_from(value) {
                Ok(value) if value > 0 => *size = value,
                _ => return Err(c.invalid(format!("{name}=[{value}]"))),
            },
            other => {
                let attribute = format!("{name}={:?}", other.unwrap_or_default());
                return Err(c.unsupported(&attribute, "one axis of time"));
            }
        }
    }
    let x = c.float(0)?;
    let rank = c.shape(&x)?.len();
    if rank != 3 {
        return Err(c.invalid(format!(
            "the operand must be [batch, channels, time], has {rank} axes"
        )));
    }
    let [kernel, stride, dilation] = sizes;
    c.compose(&[x], |g, name, of| {
        g.max_pool1d(name, of[0], 2, kernel, stride, dilation)
    })
}
