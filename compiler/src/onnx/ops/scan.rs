//! Scan: a graph run once per step.
//!
//! | operand or output | shape                        | of the body                          |
//! |-------------------|------------------------------|--------------------------------------|
//! | first operands    | any                          | initial states                       |
//! | last operands     | sequences, the steps along their axis | one step of them            |
//! | first outputs     | as the initial states        | the states after the last step       |
//! | last outputs      | steps along their axis       | its other outputs, one after another |
//!
//! **Contract.** Iteration i reads step i of a sequence, or, reversed, step i from the end; an output holds iteration i there, too.
//! Sequences and outputs that agree in axis and direction with the first one read cost nothing more.

use std::sync::Arc;

use crate::nnir::{Op, Tensor};
use crate::onnx::importer::{Context, Mapped, Stop};
use crate::onnx::ops::axis;
use crate::onnx::subgraph::{Found, Operands};
use crate::onnx::tensors::Value;

pub(in crate::onnx) fn scan(c: &mut Context<'_, '_, '_>) -> Mapped {
    let file = c.subgraph("body")?;
    let wanted_sequences = usize::try_from(c.int("num_scan_inputs", 0)?).unwrap_or(0);
    let Some(count) = c.operand_count().checked_sub(wanted_sequences) else {
        return Err(c.invalid(format!(
            "num_scan_inputs={wanted_sequences} of fewer operands"
        )));
    };
    if wanted_sequences == 0 {
        return Err(c.invalid("num_scan_inputs must be 1 or more"));
    }
    let (inputs, outputs) = (file.input.len(), file.output.len());
    if inputs != c.operand_count() || outputs < count || outputs != c.output_count() {
        return Err(c.invalid(format!(
            "a body of {inputs} inputs and {outputs} outputs for {} operands, {count} of them states, and {} outputs",
            c.operand_count(),
            c.output_count()
        )));
    }
    let backward = directions(c, "scan_input_directions", wanted_sequences)?;
    let prepend = directions(c, "scan_output_directions", outputs - count)?;
    let input_axes = axes(c, "scan_input_axes", wanted_sequences)?;
    let output_axes = axes(c, "scan_output_axes", outputs - count)?;

    let mut operands = Operands {
        states: vec![],
        steps: vec![],
    };
    for position in 0..count {
        operands.states.push(match c.constant(position) {
            Ok(Some(state)) => Some(state),
            Ok(None) => return Err(c.invalid(format!("operand {position} is missing"))),
            Err(Stop::Reported) => None,
            Err(stop) => return Err(stop),
        });
    }
    let mut steps = None;
    let mut sequences = vec![];
    for (sequence, &along) in input_axes.iter().enumerate() {
        let x = match c.float(count + sequence) {
            Ok(x) => x,
            Err(Stop::Reported) => {
                operands.steps.push(None);
                continue;
            }
            Err(stop) => return Err(stop),
        };
        let mut shape = c.shape(&x)?;
        let at = axis(c, along, shape.len())?;
        let extent = shape.remove(at);
        if *steps.get_or_insert(extent) != extent {
            return Err(c.invalid(format!(
                "sequences of {} and {extent} steps",
                steps.unwrap_or(0)
            )));
        }
        operands.steps.push(Some(shape));
        sequences.push((x, at, backward[sequence]));
    }
    let wanted: Vec<bool> = (0..outputs)
        .map(|position| c.has_output(position))
        .collect();
    let body = c.body(file, &operands, &wanted)?;
    let steps = steps.ok_or(Stop::Reported)?;

    // One axis and one direction for all; the others are brought there.
    let mut read = body.read.iter();
    sequences.retain(|_| read.next() == Some(&true));
    let reverse = sequences.first().is_some_and(|&(_, _, reverse)| reverse);
    let mut places = vec![None; outputs];
    let mut common: Vec<usize> = sequences.iter().map(|&(_, at, _)| at).collect();
    let mut ranks = vec![];
    for (position, found) in body.outputs.iter().enumerate() {
        let rank = match found {
            Some(Found::Output(_, shape)) => shape.len(),
            Some(Found::Constant(constant)) => constant.tensor.shape.len(),
            None => continue,
        };
        ranks.push(rank);
        if let Some(k) = position.checked_sub(count) {
            let at = axis(c, output_axes[k], rank + 1)?;
            places[position] = Some((at, prepend[k]));
            common.push(at);
        }
    }
    for value in &body.captured {
        ranks.push(c.shape(value)?.len());
    }
    let first = common.first().copied().unwrap_or(0);
    let fits = common.iter().all(|&at| at == first) && ranks.iter().all(|&rank| first <= rank);
    let along = if fits { first } else { 0 };

    let mut values = vec![];
    for (i, (x, at, backward)) in sequences.into_iter().enumerate() {
        let x = turned(c, &format!("x{i}"), x, at, steps, backward != reverse)?;
        values.push(moved(c, &format!("x{i}"), x, at, along)?);
    }
    for (i, value) in body.captured.iter().enumerate() {
        let mut shape = c.shape(value)?;
        shape.insert(along, 1);
        let op = Op::Reshape {
            shape: shape.clone(),
        };
        let one = c.emit_part(&format!("captured{i}"), op, std::slice::from_ref(value))?;
        shape[along] = steps;
        values.push(c.emit_part(&format!("captured{i}.steps"), Op::Expand { shape }, &[one])?);
    }

    let mut first = Value::Unknown;
    for (position, found) in body.outputs.iter().enumerate() {
        let name = file.output[position].name();
        let value = match (found, places[position]) {
            (None, _) => continue,
            (Some(Found::Constant(constant)), None) => Value::Constant(constant.clone()),
            (Some(Found::Constant(constant)), Some((at, _))) => {
                let tensor = repeated(&constant.tensor, at, steps);
                c.own_constant(name, tensor)
            }
            (Some(Found::Output(output, shape)), place) => {
                let op = Op::Scan {
                    body: Arc::clone(&body.graph),
                    axis: along,
                    reverse,
                    output: *output,
                };
                let all = c.emit_part(name, op, &values)?;
                if let Some((at, prepend)) = place {
                    let y = turned(c, name, all, along, steps, prepend != reverse)?;
                    moved(c, name, y, along, at)?
                } else {
                    let last = if reverse { 0 } else { steps - 1 };
                    let op = Op::Slice {
                        axis: along,
                        start: last,
                        end: last + 1,
                    };
                    let step = c.emit_part(&format!("{name}.last"), op, &[all])?;
                    let op = Op::Reshape {
                        shape: shape.clone(),
                    };
                    c.emit_part(&format!("{name}.state"), op, &[step])?
                }
            }
        };
        if position == 0 {
            first = value;
        } else {
            c.output(position, value);
        }
    }
    Ok(first)
}

/// Per sequence, whether it runs from its end.
fn directions(c: &Context<'_, '_, '_>, name: &str, count: usize) -> Mapped<Vec<bool>> {
    let Some(given) = c.ints(name) else {
        return Ok(vec![false; count]);
    };
    if given.len() != count || given.iter().any(|d| !(0..=1).contains(d)) {
        return Err(c.invalid(format!("{name}={given:?} must be {count} times 0 or 1")));
    }
    Ok(given.iter().map(|&d| d == 1).collect())
}

fn axes(c: &Context<'_, '_, '_>, name: &str, count: usize) -> Mapped<Vec<i64>> {
    let given = c.ints(name).unwrap_or_else(|| vec![0; count]);
    if given.len() != count {
        return Err(c.invalid(format!("{name}={given:?} must be {count} axes")));
    }
    Ok(given)
}

fn turned(
    c: &mut Context<'_, '_, '_>,
    part: &str,
    x: Value,
    axis: usize,
    steps: usize,
    turn: bool,
) -> Mapped {
    if !turn {
        return Ok(x);
    }
    let indices = (0..steps).rev().collect();
    let op = Op::IndexSelect { axis, indices };
    c.emit_part(&format!("{part}.reversed"), op, &[x])
}

fn moved(c: &mut Context<'_, '_, '_>, part: &str, x: Value, from: usize, to: usize) -> Mapped {
    if from == to {
        return Ok(x);
    }
    let mut perm: Vec<usize> = (0..c.shape(&x)?.len()).filter(|&i| i != from).collect();
    perm.insert(to, from);
    c.emit_part(&format!("{part}.moved"), Op::Transpose { perm }, &[x])
}

/// The same tensor in every step.
fn repeated(t: &Tensor, axis: usize, steps: usize) -> Tensor {
    let inner: usize = t.shape[axis..].iter().product();
    let outer: usize = t.shape[..axis].iter().product();
    let mut data = Vec::with_capacity(t.data.len().saturating_mul(steps));
    for at in 0..outer {
        for _ in 0..steps {
            data.extend_from_slice(&t.data[at * inner..][..inner]);
        }
    }
    let mut shape = t.shape.clone();
    shape.insert(axis, steps);
    Tensor { shape, data }
}
