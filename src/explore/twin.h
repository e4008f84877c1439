/*
 * twin.h — a second run of the same case, in a process of its own, that must do the same.
 *
 * The worker forks its twin before it loads anything. The twin runs the case and sends every
 * event through a pipe; the worker compares as its own fire, so that the first difference is
 * found in the runs in which it happened, and nothing is stored. When both have ended, the
 * hashes of their records are compared too: what is judged may differ though no event does.
 *
 *   worker ──fork──▶ twin: loads, runs, sends events ──▶ sends its end ──▶ gone
 *      └─ loads, runs; each event is compared ◀── pipe ──┘
 *
 * A plain twin (--verify) is the same in everything. A shaken one (--shake) differs in all
 * that must not matter: Lua's hash seed, the arena's address, how often garbage is collected,
 * where the stack begins, and what fresh memory of the C library holds.
 */
#ifndef LZ_EXPLORE_TWIN_H
#define LZ_EXPLORE_TWIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "sim/sim.h"

enum lz_twin_kind { LZ_TWIN_NONE, LZ_TWIN_PLAIN, LZ_TWIN_SHAKEN };

/* How a run came to its end. */
struct lz_twin_end {
    uint64_t events, trace, record; /* `record`: the hash of what was judged and stored */
};

struct lz_twin;

/*
 * Fork. In the worker *out is the twin to compare with; in the twin it is the one to send to,
 * and lz_twin_is_self says so. False if there is no pipe or no process.
 */
bool lz_twin_begin(enum lz_twin_kind kind, struct lz_twin **out, struct lz_err *err) LZ_MUST_CHECK;
bool lz_twin_is_self(const struct lz_twin *twin);

/* Send, or compare, the events of a world that was just built. NULL: it could not be built. */
void lz_twin_watch(struct lz_twin *twin, struct lz_sim *sim);

/* The twin: say how it ended, and leave the process. */
_Noreturn void lz_twin_leave(struct lz_twin *twin, const struct lz_twin_end *end);

/*
 * The worker: wait for the twin. True if all was equal; else `what` is told what differed
 * first, in a few lines. Frees the twin.
 */
bool lz_twin_finish(struct lz_twin *twin, const struct lz_twin_end *end, struct lz_str *what);

#endif
