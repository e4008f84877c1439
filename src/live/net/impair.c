#include "live/net/impair.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define NS_PER_S 1e9

// A toxic in force, and what it remembers of each direction.
struct active {
    struct active *next;
    struct lz_toxic t;
    uint64_t owner;
    uint32_t slot;
    uint64_t count[2]; // packets so far
    struct lz_loss_state loss[2];
    struct lz_toxic_delays delays;
};

struct way {
    uint64_t path;
    struct active *active;      // in the order in which they came
    int64_t last_release_ns[2]; // of those whose order is kept
};

// A line of limited rate: when what it has been given is through.
struct line {
    int64_t busy_ns[2];
};

struct lz_impair {
    struct lz_impair_opts opts;
    struct line lines[LZ_IMPAIR_TOXICS_MAX];
    struct way *ways;
};

struct lz_impair *lz_impair_create(const struct lz_impair_opts *opts)
{
    LZ_ASSERT(opts->touch != NULL);
    struct lz_impair *im = lz_mem_alloc(sizeof(*im));
    memset(im, 0, sizeof(*im));
    im->opts = *opts;
    im->ways = lz_mem_alloc((opts->way_count + 1) * sizeof(im->ways[0]));
    memset(im->ways, 0, (opts->way_count + 1) * sizeof(im->ways[0]));
    return im;
}

void lz_impair_destroy(struct lz_impair *im)
{
    if (im == NULL)
        return;
    for (uint32_t i = 0; i < im->opts.way_count; i++)
        while (im->ways[i].active != NULL)
            lz_impair_remove(im, i, im->ways[i].active->slot);
    free(im->ways);
    free(im);
}

// ---------------------------------------------------------------- coming and going

static struct way *way_of(const struct lz_impair *im, uint32_t way)
{
    LZ_ASSERT(way < im->opts.way_count);
    return &im->ways[way];
}

static struct active **find(struct way *w, uint32_t slot)
{
    struct active **at = &w->active;
    while (*at != NULL && (*at)->slot != slot)
        at = &(*at)->next;
    return at;
}

void lz_impair_name(struct lz_impair *im, uint32_t way, const char *name)
{
    struct way *w = way_of(im, way);
    LZ_ASSERT(w->active == NULL);
    w->path = lz_draw_name(0, name);
}

void lz_impair_add(struct lz_impair *im, uint32_t way, uint32_t slot, const struct lz_toxic *t)
{
    struct way *w = way_of(im, way);
    struct active **at = find(w, slot);
    LZ_ASSERT(slot < LZ_IMPAIR_TOXICS_MAX);
    LZ_ASSERT(*at == NULL);
    struct active *a = lz_mem_alloc(sizeof(*a));
    memset(a, 0, sizeof(*a));
    a->t = *t;
    a->slot = slot;
    a->owner = lz_draw_index(w->path, t->owner);
    *at = a;
    im->lines[slot] = (struct line){0};
}

void lz_impair_change(struct lz_impair *im, uint32_t way, uint32_t slot, const struct lz_toxic *t)
{
    struct active *a = *find(way_of(im, way), slot);
    LZ_ASSERT(a != NULL);
    LZ_ASSERT(a->t.kind == t->kind);
    a->t = *t;
}

void lz_impair_remove(struct lz_impair *im, uint32_t way, uint32_t slot)
{
    struct active **at = find(way_of(im, way), slot);
    LZ_ASSERT(*at != NULL);
    struct active *gone = *at;
    *at = gone->next;
    free(gone);
}

bool lz_impair_is_idle(const struct lz_impair *im, uint32_t way)
{
    return way_of(im, way)->active == NULL;
}

// ---------------------------------------------------------------- one packet

static bool is_on(const struct active *a, int d)
{
    unsigned bit = d == LZ_IMPAIR_UP ? LZ_TOXIC_UP : LZ_TOXIC_DOWN;
    return a->t.directions == 0 || (a->t.directions & bit) != 0;
}

// When its last byte is through; -1: it would make too much wait, and is dropped.
static int64_t through(struct lz_impair *im, const struct active *a,
                       const struct lz_impair_packet *p)
{
    uint32_t index = a->t.line > 0 ? a->t.line - 1 : a->slot;
    struct line *line = &im->lines[index % LZ_IMPAIR_TOXICS_MAX];
    int64_t *busy = &line->busy_ns[p->direction];
    int64_t from = *busy > p->now_ns ? *busy : p->now_ns;
    double waiting = (double)(from - p->now_ns) / NS_PER_S * a->t.rate;
    double buffer = a->t.buffer > 0 ? (double)a->t.buffer : LZ_IMPAIR_BUFFER;
    LZ_ASSERT(a->t.rate > 0.0);
    if (waiting > 0.0 && waiting + (double)p->size > buffer)
        return -1;
    *busy = from + (int64_t)((double)p->size / a->t.rate * NS_PER_S);
    return *busy;
}

// What one toxic adds to a packet's fate; `later` is what reorders it.
static void strike(struct lz_impair *im, struct active *a, const struct lz_impair_packet *p,
                   struct lz_impair_fate *f, int64_t *later)
{
    int d = (int)p->direction;
    struct lz_draw draw =
        lz_draw_begin(im->opts.run_key, a->owner,
                      d == LZ_IMPAIR_UP ? LZ_PURPOSE_NET_OUT : LZ_PURPOSE_NET_BACK, a->count[d]++);
    bool strikes = lz_toxic_strikes(a->t.kind);
    uint64_t touched = 1;
    if (strikes && !lz_loss_next(&a->t.loss, &a->loss[d], &draw))
        return;
    if (a->t.kind == LZ_TOXIC_LATENCY && a->t.ratio > 0.0) {
        struct lz_draw choice = lz_draw_begin(im->opts.run_key, a->owner, LZ_PURPOSE_FILTER,
                                              2 * (a->count[d] - 1) + (uint64_t)d);
        if (!lz_toxic_delays(&a->t, &choice))
            return;
    }
    if (a->t.kind == LZ_TOXIC_LATENCY) {
        f->release_ns += lz_toxic_delay(&a->t, &a->delays, d, &draw);
    } else if (a->t.kind == LZ_TOXIC_BANDWIDTH) {
        int64_t at = through(im, a, p);
        f->is_dropped = at < 0;
        f->release_ns += at < 0 ? 0 : at - p->now_ns;
        touched = p->size;
    } else if (a->t.kind == LZ_TOXIC_DUPLICATE) {
        f->copies++;
    } else if (a->t.kind == LZ_TOXIC_REORDER) {
        *later += a->t.after_ns;
    } else if (a->t.kind == LZ_TOXIC_CORRUPT) {
        f->is_corrupt = true;
        f->bits = lz_draw_u64(&draw);
    } else {
        LZ_ASSERT(a->t.kind == LZ_TOXIC_CUT || a->t.kind == LZ_TOXIC_STALL);
        f->is_dropped = true;
    }
    im->opts.touch(im->opts.ctx, a->slot, touched);
}

struct lz_impair_fate lz_impair_decide(struct lz_impair *im, const struct lz_impair_packet *p)
{
    struct way *w = way_of(im, p->way);
    struct lz_impair_fate f = {.release_ns = p->now_ns};
    int64_t later = 0, *last = &w->last_release_ns[p->direction];
    for (struct active *a = w->active; a != NULL && !f.is_dropped; a = a->next)
        if (is_on(a, (int)p->direction))
            strike(im, a, p, &f, &later);
    if (f.is_dropped)
        return f;
    f.release_ns = f.release_ns > *last ? f.release_ns : *last;
    if (later == 0)
        *last = f.release_ns;
    f.release_ns += later;
    LZ_ASSERT(f.release_ns >= p->now_ns);
    return f;
}
