#include "model/node/disk.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/node/host.h"

#define PAGE_BYTES 8192.0
// PostgreSQL's checkpoint_timeout: what was written longer ago is in the tables as well.
#define CHECKPOINT_NS (300 * LZ_S)

// Of one instance, or of a host for all that stand on it.
struct device {
    const struct lz_disk_opts *opts;
    lz_host_id host;                // of a shared one
    lz_time free_at;                // for the next operation
    double used;                    // bytes written, with those that were there
    struct lz_disk_effect *effects; // free places have no `touched`
    uint32_t *effect_hits;          // instances through which a fault disturbs it
    uint32_t effect_count, effect_cap, hits_cap, active;
    double full_at;        // `used` at which it is full; INFINITY: never
    struct parked *parked; // while it is frozen, in order
    uint32_t parked_count, parked_cap;
    struct queued *queue; // that it has not got through, where operations take it time, in order
    uint32_t queue_first, queue_last, queue_cap;
};

struct queued {
    lz_time ends, gap; // of its turn at the device
    lz_time latency;   // from then on
    lz_instance_id at;
    lz_kind done;
    uint64_t payload;
    lz_event_id event;
};

struct parked {
    lz_instance_id at;
    struct lz_disk_request request;
};

// What an instance keeps on it: a log.
struct disk {
    struct device *device;
    uint64_t lied; // first record that only the cache has; 0: none
    uint64_t lost; // first record that is nowhere; 0: none
    lz_time lost_at;
    uint64_t last; // flushed
    struct lz_disk_ends ends;
};

struct lz_disks {
    struct lz_disks_face face; // first
    struct disk **all;         // by instance; NULL: of no interest yet
    uint32_t cap;
    struct device **hosts; // by host; NULL: it has none to share
    uint32_t host_cap;
    bool *uses; // by component
    uint32_t use_cap;
};

static const struct lz_disk_opts undeclared = {.write_bytes = PAGE_BYTES};

static struct disk *find(const struct lz_world *w, lz_instance_id id)
{
    return id < w->disks->cap ? w->disks->all[id] : NULL;
}

static struct device *host_device(const struct lz_world *w, lz_host_id host)
{
    return host < w->disks->host_cap ? w->disks->hosts[host] : NULL;
}

static struct device *make_device(struct lz_world *w)
{
    struct device *v = lz_arena_alloc(w->arena, sizeof(*v));
    v->opts = &undeclared;
    v->full_at = (double)INFINITY;
    return v;
}

static struct disk *disk_of(struct lz_world *w, lz_instance_id id)
{
    struct lz_disks *ds = w->disks;
    ds->all = lz_grow(w->arena, ds->all, &ds->cap, id + 1, sizeof(struct disk *));
    if (ds->all[id] == NULL) {
        ds->all[id] = lz_arena_alloc(w->arena, sizeof(struct disk));
        ds->face.made++;
        ds->face.is_any = true;
        struct device *shared = host_device(w, lz_instance_get(w, id)->host);
        ds->all[id]->device = shared != NULL ? shared : make_device(w);
    }
    return ds->all[id];
}

void lz_disk_serves(struct lz_world *w, lz_component_id id)
{
    struct lz_disks *ds = w->disks;
    ds->uses = lz_grow(w->arena, ds->uses, &ds->use_cap, id + 1, sizeof(bool));
    ds->uses[id] = true;
}

bool lz_disk_is_used(const struct lz_world *w, lz_component_id id)
{
    return id < w->disks->use_cap && w->disks->uses[id];
}

bool lz_disk_takes_part(const struct lz_world *w, lz_instance_id id)
{
    const struct disk *d = find(w, id);
    if (d == NULL)
        return host_device(w, lz_instance_get(w, id)->host) != NULL;
    return d->device->opts != &undeclared || d->device->active > 0;
}

static double unit(struct lz_world *w, uint64_t owner, uint64_t path, uint64_t counter)
{
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_draw_join(owner, path), LZ_PURPOSE_DISK, counter);
    return lz_draw_unit(&draw);
}

bool lz_disk_misses(struct lz_world *w, lz_instance_id id, uint64_t owner)
{
    const struct disk *own = find(w, id);
    const struct device *d =
        own != NULL ? own->device : host_device(w, lz_instance_get(w, id)->host);
    if (d == NULL)
        return false;
    bool corrupts = false; // what is changed on disk is noticed when it is read from there
    for (uint32_t i = 0; i < d->effect_count; i++)
        corrupts = corrupts || (d->effects[i].touched != NULL &&
                                (d->effects[i].corrupt > 0.0 || d->effects[i].is_detached));
    return corrupts || (d->opts->miss_ratio > 0.0 && unit(w, owner, 0, 0) < d->opts->miss_ratio);
}

// Records of a log go with their flush, in one operation: what fails writes fails that.
static bool is_hit(const struct lz_disk_effect *e, const struct lz_disk_request *r)
{
    unsigned ops = 1u << r->op;
    if (r->op == LZ_DISK_FSYNC && !r->is_bare)
        ops |= 1u << LZ_DISK_WRITE;
    return e->operations == 0 || (e->operations & ops) != 0;
}

// Does it fail? All causes are asked, so that each counts what it touched.
static bool fails(struct lz_world *w, struct device *d, const struct lz_disk_request *r)
{
    bool failed = false;
    double bytes = r->op == LZ_DISK_READ || r->is_in_place ? 0.0 : d->opts->write_bytes;
    bool is_full = bytes > 0.0 && d->used + bytes > d->full_at;
    for (uint32_t i = 0; i < d->effect_count; i++) {
        const struct lz_disk_effect *e = &d->effects[i];
        if (e->touched == NULL)
            continue;
        bool by_error =
            e->error_ratio > 0.0 && is_hit(e, r) && unit(w, r->owner, e->path, 1) < e->error_ratio;
        bool is_changed =
            e->corrupt > 0.0 && r->op == LZ_DISK_READ && unit(w, r->owner, e->path, 2) < e->corrupt;
        bool by_full = is_full && e->is_full;
        if (!e->is_detached && !by_error && !is_changed && !by_full)
            continue;
        (*e->touched)++;
        failed =
            failed || e->is_detached || by_error || by_full || (is_changed && d->opts->checksums);
    }
    return failed || is_full;
}

static void park(struct lz_world *w, struct device *d, lz_instance_id id,
                 const struct lz_disk_request *r)
{
    d->parked =
        lz_grow(w->arena, d->parked, &d->parked_cap, d->parked_count + 1, sizeof(*d->parked));
    d->parked[d->parked_count++] = (struct parked){.at = id, .request = *r};
}

static double slowest_iops(const struct device *d)
{
    double iops = d->opts->iops > 0.0 ? d->opts->iops : (double)INFINITY;
    for (uint32_t i = 0; i < d->effect_count; i++)
        if (d->effects[i].touched != NULL && d->effects[i].iops > 0.0)
            iops = fmin(iops, d->effects[i].iops);
    return iops;
}

static bool is_slowed(struct lz_world *w, const struct lz_disk_effect *e,
                      const struct lz_disk_request *r)
{
    bool is_some = e->slow_ratio > 0.0 && e->slow_ratio < 1.0;
    return is_hit(e, r) && !(is_some && unit(w, r->owner, e->path, 5) >= e->slow_ratio);
}

static lz_time latency(struct lz_world *w, const struct device *d, const struct lz_disk_request *r)
{
    double ns = 0.0, factor = 1.0;
    if (d->opts->latency.kind != LZ_DIST_NONE) {
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), r->owner, LZ_PURPOSE_DISK, 3);
        ns = (double)lz_dist_time(&d->opts->latency, &draw);
    }
    double more = 0.0;
    for (uint32_t i = 0; i < d->effect_count; i++) {
        const struct lz_disk_effect *e = &d->effects[i];
        if (e->touched == NULL || !is_slowed(w, e, r))
            continue;
        factor *= e->factor > 0.0 ? e->factor : 1.0;
        if (e->add.kind != LZ_DIST_NONE) {
            struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_join(r->owner, e->path),
                                                LZ_PURPOSE_DISK, 4);
            more += (double)lz_dist_time(&e->add, &draw);
        }
        if ((e->factor > 0.0 && ns > 0.0) || e->add.kind != LZ_DIST_NONE || e->iops > 0.0)
            (*e->touched)++;
    }
    return (lz_time)(ns * factor + more + 0.5);
}

static lz_time gap_of(const struct device *d)
{
    double gap = 1e9 / slowest_iops(d);
    if (d->opts->bandwidth > 0.0)
        gap += d->opts->write_bytes / d->opts->bandwidth * 1e9;
    return (lz_time)(gap + 0.5);
}

static void finish(struct lz_world *w, struct queued *q)
{
    q->event = lz_sim_at(w->sim, q->ends + q->latency, q->done, q->at, q->payload);
}

static void enqueue(struct lz_world *w, struct device *d, const struct queued *q)
{
    lz_time now = lz_sim_now(w->sim);
    while (d->queue_first < d->queue_last && d->queue[d->queue_first].ends <= now)
        d->queue_first++;
    if (d->queue_first > 0 && 2 * d->queue_first >= d->queue_last) { // half of it is done with
        d->queue_last -= d->queue_first;
        memmove(d->queue, d->queue + d->queue_first, d->queue_last * sizeof(*d->queue));
        d->queue_first = 0;
    }
    d->queue = lz_grow(w->arena, d->queue, &d->queue_cap, d->queue_last + 1, sizeof(*d->queue));
    d->queue[d->queue_last] = *q;
    finish(w, &d->queue[d->queue_last++]);
}

// What waits goes at the new rate, as behind a limit of blk-throttle that was set anew; of what has
// its turn, the part that is left.
static void go_at_another_rate(struct lz_world *w, struct device *d)
{
    const lz_time now = lz_sim_now(w->sim), gap = gap_of(d);
    if (d->queue_first == d->queue_last || d->queue[d->queue_last - 1].gap == gap)
        return;
    lz_time free_at = now;
    for (uint32_t i = d->queue_first; i < d->queue_last; i++) {
        struct queued *q = &d->queue[i];
        if (q->ends <= now)
            continue;
        double share = q->ends - now < q->gap ? (double)(q->ends - now) / (double)q->gap : 1.0;
        lz_sim_cancel(w->sim, q->event);
        d->free_at = free_at += (lz_time)(share * (double)gap + 0.5);
        q->ends = free_at;
        q->gap = gap;
        finish(w, q);
    }
}

void lz_disk_start(struct lz_world *w, lz_instance_id id, const struct lz_disk_request *r)
{
    struct device *d = disk_of(w, id)->device;
    lz_time now = lz_sim_now(w->sim);
    bool is_frozen = false;
    for (uint32_t i = 0; i < d->effect_count; i++)
        if (d->effects[i].touched != NULL && d->effects[i].freezes) {
            is_frozen = true;
            (*d->effects[i].touched)++;
        }
    if (is_frozen) {
        park(w, d, id, r);
        return;
    }
    if (fails(w, d, r)) {
        lz_sim_soon(w->sim, r->failed, id, r->payload);
        return;
    }
    lz_time gap = gap_of(d);
    d->free_at = (d->free_at > now ? d->free_at : now) + gap;
    if (r->op != LZ_DISK_READ && !r->is_in_place) {
        d->used += d->opts->write_bytes;
        if (d->host != 0)
            lz_host_wrote(w, d->host);
    }
    const lz_time later = latency(w, d, r);
    if (gap == 0 && d->free_at == now) {
        lz_sim_at(w->sim, now + later, r->done, id, r->payload);
        return;
    }
    enqueue(w, d,
            &(struct queued){.ends = d->free_at,
                             .gap = gap,
                             .latency = later,
                             .at = id,
                             .done = r->done,
                             .payload = r->payload});
}

// ---- faults

static void recompute(struct device *d)
{
    d->full_at = d->opts->size > 0.0 ? d->opts->size : (double)INFINITY;
    for (uint32_t i = 0; i < d->effect_count; i++)
        if (d->effects[i].touched != NULL && d->effects[i].is_full)
            d->full_at = fmin(d->full_at, d->effects[i].keep);
}

// A fault that hits several instances on one host disturbs their disk once.
static uint32_t same_effect(const struct device *d, const struct lz_disk_effect *effect)
{
    for (uint32_t i = 0; i < d->effect_count; i++)
        if (d->effects[i].touched == effect->touched && d->effects[i].path == effect->path)
            return i + 1;
    return 0;
}

uint32_t lz_disk_disturb(struct lz_world *w, lz_instance_id id, const struct lz_disk_effect *effect)
{
    LZ_ASSERT(effect->touched != NULL);
    struct device *d = disk_of(w, id)->device;
    uint32_t same = same_effect(d, effect);
    if (same != 0) {
        d->effect_hits[same - 1]++;
        return same;
    }
    uint32_t at = 0;
    while (at < d->effect_count && d->effects[at].touched != NULL)
        at++;
    d->effects = lz_grow(w->arena, d->effects, &d->effect_cap, at + 1, sizeof(*d->effects));
    d->effect_hits =
        lz_grow(w->arena, d->effect_hits, &d->hits_cap, at + 1, sizeof(*d->effect_hits));
    if (at == d->effect_count)
        d->effect_count++;
    d->effects[at] = *effect;
    if (effect->lies || effect->tears || effect->loses > 0.0 || effect->misdirects > 0.0)
        w->disks->face.is_doubtful = true;
    d->effects[at].keep += d->used; // full when so much more is written
    d->effect_hits[at] = 1;
    d->active++;
    recompute(d);
    go_at_another_rate(w, d);
    return at + 1;
}

void lz_disk_undo(struct lz_world *w, lz_instance_id id, uint32_t effect)
{
    struct device *d = disk_of(w, id)->device;
    LZ_ASSERT(effect >= 1 && effect <= d->effect_count);
    LZ_ASSERT(d->effects[effect - 1].touched != NULL && d->effect_hits[effect - 1] > 0);
    if (--d->effect_hits[effect - 1] > 0)
        return;
    bool froze = d->effects[effect - 1].freezes;
    d->effects[effect - 1].touched = NULL;
    d->active--;
    recompute(d);
    go_at_another_rate(w, d);
    uint32_t count = froze ? d->parked_count : 0;
    d->parked_count -= count;
    for (uint32_t i = 0; i < count; i++) { // what is frozen still parks again, from the front
        struct parked p = d->parked[i];
        lz_disk_start(w, p.at, &p.request);
    }
}

// ---- what holds

void lz_disk_keep_flushed(struct lz_world *w, lz_instance_id id, uint64_t lsn)
{
    struct disk *d = find(w, id);
    if (d == NULL)
        return;
    d->last = lsn;
    bool lies = false;
    for (uint32_t i = 0; i < d->device->effect_count; i++) {
        const struct lz_disk_effect *e = &d->device->effects[i];
        if (e->touched == NULL)
            continue;
        bool loses = (e->loses > 0.0 && unit(w, lsn, e->path, 5) < e->loses) ||
                     (e->misdirects > 0.0 && unit(w, lsn, e->path, 6) < e->misdirects);
        lies = lies || e->lies;
        if (loses && d->lost == 0) {
            d->lost = lsn;
            d->lost_at = lz_sim_now(w->sim);
        }
        *e->touched += loses || e->lies || e->tears;
    }
    if (!lies)
        d->lied = 0; // one honest flush takes everything to the disk
    else if (d->lied == 0)
        d->lied = lsn;
    if (d->lost != 0 && lz_sim_now(w->sim) - d->lost_at > CHECKPOINT_NS)
        d->lost = 0;
}

uint64_t lz_disk_kept(const struct lz_world *w, lz_instance_id id, uint64_t lsn)
{
    const struct disk *d = find(w, id);
    if (d == NULL)
        return lsn;
    uint64_t whole = lsn;
    for (uint32_t i = 0; i < d->device->effect_count; i++)
        if (d->device->effects[i].touched != NULL && d->device->effects[i].tears &&
            d->last == lsn && lsn > 0)
            whole = lsn - 1;
    if (d->lied != 0 && d->lied - 1 < whole)
        whole = d->lied - 1;
    if (d->lost != 0 && d->lost - 1 < whole)
        whole = d->lost - 1;
    return whole;
}

struct lz_disk_fate lz_disk_fate(struct lz_world *w, lz_instance_id id, uint64_t nth)
{
    struct lz_disk_fate fate = {0};
    struct disk *d = find(w, id);
    if (d == NULL)
        return fate;
    d->ends.has_files = true;
    uint64_t owner = lz_draw_index(lz_instance_path(w, id), nth);
    for (uint32_t i = 0; i < d->device->effect_count; i++) {
        const struct lz_disk_effect *e = &d->device->effects[i];
        if (e->touched == NULL)
            continue;
        fate.lies = fate.lies || e->lies;
        fate.tears = fate.tears || e->tears;
        bool loses = e->loses > 0.0 && unit(w, owner, e->path, 7) < e->loses;
        fate.loses = fate.loses || loses;
        bool misdirects = e->misdirects > 0.0 && unit(w, owner, e->path, 8) < e->misdirects;
        if (misdirects) {
            fate.misdirects = true;
            fate.where = unit(w, owner, e->path, 9);
        }
        *e->touched += loses || misdirects;
    }
    return fate;
}

bool lz_disk_take(struct lz_world *w, lz_instance_id id, double bytes)
{
    LZ_ASSERT(bytes > 0.0);
    const struct disk *d = find(w, id);
    if (d == NULL)
        return true;
    struct device *device = d->device;
    if (device->used + bytes > device->full_at) {
        for (uint32_t i = 0; i < device->effect_count; i++)
            if (device->effects[i].touched != NULL && device->effects[i].is_full)
                (*device->effects[i].touched)++;
        return false;
    }
    device->used += bytes;
    if (device->host != 0)
        lz_host_wrote(w, device->host);
    return true;
}

void lz_disk_give(struct lz_world *w, lz_instance_id id, double bytes)
{
    LZ_ASSERT(bytes >= 0.0);
    const struct disk *d = find(w, id);
    if (d == NULL || !(bytes > 0.0))
        return;
    struct device *device = d->device;
    device->used = device->used > bytes ? device->used - bytes : 0.0;
    if (device->host != 0)
        lz_host_wrote(w, device->host);
}

bool lz_disk_is_full(const struct lz_world *w, lz_instance_id id)
{
    const struct disk *d = find(w, id);
    return d != NULL && d->device->used + d->device->opts->write_bytes > d->device->full_at;
}

void lz_disk_ended(struct lz_world *w, lz_instance_id id, bool is_lost)
{
    struct disk *d = find(w, id);
    if (d == NULL)
        return;
    d->ends.ends++;
    d->ends.losses += is_lost;
}

struct lz_disk_ends lz_disk_ends(const struct lz_world *w, lz_instance_id id)
{
    const struct disk *d = find(w, id);
    return d != NULL ? d->ends : (struct lz_disk_ends){0};
}

void lz_disk_is_whole(struct lz_world *w, lz_instance_id id)
{
    struct disk *d = find(w, id);
    if (d != NULL)
        d->lied = d->lost = d->last = 0;
}

void lz_disk_written_anew(struct lz_world *w, lz_instance_id id)
{
    struct disk *d = find(w, id);
    if (d == NULL)
        return;
    bool lies = false;
    for (uint32_t i = 0; i < d->device->effect_count; i++)
        lies = lies || (d->device->effects[i].touched != NULL && d->device->effects[i].lies);
    d->lost = d->last = 0; // the log's last record was not the last that was written
    if (!lies)
        d->lied = 0;
}

// ---- declaring

static bool check(const struct lz_disk_opts *o, struct lz_err *err)
{
    if (!(o->iops >= 0.0 && o->iops <= 1e9))
        return lz_fail(err, LZ_ERANGE, "disk: iops must be at most 1e9, got %g", o->iops);
    if (!(o->bandwidth >= 0.0 && o->bandwidth <= 1e15))
        return lz_fail(err, LZ_ERANGE,
                       "disk: bandwidth must be at most 1e15 bytes per second, "
                       "got %g",
                       o->bandwidth);
    if (o->size > 0.0 && o->used > o->size)
        return lz_fail(err, LZ_ERANGE, "disk: %g bytes are used of %g", o->used, o->size);
    if (o->used > 0.0 && !(o->size > 0.0))
        return lz_fail(err, LZ_EINVAL, "disk: `used` needs the `size` it is a part of");
    return true;
}

static const struct lz_disk_opts *keep(struct lz_world *w, const struct lz_disk_opts *opts)
{
    struct lz_disk_opts *own = lz_arena_alloc(w->arena, sizeof(*own));
    *own = *opts;
    if (!(own->write_bytes > 0.0))
        own->write_bytes = PAGE_BYTES;
    return own;
}

static void equip(struct device *d, const struct lz_disk_opts *opts)
{
    d->opts = opts;
    d->used = opts->used;
    recompute(d);
}

bool lz_disk_declare(struct lz_world *w, lz_component_id id, const struct lz_disk_opts *opts,
                     struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    if (!check(opts, err))
        return false;
    const struct lz_disk_opts *own = keep(w, opts);
    const struct lz_component *c = lz_world_component(w, id);
    for (uint32_t i = 0; i < c->instance_count; i++) {
        lz_instance_id at = c->instances_first + i;
        if (host_device(w, lz_instance_get(w, at)->host) != NULL)
            return lz_fail(err, LZ_EINVAL,
                           "disk: the host it stands on has a disk that all on it share: leave "
                           "one of the two out");
        equip(disk_of(w, at)->device, own);
    }
    return true;
}

bool lz_disk_share(struct lz_world *w, lz_host_id host, const struct lz_disk_opts *opts,
                   struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    if (!check(opts, err))
        return false;
    struct lz_disks *ds = w->disks;
    ds->hosts = lz_grow(w->arena, ds->hosts, &ds->host_cap, host + 1, sizeof(struct device *));
    LZ_ASSERT(ds->hosts[host] == NULL);
    ds->hosts[host] = make_device(w);
    ds->face.is_any = true;
    ds->hosts[host]->host = host;
    equip(ds->hosts[host], keep(w, opts));
    lz_host_wrote(w, host);
    return true;
}

double lz_disk_on_host(const struct lz_world *w, lz_host_id host)
{
    const struct device *d = host_device(w, host);
    return d != NULL && d->opts->size > 0.0 ? d->used / d->opts->size : 0.0;
}

void lz_disks_init(struct lz_world *w)
{
    w->disks = lz_arena_alloc(w->arena, sizeof(*w->disks));
}
