/*
 * command.h — one program, run to its end on the event loop, and what it said.
 *
 * It gets no shell, /dev/null to read from, and a process group of its own, which is killed when
 * its time is up or it is stopped; it dies with Lorenz (PR_SET_PDEATHSIG). Both its output
 * streams are read together, unless stderr is not wanted; what exceeds `keep` is read and dropped,
 * so nothing waits in a pipe. LORENZ_LIVE_RUN in its environment names the run it belongs to.
 */
#ifndef LZ_LIVE_PROBE_COMMAND_H
#define LZ_LIVE_PROBE_COMMAND_H

#include "live/loop.h"

enum lz_command_end {
    LZ_COMMAND_EXITED,    /* code is its status */
    LZ_COMMAND_SIGNALLED, /* code is the signal */
    LZ_COMMAND_TIMEOUT,   /* it was killed */
    LZ_COMMAND_UNSTARTED, /* code is an errno */
};

struct lz_command_result {
    enum lz_command_end end;
    int code;
    const char *output; /* NUL-terminated */
    size_t size;
};
typedef void lz_command_fn(void *ctx, const struct lz_command_result *result);

struct lz_command_opts {
    const char *const *argv; /* ends with NULL */
    const char *run;         /* LORENZ_LIVE_RUN; NULL: not set */
    const char *cwd;         /* NULL: Lorenz's own */
    int net_fd;              /* the network namespace that it is in; 0: ours */
    size_t keep;
    bool drops_stderr; /* what it says there is not of its output */
    int64_t timeout_ns;
};

struct lz_command;

/* `fn` is called once, later, and the command is gone by then. Texts need not outlive the call. */
struct lz_command *lz_command_start(struct lz_loop *loop, const struct lz_command_opts *opts,
                                    lz_command_fn *fn, void *ctx);
void lz_command_stop(struct lz_command *command); /* `fn` is not called any more */

#endif
