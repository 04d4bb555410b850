//! Cycle counts of the published networks: the compiler's figure is what the VM shows, and the table is golden.

use sluice_isa::presets::preset;
use sluice_suite::VmExecutor;
use sluice_suite::figures::{BOARDS_C3B64, BOARDS_C6B32, Board, Latency, rows, table};

fn golden(config: &str, boards: &[Board]) {
    let config = preset(config).unwrap();
    let rows = rows(&config, &mut VmExecutor, None).unwrap();
    for r in &rows {
        assert_eq!(r.vm, r.promised, "{} on {}", r.published.name, config.name);
        // The comparison can fail.
        let late = Latency {
            spaced: r.vm.spaced + 1,
            ..r.vm
        };
        assert_ne!(late, r.promised);
    }
    insta::assert_snapshot!(config.name.clone(), table(&config, &rows, boards));
}

#[test]
fn six_cores_of_32() {
    golden("c6b32", BOARDS_C6B32);
}

#[test]
fn three_cores_of_64() {
    golden("c3b64", BOARDS_C3B64);
}
