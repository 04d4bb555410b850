//! Every way a graph can be wrong, and what the message must name.

mod nnir_common;

use std::sync::Arc;

use nnir_common::tensor;
use sluice_compiler::error::Result;
use sluice_compiler::nnir::{
    Graph, GraphBuilder, Node, NodeId, Op, PointwiseOp, Precision, ReduceOp, Tensor, TensorType,
    UnaryOp,
};
use sluice_compiler::passes::{EliminateDead, Pass};

type Build = fn(&mut GraphBuilder, NodeId) -> Result<NodeId>;

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

/// `h' = h + x`.
fn cell(shape: &[usize]) -> Graph {
    let mut g = GraphBuilder::new("cell");
    let x = g.input("step", shape);
    let h = g.state("h", Tensor::zeros(shape)).unwrap();
    let next = g.add("next", x, h).unwrap();
    g.update(h, next).unwrap();
    g.output(next);
    g.finish().unwrap()
}

/// Builds on top of input `x`; the first error of a layer or of the whole.
fn error_of(shape: &[usize], build: Build) -> (&'static str, String) {
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", shape);
    let error = match build(&mut g, x) {
        Err(error) => error,
        Ok(y) => {
            g.output(y);
            g.finish().unwrap_err()
        }
    };
    (error.code(), error.to_string())
}

#[test]
fn shape_errors_name_layers_and_shapes() {
    let cases: [(&[usize], Build, &[&str]); 37] = [
        (
            &[4],
            |g, x| g.linear("fc", x, tensor(&[2, 3], 0), None),
            &["'fc'", "x [4]", "fc.weight [2, 3]", "is 4", "expects 3"],
        ),
        (
            &[4],
            |g, x| g.linear("fc", x, tensor(&[2, 2, 4], 0), None),
            &["'fc'", "x [4]", "[2, 2, 4]", "[out, in]"],
        ),
        (
            &[4],
            |g, x| g.linear("fc", x, tensor(&[2, 4], 0), Some(tensor(&[3], 0).into())),
            &["'fc'", "fc.bias [3]", "shape [2]"],
        ),
        (
            &[4],
            |g, x| {
                g.linear_sum(
                    "fc",
                    vec![
                        (x, tensor(&[2, 4], 0).into()),
                        (x, tensor(&[3, 4], 0).into()),
                    ],
                    None,
                )
            },
            &[
                "'fc'",
                "[3]",
                "[2]",
                "fc.weight 0 [2, 4]",
                "fc.weight 1 [3, 4]",
            ],
        ),
        (
            &[4],
            |g, _| g.linear_sum("fc", vec![], None),
            &["'fc'", "1 operand(s), has 0"],
        ),
        (
            &[4],
            |g, x| g.layer("add", Op::Pointwise(PointwiseOp::Add), &[x]),
            &["'add'", "2 operand(s), has 1"],
        ),
        (
            &[4],
            |g, x| {
                let s = g.slice("part", x, 0, 0, 3)?;
                g.add("sum", x, s)
            },
            &["'sum' (add)", "x [4]", "part [3]", "equal or 1"],
        ),
        (
            &[4],
            |g, x| g.conv1d("conv", x, tensor(&[2, 4, 3], 0), None, 1, 1),
            &["'conv'", "x [4]", "[channels, time]"],
        ),
        (
            &[4, 6],
            |g, x| g.conv1d("conv", x, tensor(&[2, 4], 0), None, 1, 1),
            &["'conv'", "conv.weight [2, 4]", "taps"],
        ),
        (
            &[4, 6],
            |g, x| g.conv1d("conv", x, tensor(&[2, 3, 3], 0), None, 1, 1),
            &["'conv'", "expects 3 channels", "has 4", "x [4, 6]"],
        ),
        (
            &[4, 6],
            |g, x| g.conv1d("conv", x, tensor(&[2, 4, 3], 0), None, 0, 1),
            &["'conv'", "dilation", "is 0"],
        ),
        (
            &[4, 6],
            |g, x| {
                g.conv1d(
                    "conv",
                    x,
                    tensor(&[2, 4, 3], 0),
                    Some(tensor(&[4], 0).into()),
                    1,
                    1,
                )
            },
            &["'conv'", "conv.bias [4]", "shape [2]"],
        ),
        (
            &[4],
            |g, _| g.concat("cat", &[], 0),
            &["'cat'", "1 operand(s), has 0"],
        ),
        (
            &[4],
            |g, x| g.concat("cat", &[x, x], 1),
            &["'cat'", "axis 1", "rank is 1"],
        ),
        (
            &[2, 4],
            |g, x| {
                let s = g.slice("part", x, 1, 0, 3)?;
                g.concat("cat", &[x, s], 0)
            },
            &["'cat'", "'part'", "[2, 3]", "[2, 4]", "every axis but 0"],
        ),
        (
            &[4],
            |g, x| g.slice("part", x, 1, 0, 1),
            &["'part'", "axis 1", "x [4]"],
        ),
        (
            &[4],
            |g, x| g.slice("part", x, 0, 2, 5),
            &["'part'", "2..5", "0..4", "x [4]"],
        ),
        (
            &[4],
            |g, x| g.slice("part", x, 0, 2, 2),
            &["'part'", "2..2", "empty"],
        ),
        (
            &[4],
            |g, x| g.reshape("view", x, &[5]),
            &["'view'", "[5]", "x [4]"],
        ),
        (
            &[4],
            |g, x| g.reshape("view", x, &[usize::MAX, 2]),
            &["'view'", "x [4]"],
        ),
        (
            &[1],
            |g, x| g.reshape("scalar", x, &[]),
            &["'scalar'", "at least one axis"],
        ),
        (&[4], |g, x| g.delay("z", x, 0), &["'z'", "0 steps"]),
        (
            &[2, 4],
            |g, x| g.reduce("sum", ReduceOp::Sum, x, &[], true),
            &["'sum' (reduce_sum)", "[]", "0..2"],
        ),
        (
            &[2, 4],
            |g, x| g.reduce("max", ReduceOp::Max, x, &[1, 0], true),
            &["'max' (reduce_max)", "[1, 0]", "ascending"],
        ),
        (
            &[2, 4],
            |g, x| g.reduce("all", ReduceOp::Min, x, &[0, 1], false),
            &["'all' (reduce_min)", "at least one axis"],
        ),
        (
            &[2, 4],
            |g, x| g.transpose("t", x, &[0, 0]),
            &["'t' (transpose)", "[0, 0]", "every axis"],
        ),
        (
            &[2, 4],
            |g, x| g.index_select("pick", x, 1, &[0, 4]),
            &["'pick' (index_select)", "index 4", "axis 1, 0..4"],
        ),
        (
            &[2, 4],
            |g, x| g.index_select("pick", x, 2, &[0]),
            &["'pick'", "axis 2", "rank is 2"],
        ),
        (
            &[2, 4],
            |g, x| g.expand("wide", x, &[3, 4]),
            &["'wide' (expand)", "x [2, 4]", "[3, 4]"],
        ),
        (
            &[2, 4],
            |g, x| Ok(g.scan("rnn", cell(&[3]), 0, false, &[x])?[0]),
            &["'rnn' (scan)", "x [2, 4]", "cell.step [3]", "is [4]"],
        ),
        (
            &[2, 4],
            |g, x| Ok(g.scan("rnn", cell(&[4]), 2, false, &[x])?[0]),
            &["'rnn' (scan)", "no axis 2"],
        ),
        (
            &[2, 4],
            |g, x| Ok(g.scan("rnn", cell(&[4]), 0, false, &[x, x])?[0]),
            &["'rnn' (scan)", "1 operand(s), has 2"],
        ),
        (
            &[2, 4],
            |g, x| {
                let body = cell(&[4]).into();
                let (axis, reverse, output) = (0, false, 1);
                let op = Op::Scan {
                    body,
                    axis,
                    reverse,
                    output,
                };
                g.layer("rnn", op, &[x])
            },
            &["'rnn' (scan)", "output 1", "it has 1"],
        ),
        (
            &[4],
            |g, x| g.delay("z", x, usize::MAX),
            &["'z'", "18446744073709551615 steps", "1048576"],
        ),
        (
            &[usize::MAX],
            |g, x| g.concat("cat", &[x, x], 0),
            &["'cat'", "operand 'x'", "more than 2147483648"],
        ),
        (
            &[1 << 20],
            |g, x| g.concat("cat", &[x; 3000], 0),
            &["'cat'", "its result", "[3145728000]"],
        ),
        (
            &[usize::MAX, 2],
            |_, x| Ok(x),
            &["'x' (input)", "[18446744073709551615, 2]"],
        ),
    ];
    for (shape, build, parts) in cases {
        let (code, text) = error_of(shape, build);
        assert_eq!(code, "SL-C004", "{text}");
        says(&text, parts);
    }
}

#[test]
fn inputs_are_checked_at_the_end() {
    let (code, text) = error_of(&[], |g, x| g.relu("relu", x));
    assert_eq!(code, "SL-C004");
    says(&text, &["'relu'", "at least one axis"]);
    let mut g = GraphBuilder::new("net");
    let x = g.input("lonely", &[]);
    g.output(x);
    says(
        &g.finish().unwrap_err().to_string(),
        &["'lonely'", "at least one axis"],
    );
}

#[test]
fn zero_extents_are_refused() {
    let (code, text) = error_of(&[3, 0], |_, x| Ok(x));
    assert_eq!(code, "SL-C008");
    says(&text, &["'x'", "[3, 0]"]);
    let (code, text) = error_of(&[3], |g, x| g.linear("fc", x, tensor(&[0, 3], 0), None));
    assert_eq!(code, "SL-C008");
    says(&text, &["'fc'", "weight", "[0, 3]"]);
}

#[test]
fn non_finite_values_are_found_by_index() {
    let cases: [(Build, &[&str]); 5] = [
        (
            |g, x| {
                let mut w = tensor(&[2, 4], 0);
                w.data[6] = f32::NAN;
                g.linear("fc", x, w, None)
            },
            &["'fc'", "weight[1, 2] is NaN"],
        ),
        (
            |g, x| {
                let mut w = tensor(&[2, 4], 0);
                w.data[0] = f32::NEG_INFINITY;
                g.linear_sum(
                    "fc",
                    vec![(x, tensor(&[2, 4], 0).into()), (x, w.into())],
                    None,
                )
            },
            &["'fc'", "weight 1 [0, 0] is -inf"],
        ),
        (
            |g, x| {
                g.linear(
                    "fc",
                    x,
                    tensor(&[2, 4], 0),
                    Some(Tensor::vector(vec![0.0, f32::INFINITY]).into()),
                )
            },
            &["'fc'", "bias[1] is inf"],
        ),
        (
            |g, x| {
                let k = g.constant("k", Tensor::scalar(f32::NAN))?;
                g.add("sum", x, k)
            },
            &["'k'", "value[] is NaN"],
        ),
        (
            |g, x| g.clamp("bounded", x, f32::NAN, 1.0),
            &["'bounded'", "min[] is NaN"],
        ),
    ];
    for (build, parts) in cases {
        let (code, text) = error_of(&[4], build);
        assert_eq!(code, "SL-C007", "{text}");
        says(&text, parts);
    }
}

#[test]
fn infinite_clamp_bounds_are_fine() {
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", &[4]);
    let y = g
        .clamp("open", x, f32::NEG_INFINITY, f32::INFINITY)
        .unwrap();
    g.output(y);
    g.finish().unwrap();
}

#[test]
fn unsupported_forms_name_the_attribute_and_the_nearest() {
    let grouped: Build = |g, x| g.conv1d("conv", x, tensor(&[4, 2, 3], 0), None, 1, 2);
    let (code, text) = error_of(&[4, 6], grouped);
    assert_eq!(code, "SL-C006");
    says(
        &text,
        &["'conv' (conv1d)", "groups=2", "4 channels", "groups=4"],
    );
    let no_axis: Build = |g, x| {
        let row = g.input("row", &[6]);
        let row = g.linear("fc", row, tensor(&[6, 6], 0), None)?;
        let conv = g.conv1d("conv", x, tensor(&[4, 4, 1], 0), None, 1, 1)?;
        g.add("late", conv, row)
    };
    let (code, text) = error_of(&[4, 6], no_axis);
    assert_eq!(code, "SL-C006", "{text}");
    says(
        &text,
        &[
            "'late' (add)",
            "'fc'",
            "[6]",
            "[4, 6]",
            "axis 0, the data dimension",
        ],
    );
}

#[test]
fn refused_layers_leave_no_trace() {
    let mut g = GraphBuilder::new("net");
    let (x, open) = (g.input("x", &[4, 4]), g.input("open", &[4, 4]));
    let conv = g
        .conv1d("conv", x, tensor(&[4, 4, 1], 0), None, 1, 1)
        .unwrap();
    let before = g.graph().clone();
    assert!(g.add("shapes", x, conv).is_ok_and(|sum| sum.index() == 3));
    let after = g.graph().clone();
    assert_ne!(before, after);
    g.linear("wrong shape", x, tensor(&[4, 5], 0), None)
        .unwrap_err();
    g.linear("wrong axis", conv, tensor(&[4, 4], 0), None)
        .unwrap_err();
    // Settles `open` along axis 1 on its way to the conflict with `conv`.
    let terms = vec![
        (open, tensor(&[4, 4], 0).into()),
        (conv, tensor(&[4, 4], 0).into()),
    ];
    g.linear_sum("half right", terms, None).unwrap_err();
    assert_eq!(*g.graph(), after);
    assert_eq!(g.relu("next", open).unwrap().index(), 4);
}

#[test]
fn data_dimension_conflicts_name_both_layers() {
    let cases: [(&[usize], Build, &[&str]); 4] = [
        (
            &[4, 6],
            |g, x| {
                let conv = g.conv1d("conv", x, tensor(&[4, 4, 1], 0), None, 1, 1)?;
                g.linear("fc", conv, tensor(&[2, 6], 0), None)
            },
            &["'fc' (linear)", "'conv'", "axis 0", "axis 1"],
        ),
        (
            &[4, 4],
            |g, x| {
                let conv = g.conv1d("conv", x, tensor(&[4, 4, 1], 0), None, 1, 1)?;
                let k = g.constant("k", tensor(&[4, 4], 0))?;
                let mul = g.mul("mul", conv, k)?;
                let fc = g.linear("fc", mul, tensor(&[4, 4], 0), None)?;
                g.add("join", conv, fc)
            },
            &["'fc'", "'mul'", "axis 0", "axis 1"],
        ),
        (
            &[2, 6],
            |g, x| {
                let fc = g.linear("fc", x, tensor(&[6, 6], 0), None)?;
                let view = g.reshape("view", fc, &[6, 2])?;
                g.conv1d("conv", view, tensor(&[6, 6, 1], 0), None, 1, 1)
            },
            &["'conv'", "'view'", "axis 1", "axis 0"],
        ),
        (
            &[4, 6],
            |g, x| {
                let conv = g.conv1d("conv", x, tensor(&[4, 4, 1], 0), None, 1, 1)?;
                g.reshape("flat", conv, &[24])
            },
            &["'flat' (reshape)", "'conv'", "[24]", "stride of axis 0"],
        ),
    ];
    for (shape, build, parts) in cases {
        let (code, text) = error_of(shape, build);
        assert_eq!(code, "SL-C005", "{text}");
        says(&text, parts);
    }
}

fn dims(graph: &Graph) -> Vec<Option<usize>> {
    graph
        .node_ids()
        .map(|id| graph.node(id).ty.data_dim)
        .collect()
}

#[test]
fn data_dimensions_follow_from_use_in_both_directions() {
    // A convolution at the end decides for everything before it, through reshape and arithmetic.
    let mut g = GraphBuilder::new("backwards");
    let (x, y) = (g.input("x", &[4, 6]), g.input("y", &[1, 4, 6]));
    let k = g.constant("k", tensor(&[6], 0)).unwrap();
    let shifted = g.add("shifted", x, k).unwrap();
    let wide = g.reshape("wide", shifted, &[1, 4, 6]).unwrap();
    let sum = g.add("sum", wide, y).unwrap();
    let conv = g
        .conv1d("conv", sum, tensor(&[4, 4, 2], 0), None, 1, 1)
        .unwrap();
    g.output(conv);
    let axes = [Some(0), Some(1), None, Some(0), Some(1), Some(1), Some(1)];
    assert_eq!(dims(&g.finish().unwrap()), axes);
}

#[test]
fn untouched_inputs_take_the_last_axis_that_works() {
    let mut g = GraphBuilder::new("default");
    let (x, y) = (g.input("x", &[4, 6]), g.input("column", &[4, 1]));
    let (sum, id) = (g.add("sum", x, x).unwrap(), g.relu("relu", y).unwrap());
    let gate = g.mul("gate", sum, id).unwrap();
    g.output(gate);
    // `column` is broadcast along the data dimension.
    assert_eq!(dims(&g.finish().unwrap()), [Some(1); 5]);
    let mut g = GraphBuilder::new("default");
    let x = g.input("x", &[4, 6]);
    g.output(x);
    assert_eq!(dims(&g.finish().unwrap()), [Some(1)]);
}

#[test]
fn reshape_keeps_the_stride_and_takes_the_leftmost() {
    let through = |shape: &[usize]| {
        let mut g = GraphBuilder::new("reshape");
        let x = g.input("x", &[2, 6]);
        let h = g.linear("fc", x, tensor(&[6, 6], 0), None).unwrap();
        let y = g.reshape("view", h, shape).unwrap();
        g.output(y);
        g.finish().unwrap().node(y).ty.data_dim
    };
    assert_eq!(through(&[2, 6, 1]), Some(1));
    assert_eq!(through(&[2, 1, 6]), Some(2));
    assert_eq!(through(&[12]), Some(0));
    assert_eq!(through(&[2, 2, 3]), Some(2));
}

#[test]
fn data_dimensions_move_with_their_axes() {
    let of = |shape: &[usize], build: Build| {
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", shape);
        let last = shape[shape.len() - 1];
        let pinned = g.linear("fc", x, tensor(&[last, last], 0), None).unwrap();
        let y = build(&mut g, pinned).unwrap();
        g.output(y);
        g.finish().unwrap().node(y).ty.data_dim
    };
    let cases: [(&[usize], Build, usize); 11] = [
        (&[2, 3, 4], |g, x| g.unary("y", UnaryOp::Exp, x), 2),
        (&[2, 3, 4], |g, x| g.transpose("y", x, &[2, 0, 1]), 0),
        (&[2, 3, 4], |g, x| g.index_select("y", x, 1, &[2, 0]), 2),
        (&[2, 3, 4], |g, x| g.expand("y", x, &[5, 2, 3, 4]), 3),
        (
            &[2, 3, 4],
            |g, x| g.reduce("y", ReduceOp::Sum, x, &[2], true),
            2,
        ),
        (
            &[2, 3, 4],
            |g, x| g.reduce("y", ReduceOp::Sum, x, &[0], false),
            1,
        ),
        (
            &[2, 3, 4],
            |g, x| g.reduce("y", ReduceOp::Sum, x, &[2], false),
            1,
        ),
        (
            &[2, 3, 4],
            |g, x| g.reduce("y", ReduceOp::Sum, x, &[0, 2], false),
            0,
        ),
        (&[3, 1], |g, x| g.reshape("y", x, &[3, 1, 1]), 1),
        (&[3, 1], |g, x| g.reshape("y", x, &[3]), 0),
        (
            &[3, 4],
            |g, x| {
                let mean = g.reduce("mean", ReduceOp::Mean, x, &[1], true)?;
                g.sub("centred", x, mean)
            },
            1,
        ),
    ];
    for (i, (shape, build, axis)) in cases.into_iter().enumerate() {
        assert_eq!(of(shape, build), Some(axis), "case {i}");
    }
}

#[test]
fn states_and_updates_share_a_data_dimension() {
    // A convolution decides for the state before it, whichever of update and convolution comes first.
    for update_first in [false, true] {
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[4, 6]);
        let s = g.state("s", tensor(&[4, 6], 0)).unwrap();
        let sum = g.add("sum", s, s).unwrap();
        if update_first {
            g.update(s, x).unwrap();
        }
        let conv = g.conv1d("conv", sum, tensor(&[4, 4, 1], 0), None, 1, 1);
        g.output(conv.unwrap());
        if !update_first {
            g.update(s, x).unwrap();
        }
        assert_eq!(dims(&g.finish().unwrap()), [Some(0); 4], "{update_first}");
    }
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", &[4, 4]);
    let fc = g.linear("fc", x, tensor(&[4, 4], 0), None).unwrap();
    let s = g.state("s", tensor(&[4, 4], 0)).unwrap();
    let conv = g.conv1d("conv", s, tensor(&[4, 4, 1], 0), None, 1, 1);
    let error = g.update(s, fc).unwrap_err();
    assert_eq!(error.code(), "SL-C005");
    says(&error.to_string(), &["'fc'", "axis 0", "axis 1"]);
    assert!(
        g.graph().updates.is_empty(),
        "a refused update leaves no trace"
    );
    g.update(s, conv.unwrap()).unwrap();
}

#[test]
fn updates_are_checked() {
    type Break = fn(&mut Graph);
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", &[4]);
    let s = g.state("s", tensor(&[4], 0)).unwrap();
    let short = g.slice("short", x, 0, 0, 3).unwrap();
    let wide = g.precision(Precision::Fp32).relu("wide", x).unwrap();
    g.output(s).output(short);
    let lost = g.clone().finish().unwrap_err();
    assert_eq!(lost.code(), "SL-C003");
    says(&lost.to_string(), &["'s'", "no update"]);
    let wrong = [
        (x, x, "'x'", "only a state"),
        (s, short, "short [3]", "same shape"),
        (s, wide, "'wide'", "own precision"),
    ];
    for (state, value, name, problem) in wrong {
        let text = g.update(state, value).unwrap_err().to_string();
        says(&text, &[name, problem]);
    }
    g.update(s, x).unwrap();
    let text = g.update(s, x).unwrap_err().to_string();
    says(&text, &["'s'", "already"]);
    let graph = g.finish().unwrap();
    let break_it: [(Break, &str); 3] = [
        (|g| g.updates.clear(), "no update"),
        (
            |g| *g.updates.values_mut().next().unwrap() = g.outputs[1],
            "same shape",
        ),
        (
            |g| g.updates.extend([(g.inputs[0], g.outputs[0])]),
            "not a state",
        ),
    ];
    for (f, problem) in break_it {
        let mut broken = graph.clone();
        f(&mut broken);
        says(&broken.verify().unwrap_err().to_string(), &[problem]);
    }
}

#[test]
fn what_an_update_reads_is_alive() {
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", &[4]);
    let s = g.state("s", tensor(&[4], 0)).unwrap();
    let next = g.relu("next", x).unwrap();
    let dead = g.state("dead", tensor(&[4], 0)).unwrap();
    g.update(s, next).unwrap();
    g.update(dead, next).unwrap();
    g.output(s);
    // The input feeds the output through the state, an inference later.
    let mut graph = g.finish().unwrap();
    EliminateDead.run(&mut graph).unwrap();
    graph.verify().unwrap();
    assert_eq!(graph.node_ids().collect::<Vec<_>>(), [x, s, next]);
    assert_eq!(graph.updates.len(), 1);
    graph.replace_uses(next, x);
    assert_eq!(graph.updates[&s], x);
}

#[test]
fn operands_of_another_graph_are_dangling() {
    let mut other = GraphBuilder::new("other");
    let far = (0..9)
        .map(|i| other.input(format!("x{i}"), &[4]))
        .last()
        .unwrap();
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", &[4]);
    let text = g.add("sum", x, far).unwrap_err().to_string();
    says(&text, &["'sum'", "operand 1", "%8"]);
    g.output(far);
    let error = g.finish().unwrap_err();
    assert_eq!(error.code(), "SL-C003");
    says(&error.to_string(), &["output", "%8"]);
}

#[test]
fn empty_graphs_say_what_is_missing() {
    for graph in [Graph::new("nothing"), Graph::default()] {
        assert_eq!(graph.verify().unwrap_err().code(), "SL-C001");
    }
    let mut g = GraphBuilder::new("silent");
    g.input("x", &[4]);
    says(
        &g.finish().unwrap_err().to_string(),
        &["'silent'", "no output"],
    );
    let mut g = GraphBuilder::new("deaf");
    let k = g.constant("k", Tensor::scalar(1.0)).unwrap();
    g.output(k);
    says(
        &g.finish().unwrap_err().to_string(),
        &["'deaf'", "no input"],
    );
}

#[test]
fn unused_inputs_are_named() {
    let mut g = GraphBuilder::new("net");
    let (x, y) = (g.input("x", &[4]), g.input("forgotten", &[4]));
    g.relu("goes nowhere", y).unwrap();
    g.output(x).output(x);
    let error = g.finish().unwrap_err();
    assert_eq!(error.code(), "SL-C010");
    says(&error.to_string(), &["'net'", "'forgotten'"]);
}

fn valid() -> Graph {
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", &[4]);
    let k = g.constant("k", tensor(&[4], 0)).unwrap();
    let a = g.add("a", x, k).unwrap();
    let b = g.clamp("b", a, -1.0, 1.0).unwrap();
    let c = g.mul("c", b, b).unwrap();
    g.output(c).output(c);
    g.finish().unwrap()
}

fn named(graph: &Graph, name: &str) -> NodeId {
    graph
        .node_ids()
        .find(|&id| graph.node(id).name == name)
        .unwrap()
}

/// The error of a graph that was valid before `f`.
fn after(f: impl FnOnce(&mut Graph)) -> (&'static str, String) {
    let mut graph = valid();
    f(&mut graph);
    let error = graph.verify().unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn cycles_are_listed_in_data_flow_order() {
    let mut graph = valid();
    let (a, b, c) = (named(&graph, "a"), named(&graph, "b"), named(&graph, "c"));
    graph.connect(c, a);
    let error = graph.nodes_topological().unwrap_err();
    assert_eq!(error.code(), "SL-C002");
    says(&error.to_string(), &["'net'", "'a' -> 'b' -> 'c'"]);
    assert_eq!(graph.verify().unwrap_err(), error);
    let mut graph = valid();
    graph.set_inputs(b, vec![b]);
    says(&graph.verify().unwrap_err().to_string(), &["through 'b';"]);
}

#[test]
fn broken_graphs_are_refused() {
    type Break = fn(&mut Graph);
    let cases: [(Break, &str, &[&str]); 9] = [
        (
            |g| {
                let k = named(g, "k");
                g.remove(k);
            },
            "SL-C003",
            &["'a'", "operand 1", "%1"],
        ),
        (
            |g| {
                let b = named(g, "b");
                g.node_mut(b).inputs = vec![g.inputs[0]];
            },
            "SL-C003",
            &["'b'", "operand 0", "disagree"],
        ),
        (
            |g| {
                let b = named(g, "b");
                g.node_mut(b).ty.shape = vec![5];
            },
            "SL-C004",
            &["'b'", "a [4]", "[5]"],
        ),
        (
            |g| {
                let b = named(g, "b");
                g.node_mut(b).ty.data_dim = None;
            },
            "SL-C005",
            &["'b'", "none is set"],
        ),
        (
            |g| {
                let k = named(g, "k");
                g.node_mut(k).ty.data_dim = Some(0);
            },
            "SL-C005",
            &["'k'", "axis 0"],
        ),
        (
            |g| {
                let x = named(g, "x");
                g.node_mut(x).ty.data_dim = Some(1);
            },
            "SL-C005",
            &["'x'", "axis 1", "[4]"],
        ),
        (
            |g| {
                let k = named(g, "k");
                g.node_mut(k).op = Op::Constant(Arc::new(Tensor {
                    shape: vec![4],
                    data: vec![0.0; 3],
                }));
            },
            "SL-C009",
            &["[4]", "4 values", "3 were"],
        ),
        (|g| g.inputs.clear(), "SL-C001", &["no input"]),
        (
            |g| {
                g.add_unchecked(Node {
                    name: "smuggled".to_owned(),
                    op: Op::Input { index: 1 },
                    inputs: vec![],
                    ty: TensorType {
                        shape: vec![4],
                        data_dim: Some(0),
                        precision: Precision::Bf16,
                    },
                });
            },
            "SL-C090",
            &["lists 1 inputs", "has 2"],
        ),
    ];
    for (f, expected, parts) in cases {
        let (code, text) = after(f);
        assert_eq!(code, expected, "{text}");
        says(&text, parts);
    }
}

#[test]
fn order_is_operands_first_then_smallest_number() {
    let graph = valid();
    let order: Vec<_> = graph
        .nodes_topological()
        .unwrap()
        .into_iter()
        .map(NodeId::index)
        .collect();
    assert_eq!(order, [0, 1, 2, 3, 4]);
    let mut graph = valid();
    let (x, k) = (named(&graph, "x"), named(&graph, "k"));
    let late = graph.add_unchecked(Node {
        name: "late".to_owned(),
        ..graph.node(k).clone()
    });
    graph.set_inputs(named(&graph, "a"), vec![x, late]);
    let order: Vec<_> = graph
        .nodes_topological()
        .unwrap()
        .into_iter()
        .map(NodeId::index)
        .collect();
    assert_eq!(order, [0, 1, 5, 2, 3, 4]);
    assert_eq!(graph.users(late), [named(&graph, "a")]);
}
