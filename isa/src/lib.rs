//! The one definition: number formats, hardware configuration, instruction words, timing, load port and program file.
//!
//! Compiler, VM and RTL generator depend on this crate and never on each other. What hardware needs of it is emitted as a
//! SystemVerilog package ([`sv`]) and as documentation ([`docs`]), so that a definition exists once.
//!
//! **Numeric code and `as`.** Widths are architectural (16-bit formats, 17/18-bit mantissas, 64-bit accumulators); conversions
//! between them are exact by the ranges stated beside them.
#![expect(
    clippy::missing_errors_doc,
    reason = "the header of each module states its errors"
)]
#![expect(
    clippy::verbose_bit_mask,
    reason = "masks are written as the formats' fields"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "bit-level code: every width is architectural and stated beside the conversion"
)]

pub mod acc;
pub mod config;
pub mod docs;
pub mod error;
pub mod float;
pub mod fp8;
pub mod lbfp;
pub mod load;
pub mod load_image;
pub mod model;
pub mod presets;
pub mod program;
pub mod registers;
pub mod special;
pub mod sv;
pub mod timing;
pub mod words;

pub use acc::Acc;
pub use config::{Fabric, HardwareConfig};
pub use error::IsaError;
pub use model::{ModelInfo, NumberFormat, SELECT_RESET, TensorInfo};
pub use program::{CoreImage, Program};
pub use words::{
    ASrc, BSrc, ControlWord, Format, Init, MatrixKind, MatrixWord, Op, Special, VectorWord,
    WeightFormat,
};
