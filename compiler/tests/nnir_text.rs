//! The text form: golden listings, exact round trips, parse errors that say where.

mod nnir_common;

use nnir_common::{Kind, graph, tensor};
use proptest::prelude::*;
use sluice_compiler::error::CompileError;
use sluice_compiler::nnir::text::INLINE;
use sluice_compiler::nnir::{
    Constants, Graph, GraphBuilder, PointwiseOp, Precision, ReduceOp, Tensor, UnaryOp,
};
use sluice_compiler::passes::PassManager;

/// Where sizes, axes and node numbers go wrong.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "99",
    "65536",
    "1048577",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
];

/// Every operation once.
fn everything() -> Graph {
    let mut g = GraphBuilder::new("every \"op\"");
    let x = g.input("x", &[2, 4, 3]);
    let c = g
        .conv1d(
            "conv",
            x,
            tensor(&[4, 4, 1], 1),
            Some(tensor(&[4], 2).into()),
            3,
            1,
        )
        .unwrap();
    let dw = g
        .conv1d("depthwise", c, tensor(&[4, 1, 2], 3), None, 1, 4)
        .unwrap();
    let r = g.relu("relu", dw).unwrap();
    let k = g.constant("k", Tensor::scalar(-0.0)).unwrap();
    let s = g.add("plus", r, k).unwrap();
    let m = g.max("max", s, x).unwrap();
    let v = g.slice("last step", m, 2, 2, 3).unwrap();
    let v = g.reshape("squeeze", v, &[2, 4]).unwrap();
    let d = g.delay("yesterday", v, 2).unwrap();
    let l = g
        .linear_sum(
            "fc",
            vec![
                (v, tensor(&[3, 4], 4).into()),
                (d, tensor(&[3, 4], 5).into()),
            ],
            None,
        )
        .unwrap();
    let l = g
        .precision(Precision::Fp32)
        .clamp("bounded", l, f32::NEG_INFINITY, 1.0e-3)
        .unwrap();
    let y = g.concat("twice", &[l, l], 0).unwrap();
    g.precision(Precision::Bf16);
    let t = g.transpose("turned", v, &[1, 0]).unwrap();
    let mut u = g.unary("function 0", UnaryOp::ALL[0], t).unwrap();
    for (i, op) in UnaryOp::ALL.into_iter().enumerate().skip(1) {
        u = g.unary(format!("function {i}"), op, u).unwrap();
    }
    for op in &PointwiseOp::ALL[1..] {
        u = g.pointwise(op.name(), *op, u, t).unwrap();
    }
    let mut sums: Vec<_> = ReduceOp::ALL
        .map(|op| g.reduce(op.name(), op, u, &[0], true).unwrap())
        .into();
    sums.push(g.reduce("gone", ReduceOp::Max, u, &[1], false).unwrap());
    sums[4] = g.reshape("column", sums[4], &[4, 1]).unwrap();
    let all = g.concat("all", &sums[..4], 0).unwrap();
    let wide = g.expand("wide", sums[4], &[1, 4, 2]).unwrap();
    let some = g.index_select("some", all, 1, &[1, 1, 0]).unwrap();
    let h = g.state("h", Tensor::zeros([8, 3])).unwrap();
    let next = g.concat("next", &[some, some], 0).unwrap();
    g.update(h, next).unwrap();
    let scans = g.scan("rnn", cell(), 0, true, &[v]).unwrap();
    g.output(y).output(v).output(y).output(wide).output(h);
    g.output(scans[0]).output(scans[1]);
    g.finish().unwrap()
}

/// `h' = sigmoid(x + h)`, inside a scan of its own for the nesting.
fn cell() -> Graph {
    let mut g = GraphBuilder::new("inner");
    let x = g.input("x", &[1]);
    let h = g.state("h", Tensor::vector(vec![0.5])).unwrap();
    let sum = g.add("sum", x, h).unwrap();
    let next = g.unary("next", UnaryOp::Sigmoid, sum).unwrap();
    g.update(h, next).unwrap();
    g.output(next);
    let body = g.finish().unwrap();
    let mut g = GraphBuilder::new("outer");
    let x = g.input("x", &[4]);
    let column = g.reshape("column", x, &[4, 1]).unwrap();
    let y = g.scan("nested", body, 0, false, &[column]).unwrap()[0];
    let y = g.reshape("row", y, &[4]).unwrap();
    g.output(y).output(x);
    g.finish().unwrap()
}

fn round_trip(graph: &Graph) -> Graph {
    graph
        .to_string()
        .parse()
        .unwrap_or_else(|e| panic!("{e}\n{graph}"))
}

#[test]
fn golden_full() {
    insta::assert_snapshot!("nnir_every_op_full", everything());
}

#[test]
fn golden_summary() {
    insta::assert_snapshot!(
        "nnir_every_op_summary",
        everything().text(Constants::Summary)
    );
}

#[test]
fn every_operation_round_trips() {
    let graph = everything();
    assert_eq!(round_trip(&graph), graph);
}

#[test]
fn a_flipped_bit_or_another_name_is_another_graph() {
    let graph = everything();
    let text = graph.to_string();
    let digits = text.find("0x").unwrap() + 2;
    let mut bytes = text.clone().into_bytes();
    bytes[digits + 7] = if bytes[digits + 7] == b'1' {
        b'0'
    } else {
        b'1'
    };
    let flipped: Graph = String::from_utf8(bytes).unwrap().parse().unwrap();
    assert_ne!(flipped, graph);
    let renamed: Graph = text.replace("\"fc\"", "\"fd\"").parse().unwrap();
    assert_ne!(renamed, graph);
}

#[test]
fn holes_in_the_numbering_survive() {
    let mut graph = everything();
    let k = graph
        .node_ids()
        .find(|&id| graph.node(id).name == "plus")
        .unwrap();
    graph.replace_uses(k, graph.node(k).inputs[0]);
    let constant = graph.node(k).inputs[1];
    graph.remove(k);
    graph.remove(constant);
    let parsed = round_trip(&graph);
    assert_eq!(parsed, graph);
    assert!(parsed.get(k).is_none());
}

#[test]
fn names_with_any_character_round_trip() {
    for name in [
        "",
        "a\"b\\c",
        "new\nline\ttab\r\0",
        "Größe 网络 🎛",
        "\u{7f}\u{202e}",
        "} output %0",
    ] {
        let mut g = GraphBuilder::new(name);
        let x = g.input(name, &[1]);
        g.output(x);
        let graph = g.finish().unwrap();
        assert_eq!(round_trip(&graph), graph, "{name:?}");
    }
}

#[test]
fn extreme_constants_round_trip() {
    for data in [
        vec![f32::MAX, f32::MIN_POSITIVE, 1.0e-45, -0.0, 0.1],
        (0..=INLINE)
            .map(|i| if i == 3 { -0.0 } else { f32::MIN })
            .collect(),
    ] {
        let mut g = GraphBuilder::new("extreme");
        let x = g.input("x", &[data.len()]);
        let k = g.constant("k", Tensor::vector(data)).unwrap();
        let y = g.min("y", x, k).unwrap();
        g.output(y);
        let graph = g.finish().unwrap();
        assert_eq!(round_trip(&graph), graph);
    }
}

#[test]
fn summaries_say_that_they_are_summaries() {
    let error = everything()
        .text(Constants::Summary)
        .parse::<Graph>()
        .unwrap_err();
    assert_eq!(
        error,
        CompileError::SummaryText {
            line: 3,
            shape: "[4, 4, 1]".to_owned()
        }
    );
    assert!(
        error.to_string().contains("line 3") && error.to_string().contains("Constants::Full"),
        "{error}"
    );
}

#[test]
fn summaries_tell_constants_apart() {
    let of = |seed| {
        let mut g = GraphBuilder::new("digest");
        let x = g.input("x", &[9]);
        let k = g.constant("k", tensor(&[9], seed)).unwrap();
        let y = g.mul("y", x, k).unwrap();
        g.output(y);
        g.finish().unwrap().text(Constants::Summary)
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn comments_and_blank_lines_are_skipped() {
    let text = "// made by hand\n\ngraph \"g\" {\n  %7 = input \"x\" () index=0 : bf16[2] data_dim=0\n  output %7\n}\n";
    let graph: Graph = text.parse().unwrap();
    assert_eq!(graph.inputs[0].to_string(), "%7");
}

#[test]
fn parse_errors_carry_the_line_and_what_was_expected() {
    let good = "graph \"g\" {\n  %0 = input \"x\" () index=0 : bf16[2] data_dim=0\n  \
                %1 = clamp \"y\" (%0) min=0.0 max=inf : bf16[2] data_dim=0\n  output %1\n}\n";
    good.parse::<Graph>().unwrap();
    let cases = [
        ("graph \"g\"", "net \"g\"", 1, "'graph'"),
        ("\"g\" {", "\"g {", 1, "closing"),
        ("= clamp", "= crimp", 3, "an operation"),
        ("= clamp", "clamp", 3, "'='"),
        ("min=0.0", "min=zero", 3, "a number"),
        ("min=0.0", "low=0.0", 3, "'min'"),
        ("max=inf", "", 3, "'max'"),
        ("(%0)", "(%9)", 3, "%9 is used but not defined"),
        ("(%0)", "(%0", 3, "','"),
        ("output %1", "output %5", 4, "%5 is used but not defined"),
        ("%1 = clamp", "%0 = clamp", 3, "%0"),
        ("%1 = clamp", "%65536 = clamp", 3, "65535"),
        (
            "%1 = clamp",
            "%99999999999999999999 = clamp",
            3,
            "a whole number",
        ),
        (
            "bf16[2] data_dim=0\n  %1",
            "int8[2] data_dim=0\n  %1",
            2,
            "'bf16' or 'fp32'",
        ),
        (
            "data_dim=0\n  %1",
            "data_dim=0 extra\n  %1",
            2,
            "the end of the line",
        ),
        ("index=0", "index=-1", 2, "a whole number"),
        ("\n}", "\n", 4, "'}'"),
        ("}\n", "}\n}\n", 6, "nothing after"),
        (
            "clamp \"y\" (%0) min=0.0 max=inf",
            "constant \"y\" () value=[2]{1.0}",
            3,
            "needs 2 values, 1 were given",
        ),
        (
            "clamp \"y\" (%0) min=0.0 max=inf",
            "constant \"y\" () value=[2]0x3f8",
            3,
            "8 hexadecimal digits",
        ),
        (
            "clamp \"y\" (%0) min=0.0 max=inf",
            "constant \"y\" () value=[2]?",
            3,
            "bits",
        ),
        ("\"y\"", "\"\\q\"", 3, "known escapes"),
    ];
    for (from, to, line, expected) in cases {
        assert!(good.contains(from), "{from}");
        let error = good.replacen(from, to, 1).parse::<Graph>().unwrap_err();
        let CompileError::Parse { line: found, .. } = error else {
            panic!("{from} -> {to}: {error}")
        };
        let text = error.to_string();
        assert!(
            found == line && text.contains(expected),
            "{from} -> {to}: {text}"
        );
        assert!(text.contains(&format!("line {line}")), "{text}");
    }
}

#[test]
fn nested_text_says_where_it_is_wrong() {
    let good = "graph \"g\" {\n  %0 = input \"x\" () index=0 : bf16[2, 1] data_dim=1\n  \
                %1 = scan \"s\" (%0) axis=0 reverse=false output=0 : bf16[2, 1] data_dim=1\n  graph \"body\" {\n    \
                %0 = input \"x\" () index=0 : bf16[1] data_dim=0\n    \
                %1 = state \"h\" () init=[1]{0.5} : bf16[1] data_dim=0\n    \
                %2 = add \"y\" (%0, %1) : bf16[1] data_dim=0\n    update %1 %2\n    output %2\n  }\n  output %1\n}\n";
    let graph: Graph = good.parse().unwrap();
    assert_eq!(graph.to_string(), good);
    let cases = [
        ("reverse=false", "reverse=no", 3, "'true' or 'false'"),
        ("  graph \"body\" {", "  output %1", 4, "'graph'"),
        (
            "update %1 %2",
            "update %1 %7",
            8,
            "%7 is used but not defined",
        ),
        (
            "update %1 %2",
            "update %1 %2\n    update %1 %2",
            9,
            "one update of %1",
        ),
        ("  }\n  output %1\n}\n", "", 9, "'}'"),
        (
            "init=[1]{0.5}",
            "init=[1]{}",
            6,
            "needs 1 values, 0 were given",
        ),
    ];
    for (from, to, line, expected) in cases {
        assert!(good.contains(from), "{from}");
        let error = good.replacen(from, to, 1).parse::<Graph>().unwrap_err();
        let CompileError::Parse { line: found, .. } = error else {
            panic!("{from} -> {to}: {error}")
        };
        assert!(
            found == line && error.to_string().contains(expected),
            "{from} -> {to}: {error}"
        );
    }
    let lost = good.replacen("    update %1 %2\n", "", 1).parse::<Graph>();
    let text = lost.unwrap_err().to_string();
    assert!(text.contains("'h'") && text.contains("no update"), "{text}");
    let deep = "graph \"g\" {\n%0 = scan \"s\" () axis=0 reverse=false output=0 : bf16[1]\n"
        .repeat(99_999);
    let text = deep.parse::<Graph>().unwrap_err().to_string();
    assert!(text.contains("nested at most 16 deep"), "{text}");
}

#[test]
fn text_is_verified() {
    let cycle = "graph \"g\" {\n  %0 = input \"x\" () index=0 : bf16[2] data_dim=0\n  \
                 %1 = add \"a\" (%0, %2) : bf16[2] data_dim=0\n  %2 = clamp \"b\" (%1) min=0.0 max=1.0 : bf16[2] data_dim=0\n  \
                 output %2\n}\n";
    let error = cycle.parse::<Graph>().unwrap_err();
    assert!(error.to_string().contains("'a' -> 'b'"), "{error}");
    let shape = "graph \"g\" {\n  %0 = input \"x\" () index=0 : bf16[2] data_dim=0\n  \
                 %1 = clamp \"b\" (%0) min=0.0 max=1.0 : bf16[3] data_dim=0\n  output %1\n}\n";
    let error = shape.parse::<Graph>().unwrap_err();
    assert!(
        error.to_string().contains("x [2]") && error.to_string().contains("[3]"),
        "{error}"
    );
    let axis = "graph \"g\" {\n  %0 = input \"x\" () index=0 : bf16[2, 2] data_dim=0\n  \
                %1 = clamp \"b\" (%0) min=0.0 max=1.0 : bf16[2, 2] data_dim=1\n  output %1\n}\n";
    let error = axis.parse::<Graph>().unwrap_err();
    assert_eq!(error.code(), "SL-C005", "{error}");
}

proptest! {
    #[test]
    fn random_graphs_round_trip(choices in prop::collection::vec(any::<u16>(), 0..80), sequence: bool) {
        let graph = graph(if sequence { Kind::Sequence } else { Kind::Plain }, &choices);
        let parsed = round_trip(&graph);
        prop_assert_eq!(&parsed, &graph);
        prop_assert_eq!(parsed.to_string(), graph.to_string());
    }

    #[test]
    fn any_number_is_answered(at in any::<prop::sample::Index>(), to in prop::sample::select(NUMBERS), axis in 0_usize..3) {
        let text = everything().to_string();
        let is_digit = |i: usize| text.as_bytes()[i].is_ascii_digit();
        let runs: Vec<usize> = (1..text.len()).filter(|&i| is_digit(i) && !is_digit(i - 1)).collect();
        let start = runs[at.index(runs.len())];
        let end = (start..text.len()).find(|&i| !is_digit(i)).unwrap();
        let mixed = format!("{}{to}{}", &text[..start], &text[end..]);
        if let Ok(mut graph) = mixed.parse::<Graph>() {
            prop_assert!(graph.to_string().parse::<Graph>().is_ok());
            // Whatever these answer, they answer.
            drop(graph.streaming_transform(&[axis]));
            drop(PassManager::standard().run(&mut graph));
        }
    }

    #[test]
    fn any_text_is_answered(noise in "[ -~\\n]{0,200}", cut in any::<prop::sample::Index>(), keep: bool) {
        let text = everything().to_string();
        let at = cut.index(text.len());
        let at = (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap();
        let mixed = if keep { format!("{}{noise}{}", &text[..at], &text[at..]) } else { format!("{}{noise}", &text[..at]) };
        // Either a graph that prints, or an error that prints; never a panic.
        match mixed.parse::<Graph>() {
            Ok(graph) => prop_assert!(graph.verify().is_ok()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
