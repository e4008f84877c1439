#include "model/consensus/raft_machine.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/value.h"

void lz_raft_machine_init(struct lz_raft_machine *m, struct lz_arena *arena)
{
    *m = (struct lz_raft_machine){.arena = arena};
}

void lz_raft_machine_finish(struct lz_raft_machine *m)
{
    lz_arena_free(m->arena, m->keys, m->cap * sizeof(*m->keys));
    m->keys = NULL;
    m->count = m->cap = 0;
}

static struct lz_raft_key *slot(const struct lz_raft_machine *m, uint64_t key)
{
    LZ_ASSERT(m->cap > 0);
    uint32_t i = (uint32_t)lz_hash_mix(key, 0) & (m->cap - 1);
    while (m->keys[i].version != 0 && m->keys[i].key != key)
        i = (i + 1) & (m->cap - 1);
    return &m->keys[i];
}

const struct lz_raft_key *lz_raft_machine_get(const struct lz_raft_machine *m, uint64_t key)
{
    const struct lz_raft_key *k = m->cap > 0 ? slot(m, key) : NULL;
    return k != NULL && k->version != 0 ? k : NULL;
}

static void widen(struct lz_raft_machine *m)
{
    struct lz_raft_machine wide = {.arena = m->arena, .cap = m->cap > 0 ? 2 * m->cap : 16};
    wide.keys = lz_arena_alloc(m->arena, wide.cap * sizeof(*wide.keys));
    for (uint32_t i = 0; i < m->cap; i++)
        if (m->keys[i].version != 0)
            *slot(&wide, m->keys[i].key) = m->keys[i];
    wide.count = m->count;
    lz_raft_machine_finish(m);
    *m = wide;
}

// A key about to be written.
static struct lz_raft_key *place(struct lz_raft_machine *m, uint64_t key, uint64_t index)
{
    if (4 * (m->count + 1) > 3 * m->cap)
        widen(m);
    struct lz_raft_key *k = slot(m, key);
    if (k->version == 0)
        m->count++;
    k->key = key;
    k->version = index;
    return k;
}

static void write_key(struct lz_raft_machine *m, uint64_t index, const struct lz_raft_entry *e)
{
    struct lz_raft_key *k = place(m, e->key, index);
    k->value = e->value != 0 ? e->value : lz_value_integer((int64_t)index);
    k->is_there = true;
    k->renewed = e->op == LZ_RAFT_ACQUIRE ? index : 0;
    k->ttl = e->op == LZ_RAFT_ACQUIRE ? e->ttl : 0;
}

static void remove_key(struct lz_raft_machine *m, uint64_t index, uint64_t key)
{
    struct lz_raft_key *k = place(m, key, index);
    k->value = 0;
    k->is_there = false;
    k->renewed = 0;
    k->ttl = 0;
}

struct lz_raft_result lz_raft_machine_apply(struct lz_raft_machine *m, uint64_t index,
                                            const struct lz_raft_entry *e)
{
    LZ_ASSERT(index > 0);
    const struct lz_raft_key *old = lz_raft_machine_get(m, e->key);
    bool is_there = old != NULL && old->is_there;
    bool holds = is_there && old->renewed != 0 && old->value == e->value;
    uint64_t version = is_there ? old->version : 0;
    uint64_t before = is_there ? old->value : 0;
    bool is_done = true;
    switch ((enum lz_raft_op)e->op) {
    case LZ_RAFT_NOOP:
    case LZ_RAFT_CONFIG:
        return (struct lz_raft_result){.is_done = true, .version = index};
    case LZ_RAFT_PUT:
        write_key(m, index, e);
        break;
    case LZ_RAFT_DELETE:
        is_done = is_there;
        if (is_done)
            remove_key(m, index, e->key);
        break;
    case LZ_RAFT_CAS:
        is_done = version == e->expect;
        if (is_done)
            write_key(m, index, e);
        break;
    case LZ_RAFT_ACQUIRE:
        is_done = !is_there || holds;
        if (holds)
            slot(m, e->key)->renewed = index;
        else if (is_done)
            write_key(m, index, e);
        break;
    case LZ_RAFT_RENEW:
        is_done = holds;
        if (is_done)
            slot(m, e->key)->renewed = index;
        break;
    case LZ_RAFT_RELEASE:
        is_done = holds;
        if (is_done)
            remove_key(m, index, e->key);
        break;
    case LZ_RAFT_EXPIRE:
        is_done = is_there && old->renewed != 0 && old->renewed == e->expect;
        if (is_done)
            remove_key(m, index, e->key);
        break;
    }
    const struct lz_raft_key *now = lz_raft_machine_get(m, e->key);
    uint64_t after = now != NULL && now->is_there ? now->value : 0;
    return (struct lz_raft_result){.is_done = is_done,
                                   .is_changed = after != before,
                                   .value = after,
                                   .version = now != NULL ? now->version : 0};
}

void lz_raft_machine_copy(struct lz_raft_machine *m, const struct lz_raft_machine *from)
{
    LZ_ASSERT(m != from);
    lz_raft_machine_finish(m);
    if (from->cap == 0)
        return;
    m->keys = lz_arena_alloc(m->arena, from->cap * sizeof(*m->keys));
    memcpy(m->keys, from->keys, from->cap * sizeof(*m->keys));
    m->cap = from->cap;
    m->count = from->count;
}

uint64_t lz_raft_machine_hash(const struct lz_raft_machine *m)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < m->cap; i++) {
        const struct lz_raft_key *k = &m->keys[i];
        if (k->version != 0)
            sum += lz_hash_mix(lz_hash_mix(k->key, k->version),
                               lz_hash_mix(k->value, k->renewed + k->is_there));
    }
    return sum;
}
