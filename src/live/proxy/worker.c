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
    bool was_cut[2];
};

enum word { READY, FAILED, DONE, ROOM }; // from a worker to the first, a byte each

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

static void on_mail(void *ctx, int fd, unsigned events)
{
    struct lz_worker *w = ctx;
    struct lz_serve *s = w->serve;
    struct mail m;
    int passed;
    (void)events;
    ssize_t n = lz_mail_receive(fd, &m, sizeof(m), &passed);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    LZ_ASSERT(n == (ssize_t)sizeof(m));
    struct lz_edge *e = s->edges[m.edge];
    if (m.op == TAKE) {
        w->conns--; // it was counted when it was sent
        if (passed >= 0)
            lz_conn_accept(e, passed);
        return;
    }
    lz_serve_tell_conns(e, m.was_cut);
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
    if (!is_apart || !lz_loop_create(&w->loop, &err) ||
        !lz_loop_watch(w->loop, LZ_SHARED_CONTROL_FD, LZ_LOOP_READ, on_mail, w, &err)) {
        say(is_apart ? LZ_SHARED_CONTROL_FD : own, FAILED);
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

static void on_word(void *ctx, int fd, unsigned events)
{
    struct lz_worker *w = ctx;
    unsigned char byte;
    (void)events;
    if (recv(fd, &byte, 1, MSG_DONTWAIT) == 1 && byte == ROOM)
        lz_serve_room(w->serve);
}

// False: there can be no more of them here, which is then so for good.
static bool start(struct lz_serve *s)
{
    struct lz_worker *w = &s->workers[s->worker_count];
    struct lz_err err;
    int ends[2];
    pthread_t thread;
    s->no_more_workers = true;
    if (s->worker_count == LZ_WORKERS_MAX ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    if (s->worker_count == 1)
        take_turns(&s->workers[0]); // alone it needed no lock
    *w = (struct lz_worker){.serve = s, .mail = ends[0], .mail_of_its_own = ends[1]};
    bool is_there = pthread_create(&thread, NULL, work, w) == 0;
    if (is_there) {
        pthread_detach(thread);
        is_there = hear(w) == READY;
    }
    close(ends[1]);
    if (!is_there || !lz_loop_watch(s->loop, w->mail, LZ_LOOP_READ, on_word, w, &err)) {
        close(w->mail);
        return false;
    }
    s->worker_count++;
    s->no_more_workers = false;
    return true;
}

struct lz_worker *lz_worker_with_room(struct lz_serve *s)
{
    LZ_ASSERT(s->at_work == &s->workers[0]);
    for (;;) {
        for (uint32_t i = 0; i < s->worker_count; i++) {
            if (s->workers[i].conns < s->conns_max)
                return &s->workers[i];
        }
        if (s->no_more_workers || !start(s))
            return NULL;
    }
}

void lz_worker_hand(struct lz_worker *w, struct lz_edge *e, int fd)
{
    struct lz_worker *first = w->serve->at_work;
    const struct mail m = {.op = TAKE, .edge = e->id};
    w->conns++;
    let_go(first); // its socket may be full until it has been at work
    LZ_ASSERT(lz_mail_send(w->mail, &m, sizeof(m), fd));
    take(first);
    close(fd);
}

void lz_worker_changed(struct lz_edge *e, const bool was_cut[2])
{
    struct lz_serve *s = e->serve;
    struct lz_worker *first = s->at_work;
    struct mail m = {.op = CHANGED, .edge = e->id, .was_cut = {was_cut[0], was_cut[1]}};
    bool is_room = false;
    for (uint32_t i = 1; i < s->worker_count; i++) {
        struct lz_worker *w = &s->workers[i];
        enum word word;
        let_go(first);
        LZ_ASSERT(lz_mail_send(w->mail, &m, sizeof(m), -1));
        while ((word = hear(w)) == ROOM)
            is_room = true;
        LZ_ASSERT(word == DONE);
        take(first);
    }
    if (is_room)
        lz_serve_room(s);
}

void lz_worker_has_room(struct lz_serve *s)
{
    if (s->at_work == &s->workers[0])
        lz_serve_room(s);
    else if (s->is_full)
        (void)say(LZ_SHARED_CONTROL_FD, ROOM); // a socket that is full of them says it already
}
