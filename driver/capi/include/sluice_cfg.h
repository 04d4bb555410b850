/* C interface of the driver: two call-backs reach the registers of an accelerator.
 *
 * Every function returns NULL, or a message that sluice_cfg_destroy_err frees. All call-backs come from the caller's thread, within the
 * call. A read sees every earlier write; writes arrive complete, once and in order, and may be posted.
 *
 * Generated from driver/capi/src/lib.rs by `BLESS=1 cargo test -p sluice-cfg --test header`; do not edit.
 */

#ifndef SLUICE_CFG_H
#define SLUICE_CFG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 Reads the register at a byte address.
 */
typedef uint32_t (*sluice_cfg_reader)(void *user, uint32_t address);

/*
 Writes a register.
 */
typedef void (*sluice_cfg_writer)(void *user, uint32_t address, uint32_t data);

/*
 Sends one beat of the load stream: `count` words, lowest first; `last` is its `tlast`.
 */
typedef void (*SluiceCfgStreamer)(void *user, const uint32_t *words, uint32_t count, bool last);

/*
 State of an accelerator.
 */
typedef struct sluice_cfg_status {
  /*
   Register `status`.
   */
  uint32_t status;
  /*
   Register `error`.
   */
  uint32_t error;
  /*
   Compute cycles since the compute side's reset.
   */
  uint64_t cycles;
  /*
   Those with a job in the pipelines.
   */
  uint64_t busy_cycles;
  /*
   Jobs finished since then.
   */
  uint32_t jobs_done;
  /*
   Model-select beats out of range since then.
   */
  uint32_t bad_select_count;
  /*
   Index of the last of them.
   */
  uint32_t last_bad_select;
  /*
   Resident models.
   */
  uint32_t num_models;
} sluice_cfg_status;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Loads a program file or a load image and enables the accelerator.

 # Safety
 `reader` and `writer` may be called with `user`; `path` is a string that ends with a zero byte.
 */
char *sluice_cfg_load_program(void *user,
                              sluice_cfg_reader reader,
                              sluice_cfg_writer writer,
                              const char *path);

/*
 Loads a program file or a load image through the load stream, whatever its width, and enables the accelerator. Registers go over the
 bus. A beat may still be on its way when `streamer` returns.

 # Safety
 `reader`, `writer` and `streamer` may be called with `user`; `path` is a string that ends with a zero byte.
 */
char *sluice_cfg_load_program_streamed(void *user,
                                       sluice_cfg_reader reader,
                                       sluice_cfg_writer writer,
                                       SluiceCfgStreamer streamer,
                                       const char *path);

/*
 Loads the bytes of a program file or of a load image and enables the accelerator.

 # Safety
 `reader` and `writer` may be called with `user`; `program` points to `size` bytes.
 */
char *sluice_cfg_load_program_bytes(void *user,
                                    sluice_cfg_reader reader,
                                    sluice_cfg_writer writer,
                                    const uint8_t *program,
                                    size_t size);

/*
 Lets jobs begin.

 # Safety
 `reader` and `writer` may be called with `user`.
 */
char *sluice_cfg_enable(void *user, sluice_cfg_reader reader, sluice_cfg_writer writer);

/*
 Lets no more jobs begin.

 # Safety
 `reader` and `writer` may be called with `user`.
 */
char *sluice_cfg_disable(void *user, sluice_cfg_reader reader, sluice_cfg_writer writer);

/*
 Resets the compute side; program and enable stay.

 # Safety
 `reader` and `writer` may be called with `user`.
 */
char *sluice_cfg_reset(void *user, sluice_cfg_reader reader, sluice_cfg_writer writer);

/*
 Reads status, errors and counters.

 # Safety
 `reader` and `writer` may be called with `user`; `status` points to a structure to be filled.
 */
char *sluice_cfg_get_status(void *user,
                            sluice_cfg_reader reader,
                            sluice_cfg_writer writer,
                            struct sluice_cfg_status *status);

/*
 Reads the jobs a model finished since the compute side's reset.

 # Safety
 `reader` and `writer` may be called with `user`; `jobs` points to a number to be filled.
 */
char *sluice_cfg_model_jobs(void *user,
                            sluice_cfg_reader reader,
                            sluice_cfg_writer writer,
                            uint32_t model,
                            uint32_t *jobs);

/*
 Prints what the accelerator says of itself, JSON on one line of the standard output.

 # Safety
 `reader` and `writer` may be called with `user`.
 */
char *sluice_cfg_print_device_id(void *user, sluice_cfg_reader reader, sluice_cfg_writer writer);

/*
 Frees a message. `NULL` is allowed.

 # Safety
 `error` came from a function of this library and has not been freed.
 */
void sluice_cfg_destroy_err(char *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SLUICE_CFG_H */
