//! `hdl/rtl/vector/` against `isa::float`: random vector words in any mix, every result bit, its address, its mask and its cycle.

#![expect(
    clippy::cast_possible_truncation,
    reason = "halves of words, and counts of a short test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use sluice_isa::float;
use sluice_isa::special::{self, Function};
use sluice_isa::timing::{TENSOR_P0, Timing};
use sluice_isa::{ASrc, BSrc, Format, Op, Special, VectorWord};
use support::{Bench, Random, build};
use verilator_sys::{Library, tools_or_skip};

const B: usize = 4;
const CLAMPS: usize = 32;
const OPS: [Op; 15] = [
    Op::Pass,
    Op::Add,
    Op::Sub,
    Op::Rsub,
    Op::Mul,
    Op::Max,
    Op::Min,
    Op::Lt,
    Op::Le,
    Op::Gt,
    Op::Ge,
    Op::Eq,
    Op::Ne,
    Op::Keep,
    Op::Drop,
];

fn library() -> Library {
    build(
        "vector_unit",
        "sl_vector_unit",
        &[
            "sl_pkg.sv",
            "float/sl_fp_pkg.sv",
            "float/sl_fp_stages.sv",
            "float/sl_fp_add.sv",
            "float/sl_fp_mul.sv",
            "float/sl_fp_choice.sv",
            "float/sl_fp_lane.sv",
            "special/sl_special_pkg.sv",
            "special/sl_special_rom.sv",
            "special/sl_special_slope.sv",
            "special/sl_special_lane.sv",
            "special/sl_special_unit.sv",
            "vector/sl_vector_pkg.sv",
            "vector/sl_clamp_compare.sv",
            "vector/sl_clamp_entry.sv",
            "vector/sl_rotate.sv",
            "vector/sl_vector_lane.sv",
            "vector/sl_vector_unit.sv",
        ],
        &[("BlockSize", 4), ("AccP0", timing().acc_p0())],
    )
}

fn timing() -> Timing {
    Timing {
        tree: 1,
        exchange: 1,
    }
}

/// An fp32 pattern: special ones, neighbours of rounding ties, anything.
fn value(random: &mut Random) -> u32 {
    const SPECIAL: [u32; 14] = [
        0,
        1,
        0x007F_FFFF,
        0x0080_0000,
        0x3F80_0000,
        0x3F80_8000,
        0x3F81_8000,
        0x7F7F_FFFF,
        0x7F7F_8000,
        0x7F80_0000,
        0x7FC0_0000,
        0x7F80_0001,
        0x4000_0000,
        0x3FFF_FFFF,
    ];
    let sign = random.word() & 0x8000_0000;
    match random.below(4) {
        0 => sign | SPECIAL[random.below(14) as usize],
        // Near 1, so that bounds and operands meet.
        1 => sign | (0x3F80_0000 + (random.below(8) << 15) + random.below(3)).wrapping_sub(1),
        2 => sign | ((random.below(20) + 118) << 23) | (random.word() & 0x007F_FFFF),
        _ => random.word(),
    }
}

fn block(random: &mut Random, bf16: bool) -> [u32; B] {
    let keep = if bf16 { 0xFFFF_0000 } else { u32::MAX };
    [(); B].map(|()| value(random) & keep)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    addr: u32,
    mask: u64,
    data: [u16; B],
}

/// What the bench has to feed in which cycle, and what must come out.
#[derive(Default)]
struct Plan {
    x: BTreeMap<usize, [u32; B]>,
    y: BTreeMap<usize, [u32; B]>,
    constant: BTreeMap<usize, [u32; B]>,
    acc: BTreeMap<usize, [u32; B]>,
    out: BTreeMap<usize, Written>,
    port_y: BTreeSet<usize>,
    port_const: BTreeSet<usize>,
    p0: BTreeSet<usize>,
    operand: BTreeSet<usize>,
    exchange: BTreeSet<usize>,
}

fn result(word: &VectorWord, a: u32, b: u32, clamps: &[(u32, u32)]) -> u32 {
    let clamp = |x, i: u32| float::clamp(x, clamps[i as usize].0, clamps[i as usize].1);
    let a = clamp(a, word.pre);
    let a = match word.special.function() {
        Some(function) => special::apply(function, a),
        None if word.op == Op::Pass => return a,
        None => a,
    };
    clamp(float::arithmetic(word.op, a, b), word.post)
}

impl Plan {
    /// A random word for cycle `c0`, if the machine's resources allow it.
    fn word(
        &mut self,
        random: &mut Random,
        c0: usize,
        clamps: &[(u32, u32)],
    ) -> Option<VectorWord> {
        let a_src = [ASrc::Acc, ASrc::X, ASrc::Y, ASrc::Const][random.below(4) as usize];
        let op = OPS[random.below(OPS.len() as u32) as usize];
        let b_src = match (op, random.below(3)) {
            (Op::Pass, _) => BSrc::None,
            (_, 0) => BSrc::Y,
            (_, 1) => BSrc::Planes,
            _ => BSrc::Const,
        };
        let special = match random.below(3) {
            0 => Function::ALL[random.below(11) as usize].into(),
            _ => Special::None,
        };
        let format = match random.below(3) {
            0 => Format::Planes,
            1 if op == Op::Pass && special == Special::None => Format::Raw,
            _ => Format::Bf16,
        };
        let rotates = matches!(a_src, ASrc::X | ASrc::Y);
        let word = VectorWord {
            valid: true,
            a_src,
            b_src,
            op,
            special,
            pre: random.below(CLAMPS as u32),
            post: random.below(CLAMPS as u32),
            rot: if rotates { random.below(B as u32) } else { 0 },
            format,
            lane_lo: random.below(3),
            lane_hi: random.below(5),
            dst_addr: random.below(4095),
            ..VectorWord::default()
        };
        let t = timing();
        let p0 = c0
            + if a_src == ASrc::Acc {
                t.acc_p0()
            } else {
                TENSOR_P0
            } as usize;
        let special = special != Special::None;
        let b_at = p0 + Timing::operand_b_delay(special) as usize;
        let o = p0 + Timing::to_output(special, op != Op::Pass) as usize;
        let mut operands = Vec::new();
        if special {
            operands.push(p0 + 1);
        }
        if op != Op::Pass {
            operands.push(b_at + 1);
        }
        let (planes, raw) = (format == Format::Planes, format == Format::Raw);
        let exchange: Vec<usize> = (o..=o + usize::from(planes)).collect();
        let mut ports = Vec::new();
        let mut constants = Vec::new();
        match a_src {
            ASrc::Y => ports.push(c0),
            ASrc::Const => constants.push(c0),
            ASrc::Acc | ASrc::X => {}
        }
        match b_src {
            BSrc::Y => ports.push(b_at - 1),
            BSrc::Planes => ports.extend([b_at - 2, b_at - 1]),
            BSrc::Const => constants.push(b_at - 1),
            BSrc::None => {}
        }
        let free = |used: &BTreeSet<usize>, at: &[usize]| at.iter().all(|c| !used.contains(c));
        if !free(&self.port_y, &ports)
            || !free(&self.port_const, &constants)
            || !free(&self.exchange, &exchange)
            || !free(&self.p0, &[p0])
            || !free(&self.operand, &operands)
        {
            return None;
        }
        self.port_y.extend(ports);
        self.port_const.extend(constants);
        self.exchange.extend(exchange);
        self.p0.insert(p0);
        self.operand.extend(operands);

        // The accumulator's values are flushed, their NaN canonical.
        let mut a = block(random, rotates);
        if a_src == ASrc::Acc {
            a = a.map(|x| float::add(x, 0x8000_0000));
        }
        let b = block(random, b_src == BSrc::Y);
        match a_src {
            ASrc::Acc => self.acc.insert(p0, a),
            ASrc::X => self.x.insert(c0 + 1, a),
            ASrc::Y => self.y.insert(c0 + 1, a),
            ASrc::Const => self.constant.insert(c0 + 1, a),
        };
        match b_src {
            BSrc::Y => self.y.insert(b_at, b),
            BSrc::Planes => {
                self.y.insert(b_at - 1, b);
                self.y.insert(b_at, b.map(|x| x << 16))
            }
            BSrc::Const => self.constant.insert(b_at, b),
            BSrc::None => None,
        };
        let values: Vec<u32> = (0..B)
            .map(|i| (a[(i + word.rot as usize) % B], b[i]))
            .map(|(a, b)| if raw { a } else { result(&word, a, b, clamps) })
            .collect();
        let written = |addr, half: &dyn Fn(u32) -> u16| Written {
            addr,
            mask: (0..B as u32)
                .filter(|i| (word.lane_lo..word.lane_hi).contains(i))
                .fold(0, |m, i| m | 1 << i),
            data: std::array::from_fn(|i| half(values[i])),
        };
        if planes || raw {
            self.out
                .insert(o + 1, written(word.dst_addr, &|v| (v >> 16) as u16));
        }
        if planes {
            self.out
                .insert(o + 2, written(word.dst_addr + 1, &|v| v as u16));
        } else if !raw {
            self.out
                .insert(o + 1, written(word.dst_addr, &float::f32_to_bf16));
        }
        Some(word)
    }
}

/// Words written, or the first difference; `flip` spoils one expected bit of that write.
fn run(library: &Library, seed: u64, cycles: usize, flip: Option<usize>) -> Result<usize, String> {
    let mut random = Random(seed);
    let clamps: Vec<(u32, u32)> = (0..CLAMPS)
        .map(|i| match i {
            0 => (0xFF80_0000, 0x7F80_0000),
            1 => (0, 0x7F80_0000),
            _ => (value(&mut random), value(&mut random)),
        })
        .collect();
    let mut plan = Plan::default();
    let mut bench = Bench::new(library, "clk_i", seed as u32);
    let word_port = bench.port("word_i");
    let wide = |v: [u32; B]| v.map(u128::from);
    let upper = |v: [u32; B]| v.map(|x| u128::from(x >> 16));
    let mut writes = 0;
    for cycle in 0..cycles {
        let word = if cycle < 2 || random.below(8) == 0 {
            None
        } else {
            plan.word(&mut random, cycle, &clamps)
        };
        bench.set("rst_ni", u64::from(cycle >= 2));
        let bits = word.map_or(0, |w| w.pack().unwrap());
        bench.set_wide("word_i", &[bits], word_port.width() as usize);
        // What nobody asked for is noise.
        let take = |map: &mut BTreeMap<usize, [u32; B]>, random: &mut Random| {
            map.remove(&cycle).unwrap_or_else(|| block(random, false))
        };
        let (x, y) = (
            take(&mut plan.x, &mut random),
            take(&mut plan.y, &mut random),
        );
        let constant = take(&mut plan.constant, &mut random);
        let acc = take(&mut plan.acc, &mut random);
        bench.set_wide("x_data_i", &upper(x), 16);
        bench.set_wide("y_data_i", &upper(y), 16);
        bench.set_wide("const_data_i", &wide(constant), 32);
        bench.set_wide("acc_value_i", &wide(acc), 32);
        bench.settle();
        for (index, entry) in [("pre_o", "pre_entry_i"), ("post_o", "post_entry_i")] {
            let (lo, hi) = clamps[bench.get32(index) as usize % CLAMPS];
            bench.set(entry, u64::from(hi) << 32 | u64::from(lo));
        }
        bench.settle();
        if cycle >= 3 {
            let got = bench.bit("lane_valid_o").then(|| Written {
                addr: bench.get32("lane_addr_o"),
                mask: bench.get("lane_mask_o"),
                data: bench.lanes("lane_data_o").try_into().unwrap(),
            });
            let mut want = plan.out.remove(&cycle);
            writes += usize::from(want.is_some());
            if let Some(w) = want.as_mut().filter(|_| flip == Some(writes)) {
                w.data[3] ^= 1;
            }
            if got != want {
                return Err(format!(
                    "seed {seed} cycle {cycle}: unit {got:x?}, expected {want:x?}"
                ));
            }
        }
        bench.try_clock().map_err(|e| e.to_string())?;
    }
    Ok(writes)
}

#[test]
fn vector_unit_equals_the_numbers() {
    if !tools_or_skip("vector_unit_equals_the_numbers") {
        return;
    }
    let library = library();
    let writes: usize = (1..=20)
        .map(|seed| run(&library, seed, 10_000, None).unwrap_or_else(|e| panic!("{e}")))
        .sum();
    println!("{writes} blocks");
    assert!(writes > 60_000, "the unit must be busy: {writes}");
    assert!(
        run(&library, 1, 10_000, Some(1_000)).is_err(),
        "a flipped bit went unnoticed"
    );
}
