/*
 * cert.h — certificates that are not valid: clients end the handshake.
 *
 * A certificate is looked at once, in the handshake of a new connection. Connections that are
 * open live on, so that what expires is noticed as fast as connections are opened: by new users,
 * after restarts, when pools recycle.
 */
#ifndef LZ_MODEL_NET_CERT_H
#define LZ_MODEL_NET_CERT_H

#include "model/node/instance.h"
#include "model/world.h"

void lz_certs_init(struct lz_world *w);

/* The certificate of an instance is not valid, until it is renewed by the same number. */
uint32_t lz_cert_expire(struct lz_world *w, lz_instance_id instance, uint64_t *touched);
void lz_cert_renew(struct lz_world *w, lz_instance_id instance, uint32_t id);

/* What is read in every handshake begins cert.c's own struct. */
struct lz_certs_face {
    uint32_t expired;
};

bool lz_cert_look(struct lz_world *w, lz_instance_id server);

/* Does a client that opens a connection end the handshake? Counts it, if it does. */
static inline bool lz_cert_is_refused(struct lz_world *w, lz_instance_id server)
{
    return ((const struct lz_certs_face *)w->certs)->expired > 0 && lz_cert_look(w, server);
}

#endif
