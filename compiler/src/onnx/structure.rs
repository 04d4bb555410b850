//! What holds for a graph before any operator is looked at: operator set, names, order.
//!
//! **Contract.** [`layers`] returns the layers some output depends on, operands first, otherwise in the order of the file.
//! The file may list them in any order. What a graph inside a layer reads from around it is an operand of the layer.
//! **Errors.** `Opset`, `Duplicate`, `Dangling`, `Cycle` naming the layers on it.

use std::collections::{BTreeMap, BTreeSet};

use super::proto::{GraphProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto};
use crate::error::{CompileError, Result};

/// Operator sets whose schemas the mapping follows.
pub(super) const OPSETS: std::ops::RangeInclusive<i64> = 11..=28;

/// One node of the file.
pub(super) struct Layer<'m> {
    /// Its name, or that of its first output.
    pub(super) name: String,
    /// `Gemm`, or `domain:Name` outside of the standard domain.
    pub(super) op: String,
    /// The rest.
    pub(super) proto: &'m NodeProto,
    /// What graphs inside it read from around it.
    pub(super) captures: BTreeSet<&'m str>,
}

/// What surrounds a graph.
#[derive(Default)]
pub(super) struct Scope<'s> {
    /// Comes before the names of its layers.
    pub(super) prefix: &'s str,
    /// Values it may read besides its own.
    pub(super) given: BTreeSet<&'s str>,
}

impl<'m> Layer<'m> {
    fn new(position: usize, proto: &'m NodeProto, prefix: &str) -> Self {
        let name = match (proto.name(), proto.output.iter().find(|o| !o.is_empty())) {
            ("", Some(output)) => output.clone(),
            ("", None) => format!("node {position}"),
            (name, _) => name.to_owned(),
        };
        let name = format!("{prefix}{name}");
        let op = if is_standard(proto.domain()) {
            proto.op_type().to_owned()
        } else {
            format!("{}:{}", proto.domain(), proto.op_type())
        };
        Self {
            name,
            op,
            proto,
            captures: captures(proto),
        }
    }
}

fn captures(node: &NodeProto) -> BTreeSet<&str> {
    let graphs = node
        .attribute
        .iter()
        .flat_map(|a| a.g.iter().chain(&a.graphs));
    graphs.flat_map(free).collect()
}

/// What a graph reads and does not define.
fn free(graph: &GraphProto) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = graph.output.iter().map(ValueInfoProto::name).collect();
    for node in &graph.node {
        names.extend(node.input.iter().map(String::as_str));
        names.append(&mut captures(node));
    }
    for node in &graph.node {
        for output in &node.output {
            names.remove(output.as_str());
        }
    }
    let inputs = graph.input.iter().map(ValueInfoProto::name);
    for name in inputs.chain(graph.initializer.iter().map(TensorProto::name)) {
        names.remove(name);
    }
    names.remove("");
    names
}

fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// The version of the standard operator set, which must be a supported one.
pub(super) fn check_opset(graph: &str, imports: &[OperatorSetIdProto]) -> Result<i64> {
    let standard = imports.iter().find(|set| is_standard(set.domain()));
    let version = standard.map_or(0, OperatorSetIdProto::version);
    if OPSETS.contains(&version) {
        return Ok(version);
    }
    Err(CompileError::Opset {
        graph: graph.to_owned(),
        domain: "ai.onnx".to_owned(),
        version,
        oldest: *OPSETS.start(),
        newest: *OPSETS.end(),
    })
}

/// Values are assigned once and layers have names of their own.
pub(super) fn check_names(graph: &str, proto: &GraphProto) -> Result<()> {
    let once = |kind, names: &mut BTreeSet<String>, name: &str| {
        if name.is_empty() || names.insert(name.to_owned()) {
            return Ok(());
        }
        Err(CompileError::Duplicate {
            graph: graph.to_owned(),
            kind,
            name: name.to_owned(),
        })
    };
    let mut values = BTreeSet::new();
    for input in &proto.input {
        once("input", &mut values, input.name())?;
    }
    let mut initializers = BTreeSet::new();
    for tensor in &proto.initializer {
        once("initializer", &mut initializers, tensor.name())?;
    }
    // An initializer may give an input its default value; nothing else may share a name.
    values.append(&mut initializers);
    let mut layers = BTreeSet::new();
    for node in &proto.node {
        once("layer", &mut layers, node.name())?;
        for output in &node.output {
            once("value", &mut values, output)?;
        }
    }
    Ok(())
}

/// The layers that `roots` depend on, in an order of computation.
pub(super) fn layers<'m>(
    graph: &str,
    proto: &'m GraphProto,
    initializers: &[TensorProto],
    scope: &Scope<'_>,
    roots: &[&str],
) -> Result<Vec<Layer<'m>>> {
    let nodes: Vec<Layer<'m>> = proto
        .node
        .iter()
        .enumerate()
        .map(|(position, node)| Layer::new(position, node, scope.prefix))
        .collect();
    let given: BTreeSet<&str> = proto
        .input
        .iter()
        .map(ValueInfoProto::name)
        .chain(initializers.iter().map(TensorProto::name))
        .chain(scope.given.iter().copied())
        .collect();
    let mut producer: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, layer) in nodes.iter().enumerate() {
        let outputs = layer.proto.output.iter().filter(|name| !name.is_empty());
        producer.extend(outputs.map(|name| (name.as_str(), at)));
    }
    let dangling = |layer: &str, operand, name: &str| CompileError::Dangling {
        layer: layer.to_owned(),
        operand,
        problem: format!("no layer, input or initializer defines '{name}'"),
    };
    let mut operands: Vec<BTreeSet<usize>> = vec![];
    for layer in &nodes {
        let mut from = BTreeSet::new();
        let inputs = layer.proto.input.iter().map(String::as_str);
        for (operand, name) in inputs.chain(layer.captures.iter().copied()).enumerate() {
            match producer.get(name) {
                Some(&at) => {
                    from.insert(at);
                }
                None if name.is_empty() || given.contains(name) => {}
                None => return Err(dangling(&layer.name, operand, name)),
            }
        }
        operands.push(from);
    }
    let mut live = BTreeSet::new();
    let mut work = vec![];
    for (position, &root) in roots.iter().enumerate() {
        match producer.get(root) {
            Some(&at) => work.push(at),
            None if given.contains(root) => {}
            None => return Err(dangling("output", position, root)),
        }
    }
    while let Some(at) = work.pop() {
        if live.insert(at) {
            work.extend(&operands[at]);
        }
    }
    let order = order(graph, &nodes, &operands)?;
    let mut slots: Vec<Option<Layer<'m>>> = nodes.into_iter().map(Some).collect();
    Ok(order
        .into_iter()
        .filter(|at| live.contains(at))
        .filter_map(|at| slots[at].take())
        .collect())
}

/// Operands first; among what is ready, the order of the file.
fn order(graph: &str, nodes: &[Layer<'_>], operands: &[BTreeSet<usize>]) -> Result<Vec<usize>> {
    let mut waiting: Vec<usize> = operands.iter().map(BTreeSet::len).collect();
    let mut users: Vec<Vec<usize>> = vec![vec![]; nodes.len()];
    for (at, from) in operands.iter().enumerate() {
        for &operand in from {
            users[operand].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&at| waiting[at] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &user in &users[at] {
            waiting[user] -= 1;
            if waiting[user] == 0 {
                ready.insert(user);
            }
        }
    }
    if order.len() == nodes.len() {
        return Ok(order);
    }
    // Every layer that waits has an operand that waits, so walking back among them comes round.
    let stuck = |at: &usize| waiting[*at] > 0;
    let mut path: Vec<usize> = (0..nodes.len()).find(stuck).into_iter().collect();
    while let Some(next) = path
        .last()
        .and_then(|&at| operands[at].iter().copied().find(stuck))
    {
        if let Some(start) = path.iter().position(|&at| at == next) {
            path.drain(..start);
            break;
        }
        path.push(next);
    }
    path.reverse();
    let smallest = (0..path.len()).min_by_key(|&i| path[i]).unwrap_or(0);
    path.rotate_left(smallest);
    Err(CompileError::Cycle {
        graph: graph.to_owned(),
        layers: path.iter().map(|&at| nodes[at].name.clone()).collect(),
    })
}
