//! Golden schedules: what the compiler emits for small models, tick by tick, and that it is always the same.

use sluice_compiler::backend::{ModelOptions, ProgramBuilder, listing};
use sluice_compiler::nnir::{Graph, GraphBuilder, Tensor};
use sluice_isa::presets::preset;

fn weights(shape: &[usize], seed: u16) -> Tensor {
    Tensor::from_fn(shape, |i| {
        f32::from((u16::try_from(i).unwrap() * 37 + seed) % 101) / 50.0 - 1.0
    })
}

fn residual() -> Graph {
    let mut g = GraphBuilder::new("residual");
    let x = g.input("x", &[10]);
    let h = g
        .linear(
            "fc1",
            x,
            weights(&[16, 10], 1),
            Some(weights(&[16], 2).into()),
        )
        .unwrap();
    let h = g.relu("relu1", h).unwrap();
    let r = g.linear("fc2", h, weights(&[16, 16], 3), None).unwrap();
    let r = g.relu("relu2", r).unwrap();
    let s = g.add("residual", r, h).unwrap();
    g.output(s);
    g.finish().unwrap()
}

fn streamed() -> Graph {
    let mut g = GraphBuilder::new("streamed");
    let x = g.input("x", &[1, 8, 6]);
    let y = g
        .conv1d(
            "conv",
            x,
            weights(&[8, 8, 3], 4),
            Some(weights(&[8], 5).into()),
            1,
            1,
        )
        .unwrap();
    let y = g.relu("relu", y).unwrap();
    g.output(y);
    g.finish().unwrap().streaming_transform(&[2]).unwrap().0
}

fn listing_of(graph: &Graph, config: &str) -> String {
    let config = preset(config).unwrap();
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder.add(graph, &ModelOptions::default()).unwrap();
    listing::schedule(&builder.models()[0])
}

#[test]
fn schedule_of_a_residual_layer() {
    insta::assert_snapshot!("backend_residual_c2b8", listing_of(&residual(), "c2b8"));
}

#[test]
fn schedule_of_a_streamed_convolution() {
    insta::assert_snapshot!("backend_streamed_c2b8", listing_of(&streamed(), "c2b8"));
}

#[test]
fn same_input_same_bytes() {
    let config = preset("c2b8").unwrap();
    let bytes = || {
        let mut builder = ProgramBuilder::new(&config).unwrap();
        builder.add(&residual(), &ModelOptions::default()).unwrap();
        builder.add(&streamed(), &ModelOptions::default()).unwrap();
        builder.build().unwrap().to_bytes().unwrap()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_schedule_does_not_depend_on_company() {
    let config = preset("c2b8").unwrap();
    let mut builder = ProgramBuilder::new(&config).unwrap();
    builder.add(&streamed(), &ModelOptions::default()).unwrap();
    builder.add(&residual(), &ModelOptions::default()).unwrap();
    let program = builder.build().unwrap();
    let mut alone = ProgramBuilder::new(&config).unwrap();
    alone.add(&residual(), &ModelOptions::default()).unwrap();
    let alone = alone.build().unwrap();
    assert_eq!(
        program.models[1].cycles_spaced,
        alone.models[0].cycles_spaced
    );
    assert_eq!(
        program.models[1].cycles_contiguous,
        alone.models[0].cycles_contiguous
    );
}
