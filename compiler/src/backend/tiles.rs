//! Weight matrices to weight blocks: cutting, quantising, sharing.
//!
//! **Contract.** Blocks whose weights are all zero do not exist. A row of a block whose quantisation error exceeds what rounding the
//! weights to bf16 would cost gets a second, residual block holding what the first one left (numerics 3.5); equal blocks exist once.
//! FP8 weights make one block, which is exact.
//! **Errors.** An internal error for FP8 weights that are none; `Graph::verify` has seen to that and to finite weights.

use std::collections::HashMap;
use std::sync::Arc;

use sluice_isa::fp8;
use sluice_isa::lbfp::{LANE_OFF, WeightBlock, quantize};

use super::block::{Tile, TileId};
use crate::error::{CompileError, Result};
use crate::nnir::Tensor;

/// All distinct weight blocks of a model.
#[derive(Default)]
pub struct TileStore {
    tiles: Vec<Arc<Tile>>,
    index: HashMap<Arc<Tile>, TileId>,
}

impl TileStore {
    /// The block's number.
    fn intern(&mut self, block: WeightBlock, fp8: bool) -> TileId {
        let tile = Arc::new(Tile { block, fp8 });
        if let Some(&id) = self.index.get(&tile) {
            return id;
        }
        let id = TileId(self.tiles.len());
        self.tiles.push(Arc::clone(&tile));
        self.index.insert(tile, id);
        id
    }

    /// The blocks in order of first use.
    pub fn into_tiles(self) -> Vec<Arc<Tile>> {
        self.tiles
    }

    /// Blocks of rows `row0..` and columns `col0..` of a `[out, in]` matrix: none, one, or one and its residual.
    pub fn cut(&mut self, b: usize, w: &Tensor, row0: usize, col0: usize) -> Vec<TileId> {
        let (piece, rows, cols) = cut(b, w, row0, col0);
        if is_zero(&piece) {
            return vec![];
        }
        let block = quantize(b, rows, cols, &piece);
        let residual = residual(&block, rows, cols, &piece);
        let mut ids = vec![self.intern(block, false)];
        if let Some(rest) = residual {
            ids.push(self.intern(quantize(b, rows, cols, &rest), false));
        }
        ids
    }

    /// The block there of a matrix of FP8 values, if it is not zero.
    pub fn cut_fp8(
        &mut self,
        b: usize,
        w: &Tensor,
        row0: usize,
        col0: usize,
    ) -> Result<Vec<TileId>> {
        let (piece, rows, cols) = cut(b, w, row0, col0);
        if is_zero(&piece) {
            return Ok(vec![]);
        }
        let Some(block) = fp8::block(b, rows, cols, &piece) else {
            return Err(CompileError::Internal(format!(
                "the block at row {row0}, column {col0} of a [{}, {}] matrix is not FP8",
                w.shape[0], w.shape[1]
            )));
        };
        Ok(vec![self.intern(block, true)])
    }
}

/// Rows `row0..` and columns `col0..` of a `[out, in]` matrix, at most `b` each, and how many there are.
fn cut(b: usize, w: &Tensor, row0: usize, col0: usize) -> (Vec<f32>, usize, usize) {
    let (out, inp) = (w.shape[0], w.shape[1]);
    let (rows, cols) = (b.min(out - row0), b.min(inp - col0));
    let mut piece = Vec::with_capacity(rows * cols);
    for n in 0..rows {
        let start = (row0 + n) * inp + col0;
        piece.extend_from_slice(&w.data[start..start + cols]);
    }
    (piece, rows, cols)
}

fn is_zero(piece: &[f32]) -> bool {
    piece.iter().all(|&x| x.abs() < f32::MIN_POSITIVE)
}

/// What quantisation left of the rows where it left more than bf16 rounding would; `None` if there is no such row.
fn residual(block: &WeightBlock, rows: usize, cols: usize, w: &[f32]) -> Option<Vec<f32>> {
    let mut rest = vec![0.0f32; rows * cols];
    let mut needed = false;
    for n in 0..rows {
        let row = &w[n * cols..(n + 1) * cols];
        let (mut error, mut nominal) = (0.0, 0.0);
        for (k, &x) in row.iter().enumerate() {
            if block.l[k] == LANE_OFF {
                continue;
            }
            let scale = 2f64.powi(-i32::from(block.l[k]));
            let x = f64::from(x);
            error += ((x - block.weight(n, k)) * scale).powi(2);
            nominal += (x * scale / 512.0).powi(2) / 3.0; // uniform rounding error of an 8-bit significand
        }
        if error > nominal {
            needed = true;
            for (k, &x) in row.iter().enumerate() {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the difference of an fp32 and its rounding is an fp32"
                )]
                let left = (f64::from(x) - block.weight(n, k)) as f32;
                rest[n * cols + k] = left;
            }
        }
    }
    (needed && rest.iter().any(|&x| x.abs() >= f32::MIN_POSITIVE)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_blocks_do_not_exist_and_equal_blocks_exist_once() {
        let mut store = TileStore::default();
        let w = Tensor::from_fn([8, 8], |i| if i / 8 == i % 8 { 1.0 } else { 0.0 });
        assert!(store.cut(4, &w, 0, 4).is_empty());
        assert_eq!(store.cut(4, &w, 0, 0), store.cut(4, &w, 4, 4));
        assert_eq!(store.into_tiles().len(), 1);
    }

    #[test]
    fn gaussian_like_weights_need_no_residual_and_isolated_outliers_do() {
        let mut store = TileStore::default();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let smooth = Tensor::from_fn([4, 4], |i| (i * 7 % 16) as f32 - 7.5);
        assert_eq!(store.cut(4, &smooth, 0, 0).len(), 1);
        // Column scales that the rows disagree on by far more than 17 bits.
        let outlier = Tensor::new(
            [4, 4],
            vec![
                1e7, 1.1e-3, 1.3e-3, 1.7e-3, 1.1e-3, 1.3e7, 1.7e-3, 1.9e-3, 1.3, 1.7, 1.1, 1.9,
                1.9, 1.1, 1.3, 1.7,
            ],
        )
        .unwrap();
        let ids = store.cut(4, &outlier, 0, 0);
        let tiles = store.into_tiles();
        for n in 0..4 {
            for k in 0..4 {
                let sum: f64 = ids.iter().map(|id| tiles[id.0].block.weight(n, k)).sum();
                let want = f64::from(outlier.data[n * 4 + k]);
                assert!(
                    (sum - want).abs() <= 2f64.powi(-8) * want.abs().max(1.0),
                    "{n} {k} {sum} {want}"
                );
            }
        }
    }
}
