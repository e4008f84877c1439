/*
 * world_kinds.h — what the clock of a world calls in its parts; for model/ only.
 */
#ifndef LZ_MODEL_WORLD_KINDS_H
#define LZ_MODEL_WORLD_KINDS_H

#include "model/world.h"

void lz_traffics_start(struct lz_world *w);
void lz_calls_start(struct lz_world *w);      /* health checks begin */
void lz_database_second(struct lz_world *w);  /* levels that grow with time: lag */
void lz_consensus_second(struct lz_world *w); /* time without a leader */

/* A process or the way between two has changed: who leads what is replicated? */
void lz_world_reconsider(struct lz_world *w);

#endif
