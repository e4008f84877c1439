#include "live/net/cable.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/net/carrier.h"
#include "live/proxy/mail.h"

#define START_MS 60000 // the kernel is asked for queues and rules on the way
#define ANSWER_MS 5000 // a turn of its loop takes far less; then it hangs
#define LOOKS 10       // of them each waits: a machine that stood still has used up one, not all

struct lz_cable {
    struct lz_cable_opts opts;
    struct lz_cable_edge *edges;
    pid_t pid;        // 0: it is gone
    bool is_given_up; // it was ended for not doing what it was told
    int control;
    struct lz_carrier_shared *shared;
    bool is_used[LZ_CABLE_TOXICS_MAX];
    uint32_t edge_of[LZ_CABLE_TOXICS_MAX];
    uint32_t next_slot; // where to look first: a slot just given up can still be asked
};

// ---------------------------------------------------------------- its process

static void on_end(void *ctx, pid_t pid, int wait_status)
{
    struct lz_cable *c = ctx;
    LZ_ASSERT(pid == c->pid);
    c->pid = 0;
    if (c->opts.died != NULL)
        c->opts.died(c->opts.ctx, wait_status);
}

static bool is_answered(const struct lz_cable *c, int patience_ms)
{
    struct pollfd wait = {.fd = c->control, .events = POLLIN};
    int ready = 0;
    for (int i = 0; i < LOOKS && ready == 0; i++) {
        do
            ready = poll(&wait, 1, patience_ms / LOOKS);
        while (ready < 0 && errno == EINTR);
    }
    return ready > 0;
}

// As a proxy's process is (proxy.c): of no use any more, and its end is told as any other.
static bool give_up(struct lz_cable *c, const char *why, struct lz_err *err)
{
    kill(c->pid, SIGKILL);
    c->is_given_up = true;
    return lz_fail(err, LZ_EIO, "the carrier of packets %s, and was ended", why);
}

static bool hear(struct lz_cable *c, int patience_ms, struct lz_err *err)
{
    char answer[LZ_ERR_SIZE];
    if (!is_answered(c, patience_ms))
        return give_up(c, "does not answer", err);
    ssize_t n = recv(c->control, answer, sizeof(answer) - 1, 0);
    if (n <= 0)
        return lz_fail(err, LZ_EIO, "the carrier of packets is gone");
    answer[n] = '\0';
    return strcmp(answer, "ok") == 0 || lz_fail(err, LZ_ERANGE, "%s", answer);
}

static bool start(struct lz_cable *c, struct lz_err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return lz_fail(err, LZ_EIO, "the carrier of packets cannot be started: %s",
                       strerror(errno));
    c->control = ends[0];
    const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
    setsockopt(c->control, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    const struct lz_carrier_opts opts = {.shared = c->shared,
                                         .edges = c->edges,
                                         .edge_count = c->opts.edge_count,
                                         .run_key = c->opts.run_key,
                                         .control = ends[1]};
    pid_t parent = getpid();
    c->pid = fork();
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1); // it died before we asked to be told
        lz_loop_forked(c->opts.loop);
        lz_carrier_main(&opts);
    }
    int why = errno;
    close(ends[1]);
    if (c->pid < 0) {
        c->pid = 0;
        return lz_fail(err, LZ_EIO, "the carrier of packets cannot be started: %s", strerror(why));
    }
    return hear(c, START_MS, err) && lz_loop_watch_child(c->opts.loop, c->pid, on_end, c, err);
}

bool lz_cable_create(struct lz_cable **out, const struct lz_cable_opts *opts, struct lz_err *err)
{
    LZ_ASSERT(opts->loop != NULL);
    LZ_ASSERT(opts->edge_count <= LZ_CABLE_EDGES_MAX);
    void *memory = mmap(NULL, sizeof(struct lz_carrier_shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return lz_fail(err, LZ_EIO, "no memory can be shared with the carrier of packets: %s",
                       strerror(errno));
    struct lz_cable *c = lz_mem_alloc(sizeof(*c));
    memset(c, 0, sizeof(*c));
    c->opts = *opts;
    c->control = -1;
    c->shared = memory;
    c->edges = lz_mem_alloc((opts->edge_count + 1) * sizeof(c->edges[0]));
    if (opts->edge_count > 0)
        memcpy(c->edges, opts->edges, opts->edge_count * sizeof(c->edges[0]));
    if (start(c, err)) {
        *out = c;
        return true;
    }
    lz_cable_destroy(c);
    return false;
}

void lz_cable_destroy(struct lz_cable *c)
{
    if (c == NULL)
        return;
    if (c->pid > 0) {
        lz_loop_unwatch_child(c->opts.loop, c->pid);
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (c->control >= 0)
        close(c->control);
    munmap(c->shared, sizeof(struct lz_carrier_shared));
    free(c->edges);
    free(c);
}

// ---------------------------------------------------------------- toxics

// Carried out when it is answered: what follows may rely on it. A change is only sent.
static bool command(struct lz_cable *c, const struct lz_carrier_command *what, struct lz_err *err)
{
    if (c->pid == 0 || c->is_given_up)
        return lz_fail(err, LZ_EIO, "the carrier of packets is gone");
    if (!lz_mail_send(c->control, what, sizeof(*what), -1))
        return errno == EAGAIN
                   ? give_up(c, "takes no commands", err)
                   : lz_fail(err, LZ_EIO, "the carrier of packets cannot be reached: %s",
                             strerror(errno));
    return what->op == LZ_CARRIER_CHANGE || hear(c, ANSWER_MS, err);
}

bool lz_cable_add(struct lz_cable *c, uint32_t edge, const struct lz_toxic *toxic,
                  lz_cable_toxic_id *id, struct lz_err *err)
{
    LZ_ASSERT(edge < c->opts.edge_count);
    if (!lz_toxic_check(toxic, false, err))
        return lz_fail_in(err, "edge '%s'", c->edges[edge].name);
    for (uint32_t i = 0; i < LZ_CABLE_TOXICS_MAX; i++) {
        uint32_t slot = (c->next_slot + i) % LZ_CABLE_TOXICS_MAX;
        if (c->is_used[slot])
            continue;
        c->shared->slots[slot].toxic = *toxic;
        atomic_store(&c->shared->slots[slot].touched, 0);
        const struct lz_carrier_command add = {.op = LZ_CARRIER_ADD, .edge = edge, .slot = slot};
        if (!command(c, &add, err))
            return lz_fail_in(err, "edge '%s'", c->edges[edge].name);
        c->is_used[slot] = true;
        c->edge_of[slot] = edge;
        c->next_slot = slot + 1;
        *id = slot + 1;
        return true;
    }
    return lz_fail(err, LZ_EFULL, "edge '%s': at most %u faults can be in force on packets at once",
                   c->edges[edge].name, LZ_CABLE_TOXICS_MAX);
}

bool lz_cable_change(struct lz_cable *c, lz_cable_toxic_id id, const struct lz_toxic *toxic,
                     struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= LZ_CABLE_TOXICS_MAX);
    LZ_ASSERT(c->is_used[id - 1]);
    if (!lz_toxic_check(toxic, false, err))
        return lz_fail_in(err, "edge '%s'", c->edges[c->edge_of[id - 1]].name);
    LZ_ASSERT(toxic->kind == c->shared->slots[id - 1].toxic.kind);
    const struct lz_carrier_command change = {
        .op = LZ_CARRIER_CHANGE, .edge = c->edge_of[id - 1], .slot = id - 1, .toxic = *toxic};
    return command(c, &change, err);
}

bool lz_cable_remove(struct lz_cable *c, lz_cable_toxic_id id, struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= LZ_CABLE_TOXICS_MAX);
    LZ_ASSERT(c->is_used[id - 1]);
    const struct lz_carrier_command removal = {
        .op = LZ_CARRIER_REMOVE, .edge = c->edge_of[id - 1], .slot = id - 1};
    c->is_used[id - 1] = false;
    return command(c, &removal, err);
}

uint64_t lz_cable_touched(const struct lz_cable *c, lz_cable_toxic_id id)
{
    LZ_ASSERT(id >= 1 && id <= LZ_CABLE_TOXICS_MAX);
    return atomic_load(&c->shared->slots[id - 1].touched);
}

struct lz_cable_counts lz_cable_counts(const struct lz_cable *c)
{
    return (struct lz_cable_counts){.seen = atomic_load(&c->shared->seen),
                                    .held = atomic_load(&c->shared->held)};
}

pid_t lz_cable_pid(const struct lz_cable *c)
{
    return c->pid;
}
