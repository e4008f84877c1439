/*
 * token.h — what brings a run back: "lz1-<seed>-<scenario hash>-<engine hash>"; of a swarm's seed,
 * which leaves out some faults, "-swarm"; and if messages arrive in another order than the
 * network's, "-<order>" as sim/order.h writes it.
 *
 * The seed and the case make the run; the two hashes say whether it is still the same one.
 * The scenario's hash is over the text of everything that was read. The engine's is over the
 * sources that decide a result, and is made when they are built; equal for every compiler.
 * Both are 48 bits, in twelve hexadecimal digits.
 */
#ifndef LZ_EXPLORE_TOKEN_H
#define LZ_EXPLORE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sim/order.h"

#define LZ_TOKEN_SIZE 112 /* of its text, the zero included */
#define LZ_TOKEN_PREFIX "lz1-"

struct lz_token {
    uint64_t seed;
    uint64_t scenario, engine; /* 48 bits */
    bool is_swarm;
    struct lz_order_opts order;
};

/* Of a run by this engine, in the network's order; `text_hash` is lz_script_text_hash. */
struct lz_token lz_token_make(uint64_t seed, uint64_t text_hash);

/* `text` has room for LZ_TOKEN_SIZE. Returns it. */
const char *lz_token_write(const struct lz_token *token, char *text);

/* True if `text` means to be a token, right or wrong. */
bool lz_token_is_meant(const char *text);
bool lz_token_read(const char *text, struct lz_token *out, struct lz_err *err) LZ_MUST_CHECK;

/* This engine's hash, 48 bits. */
uint64_t lz_token_engine(void);

#endif
