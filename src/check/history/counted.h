/*
 * counted.h — counters, sets and ids as they were recorded in a run.
 *
 * Which operations these are the component says: a cache's incr, decr and sadd, a store's
 * increment, what transactions append to lists; of a service an expectation (recorder.h). Keys that
 * nothing was added to are left out; one that was also written otherwise cannot be judged.
 *
 *   counter      every read, and every increment's answer, lies between what was certainly added
 *                before it and what may have been by its end
 *   set-full     what was acknowledged, or seen, is in some read after it
 *   unique-ids   no id is given twice, of one key; keys that decr or a negative increment took
 *                something from are left out
 *
 * The white box goes by the versions that servers gave out, and by what each was made of: back from
 * the version that was read is what is in it (lz_recorder_mark). It does not look at what was read.
 *
 *   counter      what is in each read, added up, lies within the bounds: proven. One that does not:
 *                refuted
 *   sets         the last read has all that other reads and acknowledgements before it have:
 *                proven. Something acknowledged is in none that began after it: refuted
 *   ids          all that servers gave out, heard or not, differ: proven. Two that were heard and
 *                are the same: refuted
 *
 * Of a service's counters and sets nobody but its handlers knows: not told.
 */
#ifndef LZ_CHECK_HISTORY_COUNTED_H
#define LZ_CHECK_HISTORY_COUNTED_H

#include "check/history/judge.h"

/* The kind that a model of verify.h is of; LZ_RECORDER_OBJECTS: none of these. */
enum lz_recorder_kind lz_counted_kind(const char *model);

/* NULL: all can be judged; else why not. */
const char *lz_counted_obstacle(const struct lz_recorder *r, enum lz_recorder_kind kind);

/* Nothing that it is about was done to the component: what was, and what to write instead. */
void lz_counted_lacks(const struct lz_recorder *r, enum lz_recorder_kind kind,
                      const struct lz_component *of, char *out, size_t size);

/* As of lz_judge_run. */
bool lz_counted_judge(const struct lz_world *w, const struct lz_recorder *r,
                      const struct lz_judge_opts *opts, struct lz_judge_result *out,
                      struct lz_err *err) LZ_MUST_CHECK;

/* The operations of the recorder that a kind is about, in order; `ops` has room for all. */
uint32_t lz_counted_ops(const struct lz_recorder *r, enum lz_recorder_kind kind,
                        const struct lz_recorder_op **ops);

enum lz_judge_white lz_counted_white(const struct lz_recorder *r, enum lz_recorder_kind kind);

/* Of a set that transactions made: an append or a read of one. `steps` has room for all. */
struct lz_counted_step {
    uint32_t txn; /* index */
    uint64_t key, begin, end, version;
    lz_value value;
    bool is_read, has_version, is_ok;
};
uint32_t lz_counted_steps(const struct lz_recorder *r, struct lz_counted_step *steps);

#endif
