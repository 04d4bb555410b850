//! ONNX files through the whole command line, against the values onnxruntime gave.

mod common;

use common::Scratch;
use serde_json::Value;

/// The compiler's fixture and its record: inputs, and what onnxruntime makes of them.
fn fixture(s: &Scratch, name: &str) -> (Vec<u64>, Vec<f32>, Vec<f32>) {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../compiler/tests/onnx/good");
    std::fs::copy(folder.join(name).with_extension("onnx"), s.path("m.onnx")).unwrap();
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    let floats = |v: &Value| {
        v["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.to_string().parse().unwrap())
            .collect()
    };
    let shape = record["inputs"][0]["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d.as_u64().unwrap());
    (
        shape.collect(),
        floats(&record["inputs"][0]),
        floats(&record["outputs"][0]),
    )
}

/// Within 2% of the largest value expected: activations have 8 significant bits.
fn close(got: &[f32], want: &[f32]) -> bool {
    let scale = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    got.len() == want.len()
        && got
            .iter()
            .zip(want)
            .all(|(g, w)| (g - w).abs() <= 0.02 * scale)
}

#[test]
fn a_model_with_an_open_shape() {
    let s = Scratch::new("onnx_mlp");
    let (shape, x, want) = fixture(&s, "model_mlp");
    let open = s.sluice("compile m.onnx --config c2b8");
    assert_eq!(open.code, 1);
    assert!(
        open.err.starts_with("sluice: [SL-C044] m.onnx: ") && open.err.contains("'batch'"),
        "{open:?}"
    );
    s.ok("compile m.onnx --config c2b8 --input-shape 2,16 --model-name mlp -o m.sluice");
    s.npy("x.npy", &shape, |i| x[i]);
    s.ok("run m.sluice --model mlp --input x.npy --output y.npy");
    let mut y = s.read_npy("y.npy").1;
    assert!(close(&y, &want), "{y:?} for {want:?}");
    y.rotate_left(1);
    assert!(!close(&y, &want));
    s.ok("metrics m.sluice --measure");
}

#[test]
fn a_convolutional_model_step_by_step() {
    let s = Scratch::new("onnx_tcn");
    let (shape, x, want) = fixture(&s, "model_tcn_steps");
    s.ok("compile m.onnx --config c2b8 --streaming-transform 2 -o m.sluice");
    s.npy("x.npy", &shape, |i| x[i]);
    s.ok("run m.sluice --input x.npy --steps auto --output y.npy");
    let (y_shape, y) = s.read_npy("y.npy");
    assert_eq!(y_shape, [1, 8, 12]);
    assert!(close(&y, &want), "{y:?} for {want:?}");
    s.npy("x.npy", &shape, |i| x[x.len() - 1 - i]);
    s.ok("run m.sluice --input x.npy --steps auto --output z.npy");
    assert!(!close(&s.read_npy("z.npy").1, &want));
}
