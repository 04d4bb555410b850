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
use crate::nnir::op::{Op, PointwiseOp};
use crate::nnir::tensor::Tensor;
use crate::nnir::types::{NodeId, Precision, TensorType};

/// Largest node number that text may use.
const MAX_NODE: usize = (1 << 16) - 1;

impl FromStr for Graph {
    type Err = CompileError;

    fn from_str(text: &str) -> Result<Self> {
        let mut nodes: BTreeMap<NodeId, Node> = BTreeMap::new();
        let mut references: Vec<(usize, NodeId)> = vec![];
        let mut outputs = vec![];
        let mut name = None;
        let mut closed = false;
        let mut last_line = 1;
        for (i, line) in text.lines().enumerate() {
            let mut c = Cursor {
                rest: line,
                line: i + 1,
            };
            c.skip_space();
            if c.rest.is_empty() || c.rest.starts_with("//") {
                continue;
            }
            last_line = c.line;
            if closed {
                return c.fail("nothing after the closing '}'");
            }
            if name.is_none() {
                c.expect("graph")?;
                name = Some(c.string()?);
                c.expect("{")?;
            } else if c.eat("}") {
                closed = true;
            } else if c.eat("output") {
                let id = c.node_id()?;
                references.push((c.line, id));
                outputs.push(id);
            } else {
                let (id, node) = c.node()?;
                references.extend(node.inputs.iter().map(|&input| (c.line, input)));
                if nodes.insert(id, node).is_some() {
                    return c.fail(&format!("a node number that is not taken, {id} is"));
                }
            }
            c.end()?;
        }
        let (Some(name), true) = (name, closed) else {
            return Err(CompileError::Parse {
                line: last_line,
                problem: "expected 'graph \"name\" {' .. '}'".to_owned(),
            });
        };
        if let Some((line, id)) = references
            .into_iter()
            .find(|(_, id)| !nodes.contains_key(id))
        {
            return Err(CompileError::Parse {
                line,
                problem: format!("{id} is used but not defined"),
            });
        }
        let graph = assemble(name, nodes, outputs);
        graph.verify()?;
        Ok(graph)
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

    fn node(&mut self) -> Result<(NodeId, Node)> {
        let id = self.node_id()?;
        self.expect("=")?;
        let before = self.rest;
        let word = self.take(|c| c.is_ascii_alphanumeric());
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
            word => {
                let Some(op) = PointwiseOp::ALL.into_iter().find(|op| op.name() == word) else {
                    self.rest = before;
                    return self.fail("an operation");
                };
                Op::Pointwise(op)
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
