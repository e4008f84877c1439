/*
 * asker.h — asking something real whether it works, once every while.
 *
 * A probe is a TCP connection that is accepted, an HTTP request that is answered well, or a
 * program that ends with 0. What it says may have to contain a text, and may begin with a number,
 * which is then the reading's value. All of it happens on the event loop.
 *
 *   asking ──answer or timeout──▶ waiting ──`every` after the last question──▶ asking
 *
 * A question that takes longer than `every` delays the next: no two are asked at once. Programs
 * get no shell, no input, and a process group of their own that is killed when their time is up;
 * they die with Lorenz. Of what they and bodies say, the first LZ_ASKER_KEEP bytes are looked at.
 */
#ifndef LZ_LIVE_PROBE_ASKER_H
#define LZ_LIVE_PROBE_ASKER_H

#include "live/live.h"

#define LZ_ASKER_KEEP 65536u
#define LZ_ASKER_KEEP_RECORDS (4u << 20) /* of one that lists the records of a topic */

struct lz_asker;

/* `said` is why the answer is no, for people; of a good one what it was. */
typedef void lz_asker_fn(void *ctx, const struct lz_live_reading *reading, const char *said);

/*
 * The first question is asked at once, its answer comes later. Texts of `probe` have had their
 * templates filled in, and outlive the asker; `of` is NULL if the URL says all. `fn` may stop it.
 */
struct lz_asker *lz_asker_start(struct lz_live *live, const struct lz_live_probe *probe,
                                const struct lz_site_process *of, lz_asker_fn *fn, void *ctx);

/* Nothing is called any more; a program that runs is killed. NULL is allowed. */
void lz_asker_stop(struct lz_asker *asker);

#endif
