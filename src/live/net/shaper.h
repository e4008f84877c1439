/*
 * shaper.h — faults on packets by the kernel's own traffic control: what cable.h does by a process
 * of ours, netem and tbf do in the kernel, at the cost of a queue and not of two system calls a
 * packet. Where the kernel has them.
 *
 * Packets can be shaped where they leave. What a client sends leaves by its own end of its link, so
 * the discipline is put there, within its namespace; what comes back leaves by the run's end of
 * that link; Lorenz' own requests leave, both ways, by the loopback of the run's namespace
 * (spaces.h).
 *
 * An edge has a *way* for each direction, with a class on its interface (tc.h) and below that one
 * qdisc for each toxic in force, in the order in which they came:
 *
 *   LATENCY    netem delay: all alike, or by a table of 8,192 draws of its distribution, which lets
 *              packets pass each other                    STALL    netem loss, its three models
 *   CUT        netem loss 100 %                           REORDER  netem: `after` for those struck
 *   DUPLICATE  netem duplicate                            CORRUPT  netem corrupt
 *   BANDWIDTH  tbf, with a burst of what 1 ms carries, but two packets at least
 *
 * A toxic that goes leaves a qdisc that does nothing: taken out, it would lose what it holds. With
 * the last one the filters go, and packets take the way they took before; what was held comes when
 * it is due, behind them. All ends with the namespaces: there is nothing to undo.
 *
 * netem draws from the kernel's random numbers: decisions do not repeat with the seed, and what is
 * correlated has another share (loss.h). It counts what it drops and puts before others, not what
 * it doubles or damages: of these, packets that went through it are counted.
 *
 * Interfaces send single packets from the beginning (gso_max_segs 1), or what is one loss to netem
 * would be 64 KiB of a stream.
 */
#ifndef LZ_LIVE_NET_SHAPER_H
#define LZ_LIVE_NET_SHAPER_H

#include "base/str.h"
#include "live/net/cable.h"
#include "live/net/spaces.h"

typedef uint32_t lz_shaper_toxic_id; /* from 1 */

struct lz_shaper;

struct lz_shaper_opts {
    const struct lz_spaces *spaces; /* which this process is in; lives as long */
    uint64_t run_key;
    const struct lz_cable_edge *edges; /* copied */
    uint32_t edge_count;
};

/* A kernel that has nothing of it is no failure: `can` says so then. */
bool lz_shaper_create(struct lz_shaper **out, const struct lz_shaper_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;
void lz_shaper_destroy(struct lz_shaper *s); /* NULL is allowed */

/*
 * Can it do this? What it does otherwise than a carrier of packets would (order, correlation, draws
 * that do not repeat), or cannot count, only if it `is_asked` for. False: `err` says why.
 */
bool lz_shaper_can(const struct lz_shaper *s, const struct lz_toxic *t, bool is_asked,
                   struct lz_err *err) LZ_MUST_CHECK;

/* `edge` counts from 0, as in opts. The toxic must be one that it can do, asked or not. */
bool lz_shaper_add(struct lz_shaper *s, uint32_t edge, const struct lz_toxic *t,
                   lz_shaper_toxic_id *id, struct lz_err *err) LZ_MUST_CHECK;
bool lz_shaper_change(struct lz_shaper *s, lz_shaper_toxic_id id, const struct lz_toxic *t,
                      struct lz_err *err) LZ_MUST_CHECK;
bool lz_shaper_remove(struct lz_shaper *s, lz_shaper_toxic_id id, struct lz_err *err) LZ_MUST_CHECK;

/* Of a toxic that was added; also just after its removal, until another one is added. */
uint64_t lz_shaper_touched(struct lz_shaper *s, lz_shaper_toxic_id id);

/* Has this kernel netem, or tbf, with htb and u32? Tried in a namespace of its own. */
bool lz_shaper_probe_netem(struct lz_str *saw);
bool lz_shaper_probe_tbf(struct lz_str *saw);

#endif
