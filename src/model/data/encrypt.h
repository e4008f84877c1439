/*
 * encrypt.h — encryption of a database, at rest and between its nodes: what it costs, and how it
 * is got wrong.
 *
 * Cost. A query decrypts or encrypts a page, 8 KiB, at `rate` on a core: 8 us at 1 GB/s, which is
 * what one core does with AES-NI (`openssl speed -evp aes-256-gcm`, `cryptsetup benchmark`: 1 to 4
 * GB/s); it is added to query_time.
 *
 * At rest. Data are opened with a key when a process begins, and the key is then in its memory: one
 * that has expired, or was revoked, is noticed by the next restart, and then by every one (a KMS
 * that no longer unwraps). A node that cannot open its data is *locked*: it runs, and answers
 * nobody, follows nobody and cannot lead.
 *
 * In transit. A standby connects to who leads, once; the connection lives on until one of them
 * begins anew or another leads. In its handshake it is refused if
 *
 *   wrong_ca    the standby does not trust who has signed the leader's certificate (sslrootcert)
 *   plaintext   the leader speaks no TLS, and standbys ask for it (sslmode = verify-full)
 *   valid_for   certificates have expired by then
 *
 * so that what is wrong with a node shows when it comes to lead. Who is refused falls behind, and
 * confirms nothing: with synchronous replication writes wait. It tries again with every record.
 */
#ifndef LZ_MODEL_DATA_ENCRYPT_H
#define LZ_MODEL_DATA_ENCRYPT_H

#include "model/world.h"

struct lz_database;

struct lz_encrypt_opts {
    bool at_rest;
    double rate;           /* bytes per second and core; 0 means 1 GB/s */
    lz_time key_valid_for; /* 0: for ever */
    bool in_transit;
    uint64_t wrong_ca, plaintext; /* nodes, as bits */
    lz_time valid_for;            /* 0: for ever */
};

bool lz_encrypt_declare(struct lz_world *w, lz_component_id id, const struct lz_encrypt_opts *opts,
                        struct lz_err *err) LZ_MUST_CHECK;

/* For model/data/; of a database that has it. */
double lz_encrypt_cost_ns(const struct lz_database *d); /* of a query */
void lz_encrypt_started(struct lz_world *w, struct lz_database *d, uint32_t node);
bool lz_encrypt_is_locked(const struct lz_database *d, uint32_t node);

bool lz_encrypt_has_stream(const struct lz_database *d, uint32_t node); /* it is connected */

/* Does the node follow the leader's log? A handshake, if they are not connected. */
bool lz_encrypt_connects(struct lz_world *w, struct lz_database *d, uint32_t leader, uint32_t node);

#endif
