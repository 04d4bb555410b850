//! Errors of the functions, and of macros made of them, against float64; the page `docs/special.md`.
//!
//! | column | what |
//! |--------|------|
//! | bf16 operands | all of them, subnormals read as zero, for which float64 gives a number |
//! | largest error | of the result rounded to bf16, in units of the last place of the exact value's bf16 |
//! | not nearest | results other than the exact value rounded once |
//! | wrong way | neighbouring operands whose results move against the exact function |
//! | fp32 operands | 2048 per sign and binade; relative error before rounding, as a power of two |

use std::fmt::Write as _;

use sluice_isa::float::{add, bf16_to_f32, f32_to_bf16, mul};
use sluice_isa::special::{Function, apply, reference};

use crate::exact::{exact, phi, sigmoid};

const MIN: f64 = f32::MIN_POSITIVE as f64;

/// A function under test: name, what computes it, exact value, text.
struct Subject {
    name: &'static str,
    unit: Box<dyn Fn(u32) -> u32>,
    exact: Box<dyn Fn(f64) -> f64>,
    how: &'static str,
}

fn value(bits: u32) -> f64 {
    f64::from(f32::from_bits(bits))
}

/// Exact value as the nearest bf16, ties to even, tiny results to zero.
fn nearest(v: f64) -> u16 {
    if v == 0.0 || v.is_infinite() || v.is_nan() {
        return f32_to_bf16((v as f32).to_bits());
    }
    if v.abs() < 1e-100 {
        return f32_to_bf16((v.signum() as f32 * 0.0).to_bits());
    }
    let ulp = ulp(v);
    let rounded = (v / ulp).round_ties_even() * ulp;
    if rounded.abs() < MIN {
        return f32_to_bf16((rounded.signum() as f32 * 0.0).to_bits());
    }
    f32_to_bf16((rounded as f32).to_bits())
}

/// Unit in the last place of a bf16 of this magnitude, normal range continued downwards.
fn ulp(v: f64) -> f64 {
    2f64.powi((v.abs().log2().floor() as i32) - 7)
}

#[derive(Default)]
struct Errors {
    operands: u32,
    ulp: f64,
    at: u32,
    not_nearest: u32,
    wrong_way: u32,
    relative: f64,
    relative_far: f64,
}

fn bf16_errors(subject: &Subject) -> Errors {
    let mut e = Errors::default();
    let mut previous: Option<(f64, f64)> = None;
    let ordered = (0x8000..=0xFF80u16).rev().chain(0..=0x7F80);
    for h in ordered {
        let x = bf16_to_f32(h);
        if h & 0x7FFF != 0 && x & 0x7FFF_FFFF == 0 {
            continue; // subnormal
        }
        let want = (subject.exact)(value(x));
        let got = f32_to_bf16((subject.unit)(x));
        let got_value = value(bf16_to_f32(got));
        if want.is_nan() || value(x).is_infinite() || value(x) == 0.0 {
            previous = None; // special values have a test of their own
            continue;
        }
        e.operands += 1;
        let goal = nearest(want);
        e.not_nearest +=
            u32::from(goal & 0x7FFF != got & 0x7FFF || (goal != got && goal & 0x7FFF != 0));
        let overflow = goal & 0x7FFF == 0x7F80;
        let error = if goal == got || (goal & 0x7FFF == 0 && got & 0x7FFF == 0) {
            if goal & 0x7FFF == 0 || overflow {
                0.0
            } else {
                (got_value - want).abs() / ulp(want)
            }
        } else {
            (got_value - want).abs() / ulp(want).max(MIN / 128.0)
        };
        if error > e.ulp {
            (e.ulp, e.at) = (error, x);
        }
        if let Some((w, g)) = previous {
            e.wrong_way += u32::from((want > w && got_value < g) || (want < w && got_value > g));
        }
        previous = Some((want, got_value));
    }
    e
}

fn fp32_errors(subject: &Subject, e: &mut Errors) {
    for sign in [0u32, 1 << 31] {
        for exponent in 1..255u32 {
            for i in 0..2048u32 {
                let m = (i * 4099 + exponent * 977) & 0x7F_FFFF;
                let x = sign | exponent << 23 | m;
                let want = (subject.exact)(value(x));
                if want.is_nan() || want.abs() < MIN || want.abs() > f64::from(f32::MAX) {
                    continue;
                }
                let relative = ((value((subject.unit)(x)) - want) / want).abs();
                let slot = if want.abs() < 1e-3 && sign != 0 {
                    &mut e.relative_far
                } else {
                    &mut e.relative
                };
                *slot = slot.max(relative);
            }
        }
    }
}

fn measure(subject: &Subject) -> Errors {
    let mut errors = bf16_errors(subject);
    fp32_errors(subject, &mut errors);
    errors
}

fn units() -> Vec<Subject> {
    let how = |f| match f {
        Function::Recip | Function::Rsqrt | Function::Exp2 | Function::Tanh => {
            "numerics 8.4, same bits"
        }
        Function::Log2 => "rows by the distance from 1, or the fraction of the result",
        Function::Sqrt => "own rows",
        Function::Softplus => "own rows; below -16 those of sigmoid",
        _ => "own rows, relatively accurate to the end of the range",
    };
    Function::ALL
        .into_iter()
        .map(|f| Subject {
            name: f.name(),
            unit: Box::new(move |x| apply(f, x)),
            exact: Box::new(move |x| exact(f, x)),
            how: how(f),
        })
        .collect()
}

const LOG2_E: u32 = 0x3FB8_AA3B;
const LN_2: u32 = 0x3F31_7218;
const LOG10_2: u32 = 0x3E9A_209B;
const ONE: u32 = 0x3F80_0000;
const NEG: u32 = 1 << 31;

fn exp(x: u32) -> u32 {
    apply(Function::Exp2, mul(x, LOG2_E))
}

fn macros() -> Vec<Subject> {
    use Function as F;
    let subject = |name, unit: fn(u32) -> u32, exact: fn(f64) -> f64, how| Subject {
        name,
        unit: Box::new(unit),
        exact: Box::new(exact),
        how,
    };
    vec![
        subject("exp", exp, f64::exp, "exp2(x * log2 e)"),
        subject(
            "log",
            |x| mul(apply(F::Log2, x), LN_2),
            f64::ln,
            "log2(x) * ln 2",
        ),
        subject(
            "log10",
            |x| mul(apply(F::Log2, x), LOG10_2),
            f64::log10,
            "log2(x) * log10 2",
        ),
        subject(
            "3 / x",
            |x| mul(0x4040_0000, apply(F::Recip, x)),
            |x| {
                if x.abs() < 2f64.powi(126) {
                    3.0 / x
                } else {
                    f64::NAN
                }
            },
            "a * recip(b), for b below 2^126: beyond it the reciprocal is flushed to zero",
        ),
        subject(
            "sigmoid",
            |x| apply(F::Recip, add(ONE, exp(x ^ NEG))),
            sigmoid,
            "recip(1 + exp(-x)): three words more than the unit's",
        ),
        subject(
            "silu",
            |x| mul(x, apply(F::Sigmoid, x)),
            |x| x * sigmoid(x),
            "x * sigmoid(x), the unit's sigmoid",
        ),
        subject(
            "log2, 8.4",
            reference::log2,
            |x| exact(F::Log2, x),
            "numerics 8.4: absolute near 1",
        ),
        subject(
            "sigmoid, 8.4",
            reference::sigmoid,
            sigmoid,
            "numerics 8.4: 0 from -16",
        ),
        subject(
            "silu, 8.4",
            |x| mul(x, reference::sigmoid(x)),
            |x| x * sigmoid(x),
            "x * sigmoid(x) of 8.4",
        ),
        subject("phi, 8.4", reference::phi, phi, "numerics 8.4: 0 from -8"),
        subject(
            "gelu, 8.4",
            |x| mul(x, reference::phi(x)),
            |x| x * phi(x),
            "x * phi(x) of 8.4",
        ),
    ]
}

fn operand(x: u32) -> String {
    let v = value(x);
    if (1e-3..1e4).contains(&v.abs()) {
        format!("{v}")
    } else {
        format!("{v:.3e}")
    }
}

fn power(v: f64) -> String {
    if v == 0.0 {
        "-".into()
    } else {
        format!("2^{:.1}", v.log2())
    }
}

fn table(s: &mut String, subjects: &[(Subject, Errors)]) {
    s.push_str("| function | how | bf16 operands | largest error, ulp | at | not nearest | wrong way | fp32 operands | result < 1e-3, x < 0 |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for (subject, e) in subjects {
        let _ = writeln!(
            s,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            subject.name,
            subject.how,
            e.operands,
            if e.ulp > 99.0 {
                "> 99".into()
            } else {
                format!("{:.4}", e.ulp)
            },
            operand(e.at),
            e.not_nearest,
            e.wrong_way,
            power(e.relative),
            power(e.relative_far)
        );
    }
}

fn measured(subjects: Vec<Subject>) -> Vec<(Subject, Errors)> {
    subjects
        .into_iter()
        .map(|s| {
            let e = measure(&s);
            (s, e)
        })
        .collect()
}

#[test]
fn page_is_current_and_errors_within_the_goal() {
    let (units, macros) = (measured(units()), measured(macros()));
    for (subject, e) in units.iter().chain(&macros[..5]) {
        assert!(
            e.ulp <= 0.51,
            "{}: {} ulp at {:08x}",
            subject.name,
            e.ulp,
            e.at
        );
        assert_eq!(e.wrong_way, 0, "{}", subject.name);
    }
    let mut s = String::from(include_str!("page.md"));
    let mut tables = [String::new(), String::new()];
    table(&mut tables[0], &units);
    table(&mut tables[1], &macros);
    for (mark, text) in ["<units>\n", "<macros>\n"].iter().zip(&tables) {
        s = s.replace(mark, text);
    }
    crate::checked_in("docs/special.md", &s);
}

#[test]
fn the_measurement_can_fail() {
    // One unit of bf16 beside the unit's value at one operand is seen in every column that looks at bf16 operands.
    let off = Subject {
        name: "tanh",
        unit: Box::new(|x| apply(Function::Tanh, x) - u32::from(x == 0x4000_0000) * 0x2_0000),
        exact: Box::new(|x| exact(Function::Tanh, x)),
        how: "",
    };
    let e = bf16_errors(&off);
    assert!(e.ulp > 1.0 && e.at == 0x4000_0000 && e.not_nearest > 0 && e.wrong_way == 1);
}
