//! Models built from the fixtures in `rtl/`: ports, power-up state, failures, hierarchy, traces, the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use verilator_sys::{
    Build, Direction, Error, Library, Model, ModelOptions, Toolchain, tools_or_skip,
};

fn rtl(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/rtl")
        .join(file)
}

/// A folder of this test alone, emptied first. Its path is the same in every run, so that ccache hits.
fn fresh(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn counter() -> Build {
    Build::new("counter")
        .top("counter")
        .source(rtl("counter.sv"))
        .include(rtl(""))
}

fn checks() -> Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            Build::new("checks")
                .top("checks")
                .source(rtl("checks.sv"))
                .build()
                .unwrap()
        })
        .clone()
}

fn hier() -> Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            Build::new("hier")
                .top("hier")
                .source(rtl("hier.sv"))
                .source(rtl("hier_row.sv"))
                .build()
                .unwrap()
        })
        .clone()
}

fn tick(model: &mut Model) -> Result<(), Error> {
    let clk = model.port("clk_i")?;
    for level in [0, 1] {
        model.set_u64(clk, level)?;
        model.eval()?;
        model.advance(5);
    }
    Ok(())
}

fn reset(model: &mut Model) {
    let rst = model.port("rst_ni").unwrap();
    model.set_u64(rst, 0).unwrap();
    tick(model).unwrap();
    model.set_u64(rst, 1).unwrap();
}

fn read(model: &Model, port: &str) -> u64 {
    model.get_u64(model.port(port).unwrap()).unwrap()
}

#[test]
fn counter_counts_with_parameter_include_and_plusarg() {
    if !tools_or_skip("counter_counts_with_parameter_include_and_plusarg") {
        return;
    }
    let library = counter().param("Width", 6).build().unwrap();
    let count = library.port("count_o").unwrap();
    assert_eq!(
        (count.width(), count.words(), count.dir()),
        (6, 1, Direction::Output)
    );

    let options = ModelOptions {
        plusargs: vec!["+start=60".to_owned()],
        ..ModelOptions::default()
    };
    let mut model = library.new_model(&options).unwrap();
    reset(&mut model);
    let seen: Vec<u64> = (0..6)
        .map(|_| {
            tick(&mut model).unwrap();
            read(&model, "count_o")
        })
        .collect();
    assert_eq!(seen, [61, 62, 63, 0, 1, 2]);
    assert_eq!(model.time(), 70);
    assert_eq!(model.take_messages(), ["start 60"]);
    assert!(model.take_messages().is_empty());
}

#[test]
fn ports_of_every_width() {
    if !tools_or_skip("ports_of_every_width") {
        return;
    }
    let library = Build::new("wide")
        .top("wide")
        .source(rtl("wide.sv"))
        .build()
        .unwrap();
    let mut model = library.new_model(&ModelOptions::default()).unwrap();
    let port = |name: &str| library.port(name).unwrap();

    let data: Vec<u32> = (0..16u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
    model.set_words(port("data_i"), &data).unwrap();
    model
        .set_words(port("odd_i"), &[u32::MAX, u32::MAX, u32::MAX, 0xf])
        .unwrap();
    model.set_u64(port("word_i"), u64::MAX - 1).unwrap();
    model.set_u64(port("mid_i"), 0x1_ffff_fffe).unwrap();
    model.set_u64(port("small_i"), 0xffe).unwrap();
    model.eval().unwrap();
    assert_eq!(model.words(port("data_o")).unwrap(), data);
    assert_eq!(model.words(port("odd_o")).unwrap(), [0; 4]);
    assert_eq!(model.words(port("word_o")).unwrap(), [u32::MAX; 2]);
    assert_eq!(model.get_u64(port("word_o")).unwrap(), u64::MAX);
    assert_eq!(model.get_u64(port("mid_o")).unwrap(), 0x1_ffff_ffff);
    assert_eq!(model.get_u64(port("small_o")).unwrap(), 0xfff);

    // The must-fail twin: with the inverter on, the same comparison has to see a difference in every word.
    model.set_u64(port("invert_i"), 1).unwrap();
    model.eval().unwrap();
    assert!(
        model
            .words(port("data_o"))
            .unwrap()
            .iter()
            .zip(&data)
            .all(|(a, b)| *a == !*b)
    );
}

#[test]
fn misfit_accesses_are_errors() {
    if !tools_or_skip("misfit_accesses_are_errors") {
        return;
    }
    let library = Build::new("wide")
        .top("wide")
        .source(rtl("wide.sv"))
        .build()
        .unwrap();
    let other = checks();
    let mut model = library.new_model(&ModelOptions::default()).unwrap();
    let port = |name: &str| library.port(name).unwrap();
    assert!(matches!(
        model.set_u64(port("small_i"), 0x1000),
        Err(Error::Access { width: 12, .. })
    ));
    assert!(matches!(
        model.set_u64(port("data_i"), 0),
        Err(Error::Access { .. })
    ));
    assert!(matches!(
        model.set_u64(port("word_o"), 0),
        Err(Error::Access { .. })
    ));
    assert!(matches!(
        model.set_words(port("odd_i"), &[0, 0, 0, 0x10]),
        Err(Error::Access { .. })
    ));
    assert!(matches!(
        model.set_words(port("odd_i"), &[0; 3]),
        Err(Error::Access { .. })
    ));
    assert!(matches!(
        model.words(port("small_o")),
        Err(Error::Access { .. })
    ));
    assert!(matches!(
        model.get_u64(other.port("clk_i").unwrap()),
        Err(Error::ForeignPort)
    ));
    let error = library.port("absent").unwrap_err();
    assert!(error.to_string().contains("data_i"), "{error}");
}

#[test]
fn failures_come_back_as_errors_and_poison_the_model() {
    if !tools_or_skip("failures_come_back_as_errors_and_poison_the_model") {
        return;
    }
    let library = checks();
    let value = library.port("value_i").unwrap();
    let cases: [(u64, &[&str]); 5] = [
        (7, &["a hit seven", "SevenIsBad_A"]),
        (1, &["first", "second"]),
        (2, &["fatal two"]),
        (3, &["$stop", "checks.sv"]),
        (6, &["converge"]),
    ];
    for (stimulus, expected) in cases {
        let mut model = library.new_model(&ModelOptions::default()).unwrap();
        tick(&mut model).unwrap();
        model.set_u64(value, stimulus).unwrap();
        let error = tick(&mut model).expect_err("the check has to fire");
        assert!(matches!(error, Error::Simulation { .. }), "{error:?}");
        for part in expected {
            assert!(
                error.to_string().contains(part),
                "stimulus {stimulus}: `{part}` is not in: {error}"
            );
        }
        model.set_u64(value, 0).unwrap();
        assert!(
            matches!(model.eval(), Err(Error::Poisoned { .. })),
            "stimulus {stimulus}"
        );
    }
}

#[test]
fn finish_and_messages_are_not_errors() {
    if !tools_or_skip("finish_and_messages_are_not_errors") {
        return;
    }
    let library = checks();
    let value = library.port("value_i").unwrap();
    let mut model = library.new_model(&ModelOptions::default()).unwrap();
    tick(&mut model).unwrap();
    model.set_u64(value, 5).unwrap();
    tick(&mut model).unwrap();
    assert_eq!(model.take_messages(), ["five"]);
    assert!(!model.finished());
    model.set_u64(value, 4).unwrap();
    tick(&mut model).unwrap();
    assert!(model.finished());
    model.finalize().unwrap();
}

#[test]
fn seeds_choose_the_powerup_state() {
    if !tools_or_skip("seeds_choose_the_powerup_state") {
        return;
    }
    let library = counter().build().unwrap();
    let powerup = |options: &ModelOptions| {
        let mut model = library.new_model(options).unwrap();
        tick(&mut model).unwrap();
        read(&model, "memory_o")
    };
    let first = powerup(&ModelOptions::seeded(1));
    assert_ne!(first, powerup(&ModelOptions::seeded(2)));
    assert_eq!(first, powerup(&ModelOptions::seeded(1)));
    assert_eq!(powerup(&ModelOptions::default()), 0);
    // The last legal seed does not wrap into "seed from the clock".
    assert_eq!(
        powerup(&ModelOptions::seeded(u32::MAX)),
        powerup(&ModelOptions::seeded(u32::MAX))
    );
}

#[test]
fn hierarchical_blocks_work_and_power_up_apart() {
    if !tools_or_skip("hierarchical_blocks_work_and_power_up_apart") {
        return;
    }
    let library = hier();
    let (data, sum, powerup) = (
        library.port("data_i").unwrap(),
        library.port("sum_o").unwrap(),
        library.port("powerup_o").unwrap(),
    );
    let run = |seed: u32| {
        let mut model = library.new_model(&ModelOptions::seeded(seed)).unwrap();
        model.set_words(data, &[1, 20, 300, 4000]).unwrap();
        reset(&mut model);
        (0..3).for_each(|_| tick(&mut model).unwrap());
        assert_eq!(model.words(sum).unwrap(), [3, 60, 900, 12000]);
        model.words(powerup).unwrap().to_vec()
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(one, run(1));
    for row in 0..4 {
        assert_ne!(one[row], two[row], "row {row} ignores the seed");
        assert_ne!(
            one[row],
            one[(row + 1) % 4],
            "rows share their power-up state"
        );
    }
}

#[test]
fn a_check_inside_a_hierarchical_block_comes_back() {
    if !tools_or_skip("a_check_inside_a_hierarchical_block_comes_back") {
        return;
    }
    let library = hier();
    let mut model = library.new_model(&ModelOptions::default()).unwrap();
    reset(&mut model);
    model
        .set_words(library.port("data_i").unwrap(), &[0, 0, 0xdead_beef, 0])
        .unwrap();
    let error = (0..3)
        .find_map(|_| tick(&mut model).err())
        .expect("the assertion has to fire");
    assert!(error.to_string().contains("dead beef"), "{error}");
    assert!(matches!(model.eval(), Err(Error::Poisoned { .. })));
    // Other instances of the library are sound.
    let mut other = library.new_model(&ModelOptions::default()).unwrap();
    reset(&mut other);
}

#[test]
fn models_run_in_parallel_threads() {
    if !tools_or_skip("models_run_in_parallel_threads") {
        return;
    }
    let library = hier();
    let (data, sum) = (
        library.port("data_i").unwrap(),
        library.port("sum_o").unwrap(),
    );
    std::thread::scope(|scope| {
        for lane in 1..=4u32 {
            // Made here, used there: a model moves between threads.
            let mut model = library.new_model(&ModelOptions::seeded(lane)).unwrap();
            scope.spawn(move || {
                model.set_words(data, &[lane; 4]).unwrap();
                reset(&mut model);
                (0..2000).for_each(|_| tick(&mut model).unwrap());
                assert_eq!(model.words(sum).unwrap(), [lane * 2000; 4]);
            });
        }
    });
}

#[test]
fn trace_and_coverage_only_when_built_in() {
    if !tools_or_skip("trace_and_coverage_only_when_built_in") {
        return;
    }
    let dir = fresh("trace");
    let library = Build::new("hier-trace")
        .top("hier")
        .sources([rtl("hier.sv"), rtl("hier_row.sv")])
        .hierarchical(false)
        .trace(true)
        .coverage(true)
        .build()
        .unwrap();
    let mut model = library.new_model(&ModelOptions::default()).unwrap();
    model.trace_open(dir.join("hier.fst")).unwrap();
    reset(&mut model);
    (0..20).for_each(|_| tick(&mut model).unwrap());
    model.trace_close();
    model.write_coverage(dir.join("coverage.dat")).unwrap();
    model.finalize().unwrap();
    let trace = fs::read(dir.join("hier.fst")).unwrap();
    // An FST file begins with a header block: type 0, length 329.
    assert_eq!(
        trace[..9],
        [0, 0, 0, 0, 0, 0, 0, 1, 73],
        "{:?}",
        &trace[..9]
    );
    assert!(
        fs::read_to_string(dir.join("coverage.dat"))
            .unwrap()
            .contains("hier_row.sv")
    );

    let mut plain = checks().new_model(&ModelOptions::default()).unwrap();
    assert!(matches!(
        plain.trace_open(dir.join("no.fst")),
        Err(Error::NotBuiltWith { feature: "trace" })
    ));
    assert!(matches!(
        plain.write_coverage(dir.join("no.dat")),
        Err(Error::NotBuiltWith {
            feature: "coverage"
        })
    ));
}

#[test]
fn cache_hits_on_equal_inputs_and_misses_after_an_edit() {
    if !tools_or_skip("cache_hits_on_equal_inputs_and_misses_after_an_edit") {
        return;
    }
    let dir = fresh("cache");
    fs::copy(rtl("counter.sv"), dir.join("counter.sv")).unwrap();
    fs::create_dir(dir.join("inc")).unwrap();
    fs::copy(rtl("step.svh"), dir.join("inc/step.svh")).unwrap();
    let build = Build::new("counter")
        .top("counter")
        .source(dir.join("counter.sv"))
        .include(dir.join("inc"))
        .cache_dir(dir.join("models"));

    // Two at once: one builds, the other waits for the lock and finds it.
    let cached = std::thread::scope(|scope| {
        let handles = [0, 1].map(|_| scope.spawn(|| build.build().unwrap().from_cache()));
        handles.map(|handle| handle.join().unwrap())
    });
    assert_eq!(cached.iter().filter(|hit| **hit).count(), 1, "{cached:?}");
    assert!(build.build().unwrap().from_cache());

    assert!(
        !build
            .clone()
            .define("UNUSED", "1")
            .build()
            .unwrap()
            .from_cache()
    );

    // An edit of an included file, and only of that.
    fs::write(dir.join("inc/step.svh"), "`define STEP 3\n").unwrap();
    let edited = build.build().unwrap();
    assert!(!edited.from_cache());
    let mut model = edited.new_model(&ModelOptions::default()).unwrap();
    reset(&mut model);
    tick(&mut model).unwrap();
    assert_eq!(read(&model, "count_o"), 3);
    assert_eq!(
        fs::read_dir(dir.join("models/scratch")).unwrap().count(),
        0,
        "scratch folders stay behind"
    );
}

#[test]
fn bad_sources_give_the_telling_lines() {
    if !tools_or_skip("bad_sources_give_the_telling_lines") {
        return;
    }
    let dir = fresh("bad");
    let write = |text: &str| {
        fs::write(dir.join("bad.sv"), text).unwrap();
        Build::new("bad")
            .top("bad")
            .source(dir.join("bad.sv"))
            .cache_dir(dir.join("models"))
            .build()
    };
    match write("module bad (input logic clk_i);\n  assign nothing = missing_name;\nendmodule\n") {
        Err(Error::Verilate { excerpt, log, .. }) => {
            assert!(excerpt.contains("missing_name"), "{excerpt}");
            assert!(log.is_file());
        }
        other => panic!("{other:?}"),
    }
    let unpacked = write(
        "module bad (input logic [7:0] d_i [4], output logic [7:0] q_o);\n  assign q_o = d_i[0];\nendmodule\n",
    );
    assert!(
        matches!(unpacked, Err(Error::UnsupportedPort { .. })),
        "{unpacked:?}"
    );
}

#[test]
fn wrong_descriptions_are_errors() {
    let missing = Toolchain::at("/nonexistent/verilator").unwrap_err();
    assert!(matches!(missing, Error::VerilatorMissing { .. }));
    assert!(missing.to_string().contains("make setup"), "{missing}");
    assert!(matches!(
        Build::new("x").top("x").build(),
        Err(Error::Description { .. })
    ));
    assert!(matches!(
        Build::new("x").source("x.sv").build(),
        Err(Error::Description { .. })
    ));
    assert!(matches!(
        Build::new("../x").top("x").source("x.sv").build(),
        Err(Error::Description { .. })
    ));
    if tools_or_skip("wrong_descriptions_are_errors") {
        assert!(matches!(
            Build::new("x").top("x").source("/nonexistent/x.sv").build(),
            Err(Error::Read { .. })
        ));
    }
}
