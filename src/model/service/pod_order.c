#include "model/service/pod_order.h"

#include "base/check.h"
#include "base/grow.h"
#include "base/sort.h"
#include "model/node/life.h"
#include "model/place.h"

// What is compared of one pod, the first number first: who has less of it goes before.
enum { PHASE, CROWD, AGE, LUCK, RESTARTS, MADE, KEYS };

struct lz_pod_order {
    uint32_t index;
    int64_t keys[KEYS];
};

enum { UNBOUND, STARTS, UNREADY, READY };

int lz_pod_order_log2(lz_time age)
{
    int power = -1;
    for (uint64_t left = age > 0 ? (uint64_t)age : 0; left > 0; left >>= 1)
        power++;
    return power;
}

static int64_t phase(const struct lz_pod *p)
{
    if (p->state == LZ_POD_STARTING)
        return p->is_unbound ? UNBOUND : STARTS;
    return p->is_ready ? READY : UNREADY;
}

// The same for all that became ready in one second.
static int64_t luck(const struct lz_world *w, const struct lz_service *s, lz_time second)
{
    uint64_t counter = (uint64_t)(second > 0 ? second : 0) & 0xffffffffffu;
    return (int64_t)(lz_draw_u64_once(lz_sim_key(w->sim), lz_instance_path(w, s->first),
                                      LZ_PURPOSE_TAKEN, counter) >>
                     1);
}

static void look(struct lz_world *w, const struct lz_service *s, struct lz_pod_order *o)
{
    const struct lz_pod *p = lz_pods_at(s, o->index);
    lz_instance_id id = s->first + o->index;
    lz_time now = lz_sim_now(w->sim);
    int64_t *keys = o->keys;
    keys[PHASE] = phase(p);
    keys[CROWD] = 0;
    if (keys[PHASE] != UNBOUND)
        keys[CROWD] = -(int64_t)s->pods->crowds[lz_instance_get(w, id)->host];
    keys[AGE] = keys[LUCK] = 0;
    if (keys[PHASE] == READY) {
        lz_time second = p->ready_since / LZ_S;
        keys[AGE] = lz_pod_order_log2(now - second * LZ_S);
        keys[LUCK] = luck(w, s, second);
    }
    keys[RESTARTS] = -(int64_t)lz_life_restarts(w, id);
    keys[MADE] = lz_pod_order_log2(now - p->made / LZ_S * LZ_S);
}

static int compare(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_pod_order *one = a, *other = b;
    for (int n = 0; n < KEYS; n++)
        if (one->keys[n] != other->keys[n])
            return one->keys[n] < other->keys[n] ? -1 : 1;
    return 0;
}

// Who is active at each host, of all sets.
static void count_crowds(struct lz_world *w, const struct lz_service *s)
{
    struct lz_pods *p = s->pods;
    uint32_t hosts = lz_place_host_count(w) + 1;
    p->crowds = lz_grow(w->arena, p->crowds, &p->crowd_cap, hosts, sizeof(*p->crowds));
    for (uint32_t i = 0; i < p->crowd_cap; i++)
        p->crowds[i] = 0;
    for (uint32_t i = 0; i < s->slots; i++)
        if (lz_pods_is_active(lz_pods_at(s, i)) && !lz_pods_at(s, i)->is_unbound)
            p->crowds[lz_instance_get(w, s->first + i)->host]++;
}

// In the order of their places, the highest first: what a stable sort leaves where all is equal.
static uint32_t list(const struct lz_world *w, const struct lz_service *s, uint32_t set)
{
    struct lz_pods *p = s->pods;
    uint32_t many = 0;
    p->order = lz_grow(w->arena, p->order, &p->order_cap, s->slots, sizeof(*p->order));
    for (uint32_t i = s->slots; i-- > 0;)
        if (lz_pods_at(s, i)->set == set && lz_pods_is_active(lz_pods_at(s, i)))
            p->order[many++].index = i;
    return many;
}

void lz_pod_order_take(struct lz_world *w, struct lz_service *s, uint32_t set, uint32_t count)
{
    struct lz_pods *p = s->pods;
    uint32_t many = list(w, s, set);
    LZ_ASSERT(count <= many);
    if (count == 0)
        return;
    if (count < many) { // or nothing is to choose
        count_crowds(w, s);
        for (uint32_t i = 0; i < many; i++)
            look(w, s, &p->order[i]);
        lz_sort(p->order, many, sizeof(*p->order), compare, NULL);
    }
    for (uint32_t i = 0; i < count; i++)
        lz_pods_take_one(w, s, p->order[i].index);
}
