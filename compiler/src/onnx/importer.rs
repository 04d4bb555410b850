//! One layer after the other into a graph, without stopping at the first one that is not supported.
//!
//! **Contract.** A layer whose operands are all known now is computed now; its result is a constant of that name. A layer that
//! fails gives unknown values, and layers that read those are only looked at for attributes. So one run finds everything.
//! **Errors.** `UnsupportedOps` before any other; then the first error in order of computation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::operators;
use super::proto::{AttributeProto, GraphProto, TensorProto};
use super::signature::{Signature, foreign_type};
use super::structure::Layer;
use super::tensors::{self, Constant, Integers, Padded, Value};
use crate::error::{CompileError, Result, UnsupportedOp};
use crate::nnir::eval;
use crate::nnir::{Graph, GraphBuilder, NodeId, Op, Tensor};

/// Largest result computed while reading, in values; larger ones come from broadcasting by mistake.
const MAX_FOLDED: usize = 1 << 26;

const FIRST_OUTPUT: &str = "its first output only";

fn spare(position: usize) -> String {
    format!("output {position} read")
}

/// Why a layer gave no value.
pub(super) enum Stop {
    /// Its reason is in the list already, or it reads something unknown.
    Reported,
    /// Anything else.
    Error(CompileError),
}

impl From<CompileError> for Stop {
    fn from(error: CompileError) -> Self {
        Self::Error(error)
    }
}

/// What the function of an operator returns.
pub(super) type Mapped<T = Value> = std::result::Result<T, Stop>;

/// Reads the layers and builds the graph.
pub(super) fn import(
    name: &str,
    opset: i64,
    proto: &GraphProto,
    initializers: Vec<TensorProto>,
    layers: &[Layer<'_>],
    signature: &Signature<'_>,
    folder: Option<&Path>,
) -> Result<Graph> {
    let mut importer = Importer {
        graph: name,
        opset,
        builder: GraphBuilder::new(name),
        values: BTreeMap::new(),
        constants: BTreeMap::new(),
        unsupported: vec![],
        folder,
    };
    importer.initialize(initializers)?;
    for input in &signature.inputs {
        let value = match &input.foreign_type {
            None => Value::Runtime(importer.builder.input(&*input.name, &input.shape)),
            Some(word) => {
                let attribute = format!("element type {word}");
                importer.report("Input", &attribute, "FLOAT", &input.name);
                Value::Unknown
            }
        };
        importer.values.insert(input.name.clone(), value);
    }
    let first_error = importer.layers(layers, signature);
    let mut outputs = vec![];
    for output in &proto.output {
        importer.settle(output.name())?;
        match importer.values.get(output.name()) {
            Some(Value::Runtime(_)) if foreign_type(output).is_some() => importer.report(
                "Output",
                "an element type that is not float32",
                "FLOAT",
                output.name(),
            ),
            Some(Value::Runtime(id)) => outputs.push(*id),
            Some(Value::Constant(constant)) => {
                let constant = constant.clone();
                outputs.push(importer.node_of(&constant)?);
            }
            Some(Value::Integers(_) | Value::Foreign(_)) => {
                importer.report(
                    "Output",
                    "an element type that is not float32",
                    "FLOAT",
                    output.name(),
                );
            }
            Some(Value::Spare {
                op,
                layer,
                position,
            }) => {
                let (op, layer, attribute) = (op.clone(), layer.clone(), spare(*position));
                importer.report(&op, &attribute, FIRST_OUTPUT, &layer);
            }
            // A layer that did not finish.
            Some(Value::Padded(_) | Value::Unknown) | None => {}
        }
    }
    if !importer.unsupported.is_empty() {
        return Err(CompileError::UnsupportedOps {
            graph: name.to_owned(),
            ops: importer.unsupported,
        });
    }
    if let Some(error) = first_error {
        return Err(error);
    }
    if outputs.len() != proto.output.len() {
        return Err(CompileError::Internal(format!(
            "graph '{name}': {} of {} outputs were read and nothing was reported",
            outputs.len(),
            proto.output.len()
        )));
    }
    for id in outputs {
        importer.builder.output(id);
    }
    importer.builder.finish()
}

/// The state of one import.
pub(super) struct Importer<'i> {
    pub(super) graph: &'i str,
    pub(super) opset: i64,
    pub(super) builder: GraphBuilder,
    pub(super) values: BTreeMap<String, Value>,
    pub(super) constants: BTreeMap<Arc<str>, (Arc<Tensor>, NodeId)>,
    pub(super) unsupported: Vec<UnsupportedOp>,
    pub(super) folder: Option<&'i Path>,
}

impl Importer<'_> {
    /// Reads the tensors the graph holds.
    pub(super) fn initialize(&mut self, initializers: Vec<TensorProto>) -> Result<()> {
        for tensor in initializers {
            let name = tensor.name().to_owned();
            let value = tensors::read(self.graph, &name, tensor, self.folder)?;
            self.values.insert(name, value);
        }
        Ok(())
    }

    /// Reads every layer; the first error that is not about an unsupported form comes back.
    pub(super) fn layers(
        &mut self,
        layers: &[Layer<'_>],
        signature: &Signature<'_>,
    ) -> Option<CompileError> {
        let mut first_error = None;
        for layer in layers {
            if let Err(Stop::Error(error)) = self.layer(layer, signature) {
                match error {
                    CompileError::Unsupported {
                        attribute, nearest, ..
                    } => self.report(&layer.op, &attribute, &nearest, &layer.name),
                    error => {
                        first_error.get_or_insert(error);
                    }
                }
            }
        }
        first_error
    }

    fn layer(&mut self, layer: &Layer<'_>, signature: &Signature<'_>) -> Mapped<()> {
        let mut context = Context {
            importer: self,
            layer,
            more: BTreeMap::new(),
        };
        let value = context.map()?;
        let mut more = context.more;
        let shape = self.shape(&value);
        for (position, output) in layer.proto.output.iter().enumerate().skip(1) {
            let value = more.remove(&position).unwrap_or_else(|| Value::Spare {
                op: layer.op.clone(),
                layer: layer.name.clone(),
                position,
            });
            self.values.insert(output.clone(), value);
        }
        if let Some(output) = layer.proto.output.first() {
            self.values.insert(output.clone(), value);
            if let Some(problem) = shape.and_then(|shape| signature.contradiction(output, &shape)) {
                return Err(CompileError::OnnxInvalid {
                    graph: self.graph.to_owned(),
                    layer: layer.name.clone(),
                    op: layer.op.clone(),
                    problem,
                }
                .into());
            }
        }
        Ok(())
    }

    pub(super) fn report(&mut self, op: &str, attribute: &str, nearest: &str, layer: &str) {
        let known = self
            .unsupported
            .iter_mut()
            .find(|u| u.op == op && u.attribute == attribute && u.nearest == nearest);
        if let Some(known) = known {
            if known.layers.last().is_none_or(|last| last != layer) {
                known.layers.push(layer.to_owned());
            }
            return;
        }
        self.unsupported.push(UnsupportedOp {
            op: op.to_owned(),
            attribute: attribute.to_owned(),
            nearest: nearest.to_owned(),
            layers: vec![layer.to_owned()],
        });
    }

    /// `None` for what has no shape here.
    fn shape(&self, value: &Value) -> Option<Vec<usize>> {
        match value {
            Value::Runtime(id) => Some(self.builder.graph().node(*id).ty.shape.clone()),
            Value::Constant(constant) => Some(constant.tensor.shape.clone()),
            Value::Integers(integers) => Some(integers.shape.clone()),
            Value::Padded(padded) => {
                let mut shape = self.builder.graph().node(padded.source).ty.shape.clone();
                *shape.last_mut()? += padded.left + padded.right;
                Some(shape)
            }
            Value::Foreign(_) | Value::Spare { .. } | Value::Unknown => None,
        }
    }

    /// Computes a padding that something reads.
    pub(super) fn settle(&mut self, name: &str) -> Result<()> {
        let Some(Value::Padded(padded)) = self.values.get(name) else {
            return Ok(());
        };
        let padded = padded.clone();
        let mut shape = self.builder.graph().node(padded.source).ty.shape.clone();
        let axis = shape.len() - 1;
        let mut parts = vec![];
        for (extent, side) in [(padded.left, "before"), (padded.right, "after")] {
            if side == "after" {
                parts.push(padded.source);
            }
            if extent > 0 {
                shape[axis] = extent;
                let zeros = Tensor::zeros(shape.clone());
                let name = format!("{}.{side}", padded.name);
                parts.push(self.builder.constant(name, zeros)?);
            }
        }
        let id = self.builder.concat(padded.name, &parts, axis)?;
        self.values.insert(name.to_owned(), Value::Runtime(id));
        Ok(())
    }

    /// The node of a constant, one per tensor.
    fn node_of(&mut self, constant: &Constant) -> Result<NodeId> {
        match self.constants.get(&constant.name) {
            Some((tensor, id)) if Arc::ptr_eq(tensor, &constant.tensor) => Ok(*id),
            _ => {
                let tensor = Arc::clone(&constant.tensor);
                let id = self
                    .builder
                    .constant(&*constant.name, Arc::clone(&tensor))?;
                self.constants
                    .insert(Arc::clone(&constant.name), (tensor, id));
                Ok(id)
            }
        }
    }
}

/// One layer, as the function of its operator sees it.
pub(super) struct Context<'c, 'i, 'm> {
    pub(super) importer: &'c mut Importer<'i>,
    pub(super) layer: &'c Layer<'m>,
    /// Outputs besides the first.
    more: BTreeMap<usize, Value>,
}

impl Context<'_, '_, '_> {
    fn map(&mut self) -> Mapped {
        let Some(operator) = operators::find(&self.layer.op) else {
            return Err(self.unsupported("", ""));
        };
        let mut strange = false;
        for attribute in &self.layer.proto.attribute {
            if !operator.attributes.contains(&attribute.name()) {
                self.unsupported(attribute.name(), "without it");
                strange = true;
            }
        }
        let outputs = &self.layer.proto.output;
        for (position, output) in outputs.iter().enumerate().skip(1) {
            if !output.is_empty() && !operator.spare_outputs {
                self.unsupported(&format!("output {position}"), "one output");
                strange = true;
            }
        }
        if !operator.operands.contains(&self.layer.proto.input.len()) {
            let problem = format!(
                "{} operands, {} to {} are defined",
                self.layer.proto.input.len(),
                operator.operands.start(),
                operator.operands.end()
            );
            return Err(self.invalid(problem));
        }
        let value = (operator.map)(self)?;
        if strange {
            Err(Stop::Reported)
        } else {
            Ok(value)
        }
    }

    /// Records a form that is not supported; go on looking for more or return what this returns.
    pub(super) fn unsupported(&mut self, attribute: &str, nearest: &str) -> Stop {
        self.importer
            .report(&self.layer.op, attribute, nearest, &self.layer.name);
        Stop::Reported
    }

    /// The error for a layer that ONNX does not allow.
    pub(super) fn invalid(&self, problem: impl Into<String>) -> Stop {
        Stop::Error(CompileError::OnnxInvalid {
            graph: self.importer.graph.to_owned(),
            layer: self.layer.name.clone(),
            op: self.layer.op.clone(),
            problem: problem.into(),
        })
    }

    /// Number of operands, absent ones between others included.
    pub(super) fn operand_count(&self) -> usize {
        self.layer.proto.input.len()
    }

    fn operand_name(&self, position: usize) -> Option<String> {
        let name = self.layer.proto.input.get(position)?;
        (!name.is_empty()).then(|| name.clone())
    }

    /// The version of the operator set.
    pub(super) fn opset(&self) -> i64 {
        self.importer.opset
    }

    /// Whether some layer may read this output.
    pub(super) fn has_output(&self, position: usize) -> bool {
        let output = self.layer.proto.output.get(position);
        output.is_some_and(|name| !name.is_empty())
    }

    /// Outputs the layer has, named or not.
    pub(super) fn output_count(&self) -> usize {
        self.layer.proto.output.len()
    }

    /// Gives an output besides the first, of an operator whose row has spare outputs.
    pub(super) fn output(&mut self, position: usize, value: Value) {
        self.more.insert(position, value);
    }

    /// The padding that an operand is, if it is one.
    pub(super) fn padding(&self, position: usize) -> Option<Padded> {
        match self.importer.values.get(&self.operand_name(position)?) {
            Some(Value::Padded(padded)) => Some(padded.clone()),
            _ => None,
        }
    }

    /// The operand, if it is there.
    pub(super) fn optional(&mut self, position: usize) -> Mapped<Option<Value>> {
        let Some(name) = self.operand_name(position) else {
            return Ok(None);
        };
        self.importer.settle(&name)?;
        match self.importer.values.get(&name) {
            Some(Value::Unknown) | None => Err(Stop::Reported),
            Some(Value::Spare {
                op,
                layer,
                position,
            }) => {
                let (op, layer, attribute) = (op.clone(), layer.clone(), spare(*position));
                self.importer.report(&op, &attribute, FIRST_OUTPUT, &layer);
                Err(Stop::Reported)
            }
            Some(Value::Foreign(word)) => {
                let attribute = format!("an operand of type {word}");
                Err(self.unsupported(&attribute, "float32 values, int64 indices"))
            }
            // Without this, extents beside a zero could be anything.
            Some(Value::Constant(constant)) if constant.tensor.data.is_empty() => {
                Err(CompileError::ZeroSized {
                    layer: self.layer.name.clone(),
                    tensor: format!("operand '{name}'"),
                    shape: constant.tensor.shape.clone(),
                }
                .into())
            }
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// The operand, whatever it is.
    pub(super) fn any(&mut self, position: usize) -> Mapped {
        match self.optional(position)? {
            Some(value) => Ok(value),
            None => Err(self.invalid(format!("operand {position} is missing"))),
        }
    }

    /// The float32 operand.
    pub(super) fn float(&mut self, position: usize) -> Mapped {
        match self.any(position)? {
            Value::Integers(_) => Err(self.unsupported("an operand of integers", "float32 values")),
            value => Ok(value),
        }
    }

    /// Float32 values known now, if the operand is there.
    pub(super) fn constant(&mut self, position: usize) -> Mapped<Option<Constant>> {
        match self.optional(position)? {
            None => Ok(None),
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(Value::Runtime(_) | Value::Padded(_)) => {
                let attribute = format!("operand {position} computed at run time");
                Err(self.unsupported(&attribute, "a constant"))
            }
            Some(_) => Err(self.invalid(format!("operand {position} must be float32"))),
        }
    }

    /// Integers known now, if the operand is there.
    pub(super) fn integers(&mut self, position: usize) -> Mapped<Option<Arc<Integers>>> {
        match self.optional(position)? {
            None => Ok(None),
            Some(Value::Integers(integers)) => Ok(Some(integers)),
            Some(_) => {
                let attribute = format!("operand {position} computed at run time");
                Err(self.unsupported(&attribute, "a constant of int64"))
            }
        }
    }

    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        let mut all = self.layer.proto.attribute.iter();
        all.find(|attribute| attribute.name() == name)
    }

    /// An integer attribute.
    pub(super) fn int(&self, name: &str, default: i64) -> Mapped<i64> {
        match self.attribute(name) {
            None => Ok(default),
            Some(attribute) => attribute
                .i
                .ok_or_else(|| self.invalid(format!("attribute {name} must be an integer"))),
        }
    }

    /// A float attribute.
    pub(super) fn real(&self, name: &str, default: f32) -> Mapped<f32> {
        match self.attribute(name) {
            None => Ok(default),
            Some(attribute) => attribute
                .f
                .ok_or_else(|| self.invalid(format!("attribute {name} must be a float"))),
        }
    }

    /// A list of integers; `None` when the attribute is not there.
    pub(super) fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    /// A list of floats.
    pub(super) fn reals(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name)
            .map(|attribute| attribute.floats.clone())
    }

    /// Text; `None` when the attribute is not there.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let attribute = self.attribute(name)?;
        Some(String::from_utf8_lossy(attribute.s()).into_owned())
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let texts = self.attribute(name)?.strings.iter();
        Some(
            texts
                .map(|t| String::from_utf8_lossy(t).into_owned())
                .collect(),
        )
    }

    /// Whether the attribute is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// A tensor attribute.
    pub(super) fn tensor(&self, name: &str) -> Mapped<Value> {
        let Some(tensor) = self.attribute(name).and_then(|a| a.t.clone()) else {
            return Err(self.invalid(format!("attribute {name} must be a tensor")));
        };
        let importer = &self.importer;
        Ok(tensors::read(
            importer.graph,
            self.own_name(),
            tensor,
            importer.folder,
        )?)
    }

    /// The layer's name.
    pub(super) fn own_name(&self) -> &str {
        &self.layer.name
    }

    /// Extents of a float32 value.
    pub(super) fn shape(&self, value: &Value) -> Mapped<Vec<usize>> {
        self.importer.shape(value).ok_or(Stop::Reported)
    }

    /// A constant that belongs to this layer.
    pub(super) fn own_constant(&self, part: &str, tensor: Tensor) -> Value {
        Value::Constant(Constant {
            name: format!("{}.{part}", self.layer.name).into(),
            tensor: Arc::new(tensor),
        })
    }

    /// The layer itself.
    pub(super) fn emit(&mut self, op: Op, operands: &[Value]) -> Mapped {
        let name = self.layer.name.clone();
        self.emit_as(name, op, operands)
    }

    /// A part of the layer that comes before it.
    pub(super) fn emit_part(&mut self, part: &str, op: Op, operands: &[Value]) -> Mapped {
        let name = format!("{}.{part}", self.layer.name);
        self.emit_as(name, op, operands)
    }

    fn emit_as(&mut self, name: String, op: Op, operands: &[Value]) -> Mapped {
        self.compose_as(name, operands, |g, name, operands| {
            g.layer(name, op, operands)
        })
    }

    /// A layer that is several operations; `build` gets its name and its operands.
    pub(super) fn compose(
        &mut self,
        operands: &[Value],
        build: impl FnOnce(&mut GraphBuilder, &str, &[NodeId]) -> Result<NodeId>,
    ) -> Mapped {
        let name = self.layer.name.clone();
        self.compose_as(name, operands, build)
    }

    fn compose_as(
        &mut self,
        name: String,
        operands: &[Value],
        build: impl FnOnce(&mut GraphBuilder, &str, &[NodeId]) -> Result<NodeId>,
    ) -> Mapped {
        if let Some(constants) = constants(operands) {
            return fold(name, &constants, build);
        }
        let nodes = self.nodes(operands)?;
        Ok(Value::Runtime(build(
            &mut self.importer.builder,
            &name,
            &nodes,
        )?))
    }

    /// The nodes of operands, constants included.
    fn nodes(&mut self, operands: &[Value]) -> Mapped<Vec<NodeId>> {
        let mut nodes = vec![];
        for operand in operands {
            nodes.push(match operand {
                Value::Runtime(id) => *id,
                Value::Constant(constant) => self.importer.node_of(constant)?,
                Value::Integers(_)
                | Value::Foreign(_)
                | Value::Spare { .. }
                | Value::Padded(_)
                | Value::Unknown => {
                    return Err(self.unsupported("an operand of integers", "float32 values"));
                }
            });
        }
        Ok(nodes)
    }

    /// The builder and the node of a run-time operand, for layers with several results.
    pub(super) fn builder(&mut self, operand: &Value) -> Mapped<(&mut GraphBuilder, NodeId)> {
        let node = self.nodes(std::slice::from_ref(operand))?[0];
        Ok((&mut self.importer.builder, node))
    }
}

fn constants(operands: &[Value]) -> Option<Vec<&Arc<Tensor>>> {
    operands
        .iter()
        .map(|operand| match operand {
            Value::Constant(constant) => Some(&constant.tensor),
            _ => None,
        })
        .collect()
}

/// Computes a layer that reads constants only.
fn fold(
    name: String,
    operands: &[&Arc<Tensor>],
    build: impl FnOnce(&mut GraphBuilder, &str, &[NodeId]) -> Result<NodeId>,
) -> Mapped {
    // A graph of its own checks shapes and gives that of the result.
    let mut scratch = GraphBuilder::new("");
    let mut nodes = vec![];
    for (position, operand) in operands.iter().enumerate() {
        nodes.push(scratch.constant(format!("operand {position}"), Arc::clone(operand))?);
    }
    let result = build(&mut scratch, &name, &nodes)?;
    let graph = scratch.graph();
    let mut values: BTreeMap<NodeId, Arc<Tensor>> = BTreeMap::new();
    for id in graph.nodes_topological()? {
        let node = graph.node(id);
        if node.ty.count() > MAX_FOLDED {
            return Err(CompileError::Unsupported {
                layer: name,
                op: node.op.name().to_owned(),
                attribute: format!("a constant result of shape {:?}", node.ty.shape),
                nearest: format!("constants of up to {MAX_FOLDED} values"),
            }
            .into());
        }
        let value = if let Op::Constant(value) = &node.op {
            Arc::clone(value)
        } else {
            let tensors: Vec<&Tensor> = node.inputs.iter().map(|i| &*values[i]).collect();
            Arc::new(eval::apply(&node.op, &tensors, &node.ty.shape))
        };
        values.insert(id, value);
    }
    let tensor = Arc::clone(&values[&result]);
    Ok(Value::Constant(Constant {
        name: name.into(),
        tensor,
    }))
}
