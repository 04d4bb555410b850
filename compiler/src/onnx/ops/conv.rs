//! Convolution along time, and the normalisation that folds into its neighbours.

use crate::nnir::{Op, PointwiseOp, Tensor};
use crate::onnx::importer::{Context, Mapped, Stop};

/// Everything that can be wrong is looked for before the first is reported.
pub(in crate::onnx) fn conv(c: &mut Context<'_, '_, '_>) -> Mapped {
    let mut wrong = false;
    let auto_pad = c.text("auto_pad").unwrap_or_default();
    let explicit = auto_pad.is_empty() || auto_pad == "NOTSET";
    if !explicit {
        c.unsupported(
            &format!("auto_pad={auto_pad}"),
            "auto_pad=NOTSET, pads=[dilation * (kernel - 1), 0]",
        );
        wrong = true;
    }
    let strides = c.ints("strides").unwrap_or_default();
    if strides.iter().any(|&stride| stride != 1) {
        c.unsupported(&format!("strides={strides:?}"), "strides=[1]");
        wrong = true;
    }
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
    let Some(back) = back.and_then(|back| i64::try_from(back).ok()) else {
        return Err(c.invalid(format!("dilations={dilations:?} reach too far back")));
    };
    let pads = c.ints("pads").unwrap_or_else(|| vec![0, 0]);
    if pads.len() != 2 {
        return Err(c.invalid(format!("pads={pads:?} with one axis of time")));
    }
    if explicit && pads != [back, 0] {
        c.unsupported(
            &format!("pads={pads:?}"),
            &format!(
                "pads={:?}, on the left only, so that the length is kept",
                [back, 0]
            ),
        );
        wrong = true;
    }
    let bias = c.constant(2)?.map(|bias| bias.tensor);
    if wrong {
        return Err(Stop::Reported);
    }
    let x = c.float(0)?;
    let rank = c.shape(&x)?.len();
    if rank != 3 {
        return Err(c.invalid(format!(
            "the operand must be [batch, channels, time], has {rank} axes"
        )));
    }
    let op = Op::Conv1d {
        weight,
        bias,
        dilation,
        groups,
    };
    c.emit(op, &[x])
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
