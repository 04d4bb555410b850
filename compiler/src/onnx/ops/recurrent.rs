//! LSTM and GRU.
//!
//! | operand | shape                  | note                                                |
//! |---------|------------------------|-----------------------------------------------------|
//! | 0       | `[T, N, I]`            |                                                     |
//! | 1, 2    | `[D, G H, I]`, `[D, G H, H]` | gates of an LSTM: i, o, f, c; of a GRU: z, r, h |
//! | 3       | `[D, 2 G H]`           | biases of 1, then of 2                              |
//! | 5, 6    | `[D, N, H]`            | first states                                        |
//! | outputs | `[T, D, N, H]`, `[D, N, H]`, `[D, N, H]` | all hidden states, the last, the last cell state |
//!
//! With `layout` 1 the batch comes first: `[N, T, I]`, `[N, D, H]` and `[N, T, D, H]`.

use std::sync::Arc;

use crate::nnir::compose::{Direction, RecurrentWeights, Run};
use crate::nnir::{NodeId, Tensor};
use crate::onnx::importer::{Context, Mapped};
use crate::onnx::tensors::Value;

#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Lstm,
    Gru { reset_after: bool },
}

impl Cell {
    /// Where torch's gates stand in the file.
    fn gates(self) -> &'static [usize] {
        match self {
            Self::Lstm => &[0, 2, 3, 1],
            Self::Gru { .. } => &[1, 0, 2],
        }
    }

    fn functions(self) -> &'static [&'static str] {
        match self {
            Self::Lstm => &["Sigmoid", "Tanh", "Tanh"],
            Self::Gru { .. } => &["Sigmoid", "Tanh"],
        }
    }
}

pub(in crate::onnx) fn lstm(c: &mut Context<'_, '_, '_>) -> Mapped {
    if c.int("input_forget", 0)? != 0 {
        return Err(c.unsupported("input_forget=1", "input_forget=0"));
    }
    recurrent(c, Cell::Lstm)
}

pub(in crate::onnx) fn gru(c: &mut Context<'_, '_, '_>) -> Mapped {
    let reset_after = c.int("linear_before_reset", 0)? != 0;
    recurrent(c, Cell::Gru { reset_after })
}

fn recurrent(c: &mut Context<'_, '_, '_>, cell: Cell) -> Mapped {
    // Axes of the steps in the operand and of the directions in the states.
    let (axis, apart) = match c.int("layout", 0)? {
        0 => (0, 0),
        1 => (1, 1),
        layout => return Err(c.invalid(format!("layout={layout}"))),
    };
    let direction = c.text("direction").unwrap_or_else(|| "forward".to_owned());
    let reversed: &[bool] = match direction.as_str() {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        _ => return Err(c.invalid(format!("direction={direction}"))),
    };
    if let Some(functions) = c.texts("activations") {
        let wanted = cell.functions().iter().copied().cycle();
        let count = cell.functions().len() * reversed.len();
        if !functions.is_empty() && !functions.iter().map(String::as_str).eq(wanted.take(count)) {
            let attribute = format!("activations={functions:?}");
            return Err(c.unsupported(&attribute, "the default functions"));
        }
    }
    for (position, what) in [(4, "sequence lengths"), (7, "peepholes")] {
        if c.optional(position)?.is_some() {
            return Err(c.unsupported(what, "an LSTM without"));
        }
    }
    let (w, r, b) = (c.constant(1)?, c.constant(2)?, c.constant(3)?);
    let (Some(w), Some(r)) = (w, r) else {
        return Err(c.invalid("the weights are missing"));
    };
    let (h0, c0) = (c.constant(5)?, c.constant(6)?);
    let x = c.float(0)?;
    let shape = c.shape(&x)?;
    let gates = cell.gates();
    let (&[_, _, inputs], &[_, _, hidden]) = (&shape[..], &r.tensor.shape[..]) else {
        return Err(c.invalid("the operand and the weights must have three axes"));
    };
    let (count, rows, batch) = (reversed.len(), gates.len() * hidden, shape[1 - axis]);
    let mut states = vec![batch, hidden];
    states.insert(apart, count);
    let expected = [
        (Some(&w), vec![count, rows, inputs]),
        (Some(&r), vec![count, rows, hidden]),
        (b.as_ref(), vec![count, 2 * rows]),
        (h0.as_ref(), states.clone()),
        (c0.as_ref(), states),
    ];
    for (tensor, shape) in expected {
        if let Some(tensor) = tensor
            && tensor.tensor.shape != shape
        {
            return Err(c.invalid(format!(
                "'{}' is {:?}, needs {shape:?}",
                tensor.name, tensor.tensor.shape
            )));
        }
    }
    let mut directions = vec![];
    for d in 0..count {
        let half = |at: usize| {
            let whole = b.as_ref()?.tensor.step(0, d);
            let data = whole.data[at * rows..][..rows].to_vec();
            let shape = vec![rows];
            Some(Arc::new(reordered(&Tensor { shape, data }, gates)))
        };
        directions.push(Direction {
            weights: RecurrentWeights {
                input: Arc::new(reordered(&w.tensor.step(0, d), gates)),
                hidden: Arc::new(reordered(&r.tensor.step(0, d), gates)),
                input_bias: half(0),
                hidden_bias: half(1),
            },
            h0: h0.as_ref().map(|h| Arc::new(h.tensor.step(apart, d))),
            c0: c0.as_ref().map(|h| Arc::new(h.tensor.step(apart, d))),
        });
    }
    let name = c.own_name().to_owned();
    let last = [c.has_output(1), c.has_output(2) && cell == Cell::Lstm];
    let (g, x) = c.builder(&x)?;
    let mut runs: Vec<Run> = vec![];
    let mut whole_shape = vec![shape[0], shape[1], hidden];
    whole_shape.insert(axis + 1, 1);
    let mut whole: Vec<NodeId> = vec![];
    for (direction, &reverse) in directions.iter().zip(reversed) {
        let part = match (count, reverse) {
            (1, _) => format!("{name}.steps"),
            (_, false) => format!("{name}.forward"),
            (_, true) => format!("{name}.backward"),
        };
        let run = match cell {
            Cell::Lstm => g.lstm_run(part.clone(), x, axis, direction, reverse)?,
            Cell::Gru { reset_after } => {
                g.gru_run(part.clone(), x, axis, direction, reverse, reset_after)?
            }
        };
        whole.push(g.reshape(format!("{part}.unsqueezed"), run.hidden(), &whole_shape)?);
        runs.push(run);
    }
    let y = g.concat(name.clone(), &whole, axis + 1)?;
    let mut more = vec![];
    for (position, wanted) in last.into_iter().enumerate() {
        if !wanted {
            continue;
        }
        let mut states = vec![];
        for run in &runs {
            states.push(if position == 0 {
                g.last_hidden(run)?
            } else {
                g.last_cell(run)?
            });
        }
        let what = ["h", "c"][position];
        more.push((
            position + 1,
            g.concat(format!("{name}.{what}"), &states, apart)?,
        ));
    }
    for (position, id) in more {
        c.output(position, Value::Runtime(id));
    }
    Ok(Value::Runtime(y))
}

/// Rows of gates in another order.
fn reordered(t: &Tensor, gates: &[usize]) -> Tensor {
    let block = t.data.len() / gates.len();
    let data = gates
        .iter()
        .flat_map(|&gate| &t.data[gate * block..][..block]);
    Tensor {
        shape: t.shape.clone(),
        data: data.copied().collect(),
    }
}
