#include "explore/why_draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "explore/crew.h"
#include "explore/why_ask.h"
#include "explore/why_paths.h"
#include "explore/wire.h"

#define NUMBERS_MAX 3 // that are told of a draw
#define LATEST 8      // draws that may be under way at once

struct number {
    bool is_time;
    int64_t ns;
    double unit;
};

struct drawn {
    struct lz_draw_watch_id id;
    char owner[sizeof(((struct lz_why_draw *)0)->owner)];
    struct number numbers[NUMBERS_MAX];
    size_t number_count, told_count; // told: by a distribution, of the first numbers
    bool is_over;                    // it was begun once more, and is the same again
};

// In the child: a run whose draws at an instant are written down.
struct listing {
    const struct lz_why_opts *opts;
    int64_t at;
    struct lz_why_clock clock;
    const struct lz_world *world;
    struct lz_why_paths *paths;
    struct drawn *all;
    size_t count, latest; // latest: the one that yielded the last number
};

static bool is_same(const struct lz_draw_watch_id *a, const struct lz_draw_watch_id *b)
{
    return a->owner == b->owner && a->purpose == b->purpose && a->counter == b->counter;
}

static void on_owner(void *ctx, const struct lz_draw_watch_owner *owner)
{
    struct listing *l = ctx;
    lz_why_paths_add(l->paths, owner, l->clock.now == NULL);
}

static uint64_t on_key(void *ctx, const struct lz_draw_watch_id *id, uint64_t key)
{
    struct listing *l = ctx;
    if (!lz_why_clock_is_at(&l->clock, l->at) || l->count > LZ_WHY_DRAWS_MAX)
        return key;
    for (size_t i = 0; i < l->count; i++) {
        if (!is_same(&l->all[i].id, id))
            continue;
        l->all[i].is_over = true; // its numbers are known
        return key;
    }
    struct drawn *d = &l->all[l->count++];
    struct lz_str owner;
    *d = (struct drawn){.id = *id};
    lz_str_init(&owner);
    lz_why_paths_write(l->paths, l->world, id->owner, &owner);
    snprintf(d->owner, sizeof(d->owner), "%s", owner.text);
    lz_str_finish(&owner);
    return key;
}

static void on_number(void *ctx, const struct lz_draw_watch_id *id, uint64_t bits)
{
    struct listing *l = ctx;
    l->latest = SIZE_MAX;
    for (size_t i = l->count; i > 0 && l->count - i < LATEST; i--) {
        struct drawn *d = &l->all[i - 1];
        if (!is_same(&d->id, id) || d->is_over)
            continue;
        l->latest = i - 1;
        if (d->number_count < NUMBERS_MAX)
            d->numbers[d->number_count++].unit = (double)(bits >> 11) * 0x1p-53;
        return;
    }
}

// What the numbers since the last one came to: one duration in the place of them.
static void on_duration(void *ctx, int64_t ns)
{
    struct listing *l = ctx;
    if (l->latest >= l->count)
        return;
    struct drawn *d = &l->all[l->latest];
    if (d->told_count == d->number_count)
        return;
    d->numbers[d->told_count++] = (struct number){.is_time = true, .ns = ns};
    d->number_count = d->told_count;
}

static void prepare(void *ctx)
{
    struct listing *l = ctx;
    l->clock.now = NULL;
    l->world = NULL;
    l->count = 0;
    l->latest = SIZE_MAX;
}

static void begin(void *ctx, struct lz_sim *sim, const struct lz_world *world)
{
    struct listing *l = ctx;
    l->clock.now = lz_sim_clock(sim);
    l->world = world;
}

static void put(const struct drawn *d, struct lz_str *message)
{
    struct lz_str value;
    lz_str_init(&value);
    for (size_t i = 0; i < d->number_count; i++) {
        char text[40];
        const struct number *n = &d->numbers[i];
        lz_str_add(&value, i > 0 ? ", " : "");
        if (n->is_time)
            lz_str_add(&value, lz_format_duration(text, sizeof(text), n->ns));
        else
            lz_str_addf(&value, "%.4g", n->unit);
    }
    lz_wire_put_u64(message, d->id.owner);
    lz_wire_put_u64(message, d->id.purpose);
    lz_wire_put_u64(message, d->id.counter);
    lz_wire_put_text(message, d->owner);
    lz_wire_put_text(message, value.text);
    lz_str_finish(&value);
}

static void work(void *ctx, size_t job, struct lz_str *message)
{
    struct listing l = *(const struct listing *)ctx;
    (void)job;
    l.all = lz_mem_alloc((LZ_WHY_DRAWS_MAX + 1) * sizeof(*l.all));
    l.paths = lz_why_paths_create();
    const struct lz_draw_watch watch = {
        .ctx = &l, .owner = on_owner, .key = on_key, .number = on_number, .duration = on_duration};
    struct lz_worker_run_opts opts = lz_why_again(l.opts);
    opts.prepare = prepare;
    opts.watch = begin;
    opts.watch_ctx = &l;
    struct lz_str brief;
    lz_str_init(&brief);
    lz_draw_watch_now = &watch;
    lz_worker_run(&opts, &brief);
    lz_draw_watch_now = NULL;
    lz_wire_put_u64(message, l.count);
    for (size_t i = 0; i < l.count; i++)
        put(&l.all[i], message);
    lz_str_finish(&brief);
    lz_why_paths_destroy(l.paths);
    free(l.all);
}

// In the parent: the draws of the instant, in the order they were made.
struct draws {
    size_t count;
    struct lz_draw_watch_id *ids;
    struct lz_why_draw *told;
};

static void take(struct draws *draws, struct lz_wire *in)
{
    size_t count = (size_t)lz_wire_get_u64(in);
    if (in->broken || count == 0 || count > LZ_WHY_DRAWS_MAX)
        return;
    draws->ids = lz_mem_alloc(count * sizeof(*draws->ids));
    draws->told = lz_mem_alloc(count * sizeof(*draws->told));
    for (size_t i = 0; i < count && !in->broken; i++) {
        struct lz_draw_watch_id id = {.owner = lz_wire_get_u64(in)};
        id.purpose = (unsigned)lz_wire_get_u64(in);
        id.counter = lz_wire_get_u64(in);
        char *owner = lz_wire_get_text(in), *value = lz_wire_get_text(in);
        struct lz_why_draw told = {.counter = id.counter};
        snprintf(told.owner, sizeof(told.owner), "%s", owner != NULL ? owner : "");
        snprintf(told.value, sizeof(told.value), "%s", value != NULL ? value : "");
        snprintf(told.purpose, sizeof(told.purpose), "%s", lz_draw_watch_purpose(id.purpose));
        draws->ids[draws->count] = id;
        draws->told[draws->count++] = told;
        free(owner);
        free(value);
    }
}

struct reading {
    struct listing listing;
    struct draws draws;
};

static void read_in_child(void *ctx, size_t job, struct lz_str *message)
{
    work(&((struct reading *)ctx)->listing, job, message);
}

static bool read_done(void *ctx, size_t job, struct lz_crew_result *result)
{
    struct lz_wire in = {.at = result->message.text, .left = result->message.len};
    (void)job;
    if (result->end == LZ_CREW_DONE)
        take(&((struct reading *)ctx)->draws, &in);
    return true;
}

static bool list(const struct lz_why_opts *opts, int64_t at, struct reading *out, int *signal,
                 struct lz_err *err)
{
    *out = (struct reading){.listing = {.opts = opts, .at = at}};
    const struct lz_crew_opts crew = {
        .jobs = 1,
        .workers = 1,
        .timeout_ns = opts->timeout_ns,
        .ctx = out,
        .work = read_in_child,
        .done = read_done,
    };
    return lz_crew_run(&crew, signal, err);
}

// ---------------------------------------------------------------- which

struct seeking {
    const struct lz_why_opts *opts;
    const struct draws *draws;
    int64_t at; // of the draws
    int *signal;
};

// The draws from `first` on made anew, and all chance after their instant.
static bool try_some(const struct seeking *s, size_t first, size_t count, struct lz_why_point *out,
                     struct lz_err *err)
{
    const struct lz_why_anew anew = {.at = s->at, .ids = s->draws->ids + first, .count = count};
    *out = (struct lz_why_point){.at = s->at + 1};
    const struct lz_why_question q = {.points = out, .count = 1, .anew = &anew};
    return lz_why_ask(s->opts, &q, s->signal, err);
}

// Of two halves the one that leaves more open; neither: they decided together.
static bool seek(const struct seeking *s, struct lz_why *out, struct lz_err *err)
{
    size_t first = 0, count = s->draws->count;
    struct lz_why_point all, halves[2];
    if (!try_some(s, first, count, &all, err))
        return false;
    if (!lz_why_is_open(&all))
        return true;
    while (count > 1 && *s->signal == 0) {
        size_t half = count / 2;
        if (!try_some(s, first, half, &halves[0], err) ||
            !try_some(s, first + half, count - half, &halves[1], err))
            return false;
        bool is_second =
            halves[1].failed * halves[0].futures < halves[0].failed * halves[1].futures;
        if (!lz_why_is_open(&halves[is_second]))
            break;
        all = halves[is_second];
        first += is_second ? half : 0;
        count = is_second ? count - half : half;
    }
    if (*s->signal != 0)
        return true;
    out->together = count;
    out->draw = s->draws->told[first];
    out->draw.anew = all;
    return true;
}

bool lz_why_draw_find(const struct lz_why_opts *opts, struct lz_why *out, struct lz_err *err)
{
    struct reading r;
    LZ_ASSERT(out->moment >= LZ_WHY_BUILT);
    bool ok = list(opts, out->moment, &r, &out->signal, err);
    const struct seeking s = {opts, &r.draws, out->moment, &out->signal};
    out->draws = r.draws.count;
    if (ok && out->signal == 0 && r.draws.count > 0)
        ok = seek(&s, out, err);
    free(r.draws.ids);
    free(r.draws.told);
    return ok;
}
