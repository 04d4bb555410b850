//! Graph to text; the grammar is in the parent module.
//!
//! **Contract.** Never fails: a graph with a cycle prints in node order.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::{Constants, INLINE};
use crate::nnir::graph::{Graph, Node};
use crate::nnir::op::Op;
use crate::nnir::tensor::Tensor;
use crate::nnir::types::NodeId;

impl Graph {
    /// The text form with long constants in full or summarised.
    pub fn text(&self, constants: Constants) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut out, constants, "");
        out
    }

    fn write_text(
        &self,
        out: &mut dyn fmt::Write,
        constants: Constants,
        indent: &str,
    ) -> fmt::Result {
        writeln!(out, "{indent}graph {:?} {{", self.name)?;
        let order = self
            .nodes_topological()
            .unwrap_or_else(|_| self.node_ids().collect());
        for id in order {
            let node = self.node(id);
            out.write_str(indent)?;
            write_node(out, id, node, constants)?;
            if let Op::Scan { body, .. } = &node.op {
                body.write_text(out, constants, &format!("{indent}  "))?;
            }
        }
        for (state, value) in &self.updates {
            writeln!(out, "{indent}  update {state} {value}")?;
        }
        for id in &self.outputs {
            writeln!(out, "{indent}  output {id}")?;
        }
        writeln!(out, "{indent}}}")
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_text(f, Constants::Full, "")
    }
}

fn write_node(
    out: &mut dyn fmt::Write,
    id: NodeId,
    node: &Node,
    constants: Constants,
) -> fmt::Result {
    write!(out, "  {id} = {} {:?} (", node.op.name(), node.name)?;
    for (i, operand) in node.inputs.iter().enumerate() {
        write!(out, "{}{operand}", if i == 0 { "" } else { ", " })?;
    }
    out.write_char(')')?;
    let bias = |out: &mut dyn fmt::Write, bias: &Option<Arc<Tensor>>| match bias {
        Some(b) => write!(out, " bias={}", Value(b, constants)),
        None => Ok(()),
    };
    match &node.op {
        Op::Input { index } => write!(out, " index={index}")?,
        Op::Constant(value) => write!(out, " value={}", Value(value, constants))?,
        Op::Linear {
            weights,
            bias: b,
            fp8,
        } => {
            out.write_str(" weights=[")?;
            for (i, w) in weights.iter().enumerate() {
                write!(
                    out,
                    "{}{}",
                    if i == 0 { "" } else { ", " },
                    Value(w, constants)
                )?;
            }
            out.write_char(']')?;
            bias(out, b)?;
            out.write_str(if *fp8 { " fp8" } else { "" })?;
        }
        // `{:?}` of a float is the shortest decimal that reads back to the same bits.
        Op::Clamp { min, max } => write!(out, " min={min:?} max={max:?}")?,
        Op::Unary(_) | Op::Pointwise(_) => {}
        Op::Reduce { axes, keep, .. } => write!(out, " axes={axes:?} keep={keep}")?,
        Op::Transpose { perm } => write!(out, " perm={perm:?}")?,
        Op::IndexSelect { axis, indices } => write!(out, " axis={axis} indices={indices:?}")?,
        Op::State { init } => write!(out, " init={}", Value(init, constants))?,
        Op::Scan {
            axis,
            reverse,
            output,
            ..
        } => write!(out, " axis={axis} reverse={reverse} output={output}")?,
        Op::Conv1d {
            weight,
            bias: b,
            dilation,
            groups,
            fp8,
        } => {
            write!(out, " weight={}", Value(weight, constants))?;
            bias(out, b)?;
            write!(out, " dilation={dilation} groups={groups}")?;
            out.write_str(if *fp8 { " fp8" } else { "" })?;
        }
        Op::Concat { axis } => write!(out, " axis={axis}")?,
        Op::Slice { axis, start, end } => write!(out, " axis={axis} start={start} end={end}")?,
        Op::Reshape { shape } | Op::Expand { shape } => write!(out, " shape={shape:?}")?,
        Op::Delay { steps } => write!(out, " steps={steps}")?,
    }
    writeln!(out, " : {}", node.ty)
}

struct Value<'t>(&'t Tensor, Constants);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(tensor, constants) = self;
        write!(f, "{:?}", tensor.shape)?;
        if tensor.data.len() <= INLINE && !tensor.data.iter().any(|v| v.is_nan()) {
            f.write_char('{')?;
            for (i, v) in tensor.data.iter().enumerate() {
                write!(f, "{}{v:?}", if i == 0 { "" } else { ", " })?;
            }
            return f.write_char('}');
        }
        if *constants == Constants::Summary {
            return write!(f, "#{:016x}", digest(tensor));
        }
        f.write_str("0x")?;
        tensor
            .data
            .iter()
            .try_for_each(|v| write!(f, "{:08x}", v.to_bits()))
    }
}

/// FNV-1a 64 over the bits, most significant byte first.
fn digest(tensor: &Tensor) -> u64 {
    let bytes = tensor.data.iter().flat_map(|v| v.to_bits().to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
