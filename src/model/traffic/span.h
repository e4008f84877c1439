/* span.h — what one attempt's time went into, for the request it was made for; for model/ only. */
#ifndef LZ_MODEL_TRAFFIC_SPAN_H
#define LZ_MODEL_TRAFFIC_SPAN_H

#include "model/client/client_state.h"

/* The attempt of `c` ends now, or (PENDING) its request no longer waits for it. */
void lz_span_add(struct lz_world *w, const struct lz_call *c, enum lz_outcome outcome,
                 uint16_t status);

/* The same for an attempt that was answered by `t`. */
void lz_span_add_answered(struct lz_world *w, struct lz_request *r, const struct lz_call *c,
                          const struct lz_task *t);

#endif
