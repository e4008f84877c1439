/*
 * connect.h — the connection that an attempt needs before it can send; for model/ only.
 *
 * Connections are kept alive between requests, one idea per pair of client and server
 * instance: warm from the start of the run, gone with either's process; connection.h has those
 * that need more. A host that is not there answers nothing: the SYN is sent again after a
 * second, two, four. A host without the process answers with a reset. Later steps of a handshake
 * that are lost are sent again like any message, after the retransmission timeout.
 *
 * Round trips before a request can be sent (RFC 8446, RFC 5246, RFC 9000, RFC 9001):
 *
 *   TCP 1    and TLS 1.3: 2    and TLS 1.2: 3    TLS 1.3 with early data: 1
 *   QUIC 1                                       QUIC with early data: 0
 *
 * Early data (0-RTT) is for who has been there before and holds a ticket.
 */
#ifndef LZ_MODEL_NET_CONNECT_H
#define LZ_MODEL_NET_CONNECT_H

#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/net/net.h"

void lz_connect_init(struct lz_world *w);

enum lz_tls { LZ_TLS_OFF, LZ_TLS_1_2, LZ_TLS_1_3 };

struct lz_transport_opts {
    enum lz_tls tls;
    bool is_quic;       /* TLS 1.3 is part of it */
    bool is_early_data; /* 0-RTT; needs TLS 1.3 or QUIC */
};

/* How the component's callers connect to it. */
bool lz_connect_transport(struct lz_world *w, lz_component_id id,
                          const struct lz_transport_opts *opts, struct lz_err *err) LZ_MUST_CHECK;

/* Connections are warm before the run begins; to a database only the primary's are. */
void lz_connect_warm(struct lz_world *w, struct lz_edge *e);

/* A client's process has ended, and with it what it had open and all its tickets. */
void lz_connect_forget(struct lz_world *w, lz_instance_id client);

/* None is, after all: nobody had a reason to open one. */
void lz_connect_cold(struct lz_edge *e);

/* The attempt knows its server: it sends at once over a warm connection, or opens one. */
void lz_connect_begin(struct lz_world *w, struct lz_call *c);

/* Whether the attempt is of somebody new, who has no connection yet. */
bool lz_connect_is_fresh(const struct lz_world *w, const struct lz_edge *e,
                         const struct lz_call *c);

/* The wait for an answer to a SYN is over. */
void lz_connect_retry(struct lz_world *w, struct lz_call *c);

/* What the call's connection says of a message: its size, and for an answer who waits for it. */
void lz_connect_address(struct lz_world *w, uint64_t call, struct lz_message *m);

/* The timeouts after which the call's messages are given up. */
uint32_t lz_connect_retries(const struct lz_world *w, uint64_t call);

/* The request is sent: probe while nothing is heard (SO_KEEPALIVE). */
void lz_connect_keep_alive(struct lz_world *w, struct lz_call *c);

/* The connection over which the call was made broke. */
void lz_connect_broke(struct lz_world *w, const struct lz_call *c);

#endif
