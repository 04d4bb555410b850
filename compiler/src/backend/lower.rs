//! NNIR to block operations.
//!
//! | tensor | becomes |
//! |--------|---------|
//! | run-time tensor of data dimension `d` | one vector per index of the other axes, each `ceil(n / B)` blocks |
//! | constant operand of arithmetic | constant blocks, broadcast |
//! | `delay` of a tensor | a line of state blocks, shifted by operations at the end of the job |
//!
//! **Contract.** A linear layer, the clamp after it, arithmetic with a second operand and the clamp after that become one vector word per
//! block if nobody else reads what lies between. Concat, slice and reshape that respect block boundaries cost nothing, others
//! become lane moves. Lanes beyond a tensor's end hold anything; nothing depends on them.
//! **Errors.** What the machine cannot express: an output or concat of constants only is materialised; other gaps are
//! [`CompileError::Unsupported`].

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_isa::acc::MAX_TERMS;
use sluice_isa::{Format, Op as VecOp};

use super::block::{
    BlockId, BlockModel, BlockOp, Clamp, Layer, LayerId, Operand, Origin, OutputBeat, Source, Term,
};
use super::tiles::TileStore;
use crate::error::{CompileError, Result};
use crate::nnir::{Graph, Node, NodeId, Op, PointwiseOp, Precision, Tensor, TensorType};

/// A run-time tensor: `vectors[v][j]` is the j-th block of vector v.
#[derive(Clone)]
struct Value {
    vectors: Vec<Vec<BlockId>>,
}

/// An operation whose destination does not exist yet, so that later layers can still join it.
#[derive(Clone)]
struct Template {
    layer: LayerId,
    source: Source,
    pre: Clamp,
    alu: Option<(VecOp, Operand)>,
    post: Clamp,
}

enum Lowered {
    Blocks(Value),
    Pending(Vec<Vec<Template>>),
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
}

/// Index tuples of a shape without its data dimension, in stream order, as full indices with 0 on the data dimension.
fn vectors(shape: &[usize], data_dim: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for (axis, &extent) in shape.iter().enumerate() {
        let range = if axis == data_dim { 1 } else { extent };
        all = all
            .into_iter()
            .flat_map(|p: Vec<usize>| (0..range).map(move |i| [p.clone(), vec![i]].concat()))
            .collect();
    }
    all
}

fn flat(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |at, (&i, &n)| at * n + i)
}

/// The operand's index under numpy broadcasting of `from` to the shape `index` belongs to.
fn broadcast(index: &[usize], from: &[usize]) -> Vec<usize> {
    let skip = index.len() - from.len();
    from.iter()
        .enumerate()
        .map(|(a, &n)| if n == 1 { 0 } else { index[skip + a] })
        .collect()
}

/// An operand's blocks per vector of the result, broadcast over axes other than the data dimension.
fn aligned(
    value: &Value,
    ty: &TensorType,
    indices: &[Vec<usize>],
    d: usize,
    shape: &[usize],
    layer: &str,
) -> Result<Vec<Vec<BlockId>>> {
    let skip = shape.len() - ty.shape.len();
    let own_d = d.checked_sub(skip).filter(|&o| ty.shape[o] == shape[d]);
    let Some(own_d) = own_d else {
        return Err(CompileError::Unsupported {
            layer: layer.to_owned(),
            op: "pointwise".into(),
            attribute: format!(
                "broadcasting {:?} to {shape:?} along the data dimension {d}",
                ty.shape
            ),
            nearest: "operands of equal extent on the data dimension, or a constant operand".into(),
        });
    };
    let mut vector_shape = ty.shape.clone();
    vector_shape[own_d] = 1;
    Ok(indices
        .iter()
        .map(|v| value.vectors[flat(&broadcast(v, &vector_shape), &vector_shape)].clone())
        .collect())
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
    };
    let order = graph.nodes_topological()?;
    l.declare_inputs()?;
    l.declare_lines(&order);
    for &id in &order {
        l.node(id)?;
    }
    l.outputs()?;
    l.shift_lines(&order)?;
    l.model.tiles = l.tiles.into_tiles();
    Ok(l.model)
}

fn not_yet(node: &Node) -> CompileError {
    CompileError::Unsupported {
        layer: node.name.clone(),
        op: node.op.name().to_owned(),
        attribute: "this operation".to_owned(),
        nearest: "linear layers, clamps and arithmetic".to_owned(),
    }
}

impl Lowering<'_> {
    fn layer(&mut self, name: &str, op: &'static str) -> LayerId {
        self.model.layers.push(Layer {
            name: name.to_owned(),
            op,
        });
        LayerId(self.model.layers.len() - 1)
    }

    fn data_dim(&self, id: NodeId) -> Result<usize> {
        let node = self.graph.node(id);
        node.ty.data_dim.ok_or_else(|| {
            CompileError::Internal(format!("layer '{}' has no data dimension", node.name))
        })
    }

    fn declare_inputs(&mut self) -> Result<()> {
        for &id in &self.graph.inputs {
            let (shape, d) = (self.graph.node(id).ty.shape.clone(), self.data_dim(id)?);
            let name = self.graph.node(id).name.clone();
            let layer = self.layer(&name, "input");
            let blocks = shape[d].div_ceil(self.b);
            let mut all = Vec::new();
            for _ in vectors(&shape, d) {
                let mut v = Vec::new();
                for _ in 0..blocks {
                    let beat = self.model.input_beats;
                    v.push(
                        self.model
                            .add_block(Origin::Input(beat), layer, Format::Bf16),
                    );
                    self.model.input_beats += 1;
                }
                all.push(v);
            }
            self.values
                .insert(id, Lowered::Blocks(Value { vectors: all }));
        }
        Ok(())
    }

    /// State blocks of every delayed tensor, long enough for its longest delay.
    fn declare_lines(&mut self, order: &[NodeId]) {
        let mut longest: BTreeMap<NodeId, usize> = BTreeMap::new();
        for &id in order {
            let node = self.graph.node(id);
            if let Op::Delay { steps } = node.op {
                let entry = longest.entry(node.inputs[0]).or_default();
                *entry = (*entry).max(steps);
            }
        }
        for (source, steps) in longest {
            let ty = &self.graph.node(source).ty;
            let d = ty.data_dim.unwrap_or(ty.shape.len().saturating_sub(1));
            let (count, blocks) = (vectors(&ty.shape, d).len(), ty.shape[d].div_ceil(self.b));
            let name = self.graph.node(source).name.clone();
            let layer = self.layer(&format!("{name} (state)"), "delay");
            let line = (0..steps)
                .map(|_| Value {
                    vectors: (0..count)
                        .map(|_| {
                            (0..blocks)
                                .map(|_| self.model.add_block(Origin::State, layer, Format::Bf16))
                                .collect()
                        })
                        .collect(),
                })
                .collect();
            self.lines.insert(source, line);
        }
    }

    fn node(&mut self, id: NodeId) -> Result<()> {
        let node = self.graph.node(id).clone();
        if node.ty.precision == Precision::Fp32 {
            return Err(CompileError::Unsupported {
                layer: node.name,
                op: node.op.name().into(),
                attribute: "fp32 activations".into(),
                nearest: "bf16 activations (arithmetic inside a layer is fp32 already)".into(),
            });
        }
        let result = match &node.op {
            Op::Input { .. } => return Ok(()),
            Op::Constant(t) => Lowered::Constant(Arc::clone(t)),
            Op::Linear { weights, bias } => self.linear(id, weights, bias.as_deref())?,
            Op::Clamp { min, max } => self.clamp(id, (*min, *max))?,
            Op::Pointwise(op) => self.pointwise(id, *op)?,
            Op::Delay { steps } => Lowered::Blocks(self.lines[&node.inputs[0]][steps - 1].clone()),
            Op::Concat { .. } | Op::Slice { .. } | Op::Reshape { .. } => {
                Lowered::Blocks(self.relayout(id)?)
            }
            Op::Unary(_)
            | Op::Reduce { .. }
            | Op::Transpose { .. }
            | Op::IndexSelect { .. }
            | Op::Expand { .. }
            | Op::State { .. }
            | Op::Scan { .. } => return Err(not_yet(&node)),
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
        self.values.insert(id, result);
        if !self.may_join(id) {
            self.materialise(id)?;
        }
        Ok(())
    }

    /// A single reader that is not a model output may still join this layer's operations.
    fn may_join(&self, id: NodeId) -> bool {
        if self.graph.outputs.contains(&id) || self.lines.contains_key(&id) {
            return false;
        }
        let [user] = self.graph.users(id)[..] else {
            return false;
        };
        let user = self.graph.node(user);
        user.inputs.iter().filter(|&&i| i == id).count() == 1
            && matches!(user.op, Op::Clamp { .. } | Op::Pointwise(_))
    }

    /// The node's blocks, emitting its operations if that has not happened.
    fn materialise(&mut self, id: NodeId) -> Result<Value> {
        if let Some(Lowered::Blocks(v)) = self.values.get(&id) {
            return Ok(v.clone());
        }
        let value = match self.values.remove(&id) {
            Some(Lowered::Pending(templates)) => {
                let vectors = templates
                    .into_iter()
                    .map(|v| {
                        v.into_iter()
                            .map(|t| self.emit(t, (0, self.b), None))
                            .collect()
                    })
                    .collect();
                Value { vectors }
            }
            Some(Lowered::Constant(t)) => {
                // Only a delay line, a concat or an output needs a constant as blocks.
                let ty = self.graph.node(id).ty.clone();
                let d = ty.data_dim.unwrap_or(ty.shape.len().saturating_sub(1));
                let shape = if ty.shape.is_empty() {
                    vec![1]
                } else {
                    ty.shape
                };
                let name = self.graph.node(id).name.clone();
                let layer = self.layer(&name, "constant");
                let mut all = Vec::new();
                for v in vectors(&shape, d) {
                    let mut blocks = Vec::new();
                    for j in 0..shape[d].div_ceil(self.b) {
                        let c = self.constant_block(&t, &v, d, j, &shape);
                        let template = Template {
                            layer,
                            source: Source::Const(c),
                            pre: None,
                            alu: None,
                            post: None,
                        };
                        blocks.push(self.emit(template, (0, self.b), None));
                    }
                    all.push(blocks);
                }
                self.values.insert(id, Lowered::Constant(t));
                return Ok(Value { vectors: all });
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

    fn emit(&mut self, t: Template, lanes: (usize, usize), dst: Option<BlockId>) -> BlockId {
        let dst = dst.unwrap_or_else(|| {
            self.model
                .add_block(Origin::Computed, t.layer, Format::Bf16)
        });
        self.model.ops.push(BlockOp {
            layer: t.layer,
            source: t.source,
            pre: t.pre,
            alu: t.alu,
            post: t.post,
            lanes,
            dst,
            tail: false,
        });
        dst
    }

    /// fp32 bits of block `j` of the vector at `index`, broadcast from `t` to `shape`.
    fn constant_block(
        &mut self,
        t: &Tensor,
        index: &[usize],
        d: usize,
        j: usize,
        shape: &[usize],
    ) -> super::block::ConstId {
        let mut index = index.to_vec();
        let values = (0..self.b)
            .map(|lane| {
                let at = j * self.b + lane;
                if at >= shape[d] {
                    return 0;
                }
                index[d] = at;
                let source = broadcast(&index, &t.shape);
                t.data[flat(&source, &t.shape)].to_bits()
            })
            .collect();
        self.model.add_constant(values)
    }

    fn linear(
        &mut self,
        id: NodeId,
        weights: &[Arc<Tensor>],
        bias: Option<&Tensor>,
    ) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, "linear");
        let operands: Vec<Value> = node
            .inputs
            .iter()
            .map(|&i| self.materialise(i))
            .collect::<Result<_>>()?;
        let out = *node.ty.shape.last().unwrap_or(&0);
        let count = operands.first().map_or(0, |v| v.vectors.len());
        let mut rows_tiles = Vec::new();
        for row in (0..out).step_by(self.b) {
            let mut tiles = Vec::new();
            for (i, w) in weights.iter().enumerate() {
                for (k, col) in (0..w.shape[1]).step_by(self.b).enumerate() {
                    for tile in self.tiles.cut(self.b, w, row, col) {
                        tiles.push((tile, i, k));
                    }
                }
            }
            if tiles.len() > MAX_TERMS {
                return Err(CompileError::Unsupported {
                    layer: node.name,
                    op: "linear".into(),
                    attribute: format!(
                        "a sum over {} weight blocks per row (limit {MAX_TERMS})",
                        tiles.len()
                    ),
                    nearest: format!(
                        "split the layer into several of at most {} inputs and add their results",
                        MAX_TERMS * self.b
                    ),
                });
            }
            let bias = bias.map(|t| {
                let values = (0..self.b)
                    .map(|lane| t.data.get(row + lane).map_or(0, |x| x.to_bits()))
                    .collect();
                self.model.add_constant(values)
            });
            rows_tiles.push((tiles, bias));
        }
        let mut all = Vec::with_capacity(count);
        for v in 0..count {
            let mut templates = Vec::new();
            for (tiles, bias) in &rows_tiles {
                let terms: Vec<Term> = tiles
                    .iter()
                    .map(|&(tile, i, k)| Term::Product(tile, operands[i].vectors[v][k]))
                    .collect();
                let source = if terms.is_empty() {
                    let zero = vec![0; self.b];
                    Source::Const(bias.unwrap_or_else(|| self.model.add_constant(zero)))
                } else {
                    Source::Sum { terms, bias: *bias }
                };
                templates.push(Template {
                    layer,
                    source,
                    pre: None,
                    alu: None,
                    post: None,
                });
            }
            all.push(templates);
        }
        Ok(Lowered::Pending(all))
    }

    /// The operand as templates: its own pending operations, or plain reads of its blocks.
    fn templates(&mut self, operand: NodeId, layer: LayerId) -> Result<Vec<Vec<Template>>> {
        if matches!(self.values.get(&operand), Some(Lowered::Pending(_)))
            && let Some(Lowered::Pending(t)) = self.values.remove(&operand)
        {
            return Ok(t);
        }
        let value = self.materialise(operand)?;
        let read = |&block: &BlockId| Template {
            layer,
            source: Source::Block(block, 0),
            pre: None,
            alu: None,
            post: None,
        };
        Ok(value
            .vectors
            .iter()
            .map(|v| v.iter().map(read).collect())
            .collect())
    }

    fn clamp(&mut self, id: NodeId, bounds: (f32, f32)) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, "clamp");
        let mut templates = self.templates(node.inputs[0], layer)?;
        for t in templates.iter_mut().flatten() {
            if t.alu.is_some() && t.post.is_none() {
                t.post = Some(bounds);
            } else if t.alu.is_none() && t.pre.is_none() {
                t.pre = Some(bounds);
            } else {
                // Both clamp places are taken: what is there goes to a block first.
                let block = self.emit(t.clone(), (0, self.b), None);
                *t = Template {
                    layer,
                    source: Source::Block(block, 0),
                    pre: Some(bounds),
                    alu: None,
                    post: None,
                };
            }
            t.layer = layer;
        }
        Ok(Lowered::Pending(templates))
    }

    fn pointwise(&mut self, id: NodeId, op: PointwiseOp) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, op.name());
        let (left, right) = (node.inputs[0], node.inputs[1]);
        let is_constant =
            |l: &Self, n: NodeId| matches!(l.values.get(&n), Some(Lowered::Constant(_)));
        let shape_of = |n: NodeId| self.graph.node(n).ty.shape.clone();
        let joins = |l: &Self, n: NodeId| {
            matches!(l.values.get(&n), Some(Lowered::Pending(_)))
                && shape_of(n) == node.ty.shape
                && left != right
        };
        // Operand A: the later of two that can still be joined, else the one that is not constant.
        let swap = match (joins(self, left), joins(self, right)) {
            (true, true) => right > left,
            (true, false) => false,
            (false, true) => true,
            (false, false) => {
                is_constant(self, left)
                    || (!is_constant(self, right) && shape_of(left) != node.ty.shape)
            }
        };
        let (a, other) = if swap { (right, left) } else { (left, right) };
        let vec_op = match (op, swap) {
            (PointwiseOp::Add, _) => VecOp::Add,
            (PointwiseOp::Sub, false) => VecOp::Sub,
            (PointwiseOp::Sub, true) => VecOp::Rsub,
            (PointwiseOp::Mul, _) => VecOp::Mul,
            (PointwiseOp::Max, _) => VecOp::Max,
            (PointwiseOp::Min, _) => VecOp::Min,
            _ => return Err(not_yet(&node)),
        };
        let shape = &node.ty.shape;
        let d = self.data_dim(id)?;
        let indices = vectors(shape, d);
        let blocks = shape[d].div_ceil(self.b);
        // Operand B first: it may have to be written to blocks.
        let operand_b: Vec<Vec<Operand>> =
            if let Some(Lowered::Constant(t)) = self.values.get(&other) {
                let t = Arc::clone(t);
                indices
                    .iter()
                    .map(|v| {
                        (0..blocks)
                            .map(|j| Operand::Const(self.constant_block(&t, v, d, j, shape)))
                            .collect()
                    })
                    .collect()
            } else {
                let value = self.materialise(other)?;
                aligned(
                    &value,
                    &self.graph.node(other).ty.clone(),
                    &indices,
                    d,
                    shape,
                    &node.name,
                )?
                .into_iter()
                .map(|v| v.into_iter().map(Operand::Block).collect())
                .collect()
            };
        let mut a_templates = if is_constant(self, a) {
            let value = self.materialise(a)?;
            value
                .vectors
                .iter()
                .map(|v| {
                    v.iter()
                        .map(|&block| Template {
                            layer,
                            source: Source::Block(block, 0),
                            pre: None,
                            alu: None,
                            post: None,
                        })
                        .collect()
                })
                .collect()
        } else {
            self.templates(a, layer)?
        };
        if shape_of(a) != *shape {
            // Broadcast over other axes: read the same blocks again.
            let value = Value {
                vectors: a_templates
                    .into_iter()
                    .map(|v: Vec<Template>| v.into_iter().map(|t| self.block_of(t)).collect())
                    .collect(),
            };
            let read = |block: BlockId| Template {
                layer,
                source: Source::Block(block, 0),
                pre: None,
                alu: None,
                post: None,
            };
            a_templates = aligned(
                &value,
                &self.graph.node(a).ty.clone(),
                &indices,
                d,
                shape,
                &node.name,
            )?
            .into_iter()
            .map(|v| v.into_iter().map(read).collect())
            .collect();
        }
        for (t, &b) in a_templates
            .iter_mut()
            .flatten()
            .zip(operand_b.iter().flatten())
        {
            if t.alu.is_some() {
                let block = self.emit(t.clone(), (0, self.b), None);
                *t = Template {
                    layer,
                    source: Source::Block(block, 0),
                    pre: None,
                    alu: None,
                    post: None,
                };
            }
            t.alu = Some((vec_op, b));
            t.layer = layer;
        }
        Ok(Lowered::Pending(a_templates))
    }

    /// The block a template stands for, writing it if it is more than a plain read.
    fn block_of(&mut self, t: Template) -> BlockId {
        match t {
            Template {
                source: Source::Block(block, 0),
                pre: None,
                alu: None,
                post: None,
                ..
            } => block,
            t => self.emit(t, (0, self.b), None),
        }
    }

    /// Concat, slice, reshape: every lane of the result is a lane of an operand.
    fn relayout(&mut self, id: NodeId) -> Result<Value> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, node.op.name());
        let operands: Vec<Value> = node
            .inputs
            .iter()
            .map(|&i| self.materialise(i))
            .collect::<Result<_>>()?;
        let types: Vec<TensorType> = node
            .inputs
            .iter()
            .map(|&i| self.graph.node(i).ty.clone())
            .collect();
        let (shape, d) = (node.ty.shape.clone(), self.data_dim(id)?);
        let locate = |index: &[usize]| -> (usize, Vec<usize>) {
            match &node.op {
                Op::Concat { axis } => {
                    let mut index = index.to_vec();
                    let mut which = 0;
                    while index[*axis] >= types[which].shape[*axis] {
                        index[*axis] -= types[which].shape[*axis];
                        which += 1;
                    }
                    (which, index)
                }
                Op::Slice { axis, start, .. } => {
                    let mut index = index.to_vec();
                    index[*axis] += start;
                    (0, index)
                }
                _ => {
                    let mut at = flat(index, &shape);
                    let mut source = vec![0; types[0].shape.len()];
                    for (i, &n) in source.iter_mut().zip(&types[0].shape).rev() {
                        *i = at % n;
                        at /= n;
                    }
                    (0, source)
                }
            }
        };
        let mut all = Vec::new();
        for mut index in vectors(&shape, d) {
            let mut blocks = Vec::new();
            for j in 0..shape[d].div_ceil(self.b) {
                let lanes: Vec<Option<(BlockId, usize)>> = (0..self.b)
                    .map(|lane| {
                        let at = j * self.b + lane;
                        if at >= shape[d] {
                            return None;
                        }
                        index[d] = at;
                        let (which, source) = locate(&index);
                        let ty = &types[which];
                        let own_d = ty.data_dim.unwrap_or(ty.shape.len() - 1);
                        let mut vector_shape = ty.shape.clone();
                        vector_shape[own_d] = 1;
                        let mut vector_index = source.clone();
                        vector_index[own_d] = 0;
                        let block = operands[which].vectors[flat(&vector_index, &vector_shape)]
                            [source[own_d] / self.b];
                        Some((block, source[own_d] % self.b))
                    })
                    .collect();
                blocks.push(self.gather(layer, &lanes));
            }
            all.push(blocks);
        }
        Ok(Value { vectors: all })
    }

    /// A block whose lanes come from given lanes of other blocks: an alias if nothing moves, else lane moves.
    fn gather(&mut self, layer: LayerId, lanes: &[Option<(BlockId, usize)>]) -> BlockId {
        let first = lanes.iter().flatten().next().map(|l| l.0);
        if let Some(block) = first
            && lanes
                .iter()
                .enumerate()
                .all(|(i, l)| l.is_none_or(|l| l == (block, i)))
        {
            return block;
        }
        let dst = self.model.add_block(Origin::Computed, layer, Format::Bf16);
        let mut at = 0;
        while at < lanes.len() {
            let Some((block, lane)) = lanes[at] else {
                at += 1;
                continue;
            };
            let mut end = at + 1;
            while end < lanes.len() && lanes[end] == Some((block, lane + end - at)) {
                end += 1;
            }
            let rot = (lane + self.b - at) % self.b;
            self.emit(
                Template {
                    layer,
                    source: Source::Block(block, rot),
                    pre: None,
                    alu: None,
                    post: None,
                },
                (at, end),
                Some(dst),
            );
            at = end;
        }
        dst
    }

    fn outputs(&mut self) -> Result<()> {
        for &id in &self.graph.outputs {
            let value = self.materialise(id)?;
            let ty = &self.graph.node(id).ty;
            let d = ty.data_dim.unwrap_or(ty.shape.len().saturating_sub(1));
            let n = ty.shape.get(d).copied().unwrap_or(1);
            let total = value.vectors.iter().map(Vec::len).sum::<usize>();
            let mut sent = 0;
            for blocks in &value.vectors {
                for (j, &block) in blocks.iter().enumerate() {
                    sent += 1;
                    self.model.outputs.push(OutputBeat {
                        block,
                        lanes: self.b.min(n - j * self.b),
                        last: sent == total,
                    });
                }
            }
        }
        Ok(())
    }

    /// End of job: every delay line moves one step on.
    fn shift_lines(&mut self, order: &[NodeId]) -> Result<()> {
        for &source in order {
            let Some(line) = self.lines.get(&source).cloned() else {
                continue;
            };
            let newest = self.materialise(source)?;
            for step in (0..line.len()).rev() {
                let from = if step == 0 { &newest } else { &line[step - 1] };
                for (src, dst) in from
                    .vectors
                    .iter()
                    .flatten()
                    .zip(line[step].vectors.iter().flatten())
                {
                    let layer = self.model.blocks[dst.0].layer;
                    self.model.ops.push(BlockOp {
                        layer,
                        source: Source::Block(*src, 0),
                        pre: None,
                        alu: None,
                        post: None,
                        lanes: (0, self.b),
                        dst: *dst,
                        tail: true,
                    });
                }
            }
        }
        Ok(())
    }
}
