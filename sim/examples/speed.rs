//! How fast the VM is: a dense network of hand-built ticks, and an idle machine.
//!
//! `cargo run --release -p sluice-sim --example speed [name]`; one thread. With a name (for profiling) only that case, fastest engine.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "figures for people; counts of a small program"
)]

use std::sync::Arc;
use std::time::Instant;

use sluice_isa::lbfp::quantize;
use sluice_isa::timing::Timing;
use sluice_isa::{
    ASrc, ControlWord, CoreImage, HardwareConfig, MatrixKind, MatrixWord, ModelInfo, Program,
    TensorInfo, VectorWord, presets,
};
use sluice_sim::kernel::Engine;
use sluice_sim::{Machine, Pins, Vm};

/// `layers` square layers of `width`: every core computes the row blocks `core, core + C, ...`.
fn dense(config: HardwareConfig, width: u32, layers: u32) -> Program {
    let (b, c) = (config.block_size, config.num_cores);
    let blocks = width / b;
    let latency = Timing::of(&config).dense_latency();
    let mut cores = vec![CoreImage::default(); c as usize];
    for core in &mut cores {
        core.clamps = vec![(0xFF80_0000, 0x7F80_0000), (0, 0x7F80_0000)];
    }
    let mut control: Vec<ControlWord> = Vec::new();
    let mut noise = 1u32;
    // All of the input before anything else.
    for _ in 1..blocks {
        control.push(ControlWord::default());
        for core in &mut cores {
            core.matrix.push(MatrixWord::default());
            core.vector.push(VectorWord::default());
        }
    }
    for layer in 0..layers {
        // Blocks of a layer stand in the bank of the core that made them, even and odd layers apart.
        let half = (layer % 2) * config.tensor_ram_depth / 2;
        let source = |k: u32| match layer {
            0 => (c, k),
            _ => (k % c, config.tensor_ram_depth / 2 - half + k / c),
        };
        for round in 0..blocks.div_ceil(c) {
            for k in 0..blocks {
                control.push(ControlWord::default());
                for (i, core) in (0u32..).zip(&mut cores) {
                    let active = round * c + i < blocks;
                    let (bank, addr) = source(k);
                    core.matrix.push(if active {
                        let w: Vec<f32> = (0..b * b)
                            .map(|_| {
                                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                                (noise >> 9) as f32 / (1 << 22) as f32 - 1.0
                            })
                            .collect();
                        core.weights
                            .push(quantize(b as usize, b as usize, b as usize, &w));
                        MatrixWord {
                            kind: MatrixKind::Product,
                            first: k == 0,
                            bank,
                            addr,
                            weight: core.weights.len() as u32 - 1,
                            ..MatrixWord::default()
                        }
                    } else {
                        MatrixWord::default()
                    });
                    core.vector.push(if active && k == blocks - 1 {
                        VectorWord {
                            valid: true,
                            a_src: ASrc::Acc,
                            pre: 1,
                            lane_hi: b,
                            dst_addr: half + round,
                            ..VectorWord::default()
                        }
                    } else {
                        VectorWord::default()
                    });
                }
            }
        }
        for _ in 0..latency {
            control.push(ControlWord::default());
            for core in &mut cores {
                core.matrix.push(MatrixWord::default());
                core.vector.push(VectorWord::default());
            }
        }
    }
    let half = ((layers - 1) % 2) * config.tensor_ram_depth / 2;
    for k in 0..blocks {
        control.push(ControlWord {
            last: k == blocks - 1,
            out_valid: true,
            out_last: k == blocks - 1,
            out_bank: k % c,
            out_addr: half + k / c,
            out_lanes: b,
            ..ControlWord::default()
        });
        for core in &mut cores {
            core.matrix.push(MatrixWord::default());
            core.vector.push(VectorWord::default());
        }
    }
    for word in &mut control[..blocks as usize] {
        word.beat = true;
    }
    let tensor = |name: &str| TensorInfo {
        name: name.into(),
        shape: vec![width as usize],
        data_dim: 0,
        streaming_dim: None,
        format: sluice_isa::NumberFormat::Bf16,
    };
    let model = ModelInfo {
        name: "dense".into(),
        entry_pc: 0,
        ticks: control.len() as u32,
        init_pc: None,
        resettable: false,
        inputs: vec![tensor("x")],
        outputs: vec![tensor("y")],
        n_in: blocks,
        n_out: blocks,
        cycles_spaced: 0,
        cycles_contiguous: 0,
        parameters: u64::from(width) * u64::from(width) * u64::from(layers),
        weight_blocks: u64::from(blocks) * u64::from(blocks) * u64::from(layers),
    };
    Program {
        config,
        models: vec![model],
        control,
        cores,
    }
}

fn measure(name: &str, config: HardwareConfig, width: u32, layers: u32) {
    let only = std::env::args().nth(1);
    if only.as_ref().is_some_and(|only| only != name) {
        return;
    }
    let program = Arc::new(dense(config, width, layers));
    let macs = program.models[0].parameters as f64;
    let x: Vec<f32> = (0..width).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect();
    let engines = [Engine::detect(), Engine::Portable];
    for &engine in &engines[..if only.is_some() { 1 } else { 2 }] {
        let mut vm = match Vm::new(Arc::clone(&program)) {
            Ok(vm) => vm,
            Err(e) => {
                println!("{name}: {e}");
                return;
            }
        };
        vm.machine().set_engine(engine);
        let mut best = f64::MAX;
        let mut cycles = 0;
        for _ in 0..if only.is_some() { 4000 } else { 300 } {
            let start = Instant::now();
            match vm.run(0, &[&x]) {
                Ok(run) => cycles = run.cycles.spaced,
                Err(e) => println!("{e}"),
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        let engine = match engine {
            Engine::Portable => "portable",
            Engine::Avx2(_) => "avx2",
        };
        println!(
            "{name:10} {width:5} x {width:<5} x {layers} {engine:9} {:7.1} us/job {:6.2} GMAC/s {cycles} cycles {:6.1} ns/cycle",
            best * 1e6,
            macs / best / 1e9,
            best * 1e9 / cycles as f64
        );
    }
    if let Ok(mut machine) = Machine::new(program) {
        // Products switched off: what is left is control, events and streams.
        machine.set_compute(false);
        let beat = vec![0; machine.program().config.block_size as usize];
        for (what, select) in [("busy", true), ("idle", false)] {
            let pins = Pins {
                select_valid: select,
                input_valid: select,
                input_data: &beat,
                output_ready: true,
                enable: true,
                ..Pins::default()
            };
            let mut best = f64::MAX;
            for _ in 0..10 {
                let start = Instant::now();
                for _ in 0..10_000 {
                    if let Err(e) = machine.step(&pins) {
                        println!("{e}");
                    }
                }
                best = best.min(start.elapsed().as_secs_f64() / 1e4);
            }
            println!("{name:10} control, {what}: {:.1} ns/cycle", best * 1e9);
            // Let the last job end.
            for _ in 0..20_000 {
                let quiet = Pins {
                    input_valid: true,
                    input_data: &beat,
                    output_ready: true,
                    enable: true,
                    ..Pins::default()
                };
                if machine.step(&quiet).is_err() {
                    break;
                }
            }
        }
    }
}

fn main() {
    let mut big = match presets::preset("c6b32") {
        Ok(c) => c,
        Err(e) => {
            println!("{e}");
            return;
        }
    };
    big.instr_store_depth = 65536;
    measure("small", big.clone(), 256, 1);
    measure("c6b32", big.clone(), 1024, 1);
    measure("two layers", big.clone(), 1024, 2);
    big.block_size = 64;
    big.num_cores = 3;
    measure("c3b64", big.clone(), 1024, 1);
    big.block_size = 8;
    big.num_cores = 2;
    big.weight_store_depth = 8192;
    measure("c2b8", big, 256, 1);
}
