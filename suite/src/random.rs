//! Random networks for the fuzzer.
//!
//! **Contract.** A function of seed and limits; always builds. Every operation of NNIR the backend supports can come: linear with and without
//! bias and over several operands, clamps, arithmetic with tensors and constants, residuals, concat, slices on and off block borders,
//! reshapes, transposes, chosen indices, functions that stay bounded, reductions, delays and recurrences or streamed convolutions (dilated,
//! depthwise), several inputs and outputs, values in fp32, and choices by comparisons. Only inputs are compared, with numbers or with each
//! other: there float and machine have the same value, so no choice flips by rounding; where it did, there would be no budget by noise.

use std::collections::BTreeSet;

use crate::net::{Arith, Function, Init, Input, Layer, LayerOp, Net, Reduction};
use crate::rng::Rng;

/// Functions that neither grow fast nor have poles.
const GENTLE: [Function; 6] = [
    Function::Tanh,
    Function::Sigmoid,
    Function::Silu,
    Function::Gelu,
    Function::GeluTanh,
    Function::Softplus,
];

/// Sizes of random networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Layers at most.
    pub layers: usize,
    /// Extent of a data axis at most.
    pub width: usize,
    /// Block size of the machine; sizes next to its multiples are likely.
    pub block: usize,
}

struct Value {
    name: String,
    shape: Vec<usize>,
}

struct Generator {
    rng: Rng,
    limits: Limits,
    net: Net,
    values: Vec<Value>,
}

/// A random network.
pub fn network(seed: u64, limits: Limits) -> Net {
    let mut rng = Rng::labelled(seed, "network");
    let stream = rng.chance(1, 3);
    let mut g = Generator {
        rng,
        limits,
        net: Net {
            name: format!("random{seed}"),
            seed,
            init: Init::He,
            stream,
            fp8: false,
            outputs: vec![],
            inputs: vec![],
            layers: vec![],
        },
        values: vec![],
    };
    g.inputs();
    let layers = g.rng.within(1, limits.layers.max(1));
    for i in 0..4 * layers {
        if g.net.layers.len() >= layers {
            break;
        }
        g.layer(i);
    }
    g.outputs();
    widen(&mut g.net, seed);
    g.net
}

/// In every fourth network half of the values are kept in fp32; a state is what it becomes.
fn widen(net: &mut Net, seed: u64) {
    let mut rng = Rng::labelled(seed, "precision");
    if !rng.chance(1, 4) {
        return;
    }
    for input in &mut net.inputs {
        input.fp32 = rng.chance(1, 2);
    }
    let wide: BTreeSet<String> = net
        .layers
        .iter()
        .filter(|_| rng.chance(1, 2))
        .map(|layer| layer.name.clone())
        .collect();
    for layer in &mut net.layers {
        layer.fp32 = wide.contains(match &layer.op {
            LayerOp::State { next, .. } => next,
            _ => &layer.name,
        });
    }
}

impl Generator {
    fn width(&mut self) -> usize {
        let (max, b) = (self.limits.width.max(1), self.limits.block.max(1));
        let n = match self.rng.below(4) {
            0 => b * self.rng.within(1, (max / b).max(1)),
            1 => {
                (b * self.rng.within(1, (max / b).max(1))).saturating_sub(1) + 2 * self.rng.below(2)
            }
            _ => self.rng.within(1, max),
        };
        n.clamp(1, max)
    }

    fn inputs(&mut self) {
        for i in 0..self.rng.within(1, 3) {
            let mut shape = vec![self.width()];
            if self.rng.chance(1, 4) {
                shape.insert(0, self.rng.within(1, 3));
            }
            let name = format!("x{i}");
            self.values.push(Value {
                name: name.clone(),
                shape: shape.clone(),
            });
            let fp32 = false;
            self.net.inputs.push(Input { name, shape, fp32 });
        }
    }

    /// Recent values are more likely, so that networks grow deep.
    fn operand(&mut self) -> usize {
        let n = self.values.len();
        let a = self.rng.below(n);
        let b = self.rng.below(n);
        a.max(b)
    }

    fn partner(&mut self, of: usize) -> Option<usize> {
        let same: Vec<usize> = (0..self.values.len())
            .filter(|&i| self.values[i].shape == self.values[of].shape)
            .collect();
        self.rng.pick(&same).copied()
    }

    /// Proposes a layer; keeps it if the network still builds.
    fn layer(&mut self, attempt: usize) {
        let x = self.operand();
        let shape = self.values[x].shape.clone();
        let n = shape.last().copied().unwrap_or(1);
        let mut of = vec![x];
        let mut result = shape.clone();
        let set_last = |shape: &mut Vec<usize>, n: usize| {
            if let Some(last) = shape.last_mut() {
                *last = n;
            }
        };
        let op = match self.rng.below(21) {
            0..=2 if self.net.stream => {
                let out = self.width();
                let depthwise = self.rng.chance(1, 3);
                set_last(&mut result, if depthwise { n } else { out });
                LayerOp::Conv {
                    out,
                    taps: self.rng.within(1, 3),
                    dilation: self.rng.within(1, 2),
                    depthwise,
                    bias: self.rng.chance(1, 2),
                }
            }
            0..=2 => {
                let out = self.width();
                if self.rng.chance(1, 4) {
                    let lead = shape[..shape.len() - 1].to_vec();
                    let fits: Vec<usize> = (0..self.values.len())
                        .filter(|&i| {
                            let s = &self.values[i].shape;
                            s[..s.len() - 1] == lead[..]
                        })
                        .collect();
                    of.extend(self.rng.pick(&fits).copied());
                }
                set_last(&mut result, out);
                LayerOp::Linear {
                    out,
                    bias: self.rng.chance(2, 3),
                }
            }
            3 => {
                let (a, b) = (self.rng.unit() * 1.5, self.rng.unit() * 1.5);
                let min = self.rng.chance(2, 3).then_some(a.min(b));
                LayerOp::Clamp {
                    min,
                    max: (min.is_none() || self.rng.chance(1, 2)).then_some(a.max(b)),
                }
            }
            4 => LayerOp::Clamp {
                min: Some(0.0),
                max: None,
            },
            5 | 6 => {
                of.extend(self.partner(x));
                LayerOp::Arith {
                    f: self.arith(),
                    constant_first: false,
                    scalar: false,
                    value: None,
                }
            }
            7 => LayerOp::Arith {
                f: self.arith(),
                constant_first: self.rng.chance(1, 2),
                scalar: self.rng.chance(1, 3),
                value: None,
            },
            8 => {
                for _ in 0..self.rng.within(1, 2) {
                    let lead = &shape[..shape.len() - 1];
                    let fits: Vec<usize> = (0..self.values.len())
                        .filter(|&i| {
                            let s = &self.values[i].shape;
                            s[..s.len() - 1] == *lead
                        })
                        .collect();
                    of.extend(self.rng.pick(&fits).copied());
                }
                let total = of
                    .iter()
                    .map(|&i| self.values[i].shape.last().copied().unwrap_or(1))
                    .sum();
                if total > 2 * self.limits.width {
                    return;
                }
                set_last(&mut result, total);
                LayerOp::Concat
            }
            9 => {
                let b = self.limits.block.max(1);
                let aligned = self.rng.chance(1, 2);
                let start = if aligned {
                    b * self.rng.below(n.div_ceil(b))
                } else {
                    self.rng.below(n)
                };
                let end = self.rng.within(start + 1, n);
                set_last(&mut result, end - start);
                LayerOp::Slice { start, end }
            }
            10 => {
                let shape = match (self.rng.below(3), shape.len()) {
                    (0, 1) => vec![1, n],
                    (0, _) | (1, 2) => vec![shape.iter().product()],
                    (1, _) if n.is_multiple_of(2) => vec![2, n / 2],
                    (_, 1) => vec![1, 1, n],
                    _ => vec![shape.iter().product::<usize>() / n, 1, n],
                };
                result.clone_from(&shape);
                LayerOp::Reshape { shape }
            }
            11..=13 => LayerOp::Unary {
                f: self.rng.pick(&GENTLE).copied().unwrap_or(Function::Tanh),
            },
            14 | 15 => {
                let axis = self.rng.below(shape.len());
                let keep = shape.len() == 1 || self.rng.chance(1, 2);
                if keep {
                    result[axis] = 1;
                } else {
                    result.remove(axis);
                }
                LayerOp::Reduce {
                    f: self
                        .rng
                        .pick(Reduction::ALL)
                        .copied()
                        .unwrap_or(Reduction::Mean),
                    axes: vec![axis],
                    keep,
                }
            }
            16 => {
                let mut perm: Vec<usize> = (0..shape.len()).collect();
                perm.rotate_left(1);
                result = perm.iter().map(|&axis| shape[axis]).collect();
                LayerOp::Transpose { perm }
            }
            17 => {
                let axis = self.rng.below(shape.len());
                let count = self.rng.within(1, shape[axis] + 1);
                let indices = (0..count).map(|_| self.rng.below(shape[axis])).collect();
                result[axis] = count;
                LayerOp::IndexSelect { axis, indices }
            }
            18 | 19 => return self.choice(attempt, x),
            _ if self.net.stream => return,
            _ if self.rng.chance(1, 2) => return self.recurrence(attempt, x),
            _ => LayerOp::Delay {
                steps: self.rng.within(1, 3),
            },
        };
        self.keep(attempt, &of, op, result);
    }

    /// `where`: the operand or another value of its shape, or zero, by a comparison of an input of that shape.
    fn choice(&mut self, attempt: usize, x: usize) {
        const COMPARISONS: [Arith; 6] = [
            Arith::Lt,
            Arith::Le,
            Arith::Gt,
            Arith::Ge,
            Arith::Eq,
            Arith::Ne,
        ];
        let inputs: Vec<String> = self
            .net
            .inputs
            .iter()
            .filter(|i| i.shape == self.values[x].shape)
            .map(|i| i.name.clone())
            .collect();
        let Some(compared) = self.rng.pick(&inputs).cloned() else {
            return;
        };
        let arith = |f, value: Option<f32>| LayerOp::Arith {
            f,
            constant_first: false,
            scalar: value.is_some(),
            value,
        };
        let mut of = vec![compared];
        let mut number = None;
        if self.rng.chance(1, 3) {
            of.extend(self.rng.pick(&inputs).cloned());
        } else {
            // Quarters are bf16 and near what the inputs are: both sides of the choice come.
            let quarters = u8::try_from(self.rng.below(13)).unwrap_or(0);
            number = Some(f32::from(quarters) * 0.25 - 1.5);
        }
        let f = self.rng.pick(&COMPARISONS).copied().unwrap_or(Arith::Lt);
        let name = |part: &str| format!("l{attempt}{part}");
        let layer = |name: String, of: Vec<String>, op| Layer {
            name,
            of,
            fp32: false,
            op,
        };
        let (a, b) = (self.values[x].name.clone(), self.partner(x));
        let mut layers = vec![layer(name("_if"), of, arith(f, number))];
        if let Some(b) = b.filter(|_| self.rng.chance(2, 3)) {
            let b = self.values[b].name.clone();
            let parts = vec![name("_then"), name("_else")];
            layers.extend([
                layer(
                    parts[0].clone(),
                    vec![a, name("_if")],
                    arith(Arith::Keep, None),
                ),
                layer(
                    parts[1].clone(),
                    vec![b, name("_if")],
                    arith(Arith::Drop, None),
                ),
                layer(name(""), parts, arith(Arith::Add, None)),
            ]);
        } else {
            let sides = [Arith::Keep, Arith::Drop];
            let side = self.rng.pick(&sides).copied().unwrap_or(Arith::Keep);
            layers.push(layer(name(""), vec![a, name("_if")], arith(side, None)));
        }
        let before = self.net.layers.len();
        self.net.layers.extend(layers);
        self.net.outputs = vec![name("")];
        if self.net.graph().is_ok() {
            self.values.push(Value {
                name: name(""),
                shape: self.values[x].shape.clone(),
            });
        } else {
            self.net.layers.truncate(before);
        }
    }

    /// A state that takes what comes of it and a value.
    fn recurrence(&mut self, attempt: usize, x: usize) {
        let shape = self.values[x].shape.clone();
        let state = format!("s{attempt}");
        self.net.layers.push(Layer {
            name: state.clone(),
            of: vec![],
            fp32: false,
            op: LayerOp::State {
                shape: shape.clone(),
                next: format!("l{attempt}"),
                random: self.rng.chance(1, 2),
            },
        });
        self.values.push(Value {
            name: state,
            shape: shape.clone(),
        });
        let additive = [Arith::Add, Arith::Sub, Arith::Max, Arith::Min];
        let op = LayerOp::Arith {
            f: self.rng.pick(&additive).copied().unwrap_or(Arith::Add),
            constant_first: false,
            scalar: false,
            value: None,
        };
        let s = self.values.len() - 1;
        let before = self.net.layers.len();
        self.keep(attempt, &[x, s], op, shape);
        if self.net.layers.len() == before {
            self.net.layers.pop();
            self.values.pop();
        }
    }

    /// Adds a layer if the network still builds with it.
    fn keep(&mut self, attempt: usize, of: &[usize], op: LayerOp, result: Vec<usize>) {
        let name = format!("l{attempt}");
        let layer = Layer {
            name: name.clone(),
            of: of.iter().map(|&i| self.values[i].name.clone()).collect(),
            fp32: false,
            op,
        };
        self.net.layers.push(layer);
        self.net.outputs = vec![name.clone()];
        if self.net.graph().is_ok() {
            self.values.push(Value {
                name,
                shape: result,
            });
        } else {
            self.net.layers.pop();
        }
    }

    fn arith(&mut self) -> Arith {
        // A budget by noise makes no sense where results jump.
        let smooth: Vec<Arith> = Arith::ALL.into_iter().filter(|f| f.is_smooth()).collect();
        self.rng.pick(&smooth).copied().unwrap_or(Arith::Add)
    }

    /// The last value, and now and then others; everything unread goes.
    fn outputs(&mut self) {
        let layers = self.net.layers.len();
        let Some(last) = self.values.last() else {
            return;
        };
        self.net.outputs = vec![last.name.clone()];
        if layers > 1 {
            for _ in 0..self.rng.below(3) {
                let i = self.values.len() - 1 - self.rng.below(layers.min(self.values.len()));
                let before = self.net.outputs.clone();
                self.net.outputs.push(self.values[i].name.clone());
                if self.net.graph().is_err() {
                    self.net.outputs = before;
                }
            }
        }
        let whole = self.net.clone();
        self.net.prune();
        if self.net.graph().is_err() {
            self.net = whole;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_build_and_all_kinds_come() {
        let limits = Limits {
            layers: 8,
            width: 20,
            block: 4,
        };
        let mut kinds = BTreeSet::new();
        let mut comparisons = BTreeSet::new();
        let mut wide = 0;
        for seed in 0..200 {
            let net = network(seed, limits);
            assert_eq!(net, network(seed, limits));
            net.graph().unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            wide += usize::from(net.layers.iter().any(|l| l.fp32));
            for l in &net.layers {
                if let LayerOp::Arith { f, .. } = l.op
                    && !f.is_smooth()
                {
                    comparisons.insert(format!("{f:?}"));
                }
                kinds.insert(
                    format!("{:?}", l.op)
                        .split([' ', '{'])
                        .next()
                        .map(str::to_owned),
                );
            }
        }
        assert_eq!(kinds.len(), 13, "{kinds:?}");
        assert_eq!(comparisons.len(), 8, "{comparisons:?}");
        assert!(wide > 20, "{wide}");
    }
}
