/*
 * io.c — what a request does on its server's disk, and its handler's own reads and writes.
 *
 * A service that declares `io` does so many reads, then writes, for each request, one after
 * another, when the CPU has done its part and before calls and handlers. A fraction is a chance:
 * 2.5 reads are two, and a third for every other request. With `flush` a last fsync makes the
 * writes durable. One that fails ends the request: 500.
 *
 * A disk that is neither declared nor disturbed takes no time, and no event.
 */
#include <math.h>

#include "base/check.h"
#include "model/node/disk.h"
#include "model/service/handler.h"
#include "model/service/service_state.h"

#define IO_MAX 1000.0

enum { COUNTER_READS, COUNTER_WRITES };

bool lz_io_declare(struct lz_world *w, struct lz_service *s, struct lz_err *err)
{
    const struct lz_io_opts *o = &s->opts.io;
    if (!(o->reads >= 0.0 && o->reads <= IO_MAX && o->writes >= 0.0 && o->writes <= IO_MAX))
        return lz_fail(err, LZ_ERANGE,
                       "io: reads and writes must be between 0 and %g, got %g and %g", IO_MAX,
                       o->reads, o->writes);
    s->does_io = o->reads + o->writes > 0.0;
    if (s->does_io)
        lz_disk_serves(w, s->id);
    return true;
}

static uint32_t count(struct lz_world *w, const struct lz_task *t, double mean, uint64_t counter)
{
    double whole = floor(mean);
    if (!(mean > whole))
        return (uint32_t)whole;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(t->path, counter), LZ_PURPOSE_DISK, 0);
    return (uint32_t)whole + (lz_draw_unit(&draw) < mean - whole);
}

// What is left to do, in the task's scratch: reads, writes, the flush, and how many were done.
static void pack(struct lz_task *t, uint32_t reads, uint32_t writes, bool flush, uint32_t done)
{
    t->rest_ns =
        (lz_time)((uint64_t)done << 32 | (uint64_t)flush << 31 | (uint64_t)writes << 15 | reads);
}

static void ask(struct lz_world *w, struct lz_task *t, enum lz_disk_op op, uint32_t nth)
{
    lz_disk_start(w, t->server,
                  &(struct lz_disk_request){.op = op,
                                            .is_bare = op == LZ_DISK_FSYNC,
                                            .owner = lz_draw_index(t->path, 1 + nth),
                                            .done = w->services->io_done,
                                            .failed = w->services->io_failed,
                                            .payload = lz_pool_id(t)});
}

// The next operation; false if all are done.
static bool next(struct lz_world *w, struct lz_task *t)
{
    uint64_t left = (uint64_t)t->rest_ns;
    uint32_t reads = left & 0x7fff, writes = left >> 15 & 0xffff, done = (uint32_t)(left >> 32);
    bool flush = left >> 31 & 1;
    if (reads > 0) {
        pack(t, reads - 1, writes, flush, done + 1);
        ask(w, t, LZ_DISK_READ, done);
    } else if (writes > 0) {
        pack(t, reads, writes - 1, flush, done + 1);
        ask(w, t, LZ_DISK_WRITE, done);
    } else if (flush) {
        pack(t, reads, writes, false, done + 1);
        ask(w, t, LZ_DISK_FSYNC, done);
    } else {
        t->rest_ns = 0;
        return false;
    }
    return true;
}

// The task whose operation has ended, if its request is still served.
static struct lz_task *served(struct lz_world *w, lz_instance_id at, lz_kind kind, uint64_t task)
{
    struct lz_task *t = lz_task_find(w, task);
    bool is_live = t != NULL && t->state == LZ_TASK_WORKING;
    return is_live && !lz_instance_defer(w, at, kind, task) ? t : NULL;
}

static void on_done(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = served(w, entity, w->services->io_done, payload);
    if (t == NULL)
        return;
    if (t->handler != 0)
        w->services->script.woken(w->services->script.ctx, payload);
    else if (!next(w, t))
        lz_serve_go_on(w, t);
}

static void on_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = served(w, entity, w->services->io_failed, payload);
    if (t == NULL)
        return;
    if (t->handler == 0) {
        lz_serve_finish(w, t, LZ_OUTCOME_ERROR, 500);
        return;
    }
    t->rest_ns = -1; // until the handler has asked
    w->services->script.woken(w->services->script.ctx, payload);
}

// Worlds without such work keep the kinds of event that they had.
static void know_kinds(struct lz_world *w)
{
    if (w->services->io_done != 0)
        return;
    w->services->io_done = lz_sim_kind(w->sim, "io", on_done, w);
    w->services->io_failed = lz_sim_kind(w->sim, "io.failed", on_failed, w);
}

bool lz_io_begin(struct lz_world *w, struct lz_task *t)
{
    const struct lz_io_opts *o = &lz_service_of(w, t)->opts.io;
    if (!lz_disk_is_felt(w, t->server))
        return false;
    know_kinds(w);
    uint32_t reads = count(w, t, o->reads, COUNTER_READS);
    uint32_t writes = count(w, t, o->writes, COUNTER_WRITES);
    pack(t, reads, writes, o->flush && writes > 0, 0);
    return next(w, t);
}

bool lz_handler_disk(struct lz_world *w, lz_task_id task, enum lz_disk_op op)
{
    struct lz_task *t = lz_task_find(w, task);
    LZ_ASSERT(t != NULL && t->state == LZ_TASK_WORKING);
    if (!lz_disk_is_felt(w, t->server))
        return false;
    know_kinds(w);
    t->rest_ns = 0;
    ask(w, t, op, t->step++);
    return true;
}

bool lz_handler_disk_failed(const struct lz_world *w, lz_task_id task)
{
    struct lz_task *t = lz_task_find(w, task);
    LZ_ASSERT(t != NULL && t->state == LZ_TASK_WORKING);
    bool failed = t->rest_ns < 0;
    t->rest_ns = 0;
    return failed;
}
