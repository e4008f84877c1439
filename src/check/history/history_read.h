/*
 * history_read.h — histories from text: EDN, JSON, Jepsen's log, and plain transactions.
 *
 *   edn    one map per event, as Jepsen, Knossos, Elle and Porcupine's kv files write them:
 *          {:process 3, :type :ok, :f :cas, :value [1 2]}, in a vector or not
 *   json   the same maps as JSON, an array or one a line
 *   jepsen-log
 *          lines of Jepsen's console: "INFO  jepsen.util - 3 :ok :cas [1 2]"
 *   txns   "w KEY VALUE" and "r KEY VALUE" lines; "-----" ends a transaction, "=====" a
 *          session (the format of AWDIT's tests)
 *
 * Known `f`: read r get, write w put set, cas, append, add, enqueue, dequeue, drain, acquire
 * lock, release unlock, transfer, generate, txn. A `key` field or a value [key value] names
 * the object. Events of processes that are no numbers (:nemesis) are read over.
 *
 * What nil means differs. In edn a `read` of nil tells nothing and registers begin at 0, as in
 * Knossos; elsewhere nil is the value of what was never written. In Jepsen's log a failed cas
 * asserts that the value was another one.
 */
#ifndef LZ_CHECK_HISTORY_HISTORY_READ_H
#define LZ_CHECK_HISTORY_HISTORY_READ_H

#include "check/history/history.h"

/* The formats' names; NULL past the end. */
const char *lz_history_read_format(size_t i);

/* Read a text of `format`; NULL finds out which. `h` is initialised, and empty on false. */
bool lz_history_read(struct lz_history *h, const char *format, const char *text, size_t size,
                     struct lz_err *err) LZ_MUST_CHECK;

/* The same, of a file with several: only events that say they are `of` that one. NULL: all. */
bool lz_history_read_of(struct lz_history *h, const char *format, const char *of, const char *text,
                        size_t size, struct lz_err *err) LZ_MUST_CHECK;

#endif
