//! Cycle counts of the published networks: the compiler's figure is what the VM shows, and the tables are golden.

use std::fmt::Write as _;

use sluice_isa::presets::preset;
use sluice_suite::figures::{
    BOARDS_C3B64, BOARDS_C6B32, Board, Latency, measure, promised, rows, table,
};
use sluice_suite::models::{DENSE, FIELD, LARGE, Published};
use sluice_suite::{Bundle, VmExecutor};

fn golden(name: &str, config: &str, set: &[Published], boards: &[Board]) {
    let config = preset(config).unwrap();
    let rows = rows(set, &config, &mut VmExecutor, None).unwrap();
    for r in &rows {
        assert_eq!(r.vm, r.promised, "{} on {}", r.published.name, config.name);
        // The comparison can fail.
        let late = Latency {
            spaced: r.vm.spaced + 1,
            ..r.vm
        };
        assert_ne!(late, r.promised);
        for b in boards {
            let (spaced, contiguous) = b.1(&r.published);
            let (name, ours) = (r.published.name, r.vm);
            assert!(ours.spaced <= spaced.into(), "{name} on {}: {ours}", b.0);
            assert!(
                ours.contiguous <= contiguous.into(),
                "{name} on {}: {ours}",
                b.0
            );
        }
    }
    let name = format!("{}{name}", config.name);
    insta::assert_snapshot!(name, table(&config, &rows, boards));
}

#[test]
fn six_cores_of_32() {
    golden("", "c6b32", DENSE, BOARDS_C6B32);
}

#[test]
fn three_cores_of_64() {
    golden("", "c3b64", DENSE, BOARDS_C3B64);
}

#[test]
fn field_on_six_cores_of_32() {
    golden("_field", "c6b32", FIELD, BOARDS_C6B32);
}

#[test]
fn field_on_three_cores_of_64() {
    golden("_field", "c3b64", FIELD, BOARDS_C3B64);
}

#[test]
fn the_largest_fit_the_largest_board() {
    let config = preset("v80_c6b32").unwrap();
    let mut text = String::new();
    for &(name, network, published) in LARGE {
        let bundle = Bundle::compile(&[network.net(1)], &config).unwrap();
        let ours = measure(&mut VmExecutor, &bundle, 0).unwrap();
        assert_eq!(Some(ours), promised(&bundle.program, 0), "{name}");
        assert!(ours.spaced <= published.0.into(), "{name}: {ours}");
        assert!(ours.contiguous <= published.1.into(), "{name}: {ours}");
        let _ = writeln!(
            text,
            "{name:<16} {ours}, V80 {} / {}",
            published.0, published.1
        );
    }
    insta::assert_snapshot!("amd_v80_c6b32_large", text);
}
