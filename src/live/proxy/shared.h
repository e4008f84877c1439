/*
 * shared.h — what a run and its proxy's process share: memory, and a socket for small commands.
 *
 * The run writes a toxic into a slot, then says so by a command; the proxy's process counts
 * beside it. Counters are read at any time without asking. What the proxy saw of HTTP requests
 * goes through a ring that one side fills and the other empties; when the ring was empty, an
 * eventfd wakes the reader. A full ring drops, and counts what it dropped.
 *
 * Memory that nobody touches is never there: the slots cost what is used of them.
 */
#ifndef LZ_LIVE_PROXY_SHARED_H
#define LZ_LIVE_PROXY_SHARED_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "live/proxy/proxy.h"
#include "live/proxy/toxic.h"

#define LZ_SHARED_RING 65536u /* a power of two */
#define LZ_SHARED_CONTROL_FD 3
#define LZ_SHARED_WAKE_FD 4

struct lz_shared_edge {
    _Atomic uint64_t accepted, open, refused, bytes_up, bytes_down, turned_away, not_http, requests;
};

struct lz_shared_slot {
    struct lz_toxic toxic;
    _Atomic uint64_t touched;
};

struct lz_shared {
    struct lz_shared_edge edges[LZ_PROXY_EDGES_MAX];
    struct lz_shared_slot slots[LZ_PROXY_TOXICS_MAX];
    _Atomic uint64_t memory; /* bytes of buffers in use */
    _Atomic uint64_t head, tail, dropped;
    struct lz_proxy_seen ring[LZ_SHARED_RING];
};

enum lz_shared_op {
    LZ_SHARED_EDGE = 1, /* with the listening socket as ancillary data */
    LZ_SHARED_ADD,
    LZ_SHARED_CHANGE, /* not answered: a ramp sends many, and nobody is to wait for them */
    LZ_SHARED_REMOVE,
};

struct lz_shared_command {
    enum lz_shared_op op;
    uint32_t edge, slot;
    bool is_http;
    socklen_t upstream_len;
    struct sockaddr_storage upstream;
    char name[LZ_PROXY_NAME_SIZE];
    struct lz_toxic toxic; /* CHANGE: not in the slot, where it could be read half written */
};

/* The proxy's process, from its beginning to its end. `control` and `wake` become 3 and 4. */
_Noreturn void lz_serve_main(struct lz_shared *shared, uint64_t run_key, int control, int wake);

#endif
