#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/proxy/inner.h"

#define LINGER_NS INT64_C(1000000000) // for a client to read the last answer and close

static void on_event(void *ctx, int fd, unsigned events);

// --- ends ---

static void drop_fd(struct lz_conn *c, int side)
{
    if (c->fd[side] < 0)
        return;
    lz_loop_close(c->edge->serve->loop, c->fd[side]);
    c->fd[side] = -1;
}

void lz_conn_close(struct lz_conn *c)
{
    if (c->is_dead)
        return;
    for (int i = 0; i < 2; i++) {
        drop_fd(c, i);
        lz_lane_finish(c, i);
    }
    c->is_dead = true;
    atomic_fetch_sub_explicit(&c->edge->counts->open, 1, memory_order_relaxed);
}

void lz_conn_reset(struct lz_conn *c)
{
    // Closing with a linger of 0 s is how a program asks for RST instead of FIN.
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 2 && !c->is_dead; i++) {
        if (c->fd[i] >= 0)
            setsockopt(c->fd[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    lz_conn_close(c);
}

void lz_conn_end(struct lz_conn *c)
{
    if (c->is_dead || c->is_ending)
        return;
    c->is_ending = true;
    c->is_connected = true; // nothing is waited for any more
    drop_fd(c, LZ_SERVER);
    c->lane[LZ_DOWN].eof = true;
    c->lane[LZ_UP].is_done = true;
    c->doom = NULL;
    c->doom_at_ns = lz_loop_now(c->edge->serve->loop) + LINGER_NS;
}

// Free what died, or arm the timer for what is next.
static void settle(struct lz_conn *c)
{
    struct lz_serve *s = c->edge->serve;
    if (c->is_dead) {
        lz_loop_cancel(s->loop, &c->timer);
        *c->at = c->next;
        if (c->next != NULL)
            c->next->at = c->at;
        lz_exchange_destroy(c->exchange);
        c->worker->conns--;
        free(c);
        lz_worker_has_room(s);
        return;
    }
    int64_t now = lz_loop_now(s->loop), at = c->doom_at_ns;
    at = c->breaks_at_ns < at ? c->breaks_at_ns : at;
    if (!c->is_connecting && !c->is_connected && c->connect_at_ns < at)
        at = c->connect_at_ns;
    for (int d = LZ_UP; d <= LZ_DOWN; d++) {
        int64_t wake = lz_lane_wake(c, d, now);
        at = wake < at ? wake : at;
    }
    if (c->is_busy)
        at = now;
    c->is_busy = false;
    if (at == LZ_LOOP_NEVER)
        lz_loop_cancel(s->loop, &c->timer);
    else if (!lz_loop_is_armed(&c->timer) || c->timer.at_ns != at)
        lz_loop_arm(s->loop, &c->timer, at);
}

// --- beginning ---

static void refused(struct lz_conn *c)
{
    struct lz_edge *e = c->edge;
    atomic_fetch_add_explicit(&e->counts->refused, 1, memory_order_relaxed);
    if (c->exchange != NULL) {
        int64_t now = lz_loop_now(e->serve->loop);
        lz_serve_saw(e, &(struct lz_proxy_seen){.edge = e->id,
                                                .saw = LZ_PROXY_REFUSED,
                                                .at_ns = now,
                                                .latency_ns = now - c->opened_ns});
    }
    lz_conn_reset(c);
}

static bool watch(struct lz_conn *c, int side, unsigned events)
{
    struct lz_err err;
    return lz_loop_watch(c->edge->serve->loop, c->fd[side], events | LZ_LOOP_EDGE, on_event, c,
                         &err);
}

// Room to write is asked for only from the first time that there was none: most connections never
// fill a buffer, and being told of room they know of would cost each of them two turns.
void lz_conn_is_full(struct lz_conn *c, int side)
{
    c->writable[side] = false;
    if (c->asks_room[side])
        return;
    c->asks_room[side] = true;
    LZ_ASSERT(watch(c, side, LZ_LOOP_READ | LZ_LOOP_WRITE)); // it is watched: nothing to allocate
}

// The first bytes go at once, for there are none before them that could be unacknowledged.
void lz_conn_be_prompt(struct lz_conn *c)
{
    int yes = 1;
    if (c->is_prompt)
        return;
    c->is_prompt = true;
    setsockopt(c->fd[LZ_SERVER], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

// --- the handshake with the server ---
//
// Its last step, our ACK, can travel with the first bytes: one segment less, and the server is
// woken once, for a connection that has something to say, instead of twice. That is right only if
// bytes are there to be sent at once, or who waits for the server to speak first would wait for
// the kernel's timer of 40 ms and more. So the ACK is held back from before the connect until the
// client has been looked at, and let go if it has said nothing.

static void hold_ack(int fd)
{
    int no = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &no, sizeof(no));
}

static void let_ack_go(int fd)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof(yes));
}

enum handshake { REFUSED, UNDER_WAY, DONE };

// On this machine's own loopback the handshake is over when connect returns, though it says that
// it is under way: its end came while connect had the socket. Asked again it knows.
static enum handshake shake_hands(int fd, const struct lz_edge *e)
{
    for (int i = 0; i < 2; i++) {
        if (connect(fd, (const void *)&e->upstream, e->upstream_len) == 0)
            return DONE;
        if (errno != EINPROGRESS && errno != EALREADY)
            return REFUSED;
    }
    return UNDER_WAY;
}

static void connected(struct lz_conn *c)
{
    c->is_connecting = false;
    c->is_connected = true;
    // What came meanwhile has waited for the handshake, and travelled with its last step.
    c->skips_delay = c->connect_at_ns > c->opened_ns;
    lz_lane_pump(c);
    if (!c->is_dead)
        c->skips_delay = false;
}

static void begin_connect(struct lz_conn *c)
{
    struct lz_edge *e = c->edge;
    int fd = socket(e->upstream.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    c->fd[LZ_SERVER] = fd;
    if (fd < 0) {
        refused(c);
        return;
    }
    hold_ack(fd);
    enum handshake came_to = shake_hands(fd, e);
    c->is_connecting = true;
    // Until it is connected, being writable is the news.
    c->asks_room[LZ_SERVER] = came_to == UNDER_WAY;
    if (came_to == REFUSED ||
        !watch(c, LZ_SERVER, LZ_LOOP_READ | (came_to == UNDER_WAY ? LZ_LOOP_WRITE : 0))) {
        refused(c);
        return;
    }
    if (came_to == DONE)
        connected(c);
    if (!c->is_dead && c->fd[LZ_SERVER] == fd && c->lane[LZ_UP].sent_turn == 0)
        let_ack_go(fd);
}

static void doomed(struct lz_conn *c)
{
    if (c->doom != NULL)
        lz_gate_touch(c->doom, 1);
    if (c->doom != NULL && c->doom->t.kind == LZ_TOXIC_RESET)
        lz_conn_reset(c);
    else
        lz_conn_close(c);
}

static void on_timer(void *ctx, int64_t now_ns)
{
    struct lz_conn *c = ctx;
    if (c->doom_at_ns <= now_ns)
        doomed(c);
    else if (c->breaks_at_ns <= now_ns)
        lz_exchange_break(c);
    else if (!c->is_connected && !c->is_connecting && c->connect_at_ns <= now_ns)
        begin_connect(c);
    else
        lz_lane_pump(c);
    settle(c);
}

// What came while it is cut, or its end, is noticed when TCP would notice: afterwards.
static void note_cut(struct lz_conn *c, int side)
{
    int d = side == LZ_CLIENT ? LZ_UP : LZ_DOWN;
    if (!lz_gate_is_cut(c, d))
        return;
    lz_gate_cut(c, d);
    if (c->lane[d].cut_since_ns == 0)
        c->lane[d].cut_since_ns = lz_loop_now(c->edge->serve->loop);
}

static void on_event(void *ctx, int fd, unsigned events)
{
    struct lz_conn *c = ctx;
    int side = fd == c->fd[LZ_CLIENT] ? LZ_CLIENT : LZ_SERVER;
    LZ_ASSERT(c->fd[side] == fd);
    if (events & LZ_LOOP_ENDED)
        c->is_ended[side] = true;
    if (events & (LZ_LOOP_READ | LZ_LOOP_ERROR)) {
        c->readable[side] = true;
        note_cut(c, side);
    }
    if (events & (LZ_LOOP_WRITE | LZ_LOOP_ERROR))
        c->writable[side] = true;
    bool cut = lz_gate_is_cut(c, LZ_UP) || lz_gate_is_cut(c, LZ_DOWN);
    if (side == LZ_SERVER && c->is_connecting) {
        if (events & LZ_LOOP_ERROR)
            refused(c);
        else
            connected(c);
    } else {
        lz_lane_pump(c);
        // Gone, and nobody was about to read or write: a client that has given up.
        int error = 0;
        socklen_t len = sizeof(error);
        if (!c->is_dead && !cut && (events & LZ_LOOP_ERROR) && c->fd[side] == fd &&
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
            lz_conn_reset(c);
    }
    settle(c);
}

void lz_conn_accept(struct lz_edge *e, int fd, uint64_t ordinal)
{
    struct lz_serve *s = e->serve;
    struct lz_conn *c = lz_mem_alloc(sizeof(*c));
    *c = (struct lz_conn){.edge = e,
                          .worker = s->at_work,
                          .ordinal = ordinal,
                          .fd = {fd, -1},
                          .readable = {true, false}, // mostly its first bytes are there too
                          .writable = {true, true},
                          .opened_ns = lz_loop_now(s->loop),
                          .breaks_at_ns = LZ_LOOP_NEVER,
                          .next = e->conns,
                          .at = &e->conns,
                          .timer = {.fn = on_timer, .ctx = c}};
    for (int d = LZ_UP; d <= LZ_DOWN; d++)
        lz_lane_init(&c->lane[d]);
    if (c->next != NULL)
        c->next->at = &c->next;
    e->conns = c;
    c->worker->conns++;
    atomic_fetch_add_explicit(&e->counts->accepted, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&e->counts->open, 1, memory_order_relaxed);
    if (e->is_http)
        c->exchange = lz_exchange_create();
    lz_gate_doom(c);
    c->connect_at_ns = c->opened_ns + (e->active != NULL ? lz_gate_handshake(c) : 0);
    if (!watch(c, LZ_CLIENT, LZ_LOOP_READ))
        lz_conn_reset(c);
    else if (c->doom_at_ns <= c->opened_ns)
        doomed(c);
    else if (c->connect_at_ns <= c->opened_ns)
        begin_connect(c);
    settle(c);
}

void lz_conn_note_changed(struct lz_conn *c, const bool was_cut[2])
{
    int64_t now = lz_loop_now(c->edge->serve->loop);
    for (int d = LZ_UP; d <= LZ_DOWN; d++) {
        struct lz_lane *l = &c->lane[d];
        if (was_cut[d] && !lz_gate_is_cut(c, d) && l->cut_since_ns > 0) {
            l->resume_ns = lz_gate_healed(l->cut_since_ns, now);
            l->cut_since_ns = 0;
        }
        l->hold_until_ns = 0; // whoever still holds it will say so again
    }
    if (!c->is_ending)
        lz_gate_doom(c);
}

void lz_conn_changed(struct lz_conn *c)
{
    int64_t now = lz_loop_now(c->edge->serve->loop);
    enum lz_gate_say over = lz_gate_is_over(c);
    if (over == LZ_GATE_RESET)
        lz_conn_reset(c);
    else if (over == LZ_GATE_CLOSE)
        lz_conn_close(c);
    else if (c->doom_at_ns <= now)
        doomed(c);
    else
        lz_lane_pump(c);
    settle(c);
}
