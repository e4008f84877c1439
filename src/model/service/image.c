#include "model/service/image.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/node/life.h"
#include "model/service/platform.h"
#include "model/service/pods.h"
#include "model/service/version.h"
#include "sim/draw.h"

// Of a replica that had to wait for its image at least once.
struct pull {
    lz_time backoff;   // before the next attempt but this one; 0: none failed
    lz_event_id event; // the end of a pull, or the next attempt; 0: neither
    bool is_pulling;   // it is the end of a pull
    bool is_granted;   // its image is there for the process that is about to begin
    uint64_t pulls;    // so far, for draws
};

struct lz_images {
    struct lz_image_opts **declared; // by component; NULL: as it is by default
    uint32_t declared_cap;
    struct pull *pulls; // by instance
    uint32_t cap;
    lz_kind next;
};

static const struct lz_image_opts by_default = {.policy = LZ_IMAGE_IF_NOT_PRESENT};

static const struct lz_image_opts *opts_of(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_images *is = w->images;
    lz_component_id c = lz_instance_get(w, id)->component;
    return c < is->declared_cap && is->declared[c] != NULL ? is->declared[c] : &by_default;
}

static struct pull *pull_of(struct lz_world *w, lz_instance_id id)
{
    struct lz_images *is = w->images;
    is->pulls = lz_grow(w->arena, is->pulls, &is->cap, id + 1, sizeof(*is->pulls));
    return &is->pulls[id];
}

// What it is made from; 0 where that is the same for all.
static uint32_t version_of(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_service *s = lz_service_at(w, lz_instance_get(w, id)->component);
    return s->rollout != NULL ? lz_pods_at(s, id - s->first)->version : 0;
}

// Some replica of the same service has had it there.
static bool is_cached(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    const struct lz_component *c = lz_world_component(w, i->component);
    uint32_t version = version_of(w, id);
    for (uint32_t n = 0; n < c->instance_count; n++)
        if (lz_instance_get(w, c->instances_first + n)->imaged == i->host &&
            version_of(w, c->instances_first + n) == version)
            return true;
    return false;
}

static bool is_broken(const struct lz_world *w, lz_instance_id id)
{
    uint32_t version = version_of(w, id);
    const struct lz_service *s = lz_service_at(w, lz_instance_get(w, id)->component);
    return version != 0 && lz_version_fails(s, version) == LZ_VERSION_FAILS_IMAGE;
}

static void on_next(void *ctx, uint32_t entity, uint64_t payload);

static void plan(struct lz_world *w, lz_instance_id id, lz_time wait)
{
    struct pull *p = pull_of(w, id);
    LZ_ASSERT(p->event == 0);
    if (w->images->next == 0) // numbers of kinds are in the trace: only who needs it has one more
        w->images->next = lz_sim_kind(w->sim, "image", on_next, w);
    p->event = lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, w->images->next, id, 0);
}

static void back_off(struct lz_world *w, lz_instance_id id, const char *why)
{
    struct pull *p = pull_of(w, id);
    lz_time wait = p->backoff > 0 ? p->backoff : LZ_IMAGE_BACKOFF;
    p->backoff = wait < LZ_IMAGE_BACKOFF_MAX / 2 ? 2 * wait : LZ_IMAGE_BACKOFF_MAX;
    lz_instance_note(w, id, "pending", "%s: tried again in %g s", why, (double)wait / 1e9);
    plan(w, id, wait);
}

// It is on its node from now on.
static bool grant(struct lz_world *w, lz_instance_id id)
{
    struct lz_instance *i = lz_instance_get(w, id);
    struct pull *p = pull_of(w, id);
    i->imaged = i->host;
    p->is_granted = true;
    p->backoff = 0;
    return true;
}

static bool begin_pull(struct lz_world *w, lz_instance_id id, const struct lz_image_opts *o)
{
    struct pull *p = pull_of(w, id);
    if (o->pull_time.kind == LZ_DIST_NONE)
        return grant(w, id);
    uint64_t owner = lz_instance_path(w, id);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_name(owner, "image"),
                                        LZ_PURPOSE_STARTUP, p->pulls++);
    lz_time left = lz_dist_time(&o->pull_time, &draw) - lz_life_moving(w, id);
    if (left <= 0)
        return grant(w, id);
    p->is_pulling = true;
    lz_instance_note(w, id, "pulling", "pulls its image");
    plan(w, id, left);
    return false;
}

bool lz_image_fetch(struct lz_world *w, lz_instance_id id)
{
    const struct lz_image_opts *o = opts_of(w, id);
    struct lz_images *is = w->images;
    if (id < is->cap && is->pulls[id].is_granted)
        return true;
    if (id < is->cap && is->pulls[id].event != 0)
        return false;
    if (is_broken(w, id)) {
        back_off(w, id, "ErrImagePull");
        return false;
    }
    bool is_there = is_cached(w, id);
    if (is_there && o->policy != LZ_IMAGE_ALWAYS)
        return grant(w, id);
    if (!is_there && o->policy == LZ_IMAGE_NEVER) {
        back_off(w, id, "ErrImageNeverPull");
        return false;
    }
    if (lz_platform_refuses_pull(w, id)) {
        back_off(w, id, "ImagePullBackOff");
        return false;
    }
    return is_there ? grant(w, id) : begin_pull(w, id, o);
}

bool lz_image_may_start(struct lz_world *w, lz_instance_id id)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    bool is_plain = opts_of(w, id) == &by_default;
    bool is_where_it_was = is_plain && i->imaged == i->host;
    if (!is_where_it_was && !lz_image_fetch(w, id))
        return false;
    if (id < w->images->cap)
        w->images->pulls[id].is_granted = false; // the next process asks again
    return true;
}

// A pull has ended, or it is time to try again; whoever still wants to start does.
static void on_next(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct pull *p = pull_of(w, entity);
    p->event = 0;
    bool was_pulling = p->is_pulling;
    p->is_pulling = false;
    if (was_pulling && lz_platform_refuses_pull(w, entity)) {
        back_off(w, entity, "ErrImagePull");
        return;
    }
    if (was_pulling) {
        grant(w, entity);
        lz_life_moved(w, entity);
    }
    if (lz_instance_get(w, entity)->is_unpulled)
        lz_instance_pulled(w, entity);
    else
        lz_pods_reconsider(w);
}

void lz_image_forget(struct lz_world *w, lz_instance_id id)
{
    if (id >= w->images->cap)
        return;
    struct pull *p = &w->images->pulls[id];
    lz_sim_cancel(w->sim, p->event);
    *p = (struct pull){.pulls = p->pulls};
}

void lz_image_declare(struct lz_world *w, lz_component_id service, const struct lz_image_opts *opts)
{
    struct lz_images *is = w->images;
    LZ_ASSERT(!w->running);
    is->declared = lz_grow(w->arena, is->declared, &is->declared_cap, service + 1,
                           sizeof(struct lz_image_opts *));
    is->declared[service] = lz_arena_alloc(w->arena, sizeof(**is->declared));
    *is->declared[service] = *opts;
}

void lz_images_init(struct lz_world *w)
{
    w->images = lz_arena_alloc(w->arena, sizeof(*w->images));
}
