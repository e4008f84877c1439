#include "model/service/filter.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/node/instance.h"
#include "model/value.h"

enum { COUNTER_RATIO, COUNTER_DELAY };

struct filter {
    struct lz_filter f;
    lz_instance_id *at;
    uint32_t count;
    uint32_t seen, used; // requests that matched; that were touched
    bool is_active;
};

// Filters at an instance, in the order they were added.
struct at_instance {
    uint32_t *ids;
    uint32_t count, cap;
};

struct lz_filters {
    struct filter *all; // 1 ..; places are reused
    uint32_t count, cap, active;
    struct at_instance *at; // by instance
    uint32_t at_cap;
};

void lz_filters_init(struct lz_world *w)
{
    w->filters = lz_arena_alloc(w->arena, sizeof(*w->filters));
}

uint32_t lz_filter_add(struct lz_world *w, const struct lz_filter *f, const lz_instance_id *at,
                       uint32_t count)
{
    struct lz_filters *fs = w->filters;
    LZ_ASSERT(f->touched != NULL);
    LZ_ASSERT(f->ratio > 0.0 && f->ratio <= 1.0);
    uint32_t id = 1;
    while (id <= fs->count && fs->all[id].is_active)
        id++;
    fs->all = lz_grow(w->arena, fs->all, &fs->cap, id + 1, sizeof(*fs->all));
    if (id > fs->count)
        fs->count = id;
    lz_instance_id *own = lz_arena_alloc(w->arena, (count + 1) * sizeof(*own));
    memcpy(own, at, count * sizeof(*own));
    fs->all[id] = (struct filter){.f = *f, .at = own, .count = count, .is_active = true};
    fs->at = lz_grow(w->arena, fs->at, &fs->at_cap, lz_instance_count(w) + 1, sizeof(*fs->at));
    for (uint32_t i = 0; i < count; i++) {
        struct at_instance *a = &fs->at[at[i]];
        a->ids = lz_grow(w->arena, a->ids, &a->cap, a->count + 1, sizeof(*a->ids));
        a->ids[a->count++] = id;
    }
    fs->active++;
    lz_world_has(w, LZ_UNUSUAL_FILTERS);
    return id;
}

static void take_away(struct at_instance *a, uint32_t id)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->ids[i] != id)
            a->ids[kept++] = a->ids[i];
    LZ_ASSERT(kept + 1 == a->count);
    a->count = kept;
}

void lz_filter_remove(struct lz_world *w, uint32_t id)
{
    struct lz_filters *fs = w->filters;
    LZ_ASSERT(id >= 1 && id <= fs->count && fs->all[id].is_active);
    struct filter *f = &fs->all[id];
    for (uint32_t i = 0; i < f->count; i++)
        take_away(&fs->at[f->at[i]], id);
    lz_arena_free(w->arena, f->at, (f->count + 1) * sizeof(*f->at));
    f->is_active = false;
    if (--fs->active == 0)
        w->unusual &= ~(uint32_t)LZ_UNUSUAL_FILTERS;
}

void lz_filter_set_limit(struct lz_world *w, uint32_t id, double rate, double burst)
{
    struct lz_filters *fs = w->filters;
    LZ_ASSERT(id >= 1 && id <= fs->count && fs->all[id].is_active);
    LZ_ASSERT(fs->all[id].f.act == LZ_FILTER_LIMIT);
    lz_limit_set(&fs->all[id].f.limit, rate, burst, lz_sim_now(w->sim));
}

// ---------------------------------------------------------------- matching

// The end of the method in "GET /x": upper-case letters before a space; 0 if there is none.
static size_t method_len(const char *op)
{
    size_t n = 0;
    while (op[n] >= 'A' && op[n] <= 'Z')
        n++;
    return op[n] == ' ' ? n : 0;
}

bool lz_filter_matches(const char *op, const char *method, const char *path)
{
    size_t n = method_len(op);
    if (method != NULL && (strlen(method) != n || strncmp(op, method, n) != 0))
        return false;
    if (path == NULL)
        return true;
    const char *of = n > 0 ? op + n + 1 : op;
    size_t len = strlen(path);
    if (len > 0 && path[len - 1] == '*')
        return strncmp(of, path, len - 1) == 0;
    return strcmp(of, path) == 0;
}

static bool is_drawn(struct lz_world *w, const struct lz_filter *f, const struct lz_task *t)
{
    if (!(f->ratio < 1.0))
        return true;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_hash_mix(t->path, f->owner),
                                        LZ_PURPOSE_FILTER, COUNTER_RATIO);
    return lz_draw_unit(&draw) < f->ratio;
}

// Is it this request's turn? Counts it as seen, and not yet as touched.
static bool selects(struct lz_world *w, struct filter *one, const struct lz_task *t)
{
    const struct lz_filter *f = &one->f;
    if (f->first > 0 && one->used >= f->first)
        return false;
    bool has_pattern = f->method != NULL || f->path != NULL;
    if (has_pattern && !lz_filter_matches(lz_call_op_name(w, t->op), f->method, f->path))
        return false;
    one->seen++;
    if (f->nth > 1 && one->seen % f->nth != 0)
        return false;
    return is_drawn(w, f, t);
}

static void touch(struct lz_world *w, struct filter *one)
{
    one->used++;
    (*one->f.touched)++;
    if (one->f.series != 0)
        lz_metrics_add(w->metrics, one->f.series, 1);
}

static const struct at_instance *filters_at(const struct lz_world *w, lz_instance_id i)
{
    static const struct at_instance none = {0};
    return i < w->filters->at_cap ? &w->filters->at[i] : &none;
}

// ---------------------------------------------------------------- a request's way

static lz_time draw_delay(struct lz_world *w, const struct lz_filter *f, const struct lz_task *t)
{
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_hash_mix(t->path, f->owner),
                                        LZ_PURPOSE_FILTER, COUNTER_DELAY);
    return lz_dist_time(&f->add, &draw);
}

lz_time lz_filter_delay(struct lz_world *w, const struct lz_task *t)
{
    const struct at_instance *a = filters_at(w, t->server);
    lz_time delay = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        struct filter *one = &w->filters->all[a->ids[i]];
        if (one->f.act != LZ_FILTER_DELAY || !selects(w, one, t))
            continue;
        delay += draw_delay(w, &one->f, t);
        touch(w, one);
    }
    return delay;
}

// It has passed; of several that hold it back the one that does so longest decides.
static void pass(struct lz_world *w, const struct filter *one, struct lz_filter_verdict *v)
{
    lz_time wait = lz_limit_wait(&one->f.limit);
    if (wait == 0)
        return;
    v->wait = wait > v->wait ? wait : v->wait;
    if (one->f.held != 0)
        lz_metrics_add(w->metrics, one->f.held, 1);
}

struct lz_filter_verdict lz_filter_judge(struct lz_world *w, const struct lz_task *t)
{
    const struct at_instance *a = filters_at(w, t->server);
    struct lz_filter_verdict v = {.outcome = LZ_OUTCOME_PENDING};
    for (uint32_t i = 0; i < a->count; i++) {
        struct filter *one = &w->filters->all[a->ids[i]];
        bool may = one->f.act == LZ_FILTER_ABORT || one->f.act == LZ_FILTER_LIMIT;
        if (!may || !selects(w, one, t))
            continue;
        if (one->f.act == LZ_FILTER_LIMIT && lz_limit_take(&one->f.limit, lz_sim_now(w->sim))) {
            pass(w, one, &v);
            continue;
        }
        touch(w, one);
        return (struct lz_filter_verdict){
            .outcome = one->f.outcome, .status = one->f.status, .is_fault = one->f.is_fault};
    }
    return v;
}

lz_time lz_filter_answer(struct lz_world *w, struct lz_task *t, enum lz_outcome *outcome,
                         uint16_t *status)
{
    const struct at_instance *a = filters_at(w, t->server);
    lz_time held = 0;
    for (uint32_t i = 0; i < a->count && *outcome != LZ_OUTCOME_RESET; i++) {
        struct filter *one = &w->filters->all[a->ids[i]];
        bool is_meant = one->f.of_status == 0 || one->f.of_status == *status;
        bool may = one->f.act == LZ_FILTER_REPLACE || one->f.act == LZ_FILTER_HOLD;
        if (!may || !is_meant || !selects(w, one, t))
            continue;
        touch(w, one);
        if (one->f.act == LZ_FILTER_HOLD)
            held += draw_delay(w, &one->f, t);
        if (one->f.status != 0) {
            *outcome = one->f.outcome;
            *status = one->f.status;
        }
        if (one->f.body != NULL)
            t->value = lz_value_text(w, one->f.body, strlen(one->f.body));
    }
    return held;
}
