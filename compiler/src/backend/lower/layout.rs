//! How a tensor's elements lie in vectors of blocks: index arithmetic.
//!
//! | term | meaning |
//! |------|---------|
//! | vector | the elements along the data dimension, for one index of the other axes |
//! | order of vectors | row-major over the other axes, as on the streams |
//!
//! **Contract.** Pure arithmetic on shapes; a scalar counts as one vector of one element.
//! **Errors.** None.

use crate::nnir::TensorType;

/// Shape and data dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) shape: Vec<usize>,
    pub(super) d: usize,
}

impl Layout {
    pub(super) fn of(ty: &TensorType) -> Self {
        let mut shape = ty.shape.clone();
        if shape.is_empty() {
            shape.push(1);
        }
        let d = ty.data_dim.unwrap_or(shape.len() - 1);
        Self { shape, d }
    }

    /// Elements of a vector.
    pub(super) fn extent(&self) -> usize {
        self.shape[self.d]
    }

    /// Full indices of the vectors, 0 on the data dimension.
    pub(super) fn vectors(&self) -> Vec<Vec<usize>> {
        let mut all = vec![vec![]];
        for (axis, &extent) in self.shape.iter().enumerate() {
            let range = if axis == self.d { 1 } else { extent };
            all = all
                .into_iter()
                .flat_map(|p: Vec<usize>| (0..range).map(move |i| [p.clone(), vec![i]].concat()))
                .collect();
        }
        all
    }

    /// Number of the vector an element belongs to.
    pub(super) fn vector(&self, index: &[usize]) -> usize {
        let axes = index.iter().zip(&self.shape).enumerate();
        axes.filter(|(axis, _)| *axis != self.d)
            .fold(0, |at, (_, (&i, &n))| at * n + i)
    }
}

/// Row-major position.
pub(super) fn flat(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |at, (&i, &n)| at * n + i)
}

/// The operand's index under numpy broadcasting of `from` to the shape `index` belongs to.
pub(super) fn broadcast(index: &[usize], from: &[usize]) -> Vec<usize> {
    let skip = index.len() - from.len();
    from.iter()
        .enumerate()
        .map(|(a, &n)| if n == 1 { 0 } else { index[skip + a] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_numbered_in_their_order() {
        let layout = Layout {
            shape: vec![2, 5, 3],
            d: 1,
        };
        let all = layout.vectors();
        assert_eq!(all.len(), 6);
        for (n, index) in all.iter().enumerate() {
            assert_eq!(layout.vector(index), n);
            assert_eq!(index[1], 0);
        }
        let scalar = Layout::of(&TensorType::default());
        assert_eq!((scalar.extent(), scalar.vectors().len()), (1, 1));
    }
}
