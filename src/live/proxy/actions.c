/*
 * Faults of the network and of requests, as toxics on the proxies of the edges they hit, or in a
 * run in namespaces on their packets.
 *
 * One toxic per edge and firing; a flap adds and removes them by a timer. Nothing here needs the
 * undo log: what a proxy does ends with its process, which dies with the run.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/action.h"
#include "live/live.h"
#include "live/net/cable.h"
#include "live/net/nfqueue.h"
#include "live/net/shaper.h"
#include "live/proxy/proxy.h"

#define STATUS_PRESET 500u       // as fault.http_abort's
#define STATUS_BLOCKED 403u      // what a firewall for web applications answers
#define STATUS_LIMITED 429u      // as fault.throttle's
#define REORDER_GAP (10 * LZ_MS) // as fault.reorder's

enum carrier { BY_PROXY, BY_QUEUE, BY_TC };

// What one firing holds on the proxies. Of a flap the toxics come and go.
struct hold {
    struct lz_live *live;
    struct lz_action_firing *firing;
    size_t count;  // edges, in the order of firing->edges
    uint32_t *ids; // of a proxy's toxics, a cable's or a shaper's; 0: not hit, or not now
    enum carrier by;
    uint64_t touched; // by toxics that are gone
    bool is_cut;
    struct lz_loop_timer timer;
};

// --- a fault's parameters as a toxic ---

static bool is_kind(const struct lz_fault *f, const char *kind)
{
    return strcmp(f->kind->name, kind) == 0;
}

static unsigned directions_of(const struct lz_fault_params *p, bool is_reversed)
{
    if (p->direction == LZ_FAULT_BOTH)
        return LZ_TOXIC_BOTH;
    return (p->direction == LZ_FAULT_TO) != is_reversed ? LZ_TOXIC_UP : LZ_TOXIC_DOWN;
}

static uint64_t to_bytes(double bytes)
{
    return bytes >= 9e18 ? UINT64_C(9000000000000000000) : (uint64_t)(bytes + 0.5);
}

static bool copy_text(char *to, size_t size, const char *from, const char *what, struct lz_err *err)
{
    if (from == NULL)
        return true;
    if (strlen(from) >= size)
        return lz_fail(err, LZ_ERANGE, "`%s` may have %zu bytes in a live run, got %zu", what,
                       size - 1, strlen(from));
    memcpy(to, from, strlen(from) + 1);
    return true;
}

// What frames a body is the proxy's to say: another length, and both ends would not agree.
static bool is_framing_header(const char *header)
{
    static const char *const names[] = {"content-length", "transfer-encoding"};
    size_t len = strcspn(header, ": ");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == len && strncasecmp(header, names[i], len) == 0)
            return true;
    return false;
}

static bool copy_texts(struct lz_toxic *t, const struct lz_fault_request_params *p,
                       struct lz_err *err)
{
    return copy_text(t->path, sizeof(t->path), p->path, "path", err) &&
           copy_text(t->method, sizeof(t->method), p->method, "method", err) &&
           copy_text(t->header, sizeof(t->header), p->header, "header", err) &&
           copy_text(t->set_header, sizeof(t->set_header), p->set_header, "set_header", err) &&
           copy_text(t->body, sizeof(t->body), p->body, "body", err);
}

static bool check_http(const struct lz_fault_opts *opts, struct lz_err *err)
{
    const struct lz_fault_request_params *p = &opts->params.request;
    struct lz_toxic *scratch = lz_mem_alloc(sizeof(*scratch));
    bool ok = copy_texts(scratch, p, err);
    free(scratch);
    if (ok && p->set_header != NULL && is_framing_header(p->set_header))
        return lz_fail(err, LZ_EINVAL,
                       "`set_header` cannot say how long a body is, got \"%s\": give `body`",
                       p->set_header);
    return ok;
}

static bool fill_http(struct lz_toxic *t, const struct lz_fault *f, struct lz_err *err)
{
    const struct lz_fault_request_params *p = &f->opts.params.request;
    t->ratio = p->ratio;
    t->first = p->first;
    t->nth = p->nth;
    t->status = p->status;
    t->of_status = p->of_status;
    t->on_answer = p->side == LZ_FAULT_OF_ANSWER;
    t->has_body = p->body != NULL;
    t->rate = p->rate;
    t->burst = p->burst > 0 ? (double)p->burst : p->rate;
    t->burst = t->burst > 1.0 ? t->burst : 1.0;
    if (is_kind(f, "http_delay"))
        t->kind = LZ_TOXIC_HTTP_DELAY;
    else if (is_kind(f, "http_replace"))
        t->kind = LZ_TOXIC_HTTP_REPLACE;
    else if (is_kind(f, "http_reset"))
        t->kind = LZ_TOXIC_HTTP_RESET;
    else
        t->kind = LZ_TOXIC_HTTP_ABORT;
    if (is_kind(f, "waf_false_positive"))
        t->status = STATUS_BLOCKED;
    else if (is_kind(f, "throttle") && t->status == 0)
        t->status = STATUS_LIMITED;
    else if (t->kind == LZ_TOXIC_HTTP_ABORT && t->status == 0)
        t->status = STATUS_PRESET;
    return copy_texts(t, p, err) &&
           (t->kind != LZ_TOXIC_HTTP_DELAY || lz_toxic_set_delay(t, &f->opts.params.add, err));
}

static void fill_struck(struct lz_toxic *t, const struct lz_fault_params *p,
                        enum lz_toxic_kind kind)
{
    bool is_whole = p->per == LZ_FAULT_PER_CONNECTION;
    t->kind = kind;
    t->share = is_whole ? p->ratio : 0.0;
    t->loss = p->burst;
    if (p->burst.kind == LZ_LOSS_NONE)
        t->loss = (struct lz_loss){.kind = LZ_LOSS_RATIO,
                                   .ratio = is_whole ? 1.0 : p->ratio,
                                   .correlation = p->correlation};
}

static bool fill_latency(struct lz_toxic *t, const struct lz_fault_params *p, struct lz_err *err)
{
    t->kind = LZ_TOXIC_LATENCY;
    t->correlation = p->correlation;
    *(p->per == LZ_FAULT_PER_CONNECTION ? &t->share : &t->ratio) = p->ratio;
    return lz_toxic_set_delay(t, &p->add, err);
}

static bool fill_network(struct lz_toxic *t, const struct lz_fault *f, struct lz_err *err)
{
    const struct lz_fault_params *p = &f->opts.params;
    if (is_kind(f, "latency"))
        return fill_latency(t, p, err);
    if (is_kind(f, "loss")) {
        fill_struck(t, p, LZ_TOXIC_STALL);
    } else if (is_kind(f, "corrupt")) {
        fill_struck(t, p, LZ_TOXIC_CORRUPT);
    } else if (is_kind(f, "duplicate")) {
        fill_struck(t, p, LZ_TOXIC_DUPLICATE);
    } else if (is_kind(f, "reorder")) {
        fill_struck(t, p, LZ_TOXIC_REORDER);
        t->after_ns = p->gap > 0 ? p->gap : REORDER_GAP;
    } else if (is_kind(f, "bandwidth")) {
        t->kind = LZ_TOXIC_BANDWIDTH;
        t->rate = p->rate;
        t->buffer = p->buffer < 1e9 ? (uint32_t)p->buffer : 1000000000u;
    } else if (is_kind(f, "reset")) {
        t->kind = LZ_TOXIC_RESET;
        t->share = p->ratio;
        t->after_ns = p->after;
        t->bytes = to_bytes(p->bytes);
        t->response = p->response;
        t->first = p->request.first;
    } else if (is_kind(f, "limit_data")) {
        t->kind = LZ_TOXIC_LIMIT_DATA;
        t->share = p->ratio;
        t->bytes = to_bytes(p->bytes);
    } else if (is_kind(f, "slow_close")) {
        t->kind = LZ_TOXIC_SLOW_CLOSE;
        t->share = p->ratio;
        t->after_ns = p->linger;
    } else if (is_kind(f, "slicer")) {
        t->kind = LZ_TOXIC_SLICER;
        t->bytes = to_bytes(p->size);
        t->variation = to_bytes(p->variation);
        t->after_ns = p->piece_delay;
    } else {
        t->kind = LZ_TOXIC_CUT;
    }
    return true;
}

static bool is_about_requests(const struct lz_fault *f)
{
    return strncmp(f->kind->name, "http_", 5) == 0 || is_kind(f, "throttle") ||
           is_kind(f, "waf_false_positive");
}

static bool fill(struct lz_toxic *t, const struct lz_action_firing *firing, size_t edge,
                 struct lz_err *err)
{
    const struct lz_fault *f = firing->fault;
    memset(t, 0, sizeof(*t));
    t->owner = lz_draw_index(f->path, firing->number);
    // These have no direction: requests go one way, connections both.
    bool is_directed = f->opts.params.direction != LZ_FAULT_BOTH && !is_about_requests(f);
    t->directions = LZ_TOXIC_BOTH;
    if (is_directed)
        t->directions = directions_of(&f->opts.params, firing->edges[edge].is_reversed);
    return is_about_requests(f) ? fill_http(t, f, err) : fill_network(t, f, err);
}

// What is served by the target, not what it asks of others, and perhaps one port of it only.
static bool hits(const struct lz_action_firing *firing, size_t edge)
{
    const struct lz_fault *f = firing->fault;
    const struct lz_action_edge *e = &firing->edges[edge];
    bool is_served = is_kind(f, "blackhole") || is_about_requests(f);
    if (is_served && e->is_reversed)
        return false;
    // What only a proxy can do is done where there is one.
    if (((const struct hold *)firing->own)->by == BY_PROXY && !e->edge->has_proxy)
        return false;
    uint32_t port = is_kind(f, "blackhole") ? f->opts.params.port : f->opts.params.request.port;
    return port == 0 || e->edge->to->address.port == port;
}

// --- coming and going ---

static bool put_on(const struct hold *h, const struct lz_site_edge *e, const struct lz_toxic *t,
                   uint32_t *id, struct lz_err *err)
{
    if (h->by == BY_PROXY)
        return lz_proxy_add(lz_live_proxy(h->live), e->proxy, t, id, err);
    if (h->by == BY_TC)
        return lz_shaper_add(lz_live_shaper(h->live), e->index, t, id, err);
    struct lz_cable *cable = lz_live_cable(h->live);
    return cable != NULL ? lz_cable_add(cable, e->index, t, id, err)
                         : lz_fail(err, LZ_ERANGE, "%s", lz_live_cable_lacks(h->live));
}

static bool alter(const struct hold *h, uint32_t id, const struct lz_toxic *t, struct lz_err *err)
{
    if (h->by == BY_PROXY)
        return lz_proxy_change(lz_live_proxy(h->live), id, t, err);
    return h->by == BY_TC ? lz_shaper_change(lz_live_shaper(h->live), id, t, err)
                          : lz_cable_change(lz_live_cable(h->live), id, t, err);
}

static bool take_off(const struct hold *h, uint32_t id, struct lz_err *err)
{
    if (h->by == BY_PROXY)
        return lz_proxy_remove(lz_live_proxy(h->live), id, err);
    return h->by == BY_TC ? lz_shaper_remove(lz_live_shaper(h->live), id, err)
                          : lz_cable_remove(lz_live_cable(h->live), id, err);
}

static uint64_t touched_by(const struct hold *h, uint32_t id)
{
    if (h->by == BY_PROXY)
        return lz_proxy_touched(lz_live_proxy(h->live), id);
    return h->by == BY_TC ? lz_shaper_touched(lz_live_shaper(h->live), id)
                          : lz_cable_touched(lz_live_cable(h->live), id);
}

static void remove_all(struct hold *h)
{
    for (size_t i = 0; i < h->count; i++) {
        struct lz_err err;
        if (h->ids[i] == 0)
            continue;
        // When its process is gone the toxic is too.
        bool removed = take_off(h, h->ids[i], &err);
        (void)removed;
        h->touched += touched_by(h, h->ids[i]);
        h->ids[i] = 0;
    }
}

// A link or a pair is one line that all its connections share, and so is an API's limit.
static bool is_shared(const struct lz_fault *f)
{
    return f->opts.target.kind == LZ_TARGET_LINK || f->opts.target_b.kind != 0 ||
           is_kind(f, "throttle");
}

static bool add_all(struct hold *h, struct lz_err *err)
{
    const struct lz_action_firing *f = h->firing;
    bool shares = is_shared(f->fault);
    uint32_t line = 0;
    struct lz_toxic t;
    for (size_t i = 0; i < h->count; i++) {
        if (!hits(f, i))
            continue;
        if (!fill(&t, f, i, err)) {
            remove_all(h);
            return false;
        }
        t.line = shares ? line : 0;
        if (!put_on(h, f->edges[i].edge, &t, &h->ids[i], err)) {
            remove_all(h);
            return false;
        }
        line = line == 0 ? h->ids[i] : line;
    }
    return true;
}

// --- who carries it ---

// Can traffic control do all of it?
static bool tc_can(const struct hold *h, bool is_asked, struct lz_err *err)
{
    const struct lz_action_firing *f = h->firing;
    uint32_t hit = 0;
    struct lz_toxic t;
    for (size_t i = 0; i < h->count; i++) {
        if (!hits(f, i))
            continue;
        if (!fill(&t, f, i, err))
            return false;
        t.line = is_shared(f->fault) && t.kind == LZ_TOXIC_BANDWIDTH ? hit++ : 0;
        if (!lz_shaper_can(lz_live_shaper(h->live), &t, is_asked, err))
            return false;
    }
    return true;
}

/*
 * tc where it does the same and leaves nothing to its own chance, or where there is no carrier;
 * else the carrier, which decides by the seed. The run says which it is.
 */
static bool choose(struct hold *h, struct lz_err *err)
{
    const struct lz_fault *f = h->firing->fault;
    unsigned by = f->opts.params.by;
    struct lz_err why;
    if (h->by == BY_PROXY)
        return true;
    bool is_asked = by == LZ_FAULT_BY_TC || lz_live_cable(h->live) == NULL;
    bool is_same = by != LZ_FAULT_BY_NFQUEUE && tc_can(h, false, &why);
    if (is_same || (by != LZ_FAULT_BY_NFQUEUE && tc_can(h, is_asked, &why))) {
        h->by = BY_TC;
        lz_live_note(h->live, "fault %s: packets by tc%s", f->name,
                     is_same ? "" : ", whose decisions do not repeat by the seed");
        return true;
    }
    if (by == LZ_FAULT_BY_TC)
        return lz_fail(err, LZ_ERANGE, "tc cannot do it: %s; by = \"nfqueue\" can", why.msg);
    lz_live_note(h->live, "fault %s: packets by nfqueue, whose decisions repeat by the seed",
                 f->name);
    return true;
}

static void destroy(struct hold *h)
{
    free(h->ids);
    free(h);
}

static struct hold *create(struct lz_live *live, struct lz_action_firing *f)
{
    struct hold *h = lz_mem_alloc(sizeof(*h));
    const struct lz_action *action = lz_action_find(f->fault->kind->name);
    *h = (struct hold){.live = live,
                       .firing = f,
                       .count = f->edge_count,
                       .by = lz_action_is_by_packets(action, live, &f->fault->opts, f) ? BY_QUEUE
                                                                                       : BY_PROXY};
    h->ids = lz_mem_alloc((h->count + 1) * sizeof(h->ids[0]));
    memset(h->ids, 0, (h->count + 1) * sizeof(h->ids[0]));
    f->own = h;
    return h;
}

static bool apply(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    struct hold *h = create(live, f);
    if (choose(h, err) && add_all(h, err))
        return true;
    if (h->by == BY_TC && f->fault->opts.params.by == LZ_FAULT_BY_ANY &&
        lz_live_cable(live) != NULL) {
        // Who did not ask for tc has the carrier where tc is full. What was put on is off again.
        h->by = BY_QUEUE;
        lz_live_note(live, "fault %s: packets by nfqueue after all: %s", f->fault->name, err->msg);
        if (add_all(h, err))
            return true;
    }
    destroy(h);
    f->own = NULL;
    return false;
}

static bool change(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    const struct hold *h = f->own;
    struct lz_toxic t;
    (void)live;
    for (size_t i = 0; i < h->count; i++) {
        if (h->ids[i] == 0)
            continue;
        if (!fill(&t, f, i, err) || !alter(h, h->ids[i], &t, err))
            return false;
    }
    return true;
}

static void end(struct lz_live *live, struct lz_action_firing *f)
{
    struct hold *h = f->own;
    lz_loop_cancel(lz_live_loop(live), &h->timer);
    remove_all(h);
    destroy(h);
    f->own = NULL;
}

static uint64_t effect(struct lz_live *live, const struct lz_action_firing *f)
{
    const struct hold *h = f->own;
    uint64_t touched = h->touched;
    (void)live;
    for (size_t i = 0; i < h->count; i++)
        touched += h->ids[i] != 0 ? touched_by(h, h->ids[i]) : 0;
    return touched;
}

// --- flap: cut, mended, cut, ... ---

static void on_flap(void *ctx, int64_t now_ns)
{
    struct hold *h = ctx;
    const struct lz_fault_params *p = &h->firing->fault->opts.params;
    struct lz_err err;
    if (h->is_cut)
        remove_all(h);
    else if (!add_all(h, &err))
        lz_live_doubt(h->live, "fault %s: %s", h->firing->fault->name, err.msg);
    h->is_cut = !h->is_cut;
    // From when it was due: being called late does not make a period longer.
    int64_t due = h->timer.at_ns < now_ns ? h->timer.at_ns : now_ns;
    lz_loop_arm(lz_live_loop(h->live), &h->timer, due + (h->is_cut ? p->down : p->up));
}

static bool apply_flap(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    if (!apply(live, f, err))
        return false;
    struct hold *h = f->own;
    h->is_cut = true;
    h->timer = (struct lz_loop_timer){.fn = on_flap, .ctx = h};
    lz_loop_arm(lz_live_loop(live), &h->timer, lz_loop_clock() + f->fault->opts.params.down);
    return true;
}

#define ON_PROXY(kind, words)                                                                      \
    {                                                                                              \
        .fault = kind, .on = LZ_ACTION_EDGE, .by = LZ_ACTION_BY_PROXY, .how = words,               \
        .apply = apply, .change = change, .end = end, .effect = effect                             \
    }
#define ON_HTTP(kind, words)                                                                       \
    {                                                                                              \
        .fault = kind, .on = LZ_ACTION_EDGE, .by = LZ_ACTION_BY_PROXY, .is_of_http = true,         \
        .how = words, .check = check_http, .apply = apply, .change = change, .end = end,           \
        .effect = effect                                                                           \
    }
#define ON_BOTH(kind, words, packets)                                                              \
    {                                                                                              \
        .fault = kind, .on = LZ_ACTION_EDGE, .by = LZ_ACTION_BY_PROXY | LZ_ACTION_BY_PACKETS,      \
        .how = words, .how_packets = packets, .apply = apply, .change = change, .end = end,        \
        .effect = effect                                                                           \
    }
#define ON_PACKETS(kind, words)                                                                    \
    {                                                                                              \
        .fault = kind, .on = LZ_ACTION_EDGE, .by = LZ_ACTION_BY_PACKETS, .how = words,             \
        .needs = "network = \"namespaces\"", .probe = lz_nfqueue_probe, .apply = apply,            \
        .change = change, .end = end, .effect = effect                                             \
    }

#define CUTS "proxy: holds what comes, the kernel drops SYNs"
#define DROPS "packets: all are dropped"

const struct lz_action lz_proxy_actions[] = {
    ON_BOTH("bandwidth", "proxy: so many bytes a second, the sender waits for the rest",
            "packets: so many bytes a second, what finds the buffer full is dropped"),
    ON_BOTH("blackhole", CUTS, DROPS),
    ON_BOTH("corrupt", "proxy: changes a bit of each packet hit, which no checksum notices",
            "packets: a bit is turned, the receiver's checksum finds it"),
    ON_PACKETS("duplicate", "packets: sent twice"),
    {.fault = "flap",
     .on = LZ_ACTION_EDGE,
     .by = LZ_ACTION_BY_PROXY | LZ_ACTION_BY_PACKETS,
     .how = "proxy: a partition that comes and goes",
     .how_packets = "packets: all are dropped, and none, in turn",
     .apply = apply_flap,
     .end = end,
     .effect = effect},
    ON_HTTP("http_abort", "proxy: answers requests itself"),
    ON_HTTP("http_delay", "proxy: holds requests, or answers"),
    ON_HTTP("http_replace", "proxy: changes answers"),
    ON_HTTP("http_reset", "proxy: RST to both ends, for a request or in place of its answer"),
    ON_BOTH("latency", "proxy: holds each message, and handshakes",
            "packets: each is held, their order kept"),
    ON_PROXY("limit_data", "proxy: closes connections that have carried enough"),
    ON_BOTH("loss", "proxy: stands still for as long as TCP takes to send again",
            "packets: dropped"),
    ON_BOTH("nic_down", CUTS, DROPS),
    ON_BOTH("partition", CUTS, DROPS),
    ON_PACKETS("reorder", "packets: held while later ones pass"),
    ON_PROXY("reset", "proxy: RST to both ends"),
    ON_PROXY("slicer", "proxy: writes messages in pieces"),
    ON_PROXY("slow_close", "proxy: passes the end of a stream on later"),
    ON_HTTP("throttle", "proxy: answers with 429 or 503 what exceeds the rate"),
    ON_HTTP("waf_false_positive", "proxy: answers requests with 403"),
    {0},
};
