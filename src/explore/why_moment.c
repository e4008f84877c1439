#include "explore/why_moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"
#include "explore/why_ask.h"
#include "explore/wire.h"
#include "model/node/instance.h"

// In the child: a run that is watched between two instants.
struct watching {
    const struct lz_why_opts *opts;
    int64_t from, to;
    bool wants_names; // of what fired, and not only when
    const struct lz_world *world;
    struct lz_str *message;
    uint64_t count;
    int64_t last;
};

struct reading {
    struct watching watching;
    struct lz_str message; // of the child
};

static void put_name(struct watching *w, const struct lz_event *e)
{
    char where[80] = "";
    if (e->entity >= 1 && e->entity <= lz_instance_count(w->world))
        lz_instance_describe(w->world, e->entity, where, sizeof(where));
    lz_wire_put_text(w->message, lz_sim_kind_name(w->world->sim, e->kind));
    lz_wire_put_text(w->message, where);
}

static void on_event(void *ctx, const struct lz_event *e)
{
    struct watching *w = ctx;
    if (e->at < w->from || e->at >= w->to || w->count > LZ_WHY_EVENTS_MAX)
        return;
    if (w->wants_names) {
        put_name(w, e);
        w->count++;
    } else if (w->count == 0 || e->at > w->last) {
        lz_wire_put_u64(w->message, (uint64_t)e->at);
        w->last = e->at;
        w->count++;
    }
}

static void watch(void *ctx, struct lz_sim *sim, const struct lz_world *world)
{
    struct watching *w = ctx;
    w->world = world;
    w->count = 0; // a run that took long is run again, counted
    lz_str_clear(w->message);
    lz_sim_watch(sim, on_event, w);
}

static void work(void *ctx, size_t job, struct lz_str *message)
{
    struct reading *r = ctx;
    struct watching w = r->watching;
    (void)job;
    w.message = message;
    struct lz_worker_run_opts opts = lz_why_again(w.opts);
    opts.watch = watch;
    opts.watch_ctx = &w;
    struct lz_str brief;
    lz_str_init(&brief);
    lz_worker_run(&opts, &brief);
    lz_str_finish(&brief);
    lz_wire_put_u64(message, UINT64_MAX); // the end
}

static bool done(void *ctx, size_t job, struct lz_crew_result *result)
{
    struct reading *r = ctx;
    (void)job;
    if (result->end == LZ_CREW_DONE)
        lz_str_add_n(&r->message, result->message.text, result->message.len);
    return true;
}

static bool read(struct reading *r, struct lz_err *err)
{
    int signal = 0;
    const struct lz_crew_opts crew = {
        .jobs = 1,
        .workers = 1,
        .timeout_ns = r->watching.opts->timeout_ns,
        .ctx = r,
        .work = work,
        .done = done,
    };
    lz_str_init(&r->message);
    return lz_crew_run(&crew, &signal, err);
}

bool lz_why_moment_instants(const struct lz_why_opts *opts, int64_t from, int64_t to,
                            int64_t **instants, size_t *count, struct lz_err *err)
{
    LZ_ASSERT(from < to);
    struct reading r = {.watching = {.opts = opts, .from = from, .to = to}};
    *instants = NULL;
    *count = 0;
    bool ok = read(&r, err);
    size_t size = r.message.len / sizeof(uint64_t);
    struct lz_wire in = {.at = r.message.text, .left = r.message.len};
    if (ok && size > 1 && size - 1 <= LZ_WHY_EVENTS_MAX) {
        *instants = lz_mem_alloc(size * sizeof(**instants));
        for (size_t i = 0; i + 1 < size && !in.broken; i++)
            (*instants)[(*count)++] = (int64_t)lz_wire_get_u64(&in);
    }
    lz_str_finish(&r.message);
    return ok;
}

bool lz_why_moment_fired(const struct lz_why_opts *opts, int64_t at, struct lz_why *out,
                         struct lz_err *err)
{
    struct reading r = {.watching = {.opts = opts, .from = at, .to = at + 1, .wants_names = true}};
    bool ok = read(&r, err);
    struct lz_wire in = {.at = r.message.text, .left = r.message.len};
    while (ok && !in.broken && in.left > sizeof(uint64_t)) {
        char *kind = lz_wire_get_text(&in), *where = lz_wire_get_text(&in);
        if (kind != NULL && where != NULL && out->fired_count < LZ_WHY_FIRED_MAX) {
            struct lz_why_event *e = &out->fired[out->fired_count++];
            snprintf(e->kind, sizeof(e->kind), "%s", kind);
            snprintf(e->where, sizeof(e->where), "%s", where);
        }
        out->fired_total += kind != NULL && where != NULL;
        free(kind);
        free(where);
    }
    lz_str_finish(&r.message);
    return ok;
}
