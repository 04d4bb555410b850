//! What the generator writes: golden top levels and file list, determinism, manifest, errors, images.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sluice_hdl::{Generator, HdlError, Manifest, images};
use sluice_isa::lbfp::{WeightBlock, quantize};
use sluice_isa::{
    ControlWord, CoreImage, HardwareConfig, MatrixKind, MatrixWord, ModelInfo, Program, TensorInfo,
    VectorWord, load, presets,
};

fn generator(name: &str) -> Generator {
    Generator::new(&presets::preset(name).unwrap()).unwrap()
}

/// A folder of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("sluice-hdl-{test}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| {
            (
                e.file_name().into_string().unwrap(),
                fs::read(e.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn golden_top_levels() {
    for name in ["c1b4", "c6b32"] {
        let files = generator(name).files().unwrap();
        insta::assert_snapshot!(format!("sl_top_{name}"), files["sl_top.sv"]);
    }
    let files = generator("c6b32").files().unwrap();
    insta::assert_snapshot!("sl_core_block_c6b32", files["sl_core_block.sv"]);
    insta::assert_snapshot!("sl_ip_top_c6b32", files["sl_ip_top.sv"]);
}

#[test]
fn golden_file_list() {
    insta::assert_snapshot!(
        "sl_filelist",
        generator("c1b4").files().unwrap()["sl_filelist.f"]
    );
}

#[test]
fn golden_packages() {
    let files = generator("c1b4").files().unwrap();
    for name in [
        "sluice.core",
        "sl_ip_top_hw.tcl",
        "sl_ip_top.ipxact.xml",
        "sl_top_hw.tcl",
    ] {
        insta::assert_snapshot!(name.replace('.', "_"), files[name]);
    }
}

#[test]
fn golden_constraints_and_example() {
    let files = generator("c6b32").files().unwrap();
    for name in ["sl_cdc.xdc", "sl_cdc_quartus.sdc", "sl_example.sv"] {
        insta::assert_snapshot!(name.replace('.', "_"), files[name]);
    }
}

/// Instances of the crossing modules in a module's text.
fn crossings(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines().map(str::trim).peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let module = line.split(' ').next().unwrap_or_default();
        if !(module.starts_with("sl_cdc_") || module == "sl_reset_sync") {
            continue;
        }
        let head = if line.ends_with("#(") {
            lines.find(|l| l.starts_with(") ")).unwrap()
        } else {
            line
        };
        let instance = head.split(' ').nth(1).unwrap();
        found.push((module.to_owned(), instance.to_owned()));
    }
    found.sort();
    found
}

#[test]
fn every_crossing_has_constraints() {
    use sluice_hdl::constraints::CROSSINGS;
    let mut table: Vec<_> = CROSSINGS
        .iter()
        .map(|c| (c.module.name().to_owned(), c.instance.to_owned()))
        .collect();
    table.sort();
    let files = generator("c2b8").files().unwrap();
    let top = &files["sl_ip_top.sv"];
    assert_eq!(crossings(top), table);
    // Elsewhere crossing modules stand in crossing modules only, whose own paths the table has.
    for (name, text) in &files {
        let own = ["sl_cdc_fifo.sv", "sl_cdc_handshake.sv", "sl_ip_top.sv"];
        let is_source = Path::new(name).extension().is_some_and(|e| e == "sv");
        if is_source && !own.contains(&name.as_str()) {
            assert_eq!(crossings(text), [], "{name}");
        }
    }
    assert_ne!(crossings(&top.replace("u_cross_idle", "u_idle")), table);
    for constraints in ["sl_cdc.xdc", "sl_cdc_quartus.sdc"] {
        for (module, instance) in &table {
            let header = format!("# {module} {instance}\n");
            assert!(
                files[constraints].contains(&header),
                "{constraints}: {header}"
            );
        }
    }
}

#[test]
fn scripts_have_a_part_only_where_it_is_public() {
    let part = |config: &str, script: &str| {
        let files = generator(config).files().unwrap();
        let line = files[script]
            .lines()
            .find(|l| l.starts_with("set sl_part "));
        line.unwrap().split('"').nth(1).unwrap().to_owned()
    };
    assert_eq!(part("c6b32", "sl_quartus.tcl"), "AGFB014R24B2E2V");
    assert_eq!(part("c6b32", "sl_vivado.tcl"), "");
    let v80 = part("amd_v80_c6b32", "sl_vivado.tcl");
    assert_eq!(v80, "xcv80-lsva4737-2MHP-e-S");
    assert_eq!(part("c3b64", "sl_quartus.tcl"), "");
    assert_eq!(part("c1b4", "sl_vivado.tcl"), "");
}

#[test]
fn packages_name_every_file_and_port() {
    let generator = generator("c2b8");
    let files = generator.files().unwrap();
    for package in [
        "sluice.core",
        "Bender.yml",
        "sl_ip_top.ipxact.xml",
        "sl_ip_top_hw.tcl",
        "sl_top.ipxact.xml",
        "sl_top_hw.tcl",
        "sl_quartus.tcl",
        "sl_vivado.tcl",
    ] {
        let text = &files[package];
        let sources = files["sl_filelist.f"]
            .lines()
            .filter(|l| !l.starts_with('+'));
        for source in sources {
            assert!(text.contains(source), "{package} lacks {source}");
        }
    }
    for top in ["sl_ip_top", "sl_top"] {
        let ports = sluice_hdl::packaging::ports(top, &files[&format!("{top}.sv")]).unwrap();
        assert!(ports.len() > 20);
        for (port, form) in ports
            .iter()
            .flat_map(|p| [(p, "ipxact.xml"), (p, "hw.tcl")])
        {
            let package = [format!("{top}.{form}"), format!("{top}_{form}")]
                .into_iter()
                .find(|name| files.contains_key(name))
                .unwrap();
            assert!(
                files[&package].contains(&port.name),
                "{package} lacks {}",
                port.name
            );
        }
    }
}

#[test]
fn only_generated_files_depend_on_the_configuration() {
    let small = generator("c1b4").files().unwrap();
    let large = generator("c6b32").files().unwrap();
    let different: Vec<_> = small
        .keys()
        .filter(|name| small[*name] != large[*name])
        .collect();
    assert_eq!(
        different,
        [
            "Bender.yml",
            "config.json",
            "sl_cdc.xdc",
            "sl_cdc_quartus.sdc",
            "sl_clocks.sdc",
            "sl_clocks.xdc",
            "sl_core_block.sv",
            "sl_example.sv",
            "sl_ip_top.ipxact.xml",
            "sl_ip_top.sv",
            "sl_ip_top_hw.tcl",
            "sl_quartus.tcl",
            "sl_top.ipxact.xml",
            "sl_top.sv",
            "sl_top_hw.tcl",
            "sl_vivado.tcl",
            "sluice.core"
        ]
    );
}

#[test]
fn same_configuration_same_bytes() {
    let scratch = Scratch::new("bytes");
    let (one, two) = (scratch.0.join("one"), scratch.0.join("two"));
    let first = generator("c2b8").emit(&one).unwrap();
    let second = generator("c2b8").emit(&two).unwrap();
    assert_eq!(first, second);
    assert_eq!(contents(&one), contents(&two));
    // A damaged file is written again.
    fs::write(two.join("sl_core.sv"), "module sl_core; endmodule\n").unwrap();
    assert_ne!(contents(&one), contents(&two));
    generator("c2b8").emit(&two).unwrap();
    assert_eq!(contents(&one), contents(&two));
}

#[test]
fn manifest_names_every_file() {
    let scratch = Scratch::new("manifest");
    let manifest = generator("c1b8").emit(&scratch.0).unwrap();
    let mut written = contents(&scratch.0);
    let json = written.remove("manifest.json").unwrap();
    assert_eq!(serde_json::from_slice::<Manifest>(&json).unwrap(), manifest);
    for (name, bytes) in &written {
        assert_eq!(
            manifest.digests[name],
            blake3::hash(bytes).to_hex().to_string(),
            "{name}"
        );
    }
    assert_eq!(manifest.digests.len(), written.len());
    for file in manifest.compile_paths(&scratch.0) {
        assert!(file.is_file(), "{}", file.display());
    }
    let config = HardwareConfig::load(&scratch.0.join("config.json")).unwrap();
    assert_eq!(config, manifest.config);
}

#[test]
fn errors_say_what_and_where() {
    let bad = HardwareConfig {
        block_size: 12,
        ..HardwareConfig::new("bad", 1, 4)
    };
    let error = Generator::new(&bad).unwrap_err();
    assert_eq!(error.code(), "SL-I001");

    let scratch = Scratch::new("errors");
    let file = scratch.0.join("file");
    fs::write(&file, "").unwrap();
    let error = generator("c1b4").emit(&file.join("below")).unwrap_err();
    assert!(matches!(error, HdlError::Io { .. }), "{error}");
    assert!(error.to_string().contains("file/below"), "{error}");
}

/// Two weight blocks, a constant, a clamp, one product on a `c1b4`.
fn program() -> Program {
    let config = presets::preset("c1b4").unwrap();
    let b = config.block_size as usize;
    let weights: Vec<f32> = (0u8..16).map(|i| f32::from(i) - 7.5).collect();
    let tensor = |name: &str| TensorInfo {
        name: name.into(),
        shape: vec![b],
        data_dim: 0,
        streaming_dim: None,
        format: sluice_isa::NumberFormat::Bf16,
    };
    let mut control = vec![ControlWord::default(); 3];
    control[0].beat = true;
    control[2] = ControlWord {
        last: true,
        out_valid: true,
        out_last: true,
        out_lanes: 4,
        ..ControlWord::default()
    };
    let mut matrix = vec![MatrixWord::default(); 3];
    matrix[1] = MatrixWord {
        kind: MatrixKind::Product,
        first: true,
        weight: 1,
        ..MatrixWord::default()
    };
    let mut vector = vec![VectorWord::default(); 3];
    vector[1] = VectorWord {
        valid: true,
        lane_hi: 4,
        dst_addr: 5,
        ..VectorWord::default()
    };
    Program {
        models: vec![ModelInfo {
            name: "m".into(),
            entry_pc: 0,
            ticks: 3,
            init_pc: None,
            resettable: false,
            inputs: vec![tensor("x")],
            outputs: vec![tensor("y")],
            n_in: 1,
            n_out: 1,
            cycles_spaced: 1,
            cycles_contiguous: 1,
            parameters: 16,
            weight_blocks: 2,
        }],
        control,
        cores: vec![CoreImage {
            matrix,
            vector,
            weights: vec![WeightBlock::off(b), quantize(b, b, b, &weights)],
            fp8: vec![],
            constants: vec![vec![0x3F80_0000, 0, 1, u32::MAX]],
            clamps: vec![(0xFF80_0000, 0x7F80_0000)],
        }],
        config,
    }
}

/// Bits `lsb..lsb+width` (width <= 32) of a hexadecimal word.
fn field(hex: &str, lsb: usize, width: usize) -> u32 {
    (0..width)
        .filter(|i| {
            let digit = (lsb + i) / 4;
            let value = hex.as_bytes()[hex.len() - 1 - digit] as char;
            value.to_digit(16).unwrap() >> ((lsb + i) % 4) & 1 == 1
        })
        .map(|i| 1 << i)
        .sum()
}

#[test]
fn images_hold_the_words_of_the_load_port() {
    let scratch = Scratch::new("images");
    let program = program();
    let names = images(&program, &scratch.0).unwrap();
    let files = contents(&scratch.0);
    assert_eq!(names, files.keys().cloned().collect::<Vec<_>>());
    let line = |file: &str, addr: usize| {
        let text = std::str::from_utf8(&files[file]).unwrap();
        text.lines().nth(addr).unwrap().to_owned()
    };
    let block = &program.cores[0].weights[1];
    for n in 0..4 {
        let row = line(&format!("core0_weights_row{n}.hex"), 1);
        for k in 0..4 {
            let m = field(&row, 17 * k, 17);
            assert_eq!(m, block.m[n * 4 + k].cast_unsigned() & 0x1FFFF);
        }
        let scales = line("core0_scales.hex", 1);
        assert_eq!(
            field(&scales, 16 * n, 8),
            u32::from(block.r[n].cast_unsigned())
        );
        assert_eq!(
            field(&scales, 16 * n + 8, 8),
            u32::from(block.l[n].cast_unsigned())
        );
    }
    assert_eq!(
        line("core0_constants.hex", 0),
        "ffffffff00000001000000003f800000"
    );
    assert_eq!(line("core0_clamps.hex", 0), "7f800000ff800000");
    assert_eq!(line("num_models.hex", 0), "0001");
    assert_eq!(
        u64::from_str_radix(&line("control.hex", 2), 16).unwrap(),
        u64::try_from(program.control[2].pack().unwrap()).unwrap()
    );
    let word = line("core0_instructions.hex", 1);
    let writes = load::writes(&program).unwrap();
    let sent = writes
        .iter()
        .find(|w| w.space == load::Space::Instructions && w.addr == 1)
        .unwrap();
    for i in 0..4 {
        assert_eq!(field(&word, 32 * i, 32), sent.data[i]);
    }
    assert_eq!(field(&word, 128, 2), sent.data[4] & 3);
}

#[test]
fn images_of_a_bad_program_are_refused() {
    let mut program = program();
    program.cores[0].matrix[1].weight = 2;
    let scratch = Scratch::new("refused");
    assert_eq!(images(&program, &scratch.0).unwrap_err().code(), "SL-I007");
    assert!(contents(&scratch.0).is_empty());
}
