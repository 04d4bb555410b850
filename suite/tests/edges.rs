//! Where results differ from float32 by more than rounding: operands at the edges of the format; `docs/edges.md` is what this finds.
//!
//! `SLUICE_BLESS=1` writes the page.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use sluice_compiler::backend::{ModelOptions, ProgramBuilder};
use sluice_compiler::nnir::{
    Evaluator, Graph, GraphBuilder, NodeId, PointwiseOp, ReduceOp, Tensor, UnaryOp,
};
use sluice_isa::float::{bf16_to_f32, f32_to_bf16};
use sluice_isa::presets::preset;
use sluice_sim::Vm;

/// Relative difference that rounding explains: that of the worst composed operation of `docs/operations.md`, with room.
const ROUNDING: f32 = 2e-2;

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;
/// Largest bf16 value, a value below the smallest normal one, a value whose square overflows, one whose square vanishes.
const HUGE: f32 = 3.389_531_4e38;
const TINY: f32 = 1e-40;
const BIG: f32 = 1e20;
const SMALL: f32 = 1e-25;

type Built = sluice_compiler::error::Result<NodeId>;
type Writer = dyn Fn(&mut GraphBuilder, NodeId) -> Built;
type Write = fn(&mut GraphBuilder, NodeId) -> Built;

/// One operation and its operands, one tensor each.
struct Edge {
    name: &'static str,
    operands: Vec<Vec<f32>>,
    write: Box<Writer>,
}

fn numbers() -> Vec<Vec<f32>> {
    [
        0.0, -0.0, 1.0, -1.0, 100.0, -100.0, TINY, SMALL, BIG, -BIG, HUGE, -HUGE, INF, -INF, NAN,
    ]
    .into_iter()
    .map(|x| vec![x])
    .collect()
}

fn edges() -> Vec<Edge> {
    let mut all = Vec::new();
    for op in [
        UnaryOp::Tanh,
        UnaryOp::Sigmoid,
        UnaryOp::Silu,
        UnaryOp::Gelu,
        UnaryOp::GeluTanh,
        UnaryOp::Softplus,
        UnaryOp::Exp,
        UnaryOp::Exp2,
        UnaryOp::Recip,
        UnaryOp::Rsqrt,
        UnaryOp::Sqrt,
        UnaryOp::Log,
        UnaryOp::Log2,
    ] {
        all.push(Edge {
            name: op.name(),
            operands: numbers(),
            write: Box::new(move |g, x| g.unary("f", op, x)),
        });
    }
    let mut pairs = Vec::new();
    for a in [0.0, 1.0, TINY, SMALL, BIG, HUGE, INF, -INF, NAN] {
        for b in [0.0, 1.0, SMALL, BIG, -HUGE, INF, NAN] {
            pairs.push(vec![a, b]);
        }
    }
    for op in [
        PointwiseOp::Add,
        PointwiseOp::Sub,
        PointwiseOp::Mul,
        PointwiseOp::Div,
        PointwiseOp::Max,
        PointwiseOp::Min,
        PointwiseOp::Lt,
        PointwiseOp::Eq,
        PointwiseOp::Ne,
    ] {
        all.push(Edge {
            name: op.name(),
            operands: pairs.clone(),
            write: Box::new(move |g, x| {
                let a = g.slice("a", x, 0, 0, 1)?;
                let b = g.slice("b", x, 0, 1, 2)?;
                g.pointwise("f", op, a, b)
            }),
        });
    }
    let rows = vec![
        vec![-INF; 4],
        vec![0.0, -INF, -INF, -INF],
        vec![-1e9; 4],
        vec![INF, 0.0, 0.0, 0.0],
        vec![NAN, 0.0, 0.0, 0.0],
        vec![HUGE; 4],
        vec![HUGE, HUGE, -HUGE, -HUGE],
        vec![BIG, 1.0, -BIG, 1.0],
        vec![1.0; 4],
        vec![256.0, 257.0, 258.0, 259.0],
        vec![TINY; 4],
    ];
    let of_rows: [(&'static str, Write); 7] = [
        ("softmax", |g, x| g.softmax("f", x, 0)),
        ("log_softmax", |g, x| g.log_softmax("f", x, 0)),
        ("layer_norm", |g, x| {
            g.layer_norm("f", x, 1, None, None, 1e-5)
        }),
        ("reduce_sum", |g, x| {
            g.reduce("f", ReduceOp::Sum, x, &[0], true)
        }),
        ("reduce_mean", |g, x| {
            g.reduce("f", ReduceOp::Mean, x, &[0], true)
        }),
        ("reduce_max", |g, x| {
            g.reduce("f", ReduceOp::Max, x, &[0], true)
        }),
        ("linear by 0", |g, x| {
            g.linear("f", x, Tensor::zeros([4, 4]), None)
        }),
    ];
    for (name, write) in of_rows {
        all.push(Edge {
            name,
            operands: rows.clone(),
            write: Box::new(write),
        });
    }
    all
}

fn graph(edge: &Edge) -> Graph {
    let mut g = GraphBuilder::new(edge.name);
    let x = g.input("x", &[edge.operands[0].len()]);
    let y = (edge.write)(&mut g, x).unwrap_or_else(|e| panic!("{}: {e}", edge.name));
    g.output(y);
    g.finish().unwrap()
}

/// Results of float32 and of the machine.
fn both(edge: &Edge) -> Vec<(Vec<f32>, Vec<f32>)> {
    let graph = graph(edge);
    let mut builder = ProgramBuilder::new(&preset("c2b8").unwrap()).unwrap();
    builder.add(&graph, &ModelOptions::default()).unwrap();
    let mut vm = Vm::new(Arc::new(builder.build().unwrap())).unwrap();
    let mut float = Evaluator::new(&graph).unwrap();
    edge.operands
        .iter()
        .map(|x| {
            // Operands are bf16 for both: their own rounding is no difference of an operation.
            let x: Vec<f32> = x
                .iter()
                .map(|v| f32::from_bits(bf16_to_f32(f32_to_bf16(v.to_bits()))))
                .collect();
            let expected = float
                .run(&[Tensor::new([x.len()], x.clone()).unwrap()])
                .unwrap();
            let found = vm.run(0, &[&x]).unwrap();
            (expected[0].data.clone(), found.outputs[0].clone())
        })
        .collect()
}

fn explained(expected: f32, found: f32) -> bool {
    let same = (expected.is_nan() && found.is_nan()) || expected.to_bits() == found.to_bits();
    let close = (expected - found).abs() <= ROUNDING * expected.abs().max(f32::MIN_POSITIVE);
    same || (expected.is_finite() && close)
}

fn text(values: &[f32]) -> String {
    let one = |v: &f32| match *v {
        v if v.is_nan() => "NaN".to_owned(),
        INF => "inf".to_owned(),
        v if v == -INF => "-inf".to_owned(),
        v if v != 0.0 && (v.abs() < 1e-3 || v.abs() >= 1e4) => format!("{v:.2e}"),
        v => format!("{v}"),
    };
    let first = one(&values[0]);
    if values.len() > 1 && values.iter().all(|v| one(v) == first) {
        return format!("{first} everywhere");
    }
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let mut text_ = String::from(include_str!("edges.md"));
    text_.push_str("\n| operation | operand | float32 | machine |\n|---|---|---|---|\n");
    for edge in edges() {
        for (x, (expected, found)) in edge.operands.iter().zip(both(&edge)) {
            if !expected.iter().zip(&found).all(|(&e, &f)| explained(e, f)) {
                let _ = writeln!(
                    text_,
                    "| `{}` | {} | {} | {} |",
                    edge.name,
                    text(x),
                    text(&expected),
                    text(&found)
                );
            }
        }
    }
    text_
}

#[test]
fn the_page_is_what_the_machine_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/edges.md");
    let now = page();
    if std::env::var_os("SLUICE_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        now == before,
        "docs/edges.md is stale; run with SLUICE_BLESS=1 to write it"
    );
}

/// The rules of the page, one by one.
#[test]
fn rules() {
    let result = |name: &str, x: &[f32]| {
        let edge = edges().into_iter().find(|e| e.name == name).unwrap();
        let one = Edge {
            operands: vec![x.to_vec()],
            ..edge
        };
        both(&one)[0].1.clone()
    };
    let nan = |name: &str, x: &[f32]| result(name, x).iter().all(|v| v.is_nan());
    // NaN where float32 has NaN: no number is made up.
    assert!(nan("log", &[-1.0]) && nan("sqrt", &[-1.0]) && nan("rsqrt", &[-1.0]));
    assert!(nan("softmax", &[-INF; 4]) && nan("softmax", &[NAN, 0.0, 0.0, 0.0]));
    assert!(nan("sub", &[INF, INF]));
    // A row masked with a large number instead of -inf is uniform.
    assert_eq!(result("softmax", &[-1e9; 4]), [0.25; 4]);
    // Infinities are no operands of products, and `exp` has one in it: mask with a large number.
    assert!(
        nan("exp", &[-INF])
            && nan("softmax", &[0.0, -INF, -INF, -INF])
            && nan("reduce_sum", &[INF, 0.0, 0.0, 0.0])
    );
    assert_eq!(
        result("softmax", &[0.0, -1e9, -1e9, -1e9]),
        [1.0, 0.0, 0.0, 0.0]
    );
    // Overflow gives infinity, underflow zero.
    assert_eq!(result("exp", &[100.0]), [INF]);
    assert_eq!(result("mul", &[BIG, BIG]), [INF]);
    assert_eq!(result("mul", &[SMALL, SMALL]), [0.0]);
    assert_eq!(result("add", &[TINY, 0.0]), [0.0]);
}

/// The page can fail: a value off by more than rounding is listed.
#[test]
fn differences_are_seen() {
    assert!(explained(1.0, 1.01) && explained(NAN, NAN) && explained(INF, INF));
    for (e, f) in [
        (1.0, 1.05),
        (NAN, 0.0),
        (INF, HUGE),
        (0.0, 1e-30),
        (-1.0, 1.0),
    ] {
        assert!(!explained(e, f), "{e} and {f}");
    }
}
