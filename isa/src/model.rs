//! What a program says of one of its models.

use serde::{Deserialize, Serialize};

use crate::words::ModelRecord;

/// One input or output tensor of a model, as it stands on a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorInfo {
    /// The user's name.
    pub name: String,
    /// Shape of one inference (a streamed axis is removed).
    pub shape: Vec<usize>,
    /// Axis whose values are packed into blocks; every other index starts a new block.
    pub data_dim: usize,
    /// Where the streamed axis stood, if there was one.
    pub streaming_dim: Option<usize>,
}

impl TensorInfo {
    /// Values of the tensor.
    pub fn num_elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of vectors along the data dimension.
    pub fn num_vectors(&self) -> usize {
        self.num_elements() / self.shape[self.data_dim].max(1)
    }

    /// Stream beats: each vector is padded to whole blocks.
    pub fn beats(&self, block_size: usize) -> usize {
        self.num_vectors() * self.shape[self.data_dim].div_ceil(block_size)
    }

    /// For each beat and lane the row-major element index, `None` for padding.
    pub fn layout(&self, block_size: usize) -> Vec<Vec<Option<usize>>> {
        let n = self.shape[self.data_dim];
        let inner: usize = self.shape[self.data_dim + 1..].iter().product();
        let mut beats = Vec::new();
        for v in 0..self.num_vectors() {
            let (outer_index, inner_index) = (v / inner, v % inner);
            for start in (0..n).step_by(block_size) {
                beats.push(
                    (start..start + block_size)
                        .map(|i| (i < n).then(|| (outer_index * n + i) * inner + inner_index))
                        .collect(),
                );
            }
        }
        beats
    }
}

/// A resident model: where it stands in the stores, its interface, and its latency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// The user's name.
    pub name: String,
    /// First tick of the job in the stores.
    pub entry_pc: u32,
    /// Ticks of the job.
    pub ticks: u32,
    /// First tick of the initialisation, if the model has state.
    pub init_pc: Option<u32>,
    /// Compiled to have its state reset at run time.
    #[serde(default)]
    pub resettable: bool,
    /// Inputs in stream order.
    pub inputs: Vec<TensorInfo>,
    /// Outputs in stream order.
    pub outputs: Vec<TensorInfo>,
    /// Input beats of a job.
    pub n_in: u32,
    /// Output beats of a job.
    pub n_out: u32,
    /// Cycles from the first accepted input beat to the last output beat, both inclusive, of an isolated job.
    pub cycles_spaced: u32,
    /// Steady-state distance of the last output beats of back-to-back jobs.
    pub cycles_contiguous: u32,
    /// Parameters of the network.
    pub parameters: u64,
    /// Weight blocks the model needs, all cores together.
    pub weight_blocks: u64,
}

impl ModelInfo {
    /// The dispatcher's record.
    pub fn record(&self) -> ModelRecord {
        ModelRecord {
            entry_pc: self.entry_pc,
            init_pc: self.init_pc.unwrap_or(0),
            has_init: self.init_pc.is_some(),
            n_in: self.n_in,
            n_out: self.n_out,
            resettable: self.resettable,
        }
    }
}

/// This bit of a model-select beat: no job; the model named by the other bits starts its next job from its initial state.
pub const SELECT_RESET: u16 = 0x8000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_pads_each_vector() {
        let t = TensorInfo {
            name: "x".into(),
            shape: vec![2, 5],
            data_dim: 1,
            streaming_dim: None,
        };
        assert_eq!(t.beats(4), 4);
        let l = t.layout(4);
        assert_eq!(l[0], [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(l[1], [Some(4), None, None, None]);
        assert_eq!(l[2][0], Some(5));
    }

    #[test]
    fn layout_along_another_axis() {
        let t = TensorInfo {
            name: "x".into(),
            shape: vec![3, 2],
            data_dim: 0,
            streaming_dim: None,
        };
        assert_eq!(
            t.layout(4),
            vec![
                vec![Some(0), Some(2), Some(4), None],
                vec![Some(1), Some(3), Some(5), None]
            ]
        );
    }
}
