//! Waveforms: an FST written on demand shows the ticks the run was seen to issue, in their cycles, with the model each belongs to.

use std::path::{Path, PathBuf};

use sluice_isa::presets::preset;
use sluice_isa::{ModelInfo, Program};
use sluice_sim::StallPattern;
use sluice_suite::{Bundle, Executor as _, models};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::tools_or_skip;
use wellen::SignalRef;
use wellen::simple::Waveform;

/// Ticks of a waveform from its first enabled cycle on: cycle, program counter, parity, model.
type Ticks = Vec<(u64, u64, u64, u64)>;

fn signal(wave: &mut Waveform, name: &str) -> SignalRef {
    let variable = wave
        .hierarchy()
        .lookup_var(&["TOP", "sl_top"], name)
        .unwrap_or_else(|| panic!("no {name} in the waveform"));
    let reference = wave.hierarchy()[variable].signal_ref();
    wave.load_signals(&[reference]);
    reference
}

fn value(wave: &Waveform, signal: SignalRef, step: u32) -> u64 {
    let signal = wave.get_signal(signal).unwrap();
    let Some(offset) = signal.get_offset(step) else {
        return 0;
    };
    u64::try_from(signal.get_value_at(&offset, 0)).expect("two-valued")
}

fn ticks(file: &Path) -> Ticks {
    let mut wave = wellen::simple::read(file).unwrap();
    let [enable, valid, pc, parity, model] = [
        "enable",
        "trace_tick_valid",
        "trace_tick_pc",
        "trace_parity",
        "trace_model",
    ]
    .map(|name| signal(&mut wave, name));
    let times = wave.time_table().to_vec();
    // The clock is low in even steps; an even step that is missing changed nothing.
    let at = |time: u64| {
        let later = times.partition_point(|&t| t <= time);
        u32::try_from(later - 1).unwrap()
    };
    let end = times.last().unwrap() / 2;
    let start = (0..end)
        .find(|&cycle| value(&wave, enable, at(2 * cycle)) == 1)
        .unwrap();
    (start..=end)
        .filter(|&cycle| value(&wave, valid, at(2 * cycle)) == 1)
        .map(|cycle| {
            let of = |signal| value(&wave, signal, at(2 * cycle));
            (cycle - start, of(pc), of(parity), of(model))
        })
        .collect()
}

/// The model whose ticks include `pc`; the initialisation stands before the ticks of its job.
fn owner(program: &Program, pc: u32) -> u64 {
    let of = |m: &ModelInfo| pc >= m.init_pc.unwrap_or(m.entry_pc) && pc < m.entry_pc + m.ticks;
    let index = program.models.iter().position(of);
    u64::try_from(index.expect("a tick of no model")).unwrap()
}

#[test]
fn waveforms_show_ticks_and_their_models() {
    if !tools_or_skip("waveforms_show_ticks_and_their_models") {
        return;
    }
    let config = preset("c1b4").unwrap();
    let waves: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("waves");
    let _ = std::fs::remove_dir_all(&waves);
    let nets = [models::residual_mlp(8, 5, 3, 1), models::cnn(4, 4, 2, 2)];
    let bundle = Bundle::compile(&nets, &config).unwrap();
    let jobs = bundle.jobs(&bundle.requests(6, 3), 1);
    let mut rtl = RtlExecutor::traced(&config, &waves).unwrap();
    let run = rtl
        .run(&bundle.program, &jobs, &StallPattern::FREE)
        .unwrap();
    drop(rtl);

    let files: Vec<PathBuf> = std::fs::read_dir(&waves)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let shown = ticks(&files[0]);
    let expected: Ticks = run
        .ticks
        .iter()
        .map(|(cycle, tick)| {
            let (pc, parity) = (u64::from(tick.pc), u64::from(tick.parity));
            (*cycle, pc, parity, owner(&bundle.program, tick.pc))
        })
        .collect();
    assert_eq!(shown, expected);
    for model in [0, 1] {
        assert!(
            shown.iter().any(|t| t.3 == model),
            "no tick of model {model}"
        );
    }
    let mut flipped = expected;
    flipped[7].1 ^= 1;
    assert_ne!(shown, flipped);
}
