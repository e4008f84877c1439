/*
 * loop.h — the event loop of live runs: descriptors, timers, children, signals.
 *
 * One thread and one epoll instance. Whoever waits for something registers a function; the
 * loop calls it back, and nothing registered may take long, for all others wait meanwhile.
 * What a run's callbacks do wait for, some milliseconds on a machine at work: that a proxy's or
 * a carrier's process has carried a command out, which is a turn of its own loop (if it hangs, 5 s
 * at most, and it is ended); that a child is gone that was killed; answers of netlink.
 * Names are looked up before a run begins, and disks are waited for beside the loop (acts.h).
 *
 * Four things can be waited for:
 *
 *   descriptors  lz_loop_watch: readable, writable or both; level triggered, unless
 *                LZ_LOOP_EDGE is among the events. A watch is of the descriptor, one at most
 *                for each; watching again changes it. Unwatch before you close.
 *   timers       struct lz_loop_timer, inside the owner's own struct: arming and cancelling
 *                allocate nothing and cost O(log n). Times are CLOCK_MONOTONIC nanoseconds
 *                as lz_loop_now says; those in the past fire on the next turn.
 *   children     lz_loop_watch_child: when a child of this process has ended, with its wait
 *                status; the loop reaps that child (by pidfd) and no other.
 *   signals      lz_loop_watch_signal: SIGINT and the like as ordinary calls (signalfd). The
 *                signal is blocked meanwhile, and that is inherited: a forked child calls
 *                lz_loop_forked before it does anything else.
 *
 * A turn waits for news until the nearest timer, fires the timers that are due, in the order
 * of (time, armed first), then hands out descriptors. The clock is read twice a turn, after
 * the wait and before it; lz_loop_now is the last reading, so that a callback that looks
 * twice sees one time. For measuring, lz_loop_clock reads the real one.
 *
 * libcurl's multi_socket_action fits on it: CURLMOPT_SOCKETFUNCTION maps CURL_POLL_IN, OUT
 * and INOUT to lz_loop_watch, CURL_POLL_REMOVE to lz_loop_unwatch (which accepts a descriptor
 * that libcurl has closed already), and CURLMOPT_TIMERFUNCTION arms one timer.
 *
 * Invariants:
 *   (1) a callback may watch, unwatch, arm, cancel and stop anything, itself included; what
 *       it unwatches or cancels is not called any more, also not later in the same turn;
 *   (2) a timer armed from a timer's callback fires on the next turn at the earliest, so no
 *       timer can starve descriptors;
 *   (3) the loop owns no descriptor of others and frees no `ctx`.
 */
#ifndef LZ_LIVE_LOOP_H
#define LZ_LIVE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define LZ_LOOP_READ 1u
#define LZ_LOOP_WRITE 2u
#define LZ_LOOP_ERROR 4u  /* told, never asked for: an error, or both directions hung up */
#define LZ_LOOP_EDGE 8u   /* asked for: edge triggered */
#define LZ_LOOP_ENDED 16u /* told of edge triggered ones: the peer will send no more */

#define LZ_LOOP_NEVER INT64_MAX

struct lz_loop;

typedef void lz_loop_fd_fn(void *ctx, int fd, unsigned events);
typedef void lz_loop_timer_fn(void *ctx, int64_t now_ns);
typedef void lz_loop_child_fn(void *ctx, pid_t pid, int wait_status);
typedef void lz_loop_signal_fn(void *ctx, int signal);

/* All zero and `fn` set is ready for use. It must not move or die while armed. */
struct lz_loop_timer {
    lz_loop_timer_fn *fn;
    void *ctx;
    int64_t at_ns;
    uint64_t order;
    size_t place; /* in the heap, from 1; 0: not armed */
};

bool lz_loop_create(struct lz_loop **loop, struct lz_err *err) LZ_MUST_CHECK;

/* Forget everything, give the signals back. NULL is allowed. Children are left alone. */
void lz_loop_destroy(struct lz_loop *loop);

/* In a forked child, at once: signals as they were before the loop, its descriptors closed.
 * The loop is no use there any more, and its memory is not given back. */
void lz_loop_forked(struct lz_loop *loop);

/* --- time --- */

int64_t lz_loop_now(const struct lz_loop *loop);
int64_t lz_loop_clock(void); /* CLOCK_MONOTONIC, read now */

/* Arm or arm again, for another time. */
void lz_loop_arm(struct lz_loop *loop, struct lz_loop_timer *timer, int64_t at_ns);
void lz_loop_cancel(struct lz_loop *loop, struct lz_loop_timer *timer); /* also if not armed */
bool lz_loop_is_armed(const struct lz_loop_timer *timer);

/* --- descriptors, children, signals --- */

/* `events` of LZ_LOOP_READ, WRITE, EDGE; at least one of the first two, or 0 for errors only.
 * False when epoll refuses: a plain file, or more descriptors than the system has memory for. */
bool lz_loop_watch(struct lz_loop *loop, int fd, unsigned events, lz_loop_fd_fn *fn, void *ctx,
                   struct lz_err *err) LZ_MUST_CHECK;
void lz_loop_unwatch(struct lz_loop *loop, int fd); /* also if not watched */

/* Unwatch and close, in one call of the system. `fd` must be the only one of its kind: no dup,
 * no copy in a child. */
void lz_loop_close(struct lz_loop *loop, int fd);

/* Called once; `pid` is not a zombie any more then. False if it is no child of this process. */
bool lz_loop_watch_child(struct lz_loop *loop, pid_t pid, lz_loop_child_fn *fn, void *ctx,
                         struct lz_err *err) LZ_MUST_CHECK;
void lz_loop_unwatch_child(struct lz_loop *loop, pid_t pid); /* whoever calls reaps it */

bool lz_loop_watch_signal(struct lz_loop *loop, int signal, lz_loop_signal_fn *fn, void *ctx,
                          struct lz_err *err) LZ_MUST_CHECK;

/* --- running --- */

/* Called around each wait, by those who share what their callbacks touch with another thread's
 * loop: what is shared may be touched by others between `let_go` and `take`. */
struct lz_loop_turnstile {
    void (*let_go)(void *ctx);
    void (*take)(void *ctx);
    void *ctx;
};
void lz_loop_share(struct lz_loop *loop, const struct lz_loop_turnstile *turnstile);

/* One turn: wait for news, until `deadline_ns` at most, and hand it out. */
void lz_loop_turn(struct lz_loop *loop, int64_t deadline_ns);

/* Turns until lz_loop_stop or the deadline (LZ_LOOP_NEVER: none). True: it was stopped. */
bool lz_loop_run(struct lz_loop *loop, int64_t deadline_ns);
void lz_loop_stop(struct lz_loop *loop);

#endif
