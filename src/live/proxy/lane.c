#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/proxy/inner.h"

#define ROUNDS 16   // of one pump: then it is the others' turn
#define BIG_AFTER 3 // full reads in a row make a transfer big
#define PIPE_SIZE (1 << 20)
#define CHUNK_MAX (64u << 10)

// Toxics that say when or how much; with one of them bytes go by way of the queue.
#define GATED                                                                                      \
    (LZ_KIND(LZ_TOXIC_LATENCY) | LZ_KIND(LZ_TOXIC_STALL) | LZ_KIND(LZ_TOXIC_BANDWIDTH) |           \
     LZ_KIND(LZ_TOXIC_SLICER) | LZ_KIND(LZ_TOXIC_RESET) | LZ_KIND(LZ_TOXIC_LIMIT_DATA) |           \
     LZ_KIND(LZ_TOXIC_CORRUPT))

static int source_of(int d)
{
    return d == LZ_UP ? LZ_CLIENT : LZ_SERVER;
}

static int sink_of(int d)
{
    return d == LZ_UP ? LZ_SERVER : LZ_CLIENT;
}

void lz_lane_init(struct lz_lane *l)
{
    *l = (struct lz_lane){.pipe = {-1, -1}};
}

static void count_memory(struct lz_conn *c, int64_t bytes)
{
    atomic_fetch_add_explicit(&c->edge->serve->shared->memory, (uint64_t)bytes,
                              memory_order_relaxed);
}

// --- pipes: few, for those who move much ---

static bool take_pipe(struct lz_worker *w, struct lz_lane *l)
{
    if (w->pipe_count > 0) {
        w->pipe_count--;
        memcpy(l->pipe, w->pipes[w->pipe_count], sizeof(l->pipe));
        return true;
    }
    if (w->pipes_made == LZ_LANE_PIPES_MAX || pipe2(l->pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        l->pipe[0] = l->pipe[1] = -1;
        return false;
    }
    w->pipes_made++;
    // Refused to those who have many pipes already; a small one works too.
    (void)fcntl(l->pipe[0], F_SETPIPE_SZ, PIPE_SIZE);
    return true;
}

static void give_pipe(struct lz_worker *w, struct lz_lane *l)
{
    if (l->pipe[0] < 0)
        return;
    l->big = 0;
    if (l->in_pipe == 0) {
        memcpy(w->pipes[w->pipe_count++], l->pipe, sizeof(l->pipe));
    } else {
        close(l->pipe[0]);
        close(l->pipe[1]);
        w->pipes_made--;
    }
    l->pipe[0] = l->pipe[1] = -1;
    l->in_pipe = 0;
}

static void drop_first(struct lz_conn *c, int d)
{
    struct lz_lane *l = &c->lane[d];
    struct lz_chunk *chunk = l->first;
    l->first = chunk->next;
    if (l->first == NULL)
        l->last = NULL;
    count_memory(c, -(int64_t)(sizeof(*chunk) + chunk->len));
    free(chunk);
}

void lz_lane_finish(struct lz_conn *c, int d)
{
    struct lz_lane *l = &c->lane[d];
    while (l->first != NULL)
        drop_first(c, d);
    l->queued = 0;
    give_pipe(c->worker, l);
}

// --- in ---

// Who speaks now: a change of direction is a new turn of the conversation.
static void note_turn(struct lz_conn *c, int d)
{
    if (c->talker != d + 1) {
        c->talker = (uint8_t)(d + 1);
        c->lane[d].turn++;
        c->lane[d].turn_bytes = 0;
    }
}

static void append(struct lz_conn *c, int d, const char *bytes, size_t len, int64_t release_ns)
{
    struct lz_lane *l = &c->lane[d];
    LZ_ASSERT(len > 0 && len <= UINT32_MAX);
    struct lz_chunk *chunk = lz_mem_alloc(sizeof(*chunk) + len);
    *chunk = (struct lz_chunk){
        .release_ns = release_ns, .len = (uint32_t)len, .turn = l->turn > 0 ? l->turn : 1};
    memcpy(chunk->bytes, bytes, len);
    if (l->last != NULL)
        l->last->next = chunk;
    else
        l->first = chunk;
    l->last = chunk;
    l->queued += (uint32_t)len;
    count_memory(c, (int64_t)(sizeof(*chunk) + len));
}

void lz_lane_put(struct lz_conn *c, int d, const char *bytes, size_t len,
                 const struct lz_lane_put *how)
{
    struct lz_lane *l = &c->lane[d];
    int64_t now = lz_loop_now(c->edge->serve->loop);
    int64_t at = lz_gate_release(c, d, len, now) + how->delay_ns;
    if (at > l->release_ns)
        l->release_ns = at;
    append(c, d, bytes, len, l->release_ns);
    if ((c->edge->kinds[d] & LZ_KIND(LZ_TOXIC_CORRUPT)) != 0)
        lz_gate_damage(c, d, l->last->bytes, len);
    l->turn_bytes += (uint32_t)len;
    l->last->begins_request = how->begins_request;
}

static void count_sent(struct lz_conn *c, int d, uint32_t turn, size_t len)
{
    struct lz_lane *l = &c->lane[d];
    struct lz_shared_edge *counts = c->edge->counts;
    if (l->sent_turn != turn) {
        l->sent_turn = turn;
        l->sent_in_turn = 0;
    }
    l->sent_in_turn += (uint32_t)len;
    c->carried[d] += len;
    atomic_fetch_add_explicit(d == LZ_UP ? &counts->bytes_up : &counts->bytes_down, len,
                              memory_order_relaxed);
}

// The other end hung up on us: what is behind it has to hear.
static bool lost(struct lz_conn *c, int side)
{
    if (side == LZ_SERVER)
        lz_exchange_lost(c);
    lz_conn_reset(c);
    return false;
}

static ssize_t write_some(struct lz_conn *c, int d, const char *bytes, size_t len)
{
    int sink = sink_of(d);
    ssize_t n;
    if (d == LZ_UP && c->lane[d].sent_turn != 0)
        lz_conn_be_prompt(c);
    do
        n = send(c->fd[sink], bytes, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno != EAGAIN) {
        lost(c, sink);
        return -1;
    }
    lz_conn_is_full(c, sink);
    return 0;
}

static bool has_news(struct lz_conn *c, int d)
{
    const struct lz_lane *l = &c->lane[d];
    int source = source_of(d);
    if (l->eof || !c->readable[source] || lz_gate_is_cut(c, d))
        return false;
    return c->is_connected || (d == LZ_UP && c->is_ending);
}

static bool at_eof(struct lz_conn *c, int d)
{
    c->readable[source_of(d)] = false;
    if (c->exchange != NULL)
        lz_exchange_eof(c, d);
    if (!c->is_dead)
        c->lane[d].eof = true;
    return !c->is_dead;
}

static bool no_bytes(struct lz_conn *c, int d, ssize_t n)
{
    int source = source_of(d);
    if (n == 0)
        return at_eof(c, d);
    if (errno == EINTR)
        return true;
    if (errno == EAGAIN) {
        c->readable[source] = false;
        return false;
    }
    return lost(c, source);
}

// From socket to pipe to socket: no byte is copied.
static bool fill_by_pipe(struct lz_conn *c, int d)
{
    struct lz_lane *l = &c->lane[d];
    int source = source_of(d), sink = sink_of(d);
    bool moved = false;
    if (l->in_pipe == 0 && c->readable[source]) {
        ssize_t n = splice(c->fd[source], NULL, l->pipe[1], NULL, PIPE_SIZE,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n <= 0) {
            int reason = errno;
            give_pipe(c->worker, l);
            errno = reason;
            return no_bytes(c, d, n);
        }
        l->in_pipe = (uint32_t)n;
        note_turn(c, d);
        moved = true;
    }
    while (l->in_pipe > 0 && c->writable[sink]) {
        ssize_t n = splice(l->pipe[0], NULL, c->fd[sink], NULL, l->in_pipe,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0 && errno == EAGAIN)
            lz_conn_is_full(c, sink);
        else if (n < 0 && errno != EINTR)
            return lost(c, sink);
        if (n <= 0)
            break;
        l->in_pipe -= (uint32_t)n;
        l->turn_bytes += (uint32_t)n;
        count_sent(c, d, l->turn, (size_t)n);
        moved = true;
    }
    return moved;
}

static void unpipe(struct lz_conn *c, int d)
{
    struct lz_lane *l = &c->lane[d];
    while (l->in_pipe > 0) {
        char *scratch = c->edge->serve->scratch;
        ssize_t n = read(l->pipe[0], scratch, LZ_LANE_SCRATCH);
        if (n <= 0)
            break;
        l->in_pipe -= (uint32_t)n;
        append(c, d, scratch, (size_t)n, l->release_ns);
    }
    LZ_ASSERT(l->in_pipe == 0);
    give_pipe(c->worker, l);
}

// Bytes that need not wait go straight on; the rest of them waits.
static bool pass(struct lz_conn *c, int d, const char *bytes, size_t len)
{
    struct lz_lane *l = &c->lane[d];
    ssize_t n = c->writable[sink_of(d)] ? write_some(c, d, bytes, len) : 0;
    if (n < 0)
        return false;
    l->turn_bytes += (uint32_t)n;
    if (n > 0)
        count_sent(c, d, l->turn, (size_t)n);
    if ((size_t)n < len) {
        lz_conn_is_full(c, sink_of(d));
        append(c, d, bytes + n, len - (size_t)n, l->release_ns);
        l->turn_bytes += (uint32_t)(len - (size_t)n);
    }
    return true;
}

static bool is_plain(const struct lz_conn *c, int d)
{
    const struct lz_lane *l = &c->lane[d];
    return l->first == NULL && (c->edge->kinds[d] & GATED) == 0 &&
           lz_lane_held_until(l) <= lz_loop_now(c->edge->serve->loop);
}

static bool take_in(struct lz_conn *c, int d, char *bytes, size_t len, size_t asked)
{
    struct lz_lane *l = &c->lane[d];
    bool plain = is_plain(c, d);
    note_turn(c, d);
    if (c->is_ending && d == LZ_UP)
        return true; // read so that closing does not reset what the client has yet to read
    if (c->exchange != NULL && d == LZ_UP)
        lz_exchange_up(c, bytes, len);
    else if (c->exchange != NULL)
        lz_exchange_down(c, bytes, len);
    else if (!plain)
        lz_lane_put(c, d, bytes, len, &(struct lz_lane_put){0});
    else if (!pass(c, d, bytes, len))
        return false;
    l->big = (uint8_t)(!plain || len < asked || c->exchange != NULL ? 0
                       : l->big < BIG_AFTER                         ? l->big + 1
                                                                    : BIG_AFTER);
    if (l->big == BIG_AFTER && l->pipe[0] < 0 && l->first == NULL)
        take_pipe(c->worker, l);
    return !c->is_dead;
}

static bool fill(struct lz_conn *c, int d)
{
    struct lz_lane *l = &c->lane[d];
    if (l->pipe[0] >= 0 && !lz_gate_is_cut(c, d) && l->first == NULL)
        return fill_by_pipe(c, d);
    if (!has_news(c, d))
        return false;
    uint32_t room = lz_gate_room(c, d);
    if (room == 0)
        return false;
    struct lz_serve *s = c->edge->serve;
    size_t asked = is_plain(c, d) ? LZ_LANE_SCRATCH : CHUNK_MAX;
    asked = asked < room ? asked : room;
    ssize_t n = recv(c->fd[source_of(d)], s->scratch, asked, 0);
    if (n <= 0)
        return no_bytes(c, d, n);
    // Less than there was room for: all of it. What comes from now on is another event.
    if ((size_t)n < asked && !c->is_ended[source_of(d)])
        c->readable[source_of(d)] = false;
    return take_in(c, d, s->scratch, (size_t)n, asked);
}

// --- out ---

static bool say(struct lz_conn *c, enum lz_gate_say what)
{
    if (what == LZ_GATE_RESET)
        lz_conn_reset(c);
    if (what == LZ_GATE_CLOSE) {
        for (int d = LZ_UP; d <= LZ_DOWN; d++)
            lz_lane_finish(c, d);
        lz_conn_end(c);
    }
    return what == LZ_GATE_PASS;
}

static bool write_first(struct lz_conn *c, int d, int64_t now)
{
    struct lz_lane *l = &c->lane[d];
    struct lz_chunk *chunk = l->first;
    bool gated = (c->edge->kinds[d] & GATED) != 0;
    size_t len = chunk->len - chunk->off;
    if (gated && lz_gate_allow(c, d, &len, now) != LZ_GATE_PASS)
        return false;
    ssize_t n = len > 0 ? write_some(c, d, chunk->bytes + chunk->off, len) : 0;
    if (n < 0)
        return false;
    if (n > 0) {
        if (gated)
            lz_gate_sent(c, d, (size_t)n, now);
        if (chunk->begins_request && chunk->off == 0)
            lz_exchange_passed_on(c, now);
        count_sent(c, d, chunk->turn, (size_t)n);
        l->queued -= (uint32_t)n;
        chunk->off += (uint32_t)n;
    }
    if (chunk->off == chunk->len)
        drop_first(c, d);
    if (gated && !say(c, lz_gate_is_over(c)))
        return false;
    return n > 0;
}

static bool flush(struct lz_conn *c, int d)
{
    struct lz_lane *l = &c->lane[d];
    int64_t now = lz_loop_now(c->edge->serve->loop);
    bool moved = false;
    while (l->first != NULL && c->writable[sink_of(d)] && c->is_connected) {
        if (l->first->release_ns > now || lz_lane_held_until(l) > now)
            break;
        if (lz_gate_is_cut(c, d)) {
            if (l->cut_since_ns == 0) {
                l->cut_since_ns = now;
                lz_gate_cut(c, d);
            }
            break;
        }
        if (!write_first(c, d, now))
            break;
        moved = true;
    }
    return moved && !c->is_dead;
}

// The source has ended and nothing waits: pass that on, perhaps later.
static bool pass_end(struct lz_conn *c, int d)
{
    struct lz_lane *l = &c->lane[d];
    if (!l->eof || l->is_done || l->first != NULL || l->in_pipe > 0 || lz_gate_is_cut(c, d) ||
        !c->is_connected)
        return false;
    int64_t now = lz_loop_now(c->edge->serve->loop);
    if (l->fin_at_ns == 0)
        l->fin_at_ns = lz_gate_fin(c, d, now);
    if (l->fin_at_ns > now || lz_lane_held_until(l) > now)
        return false;
    l->is_done = true;
    // When the other way is done too both ends are closed next, and closing says it.
    if (c->is_ending || !c->lane[d == LZ_UP ? LZ_DOWN : LZ_UP].is_done)
        shutdown(c->fd[sink_of(d)], SHUT_WR);
    return true;
}

void lz_lane_pump(struct lz_conn *c)
{
    int rounds = 0;
    bool moved = true;
    for (int d = LZ_UP; d <= LZ_DOWN; d++) {
        if (c->lane[d].pipe[0] >= 0 && c->edge->kinds[d] != 0)
            unpipe(c, d);
    }
    while (moved && !c->is_dead && rounds++ < ROUNDS) {
        moved = false;
        for (int d = LZ_UP; d <= LZ_DOWN && !c->is_dead; d++) {
            moved = flush(c, d) || moved;
            if (!c->is_dead)
                moved = fill(c, d) || moved;
        }
    }
    for (int d = LZ_UP; d <= LZ_DOWN && !c->is_dead; d++)
        pass_end(c, d);
    if (c->is_dead)
        return;
    bool over = c->lane[LZ_UP].is_done && c->lane[LZ_DOWN].is_done;
    if (c->is_ending)
        over = c->lane[LZ_DOWN].is_done && c->lane[LZ_UP].eof;
    if (over)
        lz_conn_close(c);
    else if (moved)
        c->is_busy = true;
}

int64_t lz_lane_wake(const struct lz_conn *c, int d, int64_t now)
{
    const struct lz_lane *l = &c->lane[d];
    int64_t at = LZ_LOOP_NEVER, held = lz_lane_held_until(l);
    if (l->first != NULL)
        at = l->first->release_ns > held ? l->first->release_ns : held;
    else if (l->eof && !l->is_done && l->fin_at_ns > 0)
        at = l->fin_at_ns > held ? l->fin_at_ns : held;
    // What is due and did not go waits for the other end, or for a cut to end.
    return at > now ? at : LZ_LOOP_NEVER;
}
