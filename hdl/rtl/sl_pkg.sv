// Instruction words, codes, number formats and latencies of the machine.
//
// Generated from the isa crate by `cargo run -p sluice-hdl --bin sl-pkg`; do not edit.

// A design without vector units, say, does not use every constant.
// verilator lint_off UNUSEDPARAM
package sl_pkg;

  // Weight mantissa, two's complement.
  localparam int WeightBits = 17;
  // Code of an FP8 weight, E4M3.
  localparam int Fp8Bits = 8;
  // Aligned operand mantissa, two's complement.
  localparam int OperandBits = 18;
  // Lane exponent that switches a lane off.
  localparam int LaneOff = -128;
  // Alignment distance that leaves nothing.
  localparam int ShiftOut = 18;
  // Accumulator mantissa.
  localparam int AccBits = 64;
  // Accumulator exponent, in eights.
  localparam int AccExpBits = 7;
  // Exponent of an empty sum.
  localparam int AccExpMin = -64;
  // Shift in eights that leaves the sign.
  localparam int AccFullShift = 8;
  // Terms of one sum.
  localparam int MaxTerms = 512;
  // Stages of the arithmetic of the vector unit.
  localparam int AluStages = 6;
  // Stages of its special functions.
  localparam int SpecialStages = 6;
  // Cycle p0 of a vector operation on a tensor or constant.
  localparam int TensorP0 = 3;
  // P0 of a vector operation on the accumulator, tree stages apart.
  localparam int AccP0Flat = 11;
  // What a stage of the adder tree adds to it.
  localparam int AccP0PerTreeStage = 2;
  // Output word to output port.
  localparam int OutputCycles = 2;
  // Width of a matrix word, bits.
  localparam int MatrixWordWidth = 53;
  // Width of a vector word, bits.
  localparam int VectorWordWidth = 85;
  // Width of a control word, bits.
  localparam int ControlWordWidth = 28;
  // Width of a model record, bits.
  localparam int ModelRecordWidth = 66;
  // This bit of a model-select beat: no job, the model's next one starts from its initial state.
  localparam int SelectReset = 32768;
  // Byte address of the configuration bus, bits.
  localparam int BusAddressWidth = 21;
  // Value of the identity register.
  localparam int BusIdentity = 1397511491;
  // Value of the version register.
  localparam int BusVersion = 65537;
  // Words of an entry of the model table.
  localparam int ModelTableWords = 4;

  typedef enum logic [1:0] {
    MatrixKindNone = 2'd0,
    MatrixKindProduct = 2'd1,
    MatrixKindAdd32 = 2'd2,
    MatrixKindRead = 2'd3
  } matrix_kind_e;

  typedef enum logic [0:0] {
    InitZero  = 1'd0,
    InitConst = 1'd1
  } init_e;

  typedef enum logic [1:0] {
    WeightFormatLbfp17  = 2'd0,
    WeightFormatFp8Low  = 2'd1,
    WeightFormatFp8High = 2'd2
  } weight_format_e;

  typedef enum logic [1:0] {
    ASrcAcc = 2'd0,
    ASrcX = 2'd1,
    ASrcY = 2'd2,
    ASrcConst = 2'd3
  } a_src_e;

  typedef enum logic [1:0] {
    BSrcNone = 2'd0,
    BSrcY = 2'd1,
    BSrcConst = 2'd2,
    BSrcPlanes = 2'd3
  } b_src_e;

  typedef enum logic [3:0] {
    VectorOpPass = 4'd0,
    VectorOpAdd  = 4'd1,
    VectorOpSub  = 4'd2,
    VectorOpRsub = 4'd3,
    VectorOpMul  = 4'd4,
    VectorOpMax  = 4'd5,
    VectorOpMin  = 4'd6,
    VectorOpLt   = 4'd7,
    VectorOpLe   = 4'd8,
    VectorOpGt   = 4'd9,
    VectorOpGe   = 4'd10,
    VectorOpEq   = 4'd11,
    VectorOpNe   = 4'd12,
    VectorOpKeep = 4'd13,
    VectorOpDrop = 4'd14
  } vector_op_e;

  typedef enum logic [3:0] {
    VectorSpecialNone = 4'd0,
    VectorSpecialRecip = 4'd1,
    VectorSpecialRsqrt = 4'd2,
    VectorSpecialSqrt = 4'd3,
    VectorSpecialExp2 = 4'd4,
    VectorSpecialLog2 = 4'd5,
    VectorSpecialTanh = 4'd6,
    VectorSpecialSigmoid = 4'd7,
    VectorSpecialSilu = 4'd8,
    VectorSpecialGelu = 4'd9,
    VectorSpecialGeluTanh = 4'd10,
    VectorSpecialSoftplus = 4'd11
  } vector_special_e;

  typedef enum logic [1:0] {
    FormatBf16 = 2'd0,
    FormatPlanes = 2'd1,
    FormatRaw = 2'd2
  } format_e;

  // One tick of a core's matrix unit, 53 bits.
  typedef struct packed {
    // Format of the weight block, and which of two it is.
    weight_format_e weight_format;
    // Constant store address of the start value, blocks.
    logic [10:0] init_addr;
    // Accumulator.
    logic [5:0] acc;
    // Weight store address, blocks.
    logic [12:0] weight;
    // Operand address in the bank, blocks.
    logic [11:0] addr;
    // Operand bank: core that wrote it, or the number of cores for the input bank.
    logic [4:0] bank;
    // Start value of a first product.
    init_e init;
    // First accumulation of a sum: the old accumulator is replaced.
    logic first;
    // What to do.
    matrix_kind_e kind;
  } matrix_t;

  // One tick of a core's vector unit, 85 bits.
  typedef struct packed {
    // Address in the core's own bank, blocks.
    logic [11:0] dst_addr;
    // Lane after the last one written.
    logic [6:0] lane_hi;
    // First lane written.
    logic [6:0] lane_lo;
    // Result format.
    format_e format;
    // Rotation of a tensor operand A, lanes.
    logic [5:0] rot;
    // Constant store address, blocks.
    logic [10:0] const_addr;
    // Port Y address, blocks.
    logic [11:0] y_addr;
    // Port Y bank.
    logic [4:0] y_bank;
    // Clamp entry applied to the result of the arithmetic, or of the special function without arithmetic.
    logic [4:0] post;
    // Clamp entry applied to A.
    logic [4:0] pre;
    // Special function of the clamped operand A.
    vector_special_e special;
    // Arithmetic.
    vector_op_e op;
    // Operand B.
    b_src_e b_src;
    // Operand A.
    a_src_e a_src;
    // The word does something.
    logic valid;
  } vector_t;

  // One tick of the sequencer and the output unit, 28 bits.
  typedef struct packed {
    // Lanes from this one on are sent as zero.
    logic [6:0] out_lanes;
    // Address read by the output unit, blocks.
    logic [11:0] out_addr;
    // Bank read by the output unit.
    logic [4:0] out_bank;
    // The beat ends a tensor packet.
    logic out_last;
    // Read a block and send it as an output beat.
    logic out_valid;
    // Takes an input beat of the job: issues once there is one that no tick before has taken.
    logic beat;
    // Last tick of the phase.
    logic last;
  } control_t;

  // What the dispatcher knows of a model, 66 bits.
  typedef struct packed {
    // A select beat may return its state to the initial one.
    logic resettable;
    // Output beats of a job.
    logic [15:0] n_out;
    // Input beats of a job.
    logic [15:0] n_in;
    // The model has an initialisation.
    logic has_init;
    // First tick of the initialisation, run once before the model's first job.
    logic [15:0] init_pc;
    // First tick of the job.
    logic [15:0] entry_pc;
  } model_record_t;

  // Byte offsets on the configuration bus.
  localparam logic [20:0] RegIdentity = 21'h000000;
  localparam logic [20:0] RegVersion = 21'h000004;
  localparam logic [20:0] RegConfigHash = 21'h000008;
  localparam logic [20:0] RegCapabilityShape = 21'h000010;
  localparam logic [20:0] RegCapabilityStores = 21'h000014;
  localparam logic [20:0] RegCapabilityTensors = 21'h000018;
  localparam logic [20:0] RegCapabilityProgram = 21'h00001C;
  localparam logic [20:0] RegCapabilityStreams = 21'h000020;
  localparam logic [20:0] RegControl = 21'h000040;
  localparam logic [20:0] RegStatus = 21'h000044;
  localparam logic [20:0] RegError = 21'h000048;
  localparam logic [20:0] RegErrorMask = 21'h00004C;
  localparam logic [20:0] RegBusErrorCount = 21'h000050;
  localparam logic [20:0] RegBusErrorAddress = 21'h000054;
  localparam logic [20:0] RegScratch = 21'h000058;
  localparam logic [20:0] RegCycles = 21'h000080;
  localparam logic [20:0] RegBusyCycles = 21'h000088;
  localparam logic [20:0] RegJobsDone = 21'h000090;
  localparam logic [20:0] RegBadSelectCount = 21'h000094;
  localparam logic [20:0] RegLastBadSelect = 21'h000098;
  localparam logic [20:0] RegLoadAddress = 21'h0000C0;
  localparam logic [20:0] RegLoadCount = 21'h0000C4;
  localparam logic [20:0] RegLoadChecksum = 21'h0000C8;
  localparam logic [20:0] RegProgramChecksum = 21'h0000CC;
  localparam logic [20:0] RegNumModels = 21'h0000D0;
  localparam logic [20:0] RegModelJobs = 21'h000400;
  localparam logic [20:0] RegModelTable = 21'h001000;
  localparam logic [20:0] RegLoadWindow = 21'h100000;
  localparam int RegConfigHashWords = 2;
  localparam int RegCyclesWords = 2;
  localparam int RegBusyCyclesWords = 2;
  localparam int RegModelJobsWords = 256;
  localparam int RegModelTableWords = 1024;
  localparam int RegLoadWindowWords = 64;

  // Bits of registers: the lowest of a field.
  localparam int VersionMinorBit = 0;
  localparam int VersionMajorBit = 16;
  localparam int CapabilityShapeNumCoresBit = 0;
  localparam int CapabilityShapeBlockSizeBit = 8;
  localparam int CapabilityShapeExchangeStagesBit = 16;
  localparam int CapabilityShapeLoadWordsBit = 24;
  localparam int CapabilityStoresWeightDepthBit = 0;
  localparam int CapabilityStoresFp8WeightsBit = 15;
  localparam int CapabilityStoresConstDepthBit = 16;
  localparam int CapabilityTensorsTensorDepthBit = 0;
  localparam int CapabilityTensorsAccumDepthBit = 16;
  localparam int CapabilityTensorsClampDepthBit = 24;
  localparam int CapabilityProgramTicksBit = 0;
  localparam int CapabilityProgramMaxModelsBit = 20;
  localparam int CapabilityStreamsSelectFifoBit = 0;
  localparam int CapabilityStreamsOutputFifoBit = 16;
  localparam int ControlEnableBit = 0;
  localparam int ControlSoftResetBit = 1;
  localparam int ControlLoadBit = 2;
  localparam int StatusEnabledBit = 0;
  localparam int StatusBusyBit = 1;
  localparam int StatusSettlingBit = 2;
  localparam int StatusIdleBit = 3;
  localparam int StatusLoadingBit = 4;
  localparam int StatusProgramOkBit = 5;
  localparam int StatusInterruptBit = 6;
  localparam int ErrorBadAddressBit = 0;
  localparam int ErrorBadStrobeBit = 1;
  localparam int ErrorLoadRefusedBit = 2;
  localparam int ErrorLoadTargetBit = 3;
  localparam int ErrorLoadOrderBit = 4;
  localparam int ErrorChecksumBit = 5;
  localparam int ErrorEnableRefusedBit = 6;
  localparam int ErrorTimeoutBit = 7;
  localparam int ErrorBadSelectBit = 8;
  localparam int BusErrorAddressAddressBit = 0;
  localparam int BusErrorAddressWriteBit = 31;
  localparam int LoadAddressAddressBit = 0;
  localparam int LoadAddressRowBit = 16;
  localparam int LoadAddressCoreBit = 23;
  localparam int LoadAddressSpaceBit = 28;
  localparam int NumErrors = 9;

  // Address spaces of the load port.
  typedef enum logic [3:0] {
    SpaceWeights = 4'd0,
    SpaceInstructions = 4'd1,
    SpaceConstants = 4'd2,
    SpaceClamps = 4'd3,
    SpaceControl = 4'd4,
    SpaceModels = 4'd5,
    SpaceNumModels = 4'd6
  } space_e;

endpackage
// verilator lint_on UNUSEDPARAM
