#include "model/net/cert.h"

#include "base/check.h"
#include "base/grow.h"

// One reason for which a certificate is not valid; numbers are places in the list, from 1.
struct expiry {
    lz_instance_id instance; // 0: free
    uint64_t *touched;
};

struct lz_certs {
    struct lz_certs_face face; // first: lz_cert_is_refused looks here
    struct expiry *all;        // 1 .. count
    uint32_t count, cap;
};

void lz_certs_init(struct lz_world *w)
{
    w->certs = lz_arena_alloc(w->arena, sizeof(*w->certs));
}

uint32_t lz_cert_expire(struct lz_world *w, lz_instance_id instance, uint64_t *touched)
{
    struct lz_certs *cs = w->certs;
    LZ_ASSERT(instance != 0 && touched != NULL);
    uint32_t id = 1;
    while (id <= cs->count && cs->all[id].instance != 0)
        id++;
    cs->all = lz_grow(w->arena, cs->all, &cs->cap, id + 1, sizeof(*cs->all));
    if (id > cs->count)
        cs->count = id;
    cs->all[id] = (struct expiry){.instance = instance, .touched = touched};
    cs->face.expired++;
    return id;
}

void lz_cert_renew(struct lz_world *w, lz_instance_id instance, uint32_t id)
{
    struct lz_certs *cs = w->certs;
    LZ_ASSERT(id >= 1 && id <= cs->count);
    LZ_ASSERT(cs->all[id].instance == instance);
    cs->all[id].instance = 0;
    cs->face.expired--;
}

// Of several reasons each counts the handshake.
bool lz_cert_look(struct lz_world *w, lz_instance_id server)
{
    const struct lz_certs *cs = w->certs;
    bool is_refused = false;
    for (uint32_t id = 1; id <= cs->count; id++) {
        if (cs->all[id].instance != server)
            continue;
        (*cs->all[id].touched)++;
        is_refused = true;
    }
    return is_refused;
}
