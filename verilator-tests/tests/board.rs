//! The self test of a board in simulation: it passes, and it can fail: a flipped bit, a shifted cycle, a wrong weight; a program through its wires.

use std::path::Path;

use sluice_isa::load::{Space, data_width, writes};
use sluice_isa::presets::preset;
use sluice_sim::StallPattern;
use sluice_suite::Outcome;
use sluice_verilator_tests::board::Board;
use verilator_sys::{Build, Library, Model, ModelOptions, Port, project_root, tools_or_skip};

struct Pins {
    model: Model,
    clock: Port,
    pass: Port,
    fail: Port,
    laps: Port,
    serial: [Port; 3],
}

impl Pins {
    /// Powered up, reset given.
    fn new(library: &Library) -> Self {
        let p = |name: &str| library.port(name).unwrap();
        let mut pins = Self {
            model: library.new_model(&ModelOptions::seeded(5)).unwrap(),
            clock: p("clk_i"),
            pass: p("pass_o"),
            fail: p("fail_o"),
            laps: p("laps_o"),
            serial: [p("load_sck_i"), p("load_cs_ni"), p("load_mosi_i")],
        };
        pins.model.set_u64(pins.serial[0], 0).unwrap();
        pins.model.set_u64(pins.serial[1], 1).unwrap();
        pins.model.set_u64(p("rst_ni"), 0).unwrap();
        pins.cycles(4);
        pins.model.set_u64(p("rst_ni"), 1).unwrap();
        pins
    }

    fn cycles(&mut self, count: usize) {
        for _ in 0..count {
            for level in [0, 1] {
                self.model.set_u64(self.clock, level).unwrap();
                self.model.eval().unwrap();
                self.model.advance(1);
            }
        }
    }

    fn get(&self, port: Port) -> u64 {
        self.model.get_u64(port).unwrap()
    }

    /// Runs on until two more laps have ended; (pass, fail).
    fn two_laps(&mut self, lap_cycles: usize) -> (bool, bool) {
        let before = self.get(self.laps);
        for _ in 0..4 {
            self.cycles(lap_cycles);
            if self.get(self.laps) >= before + 2 {
                return (self.get(self.pass) != 0, self.get(self.fail) != 0);
            }
        }
        panic!("laps do not end");
    }

    fn bit(&mut self, value: bool) {
        self.model.set_u64(self.serial[2], value.into()).unwrap();
        self.model.set_u64(self.serial[0], 0).unwrap();
        self.cycles(4);
        self.model.set_u64(self.serial[0], 1).unwrap();
        self.cycles(4);
    }
}

fn library(board: &Board, dir: &Path) -> Library {
    let constraints = project_root().join("constraints/ecp5");
    let mut sources = board.write(dir, &dir.display().to_string()).unwrap();
    sources.extend(["sl_serial_load.sv", "sl_selftest.sv"].map(|f| constraints.join(f)));
    Build::new("board-c1b4")
        .top("sl_selftest")
        .sources(sources)
        .include(dir.join("rtl"))
        .flag("--assert")
        .build()
        .unwrap()
}

#[test]
fn passes_and_can_fail() {
    if !tools_or_skip("passes_and_can_fail") {
        return;
    }
    let config = preset("c1b4").unwrap();
    let board = Board::new(&config, 50).unwrap();
    let dir = project_root().join("build/board-c1b4");
    let library = library(&board, &dir);
    let lap = board.expected.cycles() + 64;
    let expect = |outcome: &Outcome| {
        let text = Board::expected_hex(outcome, config.block_size);
        std::fs::write(dir.join("expected.hex"), text).unwrap();
    };
    assert_eq!(Pins::new(&library).two_laps(lap), (true, false));

    // One bit of the last beat.
    let mut wrong = board.expected.clone();
    let last = wrong.beats.len() - 1;
    wrong.beats[last].data[3] ^= 1;
    expect(&wrong);
    assert_eq!(Pins::new(&library).two_laps(lap), (false, true));
    // One cycle of the first.
    let mut late = board.expected.clone();
    late.beats[0].cycle += 1;
    expect(&late);
    assert_eq!(Pins::new(&library).two_laps(lap), (false, true));
    // Its end of tensor.
    let mut open = board.expected.clone();
    open.beats[last].last ^= true;
    expect(&open);
    assert_eq!(Pins::new(&library).two_laps(lap), (false, true));
    expect(&board.expected);

    // A wrong weight in an image; then the right words through the wires.
    let image = dir.join("images/core0_weights_row1.hex");
    let good = std::fs::read_to_string(&image).unwrap();
    let zeros: String = good
        .chars()
        .map(|c| if c == '\n' { c } else { '0' })
        .collect();
    std::fs::write(&image, zeros).unwrap();
    let mut pins = Pins::new(&library);
    std::fs::write(&image, good).unwrap();
    assert_eq!(pins.two_laps(lap), (false, true));
    pins.model.set_u64(pins.serial[1], 0).unwrap();
    pins.cycles(8);
    for word in writes(&board.bundle.program).unwrap() {
        if word.space != Space::Weights || word.row != 1 {
            continue;
        }
        let head = (word.space as u32) << 28 | word.core << 23 | word.row << 16 | word.addr;
        for i in (0..32).rev() {
            pins.bit(head >> i & 1 == 1);
        }
        for i in (0..data_width(&config)).rev() {
            let data = word.data.get((i / 32) as usize).copied().unwrap_or(0);
            pins.bit(data >> (i % 32) & 1 == 1);
        }
    }
    // Bits of an incomplete word do nothing.
    pins.bit(true);
    pins.model.set_u64(pins.serial[1], 1).unwrap();
    assert_eq!(pins.two_laps(lap), (true, false));
    // The stimulus is what the board's ROMs hold: no stalls.
    assert_eq!(StallPattern::FREE, StallPattern::default());
}
