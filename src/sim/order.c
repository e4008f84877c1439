#include "sim/order.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "sim/draw.h"

#define COUNTER_MASK ((1ull << 40) - 1)
#define FRONT 0.9 // of a window: where channels have their turns that did not fall behind

struct demoted {
    uint64_t channel;
    double phase;
    lz_time last; // turn; one that falls again may have an earlier place, and must not overtake
};

struct lz_order {
    struct lz_order_opts opts;
    uint64_t steps;
    uint64_t drawn_by; // the run key that the change points are of
    uint64_t changes[LZ_ORDER_DEPTH_MAX];
    struct demoted demoted[LZ_ORDER_DEPTH_MAX];
    uint32_t demoted_count;
};

// ---------------------------------------------------------------- as text

static const struct {
    const char *name;
    int64_t ns;
} units[] = {{"ns", 1}, {"us", LZ_US}, {"ms", LZ_MS}, {"s", LZ_S}};

// Digits up to something else; false: there are none, or too many.
static bool read_digits(const char **at, uint64_t *out)
{
    const char *start = *at;
    *out = 0;
    for (; **at >= '0' && **at <= '9' && *at - start < 12; ++*at)
        *out = 10 * *out + (uint64_t)(**at - '0');
    return *at > start;
}

static bool read_window(const char *text, lz_time *out, struct lz_err *err)
{
    const char *at = text;
    uint64_t n;
    size_t i = 0, count = sizeof(units) / sizeof(units[0]);
    bool ok = read_digits(&at, &n);
    while (ok && i < count && strcmp(at, units[i].name) != 0)
        i++;
    if (!ok || i == count)
        return lz_fail(err, LZ_EINVAL, "a window is a duration such as 500us, got \"%s\"", text);
    if (n > LZ_ORDER_WINDOW_MAX || (lz_time)n * units[i].ns > LZ_ORDER_WINDOW_MAX ||
        (lz_time)n * units[i].ns < LZ_ORDER_WINDOW_MIN)
        return lz_fail(err, LZ_ERANGE, "a window is from 1us to 10s long, got %s", text);
    *out = (lz_time)n * units[i].ns;
    return true;
}

// "3", or with the deliveries of the run "3/1200".
static bool read_depth(const char *text, size_t len, struct lz_order_opts *out, struct lz_err *err)
{
    const char *at = text;
    uint64_t depth, steps = 0;
    bool ok = read_digits(&at, &depth) && depth >= 1 && depth <= LZ_ORDER_DEPTH_MAX;
    if (ok && *at == '/') {
        at++;
        ok = read_digits(&at, &steps) && steps > 0;
    }
    if (!ok || at != text + len)
        return lz_fail(err, LZ_ERANGE, "the depth of a pct is from 1 to %d, got \"%.*s\"",
                       LZ_ORDER_DEPTH_MAX, (int)len, text);
    out->depth = (uint32_t)depth;
    out->steps = steps;
    return true;
}

bool lz_order_parse(const char *text, struct lz_order_opts *out, struct lz_err *err)
{
    struct lz_order_opts opts = {.window = LZ_ORDER_WINDOW_NS, .depth = LZ_ORDER_DEPTH};
    const char *window = strchr(text, '@');
    size_t len = window != NULL ? (size_t)(window - text) : strlen(text);
    if (len == 6 && memcmp(text, "random", len) == 0)
        opts.kind = LZ_ORDER_RANDOM;
    else if (len >= 3 && memcmp(text, "pct", 3) == 0 && (len == 3 || text[3] == ':'))
        opts.kind = LZ_ORDER_PCT;
    else if (strcmp(text, "fifo") != 0)
        return lz_fail(err, LZ_EINVAL,
                       "expected fifo, random or pct:DEPTH, with @WINDOW behind it if it is not "
                       "1ms, got \"%s\"",
                       text);
    if (opts.kind == LZ_ORDER_PCT && len > 3 && !read_depth(text + 4, len - 4, &opts, err))
        return false;
    if (window != NULL && !read_window(window + 1, &opts.window, err))
        return false;
    if (opts.kind == LZ_ORDER_FIFO)
        opts = (struct lz_order_opts){0};
    *out = opts;
    return true;
}

const char *lz_order_write(const struct lz_order_opts *opts, char *text)
{
    char depth[16] = "", steps[24] = "";
    size_t i = sizeof(units) / sizeof(units[0]) - 1;
    text[0] = '\0';
    if (opts->kind != LZ_ORDER_RANDOM && opts->kind != LZ_ORDER_PCT)
        return text;
    LZ_ASSERT(opts->window >= LZ_ORDER_WINDOW_MIN && opts->window <= LZ_ORDER_WINDOW_MAX);
    while (opts->window % units[i].ns != 0)
        i--;
    bool is_pct = opts->kind == LZ_ORDER_PCT;
    if (is_pct)
        snprintf(depth, sizeof(depth), ":%" PRIu32, opts->depth);
    if (is_pct && opts->steps > 0)
        snprintf(steps, sizeof(steps), "/%" PRIu64, opts->steps);
    snprintf(text, LZ_ORDER_TEXT_SIZE, "%s%s%s@%" PRId64 "%s", is_pct ? "pct" : "random", depth,
             steps, opts->window / units[i].ns, units[i].name);
    return text;
}

// ---------------------------------------------------------------- turns

struct lz_order *lz_order_create(struct lz_arena *arena, const struct lz_order_opts *opts)
{
    if (opts->kind == LZ_ORDER_FIFO)
        return NULL;
    LZ_ASSERT(LZ_IMPLIES(opts->kind != LZ_ORDER_COUNT, opts->window >= LZ_ORDER_WINDOW_MIN));
    LZ_ASSERT(LZ_IMPLIES(opts->kind == LZ_ORDER_PCT,
                         opts->depth >= 1 && opts->depth <= LZ_ORDER_DEPTH_MAX));
    struct lz_order *o = lz_arena_alloc(arena, sizeof(*o));
    o->opts = *opts;
    return o;
}

uint64_t lz_order_steps(const struct lz_order *order)
{
    return order->steps;
}

// The first turn at or after `due` of who has one in each period, at a share of it.
static lz_time turn_at(lz_time due, lz_time period, double now, double next)
{
    lz_time begun = due / period * period, turn = begun + (lz_time)(now * (double)period);
    if (turn < due)
        turn = begun + period + (lz_time)(next * (double)period);
    LZ_ASSERT(turn >= due && turn - due < 2 * period);
    return turn;
}

static double phase_in(uint64_t key, uint64_t owner, uint64_t period)
{
    struct lz_draw draw = lz_draw_begin(key, owner, LZ_PURPOSE_ORDER, period & COUNTER_MASK);
    return lz_draw_unit(&draw);
}

static void watch(const struct lz_order_message *m, uint64_t conversation, uint64_t owner)
{
    lz_draw_watch_owner(LZ_DRAW_WATCH_MESSAGES, (uint64_t)m->from << 32 | m->to, conversation, NULL,
                        owner);
}

static lz_time random_turn(const struct lz_order *o, uint64_t key, const struct lz_order_message *m,
                           lz_time due)
{
    lz_time period = o->opts.window / 2;
    uint64_t owner = lz_hash_mix(m->channel, m->conversation + 1);
    if (lz_draw_watch_is_on())
        watch(m, m->conversation, owner);
    uint64_t at = (uint64_t)(due / period);
    return turn_at(due, period, phase_in(key, owner, at), phase_in(key, owner, at + 1));
}

// At which deliveries a channel falls behind: drawn among as many as the run has.
static void draw_changes(struct lz_order *o, uint64_t key)
{
    LZ_ASSERT(o->opts.steps > 0);
    o->drawn_by = key;
    for (uint32_t i = 0; i + 1 < o->opts.depth; i++) {
        struct lz_draw draw = lz_draw_begin(key, 0, LZ_PURPOSE_ORDER, i);
        o->changes[i] = lz_draw_below(&draw, o->opts.steps) + 1;
    }
}

// Behind all others; of several that fell, the one of the first change point is the very last.
// `turn` is what the message would have had: those before it have none later.
static void demote(struct lz_order *o, uint64_t channel, uint32_t change, lz_time turn)
{
    double phase = 1.0 - (1.0 - FRONT) * (double)(change + 1) / (double)(o->opts.depth + 1);
    uint32_t i = 0;
    while (i < o->demoted_count && o->demoted[i].channel != channel)
        i++;
    if (i == o->demoted_count)
        o->demoted[o->demoted_count++].last = turn;
    LZ_ASSERT(o->demoted_count <= o->opts.depth);
    o->demoted[i].channel = channel;
    o->demoted[i].phase = phase;
}

static lz_time pct_turn(struct lz_order *o, uint64_t key, const struct lz_order_message *m,
                        lz_time due)
{
    uint64_t channel = m->channel;
    if (o->drawn_by != key || o->steps == 1)
        draw_changes(o, key);
    uint64_t owner = lz_hash_mix(channel, 1);
    if (lz_draw_watch_is_on())
        watch(m, 0, owner);
    double phase = FRONT * phase_in(key, owner, 0);
    lz_time turn = turn_at(due, o->opts.window, phase, phase);
    for (uint32_t i = 0; i + 1 < o->opts.depth; i++)
        if (o->changes[i] == o->steps)
            demote(o, channel, i, turn);
    for (uint32_t i = 0; i < o->demoted_count; i++) {
        struct demoted *d = &o->demoted[i];
        if (d->channel != channel)
            continue;
        turn = turn_at(due, o->opts.window, d->phase, d->phase);
        d->last = turn > d->last ? turn : d->last;
        return d->last;
    }
    return turn;
}

lz_time lz_order_turn(struct lz_order *order, uint64_t key, const struct lz_order_message *m,
                      lz_time due)
{
    LZ_ASSERT(due >= 0);
    order->steps++;
    switch (order->opts.kind) {
    case LZ_ORDER_RANDOM:
        return random_turn(order, key, m, due);
    case LZ_ORDER_PCT:
        return pct_turn(order, key, m, due);
    case LZ_ORDER_FIFO:
    case LZ_ORDER_COUNT:
        break;
    }
    return due;
}
