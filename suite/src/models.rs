//! Reference networks, with seeded pseudo-random weights.
//!
//! | function | network |
//! |----------|---------|
//! | [`residual_mlp`] | `h = relu(fc1 x); h = relu(fc2 h) + h; out h`, 784 -> 128 -> 128 -> 10 |
//! | [`cnn`] | streamed convolutions k = 3, 32 -> 128 -> 1 channels, rectified |
//! | [`mlp`] | `Linear` + `ReLU`, any sizes: the published `slp` and `mlp` rows |
//! | [`lstm`] | stacked LSTM layers, one step per inference |
//! | [`conv_norm`] | streamed convolution + `ReLU` + `RMSNorm` + residual |
//! | [`swiglu`] | gated feed-forward |
//! | [`mixed`] | lane moves, broadcasting, all arithmetic, delays, several inputs and outputs |
//!
//! **Contract.** Functions of their arguments; same seed, same weights.

use crate::net::{Arith, Function, Init, Input, Layer, LayerOp, Net, Reduction};

const RELU: LayerOp = LayerOp::Clamp {
    min: Some(0.0),
    max: None,
};

fn layer(name: impl Into<String>, of: &[&str], op: LayerOp) -> Layer {
    Layer {
        name: name.into(),
        of: of.iter().map(|&o| o.into()).collect(),
        fp32: false,
        op,
    }
}

const fn linear(out: usize) -> LayerOp {
    LayerOp::Linear { out, bias: true }
}

const fn arith(f: Arith) -> LayerOp {
    LayerOp::Arith {
        f,
        constant_first: false,
        scalar: false,
        value: None,
    }
}

fn input(name: &str, shape: &[usize]) -> Input {
    Input {
        name: name.into(),
        shape: shape.to_vec(),
        fp32: false,
    }
}

/// The main job's network, of any widths, initialised as PyTorch would.
pub fn residual_mlp(inputs: usize, hidden: usize, outputs: usize, seed: u64) -> Net {
    Net {
        name: "mlp".into(),
        seed,
        init: Init::Torch,
        stream: false,
        fp8: false,
        outputs: vec!["out".into()],
        inputs: vec![input("x", &[inputs])],
        layers: vec![
            layer("fc1", &["x"], linear(hidden)),
            layer("relu1", &["fc1"], RELU),
            layer("fc2", &["relu1"], linear(hidden)),
            layer("relu2", &["fc2"], RELU),
            layer("residual", &["relu2", "relu1"], arith(Arith::Add)),
            layer("out", &["residual"], linear(outputs)),
        ],
    }
}

/// The main job's streamed convolutional network, of any widths, initialised as PyTorch would.
pub fn cnn(channels: usize, hidden: usize, outputs: usize, seed: u64) -> Net {
    let conv = |out| LayerOp::Conv {
        out,
        taps: 3,
        dilation: 1,
        depthwise: false,
        bias: true,
    };
    Net {
        name: "cnn".into(),
        seed,
        init: Init::Torch,
        stream: true,
        fp8: false,
        outputs: vec!["relu2".into()],
        inputs: vec![input("x", &[1, channels])],
        layers: vec![
            layer("conv1", &["x"], conv(hidden)),
            layer("relu1", &["conv1"], RELU),
            layer("conv2", &["relu1"], conv(outputs)),
            layer("relu2", &["conv2"], RELU),
        ],
    }
}

/// `Linear` + `ReLU` from size to size.
pub fn mlp(name: &str, sizes: &[usize], seed: u64) -> Net {
    let mut layers = Vec::new();
    let mut last = String::from("x");
    for (i, &out) in sizes.iter().enumerate().skip(1) {
        layers.push(layer(format!("fc{i}"), &[&last], linear(out)));
        last = format!("relu{i}");
        layers.push(layer(last.clone(), &[&format!("fc{i}")], RELU));
    }
    Net {
        name: name.into(),
        seed,
        init: Init::He,
        stream: false,
        fp8: false,
        outputs: vec![last],
        inputs: vec![input("x", &sizes[..sizes.len().min(1)])],
        layers,
    }
}

/// A bit of everything, with state.
pub fn mixed(width: usize, seed: u64) -> Net {
    let w = width.max(4);
    Net {
        name: "mixed".into(),
        seed,
        init: Init::He,
        stream: false,
        fp8: false,
        outputs: ["fc", "neg", "b", "old"].map(String::from).to_vec(),
        inputs: vec![input("a", &[2, w + 3]), input("b", &[w])],
        layers: vec![
            layer(
                "head",
                &["a"],
                LayerOp::Slice {
                    start: 3,
                    end: w + 3,
                },
            ),
            layer("sub", &["head", "b"], arith(Arith::Sub)),
            layer("mul", &["sub", "b"], arith(Arith::Mul)),
            layer("max", &["mul"], arith(Arith::Max)),
            layer(
                "min",
                &["sub"],
                LayerOp::Arith {
                    f: Arith::Min,
                    constant_first: true,
                    scalar: false,
                    value: None,
                },
            ),
            layer("join", &["max", "min", "head"], LayerOp::Concat),
            layer("old", &["join"], LayerOp::Delay { steps: 2 }),
            layer("sum", &["join", "old"], arith(Arith::Add)),
            layer(
                "clip",
                &["sum"],
                LayerOp::Clamp {
                    min: Some(-1.5),
                    max: Some(1.25),
                },
            ),
            layer("fc", &["clip"], linear(w + 1)),
            layer(
                "neg",
                &["max"],
                LayerOp::Arith {
                    f: Arith::Sub,
                    constant_first: true,
                    scalar: true,
                    value: None,
                },
            ),
        ],
    }
}

fn unary(name: &str, x: &str, f: Function) -> Layer {
    layer(name, &[x], LayerOp::Unary { f })
}

/// One step of stacked LSTM layers of equal size per inference; hidden and cell values are state.
pub fn lstm(layers: usize, hidden: usize, seed: u64) -> Net {
    let mut all = Vec::new();
    let mut x = String::from("x");
    for i in 0..layers {
        let n = |part: &str| format!("{part}{i}");
        let state = |part: &str, next: &str| {
            layer(
                n(part),
                &[],
                LayerOp::State {
                    shape: vec![hidden],
                    next: n(next),
                    random: false,
                },
            )
        };
        all.extend([state("h", "hidden"), state("c", "cell")]);
        for (gate, f) in [
            ("f", Function::Sigmoid),
            ("g", Function::Tanh),
            ("i", Function::Sigmoid),
            ("o", Function::Sigmoid),
        ] {
            let sum = n(&format!("{gate}_sum"));
            all.push(layer(sum.clone(), &[&x, &n("h")], linear(hidden)));
            all.push(unary(&n(gate), &sum, f));
        }
        all.extend([
            layer(n("kept"), &[&n("f"), &n("c")], arith(Arith::Mul)),
            layer(n("new"), &[&n("i"), &n("g")], arith(Arith::Mul)),
            layer(n("cell"), &[&n("kept"), &n("new")], arith(Arith::Add)),
            unary(&n("shown"), &n("cell"), Function::Tanh),
            layer(n("hidden"), &[&n("shown"), &n("o")], arith(Arith::Mul)),
        ]);
        x = n("hidden");
    }
    Net {
        name: "lstm".into(),
        seed,
        init: Init::Torch,
        stream: false,
        fp8: false,
        outputs: vec![x],
        inputs: vec![input("x", &[hidden])],
        layers: all,
    }
}

/// Streamed blocks of causal convolution, `ReLU`, `RMSNorm` and residual.
pub fn conv_norm(layers: usize, channels: usize, taps: usize, seed: u64) -> Net {
    let constant = |f, value| LayerOp::Arith {
        f,
        constant_first: false,
        scalar: false,
        value,
    };
    let mut all = Vec::new();
    let mut x = String::from("x");
    for i in 0..layers {
        let n = |part: &str| format!("{part}{i}");
        all.extend([
            layer(
                n("conv"),
                &[&x],
                LayerOp::Conv {
                    out: channels,
                    taps,
                    dilation: 1,
                    depthwise: false,
                    bias: true,
                },
            ),
            layer(n("relu"), &[&n("conv")], RELU),
            layer(n("square"), &[&n("relu"), &n("relu")], arith(Arith::Mul)),
            layer(
                n("mean"),
                &[&n("square")],
                LayerOp::Reduce {
                    f: Reduction::Mean,
                    axes: vec![1],
                    keep: true,
                },
            ),
            layer(n("eps"), &[&n("mean")], constant(Arith::Add, Some(1e-5))),
            unary(&n("inverse"), &n("eps"), Function::Rsqrt),
            layer(n("weight"), &[&n("inverse")], constant(Arith::Mul, None)),
            layer(n("norm"), &[&n("relu"), &n("weight")], arith(Arith::Mul)),
            layer(n("sum"), &[&n("norm"), &x], arith(Arith::Add)),
        ]);
        x = n("sum");
    }
    Net {
        name: "cnn".into(),
        seed,
        init: Init::Torch,
        stream: true,
        fp8: false,
        outputs: vec![x],
        inputs: vec![input("x", &[1, channels])],
        layers: all,
    }
}

/// `down(silu(gate x) * up x)`; `fused` takes gate and up from one matrix.
pub fn swiglu(dim: usize, hidden: usize, fused: bool, seed: u64) -> Net {
    let plain = |out| LayerOp::Linear { out, bias: false };
    let half = |start| LayerOp::Slice {
        start,
        end: start + hidden,
    };
    let mut layers = if fused {
        vec![
            layer("both", &["x"], plain(2 * hidden)),
            layer("gate", &["both"], half(0)),
            layer("up", &["both"], half(hidden)),
        ]
    } else {
        vec![
            layer("gate", &["x"], plain(hidden)),
            layer("up", &["x"], plain(hidden)),
        ]
    };
    layers.extend([
        unary("silu", "gate", Function::Silu),
        layer("gated", &["silu", "up"], arith(Arith::Mul)),
        layer("down", &["gated"], linear(dim)),
    ]);
    Net {
        name: "ffn".into(),
        seed,
        init: Init::Torch,
        stream: false,
        fp8: false,
        outputs: vec!["down".into()],
        inputs: vec![input("x", &[dim])],
        layers,
    }
}

/// What a published row measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// `Linear` + `ReLU`, sizes from layer to layer.
    Mlp(&'static [usize]),
    /// Stacked LSTM layers: layers, hidden size.
    Lstm(usize, usize),
    /// Convolution + `ReLU` + `RMSNorm` + residual: layers, channels, taps.
    Cnn(usize, usize, usize),
    /// Gated feed-forward: width, hidden width, one matrix for gate and value.
    Swiglu(usize, usize, bool),
}

impl Network {
    /// The network, seeded.
    pub fn net(self, seed: u64) -> Net {
        match self {
            Self::Mlp(sizes) => mlp("mlp", sizes, seed),
            Self::Lstm(layers, hidden) => lstm(layers, hidden, seed),
            Self::Cnn(layers, channels, taps) => conv_norm(layers, channels, taps, seed),
            Self::Swiglu(dim, hidden, fused) => swiglu(dim, hidden, fused, seed),
        }
    }

    /// Layers by which its overhead is counted.
    pub fn layers(self) -> usize {
        match self {
            Self::Mlp(sizes) => sizes.len() - 1,
            Self::Lstm(layers, _) | Self::Cnn(layers, _, _) => layers,
            Self::Swiglu(..) => 2,
        }
    }
}

/// A published benchmark row: cycles spaced and contiguous of V80 c6b32, IA-420f c6b32 and IA-840f c3b64.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Name of the row.
    pub name: &'static str,
    /// What it measures.
    pub network: Network,
    /// V80, six cores of block size 32.
    pub v80: (u32, u32),
    /// IA-420f, six cores of block size 32.
    pub ia420f: (u32, u32),
    /// IA-840f, three cores of block size 64.
    pub ia840f: (u32, u32),
}

const fn row(
    name: &'static str,
    network: Network,
    v80: (u32, u32),
    ia420f: (u32, u32),
    ia840f: (u32, u32),
) -> Published {
    Published {
        name,
        network,
        v80,
        ia420f,
        ia840f,
    }
}

/// Rows of the incumbent that take one cycle more back to back.
const fn plain(
    name: &'static str,
    network: Network,
    v80: u32,
    ia420f: u32,
    ia840f: u32,
) -> Published {
    row(
        name,
        network,
        (v80, v80 + 1),
        (ia420f, ia420f + 1),
        (ia840f, ia840f + 1),
    )
}

/// The published dense rows (vollo-model-zoo 0.4.0, SDK 29.0.0): counts of that vendor's software VM, compute only.
pub const DENSE: &[Published] = &[
    plain("slp 128-128", Network::Mlp(&[128, 128]), 76, 84, 80),
    plain("slp 256-1024", Network::Mlp(&[256, 1024]), 156, 161, 117),
    plain("slp 1024-1024", Network::Mlp(&[1024, 1024]), 287, 292, 182),
    plain("mlp 2 x 512", Network::Mlp(&[512; 3]), 205, 219, 167),
    plain("mlp 7 x 384", Network::Mlp(&[384; 8]), 439, 480, 416),
    plain("mlp 4 x 512", Network::Mlp(&[512; 5]), 352, 384, 293),
    plain("mlp 3 x 1024", Network::Mlp(&[1024; 4]), 701, 748, 435),
];

/// The published recurrent, convolutional and gated rows that fit all three boards; same source.
pub const FIELD: &[Published] = &[
    row(
        "lstm 1 x 128",
        Network::Lstm(1, 128),
        (100, 105),
        (105, 110),
        (97, 98),
    ),
    row(
        "lstm 2 x 250",
        Network::Lstm(2, 250),
        (250, 321),
        (264, 330),
        (192, 199),
    ),
    row(
        "lstm 1 x 354",
        Network::Lstm(1, 354),
        (188, 257),
        (193, 266),
        (141, 172),
    ),
    row(
        "lstm 4 x 177",
        Network::Lstm(4, 177),
        (333, 408),
        (353, 423),
        (314, 322),
    ),
    row(
        "cnn 4 x 64 k8",
        Network::Cnn(4, 64, 8),
        (475, 554),
        (519, 598),
        (518, 533),
    ),
    row(
        "cnn 4 x 64 k32",
        Network::Cnn(4, 64, 32),
        (475, 938),
        (521, 980),
        (518, 725),
    ),
    row(
        "cnn 4 x 64 k64",
        Network::Cnn(4, 64, 64),
        (475, 1450),
        (525, 984),
        (518, 981),
    ),
    plain(
        "swiglu 192 fused",
        Network::Swiglu(192, 768, true),
        352,
        395,
        322,
    ),
    plain(
        "swiglu 192",
        Network::Swiglu(192, 768, false),
        312,
        351,
        297,
    ),
    plain(
        "swiglu 288 fused",
        Network::Swiglu(288, 1152, true),
        436,
        472,
        378,
    ),
    plain(
        "swiglu 288",
        Network::Swiglu(288, 1152, false),
        412,
        435,
        349,
    ),
    plain(
        "swiglu 384 fused",
        Network::Swiglu(384, 1536, true),
        557,
        585,
        432,
    ),
    plain(
        "swiglu 384",
        Network::Swiglu(384, 1536, false),
        522,
        548,
        392,
    ),
];

/// The published rows only the largest board holds: cycles of V80 c6b32.
pub const LARGE: &[(&str, Network, (u32, u32))] = &[
    ("lstm 3 x 768", Network::Lstm(3, 768), (1253, 2329)),
    ("cnn 4 x 256 k32", Network::Cnn(4, 256, 32), (613, 2564)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_build() {
        for net in [
            residual_mlp(784, 128, 10, 1),
            cnn(32, 128, 1, 2),
            mixed(13, 3),
            mlp("m", &[8, 9, 10], 4),
            lstm(2, 20, 5),
            conv_norm(2, 12, 3, 6),
            swiglu(12, 20, true, 7),
            swiglu(12, 20, false, 7),
        ] {
            net.graph().unwrap_or_else(|e| panic!("{}: {e}", net.name));
        }
    }

    #[test]
    fn the_cnn_is_streamed() {
        let g = cnn(32, 128, 1, 2).graph().unwrap();
        assert_eq!(g.node(g.inputs[0]).ty.shape, [1, 32]);
        assert_eq!(g.node(g.outputs[0]).ty.shape, [1, 1]);
    }
}
