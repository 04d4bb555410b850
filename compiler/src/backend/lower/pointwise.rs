//! Element-wise operations: clamps, special functions, arithmetic with a second operand.
//!
//! **Contract.** Each joins the operation of its operand as long as that has a place for it: clamp, special function, arithmetic, clamp.
//! A value between two operations of different words is rounded to its node's format, but for the operand of `exp`, which stays fp32:
//! `e^x` is `2^(x log2 e)`. `a / b` is `a (1 / b)`. Where the data dimension has extent 1 the value stands in every lane (splat).
//! **Errors.** An operand whose data dimension lies elsewhere is moved, never refused.

use std::sync::Arc;

use sluice_isa::Op as VecOp;
use sluice_isa::special::Function;

use super::layout::{Layout, broadcast, flat};
use super::{Lowered, Lowering, Pending, Template, Value};
use crate::backend::block::{ConstId, LayerId, Operand, Source, Term};
use crate::error::Result;
use crate::nnir::{NodeId, PointwiseOp, Tensor, UnaryOp};

/// The word's operation for `left op right`, operand A being the left one or, swapped, the right one.
fn vector_op(op: PointwiseOp, swap: bool) -> VecOp {
    match (op, swap) {
        (PointwiseOp::Add, _) => VecOp::Add,
        (PointwiseOp::Sub, false) => VecOp::Sub,
        (PointwiseOp::Sub, true) => VecOp::Rsub,
        (PointwiseOp::Mul | PointwiseOp::Div, _) => VecOp::Mul,
        (PointwiseOp::Max, _) => VecOp::Max,
        (PointwiseOp::Min, _) => VecOp::Min,
        (PointwiseOp::Lt, false) | (PointwiseOp::Gt, true) => VecOp::Lt,
        (PointwiseOp::Le, false) | (PointwiseOp::Ge, true) => VecOp::Le,
        (PointwiseOp::Gt, false) | (PointwiseOp::Lt, true) => VecOp::Gt,
        (PointwiseOp::Ge, false) | (PointwiseOp::Le, true) => VecOp::Ge,
        (PointwiseOp::Eq, _) => VecOp::Eq,
        (PointwiseOp::Ne, _) => VecOp::Ne,
        (PointwiseOp::Keep, _) => VecOp::Keep,
        (PointwiseOp::Drop, _) => VecOp::Drop,
    }
}

impl Lowering<'_> {
    pub(super) fn clamp(&mut self, id: NodeId, bounds: (f32, f32)) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, "clamp");
        let mut pending = self.pending(node.inputs[0], layer)?;
        for t in pending.templates.iter_mut().flatten() {
            let computes = t.alu.is_some() || t.special.is_some();
            if computes && t.post.is_none() {
                t.post = Some(bounds);
            } else if !computes && t.pre.is_none() {
                t.pre = Some(bounds);
            } else {
                // Both places are taken: what is there goes to a block first.
                *t = self.written(t.clone());
                t.pre = Some(bounds);
            }
            t.layer = layer;
        }
        Ok(Lowered::Pending(pending))
    }

    pub(super) fn unary(&mut self, id: NodeId, op: UnaryOp) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, op.name());
        let mut pending = self.pending(node.inputs[0], layer)?;
        let scale = |l: &mut Self, by: f32| {
            let all = vec![by.to_bits(); l.b];
            Some((VecOp::Mul, Operand::Const(l.model.add_constant(all))))
        };
        for t in pending.templates.iter_mut().flatten() {
            if op == UnaryOp::Exp {
                if t.alu.is_some() || t.post.is_some() {
                    *t = self.written_wide(t.clone());
                }
                t.layer = layer;
                t.alu = scale(self, std::f32::consts::LOG2_E);
                *t = self.written_wide(t.clone());
                t.special = Some(Function::Exp2);
                continue;
            }
            if !t.takes_special() {
                *t = self.written(t.clone());
            }
            t.layer = layer;
            t.special = Some(match op {
                UnaryOp::Recip => Function::Recip,
                UnaryOp::Rsqrt => Function::Rsqrt,
                UnaryOp::Sqrt => Function::Sqrt,
                UnaryOp::Exp | UnaryOp::Exp2 => Function::Exp2,
                UnaryOp::Log | UnaryOp::Log2 => Function::Log2,
                UnaryOp::Tanh => Function::Tanh,
                UnaryOp::Sigmoid => Function::Sigmoid,
                UnaryOp::Silu => Function::Silu,
                UnaryOp::Gelu => Function::Gelu,
                UnaryOp::GeluTanh => Function::GeluTanh,
                UnaryOp::Softplus => Function::Softplus,
            });
            if op == UnaryOp::Log {
                t.alu = scale(self, std::f32::consts::LN_2);
            }
        }
        Ok(Lowered::Pending(pending))
    }

    pub(super) fn pointwise(&mut self, id: NodeId, op: PointwiseOp) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, op.name());
        let (left, right) = (node.inputs[0], node.inputs[1]);
        let result = Layout::of(&node.ty);
        let divides = op == PointwiseOp::Div && !self.is_constant(right);
        let swap = match op {
            PointwiseOp::Div => divides,
            PointwiseOp::Keep | PointwiseOp::Drop => false,
            _ => self.swaps(left, right, &result),
        };
        let (a, other) = if swap { (right, left) } else { (left, right) };
        // Operand B first: it may have to be written to blocks.
        let invert = op == PointwiseOp::Div && !divides;
        let (operand_b, b_splat) = self.operand_b(other, &result, invert)?;
        let mut pending = self.operand_a(a, layer, &result)?;
        let vec_op = vector_op(op, swap);
        for (t, &b) in pending
            .templates
            .iter_mut()
            .flatten()
            .zip(operand_b.iter().flatten())
        {
            if divides {
                if !t.takes_special() {
                    *t = self.written(t.clone());
                }
                t.special = Some(Function::Recip);
            } else if t.alu.is_some() || t.post.is_some() {
                *t = self.written(t.clone());
            }
            t.layer = layer;
            if !Self::becomes_bias(t, vec_op, b) {
                t.alu = Some((vec_op, b));
            }
        }
        pending.splat &= b_splat && result.extent() == 1;
        Ok(Lowered::Pending(pending))
    }

    fn is_constant(&self, id: NodeId) -> bool {
        matches!(self.values.get(&id), Some(Lowered::Constant(_)))
    }

    /// Operand A is the later of two that can still be joined, else the one that is not constant.
    fn swaps(&self, left: NodeId, right: NodeId, result: &Layout) -> bool {
        let same_shape = |n: NodeId| Layout::of(&self.graph.node(n).ty) == *result;
        let joins = |n: NodeId| {
            matches!(self.values.get(&n), Some(Lowered::Pending(_)))
                && same_shape(n)
                && left != right
        };
        match (joins(left), joins(right)) {
            (true, true) => right > left,
            (true, false) => false,
            (false, true) => true,
            (false, false) => {
                self.is_constant(left) || (!self.is_constant(right) && !same_shape(left))
            }
        }
    }

    /// A constant added to a sum of products is where the sum starts.
    fn becomes_bias(t: &mut Template, op: VecOp, b: Operand) -> bool {
        let bare = t.pre.is_none() && t.special.is_none();
        match (&mut t.source, op, b) {
            (Source::Sum { terms, bias }, VecOp::Add, Operand::Const(c))
                if bare
                    && bias.is_none()
                    && terms.iter().any(|t| matches!(t, Term::Product(..))) =>
            {
                *bias = Some(c);
                true
            }
            _ => false,
        }
    }

    /// Operand A in the vectors and blocks of the result.
    fn operand_a(&mut self, a: NodeId, layer: LayerId, result: &Layout) -> Result<Pending> {
        let own = Layout::of(&self.graph.node(a).ty);
        if own == *result && !self.is_constant(a) {
            return self.pending(a, layer);
        }
        let value = self.spread(a, result)?;
        Ok(self.reads(&value, layer))
    }

    /// Operand B of every block of the result, and whether it stands in every lane of a data dimension of extent 1.
    fn operand_b(
        &mut self,
        id: NodeId,
        result: &Layout,
        invert: bool,
    ) -> Result<(Vec<Vec<Operand>>, bool)> {
        if let Some(Lowered::Constant(t)) = self.values.get(&id) {
            let mut t = Arc::clone(t);
            if invert {
                t = Arc::new(Tensor {
                    shape: t.shape.clone(),
                    data: t.data.iter().map(|x| x.recip()).collect(),
                });
            }
            let blocks = result.extent().div_ceil(self.b);
            let indices = result.vectors();
            let of = |l: &mut Self, v: &[usize]| {
                let each = (0..blocks).map(|j| Operand::Const(l.constant_block(&t, v, j, result)));
                each.collect()
            };
            return Ok((indices.iter().map(|v| of(self, v)).collect(), true));
        }
        let value = self.spread(id, result)?;
        let blocks = value
            .vectors
            .iter()
            .map(|v| v.iter().copied().map(Operand::Block).collect())
            .collect();
        Ok((blocks, value.splat))
    }

    /// A tensor's blocks under numpy broadcasting to the result's vectors.
    pub(super) fn spread(&mut self, id: NodeId, result: &Layout) -> Result<Value> {
        let mut own = Layout::of(&self.graph.node(id).ty);
        let skip = result.shape.len().saturating_sub(own.shape.len());
        // Axes in front until the result's data dimension is one of them.
        while own.shape.len() < result.shape.len() && result.d < skip {
            own.shape.insert(0, 1);
            own.d += 1;
        }
        let skip = result.shape.len() - own.shape.len();
        let mut value = self.materialise(id)?;
        let target = result.d - skip;
        if own.d != target {
            let layer = self.layer(&self.graph.node(id).name.clone(), "transpose");
            let moved = Layout {
                d: target,
                ..own.clone()
            };
            value = self.gathered(layer, &[(value, own)], &moved, &|index| (0, index.to_vec()));
            own = moved;
        }
        if own.extent() == 1 && result.extent() != 1 && !value.splat {
            value = self.splat(id, &value);
        }
        let blocks = result.extent().div_ceil(self.b);
        let vectors = result
            .vectors()
            .iter()
            .map(|index| {
                let from = &value.vectors[own.vector(&broadcast(index, &own.shape))];
                (0..blocks).map(|j| from[j.min(from.len() - 1)]).collect()
            })
            .collect();
        Ok(Value {
            vectors,
            splat: value.splat,
        })
    }

    /// fp32 bits of block `j` of the vector at `index`, broadcast from `t`; a data dimension of extent 1 fills the block.
    pub(super) fn constant_block(
        &mut self,
        t: &Tensor,
        index: &[usize],
        j: usize,
        result: &Layout,
    ) -> ConstId {
        let mut index = index.to_vec();
        let values = (0..self.b)
            .map(|lane| {
                let at = if result.extent() == 1 {
                    0
                } else {
                    j * self.b + lane
                };
                if at >= result.extent() {
                    return 0;
                }
                index[result.d] = at;
                let source = broadcast(&index, &t.shape);
                t.data[flat(&source, &t.shape)].to_bits()
            })
            .collect();
        self.model.add_constant(values)
    }
}
