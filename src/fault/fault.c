#include "fault/fault.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "fault/kinds.h"
#include "fault/ramp.h"
#include "model/cache/cache.h"
#include "model/journal.h"
#include "model/node/instance.h"
#include "model/real.h"
#include "model/store/store.h"
#include "model/world_kinds.h"

#define FAULTS_MAX 10000

struct lz_faults {
    struct lz_world *w;
    struct lz_fault **all; // 0 .. count - 1; ids are one more
    uint32_t count, cap;
    lz_kind begin, step, rise, end;
    double swarm;   // share that is left out
    size_t without; // the one that is left out, from 1; 0: none
    struct lz_fault_absent *absent;
    uint32_t absent_count, absent_cap;
    const char *barren;                 // the first chaos that brought nothing; NULL: none did
    const struct lz_fault_hands *hands; // NULL: the model
    bool is_over;
};

// The draws of a fault are its own: by kind, target and time, and by how many before it
// are the same in all three.
static uint64_t path_of(const struct lz_faults *fs, const struct lz_fault *f)
{
    uint64_t path = lz_draw_name(lz_draw_name(0, "fault"), f->name);
    path = lz_draw_index(path, (uint64_t)f->nominal);
    uint64_t equals = 0;
    for (uint32_t i = 0; i < fs->count; i++)
        equals += fs->all[i] != f && fs->all[i]->nominal == f->nominal &&
                  strcmp(fs->all[i]->name, f->name) == 0;
    return lz_draw_index(path, equals);
}

// Choose among the instances found; what is not chosen is dropped from `hits`, in order.
static void pick(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_pick *p = &f->opts.pick;
    uint32_t n = f->hit_count, want = n;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), f->path, LZ_PURPOSE_PICK, f->firings);
    if (p->kind == LZ_PICK_RANDOM) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < n; i++)
            if (lz_draw_unit(&draw) < p->amount)
                f->hits[kept++] = f->hits[i];
        f->hit_count = kept;
        return;
    }
    if (p->kind == LZ_PICK_ONE)
        want = 1;
    else if (p->kind == LZ_PICK_COUNT)
        want = (uint32_t)p->amount;
    else if (p->kind == LZ_PICK_SHARE)
        want = (uint32_t)(p->amount * (double)n + 0.5);
    if (want == 0)
        want = 1;
    // Selection sampling (Knuth, TAOCP 2, algorithm S): uniform, without replacement, in order.
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n && kept < want; i++)
        if (want >= n || lz_draw_below(&draw, n - i) < want - kept)
            f->hits[kept++] = f->hits[i];
    f->hit_count = kept;
}

// Users cannot be hit: they are not ours to break.
static void drop_users(const struct lz_world *w, struct lz_fault *f)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        lz_component_id c = lz_instance_get(w, f->hits[i])->component;
        if (lz_world_component(w, c)->kind != LZ_COMPONENT_TRAFFIC)
            f->hits[kept++] = f->hits[i];
    }
    f->hit_count = kept;
}

static bool is_meant(const struct lz_world *w, const struct lz_fault *f, lz_instance_id id)
{
    const struct lz_component *c = lz_world_component(w, lz_instance_get(w, id)->component);
    bool is_on = (lz_kinds_on(f->kind, w) & LZ_FAULT_ON(c->kind)) != 0;
    return is_on && (f->kind->takes == NULL || lz_real_is_live(w) || f->kind->takes(w, id));
}

// In a place there are others, too, than those that the fault is about.
static void drop_others(const struct lz_world *w, struct lz_fault *f)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (is_meant(w, f, f->hits[i]))
            f->hits[kept++] = f->hits[i];
    f->hit_count = kept;
}

// Nor can what is not there: a place in which another replica may come, or has been. Who hits all
// hits those that come later too.
static void drop_absent(const struct lz_world *w, struct lz_fault *f)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        const struct lz_instance *one = lz_instance_get(w, f->hits[i]);
        bool is_service = lz_world_component(w, one->component)->kind == LZ_COMPONENT_SERVICE;
        if (!is_service || !one->is_away || lz_instance_runs(one))
            f->hits[kept++] = f->hits[i];
    }
    f->hit_count = kept;
}

static void make_room(struct lz_world *w, struct lz_fault *f, uint32_t need)
{
    uint32_t cap = f->hit_cap;
    f->hits = lz_grow(w->arena, f->hits, &cap, need, sizeof(*f->hits));
    cap = f->hit_cap;
    f->undo = lz_grow(w->arena, f->undo, &cap, need, sizeof(*f->undo));
    f->hit_cap = cap;
}

void lz_fault_hit(struct lz_world *w, struct lz_fault *f, lz_instance_id instance)
{
    make_room(w, f, f->hit_count + 2);
    f->hits[f->hit_count++] = instance;
}

static void resolve(struct lz_world *w, struct lz_fault *f)
{
    uint32_t n = (uint32_t)lz_target_instances(w, &f->opts.target, f->hits, f->hit_cap);
    if (n >= f->hit_cap) {
        make_room(w, f, n + 1);
        lz_target_instances(w, &f->opts.target, f->hits, f->hit_cap);
    }
    f->hit_count = n;
    if (f->kind->per_instance)
        drop_users(w, f);
    if (f->kind->per_instance && f->opts.target.kind > LZ_TARGET_REPLICA)
        drop_others(w, f);
    if (f->opts.pick.kind != LZ_PICK_ALL)
        drop_absent(w, f);
    f->missed = f->missed || f->hit_count == 0; // before `pick`: a random share may be none
    pick(w, f);
}

static void plan_step(struct lz_faults *fs, uint32_t index)
{
    struct lz_world *w = fs->w;
    const struct lz_fault *f = fs->all[index];
    lz_time wait = f->kind->next != NULL ? f->kind->next(w, f) : 0;
    if (wait > 0)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, fs->step, index, f->firings);
}

static void on_step(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_faults *fs = ctx;
    struct lz_fault *f = fs->all[entity];
    if (!f->active || f->firings != payload)
        return; // over before it was complete
    f->step++;
    if (!f->kind->is_quiet)
        lz_journal_add(fs->w, &(struct lz_journal_entry){.kind = "fault", .line = f->opts.line},
                       "%s goes on, step %u", f->name, f->step + 1);
    f->kind->advance(fs->w, f);
    lz_world_reconsider(fs->w);
    lz_cache_reconsider(fs->w);
    lz_store_reconsider(fs->w);
    plan_step(fs, entity);
}

// A role is who has it now; what is picked is picked now.
static bool is_resolved(const struct lz_fault *f)
{
    enum lz_target_kind target = f->opts.target.kind;
    bool is_role = target == LZ_TARGET_PRIMARY || target == LZ_TARGET_REPLICA;
    return f->kind->per_instance ||
           (f->kind->per_link && (is_role || f->opts.pick.kind != LZ_PICK_ALL));
}

/*
 * The ramp: step k of n is in force from k/n of the ramp on, with the value in its middle. The
 * last is followed by the whole.
 */
static void set_rise(struct lz_faults *fs, uint32_t index)
{
    struct lz_fault *f = fs->all[index];
    struct lz_world *w = fs->w;
    bool is_whole = f->risen == LZ_RAMP_STEPS;
    double share = is_whole ? 1.0 : (f->risen + 0.5) / LZ_RAMP_STEPS;
    lz_ramp_at(f->kind, &f->full, share, w->arena, &f->opts.params);
    f->next_rise = 0;
    if (is_whole)
        return;
    f->risen++;
    lz_time at = f->started + (lz_time)((double)f->opts.ramp * f->risen / LZ_RAMP_STEPS);
    f->next_rise = lz_sim_at(w->sim, at, fs->rise, index, 0);
}

// What a step of the ramp touches again is not counted again, only what is more.
static void apply(struct lz_faults *fs, struct lz_fault *f)
{
    struct lz_world *w = fs->w;
    if (fs->hands != NULL) {
        fs->hands->apply(fs->hands->ctx, f);
        return;
    }
    uint64_t before = f->effect;
    f->kind->apply(w, f);
    uint64_t counted = f->effect - before;
    uint64_t more = counted > f->applied ? counted - f->applied : 0;
    f->effect = before + more;
    f->applied += more;
}

static void on_rise(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_faults *fs = ctx;
    struct lz_fault *f = fs->all[entity];
    LZ_ASSERT(f->active);
    if (fs->hands != NULL || f->kind->change != NULL) {
        set_rise(fs, entity);
        if (fs->hands != NULL)
            fs->hands->change(fs->hands->ctx, f);
        else
            f->kind->change(fs->w, f);
        return;
    }
    f->kind->revert(fs->w, f);
    set_rise(fs, entity);
    apply(fs, f);
}

// What depends on who is there, and the next step.
static void reconsider(struct lz_faults *fs, uint32_t index)
{
    if (fs->hands != NULL)
        return;
    if (fs->all[index]->active)
        plan_step(fs, index);
    lz_world_reconsider(fs->w);
    lz_cache_reconsider(fs->w);
    lz_store_reconsider(fs->w);
}

const char *lz_fault_waits(const struct lz_world *w, const struct lz_fault *f)
{
    return f->kind->waits == NULL || f->has_come ? NULL : f->kind->waits(w, f);
}

static void begin(struct lz_faults *fs, uint32_t index)
{
    struct lz_world *w = fs->w;
    struct lz_fault *f = fs->all[index];
    lz_time now = lz_sim_now(w->sim);
    LZ_ASSERT(!f->active);
    if (fs->is_over)
        return;
    f->active = true;
    f->started = now;
    f->stopped = -1;
    f->has_come = f->has_come || (f->firings > 0 && lz_fault_waits(w, f) == NULL);
    f->firings++;
    lz_journal_add(w, &(struct lz_journal_entry){.kind = "fault", .line = f->opts.line}, "%s",
                   f->name);
    f->hit_count = 0;
    f->is_resolved = is_resolved(f);
    if (f->is_resolved)
        resolve(w, f);
    f->step = f->risen = 0;
    if (f->opts.ramp > 0 && !f->kind->ramps_itself)
        set_rise(fs, index);
    f->applied = 0;
    apply(fs, f);
    reconsider(fs, index);
    if (f->opts.lasting > 0)
        f->ending = lz_sim_at(w->sim, now + f->opts.lasting, fs->end, index, 0);
    if (f->opts.every > 0)
        lz_sim_at(w->sim, now + f->opts.every, fs->begin, index, 0);
}

static void on_begin(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    begin(ctx, entity);
}

static void end(struct lz_faults *fs, uint32_t index)
{
    struct lz_world *w = fs->w;
    struct lz_fault *f = fs->all[index];
    lz_journal_add(w, &(struct lz_journal_entry){.kind = "fault_end", .line = f->opts.line},
                   "%s is over", f->name);
    lz_sim_cancel(w->sim, f->next_rise);
    f->next_rise = 0;
    if (fs->hands != NULL)
        fs->hands->revert(fs->hands->ctx, f);
    else
        f->kind->revert(w, f);
    f->active = false;
    if (f->ended < 0)
        f->ended = lz_sim_now(w->sim);
    reconsider(fs, index);
}

bool lz_faults_stop(struct lz_faults *fs, lz_fault_id id, struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= lz_fault_count(fs));
    struct lz_fault *f = fs->all[id - 1];
    if (!f->active)
        return lz_fail(err, LZ_EINVAL, "%s is not in force: it %s", f->name,
                       f->firings == 0 ? "has not come yet" : "is over");
    lz_sim_cancel(fs->w->sim, f->ending);
    f->ending = 0;
    f->is_stopped = f->is_stopped || f->firings == 1;
    f->stopped = lz_sim_now(fs->w->sim);
    end(fs, id - 1);
    return true;
}

static void on_end(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_faults *fs = ctx;
    fs->all[entity]->ending = 0;
    if (fs->all[entity]->active)
        end(fs, entity);
    else
        LZ_ASSERT(fs->is_over);
}

void lz_faults_hand_over(struct lz_faults *fs, const struct lz_fault_hands *hands)
{
    LZ_ASSERT(fs->count == 0);
    fs->hands = hands;
}

void lz_faults_end(struct lz_faults *fs)
{
    fs->is_over = true;
    for (uint32_t i = fs->count; i > 0; i--)
        if (fs->all[i - 1]->active)
            end(fs, i - 1);
}

struct lz_faults *lz_faults_create(struct lz_world *w)
{
    struct lz_faults *fs = lz_arena_alloc(w->arena, sizeof(*fs));
    fs->w = w;
    fs->begin = lz_sim_kind(w->sim, "fault", on_begin, fs);
    fs->step = lz_sim_kind(w->sim, "fault.step", on_step, fs);
    fs->end = lz_sim_kind(w->sim, "fault.end", on_end, fs);
    fs->rise = lz_sim_kind(w->sim, "fault.rise", on_rise, fs);
    return fs;
}

static bool check(const struct lz_faults *fs, const struct lz_fault_kind *kind,
                  const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_world *w = fs->w;
    if (!lz_kinds_check(kind, w, o, err))
        return false;
    if (fs->hands != NULL)
        return fs->hands->check(fs->hands->ctx, o, err);
    return kind->fits == NULL || kind->fits(w, o, err);
}

// Names are made from kind and target, unless the scenario gave one.
static char *name_of(struct lz_world *w, const struct lz_fault_opts *o)
{
    char text[2 * LZ_TARGET_TEXT_SIZE + 64], a[LZ_TARGET_TEXT_SIZE], b[LZ_TARGET_TEXT_SIZE];
    if (o->name != NULL)
        return lz_arena_strdup(w->arena, o->name);
    lz_target_describe(w, &o->target, a, sizeof(a));
    snprintf(text, sizeof(text), "%s %s", o->kind, a);
    if (o->target_b.kind != 0) {
        lz_target_describe(w, &o->target_b, b, sizeof(b));
        snprintf(text, sizeof(text), "%s %s | %s", o->kind, a, b);
    }
    return lz_arena_strdup(w->arena, text);
}

void lz_faults_swarm(struct lz_faults *fs, double share)
{
    LZ_ASSERT(share >= 0.0 && share < 1.0);
    fs->swarm = share;
}

void lz_faults_without(struct lz_faults *fs, size_t nth)
{
    LZ_ASSERT(fs->count == 0);
    fs->without = nth;
}

// When exactly it comes, and whether a swarm leaves it out; drawn from what it was asked for, so
// that neither changes anybody else's.
static void take_chances(const struct lz_faults *fs, struct lz_fault *f, bool is_now)
{
    uint64_t key = lz_sim_key(fs->w->sim);
    if (f->opts.spread > 0) {
        struct lz_draw draw = lz_draw_begin(key, f->path, LZ_PURPOSE_JITTER, 0);
        uint64_t width = 2 * (uint64_t)f->opts.spread + 1;
        f->opts.at += (lz_time)lz_draw_below(&draw, width) - f->opts.spread;
        LZ_ASSERT(f->opts.at >= 0);
    }
    if (fs->swarm > 0.0 && !is_now) {
        struct lz_draw draw = lz_draw_begin(key, f->path, LZ_PURPOSE_SWARM, 0);
        f->is_left_out = lz_draw_unit(&draw) < fs->swarm;
    }
    if (!is_now && fs->count + 1 == fs->without)
        f->is_left_out = true;
}

bool lz_fault_add(struct lz_faults *fs, const struct lz_fault_opts *opts, lz_fault_id *id,
                  struct lz_err *err)
{
    struct lz_world *w = fs->w;
    const struct lz_fault_kind *kind = lz_fault_kind_find(opts->kind);
    if (kind == NULL)
        return lz_fail(err, LZ_ENOENT, "there is no fault \"%s\"", opts->kind);
    if (!check(fs, kind, opts, err))
        return false;
    if (opts->at >= 0 && opts->at < lz_sim_now(w->sim))
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s: `at` is past, it is %.9gs; without `at` it begins now",
                       opts->kind, (double)lz_sim_now(w->sim) / 1e9);
    if (fs->count == FAULTS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d faults", FAULTS_MAX);
    struct lz_fault *f = lz_arena_alloc(w->arena, sizeof(*f));
    f->kind = kind;
    f->opts = *opts;
    f->full = opts->params;
    f->started = f->ended = f->stopped = -1;
    f->name = name_of(w, opts);
    if (opts->at < 0)
        f->opts.at = lz_sim_now(w->sim);
    f->nominal = f->opts.at;
    f->path = path_of(fs, f);
    take_chances(fs, f, opts->at < 0);
    fs->all = lz_grow(w->arena, fs->all, &fs->cap, fs->count + 1, sizeof(struct lz_fault *));
    fs->all[fs->count++] = f;
    *id = fs->count;
    if (opts->at < 0)
        begin(fs, fs->count - 1);
    else if (!f->is_left_out)
        lz_sim_at(w->sim, f->opts.at, fs->begin, fs->count - 1, 0);
    return true;
}

size_t lz_fault_count(const struct lz_faults *faults)
{
    return faults->count;
}

const struct lz_fault *lz_fault_get(const struct lz_faults *faults, lz_fault_id id)
{
    LZ_ASSERT(id >= 1 && id <= faults->count);
    return faults->all[id - 1];
}

void lz_fault_note_absent(struct lz_faults *fs, const char *kind, const char *target)
{
    struct lz_arena *arena = fs->w->arena;
    fs->absent =
        lz_grow(arena, fs->absent, &fs->absent_cap, fs->absent_count + 1, sizeof(*fs->absent));
    fs->absent[fs->absent_count++] =
        (struct lz_fault_absent){lz_arena_strdup(arena, kind), lz_arena_strdup(arena, target)};
}

size_t lz_fault_absent_count(const struct lz_faults *faults)
{
    return faults->absent_count;
}

const struct lz_fault_absent *lz_fault_absent_get(const struct lz_faults *faults, size_t i)
{
    LZ_ASSERT(i < faults->absent_count);
    return &faults->absent[i];
}

void lz_fault_note_barren(struct lz_faults *fs, const char *chaos)
{
    if (fs->barren == NULL)
        fs->barren = lz_arena_strdup(fs->w->arena, chaos);
}

const char *lz_fault_barren(const struct lz_faults *faults)
{
    return faults->barren;
}
