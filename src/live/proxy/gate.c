#include <string.h>

#include "base/check.h"
#include "live/proxy/inner.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define RTO_NS (200 * NS_PER_MS)    // Linux' least (TCP_RTO_MIN)
#define RTO_MAX_NS (120 * NS_PER_S) // and largest
#define SYN_RTO_NS NS_PER_S         // RFC 6298, 2.1
#define SYN_TRIES 6                 // net.ipv4.tcp_syn_retries
#define FAST_SEGMENTS 3             // behind a lost one: three duplicate acknowledgements
#define PIECE_NS NS_PER_MS          // bandwidth is handed out in pieces of so long a time
#define LATE_NS (10 * NS_PER_MS)    // what being woken late may save up
#define BUFFER_PRESET (256u << 10)  // as fault.bandwidth's
#define COUNTER_TURN_BITS 20        // of a draw's counter: which turn, then which packet
#define COUNTER_MASK ((1u << COUNTER_TURN_BITS) - 1)
#define OF_MESSAGES (UINT64_C(1) << 62) // of draws that choose: messages, not the connection

static bool is_on(const struct lz_active *a, int d)
{
    return a->t.directions == 0 || (a->t.directions & (d == LZ_UP ? LZ_TOXIC_UP : LZ_TOXIC_DOWN));
}

static struct lz_draw draw_for(const struct lz_conn *c, const struct lz_active *a, int d,
                               uint32_t turn, uint32_t packet)
{
    uint64_t counter = (uint64_t)(turn & COUNTER_MASK) << COUNTER_TURN_BITS;
    return lz_draw_begin(c->edge->serve->run_key, lz_draw_index(a->owner, c->ordinal),
                         d == LZ_UP ? LZ_PURPOSE_NET_OUT : LZ_PURPOSE_NET_BACK,
                         counter | (packet & COUNTER_MASK));
}

// Of a toxic for some connections: is this one of them? It is or is not for as long as both are.
static bool is_struck(const struct lz_conn *c, const struct lz_active *a)
{
    if (!(a->t.share > 0.0 && a->t.share < 1.0))
        return true;
    struct lz_draw draw = lz_draw_begin(c->edge->serve->run_key,
                                        lz_draw_index(a->owner, c->ordinal), LZ_PURPOSE_FILTER, 0);
    return lz_draw_unit(&draw) < a->t.share;
}

// How long a message, or a step of the handshake (turn 0), waits because of a LATENCY.
static int64_t delay_of(struct lz_conn *c, struct lz_active *a, int d, uint32_t turn,
                        uint32_t packet)
{
    struct lz_draw draw = draw_for(c, a, d, turn, packet);
    uint64_t counter = (uint64_t)(turn & COUNTER_MASK) << COUNTER_TURN_BITS;
    struct lz_draw choice = lz_draw_begin(
        c->edge->serve->run_key, lz_draw_index(a->owner, c->ordinal), LZ_PURPOSE_FILTER,
        OF_MESSAGES | (uint64_t)d << (2 * COUNTER_TURN_BITS) | counter | (packet & COUNTER_MASK));
    if (!lz_toxic_delays(&a->t, &choice))
        return 0;
    if (turn > 0)
        lz_gate_touch(a, 1);
    return lz_toxic_delay(&a->t, &a->delays, d, &draw);
}

// A round trip as the latencies in force make it: what a fast retransmit takes.
static int64_t round_trip(const struct lz_edge *e)
{
    int64_t sum = NS_PER_MS;
    for (const struct lz_active *a = e->active; a != NULL; a = a->next) {
        if (a->t.kind == LZ_TOXIC_LATENCY)
            sum += a->delays.last_ns[0] + a->delays.last_ns[1];
    }
    return sum;
}

// How long the stream stands still for packets of this message that are lost.
static int64_t stall(struct lz_conn *c, struct lz_active *a, int d, size_t len)
{
    const struct lz_lane *l = &c->lane[d];
    uint32_t first = (l->turn_bytes + LZ_TOXIC_PACKET - 1) / LZ_TOXIC_PACKET;
    uint32_t last = (uint32_t)((l->turn_bytes + len - 1) / LZ_TOXIC_PACKET);
    int64_t longest = 0;
    for (uint32_t packet = first; packet <= last; packet++) {
        struct lz_draw draw = draw_for(c, a, d, l->turn, packet);
        int64_t wait = last - packet >= FAST_SEGMENTS ? round_trip(c->edge) : RTO_NS;
        int64_t held = 0;
        while (lz_loss_next(&a->t.loss, &a->loss[d], &draw) && held < RTO_MAX_NS) {
            lz_gate_touch(a, 1);
            held += wait;
            wait = wait < RTO_NS ? RTO_NS : wait * 2;
        }
        longest = held > longest ? held : longest;
    }
    return longest;
}

int64_t lz_gate_release(struct lz_conn *c, int d, size_t len, int64_t now)
{
    const struct lz_lane *l = &c->lane[d];
    int64_t at = now;
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        if (!is_on(a, d) || !is_struck(c, a))
            continue;
        if (a->t.kind == LZ_TOXIC_LATENCY) {
            int64_t delay = delay_of(c, a, d, l->turn, 0); // of the message, in however many reads
            at += c->skips_delay ? 0 : delay;
        } else if (a->t.kind == LZ_TOXIC_STALL) {
            at += stall(c, a, d, len);
        }
    }
    return at;
}

static size_t at_most(size_t len, double limit)
{
    return limit < (double)len ? (limit < 1.0 ? 1 : (size_t)limit) : len;
}

// The packet decides whether it is hit, as it does of one that is lost; then where.
void lz_gate_damage(struct lz_conn *c, int d, char *bytes, size_t len)
{
    const struct lz_lane *l = &c->lane[d];
    uint32_t first = (l->turn_bytes + LZ_TOXIC_PACKET - 1) / LZ_TOXIC_PACKET;
    uint32_t last = (uint32_t)((l->turn_bytes + len - 1) / LZ_TOXIC_PACKET);
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        for (uint32_t packet = first; packet <= last; packet++) {
            if (a->t.kind != LZ_TOXIC_CORRUPT || !is_on(a, d) || !is_struck(c, a))
                break;
            struct lz_draw draw = draw_for(c, a, d, l->turn, packet);
            if (!lz_loss_next(&a->t.loss, &a->loss[d], &draw))
                continue;
            size_t at = (size_t)packet * LZ_TOXIC_PACKET - l->turn_bytes;
            uint64_t size = at_most(len - at, LZ_TOXIC_PACKET);
            uint64_t bit = lz_draw_below(&draw, size * 8);
            LZ_ASSERT(at + bit / 8 < len);
            bytes[at + bit / 8] ^= (char)(1u << (bit % 8));
            lz_gate_touch(a, 1);
        }
    }
}

// SYN, its acknowledgement, and the ACK with which the client's first bytes come.
int64_t lz_gate_handshake(struct lz_conn *c)
{
    static const int ways[] = {LZ_UP, LZ_DOWN, LZ_UP};
    int64_t sum = 0;
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        for (uint32_t i = 0; i < 3; i++) {
            if (!is_on(a, ways[i]) || a->t.share > 0.0)
                continue;
            if (a->t.kind == LZ_TOXIC_LATENCY)
                sum += delay_of(c, a, ways[i], 0, i);
            struct lz_draw draw = draw_for(c, a, ways[i], 0, i);
            if (a->t.kind != LZ_TOXIC_STALL || i == 2)
                continue; // a lost ACK is made good by the bytes behind it
            int64_t wait = SYN_RTO_NS;
            for (uint32_t n = 0;
                 n < SYN_TRIES && lz_loss_next(&a->t.loss, &a->loss[ways[i]], &draw); n++) {
                lz_gate_touch(a, 1);
                sum += wait;
                wait *= 2;
            }
        }
    }
    return sum;
}

int64_t lz_gate_fin(struct lz_conn *c, int d, int64_t now)
{
    int64_t at = c->lane[d].release_ns > now ? c->lane[d].release_ns : now;
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        if (!is_on(a, d) || a->t.kind != LZ_TOXIC_SLOW_CLOSE || !is_struck(c, a))
            continue;
        at += a->t.after_ns;
        lz_gate_touch(a, 1);
    }
    return at;
}

static struct lz_line *line_of(struct lz_conn *c, const struct lz_active *a)
{
    uint32_t line = a->t.line > 0 ? a->t.line - 1 : a->slot;
    return &c->edge->serve->lines[line % LZ_PROXY_TOXICS_MAX];
}

// Of a toxic that takes the first so many connections: those that came since it did.
static bool is_chosen(const struct lz_conn *c, const struct lz_active *a)
{
    bool is_early = a->t.first == 0 ||
                    (c->ordinal > a->since_ordinal && c->ordinal - a->since_ordinal <= a->t.first);
    return is_early && is_struck(c, a);
}

// Bytes until the connection has carried what this toxic lets it; UINT64_MAX: no end in sight.
static uint64_t left_of(const struct lz_conn *c, const struct lz_active *a)
{
    bool counts =
        a->t.kind == LZ_TOXIC_LIMIT_DATA || (a->t.kind == LZ_TOXIC_RESET && a->t.bytes > 0);
    if (!counts || !is_chosen(c, a))
        return UINT64_MAX;
    bool is_reset = a->t.kind == LZ_TOXIC_RESET; // of which both ways count
    uint64_t carried = 0;
    for (int d = LZ_UP; d <= LZ_DOWN; d++)
        carried += is_reset || is_on(a, d) ? c->carried[d] : 0;
    if (a->t.response > 0) {
        const struct lz_lane *l = &c->lane[LZ_DOWN];
        bool is_next = l->first != NULL && l->first->turn == a->t.response;
        if (l->sent_turn != a->t.response && !is_next)
            return UINT64_MAX;
        carried = l->sent_turn == a->t.response ? l->sent_in_turn : 0;
    }
    return carried < a->t.bytes ? a->t.bytes - carried : 0;
}

enum lz_gate_say lz_gate_is_over(struct lz_conn *c)
{
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        if (left_of(c, a) > 0)
            continue;
        lz_gate_touch(a, 1);
        return a->t.kind == LZ_TOXIC_RESET ? LZ_GATE_RESET : LZ_GATE_CLOSE;
    }
    return LZ_GATE_PASS;
}

// Of the piece that begins with the next byte. Which byte of the turn that is says the draw.
static double piece_of(const struct lz_conn *c, const struct lz_active *a, int d)
{
    const struct lz_lane *l = &c->lane[d];
    if (a->t.variation == 0)
        return (double)a->t.bytes;
    bool is_same_turn = l->sent_turn == l->first->turn;
    struct lz_draw draw = draw_for(c, a, d, l->first->turn, is_same_turn ? l->sent_in_turn : 0);
    uint64_t more = lz_draw_below(&draw, 2 * a->t.variation + 1);
    return (double)(a->t.bytes - a->t.variation + more);
}

enum lz_gate_say lz_gate_allow(struct lz_conn *c, int d, size_t *len, int64_t now)
{
    struct lz_lane *l = &c->lane[d];
    LZ_ASSERT(l->first != NULL);
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        if (!is_on(a, d))
            continue;
        if (a->t.kind == LZ_TOXIC_BANDWIDTH) {
            int64_t free_at = line_of(c, a)->free_at_ns[d];
            if (free_at > now) {
                l->hold_until_ns = free_at;
                return LZ_GATE_WAIT;
            }
            *len = at_most(*len, a->t.rate * (double)PIECE_NS / (double)NS_PER_S);
        } else if (a->t.kind == LZ_TOXIC_SLICER) {
            *len = at_most(*len, piece_of(c, a, d));
        } else if (a->t.response == 0 || d == LZ_DOWN) {
            *len = at_most(*len, (double)left_of(c, a));
        }
    }
    return LZ_GATE_PASS;
}

// Called before the chunk moves on: it is still the first.
void lz_gate_sent(struct lz_conn *c, int d, size_t len, int64_t now)
{
    struct lz_lane *l = &c->lane[d];
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        if (!is_on(a, d))
            continue;
        if (a->t.kind == LZ_TOXIC_BANDWIDTH) {
            int64_t *free_at = &line_of(c, a)->free_at_ns[d];
            // Being woken late is not to cost bandwidth, being idle is not to save it up: what
            // comes first after a silence would pass at once, where a line takes its time.
            bool was_held = l->hold_until_ns == *free_at;
            int64_t least = was_held ? now - LATE_NS : now;
            if (*free_at < least)
                *free_at = least;
            *free_at += (int64_t)((double)len * (double)NS_PER_S / a->t.rate);
            lz_gate_touch(a, len);
        } else if (a->t.kind == LZ_TOXIC_SLICER && l->first->len > a->t.bytes - a->t.variation &&
                   (l->first->off > 0 || len < l->first->len)) {
            lz_gate_touch(a, 1);
            if (l->first->off + len < l->first->len && now + a->t.after_ns > l->hold_until_ns)
                l->hold_until_ns = now + a->t.after_ns;
        }
    }
}

void lz_gate_doom(struct lz_conn *c)
{
    c->doom = NULL;
    c->doom_at_ns = LZ_LOOP_NEVER;
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        bool dooms = (a->t.kind == LZ_TOXIC_RESET && a->t.bytes == 0 && is_chosen(c, a)) ||
                     (a->t.kind == LZ_TOXIC_CUT && a->t.after_ns > 0);
        int64_t from = c->opened_ns > a->since_ns ? c->opened_ns : a->since_ns;
        if (!dooms || from + a->t.after_ns >= c->doom_at_ns)
            continue;
        c->doom_at_ns = from + a->t.after_ns;
        c->doom = a;
    }
}

void lz_gate_cut(struct lz_conn *c, int d)
{
    for (struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        if (a->t.kind == LZ_TOXIC_CUT && is_on(a, d))
            lz_gate_touch(a, 1);
    }
}

int64_t lz_gate_healed(int64_t since_ns, int64_t now)
{
    int64_t at = since_ns, wait = RTO_NS;
    while (at <= now) {
        at += wait;
        wait = wait * 2 < RTO_MAX_NS ? wait * 2 : RTO_MAX_NS;
    }
    return at;
}

uint32_t lz_gate_room(const struct lz_conn *c, int d)
{
    const unsigned delays =
        LZ_KIND(LZ_TOXIC_LATENCY) | LZ_KIND(LZ_TOXIC_STALL) | LZ_KIND(LZ_TOXIC_HTTP_DELAY);
    unsigned kinds = c->edge->kinds[d];
    uint32_t room = kinds & delays ? LZ_LANE_HELD_MAX : LZ_LANE_WAIT_MAX;
    for (const struct lz_active *a = c->edge->active; a != NULL; a = a->next) {
        uint32_t buffer = a->t.buffer > 0 ? a->t.buffer : BUFFER_PRESET;
        if (a->t.kind == LZ_TOXIC_BANDWIDTH && is_on(a, d) && buffer < room)
            room = buffer;
    }
    return room > c->lane[d].queued ? room - c->lane[d].queued : 0;
}

// Is there a token for one more request? It takes it.
static bool has_token(struct lz_conn *c, const struct lz_active *a)
{
    struct lz_line *line = line_of(c, a);
    int64_t now = lz_loop_now(c->edge->serve->loop);
    double more = (double)(now - line->tokens_at_ns) * a->t.rate / (double)NS_PER_S;
    double tokens = line->tokens_at_ns == 0 ? a->t.burst : line->tokens + more;
    tokens = tokens < a->t.burst ? tokens : a->t.burst;
    bool has = tokens >= 1.0;
    line->tokens = has ? tokens - 1.0 : tokens;
    line->tokens_at_ns = now;
    return has;
}

struct lz_active *lz_gate_filter(struct lz_conn *c, unsigned kinds,
                                 const struct lz_toxic_asked *asked, struct lz_active *from,
                                 int64_t *delay_ns)
{
    for (struct lz_active *a = from == NULL ? c->edge->active : from->next; a != NULL;
         a = a->next) {
        enum lz_toxic_kind kind = a->t.kind;
        if ((LZ_KIND(kind) & kinds) == 0 || !lz_toxic_matches(&a->t, asked))
            continue;
        uint64_t number = ++a->matched;
        if ((a->t.first > 0 && number > a->t.first) || (a->t.nth > 0 && number % a->t.nth != 0))
            continue;
        struct lz_draw draw =
            lz_draw_begin(c->edge->serve->run_key, a->owner, LZ_PURPOSE_FILTER, number);
        if (a->t.ratio > 0.0 && a->t.ratio < 1.0 && lz_draw_unit(&draw) >= a->t.ratio)
            continue;
        if (kind == LZ_TOXIC_HTTP_ABORT && a->t.rate > 0.0 && has_token(c, a))
            continue;
        if (kind == LZ_TOXIC_HTTP_DELAY) {
            struct lz_dist dist = a->t.delay;
            dist.points = a->t.points;
            *delay_ns += lz_dist_time(&dist, &draw);
        }
        lz_gate_touch(a, 1);
        return a;
    }
    return NULL;
}
