/*
 * reads.h — which node answers a read; for model/data/ only.
 *
 * With `reads = "replicas"` any replica that runs, drawn, or the primary if there is none. Of those
 *
 *   read_your_writes   only one that has applied what the same user has written: the LSN of the
 *                      latest write that was acknowledged to a user is its token, as ProxySQL's
 *                      causal reads and MySQL's WAIT_FOR_EXECUTED_GTID_SET have it. Who is no user
 *                      (an open loop's requests) has a token for the length of the request
 *   max_lag            only one whose oldest write that is not applied is no older
 *
 * If no replica is fit, the primary answers.
 */
#ifndef LZ_MODEL_DATA_READS_H
#define LZ_MODEL_DATA_READS_H

#include "model/service/task.h"
#include "model/world.h"

struct lz_database;

struct lz_reads_opts {
    bool read_your_writes;
    lz_time max_lag; /* 0: any */
};

/* Of a database whose reads go to replicas. */
bool lz_reads_declare(struct lz_world *w, lz_component_id id, const struct lz_reads_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;

lz_instance_id lz_reads_route(struct lz_world *w, struct lz_database *d,
                              const struct lz_route *ask);

/* A write of the request was acknowledged. */
void lz_reads_wrote(struct lz_world *w, struct lz_database *d, lz_request_id request, uint64_t lsn);

#endif
