/*
 * recorder_real.h — operations of real requests, into the history of what stands for their server.
 *
 * In a live run no call of the model goes anywhere. Whoever really sends a request tells the
 * recorder when its first attempt leaves and what its client heard at last; what the request does
 * is its operation's first word, as in a simulation (recorder.h), its key the one that the model
 * drew. There is no white box: nobody gives versions, and a checker's answer stands by itself.
 *
 * Instants are the world's, which in a live run is moved to the present before anything is told.
 */
#ifndef LZ_MODEL_HISTORY_RECORDER_REAL_H
#define LZ_MODEL_HISTORY_RECORDER_REAL_H

#include "model/client/call.h"
#include "model/history/recorder.h"

enum lz_recorder_real_as {
    LZ_RECORDER_REAL_OP,   /* what the first word of its operation says */
    LZ_RECORDER_REAL_LOOK, /* the read before a conditional write */
    LZ_RECORDER_REAL_CAS,  /* that write: only if what was read is there still */
};

struct lz_recorder_real_opts {
    lz_component_id to; /* recorded */
    lz_op op;
    uint64_t key;
    uint64_t who; /* does one thing after another; 0: it is the only thing it does */
    enum lz_recorder_real_as as;
    lz_value expected; /* CAS: what has to be there; 0: nothing */
};

/* Where it stands; `op` 0: it is not written down. */
struct lz_recorder_real {
    lz_component_id to;
    uint32_t op;
    uint64_t who;
};

/* What such an operation does to such a component, and whether its key says to which object. */
enum lz_recorder_f lz_recorder_real_f(struct lz_world *w, lz_component_id to, lz_op op);
bool lz_recorder_real_is_keyed(const struct lz_world *w, lz_component_id to);

/* `written` is what it has to write: a number of its own, or nothing. */
struct lz_recorder_real lz_recorder_real_begin(struct lz_world *w,
                                               const struct lz_recorder_real_opts *o,
                                               lz_value *written);

/*
 * What its client heard. `seen` is what a read saw or an increment came to; all of
 * a set is a text, its elements with commas between. Never called: it stays
 * open, and may happen yet.
 */
void lz_recorder_real_end(struct lz_world *w, const struct lz_recorder_real *at,
                          enum lz_recorder_outcome outcome, lz_value seen, bool is_repeated);

#endif
