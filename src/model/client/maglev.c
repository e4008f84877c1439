#include "model/client/maglev.h"

#include "base/check.h"
#include "base/hash.h"

bool lz_maglev_is_prime(uint32_t n)
{
    if (n < 4)
        return n >= 2;
    if (n % 2 == 0)
        return false;
    for (uint32_t d = 3; (uint64_t)d * d <= n; d += 2)
        if (n % d == 0)
            return false;
    return true;
}

void lz_maglev_init(struct lz_maglev *m, struct lz_arena *arena, uint64_t path, uint32_t size,
                    uint32_t owner_count)
{
    LZ_ASSERT(lz_maglev_is_prime(size) && size > 2);
    LZ_ASSERT(owner_count > 0);
    m->size = size;
    m->owner_count = owner_count;
    m->table = lz_arena_alloc(arena, size * sizeof(*m->table));
    m->owners = lz_arena_alloc(arena, owner_count * sizeof(*m->owners));
    for (uint32_t i = 0; i < owner_count; i++) {
        uint64_t name = lz_hash_mix(lz_hash_mix(path, i + 1), 0x6d61676c6576);
        m->owners[i].offset = (uint32_t)(lz_hash_mix(name, 1) % size);
        m->owners[i].skip = (uint32_t)(lz_hash_mix(name, 2) % (size - 1)) + 1;
    }
}

// The next free entry of its permutation; there is one as long as the table is not full,
// since a skip below a prime visits every entry.
static void take(struct lz_maglev *m, uint32_t owner)
{
    struct lz_maglev_owner *o = &m->owners[owner];
    for (;;) {
        uint32_t entry = (uint32_t)((o->offset + (uint64_t)o->skip * o->next) % m->size);
        o->next++;
        LZ_ASSERT(o->next <= m->size);
        if (m->table[entry] == LZ_MAGLEV_NOBODY) {
            m->table[entry] = owner;
            return;
        }
    }
}

void lz_maglev_fill(struct lz_maglev *m, const uint32_t *weights)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < m->owner_count; i++) {
        struct lz_maglev_owner *o = &m->owners[i];
        o->next = 0;
        o->weight = weights[i];
        o->called = 0;
        most = o->weight > most ? o->weight : most;
    }
    for (uint32_t entry = 0; entry < m->size; entry++)
        m->table[entry] = LZ_MAGLEV_NOBODY;
    if (most == 0)
        return;
    uint32_t taken = 0;
    for (uint64_t round = 1; taken < m->size; round++) {
        for (uint32_t i = 0; i < m->owner_count && taken < m->size; i++) {
            struct lz_maglev_owner *o = &m->owners[i];
            if (o->weight == 0 || round * o->weight < o->called)
                continue;
            o->called += most;
            take(m, i);
            taken++;
        }
    }
}
