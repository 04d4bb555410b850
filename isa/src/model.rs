//! What a program says of one of its models.

use serde::{Deserialize, Serialize};

use crate::float::{bf16_to_f32, f32_to_bf16};
use crate::words::ModelRecord;

/// How the values of a tensor stand on a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberFormat {
    /// One word of 16 bits per value.
    #[default]
    Bf16,
    /// Two words per value: of every block first a beat of upper halves, then one of lower halves.
    Fp32,
}

impl NumberFormat {
    /// Words of 16 bits per value.
    pub const fn words(self) -> usize {
        match self {
            Self::Bf16 => 1,
            Self::Fp32 => 2,
        }
    }
}

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
    /// How its values stand on the stream.
    pub format: NumberFormat,
}

impl TensorInfo {
    /// Values of the tensor.
    pub fn num_elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Words of 16 bits of the tensor: row-major, the upper half of an fp32 value before its lower half.
    pub fn num_words(&self) -> usize {
        self.num_elements() * self.format.words()
    }

    /// Values as the words of the tensor; bf16 tensors round to nearest even.
    pub fn words(&self, values: &[f32]) -> Vec<u16> {
        self.words_with(values, f32_to_bf16)
    }

    /// Values as the words of the tensor; `round` makes a bf16 word of fp32 bits.
    pub fn words_with(&self, values: &[f32], round: fn(u32) -> u16) -> Vec<u16> {
        let bits = values.iter().map(|v| v.to_bits());
        match self.format {
            NumberFormat::Bf16 => bits.map(round).collect(),
            NumberFormat::Fp32 => bits.flat_map(|u| [(u >> 16) as u16, u as u16]).collect(),
        }
    }

    /// The values of the tensor's words.
    pub fn values(&self, words: &[u16]) -> Vec<f32> {
        match self.format {
            NumberFormat::Bf16 => words
                .iter()
                .map(|&h| f32::from_bits(bf16_to_f32(h)))
                .collect(),
            NumberFormat::Fp32 => words
                .chunks_exact(2)
                .map(|w| f32::from_bits(u32::from(w[0]) << 16 | u32::from(w[1])))
                .collect(),
        }
    }

    /// Number of vectors along the data dimension.
    pub fn num_vectors(&self) -> usize {
        self.num_elements() / self.shape[self.data_dim].max(1)
    }

    /// Stream beats: each vector is padded to whole blocks, a block of fp32 takes two.
    pub fn beats(&self, block_size: usize) -> usize {
        self.num_vectors() * self.shape[self.data_dim].div_ceil(block_size) * self.format.words()
    }

    /// For each beat and lane the index among the tensor's words ([`TensorInfo::num_words`]), `None` for padding.
    pub fn layout(&self, block_size: usize) -> Vec<Vec<Option<usize>>> {
        let n = self.shape[self.data_dim];
        let inner: usize = self.shape[self.data_dim + 1..].iter().product();
        let words = self.format.words();
        let mut beats = Vec::new();
        for v in 0..self.num_vectors() {
            let (outer_index, inner_index) = (v / inner, v % inner);
            for start in (0..n).step_by(block_size) {
                for half in 0..words {
                    let word = |i| ((outer_index * n + i) * inner + inner_index) * words + half;
                    let lanes = start..start + block_size;
                    beats.push(lanes.map(|i| (i < n).then(|| word(i))).collect());
                }
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
            format: NumberFormat::Bf16,
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
            format: NumberFormat::Bf16,
        };
        assert_eq!(
            t.layout(4),
            vec![
                vec![Some(0), Some(2), Some(4), None],
                vec![Some(1), Some(3), Some(5), None]
            ]
        );
    }

    #[test]
    fn fp32_takes_two_beats_per_block() {
        let t = TensorInfo {
            name: "x".into(),
            shape: vec![5],
            data_dim: 0,
            streaming_dim: None,
            format: NumberFormat::Fp32,
        };
        assert_eq!((t.num_words(), t.beats(4)), (10, 4));
        let l = t.layout(4);
        assert_eq!(l[0], [Some(0), Some(2), Some(4), Some(6)]);
        assert_eq!(l[1], [Some(1), Some(3), Some(5), Some(7)]);
        assert_eq!(l[2], [Some(8), None, None, None]);
        assert_eq!(l[3], [Some(9), None, None, None]);
        let values = [1.0, f32::MIN_POSITIVE, -1.0 / 3.0, f32::INFINITY, 1e-42];
        let words = t.words(&values);
        assert_eq!(words[4..6], [0xBEAA, 0xAAAB]);
        assert_eq!(t.values(&words), values);
    }
}
