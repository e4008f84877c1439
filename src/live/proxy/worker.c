/*
 * More descriptors than one table holds.
 *
 * The limit of descriptors (RLIMIT_NOFILE) is one of each table, and a thread may have a table of
 * its own (unshare). So where the proxy's process has no room left, a further thread with its own
 * table and loop takes the connections that come then. All state is common, toxics, their lines
 * and the numbers of connections too, as if there were one thread; and at one time one thread is at
 * work, which has the lock except while it waits for news. A connection stays with the worker that
 * has its descriptors.
 *
 * The first worker is the process's own thread: it listens, takes commands, and sends the others
 *
 *   TAKE     a connection that was accepted, with its descriptor
 *   CHANGED  toxics came or went on an edge; answered when all connections know of it
 *
 * and is sent ROOM by one whose connection has ended while nobody was accepted.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "live/proxy/inner.h"
#include "live/proxy/mail.h"

enum mail_op { TAKE, CHANGED };

struct mail {
    enum mail_op op;
    uint32_t edge;
    uint64_t ordinal; // TAKE: connections are numbered as they are accepted
};

enum word { READY, FAILED, REFUSED, DONE, ROOM }; // from a worker to the first, a byte each

// The reserve (serve.c) has room for the listeners of so many edges and for what shuts their doors;
// each further one takes the room of a connection.
#define EDGES_FREE 7
#define AGAIN_NS INT64_C(1000000000) // after a refusal that may pass

// --- one at a time ---

static void let_go(void *ctx)
{
    struct lz_worker *w = ctx;
    pthread_mutex_unlock(&w->serve->lock);
}

static void take(void *ctx)
{
    struct lz_worker *w = ctx;
    struct lz_serve *s = w->serve;
    pthread_mutex_lock(&s->lock);
    s->at_work = w;
    s->loop = w->loop;
}

static void take_turns(struct lz_worker *w)
{
    const struct lz_loop_turnstile one_at_a_time = {.let_go = let_go, .take = take, .ctx = w};
    lz_loop_share(w->loop, &one_at_a_time);
    take(w);
}

// --- a further worker ---

static bool say(int fd, enum word word)
{
    unsigned char byte = (unsigned char)word;
    return send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static void turn_away(struct lz_edge *e)
{
    atomic_fetch_add_explicit(&e->counts->turned_away, 1, memory_order_relaxed);
}

static void on_mail(void *ctx, int fd, unsigned events)
{
    struct lz_worker *w = ctx;
    struct lz_serve *s = w->serve;
    struct mail m;
    int passed;
    (void)events;
    ssize_t n = lz_mail_receive(fd, &m, sizeof(m), &passed);
    if (n < 0) // nothing yet, or no memory now: it is still there
        return;
    LZ_ASSERT(n == (ssize_t)sizeof(m));
    struct lz_edge *e = s->edges[m.edge];
    if (m.op == TAKE) {
        w->conns--; // it was counted when it was sent
        if (passed >= 0) {
            lz_conn_accept(e, passed, m.ordinal);
            return;
        }
        turn_away(e); // the table is full: the descriptor is closed already
        lz_worker_has_room(s);
        return;
    }
    lz_serve_tell_conns(e);
    LZ_ASSERT(say(fd, DONE));
}

static void *work(void *ctx)
{
    struct lz_worker *w = ctx;
    struct lz_err err;
    int own = w->mail_of_its_own;
    // The table begins as a copy; what is in it of the first one's is not this one's to keep open.
    bool is_apart = unshare(CLONE_FILES) == 0 && dup3(own, LZ_SHARED_CONTROL_FD, O_CLOEXEC) >= 0 &&
                    close_range(LZ_SHARED_WAKE_FD + 1, ~0u, 0) == 0;
    if (!is_apart) {
        say(own, REFUSED);
        return NULL;
    }
    if (!lz_loop_create(&w->loop, &err) ||
        !lz_loop_watch(w->loop, LZ_SHARED_CONTROL_FD, LZ_LOOP_READ, on_mail, w, &err)) {
        lz_loop_destroy(w->loop);
        say(LZ_SHARED_CONTROL_FD, FAILED);
        return NULL;
    }
    LZ_ASSERT(say(LZ_SHARED_CONTROL_FD, READY));
    take_turns(w);
    for (;;)
        lz_loop_run(w->loop, LZ_LOOP_NEVER);
}

// --- the first one ---

void lz_worker_first(struct lz_serve *s)
{
    pthread_mutex_init(&s->lock, NULL);
    s->worker_count = 1;
    s->at_work = &s->workers[0];
    s->workers[0] = (struct lz_worker){.serve = s, .loop = s->loop};
}

// While somebody else is at work because of what was sent: wait for what it says.
static enum word hear(struct lz_worker *w)
{
    unsigned char byte;
    ssize_t n;
    do
        n = recv(w->mail, &byte, 1, 0);
    while (n < 0 && errno == EINTR);
    return n == 1 ? (enum word)byte : FAILED;
}

// The first has the listeners too.
static bool has_room(const struct lz_serve *s, const struct lz_worker *w)
{
    size_t edges =
        w == &s->workers[0] && s->edge_count > EDGES_FREE ? s->edge_count - EDGES_FREE : 0;
    return w->conns < (edges < s->conns_max ? s->conns_max - edges : 1);
}

static struct lz_worker *find_room(struct lz_serve *s)
{
    for (uint32_t i = 0; i < s->worker_count; i++) {
        if (has_room(s, &s->workers[i]))
            return &s->workers[i];
    }
    return NULL;
}

// What had room when it said so may be full again: who waits is counted once.
static void room_was_said(struct lz_serve *s)
{
    s->is_room_said = false;
    if (find_room(s) != NULL)
        lz_serve_room(s);
}

static void on_word(void *ctx, int fd, unsigned events)
{
    struct lz_worker *w = ctx;
    unsigned char byte;
    (void)events;
    if (recv(fd, &byte, 1, MSG_DONTWAIT) == 1 && byte == ROOM)
        room_was_said(w->serve);
}

// Its table, mail and loop. FAILED where that may pass, REFUSED where it is so for good.
static enum word bring_up(struct lz_worker *w, int ends[2])
{
    struct lz_loop *loop = w->serve->loop;
    struct lz_err err;
    pthread_t thread;
    enum word word = FAILED;
    if (!lz_loop_watch(loop, w->mail, LZ_LOOP_READ, on_word, w, &err))
        return FAILED;
    if (pthread_create(&thread, NULL, work, w) == 0) {
        pthread_detach(thread);
        word = hear(w);
    }
    if (word != READY)
        lz_loop_unwatch(loop, ends[0]);
    return word;
}

// False: none can be had, at this moment or for good.
static bool start(struct lz_serve *s)
{
    int64_t now = lz_loop_now(s->loop);
    int ends[2];
    if (now < s->next_worker_at_ns)
        return false;
    s->next_worker_at_ns = s->worker_count == LZ_WORKERS_MAX ? LZ_LOOP_NEVER : now + AGAIN_NS;
    if (s->worker_count == LZ_WORKERS_MAX ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    if (s->worker_count == 1 && !s->takes_turns)
        take_turns(&s->workers[0]); // alone it needed no lock
    s->takes_turns = true;
    struct lz_worker *w = &s->workers[s->worker_count];
    *w = (struct lz_worker){.serve = s, .mail = ends[0], .mail_of_its_own = ends[1]};
    enum word word = bring_up(w, ends);
    close(ends[1]);
    if (word != READY) {
        close(ends[0]);
        if (word == REFUSED)
            s->next_worker_at_ns = LZ_LOOP_NEVER;
        return false;
    }
    s->worker_count++;
    s->next_worker_at_ns = 0;
    return true;
}

size_t lz_worker_conns(const struct lz_serve *s)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < s->worker_count; i++)
        sum += s->workers[i].conns;
    return sum;
}

struct lz_worker *lz_worker_with_room(struct lz_serve *s)
{
    LZ_ASSERT(s->at_work == &s->workers[0]);
    struct lz_worker *w;
    while ((w = find_room(s)) == NULL && start(s))
        continue;
    return w;
}

void lz_worker_hand(struct lz_worker *w, struct lz_edge *e, int fd)
{
    struct lz_worker *first = w->serve->at_work;
    const struct mail m = {.op = TAKE, .edge = e->id, .ordinal = ++e->ordinal};
    w->conns++;
    let_go(first); // its socket may be full until it has been at work
    bool is_sent = lz_mail_send(w->mail, &m, sizeof(m), fd);
    take(first);
    close(fd);
    if (is_sent)
        return;
    w->conns--; // the system has no memory for it, or too many descriptors are on their way
    turn_away(e);
}

void lz_worker_changed(struct lz_edge *e)
{
    struct lz_serve *s = e->serve;
    struct lz_worker *first = s->at_work;
    struct mail m = {.op = CHANGED, .edge = e->id};
    bool is_room = false;
    for (uint32_t i = 1; i < s->worker_count; i++) {
        struct lz_worker *w = &s->workers[i];
        enum word word;
        let_go(first);
        while (!lz_mail_send(w->mail, &m, sizeof(m), -1)) // no memory for it now: it has to be told
            LZ_ASSERT(errno == ENOBUFS || errno == ENOMEM);
        while ((word = hear(w)) == ROOM)
            is_room = true;
        LZ_ASSERT(word == DONE);
        take(first);
    }
    if (is_room)
        room_was_said(s);
}

void lz_worker_has_room(struct lz_serve *s)
{
    if (s->at_work == &s->workers[0])
        lz_serve_room(s);
    else if (s->is_full && !s->is_room_said)
        s->is_room_said = say(LZ_SHARED_CONTROL_FD, ROOM);
}
