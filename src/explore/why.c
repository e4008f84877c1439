#include "explore/why.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "explore/why_ask.h"
#include "explore/why_draw.h"
#include "explore/why_moment.h"

static bool ask(const struct lz_why_opts *opts, struct lz_why *w, struct lz_why_point *point,
                struct lz_err *err)
{
    return lz_why_ask(opts, &(struct lz_why_question){.points = point, .count = 1}, &w->signal,
                      err);
}

// The index of the last point that is open; `count` if none is.
static size_t last_open(const struct lz_why *w)
{
    for (size_t i = w->count; i-- > 0;)
        if (lz_why_is_open(&w->points[i]))
            return i;
    return w->count;
}

static void find_step(struct lz_why *w, int64_t until)
{
    size_t i = last_open(w);
    w->has_step = i < w->count;
    if (!w->has_step)
        return;
    w->open = w->points[i].at;
    w->decided = i + 1 < w->count ? w->points[i + 1].at : until;
}

// The last instant of the run's own at which it was open still: what fired there decided.
static bool find_moment(const struct lz_why_opts *opts, struct lz_why *out, struct lz_err *err)
{
    int64_t *instants;
    size_t count;
    if (!lz_why_moment_instants(opts, out->open, out->decided, &instants, &count, err))
        return false;
    size_t low = 0, high = count; // open at `low`, decided at `high`
    bool ok = true;
    while (ok && out->signal == 0 && high - low > 1) {
        struct lz_why_point p = {.at = instants[low + (high - low) / 2]};
        ok = ask(opts, out, &p, err);
        if (lz_why_is_open(&p))
            low += (high - low) / 2;
        else
            high = low + (high - low) / 2;
    }
    out->has_moment = ok && out->signal == 0 && count > 0;
    if (out->has_moment) {
        out->moment = instants[low];
        ok = lz_why_moment_fired(opts, out->moment, out, err) && lz_why_draw_find(opts, out, err);
    }
    free(instants);
    return ok;
}

// Whether the world as it was built decided; if it did not, what is scheduled did.
static bool find_cause(const struct lz_why_opts *opts, struct lz_why *out, struct lz_err *err)
{
    out->moment = LZ_WHY_BUILT;
    if (!lz_why_draw_find(opts, out, err))
        return false;
    out->has_moment = out->together > 0;
    for (size_t i = 0; i < opts->faults && i < LZ_WHY_FAULTS_MAX; i++) {
        const struct lz_why_question q = {.points = &out->without[i], .count = 1, .without = i + 1};
        if (out->has_moment || out->signal != 0)
            break;
        out->without_count = i + 1;
        if (!lz_why_ask(opts, &q, &out->signal, err))
            return false;
    }
    return true;
}

bool lz_why_run(const struct lz_why_opts *opts, struct lz_why *out, struct lz_err *err)
{
    LZ_ASSERT(opts->until >= 0 && opts->futures > 0 && opts->workers >= 1);
    *out = (struct lz_why){0};
    for (size_t i = 0; i < LZ_WHY_INSTANTS; i++) {
        int64_t at = opts->until / LZ_WHY_INSTANTS * (int64_t)i;
        if (i == 0 || at > out->points[out->count - 1].at)
            out->points[out->count++].at = at;
    }
    const struct lz_why_question all = {.points = out->points, .count = out->count};
    if (!lz_why_ask(opts, &all, &out->signal, err))
        return false;
    find_step(out, opts->until);
    while (out->signal == 0 && out->has_step && out->decided - out->open > LZ_WHY_STEP_NS &&
           out->count < LZ_WHY_POINTS_MAX) {
        size_t at = last_open(out) + 1;
        memmove(&out->points[at + 1], &out->points[at], (out->count - at) * sizeof(out->points[0]));
        out->points[at] = (struct lz_why_point){.at = out->open + (out->decided - out->open) / 2};
        out->count++;
        if (!ask(opts, out, &out->points[at], err))
            return false;
        find_step(out, opts->until);
    }
    if (out->signal != 0)
        return true;
    if (!out->has_step)
        return find_cause(opts, out, err);
    return out->decided - out->open > LZ_WHY_STEP_NS || find_moment(opts, out, err);
}
