#include "live/proxy/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/proxy/mail.h"
#include "live/proxy/shared.h"

#define BACKLOG 4096
#define ANSWER_MS 5000 // a turn of its loop takes far less; then it hangs
#define LOOKS 10       // of them each waits: a machine that stood still has used up one, not all

struct edge {
    char name[LZ_PROXY_NAME_SIZE];
    struct sockaddr_storage listen, upstream;
    bool is_http;
};

struct lz_proxy {
    struct lz_proxy_opts opts;
    pid_t pid;
    bool is_given_up; // it was ended for not doing what it was told
    int control;
    int wake;
    struct lz_shared *shared;
    uint32_t edges;
    struct edge edge[LZ_PROXY_EDGES_MAX];
    bool is_used[LZ_PROXY_TOXICS_MAX];
    uint32_t edge_of[LZ_PROXY_TOXICS_MAX];
    uint32_t next_slot; // where to look first: a slot just given up can still be asked
};

static uint16_t port_of(const struct sockaddr_storage *a)
{
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    return ntohs(a->ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

static bool is_any(const struct sockaddr_storage *a)
{
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    return a->ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr)
                                    : v4->sin_addr.s_addr == htonl(INADDR_ANY);
}

// Would a connection to `to` end at who listens at `at`?
static bool leads_to(const struct sockaddr_storage *to, const struct sockaddr_storage *at)
{
    if (port_of(to) != port_of(at))
        return false;
    if (is_any(at) || is_any(to))
        return true;
    if (to->ss_family != at->ss_family)
        return false;
    const struct sockaddr_in *a4 = (const void *)to, *b4 = (const void *)at;
    const struct sockaddr_in6 *a6 = (const void *)to, *b6 = (const void *)at;
    if (to->ss_family == AF_INET6)
        return memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
    return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
}

static void on_wake(void *ctx, int fd, unsigned events)
{
    struct lz_proxy *p = ctx;
    uint64_t count;
    (void)events;
    if (read(fd, &count, sizeof(count)) < 0)
        return;
    struct lz_shared *s = p->shared;
    uint64_t tail = atomic_load(&s->tail);
    while (tail != atomic_load(&s->head)) {
        struct lz_proxy_seen seen = s->ring[tail % LZ_SHARED_RING];
        atomic_store(&s->tail, ++tail);
        if (p->opts.seen != NULL)
            p->opts.seen(p->opts.ctx, &seen);
    }
}

static void on_end(void *ctx, pid_t pid, int wait_status)
{
    struct lz_proxy *p = ctx;
    LZ_ASSERT(pid == p->pid);
    p->pid = 0;
    if (p->opts.died != NULL)
        p->opts.died(p->opts.ctx, wait_status);
}

static bool start(struct lz_proxy *p, struct lz_err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return lz_fail(err, LZ_EIO, "cannot start the proxy: %s", strerror(errno));
    p->control = ends[0];
    const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
    setsockopt(p->control, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1); // it died before we asked to be told
        lz_loop_forked(p->opts.loop);
        lz_serve_main(p->shared, p->opts.run_key, ends[1], p->wake);
    }
    int reason = errno;
    close(ends[1]);
    if (p->pid < 0)
        return lz_fail(err, LZ_EIO, "cannot start the proxy: %s", strerror(reason));
    return lz_loop_watch(p->opts.loop, p->wake, LZ_LOOP_READ, on_wake, p, err) &&
           lz_loop_watch_child(p->opts.loop, p->pid, on_end, p, err);
}

bool lz_proxy_create(struct lz_proxy **out, const struct lz_proxy_opts *opts, struct lz_err *err)
{
    LZ_ASSERT(opts->loop != NULL);
    struct lz_proxy *p = lz_mem_alloc(sizeof(*p));
    memset(p, 0, sizeof(*p));
    p->opts = *opts;
    p->control = -1;
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    void *memory = mmap(NULL, sizeof(struct lz_shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p->wake < 0 || memory == MAP_FAILED) {
        lz_fail(err, LZ_EIO, "cannot start the proxy: %s", strerror(errno));
        if (memory != MAP_FAILED)
            munmap(memory, sizeof(struct lz_shared));
        if (p->wake >= 0)
            close(p->wake);
        free(p);
        return false;
    }
    p->shared = memory;
    if (!start(p, err)) {
        lz_proxy_destroy(p);
        return false;
    }
    *out = p;
    return true;
}

void lz_proxy_destroy(struct lz_proxy *p)
{
    if (p == NULL)
        return;
    lz_loop_unwatch(p->opts.loop, p->wake);
    if (p->pid > 0) {
        lz_loop_unwatch_child(p->opts.loop, p->pid);
        // It holds nothing that outlives it, so there is nothing to ask it for.
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (p->control >= 0)
        close(p->control);
    close(p->wake);
    munmap(p->shared, sizeof(struct lz_shared));
    free(p);
}

static bool is_answered(const struct lz_proxy *p)
{
    struct pollfd wait = {.fd = p->control, .events = POLLIN};
    int ready = 0;
    for (int i = 0; i < LOOKS && ready == 0; i++) {
        do
            ready = poll(&wait, 1, ANSWER_MS / LOOKS);
        while (ready < 0 && errno == EINTR);
    }
    return ready > 0;
}

// Whether it did what it was told is not known, and its answer, if it came yet, would be taken for
// that to the next command: it is of no use any more, and its end is told as any other.
static bool give_up(struct lz_proxy *p, const char *why, struct lz_err *err)
{
    kill(p->pid, SIGKILL);
    p->is_given_up = true;
    return lz_fail(err, LZ_EIO, "the proxy's process %s, and was ended", why);
}

// Send a command and wait until it has been carried out: what follows may rely on it. A change
// is only sent; a process that takes none any more is noticed all the same.
static bool command(struct lz_proxy *p, const struct lz_shared_command *c, int fd,
                    struct lz_err *err)
{
    if (p->pid == 0 || p->is_given_up)
        return lz_fail(err, LZ_EIO, "the proxy's process is gone");
    if (!lz_mail_send(p->control, c, sizeof(*c), fd))
        return errno == EAGAIN
                   ? give_up(p, "takes no commands", err)
                   : lz_fail(err, LZ_EIO, "cannot reach the proxy's process: %s", strerror(errno));
    if (c->op == LZ_SHARED_CHANGE)
        return true;
    if (!is_answered(p))
        return give_up(p, "does not answer", err);
    char answer[LZ_ERR_SIZE];
    ssize_t n = recv(p->control, answer, sizeof(answer) - 1, 0);
    if (n <= 0)
        return lz_fail(err, LZ_EIO, "the proxy's process is gone");
    answer[n] = '\0';
    if (strcmp(answer, "ok") != 0)
        return lz_fail(err, LZ_EIO, "%s", answer);
    return true;
}

static bool look_up(const char *host, uint16_t port, bool listens, struct sockaddr_storage *out,
                    socklen_t *len, struct lz_err *err)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    if (listens)
        hints.ai_flags |= AI_PASSIVE;
    struct addrinfo *found;
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed)
        return lz_fail(err, LZ_ENOENT, "host '%s' has no address: %s", host, gai_strerror(failed));
    LZ_ASSERT(found->ai_addrlen <= sizeof(*out));
    memset(out, 0, sizeof(*out));
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool listen_at(const struct lz_proxy_edge_opts *o, struct sockaddr_storage *at, int *out,
                      struct lz_err *err)
{
    const char *host = o->host != NULL ? o->host : "127.0.0.1";
    socklen_t len;
    if (!look_up(host, o->port, true, at, &len, err))
        return false;
    int fd = socket(at->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    // Without the first a port that a run before this one used is taken for a minute; whoever is
    // accepted inherits the second: nothing waits for more to come.
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, (const void *)at, len) != 0 || listen(fd, BACKLOG) != 0) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        if (reason == EADDRINUSE)
            return lz_fail(err, LZ_EEXIST,
                           "port %u of %s is in use: stop what listens there, or give the edge "
                           "another port",
                           o->port, host);
        if (reason == EACCES)
            return lz_fail(err, LZ_EIO,
                           "port %u of %s may not be used by this user: take one "
                           "above 1023",
                           o->port, host);
        return lz_fail(err, LZ_EIO, "cannot listen at %s:%u: %s", host, o->port, strerror(reason));
    }
    len = sizeof(*at);
    LZ_ASSERT(getsockname(fd, (void *)at, &len) == 0);
    *out = fd;
    return true;
}

// Follow where connections go, from the new edge on: back to it would never end.
static bool check_loop(const struct lz_proxy *p, const struct edge *fresh, struct lz_err *err)
{
    char way[LZ_PROXY_NAME_SIZE * 2] = "";
    const struct edge *at = fresh;
    for (uint32_t hops = 0; hops <= p->edges; hops++) {
        size_t n = strlen(way);
        snprintf(way + n, sizeof(way) - n, "%s'%s'", n > 0 ? ", then " : "", at->name);
        if (leads_to(&at->upstream, &fresh->listen))
            return lz_fail(err, LZ_EINVAL, "a proxy loop: %s leads back to its own port %u", way,
                           port_of(&fresh->listen));
        const struct edge *next = NULL;
        for (uint32_t i = 0; i < p->edges && next == NULL; i++) {
            if (leads_to(&at->upstream, &p->edge[i].listen))
                next = &p->edge[i];
        }
        if (next == NULL)
            return true;
        at = next;
    }
    return true;
}

bool lz_proxy_edge(struct lz_proxy *p, const struct lz_proxy_edge_opts *o, lz_proxy_edge_id *id,
                   struct lz_err *err)
{
    LZ_ASSERT(o->name != NULL);
    LZ_ASSERT(o->upstream_host != NULL);
    if (p->edges == LZ_PROXY_EDGES_MAX)
        return lz_fail(err, LZ_EFULL, "edge '%s': a run has at most %d edges", o->name,
                       LZ_PROXY_EDGES_MAX);
    if (o->upstream_port == 0)
        return lz_fail(err, LZ_EINVAL, "edge '%s': no port to lead to", o->name);
    struct edge *e = &p->edge[p->edges];
    memset(e, 0, sizeof(*e));
    snprintf(e->name, sizeof(e->name), "%s", o->name);
    e->is_http = o->is_http;
    struct lz_shared_command c = {
        .op = LZ_SHARED_EDGE, .edge = p->edges + 1, .is_http = o->is_http};
    int fd = -1;
    if (!look_up(o->upstream_host, o->upstream_port, false, &e->upstream, &c.upstream_len, err) ||
        !listen_at(o, &e->listen, &fd, err))
        return lz_fail_in(err, "edge '%s'", o->name);
    memcpy(c.name, e->name, sizeof(c.name));
    c.upstream = e->upstream;
    bool done = check_loop(p, e, err) && command(p, &c, fd, err);
    close(fd);
    if (!done)
        return lz_fail_in(err, "edge '%s'", o->name);
    *id = ++p->edges;
    return true;
}

uint16_t lz_proxy_port(const struct lz_proxy *p, lz_proxy_edge_id id)
{
    LZ_ASSERT(id >= 1 && id <= p->edges);
    return port_of(&p->edge[id - 1].listen);
}

bool lz_proxy_add(struct lz_proxy *p, lz_proxy_edge_id edge, const struct lz_toxic *toxic,
                  lz_proxy_toxic_id *id, struct lz_err *err)
{
    LZ_ASSERT(edge >= 1 && edge <= p->edges);
    const struct edge *e = &p->edge[edge - 1];
    LZ_ASSERT(!lz_toxic_is_of_packets(toxic->kind));
    if (!lz_toxic_check(toxic, e->is_http, err))
        return lz_fail_in(err, "edge '%s'", e->name);
    for (uint32_t i = 0; i < LZ_PROXY_TOXICS_MAX; i++) {
        uint32_t slot = (p->next_slot + i) % LZ_PROXY_TOXICS_MAX;
        if (p->is_used[slot])
            continue;
        p->shared->slots[slot].toxic = *toxic;
        atomic_store(&p->shared->slots[slot].touched, 0);
        struct lz_shared_command c = {.op = LZ_SHARED_ADD, .edge = edge, .slot = slot};
        if (!command(p, &c, -1, err))
            return lz_fail_in(err, "edge '%s'", e->name);
        p->is_used[slot] = true;
        p->edge_of[slot] = edge;
        p->next_slot = slot + 1;
        *id = slot + 1;
        return true;
    }
    return lz_fail(err, LZ_EFULL, "edge '%s': at most %d faults can be in force on edges at once",
                   e->name, LZ_PROXY_TOXICS_MAX);
}

bool lz_proxy_change(struct lz_proxy *p, lz_proxy_toxic_id id, const struct lz_toxic *toxic,
                     struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= LZ_PROXY_TOXICS_MAX);
    LZ_ASSERT(p->is_used[id - 1]);
    uint32_t edge = p->edge_of[id - 1];
    struct lz_shared_slot *slot = &p->shared->slots[id - 1];
    if (!lz_toxic_check(toxic, p->edge[edge - 1].is_http, err))
        return lz_fail_in(err, "edge '%s'", p->edge[edge - 1].name);
    LZ_ASSERT(toxic->kind == slot->toxic.kind);
    struct lz_shared_command c = {
        .op = LZ_SHARED_CHANGE, .edge = edge, .slot = id - 1, .toxic = *toxic};
    return command(p, &c, -1, err);
}

bool lz_proxy_remove(struct lz_proxy *p, lz_proxy_toxic_id id, struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= LZ_PROXY_TOXICS_MAX);
    LZ_ASSERT(p->is_used[id - 1]);
    struct lz_shared_command c = {
        .op = LZ_SHARED_REMOVE, .edge = p->edge_of[id - 1], .slot = id - 1};
    p->is_used[id - 1] = false;
    return command(p, &c, -1, err);
}

uint64_t lz_proxy_touched(const struct lz_proxy *p, lz_proxy_toxic_id id)
{
    LZ_ASSERT(id >= 1 && id <= LZ_PROXY_TOXICS_MAX);
    return atomic_load(&p->shared->slots[id - 1].touched);
}

struct lz_proxy_edge_counts lz_proxy_counts(const struct lz_proxy *p, lz_proxy_edge_id id)
{
    LZ_ASSERT(id >= 1 && id <= p->edges);
    struct lz_shared_edge *e = &p->shared->edges[id - 1];
    return (struct lz_proxy_edge_counts){
        .accepted = atomic_load(&e->accepted),
        .open = atomic_load(&e->open),
        .refused = atomic_load(&e->refused),
        .bytes_up = atomic_load(&e->bytes_up),
        .bytes_down = atomic_load(&e->bytes_down),
        .turned_away = atomic_load(&e->turned_away),
        .not_http = atomic_load(&e->not_http),
        .requests = atomic_load(&e->requests),
    };
}

uint64_t lz_proxy_waiting(const struct lz_proxy *p)
{
    return atomic_load(&p->shared->memory);
}

uint64_t lz_proxy_dropped(const struct lz_proxy *p)
{
    return atomic_load(&p->shared->dropped);
}

pid_t lz_proxy_pid(const struct lz_proxy *p)
{
    return p->pid;
}
