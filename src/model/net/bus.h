/*
 * bus.h — nodes of one component that talk to each other all the time: in the order of saying.
 *
 * From each node to each other there is one TCP connection on each of the bus' channels, and what
 * is said on it is heard in that order (RFC 9293, 3.4). A message that is lost or cut is sent again
 * as net.h says, and what was sent after it waits for it at the receiver (head of line). Channels
 * do not wait for each other: etcd has one stream for entries and one for all else.
 *
 *   said ──▶ under way ──there, and all before it were──▶ heard
 *                 │  └──── there too early ──▶ waits ────────▲
 *                 └─ the connection breaks: lost, and so is what waits
 *
 * A connection breaks, for good, and what is said next goes over a new one, when
 *
 *   - the process at either end ends: at once, or, if its host is lost, when something comes to the
 *     next process there, which knows of no connection and resets it
 *   - something was under way on it for longer than the bus' patience, or was sent again as often
 *     as TCP does. That is asked when it would be sent again: a way that is merely slow breaks
 *     nothing
 *   - its sender says so: lz_bus_break
 *
 * What was under way before it broke is still heard if all before it are, until the new connection
 * has come. Opening one takes no time of its own. A paused process hears when it goes on; with its
 * end all that has come there is lost. What waits at one that ends otherwise is lost when the next
 * connection opens.
 *
 * Invariants: of one connection the turns that are heard count 1, 2, 3, ...; `open` never falls;
 * those that wait are of the open connection, in order of their turns, and beyond `heard` + 1. They
 * are at most what was said on one connection. Ownership: the world's arena.
 */
#ifndef LZ_MODEL_NET_BUS_H
#define LZ_MODEL_NET_BUS_H

#include "model/world.h"

#define LZ_BUS_NODES_MAX 256
#define LZ_BUS_CHANNELS_MAX 2

struct lz_bus_message {
    uint32_t from, to; /* nodes, from 0 */
    uint32_t channel;
    lz_kind kind; /* what it is, for who hears it */
    uint64_t payload;
    uint64_t owner; /* draw path */
    uint64_t bytes; /* 0: a small one */
};

struct lz_bus;
struct lz_bus_ops {
    /* At a process that has begun and does not stand still. */
    void (*heard)(struct lz_world *w, lz_instance_id at, const struct lz_bus_message *m);
    /* Optional: it is gone with its connection. */
    void (*lost)(struct lz_world *w, const struct lz_bus_message *m);
    /* Optional: the sender knows that a connection broke, by a reset or since nothing came back. */
    void (*broke)(struct lz_world *w, lz_instance_id sender, const struct lz_bus_message *way,
                  bool by_reset);
};

struct lz_bus_opts {
    const struct lz_bus_ops *ops; /* must outlive it */
    lz_instance_id first;         /* of `nodes` in a row */
    uint32_t nodes, channels;
    lz_time patience; /* 0: as long as TCP has */
};

struct lz_bus *lz_bus_create(struct lz_world *w, const struct lz_bus_opts *opts);
void lz_bus_send(struct lz_world *w, struct lz_bus *bus, const struct lz_bus_message *m);

/* The process of a node has ended, with its host if `silent`. */
void lz_bus_ended(struct lz_world *w, struct lz_bus *bus, uint32_t node, bool silent);

/* For instance.c: an event that waited for a paused process, which has ended; of a bus or not. */
void lz_bus_drop(struct lz_world *w, lz_kind kind, uint64_t payload);

/* The sender gives its connection up: nobody is told. */
void lz_bus_break(struct lz_bus *bus, uint32_t from, uint32_t to, uint32_t channel);

/* Since when there has been something on it; -1: nothing yet. */
lz_time lz_bus_since(const struct lz_bus *bus, uint32_t from, uint32_t to, uint32_t channel);

/* With what is under way and waits, at the most it has been. What a letter is for is its owner's.
 */
size_t lz_bus_bytes(const struct lz_bus *bus);

#endif
