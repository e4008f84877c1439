/*
 * inherit.h — what a call takes over from the request it is made for; for model/ only.
 */
#ifndef LZ_MODEL_CLIENT_INHERIT_H
#define LZ_MODEL_CLIENT_INHERIT_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

/*
 * When the call as a whole is given up; LZ_FOREVER: never. A service that heeds deadlines has no
 * longer than whoever it is asked by.
 */
lz_time lz_inherit_deadline(const struct lz_world *w, const struct lz_edge *e,
                            const struct lz_call *c);

/* When this attempt is given up, as its server is told; 0: it does not want to know. */
lz_time lz_inherit_told_deadline(const struct lz_world *w, const struct lz_edge *e,
                                 const struct lz_call *c);

/* Its class in its callee's queue. */
uint8_t lz_inherit_priority(const struct lz_world *w, const struct lz_edge *e,
                            const struct lz_call *c);

#endif
