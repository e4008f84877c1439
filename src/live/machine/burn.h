/*
 * burn.h — processes that use up what the machine has: cores, memory. Bounded, and never alone.
 *
 * Each is a child of this process that dies with it (PR_SET_PDEATHSIG), whatever kills it, so
 * there is nothing to undo. What it is to do stands in memory that both share, and may change.
 */
#ifndef LZ_LIVE_MACHINE_BURN_H
#define LZ_LIVE_MACHINE_BURN_H

#include <stdint.h>

#include "live/loop.h"

#define LZ_BURN_CORES_MAX 1024

struct lz_burn;

/* Keep `cores` cores busy, in all: whole ones and a part of another. At a higher priority than
 * others where this user may (it then comes first, as a simulated one does), else as an equal. */
bool lz_burn_cores(struct lz_loop *loop, double cores, struct lz_burn **out,
                   struct lz_err *err) LZ_MUST_CHECK;
void lz_burn_set_cores(struct lz_burn *b, double cores); /* no more than at first */

/* Hold `bytes` of memory, written to, and `rate` more each second. At least an eighth of the
 * machine's memory, or 512 MiB if that is more, is left to others, and the kernel takes this
 * process before any other when memory runs out. */
bool lz_burn_memory(struct lz_loop *loop, double bytes, double rate, struct lz_burn **out,
                    struct lz_err *err) LZ_MUST_CHECK;
void lz_burn_set_memory(struct lz_burn *b, double bytes, double rate);

uint32_t lz_burn_busy(const struct lz_burn *b);  /* cores' burners that were seen at work */
uint64_t lz_burn_bytes(const struct lz_burn *b); /* most that was seen in memory */
void lz_burn_end(struct lz_burn *b);

double lz_burn_machine_memory(void);  /* bytes that the machine has */
unsigned lz_burn_machine_cores(void); /* that this process may use */

#endif
