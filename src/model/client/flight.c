#include "model/client/flight.h"

#include "base/check.h"
#include "base/hash.h"
#include "model/client/caller.h"

#define BUCKETS_MIN 16u

struct lz_flight {
    struct lz_flight *next; // of its bucket, or of those that are free
    uint64_t key;
    uint64_t leader; // the call; about to lead while its state is FOLLOWING
    lz_instance_id client;
    uint32_t first, final; // those that follow, oldest first; 0: nobody
    bool has_landed;       // out of the table
};

// Looked up, never walked in the order of its buckets.
struct lz_flights {
    struct lz_flight **buckets;
    struct lz_flight *free;
    uint32_t bucket_count, count; // of buckets: a power of two
};

static struct lz_call *at(const struct lz_world *w, uint32_t index)
{
    return lz_client_at(w, index);
}

static struct lz_flight **bucket_of(const struct lz_flights *fs, lz_instance_id client,
                                    uint64_t key)
{
    return &fs->buckets[lz_hash_mix(key, client) & (fs->bucket_count - 1)];
}

// Where the flight hangs; what hangs there is NULL if there is none.
static struct lz_flight **find(const struct lz_flights *fs, const struct lz_call *c)
{
    struct lz_flight **at = bucket_of(fs, c->client, c->key);
    while (*at != NULL && ((*at)->key != c->key || (*at)->client != c->client))
        at = &(*at)->next;
    return at;
}

static void grow(struct lz_world *w, struct lz_flights *fs)
{
    struct lz_flight **old = fs->buckets;
    uint32_t old_count = fs->bucket_count;
    fs->bucket_count *= 2;
    fs->buckets = lz_arena_alloc(w->arena, fs->bucket_count * sizeof(struct lz_flight *));
    for (uint32_t i = 0; i < old_count; i++)
        for (struct lz_flight *f = old[i], *next; f != NULL; f = next) {
            struct lz_flight **to = bucket_of(fs, f->client, f->key);
            next = f->next;
            f->next = *to;
            *to = f;
        }
}

void lz_flight_create(struct lz_world *w, struct lz_edge *e)
{
    struct lz_flights *fs = e->flights = lz_arena_alloc(w->arena, sizeof(*fs));
    fs->bucket_count = BUCKETS_MIN;
    fs->buckets = lz_arena_alloc(w->arena, BUCKETS_MIN * sizeof(struct lz_flight *));
}

static void link_follower(struct lz_world *w, struct lz_flight *f, struct lz_call *c)
{
    c->flight = f;
    c->line.prev = f->final;
    c->line.next = 0;
    if (f->final != 0)
        at(w, f->final)->line.next = c->head.index;
    else
        f->first = c->head.index;
    f->final = c->head.index;
}

static void unlink_follower(struct lz_world *w, struct lz_call *c)
{
    struct lz_flight *f = c->flight;
    if (c->line.prev != 0)
        at(w, c->line.prev)->line.next = c->line.next;
    else
        f->first = c->line.next;
    if (c->line.next != 0)
        at(w, c->line.next)->line.prev = c->line.prev;
    else
        f->final = c->line.prev;
    c->flight = NULL;
    c->sent = 0; // was its place in line
}

static void lead(struct lz_world *w, struct lz_flights *fs, struct lz_flight **where,
                 const struct lz_call *c)
{
    struct lz_flight *f = fs->free;
    if (f == NULL)
        f = lz_arena_alloc(w->arena, sizeof(*f));
    else
        fs->free = f->next;
    *f = (struct lz_flight){.key = c->key, .client = c->client, .leader = lz_pool_id(c)};
    *where = f;
    if (++fs->count > fs->bucket_count)
        grow(w, fs);
}

bool lz_flight_follow(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    LZ_ASSERT(lz_flight_is_any(e, c) && c->state == LZ_CALL_PICK);
    struct lz_flight **where = find(e->flights, c);
    if (*where == NULL) {
        lead(w, e->flights, where, c);
        return false;
    }
    c->state = LZ_CALL_FOLLOWING;
    c->started = lz_sim_now(w->sim);
    link_follower(w, *where, c);
    return true;
}

static void give(struct lz_flights *fs, struct lz_flight *f)
{
    LZ_ASSERT(f->first == 0 && f->final == 0);
    f->next = fs->free;
    fs->free = f;
}

struct lz_flight *lz_flight_ended(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    (void)w;
    struct lz_flight **where = find(e->flights, c), *f = *where;
    if (f == NULL || f->leader != lz_pool_id(c))
        return NULL; // it follows, and leaves by itself
    *where = f->next;
    f->has_landed = true;
    e->flights->count--;
    return f;
}

// What a follower's owner does may give up others that follow, or begin a new flight of this key.
void lz_flight_land(struct lz_world *w, struct lz_edge *e, struct lz_flight *f,
                    const struct lz_call_result *result)
{
    LZ_ASSERT(f->has_landed);
    while (f->first != 0) {
        struct lz_call *c = at(w, f->first);
        LZ_ASSERT(c->state == LZ_CALL_FOLLOWING && c->flight == f);
        lz_caller_count(w, e, LZ_CALLER_SHARED);
        lz_client_shared(w, c, result);
    }
    give(e->flights, f);
}

// The next leads. Not before this instant's other events: its process may be about to end.
static void hand_over(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    struct lz_flight **where = find(e->flights, c), *f = *where;
    LZ_ASSERT(f != NULL && f->leader == lz_pool_id(c));
    if (f->first == 0) {
        *where = f->next;
        e->flights->count--;
        give(e->flights, f);
        return;
    }
    struct lz_call *heir = at(w, f->first);
    unlink_follower(w, heir);
    f->leader = lz_pool_id(heir);
    lz_sim_cancel(w->sim, heir->timeout);
    heir->timeout = 0;
    lz_sim_soon(w->sim, w->clients->again, heir->client, lz_client_token(heir));
}

void lz_flight_leave(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    if (c->flight != NULL && c->state == LZ_CALL_FOLLOWING)
        unlink_follower(w, c);
    else
        hand_over(w, e, c);
}
