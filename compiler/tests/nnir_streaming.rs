//! Streaming: step i of the transformed graph is slice i of the original's output.

mod nnir_common;

use std::cmp::Ordering;

use nnir_common::{Kind, count, graph, inputs, tensor, value};
use proptest::prelude::*;
use sluice_compiler::error::{CompileError, Result};
use sluice_compiler::nnir::{
    Evaluator, Graph, GraphBuilder, NodeId, Op, ReduceOp, Tensor, UnaryOp,
};

/// Values, so that zeros of either sign agree: padding adds nothing where a delay adds `w * 0`.
fn same_values(a: &Tensor, b: &Tensor) -> bool {
    a.shape == b.shape
        && a.data
            .iter()
            .zip(&b.data)
            .all(|(x, y)| x.partial_cmp(y) == Some(Ordering::Equal))
}

/// Runs both; the first output and step that differ.
fn first_difference(
    whole: &Graph,
    axes: &[usize],
    streamed: &Graph,
    out_axes: &[usize],
    given: &[Tensor],
) -> Option<(usize, usize)> {
    let expected = Evaluator::new(whole).unwrap().run(given).unwrap();
    let mut eval = Evaluator::new(streamed).unwrap();
    for at in 0..given[0].shape[axes[0]] {
        let slices: Vec<_> = given
            .iter()
            .zip(axes)
            .map(|(x, &axis)| x.step(axis, at))
            .collect();
        for (o, y) in eval.run(&slices).unwrap().iter().enumerate() {
            if !same_values(y, &expected[o].step(out_axes[o], at)) {
                return Some((o, at));
            }
        }
    }
    None
}

fn check(whole: &Graph, axes: &[usize]) -> (Graph, Vec<usize>) {
    let (streamed, out_axes) = whole.streaming_transform(axes).unwrap();
    let given = inputs(whole, 3);
    assert_eq!(
        first_difference(whole, axes, &streamed, &out_axes, &given),
        None,
        "{whole}{streamed}"
    );
    (streamed, out_axes)
}

fn network(
    shape: &[usize],
    build: impl FnOnce(&mut GraphBuilder, NodeId) -> Result<NodeId>,
) -> Graph {
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", shape);
    let y = build(&mut g, x).unwrap();
    g.output(y);
    g.finish().unwrap()
}

#[test]
fn one_convolution_becomes_a_matrix_per_tap() {
    let whole = network(&[3, 10], |g, x| {
        g.conv1d(
            "conv",
            x,
            tensor(&[2, 3, 3], 1),
            Some(tensor(&[2], 2).into()),
            2,
            1,
        )
    });
    let (streamed, axes) = check(&whole, &[1]);
    assert_eq!(axes, [1]);
    insta::assert_snapshot!("nnir_streamed_conv", streamed);
}

#[test]
fn depthwise_taps_are_diagonal() {
    let whole = network(&[3, 8], |g, x| {
        g.conv1d("dw", x, tensor(&[3, 1, 2], 5), None, 3, 3)
    });
    let (streamed, _) = check(&whole, &[1]);
    let Op::Linear { weights, .. } = &streamed.node(streamed.outputs[0]).op else {
        panic!("{streamed}")
    };
    for (tap, w) in weights.iter().enumerate() {
        for (i, &v) in w.data.iter().enumerate() {
            let expected = if i / 3 == i % 3 {
                value(5 * 977 + (i / 3) * 2 + tap)
            } else {
                0.0
            };
            assert!(
                v.to_bits() == expected.to_bits(),
                "tap {tap}, element {i}: {v}"
            );
        }
    }
}

#[test]
fn stacked_dilated_batched_and_residual() {
    let whole = network(&[2, 4, 12], |g, x| {
        let h = g.conv1d(
            "conv1",
            x,
            tensor(&[4, 4, 3], 1),
            Some(tensor(&[4], 2).into()),
            1,
            1,
        )?;
        let h = g.relu("relu1", h)?;
        let h = g.conv1d("conv2", h, tensor(&[4, 4, 2], 3), None, 4, 1)?;
        let scale = g.constant("scale", tensor(&[4, 1], 9))?;
        let h = g.mul("scaled", h, scale)?;
        let h = g.add("residual", h, x)?;
        let h = g.reshape("unsqueeze", h, &[2, 1, 4, 12])?;
        let a = g.slice("low", h, 2, 0, 1)?;
        let b = g.slice("high", h, 2, 2, 4)?;
        g.concat("shuffled", &[b, a], 2)
    });
    let (streamed, axes) = check(&whole, &[2]);
    assert_eq!(axes, [3]);
    let y = &streamed.node(streamed.outputs[0]).ty;
    assert_eq!((&y.shape[..], y.data_dim), (&[2, 1, 3][..], Some(2)));
}

#[test]
fn linear_layers_stream_along_any_leading_axis() {
    let whole = network(&[5, 2, 3], |g, x| {
        let h = g.linear("fc1", x, tensor(&[4, 3], 1), Some(tensor(&[4], 2).into()))?;
        let k = g.constant("k", tensor(&[1, 2, 1], 4))?;
        g.add("shift", h, k)
    });
    assert_eq!(check(&whole, &[0]).1, [0]);
    let whole = network(&[2, 5, 3], |g, x| {
        g.linear("fc1", x, tensor(&[4, 3], 1), None)
    });
    assert_eq!(check(&whole, &[1]).1, [1]);
}

#[test]
fn readers_of_the_same_past_share_a_delay() {
    let whole = network(&[2, 9], |g, x| {
        let a = g.conv1d("a", x, tensor(&[2, 2, 3], 1), None, 1, 1)?;
        let b = g.conv1d("b", x, tensor(&[2, 2, 2], 2), None, 2, 1)?;
        g.max("join", a, b)
    });
    let (streamed, _) = check(&whole, &[1]);
    assert_eq!(
        count(&streamed, |op| matches!(op, Op::Delay { .. })),
        2,
        "{streamed}"
    );
}

#[test]
fn a_wrong_delay_or_weight_is_noticed() {
    let whole = network(&[2, 9], |g, x| {
        g.conv1d("a", x, tensor(&[2, 2, 3], 1), None, 2, 1)
    });
    let (streamed, out_axes) = check(&whole, &[1]);
    let given = inputs(&whole, 3);
    let delay = streamed
        .node_ids()
        .find(|&id| matches!(streamed.node(id).op, Op::Delay { .. }))
        .unwrap();
    let mut late = streamed.clone();
    if let Op::Delay { steps } = &mut late.node_mut(delay).op {
        *steps += 1;
    }
    assert!(first_difference(&whole, &[1], &late, &out_axes, &given).is_some());
    let mut bent = streamed.clone();
    if let Op::Linear { weights, .. } = &mut bent.node_mut(streamed.outputs[0]).op {
        let tap = std::sync::Arc::make_mut(&mut weights[0]);
        tap.data[0] = f32::from_bits(tap.data[0].to_bits() ^ 0x0040_0000);
    }
    assert!(first_difference(&whole, &[1], &bent, &out_axes, &given).is_some());
}

#[test]
fn streaming_takes_one_axis_per_input_in_signature_order() {
    let mut g = GraphBuilder::new("two");
    let (x, y) = (g.input("x", &[2, 7]), g.input("y", &[2, 7]));
    let h = g.conv1d("h", y, tensor(&[2, 2, 2], 1), None, 1, 1).unwrap();
    let s = g.sub("s", h, x).unwrap();
    g.output(s).output(x);
    let whole = g.finish().unwrap();
    let (streamed, axes) = check(&whole, &[1, 1]);
    assert_eq!(axes, [1, 1]);
    let names: Vec<_> = streamed
        .inputs
        .iter()
        .map(|&id| streamed.node(id).name.as_str())
        .collect();
    assert_eq!(names, ["x", "y"]);
    let error = whole.streaming_transform(&[1]).unwrap_err();
    assert!(
        error.to_string().contains("2 inputs") && error.to_string().contains("1 given"),
        "{error}"
    );
}

/// Code and text of the error for a network that cannot stream along `axis`.
fn refused(
    shape: &[usize],
    axis: usize,
    build: impl FnOnce(&mut GraphBuilder, NodeId) -> Result<NodeId>,
) -> (&'static str, String) {
    let error: CompileError = network(shape, build)
        .streaming_transform(&[axis])
        .unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn what_cannot_stream_says_where_and_why() {
    type Build = fn(&mut GraphBuilder, NodeId) -> Result<NodeId>;
    type Case<'c> = (&'c str, &'c [usize], usize, Build, &'c [&'c str]);
    let cases: [Case<'_>; 14] = [
        (
            "out of range",
            &[4, 6],
            2,
            |g, x| g.relu("relu", x),
            &["axis 2", "'x'", "[4, 6]", "no such axis"],
        ),
        (
            "nothing left",
            &[6],
            0,
            |g, x| g.relu("relu", x),
            &["axis 0", "'x'", "[6]", "add a feature axis"],
        ),
        (
            "contracted",
            &[6, 4],
            1,
            |g, x| g.linear("fc", x, tensor(&[2, 4], 0), None),
            &["axis 1", "'fc'", "[6, 4]", "contracts this axis"],
        ),
        (
            "channels",
            &[4, 6],
            0,
            |g, x| g.conv1d("conv", x, tensor(&[2, 4, 2], 0), None, 1, 1),
            &["axis 0", "'conv'", "[4, 6]", "runs along axis 1"],
        ),
        (
            "slice in time",
            &[4, 6],
            1,
            |g, x| {
                let h = g.conv1d("conv", x, tensor(&[2, 4, 2], 0), None, 1, 1)?;
                g.slice("last", h, 1, 5, 6)
            },
            &["axis 1", "'last'", "[2, 6]", "one step cannot reach"],
        ),
        (
            "concat in time",
            &[4, 6],
            0,
            |g, x| g.concat("cat", &[x, x], 0),
            &["axis 0", "'cat'", "[4, 6]"],
        ),
        (
            "sum over time",
            &[6, 4],
            0,
            |g, x| g.reduce("total", ReduceOp::Sum, x, &[0], true),
            &["axis 0", "'total'", "[6, 4]", "one step cannot reach"],
        ),
        (
            "selection in time",
            &[6, 4],
            0,
            |g, x| g.index_select("some", x, 0, &[1]),
            &["axis 0", "'some'", "[6, 4]", "one step cannot reach"],
        ),
        (
            "repeated step",
            &[1, 4],
            0,
            |g, x| g.expand("again", x, &[6, 4]),
            &["axis 0", "'again'", "[6, 4]", "repeats one step"],
        ),
        (
            "reshape of time",
            &[6, 4],
            0,
            |g, x| g.reshape("fold", x, &[2, 3, 4]),
            &["axis 0", "'fold'", "[6, 4]", "[2, 3, 4]"],
        ),
        (
            "constant over time",
            &[6, 4],
            0,
            |g, x| {
                let k = g.constant("ramp", tensor(&[6, 1], 0))?;
                g.add("sum", x, k)
            },
            &["axis 0", "'ramp'", "[6, 1]", "'sum'"],
        ),
        (
            "time against features",
            &[4, 4],
            0,
            |g, x| {
                let wide = g.reshape("wide", x, &[4, 1, 4])?;
                g.add("outer", wide, x)
            },
            &["'outer'", "'x'", "'wide'", "[4, 1, 4]", "[4, 4]"],
        ),
        (
            "already streaming",
            &[6, 4],
            0,
            |g, x| g.delay("z", x, 1),
            &["'z'", "already holds state"],
        ),
        (
            "far past",
            &[1, 2],
            1,
            |g, x| g.conv1d("conv", x, tensor(&[1, 1, 3], 0), None, usize::MAX, 1),
            &["'conv'", "3 taps", "reach back"],
        ),
    ];
    for (case, shape, axis, build, parts) in cases {
        let (code, text) = refused(shape, axis, build);
        assert!(code == "SL-C013" || code == "SL-C006", "{case}: {code}");
        for part in parts {
            assert!(text.contains(part), "{case}: {part} is missing in {text}");
        }
    }
}

/// `h' = tanh(x + h)` of two values.
fn cell() -> Graph {
    let mut g = GraphBuilder::new("cell");
    let x = g.input("x", &[2]);
    let h = g.state("h", tensor(&[2], 3)).unwrap();
    let sum = g.add("sum", x, h).unwrap();
    let next = g.unary("next", UnaryOp::Tanh, sum).unwrap();
    g.update(h, next).unwrap();
    g.output(next).output(h);
    g.finish().unwrap()
}

#[test]
fn scans_become_states() {
    let whole = network(&[2, 5], |g, x| {
        let y = g.scan("rnn", cell(), 1, false, &[x])?;
        let sum = g.add("sum", y[0], y[1])?;
        let turned = g.transpose("turned", sum, &[1, 0])?;
        let mean = g.reduce("mean", ReduceOp::Mean, turned, &[1], true)?;
        let centred = g.sub("centred", turned, mean)?;
        let wide = g.expand("wide", centred, &[3, 5, 2])?;
        g.reduce("largest", ReduceOp::Max, wide, &[0], false)
    });
    let (streamed, axes) = check(&whole, &[1]);
    assert_eq!(axes, [0]);
    let states = count(&streamed, |op| matches!(op, Op::State { .. }));
    assert_eq!(states, 1, "both outputs share a run: {streamed}");
    let mut forgetful = streamed.clone();
    let (&state, _) = streamed.updates.iter().next().unwrap();
    forgetful.updates.insert(state, state);
    let given = inputs(&whole, 3);
    assert!(first_difference(&whole, &[1], &forgetful, &axes, &given).is_some());
}

#[test]
fn scans_that_do_not_stream_say_why() {
    let backwards = |g: &mut GraphBuilder, x| Ok(g.scan("rnn", cell(), 1, true, &[x])?[0]);
    let forwards = |g: &mut GraphBuilder, x| Ok(g.scan("rnn", cell(), 0, false, &[x])?[0]);
    let held = |g: &mut GraphBuilder, x| {
        let s = g.state("memory", tensor(&[2, 2], 0))?;
        g.update(s, x)?;
        Ok(s)
    };
    let cases: [(Graph, &str, &str); 3] = [
        (network(&[2, 2], backwards), "'rnn.0'", "the last step"),
        (network(&[2, 2], forwards), "'rnn.0'", "runs along axis 0"),
        (network(&[2, 2], held), "'memory'", "already holds state"),
    ];
    for (graph, layer, problem) in cases {
        let text = graph.streaming_transform(&[1]).unwrap_err().to_string();
        assert!(text.contains(layer) && text.contains(problem), "{text}");
    }
}

#[test]
fn constant_outputs_do_not_stream() {
    let mut g = GraphBuilder::new("net");
    let x = g.input("x", &[6, 4]);
    let k = g.constant("forty two", Tensor::vector(vec![42.0])).unwrap();
    g.output(x).output(k);
    let error = g.finish().unwrap().streaming_transform(&[0]).unwrap_err();
    assert_eq!(error.code(), "SL-C006");
    assert!(error.to_string().contains("'forty two'"), "{error}");
}

proptest! {
    #[test]
    fn random_networks_stream_exactly(choices in prop::collection::vec(any::<u16>(), 0..60), seed in 0_usize..1000) {
        let whole = graph(Kind::Sequence, &choices);
        let axes: Vec<_> = whole.inputs.iter().map(|&id| whole.node(id).ty.shape.len() - 1).collect();
        let (streamed, out_axes) = whole.streaming_transform(&axes).unwrap();
        let given = inputs(&whole, seed);
        prop_assert_eq!(first_difference(&whole, &axes, &streamed, &out_axes, &given), None, "{}{}", whole, streamed);
    }
}
