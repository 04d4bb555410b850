//! Fits the rows of `isa/src/special/rows.rs` and writes that file.
//!
//! | step | what |
//! |------|------|
//! | plan | per function, sign and binade the fewest segments (a power of two) that meet the tolerances |
//! | fit | least maximum of the weighted relative error (Lawson's iteration), then c2, c1, c0 rounded in turn |
//! | check | integer evaluation at samples and at every bf16 operand of the segment |
//!
//! Tolerances: [`FINE`] at bf16 operands and in every main range, [`COARSE`] between bf16 operands far out on the negative side, where results
//! are below 1e-3 and fall by half from one operand to the next few.
//!
//! **Contract.** The checked-in rows are the definition; the fit shows where they come from. A test fails when the two differ.
//! **Source.** C. L. Lawson's algorithm for weighted least maximum fits.

use std::fmt::Write as _;

use sluice_isa::special::base::{BASE_ROWS, EXP2, RECIP, RSQRT, TANH};
use sluice_isa::special::{BINADES, Entry, FIRST_EXPONENT, Function, ROW_BITS, Row};

use crate::exact::exact;

/// Relative error that keeps a bf16 result within 0.508 units of its last place.
const FINE: f64 = 2.85e-5; // 2^-15.1
/// Relative error that keeps a bf16 result within 0.97 units of its last place.
const COARSE: f64 = 1.8e-3; // 2^-9.1
/// The same for GELU below -8, where results are smaller than 1e-14: 1.8 units.
const COARSEST: f64 = 5e-3;

const ONE: f64 = 4_194_304.0; // y = 1.0

/// Rows of the table: 11 address bits.
const DEPTH: usize = 2048;
/// Binades of small operands that have one row each, at eight consecutive places.
const SMALL: std::ops::RangeInclusive<i32> = -15..=-10;
/// The first blocks are those of the base tables.
const BASE_BLOCKS: usize = 4;
/// An entry's first row until the blocks are placed: block times this and a row inside the block.
const INSIDE: u16 = 128;

/// A function on one segment: place in `[0, 1)` to value, and the operands that must be fine.
struct Target<'a> {
    value: &'a dyn Fn(f64) -> f64,
    exact_at: Vec<f64>,
    /// Relative error allowed elsewhere.
    between: f64,
    /// Fixed scale: `y` is the value itself, below 1, its error absolute, and `t` has 17 bits.
    fraction: bool,
}

impl Target<'_> {
    /// `t` is in `-half..half`.
    fn half(&self) -> i32 {
        if self.fraction { 1 << 16 } else { 1 << 17 }
    }
}

struct Sample {
    t: i32,
    y: f64,
    tolerance: f64,
}

fn samples(target: &Target, scale: f64, count: i32) -> Vec<Sample> {
    let half = target.half();
    let sample = |t: i32, relative: f64| {
        let y = (target.value)(0.5 + 0.5 * f64::from(t) / f64::from(half)) * scale;
        let magnitude = if target.fraction { ONE } else { y };
        let flushed = y < 1.9 * ONE && scale >= ONE * 2f64.powi(127);
        let tolerance = if flushed {
            0.1 * ONE
        } else {
            magnitude * relative
        };
        Sample { t, y, tolerance }
    };
    // Odd places: the inner product drops the low bits of `t`.
    let grid =
        (0..=count).map(|i| ((2 * i - count) * (half / count) + i * 151 % 256).min(half - 1));
    let mut all: Vec<_> = grid.map(|t| sample(t, target.between)).collect();
    for p in &target.exact_at {
        all.push(sample(
            ((p * 2.0 - 1.0) * f64::from(half)).floor() as i32,
            FINE,
        ));
    }
    all
}

/// Solves the symmetric system of the normal equations of degree `N - 1`.
fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for i in 0..N {
        for j in i + 1..N {
            let f = a[j][i] / a[i][i];
            for k in i..N {
                a[j][k] -= f * a[i][k];
            }
            b[j] -= f * b[i];
        }
    }
    for i in (0..N).rev() {
        for k in i + 1..N {
            b[i] -= a[i][k] * b[k];
        }
        b[i] /= a[i][i];
    }
    b
}

/// Polynomial in `t / half` with the least maximum of `error / tolerance`.
fn lawson<const N: usize>(points: &[(f64, f64, f64)]) -> [f64; N] {
    let mut weight = vec![1.0; points.len()];
    let mut best = (f64::INFINITY, [0.0; N]);
    for _ in 0..80 {
        let (mut a, mut b) = ([[0.0; N]; N], [0.0; N]);
        for (&(x, y, tolerance), w) in points.iter().zip(&weight) {
            let w = w / (tolerance * tolerance);
            let mut power = [1.0; N];
            for i in 1..N {
                power[i] = power[i - 1] * x;
            }
            for i in 0..N {
                b[i] += w * power[i] * y;
                for j in 0..N {
                    a[i][j] += w * power[i] * power[j];
                }
            }
        }
        let c = solve(a, b);
        let errors: Vec<f64> = points
            .iter()
            .map(|&(x, y, tolerance)| {
                let p = c.iter().rev().fold(0.0, |acc, c| acc * x + c);
                (p - y).abs() / tolerance
            })
            .collect();
        let worst = errors.iter().copied().fold(0.0, f64::max);
        if worst < best.0 {
            best = (worst, c);
        }
        let mut total = 0.0;
        for (w, e) in weight.iter_mut().zip(&errors) {
            *w *= e + 1e-6 * worst + 1e-30;
            total += *w;
        }
        for w in &mut weight {
            *w /= total;
        }
    }
    best.1
}

fn clamp(value: f64, bits: u32) -> i32 {
    let limit = f64::from(1 << (bits - 1));
    value.round().clamp(-limit, limit - 1.0) as i32
}

/// Row and its worst `error / tolerance`; `None` when no row of this format serves the segment.
fn fit(target: &Target) -> Option<(Row, f64)> {
    let ends: Vec<f64> = (0..=16)
        .map(|i| (target.value)(f64::from(i) / 16.0))
        .collect();
    let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ends.iter().copied().fold(0.0, f64::max);
    let exponent = if target.fraction {
        0
    } else {
        low.log2().floor() as i32
    };
    if high < f64::from(f32::MIN_POSITIVE) {
        return Some((
            Row {
                c0: 1 << 22,
                c1: 0,
                c2: 0,
                exp: 0,
            },
            0.0,
        ));
    }
    let exponent = exponent.max(-127); // a segment that ends below the normal range: `y` may fall below 1.0 there
    let steep = high * 2f64.powi(-exponent) >= 4.0; // more than two octaves: `y` starts below 1.0
    let exponent = exponent + i32::from(steep);
    let scale = ONE * 2f64.powi(-exponent);
    if high * scale >= 4.0 * ONE {
        return None;
    }
    let coarse = samples(target, scale, 32);
    let half = f64::from(target.half());
    let points = |f: &dyn Fn(&Sample) -> f64| -> Vec<(f64, f64, f64)> {
        coarse
            .iter()
            .map(|s| (f64::from(s.t) / half, f(s), s.tolerance))
            .collect()
    };
    let [_, _, a2] = lawson::<3>(&points(&|s| s.y));
    let c2 = clamp(a2 * 2f64.powi(31) / (half * half), ROW_BITS[2]);
    let bend = Row {
        c0: 0,
        c1: 0,
        c2,
        exp: 0,
    };
    let [_, a1] = lawson::<2>(&points(&|s| s.y - bend.eval(s.t) as f64));
    let c1 = clamp(a1 * 2f64.powi(15) / half, ROW_BITS[1]);
    let slope = Row { c1, ..bend };
    let fine = samples(target, scale, 256);
    let rest: Vec<(i64, &Sample)> = fine.iter().map(|s| (slope.eval(s.t), s)).collect();
    let worst = |c0: i64| {
        rest.iter()
            .map(|(z, s)| ((c0 + z) as f64 - s.y).abs() / s.tolerance)
            .fold(0.0, f64::max)
    };
    let (mut from, mut to) = (0i64, (1 << 24) - 1);
    while to - from > 2 {
        let third = (to - from) / 3;
        let (a, b) = (from + third, to - third);
        if worst(a) <= worst(b) {
            to = b;
        } else {
            from = a;
        }
    }
    let mut c0 = (from..=to).min_by(|&a, &b| worst(a).total_cmp(&worst(b)))?;
    // The integer evaluation must stay in the range the unit assumes.
    let (floor, ceiling) = match (target.fraction, exponent) {
        (true, _) => (0, (1 << 22) - 8), // joined to an integer, it must not carry
        (false, ..=-126) => (0, 1 << 24),
        (false, _) => (1 << 21, 1 << 24),
    };
    let half = target.half();
    let range = |f: fn(i64, i64) -> i64| {
        (-half..half)
            .step_by(16)
            .chain([half - 1])
            .map(|t| slope.eval(t))
            .reduce(f)
    };
    let (lowest, highest) = (range(i64::min)?, range(i64::max)?);
    c0 = c0.max(floor - lowest).min(ceiling - 1 - highest);
    if c0 + lowest < floor || !(0..1 << 24).contains(&c0) {
        return None;
    }
    let row = Row {
        c0: c0 as u32,
        exp: (exponent + 127).clamp(0, 255) as u8,
        ..slope
    };
    Some((row, worst(c0)))
}

/// Rows that lie together, from an address that is a multiple of `align`: the unit joins row numbers by OR.
struct Block {
    rows: Vec<Row>,
    align: usize,
}

/// The table under construction.
#[derive(Default)]
pub struct Tables {
    blocks: Vec<Block>,
    /// Until [`Tables::place`], first rows are numbers of blocks.
    pub map: Vec<[Entry; BINADES]>,
    pub rows: Vec<Row>,
}

/// bf16 operands of segment `j` of `2^k` in a binade, as places in it.
fn bf16_places(j: usize, k: u8) -> Vec<f64> {
    let (count, per_row) = (1usize << k, 128.0 / f64::from(1u32 << k));
    (0..128usize)
        .filter(|i| i * count / 128 == j)
        .map(|i| i as f64 / per_row - j as f64)
        .collect()
}

impl Tables {
    fn block(&mut self, rows: Vec<Row>, align: usize) -> u16 {
        self.blocks.push(Block { rows, align });
        self.blocks.len() as u16 - 1
    }

    /// Gives every block its address: those of the base tables in order, then by falling alignment.
    fn place(&mut self) {
        let mut order: Vec<usize> = (0..self.blocks.len()).collect();
        order.sort_by_key(|&i| (i >= BASE_BLOCKS, usize::MAX - self.blocks[i].align));
        let mut slots: Vec<Option<Row>> = vec![None; DEPTH];
        let mut address = vec![0u16; self.blocks.len()];
        for i in order {
            let Block { rows, align } = &self.blocks[i];
            let at = (0..DEPTH)
                .step_by(*align)
                .find(|&at| {
                    slots
                        .get(at..at + rows.len())
                        .is_some_and(|s| s.iter().all(Option::is_none))
                })
                .unwrap_or_else(|| panic!("{DEPTH} rows do not hold the blocks"));
            for (slot, row) in slots[at..].iter_mut().zip(rows) {
                *slot = Some(*row);
            }
            address[i] = at as u16;
        }
        let used = slots.iter().rposition(Option::is_some).map_or(0, |i| i + 1);
        let unused = Row {
            c0: 0,
            c1: 0,
            c2: 0,
            exp: 0,
        };
        self.rows = slots[..used].iter().map(|s| s.unwrap_or(unused)).collect();
        for entry in self.map.iter_mut().flatten() {
            if let Entry::Rows { first, .. } = entry {
                let (block, row) = (*first / INSIDE, *first % INSIDE);
                *first = address[block as usize] + row;
            }
        }
    }

    /// Rows for one binade of a function; `limit` ends it early.
    fn binade(&mut self, function: Function, negative: bool, exponent: i32, between: f64) -> Entry {
        let sign = if negative { -1.0 } else { 1.0 };
        let base = 2f64.powi(exponent);
        let limit = if negative {
            f64::from(f32::from_bits(function.underflow() << 16))
        } else {
            f64::INFINITY
        };
        for k in 0..=8u8 {
            let width = base / f64::from(1u32 << k);
            let count = (((limit - base) / width).ceil().min(f64::from(1u32 << k))) as usize;
            let (mut rows, mut worst) = (Vec::new(), 0.0f64);
            for j in 0..count {
                let value = |p: f64| exact(function, sign * (base + (j as f64 + p) * width)).abs();
                let target = Target {
                    value: &value,
                    exact_at: bf16_places(j, k),
                    between,
                    fraction: false,
                };
                match fit(&target) {
                    Some((row, error)) if error <= 1.0 => {
                        rows.push(row);
                        worst = worst.max(error);
                    }
                    _ => break,
                }
            }
            if rows.len() == count {
                let first = self.block(rows, 1 << k) * INSIDE;
                return Entry::Rows {
                    first,
                    log2_rows: k,
                };
            }
        }
        panic!("{} of 2^{exponent}: no fit", function.name());
    }

    /// One row each for the binades of small operands, together.
    fn small(&mut self, function: Function, negative: bool) -> u16 {
        let sign = if negative { -1.0 } else { 1.0 };
        let mut rows = Vec::new();
        for exponent in SMALL {
            let base = 2f64.powi(exponent);
            let value = |p: f64| exact(function, sign * base * (1.0 + p)).abs();
            let target = Target {
                value: &value,
                exact_at: bf16_places(0, 0),
                between: FINE,
                fraction: false,
            };
            match fit(&target) {
                Some((row, error)) if error <= 1.0 => rows.push(row),
                _ => panic!("{} of 2^{exponent}: one row does not do", function.name()),
            }
        }
        self.block(rows, 8) * INSIDE
    }

    /// Rows of one table over `[0, 1)` that is not a binade of a function.
    fn table(k: u8, fraction: bool, value: impl Fn(f64) -> f64, name: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        for j in 0..1usize << k {
            let at = |p: f64| value((j as f64 + p) / f64::from(1u32 << k));
            let target = Target {
                value: &at,
                exact_at: Vec::new(),
                between: FINE,
                fraction,
            };
            let (row, _) = fit(&target).unwrap_or_else(|| panic!("{name}: no fit"));
            rows.push(row);
        }
        rows
    }

    fn base(&mut self, first: usize, count: usize, exp: impl Fn(usize) -> u8) -> u16 {
        let row = |(i, bits): (usize, &u64)| Row {
            c0: (bits >> 30) as u32,
            c1: (((bits << 34) as i64) >> 46) as i32,
            c2: (((bits << 52) as i64) >> 52) as i32,
            exp: exp(i),
        };
        let rows = BASE_ROWS[first..first + count]
            .iter()
            .enumerate()
            .map(row)
            .collect();
        self.block(rows, count) * INSIDE
    }
}

fn map(f: impl FnMut(i32) -> Entry) -> [Entry; BINADES] {
    let mut f = f;
    std::array::from_fn(|i| f(i as i32 + FIRST_EXPONENT))
}

/// Tolerance between bf16 operands: coarse far out on the negative side.
fn far(function: Function, negative: bool, exponent: i32, from: i32) -> f64 {
    match (negative && exponent >= from, function, exponent) {
        (false, ..) => FINE,
        (true, Function::Gelu | Function::GeluTanh, 3) => COARSEST,
        (true, ..) => COARSE,
    }
}

/// Everything, from nothing.
pub fn tables() -> Tables {
    use Function as F;
    let mut t = Tables::default();
    let all = |first, log2_rows| [Entry::Rows { first, log2_rows }; BINADES];
    let recip = t.base(RECIP, 64, |_| 253);
    let rsqrt = t.base(RSQRT, 64, |_| 126);
    let exp2 = t.base(EXP2, 64, |_| 127);
    let tanh = t.base(
        TANH,
        128,
        |i| if i < 48 { 120 + (i / 8) as u8 } else { 126 },
    );
    let mut roots = Tables::table(5, false, |p| (1.0 + p).sqrt(), "sqrt");
    roots.extend(Tables::table(5, false, |p| (2.0 + 2.0 * p).sqrt(), "sqrt"));
    let sqrt = t.block(roots, 64) * INSIDE;
    let log = |p: f64| p.ln_1p() / std::f64::consts::LN_2;
    let rows = Tables::table(5, true, log, "log2 > 1");
    let above = t.block(rows, 32) * INSIDE;
    let rows = Tables::table(5, true, |p| 1.0 - log(p), "log2 < -1");
    let below = t.block(rows, 32) * INSIDE;
    let near = [false, true].map(|below| {
        let mut rows = Vec::new();
        for zeros in 0..16 {
            let scale = 2f64.powi(zeros);
            let value = |p: f64| {
                let distance = (1.0 + p) / scale / 2.0;
                scale
                    * if below {
                        -log(-(distance + 2f64.powi(-23)) / 2.0)
                    } else {
                        log(distance)
                    }
            };
            rows.extend(Tables::table(2, false, value, "log2 near"));
        }
        t.block(rows, 64) * INSIDE
    });
    for function in F::ALL {
        for negative in [false, true] {
            let first = match function {
                F::Sigmoid | F::Silu | F::Gelu | F::GeluTanh | F::Softplus => {
                    t.small(function, negative)
                }
                _ => 0,
            };
            let small = |e: i32| Entry::Rows {
                first: first + (e - SMALL.start()) as u16,
                log2_rows: 0,
            };
            let entries = match function {
                F::Recip => all(recip, 6),
                F::Rsqrt => all(rsqrt, 5),
                F::Sqrt => all(sqrt, 5),
                F::Log2 => map(|e| match e {
                    -1 => Entry::Rows {
                        first: near[1],
                        log2_rows: 2,
                    },
                    0 => Entry::Rows {
                        first: near[0],
                        log2_rows: 2,
                    },
                    ..-1 => Entry::Rows {
                        first: below,
                        log2_rows: 5,
                    },
                    _ => Entry::Rows {
                        first: above,
                        log2_rows: 5,
                    },
                }),
                F::Exp2 => map(|e| match e {
                    ..=-24 => Entry::Fixed(127),
                    7.. => Entry::Fixed(if negative { 0 } else { 255 }),
                    _ => Entry::Rows {
                        first: exp2,
                        log2_rows: 6,
                    },
                }),
                F::Tanh => map(|e| {
                    let rows = |row: i32, log2_rows| Entry::Rows {
                        first: tanh + row as u16,
                        log2_rows,
                    };
                    match e {
                        ..-7 => Entry::Pass,
                        -1 => rows(64, 4),
                        0 => rows(80, 4),
                        1 => rows(96, 5),
                        2 => rows(48, 4),
                        3.. => Entry::Fixed(127),
                        _ => rows(8 * (e + 7), 3),
                    }
                }),
                F::Sigmoid => map(|e| match (e, negative) {
                    (..=-16, _) => Entry::Fixed(126),
                    (4.., false) => Entry::Fixed(127),
                    (7.., true) => Entry::Fixed(0),
                    (-15..=-10, _) => small(e),
                    _ => t.binade(function, negative, e, far(function, negative, e, 3)),
                }),
                F::Silu => map(|e| match (e, negative) {
                    (..=-16, _) => Entry::Half,
                    (4.., false) => Entry::Pass,
                    (7.., true) => Entry::Fixed(0),
                    (-15..=-10, _) => small(e),
                    _ => t.binade(function, negative, e, far(function, negative, e, 3)),
                }),
                F::Gelu | F::GeluTanh => map(|e| match (e, negative) {
                    (..=-16, _) => Entry::Half,
                    (3.., false) => Entry::Pass,
                    (4.., true) => Entry::Fixed(0),
                    (-15..=-10, _) => small(e),
                    _ => t.binade(function, negative, e, far(function, negative, e, 2)),
                }),
                F::Softplus => {
                    let shared = t.map[2 * F::Sigmoid as usize + 1];
                    map(|e| match (e, negative) {
                        (..=-16, _) => Entry::Ln2,
                        (4.., false) => Entry::Pass,
                        (4.., true) => shared[(e - FIRST_EXPONENT) as usize],
                        (-15..=-10, _) => small(e),
                        _ => t.binade(function, negative, e, far(function, negative, e, 3)),
                    })
                }
            };
            t.map.push(entries);
        }
    }
    t.place();
    t
}

/// Text of `isa/src/special/rows.rs`.
pub fn text(t: &Tables) -> String {
    let mut s = String::from(
        "//! Rows and map of the special functions, as fitted by `isa/tests/special/fit.rs`; do not edit.
//!
//! | item | what |
//! |------|------|
//! | [`ROWS`] | coefficients `c0, c1, c2` and exponent per segment; the first 320 are those of [`super::base`] |
//! | [`MAP`] | two lines per function (operand positive, negative), one entry per binade |
//!
//! **Contract.** These constants are the definition. Written by `SLUICE_BLESS=1 cargo test -p sluice-isa --test special`.
//! **Errors.** None.

use super::{BINADES, Entry, Row};
use Entry::{Fixed, Half, Ln2, Pass};

const fn r(c0: u32, c1: i32, c2: i32, exp: u8) -> Row {
    Row { c0, c1, c2, exp }
}

const fn n(first: u16, log2_rows: u8) -> Entry {
    Entry::Rows { first, log2_rows }
}

",
    );
    let _ = writeln!(
        s,
        "/// How each binade is served.\n#[rustfmt::skip]\npub const MAP: [[Entry; BINADES]; {}] = [",
        t.map.len()
    );
    for line in &t.map {
        s.push_str("    [");
        for (i, e) in line.iter().enumerate() {
            let _ = match e {
                Entry::Rows { first, log2_rows } => write!(s, "n({first}, {log2_rows})"),
                Entry::Fixed(e) => write!(s, "Fixed({e})"),
                other => write!(s, "{other:?}"),
            };
            s.push_str(if i + 1 < BINADES { ", " } else { "],\n" });
        }
    }
    let _ = writeln!(
        s,
        "];\n\n/// The segments.\n#[rustfmt::skip]\npub static ROWS: [Row; {}] = [",
        t.rows.len()
    );
    for four in t.rows.chunks(4) {
        let line: Vec<_> = four
            .iter()
            .map(|r| format!("r({}, {}, {}, {}),", r.c0, r.c1, r.c2, r.exp))
            .collect();
        let _ = writeln!(s, "    {}", line.join(" "));
    }
    s.push_str("];\n");
    s
}

#[test]
fn rows_are_what_the_fit_gives() {
    let tables = tables();
    crate::checked_in("isa/src/special/rows.rs", &text(&tables));
}

#[test]
fn package_is_current() {
    crate::checked_in(
        "hdl/rtl/special/sl_special_pkg.sv",
        &sluice_isa::special::sv::package(),
    );
}
