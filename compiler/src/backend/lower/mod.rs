//! NNIR to block operations.
//!
//! | tensor | becomes |
//! |--------|---------|
//! | run-time tensor of data dimension `d` | one vector per index of the other axes, each `ceil(n / B)` blocks |
//! | constant operand of arithmetic | constant blocks, broadcast |
//! | `delay` of a tensor | a line of state blocks, shifted by operations at the end of the job |
//! | `state` | state blocks, overwritten by operations at the end of the job |
//!
//! **Contract.** A linear layer, a clamp, a special function, arithmetic with a second operand and a clamp in this order become one vector
//! word per block if nobody else reads what lies between. Values of fp32 nodes are blocks of planes (`wide.rs`). Lanes beyond a tensor's end hold anything; nothing depends on them.
//! **Errors.** What the machine cannot express: an output or concat of constants only is materialised; other gaps are
//! [`CompileError::Unsupported`].

mod dense;
mod layout;
mod pointwise;
mod reduce;
mod relayout;
mod state;
mod wide;

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_isa::special::Function;
use sluice_isa::{Format, Op as VecOp};

use super::block::{
    BlockId, BlockModel, BlockOp, Clamp, Layer, LayerId, Operand, Origin, OutputBeat, Plane,
    Source, Term,
};
use super::tiles::TileStore;
use crate::error::{CompileError, Result};
use crate::nnir::{Graph, NodeId, Op, Tensor};
use layout::Layout;

/// A run-time tensor: `vectors[v][j]` is the j-th block of vector v.
#[derive(Clone)]
struct Value {
    vectors: Vec<Vec<BlockId>>,
    /// The data dimension has extent 1 and its value stands in every lane.
    splat: bool,
}

/// A tensor whose operations have no destination yet.
struct Pending {
    templates: Vec<Vec<Template>>,
    splat: bool,
}

/// An operation whose destination does not exist yet, so that later layers can still join it.
#[derive(Clone)]
struct Template {
    layer: LayerId,
    source: Source,
    pre: Clamp,
    special: Option<Function>,
    alu: Option<(VecOp, Operand)>,
    post: Clamp,
    /// What it is written as if it goes to a block.
    format: Format,
}

impl Template {
    fn new(layer: LayerId, source: Source) -> Self {
        Self {
            layer,
            source,
            pre: None,
            special: None,
            alu: None,
            post: None,
            format: Format::Bf16,
        }
    }

    /// Nothing stands behind the place of the special function, and none is in it.
    fn takes_special(&self) -> bool {
        self.special.is_none() && self.alu.is_none() && self.post.is_none()
    }
}

enum Lowered {
    Blocks(Value),
    Pending(Pending),
    Constant(Arc<Tensor>),
}

struct Lowering<'g> {
    graph: &'g Graph,
    b: usize,
    model: BlockModel,
    tiles: TileStore,
    values: BTreeMap<NodeId, Lowered>,
    /// Delay lines: per delayed node, per step (index 0 = 1 step), the state value.
    lines: BTreeMap<NodeId, Vec<Value>>,
    /// Blocks that exist in the other format too.
    twins: BTreeMap<BlockId, BlockId>,
}

/// Lowers a verified graph for blocks of `block_size` values.
pub fn lower(graph: &Graph, block_size: usize) -> Result<BlockModel> {
    let mut l = Lowering {
        graph,
        b: block_size,
        model: BlockModel {
            name: graph.name.clone(),
            ..BlockModel::default()
        },
        tiles: TileStore::default(),
        values: BTreeMap::new(),
        lines: BTreeMap::new(),
        twins: BTreeMap::new(),
    };
    let order = graph.nodes_topological()?;
    l.declare_inputs();
    l.declare_lines(&order);
    l.declare_states(&order);
    for &id in &order {
        l.node(id)?;
    }
    l.outputs()?;
    l.shift_lines(&order)?;
    l.update_states()?;
    l.model.tiles = l.tiles.into_tiles();
    Ok(l.model)
}

impl Lowering<'_> {
    fn layer(&mut self, name: &str, op: &'static str) -> LayerId {
        self.model.layers.push(Layer {
            name: name.to_owned(),
            op,
        });
        LayerId(self.model.layers.len() - 1)
    }

    fn declare_inputs(&mut self) {
        for &id in &self.graph.inputs {
            let node = self.graph.node(id);
            let (layout, name) = (Layout::of(&node.ty), node.name.clone());
            let layer = self.layer(&name, "input");
            let blocks = layout.extent().div_ceil(self.b);
            let format = self.format(id);
            let mut vectors = Vec::new();
            for _ in layout.vectors() {
                let mut v = Vec::new();
                for _ in 0..blocks {
                    let beat = Origin::Input(self.model.input_beats);
                    let block = self.model.add_block(beat, layer, format);
                    self.model.input_beats += self.model.size(block);
                    v.push(block);
                }
                vectors.push(v);
            }
            let value = Value {
                vectors,
                splat: false,
            };
            self.values.insert(id, Lowered::Blocks(value));
        }
    }

    fn node(&mut self, id: NodeId) -> Result<()> {
        let node = self.graph.node(id).clone();
        let mut result = match &node.op {
            Op::Input { .. } | Op::State { .. } => return Ok(()),
            Op::Constant(t) => Lowered::Constant(Arc::clone(t)),
            Op::Linear { weights, bias, fp8 } => self.linear(id, weights, bias.as_deref(), *fp8)?,
            Op::Clamp { min, max } => self.clamp(id, (*min, *max))?,
            Op::Unary(op) => self.unary(id, *op)?,
            Op::Pointwise(op) => self.pointwise(id, *op)?,
            Op::Reduce { op, axes, keep } => self.reduce(id, *op, axes, *keep)?,
            Op::Delay { steps } => Lowered::Blocks(self.lines[&node.inputs[0]][steps - 1].clone()),
            Op::Concat { .. }
            | Op::Slice { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::IndexSelect { .. }
            | Op::Expand { .. } => Lowered::Blocks(self.relayout(id)?),
            Op::Scan { .. } => {
                return Err(CompileError::Internal(format!(
                    "scan '{}' was not unrolled",
                    node.name
                )));
            }
            Op::Conv1d { .. } => {
                return Err(CompileError::Unsupported {
                    layer: node.name,
                    op: "conv1d".into(),
                    attribute: "a convolution over a whole sequence".into(),
                    nearest:
                        "a streamed convolution: call streaming_transform on the time axis first"
                            .into(),
                });
            }
        };
        if let Lowered::Pending(pending) = &mut result {
            let format = self.format(id);
            for t in pending.templates.iter_mut().flatten() {
                t.format = format;
            }
        }
        self.values.insert(id, result);
        if !self.may_join(id) {
            self.materialise(id)?;
        }
        Ok(())
    }

    /// A single reader that is not a model output may still join this layer's operations.
    fn may_join(&self, id: NodeId) -> bool {
        if self.graph.is_result(id) || self.lines.contains_key(&id) {
            return false;
        }
        let [user] = self.graph.users(id)[..] else {
            return false;
        };
        let user = self.graph.node(user);
        user.inputs.iter().filter(|&&i| i == id).count() == 1
            && matches!(user.op, Op::Clamp { .. } | Op::Unary(_) | Op::Pointwise(_))
    }

    /// The node's blocks, emitting its operations if that has not happened.
    fn materialise(&mut self, id: NodeId) -> Result<Value> {
        if let Some(Lowered::Blocks(v)) = self.values.get(&id) {
            return Ok(v.clone());
        }
        let value = match self.values.remove(&id) {
            Some(Lowered::Pending(pending)) => {
                let splat = pending.splat;
                let vectors = self.emit_all(pending);
                Value { vectors, splat }
            }
            Some(Lowered::Constant(t)) => {
                // A constant as blocks: what is no second operand of arithmetic.
                let node = self.graph.node(id).clone();
                let layout = Layout::of(&node.ty);
                let layer = self.layer(&node.name, "constant");
                let blocks = layout.extent().div_ceil(self.b);
                let mut vectors = Vec::new();
                for v in layout.vectors() {
                    let mut all = Vec::new();
                    for j in 0..blocks {
                        let c = self.constant_block(&t, &v, j, &layout);
                        let template = Template {
                            format: self.format(id),
                            ..Template::new(layer, Source::Const(c))
                        };
                        all.push(self.emit(template, (0, self.b), None));
                    }
                    vectors.push(all);
                }
                self.values.insert(id, Lowered::Constant(t));
                let splat = layout.extent() == 1;
                return Ok(Value { vectors, splat });
            }
            Some(Lowered::Blocks(_)) | None => {
                return Err(CompileError::Internal(format!(
                    "node {id} is read before it is lowered"
                )));
            }
        };
        self.values.insert(id, Lowered::Blocks(value.clone()));
        Ok(value)
    }

    fn emit_all(&mut self, pending: Pending) -> Vec<Vec<BlockId>> {
        let whole = (0, self.b);
        let mut emit = |t| self.emit(t, whole, None);
        pending
            .templates
            .into_iter()
            .map(|v| v.into_iter().map(&mut emit).collect())
            .collect()
    }

    fn emit(&mut self, t: Template, lanes: (usize, usize), dst: Option<BlockId>) -> BlockId {
        let dst = dst.unwrap_or_else(|| self.model.add_block(Origin::Computed, t.layer, t.format));
        let t = self.without_accumulator(t);
        self.model.ops.push(BlockOp {
            layer: t.layer,
            source: t.source,
            pre: t.pre,
            special: t.special,
            alu: t.alu,
            post: t.post,
            lanes,
            dst,
            tail: false,
        });
        dst
    }

    /// The operand's own operations if they can still be joined, or plain reads of its blocks.
    fn pending(&mut self, operand: NodeId, layer: LayerId) -> Result<Pending> {
        if matches!(self.values.get(&operand), Some(Lowered::Pending(_)))
            && let Some(Lowered::Pending(pending)) = self.values.remove(&operand)
        {
            return Ok(pending);
        }
        let value = self.materialise(operand)?;
        Ok(self.reads(&value, layer))
    }

    /// The block a template stands for, writing it if it is more than a plain read.
    fn block_of(&mut self, t: Template) -> BlockId {
        let bare = t.pre.is_none() && t.special.is_none() && t.alu.is_none() && t.post.is_none();
        match (t.format, &t.source) {
            (Format::Bf16, &Source::Block(block, 0)) if bare => block,
            (Format::Planes, Source::Sum { terms, bias: None }) if bare => match terms[..] {
                [Term::Planes(block)] => block,
                _ => self.emit(t, (0, self.b), None),
            },
            _ => self.emit(t, (0, self.b), None),
        }
    }

    /// A read of what the template stands for, in its format.
    fn written(&mut self, t: Template) -> Template {
        let layer = t.layer;
        let block = self.block_of(t);
        self.read(layer, block)
    }

    /// The same in fp32, whatever its format.
    fn written_wide(&mut self, t: Template) -> Template {
        let format = Format::Planes;
        self.written(Template { format, ..t })
    }

    fn outputs(&mut self) -> Result<()> {
        for &id in &self.graph.outputs {
            let value = self.materialise_as(id, self.format(id))?;
            let n = Layout::of(&self.graph.node(id).ty).extent();
            let total = value.vectors.iter().map(Vec::len).sum::<usize>();
            let mut sent = 0;
            for blocks in &value.vectors {
                for (j, &block) in blocks.iter().enumerate() {
                    sent += 1;
                    let planes = &Plane::BOTH[..self.model.size(block)];
                    for (i, &plane) in planes.iter().enumerate() {
                        self.model.outputs.push(OutputBeat {
                            block,
                            plane,
                            lanes: self.b.min(n - j * self.b),
                            last: sent == total && i + 1 == planes.len(),
                        });
                    }
                }
            }
        }
        Ok(())
    }
}
