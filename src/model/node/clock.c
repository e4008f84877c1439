#include "model/node/clock.h"

#include <math.h>

#include "base/check.h"
#include "base/grow.h"

struct error {
    lz_host_id host; // 0: a free place
    lz_time since;
    struct lz_clock_error e;
};

struct lz_clocks {
    struct error *errors;
    uint32_t count, cap;
    uint64_t declared_reads; // of clocks that are wrong as they were declared
};

static uint32_t add(struct lz_world *w, lz_host_id host, const struct lz_clock_error *e)
{
    struct lz_clocks *cs = w->clocks;
    uint32_t at = 0;
    while (at < cs->count && cs->errors[at].host != 0)
        at++;
    cs->errors = lz_grow(w->arena, cs->errors, &cs->cap, at + 1, sizeof(*cs->errors));
    if (at == cs->count)
        cs->count++;
    cs->errors[at] = (struct error){.host = host, .since = lz_sim_now(w->sim), .e = *e};
    return at + 1;
}

bool lz_clock_declare(struct lz_world *w, lz_host_id host, const struct lz_clock_opts *opts,
                      struct lz_err *err)
{
    if (!(fabs(opts->ppm) <= LZ_CLOCK_PPM_MAX))
        return lz_fail(err, LZ_ERANGE, "clock: ppm must be between -1e6 and 1e6, got %g",
                       opts->ppm);
    add(w, host,
        &(struct lz_clock_error){
            .offset = opts->offset, .ppm = opts->ppm, .reads = &w->clocks->declared_reads});
    return true;
}

lz_time lz_clock_read(struct lz_world *w, lz_instance_id id)
{
    lz_time now = lz_sim_now(w->sim), reading = now;
    lz_host_id host = lz_instance_get(w, id)->host;
    for (uint32_t i = 0; i < w->clocks->count; i++) {
        const struct error *x = &w->clocks->errors[i];
        if (x->host != host)
            continue;
        reading += x->e.offset + (lz_time)floor(x->e.ppm * 1e-6 * (double)(now - x->since) + 0.5);
        (*x->e.reads)++;
    }
    return reading > 0 ? reading : 0;
}

uint32_t lz_clock_disturb(struct lz_world *w, lz_instance_id id, const struct lz_clock_error *error)
{
    LZ_ASSERT(error->reads != NULL);
    return add(w, lz_instance_get(w, id)->host, error);
}

void lz_clock_undo(struct lz_world *w, uint32_t id)
{
    LZ_ASSERT(id >= 1 && id <= w->clocks->count);
    LZ_ASSERT(w->clocks->errors[id - 1].host != 0);
    w->clocks->errors[id - 1].host = 0;
}

void lz_clocks_init(struct lz_world *w)
{
    w->clocks = lz_arena_alloc(w->arena, sizeof(*w->clocks));
}
