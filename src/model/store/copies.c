#include "model/store/copies.h"

#include "base/check.h"

uint64_t lz_copies_at(const struct lz_copies *c, uint32_t copy, lz_time now, uint64_t *value)
{
    uint64_t version = c->have[copy].version;
    *value = c->have[copy].value;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct lz_copies_write *one = &c->recent[i];
        if (one->arrives[copy] <= now && one->version > version) {
            version = one->version;
            *value = one->value;
        }
    }
    return version;
}

uint64_t lz_copies_committed(const struct lz_copies *c, lz_time now)
{
    uint64_t version = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->recent[i].committed <= now && c->recent[i].version > version)
            version = c->recent[i].version;
    return version;
}

// The oldest is forgotten: what it brought, or will have brought, the copies have.
static struct lz_copies_write *place(const struct lz_copies_opts *o, struct lz_copies *c)
{
    struct lz_copies_write *old = &c->recent[c->next];
    if (c->count < LZ_COPIES_RECENT) {
        c->count++;
    } else {
        for (uint32_t i = 0; i < o->n; i++) {
            if (old->arrives[i] == LZ_FOREVER || old->version < c->have[i].version)
                continue;
            c->have[i].version = old->version;
            c->have[i].value = old->value;
        }
    }
    c->next = (c->next + 1) % LZ_COPIES_RECENT;
    return old;
}

// The k-th smallest of the times that are not below 0, from 1; LZ_FOREVER if there are fewer.
static lz_time kth(const lz_time *times, uint32_t n, uint32_t k)
{
    lz_time sorted[LZ_COPIES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (times[i] < 0)
            continue;
        uint32_t at = count++;
        for (; at > 0 && sorted[at - 1] > times[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = times[i];
    }
    return k <= count ? sorted[k - 1] : LZ_FOREVER;
}

static void trips(const struct lz_copies_times *t, uint32_t n, lz_time *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = t->there[i] < 0 || t->back[i] < 0 ? -1 : t->there[i] + t->back[i];
}

lz_time lz_copies_put(const struct lz_copies_opts *o, struct lz_copies *c,
                      const struct lz_copies_write *write, const struct lz_copies_times *times,
                      lz_time now)
{
    LZ_ASSERT(o->n >= 1 && o->n <= LZ_COPIES_MAX && o->w >= 1 && o->w <= o->n);
    lz_time confirmed[LZ_COPIES_MAX];
    trips(times, o->n, confirmed);
    for (uint32_t i = 0; i < o->n; i++)
        if (times->there[i] < 0 && times->back[i] >= 0)
            confirmed[i] = times->back[i]; // another took it, and a hint with it
    lz_time wait = kth(confirmed, o->n, o->w);
    if (wait == LZ_FOREVER)
        return wait;
    struct lz_copies_write *one = place(o, c);
    *one = *write;
    one->committed = now + wait;
    one->held = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        bool is_sent = times->there[i] >= 0 && (o->propagates || confirmed[i] <= wait);
        one->arrives[i] = is_sent ? now + times->there[i] : LZ_FOREVER;
        if (!is_sent && o->propagates && o->hints)
            one->held |= (uint8_t)(1u << i);
    }
    return wait;
}

struct lz_copies_seen lz_copies_get(const struct lz_copies_opts *o, struct lz_copies *c,
                                    const struct lz_copies_times *times, lz_time now)
{
    LZ_ASSERT(o->r >= 1 && o->r <= o->n);
    lz_time answered[LZ_COPIES_MAX];
    trips(times, o->n, answered);
    struct lz_copies_seen seen = {.wait = kth(answered, o->n, o->r)};
    if (seen.wait == LZ_FOREVER)
        return seen;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        if (answered[i] < 0 || answered[i] > seen.wait || taken == o->r)
            continue;
        taken++;
        uint64_t value, version = lz_copies_at(c, i, now + times->there[i], &value);
        if (version > seen.version) {
            seen.version = version;
            seen.value = value;
        }
    }
    seen.is_stale = seen.version < lz_copies_committed(c, now);
    for (uint32_t k = 0; k < c->count && o->read_repair; k++) {
        struct lz_copies_write *one = &c->recent[k];
        for (uint32_t i = 0; i < o->n && one->version == seen.version; i++)
            if (times->there[i] >= 0 && one->arrives[i] > now + seen.wait + times->there[i])
                one->arrives[i] = now + seen.wait + times->there[i];
    }
    return seen;
}

bool lz_copies_deliver(struct lz_copies *c, uint32_t copy, lz_time arrives)
{
    bool any = false;
    for (uint32_t k = 0; k < c->count; k++) {
        struct lz_copies_write *one = &c->recent[k];
        if (((unsigned)one->held >> copy & 1u) == 0)
            continue;
        one->held = (uint8_t)(one->held & ~(1u << copy));
        if (one->arrives[copy] > arrives)
            one->arrives[copy] = arrives;
        any = true;
    }
    return any;
}
