//! Measures what a model costs: time to build or find it, and evaluations per second of the test fixtures.
//!
//! `cargo run --release -p verilator-sys --example eval_rate`

use std::path::Path;
use std::time::Instant;

use verilator_sys::{Build, Error, ModelOptions};

const CYCLES: u32 = 2_000_000;

fn main() -> Result<(), Error> {
    let rtl = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rtl");
    let counter = Build::new("counter")
        .top("counter")
        .source(rtl.join("counter.sv"))
        .include(&rtl);
    let hier = Build::new("hier")
        .top("hier")
        .source(rtl.join("hier.sv"))
        .source(rtl.join("hier_row.sv"));
    for build in [counter, hier] {
        let started = Instant::now();
        let library = build.build()?;
        let found = if library.from_cache() {
            "found in the cache"
        } else {
            "built"
        };
        println!(
            "{}: {found} in {:.2} s",
            library.path().display(),
            started.elapsed().as_secs_f64()
        );

        let mut model = library.new_model(&ModelOptions::default())?;
        let (clk, rst) = (model.port("clk_i")?, model.port("rst_ni")?);
        let started = Instant::now();
        for cycle in 0..CYCLES {
            model.set_u64(rst, u64::from(cycle > 1))?;
            for level in [0, 1] {
                model.set_u64(clk, level)?;
                model.eval()?;
            }
        }
        let per_cycle = started.elapsed().as_secs_f64() * 1e9 / f64::from(CYCLES);
        println!("  {per_cycle:.0} ns per cycle (two evaluations, three port writes)");
    }
    Ok(())
}
