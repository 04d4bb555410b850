//! What a board needs to test itself: the RTL, a program as memory images, jobs and the answers of the VM as ROMs, a package of sizes.
//!
//! | file | content |
//! |------|---------|
//! | `rtl/` | the emitted RTL of the configuration |
//! | `images/` | the program, for `InitDir` |
//! | `select.hex` | model indices, one of them naming no model |
//! | `input.hex` | input beats |
//! | `expected.hex` | per output beat `{cycle, last, data}`, cycles from the first enabled one |
//! | `sl_board_pkg.sv` | sizes, counts, PLL dividers |
//! | `board.f` | everything to compile but the top |
//!
//! **Contract.** The program is a residual MLP and a streamed CNN, small enough for every preset; jobs are interleaved and run without
//! stalls. `constraints/ecp5/sl_selftest.sv` reads these files. Same arguments, same bytes.
//! **Errors.** [`SuiteError`] of the compiler, the VM or the generator, [`SuiteError::Device`] for files and clocks.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sluice_hdl::{Generator, images};
use sluice_isa::HardwareConfig;
use sluice_isa::load::data_width;
use sluice_sim::{Job, StallPattern};
use sluice_suite::{Bundle, Executor, Outcome, SuiteError, VmExecutor, models};

/// Interleaved jobs of a lap, the one without a model besides.
const JOBS: usize = 24;
const SEED: u64 = 2026;
/// An index no program of this file has.
const NO_MODEL: u16 = 7;
/// Width of a cycle number, bits.
const CYCLE_WIDTH: u32 = 16;
/// Oscillator of the board, MHz.
const OSCILLATOR_MHZ: u32 = 25;

/// Dividers of an ECP5 PLL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pll {
    /// Of the reference.
    pub input: u32,
    /// Of the feedback.
    pub feedback: u32,
    /// Of the oscillator to the clock.
    pub output: u32,
}

impl Pll {
    /// Dividers for a clock of whole MHz: phase detector at 5 MHz or more, oscillator between 400 and 800 MHz, nearest to 600.
    pub fn for_clock(mhz: u32) -> Option<Self> {
        (1..=OSCILLATOR_MHZ / 5)
            .filter(|input| (mhz * input).is_multiple_of(OSCILLATOR_MHZ))
            .map(|input| (input, mhz * input / OSCILLATOR_MHZ))
            .filter(|&(_, feedback)| (1..=80).contains(&feedback))
            .flat_map(|(input, feedback)| {
                (1..=128).map(move |output| Self {
                    input,
                    feedback,
                    output,
                })
            })
            .filter(|pll| (400..=800).contains(&(mhz * pll.output)))
            .min_by_key(|pll| (pll.input, (mhz * pll.output).abs_diff(600)))
    }
}

/// The self test of a configuration.
#[derive(Debug, Clone)]
pub struct Board {
    /// Program and networks.
    pub bundle: Bundle,
    /// Jobs of a lap.
    pub jobs: Vec<Job>,
    /// What the VM gives.
    pub expected: Outcome,
    pll: Pll,
}

fn failure(why: impl std::fmt::Display) -> SuiteError {
    SuiteError::Device {
        device: "board".into(),
        why: why.to_string(),
    }
}

/// Hexadecimal digits of a block, value 0 in the lowest bits.
fn block(data: &[u16]) -> String {
    data.iter().rev().fold(String::new(), |mut text, v| {
        let _ = write!(text, "{v:04x}");
        text
    })
}

fn bits(count: usize) -> u32 {
    count.max(2).next_power_of_two().trailing_zeros()
}

impl Board {
    /// Compiles the program and runs the jobs on the VM.
    pub fn new(config: &HardwareConfig, clock_mhz: u32) -> Result<Self, SuiteError> {
        let pll = Pll::for_clock(clock_mhz)
            .ok_or_else(|| failure(format!("no PLL dividers for {clock_mhz} MHz")))?;
        let nets = [models::residual_mlp(24, 16, 8, 1), models::cnn(8, 8, 4, 2)];
        let bundle = Bundle::compile(&nets, config)?;
        let mut jobs = bundle.jobs(&bundle.requests(JOBS, SEED), SEED);
        jobs.insert(
            JOBS / 2,
            Job {
                model: NO_MODEL,
                beats: vec![],
            },
        );
        let expected = VmExecutor.run(&bundle.program, &jobs, &StallPattern::FREE)?;
        if expected.cycles() >= 1 << CYCLE_WIDTH {
            return Err(failure("a lap has too many cycles"));
        }
        Ok(Self {
            bundle,
            jobs,
            expected,
            pll,
        })
    }

    /// `{cycle, last, data}` of every output beat, a beat a line.
    pub fn expected_hex(outcome: &Outcome, block_size: u32) -> String {
        // cycle, last and data are not on digit borders: data is whole digits, above it `cycle << 1 | last`
        let digits = usize::try_from((CYCLE_WIDTH + 1).div_ceil(4)).unwrap_or(0);
        outcome.beats.iter().fold(String::new(), |mut text, beat| {
            debug_assert_eq!(u32::try_from(beat.data.len()), Ok(block_size));
            let head = beat.cycle << 1 | u64::from(beat.last);
            let _ = writeln!(text, "{head:0digits$x}{}", block(&beat.data));
            text
        })
    }

    /// Sizes and counts for `sl_selftest` and the board's top; `folder` is where simulators and synthesis find the files.
    fn package(&self, folder: &str) -> String {
        let config = &self.bundle.program.config;
        let inputs: usize = self.jobs.iter().map(|j| j.beats.len()).sum();
        let known = self.jobs.iter().filter(|j| j.model != NO_MODEL).count();
        let number = |name: &str, value: u64, note: &str| {
            format!("  localparam int unsigned {name} = {value};  // {note}\n")
        };
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let Pll {
            input,
            feedback,
            output,
        } = self.pll;
        [
            format!(
                "// Self test of `{}` on a board: sizes of sl_selftest and dividers of the PLL. Generated; do not edit.\n\n",
                config.name
            ),
            "package sl_board_pkg;\n".into(),
            format!("  localparam string Dir = \"{folder}\";\n"),
            number("BlockSize", config.block_size.into(), "lanes"),
            number("LoadWidth", data_width(config).into(), "bits"),
            number("CycleWidth", CYCLE_WIDTH.into(), "bits"),
            number("NumSelects", count(self.jobs.len()), "beats"),
            number("NumJobs", count(known), "selects that name a model"),
            number("NumInputs", count(inputs), "beats"),
            number("NumOutputs", count(self.expected.beats.len()), "beats"),
            number("NumCycles", count(self.expected.cycles()), "of a lap"),
            number("SelectBits", bits(self.jobs.len()).into(), "of an address"),
            number("InputBits", bits(inputs).into(), "of an address"),
            number(
                "OutputBits",
                bits(self.expected.beats.len()).into(),
                "of an address",
            ),
            number("PllInputDiv", input.into(), "of the 25 MHz reference"),
            number("PllFeedbackDiv", feedback.into(), "of the feedback"),
            number("PllOutputDiv", output.into(), "of the oscillator"),
            "endpackage\n".into(),
        ]
        .concat()
    }

    /// Writes everything into `dir`; the package names the files through `folder`.
    pub fn write(&self, dir: &Path, folder: &str) -> Result<Vec<PathBuf>, SuiteError> {
        let config = &self.bundle.program.config;
        let file = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).map_err(|e| failure(format!("{}: {e}", path.display())))
        };
        let rtl = dir.join("rtl");
        fs::create_dir_all(&rtl).map_err(|e| failure(format!("{}: {e}", rtl.display())))?;
        let manifest = Generator::new(config)
            .and_then(|g| g.emit(&rtl))
            .map_err(failure)?;
        images(&self.bundle.program, &dir.join("images")).map_err(failure)?;
        let lines = |words: Vec<String>| words.join("\n") + "\n";
        let selects = self.jobs.iter().map(|j| format!("{:04x}", j.model));
        file("select.hex", &lines(selects.collect()))?;
        let beats = self.jobs.iter().flat_map(|j| &j.beats).map(|b| block(b));
        file("input.hex", &lines(beats.collect()))?;
        file(
            "expected.hex",
            &Self::expected_hex(&self.expected, config.block_size),
        )?;
        file("sl_board_pkg.sv", &self.package(folder))?;
        let list: Vec<String> = std::iter::once("+incdir+rtl\nsl_board_pkg.sv".to_owned())
            .chain(manifest.compile.iter().map(|f| format!("rtl/{f}")))
            .collect();
        file("board.f", &lines(list))?;
        Ok(std::iter::once(dir.join("sl_board_pkg.sv"))
            .chain(manifest.compile_paths(&rtl))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividers_give_the_clock_within_the_limits() {
        for mhz in 10..=200 {
            let Some(pll) = Pll::for_clock(mhz) else {
                assert!(!mhz.is_multiple_of(5), "{mhz}");
                continue;
            };
            assert_eq!(25 * pll.feedback, mhz * pll.input);
            assert!((400..=800).contains(&(mhz * pll.output)), "{mhz}");
        }
        assert_eq!(
            Pll::for_clock(50),
            Some(Pll {
                input: 1,
                feedback: 2,
                output: 12
            })
        );
    }

    #[test]
    fn blocks_have_value_zero_in_the_lowest_digits() {
        assert_eq!(block(&[1, 0xABCD]), "abcd0001");
    }
}
