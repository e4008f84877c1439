#include "model/service/pods.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/node/endpoint.h"
#include "model/node/evict.h"
#include "model/node/life.h"
#include "model/node/nodes.h"
#include "model/service/image.h"
#include "model/service/platform.h"
#include "model/service/pod_order.h"
#include "model/service/rollout.h"
#include "model/service/version.h"

static void move(struct lz_world *w, struct lz_pod *pod, enum lz_pod_state to)
{
    static const uint8_t from[] = {
        [LZ_POD_PREPARED] = 1u << LZ_POD_STARTING | 1u << LZ_POD_DRAINING,
        [LZ_POD_STARTING] = 1u << LZ_POD_PREPARED,
        [LZ_POD_SERVING] = 1u << LZ_POD_STARTING,
        [LZ_POD_DRAINING] = 1u << LZ_POD_SERVING,
    };
    LZ_ASSERT(from[to] & 1u << pod->state);
    pod->state = (uint8_t)to;
    pod->since = lz_sim_now(w->sim);
    pod->turn++;
}

bool lz_pods_has(const struct lz_service *s, const struct lz_service_replica *r)
{
    enum lz_pod_state state = lz_pods_at(s, (uint32_t)(r - s->replicas))->state;
    return state == LZ_POD_SERVING || state == LZ_POD_DRAINING;
}

bool lz_pods_is_empty(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    const struct lz_services *all = w->services;
    const struct lz_service *s = i->component < all->cap ? all->all[i->component] : NULL;
    return s != NULL && s->pods != NULL && lz_pods_at(s, i->ordinal - 1)->state == LZ_POD_PREPARED;
}

// The index lies in the upper half of what a pod's events carry, the turn in the lower.
static void plan(struct lz_world *w, const struct lz_service *s, uint32_t index, lz_time wait)
{
    lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, w->services->slot, s->id,
              (uint64_t)index << 32 | lz_pods_at(s, index)->turn);
}

// Its CPU counts from now on, or no more: who comes does after the whole is more, who goes did
// before it is less.
static void change_present(struct lz_world *w, struct lz_service *s, uint32_t index, bool is_more)
{
    struct lz_service_replica *r = &s->replicas[index];
    LZ_ASSERT(is_more || s->present > 0);
    LZ_ASSERT(lz_pods_has(s, r) == is_more);
    if (!is_more && r->capacity != NULL)
        lz_level_cpu_changed(w, s, r);
    s->present += is_more ? 1u : -1u;
    LZ_ASSERT(s->present <= s->slots);
    lz_level_present(w, s);
    if (is_more && r->capacity != NULL)
        lz_level_cpu_changed(w, s, r);
}

// The one that was left when all had ended: there is another now.
static void forget_last(struct lz_world *w, const struct lz_service *s)
{
    for (uint32_t i = 0; s->present == 0 && i < s->slots; i++)
        if (lz_pods_at(s, i)->state == LZ_POD_PREPARED)
            lz_endpoint_remove(w, s->first + i);
}

static void serve(struct lz_world *w, struct lz_service *s, uint32_t index)
{
    struct lz_pod *pod = lz_pods_at(s, index);
    lz_instance_id id = s->first + index;
    move(w, pod, LZ_POD_SERVING);
    pod->is_ready = pod->serves = false;
    if (s->replicas[index].rules != NULL)
        pod->used_ns = s->replicas[index].rules->use.ns;
    if (s->rollout != NULL)
        lz_rollout_begins(w, s, index);
    lz_instance_restart(w, id);
    lz_endpoint_add(w, id);
    forget_last(w, s);
    change_present(w, s, index, true);
}

static bool is_silent(struct lz_world *w, lz_instance_id id, lz_host_id host)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    if (lz_nodes_has(w, host))
        return lz_nodes_is_silent(w, host);
    return i->host == host && i->downs > 0;
}

// A successor that was never bound to a node has its predecessor's place.
static bool has_left(const struct lz_pods *p, lz_instance_id id, lz_host_id host)
{
    for (uint32_t i = 0; i < p->left_count; i++)
        if (p->left[i].instance == id && p->left[i].host == host)
            return true;
    return false;
}

// Only who waits for all to have ended asks for it.
static void leave(struct lz_world *w, struct lz_service *s, uint32_t index)
{
    struct lz_pods *p = s->pods;
    lz_instance_id id = s->first + index;
    if (!s->opts.rollout.is_recreate || has_left(p, id, lz_instance_get(w, id)->host))
        return;
    p->left = lz_grow(w->arena, p->left, &p->left_cap, p->left_count + 1, sizeof(*p->left));
    p->left[p->left_count++] = (struct lz_pod_left){
        .set = lz_pods_at(s, index)->set, .instance = id, .host = lz_instance_get(w, id)->host};
    w->services->has_left = true;
    lz_instance_note(w, id, "terminating", "is deleted in name only: its host is not heard of");
}

// Its process has ended; it is held down as one that never was there.
static void end(struct lz_world *w, struct lz_service *s, uint32_t index)
{
    lz_instance_id id = s->first + index;
    if (is_silent(w, id, lz_instance_get(w, id)->host))
        leave(w, s, index);
    s->replicas[index].is_known = false;
    move(w, lz_pods_at(s, index), LZ_POD_PREPARED);
    if (s->present > 1) // callers know of one at least
        lz_endpoint_remove(w, id);
    lz_instance_kill(w, id);
    lz_life_release(w, id);
    change_present(w, s, index, false);
    if (s->rollout != NULL)
        lz_rollout_changed(w, s);
}

static bool has_ended(const struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    const struct lz_pod *pod = lz_pods_at(s, index);
    return pod->state == LZ_POD_DRAINING && !pod->is_untold &&
           !lz_instance_runs(lz_instance_get(w, s->first + index));
}

static void on_pod(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_service *s = lz_service_at(w, entity);
    uint32_t index = (uint32_t)(payload >> 32);
    if (lz_pods_at(s, index)->turn != (uint32_t)payload)
        return;
    if (lz_pods_at(s, index)->state == LZ_POD_STARTING)
        serve(w, s, index);
    else if (has_ended(w, s, index))
        end(w, s, index);
}

// What stands where nothing may be placed goes elsewhere; true: there is no such place, or what
// holds the host that is left would be forgotten.
static bool finds_no_host(struct lz_world *w, lz_instance_id id)
{
    const struct lz_target *leave = lz_platform_cordon(w, lz_instance_get(w, id)->host);
    bool is_free = leave != NULL && lz_instance_get(w, id)->downs == 0;
    lz_host_id host = is_free ? lz_evict_place(w, id, leave) : 0;
    if (host != 0)
        lz_life_relocate(w, id, host);
    return lz_platform_cordon(w, lz_instance_get(w, id)->host) != NULL;
}

static void begin_start(struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    struct lz_pod *pod = lz_pods_at(s, index);
    lz_time late = 0;
    bool was_held = pod->is_held;
    pod->is_held = lz_platform_holds_start(w, s->first + index, !was_held, &late) ||
                   finds_no_host(w, s->first + index);
    pod->is_unbound = pod->is_held;
    if (!pod->is_held && !lz_image_fetch(w, s->first + index)) {
        pod->is_held = true; // it has said so
        return;
    }
    if (!pod->is_held)
        plan(w, s, index, s->pods->startup + late);
    else if (!was_held)
        lz_instance_note(w, s->first + index, "pending", "waits for the platform");
}

// What was made from another build leaves its image behind.
static void make(struct lz_world *w, struct lz_service *s, uint32_t index, struct lz_pods_kind kind)
{
    struct lz_pod *pod = lz_pods_at(s, index);
    if (pod->version != kind.version)
        lz_instance_get(w, s->first + index)->imaged = 0;
    if (s->rollout != NULL)
        lz_image_forget(w, s->first + index);
    pod->set = kind.set;
    pod->version = kind.version;
    pod->made = lz_sim_now(w->sim);
    move(w, pod, LZ_POD_STARTING);
    if (kind.version != 0)
        lz_version_began(s, kind.version);
    begin_start(w, s, index);
}

// A fault holds down what stood there, or its host, or whatever would start there; or the host is
// drained.
static bool is_hit(const struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    const struct lz_instance *i = lz_instance_get(w, s->first + index);
    return i->kills > 1 || i->downs > 0 || i->is_ended || lz_platform_cordon(w, i->host) != NULL;
}

uint32_t lz_pods_room(const struct lz_service *s)
{
    uint32_t prepared = 0;
    for (uint32_t i = 0; i < s->slots; i++)
        prepared += lz_pods_at(s, i)->state == LZ_POD_PREPARED;
    return prepared;
}

uint32_t lz_pods_add(struct lz_world *w, struct lz_service *s, struct lz_pods_kind kind,
                     uint32_t count)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < s->slots && count > 0; i++) {
            if (lz_pods_at(s, i)->state != LZ_POD_PREPARED || (pass == 0 && is_hit(w, s, i)))
                continue;
            make(w, s, i, kind);
            count--;
        }
    return count;
}

static void stop(struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    lz_life_stop(w, s->first + index, -1);
    if (has_ended(w, s, index))
        plan(w, s, index, 0);
}

void lz_pods_take_one(struct lz_world *w, struct lz_service *s, uint32_t index)
{
    struct lz_pod *pod = lz_pods_at(s, index);
    lz_instance_id id = s->first + index;
    LZ_ASSERT(lz_pods_is_active(pod));
    if (pod->state == LZ_POD_STARTING) {
        move(w, pod, LZ_POD_PREPARED);
        pod->is_held = pod->is_unbound = false;
        return;
    }
    move(w, pod, LZ_POD_DRAINING);
    lz_life_forget(w, id);
    const struct lz_instance *i = lz_instance_get(w, id);
    if (!lz_instance_runs(i) || !lz_nodes_is_silent(w, i->host)) {
        stop(w, s, index);
        return;
    }
    pod->is_untold = w->services->has_untold = true;
    lz_life_delete(w, id, true);
    lz_instance_note(w, id, "terminating", "is deleted in name only: its node is not heard of");
}

// The kubelet says since when it is ready (lastTransitionTime), however late that is heard.
static void note_serving(const struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    struct lz_pod *p = lz_pods_at(s, index);
    bool serves = lz_instance_listens(lz_instance_get(w, s->first + index));
    if (serves && !p->serves)
        p->serves_since = lz_sim_now(w->sim);
    p->serves = serves;
}

static lz_time ready_since(const struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    const struct lz_pod *p = lz_pods_at(s, index);
    lz_time ready_at = lz_life_ready_at(w, s->first + index);
    if (!p->serves)
        return lz_sim_now(w->sim); // not any more, which is not heard of
    return ready_at > p->serves_since ? ready_at : p->serves_since;
}

// True: it has become ready for the control plane, or is not any more.
static bool note_ready(struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    struct lz_pod *p = lz_pods_at(s, index);
    bool is_ready = s->replicas[index].is_known;
    note_serving(w, s, index);
    if (is_ready == p->is_ready)
        return false;
    p->is_ready = is_ready;
    p->ready_since = is_ready ? ready_since(w, s, index) : lz_sim_now(w->sim);
    return true;
}

void lz_pods_turned(struct lz_world *w, struct lz_service *s, lz_instance_id id)
{
    uint32_t index = id - s->first;
    if (has_ended(w, s, index))
        plan(w, s, index, 0);
    if (note_ready(w, s, index) && s->rollout != NULL)
        lz_rollout_turned(w, s, index);
}

bool lz_pods_is_wanted(const struct lz_world *w, lz_instance_id id)
{
    lz_component_id c = lz_instance_get(w, id)->component;
    const struct lz_service *s = c < w->services->cap ? w->services->all[c] : NULL;
    return s == NULL || s->pods == NULL || lz_pods_at(s, id - s->first)->state != LZ_POD_DRAINING;
}

void lz_pods_leave(struct lz_world *w, lz_instance_id id)
{
    lz_component_id c = lz_instance_get(w, id)->component;
    struct lz_service *s = c < w->services->cap ? w->services->all[c] : NULL;
    if (s != NULL && s->pods != NULL && lz_pods_at(s, id - s->first)->state == LZ_POD_SERVING)
        leave(w, s, id - s->first);
}

// Who is still not heard of stays.
static void hear_untold(struct lz_world *w, const struct lz_service *s)
{
    for (uint32_t i = 0; i < s->slots; i++) {
        struct lz_pod *pod = lz_pods_at(s, i);
        lz_instance_id id = s->first + i;
        bool is_heard = pod->is_untold && !lz_nodes_is_silent(w, lz_instance_get(w, id)->host);
        w->services->has_untold |= pod->is_untold && !is_heard;
        if (!is_heard)
            continue;
        pod->is_untold = false;
        lz_life_delete(w, id, false);
        stop(w, s, i);
    }
}

static void hear_left(struct lz_world *w, struct lz_service *s)
{
    struct lz_pods *p = s->pods;
    uint32_t kept = 0, were = p->left_count;
    for (uint32_t i = 0; i < were; i++)
        if (is_silent(w, p->left[i].instance, p->left[i].host))
            p->left[kept++] = p->left[i];
    p->left_count = kept;
    if (kept < were)
        lz_rollout_changed(w, s);
}

void lz_pods_hear(struct lz_world *w)
{
    lz_level_heard(w);
    bool had_untold = w->services->has_untold, had_left = w->services->has_left;
    w->services->has_untold = w->services->has_left = false;
    if (!had_untold && !had_left)
        return;
    for (lz_component_id id = 1; id < w->services->cap; id++) {
        struct lz_service *s = w->services->all[id];
        if (s == NULL || s->pods == NULL)
            continue;
        if (had_untold)
            hear_untold(w, s);
        if (s->pods->left_count > 0)
            hear_left(w, s);
        w->services->has_left |= s->pods->left_count > 0;
    }
}

void lz_pods_reconsider(struct lz_world *w)
{
    for (lz_component_id id = 1; id < w->services->cap; id++) {
        const struct lz_service *s = w->services->all[id];
        for (uint32_t i = 0; s != NULL && s->pods != NULL && i < s->slots; i++)
            if (lz_pods_at(s, i)->state == LZ_POD_STARTING && lz_pods_at(s, i)->is_held)
                begin_start(w, s, i);
    }
}

void lz_pods_init(struct lz_world *w)
{
    w->services->slot = lz_sim_kind(w->sim, "replica", on_pod, w);
}

void lz_pods_create(struct lz_world *w, struct lz_service *s, lz_time startup)
{
    LZ_ASSERT(!w->running && s->pods == NULL);
    LZ_ASSERT(s->present <= s->slots);
    s->pods = lz_arena_alloc(w->arena, sizeof(*s->pods));
    s->pods->all = lz_arena_alloc(w->arena, s->slots * sizeof(*s->pods->all));
    s->pods->startup = startup;
    for (uint32_t i = 0; i < s->slots; i++) {
        lz_pods_at(s, i)->state = i < s->present ? LZ_POD_SERVING : LZ_POD_PREPARED;
        lz_pods_at(s, i)->is_ready = lz_pods_at(s, i)->serves = i < s->present;
        // All have long been up.
        lz_pods_at(s, i)->made = -LZ_POD_ORDER_LONG - s->opts.rollout.min_ready;
        lz_pods_at(s, i)->ready_since = lz_pods_at(s, i)->made;
        if (i >= s->present)
            lz_instance_prepare(w, s->first + i);
    }
}
