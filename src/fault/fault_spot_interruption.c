#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/evict.h"
#include "model/node/instance.h"
#include "model/node/life.h"
#include "model/service/platform.h"

#define NOTICE_NS (120 * LZ_S) /* AWS: "two minutes before" a Spot Instance is reclaimed */

static const struct lz_param params[] = {
    {.name = "notice",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, notice),
     .doc = "from being told until the host is gone; default 2m"},
    {.name = "capacity",
     .type = LZ_PARAM_BOOL,
     .offset = offsetof(struct lz_fault_params, capacity),
     .preset = 1,
     .doc = "false: no other hosts are to be had until the fault is over; default true"},
    {0},
};

// In `undo`, behind lz_fault_stop's: while nobody has told it, while its kubelet ends it, and when
// the machine is gone and nobody has placed it.
enum { UNHEARD = LZ_FAULT_UNHEARD, ENDING, GONE };

static lz_time left_of(const struct lz_world *w, const struct lz_fault *f)
{
    lz_time notice = f->opts.params.notice > 0 ? f->opts.params.notice : NOTICE_NS;
    lz_time left = f->started + notice - lz_sim_now(w->sim);
    return left > 0 ? left : 0;
}

static void interrupt(struct lz_world *w, struct lz_fault *f, uint32_t hit)
{
    if (f->opts.params.capacity) {
        f->undo[hit] = lz_fault_evict_one(w, f, f->hits[hit], &f->opts.target, left_of(w, f));
        return;
    }
    f->effect += lz_life_stop(w, f->hits[hit], left_of(w, f));
    f->undo[hit] = LZ_FAULT_STOPPED;
}

/*
 * Who drains a node that is told to go asks the API (aws-node-termination-handler, and again while
 * it does not answer); the kubelet does not: it ends its pods in order when the machine is shut
 * down (kubernetes.io, "Node Shutdowns"), here so that their grace is over when it is gone.
 */
static void tell(struct lz_world *w, struct lz_fault *f, uint32_t hit)
{
    lz_instance_id id = f->hits[hit];
    if (!lz_fault_evict_stands(w, f, hit)) {
        f->undo[hit] = LZ_FAULT_FREE;
        return;
    }
    if (!lz_fault_evict_is_unheard(w, f, hit)) {
        interrupt(w, f, hit);
        return;
    }
    if (left_of(w, f) > lz_life_grace(w, id))
        return;
    f->effect += lz_life_stop(w, id, left_of(w, f));
    f->undo[hit] = ENDING;
}

// Somebody decides again: what has ended begins elsewhere.
static void place(struct lz_world *w, struct lz_fault *f, uint32_t hit)
{
    lz_instance_id id = f->hits[hit];
    uint32_t own = f->undo[hit] == GONE;
    f->undo[hit] = LZ_FAULT_STOPPED;
    bool is_free = f->opts.params.capacity && lz_instance_get(w, id)->downs == own;
    lz_host_id host = is_free ? lz_evict_place(w, id, &f->opts.target) : 0;
    if (host != 0) {
        lz_life_relocate(w, id, host);
        lz_life_release(w, id);
        f->undo[hit] = LZ_FAULT_FREE;
    } else if (own > 0) {
        lz_instance_return(w, id);
    }
}

// A machine that is gone answers nobody, and nothing runs there; one whose processes have ended
// refuses.
static void settle(struct lz_world *w, struct lz_fault *f, uint32_t hit)
{
    const struct lz_instance *i = lz_instance_get(w, f->hits[hit]);
    if (!lz_instance_runs(i) && !lz_platform_is_stopped(w, i->component)) {
        place(w, f, hit);
    } else if (f->undo[hit] == ENDING && left_of(w, f) == 0) {
        lz_instance_lose(w, f->hits[hit]);
        f->undo[hit] = GONE;
    }
}

// Until something is due whether or not anybody decides: its kubelet ends it, or the machine goes.
static lz_time until_due(struct lz_world *w, const struct lz_fault *f, uint32_t hit)
{
    if (f->undo[hit] == UNHEARD)
        return left_of(w, f) - lz_life_grace(w, f->hits[hit]);
    return f->undo[hit] == ENDING ? left_of(w, f) : LZ_FAULT_EVICT_AGAIN;
}

static lz_time next(struct lz_world *w, const struct lz_fault *f)
{
    lz_time wait = 0;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        if (f->undo[i] < UNHEARD)
            continue;
        lz_time due = until_due(w, f, i);
        due = due > 0 && due < LZ_FAULT_EVICT_AGAIN ? due : LZ_FAULT_EVICT_AGAIN;
        wait = wait == 0 || due < wait ? due : wait;
    }
    return wait;
}

static void advance(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        if (f->undo[i] == UNHEARD)
            tell(w, f, i);
        else if (f->undo[i] > UNHEARD)
            settle(w, f, i);
    }
}

// What nobody has placed begins where it was.
static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        if (f->undo[i] == GONE)
            lz_instance_return(w, f->hits[i]);
        if (f->undo[i] >= UNHEARD)
            f->undo[i] = f->undo[i] == UNHEARD ? LZ_FAULT_FREE : LZ_FAULT_STOPPED;
    }
    lz_fault_stop_revert(w, f);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_evict_begin(w, f);
    for (uint32_t i = 0; i < f->hit_count; i++)
        tell(w, f, i);
}

const struct lz_fault_kind lz_fault_spot_interruption = {
    .name = "spot_interruption",
    .doc = "Take hosts back after a notice; replicas go elsewhere if there is capacity.",
    .effect_unit = "replicas interrupted",
    .elsewhere =
        "AWS FIS sends the same notice two minutes ahead; Azure and Google give 30 "
        "seconds. None of them can take away the capacity that a replacement needs, which "
        "is what happens when a whole market is reclaimed. While the control plane is down "
        "nothing is evicted or placed: replicas run on, their kubelet ends them a "
        "`grace_period` before the host is gone, and callers who were told nothing wait for it.",
    .targets = LZ_TARGETS_PLACES | LZ_TARGET_BIT(LZ_TARGET_HOST),
    .per_instance = true,
    .params = params,
    .apply = apply,
    .next = next,
    .advance = advance,
    .revert = revert,
    .is_quiet = true,
};
