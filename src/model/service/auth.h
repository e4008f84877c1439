/*
 * auth.h — tokens: who issues them, who holds them, who checks them.
 *
 * A service with `auth` lets in what shows a token of its *issuer*, any service, and checks it by
 * itself, as one checks a JWT: its end lies ahead, and the key that signed it is among the
 * issuer's published ones (a JWKS) as this replica last fetched them. What shows none that is
 * good is answered 401 and does no work. The issuer is asked for two things only, by real
 * requests over the network: a new token ("POST /token"), a caller's shortly before its own runs
 * out, and the keys ("GET /jwks.json"), by each replica every `refresh`. So what happens to the
 * issuer is felt late, when tokens run out, and what happens to its key until caches are fresh.
 *
 *   holder   asks at end - renew ──token──▶ good for `lifetime` from now
 *                └── no answer, or a bad one: again after `retry`
 *   cache    asks every `refresh`; with `refresh_on_unknown` also for a key it has not heard of,
 *            unless it has asked within `cooldown`. A fresh process has no key until it has asked
 *
 * Each replica that calls holds one token, which outlives its process as a projected volume
 * does; users of a traffic hold `holders` of them, and a request is of one of these by its own
 * draw. When the run begins all are somewhere in their life, evenly spread: holder i of n has
 * lived (i + u) / n of the time between two renewals, u being its own draw. With renewals that
 * fail from a instant on, the share of tokens that have run out t later is
 *
 *   (t - renew) / (lifetime - renew), between 0 and 1
 *
 * Defaults of `refresh`, `cooldown` and `timeout` are those of jose's createRemoteJWKSet
 * (cacheMaxAge, cooldownDuration, timeoutDuration). Unlike there a request with an unknown key
 * is refused at once, and does not wait for the keys it asked for.
 *
 * A token in flight is a number: the microsecond of its end, and above it its key.
 */
#ifndef LZ_MODEL_SERVICE_AUTH_H
#define LZ_MODEL_SERVICE_AUTH_H

#include "model/client/client.h"
#include "model/service/task.h"
#include "model/world.h"

#define LZ_AUTH_HOLDERS_MAX 10000 /* of the users of one traffic */
#define LZ_AUTH_KEYS_MAX 8        /* that an issuer publishes: the latest */

struct lz_auth_opts {
    lz_component_id issuer;
    lz_time lifetime; /* of a token; 0 means 1 h */
    lz_time renew;    /* before its end; 0: a tenth of the lifetime */
    uint32_t holders; /* tokens of a traffic's users; 0 means 100 */
    lz_time refresh;  /* of cached keys; 0 means 10 min */
    bool on_unknown;  /* an unknown key has the keys fetched */
    lz_time cooldown; /* between two fetches for that reason; below 0 means 30 s */
    lz_time timeout;  /* of the requests to the issuer; 0 means 5 s */
    lz_time retry;    /* after one that failed; 0 means 5 s */
};

/* `service` asks for tokens of those who call it by now; its calls are declared already. */
bool lz_auth_require(struct lz_world *w, lz_component_id service, const struct lz_auth_opts *opts,
                     struct lz_err *err) LZ_MUST_CHECK;

bool lz_auth_is_issuer(const struct lz_world *w, lz_component_id id);

/* The issuer answers nobody, until it is restored by the same number. Counts tokens refused
 * because they had run out meanwhile. */
uint32_t lz_auth_take_away(struct lz_world *w, lz_component_id issuer, uint64_t *refused);
/* A new key signs; with `withdraw` none of those before it is published any more. Counts tokens
 * refused because of their key. Restored, the keys are those of the rotations left. */
uint32_t lz_auth_rotate(struct lz_world *w, lz_component_id issuer, bool withdraw,
                        uint64_t *refused);
void lz_auth_restore(struct lz_world *w, uint32_t id);

/* ---- for model/ only, all of them only while w->auths is not NULL */
void lz_auths_start(struct lz_world *w);

/* The request shows the token that its caller holds, if its callee wants one. */
void lz_auth_show(struct lz_world *w, lz_component_id to, lz_instance_id client, uint64_t path,
                  struct lz_task *t);

/* The status by which a request that has just come is refused; 0: it may come in. */
uint16_t lz_auth_check(struct lz_world *w, const struct lz_task *t);

/* The issuer's answer to one of these calls. */
void lz_auth_called(struct lz_world *w, uint64_t owner, const struct lz_call_result *result);
void lz_auth_died(struct lz_world *w, lz_instance_id id);
void lz_auth_started(struct lz_world *w, lz_instance_id id);

#endif
