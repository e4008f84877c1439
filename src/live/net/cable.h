/*
 * cable.h — faults on packets between the namespaces of a run: what proxy.h is to bytes.
 *
 *     lz_cable_create(&cable, &opts, &err)                a process of its own, the carrier
 *     lz_cable_add(cable, edge, &toxic, &id, &err)        from now on (impair.h says what)
 *     lz_cable_touched(cable, id)                         what it was seen to do
 *     lz_cable_remove(cable, id, &err)
 *
 * While no toxic acts on an edge its packets do not leave the kernel. The first one adds rules that
 * hand them to the carrier (nfqueue.h), which decides, holds, and gives them back; when the last
 * one has gone, and what it held is on its way, the rules go too. A copy of a packet is sent by a
 * raw socket, with a mark that the rules pass over.
 *
 * The carrier is forked from a run that is in its namespaces (spaces.h), so that load and packets
 * do not disturb each other. It dies with the run (PR_SET_PDEATHSIG), and the rules with the
 * namespace.
 *
 * A packet that is handed over and held (UDP, 1,000 bytes) costs the carrier 5 us at 2.8 GHz.
 */
#ifndef LZ_LIVE_NET_CABLE_H
#define LZ_LIVE_NET_CABLE_H

#include <sys/types.h>

#include "live/loop.h"
#include "live/proxy/toxic.h"

#define LZ_CABLE_EDGES_MAX 1024u
#define LZ_CABLE_TOXICS_MAX 1024u /* at once */
#define LZ_CABLE_NAME_SIZE 512    /* two names of 200 bytes, whole: what is drawn is drawn by it */

typedef uint32_t lz_cable_toxic_id; /* from 1 */

struct lz_cable;

/* Whose packets these are: addresses in the machine's byte order. */
struct lz_cable_edge {
    char name[LZ_CABLE_NAME_SIZE]; /* "web -> orders-db": owner of its draws */
    uint32_t client, server;       /* straight from one to the other; 0: nothing goes so */
    uint32_t door;                 /* of the proxy in between; 0: there is none */
    uint16_t door_port;            /* where it listens: Lorenz' own load has its address too */
    bool is_v6;                    /* by IPv6 (spaces.h: of the same addresses) */
};

typedef void lz_cable_died_fn(void *ctx, int wait_status);

struct lz_cable_opts {
    struct lz_loop *loop;
    uint64_t run_key;
    const struct lz_cable_edge *edges; /* copied */
    uint32_t edge_count;
    lz_cable_died_fn *died; /* it ended by itself: what is handed over goes nowhere; may be NULL */
    void *ctx;
};

/* LZ_ERANGE: the kernel lacks something, or this user may not. */
bool lz_cable_create(struct lz_cable **out, const struct lz_cable_opts *opts,
                     struct lz_err *err) LZ_MUST_CHECK;
void lz_cable_destroy(struct lz_cable *cable); /* what is held is lost; NULL is allowed */

/* `edge` counts from 0, as in opts. */
bool lz_cable_add(struct lz_cable *cable, uint32_t edge, const struct lz_toxic *toxic,
                  lz_cable_toxic_id *id, struct lz_err *err) LZ_MUST_CHECK;
bool lz_cable_change(struct lz_cable *cable, lz_cable_toxic_id id, const struct lz_toxic *toxic,
                     struct lz_err *err) LZ_MUST_CHECK;
bool lz_cable_remove(struct lz_cable *cable, lz_cable_toxic_id id,
                     struct lz_err *err) LZ_MUST_CHECK;

/* Of a toxic that was added; also just after its removal, until another one is added. */
uint64_t lz_cable_touched(const struct lz_cable *cable, lz_cable_toxic_id id);

/* Packets that were handed over so far, and those that are held now. */
struct lz_cable_counts {
    uint64_t seen, held;
};
struct lz_cable_counts lz_cable_counts(const struct lz_cable *cable);
pid_t lz_cable_pid(const struct lz_cable *cable);

#endif
