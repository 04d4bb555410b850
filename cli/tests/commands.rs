//! Every command does its work, on small accelerators.

mod common;

use common::Scratch;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn compile_prints_a_table_and_writes_a_program() {
    let s = Scratch::new("compile");
    s.ok("example mlp -o tiny.nnir --inputs 8 --hidden 8 --outputs 4");
    insta::assert_snapshot!(s.ok("compile tiny.nnir --config c2b8 -o tiny.sluice"));
    let first = std::fs::read(s.path("tiny.sluice")).unwrap();
    s.ok("compile tiny.nnir --config c2b8 -o again.sluice");
    assert_eq!(
        first,
        std::fs::read(s.path("again.sluice")).unwrap(),
        "same input, same bytes"
    );
}

#[test]
fn several_models_make_one_program() {
    let s = Scratch::new("several");
    s.ok("example mlp -o a.nnir --inputs 8 --hidden 8 --outputs 4");
    s.ok("example cnn -o b.nnir --inputs 4 --hidden 8 --outputs 2");
    let report = json(&s.ok(
        "compile a.nnir b.nnir --config c2b8 --model-name first --model-name second \
         --streaming-transform none --streaming-transform 2 -o both.sluice --json",
    ));
    let models = report["models"].as_array().unwrap();
    assert_eq!(models.len(), 2);
    assert_eq!(
        (&models[0]["name"], &models[1]["name"]),
        (&"first".into(), &"second".into())
    );
    assert_eq!(models[1]["inputs"][0]["streaming_dim"], 2);
    assert_eq!(models[1]["inputs"][0]["shape"], serde_json::json!([1, 4]));
    let clock = report["configuration"]["clock_mhz"].as_f64().unwrap();
    for m in models {
        let us = m["us_spaced"].as_f64().unwrap();
        assert!((us * clock - m["cycles_spaced"].as_f64().unwrap()).abs() < 1e-9);
    }
    let by_name = s.ok("run both.sluice --model second --random 3");
    assert_eq!(by_name, s.ok("run both.sluice --model 1 --random 3"));
    assert!(
        by_name.starts_with("model 1 (second): 1 inference, "),
        "{by_name}"
    );
}

#[test]
fn a_configuration_file_does_what_its_preset_does() {
    let s = Scratch::new("config_file");
    s.ok("example mlp -o m.nnir --inputs 6 --hidden 5 --outputs 3");
    s.ok("config c1b4 --save board.json");
    s.ok("compile m.nnir --config c1b4 -o preset.sluice");
    s.ok("compile m.nnir --config-file board.json -o file.sluice");
    let read = |f| std::fs::read(s.path(f)).unwrap();
    assert_eq!(read("preset.sluice"), read("file.sluice"));
    assert!(s.ok("config board.json").contains("num_cores"));
    let board = s
        .read("board.json")
        .replace("\"accum_store_depth\": 16", "\"accum_store_depth\": 8");
    s.write("board.json", board);
    s.ok("compile m.nnir --config-file board.json -o file.sluice");
    assert_ne!(read("preset.sluice"), read("file.sluice"));
}

#[test]
fn run_takes_and_gives_arrays() {
    let s = Scratch::with_tiny("run");
    let x = |i: usize| if i.is_multiple_of(2) { 0.5 } else { -0.25 };
    s.npy("x.npy", &[8], x);
    let text = s.ok("run tiny.sluice --input x.npy --output y.npy");
    assert!(
        text.contains(" cycles each, ") && text.ends_with("out_out [4]: written to y.npy\n"),
        "{text}"
    );
    let (shape, y) = s.read_npy("y.npy");
    assert_eq!((shape.as_slice(), y.len()), (&[4][..], 4));
    let report = json(&s.ok("run tiny.sluice --input x.npy --json"));
    let values: Vec<f32> = report["outputs"][0]["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.to_string().parse().unwrap())
        .collect();
    assert_eq!(values, y);
    assert!(y.iter().any(|&v| v != 0.0));

    // The comparison can fail: another input, another result.
    s.npy("x.npy", &[8], |i| -x(i));
    s.ok("run tiny.sluice --input x.npy --output z.npy");
    assert_ne!(s.read_npy("z.npy").1, y);
}

#[test]
fn run_agrees_with_the_float_reference() {
    let s = Scratch::with_tiny("reference");
    let x = |i: usize| [0.5, -1.0, 0.25, 2.0, -0.125, 1.5, 0.0, -2.0][i];
    s.npy("x.npy", &[8], x);
    s.ok("run tiny.sluice --input x.npy --output y.npy");
    let graph: sluice_compiler::nnir::Graph = s.read("tiny.nnir").parse().unwrap();
    let input = sluice_compiler::nnir::Tensor::from_fn([8], x);
    let want = sluice_compiler::nnir::Evaluator::new(&graph)
        .unwrap()
        .run(&[input])
        .unwrap();
    let close = |got: &[f32]| {
        got.iter()
            .zip(&want[0].data)
            .all(|(g, w)| (g - w).abs() <= 2e-2 + 2e-2 * w.abs())
    };
    let mut y = s.read_npy("y.npy").1;
    assert!(close(&y), "{y:?} for {:?}", want[0].data);
    y[0] += 1.0;
    assert!(!close(&y));
}

#[test]
fn steps_carry_state_and_stack_results() {
    let s = Scratch::new("steps");
    s.ok("example cnn -o c.nnir --inputs 4 --hidden 8 --outputs 2");
    s.ok("compile c.nnir --config c2b8 --streaming-transform 2 -o c.sluice");
    let x = |i: usize| [0.5, -1.0, 0.25, 2.0, -0.5][i % 5];
    s.npy("x.npy", &[1, 4, 16], x);
    let text = s.ok("run c.sluice --input x.npy --steps 2 --output y.npy");
    assert!(text.contains("16 inferences"), "{text}");
    let (shape, y) = s.read_npy("y.npy");
    assert_eq!(shape, [1, 2, 16]);
    assert_eq!(
        text,
        s.ok("run c.sluice --input x.npy --steps auto --output y.npy"),
        "the program knows the axis"
    );

    // The whole sequence at once, in float, gives the same.
    let graph: sluice_compiler::nnir::Graph = s.read("c.nnir").parse().unwrap();
    let input = sluice_compiler::nnir::Tensor::from_fn([1, 4, 16], x);
    let want = sluice_compiler::nnir::Evaluator::new(&graph)
        .unwrap()
        .run(&[input])
        .unwrap();
    for (i, (g, w)) in y.iter().zip(&want[0].data).enumerate() {
        assert!(
            (g - w).abs() <= 2e-2 + 2e-2 * w.abs(),
            "value {i}: {g} for {w}"
        );
    }
    // State matters: a step alone is not the last step of the sequence.
    s.npy("last.npy", &[1, 4], |i| x(i * 16 + 15));
    s.ok("run c.sluice --input last.npy --output alone.npy");
    let alone = s.read_npy("alone.npy").1;
    assert_ne!(alone, [y[15], y[31]]);
}

#[test]
fn random_inputs_are_a_function_of_the_seed() {
    let s = Scratch::with_tiny("random");
    let run = |line: &str| s.ok(&format!("run tiny.sluice --json {line}"));
    assert_eq!(run("--random 1 --count 3"), run("--random 1 --count 3"));
    assert_ne!(run("--random 1"), run("--random 2"));
    let report = json(&run("--random 1 --count 3"));
    assert_eq!(report["cycles"].as_array().unwrap().len(), 3);
    assert_eq!(report["outputs"][0]["shape"], serde_json::json!([3, 4]));
}

#[test]
fn metrics_are_what_the_vm_counts() {
    let s = Scratch::with_tiny("metrics");
    insta::assert_snapshot!(s.ok("metrics tiny.sluice --measure"));
    assert_eq!(
        json(&s.ok("metrics tiny.sluice --json"))["models"][0]["name"],
        "mlp"
    );

    // A program that states one cycle less is caught.
    let mut program = sluice_isa::Program::load(&s.path("tiny.sluice")).unwrap();
    program.models[0].cycles_contiguous -= 1;
    program.save(&s.path("wrong.sluice")).unwrap();
    s.ok("metrics wrong.sluice");
    let cycles = program.models[0].cycles_contiguous;
    s.fails(
        "metrics wrong.sluice --measure",
        3,
        &format!(
            "[SL-X090] model `mlp`: the program says {cycles} contiguous cycles, the VM counts {}; please report it",
            cycles + 1
        ),
    );
}

#[test]
fn configurations_are_listed_and_shown() {
    let s = Scratch::new("configs");
    insta::assert_snapshot!("config_list", s.ok("config"));
    insta::assert_snapshot!("config_c2b8", s.ok("config c2b8"));
    assert_eq!(
        json(&s.ok("config --json")).as_array().unwrap().len(),
        sluice_isa::presets::names().len()
    );
    let shown = s.ok("config c2b8 --json");
    s.ok("config c2b8 --save c.json");
    assert_eq!(shown, s.read("c.json"));
    assert_eq!(
        sluice_isa::HardwareConfig::from_json(&shown).unwrap(),
        sluice_isa::presets::preset("c2b8").unwrap()
    );
}

#[test]
fn schedule_as_text_and_picture() {
    let s = Scratch::with_tiny("schedule");
    let nasty = s.read("tiny.nnir").replace("\"relu1\"", "\"relu<1>&\"");
    s.write("nasty.nnir", nasty);
    insta::assert_snapshot!(s.ok("schedule tiny.nnir --config c2b8"));
    s.ok("schedule nasty.nnir --config c2b8 --svg s.svg");
    let text = s.read("s.svg");
    let svg = roxmltree::Document::parse(&text).unwrap();
    let labels: Vec<_> = svg
        .descendants()
        .filter(|n| n.has_tag_name("text"))
        .filter_map(|n| n.text())
        .collect();
    for label in [
        "input",
        "core0 matrix",
        "core1 vector",
        "output",
        "relu<1>&",
        "tick",
    ] {
        assert!(labels.contains(&label), "{label} is not in {labels:?}");
    }
    let bars: Vec<_> = svg
        .descendants()
        .filter(|n| n.has_tag_name("title"))
        .filter_map(|n| n.text())
        .collect();
    assert!(
        bars.iter().any(|t| t.starts_with("relu<1>&: ticks ")),
        "{bars:?}"
    );
}

#[test]
fn rtl_and_memory_images() {
    let s = Scratch::with_tiny("rtl");
    let text = s.ok("rtl --config c2b8 -o hw --program tiny.sluice");
    assert!(
        text.starts_with("configuration c2b8: top sl_top, "),
        "{text}"
    );
    for file in [
        "hw/sl_top.sv",
        "hw/sl_filelist.f",
        "hw/manifest.json",
        "hw/images/control.hex",
        "hw/images/core1_instructions.hex",
    ] {
        assert!(s.path(file).is_file(), "{file}");
    }
    let report = json(&s.ok("rtl --program tiny.sluice -o hw --json"));
    for file in report["images"].as_array().unwrap() {
        assert!(
            s.path("hw/images").join(file.as_str().unwrap()).is_file(),
            "{file}"
        );
    }
    assert_eq!(report["manifest"]["config"]["num_cores"], 2);
    let program = sluice_isa::Program::load(&s.path("tiny.sluice")).unwrap();
    assert_eq!(
        s.read("hw/images/control.hex").lines().count(),
        program.control.len()
    );
}

#[test]
fn examples_compile_and_depend_on_their_seed() {
    let s = Scratch::new("examples");
    let said = s.ok("example cnn -o cnn.nnir --inputs 4 --hidden 8 --outputs 2");
    assert!(said.contains("--streaming-transform 2"), "{said}");
    s.ok("example mlp -o a.nnir --seed 1");
    s.ok("example mlp -o b.nnir --seed 2");
    assert_ne!(s.read("a.nnir"), s.read("b.nnir"));
    s.ok("example mlp -o c.nnir --seed 1");
    assert_eq!(s.read("a.nnir"), s.read("c.nnir"));
}

#[test]
fn doctor_names_what_is_missing() {
    let s = Scratch::new("doctor");
    let root = s.path("").display().to_string();
    let ran = s.sluice_with(
        "doctor",
        &[
            ("PATH", "/nonexistent"),
            ("SLUICE_ROOT", &root),
            ("VERILATOR", ""),
        ],
    );
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    for text in [
        "rustup.rs",
        "apt-get install g++",
        "apt-get install ccache",
        "make setup",
        "MISSING",
        "missing (optional)",
    ] {
        assert!(ran.out.contains(text), "{text} is not in {}", ran.out);
    }
    let checks = json(&s.sluice("doctor --json").out);
    let cargo = checks
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["tool"] == "cargo")
        .unwrap();
    assert!(
        cargo["found"].as_str().unwrap().starts_with("cargo "),
        "{cargo}"
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let s = Scratch::new("pipe");
    let status = std::process::Command::new("bash")
        .args([
            "-c",
            "set -o pipefail; \"$0\" config c2b8 --json | true",
            env!("CARGO_BIN_EXE_sluice"),
        ])
        .current_dir(s.path(""))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_load_image_is_the_program_as_bus_words() {
    let s = Scratch::with_tiny("load_image");
    let report = json(&s.ok("load-image tiny.sluice -o tiny.load --json"));
    let bytes = std::fs::read(s.path("tiny.load")).unwrap();
    let program = sluice_isa::Program::load(&s.path("tiny.sluice")).unwrap();
    let image = sluice_isa::load_image::load_image(&program).unwrap();
    assert_eq!(bytes, sluice_isa::load_image::to_bytes(&image));
    assert_eq!(report["words"], image.len());
    let checksum = report["program_checksum"].as_str().unwrap();
    assert_eq!(u32::from_str_radix(checksum, 16).unwrap(), image[4]);
    let hash = report["config_hash"].as_str().unwrap();
    let words = u64::from(image[2]) | u64::from(image[3]) << 32;
    assert_eq!(u64::from_str_radix(hash, 16).unwrap(), words);

    // Another program, other words.
    s.ok("example mlp -o other.nnir --inputs 8 --hidden 8 --outputs 4 --seed 2");
    s.ok("compile other.nnir --config c2b8 -o other.sluice");
    s.ok("load-image other.sluice -o other.load");
    assert_ne!(bytes, std::fs::read(s.path("other.load")).unwrap());
    s.fails(
        "load-image other.sluice -o other.sluice",
        2,
        "[SL-X010] --output other.sluice would overwrite the program; choose another name",
    );
}

#[test]
fn state_reset_is_an_option_of_the_program() {
    let s = Scratch::new("state_reset");
    s.ok("example cnn -o c.nnir --inputs 4 --hidden 8 --outputs 2");
    for (option, resettable) in [("", false), ("--state-reset", true)] {
        let line =
            format!("compile c.nnir --config c2b8 --streaming-transform 2 {option} -o c.sluice");
        s.ok(&line);
        let model = &json(&s.ok("metrics c.sluice --json"))["models"][0];
        assert_eq!(model["resettable"], resettable);
        assert_eq!(model["has_state"], true);
        let input = &model["inputs"][0];
        assert_eq!(
            (&input["data_dim"], &input["format"]),
            (&1.into(), &"bf16".into())
        );
    }
}
