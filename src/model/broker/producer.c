#include "model/broker/producer.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/broker/murmur.h"
#include "model/broker/producer_state.h"
#include "model/broker/transactor.h"
#include "model/client/backoff.h"
#include "model/traffic/traffic.h"

#define BATCH_BYTES 16384.0
#define IN_FLIGHT 5
#define BUFFER_BYTES (32.0 * 1024 * 1024)
#define DELIVERY_NS (120 * LZ_S)
#define TRANSACTION_NS (60 * LZ_S) // transaction.timeout.ms
#define PRODUCERS_MAX 65535u

// ---- records

// Another partition, of those with a leader as far as is known.
static void move(struct lz_world *w, struct lz_producer *p)
{
    uint32_t led = 0, n = p->topic->opts.partitions;
    for (uint32_t i = 0; i < n; i++)
        led += p->lanes[i].leader != LZ_BROKER_NOBODY;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), p->path, LZ_PURPOSE_BALANCE, ++p->moves);
    uint64_t nth = lz_draw_below(&draw, led > 0 ? led : n);
    for (uint32_t i = 0; i < n; i++) {
        if (led > 0 && p->lanes[i].leader == LZ_BROKER_NOBODY)
            continue;
        if (nth-- == 0) {
            p->sticky = i;
            break;
        }
    }
    p->sticky_bytes = 0.0;
}

static uint32_t partition_of(struct lz_world *w, struct lz_producer *p, uint64_t key, bool is_bot)
{
    if (p->has_keys && !is_bot)
        return lz_murmur_partition(key, p->topic->opts.partitions);
    if (p->sticky_bytes >= p->opts.batch_size || p->lanes[p->sticky].leader == LZ_BROKER_NOBODY)
        move(w, p);
    p->sticky_bytes += p->record_bytes;
    return p->sticky;
}

static struct lz_parcel *open_parcel(struct lz_world *w, struct lz_producer *p, uint32_t id,
                                     uint32_t partition)
{
    struct lz_producer_lane *l = &p->lanes[partition];
    struct lz_parcel *c = l->last != 0 ? lz_parcel_at(w, l->last) : NULL;
    if (c != NULL && c->state == LZ_PARCEL_OPEN && c->bytes + p->record_bytes <= p->opts.batch_size)
        return c;
    if (c != NULL && c->state == LZ_PARCEL_OPEN) {
        c->state = LZ_PARCEL_WAITING;
        c->is_ready = true;
    }
    c = lz_pool_take_sized(&w->producers->parcels, sizeof(*c));
    c->producer = id;
    c->partition = partition;
    c->at = lz_sim_now(w->sim);
    c->serial = ++p->serials;
    c->is_ready = p->opts.linger == 0;
    uint64_t handle = lz_pool_id(c);
    if (p->opts.linger > 0)
        c->linger = lz_sim_arm(w->sim, p->linger, p->client, handle);
    c->expiry = lz_sim_arm(w->sim, p->expiry, p->client, handle);
    lz_parcel_link(w, l, c);
    return c;
}

void lz_producer_send(struct lz_world *w, lz_producer_id id, const struct lz_producer_record *r)
{
    struct lz_producer *p = lz_producer_at(w, id);
    if (p->buffered + p->record_bytes > p->opts.buffer) {
        lz_traffic_recorded(w, p->traffic,
                            &(struct lz_traffic_record){.latency = lz_sim_now(w->sim) - r->intended,
                                                        .outcome = LZ_OUTCOME_REFUSED,
                                                        .agent = r->agent,
                                                        .is_bot = r->is_bot});
        return;
    }
    if (p->transactor != NULL) {
        lz_transactor_send(w, p, r);
        return;
    }
    uint32_t partition = partition_of(w, p, r->key, r->is_bot);
    struct lz_parcel *c = open_parcel(w, p, id, partition);
    c->records = lz_grow(w->arena, c->records, &c->room, c->count + 1, sizeof(*c->records));
    c->records[c->count++] = *r;
    c->bytes += p->record_bytes;
    p->buffered += p->record_bytes;
    c->is_ready = c->is_ready || c->bytes + p->record_bytes > p->opts.batch_size;
    uint32_t leader = p->lanes[partition].leader;
    if (leader == LZ_BROKER_NOBODY)
        lz_producer_ask_who_leads(w, p, id);
    else if (p->lanes[partition].first != 0 && lz_parcel_at(w, p->lanes[partition].first)->is_ready)
        lz_producer_send_to(w, p, leader);
}

// ---- declaring

static bool check(const struct lz_producer_create *o, struct lz_err *err)
{
    const struct lz_producer_opts *p = o->opts;
    bool is_on = p->idempotence == LZ_IDEMPOTENCE_ON;
    double record = (double)(o->edge->size > 0 ? o->edge->size : LZ_CALL_SIZE);
    if (is_on && p->acks != LZ_ACKS_ALL)
        return lz_fail(err, LZ_EINVAL,
                       "an idempotent producer needs acks = \"all\": what was acknowledged must "
                       "still be there when its retry comes");
    if (is_on && o->edge->retries == 0)
        return lz_fail(err, LZ_EINVAL,
                       "idempotent is about retries, and there are none: write retries = 5");
    if (is_on && p->max_in_flight > IN_FLIGHT)
        return lz_fail(err, LZ_ERANGE,
                       "max_in_flight of an idempotent producer must be at most %d, got %u",
                       IN_FLIGHT, p->max_in_flight);
    if (record > LZ_PRODUCER_REQUEST_BYTES)
        return lz_fail(err, LZ_ERANGE,
                       "size of a record must be at most 1 MiB (max.request.size), got %.4g MiB",
                       record / LZ_PRODUCER_REQUEST_BYTES);
    return true;
}

static void fill_defaults(struct lz_producer *p)
{
    struct lz_producer_opts *o = &p->opts;
    if (!(o->batch_size > 0.0))
        o->batch_size = BATCH_BYTES;
    if (o->max_in_flight == 0)
        o->max_in_flight = IN_FLIGHT;
    if (!(o->buffer > 0.0))
        o->buffer = BUFFER_BYTES;
    if (o->transaction_timeout == 0)
        o->transaction_timeout = TRANSACTION_NS;
    if (p->edge.timeout == 0)
        p->edge.timeout = 60 * LZ_S;
    if (p->edge.overall_timeout == 0)
        p->edge.overall_timeout = DELIVERY_NS;
    if (p->edge.backoff.base == 0)
        p->edge.backoff.base = 100 * LZ_MS;
    if (p->edge.backoff.max == 0)
        p->edge.backoff.max = LZ_BACKOFF_MAX;
}

bool lz_producer_create(struct lz_world *w, const struct lz_producer_create *create,
                        lz_producer_id *id, struct lz_err *err)
{
    if (!check(create, err))
        return false;
    struct lz_producers *ps = w->producers;
    if (ps->count == PRODUCERS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %u producers", PRODUCERS_MAX);
    ps->all = lz_grow(w->arena, ps->all, &ps->cap, ps->count + 2, sizeof(struct lz_producer *));
    struct lz_producer *p = lz_arena_alloc(w->arena, sizeof(*p));
    *id = ++ps->count;
    ps->all[*id] = p;
    *p = (struct lz_producer){
        .traffic = create->traffic,
        .topic = lz_topic_at(w, create->topic),
        .client = create->client,
        .opts = *create->opts,
        .edge = *create->edge,
        .has_keys = create->has_keys,
        .path = lz_draw_name(lz_world_component(w, create->traffic)->path, "producer")};
    fill_defaults(p);
    struct lz_broker *b = lz_producer_broker(p);
    p->record_bytes = (double)(p->edge.size > 0 ? p->edge.size : LZ_CALL_SIZE);
    bool is_default =
        p->opts.acks == LZ_ACKS_ALL && p->edge.retries > 0 && p->opts.max_in_flight <= IN_FLIGHT;
    if (p->opts.idempotence == LZ_IDEMPOTENCE_ON ||
        (p->opts.idempotence == LZ_IDEMPOTENCE_DEFAULT && is_default))
        p->number = ++b->producers;
    p->lanes = lz_arena_alloc(w->arena, p->topic->opts.partitions * sizeof(*p->lanes));
    for (uint32_t i = 0; i < p->topic->opts.partitions; i++) {
        p->lanes[i].leader = b->partitions[p->topic->first + i]->was_led_by;
        p->lanes[i].epoch = 1;
    }
    p->peers = lz_arena_alloc(w->arena, b->opts.nodes * sizeof(*p->peers));
    if (p->opts.linger > 0)
        p->linger = lz_sim_lane(w->sim, p->opts.linger, ps->linger);
    p->expiry = lz_sim_lane(w->sim, p->edge.overall_timeout, ps->expiry);
    move(w, p);
    return p->opts.transactional_id == NULL || lz_transactor_create(w, *id, err);
}

void lz_producer_init(struct lz_world *w)
{
    static const struct lz_rpc_ops ops = {.in_line = true,
                                          .arrived = lz_producer_arrived,
                                          .ended = lz_producer_ended,
                                          .dropped = lz_producer_dropped};
    struct lz_producers *ps = w->producers = lz_arena_alloc(w->arena, sizeof(*ps));
    lz_pool_init(&ps->parcels, w->arena, sizeof(struct lz_parcel));
    lz_rpc_serve(w, LZ_RPC_PRODUCE, &ops);
    ps->linger = lz_sim_kind(w->sim, "producer.linger", lz_producer_on_linger, w);
    ps->expiry = lz_sim_kind(w->sim, "producer.expiry", lz_producer_on_expiry, w);
    ps->again = lz_sim_kind(w->sim, "producer.again", lz_producer_on_again, w);
    ps->connect = lz_sim_kind(w->sim, "producer.connect", lz_producer_on_connect, w);
    ps->refresh = lz_sim_kind(w->sim, "producer.refresh", lz_producer_on_refresh, w);
}
