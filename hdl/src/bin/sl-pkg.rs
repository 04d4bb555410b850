//! Writes the generated files of the repository, or with `--check` says which are stale.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            eprintln!("sl-pkg: unknown argument `{other}` (only --check)");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut code = ExitCode::SUCCESS;
    for (path, text) in sluice_hdl::generated::files() {
        let file = root.join(path);
        if std::fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        if check {
            eprintln!("stale: {path}");
            code = ExitCode::FAILURE;
        } else if let Err(e) = std::fs::write(&file, text) {
            eprintln!("{}: {e}", file.display());
            code = ExitCode::FAILURE;
        } else {
            println!("wrote {path}");
        }
    }
    code
}
