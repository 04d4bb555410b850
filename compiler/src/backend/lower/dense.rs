//! Products with weight blocks: linear layers, sums and means, copies of one lane into all.
//!
//! **Contract.** A row of weight blocks is one sum; its bias is where the accumulator starts. Sums over lanes cost what a linear layer of
//! one row of blocks does, and their result is in every lane.
//! **Errors.** A sum of more than [`MAX_TERMS`] products is [`CompileError::Unsupported`].

use std::sync::Arc;

use sluice_isa::Format;
use sluice_isa::acc::MAX_TERMS;

use super::reduce::Reduction;
use super::{Lowered, Lowering, Pending, Template, Value};
use crate::backend::block::{ConstId, LayerId, Source, Term, TileId};
use crate::error::{CompileError, Result};
use crate::nnir::{NodeId, Tensor};

impl Lowering<'_> {
    pub(super) fn linear(
        &mut self,
        id: NodeId,
        weights: &[Arc<Tensor>],
        bias: Option<&Tensor>,
        fp8: bool,
    ) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, "linear");
        let operands: Vec<Value> = node
            .inputs
            .iter()
            .map(|&i| self.materialise_as(i, Format::Bf16))
            .collect::<Result<_>>()?;
        let out = *node.ty.shape.last().unwrap_or(&0);
        let count = operands.first().map_or(0, |v| v.vectors.len());
        let mut rows_tiles = Vec::new();
        for row in (0..out).step_by(self.b) {
            let mut tiles = Vec::new();
            for (i, w) in weights.iter().enumerate() {
                for (k, col) in (0..w.shape[1]).step_by(self.b).enumerate() {
                    let cut = if fp8 {
                        self.tiles.cut_fp8(self.b, w, row, col)?
                    } else {
                        self.tiles.cut(self.b, w, row, col)
                    };
                    tiles.extend(cut.into_iter().map(|tile| (tile, i, k)));
                }
            }
            if tiles.len() > MAX_TERMS {
                return Err(CompileError::Unsupported {
                    layer: node.name,
                    op: "linear".into(),
                    attribute: format!(
                        "a sum over {} weight blocks per row (limit {MAX_TERMS})",
                        tiles.len()
                    ),
                    nearest: format!(
                        "split the layer into several of at most {} inputs and add their results",
                        MAX_TERMS * self.b
                    ),
                });
            }
            let bias = bias.map(|t| {
                let values = (0..self.b)
                    .map(|lane| t.data.get(row + lane).map_or(0, |x| x.to_bits()))
                    .collect();
                self.model.add_constant(values)
            });
            rows_tiles.push((tiles, bias));
        }
        let mut all = Vec::with_capacity(count);
        for v in 0..count {
            let mut templates = Vec::new();
            for (tiles, bias) in &rows_tiles {
                let terms: Vec<Term> = tiles
                    .iter()
                    .map(|&(tile, i, k)| Term::Product(tile, operands[i].vectors[v][k]))
                    .collect();
                templates.push(self.sum(layer, terms, *bias));
            }
            all.push(templates);
        }
        Ok(Lowered::Pending(Pending {
            templates: all,
            splat: false,
        }))
    }

    /// A sum, or what it starts from if it has no terms.
    fn sum(&mut self, layer: LayerId, terms: Vec<Term>, bias: Option<ConstId>) -> Template {
        let source = if terms.is_empty() {
            let zero = vec![0; self.b];
            Source::Const(bias.unwrap_or_else(|| self.model.add_constant(zero)))
        } else {
            Source::Sum { terms, bias }
        };
        Template::new(layer, source)
    }

    /// A tensor with a data dimension of extent 1, its value in every lane: lane 0 times a column of ones, planes by moves.
    pub(super) fn splat(&mut self, id: NodeId, value: &Value) -> Value {
        let layer = self.layer(&self.graph.node(id).name.clone(), "splat");
        if value.vectors.iter().any(|v| self.model.is_planes(v[0])) {
            let splat = |v: &Vec<_>| vec![self.splat_planes(layer, v[0])];
            return Value {
                vectors: value.vectors.iter().map(splat).collect(),
                splat: true,
            };
        }
        let tiles = self.scaled(1, 1.0, true);
        let mut vectors = Vec::new();
        for v in &value.vectors {
            let terms = tiles.iter().map(|&t| Term::Product(t, v[0])).collect();
            let t = self.sum(layer, terms, None);
            vectors.push(vec![self.emit(t, (0, self.b), None)]);
        }
        Value {
            vectors,
            splat: true,
        }
    }

    /// Weight blocks that sum the first `lanes` lanes into every row, or leave each in its own, times `by`.
    fn scaled(&mut self, lanes: usize, by: f32, into_every_row: bool) -> Vec<TileId> {
        let rows = if into_every_row { self.b } else { lanes };
        let on = |i: usize| into_every_row || i / lanes == i % lanes;
        let w = Tensor::from_fn([rows, lanes], |i| if on(i) { by } else { 0.0 });
        self.tiles.cut(self.b, &w, 0, 0)
    }

    /// Sum or mean: a product with ones, over lanes and blocks at once; it leaves the value in every lane.
    pub(super) fn sum_of(
        &mut self,
        layer: LayerId,
        over: &Reduction<'_>,
        by: f32,
    ) -> Result<Pending> {
        let extent = over.from.extent();
        let over_data = over.axes.contains(&over.from.d);
        let blocks = extent.div_ceil(self.b);
        let lanes = |l: &Self, j: usize| l.b.min(extent - j * l.b);
        let splat = over_data || over.value.splat;
        let mut all = Vec::new();
        for members in over.groups() {
            let mut templates = Vec::new();
            for out in 0..if over_data { 1 } else { blocks } {
                let mut terms = Vec::new();
                for &v in &members {
                    for j in if over_data { 0..blocks } else { out..out + 1 } {
                        let tiles = self.scaled(lanes(self, j), by, splat);
                        let block = over.value.vectors[v][j];
                        terms.extend(tiles.iter().map(|&t| Term::Product(t, block)));
                    }
                }
                if terms.len() > MAX_TERMS {
                    return Err(CompileError::Unsupported {
                        layer: self.model.layers[layer.0].name.clone(),
                        op: "reduction".into(),
                        attribute: format!("a sum over {} blocks (limit {MAX_TERMS})", terms.len()),
                        nearest: "reduce the axes one after the other".into(),
                    });
                }
                templates.push(self.sum(layer, terms, None));
            }
            all.push(templates);
        }
        Ok(Pending {
            templates: all,
            splat,
        })
    }
}
