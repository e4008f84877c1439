#include "explore/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"

#define NS_PER_S ((int64_t)1000000000)
#define NS_PER_MS ((int64_t)1000000)
#define READ_SIZE 65536
#define WINDOW 4096 // results that may wait for an earlier one: a slow job holds no more than these

// A message is the work's bytes behind this, so that half of one is known as such.
struct header {
    uint64_t magic;
    uint64_t size;
};
#define HEADER_MAGIC UINT64_C(0x7a6e65726f4c0001)

// One child at work. `pid` is 0 when the place is free.
struct worker {
    pid_t pid;
    size_t job;
    int pipe;
    int said; // a file in memory: its standard output and error
    int64_t deadline;
    bool timed_out;
    struct lz_str bytes;
};

struct crew {
    const struct lz_crew_opts *opts;
    pid_t self;
    struct worker *workers;
    struct lz_crew_result *results; // of the jobs that wait for an earlier one; `end` 0: not ended
    size_t window;                  // how many; job i is at i % window
    size_t started;
    size_t handed_over;
    bool stopping;     // nothing more is started
    bool cut;          // nothing more is handed over
    sigset_t old_mask; // while waiting, signals may come
};

// Only a signal handler writes it, only the crew at work reads it.
static volatile sig_atomic_t caught;

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define STOP_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

static void on_stop(int signal)
{
    caught = signal;
}

static int64_t wall_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void *zeroed(size_t count, size_t size)
{
    LZ_ASSERT(size > 0 && count < SIZE_MAX / size);
    return memset(lz_mem_alloc(count * size + 1), 0, count * size + 1);
}

// The child's whole life. Its terminal signals are the parent's business, and it
// leaves by _exit: what the parent had registered or buffered is not the child's.
static _Noreturn void child(const struct crew *crew, size_t job, int pipe, int said)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != crew->self)
        _exit(1); // it died before we asked to be told
    for (size_t i = 0; i < STOP_SIGNALS; i++)
        signal(stop_signals[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, &crew->old_mask, NULL);
    dup2(said, STDOUT_FILENO);
    dup2(said, STDERR_FILENO);

    struct lz_str message;
    lz_str_init(&message);
    crew->opts->work(crew->opts->ctx, job, &message);
    fflush(NULL);
    const struct header header = {.magic = HEADER_MAGIC, .size = message.len};
    bool sent = lz_io_write(pipe, &header, sizeof(header)) == 0 &&
                lz_io_write(pipe, message.text, message.len) == 0;
    lz_str_finish(&message);
    _exit(sent ? 0 : 1);
}

static bool start(struct crew *crew, struct worker *w, struct lz_err *err)
{
    LZ_ASSERT(w->pid == 0);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return lz_fail(err, LZ_EIO, "cannot make a pipe: %s", strerror(errno));
    int said = memfd_create("lorenz-said", MFD_CLOEXEC);
    pid_t pid = said < 0 ? -1 : fork();
    if (pid < 0) {
        int reason = errno;
        close(ends[0]);
        close(ends[1]);
        if (said >= 0)
            close(said);
        return lz_fail(err, LZ_EIO, "cannot start a worker: %s", strerror(reason));
    }
    if (pid == 0) {
        close(ends[0]);
        child(crew, crew->started, ends[1], said);
    }
    // Now, before the next fork: an end of file must mean that this child is gone.
    close(ends[1]);
    w->pid = pid;
    w->job = crew->started++;
    w->pipe = ends[0];
    w->said = said;
    w->timed_out = false;
    int64_t timeout = crew->opts->timeout_ns;
    w->deadline = timeout > 0 ? wall_now() + timeout : INT64_MAX;
    lz_str_init(&w->bytes);
    return true;
}

static struct lz_crew_result *result_of(struct crew *crew, size_t job)
{
    LZ_ASSERT(job >= crew->handed_over && job - crew->handed_over < crew->window);
    return &crew->results[job % crew->window];
}

static void read_said(struct lz_str *out, int fd)
{
    char *bytes = lz_mem_alloc(LZ_CREW_SAID_MAX);
    ssize_t n = pread(fd, bytes, LZ_CREW_SAID_MAX, 0);
    if (n > 0)
        lz_str_add_n(out, bytes, (size_t)n);
    free(bytes);
}

static bool unpack(struct lz_crew_result *r, const struct lz_str *bytes)
{
    struct header header;
    if (bytes->len < sizeof(header))
        return false;
    memcpy(&header, bytes->text, sizeof(header));
    if (header.magic != HEADER_MAGIC || header.size != bytes->len - sizeof(header))
        return false;
    lz_str_add_n(&r->message, bytes->text + sizeof(header), (size_t)header.size);
    return true;
}

static void signal_name(char *out, size_t size, int signal)
{
    const char *name = sigabbrev_np(signal);
    if (name != NULL)
        snprintf(out, size, "SIG%s", name);
    else
        snprintf(out, size, "signal %d", signal);
}

// The pipe is at its end: see how the child left, and free the place.
static void finish(struct crew *crew, struct worker *w)
{
    LZ_ASSERT(w->pid > 0);
    LZ_ASSERT(w->job < crew->started);
    int status = 0;
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;

    struct lz_crew_result *r = result_of(crew, w->job);
    LZ_ASSERT(r->end == 0);
    lz_str_init(&r->message);
    lz_str_init(&r->said);
    read_said(&r->said, w->said);
    r->end = LZ_CREW_CRASHED;
    if (w->timed_out)
        r->end = LZ_CREW_TIMED_OUT;
    else if (WIFSIGNALED(status) && crew->stopping)
        r->end = LZ_CREW_STOPPED;
    else if (WIFSIGNALED(status))
        signal_name(r->how, sizeof(r->how), WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        snprintf(r->how, sizeof(r->how), "exit status %d", WEXITSTATUS(status));
    else if (unpack(r, &w->bytes))
        r->end = LZ_CREW_DONE;
    else
        snprintf(r->how, sizeof(r->how), "no message");

    lz_str_finish(&w->bytes);
    close(w->pipe);
    close(w->said);
    w->pid = 0;
}

static void kill_all(struct crew *crew)
{
    crew->stopping = true;
    for (unsigned i = 0; i < crew->opts->workers; i++) {
        if (crew->workers[i].pid > 0)
            kill(crew->workers[i].pid, SIGKILL);
    }
}

static void receive(struct crew *crew, struct worker *w)
{
    char *bytes = lz_mem_alloc(READ_SIZE);
    ssize_t n = read(w->pipe, bytes, READ_SIZE);
    if (n > 0)
        lz_str_add_n(&w->bytes, bytes, (size_t)n);
    free(bytes);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        finish(crew, w);
}

static void release(struct lz_crew_result *r)
{
    lz_str_finish(&r->message);
    lz_str_finish(&r->said);
    *r = (struct lz_crew_result){0};
}

// Hand over what is next in order. After a stop, those that never ended are left out.
static void hand_over(struct crew *crew)
{
    while (!crew->cut && crew->handed_over < crew->started) {
        struct lz_crew_result *r = result_of(crew, crew->handed_over);
        if (r->end == 0)
            return;
        bool more = true;
        if (r->end != LZ_CREW_STOPPED)
            more = crew->opts->done(crew->opts->ctx, crew->handed_over, r);
        release(r);
        crew->handed_over++;
        if (!more) {
            // Nothing later was promised to anyone, however far it had come.
            crew->cut = true;
            kill_all(crew);
            return;
        }
    }
}

// Until the nearest deadline or the next piece of a message; kills who is overdue.
static void wait_for_news(struct crew *crew, struct pollfd *fds)
{
    unsigned workers = crew->opts->workers;
    int64_t nearest = INT64_MAX;
    for (unsigned i = 0; i < workers; i++) {
        struct worker *w = &crew->workers[i];
        fds[i] = (struct pollfd){.fd = w->pid > 0 ? w->pipe : -1, .events = POLLIN};
        if (w->pid > 0 && !w->timed_out && w->deadline < nearest)
            nearest = w->deadline;
    }
    struct timespec patience = {0};
    if (nearest < INT64_MAX) {
        int64_t left = nearest - wall_now();
        left = left > 0 ? left + NS_PER_MS : 0;
        patience.tv_sec = (time_t)(left / NS_PER_S);
        patience.tv_nsec = (long)(left % NS_PER_S);
    }
    // The mask makes looking at `caught` and going to sleep one step.
    int n = ppoll(fds, workers, nearest < INT64_MAX ? &patience : NULL, &crew->old_mask);
    int64_t now = wall_now();
    for (unsigned i = 0; i < workers; i++) {
        struct worker *w = &crew->workers[i];
        if (w->pid == 0)
            continue;
        if (n > 0 && fds[i].revents != 0)
            receive(crew, w);
        else if (!w->timed_out && now >= w->deadline) {
            w->timed_out = true;
            kill(w->pid, SIGKILL);
        }
    }
}

static struct worker *place(struct crew *crew, bool busy)
{
    for (unsigned i = 0; i < crew->opts->workers; i++) {
        if ((crew->workers[i].pid > 0) == busy)
            return &crew->workers[i];
    }
    return NULL;
}

static bool work(struct crew *crew, struct pollfd *fds, struct lz_err *err)
{
    bool ok = true;
    for (;;) {
        if (caught != 0 && !crew->stopping)
            kill_all(crew);
        struct worker *w = place(crew, false);
        while (ok && !crew->stopping && w != NULL && crew->started < crew->opts->jobs &&
               crew->started - crew->handed_over < crew->window) {
            ok = start(crew, w, err);
            w = place(crew, false);
        }
        if (!ok)
            kill_all(crew);
        if (place(crew, true) == NULL)
            break;
        wait_for_news(crew, fds);
        hand_over(crew);
    }
    LZ_ASSERT(place(crew, true) == NULL);
    return ok;
}

bool lz_crew_run(const struct lz_crew_opts *opts, int *signal_out, struct lz_err *err)
{
    LZ_ASSERT(opts->workers >= 1 && opts->workers <= LZ_CREW_WORKERS_MAX);
    LZ_ASSERT(opts->work != NULL && opts->done != NULL);
    struct crew crew = {.opts = opts, .self = getpid()};
    crew.workers = zeroed(opts->workers, sizeof(*crew.workers));
    crew.window = opts->jobs < WINDOW ? opts->jobs + 1 : WINDOW;
    crew.results = zeroed(crew.window, sizeof(*crew.results));
    struct pollfd *fds = zeroed(opts->workers, sizeof(*fds));

    // SA_RESETHAND: the second signal is for those who cannot wait.
    struct sigaction act = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    struct sigaction old[STOP_SIGNALS];
    sigset_t mask;
    sigemptyset(&mask);
    caught = 0;
    for (size_t i = 0; i < STOP_SIGNALS; i++)
        sigaddset(&mask, stop_signals[i]);
    sigprocmask(SIG_BLOCK, &mask, &crew.old_mask);
    for (size_t i = 0; i < STOP_SIGNALS; i++) {
        sigaction(stop_signals[i], NULL, &old[i]);
        if (old[i].sa_handler != SIG_IGN) // nohup stays nohup
            sigaction(stop_signals[i], &act, NULL);
    }
    fflush(NULL); // or each child would inherit what is buffered

    bool ok = work(&crew, fds, err);
    *signal_out = caught;

    for (size_t i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], &old[i], NULL);
    sigprocmask(SIG_SETMASK, &crew.old_mask, NULL);
    for (size_t i = crew.handed_over; i < crew.started; i++)
        release(result_of(&crew, i));
    free(fds);
    free(crew.results);
    free(crew.workers);
    return ok;
}

// What refuses memory says so before it ends: base/mem.c, base/arena.c.
static bool has_no_memory(const struct lz_crew_result *result)
{
    const char *said = result->said.len > 0 ? result->said.text : "";
    return strstr(said, "out of memory") != NULL || strstr(said, "Cannot allocate memory") != NULL;
}

bool lz_crew_is_cut_off(const struct lz_crew_result *result)
{
    return result->end == LZ_CREW_TIMED_OUT || result->end == LZ_CREW_STOPPED ||
           (result->end == LZ_CREW_CRASHED &&
            (strcmp(result->how, "SIGKILL") == 0 || has_no_memory(result)));
}

const char *lz_crew_cause(const struct lz_crew_result *result)
{
    if (has_no_memory(result))
        return ": this machine, or a limit on this process, gave it no more memory; fewer at once "
               "(-j 1) may fit";
    if (strcmp(result->how, "SIGKILL") == 0)
        return ": it was ended from outside, or the machine is out of memory; fewer at once (-j 1) "
               "may fit";
    return "; this is a bug in lorenz, please report it";
}

unsigned lz_crew_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    unsigned n = (unsigned)CPU_COUNT(&set);
    LZ_ASSERT(n >= 1);
    return n < LZ_CREW_WORKERS_MAX ? n : LZ_CREW_WORKERS_MAX;
}
