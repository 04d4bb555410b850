//! The backend's promises, held by the VM: right values, and cycle counts equal to what the compiler says.

use std::sync::Arc;

use sluice_compiler::backend::{ModelOptions, ProgramBuilder};
use sluice_compiler::nnir::{Evaluator, Graph, GraphBuilder, Tensor};
use sluice_isa::HardwareConfig;
use sluice_isa::presets::preset;
use sluice_sim::Vm;

struct Rng(u64);

impl Rng {
    fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f32::from(u16::try_from(self.0 >> 48).unwrap()) / 32768.0 - 1.0
    }
    fn tensor(&mut self, shape: &[usize], scale: f32) -> Tensor {
        Tensor::from_fn(shape, |_| self.unit() * scale)
    }
    fn linear(&mut self, out: usize, inp: usize) -> (Tensor, Arc<Tensor>) {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let scale = (6.0 / inp as f32).sqrt();
        (
            self.tensor(&[out, inp], scale),
            Arc::new(self.tensor(&[out], 0.1)),
        )
    }
}

fn mlp(sizes: &[usize], seed: u64) -> Graph {
    let mut rng = Rng(seed);
    let mut g = GraphBuilder::new("mlp");
    let mut x = g.input("x", &[sizes[0]]);
    for (i, w) in sizes.windows(2).enumerate() {
        let (weight, bias) = rng.linear(w[1], w[0]);
        x = g.linear(format!("fc{i}"), x, weight, Some(bias)).unwrap();
        x = g.relu(format!("relu{i}"), x).unwrap();
    }
    g.output(x);
    g.finish().unwrap()
}

/// `h = relu(fc1 x); h = relu(fc2 h) + h; out h`
fn residual_mlp() -> Graph {
    let mut rng = Rng(7);
    let mut g = GraphBuilder::new("residual-mlp");
    let x = g.input("x", &[784]);
    let (w1, b1) = rng.linear(128, 784);
    let (w2, b2) = rng.linear(128, 128);
    let (w3, b3) = rng.linear(10, 128);
    let h = g.linear("fc1", x, w1, Some(b1)).unwrap();
    let h = g.relu("relu1", h).unwrap();
    let r = g.linear("fc2", h, w2, Some(b2)).unwrap();
    let r = g.relu("relu2", r).unwrap();
    let s = g.add("residual", r, h).unwrap();
    let o = g.linear("out", s, w3, Some(b3)).unwrap();
    g.output(o);
    g.finish().unwrap()
}

fn cnn() -> Graph {
    let mut rng = Rng(11);
    let mut g = GraphBuilder::new("cnn");
    let x = g.input("x", &[1, 32, 5]);
    let c = g
        .conv1d(
            "conv1",
            x,
            rng.tensor(&[128, 32, 3], 0.25),
            Some(Arc::new(rng.tensor(&[128], 0.1))),
            1,
            1,
        )
        .unwrap();
    let c = g.relu("relu1", c).unwrap();
    let c = g
        .conv1d(
            "conv2",
            c,
            rng.tensor(&[1, 128, 3], 0.12),
            Some(Arc::new(rng.tensor(&[1], 0.1))),
            1,
            1,
        )
        .unwrap();
    let c = g.relu("relu2", c).unwrap();
    g.output(c);
    g.finish().unwrap().streaming_transform(&[2]).unwrap().0
}

/// Lane moves, broadcasting, every arithmetic operation, several inputs and outputs, delays.
fn mixed() -> Graph {
    let mut rng = Rng(13);
    let mut g = GraphBuilder::new("mixed");
    let a = g.input("a", &[2, 21]);
    let b = g.input("b", &[13]);
    let a1 = g.slice("head", a, 1, 3, 16).unwrap();
    let s = g.sub("sub", a1, b).unwrap();
    let m = g.mul("mul", s, b).unwrap();
    let c = g.constant("k", rng.tensor(&[13], 1.0)).unwrap();
    let x = g.max("max", m, c).unwrap();
    let n = g.min("min", c, s).unwrap();
    let j = g.concat("join", &[x, n, a1], 1).unwrap();
    let d = g.delay("old", j, 2).unwrap();
    let e = g.add("sum", j, d).unwrap();
    let e = g.clamp("clip", e, -1.5, 1.25).unwrap();
    let (w, bias) = rng.linear(19, 39);
    let y = g.linear("fc", e, w, Some(bias)).unwrap();
    let z = g.sub("neg", c, x).unwrap();
    g.output(y);
    g.output(z);
    g.output(b);
    g.output(d);
    g.finish().unwrap()
}

fn check(graph: &Graph, config: &HardwareConfig, jobs: usize) -> (u64, u64) {
    let mut builder = ProgramBuilder::new(config).unwrap();
    builder.add(graph, &ModelOptions::default()).unwrap();
    let program = Arc::new(builder.build().unwrap());
    let bytes = program.to_bytes().unwrap();
    assert_eq!(*program, sluice_isa::Program::from_bytes(&bytes).unwrap());
    let mut vm = Vm::new(Arc::clone(&program)).unwrap();
    let mut reference = Evaluator::new(graph).unwrap();
    let mut rng = Rng(99);
    let info = &program.models[0];
    let (mut error, mut power) = (0.0, 0.0);
    for job in 0..jobs {
        let inputs: Vec<Tensor> = info
            .inputs
            .iter()
            .map(|t| rng.tensor(&t.shape, 1.0))
            .collect();
        let slices: Vec<&[f32]> = inputs.iter().map(|t| t.data.as_slice()).collect();
        let run = vm.run(0, &slices).unwrap();
        let expected = reference.run(&inputs).unwrap();
        for (got, want) in run.outputs.iter().zip(&expected) {
            assert_eq!(got.len(), want.data.len());
            for (i, (g, w)) in got.iter().zip(&want.data).enumerate() {
                assert!(
                    (g - w).abs() <= 2e-2 + 2e-2 * w.abs(),
                    "{} on {} job {job} value {i}: {g} for {w}",
                    graph.name,
                    config.name
                );
                error += f64::from(g - w).powi(2);
                power += f64::from(*w).powi(2);
            }
        }
    }
    let (spaced, contiguous) = (vm.spaced(0).unwrap(), vm.contiguous(0).unwrap());
    println!(
        "{} on {}: {spaced} / {contiguous}, rel rms {:.2e}",
        graph.name,
        config.name,
        (error / power).sqrt()
    );
    assert_eq!(
        spaced,
        u64::from(info.cycles_spaced),
        "{} on {} spaced",
        graph.name,
        config.name
    );
    assert_eq!(
        contiguous,
        u64::from(info.cycles_contiguous),
        "{} on {} contiguous",
        graph.name,
        config.name
    );
    (spaced, contiguous)
}

fn small(name: &str) -> HardwareConfig {
    let mut c = preset(name).unwrap();
    c.weight_store_depth = 4096;
    c.tensor_ram_depth = 1024;
    c.const_store_depth = 1024;
    c.instr_store_depth = 16384;
    c.output_fifo_depth = 64;
    c
}

#[test]
fn values_and_cycles_on_every_configuration() {
    for config in [
        small("c1b4"),
        small("c2b8"),
        preset("c6b32").unwrap(),
        preset("c3b64").unwrap(),
    ] {
        check(&mlp(&[40, 72, 24], 3), &config, 3);
        check(&cnn(), &config, 8);
        check(&mixed(), &config, 8);
    }
    check(&residual_mlp(), &preset("c6b32").unwrap(), 3);
    check(&mlp(&[512, 512, 512], 5), &preset("c6b32").unwrap(), 2);
    check(&mlp(&[1024, 1024], 5), &preset("c3b64").unwrap(), 2);
}
