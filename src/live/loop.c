#include "live/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define BATCH 256 // news taken from the kernel at once
#define SIGNALS 65

// What is done with one descriptor. `generation` tells news of an earlier watch of the same
// number from news of this one: both can be in one batch.
struct watch {
    lz_loop_fd_fn *fn; // NULL: not watched
    void *ctx;
    uint32_t generation;
    unsigned events;
};

struct child {
    struct child *next;
    struct lz_loop *loop;
    pid_t pid;
    int fd;
    lz_loop_child_fn *fn;
    void *ctx;
};

struct on_signal {
    lz_loop_signal_fn *fn;
    void *ctx;
};

struct lz_loop {
    int epoll;
    int64_t now_ns;
    bool stopped;
    bool is_firing;    // timers
    bool lacks_pwait2; // a kernel before 5.11: waits are whole milliseconds
    struct watch *watches;
    size_t watch_cap;
    struct lz_loop_timer **heap; // from 1; the first is the nearest
    size_t timers;
    size_t timer_cap;
    uint64_t armed; // so far: which of two at one time is first
    struct child *children;
    int signals; // -1 until one is watched
    sigset_t watched;
    sigset_t mask_before;
    struct on_signal on_signal[SIGNALS];
    struct lz_loop_turnstile turnstile; // all NULL: shared with nobody
};

int64_t lz_loop_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t lz_loop_now(const struct lz_loop *loop)
{
    return loop->now_ns;
}

bool lz_loop_create(struct lz_loop **out, struct lz_err *err)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return lz_fail(err, LZ_EIO, "cannot make an event loop: %s", strerror(errno));
    struct lz_loop *loop = lz_mem_alloc(sizeof(*loop));
    *loop = (struct lz_loop){.epoll = epoll, .signals = -1, .now_ns = lz_loop_clock()};
    sigemptyset(&loop->watched);
    *out = loop;
    return true;
}

static void close_own(struct lz_loop *loop)
{
    close(loop->epoll);
    for (struct child *c = loop->children; c != NULL; c = c->next)
        close(c->fd);
    if (loop->signals >= 0) {
        close(loop->signals);
        sigprocmask(SIG_SETMASK, &loop->mask_before, NULL);
    }
}

void lz_loop_destroy(struct lz_loop *loop)
{
    if (loop == NULL)
        return;
    close_own(loop);
    for (struct child *c = loop->children, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    for (size_t i = 1; i <= loop->timers; i++)
        loop->heap[i]->place = 0;
    free(loop->heap);
    free(loop->watches);
    free(loop);
}

void lz_loop_forked(struct lz_loop *loop)
{
    close_own(loop);
}

// --- timers: a binary heap ---

static bool is_before(const struct lz_loop_timer *a, const struct lz_loop_timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void put(struct lz_loop *loop, struct lz_loop_timer *timer, size_t place)
{
    LZ_ASSERT(place >= 1 && place <= loop->timers);
    loop->heap[place] = timer;
    timer->place = place;
}

static void sift_up(struct lz_loop *loop, struct lz_loop_timer *timer, size_t place)
{
    while (place > 1 && is_before(timer, loop->heap[place / 2])) {
        put(loop, loop->heap[place / 2], place);
        place /= 2;
    }
    put(loop, timer, place);
}

static void sift_down(struct lz_loop *loop, struct lz_loop_timer *timer, size_t place)
{
    for (;;) {
        size_t child = place * 2;
        if (child > loop->timers)
            break;
        if (child < loop->timers && is_before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!is_before(loop->heap[child], timer))
            break;
        put(loop, loop->heap[child], place);
        place = child;
    }
    put(loop, timer, place);
}

bool lz_loop_is_armed(const struct lz_loop_timer *timer)
{
    return timer->place != 0;
}

void lz_loop_cancel(struct lz_loop *loop, struct lz_loop_timer *timer)
{
    size_t place = timer->place;
    if (place == 0)
        return;
    LZ_ASSERT(place <= loop->timers);
    LZ_ASSERT(loop->heap[place] == timer);
    struct lz_loop_timer *last = loop->heap[loop->timers--];
    timer->place = 0;
    if (last == timer)
        return;
    if (place > 1 && is_before(last, loop->heap[place / 2]))
        sift_up(loop, last, place);
    else
        sift_down(loop, last, place);
}

void lz_loop_arm(struct lz_loop *loop, struct lz_loop_timer *timer, int64_t at_ns)
{
    LZ_ASSERT(timer->fn != NULL);
    lz_loop_cancel(loop, timer);
    if (loop->timers + 1 >= loop->timer_cap) {
        loop->timer_cap = loop->timer_cap > 0 ? loop->timer_cap * 2 : 64;
        loop->heap = lz_mem_resize(loop->heap, loop->timer_cap * sizeof(struct lz_loop_timer *));
    }
    // What a timer arms waits for the next turn, or one that always is due would never end it.
    timer->at_ns = loop->is_firing && at_ns <= loop->now_ns ? loop->now_ns + 1 : at_ns;
    timer->order = ++loop->armed;
    loop->timers++;
    sift_up(loop, timer, loop->timers);
}

static void fire_timers(struct lz_loop *loop)
{
    loop->is_firing = true;
    while (loop->timers > 0 && loop->heap[1]->at_ns <= loop->now_ns) {
        struct lz_loop_timer *timer = loop->heap[1];
        lz_loop_cancel(loop, timer);
        timer->fn(timer->ctx, loop->now_ns);
    }
    loop->is_firing = false;
}

// --- descriptors ---

static struct watch *watch_of(struct lz_loop *loop, int fd)
{
    LZ_ASSERT(fd >= 0);
    size_t need = (size_t)fd + 1;
    if (need > loop->watch_cap) {
        size_t cap = loop->watch_cap > 0 ? loop->watch_cap : 64;
        while (cap < need)
            cap *= 2;
        loop->watches = lz_mem_resize(loop->watches, cap * sizeof(struct watch));
        memset(loop->watches + loop->watch_cap, 0, (cap - loop->watch_cap) * sizeof(struct watch));
        loop->watch_cap = cap;
    }
    return &loop->watches[fd];
}

static uint32_t to_epoll(unsigned events)
{
    uint32_t flags = 0;
    if (events & LZ_LOOP_READ)
        flags |= EPOLLIN;
    if (events & LZ_LOOP_WRITE)
        flags |= EPOLLOUT;
    if (events & LZ_LOOP_EDGE)
        flags |= EPOLLET | EPOLLRDHUP;
    return flags;
}

static unsigned from_epoll(uint32_t flags)
{
    unsigned events = 0;
    if (flags & EPOLLIN)
        events |= LZ_LOOP_READ;
    if (flags & EPOLLOUT)
        events |= LZ_LOOP_WRITE;
    if (flags & (EPOLLERR | EPOLLHUP))
        events |= LZ_LOOP_ERROR;
    if (flags & EPOLLRDHUP)
        events |= LZ_LOOP_ENDED;
    return events;
}

bool lz_loop_watch(struct lz_loop *loop, int fd, unsigned events, lz_loop_fd_fn *fn, void *ctx,
                   struct lz_err *err)
{
    LZ_ASSERT(fn != NULL);
    struct watch *w = watch_of(loop, fd);
    bool is_new = w->fn == NULL;
    if (!is_new && w->events == events) {
        w->fn = fn;
        w->ctx = ctx;
        return true;
    }
    uint32_t generation = is_new ? w->generation + 1 : w->generation;
    struct epoll_event e = {.events = to_epoll(events),
                            .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd};
    int failed = epoll_ctl(loop->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
    // A library may have closed and opened the same number behind our back.
    if (failed && errno == ENOENT)
        failed = epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &e);
    if (failed)
        return lz_fail(err, LZ_EIO, "cannot watch descriptor %d: %s", fd, strerror(errno));
    *w = (struct watch){.fn = fn, .ctx = ctx, .generation = generation, .events = events};
    return true;
}

void lz_loop_unwatch(struct lz_loop *loop, int fd)
{
    if (fd < 0 || (size_t)fd >= loop->watch_cap || loop->watches[fd].fn == NULL)
        return;
    loop->watches[fd].fn = NULL;
    loop->watches[fd].generation++;
    // Fails for one that is closed already; the kernel forgot that one by itself.
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void lz_loop_close(struct lz_loop *loop, int fd)
{
    LZ_ASSERT(fd >= 0);
    if ((size_t)fd < loop->watch_cap && loop->watches[fd].fn != NULL) {
        loop->watches[fd].fn = NULL;
        loop->watches[fd].generation++;
    }
    close(fd); // the last reference: epoll forgets it
}

// --- children ---

static void drop_child(struct lz_loop *loop, struct child **at)
{
    struct child *c = *at;
    *at = c->next;
    lz_loop_unwatch(loop, c->fd);
    close(c->fd);
    free(c);
}

static struct child **find_child(struct lz_loop *loop, pid_t pid)
{
    struct child **at = &loop->children;
    while (*at != NULL && (*at)->pid != pid)
        at = &(*at)->next;
    return at;
}

static void on_child(void *ctx, int fd, unsigned events)
{
    struct child *c = ctx;
    (void)fd;
    (void)events;
    int status = 0;
    pid_t got = waitpid(c->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return;
    // Somebody else reaped it: it is gone all the same, how is not known.
    struct child copy = *c;
    drop_child(c->loop, find_child(c->loop, c->pid));
    copy.fn(copy.ctx, copy.pid, status);
}

bool lz_loop_watch_child(struct lz_loop *loop, pid_t pid, lz_loop_child_fn *fn, void *ctx,
                         struct lz_err *err)
{
    LZ_ASSERT(pid > 0);
    LZ_ASSERT(fn != NULL);
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return lz_fail(err, LZ_EINVAL, "process %d is no child of this one", (int)pid);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return lz_fail(err, LZ_EIO, "cannot watch process %d: %s", (int)pid, strerror(errno));
    struct child *c = lz_mem_alloc(sizeof(*c));
    *c = (struct child){.loop = loop, .pid = pid, .fd = fd, .fn = fn, .ctx = ctx};
    if (!lz_loop_watch(loop, fd, LZ_LOOP_READ, on_child, c, err)) {
        close(fd);
        free(c);
        return false;
    }
    c->next = loop->children;
    loop->children = c;
    return true;
}

void lz_loop_unwatch_child(struct lz_loop *loop, pid_t pid)
{
    struct child **at = find_child(loop, pid);
    if (*at != NULL)
        drop_child(loop, at);
}

// --- signals ---

static void on_signals(void *ctx, int fd, unsigned events)
{
    struct lz_loop *loop = ctx;
    (void)events;
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        LZ_ASSERT(info.ssi_signo < SIGNALS);
        const struct on_signal *on = &loop->on_signal[info.ssi_signo];
        if (on->fn != NULL)
            on->fn(on->ctx, (int)info.ssi_signo);
    }
}

bool lz_loop_watch_signal(struct lz_loop *loop, int signal, lz_loop_signal_fn *fn, void *ctx,
                          struct lz_err *err)
{
    LZ_ASSERT(signal > 0 && signal < SIGNALS);
    LZ_ASSERT(fn != NULL);
    sigaddset(&loop->watched, signal);
    int fd = signalfd(loop->signals, &loop->watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return lz_fail(err, LZ_EIO, "cannot receive signal %d: %s", signal, strerror(errno));
    if (loop->signals < 0) {
        loop->signals = fd;
        sigprocmask(SIG_SETMASK, NULL, &loop->mask_before);
        if (!lz_loop_watch(loop, fd, LZ_LOOP_READ, on_signals, loop, err))
            return false;
    }
    loop->on_signal[signal] = (struct on_signal){.fn = fn, .ctx = ctx};
    sigprocmask(SIG_BLOCK, &loop->watched, NULL);
    return true;
}

// --- running ---

static int wait_for(struct lz_loop *loop, struct epoll_event *news, int64_t wait_ns)
{
    if (!loop->lacks_pwait2) {
        struct timespec t = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
        int n = epoll_pwait2(loop->epoll, news, BATCH, wait_ns == LZ_LOOP_NEVER ? NULL : &t, NULL);
        if (n >= 0 || errno != ENOSYS)
            return n;
        loop->lacks_pwait2 = true;
    }
    // Rounded up: who is woken too early would come straight back.
    int64_t ms = wait_ns == LZ_LOOP_NEVER ? -1 : wait_ns / NS_PER_MS + (wait_ns % NS_PER_MS > 0);
    return epoll_wait(loop->epoll, news, BATCH, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

void lz_loop_share(struct lz_loop *loop, const struct lz_loop_turnstile *turnstile)
{
    loop->turnstile = *turnstile;
}

void lz_loop_turn(struct lz_loop *loop, int64_t deadline_ns)
{
    int64_t until = deadline_ns;
    if (loop->timers > 0 && loop->heap[1]->at_ns < until)
        until = loop->heap[1]->at_ns;
    int64_t wait = LZ_LOOP_NEVER;
    if (until != LZ_LOOP_NEVER) {
        loop->now_ns = lz_loop_clock();
        wait = until > loop->now_ns ? until - loop->now_ns : 0;
    }
    struct epoll_event news[BATCH];
    const struct lz_loop_turnstile *t = &loop->turnstile;
    if (t->let_go != NULL)
        t->let_go(t->ctx);
    int n = wait_for(loop, news, wait);
    LZ_ASSERT(n >= 0 || errno == EINTR);
    if (t->take != NULL)
        t->take(t->ctx);
    loop->now_ns = lz_loop_clock();
    fire_timers(loop);
    for (int i = 0; i < n; i++) {
        uint32_t fd = (uint32_t)news[i].data.u64;
        LZ_ASSERT(fd < loop->watch_cap);
        const struct watch *w = &loop->watches[fd];
        if (w->fn != NULL && w->generation == (uint32_t)(news[i].data.u64 >> 32))
            w->fn(w->ctx, (int)fd, from_epoll(news[i].events));
    }
}

bool lz_loop_run(struct lz_loop *loop, int64_t deadline_ns)
{
    loop->stopped = false;
    while (!loop->stopped) {
        lz_loop_turn(loop, deadline_ns);
        if (!loop->stopped && loop->now_ns >= deadline_ns)
            return false;
    }
    return true;
}

void lz_loop_stop(struct lz_loop *loop)
{
    loop->stopped = true;
}
