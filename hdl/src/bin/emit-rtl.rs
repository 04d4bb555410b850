//! Emits a configuration: `emit-rtl <preset or config.json> <folder>`.

use std::path::Path;
use std::process::ExitCode;

use sluice_hdl::{Generator, HdlError};
use sluice_isa::{HardwareConfig, presets};

fn run(name: &str, dir: &Path) -> Result<usize, HdlError> {
    let path = Path::new(name);
    let config = if path.extension().is_some_and(|e| e == "json") {
        HardwareConfig::load(path)?
    } else {
        presets::preset(name)?
    };
    Ok(Generator::new(&config)?.emit(dir)?.digests.len() + 1)
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, dir] = args.as_slice() else {
        eprintln!("usage: emit-rtl <preset or config.json> <folder>");
        return ExitCode::from(2);
    };
    match run(name, Path::new(dir)) {
        Ok(files) => {
            println!("{files} files in {dir}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}
