#include "live/proxy/toxic.h"

#include <string.h>

#include "base/check.h"
#include "live/proxy/http.h"

#define SLICE_MIN 1u

static const char *const names[LZ_TOXIC_KINDS] = {
    [LZ_TOXIC_LATENCY] = "latency",
    [LZ_TOXIC_STALL] = "stall",
    [LZ_TOXIC_CORRUPT] = "corrupt",
    [LZ_TOXIC_BANDWIDTH] = "bandwidth",
    [LZ_TOXIC_CUT] = "cut",
    [LZ_TOXIC_RESET] = "reset",
    [LZ_TOXIC_LIMIT_DATA] = "limit_data",
    [LZ_TOXIC_SLOW_CLOSE] = "slow_close",
    [LZ_TOXIC_SLICER] = "slicer",
    [LZ_TOXIC_HTTP_DELAY] = "http_delay",
    [LZ_TOXIC_HTTP_ABORT] = "http_abort",
    [LZ_TOXIC_HTTP_REPLACE] = "http_replace",
    [LZ_TOXIC_HTTP_RESET] = "http_reset",
    [LZ_TOXIC_DUPLICATE] = "duplicate",
    [LZ_TOXIC_REORDER] = "reorder",
};

const char *lz_toxic_name(enum lz_toxic_kind kind)
{
    LZ_ASSERT(kind >= LZ_TOXIC_LATENCY && kind < LZ_TOXIC_KINDS);
    return names[kind];
}

bool lz_toxic_set_delay(struct lz_toxic *t, const struct lz_dist *delay, struct lz_err *err)
{
    if (delay->count > LZ_TOXIC_POINTS_MAX)
        return lz_fail(err, LZ_EFULL,
                       "a table of %u values is too long for a proxy, which takes %d: thin it out, "
                       "or use a distribution",
                       delay->count, LZ_TOXIC_POINTS_MAX);
    t->delay = *delay;
    if (delay->count > 0)
        memcpy(t->points, delay->points, delay->count * sizeof(t->points[0]));
    t->delay.points = NULL;
    return true;
}

static bool check_http(const struct lz_toxic *t, bool edge_is_http, struct lz_err *err)
{
    const char *name = lz_toxic_name(t->kind);
    if (!edge_is_http)
        return lz_fail(err, LZ_EINVAL, "%s looks into HTTP, and the edge carries plain bytes",
                       name);
    if (t->status != 0 && (t->status < 200 || t->status > 599))
        return lz_fail(err, LZ_ERANGE, "%s: status must be between 200 and 599, got %u", name,
                       t->status);
    if (t->kind == LZ_TOXIC_HTTP_REPLACE && t->status == 0 && !t->has_body &&
        t->set_header[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "http_replace needs a status, a body or a header");
    if (t->of_status != 0 && !t->on_answer && t->kind != LZ_TOXIC_HTTP_REPLACE)
        return lz_fail(err, LZ_EINVAL, "%s: a request has no status", name);
    return true;
}

int64_t lz_toxic_delay(const struct lz_toxic *t, struct lz_toxic_delays *delays, int direction,
                       struct lz_draw *draw)
{
    LZ_ASSERT(direction == 0 || direction == 1);
    bool same = t->correlation > 0.0 && lz_draw_unit(draw) < t->correlation;
    if (!same || !delays->has_last[direction]) {
        struct lz_dist dist = t->delay;
        dist.points = t->points;
        delays->last_ns[direction] = lz_dist_time(&dist, draw);
        delays->has_last[direction] = true;
    }
    return delays->last_ns[direction];
}

static bool is_some(double share)
{
    return share > 0.0 && share < 1.0;
}

bool lz_toxic_delays(const struct lz_toxic *t, struct lz_draw *draw)
{
    return !is_some(t->ratio) || lz_draw_unit(draw) < t->ratio;
}

static bool check_shares(const struct lz_toxic *t, const char *name, struct lz_err *err)
{
    if (!(t->share >= 0.0 && t->share <= 1.0))
        return lz_fail(err, LZ_ERANGE, "%s: share must be between 0 and 1, got %g", name, t->share);
    if (!(t->ratio >= 0.0 && t->ratio <= 1.0))
        return lz_fail(err, LZ_ERANGE, "%s: ratio must be between 0 and 1, got %g", name, t->ratio);
    return true;
}

bool lz_toxic_check(const struct lz_toxic *t, bool edge_is_http, struct lz_err *err)
{
    LZ_ASSERT(t->kind >= LZ_TOXIC_LATENCY && t->kind < LZ_TOXIC_KINDS);
    const char *name = lz_toxic_name(t->kind);
    if (t->directions & ~LZ_TOXIC_BOTH)
        return lz_fail(err, LZ_EINVAL, "%s: no such direction", name);
    if (t->after_ns < 0)
        return lz_fail(err, LZ_ERANGE, "%s: a time must not be below 0s", name);
    if (!check_shares(t, name, err) ||
        (lz_toxic_is_http(t->kind) && !check_http(t, edge_is_http, err)))
        return false;
    bool delays = t->kind == LZ_TOXIC_LATENCY || t->kind == LZ_TOXIC_HTTP_DELAY;
    if (delays && t->delay.kind == LZ_DIST_NONE)
        return lz_fail(err, LZ_EINVAL, "%s needs a delay", name);
    bool strikes =
        t->kind == LZ_TOXIC_STALL || t->kind == LZ_TOXIC_CORRUPT || lz_toxic_is_of_packets(t->kind);
    if (strikes && t->loss.kind == LZ_LOSS_NONE)
        return lz_fail(err, LZ_EINVAL, "%s needs a ratio or a burst", name);
    if (strikes && !lz_loss_check(&t->loss, err))
        return lz_fail_in(err, "%s", name);
    if (t->kind == LZ_TOXIC_BANDWIDTH && !(t->rate > 0.0))
        return lz_fail(err, LZ_ERANGE, "bandwidth: rate must be above 0, got %g", t->rate);
    bool counts = t->kind == LZ_TOXIC_LIMIT_DATA || t->kind == LZ_TOXIC_SLICER;
    if (counts && t->bytes < SLICE_MIN)
        return lz_fail(err, LZ_ERANGE, "%s: bytes must be at least 1", name);
    if (t->kind == LZ_TOXIC_SLICER && t->variation >= t->bytes)
        return lz_fail(err, LZ_ERANGE, "slicer: variation must be below bytes");
    if (t->kind == LZ_TOXIC_RESET && t->bytes > 0 && t->after_ns > 0)
        return lz_fail(err, LZ_EINVAL, "reset has a time and bytes: one of them");
    return true;
}

// A value may end in a star, as a path may.
static bool is_like(const char *want, size_t want_len, const char *text, size_t len)
{
    if (want_len > 0 && want[want_len - 1] == '*')
        return len >= want_len - 1 && memcmp(text, want, want_len - 1) == 0;
    return len == want_len && memcmp(text, want, len) == 0;
}

static bool has_header(const struct lz_toxic *t, const struct lz_toxic_asked *asked)
{
    size_t name_len = strcspn(t->header, ":");
    const char *want = t->header + name_len;
    bool is_any = *want == '\0';
    want += is_any ? 0 : 1;
    want += strspn(want, " \t");
    struct lz_http_field field = {0};
    while (lz_http_next_field(asked->head, asked->head_len, t->header, name_len, &field)) {
        if (is_any || is_like(want, strlen(want), field.value, field.len))
            return true;
    }
    return false;
}

bool lz_toxic_matches(const struct lz_toxic *t, const struct lz_toxic_asked *asked)
{
    bool is_of_answers = t->on_answer || t->kind == LZ_TOXIC_HTTP_REPLACE;
    if (is_of_answers != (asked->status != 0) ||
        (t->of_status != 0 && t->of_status != asked->status))
        return false;
    if (t->method[0] != '\0' && strcmp(t->method, asked->method) != 0)
        return false;
    if (t->header[0] != '\0' && !has_header(t, asked))
        return false;
    const char *path = asked->head + asked->path_at;
    size_t path_len = asked->path_len;
    const char *query = memchr(path, '?', path_len);
    if (query != NULL)
        path_len = (size_t)(query - path);
    size_t want = strlen(t->path);
    return want == 0 || is_like(t->path, want, path, path_len);
}
