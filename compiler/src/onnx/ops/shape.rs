//! Operators that move values without changing them. Data-dimension rules are those of NNIR.

use crate::nnir::Op;
use crate::nnir::infer::broadcast;
use crate::onnx::importer::{Context, Mapped};
use crate::onnx::ops::axis;

pub(in crate::onnx) fn concat(c: &mut Context<'_, '_, '_>) -> Mapped {
    if !c.has("axis") {
        return Err(c.invalid("attribute axis is missing"));
    }
    let along = c.int("axis", 0)?;
    let mut operands = vec![];
    for position in 0..c.operand_count() {
        operands.push(c.float(position)?);
    }
    let rank = c.shape(&operands[0])?.len();
    let axis = axis(c, along, rank)?;
    if let [only] = &operands[..] {
        return Ok(only.clone());
    }
    c.emit(Op::Concat { axis }, &operands)
}

/// Axis after axis; the last one that takes anything away carries the layer's name.
pub(in crate::onnx) fn slice(c: &mut Context<'_, '_, '_>) -> Mapped {
    let steps = c.integers(4)?;
    if let Some(steps) = &steps
        && steps.data.iter().any(|&step| step != 1)
    {
        return Err(c.unsupported(&format!("steps={:?}", steps.data), "steps of 1"));
    }
    let (starts, ends, axes) = (c.integers(1)?, c.integers(2)?, c.integers(3)?);
    let (Some(starts), Some(ends)) = (starts, ends) else {
        return Err(c.invalid("starts and ends are needed"));
    };
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    let axes: Vec<i64> = match axes {
        Some(axes) => axes.data.clone(),
        None => (0_i64..).take(starts.data.len()).collect(),
    };
    let steps_agree = steps.is_none_or(|steps| steps.data.len() == axes.len());
    if starts.data.len() != axes.len() || ends.data.len() != axes.len() || !steps_agree {
        return Err(c.invalid("starts, ends, axes and steps must be of one length"));
    }
    let mut ranges: Vec<Option<(usize, usize)>> = vec![None; shape.len()];
    for ((&along, &start), &end) in axes.iter().zip(&starts.data).zip(&ends.data) {
        let axis = axis(c, along, shape.len())?;
        let extent = shape[axis];
        let range = (clamped(start, extent), clamped(end, extent));
        if ranges[axis].replace(range).is_some() {
            return Err(c.invalid(format!("axis {axis} is sliced twice")));
        }
    }
    let cuts: Vec<(usize, usize, usize)> = ranges
        .into_iter()
        .enumerate()
        .filter_map(|(axis, range)| range.map(|(start, end)| (axis, start, end)))
        .filter(|&(axis, start, end)| (start, end) != (0, shape[axis]))
        .collect();
    let mut value = x;
    for (position, &(axis, start, end)) in cuts.iter().enumerate() {
        let op = Op::Slice { axis, start, end };
        value = if position + 1 == cuts.len() {
            c.emit(op, &[value])?
        } else {
            c.emit_part(&format!("axis{axis}"), op, &[value])?
        };
    }
    Ok(value)
}

/// One part per output, as long as `split` says, or all of one length but perhaps the last.
pub(in crate::onnx) fn split(c: &mut Context<'_, '_, '_>) -> Mapped {
    let along = c.int("axis", 0)?;
    let given = match c.ints("split") {
        Some(lengths) => Some(lengths),
        None => c.integers(1)?.map(|lengths| lengths.data.clone()),
    };
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    let axis = axis(c, along, shape.len())?;
    let count = c.output_count();
    let wanted = usize::try_from(c.int("num_outputs", 0)?).unwrap_or(0);
    let lengths: Vec<usize> = match given {
        Some(lengths) => lengths
            .iter()
            .map(|&n| usize::try_from(n).unwrap_or(usize::MAX))
            .collect(),
        None if wanted != 0 && wanted != count => {
            return Err(c.invalid(format!("num_outputs={wanted} of {count} outputs")));
        }
        None => {
            let each = shape[axis].div_ceil(count);
            let start = |i: usize| (i * each).min(shape[axis]);
            (0..count).map(|i| start(i + 1) - start(i)).collect()
        }
    };
    let total = lengths.iter().try_fold(0_usize, |n, &l| n.checked_add(l));
    if lengths.len() != count || total != Some(shape[axis]) {
        return Err(c.invalid(format!(
            "parts of {lengths:?} for {count} outputs, axis {axis} of {shape:?}"
        )));
    }
    let mut start = 0;
    let mut first = None;
    for (position, &length) in lengths.iter().enumerate() {
        let op = Op::Slice {
            axis,
            start,
            end: start + length,
        };
        start += length;
        let part = match count {
            1 => x.clone(),
            _ if !c.has_output(position) => continue,
            _ => c.emit_part(&position.to_string(), op, std::slice::from_ref(&x))?,
        };
        if position == 0 {
            first = Some(part);
        } else {
            c.output(position, part);
        }
    }
    // An output without a name is read by nobody.
    Ok(first.unwrap_or(x))
}

/// An index from either end, moved into the axis.
fn clamped(index: i64, extent: usize) -> usize {
    let magnitude = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 {
        extent.saturating_sub(magnitude)
    } else {
        magnitude.min(extent)
    }
}

pub(in crate::onnx) fn flatten(c: &mut Context<'_, '_, '_>) -> Mapped {
    let along = c.int("axis", 1)?;
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    // The axis may stand behind the last one.
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
    let at = if along == rank {
        shape.len()
    } else {
        axis(c, along, shape.len())?
    };
    let (left, right) = shape.split_at(at);
    reshaped(c, x, vec![left.iter().product(), right.iter().product()])
}

pub(in crate::onnx) fn reshape(c: &mut Context<'_, '_, '_>) -> Mapped {
    let keeps_zero = c.int("allowzero", 0)? != 0;
    let Some(wanted) = c.integers(1)? else {
        return Err(c.invalid("the shape is missing"));
    };
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    let mut result = vec![];
    let mut open = None;
    for (axis, &extent) in wanted.data.iter().enumerate() {
        result.push(match usize::try_from(extent) {
            Ok(0) if !keeps_zero => match shape.get(axis) {
                Some(&extent) => extent,
                None => {
                    return Err(c.invalid(format!(
                        "shape {:?} copies an axis that is not there",
                        wanted.data
                    )));
                }
            },
            Ok(extent) => extent,
            Err(_) if extent == -1 && open.is_none() => {
                open = Some(axis);
                1
            }
            Err(_) => return Err(c.invalid(format!("shape {:?}", wanted.data))),
        });
    }
    if let Some(axis) = open {
        let count: usize = shape.iter().product();
        let known = result.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        match known.filter(|&known| known > 0 && count.is_multiple_of(known)) {
            Some(known) => result[axis] = count / known,
            None => {
                return Err(c.invalid(format!(
                    "{count} values do not fill shape {:?}",
                    wanted.data
                )));
            }
        }
    }
    reshaped(c, x, result)
}

/// Axes were an attribute before operator set 13.
fn axes(c: &mut Context<'_, '_, '_>) -> Mapped<Option<Vec<i64>>> {
    match c.ints("axes") {
        Some(axes) => Ok(Some(axes)),
        None => Ok(c.integers(1)?.map(|axes| axes.data.clone())),
    }
}

pub(in crate::onnx) fn squeeze(c: &mut Context<'_, '_, '_>) -> Mapped {
    let axes = axes(c)?;
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    let mut dropped: Vec<bool> = shape
        .iter()
        .map(|&extent| axes.is_none() && extent == 1)
        .collect();
    for along in axes.unwrap_or_default() {
        let axis = axis(c, along, shape.len())?;
        if shape[axis] != 1 {
            return Err(c.invalid(format!("axis {axis} of {shape:?} is not 1")));
        }
        dropped[axis] = true;
    }
    let kept = shape.iter().zip(dropped).filter(|(_, dropped)| !dropped);
    let result = kept.map(|(&extent, _)| extent).collect();
    reshaped(c, x, result)
}

pub(in crate::onnx) fn unsqueeze(c: &mut Context<'_, '_, '_>) -> Mapped {
    let axes = axes(c)?.ok_or_else(|| c.invalid("axes are missing"))?;
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    let rank = shape.len() + axes.len();
    let mut new = vec![false; rank];
    for along in axes {
        let axis = axis(c, along, rank)?;
        if std::mem::replace(&mut new[axis], true) {
            return Err(c.invalid(format!("axis {axis} is added twice")));
        }
    }
    let mut old = shape.iter().copied();
    let result = new
        .into_iter()
        .map(|new| if new { 1 } else { old.next().unwrap_or(1) })
        .collect();
    reshaped(c, x, result)
}

pub(in crate::onnx) fn transpose(c: &mut Context<'_, '_, '_>) -> Mapped {
    let x = c.float(0)?;
    let rank = c.shape(&x)?.len();
    let mut perm = vec![];
    match c.ints("perm") {
        None => perm.extend((0..rank).rev()),
        Some(given) => {
            for along in given {
                perm.push(axis(c, along, rank)?);
            }
        }
    }
    c.emit(Op::Transpose { perm }, &[x])
}

/// Of constant indices; a scalar index takes the axis away.
pub(in crate::onnx) fn gather(c: &mut Context<'_, '_, '_>) -> Mapped {
    let along = c.int("axis", 0)?;
    let Some(given) = c.integers(1)? else {
        return Err(c.invalid("the indices are missing"));
    };
    let x = c.float(0)?;
    let mut shape = c.shape(&x)?;
    let axis = axis(c, along, shape.len())?;
    let extent = shape[axis];
    let mut indices = vec![];
    for &index in &given.data {
        let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        let found = if index < 0 {
            extent.checked_sub(back)
        } else {
            Some(back).filter(|&i| i < extent)
        };
        let Some(found) = found else {
            return Err(c.invalid(format!(
                "index {index} of axis {axis}, which has {extent} values"
            )));
        };
        indices.push(found);
    }
    let op = Op::IndexSelect { axis, indices };
    if given.shape.len() == 1 {
        return c.emit(op, &[x]);
    }
    let taken = c.emit_part("taken", op, &[x])?;
    shape.splice(axis..=axis, given.shape.iter().copied());
    c.emit(Op::Reshape { shape }, &[taken])
}

/// Both ways: the operand may have extents where the shape has 1.
pub(in crate::onnx) fn expand(c: &mut Context<'_, '_, '_>) -> Mapped {
    let Some(wanted) = c.integers(1)? else {
        return Err(c.invalid("the shape is missing"));
    };
    let x = c.float(0)?;
    let from = c.shape(&x)?;
    let wanted: Option<Vec<usize>> = wanted
        .data
        .iter()
        .map(|&extent| usize::try_from(extent).ok())
        .collect();
    let shape = wanted.and_then(|wanted| broadcast(&from, &wanted));
    let Some(shape) = shape else {
        return Err(c.invalid(format!("{from:?} does not broadcast to the shape")));
    };
    if shape == from {
        return Ok(x);
    }
    c.emit(Op::Expand { shape }, &[x])
}

fn reshaped(
    c: &mut Context<'_, '_, '_>,
    x: crate::onnx::tensors::Value,
    shape: Vec<usize>,
) -> Mapped {
    if c.shape(&x)? == shape {
        return Ok(x);
    }
    c.emit(Op::Reshape { shape }, &[x])
}
