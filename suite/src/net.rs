//! Networks as data: layers with seeded weights, written in TOML, built into graphs.
//!
//! | `op` | operands | result |
//! |------|----------|--------|
//! | `linear` | n | `sum W_i x_i (+ b)` along the data axis |
//! | `conv` | 1 | causal convolution of a streamed network: `taps`, `dilation`, `depthwise` |
//! | `clamp` | 1 | `min`, `max`; a missing bound is open (`relu` is `min = 0`) |
//! | `arith` | 1 or 2 | `f` = add, sub, mul, max, min, div, lt, le, gt, ge, eq, ne, keep, drop; one operand: the other is a seeded constant, first if `constant-first` |
//! | `unary` | 1 | `f` = tanh, sigmoid, exp, ... |
//! | `reduce` | 1 | `f` = sum, mean, max, min over `axes` |
//! | `transpose`, `index-select`, `expand` | 1 | as numpy |
//! | `state` | 0 | the value of layer `next` one inference ago; not in streamed networks |
//! | `concat`, `slice`, `reshape` | | along the data axis |
//! | `delay` | 1 | `steps` inferences ago; not in streamed networks |
//!
//! An input or layer with `fp32 = true` keeps its values in fp32 (an input also on its stream, and so an output), others in bf16.
//!
//! **Contract.** Weights depend on the seed, the layer's name and its shape only. A streamed network is written with the shapes of one step;
//! its graph is built over a sequence and goes through `streaming_transform`. [`Net::noisy`] is the same network with relative noise after
//! every layer: how far its results move says what error a reduced format may make.
//! **Errors.** [`SuiteError::Net`] for operands that do not exist or do not fit, and the compiler's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_compiler::nnir::{
    Graph, GraphBuilder, NodeId, PointwiseOp, Precision, ReduceOp, Tensor, UnaryOp,
};

use crate::error::SuiteError;
use crate::rng::Rng;

/// A network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Net {
    /// Name of the model.
    pub name: String,
    /// Seed of its weights.
    pub seed: u64,
    /// One inference is one step of a sequence.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stream: bool,
    /// Weights of linear and convolution layers are FP8.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fp8: bool,
    /// How weights are drawn.
    #[serde(default, skip_serializing_if = "Init::is_he")]
    pub init: Init,
    /// Names of the values returned.
    pub outputs: Vec<String>,
    /// Inputs.
    #[serde(rename = "input")]
    pub inputs: Vec<Input>,
    /// Layers in order of computation.
    #[serde(rename = "layer", default)]
    pub layers: Vec<Layer>,
}

/// Distribution of weights and biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// Normal, `sqrt(2 / fan_in)`; biases normal, 0.25. Keeps activations near 1 through any depth.
    #[default]
    He,
    /// Uniform in `+-1 / sqrt(fan_in)`, biases too: what PyTorch's `Linear` and `Conv1d` start with.
    Torch,
}

impl Init {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_he(&self) -> bool {
        *self == Self::He
    }
}

/// An input tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name.
    pub name: String,
    /// Extents; the last is the data axis.
    pub shape: Vec<usize>,
    /// Kept in fp32.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fp32: bool,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Name.
    pub name: String,
    /// Operands.
    pub of: Vec<String>,
    /// Its values are kept in fp32.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fp32: bool,
    /// What it does.
    #[serde(flatten)]
    pub op: LayerOp,
}

/// What a layer does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "op",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
#[expect(missing_docs, reason = "the table at the top of the file says it")]
pub enum LayerOp {
    Linear {
        out: usize,
        #[serde(default)]
        bias: bool,
    },
    Conv {
        out: usize,
        taps: usize,
        #[serde(default = "one")]
        dilation: usize,
        #[serde(default)]
        depthwise: bool,
        #[serde(default)]
        bias: bool,
    },
    Clamp {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f32>,
    },
    Arith {
        f: Arith,
        #[serde(default)]
        constant_first: bool,
        #[serde(default)]
        scalar: bool,
        /// The constant, in place of a random one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<f32>,
    },
    Concat,
    Slice {
        start: usize,
        end: usize,
    },
    Reshape {
        shape: Vec<usize>,
    },
    Delay {
        steps: usize,
    },
    Unary {
        f: Function,
    },
    Reduce {
        f: Reduction,
        axes: Vec<usize>,
        #[serde(default)]
        keep: bool,
    },
    Transpose {
        perm: Vec<usize>,
    },
    IndexSelect {
        axis: usize,
        indices: Vec<usize>,
    },
    Expand {
        shape: Vec<usize>,
    },
    /// Not streamed nets only: the value `next` had in the inference before.
    State {
        shape: Vec<usize>,
        next: String,
        /// Starts from random values instead of zero.
        #[serde(default, skip_serializing_if = "is_false")]
        random: bool,
    },
}

/// Element-wise arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "named as in NNIR")]
pub enum Arith {
    Add,
    Sub,
    Mul,
    Max,
    Min,
    Div,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    Keep,
    Drop,
}

impl Arith {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Max,
        Self::Min,
        Self::Div,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::Eq,
        Self::Ne,
        Self::Keep,
        Self::Drop,
    ];

    /// A small change of an operand is a small change of the result.
    pub const fn is_smooth(self) -> bool {
        matches!(
            self,
            Self::Add | Self::Sub | Self::Mul | Self::Max | Self::Min
        )
    }

    const fn op(self) -> PointwiseOp {
        match self {
            Self::Add => PointwiseOp::Add,
            Self::Sub => PointwiseOp::Sub,
            Self::Mul => PointwiseOp::Mul,
            Self::Max => PointwiseOp::Max,
            Self::Min => PointwiseOp::Min,
            Self::Div => PointwiseOp::Div,
            Self::Lt => PointwiseOp::Lt,
            Self::Le => PointwiseOp::Le,
            Self::Gt => PointwiseOp::Gt,
            Self::Ge => PointwiseOp::Ge,
            Self::Eq => PointwiseOp::Eq,
            Self::Ne => PointwiseOp::Ne,
            Self::Keep => PointwiseOp::Keep,
            Self::Drop => PointwiseOp::Drop,
        }
    }
}

macro_rules! named {
    ($(#[$meta:meta])* $name:ident -> $op:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[expect(missing_docs, reason = "named as in NNIR")]
        pub enum $name { $($variant),+ }
        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            const fn op(self) -> $op {
                match self { $(Self::$variant => $op::$variant),+ }
            }
        }
    };
}

named! {
    /// Functions of one value.
    Function -> UnaryOp {
        Recip, Rsqrt, Sqrt, Exp, Exp2, Log, Log2, Tanh, Sigmoid, Silu, Gelu, GeluTanh, Softplus,
    }
}
named! {
    /// Ways to reduce axes.
    Reduction -> ReduceOp { Sum, Mean, Max, Min }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
const fn is_false(b: &bool) -> bool {
    !*b
}

const fn one() -> usize {
    1
}

/// Relative size of the noise: half a unit in the last place of bf16, and then some.
const NOISE: f32 = 1.0 / 256.0;

impl Net {
    /// The graph.
    pub fn graph(&self) -> Result<Graph, SuiteError> {
        self.build(None)
    }

    /// The graph with noise after every layer.
    pub fn noisy(&self, seed: u64) -> Result<Graph, SuiteError> {
        self.build(Some(seed))
    }

    fn build(&self, noise: Option<u64>) -> Result<Graph, SuiteError> {
        let mut b = Builder {
            net: self,
            g: GraphBuilder::new(self.name.clone()),
            values: BTreeMap::new(),
            noise,
            states: vec![],
        };
        b.g.fp8_weights(self.fp8);
        for i in &self.inputs {
            b.precision(i.fp32);
            let id = b.g.input(i.name.clone(), &b.with_time(&i.shape));
            // Whoever reads fp32 in bf16 rounds it.
            let id = if i.fp32 { b.noisy(&i.name, id)? } else { id };
            b.define(&i.name, id)?;
        }
        for layer in &self.layers {
            b.precision(layer.fp32);
            let id = b.layer(layer)?;
            let id = b.disturb(layer, id)?;
            b.define(&layer.name, id)?;
        }
        for (state, layer, next) in std::mem::take(&mut b.states) {
            let next = b.value(layer, next)?;
            b.g.update(state, next)?;
        }
        for name in &self.outputs {
            let id = b.value("outputs", name)?;
            b.g.output(id);
        }
        let graph = b.g.finish()?;
        if !self.stream {
            return Ok(graph);
        }
        let axes: Vec<usize> = self.inputs.iter().map(|i| i.shape.len()).collect();
        Ok(graph.streaming_transform(&axes)?.0)
    }

    /// Drops layers nothing depends on, and inputs nothing reads.
    pub fn prune(&mut self) {
        let mut live: BTreeSet<String> = self.outputs.iter().cloned().collect();
        // A state keeps alive what comes after it, so once more as long as something is found.
        loop {
            let before = live.len();
            for layer in self.layers.iter().rev() {
                if live.contains(&layer.name) {
                    live.extend(layer.of.iter().cloned());
                    if let LayerOp::State { next, .. } = &layer.op {
                        live.insert(next.clone());
                    }
                }
            }
            if live.len() == before {
                break;
            }
        }
        self.layers.retain(|layer| live.contains(&layer.name));
        self.inputs.retain(|i| live.contains(&i.name));
    }
}

struct Builder<'n> {
    net: &'n Net,
    g: GraphBuilder,
    values: BTreeMap<&'n str, NodeId>,
    noise: Option<u64>,
    /// State, its layer, the value it takes.
    states: Vec<(NodeId, &'n str, &'n str)>,
}

impl<'n> Builder<'n> {
    fn precision(&mut self, fp32: bool) {
        self.g.precision(if fp32 {
            Precision::Fp32
        } else {
            Precision::Bf16
        });
    }

    fn fail<T>(&self, layer: &str, problem: impl Into<String>) -> Result<T, SuiteError> {
        Err(SuiteError::Net {
            net: self.net.name.clone(),
            layer: layer.into(),
            problem: problem.into(),
        })
    }

    fn define(&mut self, name: &'n str, id: NodeId) -> Result<(), SuiteError> {
        if self.values.insert(name, id).is_some() {
            return self.fail(name, "the name is used twice");
        }
        Ok(())
    }

    fn value(&self, layer: &str, name: &str) -> Result<NodeId, SuiteError> {
        match self.values.get(name) {
            Some(&id) => Ok(id),
            None => self.fail(layer, format!("there is no value `{name}` before it")),
        }
    }

    /// Steps a streamed graph is built over; only its step matters afterwards.
    fn with_time(&self, shape: &[usize]) -> Vec<usize> {
        let mut shape = shape.to_vec();
        if self.net.stream {
            shape.push(2);
        }
        shape
    }

    /// The data axis and its extent.
    fn axis(&self, layer: &str, id: NodeId) -> Result<(usize, usize), SuiteError> {
        let shape = &self.g.graph().node(id).ty.shape;
        match shape.len().checked_sub(1 + usize::from(self.net.stream)) {
            Some(axis) => Ok((axis, shape[axis])),
            None => self.fail(layer, "an operand has no axes"),
        }
    }

    fn random(&self, layer: &Layer, what: &str, shape: &[usize], scale: f32) -> Tensor {
        let mut rng = Rng::labelled(self.net.seed, &format!("{}.{what}", layer.name));
        Tensor::from_fn(shape, |_| rng.normal() * scale)
    }

    fn weights(&self, layer: &Layer, what: &str, shape: &[usize], fan_in: usize) -> Tensor {
        match self.net.init {
            Init::He => self.random(layer, what, shape, he(fan_in)),
            Init::Torch => self.uniform(layer, what, shape, fan_in),
        }
    }

    fn bias(&self, layer: &Layer, out: usize, fan_in: usize) -> Arc<Tensor> {
        Arc::new(match self.net.init {
            Init::He => self.random(layer, "bias", &[out], 0.25),
            Init::Torch => self.uniform(layer, "bias", &[out], fan_in),
        })
    }

    fn uniform(&self, layer: &Layer, what: &str, shape: &[usize], fan_in: usize) -> Tensor {
        let mut rng = Rng::labelled(self.net.seed, &format!("{}.{what}", layer.name));
        let bound = he(2 * fan_in); // sqrt(2 / 2n) = 1 / sqrt(n)
        Tensor::from_fn(shape, |_| rng.unit() * bound)
    }

    fn constant(&mut self, layer: &Layer, id: NodeId, scalar: bool) -> Result<NodeId, SuiteError> {
        let (_, n) = self.axis(&layer.name, id)?;
        let mut shape = vec![if scalar { 1 } else { n }];
        if self.net.stream {
            shape.push(1);
        }
        let value = self.random(layer, "constant", &shape, 1.0);
        Ok(self.g.constant(format!("{}.constant", layer.name), value)?)
    }

    fn disturb(&mut self, layer: &Layer, id: NodeId) -> Result<NodeId, SuiteError> {
        // Layers that only move values do not round.
        if matches!(
            layer.op,
            LayerOp::Concat
                | LayerOp::Slice { .. }
                | LayerOp::Reshape { .. }
                | LayerOp::Delay { .. }
                | LayerOp::Transpose { .. }
                | LayerOp::IndexSelect { .. }
                | LayerOp::Expand { .. }
                | LayerOp::State { .. }
        ) {
            return Ok(id);
        }
        self.noisy(&layer.name, id)
    }

    fn noisy(&mut self, name: &str, id: NodeId) -> Result<NodeId, SuiteError> {
        let Some(seed) = self.noise else {
            return Ok(id);
        };
        let mut shape = self.g.graph().node(id).ty.shape.clone();
        if self.net.stream
            && let Some(steps) = shape.last_mut()
        {
            *steps = 1;
        }
        let mut rng = Rng::labelled(seed, name);
        let factor = Tensor::from_fn(shape, |_| 1.0 + NOISE * rng.unit());
        let k = self.g.constant(format!("{name}.noise"), factor)?;
        Ok(self.g.mul(format!("{name}.noisy"), id, k)?)
    }

    fn layer(&mut self, layer: &'n Layer) -> Result<NodeId, SuiteError> {
        let name = layer.name.as_str();
        let of = layer
            .of
            .iter()
            .map(|o| self.value(name, o))
            .collect::<Result<Vec<_>, _>>()?;
        let single = |b: &Self| match of[..] {
            [x] => Ok(x),
            _ => b.fail(name, format!("it takes one operand, got {}", of.len())),
        };
        let id = match &layer.op {
            LayerOp::Linear { out, bias } => {
                if self.net.stream {
                    let (_, n) = self.axis(name, single(self)?)?;
                    let w = self.weights(layer, "weight", &[*out, n, 1], n);
                    let b = bias.then(|| self.bias(layer, *out, n));
                    self.g.conv1d(name, of[0], w, b, 1, 1)?
                } else {
                    let mut terms = Vec::new();
                    let extents = of
                        .iter()
                        .map(|&x| Ok(self.axis(name, x)?.1))
                        .collect::<Result<Vec<_>, SuiteError>>()?;
                    let total = extents.iter().sum();
                    for (i, (&x, &n)) in of.iter().zip(&extents).enumerate() {
                        let w = self.weights(layer, &format!("weight{i}"), &[*out, n], total);
                        terms.push((x, Arc::new(w)));
                    }
                    let b = bias.then(|| self.bias(layer, *out, total));
                    self.g.linear_sum(name, terms, b)?
                }
            }
            LayerOp::Conv {
                out,
                taps,
                dilation,
                depthwise,
                bias,
            } => {
                if !self.net.stream {
                    return self.fail(name, "a convolution needs `stream = true`");
                }
                let x = single(self)?;
                let (_, n) = self.axis(name, x)?;
                let (out, per_group, groups) = if *depthwise { (n, 1, n) } else { (*out, n, 1) };
                let w = self.weights(layer, "weight", &[out, per_group, *taps], per_group * taps);
                let b = bias.then(|| self.bias(layer, out, per_group * taps));
                self.g.conv1d(name, x, w, b, *dilation, groups)?
            }
            LayerOp::Clamp { min, max } => {
                let x = single(self)?;
                self.g.clamp(
                    name,
                    x,
                    min.unwrap_or(f32::NEG_INFINITY),
                    max.unwrap_or(f32::INFINITY),
                )?
            }
            LayerOp::Arith {
                f,
                constant_first,
                scalar,
                value,
            } => {
                let (a, b) = match of[..] {
                    [a, b] => (a, b),
                    [x] => {
                        let k = match value {
                            Some(v) => self
                                .g
                                .constant(format!("{name}.constant"), Tensor::scalar(*v))?,
                            None => self.constant(layer, x, *scalar)?,
                        };
                        if *constant_first { (k, x) } else { (x, k) }
                    }
                    _ => {
                        return self.fail(
                            name,
                            format!("it takes one or two operands, got {}", of.len()),
                        );
                    }
                };
                self.g.pointwise(name, f.op(), a, b)?
            }
            LayerOp::Concat => {
                let Some(&first) = of.first() else {
                    return self.fail(name, "it takes at least one operand");
                };
                let (axis, _) = self.axis(name, first)?;
                self.g.concat(name, &of, axis)?
            }
            LayerOp::Slice { start, end } => {
                let x = single(self)?;
                let (axis, _) = self.axis(name, x)?;
                self.g.slice(name, x, axis, *start, *end)?
            }
            LayerOp::Reshape { shape } => {
                let shape = self.with_time(shape);
                self.g.reshape(name, single(self)?, &shape)?
            }
            LayerOp::Delay { steps } => self.g.delay(name, single(self)?, *steps)?,
            LayerOp::Unary { f } => self.g.unary(name, f.op(), single(self)?)?,
            LayerOp::Reduce { f, axes, keep } => {
                self.g.reduce(name, f.op(), single(self)?, axes, *keep)?
            }
            LayerOp::Transpose { perm } => {
                let mut perm = perm.clone();
                if self.net.stream {
                    perm.push(perm.len());
                }
                self.g.transpose(name, single(self)?, &perm)?
            }
            LayerOp::IndexSelect { axis, indices } => {
                self.g.index_select(name, single(self)?, *axis, indices)?
            }
            LayerOp::Expand { shape } => {
                let shape = self.with_time(shape);
                self.g.expand(name, single(self)?, &shape)?
            }
            LayerOp::State {
                shape,
                next,
                random,
            } => {
                let init = if *random {
                    self.random(layer, "init", shape, 0.5)
                } else {
                    Tensor::zeros(shape.clone())
                };
                let id = self.g.state(name, init)?;
                self.states.push((id, name, next));
                id
            }
        };
        Ok(id)
    }
}

/// He's standard deviation for rectified layers.
fn he(fan_in: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a width")]
    let n = fan_in.max(1) as f32;
    (2.0 / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
name = "n"
seed = 3
outputs = ["c", "m"]

[[input]]
name = "x"
shape = [5]

[[layer]]
name = "h"
of = ["x"]
op = "linear"
out = 7
bias = true

[[layer]]
name = "c"
of = ["h"]
op = "clamp"
min = 0.0

[[layer]]
name = "m"
of = ["c"]
op = "arith"
f = "max"
constant-first = true
"#;

    #[test]
    fn text_round_trips_and_builds() {
        let net: Net = toml::from_str(TEXT).unwrap();
        assert_eq!(net.layers[0].op, LayerOp::Linear { out: 7, bias: true });
        let again: Net = toml::from_str(&toml::to_string(&net).unwrap()).unwrap();
        assert_eq!(net, again);
        let graph = net.graph().unwrap();
        assert_eq!(graph.outputs.len(), 2);
        assert_eq!(graph, net.graph().unwrap());
        assert_ne!(
            graph,
            Net {
                seed: 4,
                ..net.clone()
            }
            .graph()
            .unwrap()
        );
        assert!(net.noisy(1).unwrap().len() > graph.len());
    }

    #[test]
    fn weights_depend_on_their_layer_only() {
        let net: Net = toml::from_str(TEXT).unwrap();
        let mut less = net.clone();
        less.outputs = vec!["h".into()];
        less.prune();
        assert_eq!(less.layers.len(), 1);
        let weight = |g: &Graph| {
            let id = g.node_ids().find(|&i| g.node(i).name == "h").unwrap();
            g.node(id).op.clone()
        };
        assert_eq!(
            weight(&net.graph().unwrap()),
            weight(&less.graph().unwrap())
        );
    }

    #[test]
    fn mistakes_are_named() {
        let mut net: Net = toml::from_str(TEXT).unwrap();
        net.layers[1].of = vec!["nope".into()];
        let text = net.graph().unwrap_err().to_string();
        assert!(text.contains("`c`") && text.contains("nope"), "{text}");
    }
}
