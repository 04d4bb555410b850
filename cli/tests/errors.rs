//! Every error is one line with a code, the right exit code, and a way out.

mod common;

use common::Scratch;

#[test]
fn model_files() {
    let s = Scratch::new("model_files");
    s.write("m.pt", "");
    s.write("m", "");
    s.write("m.onnx", "");
    s.write("bad.nnir", "graph \"m\" {\n  nonsense\n}\n");
    s.write("shape.nnir", SHAPE);
    s.fails(
        "compile none.nnir --config c2b8",
        1,
        "[SL-X001] cannot read none.nnir: No such file or directory (os error 2)",
    );
    s.fails(
        "compile m.pt --config c2b8",
        1,
        "[SL-X002] m.pt: models are read from .nnir and .onnx files, this is .pt; export the model to one of them",
    );
    s.fails(
        "compile m --config c2b8",
        1,
        "[SL-X002] m: models are read from .nnir and .onnx files, this is a file without extension; export the model to one of them",
    );
    s.fails(
        "compile none.onnx --config c2b8",
        1,
        "[SL-X001] cannot read none.onnx: No such file or directory (os error 2)",
    );
    let empty = s.sluice("compile m.onnx --config c2b8");
    assert_eq!(empty.code, 1);
    assert!(
        empty.err.starts_with("sluice: [SL-C040] m.onnx: "),
        "{empty:?}"
    );
    let bad = s.sluice("compile bad.nnir --config c2b8");
    assert_eq!(bad.code, 1);
    assert!(
        bad.err
            .starts_with("sluice: [SL-C011] bad.nnir: NNIR text, line 2: ")
            && bad.err.lines().count() == 1,
        "{bad:?}"
    );
    let shape = s.sluice("schedule shape.nnir --config c2b8");
    assert_eq!(shape.code, 1);
    assert!(
        shape
            .err
            .starts_with("sluice: [SL-C004] shape.nnir: layer 'fc1' (linear): "),
        "{shape:?}"
    );
    assert!(
        !s.path("program.sluice").exists(),
        "nothing is written when something is wrong"
    );
}

const SHAPE: &str = "graph \"m\" {
  %0 = input \"x\" () index=0 : bf16[3] data_dim=0
  %1 = linear \"fc1\" (%0) weights=[[1, 2]{0.5, -1.0}] : bf16[1] data_dim=0
  output %1
}
";

#[test]
fn models_that_do_not_fit() {
    let s = Scratch::new("fit");
    s.ok("example mlp -o big.nnir --inputs 512 --hidden 512");
    let ran = s.sluice("compile big.nnir --config c1b4");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.starts_with("sluice: [SL-C02")
            && ran.err.contains("big.nnir: model 'mlp'")
            && ran.err.lines().count() == 1,
        "{ran:?}"
    );
    s.ok("example cnn -o cnn.nnir --inputs 4 --hidden 8 --outputs 2");
    // Over a whole sequence it is unrolled.
    s.ok("compile cnn.nnir --config c2b8");
    let ran = s.sluice("compile cnn.nnir --config c2b8 --streaming-transform 1");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("[SL-C013]") && ran.err.contains("stream that one"),
        "{ran:?}"
    );
}

#[test]
fn options_that_do_not_go_together() {
    let s = Scratch::with_tiny("options");
    s.fails(
        "compile tiny.nnir --config c7b7",
        2,
        "[SL-I009] no preset called `c7b7`; presets are bittware_ia420f_c6b32, bittware_ia840f_c3b64, bittware_ia840f_c2b64d, \
         napatech_nt400d11_c6b32, amd_v80_c6b32, amd_v80ll_c6b32, silicom_artena_c8b32, c1b4, c1b8, c2b8, c2b8f8",
    );
    s.fails(
        "compile tiny.nnir tiny.nnir --config c2b8",
        1,
        "[SL-X006] two models are called `mlp`; tell them apart with --model-name, once per model",
    );
    s.fails(
        "compile tiny.nnir tiny.nnir --config c2b8 --model-name a",
        2,
        "[SL-X010] --model-name is given 1 time for 2 models; give it once per model, in their order",
    );
    s.fails(
        "compile tiny.nnir --config c2b8 -o tiny.nnir",
        2,
        "[SL-X010] --output tiny.nnir would overwrite a model; choose another name",
    );
    s.fails(
        "compile tiny.nnir --config c2b8 --input-shape 8",
        2,
        "[SL-X010] --input-shape is for .onnx models; tiny.nnir states its shapes itself",
    );
    s.fails(
        "rtl -o hw",
        2,
        "[SL-X010] for which accelerator? give --config, --config-file or --program",
    );
    for line in [
        "",
        "compile",
        "compile tiny.nnir",
        "compile tiny.nnir --config c2b8 --config-file c.json",
        "compile tiny.nnir --config c2b8 --streaming-transform x",
        "run tiny.sluice",
        "run tiny.sluice --random 1 --input x.npy",
        "run tiny.sluice --random 1 --count 0",
        "example transformer -o t.nnir",
        "example mlp -o t.nnir --hidden 0",
        "teleport",
    ] {
        let ran = s.sluice(line);
        assert_eq!(ran.code, 2, "sluice {line}: {ran:?}");
        assert!(
            ran.err.contains("Usage") || ran.err.contains("error"),
            "{ran:?}"
        );
    }
}

#[test]
fn program_files() {
    let s = Scratch::with_tiny("program_files");
    s.write("text.sluice", "hello");
    let mut bytes = std::fs::read(s.path("tiny.sluice")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    s.write("flipped.sluice", &bytes);
    for command in ["metrics", "run --random 1", "rtl -o hw --program"] {
        let ran = s.sluice(&format!("{command} text.sluice"));
        assert_eq!(ran.code, 1);
        assert!(
            ran.err
                .starts_with("sluice: [SL-I003] text.sluice: program file is corrupt: ")
                && ran
                    .err
                    .ends_with("; write it again with `sluice compile`\n"),
            "{ran:?}"
        );
        let ran = s.sluice(&format!("{command} flipped.sluice"));
        assert_eq!(ran.code, 1);
        assert!(
            ran.err.contains(
                "does not match its digest; the file was altered or damaged; write it again"
            ),
            "{ran:?}"
        );
        s.fails(
            &format!("{command} none.sluice"),
            1,
            "[SL-I008] none.sluice: No such file or directory (os error 2)",
        );
    }
    let ran = s.sluice("rtl --config c1b4 --program tiny.sluice -o hw");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .starts_with("sluice: [SL-I006] the program was built for configuration `c2b8`")
            && ran.err.contains("recompile"),
        "{ran:?}"
    );
}

#[test]
fn arrays() {
    let s = Scratch::with_tiny("arrays");
    s.npy("seven.npy", &[7], |_| 0.0);
    s.npy("row.npy", &[1, 8], |_| 0.0);
    s.npy("x.npy", &[8], |_| 0.0);
    s.npy("steps.npy", &[8, 3], |_| 0.0);
    s.npy("nothing.npy", &[8, 0], |_| 0.0);
    s.write("text.npy", "hello");
    s.fails(
        "run tiny.sluice --input seven.npy",
        1,
        "[SL-X004] seven.npy: input `x` of model `mlp` expects shape [8], got [7]",
    );
    s.fails(
        "run tiny.sluice --input row.npy",
        1,
        "[SL-X004] row.npy: input `x` of model `mlp` expects shape [8], got [1, 8]; reshape it with `x.reshape([8])`",
    );
    s.fails(
        "run tiny.sluice --input steps.npy --steps 0",
        1,
        "[SL-X004] steps.npy: input `x` of model `mlp` expects shape [steps, 8], got [8, 3]",
    );
    s.fails(
        "run tiny.sluice --input nothing.npy --steps 1",
        1,
        "[SL-X003] nothing.npy: axis 1 has length 0; at least one step is needed",
    );
    s.fails(
        "run tiny.sluice --input x.npy --steps auto",
        2,
        "[SL-X010] --steps auto: model `mlp` was not compiled with --streaming-transform; name the axis",
    );
    s.fails(
        "run tiny.sluice --input x.npy --steps 2",
        2,
        "[SL-X010] --steps 2: input `x` with its time axis has axes 0 to 1",
    );
    s.fails(
        "run tiny.sluice --input x.npy --input x.npy",
        2,
        "[SL-X010] model `mlp` has 1 input (x [8]), --input is given 2 times; give it once per input",
    );
    s.fails(
        "run tiny.sluice --input x.npy --output a.npy --output b.npy",
        2,
        "[SL-X010] model `mlp` has 1 output, --output is given 2 times; give it once per output",
    );
    s.fails(
        "run tiny.sluice --model 1 --random 1",
        1,
        "[SL-X005] the program holds no model `1`; it holds 0 (mlp)",
    );
    let ran = s.sluice("run tiny.sluice --input text.npy");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .starts_with("sluice: [SL-X003] text.npy: not a .npy file")
            && ran.err.contains("numpy.save"),
        "{ran:?}"
    );
    s.fails(
        "run tiny.sluice --input none.npy",
        1,
        "[SL-X001] cannot read none.npy: No such file or directory (os error 2)",
    );
    s.fails(
        "run tiny.sluice --input x.npy --output no/y.npy",
        1,
        "[SL-X001] cannot write no/y.npy: No such file or directory (os error 2)",
    );
}

#[test]
fn configuration_files() {
    let s = Scratch::with_tiny("configuration_files");
    s.write("text.json", "hello");
    s.ok("config c2b8 --save c.json");
    let c = s.read("c.json");
    s.write(
        "odd.json",
        c.replace("\"block_size\": 8", "\"block_size\": 9"),
    );
    let ran = s.sluice("compile tiny.nnir --config-file text.json");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .starts_with("sluice: [SL-I003] text.json: configuration is corrupt: ")
            && ran.err.contains("`sluice config NAME --save FILE`"),
        "{ran:?}"
    );
    s.fails(
        "config odd.json",
        1,
        "[SL-I001] odd.json: configuration `c2b8`: block_size = 9, but it must be a power of two",
    );
    s.fails(
        "config none.json",
        1,
        "[SL-I008] none.json: No such file or directory (os error 2)",
    );
    s.fails(
        "config c2b8 --save no/c.json",
        1,
        "[SL-I008] no/c.json: No such file or directory (os error 2)",
    );
}

#[test]
fn folders_that_cannot_be_written() {
    let s = Scratch::with_tiny("folders");
    s.write("file", "");
    let ran = s.sluice("rtl --config c1b4 -o file");
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("sluice: [SL-H001] file: "), "{ran:?}");
    s.fails(
        "schedule tiny.nnir --config c2b8 --svg no/s.svg",
        1,
        "[SL-X001] cannot write no/s.svg: No such file or directory (os error 2)",
    );
    s.fails(
        "example mlp -o no/m.nnir",
        1,
        "[SL-X001] cannot write no/m.nnir: No such file or directory (os error 2)",
    );
    let ran = s.sluice("compile tiny.nnir --config c2b8 -o no/p.sluice");
    assert_eq!(
        (
            ran.code,
            ran.err.starts_with("sluice: [SL-I008] no/p.sluice: ")
        ),
        (1, true),
        "{ran:?}"
    );
}
