//! Compile-time constants: weights, biases, and the values the reference evaluator works on.
//!
//! | value  | shape   | type  | unit           |
//! |--------|---------|-------|----------------|
//! | `data` | `shape` | `f32` | the layer's own |
//!
//! **Contract.** Row-major, `data.len()` is the product of `shape`. Equality is equality of bits, so `-0.0` differs from
//! `0.0` and a NaN equals itself: text that round-trips, round-trips exactly.
//! **Errors.** A length that is not the product of the shape.

use crate::error::{CompileError, Result};

/// A dense row-major tensor; rank 0 is a scalar.
#[derive(Clone, Debug, Default)]
pub struct Tensor {
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// Values, last axis fastest.
    pub data: Vec<f32>,
}

impl Tensor {
    /// A tensor from its values.
    pub fn new(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Result<Self> {
        let shape = shape.into();
        match checked_count(&shape) {
            Some(count) if count == data.len() => Ok(Self { shape, data }),
            count => Err(CompileError::TensorLength {
                shape,
                expected: count.unwrap_or(usize::MAX),
                found: data.len(),
            }),
        }
    }

    /// A vector.
    pub fn vector(data: Vec<f32>) -> Self {
        Self {
            shape: vec![data.len()],
            data,
        }
    }

    /// A scalar, rank 0.
    pub fn scalar(value: f32) -> Self {
        Self {
            shape: vec![],
            data: vec![value],
        }
    }

    /// A tensor whose value is a function of the flat index.
    pub fn from_fn(shape: impl Into<Vec<usize>>, f: impl FnMut(usize) -> f32) -> Self {
        let shape = shape.into();
        let data = (0..shape.iter().product()).map(f).collect();
        Self { shape, data }
    }

    /// All zeros.
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        Self::from_fn(shape, |_| 0.0)
    }

    /// Index `at` of an axis, without that axis.
    ///
    /// # Panics
    /// If there is no such axis or index.
    #[must_use]
    pub fn step(&self, axis: usize, at: usize) -> Self {
        let inner: usize = self.shape[axis + 1..].iter().product();
        let outer: usize = self.shape[..axis].iter().product();
        let slab = |o: usize| &self.data[(o * self.shape[axis] + at) * inner..][..inner];
        let mut shape = self.shape.clone();
        shape.remove(axis);
        Self {
            shape,
            data: (0..outer).flat_map(slab).copied().collect(),
        }
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The first NaN or infinity: one index per axis, and the value.
    pub fn first_non_finite(&self) -> Option<(Vec<usize>, f32)> {
        let at = self.data.iter().position(|v| !v.is_finite())?;
        Some((unravel(at, &self.shape), self.data[at]))
    }

    /// True when `shape` and `data` agree, as every constructor guarantees.
    pub fn is_consistent(&self) -> bool {
        checked_count(&self.shape) == Some(self.data.len())
    }
}

impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.data.len() == other.data.len()
            && self
                .data
                .iter()
                .zip(&other.data)
                .all(|(a, b)| a.to_bits() == b.to_bits())
    }
}

impl Eq for Tensor {}

/// Product of the extents, `None` when it does not fit in `usize`.
pub(crate) fn checked_count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

/// Index per axis of a flat row-major index.
pub(crate) fn unravel(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &extent) in index.iter_mut().zip(shape).rev() {
        *i = flat % extent;
        flat /= extent;
    }
    index
}

/// Row-major strides.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_checked() {
        assert!(Tensor::new([2, 3], vec![0.0; 6]).is_ok());
        let text = Tensor::new([2, 3], vec![0.0; 5]).unwrap_err().to_string();
        assert!(
            text.contains("[2, 3]") && text.contains('6') && text.contains('5'),
            "{text}"
        );
        assert!(
            Tensor::new([usize::MAX, 2], vec![]).is_err(),
            "the product overflows"
        );
    }

    #[test]
    fn non_finite_is_found_by_index() {
        let mut t = Tensor::zeros([2, 3]);
        assert_eq!(t.first_non_finite(), None);
        t.data[5] = f32::NAN;
        t.data[4] = f32::NEG_INFINITY;
        assert_eq!(t.first_non_finite(), Some((vec![1, 1], f32::NEG_INFINITY)));
    }

    #[test]
    fn equality_is_of_bits() {
        assert_ne!(Tensor::scalar(0.0), Tensor::scalar(-0.0));
        assert_eq!(Tensor::scalar(f32::NAN), Tensor::scalar(f32::NAN));
    }

    #[test]
    fn strides_are_row_major() {
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(unravel(17, &[2, 3, 4]), [1, 1, 1]);
    }
}
