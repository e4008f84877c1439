/*
 * carrier.h — what a run and its carrier share: memory for toxics and counters, and a socket for
 * small commands. The carrier itself is the process that packets are handed to.
 */
#ifndef LZ_LIVE_NET_CARRIER_H
#define LZ_LIVE_NET_CARRIER_H

#include <stdatomic.h>

#include "live/net/cable.h"

#define LZ_CARRIER_CONTROL_FD 3

struct lz_carrier_slot {
    struct lz_toxic toxic;
    _Atomic uint64_t touched;
};

struct lz_carrier_shared {
    _Atomic uint64_t seen, held;
    struct lz_carrier_slot slots[LZ_CABLE_TOXICS_MAX];
};

enum lz_carrier_op {
    LZ_CARRIER_ADD = 1, /* the toxic in the slot */
    LZ_CARRIER_CHANGE,  /* not answered: a ramp sends many, and nobody is to wait for them */
    LZ_CARRIER_REMOVE,
};

struct lz_carrier_command {
    enum lz_carrier_op op;
    uint32_t edge, slot;
    struct lz_toxic toxic; /* CHANGE: not in the slot, where it could be read half written */
};

struct lz_carrier_opts {
    struct lz_carrier_shared *shared;
    const struct lz_cable_edge *edges;
    uint32_t edge_count;
    uint64_t run_key;
    int control; /* becomes LZ_CARRIER_CONTROL_FD */
};

/* From its beginning to its end. The first it says is "ok", or why it cannot be; then it answers
   commands likewise. */
_Noreturn void lz_carrier_main(const struct lz_carrier_opts *opts);

#endif
