//! The checked-in Verilog is what the state machine emits now.

#[test]
fn verilog_is_fresh() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rtl/control/sl_dispatch_fsm.v");
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        checked_in == sluice_control::fsm_verilog().unwrap(),
        "{} is stale: run `cargo run -p sluice-control`, read the diff, commit it",
        path.display()
    );
}
