/*
 * connect.h — the connection that an attempt needs before it can send; for model/ only.
 *
 * Connections are kept alive between requests, one idea per pair of client and server
 * instance: warm from the start of the run, gone with the server's process. Opening one takes
 * a handshake of one round trip. A host that is not there answers nothing: the SYN is sent
 * again after a second, two, four. A host without the process answers with a reset.
 */
#ifndef LZ_MODEL_CONNECT_H
#define LZ_MODEL_CONNECT_H

#include "model/client_state.h"
#include "model/edge.h"
#include "model/net.h"

void lz_connect_init(struct lz_world *w);

/* Connections are warm before the run begins; to a database only the primary's are. */
void lz_connect_warm(struct lz_world *w, struct lz_edge *e);

/* None is, after all: nobody had a reason to open one. */
void lz_connect_cold(struct lz_edge *e);

/* The attempt knows its server: it sends at once over a warm connection, or opens one. */
void lz_connect_begin(struct lz_world *w, struct lz_call *c);

/* The wait for an answer to a SYN is over. */
void lz_connect_retry(struct lz_world *w, struct lz_call *c);

/* What the call's connection says of a message: its size, and for an answer who waits for it. */
void lz_connect_address(const struct lz_world *w, uint64_t call, struct lz_message *m);

/* The timeouts after which the call's messages are given up. */
uint32_t lz_connect_retries(const struct lz_world *w, uint64_t call);

/* The connection over which the call was made broke. */
void lz_connect_broke(struct lz_world *w, const struct lz_call *c);

#endif
