/* Register map of the configuration bus: byte offsets, masks and lowest bits of fields.
 *
 * Generated from the isa crate by `cargo run -p sluice-hdl --bin sl-pkg`; do not edit.
 */
#ifndef SLUICE_REGISTERS_H
#define SLUICE_REGISTERS_H

/* value of 'identity' */
#define SLUICE_IDENTITY_VALUE 0x534C5543u
/* major version of the map */
#define SLUICE_VERSION_MAJOR_VALUE 1u
/* minor version of the map */
#define SLUICE_VERSION_MINOR_VALUE 2u
/* 'SLUC' */
#define SLUICE_IDENTITY 0x00000000u
/* version of the register map */
#define SLUICE_VERSION 0x00000004u
/* a new one adds registers */
#define SLUICE_VERSION_MINOR 0x0000FFFFu
/* its lowest bit */
#define SLUICE_VERSION_MINOR_LSB 0u
/* a new one changes or removes registers */
#define SLUICE_VERSION_MAJOR 0xFFFF0000u
/* its lowest bit */
#define SLUICE_VERSION_MAJOR_LSB 16u
/* first 64 bits of the configuration's digest, low word first */
#define SLUICE_CONFIG_HASH 0x00000008u
/* its words */
#define SLUICE_CONFIG_HASH_WORDS 2u
/* size of the machine */
#define SLUICE_CAPABILITY_SHAPE 0x00000010u
/* compute cores */
#define SLUICE_CAPABILITY_SHAPE_NUM_CORES 0x000000FFu
/* its lowest bit */
#define SLUICE_CAPABILITY_SHAPE_NUM_CORES_LSB 0u
/* values in a block */
#define SLUICE_CAPABILITY_SHAPE_BLOCK_SIZE 0x0000FF00u
/* its lowest bit */
#define SLUICE_CAPABILITY_SHAPE_BLOCK_SIZE_LSB 8u
/* register stages of the exchange */
#define SLUICE_CAPABILITY_SHAPE_EXCHANGE_STAGES 0x00FF0000u
/* its lowest bit */
#define SLUICE_CAPABILITY_SHAPE_EXCHANGE_STAGES_LSB 16u
/* 32-bit words of the widest load word */
#define SLUICE_CAPABILITY_SHAPE_LOAD_WORDS 0xFF000000u
/* its lowest bit */
#define SLUICE_CAPABILITY_SHAPE_LOAD_WORDS_LSB 24u
/* stores of a core */
#define SLUICE_CAPABILITY_STORES 0x00000014u
/* weight blocks */
#define SLUICE_CAPABILITY_STORES_WEIGHT_DEPTH 0x00007FFFu
/* its lowest bit */
#define SLUICE_CAPABILITY_STORES_WEIGHT_DEPTH_LSB 0u
/* a weight store address may hold two blocks of FP8 weights */
#define SLUICE_CAPABILITY_STORES_FP8_WEIGHTS 0x00008000u
/* constant blocks */
#define SLUICE_CAPABILITY_STORES_CONST_DEPTH 0xFFFF0000u
/* its lowest bit */
#define SLUICE_CAPABILITY_STORES_CONST_DEPTH_LSB 16u
/* tensor memory, accumulators and clamps */
#define SLUICE_CAPABILITY_TENSORS 0x00000018u
/* blocks in a bank */
#define SLUICE_CAPABILITY_TENSORS_TENSOR_DEPTH 0x0000FFFFu
/* its lowest bit */
#define SLUICE_CAPABILITY_TENSORS_TENSOR_DEPTH_LSB 0u
/* accumulator blocks */
#define SLUICE_CAPABILITY_TENSORS_ACCUM_DEPTH 0x00FF0000u
/* its lowest bit */
#define SLUICE_CAPABILITY_TENSORS_ACCUM_DEPTH_LSB 16u
/* clamp entries */
#define SLUICE_CAPABILITY_TENSORS_CLAMP_DEPTH 0xFF000000u
/* its lowest bit */
#define SLUICE_CAPABILITY_TENSORS_CLAMP_DEPTH_LSB 24u
/* what a program may have */
#define SLUICE_CAPABILITY_PROGRAM 0x0000001Cu
/* ticks of all models together */
#define SLUICE_CAPABILITY_PROGRAM_TICKS 0x000FFFFFu
/* its lowest bit */
#define SLUICE_CAPABILITY_PROGRAM_TICKS_LSB 0u
/* resident models */
#define SLUICE_CAPABILITY_PROGRAM_MAX_MODELS 0xFFF00000u
/* its lowest bit */
#define SLUICE_CAPABILITY_PROGRAM_MAX_MODELS_LSB 20u
/* beats that may wait */
#define SLUICE_CAPABILITY_STREAMS 0x00000020u
/* model-select beats */
#define SLUICE_CAPABILITY_STREAMS_SELECT_FIFO 0x0000FFFFu
/* its lowest bit */
#define SLUICE_CAPABILITY_STREAMS_SELECT_FIFO_LSB 0u
/* output beats */
#define SLUICE_CAPABILITY_STREAMS_OUTPUT_FIFO 0xFFFF0000u
/* its lowest bit */
#define SLUICE_CAPABILITY_STREAMS_OUTPUT_FIFO_LSB 16u
/* ways to load beside the load window */
#define SLUICE_CAPABILITY_LOAD 0x00000024u
/* 32-bit words of a load stream beat, 0 without a load stream */
#define SLUICE_CAPABILITY_LOAD_STREAM_WORDS 0x000000FFu
/* its lowest bit */
#define SLUICE_CAPABILITY_LOAD_STREAM_WORDS_LSB 0u
/* run, reset, load */
#define SLUICE_CONTROL 0x00000040u
/* jobs are taken; needs a loaded program ('status.program_ok') */
#define SLUICE_CONTROL_ENABLE 0x00000001u
/* resets the compute side: drops jobs, beats and model state, keeps the program */
#define SLUICE_CONTROL_SOFT_RESET 0x00000002u
/* begins a load; the program before is gone */
#define SLUICE_CONTROL_LOAD 0x00000004u
/* what the machine is doing */
#define SLUICE_STATUS 0x00000044u
/* the compute side takes jobs */
#define SLUICE_STATUS_ENABLED 0x00000001u
/* a job is running or its pipelines empty */
#define SLUICE_STATUS_BUSY 0x00000002u
/* enable or reset is still on its way to the compute side */
#define SLUICE_STATUS_SETTLING 0x00000004u
/* disabled and empty: a load may begin */
#define SLUICE_STATUS_IDLE 0x00000008u
/* a load has begun and is not finished */
#define SLUICE_STATUS_LOADING 0x00000010u
/* a program is loaded and its checksum matches */
#define SLUICE_STATUS_PROGRAM_OK 0x00000020u
/* an error that is not masked is set */
#define SLUICE_STATUS_INTERRUPT 0x00000040u
/* errors since they were cleared */
#define SLUICE_ERROR 0x00000048u
/* access to an address without a register, or a write to one that is read only */
#define SLUICE_ERROR_BAD_ADDRESS 0x00000001u
/* write with some but not all byte strobes */
#define SLUICE_ERROR_BAD_STROBE 0x00000002u
/* load started while enabled, busy or resetting; window or load address write, or packet of the load stream, without a load */
#define SLUICE_ERROR_LOAD_REFUSED 0x00000004u
/* window write or packet to a space, core, row or address this accelerator does not have */
#define SLUICE_ERROR_LOAD_TARGET 0x00000008u
/* window word out of order: the words of a load word are written lowest first; packet that ends inside a load word */
#define SLUICE_ERROR_LOAD_ORDER 0x00000010u
/* program checksum written does not match the words loaded */
#define SLUICE_ERROR_CHECKSUM 0x00000020u
/* enable without a loaded program whose checksum matches */
#define SLUICE_ERROR_ENABLE_REFUSED 0x00000040u
/* the compute side did not answer; a load in progress is abandoned */
#define SLUICE_ERROR_TIMEOUT 0x00000080u
/* model-select beat that names no model */
#define SLUICE_ERROR_BAD_SELECT 0x00000100u
/* errors that raise the interrupt */
#define SLUICE_ERROR_MASK 0x0000004Cu
/* access to an address without a register, or a write to one that is read only */
#define SLUICE_ERROR_MASK_BAD_ADDRESS 0x00000001u
/* write with some but not all byte strobes */
#define SLUICE_ERROR_MASK_BAD_STROBE 0x00000002u
/* load started while enabled, busy or resetting; window or load address write, or packet of the load stream, without a load */
#define SLUICE_ERROR_MASK_LOAD_REFUSED 0x00000004u
/* window write or packet to a space, core, row or address this accelerator does not have */
#define SLUICE_ERROR_MASK_LOAD_TARGET 0x00000008u
/* window word out of order: the words of a load word are written lowest first; packet that ends inside a load word */
#define SLUICE_ERROR_MASK_LOAD_ORDER 0x00000010u
/* program checksum written does not match the words loaded */
#define SLUICE_ERROR_MASK_CHECKSUM 0x00000020u
/* enable without a loaded program whose checksum matches */
#define SLUICE_ERROR_MASK_ENABLE_REFUSED 0x00000040u
/* the compute side did not answer; a load in progress is abandoned */
#define SLUICE_ERROR_MASK_TIMEOUT 0x00000080u
/* model-select beat that names no model */
#define SLUICE_ERROR_MASK_BAD_SELECT 0x00000100u
/* accesses answered with an error */
#define SLUICE_BUS_ERROR_COUNT 0x00000050u
/* the last access answered with an error */
#define SLUICE_BUS_ERROR_ADDRESS 0x00000054u
/* byte address */
#define SLUICE_BUS_ERROR_ADDRESS_ADDRESS 0x001FFFFFu
/* its lowest bit */
#define SLUICE_BUS_ERROR_ADDRESS_ADDRESS_LSB 0u
/* it was a write */
#define SLUICE_BUS_ERROR_ADDRESS_WRITE 0x80000000u
/* any value; drives nothing */
#define SLUICE_SCRATCH 0x00000058u
/* compute cycles since the compute side's reset, low word first */
#define SLUICE_CYCLES 0x00000080u
/* its words */
#define SLUICE_CYCLES_WORDS 2u
/* those of them with 'busy', low word first */
#define SLUICE_BUSY_CYCLES 0x00000088u
/* its words */
#define SLUICE_BUSY_CYCLES_WORDS 2u
/* jobs finished since the compute side's reset */
#define SLUICE_JOBS_DONE 0x00000090u
/* model-select beats out of range since the compute side's reset */
#define SLUICE_BAD_SELECT_COUNT 0x00000094u
/* index of the last one */
#define SLUICE_LAST_BAD_SELECT 0x00000098u
/* target of the next load word; advances with every one: rows of a weight block first, then addresses */
#define SLUICE_LOAD_ADDRESS 0x000000C0u
/* word address in the memory */
#define SLUICE_LOAD_ADDRESS_ADDRESS 0x0000FFFFu
/* its lowest bit */
#define SLUICE_LOAD_ADDRESS_ADDRESS_LSB 0u
/* row of a weight block, else 0 */
#define SLUICE_LOAD_ADDRESS_ROW 0x007F0000u
/* its lowest bit */
#define SLUICE_LOAD_ADDRESS_ROW_LSB 16u
/* core, 0 for the spaces that are not per core */
#define SLUICE_LOAD_ADDRESS_CORE 0x0F800000u
/* its lowest bit */
#define SLUICE_LOAD_ADDRESS_CORE_LSB 23u
/* space of the load port */
#define SLUICE_LOAD_ADDRESS_SPACE 0xF0000000u
/* its lowest bit */
#define SLUICE_LOAD_ADDRESS_SPACE_LSB 28u
/* words of load words taken since the load began */
#define SLUICE_LOAD_COUNT 0x000000C4u
/* CRC-32 of what was loaded since the load began */
#define SLUICE_LOAD_CHECKSUM 0x000000C8u
/* a write ends the load; the value must equal 'load_checksum' */
#define SLUICE_PROGRAM_CHECKSUM 0x000000CCu
/* resident models of the loaded program */
#define SLUICE_NUM_MODELS 0x000000D0u
/* jobs finished since the compute side's reset, per model */
#define SLUICE_MODEL_JOBS 0x00000400u
/* its words */
#define SLUICE_MODEL_JOBS_WORDS 256u
/* model records as loaded, four words each, lowest first; zero from 'num_models' on */
#define SLUICE_MODEL_TABLE 0x00001000u
/* its words */
#define SLUICE_MODEL_TABLE_WORDS 1024u
/* words of the next load word, lowest first; the last word its space needs sends it */
#define SLUICE_LOAD_WINDOW 0x00100000u
/* its words */
#define SLUICE_LOAD_WINDOW_WORDS 64u
/* load space */
#define SLUICE_SPACE_WEIGHTS 0u
/* load space */
#define SLUICE_SPACE_INSTRUCTIONS 1u
/* load space */
#define SLUICE_SPACE_CONSTANTS 2u
/* load space */
#define SLUICE_SPACE_CLAMPS 3u
/* load space */
#define SLUICE_SPACE_CONTROL 4u
/* load space */
#define SLUICE_SPACE_MODELS 5u
/* load space */
#define SLUICE_SPACE_NUM_MODELS 6u
/* first word of a load image */
#define SLUICE_IMAGE_MAGIC 0x494C4C53u
/* version of a load image */
#define SLUICE_IMAGE_VERSION 1u
/* words of a load image before its first run */
#define SLUICE_IMAGE_HEADER_WORDS 7u

#endif
