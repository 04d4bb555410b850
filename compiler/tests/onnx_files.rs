//! ONNX files against onnxruntime: `tools/onnx/make_fixtures.py` wrote them and the values they give.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sluice_compiler::backend::{ModelOptions, ProgramBuilder};
use sluice_compiler::nnir::{Evaluator, Graph, Tensor};
use sluice_compiler::onnx::{self, operators};
use sluice_isa::presets::preset;

/// Relative to the largest expected magnitude, and at least absolute.
const TOLERANCE: f32 = 1e-5;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/onnx")
        .join(name)
}

struct Case {
    name: String,
    file: PathBuf,
    record: Value,
}

fn cases(of: &str) -> Vec<Case> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(of))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(file.with_extension("json")).unwrap();
            Case {
                name: file.file_stem().unwrap().to_string_lossy().into_owned(),
                record: serde_json::from_str(&text).unwrap(),
                file,
            }
        })
        .collect()
}

fn extents(value: &Value) -> Vec<usize> {
    let extents = value.as_array().unwrap().iter();
    extents
        .map(|d| usize::try_from(d.as_u64().unwrap()).unwrap())
        .collect()
}

fn overrides(record: &Value) -> Vec<Vec<usize>> {
    let all = record["overrides"].as_array().unwrap();
    all.iter().map(extents).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the values are float32, written as decimal doubles"
)]
fn tensors(list: &Value) -> Vec<Tensor> {
    let read = |t: &Value| {
        let data = t["data"].as_array().unwrap().iter();
        let data = data.map(|v| v.as_f64().unwrap() as f32).collect();
        Tensor::new(extents(&t["shape"]), data).unwrap()
    };
    list.as_array().unwrap().iter().map(read).collect()
}

/// That of the case, if float32 is not exact enough to share one.
#[expect(clippy::cast_possible_truncation, reason = "a short decimal")]
fn tolerance(record: &Value) -> f32 {
    record["tolerance"].as_f64().map_or(TOLERANCE, |t| t as f32)
}

/// What differs, if anything.
fn difference(found: &[Tensor], expected: &[Tensor], tolerance: f32) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!(
            "{} outputs, {} expected",
            found.len(),
            expected.len()
        ));
    }
    for (position, (found, expected)) in found.iter().zip(expected).enumerate() {
        if found.shape != expected.shape {
            return Some(format!(
                "output {position} is {:?}, {:?} expected",
                found.shape, expected.shape
            ));
        }
        let scale = expected.data.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
        for (i, (f, e)) in found.data.iter().zip(&expected.data).enumerate() {
            // Written so that a NaN differs.
            let close = (f - e).abs() <= tolerance * scale;
            if !close {
                return Some(format!("output {position}[{i}] is {f}, {e} expected"));
            }
        }
    }
    None
}

fn run(case: &Case) -> Vec<Tensor> {
    let graph = onnx::load(&case.file, &overrides(&case.record))
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let inputs = tensors(&case.record["inputs"]);
    Evaluator::new(&graph).unwrap().run(&inputs).unwrap()
}

#[test]
fn values_are_those_of_onnxruntime() {
    let cases = cases("good");
    assert!(cases.len() > 50, "only {} cases", cases.len());
    for case in &cases {
        let found = run(case);
        let expected = tensors(&case.record["outputs"]);
        let tolerance = tolerance(&case.record);
        assert_eq!(
            difference(&found, &expected, tolerance),
            None,
            "{}",
            case.name
        );

        // The comparison can fail: one value moved, one axis more.
        let mut moved = found.clone();
        let last = moved[0].data.len() - 1;
        moved[0].data[last] += 1e-3 + moved[0].data[last].abs() * 1e-3;
        assert!(
            difference(&moved, &expected, tolerance).is_some(),
            "{}: a moved value passed",
            case.name
        );
        let mut taller = found;
        taller[0].shape.push(1);
        assert!(
            difference(&taller, &expected, tolerance).is_some(),
            "{}: a wrong shape passed",
            case.name
        );
    }
}

#[test]
fn every_operator_has_a_case() {
    let used: BTreeSet<String> = cases("good")
        .iter()
        .filter(|case| !case.name.starts_with("constants_"))
        .flat_map(|case| {
            let operators = case.record["operators"].as_array().unwrap();
            operators
                .iter()
                .map(|o| o.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let known: BTreeSet<String> = operators::OPERATORS
        .iter()
        .map(|operator| operator.name.to_owned())
        .collect();
    assert_eq!(used, known);
}

#[test]
fn the_page_is_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operators.md");
    let table = operators::table();
    if std::env::var_os("SLUICE_BLESS").is_some() {
        std::fs::write(&page, &table).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap();
    assert_eq!(
        written, table,
        "docs/operators.md is stale; run with SLUICE_BLESS=1 to write it"
    );
}

#[test]
fn table_is_sorted_and_complete() {
    let names: Vec<_> = operators::OPERATORS.iter().map(|o| o.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    for operator in operators::OPERATORS {
        assert!(
            !operator.restriction.is_empty() && !operator.nnir.is_empty(),
            "{}",
            operator.name
        );
    }
}

#[test]
fn layers_keep_their_names() {
    let named = |case: &str, overrides: &[Vec<usize>]| -> BTreeSet<String> {
        let graph = onnx::load(&folder("good").join(case), overrides).unwrap();
        graph
            .node_ids()
            .map(|id| graph.node(id).name.clone())
            .collect()
    };
    let names = named("model_tcn.onnx", &[]);
    for name in [
        "x",
        "conv0",
        "bn1",
        "relu2",
        "residual2",
        "last_step",
        "head",
    ] {
        assert!(names.contains(name), "{name} is missing in {names:?}");
    }
    let names = named("model_mlp.onnx", &[vec![2, 16]]);
    for name in ["fc0", "head.matmul", "head.bias", "residual1"] {
        assert!(names.contains(name), "{name} is missing in {names:?}");
    }
}

#[test]
fn reading_is_deterministic() {
    for (case, shapes) in [
        ("model_tcn.onnx", vec![]),
        ("model_mlp.onnx", vec![vec![3, 16]]),
    ] {
        let graph = onnx::load(&folder("good").join(case), &shapes).unwrap();
        graph.verify().unwrap();
        let again = onnx::load(&folder("good").join(case), &shapes).unwrap();
        assert_eq!(graph, again, "{case}: reading twice gives two graphs");
    }
}

/// One time step per inference gives what onnxruntime computes for the whole sequence.
#[test]
fn a_model_streams() {
    let cases = cases("good");
    let case = cases.iter().find(|case| case.name == "model_tcn_steps");
    let case = case.unwrap();
    let (streamed, axes) = onnx::load(&case.file, &[])
        .unwrap()
        .streaming_transform(&[2])
        .unwrap();
    assert_eq!(axes, [2]);
    let sequence = &tensors(&case.record["inputs"])[0];
    let expected = &tensors(&case.record["outputs"])[0];
    let (steps, channels) = (sequence.shape[2], expected.shape[1]);
    let step = |of: &Tensor, t: usize| {
        let data = of.data.iter().copied().skip(t).step_by(steps).collect();
        Tensor::new([1, of.shape[1]], data).unwrap()
    };
    let mut evaluator = Evaluator::new(&streamed).unwrap();
    for t in 0..steps {
        let found = evaluator.run(&[step(sequence, t)]).unwrap();
        assert_eq!(found[0].shape, [1, channels]);
        assert_eq!(
            difference(&found, &[step(expected, t)], TOLERANCE),
            None,
            "step {t}"
        );
        let other = step(expected, (t + 1) % steps);
        assert!(
            difference(&found, &[other], TOLERANCE).is_some(),
            "step {t} passed as another"
        );
    }
    compile("model_tcn_steps", &streamed);
}

#[test]
fn errors_name_what_is_wrong() {
    let cases = cases("bad");
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let codes: BTreeSet<&str> = cases
        .iter()
        .map(|case| case.record["code"].as_str().unwrap())
        .collect();
    for code in 40..=46 {
        let code = format!("SL-C0{code}");
        assert!(codes.contains(&*code), "{code} has no case");
    }
    for case in &cases {
        let Err(error) = onnx::load(&case.file, &overrides(&case.record)) else {
            panic!("{} was read", case.name);
        };
        let text = error.to_string();
        assert_eq!(
            error.code(),
            case.record["code"].as_str().unwrap(),
            "{}: {text}",
            case.name
        );
        for part in case.record["says"].as_array().unwrap() {
            let part = part.as_str().unwrap();
            assert!(
                text.contains(part),
                "{}: {part} is missing in {text}",
                case.name
            );
        }
    }
}

#[test]
fn missing_file_is_named() {
    let error = onnx::load(Path::new("/nowhere/model.onnx"), &[]).unwrap_err();
    assert_eq!(error.code(), "SL-C040");
    assert!(error.to_string().contains("/nowhere/model.onnx"), "{error}");
}

#[test]
fn external_data_needs_a_folder() {
    let bytes = std::fs::read(folder("good").join("external.onnx")).unwrap();
    let error = onnx::parse(&bytes, "memory", None, &[]).unwrap_err();
    assert_eq!(error.code(), "SL-C045");
    onnx::parse(&bytes, "memory", Some(&folder("good")), &[]).unwrap();
}

fn compile(name: &str, graph: &Graph) {
    let mut builder = ProgramBuilder::new(&preset("c2b8").unwrap()).unwrap();
    builder
        .add(graph, &ModelOptions::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(
        builder.build().unwrap().models[0].cycles_spaced > 0,
        "{name}"
    );
}

#[test]
fn a_model_compiles() {
    let file = folder("good").join("model_mlp.onnx");
    compile("model_mlp", &onnx::load(&file, &[vec![1, 16]]).unwrap());
}

#[test]
fn scans_compile() {
    let scans: Vec<Case> = cases("good")
        .into_iter()
        .filter(|case| case.name.starts_with("scan_"))
        .collect();
    assert!(scans.len() > 10, "only {} cases", scans.len());
    for case in scans {
        compile(&case.name, &onnx::load(&case.file, &[]).unwrap());
    }
}
