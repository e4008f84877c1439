/*
 * hot.h — a key that many ask for: a share of the calls to a component is about it, whatever they
 * were about.
 *
 * Each call is changed by a draw of its own, before it looks for a server or into a cache; what
 * was not declared hot costs a look at a pointer.
 */
#ifndef LZ_MODEL_CLIENT_HOT_H
#define LZ_MODEL_CLIENT_HOT_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

struct lz_hot {
    lz_component_id component;
    uint64_t key;
    double ratio;
    uint64_t owner;    /* of its draws */
    uint64_t *touched; /* counts calls */
};

uint32_t lz_hot_add(struct lz_world *w, const struct lz_hot *hot);
void lz_hot_remove(struct lz_world *w, uint32_t id);

/* What a call that begins is about; only if there is any. */
uint64_t lz_hot_key(struct lz_world *w, const struct lz_edge *e, const struct lz_call *c);

#endif
