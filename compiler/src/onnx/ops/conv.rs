//! Convolution along time, and the normalisation that folds into its neighbours.

use crate::nnir::{Op, PointwiseOp, Tensor};
use crate::onnx::importer::{Context, Mapped, Stop};
use crate::onnx::ops::window::MAX_PADDING;
use crate::onnx::tensors::Value;

/// Everything that can be wrong is looked for before the first is reported.
pub(in crate::onnx) fn conv(c: &mut Context<'_, '_, '_>) -> Mapped {
    let mut wrong = false;
    let auto_pad = c.text("auto_pad").unwrap_or_default();
    if !matches!(auto_pad.as_str(), "" | "NOTSET" | "VALID") {
        c.unsupported(
            &format!("auto_pad={auto_pad}"),
            "auto_pad=NOTSET and explicit pads",
        );
        wrong = true;
    }
    let strides = c.ints("strides").unwrap_or_default();
    let stride = match strides[..] {
        [] => 1,
        [stride] if stride >= 1 => usize::try_from(stride).unwrap_or(usize::MAX),
        _ => {
            c.unsupported(&format!("strides={strides:?}"), "one stride of 1 or more");
            wrong = true;
            1
        }
    };
    let weight = c.constant(1)?;
    let weight = weight
        .ok_or_else(|| c.invalid("the weight is missing"))?
        .tensor;
    let &[out, per_group, taps] = &weight.shape[..] else {
        return Err(c.unsupported(
            &format!("a weight of shape {:?}", weight.shape),
            "1-D: a weight [out, in / group, kernel]",
        ));
    };
    let kernel = c.ints("kernel_shape").unwrap_or_default();
    if !kernel.is_empty() && (kernel.len() != 1 || usize::try_from(kernel[0]) != Ok(taps)) {
        return Err(c.invalid(format!(
            "kernel_shape={kernel:?} with a weight of shape {:?}",
            weight.shape
        )));
    }
    let group = c.int("group", 1)?;
    let groups = usize::try_from(group).unwrap_or(0);
    if groups == 0 {
        return Err(c.invalid(format!("group={group}")));
    }
    if groups != 1 && (per_group != 1 || groups != out) {
        c.unsupported(
            &format!("group={group} with a weight of shape {:?}", weight.shape),
            "group=1, or as many as channels in and out (depthwise)",
        );
        wrong = true;
    }
    let dilations = c.ints("dilations").unwrap_or_default();
    let dilation = match dilations[..] {
        [] => 1,
        [dilation] if dilation >= 1 => usize::try_from(dilation).unwrap_or(usize::MAX),
        _ => return Err(c.invalid(format!("dilations={dilations:?}"))),
    };
    let back = taps.saturating_sub(1).checked_mul(dilation);
    let Some(back) = back.filter(|&back| i64::try_from(back).is_ok()) else {
        return Err(c.invalid(format!("dilations={dilations:?} reach too far back")));
    };
    let pads = match c.ints("pads") {
        Some(pads) if auto_pad != "VALID" => pads,
        _ => vec![0, 0],
    };
    let ends = pads.iter().map(|&p| usize::try_from(p).ok());
    let ends: Option<Vec<usize>> = ends.map(|p| p.filter(|&p| p <= MAX_PADDING)).collect();
    let ends = match (pads.len(), ends) {
        (2, Some(ends)) => (ends[0], ends[1]),
        (2, None) => {
            c.unsupported(&format!("pads={pads:?}"), "pads from 0 on, and not endless");
            wrong = true;
            (0, 0)
        }
        _ => return Err(c.invalid(format!("pads={pads:?} with one axis of time"))),
    };
    let bias = c.constant(2)?.map(|bias| bias.tensor);
    if wrong {
        return Err(Stop::Reported);
    }
    let (x, mut pads) = match c.padding(0) {
        Some(padded) => {
            let pads = (ends.0 + padded.left, ends.1 + padded.right);
            (Value::Runtime(padded.source), pads)
        }
        None => (c.float(0)?, ends),
    };
    let shape = c.shape(&x)?;
    let &[batch, channels, steps] = &shape[..] else {
        return Err(c.invalid(format!(
            "the operand must be [batch, channels, time], has {} axes",
            shape.len()
        )));
    };
    // The convolution of NNIR has `back` zeros before the first step: more are added, less are cut off again.
    let zeros = |count: usize| Tensor::zeros([batch, channels, count]);
    let (before, after) = (pads.0.saturating_sub(back), pads.1);
    pads.0 -= before;
    let room = (steps + before + after + pads.0).checked_sub(back);
    let Some(room) = room.filter(|&room| room > 0) else {
        return Err(c.invalid(format!(
            "a kernel that reaches {back} steps back does not fit {steps} steps with pads={ends:?}"
        )));
    };
    let mut parts = vec![];
    if before > 0 {
        parts.push(c.own_constant("before", zeros(before)));
    }
    parts.push(x);
    if after > 0 {
        parts.push(c.own_constant("after", zeros(after)));
    }
    let x = if parts.len() == 1 {
        parts.remove(0)
    } else {
        c.emit_part("padded", Op::Concat { axis: 2 }, &parts)?
    };
    let op = Op::Conv1d {
        weight,
        bias,
        dilation,
        groups,
        fp8: false,
    };
    let start = back - pads.0;
    if (start, stride) == (0, 1) {
        return c.emit(op, &[x]);
    }
    let y = c.emit_part("causal", op, &[x])?;
    let axis = 2;
    if stride == 1 {
        let end = start + room;
        return c.emit(Op::Slice { axis, start, end }, &[y]);
    }
    let indices = (start..start + room).step_by(stride).collect();
    c.emit(Op::IndexSelect { axis, indices }, &[y])
}

pub(in crate::onnx) fn batch_normalization(c: &mut Context<'_, '_, '_>) -> Mapped {
    if c.int("training_mode", 0)? != 0 {
        return Err(c.unsupported("training_mode=1", "inference form, training_mode=0"));
    }
    if c.int("spatial", 1)? != 1 {
        return Err(c.unsupported("spatial=0", "spatial=1"));
    }
    let epsilon = f64::from(c.real("epsilon", 1e-5)?);
    let mut parameters = vec![];
    for position in 1..5 {
        let parameter = c.constant(position)?;
        let parameter =
            parameter.ok_or_else(|| c.invalid(format!("operand {position} is missing")))?;
        parameters.push(parameter.tensor);
    }
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    let Some(&channels) = shape.get(1) else {
        return Err(c.unsupported("an operand of one axis", "[batch, channels, ..]"));
    };
    for parameter in &parameters {
        if parameter.shape != [channels] {
            return Err(c.invalid(format!(
                "a parameter of shape {:?}, the operand has {channels} channels",
                parameter.shape
            )));
        }
    }
    let value = |position: usize, i: usize| f64::from(parameters[position].data[i]);
    let factor = |i: usize| value(0, i) / (value(3, i) + epsilon).sqrt();
    // One value per channel, broadcast over the axes to the right.
    let column: Vec<usize> = std::iter::once(channels)
        .chain(shape[2..].iter().map(|_| 1))
        .collect();
    let scale = Tensor::from_fn(column.clone(), |i| rounded(factor(i)));
    let shift = Tensor::from_fn(column, |i| rounded(value(1, i) - value(2, i) * factor(i)));
    let (scale, shift) = (
        c.own_constant("scale", scale),
        c.own_constant("shift", shift),
    );
    let scaled = c.emit_part("scaled", Op::Pointwise(PointwiseOp::Mul), &[x, scale])?;
    c.emit(Op::Pointwise(PointwiseOp::Add), &[scaled, shift])
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "folded in f64 and rounded to f32 once"
)]
fn rounded(value: f64) -> f32 {
    value as f32
}
