//! Placement: which core does which operation, and which sums are split over several cores.
//!
//! **Contract.** Rows of a layer go to the cores with the fewest weight blocks, evenly. Rows left over when the layer's rows do not divide by the
//! cores may be split over K: helper cores sum the first terms and send them as fp32 planes, the owner adds them last. All writers of
//! a block are on one core, because a core writes only its own bank.
//! **Errors.** Weight blocks that fit nowhere: [`CompileError::Allocation`] with need and capacity.

use std::collections::{BTreeMap, HashMap, HashSet};

use sluice_isa::{Format, HardwareConfig};

use super::block::{BlockModel, BlockOp, LayerId, Origin, Source, Term};
use crate::error::{CompileError, Result};

/// A model whose operations have cores.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The operations, with those that partial sums need.
    pub model: BlockModel,
    /// Core of each operation.
    pub core: Vec<usize>,
}

/// Weight blocks each core already holds, by key, and the halves of store addresses they take. FP8 blocks pair up whatever model they
/// belong to, so halves add up to addresses without gaps.
#[derive(Debug, Clone, Default)]
pub struct WeightUse {
    /// Per core.
    pub held: Vec<HashSet<u32>>,
    /// Per core.
    pub halves: Vec<usize>,
}

impl WeightUse {
    /// Nothing on any core.
    pub fn new(config: &HardwareConfig) -> Self {
        Self {
            held: vec![HashSet::new(); config.num_cores as usize],
            halves: vec![0; config.num_cores as usize],
        }
    }
}

/// How the left-over rows of a layer are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Every core gets the same number of terms.
    Even,
    /// Helpers get 1, 2, 3, ... terms: the cores finish one after the other, as the output port takes their rows.
    Stairs,
}

/// Layers (by [`LayerId`]) whose left-over rows could be split.
pub fn splittable(model: &BlockModel, cores: usize) -> Vec<LayerId> {
    let mut groups: BTreeMap<LayerId, (usize, usize)> = BTreeMap::new();
    for op in &model.ops {
        if let Source::Sum { terms, .. } = &op.source {
            let g = groups.entry(op.layer).or_default();
            g.0 += 1;
            g.1 = g.1.max(terms.len());
        }
    }
    groups
        .into_iter()
        .filter(|(_, (rows, terms))| rows % cores != 0 && *terms >= 6)
        .map(|(layer, _)| layer)
        .collect()
}

struct Placing<'a> {
    config: &'a HardwareConfig,
    cores: &'a [usize],
    model: &'a BlockModel,
    before: &'a WeightUse,
    used: WeightUse,
    vector_load: Vec<usize>,
    out: BlockModel,
    core: Vec<usize>,
}

/// Places a model on `cores`; `split` names the layers whose left-over rows are split, and how. `used` is updated.
pub fn place(
    model: &BlockModel,
    config: &HardwareConfig,
    cores: &[usize],
    split: &BTreeMap<LayerId, Split>,
    used: &WeightUse,
) -> Result<(Placed, WeightUse)> {
    let mut p = Placing {
        config,
        cores,
        model,
        before: used,
        used: used.clone(),
        vector_load: vec![0; config.num_cores as usize],
        out: BlockModel {
            ops: vec![],
            ..model.clone()
        },
        core: vec![],
    };
    let mut writer_core: HashMap<usize, usize> = HashMap::new();
    let mut i = 0;
    while i < model.ops.len() {
        let op = &model.ops[i];
        if matches!(op.source, Source::Sum { .. }) {
            let mut end = i;
            while end < model.ops.len()
                && model.ops[end].layer == op.layer
                && matches!(model.ops[end].source, Source::Sum { .. })
            {
                end += 1;
            }
            p.layer(&model.ops[i..end], split.get(&op.layer).copied())?;
            i = end;
        } else {
            let core = *writer_core.entry(op.dst.0).or_insert_with(|| {
                *p.cores
                    .iter()
                    .min_by_key(|&&c| p.vector_load[c])
                    .unwrap_or(&0)
            });
            p.vector_load[core] += 1;
            p.out.ops.push(op.clone());
            p.core.push(core);
            i += 1;
        }
    }
    Ok((
        Placed {
            model: p.out,
            core: p.core,
        },
        p.used,
    ))
}

impl Placing<'_> {
    /// Halves of store addresses that terms need on a core beyond what it holds.
    fn new_halves(&self, core: usize, terms: &[Term]) -> usize {
        let new: HashSet<usize> = terms
            .iter()
            .filter_map(|t| match t {
                Term::Product(tile, _)
                    if !self.used.held[core].contains(&self.model.tile_keys[tile.0]) =>
                {
                    Some(tile.0)
                }
                _ => None,
            })
            .collect();
        new.iter().map(|&t| self.model.tiles[t].halves()).sum()
    }

    /// Free halves of a core.
    fn room(&self, core: usize) -> usize {
        2 * self.config.weight_store_depth as usize - self.used.halves[core]
    }

    /// How many terms of a sum a core has room for; a sum's blocks are of one kind.
    fn room_for(&self, core: usize, terms: &[Term]) -> usize {
        let halves = |t: &Term| match t {
            Term::Product(tile, _) => self.model.tiles[tile.0].halves(),
            Term::Planes(_) => 1,
        };
        self.room(core) / terms.iter().map(halves).max().unwrap_or(1)
    }

    fn hold(&mut self, core: usize, terms: &[Term]) {
        for t in terms {
            if let Term::Product(tile, _) = t
                && self.used.held[core].insert(self.model.tile_keys[tile.0])
            {
                self.used.halves[core] += self.model.tiles[tile.0].halves();
            }
        }
    }

    fn does_not_fit(&self, ops: &[BlockOp]) -> CompileError {
        let capacity = self.cores.len() * self.config.weight_store_depth as usize;
        let layer = ops.first().map_or(LayerId(0), |o| o.layer);
        let before: usize = self.cores.iter().map(|&c| self.before.halves[c]).sum();
        let known = |key: &u32| {
            self.cores
                .iter()
                .any(|&c| self.before.held[c].contains(key))
        };
        let new: BTreeMap<u32, usize> = self
            .model
            .tile_keys
            .iter()
            .zip(&self.model.tiles)
            .filter(|(k, _)| !known(k))
            .map(|(k, tile)| (*k, tile.halves()))
            .collect();
        let need = (before + new.values().sum::<usize>()).div_ceil(2);
        let fp8 = if self.model.tiles.iter().any(|t| t.fp8) {
            " (two FP8 blocks count as one)"
        } else {
            ""
        };
        let hint = if self.config.fp8_weights && self.model.tiles.iter().any(|t| !t.fp8) {
            ", or FP8 weights, which take half the space"
        } else {
            ""
        };
        CompileError::Allocation {
            memory: "weight store".into(),
            layer: self.model.layers[layer.0].name.clone(),
            model: self.model.name.clone(),
            need,
            capacity,
            unit: "weight blocks",
            hint: format!(
                "{} too many for {} cores x {} blocks{fp8}; use a configuration with deeper weight stores or more cores, or fewer or smaller models{hint}",
                need.saturating_sub(capacity).max(1),
                self.cores.len(),
                self.config.weight_store_depth
            ),
        }
    }

    fn put(&mut self, op: BlockOp, core: usize) {
        if let Source::Sum { terms, .. } = &op.source {
            let terms = terms.clone();
            self.hold(core, &terms);
        }
        self.out.ops.push(op);
        self.core.push(core);
    }

    /// All sums of one layer.
    fn layer(&mut self, ops: &[BlockOp], split: Option<Split>) -> Result<()> {
        let c = self.cores.len();
        let whole = ops.len() / c * c;
        let mut rows = vec![0usize; self.config.num_cores as usize];
        let keep = if split.is_some() { whole } else { ops.len() };
        for op in &ops[..keep] {
            let Source::Sum { terms, .. } = &op.source else {
                continue;
            };
            let best = self
                .cores
                .iter()
                .copied()
                .filter(|&core| self.new_halves(core, terms) <= self.room(core))
                .min_by_key(|&core| {
                    (
                        rows[core],
                        self.used.halves[core] + self.new_halves(core, terms),
                        core,
                    )
                });
            match best {
                Some(core) => {
                    rows[core] += 1;
                    self.put(op.clone(), core);
                }
                None => self.spread(op, ops)?,
            }
        }
        if let Some(how) = split.filter(|_| whole < ops.len()) {
            self.split_rows(&ops[whole..], how)?;
        }
        Ok(())
    }

    /// A partial sum on its way to another core: the operation, and the term by which its owner adds it.
    fn piece(&mut self, op: &BlockOp, terms: &[Term]) -> (BlockOp, Term) {
        let planes = self
            .out
            .add_block(Origin::Computed, op.layer, Format::Planes);
        let piece = BlockOp {
            source: Source::Sum {
                terms: terms.to_vec(),
                bias: None,
            },
            pre: None,
            special: None,
            alu: None,
            post: None,
            dst: planes,
            tail: false,
            ..op.clone()
        };
        (piece, Term::Planes(planes))
    }

    /// A row that fits on no core as a whole goes wherever there is room, the largest part to its owner.
    fn spread(&mut self, op: &BlockOp, layer: &[BlockOp]) -> Result<()> {
        let Source::Sum { terms, bias } = &op.source else {
            return Ok(());
        };
        let mut by_room = self.cores.to_vec();
        by_room.sort_by_key(|&core| (std::cmp::Reverse(self.room(core)), core));
        let owner = by_room[0];
        let keep = self.room_for(owner, terms).min(terms.len());
        let mut rest = &terms[..terms.len() - keep];
        let mut own = terms[rest.len()..].to_vec();
        if own.is_empty() {
            return Err(self.does_not_fit(layer));
        }
        for &core in &by_room[1..] {
            let (given, left) = rest.split_at(self.room_for(core, rest).min(rest.len()));
            if !given.is_empty() {
                let (piece, term) = self.piece(op, given);
                self.put(piece, core);
                own.push(term);
            }
            rest = left;
        }
        if !rest.is_empty() {
            return Err(self.does_not_fit(layer));
        }
        self.put(
            BlockOp {
                source: Source::Sum {
                    terms: own,
                    bias: *bias,
                },
                ..op.clone()
            },
            owner,
        );
        Ok(())
    }

    /// Per row, the helpers and how many of its terms each one sums: the same number of cycles for every core.
    fn even_shares(
        &self,
        ops: &[BlockOp],
        owners: &[usize],
        helpers: &[usize],
    ) -> Vec<Vec<(usize, usize)>> {
        let total: usize = ops.iter().map(BlockOp::num_terms).sum();
        // An owner also spends a cycle on each piece it receives.
        let target = (total + ops.len()).div_ceil(self.cores.len());
        let terms = ops.first().map_or(&[][..], BlockOp::terms);
        let mut room: Vec<usize> = helpers
            .iter()
            .map(|&h| target.min(self.room_for(h, terms)))
            .collect();
        let share = |(op, &owner): (&BlockOp, &usize)| {
            let room_of_owner = self.room_for(owner, op.terms());
            let keep = target.saturating_sub(1).min(room_of_owner).max(1);
            let mut rest = op.num_terms().saturating_sub(keep);
            let mut shares = Vec::new();
            while rest > 0 {
                let with_room = (0..helpers.len()).filter(|&h| room[h] > 0);
                let Some(best) = with_room.max_by_key(|&h| (room[h], std::cmp::Reverse(h))) else {
                    break;
                };
                let count = room[best].min(rest);
                room[best] -= count;
                rest -= count;
                shares.push((helpers[best], count));
            }
            shares
        };
        ops.iter().zip(owners).map(share).collect()
    }

    /// The same with one term more from helper to helper and from the last helper to the owners, so that the cores finish one after the
    /// other.
    fn stair_shares(&self, ops: &[BlockOp], helpers: &[usize]) -> Vec<Vec<(usize, usize)>> {
        let mut left: Vec<usize> = ops.iter().map(BlockOp::num_terms).collect();
        let mut shares = vec![vec![]; ops.len()];
        // Terms and additions of pieces, without the steps.
        let (h, total) = (helpers.len(), left.iter().sum::<usize>());
        let steps = h * (h + 1) / 2 + ops.len() * (h + 1);
        let base = (total + h).saturating_sub(steps) / self.cores.len();
        for (i, &helper) in helpers.iter().enumerate().rev() {
            let most = (0..ops.len()).max_by_key(|&row| (left[row], std::cmp::Reverse(row)));
            let Some(row) = most else { break };
            let count = (base + i + 1)
                .min(self.room_for(helper, ops[row].terms()))
                .min(left[row].saturating_sub(1));
            if count > 0 {
                left[row] -= count;
                shares[row].push((helper, count));
            }
        }
        shares
    }

    /// Fewer rows than cores: owners keep the last terms, helpers sum the first ones.
    fn split_rows(&mut self, ops: &[BlockOp], how: Split) -> Result<()> {
        let c = self.cores.len();
        let mut by_load = self.cores.to_vec();
        by_load.sort_by_key(|&core| (self.used.halves[core], core));
        let (owners, helpers) = by_load.split_at(ops.len().min(c));
        let shares = match how {
            Split::Even => self.even_shares(ops, owners, helpers),
            Split::Stairs => self.stair_shares(ops, helpers),
        };
        let mut pieces = Vec::new();
        let mut kept = Vec::new();
        for ((op, &owner), shares) in ops.iter().zip(owners).zip(shares) {
            let Source::Sum { terms, bias } = &op.source else {
                continue;
            };
            let given: usize = shares.iter().map(|s| s.1).sum();
            let (mut rest, own) = terms.split_at(given);
            let mut own = own.to_vec();
            for (helper, count) in shares {
                let (part, left) = rest.split_at(count);
                let (piece, term) = self.piece(op, part);
                pieces.push((helper, piece));
                own.push(term);
                rest = left;
            }
            kept.push((
                owner,
                BlockOp {
                    source: Source::Sum {
                        terms: own,
                        bias: *bias,
                    },
                    ..op.clone()
                },
            ));
        }
        for (core, op) in pieces.into_iter().chain(kept) {
            if let Source::Sum { terms, .. } = &op.source
                && self.new_halves(core, terms) > self.room(core)
            {
                return Err(self.does_not_fit(ops));
            }
            self.put(op, core);
        }
        Ok(())
    }
}

impl BlockOp {
    /// Terms of a sum, none for other sources.
    fn terms(&self) -> &[Term] {
        match &self.source {
            Source::Sum { terms, .. } => terms,
            _ => &[],
        }
    }

    /// Number of terms of a sum, 0 for other sources.
    fn num_terms(&self) -> usize {
        self.terms().len()
    }
}
