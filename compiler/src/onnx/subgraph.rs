//! The graph inside a layer, read into a graph of its own: the body of a scan.
//!
//! | of the file's graph      | in the body                                                    |
//! |--------------------------|----------------------------------------------------------------|
//! | inputs of states         | states, if something reads them; otherwise nothing             |
//! | inputs of steps          | inputs, if something reads them                                |
//! | constants around it      | constants                                                      |
//! | run-time values around it | more inputs, the same value in every step                     |
//! | outputs                  | outputs, those that are wanted                                 |
//!
//! **Contract.** Layers are named after the layer they are in, `scan.gate`. An operand that is not known leaves its readers unknown,
//! so that their attributes are still looked at.
//! **Errors.** Those of reading any graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::importer::{Context, Importer, Mapped, Stop};
use super::proto::{GraphProto, ValueInfoProto};
use super::signature::{Signature, foreign_type};
use super::structure::{self, Layer, Scope};
use super::tensors::{Constant, Value};
use crate::nnir::{Graph, GraphBuilder, NodeId};

/// What the body's inputs are.
pub(super) struct Operands {
    /// Initial states, `None` where unknown.
    pub(super) states: Vec<Option<Constant>>,
    /// Shapes of a step.
    pub(super) steps: Vec<Option<Vec<usize>>>,
}

/// An output of the file's graph.
pub(super) enum Found {
    /// Which output of the body, and its shape.
    Output(usize, Vec<usize>),
    /// The same in every step.
    Constant(Constant),
}

/// What was read.
pub(super) struct Body {
    pub(super) graph: Arc<Graph>,
    /// One per output of the file's graph, `None` for those not wanted.
    pub(super) outputs: Vec<Option<Found>>,
    /// Which step inputs are inputs of the body.
    pub(super) read: Vec<bool>,
    /// What the inputs after those are.
    pub(super) captured: Vec<Value>,
}

/// Layers that wanted outputs depend on, states and what becomes of them included; and what those read.
struct Live<'m> {
    layers: Vec<Layer<'m>>,
    read: BTreeSet<&'m str>,
    needed: Vec<bool>,
}

impl<'m> Context<'_, '_, 'm> {
    /// An attribute that is a graph.
    pub(super) fn subgraph(&self, name: &str) -> Mapped<&'m GraphProto> {
        let mut all = self.layer.proto.attribute.iter();
        let attribute = all.find(|attribute| attribute.name() == name);
        attribute
            .and_then(|attribute| attribute.g.as_ref())
            .ok_or_else(|| self.invalid(format!("attribute {name} must be a graph")))
    }

    fn live(
        &self,
        proto: &'m GraphProto,
        states: usize,
        wanted: &[bool],
        prefix: &str,
    ) -> Mapped<Live<'m>> {
        let scope = Scope {
            prefix,
            given: self.layer.captures.iter().copied().collect(),
        };
        let mut needed = wanted.to_vec();
        loop {
            let roots: Vec<&'m str> = (proto.output.iter().zip(&needed))
                .filter(|(_, needed)| **needed)
                .map(|(output, _)| output.name())
                .collect();
            let layers = structure::layers(
                self.importer.graph,
                proto,
                &proto.initializer,
                &scope,
                &roots,
            )?;
            let mut read: BTreeSet<&'m str> = roots.into_iter().collect();
            for layer in &layers {
                let proto: &'m _ = layer.proto;
                read.extend(proto.input.iter().map(String::as_str));
                read.extend(&layer.captures);
            }
            let mut more = false;
            for (state, needed) in proto.input.iter().take(states).zip(&mut needed) {
                more |= !*needed && read.contains(state.name());
                *needed |= read.contains(state.name());
            }
            if !more {
                return Ok(Live {
                    layers,
                    read,
                    needed,
                });
            }
        }
    }

    /// Reads a graph whose first inputs and outputs are states.
    pub(super) fn body(
        &mut self,
        proto: &'m GraphProto,
        operands: &Operands,
        wanted: &[bool],
    ) -> Mapped<Body> {
        structure::check_names(self.importer.graph, proto)?;
        let count = operands.states.len();
        let prefix = format!("{}.", self.layer.name);
        let live = self.live(proto, count, wanted, &prefix)?;
        let initial = operands.states.iter().map(|state| {
            let state = state.as_ref()?;
            Some(state.tensor.shape.clone())
        });
        let shapes: Vec<_> = initial.chain(operands.steps.iter().cloned()).collect();
        let signature =
            Signature::inside(proto, &shapes).map_err(|problem| self.invalid(problem))?;

        let mut child = Importer {
            graph: self.importer.graph,
            opset: self.importer.opset,
            builder: GraphBuilder::new(format!("{}.body", self.layer.name)),
            values: BTreeMap::new(),
            constants: BTreeMap::new(),
            unsupported: vec![],
            folder: self.importer.folder,
        };
        child.initialize(proto.initializer.clone())?;
        let mut known = true;
        let mut read = vec![];
        let mut states: Vec<Option<NodeId>> = vec![None; count];
        for (position, (input, shape)) in proto.input.iter().zip(shapes).enumerate() {
            let is_read = live.read.contains(input.name());
            if position >= count {
                read.push(is_read);
            }
            if !is_read {
                continue;
            }
            let value = match (shape, foreign_type(input)) {
                (_, Some(word)) => {
                    let attribute = format!("'{}' of its body of type {word}", input.name());
                    self.unsupported(&attribute, "FLOAT");
                    Value::Unknown
                }
                (None, None) => Value::Unknown,
                (Some(shape), None) if shape.is_empty() => {
                    let attribute = format!("'{}' of its body without axes", input.name());
                    self.unsupported(&attribute, "a value of shape [1]");
                    Value::Unknown
                }
                (Some(shape), None) => match operands.states.get(position) {
                    Some(Some(initial)) => {
                        let initial = Arc::clone(&initial.tensor);
                        let id = child.builder.state(input.name(), initial)?;
                        states[position] = Some(id);
                        Value::Runtime(id)
                    }
                    _ => Value::Runtime(child.builder.input(input.name(), &shape)),
                },
            };
            known &= !matches!(value, Value::Unknown);
            child.values.insert(input.name().to_owned(), value);
        }
        let mut captured = vec![];
        for &name in &self.layer.captures {
            if !live.read.contains(name) {
                continue;
            }
            self.importer.settle(name)?;
            let value = self.importer.values.get(name).cloned();
            let inside = match value.unwrap_or(Value::Unknown) {
                Value::Runtime(id) => {
                    let shape = &self.importer.builder.graph().node(id).ty.shape;
                    captured.push(Value::Runtime(id));
                    Value::Runtime(child.builder.input(name, shape))
                }
                value => value,
            };
            known &= !matches!(inside, Value::Unknown);
            child.values.insert(name.to_owned(), inside);
        }

        let error = child.layers(&live.layers, &signature);
        let mut outputs = vec![];
        let mut positions = 0;
        for (position, output) in proto.output.iter().enumerate() {
            if !live.needed[position] {
                outputs.push(None);
                continue;
            }
            let found = self.body_output(&mut child, output, &mut known)?;
            let state = states.get(position).copied().flatten();
            match (state, &found) {
                (Some(state), Some(Value::Runtime(id))) => child.builder.update(state, *id)?,
                (Some(_), Some(_)) => {
                    let attribute = format!("'{}' of its body known now", output.name());
                    self.unsupported(&attribute, "a state that follows from inputs or states");
                    known = false;
                }
                _ => {}
            }
            let wanted = wanted[position];
            outputs.push(match found {
                Some(Value::Runtime(id)) if wanted => {
                    child.builder.output(id);
                    positions += 1;
                    let shape = child.builder.graph().node(id).ty.shape.clone();
                    Some(Found::Output(positions - 1, shape))
                }
                Some(Value::Constant(constant)) if wanted => Some(Found::Constant(constant)),
                _ => None,
            });
        }
        for form in child.unsupported {
            known = false;
            for layer in form.layers {
                self.importer
                    .report(&form.op, &form.attribute, &form.nearest, &layer);
            }
        }
        if let Some(error) = error {
            return Err(error.into());
        }
        if !known {
            return Err(Stop::Reported);
        }
        if positions == 0 || child.builder.graph().inputs.is_empty() {
            let attribute = "a body that reads none of its sequences";
            return Err(self.unsupported(attribute, "a body that reads one"));
        }
        Ok(Body {
            graph: Arc::new(child.builder.finish()?),
            outputs,
            read,
            captured,
        })
    }

    fn body_output(
        &mut self,
        child: &mut Importer<'_>,
        output: &ValueInfoProto,
        known: &mut bool,
    ) -> Mapped<Option<Value>> {
        child.settle(output.name())?;
        let value = child.values.get(output.name()).cloned();
        let value = value.unwrap_or(Value::Unknown);
        if matches!(value, Value::Unknown) {
            *known = false;
            return Ok(None);
        }
        let float = matches!(value, Value::Runtime(_) | Value::Constant(_));
        if !float || foreign_type(output).is_some() {
            let attribute = format!("'{}' of its body not float32", output.name());
            self.unsupported(&attribute, "FLOAT");
            *known = false;
            return Ok(None);
        }
        Ok(Some(value))
    }
}
