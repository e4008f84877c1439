#include "explore/token.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "explore/engine.h" // made by engine_hash

#define BITS_48 0xffffffffffffull
#define DIGITS 12
#define SWARM "swarm"

uint64_t lz_token_engine(void)
{
    return LZ_ENGINE_HASH & BITS_48;
}

struct lz_token lz_token_make(uint64_t seed, uint64_t text_hash)
{
    return (struct lz_token){
        .seed = seed, .scenario = text_hash & BITS_48, .engine = lz_token_engine()};
}

const char *lz_token_write(const struct lz_token *token, char *text)
{
    LZ_ASSERT(token->scenario <= BITS_48);
    LZ_ASSERT(token->engine <= BITS_48);
    char order[LZ_ORDER_TEXT_SIZE];
    lz_order_write(&token->order, order);
    snprintf(text, LZ_TOKEN_SIZE, LZ_TOKEN_PREFIX "%" PRIu64 "-%012" PRIx64 "-%012" PRIx64 "%s%s%s",
             token->seed, token->scenario, token->engine, token->is_swarm ? "-" SWARM : "",
             order[0] != '\0' ? "-" : "", order);
    return text;
}

bool lz_token_is_meant(const char *text)
{
    return strncmp(text, LZ_TOKEN_PREFIX, strlen(LZ_TOKEN_PREFIX)) == 0;
}

// Decimal digits that fit 64 bits, up to a dash.
static bool read_seed(const char **at, uint64_t *out)
{
    uint64_t n = 0;
    const char *start = *at;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = 10 * n + digit;
    }
    *out = n;
    return *at > start && *(*at)++ == '-';
}

static bool read_hash(const char **at, char end, uint64_t *out)
{
    uint64_t n = 0;
    for (int i = 0; i < DIGITS; i++, ++*at) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = **at != '\0' ? strchr(digits, **at) : NULL;
        if (digit == NULL)
            return false;
        n = n << 4 | (uint64_t)(digit - digits);
    }
    *out = n;
    if (**at != end)
        return false;
    *at += end != '\0';
    return true;
}

// The last hash ends the token, or what is not plain about the run follows.
static bool read_end(const char **at, struct lz_token *token, struct lz_err *err)
{
    if (!read_hash(at, strlen(*at) > DIGITS ? '-' : '\0', &token->engine))
        return false;
    if (**at == '\0')
        return (*at)[-1] != '-';
    size_t len = strlen(SWARM);
    token->is_swarm = strncmp(*at, SWARM, len) == 0 && ((*at)[len] == '-' || (*at)[len] == '\0');
    *at += token->is_swarm ? len : 0;
    if (token->is_swarm && **at == '\0')
        return true;
    *at += token->is_swarm;
    return lz_order_parse(*at, &token->order, err);
}

bool lz_token_read(const char *text, struct lz_token *out, struct lz_err *err)
{
    struct lz_token token = {0};
    const char *at = text + strlen(LZ_TOKEN_PREFIX);
    if (!lz_token_is_meant(text) || !read_seed(&at, &token.seed) ||
        !read_hash(&at, '-', &token.scenario) || !read_end(&at, &token, err))
        return lz_fail(err, LZ_EINVAL,
                       "a token is lz1-SEED-SCENARIO-ENGINE with two hashes of 12 hexadecimal "
                       "digits, and \"swarm\" and an order if it had them, got \"%s\"",
                       text);
    *out = token;
    return true;
}
