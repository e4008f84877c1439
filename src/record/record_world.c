// What existed, what it measured, and what became of the requests that were kept.

#include <math.h>

#include "base/check.h"
#include "model/broker/consumers.h"
#include "model/client/call.h"
#include "model/journal.h"
#include "model/memory.h"
#include "model/node/instance.h"
#include "model/place.h"
#include "model/traffic/request.h"
#include "model/traffic/trail.h"
#include "record/record_rows.h"

static const char *const units[] = {
    [LZ_UNIT_COUNT] = "count", [LZ_UNIT_RATIO] = "ratio", [LZ_UNIT_SECONDS] = "s",
    [LZ_UNIT_RATE] = "/s",     [LZ_UNIT_BYTES] = "B",
};
static const char *const views[] = {
    [LZ_VIEW_RATE] = "rate",         [LZ_VIEW_RATIO] = "ratio", [LZ_VIEW_TOTAL] = "total",
    [LZ_VIEW_LEVEL] = "level",       [LZ_VIEW_MEAN] = "mean",   [LZ_VIEW_MAX] = "max",
    [LZ_VIEW_QUANTILE] = "quantile",
};

static void put_components(struct lz_record_writer *w, const struct lz_world *world)
{
    struct lz_record_insert i =
        lz_record_insert(w, "insert into component values (?, ?, ?, ?, ?, ?)");
    for (lz_component_id id = 1; id <= world->component_count; id++) {
        const struct lz_component *c = lz_world_component(world, id);
        lz_record_put_id(&i, id);
        lz_record_put_text(&i, c->name);
        lz_record_put_text(&i, lz_world_kind_name(c->kind));
        lz_record_put_id(&i, c->line);
        lz_record_put_int(&i, c->instance_count);
        lz_record_put_int(&i, (int64_t)lz_memory_of_component(world, id));
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

static void put_instances(struct lz_record_writer *w, const struct lz_world *world)
{
    struct lz_record_insert i =
        lz_record_insert(w, "insert into instance values (?, ?, ?, ?, ?, ?)");
    uint32_t count = lz_instance_count(world);
    for (lz_instance_id id = 1; id <= count; id++) {
        const struct lz_instance *in = lz_instance_get(world, id);
        lz_zone_id zone = lz_place_host_zone(world, in->host);
        lz_record_put_id(&i, id);
        lz_record_put_id(&i, in->component);
        lz_record_put_int(&i, in->ordinal);
        lz_record_put_text(&i, lz_place_host_name(world, in->host));
        lz_record_put_text(&i, zone == 0 ? NULL : lz_place_zone_name(world, zone));
        lz_record_put_text(
            &i, zone == 0 ? NULL : lz_place_region_name(world, lz_place_zone_region(world, zone)));
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

static void put_edges(struct lz_record_writer *w, const struct lz_world *world)
{
    struct lz_record_insert i = lz_record_insert(w, "insert into edge values (?, ?, ?, ?)");
    uint32_t count = lz_call_edge_count(world);
    for (lz_edge_id id = 1; id <= count; id++) {
        const struct lz_edge_opts *e = lz_call_edge_opts(world, id);
        lz_record_put_id(&i, id);
        lz_record_put_id(&i, e->from);
        lz_record_put_id(&i, e->to);
        lz_record_put_text(&i, e->op);
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

static void put_metrics(struct lz_record_writer *w, const struct lz_world *world)
{
    struct lz_record_insert i =
        lz_record_insert(w, "insert into metric values (?, ?, ?, ?, ?, ?, ?)");
    const struct lz_metrics *m = world->metrics;
    size_t count = lz_metrics_count(m);
    for (lz_metric id = 1; id <= count; id++) {
        const struct lz_metric_def *def = lz_metrics_def(m, id);
        struct lz_sample whole = lz_metrics_whole(m, id);
        lz_record_put_id(&i, id);
        lz_record_put_id(&i, lz_metrics_component(m, id));
        lz_record_put_text(&i, def->name);
        lz_record_put_text(&i, units[def->unit]);
        lz_record_put_text(&i, views[def->view]);
        lz_record_put_real(&i, whole.present ? whole.value : (double)NAN);
        lz_record_put_int(&i, whole.present);
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

static void put_series_of(struct lz_record_insert *i, const struct lz_metrics *m, lz_metric id)
{
    size_t windows = lz_metrics_windows(m, id);
    lz_time width = lz_metrics_width(m);
    bool is_level = lz_metrics_def(m, id)->view == LZ_VIEW_LEVEL;
    for (size_t at = 0; at < windows; at++) {
        struct lz_sample s = lz_metrics_stored(m, id, at);
        if (!s.present)
            continue;
        lz_record_put_int(i, id);
        lz_record_put_int(i, (int64_t)at * width);
        lz_record_put_int(i, width);
        lz_record_put_real(i, s.value);
        lz_record_put_real(i, is_level ? s.low : (double)NAN);
        lz_record_put_real(i, is_level ? s.high : (double)NAN);
        lz_record_put_int(i, (int64_t)s.count);
        lz_record_end_row(i);
    }
}

static void put_series(struct lz_record_writer *w, const struct lz_world *world)
{
    struct lz_record_insert i =
        lz_record_insert(w, "insert into series values (?, ?, ?, ?, ?, ?, ?)");
    size_t count = lz_metrics_count(world->metrics);
    for (lz_metric id = 1; id <= count; id++)
        put_series_of(&i, world->metrics, id);
    lz_record_finish(&i);
}

void lz_record_put_world(struct lz_record_writer *w, const struct lz_world *world)
{
    put_components(w, world);
    put_instances(w, world);
    put_edges(w, world);
    put_metrics(w, world);
    put_series(w, world);
}

void lz_record_put_events(struct lz_record_writer *w, const struct lz_world *world)
{
    struct lz_record_insert i =
        lz_record_insert(w, "insert into event values (?, ?, ?, ?, ?, ?, ?)");
    size_t count = lz_journal_count(world);
    for (size_t at = 0; at < count; at++) {
        const struct lz_journal_entry *e = lz_journal_get(world, at);
        lz_record_put_int(&i, (int64_t)at + 1);
        lz_record_put_time(&i, e->at);
        lz_record_put_id(&i, e->component);
        lz_record_put_id(&i, e->instance);
        lz_record_put_text(&i, e->kind);
        lz_record_put_text(&i, e->text);
        lz_record_put_id(&i, e->line);
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

static void put_span(struct lz_record_insert *i, const struct lz_world *world, size_t request,
                     const struct lz_span *s)
{
    LZ_ASSERT(s->start <= s->end);
    lz_record_put_id(i, request);
    lz_record_put_id(i, s->call);
    lz_record_put_id(i, s->parent_call);
    lz_record_put_id(i, s->client);
    lz_record_put_id(i, s->server);
    lz_record_put_id(i, s->component);
    lz_record_put_text(i, s->op == 0 ? NULL : lz_call_op_name(world, s->op));
    lz_record_put_int(i, s->attempt);
    lz_record_put_text(i, lz_request_outcome_name(s->outcome));
    lz_record_put_id(i, s->status);
    lz_record_put_time(i, s->start);
    lz_record_put_time(i, s->end);
    for (int phase = 0; phase < LZ_PHASES; phase++)
        lz_record_put_time(i, s->phase[phase]);
    lz_record_end_row(i);
}

// What became of the records that a request has written, beyond what it waited for.
static void put_messages(struct lz_record_insert *i, const struct lz_world *world, size_t request,
                         const struct lz_trace_kept *k)
{
    const struct lz_trail *t;
    for (size_t at = 0; (t = lz_trail_at(world, at)) != NULL; at++) {
        if (t->origin.ordinal != k->ordinal || t->origin.traffic != k->traffic)
            continue;
        bool is_group = t->kind >= LZ_TRAIL_POLL;
        lz_record_put_id(i, request);
        lz_record_put_id(i, t->origin.call);
        lz_record_put_text(i, lz_trail_name((enum lz_trail_kind)t->kind));
        lz_record_put_id(i, t->component);
        lz_record_put_id(i, t->instance);
        lz_record_put_id(i, is_group ? lz_consumers_topic(world, t->component) : t->component);
        lz_record_put_int(i, t->partition);
        lz_record_put_int(i, (int64_t)t->offset);
        lz_record_put_text(i, t->has_failed ? "error" : "ok");
        lz_record_put_time(i, t->start);
        lz_record_put_time(i, t->end);
        lz_record_end_row(i);
    }
}

void lz_record_put_requests(struct lz_record_writer *w, const struct lz_world *world)
{
    struct lz_record_insert i =
        lz_record_insert(w, "insert into request values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    struct lz_record_insert spans = lz_record_insert(
        w, "insert into span values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    struct lz_record_insert messages =
        lz_record_insert(w, "insert into message values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    size_t count = lz_requests_kept(world);
    for (size_t at = 0; at < count; at++) {
        const struct lz_trace_kept *k = lz_requests_kept_get(world, at);
        lz_record_put_id(&i, at + 1);
        lz_record_put_id(&i, k->traffic);
        lz_record_put_int(&i, (int64_t)k->ordinal);
        lz_record_put_time(&i, k->intended);
        lz_record_put_time(&i, k->end);
        lz_record_put_text(&i, lz_request_outcome_name(k->outcome));
        lz_record_put_id(&i, k->status);
        lz_record_put_int(&i, k->span_count);
        lz_record_put_text(&i, lz_request_kept_name(k->kept_as));
        lz_record_end_row(&i);
        for (uint32_t s = 0; s < k->span_count; s++)
            put_span(&spans, world, at + 1, &k->spans[s]);
        put_messages(&messages, world, at + 1, k);
    }
    lz_record_finish(&messages);
    lz_record_finish(&spans);
    lz_record_finish(&i);
}
