//! Special functions: tables, golden vectors, errors against float64, and the page and RTL text made from them.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::format_collect,
    clippy::needless_range_loop,
    clippy::verbose_bit_mask,
    reason = "test code: widths are architectural, masks are written as the formats' fields, matrices are indexed"
)]

mod errors;
mod exact;
mod fit;
mod golden;

use std::path::Path;

/// Compares a generated file with the checked-in one, or writes it when `SLUICE_BLESS` is set.
fn checked_in(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("SLUICE_BLESS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap();
    assert!(
        found == text,
        "{path} is stale; run with SLUICE_BLESS=1 to write it"
    );
}
