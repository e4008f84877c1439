#include "model/traffic/request.h"

#include "base/check.h"
#include "base/grow.h"

struct blame {
    lz_series phase[LZ_PHASES]; // 0 until the component is measured
};

struct lz_requests {
    struct lz_pool open; // first: lz_request_find looks here
    struct lz_pool spans;
    uint32_t open_max;
    struct blame *blame; // by component
    uint32_t blame_cap;
    struct lz_trace_kept kept[LZ_KEPT_WAYS][LZ_REQUEST_TRACES_MAX];
    uint32_t kept_count[LZ_KEPT_WAYS];
    uint32_t kept_lowest[LZ_KEPT_WAYS]; // place of the lowest priority, once all are taken
};

static const char *const phase_names[LZ_PHASES] = {"connect", "queue", "work", "network",
                                                   "retry_wait"};
static const char *const blame_names[LZ_PHASES] = {"failed.connect", "failed.queue", "failed.work",
                                                   "failed.network", "failed.retry_wait"};
static const char *const outcome_names[LZ_OUTCOMES] = {"pending", "ok",    "error",
                                                       "refused", "reset", "timeout"};
static const char *const kept_names[LZ_KEPT_WAYS] = {"failed", "slowest", "random"};

const char *lz_request_phase_name(enum lz_phase phase)
{
    LZ_ASSERT(phase < LZ_PHASES);
    return phase_names[phase];
}

const char *lz_request_outcome_name(enum lz_outcome outcome)
{
    LZ_ASSERT(outcome < LZ_OUTCOMES);
    return outcome_names[outcome];
}

const char *lz_request_kept_name(enum lz_kept_as as)
{
    LZ_ASSERT(as < LZ_KEPT_WAYS);
    return kept_names[as];
}

void lz_requests_init(struct lz_world *w)
{
    struct lz_requests *rs = lz_arena_alloc(w->arena, sizeof(*rs));
    lz_pool_init(&rs->open, w->arena, sizeof(struct lz_request));
    lz_pool_init(&rs->spans, w->arena, sizeof(struct lz_span));
    w->requests = rs;
}

void lz_requests_measure(struct lz_world *w, lz_component_id component)
{
    LZ_ASSERT(!w->running);
    struct lz_requests *rs = w->requests;
    rs->blame = lz_grow(w->arena, rs->blame, &rs->blame_cap, component + 1, sizeof(*rs->blame));
    struct blame *b = &rs->blame[component];
    LZ_ASSERT(b->phase[0] == 0);
    for (int i = 0; i < LZ_PHASES; i++) {
        b->phase[i] = lz_metrics_counter(w->metrics);
        lz_metrics_define(w->metrics, component,
                          &(struct lz_metric_def){.name = blame_names[i],
                                                  .view = LZ_VIEW_TOTAL,
                                                  .unit = LZ_UNIT_SECONDS,
                                                  .a = b->phase[i]});
    }
}

struct lz_request *lz_request_begin(struct lz_world *w, lz_component_id traffic, uint64_t ordinal,
                                    lz_time intended)
{
    struct lz_requests *rs = w->requests;
    struct lz_request *r = lz_pool_take_sized(&rs->open, sizeof(*r));
    LZ_ASSERT(traffic <= LZ_WORLD_COMPONENTS_MAX);
    r->traffic = (uint16_t)traffic;
    r->ordinal = ordinal;
    r->intended = intended;
    if (rs->open.live > rs->open_max)
        rs->open_max = rs->open.live;
    return r;
}

struct lz_span *lz_request_new_span(struct lz_world *w, struct lz_request *r)
{
    struct lz_span *s = lz_pool_take_sized(&w->requests->spans, sizeof(*s));
    s->next = r->span_first;
    r->span_first = s->head.index;
    if (r->span_count < UINT16_MAX)
        r->span_count++;
    return s;
}

// Where a failed request's time went, component by component, exactly.
static void count_blame(struct lz_world *w, const struct lz_request *r)
{
    struct lz_requests *rs = w->requests;
    for (uint32_t at = r->span_first; at != 0;) {
        const struct lz_span *s = lz_pool_at(&rs->spans, at);
        at = s->next;
        if (s->component >= rs->blame_cap || rs->blame[s->component].phase[0] == 0)
            continue;
        for (int i = 0; i < LZ_PHASES; i++)
            if (s->phase[i] > 0)
                lz_metrics_add(w->metrics, rs->blame[s->component].phase[i], (uint64_t)s->phase[i]);
    }
}

static void free_spans(struct lz_world *w, struct lz_request *r)
{
    struct lz_requests *rs = w->requests;
    for (uint32_t at = r->span_first; at != 0;) {
        struct lz_span *s = lz_pool_at(&rs->spans, at);
        at = s->next;
        lz_pool_give(&rs->spans, s);
    }
    r->span_first = 0;
}

static void fill_kept(struct lz_world *w, struct lz_trace_kept *k, const struct lz_request *r)
{
    uint32_t count = r->span_count < LZ_REQUEST_SPANS_MAX ? r->span_count : LZ_REQUEST_SPANS_MAX;
    if (k->spans != NULL)
        lz_arena_free(w->arena, (void *)k->spans, k->span_count * sizeof(*k->spans));
    struct lz_span *spans = lz_arena_alloc(w->arena, count * sizeof(*spans) + 1);
    uint32_t at = r->span_first;
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_span *s = lz_pool_at(&w->requests->spans, at);
        spans[count - 1 - i] = *s;
        at = s->next;
    }
    k->spans = spans;
    k->span_count = count;
}

static uint32_t lowest_of(const struct lz_trace_kept *kept)
{
    uint32_t lowest = 0;
    for (uint32_t i = 1; i < LZ_REQUEST_TRACES_MAX; i++)
        if (kept[i].priority < kept[lowest].priority)
            lowest = i;
    return lowest;
}

// Keep the request if its priority is among the highest so far; equal ones: the earlier stays.
static void offer(struct lz_world *w, const struct lz_request *r, const struct lz_trace_kept *facts)
{
    struct lz_requests *rs = w->requests;
    struct lz_trace_kept *kept = rs->kept[facts->kept_as];
    uint32_t *count = &rs->kept_count[facts->kept_as];
    uint32_t at = *count;
    if (*count == LZ_REQUEST_TRACES_MAX) {
        at = rs->kept_lowest[facts->kept_as];
        if (facts->priority <= kept[at].priority)
            return;
    } else {
        (*count)++;
    }
    const struct lz_span *old = kept[at].spans;
    uint32_t old_count = kept[at].span_count;
    kept[at] = *facts;
    kept[at].spans = old;
    kept[at].span_count = old_count;
    fill_kept(w, &kept[at], r);
    if (*count == LZ_REQUEST_TRACES_MAX)
        rs->kept_lowest[facts->kept_as] = lowest_of(kept);
}

// Among the failed or the random ones, and among the slowest, if it is one of them.
static void offer_all(struct lz_world *w, const struct lz_request *r, enum lz_outcome outcome,
                      uint16_t status)
{
    struct lz_trace_kept facts = {
        .traffic = r->traffic,
        .ordinal = r->ordinal,
        .intended = r->intended,
        .end = lz_sim_now(w->sim),
        .outcome = outcome,
        .status = status,
    };
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_world_component(w, r->traffic)->path,
                                        LZ_PURPOSE_SAMPLE, r->ordinal);
    facts.priority = lz_draw_u64(&draw);
    facts.kept_as = outcome != LZ_OUTCOME_OK ? LZ_KEPT_FAILED : LZ_KEPT_RANDOM;
    offer(w, r, &facts);
    facts.priority = (uint64_t)(facts.end - r->intended);
    facts.kept_as = LZ_KEPT_SLOWEST;
    offer(w, r, &facts);
}

void lz_request_end(struct lz_world *w, struct lz_request *r, enum lz_outcome outcome,
                    uint16_t status)
{
    LZ_ASSERT(outcome != LZ_OUTCOME_PENDING);
    if (outcome != LZ_OUTCOME_OK && !r->is_bot)
        count_blame(w, r);
    if (lz_sim_now(w->sim) >= w->warmup && !r->is_bot)
        offer_all(w, r, outcome, status);
    free_spans(w, r);
    lz_pool_give(&w->requests->open, r);
}

size_t lz_requests_kept(const struct lz_world *w)
{
    size_t count = 0;
    for (int way = 0; way < LZ_KEPT_WAYS; way++)
        count += w->requests->kept_count[way];
    return count;
}

const struct lz_trace_kept *lz_requests_kept_get(const struct lz_world *w, size_t i)
{
    for (int way = 0; way < LZ_KEPT_WAYS; way++) {
        if (i < w->requests->kept_count[way])
            return &w->requests->kept[way][i];
        i -= w->requests->kept_count[way];
    }
    LZ_UNREACHABLE("an index below the count");
    return NULL;
}

size_t lz_requests_bytes(const struct lz_world *w)
{
    return lz_pool_bytes(&w->requests->open) + lz_pool_bytes(&w->requests->spans);
}

uint32_t lz_requests_open(const struct lz_world *w)
{
    return w->requests->open.live;
}

uint32_t lz_requests_open_max(const struct lz_world *w)
{
    return w->requests->open_max;
}
