//! Register map of the configuration bus: byte offsets, masks and lowest bits of fields.
//!
//! Generated from the isa crate by `cargo run -p sluice-hdl --bin sl-pkg`; do not edit.

/// Value of `identity`.
pub const IDENTITY_VALUE: u32 = 0x534C_5543;

/// Major version of the map.
pub const VERSION_MAJOR_VALUE: u32 = 1;

/// Minor version of the map.
pub const VERSION_MINOR_VALUE: u32 = 2;

/// `SLUC`.
pub const IDENTITY: u32 = 0x0000_0000;

/// Version of the register map.
pub const VERSION: u32 = 0x0000_0004;

/// A new one adds registers.
pub const VERSION_MINOR: u32 = 0x0000_FFFF;

/// Its lowest bit.
pub const VERSION_MINOR_LSB: u32 = 0;

/// A new one changes or removes registers.
pub const VERSION_MAJOR: u32 = 0xFFFF_0000;

/// Its lowest bit.
pub const VERSION_MAJOR_LSB: u32 = 16;

/// First 64 bits of the configuration's digest, low word first.
pub const CONFIG_HASH: u32 = 0x0000_0008;

/// Its words.
pub const CONFIG_HASH_WORDS: u32 = 2;

/// Size of the machine.
pub const CAPABILITY_SHAPE: u32 = 0x0000_0010;

/// Compute cores.
pub const CAPABILITY_SHAPE_NUM_CORES: u32 = 0x0000_00FF;

/// Its lowest bit.
pub const CAPABILITY_SHAPE_NUM_CORES_LSB: u32 = 0;

/// Values in a block.
pub const CAPABILITY_SHAPE_BLOCK_SIZE: u32 = 0x0000_FF00;

/// Its lowest bit.
pub const CAPABILITY_SHAPE_BLOCK_SIZE_LSB: u32 = 8;

/// Register stages of the exchange.
pub const CAPABILITY_SHAPE_EXCHANGE_STAGES: u32 = 0x00FF_0000;

/// Its lowest bit.
pub const CAPABILITY_SHAPE_EXCHANGE_STAGES_LSB: u32 = 16;

/// 32-bit words of the widest load word.
pub const CAPABILITY_SHAPE_LOAD_WORDS: u32 = 0xFF00_0000;

/// Its lowest bit.
pub const CAPABILITY_SHAPE_LOAD_WORDS_LSB: u32 = 24;

/// Stores of a core.
pub const CAPABILITY_STORES: u32 = 0x0000_0014;

/// Weight blocks.
pub const CAPABILITY_STORES_WEIGHT_DEPTH: u32 = 0x0000_7FFF;

/// Its lowest bit.
pub const CAPABILITY_STORES_WEIGHT_DEPTH_LSB: u32 = 0;

/// A weight store address may hold two blocks of FP8 weights.
pub const CAPABILITY_STORES_FP8_WEIGHTS: u32 = 0x0000_8000;

/// Constant blocks.
pub const CAPABILITY_STORES_CONST_DEPTH: u32 = 0xFFFF_0000;

/// Its lowest bit.
pub const CAPABILITY_STORES_CONST_DEPTH_LSB: u32 = 16;

/// Tensor memory, accumulators and clamps.
pub const CAPABILITY_TENSORS: u32 = 0x0000_0018;

/// Blocks in a bank.
pub const CAPABILITY_TENSORS_TENSOR_DEPTH: u32 = 0x0000_FFFF;

/// Its lowest bit.
pub const CAPABILITY_TENSORS_TENSOR_DEPTH_LSB: u32 = 0;

/// Accumulator blocks.
pub const CAPABILITY_TENSORS_ACCUM_DEPTH: u32 = 0x00FF_0000;

/// Its lowest bit.
pub const CAPABILITY_TENSORS_ACCUM_DEPTH_LSB: u32 = 16;

/// Clamp entries.
pub const CAPABILITY_TENSORS_CLAMP_DEPTH: u32 = 0xFF00_0000;

/// Its lowest bit.
pub const CAPABILITY_TENSORS_CLAMP_DEPTH_LSB: u32 = 24;

/// What a program may have.
pub const CAPABILITY_PROGRAM: u32 = 0x0000_001C;

/// Ticks of all models together.
pub const CAPABILITY_PROGRAM_TICKS: u32 = 0x000F_FFFF;

/// Its lowest bit.
pub const CAPABILITY_PROGRAM_TICKS_LSB: u32 = 0;

/// Resident models.
pub const CAPABILITY_PROGRAM_MAX_MODELS: u32 = 0xFFF0_0000;

/// Its lowest bit.
pub const CAPABILITY_PROGRAM_MAX_MODELS_LSB: u32 = 20;

/// Beats that may wait.
pub const CAPABILITY_STREAMS: u32 = 0x0000_0020;

/// Model-select beats.
pub const CAPABILITY_STREAMS_SELECT_FIFO: u32 = 0x0000_FFFF;

/// Its lowest bit.
pub const CAPABILITY_STREAMS_SELECT_FIFO_LSB: u32 = 0;

/// Output beats.
pub const CAPABILITY_STREAMS_OUTPUT_FIFO: u32 = 0xFFFF_0000;

/// Its lowest bit.
pub const CAPABILITY_STREAMS_OUTPUT_FIFO_LSB: u32 = 16;

/// Ways to load beside the load window.
pub const CAPABILITY_LOAD: u32 = 0x0000_0024;

/// 32-bit words of a load stream beat, 0 without a load stream.
pub const CAPABILITY_LOAD_STREAM_WORDS: u32 = 0x0000_00FF;

/// Its lowest bit.
pub const CAPABILITY_LOAD_STREAM_WORDS_LSB: u32 = 0;

/// Run, reset, load.
pub const CONTROL: u32 = 0x0000_0040;

/// Jobs are taken; needs a loaded program (`status.program_ok`).
pub const CONTROL_ENABLE: u32 = 0x0000_0001;

/// Resets the compute side: drops jobs, beats and model state, keeps the program.
pub const CONTROL_SOFT_RESET: u32 = 0x0000_0002;

/// Begins a load; the program before is gone.
pub const CONTROL_LOAD: u32 = 0x0000_0004;

/// What the machine is doing.
pub const STATUS: u32 = 0x0000_0044;

/// The compute side takes jobs.
pub const STATUS_ENABLED: u32 = 0x0000_0001;

/// A job is running or its pipelines empty.
pub const STATUS_BUSY: u32 = 0x0000_0002;

/// Enable or reset is still on its way to the compute side.
pub const STATUS_SETTLING: u32 = 0x0000_0004;

/// Disabled and empty: a load may begin.
pub const STATUS_IDLE: u32 = 0x0000_0008;

/// A load has begun and is not finished.
pub const STATUS_LOADING: u32 = 0x0000_0010;

/// A program is loaded and its checksum matches.
pub const STATUS_PROGRAM_OK: u32 = 0x0000_0020;

/// An error that is not masked is set.
pub const STATUS_INTERRUPT: u32 = 0x0000_0040;

/// Errors since they were cleared.
pub const ERROR: u32 = 0x0000_0048;

/// Access to an address without a register, or a write to one that is read only.
pub const ERROR_BAD_ADDRESS: u32 = 0x0000_0001;

/// Write with some but not all byte strobes.
pub const ERROR_BAD_STROBE: u32 = 0x0000_0002;

/// Load started while enabled, busy or resetting; window or load address write, or packet of the load stream, without a load.
pub const ERROR_LOAD_REFUSED: u32 = 0x0000_0004;

/// Window write or packet to a space, core, row or address this accelerator does not have.
pub const ERROR_LOAD_TARGET: u32 = 0x0000_0008;

/// Window word out of order: the words of a load word are written lowest first; packet that ends inside a load word.
pub const ERROR_LOAD_ORDER: u32 = 0x0000_0010;

/// Program checksum written does not match the words loaded.
pub const ERROR_CHECKSUM: u32 = 0x0000_0020;

/// Enable without a loaded program whose checksum matches.
pub const ERROR_ENABLE_REFUSED: u32 = 0x0000_0040;

/// The compute side did not answer; a load in progress is abandoned.
pub const ERROR_TIMEOUT: u32 = 0x0000_0080;

/// Model-select beat that names no model.
pub const ERROR_BAD_SELECT: u32 = 0x0000_0100;

/// Errors that raise the interrupt.
pub const ERROR_MASK: u32 = 0x0000_004C;

/// Access to an address without a register, or a write to one that is read only.
pub const ERROR_MASK_BAD_ADDRESS: u32 = 0x0000_0001;

/// Write with some but not all byte strobes.
pub const ERROR_MASK_BAD_STROBE: u32 = 0x0000_0002;

/// Load started while enabled, busy or resetting; window or load address write, or packet of the load stream, without a load.
pub const ERROR_MASK_LOAD_REFUSED: u32 = 0x0000_0004;

/// Window write or packet to a space, core, row or address this accelerator does not have.
pub const ERROR_MASK_LOAD_TARGET: u32 = 0x0000_0008;

/// Window word out of order: the words of a load word are written lowest first; packet that ends inside a load word.
pub const ERROR_MASK_LOAD_ORDER: u32 = 0x0000_0010;

/// Program checksum written does not match the words loaded.
pub const ERROR_MASK_CHECKSUM: u32 = 0x0000_0020;

/// Enable without a loaded program whose checksum matches.
pub const ERROR_MASK_ENABLE_REFUSED: u32 = 0x0000_0040;

/// The compute side did not answer; a load in progress is abandoned.
pub const ERROR_MASK_TIMEOUT: u32 = 0x0000_0080;

/// Model-select beat that names no model.
pub const ERROR_MASK_BAD_SELECT: u32 = 0x0000_0100;

/// Accesses answered with an error.
pub const BUS_ERROR_COUNT: u32 = 0x0000_0050;

/// The last access answered with an error.
pub const BUS_ERROR_ADDRESS: u32 = 0x0000_0054;

/// Byte address.
pub const BUS_ERROR_ADDRESS_ADDRESS: u32 = 0x001F_FFFF;

/// Its lowest bit.
pub const BUS_ERROR_ADDRESS_ADDRESS_LSB: u32 = 0;

/// It was a write.
pub const BUS_ERROR_ADDRESS_WRITE: u32 = 0x8000_0000;

/// Any value; drives nothing.
pub const SCRATCH: u32 = 0x0000_0058;

/// Compute cycles since the compute side's reset, low word first.
pub const CYCLES: u32 = 0x0000_0080;

/// Its words.
pub const CYCLES_WORDS: u32 = 2;

/// Those of them with `busy`, low word first.
pub const BUSY_CYCLES: u32 = 0x0000_0088;

/// Its words.
pub const BUSY_CYCLES_WORDS: u32 = 2;

/// Jobs finished since the compute side's reset.
pub const JOBS_DONE: u32 = 0x0000_0090;

/// Model-select beats out of range since the compute side's reset.
pub const BAD_SELECT_COUNT: u32 = 0x0000_0094;

/// Index of the last one.
pub const LAST_BAD_SELECT: u32 = 0x0000_0098;

/// Target of the next load word; advances with every one: rows of a weight block first, then addresses.
pub const LOAD_ADDRESS: u32 = 0x0000_00C0;

/// Word address in the memory.
pub const LOAD_ADDRESS_ADDRESS: u32 = 0x0000_FFFF;

/// Its lowest bit.
pub const LOAD_ADDRESS_ADDRESS_LSB: u32 = 0;

/// Row of a weight block, else 0.
pub const LOAD_ADDRESS_ROW: u32 = 0x007F_0000;

/// Its lowest bit.
pub const LOAD_ADDRESS_ROW_LSB: u32 = 16;

/// Core, 0 for the spaces that are not per core.
pub const LOAD_ADDRESS_CORE: u32 = 0x0F80_0000;

/// Its lowest bit.
pub const LOAD_ADDRESS_CORE_LSB: u32 = 23;

/// Space of the load port.
pub const LOAD_ADDRESS_SPACE: u32 = 0xF000_0000;

/// Its lowest bit.
pub const LOAD_ADDRESS_SPACE_LSB: u32 = 28;

/// Words of load words taken since the load began.
pub const LOAD_COUNT: u32 = 0x0000_00C4;

/// CRC-32 of what was loaded since the load began.
pub const LOAD_CHECKSUM: u32 = 0x0000_00C8;

/// A write ends the load; the value must equal `load_checksum`.
pub const PROGRAM_CHECKSUM: u32 = 0x0000_00CC;

/// Resident models of the loaded program.
pub const NUM_MODELS: u32 = 0x0000_00D0;

/// Jobs finished since the compute side's reset, per model.
pub const MODEL_JOBS: u32 = 0x0000_0400;

/// Its words.
pub const MODEL_JOBS_WORDS: u32 = 256;

/// Model records as loaded, four words each, lowest first; zero from `num_models` on.
pub const MODEL_TABLE: u32 = 0x0000_1000;

/// Its words.
pub const MODEL_TABLE_WORDS: u32 = 1024;

/// Words of the next load word, lowest first; the last word its space needs sends it.
pub const LOAD_WINDOW: u32 = 0x0010_0000;

/// Its words.
pub const LOAD_WINDOW_WORDS: u32 = 64;

/// Load space.
pub const SPACE_WEIGHTS: u32 = 0;

/// Load space.
pub const SPACE_INSTRUCTIONS: u32 = 1;

/// Load space.
pub const SPACE_CONSTANTS: u32 = 2;

/// Load space.
pub const SPACE_CLAMPS: u32 = 3;

/// Load space.
pub const SPACE_CONTROL: u32 = 4;

/// Load space.
pub const SPACE_MODELS: u32 = 5;

/// Load space.
pub const SPACE_NUM_MODELS: u32 = 6;

/// First word of a load image.
pub const IMAGE_MAGIC: u32 = 0x494C_4C53;

/// Version of a load image.
pub const IMAGE_VERSION: u32 = 1;

/// Words of a load image before its first run.
pub const IMAGE_HEADER_WORDS: u32 = 7;
