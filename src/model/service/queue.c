#include "base/check.h"
#include "model/node/instance.h"
#include "model/service/service_state.h"

static struct lz_queue_class *class_of(struct lz_service_replica *r, const struct lz_task *t)
{
    LZ_ASSERT(t->priority < LZ_PRIORITIES);
    return &r->classes[t->priority];
}

// Since when the queue of a replica that is not empty has not been: longer than the interval
// means that it stands.
static bool stands(const struct lz_world *w, const struct lz_service *s,
                   const struct lz_service_replica *r)
{
    return r->queue_len > 0 && lz_sim_now(w->sim) - r->queue_since > s->opts.queue.codel.interval;
}

// Its patience: by a draw of its own, or by what the queue is like when it comes (adaptive lifo).
static lz_event_id arm(struct lz_world *w, const struct lz_service *s,
                       const struct lz_service_replica *r, const struct lz_task *t)
{
    uint64_t id = lz_pool_id(t);
    if (s->opts.queue.policy == LZ_QUEUE_ADAPTIVE_LIFO)
        return lz_sim_arm(w->sim, stands(w, s, r) ? s->patience_short : s->patience, t->server, id);
    if (s->patience != 0)
        return lz_sim_arm(w->sim, s->patience, t->server, id);
    if (s->opts.queue.timeout.kind == LZ_DIST_NONE)
        return 0;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_PATIENCE, 0);
    lz_time patience = lz_dist_time(&s->opts.queue.timeout, &draw);
    return lz_sim_at(w->sim, lz_sim_now(w->sim) + patience, w->services->patience, t->server, id);
}

// One more is in the queue.
static void grew(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r)
{
    if (r->queue_len == 0)
        r->queue_since = lz_sim_now(w->sim);
    r->queue_len++;
    s->queued++;
    lz_level_queue(w, s, r);
}

void lz_queue_push(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                   struct lz_task *t)
{
    struct lz_queue_class *q = class_of(r, t);
    uint32_t index = t->head.index;
    if (s->has_patience)
        t->timer = arm(w, s, r, t);
    t->queue_next = 0;
    t->queue_prev = q->final;
    if (q->final != 0)
        lz_task_at(w, q->final)->queue_next = index;
    else
        q->first = index;
    q->final = index;
    grew(w, s, r);
}

// Its patience is over: it was served.
void lz_queue_push_front(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                         struct lz_task *t)
{
    struct lz_queue_class *q = class_of(r, t);
    LZ_ASSERT(t->is_begun && t->timer == 0);
    LZ_ASSERT(s->opts.queue.policy == LZ_QUEUE_FIFO); // the first is the next
    t->queue_prev = 0;
    t->queue_next = q->first;
    if (q->first != 0)
        lz_task_at(w, q->first)->queue_prev = t->head.index;
    else
        q->final = t->head.index;
    q->first = t->head.index;
    grew(w, s, r);
}

void lz_queue_remove(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     struct lz_task *t)
{
    LZ_ASSERT(r->queue_len > 0);
    struct lz_queue_class *q = class_of(r, t);
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        q->first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        q->final = t->queue_prev;
    if (s->has_patience) {
        lz_sim_cancel(w->sim, t->timer);
        t->timer = 0;
    }
    r->queue_len--;
    s->queued--;
    lz_level_queue(w, s, r);
}

static struct lz_task *next(struct lz_world *w, const struct lz_service *s,
                            const struct lz_service_replica *r)
{
    uint32_t c = 0;
    while (r->classes[c].first == 0)
        c++;
    LZ_ASSERT(c < LZ_PRIORITIES);
    enum lz_queue_policy policy = s->opts.queue.policy;
    bool is_lifo = policy == LZ_QUEUE_LIFO || (policy == LZ_QUEUE_ADAPTIVE_LIFO && stands(w, s, r));
    return lz_task_at(w, is_lifo ? r->classes[c].final : r->classes[c].first);
}

// What a limit held back was not in the queue as long as it was.
static inline lz_time since(const struct lz_task *t)
{
    return t->is_limited && !t->is_begun ? t->started : t->arrived;
}

struct lz_task *lz_queue_take(struct lz_world *w, struct lz_service *s,
                              struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    while (r->queue_len > 0) {
        struct lz_task *t = next(w, s, r);
        lz_queue_remove(w, s, r, t);
        bool is_late = s->opts.deadlines && t->deadline != 0 && now >= t->deadline;
        bool drops = s->opts.queue.policy == LZ_QUEUE_CODEL &&
                     lz_codel_drops(&r->rules->codel, &s->opts.queue.codel, now, now - since(t),
                                    r->queue_len == 0);
        if (!is_late && !drops)
            return t;
        lz_serve_refuse(w, s, r, t, is_late ? 504 : 503);
    }
    return NULL;
}

struct lz_task *lz_queue_victim(struct lz_world *w, const struct lz_service_replica *r,
                                const struct lz_task *t)
{
    for (uint32_t c = LZ_PRIORITIES; c-- > t->priority + 1u;)
        if (r->classes[c].final != 0)
            return lz_task_at(w, r->classes[c].final);
    return NULL;
}

lz_time lz_queue_age(const struct lz_world *w, const struct lz_service_replica *r)
{
    lz_time now = lz_sim_now(w->sim), oldest = now;
    for (uint32_t c = 0; c < LZ_PRIORITIES && r->queue_len > 0; c++) {
        if (r->classes[c].first == 0)
            continue;
        lz_time arrived = since(lz_task_at(w, r->classes[c].first));
        oldest = arrived < oldest ? arrived : oldest;
    }
    return now - oldest;
}

static void on_patience(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->state != LZ_TASK_QUEUED ||
        lz_instance_defer(w, entity, w->services->patience, payload))
        return;
    struct lz_service *s = lz_service_of(w, t);
    struct lz_service_replica *r = lz_service_replica(s, entity);
    t->timer = 0;
    lz_queue_remove(w, s, r, t);
    lz_serve_refuse(w, s, r, t, 503);
}

void lz_queue_init(struct lz_world *w)
{
    w->services->patience = lz_sim_kind(w->sim, "patience", on_patience, w);
}

static bool fill_times(struct lz_queue_opts *o, struct lz_err *err)
{
    bool is_timed = o->policy == LZ_QUEUE_CODEL || o->policy == LZ_QUEUE_ADAPTIVE_LIFO;
    if ((o->codel.target != 0 || o->codel.interval != 0) && !is_timed)
        return lz_fail(err, LZ_EINVAL,
                       "queue: target and interval are codel's and adaptive_lifo's");
    if (o->codel.target == 0)
        o->codel.target = 5 * LZ_MS;
    if (o->codel.interval == 0)
        o->codel.interval = 100 * LZ_MS;
    if (o->codel.target < 0 || o->codel.interval < 0)
        return lz_fail(err, LZ_ERANGE, "queue: target and interval must be positive");
    if (o->codel.target >= o->codel.interval)
        return lz_fail(err, LZ_ERANGE,
                       "queue: target (%g ms) must be shorter than interval (%g ms)",
                       (double)o->codel.target / 1e6, (double)o->codel.interval / 1e6);
    return true;
}

bool lz_queue_declare(struct lz_world *w, struct lz_service *s, struct lz_err *err)
{
    struct lz_queue_opts *o = &s->opts.queue;
    if (!fill_times(o, err))
        return false;
    if (o->preemptive && o->policy != LZ_QUEUE_FIFO)
        return lz_fail(err, LZ_EINVAL,
                       "queue: preemptive goes with policy fifo: who loses its worker is the next "
                       "of its class, whatever came after it");
    bool has_timeout = o->timeout.kind != LZ_DIST_NONE;
    if (o->policy == LZ_QUEUE_ADAPTIVE_LIFO) {
        if (has_timeout)
            return lz_fail(err, LZ_EINVAL,
                           "queue: adaptive_lifo has timeouts of its own, target and interval");
        s->patience = lz_sim_lane(w->sim, o->codel.interval, w->services->patience);
        s->patience_short = lz_sim_lane(w->sim, o->codel.target, w->services->patience);
    } else if (o->timeout.kind == LZ_DIST_CONSTANT) {
        if (!(o->timeout.a > 0.0))
            return lz_fail(err, LZ_ERANGE, "queue: timeout must be above 0s");
        s->patience = lz_sim_lane(w->sim, (lz_time)o->timeout.a, w->services->patience);
    }
    s->has_patience = has_timeout || s->patience != 0;
    return true;
}
