/* traffic_state.h — what traffic, its arrivals and its users share; for those files only. */
#ifndef LZ_MODEL_TRAFFIC_TRAFFIC_STATE_H
#define LZ_MODEL_TRAFFIC_TRAFFIC_STATE_H

#include "model/traffic/request.h"
#include "model/traffic/traffic.h"

struct lz_traffic_series {
    lz_series sent, outcomes, ok, failed, timeouts;
    lz_series latency;
    lz_series first_byte; /* 0: it does not stream */
    lz_series in_flight;  /* a tally */
    struct lz_series_face *sent_on, *outcomes_on, *ok_on, *latency_on, *in_flight_on;
};

struct lz_traffic {
    struct lz_traffic_opts opts;
    lz_component_id id;
    lz_edge_id edge;         /* 0: it writes to a topic, or somebody else sends for it */
    lz_producer_id producer; /* of a topic */
    struct lz_traffic_sender sender;
    lz_edge_id sender_edge; /* what `edge` was before it had a sender */
    lz_instance_id users;   /* the one instance that stands for all of them */
    uint64_t path;
    uint64_t sent;
    uint32_t surges; /* there ever were: numbers their requests */
    struct lz_traffic_series series;
};

struct lz_traffic *lz_traffic_at(const struct lz_world *w, lz_component_id id);

/* One request of a traffic, sent now. */
struct lz_traffic_send {
    struct lz_traffic *traffic;
    uint64_t ordinal; /* unique within the traffic, below 2^40: what people know it by */
    uint64_t path;    /* owner of its draws */
    uint64_t key;     /* used when the traffic has no `keys` */
    uint32_t agent;   /* the user who waits for it; 0: nobody comes back */
    bool is_bot;
};
void lz_traffic_send(struct lz_world *w, const struct lz_traffic_send *send);

/* arrival.c */
void lz_arrivals_init(struct lz_world *w);
void lz_arrivals_start(struct lz_world *w);
void lz_arrival_add(struct lz_world *w, struct lz_traffic *t); /* a traffic's own */

/* user.c */
void lz_users_init(struct lz_world *w);
void lz_users_start(struct lz_world *w, struct lz_traffic *t); /* of a closed loop */

/* A user of a session comes and sends the first request. */
struct lz_user_session {
    struct lz_traffic *traffic;
    uint64_t ordinal;
    uint64_t path;
    bool is_bot;
};
void lz_user_come(struct lz_world *w, const struct lz_user_session *session);

/* The answer to a user's request, good or bad. */
void lz_user_answered(struct lz_world *w, uint32_t agent);

#endif
