//! Text form of a compiled model: operations and schedule, for people and for diffs.
//!
//! **Contract.** Deterministic; one line per tick and core that does something. Golden files are made of it.
//! **Errors.** None.

use std::fmt::Write as _;

use super::CompiledModel;
use super::block::{Operand, Plane, Source, Term};

/// The schedule of a model, tick by tick.
pub fn schedule(m: &CompiledModel) -> String {
    let model = &m.placed.model;
    let s = &m.schedule;
    let mut text = format!(
        "model {}: {} ticks, input from tick {}, {} spaced cycles\n",
        m.name, s.ticks, s.t0, s.spaced
    );
    for tick in 0..s.ticks {
        for (core, slots) in s.cores.iter().enumerate() {
            let mut line = String::new();
            if let Some(slot) = slots.matrix.get(&tick) {
                let op = &model.ops[slot.op];
                let first = if slot.first { "=" } else { "+=" };
                let _ = match slot.term {
                    Some(Term::Product(tile, b)) => {
                        write!(line, " a{} {first} w{} * b{}", slot.acc, tile.0, b.0)
                    }
                    Some(Term::Planes(b)) => write!(line, " a{} {first} planes b{}", slot.acc, b.0),
                    None => write!(line, " read {}", source(&op.source)),
                };
                let _ = write!(line, " [{}]", model.layers[op.layer.0].name);
            }
            if let Some(&op) = slots.vector.get(&tick) {
                let op = &model.ops[op];
                let _ = write!(line, " | b{}", op.dst.0);
                if op.lanes != (0, model.constants.first().map_or(op.lanes.1, Vec::len)) {
                    let _ = write!(line, "[{}..{}]", op.lanes.0, op.lanes.1);
                }
                let _ = write!(line, " <- {}", source(&op.source));
                if let Some((lo, hi)) = op.pre {
                    let _ = write!(line, " clamp({lo}, {hi})");
                }
                if let Some(function) = op.special {
                    let _ = write!(line, " {}", function.name());
                }
                if let Some((alu, b)) = op.alu {
                    let _ = match b {
                        Operand::Block(b) => write!(line, " {alu} b{}", b.0),
                        Operand::Const(c) => write!(line, " {alu} c{}", c.0),
                    };
                }
                if let Some((lo, hi)) = op.post {
                    let _ = write!(line, " clamp({lo}, {hi})");
                }
                let _ = write!(line, " [{}]", model.layers[op.layer.0].name);
            }
            if !line.is_empty() {
                let _ = writeln!(text, "{tick:5} core{core}{line}");
            }
        }
        if let Some(i) = s.outputs.iter().position(|&t| t == tick) {
            let beat = model.outputs[i];
            let low = if beat.plane == Plane::Lower {
                " lower"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "{tick:5} out   b{}[0..{}]{low}{}",
                beat.block.0,
                beat.lanes,
                if beat.last { " last" } else { "" }
            );
        }
    }
    text
}

fn source(s: &Source) -> String {
    match s {
        Source::Sum { .. } => "acc".into(),
        Source::Block(b, 0) => format!("b{}", b.0),
        Source::Block(b, rot) => format!("b{} rot {rot}", b.0),
        Source::Plane(b, rot, plane) => format!(
            "b{} {} rot {rot}",
            b.0,
            match plane {
                Plane::Upper => "upper",
                Plane::Lower => "lower",
            }
        ),
        Source::Const(c) => format!("c{}", c.0),
    }
}
