/* history_write_log.c — what a topic was sent and gave, as JSON lines. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"
#include "check/history/history_write.h"
#include "model/history/recorder_log.h"

struct event {
    uint64_t at;
    uint32_t one; // of sends, then of polls
    bool is_end;
};

static int by_number(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct event *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

struct writing {
    const struct lz_recorder *r;
    const struct lz_history_naming *naming;
    uint64_t *first; // record, by send
    struct lz_str *out;
};

static void add_head(const struct writing *g, uint32_t process, const char *type, const char *f)
{
    lz_str_addf(g->out, "{\"process\":%u,\"type\":\"%s\",\"f\":\"%s\"",
                g->naming->process_first + process, type, f);
}

static void add_tail(const struct writing *g, lz_time at)
{
    lz_history_write_of(g->out, g->naming);
    lz_str_addf(g->out, ",\"time\":%" PRId64 "}\n", at);
}

static void add_send(const struct writing *g, uint32_t at, bool is_end)
{
    const struct lz_recorder_send *s = &g->r->sends[at];
    static const char *const types[] = {
        [LZ_RECORDER_OK] = "ok", [LZ_RECORDER_FAIL] = "fail", [LZ_RECORDER_UNKNOWN] = "info"};
    bool is_told = is_end && s->has_offset;
    add_head(g, at, !is_end ? "invoke" : types[s->outcome], "send");
    if (s->producer != 0)
        lz_str_addf(g->out, ",\"client\":%u", s->producer);
    lz_str_add(g->out, ",\"value\":[");
    for (uint32_t i = 0; i < s->count; i++) {
        lz_str_add(g->out, i > 0 ? ",[\"send\"," : "[\"send\",");
        lz_history_write_key(g->out, g->naming, s->partition);
        if (is_told)
            lz_str_addf(g->out, ",[%" PRIu64 ",%" PRIu64 "]]", s->offset + i, g->first[at] + i);
        else
            lz_str_addf(g->out, ",%" PRIu64 "]", g->first[at] + i);
    }
    lz_str_add_char(g->out, ']');
    add_tail(g, is_end ? s->done : s->at);
}

static void add_poll(const struct writing *g, uint32_t at)
{
    const struct lz_recorder_poll *p = &g->r->polls[at];
    uint32_t process = g->r->send_count + at;
    add_head(g, process, "invoke", "poll");
    lz_str_addf(g->out, ",\"client\":%u,\"value\":[[\"poll\"]]", p->member);
    add_tail(g, p->at);
    add_head(g, process, "ok", "poll");
    lz_str_addf(g->out, ",\"client\":%u,\"value\":[[\"poll\",{\"", p->member);
    if (g->naming->key_prefix != NULL)
        lz_str_addf(g->out, "%s/", g->naming->key_prefix);
    lz_str_addf(g->out, "%u\":[", p->partition);
    for (uint32_t i = 0; i < p->count; i++) {
        lz_str_addf(g->out, "%s[%" PRIu64 ",", i > 0 ? "," : "", p->offset + i);
        if (p->send > 0)
            lz_str_addf(g->out, "%" PRIu64 "]", g->first[p->send - 1] + i);
        else
            lz_str_add(g->out, "null]");
    }
    lz_str_add(g->out, "]}]]");
    add_tail(g, p->at);
}

// The broker's own account of what was acknowledged and is gone.
static void add_lost(const struct writing *g)
{
    const char *comma = "";
    for (uint32_t at = 0; at < g->r->send_count; at++) {
        const struct lz_recorder_send *s = &g->r->sends[at];
        for (uint32_t i = 0; s->is_lost && i < s->count; i++) {
            if (*comma == '\0')
                lz_str_add(g->out, "{\"process\":\"broker\",\"type\":\"info\",\"f\":\"lost\","
                                   "\"value\":[");
            lz_str_addf(g->out, "%s[\"lost\",", comma);
            lz_history_write_key(g->out, g->naming, s->partition);
            lz_str_addf(g->out, ",%" PRIu64 "]", g->first[at] + i);
            comma = ",";
        }
    }
    if (*comma == '\0')
        return;
    lz_str_add_char(g->out, ']');
    lz_history_write_of(g->out, g->naming);
    lz_str_add(g->out, "}\n");
}

void lz_history_write_log(const struct lz_recorder *r, struct lz_history_naming *naming,
                          struct lz_str *out)
{
    struct writing g = {.r = r, .naming = naming, .out = out};
    struct event *events =
        lz_mem_alloc((2 * (size_t)r->send_count + r->poll_count + 1) * sizeof(*events));
    uint64_t record = 1;
    uint32_t n = 0;
    g.first = lz_mem_alloc((r->send_count + 1) * sizeof(*g.first));
    for (uint32_t i = 0; i < r->send_count; i++) {
        g.first[i] = record;
        record += r->sends[i].count;
        events[n++] = (struct event){r->sends[i].begin, i, false};
        if (r->sends[i].end != 0)
            events[n++] = (struct event){r->sends[i].end, i, true};
    }
    for (uint32_t i = 0; i < r->poll_count; i++)
        if (r->polls[i].number != 0)
            events[n++] = (struct event){r->polls[i].number, r->send_count + i, true};
    lz_sort(events, n, sizeof(*events), by_number, NULL);
    for (uint32_t i = 0; i < n; i++)
        if (events[i].one < r->send_count)
            add_send(&g, events[i].one, events[i].is_end);
        else
            add_poll(&g, events[i].one - r->send_count);
    add_lost(&g);
    naming->process_first += r->send_count + r->poll_count;
    free(g.first);
    free(events);
}
