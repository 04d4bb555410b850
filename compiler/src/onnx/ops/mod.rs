//! One function per operator, from a checked layer to NNIR.
//!
//! **Contract.** A function looks at attributes before operands, so that a layer behind an unsupported one is still checked.
//! **Errors.** Forms that are not supported go to the list; the rest is returned.

pub(super) mod conv;
pub(super) mod elementwise;
pub(super) mod linear;
pub(super) mod passing;
pub(super) mod shape;

use super::importer::{Context, Mapped};

/// An axis counted from either end.
fn axis(c: &Context<'_, '_, '_>, axis: i64, rank: usize) -> Mapped<usize> {
    let from_end = || {
        let back = usize::try_from(axis.unsigned_abs()).ok()?;
        rank.checked_sub(back)
    };
    let found = if axis < 0 {
        from_end()
    } else {
        usize::try_from(axis).ok().filter(|&a| a < rank)
    };
    found.ok_or_else(|| c.invalid(format!("axis {axis} does not exist, the rank is {rank}")))
}
