//! Block IR: a model as operations on blocks of `B` lanes, what lowering produces and the scheduler places in time.
//!
//! | thing      | is |
//! |------------|----|
//! | [`Block`]  | `B` bf16 lanes in a tensor bank, or two blocks of fp32 planes |
//! | [`BlockOp`] | one vector word: a source, a clamp, a special function, arithmetic with a second operand, a clamp, a destination |
//! | [`Term`]   | one matrix word: a weight block times a block, or a block of planes |
//! | [`Plane`]  | the upper or the lower halves of a block of planes |
//!
//! **Contract.** Operations stand in an order of computation; the blocks an operation reads are written by earlier operations, by the
//! input unit, or are state from the previous job. A block with several writers is written lane range by lane range.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_isa::lbfp::WeightBlock;
use sluice_isa::special::Function;
use sluice_isa::timing::Timing;
use sluice_isa::{Format, Op};

macro_rules! index {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub usize);
    };
}

index! {
    /// A block of the model.
    BlockId
}
index! {
    /// An operation of the model.
    OpId
}
index! {
    /// A weight block of the program, shared by models with equal weights.
    TileId
}
index! {
    /// A constant block of the model.
    ConstId
}
index! {
    /// A layer, for messages and listings.
    LayerId
}

/// A weight block and how it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tile {
    /// The block.
    pub block: WeightBlock,
    /// As FP8 codes, in half of a store address.
    pub fp8: bool,
}

impl Tile {
    /// Halves of a store address it takes.
    pub fn halves(&self) -> usize {
        if self.fp8 { 1 } else { 2 }
    }
}

/// Where a block comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The n-th beat of a job's input; of planes that of the upper halves.
    Input(usize),
    /// Written by operations of this job.
    Computed,
    /// Written by operations of the previous job; before the first one see [`BlockModel::state_init`].
    State,
}

/// Half of a block of planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plane {
    /// Upper 16 bits, at the block's address.
    Upper,
    /// Lower 16 bits, at the next one.
    Lower,
}

impl Plane {
    /// Both, in the order in which they are written and sent.
    pub const BOTH: [Self; 2] = [Self::Upper, Self::Lower];

    /// What it adds to the address of the block, and to the cycle in which it can be read.
    pub fn offset(self) -> usize {
        usize::from(self == Self::Lower)
    }
}

/// One block.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it comes from.
    pub origin: Origin,
    /// Layer that makes it.
    pub layer: LayerId,
    /// bf16 or fp32 planes.
    pub format: Format,
}

/// Clamp bounds, `None` for no clamp.
pub type Clamp = Option<(f32, f32)>;

/// One matrix word of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// Weight block times block.
    Product(TileId, BlockId),
    /// A partial sum as fp32 planes.
    Planes(BlockId),
}

impl Term {
    /// The block read.
    pub fn operand(self) -> BlockId {
        match self {
            Self::Product(_, b) | Self::Planes(b) => b,
        }
    }
}

/// First operand of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Sum of products, starting from a bias.
    Sum {
        /// Terms in canonical order; the scheduler may reorder them.
        terms: Vec<Term>,
        /// Start value.
        bias: Option<ConstId>,
    },
    /// A block of bf16, lanes rotated.
    Block(BlockId, usize),
    /// One plane of a block, lanes rotated, moved as it is into the same plane of the destination.
    Plane(BlockId, usize, Plane),
    /// A constant block.
    Const(ConstId),
}

/// Second operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A block.
    Block(BlockId),
    /// A constant block.
    Const(ConstId),
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockOp {
    /// Layer it belongs to.
    pub layer: LayerId,
    /// First operand.
    pub source: Source,
    /// Clamp of the first operand.
    pub pre: Clamp,
    /// Special function of the clamped first operand.
    pub special: Option<Function>,
    /// Arithmetic with a second operand.
    pub alu: Option<(Op, Operand)>,
    /// Clamp of the result of arithmetic or special function.
    pub post: Clamp,
    /// Lanes written.
    pub lanes: (usize, usize),
    /// Block written.
    pub dst: BlockId,
    /// Prepares the next job (a state update) rather than this job's output.
    pub tail: bool,
}

impl BlockOp {
    /// Cycles from stage p0 to the exchange register.
    pub fn to_output(&self) -> u32 {
        Timing::to_output(self.special.is_some(), self.alu.is_some())
    }

    /// What a special function adds to the cycle in which operand B is read.
    pub fn operand_b_delay(&self) -> u32 {
        Timing::operand_b_delay(self.special.is_some())
    }

    /// The block read as operand A, if it is one.
    pub fn operand_a(&self) -> Option<BlockId> {
        match self.source {
            Source::Block(b, _) | Source::Plane(b, ..) => Some(b),
            Source::Sum { .. } | Source::Const(_) => None,
        }
    }

    /// Blocks the operation reads, with repetition.
    pub fn reads(&self) -> Vec<BlockId> {
        let mut all = match &self.source {
            Source::Sum { terms, .. } => terms.iter().map(|t| t.operand()).collect(),
            Source::Block(b, _) | Source::Plane(b, ..) => vec![*b],
            Source::Const(_) => vec![],
        };
        if let Some((_, Operand::Block(b))) = self.alu {
            all.push(b);
        }
        all
    }
}

/// One block of an output tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputBeat {
    /// Block sent.
    pub block: BlockId,
    /// Plane sent; blocks of bf16 have the upper one only.
    pub plane: Plane,
    /// Lanes that carry values.
    pub lanes: usize,
    /// Ends its tensor.
    pub last: bool,
}

/// A layer's name and kind.
#[derive(Debug, Clone)]
pub struct Layer {
    /// As the user knows it.
    pub name: String,
    /// Operation.
    pub op: &'static str,
}

/// A model as block operations.
#[derive(Debug, Clone, Default)]
pub struct BlockModel {
    /// The user's name.
    pub name: String,
    /// Layers.
    pub layers: Vec<Layer>,
    /// Blocks.
    pub blocks: Vec<Block>,
    /// Operations in an order of computation.
    pub ops: Vec<BlockOp>,
    /// Constant blocks, fp32 bits.
    pub constants: Vec<Vec<u32>>,
    /// Weight blocks.
    pub tiles: Vec<Arc<Tile>>,
    /// Number of each weight block in the program: equal blocks of different models have equal keys.
    pub tile_keys: Vec<u32>,
    /// Input beats of a job.
    pub input_beats: usize,
    /// What state blocks hold before the first job; the others hold zero.
    pub state_init: BTreeMap<BlockId, ConstId>,
    /// Blocks that take the place of a state block: their writers wait until the old value has been read.
    pub replaces: BTreeMap<BlockId, BlockId>,
    /// Output beats in stream order.
    pub outputs: Vec<OutputBeat>,
}

impl BlockModel {
    /// Adds a block.
    pub fn add_block(&mut self, origin: Origin, layer: LayerId, format: Format) -> BlockId {
        self.blocks.push(Block {
            origin,
            layer,
            format,
        });
        BlockId(self.blocks.len() - 1)
    }

    /// The block is one of fp32 planes.
    pub fn is_planes(&self, block: BlockId) -> bool {
        self.blocks[block.0].format == Format::Planes
    }

    /// Addresses and beats of a block.
    pub fn size(&self, block: BlockId) -> usize {
        1 + usize::from(self.is_planes(block))
    }

    /// Adds a constant block, or finds an equal one.
    pub fn add_constant(&mut self, values: Vec<u32>) -> ConstId {
        if let Some(i) = self.constants.iter().position(|c| *c == values) {
            return ConstId(i);
        }
        self.constants.push(values);
        ConstId(self.constants.len() - 1)
    }
}
