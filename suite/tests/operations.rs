//! Every operation of NNIR that runs on the machine, measured on a 256-wide example; `docs/operations.md` is what this finds.
//!
//! `SLUICE_BLESS=1` writes the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use sluice_compiler::nnir::Precision;
use sluice_isa::presets::preset;
use sluice_sim::StallPattern;
use sluice_suite::bundle::Budget;
use sluice_suite::figures::{measure, promised};
use sluice_suite::net::LayerOp;
use sluice_suite::{Bundle, Case, Executor, Net, VmExecutor};

const CONFIG: &str = "ia_420f_c6b32";

struct Row {
    name: &'static str,
    restriction: &'static str,
    layers: String,
    /// Shapes of inputs `x`, `y`, ..
    inputs: Vec<Vec<usize>>,
    stream: bool,
}

fn row(name: &'static str, restriction: &'static str, layers: impl Into<String>) -> Row {
    Row {
        name,
        restriction,
        layers: layers.into(),
        inputs: vec![vec![256]],
        stream: false,
    }
}

/// Positive operands for functions that want them.
const POSITIVE: &str = r#"
{ name = "square", of = ["x", "x"], op = "arith", f = "mul" },
{ name = "p", of = ["square"], op = "arith", f = "add", value = 0.25 },
"#;

fn rows() -> Vec<Row> {
    let mut all = vec![
        row(
            "linear",
            "constant weights; sums of at most 512 weight blocks",
            r#"{ name = "r", of = ["x"], op = "linear", out = 256, bias = true }"#,
        ),
        Row {
            inputs: vec![vec![1, 256]],
            stream: true,
            ..row(
                "conv1d",
                "constant weights; streamed, or unrolled over a whole sequence; `groups` 1 or as many as channels",
                r#"{ name = "r", of = ["x"], op = "conv", out = 256, taps = 3, bias = true }"#,
            )
        },
        row(
            "clamp",
            "constant bounds",
            r#"{ name = "r", of = ["x"], op = "clamp", min = 0.0 }"#,
        ),
    ];
    for f in [
        "add", "sub", "mul", "div", "max", "min", "lt", "le", "gt", "ge", "eq", "ne", "keep",
        "drop",
    ] {
        let restriction = match f {
            "div" => "`a (1 / b)`",
            "lt" | "le" | "gt" | "ge" | "eq" | "ne" => "1 or 0; the zeros are equal",
            "keep" | "drop" => "`where` is the sum of both",
            _ => "broadcast as numpy does; a constant costs no beat",
        };
        let layers = if f == "div" {
            r#"{ name = "p", of = ["y", "y"], op = "arith", f = "mul" },
               { name = "q", of = ["p"], op = "arith", f = "add", value = 0.5 },
               { name = "r", of = ["x", "q"], op = "arith", f = "div" }"#
                .to_owned()
        } else {
            format!(r#"{{ name = "r", of = ["x", "y"], op = "arith", f = "{f}" }}"#)
        };
        all.push(Row {
            inputs: vec![vec![256], vec![256]],
            ..row(f, restriction, layers)
        });
    }
    for f in [
        "tanh",
        "sigmoid",
        "silu",
        "gelu",
        "gelu-tanh",
        "softplus",
        "exp",
        "exp2",
    ] {
        let restriction = if f == "exp" {
            "`2^(x log2 e)`, the product in fp32"
        } else {
            "none"
        };
        all.push(row(
            f,
            restriction,
            format!(r#"{{ name = "r", of = ["x"], op = "unary", f = "{f}" }}"#),
        ));
    }
    for f in ["recip", "rsqrt", "sqrt", "log", "log2"] {
        all.push(row(
            f,
            "with `x x + 1/4` before it",
            format!(r#"{POSITIVE}{{ name = "r", of = ["p"], op = "unary", f = "{f}" }}"#),
        ));
    }
    for f in ["sum", "mean", "max", "min"] {
        let restriction = match f {
            "sum" | "mean" => "any axes; a product with ones; at most 512 blocks",
            _ => "any axes; pairs of blocks, then rotations",
        };
        let name = match f {
            "sum" => "reduce_sum",
            "mean" => "reduce_mean",
            "max" => "reduce_max",
            _ => "reduce_min",
        };
        all.push(row(
            name,
            restriction,
            format!(
                r#"{{ name = "r", of = ["x"], op = "reduce", f = "{f}", axes = [0], keep = true }}"#
            ),
        ));
    }
    all.extend([
        row(
            "slice",
            "step 1; costs nothing on block borders",
            r#"{ name = "r", of = ["x"], op = "slice", start = 3, end = 250 }"#,
        ),
        Row {
            inputs: vec![vec![100], vec![156]],
            ..row(
                "concat",
                "costs nothing on block borders",
                r#"{ name = "r", of = ["x", "y"], op = "concat" }"#,
            )
        },
        row(
            "reshape",
            "the data dimension keeps its stride; costs nothing on block borders",
            r#"{ name = "r", of = ["x"], op = "reshape", shape = [2, 128] }"#,
        ),
        Row {
            inputs: vec![vec![4, 64]],
            ..row(
                "transpose",
                "costs nothing; the data dimension moves with its axis",
                r#"{ name = "r", of = ["x"], op = "transpose", perm = [1, 0] }"#,
            )
        },
        Row {
            inputs: vec![vec![4, 64]],
            ..row(
                "index_select",
                "constant indices; costs nothing off the data dimension",
                r#"{ name = "r", of = ["x"], op = "index-select", axis = 0, indices = [2, 0] }"#,
            )
        },
        Row {
            inputs: vec![vec![1, 256]],
            ..row(
                "expand",
                "as numpy's `broadcast_to`",
                r#"{ name = "r", of = ["x"], op = "expand", shape = [2, 256] }"#,
            )
        },
        row(
            "delay",
            "state",
            r#"{ name = "r", of = ["x"], op = "delay", steps = 2 }"#,
        ),
        row(
            "state",
            "state; here with an addition",
            r#"{ name = "s", of = [], op = "state", shape = [256], next = "r" },
               { name = "r", of = ["s", "x"], op = "arith", f = "add" }"#,
        ),
    ]);
    all
}

fn net(row: &Row) -> Net {
    let inputs: Vec<String> = ["x", "y"]
        .iter()
        .zip(&row.inputs)
        .map(|(name, shape)| format!(r#"{{ name = "{name}", shape = {shape:?} }}"#))
        .collect();
    let text = format!(
        "name = \"{}\"\nseed = 1\nstream = {}\noutputs = [\"r\"]\ninput = [{}]\nlayer = [\n{}\n]\n",
        row.name,
        row.stream,
        inputs.join(", "),
        row.layers
    );
    toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", row.name))
}

/// What keeps fp32 inside `Fp32Activations`, but for what a chain of these is.
const IN_FP32: [&str; 23] = [
    "clamp",
    "add",
    "sub",
    "mul",
    "max",
    "min",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "keep",
    "drop",
    "exp",
    "exp2",
    "slice",
    "concat",
    "reshape",
    "transpose",
    "index_select",
    "expand",
    "state",
];

/// Cycles and error of a net, and that the compiler promised these cycles.
fn measured(net: Net) -> (String, f64) {
    let config = preset(CONFIG).unwrap();
    let name = net.name.clone();
    let bundle = Bundle::compile(&[net], &config).unwrap_or_else(|e| panic!("{name}: {e}"));
    let cycles = measure(&mut VmExecutor, &bundle, 0).unwrap();
    assert_eq!(Some(cycles), promised(&bundle.program, 0), "{name}");
    let requests = bundle.requests(4, 7);
    let jobs = bundle.jobs(&requests, 7);
    let run = VmExecutor
        .run(&bundle.program, &jobs, &StallPattern::FREE)
        .unwrap();
    let results = bundle.tensors(&requests, &run.beats).unwrap();
    let report = bundle.check(&requests, &results, Budget::Noise).unwrap()[0];
    (cycles.to_string(), report.relative_rms)
}

/// Configurations on which agreement cases hold the RTL to the VM, by operation and precision of its result.
fn held() -> BTreeMap<(&'static str, &'static str), Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/agreement");
    let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let case = Case::load(&entry.unwrap().path()).unwrap();
        for net in &case.nets {
            let graph = net.graph().unwrap();
            let nodes = graph.nodes_topological().unwrap().into_iter();
            let nodes = nodes.map(|id| graph.node(id));
            let mut operations: BTreeSet<_> = nodes
                .map(|node| (node.op.name(), node.ty.precision.name()))
                .collect();
            // Streamed, it is the linear layer of a step.
            if net
                .layers
                .iter()
                .any(|l| matches!(l.op, LayerOp::Conv { .. }))
            {
                operations.insert(("conv1d", Precision::Bf16.name()));
            }
            for operation in operations {
                let configs = found.entry(operation).or_default();
                configs.extend(case.configs.iter().cloned());
            }
        }
    }
    // Small ones first.
    for configs in found.values_mut() {
        configs.sort_by_key(|c| (preset(c).unwrap().block_size, c.clone()));
        configs.dedup();
    }
    found
}

fn figure(error: f64) -> String {
    if error == 0.0 {
        "0".to_owned()
    } else {
        format!("{error:.1e}")
    }
}

fn page() -> String {
    let mut text = format!(
        "# Operations of the machine\n\n\
         What a graph (NNIR) may hold, each measured on an example 256 values wide on `{CONFIG}`: cycles of a whole job, from the first input \
         beat\nto the last output beat, spaced and contiguous, the same in compiler, VM and RTL; and the error against float32. Operands and \
         results are bf16,\narithmetic in between is fp32; sums are exact to 64 bits. Operations that follow each other in this order become \
         one pass: linear, clamp, function,\narithmetic, clamp. `scan` is unrolled, or streamed: its steps are made of these.\n\n\
         *RTL*: configurations on which a case of `suite/cases/agreement` with this operation holds the RTL to the VM, every bit and \
         cycle.\n\n\
         Written by `SLUICE_BLESS=1 cargo test -p sluice-suite --test operations`.\n\n\
         | operation | restriction | cycles | relative error (rms) | RTL |\n|---|---|--:|--:|---|\n"
    );
    let held = held();
    let configs = |name: &str, precision: Precision| {
        held.get(&(name, precision.name()))
            .unwrap_or_else(|| panic!("no agreement case holds {name} in {}", precision.name()))
            .join(", ")
    };
    for row in rows() {
        let (cycles, error) = measured(net(&row));
        let name = row.name.replace('-', "_");
        let _ = writeln!(
            text,
            "| `{name}` | {} | {cycles} | {} | {} |",
            row.restriction,
            figure(error),
            configs(&name, Precision::Bf16)
        );
    }
    text.push_str(
        "\n## In fp32\n\n\
         The same with operands, state and result in fp32 (ADR 0010), two beats per block on the streams. Float32 but for `exp` and `exp2`, \
         whose table gives 2^-20.6;\nsubnormal numbers are zero. Products (`linear`, `conv1d`, sums, means) round their operands to bf16 \
         and may keep their results in fp32.\n\n\
         | operation | cycles | relative error (rms) | RTL |\n|---|--:|--:|---|\n",
    );
    for row in rows().into_iter().filter(|r| IN_FP32.contains(&r.name)) {
        let mut net = net(&row);
        net.inputs.iter_mut().for_each(|i| i.fp32 = true);
        net.layers.iter_mut().for_each(|l| l.fp32 = true);
        let (cycles, error) = measured(net);
        let limit = if row.name.starts_with("exp") {
            1e-6
        } else {
            1e-7
        };
        assert!(error < limit, "{} in fp32: {error:e}", row.name);
        let _ = writeln!(
            text,
            "| `{}` | {cycles} | {} | {} |",
            row.name,
            figure(error),
            configs(row.name, Precision::Fp32)
        );
    }
    text
}

#[test]
fn the_page_is_what_the_machine_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let now = page();
    if std::env::var_os("SLUICE_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        now == before,
        "docs/operations.md is stale; run with SLUICE_BLESS=1 to write it"
    );
}
