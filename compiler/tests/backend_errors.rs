//! What does not fit, or makes no sense, is refused by name, need and capacity.

use sluice_compiler::backend::{ModelOptions, ProgramBuilder};
use sluice_compiler::nnir::{Graph, GraphBuilder, Op, Precision, Tensor};
use sluice_isa::presets::preset;
use sluice_isa::{HardwareConfig, NumberFormat};

fn dense(name: &str, out: usize, inp: usize) -> Graph {
    let mut g = GraphBuilder::new(name);
    let x = g.input("x", &[inp]);
    let mut state = name
        .bytes()
        .fold(1u32, |s, b| s.wrapping_mul(31) + u32::from(b));
    let w = Tensor::from_fn([out, inp], |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(state >> 16).unwrap()) / 32768.0 - 1.0
    });
    let y = g.linear("fc", x, w, None).unwrap();
    g.output(y);
    g.finish().unwrap()
}

fn add(config: &HardwareConfig, graph: &Graph) -> String {
    let e = ProgramBuilder::new(config)
        .unwrap()
        .add(graph, &ModelOptions::default())
        .unwrap_err();
    format!("{} {e}", e.code())
}

#[test]
fn weights_that_do_not_fit() {
    let text = add(&preset("c1b4").unwrap(), &dense("big", 80, 40));
    assert_eq!(
        text,
        "SL-C020 model 'big', layer 'fc': weight store needs 200 weight blocks, the configuration has 128; 72 too many for 1 cores x 128 blocks; use a configuration with deeper weight stores or more cores, or fewer or smaller models"
    );
}

#[test]
fn a_second_model_that_does_not_fit_leaves_the_first() {
    let config = preset("c1b4").unwrap();
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder
        .add(&dense("first", 40, 40), &ModelOptions::default())
        .unwrap();
    let e = builder
        .add(&dense("second", 44, 40), &ModelOptions::default())
        .unwrap_err();
    assert!(
        e.to_string().contains("second") && e.to_string().contains("needs"),
        "{e}"
    );
    let program = builder.build().unwrap();
    assert_eq!(program.models.len(), 1);
    assert_eq!(program.models[0].name, "first");
}

#[test]
fn equal_weights_are_stored_once() {
    let config = preset("c1b4").unwrap();
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder
        .add(&dense("same", 40, 40), &ModelOptions::default())
        .unwrap();
    builder
        .add(&dense("same", 40, 40), &ModelOptions::default())
        .unwrap();
    let program = builder.build().unwrap();
    assert_eq!(program.cores[0].weights.len(), 100);
}

#[test]
fn a_row_that_fits_on_no_core_is_spread() {
    // 8 rows of 25 blocks on 2 cores of 128 - 28: whole rows stop fitting at four per core.
    let mut config = preset("c2b8").unwrap();
    config.weight_store_depth = 90;
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder
        .add(&dense("tight", 56, 200), &ModelOptions::default())
        .unwrap();
    let program = builder.build().unwrap();
    assert_eq!(
        program.cores.iter().map(|c| c.weights.len()).sum::<usize>(),
        175
    );
}

#[test]
fn streams_that_are_too_long() {
    let mut g = GraphBuilder::new("long");
    let x = g.input("x", &[1024]);
    let y = g.relu("relu", x).unwrap();
    g.output(y);
    let text = add(&preset("c1b4").unwrap(), &g.finish().unwrap());
    assert!(
        text.starts_with("SL-C021")
            && text.contains("256")
            && text.contains("64")
            && text.contains("long"),
        "{text}"
    );
}

#[test]
fn a_long_sequence_must_be_streamed_first() {
    let mut g = GraphBuilder::new("sequence");
    let x = g.input("x", &[1, 4, 5000]);
    let y = g
        .conv1d("conv", x, Tensor::from_fn([4, 4, 3], |_| 1.0), None, 1, 1)
        .unwrap();
    g.output(y);
    let text = add(&preset("c1b4").unwrap(), &g.finish().unwrap());
    assert!(
        text.starts_with("SL-C006")
            && text.contains("'conv'")
            && text.contains("streaming_transform"),
        "{text}"
    );
}

#[test]
fn fp32_activations_are_kept_not_rounded() {
    let formats = |precision| {
        let mut g = GraphBuilder::new("wide");
        g.precision(precision);
        let x = g.input("x", &[4]);
        let y = g.relu("relu", x).unwrap();
        g.output(y);
        let mut builder = ProgramBuilder::new(&preset("c1b4").unwrap()).unwrap();
        builder
            .add(&g.finish().unwrap(), &ModelOptions::default())
            .unwrap();
        let model = builder.build().unwrap().models.remove(0);
        (model.inputs[0].format, model.outputs[0].format)
    };
    let (bf16, fp32) = (NumberFormat::Bf16, NumberFormat::Fp32);
    assert_eq!(formats(Precision::Bf16), (bf16, bf16));
    assert_eq!(formats(Precision::Fp32), (fp32, fp32));
}

#[test]
fn cores_that_do_not_exist() {
    let config = preset("c2b8").unwrap();
    let options = |cores: Vec<usize>| ModelOptions {
        cores: Some(cores),
        ..ModelOptions::default()
    };
    let mut builder = ProgramBuilder::new(&config).unwrap();
    let text = builder
        .add(&dense("d", 8, 8), &options(vec![2]))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("core 2 does not exist") && text.contains("cores 0 to 1"),
        "{text}"
    );
    assert!(
        builder
            .add(&dense("d", 8, 8), &options(vec![]))
            .unwrap_err()
            .to_string()
            .contains("at least one core")
    );
    builder.add(&dense("d", 40, 8), &options(vec![1])).unwrap();
    let program = builder.build().unwrap();
    assert!(program.cores[0].weights.is_empty() && !program.cores[1].weights.is_empty());
}

#[test]
fn too_many_models_and_none() {
    let mut config = preset("c1b4").unwrap();
    config.max_models = 2;
    let mut builder = ProgramBuilder::new(&config).unwrap();
    assert_eq!(builder.build().unwrap_err().code(), "SL-C001");
    for name in ["a", "b"] {
        builder
            .add(&dense(name, 4, 4), &ModelOptions::default())
            .unwrap();
    }
    let text = builder
        .add(&dense("c", 4, 4), &ModelOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("model table") && text.contains('3') && text.contains('2'),
        "{text}"
    );
}

#[test]
fn instruction_and_tensor_stores_are_limits_too() {
    let mut config = preset("c1b4").unwrap();
    config.instr_store_depth = 16;
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder
        .add(&dense("long", 16, 16), &ModelOptions::default())
        .unwrap();
    let e = builder.build().unwrap_err();
    assert!(
        e.code() == "SL-C021" && e.to_string().contains("16") && e.to_string().contains("long"),
        "{e}"
    );

    let mut config = preset("c1b4").unwrap();
    config.tensor_ram_depth = 8;
    let mut g = GraphBuilder::new("window");
    let x = g.input("x", &[1, 4, 50]);
    let y = g
        .conv1d(
            "conv",
            x,
            Tensor::from_fn([4, 4, 20], |i| {
                f32::from(u16::try_from(i % 7).unwrap()) - 3.0
            }),
            None,
            1,
            1,
        )
        .unwrap();
    g.output(y);
    let (graph, _) = g.finish().unwrap().streaming_transform(&[2]).unwrap();
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder.add(&graph, &ModelOptions::default()).unwrap();
    let e = builder.build().unwrap_err();
    assert!(
        e.code() == "SL-C020"
            && e.to_string().contains("tensor bank of core 0")
            && e.to_string().contains("window"),
        "{e}"
    );
}

#[test]
fn configurations_are_checked_first() {
    let mut config = preset("c1b4").unwrap();
    config.num_cores = 0;
    let text = ProgramBuilder::new(&config).unwrap_err().to_string();
    assert!(text.contains("num_cores = 0"), "{text}");
}

/// `dense` with FP8 weights.
fn dense_fp8(name: &str, out: usize, inp: usize) -> Graph {
    let plain = dense(name, out, inp);
    let Op::Linear { weights, .. } = plain.node(plain.outputs[0]).op.clone() else {
        panic!("a linear layer");
    };
    let mut g = GraphBuilder::new(name);
    let x = g.input("x", &[inp]);
    g.fp8_weights(true);
    let y = g.linear("fc", x, weights[0].clone(), None).unwrap();
    g.output(y);
    g.finish().unwrap()
}

#[test]
fn fp8_weights_need_a_machine_that_stores_them() {
    let text = add(&preset("c2b8").unwrap(), &dense_fp8("small", 8, 8));
    assert_eq!(
        text,
        "SL-C022 layer 'fc': configuration 'c2b8' has no FP8 weights; compile for one that has (amd_v80_c6b32, or `fp8_weights` set), \
         or store the layer's weights as usual"
    );
}

#[test]
fn fp8_doubles_the_store() {
    // 2 cores of 128 addresses: 512 FP8 blocks of 8 x 8.
    let config = preset("c2b8f8").unwrap();
    let text = add(&config, &dense("wide", 128, 256));
    assert_eq!(
        text,
        "SL-C020 model 'wide', layer 'fc': weight store needs 512 weight blocks, the configuration has 256; 256 too many for 2 cores x 128 blocks; use a configuration with deeper weight stores or more cores, or fewer or smaller models, or FP8 weights, which take half the space"
    );
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder
        .add(&dense_fp8("narrow", 128, 256), &ModelOptions::default())
        .unwrap();
    let program = builder.build().unwrap();
    for core in &program.cores {
        assert_eq!((core.weights.len(), core.fp8.len()), (0, 256));
        assert_eq!(core.weight_addresses(), 128);
    }
    let text = add(&config, &dense_fp8("over", 136, 256));
    assert!(
        text.contains("needs 272 weight blocks, the configuration has 256; 16 too many for 2 cores x 128 blocks (two FP8 blocks count as one)")
            && !text.contains("or FP8 weights"),
        "{text}"
    );
}

#[test]
fn fp8_models_share_the_store_with_others() {
    let mut config = preset("c2b8f8").unwrap();
    config.num_cores = 1;
    let mut builder = ProgramBuilder::new(&config).unwrap();
    // Odd numbers of FP8 blocks, so that one pair belongs to two models; the last free address is half used at the end.
    builder
        .add(&dense_fp8("first", 24, 72), &ModelOptions::default())
        .unwrap();
    builder
        .add(&dense("plain", 80, 80), &ModelOptions::default())
        .unwrap();
    builder
        .add(&dense_fp8("second", 8, 8), &ModelOptions::default())
        .unwrap();
    let program = builder.build().unwrap();
    let core = &program.cores[0];
    assert_eq!((core.weights.len(), core.fp8.len()), (100, 28));
    assert_eq!(core.weight_addresses(), 114);
    // Equal values stored in two ways are two blocks.
    builder
        .add(&dense_fp8("first", 24, 72), &ModelOptions::default())
        .unwrap();
    assert_eq!(builder.build().unwrap().cores[0].fp8.len(), 28);
    let e = builder
        .add(&dense_fp8("third", 8, 8 * 29), &ModelOptions::default())
        .unwrap_err();
    assert!(
        e.to_string().contains("needs 129 weight blocks"),
        "28 + 29 halves are 29 addresses: {e}"
    );
    builder
        .add(&dense_fp8("third", 8, 8 * 28), &ModelOptions::default())
        .unwrap();
    assert_eq!(builder.build().unwrap().cores[0].weight_addresses(), 128);
}

#[test]
fn rows_of_fp8_blocks_are_spread_too() {
    let mut config = preset("c2b8f8").unwrap();
    config.weight_store_depth = 45;
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder
        .add(&dense_fp8("tight", 56, 200), &ModelOptions::default())
        .unwrap();
    let program = builder.build().unwrap();
    assert_eq!(
        program.cores.iter().map(|c| c.fp8.len()).sum::<usize>(),
        175
    );
}
