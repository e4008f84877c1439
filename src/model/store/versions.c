#include "model/store/versions.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/history/recorder.h"
#include "model/service/fence.h"

#define NULL_ID "null"

static struct lz_version *at(const struct lz_store *s, uint32_t i)
{
    LZ_ASSERT(s->versions != NULL && i >= 1 && i <= s->versions->count);
    return &s->versions->all[i];
}

static uint32_t new_version(struct lz_world *w, struct lz_store *s, const struct lz_version *v)
{
    struct lz_versions *vs = s->versions;
    uint32_t i = vs->free;
    if (i != 0) {
        vs->free = at(s, i)->older;
    } else {
        i = ++vs->count;
        vs->all = lz_grow(w->arena, vs->all, &vs->cap, i + 1, sizeof(*vs->all));
    }
    vs->all[i] = *v;
    return i;
}

// The newest of a key. What was written before versions were kept becomes one, whose id is null.
static uint32_t newest_of(struct lz_world *w, struct lz_store *s, uint64_t key)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    if (e == NULL || e->bytes != 0)
        return e != NULL ? e->bytes : 0;
    struct lz_version old = {.value = e->value,
                             .size = e->size,
                             .number = e->version,
                             .created = e->cost,
                             .replaced = -1};
    struct lz_put p = {.key = key,
                       .value = e->value,
                       .version = e->version,
                       .cost = e->cost,
                       .size = e->size,
                       .bytes = new_version(w, s, &old)};
    LZ_ASSERT(lz_keyspace_put(s->items, &p, 0) != NULL);
    return p.bytes;
}

// What the key's entry says is what is current; no version, no entry.
static void set_newest(struct lz_store *s, uint64_t key, uint32_t newest)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    bool was_there = e != NULL && e->value != 0;
    bool is_there = newest != 0 && at(s, newest)->value != 0;
    s->live += (uint32_t)is_there - (uint32_t)was_there;
    if (newest == 0) {
        lz_keyspace_remove(s->items, key, 0);
        return;
    }
    struct lz_version *v = at(s, newest);
    v->replaced = -1;
    struct lz_put p = {.key = key,
                       .value = v->value,
                       .version = v->number,
                       .cost = v->created,
                       .size = v->size,
                       .bytes = newest};
    LZ_ASSERT(lz_keyspace_put(s->items, &p, 0) != NULL);
}

static void count_kept(struct lz_store *s, uint32_t i, bool is_more)
{
    struct lz_versions *vs = s->versions;
    vs->kept += is_more ? 1u : -1u;
    vs->bytes += is_more ? at(s, i)->size : -at(s, i)->size;
}

// Out of its key's list, for good.
static void drop(struct lz_store *s, uint64_t key, uint32_t newest, uint32_t i)
{
    struct lz_versions *vs = s->versions;
    uint32_t older = at(s, i)->older;
    if (i == newest) {
        if (older != 0)
            count_kept(s, older, false);
        set_newest(s, key, older);
    } else {
        uint32_t newer = newest;
        while (at(s, newer)->older != i)
            newer = at(s, newer)->older;
        at(s, newer)->older = older;
        count_kept(s, i, false);
    }
    at(s, i)->older = vs->free;
    vs->free = i;
}

static uint32_t find(const struct lz_store *s, uint32_t newest, uint64_t id)
{
    uint32_t i = newest;
    while (i != 0 && at(s, i)->id != id)
        i = at(s, i)->older;
    return i;
}

// A version on top; a bucket that is suspended has one whose id is null.
static uint32_t push(struct lz_world *w, struct lz_store *s, uint64_t key, lz_value value,
                     uint64_t size)
{
    bool is_null = s->versions->is_suspended;
    uint32_t newest = newest_of(w, s, key);
    uint32_t old = is_null ? find(s, newest, 0) : 0;
    if (old != 0) {
        drop(s, key, newest, old);
        newest = newest_of(w, s, key);
    }
    lz_time now = lz_sim_now(w->sim);
    struct lz_version v = {.number = ++s->writes,
                           .id = is_null ? 0 : s->writes,
                           .value = value,
                           .size = value != 0 ? size : 0,
                           .created = now,
                           .older = newest};
    uint32_t i = new_version(w, s, &v);
    if (newest != 0) {
        at(s, newest)->replaced = now;
        count_kept(s, newest, true);
    }
    set_newest(s, key, i);
    return i;
}

static lz_value id_value(struct lz_world *w, const struct lz_version *v)
{
    return v->id != 0 ? lz_value_integer((int64_t)v->id)
                      : lz_value_text(w, NULL_ID, sizeof(NULL_ID) - 1);
}

// ---------------------------------------------------------------- answers

// Who asked in full is told the ids too.
static void answer(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint16_t status,
                   lz_value value, uint32_t version)
{
    if (version != 0 && lz_store_ask_of(w, t) != NULL) {
        struct lz_cache_pair id = {.key = t->key, .value = id_value(w, at(s, version))};
        lz_argument_answer(w, t, lz_argument_make(w, &id, sizeof(id)));
    }
    lz_items_answer(w, s, t, status, value);
}

static void answer_all(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint32_t newest)
{
    uint32_t count = 0;
    for (uint32_t i = newest; i != 0; i = at(s, i)->older)
        count++;
    if (lz_store_ask_of(w, t) != NULL) {
        uint32_t size = count * (uint32_t)sizeof(struct lz_cache_pair);
        lz_argument_id all = lz_argument_make(w, NULL, size);
        struct lz_cache_pair *pairs = lz_argument_bytes(w, all, &size);
        uint32_t n = 0;
        for (uint32_t i = newest; i != 0; i = at(s, i)->older)
            pairs[n++] = (struct lz_cache_pair){t->key, id_value(w, at(s, i))};
        lz_argument_answer(w, t, all);
    }
    lz_items_answer(w, s, t, 200, lz_value_integer(count));
}

// ---------------------------------------------------------------- operations

// The id that a call names. False: none can be that.
static bool read_id(struct lz_world *w, lz_value v, uint64_t *id)
{
    *id = 0;
    if (lz_value_kind(v) == LZ_VALUE_INTEGER && lz_value_to_integer(v) > 0)
        *id = (uint64_t)lz_value_to_integer(v);
    else if (v != lz_value_text(w, NULL_ID, sizeof(NULL_ID) - 1))
        return false;
    return true;
}

static void read(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint32_t i,
                 bool has_body)
{
    const struct lz_version *v = i != 0 ? at(s, i) : NULL;
    bool is_there = v != NULL && v->value != 0;
    lz_recorder_effect(w, t, is_there ? v->number : 0);
    answer(w, s, t, is_there ? 200 : 404, is_there && has_body ? v->value : 0, i);
}

static void write(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_value value,
                  uint64_t size)
{
    uint32_t i = push(w, s, t->key, value, size);
    lz_recorder_effect(w, t, at(s, i)->number);
    lz_fence_accepted(w, t);
    lz_metrics_add(w->metrics, s->series.acked, 1);
    lz_items_measure(w, s);
    answer(w, s, t, 200, value, i);
}

// By its id: what is asked is not what is current, and no history can say what it should be.
static void operate_on(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                       enum lz_store_op op, uint32_t i)
{
    const struct lz_version *v = i != 0 ? at(s, i) : NULL;
    if (op == LZ_STORE_GET || op == LZ_STORE_HEAD)
        lz_recorder_void(w, t);
    else
        lz_recorder_untold(w, t);
    if (v == NULL) {
        lz_items_answer(w, s, t, 404, 0);
    } else if (op == LZ_STORE_DELETE) {
        drop(s, t->key, newest_of(w, s, t->key), i);
        lz_metrics_add(w->metrics, s->series.acked, 1);
        lz_items_measure(w, s);
        lz_items_answer(w, s, t, 200, 0);
    } else if (v->value == 0) {
        lz_items_answer(w, s, t, op == LZ_STORE_RESTORE ? 400 : 405, 0);
    } else if (op == LZ_STORE_RESTORE) {
        write(w, s, t, v->value, v->size);
    } else {
        answer(w, s, t, 200, op == LZ_STORE_GET ? v->value : 0, i);
    }
}

bool lz_versions_operate(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                         enum lz_store_op op)
{
    if (s->versions == NULL)
        return false;
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    uint32_t newest = newest_of(w, s, t->key);
    if (op == LZ_STORE_VERSIONS) {
        answer_all(w, s, t, newest);
        return true;
    }
    if (ask != NULL && ask->version != 0) {
        uint64_t id;
        bool is_id = read_id(w, ask->version, &id);
        operate_on(w, s, t, op, is_id ? find(s, newest, id) : 0);
        return true;
    }
    switch (op) {
    case LZ_STORE_GET:
    case LZ_STORE_HEAD:
        read(w, s, t, newest, op == LZ_STORE_GET);
        return true;
    case LZ_STORE_PUT:
        write(w, s, t, lz_items_put_value(w, s, t), lz_items_size(w, s, t));
        return true;
    case LZ_STORE_DELETE: // also of what is not there
        write(w, s, t, 0, 0);
        return true;
    case LZ_STORE_RESTORE: // of nothing that it named
        lz_items_answer(w, s, t, 400, 0);
        return true;
    default:
        return false;
    }
}

// ---------------------------------------------------------------- lifecycle

static void count_expired(struct lz_world *w, struct lz_store *s, uint64_t count)
{
    lz_metrics_add(w->metrics, s->series.expired, count);
}

static bool is_due(lz_time since, lz_time after, lz_time now)
{
    return after > 0 && since >= 0 && now - since >= after;
}

// Those that are not current, the newest few left out.
static void expire_old(struct lz_world *w, struct lz_store *s, uint64_t key, lz_time now)
{
    const struct lz_lifecycle_opts *o = &s->opts.lifecycle;
    uint32_t newest = newest_of(w, s, key), kept = 0;
    uint32_t i = at(s, newest)->older;
    while (i != 0) {
        uint32_t older = at(s, i)->older;
        if (kept++ >= o->keep_noncurrent && is_due(at(s, i)->replaced, o->noncurrent, now)) {
            drop(s, key, newest, i);
            count_expired(w, s, 1);
        }
        i = older;
    }
}

static void expire_key(struct lz_world *w, struct lz_store *s, uint64_t key, lz_time now)
{
    const struct lz_lifecycle_opts *o = &s->opts.lifecycle;
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    if (s->versions == NULL) {
        if (!is_due(e->cost, o->expiration, now))
            return;
        lz_keyspace_remove(s->items, key, 0);
        s->live--;
        count_expired(w, s, 1);
        return;
    }
    uint32_t newest = newest_of(w, s, key);
    if (at(s, newest)->value != 0 && is_due(at(s, newest)->created, o->expiration, now)) {
        newest = push(w, s, key, 0, 0);
        count_expired(w, s, 1);
    }
    expire_old(w, s, key, now);
    if (o->expiration > 0 && at(s, newest)->value == 0 && at(s, newest)->older == 0)
        drop(s, key, newest, newest); // a marker of nothing
}

static void abort_uploads(struct lz_world *w, struct lz_store *s, lz_time now)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->upload_count; i++) {
        if (is_due(s->uploads[i].begun, s->opts.lifecycle.abort_uploads, now)) {
            s->upload_bytes -= s->uploads[i].bytes;
            count_expired(w, s, 1);
        } else {
            s->uploads[kept++] = s->uploads[i];
        }
    }
    s->upload_count = kept;
}

static void on_lifecycle(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_store *s = lz_store_at(w, entity);
    lz_time now = lz_sim_now(w->sim);
    lz_sim_at(w->sim, now + s->opts.lifecycle.every, w->stores->lifecycle, entity, payload);
    // From the end: what takes the place of one that goes has been looked at.
    for (uint32_t i = lz_keyspace_count(s->items); i > 0; i--)
        expire_key(w, s, lz_keyspace_at(s->items, i - 1)->key, now);
    abort_uploads(w, s, now);
    lz_items_measure(w, s);
}

void lz_versions_left(struct lz_world *w, struct lz_store *s, uint64_t bytes, lz_time begun)
{
    if (bytes == 0)
        return;
    s->uploads =
        lz_grow(w->arena, s->uploads, &s->upload_cap, s->upload_count + 1, sizeof(*s->uploads));
    s->uploads[s->upload_count++] = (struct lz_upload){begun, bytes};
    s->upload_bytes += bytes;
    lz_items_measure(w, s);
}

// ---------------------------------------------------------------- the bucket

bool lz_store_versioning(struct lz_world *w, lz_component_id id, enum lz_versioning to,
                         struct lz_err *err)
{
    struct lz_store *s = lz_store_at(w, id);
    if (s->opts.kind != LZ_STORE_OBJECT || s->opts.region_count > 1)
        return lz_fail(err, LZ_EINVAL,
                       "%s keeps no versions: that is of objects, in a bucket of one region; for "
                       "copies elsewhere declare a store in each region and write to both",
                       s->opts.name);
    if (to == LZ_VERSIONING_OFF && s->versions != NULL)
        return lz_fail(err, LZ_EINVAL,
                       "%s keeps versions: that can be suspended, not turned off again",
                       s->opts.name);
    if (to == LZ_VERSIONING_OFF)
        return true;
    if (s->versions == NULL)
        s->versions = lz_arena_alloc(w->arena, sizeof(*s->versions));
    s->versions->is_suspended = to == LZ_VERSIONING_SUSPENDED;
    return true;
}

void lz_versions_create(struct lz_world *w, struct lz_store *s)
{
    const struct lz_lifecycle_opts *o = &s->opts.lifecycle;
    if (s->opts.versioning != LZ_VERSIONING_OFF) {
        struct lz_err err;
        bool is_set = lz_store_versioning(w, s->id, s->opts.versioning, &err);
        LZ_ASSERT(is_set);
    }
    bool is_any = o->expiration > 0 || o->noncurrent > 0 || o->abort_uploads > 0;
    if (is_any && w->stores->lifecycle == 0) // numbers of kinds are in the trace: no more of them
        w->stores->lifecycle = lz_sim_kind(w->sim, "store.lifecycle", on_lifecycle, w);
    if (is_any)
        lz_sim_at(w->sim, o->every, w->stores->lifecycle, s->id, 0);
}

size_t lz_versions_bytes(const struct lz_store *s)
{
    size_t versions = s->versions != NULL ? s->versions->cap * sizeof(struct lz_version) : 0;
    return versions + s->upload_cap * sizeof(*s->uploads);
}
