#include "live/acts.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

struct act {
    struct act *next;
    lz_acts_fn *fn;
    void *ctx;
};

// Who holds the baton may use all of it. `synced` alone belongs to who waits for the disk.
struct lz_acts {
    struct lz_loop *loop;
    pthread_t thread;
    sem_t to_act, to_loop; // the baton, on its way
    int synced;            // eventfd: the disk has it
    struct act *first, *last;
    bool is_running; // the act's thread has the baton, or waits for the disk
    bool is_waiting;
    bool is_ending;
};

static void take(sem_t *baton)
{
    while (sem_wait(baton) != 0)
        LZ_ASSERT(errno == EINTR);
}

static bool is_within(const struct lz_acts *a)
{
    return pthread_equal(pthread_self(), a->thread) != 0;
}

static void *serve(void *ctx)
{
    struct lz_acts *a = ctx;
    for (;;) {
        take(&a->to_act);
        if (a->is_ending)
            return NULL;
        struct act *act = a->first;
        LZ_ASSERT(act != NULL);
        a->first = act->next;
        act->fn(act->ctx);
        free(act);
        a->is_running = false;
        sem_post(&a->to_loop);
    }
}

// Until nothing is left to do, or one waits for the disk.
static void go_on(struct lz_acts *a)
{
    while (a->first != NULL && !a->is_waiting) {
        LZ_ASSERT(!a->is_running);
        a->is_running = true;
        sem_post(&a->to_act);
        take(&a->to_loop);
    }
}

static void on_synced(void *ctx, int fd, unsigned events)
{
    struct lz_acts *a = ctx;
    uint64_t count;
    (void)events;
    if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return;
    LZ_ASSERT(a->is_waiting);
    a->is_waiting = false;
    sem_post(&a->to_act);
    take(&a->to_loop);
    go_on(a);
}

int lz_acts_sync(void *acts, int fd)
{
    struct lz_acts *a = acts;
    bool is_act = is_within(a);
    uint64_t one = 1;
    if (is_act) {
        LZ_ASSERT(a->is_running && !a->is_waiting);
        a->is_waiting = true;
        sem_post(&a->to_loop);
    }
    int failed = fsync(fd) == 0 ? 0 : errno;
    if (is_act) {
        ssize_t n = write(a->synced, &one, sizeof(one));
        LZ_ASSERT(n == (ssize_t)sizeof(one));
        take(&a->to_act);
    }
    return failed;
}

void lz_acts_do(struct lz_acts *a, lz_acts_fn *fn, void *ctx)
{
    if (is_within(a)) {
        fn(ctx);
        return;
    }
    struct act *act = lz_mem_alloc(sizeof(*act));
    *act = (struct act){.fn = fn, .ctx = ctx};
    *(a->first != NULL ? &a->last->next : &a->first) = act;
    a->last = act;
    go_on(a);
}

bool lz_acts_are_waiting(const struct lz_acts *a)
{
    return a->is_waiting;
}

void lz_acts_drain(struct lz_acts *a)
{
    while (a != NULL && a->is_waiting) {
        struct pollfd p = {.fd = a->synced, .events = POLLIN};
        if (poll(&p, 1, -1) > 0)
            on_synced(a, a->synced, LZ_LOOP_READ);
    }
    LZ_ASSERT(a == NULL || a->first == NULL);
}

bool lz_acts_create(struct lz_loop *loop, struct lz_acts **out, struct lz_err *err)
{
    struct lz_acts *a = lz_mem_alloc(sizeof(*a));
    *a = (struct lz_acts){.loop = loop};
    a->synced = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int why = a->synced < 0 ? errno : 0;
    sem_init(&a->to_act, 0, 0);
    sem_init(&a->to_loop, 0, 0);
    bool ok = why == 0 && (why = pthread_create(&a->thread, NULL, serve, a)) == 0;
    if (!ok) {
        lz_fail(err, LZ_EIO, "no thread can be had for what waits for the disk: %s", strerror(why));
        if (a->synced >= 0)
            close(a->synced);
        free(a);
        return false;
    }
    ok = lz_loop_watch(loop, a->synced, LZ_LOOP_READ, on_synced, a, err);
    if (ok)
        *out = a;
    else
        lz_acts_destroy(a);
    return ok;
}

void lz_acts_destroy(struct lz_acts *a)
{
    if (a == NULL)
        return;
    LZ_ASSERT(a->first == NULL && !a->is_running);
    a->is_ending = true;
    sem_post(&a->to_act);
    pthread_join(a->thread, NULL);
    lz_loop_unwatch(a->loop, a->synced);
    close(a->synced);
    sem_destroy(&a->to_act);
    sem_destroy(&a->to_loop);
    free(a);
}
