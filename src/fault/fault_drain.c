/*
 * fault_drain.c — hosts that are emptied, as `kubectl drain` does it: each replica there is asked
 * to go, and asked again every 5 s while its disruption budget says no (kubectl/pkg/drain:
 * evictPods).
 */
#include "base/check.h"
#include "fault/kinds.h"
#include "model/journal.h"
#include "model/service/disruption.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {
    {.name = "notice",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, notice),
     .doc = "how long replicas may take to finish; default their grace_period"},
    {0},
};

// It says so once.
static void refuse(struct lz_world *w, struct lz_fault *f, uint32_t hit, bool is_news)
{
    struct lz_disruption d = lz_disruption_look(w, f->hits[hit]);
    f->undo[hit] = LZ_FAULT_WAITING;
    if (is_news)
        lz_instance_note(w, f->hits[hit], "refused",
                         "stays: its disruption budget allows no eviction, %u healthy of %u that "
                         "must be",
                         d.healthy, d.least);
}

// Who picks some drains their hosts, and no more of the place.
static bool is_whole(const struct lz_fault *f)
{
    return f->opts.pick.kind == LZ_PICK_ALL;
}

static void ask(struct lz_world *w, struct lz_fault *f, uint32_t hit, bool is_news)
{
    lz_time grace = f->opts.params.notice > 0 ? f->opts.params.notice : -1;
    lz_instance_id id = f->hits[hit];
    const struct lz_target host = {LZ_TARGET_HOST, .id = lz_instance_get(w, id)->host};
    bool has_budget = lz_disruption_is_on(w, id);
    if (!is_news && !lz_fault_evict_stands(w, f, hit)) {
        f->undo[hit] = LZ_FAULT_FREE;
        return;
    }
    if (lz_fault_evict_is_unheard(w, f, hit))
        return;
    if (has_budget && !lz_instance_runs(lz_instance_get(w, id)))
        f->undo[hit] = LZ_FAULT_FREE; // what waits may have ended by itself
    else if (has_budget && !lz_disruption_allows(w, id))
        refuse(w, f, hit, is_news);
    else
        f->undo[hit] = lz_fault_evict_one(w, f, id, is_whole(f) ? &f->opts.target : &host, grace);
}

// The slot after those of the hits is the cordon's.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    static const struct lz_target some = {LZ_TARGET_HOST, .id = 0};
    struct lz_platform_effect cordon = {.target = &f->opts.target, .parts = LZ_PLATFORM_PLACE};
    if (!is_whole(f)) {
        lz_fault_hit_hosts(w, f);
        lz_fault_evict_begin(w, f);
        cordon.target = &some;
        cordon.hosts = f->hosts;
        cordon.host_count = f->hit_count;
    }
    f->undo[f->hit_count] = lz_platform_add(w, &cordon);
    for (uint32_t i = 0; i < f->hit_count; i++)
        ask(w, f, i, true);
}

static void advance(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] == LZ_FAULT_WAITING || f->undo[i] == LZ_FAULT_UNHEARD)
            ask(w, f, i, false);
    if (lz_fault_evict_next(w, f) == 0)
        lz_journal_add(w, &(struct lz_journal_entry){.kind = "fault", .line = f->opts.line},
                       "%s is complete: no replica is left", f->name);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_platform_remove(w, f->undo[f->hit_count]);
    lz_fault_evict_revert(w, f);
}

const struct lz_fault_kind lz_fault_drain = {
    .name = "drain",
    .doc = "Move work away from hosts, zones or regions: nothing is placed there, what runs there "
           "is evicted.",
    .effect_unit = "replicas evicted",
    .elsewhere =
        "`kubectl drain`, Litmus' node-drain and krkn's; the latter two uncordon at the "
        "end. With `pick` it is the hosts of those that are picked, with all that runs "
        "there. A service with a disruption_budget is asked replica by replica, again every "
        "5 s, as there; of others all go at once. What has moved stays where it is.",
    .targets = LZ_TARGETS_PLACES | LZ_TARGET_BIT(LZ_TARGET_HOST),
    .per_instance = true,
    .params = params,
    .apply = apply,
    .next = lz_fault_evict_next,
    .advance = advance,
    .revert = revert,
    .is_quiet = true,
};
