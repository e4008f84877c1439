#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/proxy/inner.h"
#include "live/proxy/mail.h"

#define DOORS_EVERY_NS INT64_C(100000000)
#define ACCEPTS 64     // of one turn: those who are connected have a right too
#define FD_RESERVE 100 // 64 of pipes, 15 of workers' mail, 6 of the process, and some edges
#define FDS_PER_CONNECTION 2

static void on_listen(void *ctx, int fd, unsigned events);

void lz_serve_saw(struct lz_edge *e, const struct lz_proxy_seen *seen)
{
    struct lz_shared *s = e->serve->shared;
    uint64_t head = atomic_load_explicit(&s->head, memory_order_relaxed);
    if (head - atomic_load(&s->tail) >= LZ_SHARED_RING) {
        atomic_fetch_add(&s->dropped, 1);
        return;
    }
    s->ring[head % LZ_SHARED_RING] = *seen;
    atomic_store(&s->head, head + 1);
    // The reader stores its tail and then looks at the head, we the other way round: one of the
    // two sees the other, so that nobody sleeps beside a message.
    uint64_t one = 1;
    if (atomic_load(&s->tail) == head && write(LZ_SHARED_WAKE_FD, &one, sizeof(one)) < 0)
        return; // it is full of wakes already
}

// --- accepting ---

static bool listen_on(struct lz_edge *e)
{
    struct lz_err err;
    return lz_loop_watch(e->serve->loop, e->listen, LZ_LOOP_READ, on_listen, e, &err);
}

// A shut door has one connection in its queue: ours. Nobody is to look at it.
static void listen_if_open(struct lz_edge *e)
{
    if (e->is_shut || e->serve->is_full)
        lz_loop_unwatch(e->serve->loop, e->listen);
    else
        LZ_ASSERT(listen_on(e));
}

static void for_all_edges(struct lz_serve *s, void (*fn)(struct lz_edge *e))
{
    for (uint32_t i = 1; i <= LZ_PROXY_EDGES_MAX && s->edges[i] != NULL; i++)
        fn(s->edges[i]);
}

void lz_serve_room(struct lz_serve *s)
{
    if (!s->is_full)
        return;
    s->is_full = false;
    for_all_edges(s, listen_if_open);
}

static void stop_accepting(struct lz_edge *e)
{
    struct lz_serve *s = e->serve;
    atomic_fetch_add_explicit(&e->counts->turned_away, 1, memory_order_relaxed);
    s->is_full = true;
    for_all_edges(s, listen_if_open);
}

static void on_listen(void *ctx, int fd, unsigned events)
{
    struct lz_edge *e = ctx;
    struct lz_serve *s = e->serve;
    (void)events;
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        struct lz_worker *w = lz_worker_with_room(s);
        if (w == NULL) {
            if (i == 0) // somebody waits; after others it may be that nobody does
                stop_accepting(e);
            return;
        }
        int client = accept4(fd, (void *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM) &&
            lz_worker_conns(s) > 0)
            stop_accepting(e);
        if (client < 0)
            return;
        if (lz_door_was_plug(e, &peer)) {
            close(client);
            continue;
        }
        if (w == s->at_work)
            lz_conn_accept(e, client, ++e->ordinal);
        else
            lz_worker_hand(w, e, client);
    }
}

// --- toxics ---

static unsigned bits_of(const struct lz_toxic *t, int d)
{
    unsigned directions = t->directions == 0 ? LZ_TOXIC_BOTH : t->directions;
    // Counting both ways together needs both ways to be looked at.
    if (t->kind == LZ_TOXIC_RESET)
        directions = LZ_TOXIC_BOTH;
    if (t->kind == LZ_TOXIC_RESET && t->bytes == 0)
        return 0; // a matter of time, not of bytes
    return directions & (d == LZ_UP ? LZ_TOXIC_UP : LZ_TOXIC_DOWN) ? LZ_KIND(t->kind) : 0;
}

void lz_serve_tell_conns(struct lz_edge *e)
{
    for (struct lz_conn *c = e->conns, *next; c != NULL; c = next) {
        next = c->next;
        if (c->worker == e->serve->at_work)
            lz_conn_changed(c);
    }
}

static void changed(struct lz_edge *e)
{
    bool was_cut[2];
    for (int d = LZ_UP; d <= LZ_DOWN; d++) {
        was_cut[d] = (e->kinds[d] & LZ_KIND(LZ_TOXIC_CUT)) != 0;
        e->kinds[d] = 0;
        for (const struct lz_active *a = e->active; a != NULL; a = a->next)
            e->kinds[d] |= bits_of(&a->t, d);
    }
    lz_door_update(e);
    listen_if_open(e);
    if (e->is_shut && !lz_loop_is_armed(&e->serve->watch_doors))
        lz_loop_arm(e->serve->loop, &e->serve->watch_doors,
                    lz_loop_now(e->serve->loop) + DOORS_EVERY_NS);
    for (struct lz_conn *c = e->conns; c != NULL; c = c->next)
        lz_conn_note_changed(c, was_cut);
    lz_serve_tell_conns(e);
    lz_worker_changed(e);
}

static struct lz_active **find(struct lz_edge *e, uint32_t slot)
{
    struct lz_active **at = &e->active;
    while (*at != NULL && (*at)->slot != slot)
        at = &(*at)->next;
    return at;
}

static void add(struct lz_edge *e, uint32_t slot)
{
    struct lz_serve *s = e->serve;
    struct lz_active **at = find(e, slot);
    LZ_ASSERT(*at == NULL);
    struct lz_active *a = lz_mem_alloc(sizeof(*a));
    memset(a, 0, sizeof(*a));
    a->t = s->shared->slots[slot].toxic;
    a->slot = slot;
    a->owner = lz_draw_index(e->path, a->t.owner);
    a->since_ns = lz_loop_now(s->loop);
    a->since_ordinal = e->ordinal;
    a->touched = &s->shared->slots[slot].touched;
    s->lines[slot] = (struct lz_line){.tokens = 0};
    *at = a;
    changed(e);
}

static void remove_toxic(struct lz_edge *e, uint32_t slot)
{
    struct lz_active **at = find(e, slot);
    struct lz_active *a = *at;
    LZ_ASSERT(a != NULL);
    lz_door_count(e);
    *at = a->next;
    changed(e);
    free(a);
}

// --- commands ---

static const char *new_edge(struct lz_serve *s, const struct lz_shared_command *c, int fd)
{
    if (fd < 0)
        return "the listening socket did not arrive: too many open files";
    struct lz_edge *e = lz_mem_alloc(sizeof(*e));
    memset(e, 0, sizeof(*e));
    e->serve = s;
    e->id = c->edge;
    memcpy(e->name, c->name, sizeof(e->name));
    e->is_http = c->is_http;
    e->listen = fd;
    e->plug = -1;
    e->upstream = c->upstream;
    e->upstream_len = c->upstream_len;
    e->path = lz_draw_name(0, e->name);
    e->counts = &s->shared->edges[c->edge - 1];
    s->edges[c->edge] = e;
    s->edge_count++;
    if (!s->is_full && !listen_on(e))
        return "cannot watch the listening socket";
    return "ok";
}

static const char *carry_out(struct lz_serve *s, const struct lz_shared_command *c, int fd)
{
    LZ_ASSERT(c->edge >= 1 && c->edge <= LZ_PROXY_EDGES_MAX);
    if (c->op == LZ_SHARED_EDGE)
        return new_edge(s, c, fd);
    struct lz_edge *e = s->edges[c->edge];
    LZ_ASSERT(e != NULL);
    LZ_ASSERT(c->slot < LZ_PROXY_TOXICS_MAX);
    if (c->op == LZ_SHARED_ADD) {
        add(e, c->slot);
    } else if (c->op == LZ_SHARED_REMOVE) {
        remove_toxic(e, c->slot);
    } else {
        LZ_ASSERT(c->op == LZ_SHARED_CHANGE);
        (*find(e, c->slot))->t = c->toxic;
        changed(e);
    }
    return "ok";
}

static void on_command(void *ctx, int fd, unsigned events)
{
    struct lz_serve *s = ctx;
    struct lz_shared_command c;
    int passed;
    (void)events;
    ssize_t n = lz_mail_receive(fd, &c, sizeof(c), &passed);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n != (ssize_t)sizeof(c))
        _exit(0); // the run is over
    const char *answer = carry_out(s, &c, passed);
    if (c.op != LZ_SHARED_CHANGE && send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
        _exit(0);
}

static void on_doors(void *ctx, int64_t now_ns)
{
    struct lz_serve *s = ctx;
    bool is_any_shut = false;
    for (uint32_t i = 1; i <= LZ_PROXY_EDGES_MAX && s->edges[i] != NULL; i++) {
        if (!s->edges[i]->is_shut)
            continue;
        lz_door_count(s->edges[i]);
        is_any_shut = true;
    }
    if (is_any_shut)
        lz_loop_arm(s->loop, &s->watch_doors, now_ns + DOORS_EVERY_NS);
}

// --- the process ---

// Of all that the run had open this process keeps its two and stderr: a pipe held open here
// would never come to its end for those who wait at the other side.
static void keep_own_descriptors(int control, int wake)
{
    int high_control = fcntl(control, F_DUPFD_CLOEXEC, 64);
    int high_wake = fcntl(wake, F_DUPFD_CLOEXEC, 64);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (high_control < 0 || high_wake < 0 || null < 0)
        _exit(1);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup3(high_control, LZ_SHARED_CONTROL_FD, O_CLOEXEC);
    dup3(high_wake, LZ_SHARED_WAKE_FD, O_CLOEXEC);
    close_range(LZ_SHARED_WAKE_FD + 1, ~0u, 0);
}

static size_t raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t room = limit.rlim_cur > FD_RESERVE + 8 ? limit.rlim_cur - FD_RESERVE : 8;
    return room / FDS_PER_CONNECTION;
}

_Noreturn void lz_serve_main(struct lz_shared *shared, uint64_t run_key, int control, int wake)
{
    static struct lz_serve s;
    struct lz_err err;
    keep_own_descriptors(control, wake);
    // The terminal's signals are for the run, which ends us when it is done.
    static const int not_ours[] = {SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};
    for (size_t i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++)
        signal(not_ours[i], SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_NAME, "lorenz-proxy");
    prctl(PR_SET_TIMERSLACK, 1000ul); // 1 us: a delay of 1 ms is not 1.05 ms
    s.shared = shared;
    s.run_key = run_key;
    s.conns_max = raise_limit();
    s.watch_doors = (struct lz_loop_timer){.fn = on_doors, .ctx = &s};
    if (!lz_loop_create(&s.loop, &err) ||
        !lz_loop_watch(s.loop, LZ_SHARED_CONTROL_FD, LZ_LOOP_READ, on_command, &s, &err)) {
        fprintf(stderr, "lorenz: proxy: %s\n", err.msg);
        _exit(1);
    }
    lz_worker_first(&s);
    for (;;)
        lz_loop_run(s.loop, LZ_LOOP_NEVER);
}
