/*
 * budget.h — how many retries a caller may make: a bucket of tokens, or a share of its calls.
 *
 * One rule covers what is in use. A bucket begins full. First attempts, successes and failures
 * put tokens in or take them out; a retry is allowed if the bucket holds its cost and more than
 * `above`, and takes its cost. Or the retries under way are limited to a share of the calls.
 *
 *   a share s              per_call = s, cost 1, tokens 10 (SRE book, ch. 21: 10 %)
 *   AWS SDK, standard      tokens 500, cost 5, timeout_cost 10, per_success 1, refund
 *   gRPC (A6)              tokens 10, per_failure 1, per_success 0.1, cost 0, above 5
 *   Envoy                  of_active 20 %, at_least 3
 *
 * Tokens are counted in millionths, so that ten times a tenth is one.
 */
#ifndef LZ_MODEL_CLIENT_BUDGET_H
#define LZ_MODEL_CLIENT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define LZ_BUDGET_TOKENS 10.0
#define LZ_BUDGET_TOKENS_MAX 1e9

struct lz_budget_opts {
    bool on;
    double tokens;       /* the bucket's size; 0: there is no bucket */
    double per_call;     /* a first attempt adds */
    double per_success;  /* a success adds */
    double per_failure;  /* a failure takes */
    double cost;         /* a retry takes */
    double timeout_cost; /* one after a timeout; 0: the same */
    double above;        /* a retry needs more than this left */
    bool refund;         /* a retry that succeeds gives its cost back instead of per_success */
    double of_active;    /* retries at most this share of the calls under way; 0: no such limit */
    uint32_t at_least;   /* but so many always */
};

/* Of one calling instance. */
struct lz_budget {
    int64_t tokens;
    uint32_t active;   /* calls under way */
    uint32_t retrying; /* of them, waiting for a retry or in one */
};

struct lz_budget lz_budget_full(const struct lz_budget_opts *opts);
void lz_budget_called(struct lz_budget *b, const struct lz_budget_opts *opts);
void lz_budget_ended(struct lz_budget *b, const struct lz_budget_opts *opts, bool failed,
                     bool was_retry);

/* May a retry be made? Takes its cost if so. */
bool lz_budget_take(struct lz_budget *b, const struct lz_budget_opts *opts, bool after_timeout);

#endif
