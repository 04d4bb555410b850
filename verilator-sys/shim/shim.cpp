// The fixed C interface every Verilated model is loaded through. Mirrored by `src/abi.rs`; both carry the version below.
//
// Entry points never let an exception out. A failed model answers 1 from then on: its state is not to be trusted.

#include "Vmodel.h"
#include "verilated.h"
#if SLV_TRACE
#include "verilated_fst_c.h"
#endif
#if SLV_COVERAGE
#include "verilated_cov.h"
#endif

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

extern "C" {
struct SlvPort {
    const char* name;
    uint32_t width;
    uint32_t direction;  // 0 in, 1 out, 2 inout
};

struct SlvApi {
    uint32_t abi;
    uint32_t features;  // bit 0: FST trace, bit 1: coverage
    uint32_t port_count;
    const SlvPort* ports;
    void* (*create)(int argc, const char** argv);
    void (*destroy)(void* model);
    int (*eval)(void* model);
    int (*finalize)(void* model);
    void* (*port_ptr)(void* model, uint32_t index);
    void (*set_time)(void* model, uint64_t time);
    const char* (*messages)(void* model, size_t* length);
    void (*clear_messages)(void* model);
    const char* (*failure)(void* model, size_t* length);  // null while the model is sound
    int (*finished)(void* model);
    int (*trace_open)(void* model, const char* path);
    void (*trace_dump)(void* model, uint64_t time);
    void (*trace_close)(void* model);
    int (*coverage_write)(void* model, const char* path);
};
}

namespace {

constexpr uint32_t kAbi = 1;
constexpr size_t kMessageLimit = 1u << 20;  // bytes kept; a model that prints every cycle must not eat the machine

struct Fatal {};

struct Handle {
    VerilatedContext context;
    std::unique_ptr<Vmodel> model;
#if SLV_TRACE
    std::unique_ptr<VerilatedFstC> trace;
#endif
    std::string messages;
    size_t messages_before = 0;  // length when the current entry began
    std::string failure;
    bool failed = false;
    bool finalized = false;
};

thread_local Handle* t_current = nullptr;

void fail(Handle* h, const std::string& what) {
    h->failed = true;
    h->failure += what;
}

class Enter {
    Handle* const m_previous = t_current;

  public:
    explicit Enter(Handle* h) {
        t_current = h;
        h->messages_before = h->messages.size();
        Verilated::threadContextp(&h->context);
    }
    ~Enter() { t_current = m_previous; }
};

template <class Body>
int guarded(void* p, Body body) {
    Handle* const h = static_cast<Handle*>(p);
    if (h->failed) return 1;
    const Enter enter{h};
    try {
        body(h);
    } catch (const Fatal&) {
        fail(h, "");
    } catch (const std::exception& e) {
        fail(h, e.what());
    } catch (...) {
        fail(h, "unknown C++ exception");
    }
    if (!h->failed) return 0;
    h->failure.insert(0, h->messages, h->messages_before, std::string::npos);
    return 1;
}

std::string place(const char* file, int line, const char* what) {
    return std::string{file ? file : "?"} + ":" + std::to_string(line) + ": " + what + "\n";
}

#include "slv_ports.inc"

void* create(int argc, const char** argv) {
    Handle* const h = new Handle;
    guarded(h, [&](Handle*) {
        h->context.fatalOnError(false);
        h->context.commandArgs(argc, argv);
#if SLV_TRACE
        h->context.traceEverOn(true);
#endif
        h->model.reset(new Vmodel{&h->context, "TOP"});
    });
    return h;
}

int finalize(void* p) {
    return guarded(p, [](Handle* h) {
        if (h->finalized || !h->model) return;
        h->finalized = true;
        h->model->final();
    });
}

void destroy(void* p) {
    Handle* const h = static_cast<Handle*>(p);
    finalize(p);
    {
        const Enter enter{h};
#if SLV_TRACE
        if (h->trace) h->trace->close();
        h->trace.reset();
#endif
        h->model.reset();
    }
    delete h;
}

int eval(void* p) {
    return guarded(p, [](Handle* h) { h->model->eval(); });
}

void* port_ptr(void* p, uint32_t index) {
    Handle* const h = static_cast<Handle*>(p);
    return h->model ? port_address(*h->model, index) : nullptr;
}

void set_time(void* p, uint64_t time) { static_cast<Handle*>(p)->context.time(time); }

const char* messages(void* p, size_t* length) {
    const std::string& text = static_cast<Handle*>(p)->messages;
    *length = text.size();
    return text.data();
}

void clear_messages(void* p) { static_cast<Handle*>(p)->messages.clear(); }

const char* failure(void* p, size_t* length) {
    const Handle* const h = static_cast<Handle*>(p);
    *length = h->failure.size();
    return h->failed ? h->failure.data() : nullptr;
}

int finished(void* p) { return static_cast<Handle*>(p)->context.gotFinish() ? 1 : 0; }

int trace_open(void* p, const char* path) {
#if SLV_TRACE
    Handle* const h = static_cast<Handle*>(p);
    return guarded(p, [&](Handle*) {
        h->trace.reset(new VerilatedFstC);
        h->model->trace(h->trace.get(), 99);
        h->trace->open(path);
        if (!h->trace->isOpen()) fail(h, std::string{"cannot open "} + path);
    });
#else
    (void)p;
    (void)path;
    return 1;
#endif
}

void trace_dump(void* p, uint64_t time) {
#if SLV_TRACE
    guarded(p, [&](Handle* h) {
        if (h->trace) h->trace->dump(time);
    });
#else
    (void)p;
    (void)time;
#endif
}

void trace_close(void* p) {
#if SLV_TRACE
    Handle* const h = static_cast<Handle*>(p);
    const Enter enter{h};
    if (h->trace) h->trace->close();
    h->trace.reset();
#else
    (void)p;
#endif
}

int coverage_write(void* p, const char* path) {
#if SLV_COVERAGE
    return guarded(p, [&](Handle* h) { h->context.coveragep()->write(path); });
#else
    (void)p;
    (void)path;
    return 1;
#endif
}

const SlvApi kApi = {
    kAbi,     (SLV_TRACE ? 1u : 0u) | (SLV_COVERAGE ? 2u : 0u),
    kPortCount, kPorts,         create,  destroy,  eval,       finalize,
    port_ptr, set_time,       messages, clear_messages, failure, finished, trace_open, trace_dump,
    trace_close, coverage_write,
};

}  // namespace

int slv_printf(const char* format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    const int length = std::vsnprintf(nullptr, 0, format, args);
    va_end(args);
    if (length > 0) {
        std::string text(static_cast<size_t>(length) + 1, '\0');
        std::vsnprintf(&text[0], text.size(), format, again);
        text.resize(static_cast<size_t>(length));
        if (!t_current) {
            std::fputs(text.c_str(), stderr);
        } else if (t_current->messages.size() < kMessageLimit) {
            t_current->messages += text;
        }
    }
    va_end(again);
    return length;
}

void vl_finish(const char*, int, const char*) { Verilated::threadContextp()->gotFinish(true); }

// Returns instead of throwing: a block built hierarchically calls this through C functions. The model stops at the end of
// the evaluation, and every check that failed in the same step has its text in the failure.
void vl_stop(const char* file, int line, const char*) {
    Verilated::threadContextp()->gotError(true);
    if (t_current) fail(t_current, t_current->messages.size() > t_current->messages_before ? "" : place(file, line, "$stop"));
}

// Verilator's own way out (no convergence, bad arguments): its callers do not expect a return.
void vl_fatal(const char* file, int line, const char*, const char* message) {
    Verilated::threadContextp()->gotError(true);
    if (t_current) fail(t_current, place(file, line, message));
    throw Fatal{};
}

extern "C" __attribute__((visibility("default"))) const SlvApi* slv_api() { return &kApi; }
