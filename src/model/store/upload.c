#include "base/check.h"
#include "model/store/store_state.h"
#include "model/store/versions.h"

#define PART_TRIES 10u
#define PART_BACKOFF (100 * LZ_MS)

/*
 * An upload: parts that have not begun, parts under way, and how often one was refused. What it
 * has no queue for, a store's task counts in the links of one.
 */
static uint32_t *parts_left(struct lz_task *t)
{
    return &t->queue_prev;
}

static uint32_t *parts_open(struct lz_task *t)
{
    return &t->queue_next;
}

// Nobody completes it: of what it had, the parts that are there stay.
void lz_upload_leave(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    uint64_t size = lz_items_size(w, s, t), part = s->opts.part_size;
    uint64_t parts = (size + part - 1) / part;
    uint64_t not_there = (uint64_t)*parts_left(t) + *parts_open(t);
    lz_versions_left(w, s, (parts - not_there) * part, t->started);
    *parts_open(t) = *parts_left(t) = 0;
}

bool lz_upload_is_under_way(const struct lz_world *w, const struct lz_store *s,
                            const struct lz_task *t)
{
    enum lz_store_op op = lz_store_op_of(w, s, t->op);
    bool is_put = op >= LZ_STORE_PUT && op <= LZ_STORE_PUT_IF_MATCH;
    return s->opts.kind == LZ_STORE_OBJECT && is_put && t->state == LZ_TASK_WORKING &&
           t->queue_prev + t->queue_next > 0;
}

static void begin_part(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    lz_time now = lz_sim_now(w->sim);
    lz_task_id id = lz_pool_id(t);
    if (!lz_store_takes(w, s, t, &(struct lz_store_units){.key = t->key, .writes = true})) {
        uint32_t tries = t->step++;
        if (tries >= PART_TRIES) { // what was sent of it stays where it is
            lz_upload_leave(w, s, t);
            lz_store_throttle(w, s, t);
            return;
        }
        lz_sim_at(w->sim, now + (PART_BACKOFF << (tries < 6 ? tries : 6)), w->stores->again,
                  t->server, id);
        return;
    }
    lz_time takes_ns = lz_store_time(w, s, t, true, 1 + *parts_left(t)) +
                       lz_store_stream_time(s, s->opts.part_size);
    lz_sim_at(w->sim, now + takes_ns, w->stores->part, t->server, id);
}

void lz_upload_begin(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint64_t size)
{
    uint64_t parts = (size + s->opts.part_size - 1) / s->opts.part_size;
    lz_task_id id = lz_pool_id(t);
    *parts_left(t) = (uint32_t)parts;
    t->step = 0;
    for (uint32_t i = 0; i<s->opts.parallel_parts && * parts_left(t)> 0; i++) {
        *parts_open(t) += 1;
        *parts_left(t) -= 1;
        begin_part(w, s, t);
        if (lz_task_find(w, id) == NULL || t->state != LZ_TASK_WORKING)
            return; // given up
    }
}

static struct lz_task *uploading(struct lz_world *w, lz_instance_id at, lz_kind kind, uint64_t id)
{
    struct lz_task *t = lz_task_find(w, id);
    bool is_live = t != NULL && t->state == LZ_TASK_WORKING && t->job == 0;
    return is_live && !lz_instance_defer(w, at, kind, id) ? t : NULL;
}

// The last part is followed by the request that makes an object of them.
static void on_part(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = uploading(w, entity, w->stores->part, payload);
    if (t == NULL)
        return;
    struct lz_store *s = lz_store_at(w, lz_instance_get(w, entity)->component);
    if (*parts_left(t) > 0) {
        *parts_left(t) -= 1;
        begin_part(w, s, t);
        return;
    }
    *parts_open(t) -= 1;
    if (*parts_open(t) == 0)
        lz_store_work(w, s, t, lz_store_time(w, s, t, true, 0));
}

static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = uploading(w, entity, w->stores->again, payload);
    if (t != NULL)
        begin_part(w, lz_store_at(w, lz_instance_get(w, entity)->component), t);
}

void lz_uploads_init(struct lz_world *w)
{
    w->stores->part = lz_sim_kind(w->sim, "store.part", on_part, w);
    w->stores->again = lz_sim_kind(w->sim, "store.again", on_again, w);
}
