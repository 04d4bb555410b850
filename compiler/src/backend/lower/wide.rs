//! Values in fp32: blocks of planes, how they are read, moved and converted.
//!
//! | use of planes | how | exact |
//! |---------------|-----|-------|
//! | operand B | port Y, upper halves and lower halves in two cycles | yes |
//! | operand A of a clamp, of arithmetic with a constant or a bf16 block | changes places with operand B | yes |
//! | operand A otherwise | through an accumulator, as one term | but for -0, which becomes +0, and infinities, which become NaN |
//! | moved to other lanes | plane by plane, as they are | yes |
//! | operand of a product | rounded to bf16 first | |
//!
//! **Contract.** A value of an fp32 node is never rounded on its way from the operation that makes it to one that reads it, unless that one
//! is a product. A bf16 value widens exactly.
//! **Errors.** None.

use sluice_isa::{Format, Op as VecOp};

use super::{Lowering, Pending, Template, Value};
use crate::backend::block::{BlockId, LayerId, Operand, Origin, Plane, Source, Term};
use crate::error::Result;
use crate::nnir::{NodeId, Op, Precision};

/// The operation with its operands in the other order, if there is one.
fn mirrored(op: VecOp) -> Option<VecOp> {
    Some(match op {
        VecOp::Add | VecOp::Mul | VecOp::Max | VecOp::Min | VecOp::Eq | VecOp::Ne => op,
        VecOp::Sub => VecOp::Rsub,
        VecOp::Rsub => VecOp::Sub,
        VecOp::Lt => VecOp::Gt,
        VecOp::Gt => VecOp::Lt,
        VecOp::Le => VecOp::Ge,
        VecOp::Ge => VecOp::Le,
        VecOp::Keep | VecOp::Drop | VecOp::Pass => return None,
    })
}

impl Lowering<'_> {
    /// What the blocks of a node's value are. A constant is what any of its readers keeps.
    pub(super) fn format(&self, id: NodeId) -> Format {
        let wide = |id| self.graph.node(id).ty.precision == Precision::Fp32;
        let read_wide = matches!(self.graph.node(id).op, Op::Constant(_))
            && self.graph.users(id).into_iter().any(wide);
        if wide(id) || read_wide {
            Format::Planes
        } else {
            Format::Bf16
        }
    }

    /// A plain read of a block, in its own format.
    pub(super) fn read(&self, layer: LayerId, block: BlockId) -> Template {
        if self.model.is_planes(block) {
            let terms = vec![Term::Planes(block)];
            let format = Format::Planes;
            let source = Source::Sum { terms, bias: None };
            return Template {
                format,
                ..Template::new(layer, source)
            };
        }
        Template::new(layer, Source::Block(block, 0))
    }

    /// Plain reads of a tensor's blocks.
    pub(super) fn reads(&self, value: &Value, layer: LayerId) -> Pending {
        let read = |v: &Vec<BlockId>| v.iter().map(|&b| self.read(layer, b)).collect();
        Pending {
            templates: value.vectors.iter().map(read).collect(),
            splat: value.splat,
        }
    }

    /// Planes as operand B where that is possible: no accumulator is taken, and the result comes earlier.
    pub(super) fn without_accumulator(&mut self, mut t: Template) -> Template {
        let planes = match &t.source {
            Source::Sum { terms, bias: None } => match terms[..] {
                [Term::Planes(block)] => block,
                _ => return t,
            },
            _ => return t,
        };
        if t.special.is_some() {
            return t;
        }
        let planes = Operand::Block(planes);
        match (t.alu, t.pre) {
            (None, _) => {
                let lowest = vec![f32::NEG_INFINITY.to_bits(); self.b];
                t.source = Source::Const(self.model.add_constant(lowest));
                t.alu = Some((VecOp::Max, planes));
                t.post = t.pre.take();
            }
            (Some((op, other)), None) => {
                let Some(op) = mirrored(op) else { return t };
                match other {
                    Operand::Block(b) if self.model.is_planes(b) => return t,
                    Operand::Block(b) => t.source = Source::Block(b, 0),
                    Operand::Const(c) => t.source = Source::Const(c),
                }
                t.alu = Some((op, planes));
            }
            _ => {}
        }
        t
    }

    /// The node's blocks in a format, rounded or widened where they have the other one.
    pub(super) fn materialise_as(&mut self, id: NodeId, format: Format) -> Result<Value> {
        let value = self.materialise(id)?;
        Ok(self.converted(value, format))
    }

    /// The blocks in a format, each converted once.
    pub(super) fn converted(&mut self, mut value: Value, format: Format) -> Value {
        for block in value.vectors.iter_mut().flatten() {
            if self.model.blocks[block.0].format == format {
                continue;
            }
            let twin = self.twins.get(block).copied();
            *block = twin.unwrap_or_else(|| {
                let layer = self.model.blocks[block.0].layer;
                let t = Template {
                    format,
                    ..self.read(layer, *block)
                };
                let twin = self.emit(t, (0, self.b), None);
                self.twins.insert(*block, twin);
                twin
            });
        }
        value
    }

    /// Lanes of a block as they are, rotated, into lanes of another of its format.
    pub(super) fn move_lanes(
        &mut self,
        layer: LayerId,
        (src, rot): (BlockId, usize),
        lanes: (usize, usize),
        dst: BlockId,
    ) {
        if self.model.is_planes(src) {
            for plane in Plane::BOTH {
                let t = Template::new(layer, Source::Plane(src, rot, plane));
                self.emit(t, lanes, Some(dst));
            }
        } else {
            let t = Template::new(layer, Source::Block(src, rot));
            self.emit(t, lanes, Some(dst));
        }
    }

    /// Lane 0 of a block of planes in every lane: twice as many lanes with every step.
    pub(super) fn splat_planes(&mut self, layer: LayerId, mut block: BlockId) -> BlockId {
        let mut filled = 1;
        while filled < self.b {
            let twice = (2 * filled).min(self.b);
            let dst = self
                .model
                .add_block(Origin::Computed, layer, Format::Planes);
            self.move_lanes(layer, (block, 0), (0, filled), dst);
            self.move_lanes(layer, (block, self.b - filled), (filled, twice), dst);
            (block, filled) = (dst, twice);
        }
        block
    }
}
