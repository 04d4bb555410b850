//! The checked-in header is what the library has, and a C and a C++ compiler agree with it.

use std::path::PathBuf;
use std::process::Command;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generated() -> String {
    let config = cbindgen::Config::from_file(folder().join("cbindgen.toml")).unwrap();
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_src(folder().join("src/lib.rs"))
        .with_config(config)
        .generate()
        .unwrap()
        .write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn not_stale() {
    let path = folder().join("include/sluice_cfg.h");
    let text = generated();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|found| found == text),
        "{} is stale: run `BLESS=1 cargo test -p sluice-cfg --test header`",
        path.display()
    );
}

/// A use of everything: types of the functions included.
const USE: &str = r"
#include <stdio.h>
#include <sluice_cfg.h>
#include <sluice_registers.h>

static uint32_t reader(void *user, uint32_t address) { return ((volatile uint32_t *)user)[address / 4]; }
static void writer(void *user, uint32_t address, uint32_t data) { ((volatile uint32_t *)user)[address / 4] = data; }

int main(int argc, char **argv) {
  static uint32_t registers[SLUICE_LOAD_WINDOW / 4 + SLUICE_LOAD_WINDOW_WORDS];
  struct sluice_cfg_status status;
  uint32_t jobs;
  char *error;
  if (argc > 1) {
    error = sluice_cfg_load_program(registers, reader, writer, argv[1]);
    sluice_cfg_destroy_err(error);
  }
  registers[SLUICE_IDENTITY / 4] = SLUICE_IDENTITY_VALUE ^ 1u;
  error = sluice_cfg_get_status(registers, reader, writer, &status);
  if (error == NULL) return 1;
  puts(error);
  sluice_cfg_destroy_err(error);
  registers[SLUICE_IDENTITY / 4] = SLUICE_IDENTITY_VALUE;
  registers[SLUICE_VERSION / 4] = SLUICE_VERSION_MAJOR_VALUE << SLUICE_VERSION_MAJOR_LSB |
                                 SLUICE_VERSION_MINOR_VALUE << SLUICE_VERSION_MINOR_LSB;
  registers[SLUICE_CAPABILITY_PROGRAM / 4] = 16u << SLUICE_CAPABILITY_PROGRAM_MAX_MODELS_LSB;
  registers[SLUICE_MODEL_JOBS / 4 + 3] = 42;
  if (sluice_cfg_model_jobs(registers, reader, writer, 3, &jobs) != NULL) return 2;
  if (sluice_cfg_print_device_id(registers, reader, writer) != NULL) return 3;
  return jobs == 42 ? 0 : 4;
}
";

/// The static library that cargo built beside this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join("libsluice_cfg.a")
}

#[test]
fn c_programs_compile_link_and_run() {
    let dir = std::env::temp_dir().join(format!("sluice-cfg-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for (compiler, file) in [("cc", "use.c"), ("c++", "use.cpp")] {
        let source = dir.join(file);
        std::fs::write(&source, USE).unwrap();
        let program = dir.join(compiler);
        let status = Command::new(compiler)
            .args(["-Wall", "-Wextra", "-Werror", "-I"])
            .arg(folder().join("include"))
            .arg(&source)
            .arg(library())
            .args(["-lpthread", "-ldl", "-lm", "-o"])
            .arg(&program)
            .status();
        match status {
            Ok(status) => assert!(status.success(), "{compiler} {file}"),
            Err(e) if std::env::var_os("CI").is_none() => {
                eprintln!("SKIPPED: {compiler} does not run: {e}");
                continue;
            }
            Err(e) => panic!("{compiler} does not run: {e}"),
        }
        let output = Command::new(&program).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{:?}: {text}", output.status);
        assert!(text.contains("SL-D002"), "{text}");
        assert!(text.contains("\"max_models\": 16"), "{text}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
