// Forced into every file of Verilator's run-time library (make variable OPT_GLOBAL), and into none of the generated ones:
// those use a precompiled header, which GCC accepts only when nothing but directives stands before it.
#ifndef SLV_RUNTIME_H
#define SLV_RUNTIME_H

// Text goes to the model that is being evaluated, not to the standard output.
int slv_printf(const char* format, ...) __attribute__((format(printf, 1, 2)));
#define VL_PRINTF slv_printf

// The shim has its own vl_finish, vl_stop and vl_fatal: the defaults end the process.
#define VL_USER_FINISH
#define VL_USER_STOP
#define VL_USER_FATAL

#endif
