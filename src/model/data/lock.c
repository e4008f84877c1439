#include "model/data/lock.h"

#include "base/hash.h"

struct owner {
    struct lz_pool_head head;
    uint64_t payload;
    uint32_t first;       // claims it holds
    uint32_t waits;       // the claim it waits with; 0: none
    uint32_t seen;        // by the search of that round
    uint32_t parent;      // who led the search to it
    uint32_t search_next; // the next that the search looks at
    uint32_t granted_next;
    bool is_granted; // to be told
};

// What an owner has of a lock, or wants of it.
struct claim {
    struct lz_pool_head head;
    lz_lock_owner owner;
    uint32_t lock;
    uint32_t next;           // HELD: the owner's next one
    uint32_t before, behind; // in the lock's list of holders, or in its line
    uint8_t mode;
    bool is_upgrade; // WAITING: it has the lock shared already
};

struct lock {
    struct lz_pool_head head;
    uint64_t key;
    uint64_t sole;                     // payload of a sole owner, who has no record; 0: none
    uint32_t holders, line, line_last; // claims
    uint32_t owner;                    // who was its sole owner, once others have come
    uint32_t hash;                     // of its key
};

#define CAP_FIRST 64u
#define SOLE 0x80000000u // an owner that is the index of its lock

void lz_locks_init(struct lz_locks *l, struct lz_arena *arena)
{
    *l = (struct lz_locks){0};
    lz_pool_init(&l->owners, arena, sizeof(struct owner));
    lz_pool_init(&l->claims, arena, sizeof(struct claim));
    lz_pool_init(&l->locks, arena, sizeof(struct lock));
}

static struct owner *owner_at(const struct lz_locks *l, lz_lock_owner i)
{
    LZ_ASSERT(i != 0);
    return lz_pool_at(&l->owners, i);
}

static struct claim *claim_at(const struct lz_locks *l, uint32_t i)
{
    return lz_pool_at(&l->claims, i);
}

static struct lock *lock_at(const struct lz_locks *l, uint32_t i)
{
    return lz_pool_at(&l->locks, i);
}

// ---------------------------------------------------------------- the table

static uint32_t hash_of(uint64_t key)
{
    return (uint32_t)lz_hash_mix(key, 3);
}

// Of the lock of that key, or where it would be.
static uint32_t place_of(const struct lz_locks *l, uint64_t key, uint32_t hash)
{
    uint32_t i = hash & (l->cap - 1);
    while (l->table[i] != 0 && lock_at(l, l->table[i])->key != key)
        i = (i + 1) & (l->cap - 1);
    return i;
}

// Of one that is there: no other has to be looked at.
static uint32_t place_of_lock(const struct lz_locks *l, const struct lock *k)
{
    uint32_t i = k->hash & (l->cap - 1);
    while (l->table[i] != k->head.index)
        i = (i + 1) & (l->cap - 1);
    return i;
}

static struct lock *put_lock(struct lz_locks *l, uint32_t place, uint64_t key, uint32_t hash)
{
    struct lock *k = lz_pool_take_sized(&l->locks, sizeof(*k));
    LZ_ASSERT(l->table[place] == 0);
    k->key = key;
    k->hash = hash;
    l->table[place] = k->head.index;
    l->count++;
    return k;
}

static void widen(struct lz_locks *l)
{
    uint32_t old_cap = l->cap, *old = l->table;
    l->cap = old_cap > 0 ? 2 * old_cap : CAP_FIRST;
    l->table = lz_arena_alloc(l->locks.arena, l->cap * sizeof(*l->table));
    for (uint32_t i = 0; i < old_cap; i++) {
        const struct lock *k = old[i] != 0 ? lock_at(l, old[i]) : NULL;
        if (k != NULL)
            l->table[place_of(l, k->key, k->hash)] = old[i];
    }
    lz_arena_free(l->locks.arena, old, old_cap * sizeof(*old));
}

static struct lock *lock_for(struct lz_locks *l, uint64_t key)
{
    if (4 * (l->count + 1) > 3 * l->cap)
        widen(l);
    uint32_t hash = hash_of(key), i = place_of(l, key, hash);
    return l->table[i] != 0 ? lock_at(l, l->table[i]) : put_lock(l, i, key, hash);
}

static struct lock *find_lock(const struct lz_locks *l, uint64_t key)
{
    uint32_t i = l->cap > 0 ? l->table[place_of(l, key, hash_of(key))] : 0;
    return i != 0 ? lock_at(l, i) : NULL;
}

// Knuth, TAOCP 3, 6.4, algorithm R: those behind move up, so that no gap hides them.
static void forget_if_idle(struct lz_locks *l, struct lock *k)
{
    if (k->holders != 0 || k->line != 0)
        return;
    uint32_t gap = place_of_lock(l, k);
    for (uint32_t i = (gap + 1) & (l->cap - 1); l->table[i] != 0; i = (i + 1) & (l->cap - 1)) {
        uint32_t home = lock_at(l, l->table[i])->hash;
        if (((i - home) & (l->cap - 1)) < ((i - gap) & (l->cap - 1)))
            continue;
        l->table[gap] = l->table[i];
        gap = i;
    }
    l->table[gap] = 0;
    l->count--;
    lz_pool_give(&l->locks, k);
}

// ---------------------------------------------------------------- who has what

static void hold(struct lz_locks *l, struct lock *k, struct claim *c);

// Others come: who has it gets the records that they look at.
static void expand(struct lz_locks *l, struct lock *k)
{
    struct owner *o = lz_pool_take_sized(&l->owners, sizeof(*o));
    struct claim *c = lz_pool_take_sized(&l->claims, sizeof(*c));
    LZ_ASSERT(k->sole != 0 && k->holders == 0 && k->line == 0);
    o->payload = k->sole;
    c->owner = k->owner = o->head.index;
    c->lock = k->head.index;
    c->mode = LZ_LOCK_EXCLUSIVE;
    k->sole = 0;
    hold(l, k, c);
}

// An owner with records of its own.
static lz_lock_owner whole(struct lz_locks *l, lz_lock_owner owner)
{
    if ((owner & SOLE) == 0)
        return owner;
    struct lock *k = lock_at(l, owner & ~SOLE);
    if (k->sole != 0)
        expand(l, k);
    return k->owner;
}

static bool goes_with(enum lz_lock_mode a, enum lz_lock_mode b)
{
    return a == LZ_LOCK_SHARED && b == LZ_LOCK_SHARED;
}

static struct claim *held_by(const struct lz_locks *l, const struct lock *k, lz_lock_owner owner)
{
    for (uint32_t i = k->holders; i != 0; i = claim_at(l, i)->behind)
        if (claim_at(l, i)->owner == owner)
            return claim_at(l, i);
    return NULL;
}

static bool holders_allow(const struct lz_locks *l, const struct lock *k, lz_lock_owner owner,
                          enum lz_lock_mode mode)
{
    for (uint32_t i = k->holders; i != 0; i = claim_at(l, i)->behind) {
        const struct claim *c = claim_at(l, i);
        if (c->owner != owner && !goes_with((enum lz_lock_mode)c->mode, mode))
            return false;
    }
    return true;
}

static void hold(struct lz_locks *l, struct lock *k, struct claim *c)
{
    struct owner *o = owner_at(l, c->owner);
    c->before = 0;
    c->behind = k->holders;
    if (k->holders != 0)
        claim_at(l, k->holders)->before = c->head.index;
    k->holders = c->head.index;
    c->next = o->first;
    o->first = c->head.index;
}

static void leave_line(struct lz_locks *l, struct lock *k, struct claim *c)
{
    if (c->before != 0)
        claim_at(l, c->before)->behind = c->behind;
    else
        k->line = c->behind;
    if (c->behind != 0)
        claim_at(l, c->behind)->before = c->before;
    else
        k->line_last = c->before;
    owner_at(l, c->owner)->waits = 0;
    LZ_ASSERT(l->waiting > 0);
    l->waiting--;
}

static void get_in_line(struct lz_locks *l, struct lock *k, struct claim *c)
{
    if (c->is_upgrade) { // before all: they wait for what it has
        c->before = 0;
        c->behind = k->line;
    } else {
        c->before = k->line_last;
        c->behind = 0;
    }
    if (c->before != 0)
        claim_at(l, c->before)->behind = c->head.index;
    else
        k->line = c->head.index;
    if (c->behind != 0)
        claim_at(l, c->behind)->before = c->head.index;
    else
        k->line_last = c->head.index;
    owner_at(l, c->owner)->waits = c->head.index;
    l->waiting++;
}

static void tell(struct lz_locks *l, struct owner *o)
{
    o->is_granted = true;
    o->granted_next = 0;
    if (l->granted_last != 0)
        owner_at(l, l->granted_last)->granted_next = o->head.index;
    else
        l->granted_first = o->head.index;
    l->granted_last = o->head.index;
}

static void untell(struct lz_locks *l, const struct owner *o)
{
    uint32_t last = 0;
    for (uint32_t i = l->granted_first; i != o->head.index; i = owner_at(l, i)->granted_next)
        last = i;
    if (last != 0)
        owner_at(l, last)->granted_next = o->granted_next;
    else
        l->granted_first = o->granted_next;
    if (l->granted_last == o->head.index)
        l->granted_last = last;
}

// The head of the line is served while what others hold allows it.
static void serve_line(struct lz_locks *l, struct lock *k)
{
    while (k->line != 0) {
        struct claim *c = claim_at(l, k->line);
        if (!holders_allow(l, k, c->owner, (enum lz_lock_mode)c->mode))
            return;
        struct owner *o = owner_at(l, c->owner);
        leave_line(l, k, c);
        if (c->is_upgrade) {
            struct claim *held = held_by(l, k, c->owner);
            LZ_ASSERT(held != NULL);
            held->mode = LZ_LOCK_EXCLUSIVE;
            lz_pool_give(&l->claims, c);
        } else {
            hold(l, k, c);
        }
        tell(l, o);
    }
}

lz_lock_owner lz_lock_begin(struct lz_locks *l, uint64_t payload)
{
    LZ_ASSERT(payload != 0);
    struct owner *o = lz_pool_take_sized(&l->owners, sizeof(*o));
    o->payload = payload;
    return o->head.index;
}

lz_lock_owner lz_lock_take_sole(struct lz_locks *l, uint64_t payload, uint64_t key)
{
    LZ_ASSERT(payload != 0);
    if (4 * (l->count + 1) > 3 * l->cap)
        widen(l);
    uint32_t hash = hash_of(key), place = place_of(l, key, hash);
    if (l->table[place] != 0)
        return 0;
    struct lock *k = put_lock(l, place, key, hash);
    LZ_ASSERT(k->head.index < SOLE);
    k->sole = payload;
    return k->head.index | SOLE;
}

bool lz_lock_take(struct lz_locks *l, lz_lock_owner owner, uint64_t key, enum lz_lock_mode mode)
{
    owner = whole(l, owner);
    LZ_ASSERT(owner_at(l, owner)->waits == 0);
    struct lock *k = lock_for(l, key);
    if (k->sole != 0)
        expand(l, k);
    struct claim *held = k->holders != 0 ? held_by(l, k, owner) : NULL;
    if (held != NULL && (held->mode == LZ_LOCK_EXCLUSIVE || mode == LZ_LOCK_SHARED))
        return true;
    bool is_free = holders_allow(l, k, owner, mode) && (k->line == 0 || held != NULL);
    if (held != NULL && is_free) {
        held->mode = LZ_LOCK_EXCLUSIVE;
        return true;
    }
    struct claim *c = lz_pool_take_sized(&l->claims, sizeof(*c));
    c->owner = owner;
    c->lock = k->head.index;
    c->mode = (uint8_t)mode;
    c->is_upgrade = held != NULL;
    if (is_free)
        hold(l, k, c);
    else
        get_in_line(l, k, c);
    return is_free;
}

void lz_lock_give_up(struct lz_locks *l, lz_lock_owner owner)
{
    owner = whole(l, owner);
    uint32_t waits = owner_at(l, owner)->waits;
    if (waits == 0)
        return;
    struct claim *c = claim_at(l, waits);
    struct lock *k = lock_at(l, c->lock);
    leave_line(l, k, c);
    lz_pool_give(&l->claims, c);
    serve_line(l, k);
    forget_if_idle(l, k);
}

// The usual end of a sole owner: nobody has asked for what it had.
static bool end_sole(struct lz_locks *l, lz_lock_owner owner)
{
    if ((owner & SOLE) == 0)
        return false;
    struct lock *k = lock_at(l, owner & ~SOLE);
    if (k->sole == 0)
        return false;
    k->sole = 0;
    forget_if_idle(l, k);
    return true;
}

void lz_lock_end(struct lz_locks *l, lz_lock_owner owner)
{
    if (end_sole(l, owner))
        return;
    owner = whole(l, owner);
    struct owner *o = owner_at(l, owner);
    lz_lock_give_up(l, owner);
    while (o->first != 0) {
        struct claim *c = claim_at(l, o->first);
        struct lock *k = lock_at(l, c->lock);
        o->first = c->next;
        if (c->before != 0)
            claim_at(l, c->before)->behind = c->behind;
        else
            k->holders = c->behind;
        if (c->behind != 0)
            claim_at(l, c->behind)->before = c->before;
        lz_pool_give(&l->claims, c);
        serve_line(l, k);
        forget_if_idle(l, k);
    }
    if (o->is_granted)
        untell(l, o);
    lz_pool_give(&l->owners, o);
}

uint64_t lz_lock_granted(struct lz_locks *l)
{
    if (l->granted_first == 0)
        return 0;
    struct owner *o = owner_at(l, l->granted_first);
    l->granted_first = o->granted_next;
    if (l->granted_first == 0)
        l->granted_last = 0;
    o->is_granted = false;
    return o->payload;
}

bool lz_lock_waits(const struct lz_locks *l, lz_lock_owner owner)
{
    const struct lock *own = (owner & SOLE) != 0 ? lock_at(l, owner & ~SOLE) : NULL;
    if (own != NULL && own->sole != 0)
        return false; // it has all that it has asked for
    return owner_at(l, own != NULL ? own->owner : owner)->waits != 0;
}

bool lz_lock_holds(const struct lz_locks *l, lz_lock_owner owner, uint64_t key,
                   enum lz_lock_mode mode)
{
    const struct lock *k = find_lock(l, key);
    const struct lock *own = (owner & SOLE) != 0 ? lock_at(l, owner & ~SOLE) : NULL;
    if (own != NULL && own->sole != 0)
        return k == own; // and no other
    if (own != NULL)
        owner = own->owner;
    const struct claim *c = k != NULL ? held_by(l, k, owner) : NULL;
    return c != NULL && c->mode >= mode;
}

uint64_t lz_lock_holder(const struct lz_locks *l, uint64_t key)
{
    const struct lock *k = find_lock(l, key);
    if (k != NULL && k->sole != 0)
        return k->sole;
    if (k == NULL || k->holders == 0 || claim_at(l, k->holders)->mode != LZ_LOCK_EXCLUSIVE)
        return 0;
    return owner_at(l, claim_at(l, k->holders)->owner)->payload;
}

// ---------------------------------------------------------------- deadlocks

// Breadth first: of several cycles the shortest is named.
struct search {
    struct lz_locks *l;
    lz_lock_owner from;
    uint32_t search_last;
    bool is_found;
    lz_lock_owner last; // whose wait closes the cycle
};

static void reach(struct search *s, lz_lock_owner by, lz_lock_owner to)
{
    struct owner *o = owner_at(s->l, to);
    if (to == s->from) {
        s->is_found = true;
        s->last = by;
        return;
    }
    if (o->seen == s->l->round)
        return;
    o->seen = s->l->round;
    o->parent = by;
    o->search_next = 0;
    owner_at(s->l, s->search_last)->search_next = to;
    s->search_last = to;
}

// All that the owner waits for; true once the search is back where it began.
static bool follow(struct search *s, lz_lock_owner at)
{
    const struct lz_locks *l = s->l;
    const struct claim *c = claim_at(l, owner_at(l, at)->waits);
    const struct lock *k = lock_at(l, c->lock);
    for (uint32_t i = k->holders; i != 0 && !s->is_found; i = claim_at(l, i)->behind) {
        const struct claim *h = claim_at(l, i);
        if (h->owner != at && !goes_with((enum lz_lock_mode)h->mode, (enum lz_lock_mode)c->mode))
            reach(s, at, h->owner);
    }
    for (uint32_t i = c->before; i != 0 && !s->is_found; i = claim_at(l, i)->before) {
        const struct claim *h = claim_at(l, i);
        if (!goes_with((enum lz_lock_mode)h->mode, (enum lz_lock_mode)c->mode))
            reach(s, at, h->owner);
    }
    return s->is_found;
}

static uint32_t name_cycle(const struct lz_locks *l, const struct search *s, uint64_t *out)
{
    uint32_t count = 1;
    for (lz_lock_owner at = s->last; at != s->from; at = owner_at(l, at)->parent)
        count++;
    uint32_t place = count;
    for (lz_lock_owner at = s->last; at != s->from; at = owner_at(l, at)->parent)
        if (--place < LZ_LOCK_CYCLE_MAX)
            out[place] = owner_at(l, at)->payload;
    out[0] = owner_at(l, s->from)->payload;
    return count;
}

uint32_t lz_lock_cycle(struct lz_locks *l, lz_lock_owner owner, uint64_t *out)
{
    owner = whole(l, owner);
    if (owner_at(l, owner)->waits == 0)
        return 0;
    l->round++;
    owner_at(l, owner)->search_next = 0;
    struct search s = {.l = l, .from = owner, .search_last = owner};
    for (lz_lock_owner at = owner; at != 0; at = owner_at(l, at)->search_next)
        if (owner_at(l, at)->waits != 0 && follow(&s, at))
            return name_cycle(l, &s, out);
    return 0;
}

size_t lz_locks_bytes(const struct lz_locks *l)
{
    return lz_pool_bytes(&l->owners) + lz_pool_bytes(&l->claims) + lz_pool_bytes(&l->locks) +
           (size_t)l->cap * sizeof(*l->table);
}
