/*
 * record.h — one run as one SQLite database, the only place where results are stored.
 *
 * The image is built in memory after the last event, handed out as bytes, and written
 * to its file under a temporary name that is then renamed: half a record never exists.
 * Everything a report says comes from here, so a report can be made again later.
 *
 * Tables (record.c holds the statements; every column has its unit in its name):
 *
 *   run          one row: schema, lorenz version, file, scenario, about, case, seed, token,
 *                verdict, why, trace_hash, events, virtual_ns, warmup_ns, stop, error text,
 *                source (the scenario's text), in_flight_max, in_flight_bytes (what requests on
 *                their way took, at most), memory_bytes, ordinal (of the case in the matrix)
 *   param        name, value                      the case
 *   component    id, name, kind, line, instances, bytes
 *   edge         id, client, server, op           who calls whom, components
 *   instance     id, component, ordinal, host, zone, region
 *   metric       id, component, name, unit, view, whole (base unit), present
 *   series       metric, start_ns, width_ns, value, low, high, count
 *   event        seq, at_ns, component, instance, kind, text, line
 *   fault        id, kind, name, target, line, at_ns, started_ns, ended_ns, firings, effect,
 *                effect_unit, missed
 *   expectation  id, name, line, temporal, metric, verdict, severity, expected, actual, spare, why,
 *                margin, value, at_ns, deadline_ns, limit_value, limit_text, because
 *   request      id, traffic, ordinal, intended_ns, end_ns, outcome, status, spans, kept_as
 *   history      component, operations, lines: what was recorded, see history_write.h
 *   message      request, call, kind (append, replicate, poll, process), component, instance,
 *                topic, partition, record_offset, outcome, start_ns, end_ns: what became of a
 *                record that a call of a kept request has written
 *   span         request, call, parent_call, client, server, component, op, attempt, outcome,
 *                status, start_ns, end_ns, connect_ns, queue_ns, work_ns, network_ns,
 *                retry_wait_ns
 */
#ifndef LZ_RECORD_RECORD_H
#define LZ_RECORD_RECORD_H

#include <stddef.h>

#include "base/err.h"
#include "check/check.h"
#include "fault/fault.h"
#include "model/world.h"

#define LZ_RECORD_SCHEMA "lorenz.record/1"

struct lz_record_param {
    const char *name, *value; /* value as the user wrote it */
};

/* What the runner knows beside the world. All text may be NULL. */
struct lz_record_meta {
    const char *version;
    const char *file;     /* path as given */
    const char *scenario; /* its sentence; NULL if it never loaded */
    const char *about;
    const char *source; /* text of the scenario */
    const char *token;  /* to reproduce */
    uint64_t seed;
    uint64_t ordinal; /* of the case in its scenario's matrix */
    const struct lz_record_param *params;
    size_t param_count;
    bool is_live;          /* nothing brings it back: it has no trace hash */
    bool xfail;            /* the scenario declares that this case fails */
    const char *error;     /* the scenario is wrong: rendered diagnostic; the verdict is "error" */
    const char *diverged;  /* a second run differed: what and where; the verdict is "diverged" */
    uint64_t memory_bytes; /* the most the universe held */
    const char *stop;      /* NULL: ran to its end; else "events", "memory", "wall", "script" */
};

/* What a record is made of; all NULL when the scenario did not load. */
struct lz_record_parts {
    const struct lz_world *world;
    const struct lz_faults *faults;
    const struct lz_checks *checks;
};

/*
 * The verdict of a run as people and programs are told it, in one place: "pass", "fail",
 * "inconclusive", "xfail", "xpass", "error", "budget", "diverged". `checks` may be NULL. `why` is
 * the reason where the checks have one, else empty.
 */
const char *lz_record_verdict(const struct lz_record_meta *meta, const struct lz_checks *checks,
                              char *why, size_t why_size);

/* Build the image of a run. The bytes are malloc's; the caller frees them. */
bool lz_record_build(const struct lz_record_meta *meta, const struct lz_record_parts *parts,
                     unsigned char **image, size_t *size, struct lz_err *err) LZ_MUST_CHECK;

/* A database in memory whose random() begins alike in each; NULL if there is no memory. */
struct sqlite3;
struct sqlite3 *lz_record_memory(void);

/* What stands behind an image in its file: a word and the hash of its bytes. SQLite reads such a
   file as it is, and does not look there. */
#define LZ_RECORD_SEAL 16
void lz_record_seal(const unsigned char *image, size_t size, unsigned char seal[LZ_RECORD_SEAL]);

/* Write an image and its seal to `path`: temporary name beside it, fsync, rename. LZ_EIO says what
   failed. */
bool lz_record_save(const char *path, const unsigned char *image, size_t size,
                    struct lz_err *err) LZ_MUST_CHECK;

/* The image of a file; malloc's. LZ_EINVAL: it has no seal, or one of other bytes. */
bool lz_record_load(const char *path, unsigned char **image, size_t *size,
                    struct lz_err *err) LZ_MUST_CHECK;

#endif
