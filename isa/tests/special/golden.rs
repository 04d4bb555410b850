//! Golden vectors of project numerics, appendix B; digest of its tables; the unit against its reference; special values.

use sluice_isa::float::QNAN;
use sluice_isa::special::base::BASE_ROWS;
use sluice_isa::special::rows::{MAP, ROWS};
use sluice_isa::special::sv::{SMALL_EXPONENT, kind, line, small_row};
use sluice_isa::special::{BINADES, Entry, Function, ROW_BITS, apply, reference};

type Reference = fn(u32) -> u32;

/// Name, operands and results as appendix B writes them.
const VECTORS: &[(&str, Reference, &str)] = &[
    (
        "recip",
        reference::recip,
        "3f800000>3f800000 3fc00000>3f2aaaaa 40490fdb>3ea2f984 3e99999a>40555554 bf19999a>bfd55554 3c000001>42fffffc 40e00000>3e124922 00400000>7f800000 ff800000>80000000",
    ),
    (
        "rsqrt",
        reference::rsqrt,
        "3f800000>3f800000 3fc00000>3f5105ea 40490fdb>3f106ebc 3e99999a>3fe9b1ec bf19999a>7fc00000 3c000001>413504ee 40e00000>3ec1848e 00400000>7f800000",
    ),
    (
        "exp2",
        reference::exp2,
        "3f800000>40000000 3fc00000>403504f4 40490fdb>410d331c 3e99999a>3f9d9622 bf19999a>3f28e5a4 3c000001>3f80b1ee 40e00000>43000000 c1000000>3b800000 ff800000>00000000",
    ),
    (
        "log2",
        reference::log2,
        "3f800000>00000000 3fc00000>3f15c018 40490fdb>3fd3643c 3e99999a>bfde54e6 bf19999a>7fc00000 3c000001>c0e00000 40e00000>4033abb4 00400000>ff800000",
    ),
    (
        "tanh",
        reference::tanh,
        "3f800000>3f42f7ea 3fc00000>3f67b7d8 40490fdb>3f7f0bb0 3e99999a>3e9526e8 bf19999a>bf097c16 3c000001>3bfffeb0 40e00000>3f7fffe6 c1000000>bf800000 00400000>00000000",
    ),
    (
        "sigmoid",
        reference::sigmoid,
        "3f800000>3f3b26a7 3fc00000>3f514c91 40490fdb>3f75653a 3e99999a>3f130ea9 bf19999a>3eb56c8c 3c000001>3f008000 40e00000>3f7fc44b c1000000>39afb800 ff800000>00000000",
    ),
    (
        "phi",
        reference::phi,
        "3f800000>3f576262 3fc00000>3f6ee5bd 40490fdb>3f7fc8ef 3e99999a>3f1e2f70 bf19999a>3e8c6ae8 3c000001>3f00cc41 40e00000>3f7fffff c1000000>00000000 00400000>3f000000",
    ),
];

const PAIRS: [(Function, Reference); 4] = [
    (Function::Recip, reference::recip),
    (Function::Rsqrt, reference::rsqrt),
    (Function::Exp2, reference::exp2),
    (Function::Tanh, reference::tanh),
];

/// SHA-256 (FIPS 180-4).
fn sha256(message: &[u8]) -> String {
    let primes: Vec<u64> = (2u64..320)
        .filter(|n| (2..*n).all(|d| n % d != 0))
        .collect();
    let fraction = |root: f64| (root.fract() * 4_294_967_296.0) as u32;
    let mut h: Vec<u32> = primes[..8]
        .iter()
        .map(|&p| fraction((p as f64).sqrt()))
        .collect();
    let k: Vec<u32> = primes[..64]
        .iter()
        .map(|&p| fraction((p as f64).cbrt()))
        .collect();
    let mut data = message.to_vec();
    data.push(0x80);
    data.resize(data.len().next_multiple_of(64), 0);
    if message.len() % 64 >= 56 {
        data.resize(data.len() + 64, 0);
    }
    let end = data.len() - 8;
    data[end..].copy_from_slice(&(8 * message.len() as u64).to_be_bytes());
    for block in data.chunks(64) {
        let mut w: Vec<u32> = block
            .chunks(4)
            .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        for i in 16..64 {
            let (a, b) = (w[i - 15], w[i - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
            w.push(
                w[i - 16]
                    .wrapping_add(s0)
                    .wrapping_add(w[i - 7])
                    .wrapping_add(s1),
            );
        }
        let mut v = h.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let t1 = v[7]
                .wrapping_add(s1)
                .wrapping_add(choice)
                .wrapping_add(k[i])
                .wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(s0).wrapping_add(majority);
        }
        for (h, v) in h.iter_mut().zip(v) {
            *h = h.wrapping_add(v);
        }
    }
    h.iter().map(|w| format!("{w:08x}")).collect()
}

#[test]
fn tables_have_the_published_digest() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let digits: String = BASE_ROWS.iter().map(|r| format!("{r:014x}")).collect();
    assert_eq!(
        sha256(digits.as_bytes()),
        "1f2b5475d9fda09fa411042426cf237435bb9043a18909926fd4818cf3d0d72d"
    );
}

#[test]
fn golden_vectors() {
    for (name, function, vectors) in VECTORS {
        for pair in vectors.split_whitespace() {
            let (x, y) = pair.split_once('>').unwrap();
            let parse = |t| u32::from_str_radix(t, 16).unwrap();
            assert_eq!(function(parse(x)), parse(y), "{name}({x})");
        }
    }
}

#[test]
fn unit_equals_the_reference_where_they_share_tables() {
    for (function, reference) in PAIRS {
        for h in 0..=u16::MAX {
            for low in [0u32, 0x5A5A, 0xFFFF] {
                let x = u32::from(h) << 16 | low;
                assert_eq!(
                    apply(function, x),
                    reference(x),
                    "{}({x:08x})",
                    function.name()
                );
            }
        }
        // Two whole binades, so every row at every offset.
        for x in (0x3F00_0000u32..0x4000_0000).step_by(7) {
            assert_eq!(
                apply(function, x),
                reference(x),
                "{}({x:08x})",
                function.name()
            );
        }
    }
}

#[test]
fn map_stays_inside_the_rows_and_rows_inside_their_widths() {
    // The unit looks these up by the low bits of the exponent alone.
    for f in [Function::Recip, Function::Rsqrt, Function::Sqrt] {
        let line = MAP[2 * f as usize];
        assert!(line.iter().all(|e| *e == line[0]) && MAP[2 * f as usize + 1] == line);
    }
    for (i, line) in MAP.iter().enumerate() {
        let function = Function::ALL[i / 2];
        for (b, entry) in line.iter().enumerate().take(BINADES) {
            assert!(kind(*entry).is_some(), "the unit has no code for {entry:?}");
            let Entry::Rows { first, log2_rows } = *entry else {
                continue;
            };
            assert!(log2_rows <= 8 && first.trailing_zeros() >= u32::from(log2_rows));
            let reached = if i % 2 == 1 {
                let limit = function.underflow() << 16;
                let binade = (b as u32 + 103) << 23;
                let last = (binade | 0x7F_FFFF).min(limit.saturating_sub(1).max(binade));
                (last & 0x7F_FFFF) >> (23 - log2_rows)
            } else {
                (1 << log2_rows) - 1
            };
            let parity = if matches!(function, Function::Rsqrt | Function::Sqrt) {
                2
            } else {
                1
            };
            assert!(first as usize + parity * (reached as usize + 1) <= ROWS.len());
        }
    }
    assert!(ROWS.len() <= 2048, "an address has 11 bits");
    let fits = |v: i32, bits: u32| v >= -(1 << (bits - 1)) && v < 1 << (bits - 1);
    let log_rows = [0, 31].map(|b| match MAP[2 * Function::Log2 as usize][b] {
        Entry::Rows { first, .. } => first as usize..first as usize + 32,
        _ => 0..0,
    });
    for (i, row) in ROWS.iter().enumerate() {
        let narrow = i < 320 || log_rows.iter().any(|r| r.contains(&i));
        assert!(
            row.c0 < 1 << ROW_BITS[0] && fits(row.c1, ROW_BITS[1]) && fits(row.c2, ROW_BITS[2])
        );
        let half = if narrow { 1 << 16 } else { 1 << 17 };
        for t in (-half..half).step_by(64).chain([half - 1]) {
            let inner = row.c1 + (((t >> 8) * row.c2) >> 8);
            assert!(fits(inner, ROW_BITS[1]), "row {i}: inner sum");
            assert!((0..1 << 24).contains(&row.eval(t)), "row {i}: y");
        }
    }
}

/// Integer and fraction are added: the sum must not reach the next power of two, nor fall visibly below the integer.
#[test]
fn logarithms_away_from_one_stay_in_their_octave_and_rise() {
    for e in (1..126u32).step_by(3).chain(128..255) {
        let mut last = i32::MIN;
        let ends = (0..4096u32)
            .chain((4096..0x7F_F000).step_by(997))
            .chain(0x7F_F000..0x80_0000);
        for m in ends {
            let y = apply(Function::Log2, e << 23 | m);
            let value = f64::from(f32::from_bits(y));
            let exact = f64::from(f32::from_bits(e << 23 | m)).log2();
            assert!(
                (value - exact).abs() < 2e-6 * exact.abs(),
                "{e} {m:06x}: {value} {exact}"
            );
            let order = sluice_isa::float::order_key(y);
            assert!(order >= last.saturating_sub(32), "{e} {m:06x}: {value}");
            last = order;
        }
    }
}

/// The unit's look-ups by parts of the exponent give every entry of the map.
#[test]
fn look_ups_give_the_map() {
    for (i, entries) in MAP.iter().enumerate() {
        let function = Function::ALL[i / 2];
        for (b, entry) in entries.iter().enumerate() {
            let Entry::Rows { first, log2_rows } = *entry else {
                continue;
            };
            if function == Function::Log2 {
                continue;
            }
            let exponent = b + 103;
            if function.has_small_rows() && exponent < SMALL_EXPONENT {
                assert_eq!(
                    (first, log2_rows),
                    (small_row(i) | (exponent % 8) as u16, 0)
                );
                continue;
            }
            let (row, bits, places) = line(i, exponent % 16);
            let narrow = u8::from(function.is_base());
            assert_eq!(
                (row, bits, places),
                (first, log2_rows, log2_rows - log2_rows.min(narrow))
            );
        }
    }
}

#[test]
fn special_values() {
    use Function as F;
    let (inf, ninf, nzero, one) = (0x7F80_0000, 0xFF80_0000, 0x8000_0000, 0x3F80_0000);
    let half = 0x3F00_0000;
    let ln2 = apply(F::Softplus, 0);
    assert!((f32::from_bits(ln2) - std::f32::consts::LN_2).abs() < 1e-6);
    // Function, then results at +0, -0, +Inf, -Inf.
    let table = [
        (F::Recip, [inf, ninf, 0, nzero]),
        (F::Rsqrt, [inf, ninf, 0, QNAN]),
        (F::Sqrt, [0, nzero, inf, QNAN]),
        (F::Exp2, [one, one, inf, 0]),
        (F::Log2, [ninf, ninf, inf, QNAN]),
        (F::Tanh, [0, nzero, one, 0xBF80_0000]),
        (F::Sigmoid, [half, half, one, 0]),
        (F::Silu, [0, nzero, inf, QNAN]),
        (F::Gelu, [0, nzero, inf, QNAN]),
        (F::GeluTanh, [0, nzero, inf, QNAN]),
        (F::Softplus, [ln2, ln2, inf, 0]),
    ];
    for (function, results) in table {
        let name = function.name();
        for (x, want) in [0, nzero, inf, ninf].into_iter().zip(results) {
            assert_eq!(apply(function, x), want, "{name}({x:08x})");
        }
        for nan in [0x7F80_0001, QNAN, 0xFFFF_FFFF] {
            assert_eq!(apply(function, nan), QNAN, "{name}");
        }
        for tiny in [1, 0x007F_FFFF] {
            for sign in [0, nzero] {
                assert_eq!(
                    apply(function, tiny | sign),
                    apply(function, sign),
                    "{name}: subnormal"
                );
            }
        }
    }
    for (function, x, want) in [
        (F::Log2, one, 0),
        (F::Log2, half, 0xBF80_0000),
        (F::Log2, 0x4100_0000, 0x4040_0000),
        (F::Sqrt, one, one),
        (F::Exp2, 0xC2FC_0000, 0x0080_0000),
        (F::Exp2, 0xC2FE_0000, 0),
        (F::Silu, 0xFF7F_FFFF, nzero),
        (F::Gelu, 0xC160_0000, nzero),
        (F::Silu, 0x7F7F_FFFF, 0x7F7F_FFFF),
        (F::Silu, 0x0080_0000, 0),
        (F::Silu, 0x8100_0000, 0x8080_0000),
        (F::Recip, 0x7F00_0000, 0),
    ] {
        assert_eq!(apply(function, x), want, "{}({x:08x})", function.name());
    }
}
