//! Prints the compiler's cycle counts of dense networks: `cargo run --release -p sluice-compiler --example cycles`.

use std::time::Instant;

use sluice_compiler::backend::{ModelOptions, ProgramBuilder};
use sluice_compiler::nnir::{GraphBuilder, Tensor};
use sluice_isa::presets::preset;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows: [(&[usize], u32, u32); 7] = [
        (&[128, 128], 76, 80),
        (&[256, 1024], 156, 117),
        (&[1024, 1024], 287, 182),
        (&[512, 512, 512], 205, 167),
        (&[384, 384, 384, 384, 384, 384, 384, 384], 439, 416),
        (&[512, 512, 512, 512, 512], 352, 293),
        (&[1024, 1024, 1024, 1024], 701, 435),
    ];
    for (config, which) in [("c6b32", 0), ("c3b64", 1)] {
        let config = preset(config)?;
        let mut log = 0.0;
        for (sizes, a, b) in rows {
            let published = if which == 0 { a } else { b };
            let mut g = GraphBuilder::new("mlp");
            let mut x = g.input("x", &[sizes[0]]);
            for (i, w) in sizes.windows(2).enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let weight = Tensor::from_fn([w[1], w[0]], |j| {
                    ((j * 7919 + i * 31) % 2003) as f32 / 1001.0 - 1.0
                });
                x = g.linear(
                    format!("fc{i}"),
                    x,
                    weight,
                    Some(Tensor::zeros([w[1]]).into()),
                )?;
                x = g.relu(format!("relu{i}"), x)?;
            }
            g.output(x);
            let graph = g.finish()?;
            let start = Instant::now();
            let mut builder = ProgramBuilder::new(&config)?;
            builder.add(&graph, &ModelOptions::default())?;
            let program = builder.build()?;
            let m = &program.models[0];
            let ratio = f64::from(m.cycles_spaced) / f64::from(published);
            log += ratio.ln();
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let floor = m.weight_blocks as f64 / f64::from(config.num_cores);
            println!(
                "{} {sizes:?}: {} / {} published {published} ratio {ratio:.3} floor {floor:.1} overhead/layer {:.1} compile {:?}",
                config.name,
                m.cycles_spaced,
                m.cycles_contiguous,
                (f64::from(m.cycles_spaced) - floor) / f64::from(u32::try_from(sizes.len() - 1)?),
                start.elapsed()
            );
        }
        println!("geometric mean {:.3}", (log / 7.0_f64).exp());
    }
    Ok(())
}
