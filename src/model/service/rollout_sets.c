// rollout_sets.c — what was counted of the sets of pods, and how large each should be.
#include "model/service/rollout_sets.h"

#include "base/check.h"

struct lz_rollout_set *lz_rollout_sets_newest(const struct lz_rollout *r)
{
    LZ_ASSERT(r->count > 0);
    return &r->sets[r->count - 1];
}

void lz_rollout_sets_count(const struct lz_world *w, const struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < r->count; i++)
        r->sets[i].active = r->sets[i].ready = r->sets[i].available = r->sets[i].draining = 0;
    for (uint32_t i = 0; i < s->slots; i++) {
        const struct lz_pod *p = lz_pods_at(s, i);
        struct lz_rollout_set *set = &r->sets[p->set];
        set->draining += p->state == LZ_POD_DRAINING;
        if (!lz_pods_is_active(p))
            continue;
        bool is_ready = p->state == LZ_POD_SERVING && p->is_ready;
        set->active++;
        set->ready += is_ready;
        set->available += is_ready && now - p->ready_since >= s->opts.rollout.min_ready;
    }
    for (uint32_t i = 0; i < s->pods->left_count; i++)
        r->sets[s->pods->left[i].set].draining++;
}

struct lz_rollout_set lz_rollout_sets_total(const struct lz_rollout *r)
{
    struct lz_rollout_set all = {0};
    for (uint32_t i = 0; i < r->count; i++) {
        all.size += r->sets[i].size;
        all.active += r->sets[i].active;
        all.ready += r->sets[i].ready;
        all.available += r->sets[i].available;
        all.draining += r->sets[i].draining;
    }
    return all;
}

// ---- steps of a rolling update or of recreate: true if a size has changed

static bool grow_newest(const struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    struct lz_rollout_set *to = lz_rollout_sets_newest(r);
    if (to->size >= r->desired) {
        bool is_less = to->size > r->desired;
        to->size = r->desired;
        return is_less;
    }
    uint32_t most = r->desired + lz_rollout_fenceposts(&s->opts.rollout, r->desired).surge;
    uint32_t there = lz_rollout_sets_total(r).size;
    if (there >= most)
        return false;
    uint32_t more = r->desired - to->size;
    to->size += more < most - there ? more : most - there;
    return true;
}

// The old sets in the order in which they were made, which is not that of their latest deploys.
static struct lz_rollout_set *next_old(const struct lz_rollout *r, uint32_t made)
{
    struct lz_rollout_set *next = NULL;
    for (uint32_t i = 0; i + 1 < r->count; i++)
        if (r->sets[i].made > made && (next == NULL || r->sets[i].made < next->made))
            next = &r->sets[i];
    return next;
}

// Old pods that do not serve hold nobody up: they go as long as enough are left in all.
static bool shrink_old(const struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    uint32_t unavailable = lz_rollout_fenceposts(&s->opts.rollout, r->desired).unavailable;
    int64_t least = (int64_t)r->desired - (unavailable < r->desired ? unavailable : r->desired);
    struct lz_rollout_set all = lz_rollout_sets_total(r);
    int64_t to_come =
        (int64_t)lz_rollout_sets_newest(r)->size - lz_rollout_sets_newest(r)->available;
    int64_t left = (int64_t)all.size - least - to_come, spare = (int64_t)all.available - least;
    bool is_less = false;
    struct lz_rollout_set *set = next_old(r, 0);
    for (; set != NULL && left > 0; set = next_old(r, set->made)) {
        int64_t broken = set->size > set->available ? set->size - set->available : 0;
        broken = broken < left ? broken : left;
        set->size -= (uint32_t)broken;
        left -= broken;
        is_less = is_less || broken > 0;
    }
    if (is_less || left <= 0)
        return is_less;
    for (set = next_old(r, 0); set != NULL && spare > 0; set = next_old(r, set->made)) {
        uint32_t by = set->size < spare ? set->size : (uint32_t)spare;
        set->size -= by;
        spare -= by;
        is_less = is_less || by > 0;
    }
    return is_less;
}

static bool recreate(const struct lz_rollout *r)
{
    bool is_less = false, is_there = false;
    for (uint32_t i = 0; i + 1 < r->count; i++) {
        is_less = is_less || r->sets[i].size > 0;
        is_there = is_there || r->sets[i].active > 0 || r->sets[i].draining > 0;
        r->sets[i].size = 0;
    }
    if (is_less || is_there || lz_rollout_sets_newest(r)->size == r->desired)
        return is_less;
    lz_rollout_sets_newest(r)->size = r->desired;
    return true;
}

bool lz_rollout_sets_step(const struct lz_service *s)
{
    if (s->opts.rollout.is_recreate)
        return recreate(s->rollout);
    return grow_newest(s) || shrink_old(s);
}

// ---- other numbers

// The largest set; of equal ones the newer when there are to be more, else the older.
static struct lz_rollout_set *largest(struct lz_rollout *r, const bool *is_done, bool is_up)
{
    struct lz_rollout_set *best = NULL;
    for (uint32_t n = 0; n < r->count; n++) {
        uint32_t i = is_up ? r->count - 1 - n : n;
        if (!is_done[i] && r->sets[i].size > 0 && (best == NULL || r->sets[i].size > best->size))
            best = &r->sets[i];
    }
    return best;
}

void lz_rollout_sets_spread(struct lz_world *w, const struct lz_service *s, uint32_t was,
                            uint32_t limit)
{
    struct lz_rollout *r = s->rollout;
    int64_t left = (int64_t)limit - lz_rollout_sets_total(r).size;
    bool is_up = left > 0;
    bool *is_done = lz_arena_alloc(w->arena, r->count * sizeof(*is_done));
    struct lz_rollout_set *first = largest(r, is_done, is_up);
    for (struct lz_rollout_set *set = first; set != NULL && left != 0;
         set = largest(r, is_done, is_up)) {
        int64_t by = lz_rollout_share(set->size, was, limit, left);
        by = -by > (int64_t)set->size ? -(int64_t)set->size : by;
        is_done[set - r->sets] = true;
        set->size = (uint32_t)((int64_t)set->size + by);
        left -= by;
    }
    if (first != NULL && left != 0)
        first->size = left + (int64_t)first->size > 0 ? (uint32_t)(left + (int64_t)first->size) : 0;
}
