//! Lints the RTL: `verilator --lint-only -Wall` on emitted configurations, configuration bus included, and, with `--verible`, style and
//! format of `hdl/rtl`.
//!
//! **Contract.** Exit code 0 only when every tool ran and found nothing. Verilator is `$VERILATOR`, else the one in `.tools/venv`,
//! else the one on `PATH`; the Verible programs come from `.tools/venv` or `PATH`.
//! **Errors.** Findings and missing tools are printed; the exit code is 1.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use sluice_hdl::Generator;
use sluice_hdl::generator::EXAMPLE;
use sluice_isa::{HardwareConfig, presets};

/// Small, the open-flow bitstream, that with FP8 weights, the product, the same with FP8 weights, the widest.
const CONFIGS: &[&str] = &["c1b4", "c2b8", "c2b8f8", "c6b32", "amd_v80_c6b32", "c3b64"];

/// A corner: sizes that are not powers of two where that is allowed, two exchange stages, an odd core count.
fn corner() -> HardwareConfig {
    HardwareConfig {
        weight_store_depth: 33,
        const_store_depth: 17,
        instr_store_depth: 1000,
        tensor_ram_depth: 4096,
        accum_store_depth: 2,
        clamp_store_depth: 32,
        max_models: 256,
        select_fifo_depth: 2,
        output_fifo_depth: 4096,
        exchange_stages: 2,
        ..HardwareConfig::new("c5b16_corner", 5, 16)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Verilator with the environment it needs.
fn verilator() -> Command {
    let packaged = fs::read_dir(root().join(".tools/venv/lib"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|python| python.path().join("site-packages/verilator"))
        .find(|home| home.join("bin/verilator").is_file());
    match (env::var_os("VERILATOR"), packaged) {
        (Some(path), _) => Command::new(path),
        (None, Some(home)) => {
            let home = fs::canonicalize(&home).unwrap_or(home);
            let mut command = Command::new(home.join("bin/verilator"));
            command.env("VERILATOR_ROOT", home);
            command
        }
        (None, None) => Command::new("verilator"),
    }
}

fn verible(program: &str) -> Command {
    let local = root().join(".tools/venv/bin").join(program);
    Command::new(if local.is_file() {
        local
    } else {
        program.into()
    })
}

/// Runs a tool; whatever it prints on failure is shown.
fn clean(what: &str, command: &mut Command) -> bool {
    match command.output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            eprintln!(
                "{what}:\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            false
        }
        Err(e) => {
            eprintln!(
                "{what}: {} does not run: {e}; `make lint-tools` installs it",
                command.get_program().display()
            );
            false
        }
    }
}

fn lint_config(config: &HardwareConfig, load_stream: u32, dir: &Path) -> bool {
    let emitted = Generator::new(config)
        .and_then(|g| g.load_stream(load_stream))
        .and_then(|g| g.emit(dir));
    let manifest = match emitted {
        Ok(manifest) => manifest,
        Err(e) => {
            eprintln!("{}: {e}", config.name);
            return false;
        }
    };
    // The accelerator is seen again under the configuration bus: alone only where that costs little; so, too, the example.
    let alone = (config.block_size <= 16).then_some((manifest.top.as_str(), None));
    let example = (config.block_size <= 8).then(|| (EXAMPLE, Some(format!("{EXAMPLE}.sv"))));
    let tops = [alone, Some((manifest.ip_top.as_str(), None)), example];
    tops.into_iter().flatten().all(|(top, source)| {
        clean(
            &format!("{} {top}", config.name),
            verilator()
                .current_dir(dir)
                .args(["--lint-only", "-Wall", "--assert", "--top-module"])
                .args([top, "-f", "sl_filelist.f"])
                .args(source),
        )
    })
}

fn rtl_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rtl_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "sv") {
            found.push(path);
        }
    }
}

fn main() -> ExitCode {
    let mut with_verible = false;
    for arg in env::args().skip(1) {
        if arg == "--verible" {
            with_verible = true;
        } else {
            eprintln!("lint-rtl: unknown argument `{arg}` (only --verible)");
            return ExitCode::from(2);
        }
    }
    let scratch = env::temp_dir().join(format!("sluice-lint-{}", std::process::id()));
    let mut ok = true;
    let mut configs = vec![corner()];
    for name in CONFIGS {
        match presets::preset(name) {
            Ok(config) => configs.push(config),
            Err(e) => {
                eprintln!("{e}");
                ok = false;
            }
        }
    }
    // Every width of the load stream, too, on small configurations.
    let small: Vec<_> = configs.iter().filter(|c| c.block_size <= 16).collect();
    let streamed = small.into_iter().cycle().zip([512, 32, 64, 128, 256]);
    let plain = configs.iter().map(|c| (c, 0));
    for (config, load_stream) in plain.chain(streamed) {
        let name = match load_stream {
            0 => config.name.clone(),
            bits => format!("{}, load stream of {bits} bits", config.name),
        };
        let found = lint_config(config, load_stream, &scratch.join(&name));
        println!(
            "verilator -Wall {name}: {}",
            if found { "clean" } else { "FINDINGS" }
        );
        ok &= found;
    }
    if with_verible {
        let mut files = Vec::new();
        rtl_files(&root().join("hdl/rtl"), &mut files);
        files.sort();
        ok &= !files.is_empty();
        for file in &files {
            let name = file.display().to_string();
            // Blocking assignments in clocked processes are Verilator's BLKSEQ, which knows a process's own variables; Verible's rule
            // takes those of an outer block for registers.
            ok &= clean(
                &name,
                verible("verible-verilog-lint")
                    .arg("--rules=-always-ff-non-blocking")
                    .arg(file),
            );
            ok &= clean(
                &name,
                verible("verible-verilog-format").arg("--verify").arg(file),
            );
        }
        println!("verible: {} files", files.len());
    }
    if let Err(e) = fs::remove_dir_all(&scratch) {
        eprintln!("{}: {e}", scratch.display());
        ok = false;
    }
    if ok {
        println!("lint-rtl: clean");
        ExitCode::SUCCESS
    } else {
        println!("lint-rtl: findings above");
        ExitCode::FAILURE
    }
}
