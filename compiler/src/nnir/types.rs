//! Names and types of graph nodes.
//!
//! | value      | type          | unit                                             |
//! |------------|---------------|--------------------------------------------------|
//! | `shape`    | `Vec<usize>`  | values per axis, outermost first                 |
//! | `data_dim` | axis of shape | the contiguous axis, packed into blocks; constants have none |

use std::fmt;

use petgraph::stable_graph::NodeIndex;

/// A node of a graph; stable while other nodes come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) NodeIndex);

impl NodeId {
    /// The node's number, as printed.
    pub fn index(self) -> usize {
        self.0.index()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0.index())
    }
}

/// Number format of an activation between layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// 16 bits, 8 significant.
    #[default]
    Bf16,
    /// IEEE single precision.
    Fp32,
}

impl Precision {
    /// The word used in text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bf16 => "bf16",
            Self::Fp32 => "fp32",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a node produces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TensorType {
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// The block-packed axis; `None` for what is known at compile time.
    pub data_dim: Option<usize>,
    /// Number format of the activation.
    pub precision: Precision,
}

impl TensorType {
    /// Number of values.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.precision, self.shape)?;
        match self.data_dim {
            Some(axis) => write!(f, " data_dim={axis}"),
            None => Ok(()),
        }
    }
}
