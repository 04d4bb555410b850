//! The smallest network that still fails.
//!
//! **Contract.** `fails` is asked about networks that build; the result fails, and no single step (dropping an output or a layer, shortening
//! an axis, simplifying a layer) gives a smaller network that does. Deterministic.

use crate::net::{LayerOp, Net};

/// Shrinks a failing network as far as `fails` stays true.
pub fn minimise(net: &Net, mut fails: impl FnMut(&Net) -> bool) -> Net {
    let mut best = net.clone();
    loop {
        let smaller = steps(&best)
            .into_iter()
            .filter(|n| weight(n) < weight(&best))
            .find(|n| n.graph().is_ok() && fails(n));
        match smaller {
            Some(n) => best = n,
            None => return best,
        }
    }
}

/// What is to become small: layers first, then values.
fn weight(net: &Net) -> (usize, usize) {
    let op = |op: &LayerOp| match op {
        LayerOp::Linear { out, bias } => 2 * out + usize::from(*bias),
        LayerOp::Conv {
            out,
            taps,
            dilation,
            bias,
            ..
        } => 2 * out * taps + dilation + usize::from(*bias),
        LayerOp::Slice { start, end } => start + end,
        LayerOp::Delay { steps } => *steps,
        LayerOp::Clamp { min, max } => usize::from(min.is_some()) + usize::from(max.is_some()),
        _ => 1,
    };
    (
        2 * net.layers.len() + net.inputs.len() + net.outputs.len(),
        net.layers
            .iter()
            .map(|l| op(&l.op) + l.of.len())
            .sum::<usize>()
            + net
                .inputs
                .iter()
                .map(|i| i.shape.iter().product::<usize>() + i.shape.len())
                .sum::<usize>(),
    )
}

fn steps(net: &Net) -> Vec<Net> {
    let mut all = Vec::new();
    let mut propose = |change: &dyn Fn(&mut Net)| {
        let mut n = net.clone();
        change(&mut n);
        n.prune();
        if !n.outputs.is_empty() && !n.inputs.is_empty() {
            all.push(n);
        }
    };
    for i in 0..net.outputs.len() {
        propose(&|n| {
            n.outputs.remove(i);
        });
    }
    // An earlier value in place of an output, a layer's operand in place of the layer, an input in place of a state.
    for l in (0..net.layers.len()).rev() {
        let name = &net.layers[l].name;
        propose(&|n| n.outputs = vec![name.clone()]);
        let mut stand_ins = net.layers[l].of.clone();
        if matches!(net.layers[l].op, LayerOp::State { .. }) {
            stand_ins.extend(net.inputs.iter().map(|i| i.name.clone()));
        }
        for operand in &stand_ins {
            propose(&|n| {
                let rename = |s: &mut String| {
                    if s == name {
                        s.clone_from(operand);
                    }
                };
                n.layers.remove(l);
                n.layers.iter_mut().flat_map(|l| &mut l.of).for_each(rename);
                n.outputs.iter_mut().for_each(rename);
            });
        }
        for o in 0..net.layers[l].of.len() {
            if net.layers[l].of.len() > 1 {
                propose(&|n| {
                    n.layers[l].of.remove(o);
                });
            }
        }
        for op in simpler(&net.layers[l].op) {
            propose(&|n| n.layers[l].op = op.clone());
        }
    }
    for i in 0..net.inputs.len() {
        for (axis, &extent) in net.inputs[i].shape.iter().enumerate() {
            for smaller in shorter(extent) {
                propose(&|n| n.inputs[i].shape[axis] = smaller);
                // All inputs of that extent together: operands of arithmetic must stay equal.
                propose(&|n| {
                    n.inputs
                        .iter_mut()
                        .flat_map(|i| &mut i.shape)
                        .filter(|e| **e == extent)
                        .for_each(|e| *e = smaller);
                    for l in &mut n.layers {
                        if let LayerOp::Linear { out, .. } | LayerOp::Conv { out, .. } = &mut l.op
                            && *out == extent
                        {
                            *out = smaller;
                        }
                        if let LayerOp::State { shape, .. } = &mut l.op {
                            let same = shape.iter_mut().filter(|e| **e == extent);
                            same.for_each(|e| *e = smaller);
                        }
                    }
                });
            }
        }
        if net.inputs[i].shape.len() > 1 {
            propose(&|n| {
                n.inputs[i].shape.remove(0);
            });
        }
    }
    all
}

fn shorter(n: usize) -> Vec<usize> {
    let mut all: Vec<usize> = [n / 2, n.saturating_sub(n / 4), n.saturating_sub(1)]
        .into_iter()
        .filter(|&m| m >= 1 && m < n)
        .collect();
    all.dedup();
    all
}

fn simpler(op: &LayerOp) -> Vec<LayerOp> {
    match op.clone() {
        LayerOp::Linear { out, bias } => shorter(out)
            .into_iter()
            .map(|out| LayerOp::Linear { out, bias })
            .chain(bias.then_some(LayerOp::Linear { out, bias: false }))
            .collect(),
        LayerOp::Conv {
            out,
            taps,
            dilation,
            depthwise,
            bias,
        } => shorter(out)
            .into_iter()
            .map(|out| LayerOp::Conv {
                out,
                taps,
                dilation,
                depthwise,
                bias,
            })
            .chain(shorter(taps).into_iter().map(|taps| LayerOp::Conv {
                out,
                taps,
                dilation,
                depthwise,
                bias,
            }))
            .chain(shorter(dilation).into_iter().map(|dilation| LayerOp::Conv {
                out,
                taps,
                dilation,
                depthwise,
                bias,
            }))
            .chain(bias.then_some(LayerOp::Conv {
                out,
                taps,
                dilation,
                depthwise,
                bias: false,
            }))
            .collect(),
        LayerOp::Slice { start, end } => [
            // By whole blocks of the smallest size: what depends on the place in a block stays.
            (start % 4, start % 4 + end - start),
            (start / 2, end),
            (start.saturating_sub(1), end),
            (start, end - 1),
            (start, usize::midpoint(start, end)),
            (start.saturating_sub(1), end - 1),
        ]
        .into_iter()
        .filter(|&(s, e)| s < e && (s, e) != (start, end))
        .map(|(start, end)| LayerOp::Slice { start, end })
        .collect(),
        LayerOp::Delay { steps } => shorter(steps)
            .into_iter()
            .map(|steps| LayerOp::Delay { steps })
            .collect(),
        LayerOp::Clamp { min, max } if min.is_some() && max.is_some() => vec![
            LayerOp::Clamp { min, max: None },
            LayerOp::Clamp { min: None, max },
        ],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Limits, network};

    #[test]
    fn shrinks_to_the_one_layer_that_matters() {
        let limits = Limits {
            layers: 10,
            width: 24,
            block: 4,
        };
        let guilty = |n: &Net| {
            n.layers
                .iter()
                .any(|l| matches!(l.op, LayerOp::Slice { start, .. } if start % 4 != 0))
        };
        let nets: Vec<Net> = (0..1000)
            .map(|s| network(s, limits))
            .filter(|n| guilty(n))
            .collect();
        assert!(nets.len() > 5);
        for net in nets {
            let small = minimise(&net, guilty);
            assert!(guilty(&small) && small.graph().is_ok());
            assert_eq!(
                (small.layers.len(), small.inputs.len(), small.outputs.len()),
                (1, 1, 1),
                "{small:?}"
            );
        }
    }
}
