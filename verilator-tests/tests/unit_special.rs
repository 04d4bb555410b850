//! `hdl/rtl/special/` against `isa::special`, bit for bit: every bf16 operand through every function, fp32 operands, any mix.

mod support;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use sluice_isa::special::{Function, apply};
use sluice_isa::timing::SPECIAL_STAGES;
use support::Random;
use verilator_sys::{Build, Library, Model, ModelOptions, Port, tools_or_skip};

const STAGES: usize = SPECIAL_STAGES as usize;
const LANES: usize = 3;
const VECTORS: usize = 700_000; // three operands each
const SEED: u64 = 0x5EED_5BEC;

fn rtl() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/rtl/special")
}

/// The unit with the package's text as `edit` leaves it.
fn library(name: &str, edit: impl Fn(String) -> String) -> Library {
    let package = std::fs::read_to_string(rtl().join("sl_special_pkg.sv")).unwrap();
    let file = verilator_sys::project_root().join(format!("build/{name}/sl_special_pkg.sv"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, edit(package)).unwrap();
    Build::new(name)
        .top("sl_special_unit")
        .source(file)
        .sources(["rom", "slope", "lane", "unit"].map(|m| rtl().join(format!("sl_special_{m}.sv"))))
        .flag("-GLanes=3")
        .build()
        .unwrap()
}

/// fp32 operands that reach the corners: both ends of every binade, the binades the tables cover, the ends of the range, limits.
fn operand(random: &mut Random) -> u32 {
    let word = random.word();
    let sign = random.word() & 0x8000_0000;
    match random.below(8) {
        0 => {
            sign | random.below(256) << 23 | [0, 1, 0x7F_FFFF, 0x40_0000][random.below(4) as usize]
        }
        1 | 2 => sign | (100 + random.below(38)) << 23 | word & 0x7F_FFFF,
        // Few bits of fraction, and all but few.
        3 => {
            sign | (100 + random.below(38)) << 23
                | (word & 0x7F_FFFF) & (0x7F_FFFF << random.below(23))
        }
        4 => {
            sign | (120 + random.below(15)) << 23
                | (word & 0x7F_FFFF)
                | (0x7F_FFFF >> random.below(23))
        }
        // Near 1.
        5 => 0x3F80_0000u32
            .wrapping_add((word & 0xFF_FFFF) >> random.below(24))
            .wrapping_sub(random.below(64)),
        // Where results are flushed.
        6 => {
            let limit = Function::ALL[6 + random.below(5) as usize].underflow() << 16;
            0x8000_0000 | limit.wrapping_add(word & 0x1_FFFF).wrapping_sub(0x1_0000)
        }
        _ => word,
    }
}

struct Bench {
    model: Model,
    stages: u64, // bit s: stage p(s+1) works
    clk: Port,
    valid: Port,
    function: Port,
    x: Port,
    y: Port,
}

impl Bench {
    fn new(library: &Library, seed: u32) -> Self {
        let model = library.new_model(&ModelOptions::seeded(seed)).unwrap();
        let port = |name| model.port(name).unwrap();
        Self {
            clk: port("clk_i"),
            valid: port("valid_i"),
            function: port("fn_i"),
            x: port("x_i"),
            y: port("y_o"),
            model,
            stages: 0,
        }
    }

    /// Drives one cycle; returns what the output shows in it before the clock edge.
    fn cycle(&mut self, valid: bool, function: u8, x: [u32; LANES]) -> [u32; LANES] {
        self.stages = (self.stages << 1 | u64::from(valid)) & ((1 << STAGES) - 1);
        self.model.set_u64(self.clk, 0).unwrap();
        self.model.set_u64(self.valid, self.stages).unwrap();
        self.model
            .set_u64(self.function, u64::from(function))
            .unwrap();
        self.model.set_words(self.x, &x).unwrap();
        self.model.eval().unwrap();
        let seen = self.model.words(self.y).unwrap()[..LANES]
            .try_into()
            .unwrap();
        self.model.set_u64(self.clk, 1).unwrap();
        self.model.eval().unwrap();
        seen
    }
}

/// First difference of a run over `stream`, a cycle each; the function is presented a cycle before its operands.
fn run(
    library: &Library,
    stream: impl Iterator<Item = (bool, Function, [u32; LANES])>,
    model: impl Fn(Function, u32) -> u32,
) -> Option<String> {
    let mut bench = Bench::new(library, 7);
    let mut pending: VecDeque<(bool, Function, [u32; LANES])> = VecDeque::new();
    let idle = (false, Function::Recip, [0; LANES]);
    let mut stream = std::iter::once(idle)
        .chain(stream)
        .chain(std::iter::repeat_n(idle, STAGES))
        .peekable();
    while let Some(item) = stream.next() {
        let next = stream.peek().map_or(Function::Recip, |next| next.1);
        let seen = bench.cycle(item.0, next as u8, item.2);
        pending.push_back(item);
        if pending.len() <= STAGES {
            continue;
        }
        let Some((true, function, x)) = pending.pop_front() else {
            continue;
        };
        for (lane, (x, seen)) in x.into_iter().zip(seen).enumerate() {
            let want = model(function, x);
            if want != seen {
                return Some(format!(
                    "{}({x:08x}), lane {lane}: {seen:08x}, expected {want:08x}",
                    function.name()
                ));
            }
        }
    }
    None
}

/// Every bf16 operand through every function, with three different low halves.
fn all_bf16() -> impl Iterator<Item = (bool, Function, [u32; LANES])> {
    Function::ALL.into_iter().flat_map(|f| {
        (0..=0xFFFFu32).map(move |h| {
            let x = h << 16;
            (true, f, [x, x | 0x5A5A, x | 0xFFFF])
        })
    })
}

fn mixed(vectors: usize) -> impl Iterator<Item = (bool, Function, [u32; LANES])> {
    let mut random = Random(SEED);
    (0..vectors).map(move |_| {
        let f = Function::ALL[random.below(11) as usize];
        let valid = random.below(8) != 0;
        (valid, f, std::array::from_fn(|_| operand(&mut random)))
    })
}

#[test]
fn special_unit_equals_the_model() {
    if !tools_or_skip("special_unit_equals_the_model") {
        return;
    }
    let library = library("special_unit", |text| text);
    assert_eq!(run(&library, all_bf16(), apply), None);
    assert_eq!(run(&library, mixed(VECTORS), apply), None, "seed {SEED:x}");

    // The comparison can fail: an input bit the model sees differently, an output bit of one function.
    for wrong in [
        run(&library, mixed(2000), |f, x| apply(f, x ^ 0x0000_0400)),
        run(&library, mixed(2000), |f, x| {
            apply(f, x) ^ u32::from(f == Function::Log2)
        }),
    ] {
        assert!(wrong.is_some_and(|text| text.contains("expected")));
    }
}

#[test]
fn a_flipped_table_bit_is_seen() {
    if !tools_or_skip("a_flipped_table_bit_is_seen") {
        return;
    }
    // Bit 4 of c0 in the fifth line of rows.
    let library = library("special_unit_wrong", |text| {
        let rows = text.find("Rows[Depth]").unwrap();
        let (head, tail) = text.split_at(rows);
        let mut lines: Vec<String> = tail.lines().map(str::to_owned).collect();
        let word = lines[5].rfind("72'h").unwrap();
        let at = word + "72'h".len() + 16; // last digit but one
        let digit = u8::from_str_radix(&lines[5][at..=at], 16).unwrap() ^ 1;
        lines[5].replace_range(at..=at, &format!("{digit:x}"));
        format!("{head}{}\n", lines.join("\n"))
    });
    let wrong = run(&library, all_bf16(), apply);
    assert!(wrong.is_some_and(|text| text.contains("expected")));
}
