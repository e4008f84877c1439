#include "explore/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"

#define BATCH 2048 // events sent at once: 48 KiB, below what a pipe holds

// One event on its way. The end is one with the kind that no event has.
struct note {
    lz_time at;
    uint64_t payload;
    uint32_t entity;
    uint32_t kind;
};
#define KIND_END 0

struct lz_twin {
    enum lz_twin_kind kind;
    pid_t pid; // 0: this process is the twin
    int pipe;
    struct lz_sim *sim;
    struct note batch[BATCH];
    size_t count; // in the batch: to be sent, or received
    size_t next;  // received and not yet compared
    uint64_t compared;
    bool is_lost; // nothing more comes
    bool differs;
    struct note mine, other; // where it differs; kind 0: that run had ended
};

// As much as there is, whole notes; 0 at the end.
static size_t read_notes(int fd, struct note *notes)
{
    size_t got = 0;
    while (got == 0 || got % sizeof(*notes) != 0) {
        ssize_t n = read(fd, (char *)notes + got, BATCH * sizeof(*notes) - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        got += (size_t)n;
    }
    return got / sizeof(*notes);
}

// What must not matter and is the C library's: where blocks lie, what fresh ones hold.
static void shake_memory(void)
{
#ifdef M_PERTURB
    mallopt(M_PERTURB, 0xa5);
#endif
    void *moved = lz_mem_alloc(12345); // never freed: it moves what comes after it
    LZ_ASSERT(moved != NULL);
}

bool lz_twin_begin(enum lz_twin_kind kind, struct lz_twin **out, struct lz_err *err)
{
    LZ_ASSERT(kind != LZ_TWIN_NONE);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return lz_fail(err, LZ_EIO, "cannot make a pipe: %s", strerror(errno));
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        int reason = errno;
        close(ends[0]);
        close(ends[1]);
        return lz_fail(err, LZ_EIO, "cannot start a second run: %s", strerror(reason));
    }
    struct lz_twin *twin = lz_mem_alloc(sizeof(*twin));
    *twin = (struct lz_twin){.kind = kind, .pid = pid, .pipe = ends[pid == 0]};
    close(ends[pid != 0]);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) // gone before it could be asked for
            _exit(1);
        signal(SIGPIPE, SIG_IGN);
        if (kind == LZ_TWIN_SHAKEN)
            shake_memory();
    }
    *out = twin;
    return true;
}

bool lz_twin_is_self(const struct lz_twin *twin)
{
    return twin->pid == 0;
}

static void flush(struct lz_twin *twin)
{
    // Once the worker has seen enough, nobody reads: go on quietly to the end.
    if (!twin->is_lost)
        twin->is_lost =
            lz_io_write(twin->pipe, twin->batch, twin->count * sizeof(twin->batch[0])) != 0;
    twin->count = 0;
}

static void on_send(void *ctx, const struct lz_event *event)
{
    struct lz_twin *twin = ctx;
    if (twin->is_lost)
        _exit(1);
    twin->batch[twin->count++] = (struct note){
        .at = event->at, .payload = event->payload, .entity = event->entity, .kind = event->kind};
    if (twin->count == BATCH)
        flush(twin);
}

static struct note receive(struct lz_twin *twin)
{
    if (twin->next == twin->count) {
        twin->next = 0;
        twin->count = twin->is_lost ? 0 : read_notes(twin->pipe, twin->batch);
        twin->is_lost = twin->count == 0;
    }
    return twin->is_lost ? (struct note){.kind = KIND_END} : twin->batch[twin->next++];
}

static void on_compare(void *ctx, const struct lz_event *event)
{
    struct lz_twin *twin = ctx;
    struct note mine = {
        .at = event->at, .payload = event->payload, .entity = event->entity, .kind = event->kind};
    struct note other = receive(twin);
    twin->compared += !twin->is_lost;
    if (memcmp(&mine, &other, sizeof(mine)) == 0)
        return;
    twin->differs = !twin->is_lost;
    twin->mine = mine;
    twin->other = other;
    lz_sim_watch(twin->sim, NULL, NULL);
}

void lz_twin_watch(struct lz_twin *twin, struct lz_sim *sim)
{
    LZ_ASSERT(sim != NULL && twin->sim == NULL);
    twin->sim = sim;
    lz_sim_watch(sim, lz_twin_is_self(twin) ? on_send : on_compare, twin);
}

// The end fills two notes: a kind that no event has, and numbers in place of an event's.
static void pack_end(const struct lz_twin_end *end, struct note notes[2])
{
    notes[0] = (struct note){.at = (lz_time)end->events, .payload = end->trace, .kind = KIND_END};
    notes[1] = (struct note){.payload = end->record, .kind = KIND_END};
}

_Noreturn void lz_twin_leave(struct lz_twin *twin, const struct lz_twin_end *end)
{
    LZ_ASSERT(lz_twin_is_self(twin));
    struct note notes[2];
    pack_end(end, notes);
    flush(twin);
    bool sent = !twin->is_lost && lz_io_write(twin->pipe, notes, sizeof(notes)) == 0;
    _exit(sent ? 0 : 1);
}

static void add_event(struct lz_str *out, const struct lz_twin *twin, const char *whose,
                      const struct note *note)
{
    if (note->kind == KIND_END) {
        lz_str_addf(out, "  %-10s  has no more events\n", whose);
        return;
    }
    bool is_known = lz_sim_has_kind(twin->sim, note->kind);
    lz_str_addf(
        out, "  %-10s  %" PRId64 ".%09" PRId64 "s  %s  entity %" PRIu32 "  payload 0x%" PRIx64 "\n",
        whose, note->at / LZ_S, note->at % LZ_S,
        is_known ? lz_sim_kind_name(twin->sim, (lz_kind)note->kind) : "unknown", note->entity,
        note->payload);
}

static void describe_event(struct lz_str *out, const struct lz_twin *twin)
{
    lz_str_addf(out, "event %" PRIu64 " differs:\n", twin->compared);
    add_event(out, twin, "first run", &twin->mine);
    add_event(out, twin, "second run", &twin->other);
}

// Both runs fired the same events so far; the second may have more, or ended otherwise.
static bool compare_ends(struct lz_twin *twin, const struct lz_twin_end *end, struct lz_str *what)
{
    struct note mine[2], other[2];
    pack_end(end, mine);
    other[0] = receive(twin);
    if (other[0].kind != KIND_END) {
        twin->compared++;
        twin->mine = (struct note){.kind = KIND_END};
        twin->other = other[0];
        describe_event(what, twin);
        return false;
    }
    other[1] = receive(twin);
    if (twin->is_lost) {
        lz_str_addf(what, "the second run crashed, after at least %" PRIu64 " equal events\n",
                    twin->compared);
        return false;
    }
    if (memcmp(mine, other, sizeof(mine)) == 0)
        return true;
    bool is_trace = memcmp(&mine[0], &other[0], sizeof(mine[0])) != 0;
    lz_str_addf(what, "all %" PRIu64 " events are equal, but %s\n", twin->compared,
                is_trace ? "a value that was mixed into the trace is not"
                         : "what was judged or recorded of them is not");
    return false;
}

bool lz_twin_finish(struct lz_twin *twin, const struct lz_twin_end *end, struct lz_str *what)
{
    LZ_ASSERT(!lz_twin_is_self(twin));
    bool equal = false;
    if (twin->differs)
        describe_event(what, twin);
    else
        equal = compare_ends(twin, end, what);
    close(twin->pipe); // what it may still want to send, nobody reads
    if (!equal)
        kill(twin->pid, SIGKILL);
    while (waitpid(twin->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(twin);
    return equal;
}
