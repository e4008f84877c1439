/*
 * white.h — what the servers' versions say of a history, beside what a checker finds.
 *
 * Each server tells which version of its key an operation wrote or saw; versions of a key are in
 * the order in which its writes took effect. From these alone, without any search:
 *
 *   registers            a key's operations in order of version agree with real time, and each
 *                        that asks what is there comes after a version with that: proven. A
 *                        read of what another completed write had replaced before it: refuted
 *   transactions         units.h: who wrote before whom, who read whose, who read what another
 *                        replaced
 *   session guarantees   versions that one process saw and wrote never go back: proven. Back to
 *                        what was certainly replaced before: refuted
 *   mutual exclusion     acquire and release by turns, in order of version and of time: proven.
 *                        Acquired twice, one after the other, and nobody released: refuted
 *   convergence          all reads after the last write saw one version: proven; several, with
 *                        several values: refuted
 *
 * Refuted is only said where clients could have seen it too: the two must never contradict each
 * other. Not told: versions are missing, were given out twice, or an operation was tried again.
 */
#ifndef LZ_CHECK_HISTORY_WHITE_H
#define LZ_CHECK_HISTORY_WHITE_H

#include "check/history/judge.h"

/*
 * Keys that somebody has asked for as locks. They come and go with leases, of which no client is
 * told: as registers they are left out. The caller frees the keys; lz_judge_has_key asks for one.
 */
struct lz_white_keys {
    uint64_t *keys;
    uint32_t count;
};
struct lz_white_keys lz_white_locks(const struct lz_recorder *recorder);

/* By the model's name; of one that it does not know: not told. */
enum lz_judge_white lz_white_judge(const char *model, const struct lz_recorder *recorder);

/* Of operations in this order: a version has one value, and none was tried again. */
bool lz_white_is_told(const struct lz_recorder_op **ops, uint32_t count);

/*
 * Each compare-and-set among a key's operations found what it expected in the version before its
 * own, and has that to itself. Not so where each region takes writes by what it has itself.
 */
bool lz_white_creates_fit(const struct lz_recorder_op **ops, uint32_t count);

/* For lz_sort. */
int lz_white_by_version(const void *a, const void *b, void *ctx);
int lz_white_by_key(const void *a, const void *b, void *ctx); /* then begin */

#endif
