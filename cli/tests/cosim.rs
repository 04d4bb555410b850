//! `sluice cosim`: the RTL of the smallest configurations beside the VM.

mod common;

use common::Scratch;

/// Absent tools are a skip at home, a failure in CI.
fn can_build() -> bool {
    let found = verilator_sys::Toolchain::find();
    if let Err(e) = &found {
        assert!(std::env::var_os("CI").is_none(), "{e}");
        eprintln!("skipped: {e}");
    }
    found.is_ok()
}

#[test]
fn programs_and_models_agree() {
    if !can_build() {
        return;
    }
    let s = Scratch::with_tiny("cosim");
    s.ok("example cnn -o cnn.nnir --inputs 8 --hidden 8 --outputs 3");
    let ran = s.sluice("cosim tiny.sluice --jobs 3");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("RTL == VM: 36 jobs, 36 beats, ")
            && ran.out.contains("configuration c2b8"),
        "{ran:?}"
    );
    let ran = s.sluice(
        "cosim tiny.nnir cnn.nnir --config c2b8 --streaming-transform none --streaming-transform 2 --stalls free --jobs 5 --seed 7 --json",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["models"], serde_json::json!(["mlp", "cnn"]));
    assert_eq!(report["patterns"].as_array().unwrap().len(), 1);
    assert_eq!(report["patterns"][0]["equal"], true);
    assert_eq!(report["patterns"][0]["jobs"], 5);
}

#[test]
fn refusals() {
    let s = Scratch::with_tiny("cosim_refusals");
    s.fails(
        "cosim tiny.nnir",
        2,
        "[SL-X010] models are compiled first: for which accelerator? give --config or --config-file",
    );
    s.fails(
        "cosim none.sluice",
        1,
        "[SL-I008] none.sluice: No such file or directory (os error 2)",
    );
    let other = s.sluice("cosim tiny.sluice --config c1b4");
    assert_eq!(other.code, 1);
    assert!(other.err.starts_with("sluice: [SL-I006] "), "{other:?}");
    let missing = s.sluice_with(
        "cosim tiny.sluice",
        &[("VERILATOR", "/nonexistent/verilator")],
    );
    assert_eq!(missing.code, 1);
    assert!(
        missing
            .err
            .starts_with("sluice: [SL-X007] VSYS-001: Verilator not found")
            && missing.err.contains("make setup")
            && missing.err.lines().count() == 1,
        "{missing:?}"
    );
}
