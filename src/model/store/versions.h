/*
 * versions.h — the versions that an object store keeps of each key; for model/store/ only.
 *
 * S3 ("How S3 Versioning works", User Guide). A bucket begins unversioned; once it keeps versions
 * that can be suspended, never undone.
 *
 *   enabled     a write adds a version with an id of its own; a delete adds a *delete marker*
 *   suspended   a write, or a delete's marker, replaces the version whose id is null; what has an
 *               id stays
 *
 * The newest of a key is current. One asked for by its id is answered whatever is newer: 404
 * (NoSuchVersion) if it is not there, 405 (MethodNotAllowed) if it is a marker. Deleted by its id
 * it is gone for good; if it was the current one, the one before it is current again. What was
 * there before versions were kept has the id null.
 *
 * An id is a number that grows, null is the text "null". A restore copies a version to the top.
 *
 * Lifecycle ("Managing the lifecycle of objects"): once a day, at midnight, what is due goes:
 *
 *   expiration           so long after a write: removed, or with versions a marker on top; a marker
 *                        with nothing below it is removed too
 *   noncurrent           so long after a newer one came: removed, but for the newest few of them
 *   abort_uploads        so long after it began: the parts of an upload that nobody completed
 *
 * "S3 calculates the time by adding the number of days and rounding up to the next day midnight".
 */
#ifndef LZ_MODEL_STORE_VERSIONS_H
#define LZ_MODEL_STORE_VERSIONS_H

#include "model/store/store_state.h"

struct lz_version {
    uint64_t id;           /* 0: null */
    lz_value value;        /* nothing: a delete marker */
    uint64_t size, number; /* of the write */
    lz_time created, replaced;
    uint32_t older; /* of the same key; 0: none. Free places are a list of the same kind */
};

/* An upload that was begun and not completed: its parts cost, and are no object. */
struct lz_upload {
    lz_time begun;
    uint64_t bytes;
};

struct lz_versions {
    struct lz_version *all; /* 1 .. count */
    uint32_t count, cap, free;
    uint64_t bytes; /* of those that are not current */
    uint32_t kept;  /* of these */
    bool is_suspended;
};

void lz_versions_create(struct lz_world *w, struct lz_store *s);

/* Whether it did what the task asks for; false: it is as with a bucket that keeps none. */
bool lz_versions_operate(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                         enum lz_store_op op);

/* What was sent of an upload stays when nobody goes on with it. */
void lz_versions_left(struct lz_world *w, struct lz_store *s, uint64_t bytes, lz_time begun);

size_t lz_versions_bytes(const struct lz_store *s);

#endif
