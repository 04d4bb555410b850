//! Text to graph; the grammar is in the parent module.
//!
//! **Contract.** Total on any text: a verified graph or a typed error, memory bounded by the length of the text and
//! [`MAX_NODE`].
//! **Errors.** As in the parent module.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use petgraph::stable_graph::NodeIndex;

use crate::error::{CompileError, Result};
use crate::nnir::graph::{Graph, Node};
use crate::nnir::op::{Op, PointwiseOp, ReduceOp, UnaryOp};
use crate::nnir::tensor::Tensor;
use crate::nnir::types::{NodeId, Precision, TensorType};

/// Deepest nesting of scans.
const MAX_DEPTH: usize = 16;

/// Largest node number that text may use.
const MAX_NODE: usize = (1 << 16) - 1;

impl FromStr for Graph {
    type Err = CompileError;

    fn from_str(text: &str) -> Result<Self> {
        let mut lines = Lines {
            lines: text.lines().enumerate(),
            last: 1,
        };
        let graph = match lines.next() {
            Some(first) => lines.graph(first, 0)?,
            None => return lines.unfinished(),
        };
        if let Some(c) = lines.next() {
            return c.fail("nothing after the closing '}'");
        }
        graph.verify()?;
        Ok(graph)
    }
}

/// The lines that say something.
struct Lines<'t> {
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
    last: usize,
}

impl<'t> Lines<'t> {
    fn next(&mut self) -> Option<Cursor<'t>> {
        for (i, line) in self.lines.by_ref() {
            let mut c = Cursor {
                rest: line,
                line: i + 1,
            };
            c.skip_space();
            if !c.rest.is_empty() && !c.rest.starts_with("//") {
                self.last = c.line;
                return Some(c);
            }
        }
        None
    }

    fn unfinished<T>(&self) -> Result<T> {
        Err(CompileError::Parse {
            line: self.last,
            problem: "expected 'graph \"name\" {' .. '}'".to_owned(),
        })
    }

    /// A graph from its first line on, the bodies of its scans included.
    fn graph(&mut self, mut first: Cursor<'t>, depth: usize) -> Result<Graph> {
        if depth > MAX_DEPTH {
            return first.fail(&format!("scans nested at most {MAX_DEPTH} deep"));
        }
        first.expect("graph")?;
        let name = first.string()?;
        first.expect("{")?;
        first.end()?;
        let mut nodes: BTreeMap<NodeId, Node> = BTreeMap::new();
        let mut references: Vec<(usize, NodeId)> = vec![];
        let mut outputs = vec![];
        let mut updates = BTreeMap::new();
        loop {
            let Some(mut c) = self.next() else {
                return self.unfinished();
            };
            if c.eat("}") {
                c.end()?;
                break;
            }
            if c.eat("output") {
                let id = c.node_id()?;
                references.push((c.line, id));
                outputs.push(id);
                c.end()?;
            } else if c.eat("update") {
                let (state, value) = (c.node_id()?, c.node_id()?);
                references.extend([(c.line, state), (c.line, value)]);
                if updates.insert(state, value).is_some() {
                    return c.fail(&format!("one update of {state}"));
                }
                c.end()?;
            } else {
                let (id, mut node) = c.node()?;
                references.extend(node.inputs.iter().map(|&input| (c.line, input)));
                c.end()?;
                if let Op::Scan { body, .. } = &mut node.op {
                    match self.next() {
                        Some(first) => *body = Arc::new(self.graph(first, depth + 1)?),
                        None => return self.unfinished(),
                    }
                }
                if nodes.insert(id, node).is_some() {
                    return c.fail(&format!("a node number that is not taken, {id} is"));
                }
            }
        }
        let missing = |(_, id): &(usize, NodeId)| !nodes.contains_key(id);
        if let Some((line, id)) = references.into_iter().find(missing) {
            return Err(CompileError::Parse {
                line,
                problem: format!("{id} is used but not defined"),
            });
        }
        Ok(Graph {
            updates,
            ..assemble(name, nodes, outputs)
        })
    }
}

/// Puts nodes at their printed numbers, whatever holes removed nodes have left.
fn assemble(name: String, nodes: BTreeMap<NodeId, Node>, outputs: Vec<NodeId>) -> Graph {
    let mut graph = Graph {
        outputs,
        ..Graph::new(name)
    };
    let mut signature: BTreeMap<(usize, NodeId), NodeId> = BTreeMap::new();
    let mut edges = vec![];
    let mut holes = vec![];
    let filler = Node {
        name: String::new(),
        op: Op::Input { index: 0 },
        inputs: vec![],
        ty: TensorType {
            shape: vec![],
            data_dim: None,
            precision: Precision::Bf16,
        },
    };
    for (id, mut node) in nodes {
        while graph.len() < id.index() {
            holes.push(graph.add_unchecked(filler.clone()));
        }
        if let Op::Input { index } = node.op {
            signature.insert((index, id), id);
        }
        edges.push((id, std::mem::take(&mut node.inputs)));
        graph.add_unchecked(node);
    }
    for hole in holes {
        graph.remove(hole);
    }
    for (id, inputs) in edges {
        graph.set_inputs(id, inputs);
    }
    graph.inputs = signature.into_values().collect();
    graph
}

struct Cursor<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Cursor<'t> {
    fn fail<T>(&self, expected: &str) -> Result<T> {
        let found: String = self.rest.chars().take(24).collect();
        let found = if found.is_empty() {
            "the end of the line".to_owned()
        } else {
            format!("'{found}'")
        };
        Err(CompileError::Parse {
            line: self.line,
            problem: format!("expected {expected}, found {found}"),
        })
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        if self.eat(token) {
            Ok(())
        } else {
            self.fail(&format!("'{token}'"))
        }
    }

    fn end(&mut self) -> Result<()> {
        self.skip_space();
        if self.rest.is_empty() {
            Ok(())
        } else {
            self.fail("the end of the line")
        }
    }

    fn take(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        self.skip_space();
        let end = self.rest.find(|c| !accept(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn number(&mut self) -> Result<usize> {
        let before = self.rest;
        if let Ok(n) = self.take(|c| c.is_ascii_digit()).parse() {
            return Ok(n);
        }
        self.rest = before;
        self.fail("a whole number")
    }

    fn float(&mut self) -> Result<f32> {
        let before = self.rest;
        let token = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if let Ok(v) = token.parse() {
            return Ok(v);
        }
        self.rest = before;
        self.fail("a number")
    }

    fn node_id(&mut self) -> Result<NodeId> {
        self.expect("%")?;
        let index = self.number()?;
        if index > MAX_NODE {
            return self.fail(&format!(
                "a node number up to {MAX_NODE}, {index} came before"
            ));
        }
        Ok(NodeId(NodeIndex::new(index)))
    }

    fn string(&mut self) -> Result<String> {
        self.expect("\"")?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => {
                    let escaped = match chars.next().map(|(_, c)| c) {
                        Some('n') => Some('\n'),
                        Some('r') => Some('\r'),
                        Some('t') => Some('\t'),
                        Some('0') => Some('\0'),
                        Some(c @ ('"' | '\\' | '\'')) => Some(c),
                        Some('u') => {
                            let digits: String = chars
                                .by_ref()
                                .map(|(_, c)| c)
                                .take_while(|&c| c != '}')
                                .collect();
                            let digits = digits
                                .strip_prefix('{')
                                .and_then(|d| u32::from_str_radix(d, 16).ok());
                            digits.and_then(char::from_u32)
                        }
                        _ => None,
                    };
                    match escaped {
                        Some(c) => text.push(c),
                        None => return self.fail("a string with known escapes"),
                    }
                }
                c => text.push(c),
            }
        }
        self.fail("a closing '\"'")
    }

    fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = vec![];
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(close) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn shape(&mut self) -> Result<Vec<usize>> {
        self.expect("[")?;
        self.list("]", Self::number)
    }

    fn attribute<T>(&mut self, key: &str, value: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect(key)?;
        self.expect("=")?;
        value(self)
    }

    fn bias(&mut self) -> Result<Option<Arc<Tensor>>> {
        if self.eat("bias") {
            self.expect("=")?;
            return Ok(Some(self.tensor()?));
        }
        Ok(None)
    }

    fn tensor(&mut self) -> Result<Arc<Tensor>> {
        let shape = self.shape()?;
        let data = if self.eat("{") {
            self.list("}", Self::float)?
        } else if self.eat("0x") {
            let digits = self.take(|c| c.is_ascii_hexdigit());
            if !digits.len().is_multiple_of(8) {
                return self.fail(&format!(
                    "8 hexadecimal digits per value, {} came before",
                    digits.len()
                ));
            }
            // Only ASCII digits were taken, so every 8 bytes are 8 digits and parse.
            let word = |at: usize| {
                u32::from_str_radix(&digits[at..at + 8], 16).map_or(f32::NAN, f32::from_bits)
            };
            (0..digits.len()).step_by(8).map(word).collect()
        } else if self.eat("#") {
            return Err(CompileError::SummaryText {
                line: self.line,
                shape: format!("{shape:?}"),
            });
        } else {
            return self.fail("'{' values '}' or '0x' and their bits");
        };
        match Tensor::new(shape, data) {
            Ok(tensor) => Ok(Arc::new(tensor)),
            Err(error) => Err(CompileError::Parse {
                line: self.line,
                problem: error.to_string(),
            }),
        }
    }

    fn truth(&mut self) -> Result<bool> {
        if self.eat("true") {
            Ok(true)
        } else if self.eat("false") {
            Ok(false)
        } else {
            self.fail("'true' or 'false'")
        }
    }

    /// The operations that are families, by their word.
    fn elementwise(&mut self, word: &str) -> Result<Option<Op>> {
        if let Some(op) = PointwiseOp::ALL.into_iter().find(|op| op.name() == word) {
            return Ok(Some(Op::Pointwise(op)));
        }
        if let Some(op) = UnaryOp::ALL.into_iter().find(|op| op.name() == word) {
            return Ok(Some(Op::Unary(op)));
        }
        match ReduceOp::ALL.into_iter().find(|op| op.name() == word) {
            Some(op) => Ok(Some(Op::Reduce {
                op,
                axes: self.attribute("axes", Self::shape)?,
                keep: self.attribute("keep", Self::truth)?,
            })),
            None => Ok(None),
        }
    }

    fn node(&mut self) -> Result<(NodeId, Node)> {
        let id = self.node_id()?;
        self.expect("=")?;
        let before = self.rest;
        let word = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let name = self.string()?;
        self.expect("(")?;
        let inputs = self.list(")", Self::node_id)?;
        let op = match word {
            "input" => Op::Input {
                index: self.attribute("index", Self::number)?,
            },
            "constant" => Op::Constant(self.attribute("value", Self::tensor)?),
            "linear" => Op::Linear {
                weights: self.attribute("weights", |c| {
                    c.expect("[")?;
                    c.list("]", Self::tensor)
                })?,
                bias: self.bias()?,
                fp8: self.eat("fp8"),
            },
            "clamp" => Op::Clamp {
                min: self.attribute("min", Self::float)?,
                max: self.attribute("max", Self::float)?,
            },
            "conv1d" => Op::Conv1d {
                weight: self.attribute("weight", Self::tensor)?,
                bias: self.bias()?,
                dilation: self.attribute("dilation", Self::number)?,
                groups: self.attribute("groups", Self::number)?,
                fp8: self.eat("fp8"),
            },
            "concat" => Op::Concat {
                axis: self.attribute("axis", Self::number)?,
            },
            "slice" => Op::Slice {
                axis: self.attribute("axis", Self::number)?,
                start: self.attribute("start", Self::number)?,
                end: self.attribute("end", Self::number)?,
            },
            "reshape" => Op::Reshape {
                shape: self.attribute("shape", Self::shape)?,
            },
            "delay" => Op::Delay {
                steps: self.attribute("steps", Self::number)?,
            },
            "transpose" => Op::Transpose {
                perm: self.attribute("perm", Self::shape)?,
            },
            "index_select" => Op::IndexSelect {
                axis: self.attribute("axis", Self::number)?,
                indices: self.attribute("indices", Self::shape)?,
            },
            "expand" => Op::Expand {
                shape: self.attribute("shape", Self::shape)?,
            },
            "state" => Op::State {
                init: self.attribute("init", Self::tensor)?,
            },
            // The body is on the lines that follow.
            "scan" => Op::Scan {
                body: Arc::default(),
                axis: self.attribute("axis", Self::number)?,
                reverse: self.attribute("reverse", Self::truth)?,
                output: self.attribute("output", Self::number)?,
            },
            word => {
                let Some(op) = self.elementwise(word)? else {
                    self.rest = before;
                    return self.fail("an operation");
                };
                op
            }
        };
        self.expect(":")?;
        let precision = if self.eat("bf16") {
            Precision::Bf16
        } else if self.eat("fp32") {
            Precision::Fp32
        } else {
            return self.fail("'bf16' or 'fp32'");
        };
        let shape = self.shape()?;
        self.skip_space();
        let data_dim = if self.rest.is_empty() {
            None
        } else {
            Some(self.attribute("data_dim", Self::number)?)
        };
        Ok((
            id,
            Node {
                name,
                op,
                inputs,
                ty: TensorType {
                    shape,
                    data_dim,
                    precision,
                },
            },
        ))
    }
}
