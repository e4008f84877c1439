#include "model/traffic/request.h"

#include <stddef.h>

#include "base/check.h"
#include "base/grow.h"

struct blame {
    lz_series phase[LZ_PHASES]; // 0 until the component is measured
};

struct lz_requests {
    struct lz_requests_face face; // first: the inline functions look here
    struct blame *blame;          // by component
    uint32_t blame_cap;
    struct lz_trace_kept *kept[LZ_KEPT_WAYS];
    uint32_t kept_count[LZ_KEPT_WAYS], kept_cap[LZ_KEPT_WAYS], kept_most[LZ_KEPT_WAYS];
    uint64_t kept_least[LZ_KEPT_WAYS]; // the lowest priority, once all places are taken
    uint64_t asked;                    // its ordinal; 0: none
    lz_component_id asked_traffic;
};

static const char *const phase_names[LZ_PHASES] = {"connect", "queue", "work", "network",
                                                   "retry_wait"};
static const char *const blame_names[LZ_PHASES] = {"failed.connect", "failed.queue", "failed.work",
                                                   "failed.network", "failed.retry_wait"};
static const char *const outcome_names[LZ_OUTCOMES] = {"pending", "ok",    "error",
                                                       "refused", "reset", "timeout"};
static const char *const kept_names[LZ_KEPT_WAYS] = {"failed", "slowest", "random", "asked"};

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
    lz_pool_init(&rs->face.open, w->arena, sizeof(struct lz_request));
    lz_pool_init(&rs->face.spans, w->arena, sizeof(struct lz_span));
    for (int way = 0; way < LZ_KEPT_WAYS; way++)
        rs->kept_most[way] = LZ_REQUEST_TRACES_MAX;
    w->requests = rs;
}

void lz_requests_keep(struct lz_world *w, uint32_t failed)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(failed <= LZ_REQUEST_FAILED_MAX);
    w->requests->kept_most[LZ_KEPT_FAILED] = failed;
    w->requests->kept_least[LZ_KEPT_FAILED] = failed > 0 ? 0 : UINT64_MAX;
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

void lz_request_widen_spans(struct lz_world *w)
{
    struct lz_requests_face *face = &w->requests->face;
    LZ_ASSERT(face->span_free == 0);
    _Static_assert(sizeof(struct lz_pool_head) == offsetof(struct lz_span, server),
                   "a span that is in use needs no head");
    struct lz_pool_head *head = lz_pool_take_sized(&face->spans, sizeof(struct lz_span));
    uint32_t index = head->index;
    *(struct lz_span *)(void *)head = (struct lz_span){0};
    face->span_free = index;
}

struct lz_span *lz_request_new_span(struct lz_world *w, struct lz_request *r)
{
    struct lz_span *s = lz_request_take_span(w, r);
    *s = (struct lz_span){.next = s->next};
    return s;
}

// What an attempt's time went into, from the instants that it left.
static void settle(struct lz_span *s)
{
    if (!s->is_raw)
        return;
    _Static_assert((int)LZ_SPAN_WAITED == (int)LZ_PHASE_RETRY_WAIT, "it is that phase already");
    lz_time arrived = s->phase[LZ_SPAN_ARRIVED], started = s->phase[LZ_SPAN_STARTED];
    lz_time answered = s->phase[LZ_SPAN_ANSWERED];
    lz_time work = answered - started - s->phase[LZ_SPAN_CHILD_NS];
    s->phase[LZ_PHASE_CONNECT] = 0;
    s->phase[LZ_PHASE_QUEUE] = started - arrived;
    s->phase[LZ_PHASE_WORK] = work;
    s->phase[LZ_PHASE_NETWORK] = (arrived - s->start) + (s->end - answered);
    s->is_raw = false;
    for (int i = 0; i < LZ_PHASES; i++)
        LZ_ASSERT(s->phase[i] >= 0);
}

// Where a failed request's time went, component by component, exactly.
static void count_blame(struct lz_world *w, const struct lz_request *r)
{
    struct lz_requests *rs = w->requests;
    for (uint32_t at = r->span_first; at != 0;) {
        struct lz_span *s = lz_pool_at(&rs->face.spans, at);
        at = s->next;
        settle(s);
        if (s->component >= rs->blame_cap || rs->blame[s->component].phase[0] == 0)
            continue;
        for (int i = 0; i < LZ_PHASES; i++)
            if (s->phase[i] > 0)
                lz_metrics_add(w->metrics, rs->blame[s->component].phase[i], (uint64_t)s->phase[i]);
    }
}

static inline void free_spans(struct lz_world *w, const struct lz_request *r)
{
    struct lz_requests_face *face = &w->requests->face;
    if (r->span_first == 0)
        return;
    struct lz_span *last = lz_pool_at_sized(&face->spans, r->span_last, sizeof(*last));
    LZ_ASSERT(last->next == 0);
    last->next = face->span_free;
    face->span_free = r->span_first;
}

// Those that are kept of it.
static uint32_t count_spans(const struct lz_world *w, const struct lz_request *r)
{
    uint32_t count = 0;
    for (uint32_t at = r->span_first; at != 0 && count < LZ_REQUEST_SPANS_MAX; count++) {
        const struct lz_span *s = lz_pool_at(&w->requests->face.spans, at);
        at = s->next;
    }
    return count;
}

static void fill_kept(struct lz_world *w, struct lz_trace_kept *k, const struct lz_request *r)
{
    uint32_t count = count_spans(w, r);
    if (k->spans != NULL)
        lz_arena_free(w->arena, (void *)k->spans, k->span_count * sizeof(*k->spans));
    struct lz_span *spans = lz_arena_alloc(w->arena, count * sizeof(*spans) + 1);
    uint32_t at = r->span_first;
    for (uint32_t i = 0; i < count; i++) {
        struct lz_span *s = lz_pool_at(&w->requests->face.spans, at);
        settle(s);
        spans[count - 1 - i] = *s;
        at = s->next;
    }
    k->spans = spans;
    k->span_count = count;
}

static uint32_t lowest_of(const struct lz_trace_kept *kept, uint32_t count)
{
    uint32_t lowest = 0;
    for (uint32_t i = 1; i < count; i++)
        if (kept[i].priority < kept[lowest].priority)
            lowest = i;
    return lowest;
}

// Its priority is among the highest so far; of equal ones the earlier stays.
static inline bool is_wanted(const struct lz_requests *rs, enum lz_kept_as as, uint64_t priority)
{
    return rs->kept_count[as] < rs->kept_most[as] || priority > rs->kept_least[as];
}

struct ended {
    enum lz_outcome outcome;
    uint16_t status;
};

static __attribute__((noinline)) void keep(struct lz_world *w, const struct lz_request *r,
                                           enum lz_kept_as as, uint64_t priority, struct ended how)
{
    struct lz_requests *rs = w->requests;
    uint32_t most = rs->kept_most[as];
    LZ_ASSERT(is_wanted(rs, as, priority));
    bool was_full = rs->kept_count[as] == most;
    uint32_t at = was_full ? lowest_of(rs->kept[as], most) : rs->kept_count[as]++;
    rs->kept[as] = lz_grow(w->arena, rs->kept[as], &rs->kept_cap[as], rs->kept_count[as],
                           sizeof(*rs->kept[as]));
    struct lz_trace_kept *kept = rs->kept[as];
    struct lz_trace_kept old = kept[at];
    kept[at] = (struct lz_trace_kept){
        .traffic = r->traffic,
        .ordinal = r->ordinal,
        .intended = r->intended,
        .end = lz_sim_now(w->sim),
        .outcome = how.outcome,
        .status = how.status,
        .kept_as = as,
        .priority = priority,
        .spans = old.spans,
        .span_count = old.span_count,
    };
    fill_kept(w, &kept[at], r);
    if (rs->kept_count[as] == most)
        rs->kept_least[as] = kept[lowest_of(kept, most)].priority;
}

// Among the failed or the random ones, and among the slowest, if it is one of them.
static inline void offer(struct lz_world *w, const struct lz_request *r, struct ended how)
{
    struct lz_requests *rs = w->requests;
    uint64_t owner = lz_world_component(w, r->traffic)->path;
    uint64_t drawn = lz_draw_u64_once(lz_sim_key(w->sim), owner, LZ_PURPOSE_SAMPLE, r->ordinal);
    enum lz_kept_as as = how.outcome != LZ_OUTCOME_OK ? LZ_KEPT_FAILED : LZ_KEPT_RANDOM;
    if (is_wanted(rs, as, drawn))
        keep(w, r, as, drawn, how);
    uint64_t took = (uint64_t)(lz_sim_now(w->sim) - r->intended);
    if (is_wanted(rs, LZ_KEPT_SLOWEST, took))
        keep(w, r, LZ_KEPT_SLOWEST, took, how);
}

void lz_requests_ask(struct lz_world *w, lz_component_id traffic, uint64_t ordinal)
{
    w->requests->asked = ordinal;
    w->requests->asked_traffic = traffic;
}

bool lz_requests_has_asked(const struct lz_world *w)
{
    return w->requests->kept_count[LZ_KEPT_ASKED] > 0;
}

void lz_request_end(struct lz_world *w, struct lz_request *r, enum lz_outcome outcome,
                    uint16_t status)
{
    LZ_ASSERT(outcome != LZ_OUTCOME_PENDING);
    if (outcome != LZ_OUTCOME_OK && !r->is_bot)
        count_blame(w, r);
    if (lz_sim_now(w->sim) >= w->warmup && !r->is_bot)
        offer(w, r, (struct ended){.outcome = outcome, .status = status});
    if (w->requests->asked == r->ordinal && w->requests->asked_traffic == r->traffic)
        keep(w, r, LZ_KEPT_ASKED, 0, (struct ended){.outcome = outcome, .status = status});
    free_spans(w, r);
    lz_pool_give(&w->requests->face.open, r);
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
    return lz_pool_bytes(&w->requests->face.open) + lz_pool_bytes(&w->requests->face.spans);
}

uint32_t lz_requests_open(const struct lz_world *w)
{
    return w->requests->face.open.live;
}

uint32_t lz_requests_open_max(const struct lz_world *w)
{
    return w->requests->face.open_max;
}
