//! Instruction words of one tick, defined as field tables.
//!
//! | word            | who executes it                    | where it is kept        |
//! |-----------------|------------------------------------|-------------------------|
//! | [`MatrixWord`]  | a core's matrix unit and port X    | core instruction store  |
//! | [`VectorWord`]  | a core's vector unit               | core instruction store  |
//! | [`ControlWord`] | sequencer and output unit          | control store           |
//! | [`ModelRecord`] | dispatcher                         | model table             |
//!
//! Each table is the single definition: packing, unpacking, the SystemVerilog package and the documentation come from it. Fields
//! are packed from bit 0 in the order written. An all-zero word does nothing.
//! **Errors.** Packing checks ranges ([`IsaError::FieldRange`]), unpacking checks codes ([`IsaError::ReservedCode`]).

use crate::error::IsaError;
use crate::special::Function;

/// One field of a word, as documentation and generators see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// Lowest bit.
    pub lsb: u32,
    /// Width in bits.
    pub width: u32,
    /// One-line description.
    pub doc: &'static str,
    /// Names of the codes of an enumerated field.
    pub codes: &'static [&'static str],
}

/// A value that a field can hold.
pub trait FieldValue: Copy {
    /// Code names, empty for numbers.
    const CODES: &'static [&'static str] = &[];
    /// Bits of the value.
    fn to_bits(self) -> u64;
    /// Value of the bits, or `None` for a reserved code.
    fn from_bits(bits: u64) -> Option<Self>;
}

impl FieldValue for bool {
    fn to_bits(self) -> u64 {
        u64::from(self)
    }
    fn from_bits(bits: u64) -> Option<Self> {
        Some(bits != 0)
    }
}

impl FieldValue for u32 {
    fn to_bits(self) -> u64 {
        u64::from(self)
    }
    fn from_bits(bits: u64) -> Option<Self> {
        u32::try_from(bits).ok()
    }
}

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal => $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
        pub enum $name { #[default] $($(#[$vmeta])* $variant = $code),+ }
        impl FieldValue for $name {
            const CODES: &'static [&'static str] = &[$($text),+];
            fn to_bits(self) -> u64 { self as u64 }
            fn from_bits(bits: u64) -> Option<Self> {
                match bits { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}

macro_rules! word {
    ($(#[$meta:meta])* $name:ident = $text:literal { $($(#[doc = $doc:literal])+ $field:ident : $ty:ty = $width:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
        pub struct $name { $($(#[doc = $doc])+ pub $field: $ty),+ }
        impl $name {
            /// Name of the word in text, SystemVerilog and documentation.
            pub const NAME: &'static str = $text;
            /// Width in bits.
            pub const WIDTH: u32 = 0 $(+ $width)+;
            /// The field table.
            pub const FIELDS: &'static [Field] = &{
                let mut lsb = 0;
                [$({
                    let f = Field { name: stringify!($field), lsb, width: $width, doc: concat!($($doc),+), codes: <$ty as FieldValue>::CODES };
                    lsb += $width;
                    let _ = lsb;
                    f
                }),+]
            };
            /// Packs the word; every field is checked against its width.
            pub fn pack(&self) -> Result<u128, IsaError> {
                let mut word = 0u128;
                let mut lsb = 0;
                $({
                    let bits = self.$field.to_bits();
                    if bits >> $width != 0 {
                        return Err(IsaError::FieldRange { word: $text, field: stringify!($field), value: bits, width: $width });
                    }
                    word |= u128::from(bits) << lsb;
                    lsb += $width;
                })+
                let _ = lsb;
                Ok(word)
            }
            /// Unpacks a word; reserved codes and bits beyond the word are errors.
            pub fn unpack(word: u128) -> Result<Self, IsaError> {
                if word >> Self::WIDTH != 0 {
                    return Err(IsaError::FieldRange { word: $text, field: "word", value: (word >> 64) as u64, width: Self::WIDTH });
                }
                let mut lsb = 0;
                let result = Self { $($field: {
                    let bits = (word >> lsb) as u64 & ((1u64 << $width) - 1);
                    lsb += $width;
                    <$ty as FieldValue>::from_bits(bits).ok_or(IsaError::ReservedCode { word: $text, field: stringify!($field), value: bits })?
                }),+ };
                let _ = lsb;
                Ok(result)
            }
        }
    };
}

codes! {
    /// What a matrix word does.
    MatrixKind {
        /// Nothing.
        None = 0 => "none",
        /// Block product into an accumulator.
        Product = 1 => "product",
        /// Adds a block of fp32 planes, read through port Y, into an accumulator.
        Add32 = 2 => "add32",
        /// Reads port X for the vector word's operand A.
        Read = 3 => "read",
    }
}
codes! {
    /// What stands at a weight store address, and which of it a product takes.
    WeightFormat {
        /// One block of 17-bit mantissas.
        Lbfp17 = 0 => "lbfp17",
        /// The first of two FP8 blocks.
        Fp8Low = 1 => "fp8_low",
        /// The second of two FP8 blocks.
        Fp8High = 2 => "fp8_high",
    }
}
codes! {
    /// Where a first accumulation starts from.
    Init {
        /// Zero.
        Zero = 0 => "zero",
        /// A block of the constant store (bias).
        Const = 1 => "const",
    }
}
codes! {
    /// Operand A of a vector word.
    ASrc {
        /// The accumulator the tick's matrix word updates.
        Acc = 0 => "acc",
        /// Port X, read by the tick's matrix word.
        X = 1 => "x",
        /// Port Y.
        Y = 2 => "y",
        /// Constant store.
        Const = 3 => "const",
    }
}
codes! {
    /// Operand B of a vector word.
    BSrc {
        /// None (op `pass`).
        None = 0 => "none",
        /// Port Y.
        Y = 1 => "y",
        /// Constant store.
        Const = 2 => "const",
        /// Port Y, a block of fp32 planes.
        Planes = 3 => "planes",
    }
}
codes! {
    /// Arithmetic of a vector word.
    Op {
        /// A after clamp `pre` and special function.
        Pass = 0 => "pass",
        /// A + B.
        Add = 1 => "add",
        /// A - B.
        Sub = 2 => "sub",
        /// B - A.
        Rsub = 3 => "rsub",
        /// A * B.
        Mul = 4 => "mul",
        /// max(A, B).
        Max = 5 => "max",
        /// min(A, B).
        Min = 6 => "min",
        /// A < B, as 1.0 or +0.
        Lt = 7 => "lt",
        /// A <= B.
        Le = 8 => "le",
        /// A > B.
        Gt = 9 => "gt",
        /// A >= B.
        Ge = 10 => "ge",
        /// A == B.
        Eq = 11 => "eq",
        /// A != B.
        Ne = 12 => "ne",
        /// A where B is not zero, else +0.
        Keep = 13 => "keep",
        /// A where B is zero, else +0.
        Drop = 14 => "drop",
    }
}
codes! {
    /// Special function of a vector word, applied to the clamped operand A before the arithmetic.
    Special {
        /// None.
        None = 0 => "none",
        /// `1 / x`.
        Recip = 1 => "recip",
        /// `1 / sqrt(x)`.
        Rsqrt = 2 => "rsqrt",
        /// `sqrt(x)`.
        Sqrt = 3 => "sqrt",
        /// `2^x`.
        Exp2 = 4 => "exp2",
        /// `log2(x)`.
        Log2 = 5 => "log2",
        /// `tanh(x)`.
        Tanh = 6 => "tanh",
        /// Logistic function.
        Sigmoid = 7 => "sigmoid",
        /// `x * sigmoid(x)`.
        Silu = 8 => "silu",
        /// GELU, erf form.
        Gelu = 9 => "gelu",
        /// GELU, tanh form.
        GeluTanh = 10 => "gelu_tanh",
        /// `ln(1 + exp(x))`.
        Softplus = 11 => "softplus",
    }
}

impl Special {
    /// The function, `None` for [`Special::None`].
    pub fn function(self) -> Option<Function> {
        (self as usize)
            .checked_sub(1)
            .and_then(|i| Function::ALL.get(i).copied())
    }
}

impl From<Function> for Special {
    fn from(function: Function) -> Self {
        Self::from_bits(function as u64 + 1).unwrap_or_default()
    }
}
codes! {
    /// Format of a vector result.
    Format {
        /// One block of bf16.
        Bf16 = 0 => "bf16",
        /// Two blocks: upper and lower halves of fp32.
        Planes = 1 => "planes",
        /// One block: the upper 16 bits of operand A as they are, neither clamped nor rounded; op `pass` without special function.
        Raw = 2 => "raw",
    }
}

word! {
    /// One tick of a core's matrix unit.
    MatrixWord = "matrix" {
        /// What to do.
        kind: MatrixKind = 2,
        /// First accumulation of a sum: the old accumulator is replaced.
        first: bool = 1,
        /// Start value of a first product.
        init: Init = 1,
        /// Operand bank: core that wrote it, or the number of cores for the input bank.
        bank: u32 = 5,
        /// Operand address in the bank, blocks.
        addr: u32 = 12,
        /// Weight store address, blocks.
        weight: u32 = 13,
        /// Accumulator.
        acc: u32 = 6,
        /// Constant store address of the start value, blocks.
        init_addr: u32 = 11,
        /// Format of the weight block, and which of two it is.
        weight_format: WeightFormat = 2,
    }
}
word! {
    /// One tick of a core's vector unit.
    VectorWord = "vector" {
        /// The word does something.
        valid: bool = 1,
        /// Operand A.
        a_src: ASrc = 2,
        /// Operand B.
        b_src: BSrc = 2,
        /// Arithmetic.
        op: Op = 4,
        /// Special function of the clamped operand A.
        special: Special = 4,
        /// Clamp entry applied to A.
        pre: u32 = 5,
        /// Clamp entry applied to the result of the arithmetic, or of the special function without arithmetic.
        post: u32 = 5,
        /// Port Y bank.
        y_bank: u32 = 5,
        /// Port Y address, blocks.
        y_addr: u32 = 12,
        /// Constant store address, blocks.
        const_addr: u32 = 11,
        /// Rotation of a tensor operand A, lanes.
        rot: u32 = 6,
        /// Result format.
        format: Format = 2,
        /// First lane written.
        lane_lo: u32 = 7,
        /// Lane after the last one written.
        lane_hi: u32 = 7,
        /// Address in the core's own bank, blocks.
        dst_addr: u32 = 12,
    }
}
word! {
    /// One tick of the sequencer and the output unit.
    ControlWord = "control" {
        /// Last tick of the phase.
        last: bool = 1,
        /// Takes an input beat of the job: issues once there is one that no tick before has taken.
        beat: bool = 1,
        /// Read a block and send it as an output beat.
        out_valid: bool = 1,
        /// The beat ends a tensor packet.
        out_last: bool = 1,
        /// Bank read by the output unit.
        out_bank: u32 = 5,
        /// Address read by the output unit, blocks.
        out_addr: u32 = 12,
        /// Lanes from this one on are sent as zero.
        out_lanes: u32 = 7,
    }
}
word! {
    /// What the dispatcher knows of a model.
    ModelRecord = "model_record" {
        /// First tick of the job.
        entry_pc: u32 = 16,
        /// First tick of the initialisation, run once before the model's first job.
        init_pc: u32 = 16,
        /// The model has an initialisation.
        has_init: bool = 1,
        /// Input beats of a job.
        n_in: u32 = 16,
        /// Output beats of a job.
        n_out: u32 = 16,
        /// A select beat may return its state to the initial one.
        resettable: bool = 1,
    }
}

/// All words, for generators.
pub const WORDS: &[(&str, u32, &[Field], &str)] = &[
    (
        MatrixWord::NAME,
        MatrixWord::WIDTH,
        MatrixWord::FIELDS,
        "One tick of a core's matrix unit",
    ),
    (
        VectorWord::NAME,
        VectorWord::WIDTH,
        VectorWord::FIELDS,
        "One tick of a core's vector unit",
    ),
    (
        ControlWord::NAME,
        ControlWord::WIDTH,
        ControlWord::FIELDS,
        "One tick of the sequencer and the output unit",
    ),
    (
        ModelRecord::NAME,
        ModelRecord::WIDTH,
        ModelRecord::FIELDS,
        "What the dispatcher knows of a model",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_range() {
        let w = MatrixWord {
            kind: MatrixKind::Product,
            first: true,
            init: Init::Const,
            bank: 6,
            addr: 4095,
            weight: 511,
            acc: 3,
            init_addr: 2047,
            weight_format: WeightFormat::Fp8High,
        };
        assert_eq!(MatrixWord::unpack(w.pack().unwrap()).unwrap(), w);
        let err = MatrixWord {
            weight: 1 << 13,
            ..w
        }
        .pack()
        .unwrap_err();
        assert_eq!(
            err.to_string(),
            "[SL-I004] matrix.weight = 8192 does not fit 13 bits"
        );
        assert_eq!(
            VectorWord::unpack(15 << 5).unwrap_err().code(),
            "SL-I005",
            "op 15 is reserved"
        );
        assert_eq!(
            MatrixWord::unpack(1 << MatrixWord::WIDTH)
                .unwrap_err()
                .code(),
            "SL-I004"
        );
    }

    #[test]
    fn special_functions_are_those_of_the_unit() {
        assert_eq!(Special::CODES[0], "none");
        let names: Vec<_> = Function::ALL.iter().map(|f| f.name()).collect();
        assert_eq!(Special::CODES[1..], names);
        for f in Function::ALL {
            assert_eq!(Special::from(f).function(), Some(f));
        }
        assert_eq!(Special::None.function(), None);
    }

    #[test]
    fn zero_words_do_nothing() {
        assert_eq!(MatrixWord::default().pack().unwrap(), 0);
        assert_eq!(VectorWord::default().pack().unwrap(), 0);
        assert_eq!(ControlWord::default().pack().unwrap(), 0);
    }

    #[test]
    fn fields_tile_the_word() {
        for (name, width, fields, _) in WORDS {
            let mut next = 0;
            for f in *fields {
                assert_eq!(f.lsb, next, "{name}.{}", f.name);
                next += f.width;
            }
            assert_eq!(next, *width);
        }
    }
}
