#include "live/net/carrier.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/net/impair.h"
#include "live/net/nfqueue.h"
#include "live/net/packet.h"

#define DATAGRAM_SIZE 131072
#define READS_MAX 256 // at a time: commands and timers have their turn in between
#define WAYS_PER_EDGE 4

_Static_assert(LZ_CABLE_TOXICS_MAX == LZ_IMPAIR_TOXICS_MAX, "a slot is the same in both");

// A packet that waits in the kernel, and what will be done to it.
struct held {
    int64_t release_ns;
    uint64_t order;
    uint32_t id, edge, copies;
    bool is_corrupt;
    uint64_t bits;
    unsigned char *bytes; // if they are changed or sent once more; NULL: not needed
    size_t size;
};

struct edge {
    uint32_t toxics, held;
    bool is_handed_over; // rules lead its packets here
};

struct carrier {
    const struct lz_carrier_opts *opts;
    struct lz_loop *loop;
    struct lz_impair *impair;
    struct lz_nfqueue queue;
    struct lz_netlink_batch verdicts;
    struct lz_loop_timer next;
    int raw;
    int raw_v6; // likewise
    struct edge edges[LZ_CABLE_EDGES_MAX];
    struct lz_nfqueue_way ways[LZ_CABLE_EDGES_MAX * WAYS_PER_EDGE];
    struct held *heap; // from 1; the first is due first
    size_t count, cap;
    uint64_t order;
};

// ---------------------------------------------------------------- rules

static size_t add_ways(const struct lz_cable_edge *e, struct lz_nfqueue_way *out)
{
    size_t n = 0;
    if (e->door != 0) {
        out[n++] = (struct lz_nfqueue_way){
            .hook = LZ_NFQUEUE_INPUT, .target = e->door, .target_port = e->door_port};
        out[n++] = (struct lz_nfqueue_way){
            .hook = LZ_NFQUEUE_OUTPUT, .source = e->door, .source_port = e->door_port};
    }
    if (e->client != 0) {
        out[n++] = (struct lz_nfqueue_way){
            .hook = LZ_NFQUEUE_FORWARD, .source = e->client, .target = e->server};
        out[n++] = (struct lz_nfqueue_way){
            .hook = LZ_NFQUEUE_FORWARD, .source = e->server, .target = e->client};
    }
    LZ_ASSERT(n <= WAYS_PER_EDGE);
    return n;
}

/*
 * Of edges with a toxic, and of those where something is held yet: what came behind it would
 * overtake it in the kernel.
 */
static bool lay_ways(struct carrier *c, struct lz_err *err)
{
    size_t count = 0;
    bool differs = false;
    for (uint32_t i = 0; i < c->opts->edge_count; i++) {
        bool is_wanted = c->edges[i].toxics > 0 || c->edges[i].held > 0;
        differs = differs || is_wanted != c->edges[i].is_handed_over;
        if (is_wanted)
            count += add_ways(&c->opts->edges[i], c->ways + count);
    }
    if (!differs)
        return true;
    if (!lz_nfqueue_set(&c->queue, c->ways, count, err))
        return false;
    for (uint32_t i = 0; i < c->opts->edge_count; i++)
        c->edges[i].is_handed_over = c->edges[i].toxics > 0 || c->edges[i].held > 0;
    return true;
}

// Whose packet it is; -1: of an edge that was handed over until just now.
static int64_t edge_of(const struct carrier *c, const struct lz_packet *p,
                       enum lz_impair_direction *direction)
{
    for (uint32_t i = 0; i < c->opts->edge_count; i++) {
        const struct lz_cable_edge *e = &c->opts->edges[i];
        if (!c->edges[i].is_handed_over)
            continue;
        bool up = (e->door != 0 && p->target == e->door && p->target_port == e->door_port) ||
                  (e->client != 0 && p->source == e->client && p->target == e->server);
        bool down = (e->door != 0 && p->source == e->door && p->source_port == e->door_port) ||
                    (e->client != 0 && p->source == e->server && p->target == e->client);
        if (!up && !down)
            continue;
        *direction = up ? LZ_IMPAIR_UP : LZ_IMPAIR_DOWN;
        return i;
    }
    return -1;
}

// ---------------------------------------------------------------- what is held

static bool is_before(const struct held *a, const struct held *b)
{
    return a->release_ns != b->release_ns ? a->release_ns < b->release_ns : a->order < b->order;
}

static void push(struct carrier *c, const struct held *h)
{
    if (c->count + 1 >= c->cap) {
        c->cap = c->cap > 0 ? 2 * c->cap : 256;
        c->heap = lz_mem_resize(c->heap, c->cap * sizeof(*c->heap));
    }
    size_t at = ++c->count;
    for (; at > 1 && is_before(h, &c->heap[at / 2]); at /= 2)
        c->heap[at] = c->heap[at / 2];
    c->heap[at] = *h;
}

static struct held pop(struct carrier *c)
{
    LZ_ASSERT(c->count > 0);
    struct held first = c->heap[1], last = c->heap[c->count--];
    size_t at = 1;
    for (size_t child; (child = at * 2) <= c->count; at = child) {
        child += child < c->count && is_before(&c->heap[child + 1], &c->heap[child]);
        if (!is_before(&c->heap[child], &last))
            break;
        c->heap[at] = c->heap[child];
    }
    c->heap[at] = last;
    return first;
}

#define V6_TARGET_AT 24

// ---------------------------------------------------------------- verdicts

static void flush(struct carrier *c)
{
    if (c->verdicts.len > 0)
        lz_netlink_tell(c->queue.fd, &c->verdicts);
    lz_netlink_start(&c->verdicts);
}

static void send_copies(const struct carrier *c, const struct held *h)
{
    struct lz_packet p;
    if (h->copies == 0 || !lz_packet_read(h->bytes, h->size, &p))
        return;
    const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(p.target)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (p.is_v6)
        memcpy(&v6.sin6_addr, h->bytes + V6_TARGET_AT, sizeof(v6.sin6_addr));
    int fd = p.is_v6 ? c->raw_v6 : c->raw;
    const void *to = p.is_v6 ? (const void *)&v6 : (const void *)&v4;
    socklen_t size = p.is_v6 ? sizeof(v6) : sizeof(v4);
    for (uint32_t i = 0; i < h->copies; i++)
        if (sendto(fd, h->bytes, h->size, MSG_DONTWAIT, to, size) < 0)
            return; // a copy that finds no room is lost, as on any network
}

// The packet goes on, as it has become. Its copies come behind it.
static void let_go(struct carrier *c, struct held *h)
{
    bool is_other = h->is_corrupt && lz_packet_flip(h->bytes, h->size, h->bits);
    if (c->verdicts.len + h->size + DATAGRAM_SIZE > sizeof(c->verdicts.bytes))
        flush(c);
    lz_nfqueue_accept(&c->verdicts, h->id, is_other ? h->bytes : NULL, h->size);
    if (h->copies > 0) {
        flush(c);
        send_copies(c, h);
    }
    free(h->bytes);
}

static void update_timer(struct carrier *c)
{
    atomic_store(&c->opts->shared->held, c->count);
    if (c->count == 0)
        lz_loop_cancel(c->loop, &c->next);
    else if (!lz_loop_is_armed(&c->next) || c->next.at_ns != c->heap[1].release_ns)
        lz_loop_arm(c->loop, &c->next, c->heap[1].release_ns);
}

static void on_due(void *ctx, int64_t now_ns)
{
    struct carrier *c = ctx;
    struct lz_err err;
    while (c->count > 0 && c->heap[1].release_ns <= now_ns) {
        struct held h = pop(c);
        let_go(c, &h);
        LZ_ASSERT(c->edges[h.edge].held > 0);
        c->edges[h.edge].held--;
    }
    flush(c);
    update_timer(c);
    // Rules that cannot be changed now are changed with the next toxic.
    bool is_laid = lay_ways(c, &err);
    (void)is_laid;
}

// ---------------------------------------------------------------- packets

static unsigned char *copy(const unsigned char *bytes, size_t size)
{
    return memcpy(lz_mem_alloc(size), bytes, size);
}

static void take(struct carrier *c, const struct lz_nfqueue_packet *p, int64_t now)
{
    struct lz_packet read;
    enum lz_impair_direction direction = LZ_IMPAIR_UP;
    int64_t edge = lz_packet_read(p->bytes, p->size, &read) ? edge_of(c, &read, &direction) : -1;
    struct lz_impair_fate f = {.release_ns = now};
    if (edge >= 0)
        f = lz_impair_decide(c->impair, &(struct lz_impair_packet){.way = (uint32_t)edge,
                                                                   .direction = direction,
                                                                   .size = p->size,
                                                                   .now_ns = now});
    atomic_fetch_add(&c->opts->shared->seen, 1); // after what its fate has touched
    if (f.is_dropped) {
        lz_nfqueue_drop(&c->verdicts, p->id);
        return;
    }
    struct held h = {.release_ns = f.release_ns,
                     .order = ++c->order,
                     .id = p->id,
                     .edge = (uint32_t)(edge >= 0 ? edge : 0),
                     .copies = f.copies,
                     .is_corrupt = f.is_corrupt,
                     .bits = f.bits,
                     .size = p->size};
    if (f.is_corrupt || f.copies > 0)
        h.bytes = copy(p->bytes, p->size);
    if (f.release_ns <= now) {
        let_go(c, &h);
        return;
    }
    c->edges[h.edge].held++;
    push(c, &h);
}

static void on_packets(void *ctx, int fd, unsigned events)
{
    static _Alignas(8) unsigned char bytes[DATAGRAM_SIZE];
    struct carrier *c = ctx;
    struct lz_nfqueue_packet p;
    (void)events;
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        const unsigned char *at = bytes;
        int64_t now = lz_loop_clock();
        while (lz_nfqueue_next(&at, bytes + n, &p))
            take(c, &p, now);
        if (c->verdicts.len > sizeof(c->verdicts.bytes) / 4)
            flush(c);
    }
    flush(c);
    update_timer(c);
}

// ---------------------------------------------------------------- commands

static bool carry_out(struct carrier *c, const struct lz_carrier_command *command,
                      struct lz_err *err)
{
    LZ_ASSERT(command->edge < c->opts->edge_count);
    LZ_ASSERT(command->slot < LZ_CABLE_TOXICS_MAX);
    struct edge *e = &c->edges[command->edge];
    if (command->op == LZ_CARRIER_CHANGE) {
        lz_impair_change(c->impair, command->edge, command->slot, &command->toxic);
        return true;
    }
    if (command->op == LZ_CARRIER_ADD && c->opts->edges[command->edge].is_v6 &&
        c->queue.family_count < 2)
        return lz_fail(err, LZ_ERANGE, "nf_tables hands over no packets of IPv6: %s",
                       c->queue.no_v6.msg);
    if (command->op == LZ_CARRIER_ADD) {
        e->toxics++;
        lz_impair_add(c->impair, command->edge, command->slot,
                      &c->opts->shared->slots[command->slot].toxic);
        if (lay_ways(c, err))
            return true;
    }
    LZ_ASSERT(e->toxics > 0);
    e->toxics--;
    lz_impair_remove(c->impair, command->edge, command->slot);
    return command->op == LZ_CARRIER_REMOVE && lay_ways(c, err);
}

static void say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        _exit(0); // the run is over
}

static void on_command(void *ctx, int fd, unsigned events)
{
    static struct lz_carrier_command command;
    struct carrier *c = ctx;
    struct lz_err err;
    (void)events;
    ssize_t n = recv(fd, &command, sizeof(command), 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n != (ssize_t)sizeof(command))
        _exit(0); // likewise
    bool ok = carry_out(c, &command, &err);
    if (command.op != LZ_CARRIER_CHANGE)
        say(fd, ok ? "ok" : err.msg);
}

// ---------------------------------------------------------------- the process

static void on_touch(void *ctx, uint32_t slot, uint64_t count)
{
    const struct carrier *c = ctx;
    atomic_fetch_add(&c->opts->shared->slots[slot].touched, count);
}

// What is sent by it begins with its IP header (raw(7), RFC 3542).
static bool open_raw(int family, int *out, struct lz_err *err)
{
    int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), mark = (int)LZ_NFQUEUE_MARK;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) != 0)
        return lz_fail(err, LZ_ERANGE, "no raw socket can be had for copies of packets: %s",
                       strerror(errno));
    *out = fd;
    return true;
}

static bool set_up(struct carrier *c, struct lz_err *err)
{
    const struct lz_impair_opts impair = {
        .run_key = c->opts->run_key, .way_count = c->opts->edge_count, .touch = on_touch, .ctx = c};
    c->impair = lz_impair_create(&impair);
    for (uint32_t i = 0; i < c->opts->edge_count; i++)
        lz_impair_name(c->impair, i, c->opts->edges[i].name);
    c->next = (struct lz_loop_timer){.fn = on_due, .ctx = c};
    lz_netlink_start(&c->verdicts);
    return lz_nfqueue_open(&c->queue, err) && open_raw(AF_INET, &c->raw, err) &&
           (c->queue.family_count < 2 || open_raw(AF_INET6, &c->raw_v6, err)) &&
           lz_loop_create(&c->loop, err) &&
           lz_loop_watch(c->loop, c->queue.fd, LZ_LOOP_READ, on_packets, c, err) &&
           lz_loop_watch(c->loop, LZ_CARRIER_CONTROL_FD, LZ_LOOP_READ, on_command, c, err);
}

// Of all that the run had open it keeps its socket and stderr: see proxy/serve.c.
static void keep_own_descriptors(int control)
{
    int high = fcntl(control, F_DUPFD_CLOEXEC, 64);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (high < 0 || null < 0)
        _exit(1);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup3(high, LZ_CARRIER_CONTROL_FD, O_CLOEXEC);
    close_range(LZ_CARRIER_CONTROL_FD + 1, ~0u, 0);
}

_Noreturn void lz_carrier_main(const struct lz_carrier_opts *opts)
{
    static const int not_ours[] = {SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};
    static struct carrier c;
    struct lz_err err;
    keep_own_descriptors(opts->control);
    for (size_t i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++)
        signal(not_ours[i], SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_NAME, "lorenz-carrier");
    prctl(PR_SET_TIMERSLACK, 1000ul);
    c.opts = opts;
    bool ok = set_up(&c, &err);
    say(LZ_CARRIER_CONTROL_FD, ok ? "ok" : err.msg);
    if (!ok)
        _exit(1);
    for (;;)
        lz_loop_run(c.loop, LZ_LOOP_NEVER);
}
