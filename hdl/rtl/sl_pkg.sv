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
  localparam int BusVersion = 65538;
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
  localparam logic [20:0] RegCapabilityLoad = 21'h000024;
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
  localparam int CapabilityLoadStreamWordsBit = 0;
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

  // CRC-32 n + 1 words later: ones of element [n][i] are the bits of the state in bit i.
  // verilog_format: off
  localparam logic [15:0][31:0][31:0] CrcAdvance = {
    {
      32'hF2FF0E3B, 32'h0B808926, 32'h773F4AA8, 32'h3B9FA554,
      32'hEF30DC91, 32'h05676073, 32'h02B3B039, 32'h73A6D627,
      32'hCB2C6528, 32'hE5963294, 32'h00341771, 32'hF2E50583,
      32'h0B8D8CFA, 32'h05C6C67D, 32'h02E3633E, 32'h8171B19F,
      32'h3247D6F4, 32'h9923EB7A, 32'h4C91F5BD, 32'h2648FADE,
      32'h13247D6F, 32'h89923EB7, 32'h36361160, 32'h69E4068B,
      32'h34F20345, 32'h9A7901A2, 32'hBFC38EEA, 32'h5FE1C775,
      32'h2FF0E3BA, 32'h97F871DD, 32'hCBFC38EE, 32'hE5FE1C77
    },
    {
      32'hE826CA8D, 32'h9C35AFCB, 32'hA63C1D68, 32'h531E0EB4,
      32'h41A9CDD7, 32'h48F22C66, 32'hA4791633, 32'hBA1A4194,
      32'h352BEA47, 32'h9A95F523, 32'hA56C301C, 32'hBA90D283,
      32'h356EA3CC, 32'h1AB751E6, 32'h8D5BA8F3, 32'h46ADD479,
      32'h4B7020B1, 32'h25B81058, 32'h12DC082C, 32'h096E0416,
      32'h84B7020B, 32'h425B8105, 32'hC90B0A0F, 32'h0CA34F8A,
      32'h8651A7C5, 32'hC328D3E2, 32'h09B2A37C, 32'h04D951BE,
      32'h826CA8DF, 32'h4136546F, 32'hA09B2A37, 32'hD04D951B
    },
    {
      32'hB2806C08, 32'hEBC05A0C, 32'h4760410E, 32'hA3B02087,
      32'hE3587C4B, 32'h432C522D, 32'h21962916, 32'hA24B7883,
      32'h63A5D049, 32'hB1D2E824, 32'h6A69181A, 32'h87B4E005,
      32'hF15A1C0A, 32'hF8AD0E05, 32'hFC568702, 32'h7E2B4381,
      32'h8D95CDC8, 32'hC6CAE6E4, 32'hE3657372, 32'hF1B2B9B9,
      32'hF8D95CDC, 32'hFC6CAE6E, 32'h4CB63B3F, 32'h94DB7197,
      32'h4A6DB8CB, 32'h2536DC65, 32'hA01B023A, 32'h500D811D,
      32'h2806C08E, 32'h94036047, 32'hCA01B023, 32'h6500D811
    },
    {
      32'h3BCB8DCA, 32'h262E4B2F, 32'h28DCA85D, 32'h946E542E,
      32'hF1FCA7DD, 32'hC335DE24, 32'hE19AEF12, 32'h4B06FA43,
      32'h9E48F0EB, 32'hCF247875, 32'h5C59B1F0, 32'h95E75532,
      32'hF1382753, 32'h789C13A9, 32'h3C4E09D4, 32'h1E2704EA,
      32'hB4D80FBF, 32'hDA6C07DF, 32'hED3603EF, 32'hF69B01F7,
      32'h7B4D80FB, 32'hBDA6C07D, 32'hE518EDF4, 32'h4947FB30,
      32'h24A3FD98, 32'h9251FECC, 32'hF2E372AC, 32'h7971B956,
      32'hBCB8DCAB, 32'hDE5C6E55, 32'hEF2E372A, 32'h77971B95
    },
    {
      32'h4732CAA4, 32'h64ABAFF6, 32'h75671D5F, 32'hBAB38EAF,
      32'h1A6B0DF3, 32'hCA074C5D, 32'h6503A62E, 32'hF5B319B3,
      32'h3DEB467D, 32'h1EF5A33E, 32'h48481B3B, 32'hE316C739,
      32'h36B9A938, 32'h9B5CD49C, 32'h4DAE6A4E, 32'h26D73527,
      32'h54595037, 32'h2A2CA81B, 32'h1516540D, 32'h8A8B2A06,
      32'hC5459503, 32'hE2A2CA81, 32'h3663AFE4, 32'h5C031D56,
      32'h2E018EAB, 32'h1700C755, 32'hCCB2A90E, 32'hE6595487,
      32'h732CAA43, 32'h39965521, 32'h1CCB2A90, 32'h8E659548
    },
    {
      32'hE18776DC, 32'h1144CDB2, 32'hE9251005, 32'hF4928802,
      32'h9BCE32DD, 32'h2C606FB2, 32'h963037D9, 32'h2A9F6D30,
      32'h74C8C044, 32'h3A646022, 32'h7CB546CD, 32'hDFDDD5BA,
      32'h8E699C01, 32'h4734CE00, 32'hA39A6700, 32'h51CD3380,
      32'hC961EF1C, 32'hE4B0F78E, 32'h72587BC7, 32'h392C3DE3,
      32'h9C961EF1, 32'h4E4B0F78, 32'hC6A2F160, 32'h02D60E6C,
      32'h016B0736, 32'h00B5839B, 32'h61DDB711, 32'h30EEDB88,
      32'h18776DC4, 32'h0C3BB6E2, 32'h861DDB71, 32'hC30EEDB8
    },
    {
      32'hABFB4697, 32'h7E06E5DC, 32'h94F83479, 32'h4A7C1A3C,
      32'h0EC54B89, 32'hAC99E353, 32'hD64CF1A9, 32'hC0DD3E43,
      32'h4B95D9B6, 32'h25CAECDB, 32'h391E30FA, 32'h37745EEA,
      32'h304169E2, 32'h1820B4F1, 32'h0C105A78, 32'h06082D3C,
      32'hA8FF5009, 32'hD47FA804, 32'hEA3FD402, 32'h751FEA01,
      32'hBA8FF500, 32'h5D47FA80, 32'h0558BBD7, 32'hA9571B7C,
      32'h54AB8DBE, 32'hAA55C6DF, 32'hFED1A5F8, 32'h7F68D2FC,
      32'hBFB4697E, 32'h5FDA34BF, 32'hAFED1A5F, 32'h57F68D2F
    },
    {
      32'h54CC6D13, 32'hFEAA5B9A, 32'hAB9940DE, 32'hD5CCA06F,
      32'hBE2A3D24, 32'h0BD97381, 32'h05ECB9C0, 32'h563A31F3,
      32'hFFD175EA, 32'hFFE8BAF5, 32'hAB383069, 32'h01507527,
      32'hD4645780, 32'hEA322BC0, 32'h751915E0, 32'hBA8C8AF0,
      32'h098A286B, 32'h04C51435, 32'h02628A1A, 32'h0131450D,
      32'h0098A286, 32'h004C5143, 32'hD4EA45B2, 32'h3EB94FCA,
      32'h9F5CA7E5, 32'hCFAE53F2, 32'h331B44EA, 32'h998DA275,
      32'h4CC6D13A, 32'hA663689D, 32'h5331B44E, 32'hA998DA27
    },
    {
      32'hBA241089, 32'hE73618CD, 32'hC9BF1CEF, 32'h64DF8E77,
      32'h884BD7B2, 32'hFE01FB50, 32'h7F00FDA8, 32'h85A46E5D,
      32'h78F627A7, 32'hBC7B13D3, 32'hE4199960, 32'h4828DC39,
      32'h1E307E95, 32'h0F183F4A, 32'h878C1FA5, 32'h43C60FD2,
      32'h1BC71760, 32'h8DE38BB0, 32'hC6F1C5D8, 32'hE378E2EC,
      32'hF1BC7176, 32'hF8DE38BB, 32'h464B0CD4, 32'h990196E3,
      32'hCC80CB71, 32'h664065B8, 32'h89042255, 32'h4482112A,
      32'hA2410895, 32'hD120844A, 32'hE8904225, 32'h74482112
    },
    {
      32'hE771EA80, 32'h14C91FC0, 32'hED156560, 32'h768AB2B0,
      32'hDC34B3D8, 32'h896BB36C, 32'h44B5D9B6, 32'hC52B065B,
      32'h05E469AD, 32'h02F234D6, 32'hE608F0EB, 32'h147592F5,
      32'hED4B23FA, 32'h76A591FD, 32'hBB52C8FE, 32'h5DA9647F,
      32'h49A558BF, 32'h24D2AC5F, 32'h9269562F, 32'hC934AB17,
      32'h649A558B, 32'h324D2AC5, 32'h7E577FE2, 32'hD85A5571,
      32'hEC2D2AB8, 32'h7616955C, 32'hDC7AA02E, 32'hEE3D5017,
      32'h771EA80B, 32'h3B8F5405, 32'h9DC7AA02, 32'hCEE3D501
    },
    {
      32'h6378032B, 32'h52C402BE, 32'hCA1A0274, 32'hE50D013A,
      32'h11FE83B6, 32'h6B8742F0, 32'hB5C3A178, 32'h3999D397,
      32'hFFB4EAE0, 32'h7FDA7570, 32'hDC953993, 32'h8D329FE2,
      32'h25E14CDA, 32'h12F0A66D, 32'h89785336, 32'hC4BC299B,
      32'h812617E6, 32'h40930BF3, 32'h204985F9, 32'h9024C2FC,
      32'hC812617E, 32'hE40930BF, 32'h117C9B74, 32'hEBC64E91,
      32'hF5E32748, 32'h7AF193A4, 32'hDE00CAF9, 32'h6F00657C,
      32'h378032BE, 32'h1BC0195F, 32'h8DE00CAF, 32'hC6F00657
    },
    {
      32'h8BC1851A, 32'h4E214797, 32'hACD126D1, 32'hD6689368,
      32'hE0F5CCAE, 32'h7BBB634D, 32'hBDDDB1A6, 32'h552F5DC9,
      32'hA1562BFE, 32'h50AB15FF, 32'h23940FE5, 32'h1A0B82E8,
      32'h86C4446E, 32'hC3622237, 32'h61B1111B, 32'h30D8888D,
      32'h93ADC15C, 32'hC9D6E0AE, 32'h64EB7057, 32'h3275B82B,
      32'h993ADC15, 32'h4C9D6E0A, 32'hAD8F321F, 32'hDD061C15,
      32'hEE830E0A, 32'hF7418705, 32'hF0614698, 32'h7830A34C,
      32'hBC1851A6, 32'h5E0C28D3, 32'h2F061469, 32'h17830A34
    },
    {
      32'hF5A36F17, 32'h0F72D89C, 32'hF21A0359, 32'h790D01AC,
      32'h4925EFC1, 32'h513198F7, 32'h2898CC7B, 32'h61EF092A,
      32'h4554EB82, 32'hA2AA75C1, 32'hA4F655F7, 32'h27D845EC,
      32'hE64F4DE1, 32'h7327A6F0, 32'hB993D378, 32'h5CC9E9BC,
      32'h5BC79BC9, 32'h2DE3CDE4, 32'h96F1E6F2, 32'h4B78F379,
      32'h25BC79BC, 32'h92DE3CDE, 32'h3CCC7178, 32'hEBC557AB,
      32'h75E2ABD5, 32'h3AF155EA, 32'h68DBC5E2, 32'hB46DE2F1,
      32'h5A36F178, 32'hAD1B78BC, 32'hD68DBC5E, 32'hEB46DE2F
    },
    {
      32'h78C17D03, 32'hC4A1C382, 32'h9A919CC2, 32'h4D48CE61,
      32'h5E651A33, 32'hD7F3F01A, 32'hEBF9F80D, 32'h0D3D8105,
      32'h7E5FBD81, 32'hBF2FDEC0, 32'h27569263, 32'hEB6A3432,
      32'h0D74671A, 32'h86BA338D, 32'h435D19C6, 32'hA1AE8CE3,
      32'h28163B72, 32'h140B1DB9, 32'h0A058EDC, 32'h0502C76E,
      32'h028163B7, 32'h0140B1DB, 32'h786125EE, 32'h44F1EFF4,
      32'h2278F7FA, 32'h913C7BFD, 32'h305F40FD, 32'h182FA07E,
      32'h8C17D03F, 32'hC60BE81F, 32'hE305F40F, 32'hF182FA07
    },
    {
      32'hA40DA72D, 32'h760B74BB, 32'h9F081D70, 32'hCF840EB8,
      32'h43CFA071, 32'h05EA7715, 32'h02F53B8A, 32'hA5773AE8,
      32'hF6B63A59, 32'hFB5B1D2C, 32'hD9A029BB, 32'h48DDB3F0,
      32'h00637ED5, 32'h8031BF6A, 32'hC018DFB5, 32'h600C6FDA,
      32'h940B90C0, 32'h4A05C860, 32'hA502E430, 32'hD2817218,
      32'h6940B90C, 32'h34A05C86, 32'h3E5D896E, 32'h3B23639A,
      32'h9D91B1CD, 32'h4EC8D8E6, 32'h0369CB5E, 32'h81B4E5AF,
      32'h40DA72D7, 32'h206D396B, 32'h90369CB5, 32'h481B4E5A
    },
    {
      32'h826880EF, 32'hC35CC098, 32'hE3C6E0A3, 32'h71E37051,
      32'hBA9938C7, 32'hDF241C8C, 32'h6F920E46, 32'hB5A187CC,
      32'hD8B84309, 32'h6C5C2184, 32'hB446902D, 32'hD84BC8F9,
      32'hEE4D6493, 32'h7726B249, 32'h3B935924, 32'h1DC9AC92,
      32'h8C8C56A6, 32'h46462B53, 32'h232315A9, 32'h11918AD4,
      32'h08C8C56A, 32'h046462B5, 32'h805AB1B5, 32'hC245D835,
      32'h6122EC1A, 32'h3091760D, 32'h9A203BE9, 32'h4D101DF4,
      32'h26880EFA, 32'h1344077D, 32'h09A203BE, 32'h04D101DF
    }
  };
  // verilog_format: on

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
