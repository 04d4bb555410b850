//! The program file trusts nothing: truncation, bit flips, versions, other machines, words and jobs that break the rules.

use sluice_isa::lbfp::{WeightBlock, quantize};
use sluice_isa::load::{self, Space};
use sluice_isa::presets::preset;
use sluice_isa::{
    ControlWord, CoreImage, IsaError, MatrixKind, MatrixWord, ModelInfo, Program, TensorInfo,
    VectorWord, WeightFormat, fp8,
};

/// One product, sent as one beat.
fn program() -> Program {
    let config = preset("c1b4").unwrap();
    let tensor = |name: &str| TensorInfo {
        name: name.into(),
        shape: vec![4],
        data_dim: 0,
        streaming_dim: None,
        format: sluice_isa::NumberFormat::Bf16,
    };
    let ticks = 21;
    let mut control = vec![ControlWord::default(); ticks];
    control[0].beat = true;
    control[ticks - 1] = ControlWord {
        last: true,
        out_valid: true,
        out_last: true,
        out_lanes: 4,
        ..ControlWord::default()
    };
    let mut matrix = vec![MatrixWord::default(); ticks];
    matrix[0] = MatrixWord {
        kind: MatrixKind::Product,
        first: true,
        bank: 1,
        ..MatrixWord::default()
    };
    let mut vector = vec![VectorWord::default(); ticks];
    vector[0] = VectorWord {
        valid: true,
        lane_hi: 4,
        ..VectorWord::default()
    };
    let core = CoreImage {
        matrix,
        vector,
        weights: vec![quantize(4, 4, 4, &[0.5; 16])],
        fp8: vec![],
        constants: vec![vec![0x3F80_0000; 4]],
        clamps: vec![(f32::NEG_INFINITY.to_bits(), f32::INFINITY.to_bits())],
    };
    let model = ModelInfo {
        name: "m".into(),
        entry_pc: 0,
        ticks: 21,
        init_pc: None,
        resettable: false,
        inputs: vec![tensor("x")],
        outputs: vec![tensor("y")],
        n_in: 1,
        n_out: 1,
        cycles_spaced: 27,
        cycles_contiguous: 21,
        parameters: 16,
        weight_blocks: 1,
    };
    Program {
        config,
        models: vec![model],
        control,
        cores: vec![core],
    }
}

/// The same on a machine with FP8 weights: three FP8 blocks behind the other one, the product takes the third.
fn fp8_program() -> Program {
    let mut p = program();
    p.config.fp8_weights = true;
    p.cores[0].fp8 = [0.75, -1.25, 0.015_625]
        .map(|w| fp8::block(4, 2, 3, &[w, 2.0, w, 96.0, 0.0, w]).unwrap())
        .to_vec();
    let product = &mut p.cores[0].matrix[0];
    (product.weight, product.weight_format) = (2, WeightFormat::Fp8Low);
    p
}

#[test]
fn fp8_blocks_come_back_and_load_in_pairs() {
    let p = fp8_program();
    let bytes = p.to_bytes().unwrap();
    assert_eq!(Program::from_bytes(&bytes).unwrap(), p);
    let core = &p.cores[0];
    assert_eq!(core.weight_addresses(), 3);
    let index = |addr, format| core.weight_index(addr, format);
    assert_eq!(index(0, WeightFormat::Lbfp17), Some(0));
    assert_eq!(index(1, WeightFormat::Lbfp17), None);
    assert_eq!(index(0, WeightFormat::Fp8Low), None);
    assert_eq!(index(1, WeightFormat::Fp8High), Some(2));
    assert_eq!(index(2, WeightFormat::Fp8Low), Some(3));
    assert_eq!(index(2, WeightFormat::Fp8High), None);

    let loads: Vec<_> = load::writes(&p)
        .unwrap()
        .into_iter()
        .filter(|w| w.space == Space::Weights)
        .collect();
    assert_eq!(loads.len(), 3 * 4);
    for w in loads.iter().filter(|w| w.addr > 0) {
        let n = w.row as usize;
        let field = |lsb: usize, width: usize| field(&w.data, lsb, width);
        for half in 0..2 {
            let empty = WeightBlock::off(4);
            let at = 2 * (w.addr as usize - 1) + half;
            let block = core.fp8.get(at).unwrap_or(&empty);
            for k in 0..4 {
                let code = field(17 * k + 8 * half, 8 + half);
                assert_eq!(
                    fp8::mantissa(u8::try_from(code).unwrap()),
                    block.m[4 * n + k]
                );
            }
            assert_eq!(
                field(68 + 16 * half, 8),
                u32::from(block.r[n].cast_unsigned())
            );
            assert_eq!(
                field(76 + 16 * half, 8),
                u32::from(block.l[n].cast_unsigned())
            );
        }
    }
    // A block of 17-bit mantissas leaves the second pair of exponents zero.
    assert_eq!(field(&loads[0].data, 84, 16), 0);
}

fn field(words: &[u32], lsb: usize, width: usize) -> u32 {
    (0..width).fold(0, |v, i| {
        v | (words[(lsb + i) / 32] >> ((lsb + i) % 32) & 1) << i
    })
}

#[test]
fn rules_of_fp8_blocks() {
    let cases: [(Break, &str); 6] = [
        (
            |p| p.config.fp8_weights = false,
            "`c1b4` has no FP8 weights",
        ),
        (|p| p.cores[0].fp8[0].m[0] = 17, "17 is no FP8 weight"),
        (|p| p.cores[0].fp8[0].m[0] = 1 << 16, "no FP8 weight"),
        (|p| p.cores[0].fp8.truncate(2), "then 2 FP8 blocks"),
        (
            |p| p.cores[0].matrix[0].weight_format = WeightFormat::Fp8High,
            "fp8_high",
        ),
        (
            |p| p.cores[0].matrix[0].weight_format = WeightFormat::Lbfp17,
            "lbfp17",
        ),
    ];
    for (break_it, word) in cases {
        let mut p = fp8_program();
        break_it(&mut p);
        let text = p.validate().unwrap_err().to_string();
        assert!(text.contains(word), "`{word}` in: {text}");
    }
    // Pairs count once against the depth.
    let mut p = fp8_program();
    p.config.weight_store_depth = 3;
    p.validate().unwrap();
    p.config.weight_store_depth = 2;
    assert!(p.validate().unwrap_err().to_string().contains("= 3"));
}

#[test]
fn round_trip_is_exact_and_bytes_are_deterministic() {
    let p = program();
    let bytes = p.to_bytes().unwrap();
    assert_eq!(Program::from_bytes(&bytes).unwrap(), p);
    assert_eq!(p.to_bytes().unwrap(), bytes);
}

#[test]
fn every_truncation_is_refused() {
    let bytes = program().to_bytes().unwrap();
    for n in (0..bytes.len()).step_by(97) {
        assert!(Program::from_bytes(&bytes[..n]).is_err(), "{n} bytes");
    }
}

#[test]
fn every_flipped_bit_is_refused_or_harmless() {
    let p = program();
    let bytes = p.to_bytes().unwrap();
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        match Program::from_bytes(&damaged) {
            Err(_) => refused += 1,
            // Names and figures in the manifest may change their text; what the machine executes may not.
            Ok(other) => assert_eq!(
                (other.control, other.cores),
                (p.control.clone(), p.cores.clone()),
                "byte {at}"
            ),
        }
    }
    assert!(
        refused * 10 > bytes.len() * 9,
        "{refused} of {}",
        bytes.len()
    );
}

#[test]
fn newer_versions_and_foreign_files() {
    let bytes = program().to_bytes().unwrap();
    let key = b"\\\"format_version\\\":3";
    let at = bytes.windows(key.len()).position(|w| w == key).unwrap();
    let mut older = bytes.clone();
    older[at + key.len() - 1] = b'2';
    assert_eq!(
        Program::from_bytes(&older).unwrap_err().code(),
        "SL-I002",
        "words have changed since"
    );
    let mut newer = bytes.clone();
    newer[at + key.len() - 1] = b'9';
    let e = Program::from_bytes(&newer).unwrap_err();
    assert_eq!(e.code(), "SL-I002");
    assert!(
        e.to_string().contains('9') && e.to_string().contains("recompile"),
        "{e}"
    );
    assert_eq!(
        Program::from_bytes(b"not a program").unwrap_err().code(),
        "SL-I003"
    );
}

#[test]
fn other_machines_are_refused_by_the_first_difference() {
    let p = program();
    p.check_machine(&preset("c1b4").unwrap()).unwrap();
    let e = p.check_machine(&preset("c2b8").unwrap()).unwrap_err();
    assert_eq!(e.code(), "SL-I006");
    assert!(
        e.to_string().contains("block_size") && e.to_string().contains("recompile"),
        "{e}"
    );
}

/// A change that breaks a rule.
type Break = fn(&mut Program);

fn broken(f: Break) -> IsaError {
    let mut p = program();
    f(&mut p);
    p.validate().unwrap_err()
}

#[test]
fn rules_of_a_program() {
    let cases: [(Break, &str); 14] = [
        (|p| p.models.clear(), "models"),
        (|p| p.cores[0].matrix[0].weight = 1, "weight"),
        (|p| p.cores[0].matrix[0].bank = 2, "bank"),
        (|p| p.cores[0].matrix[0].addr = 64, "address"),
        (|p| p.cores[0].matrix[0].acc = 16, "accumulator"),
        (|p| p.cores[0].vector[0].pre = 1, "clamp"),
        (|p| p.cores[0].vector[0].lane_hi = 5, "lane"),
        (|p| p.cores[0].vector[1].valid = true, "operand source"),
        (|p| p.cores[0].weights[0].m[0] = 65536, "mantissa"),
        (|p| p.models[0].ticks = 22, "end tick"),
        (|p| p.models[0].n_out = 2, "output words"),
        (|p| p.control[1].beat = true, "taken"),
        (|p| p.control[3].last = true, "last tick"),
        (|p| p.models[0].init_pc = Some(0), "initialisation"),
    ];
    for (break_it, word) in cases {
        let text = broken(break_it).to_string();
        assert!(text.contains(word), "`{word}` in: {text}");
    }
}

#[test]
fn nothing_is_written_that_could_not_be_read() {
    let mut p = program();
    p.cores[0].vector[0].dst_addr = 4096;
    assert!(p.to_bytes().is_err());
}
