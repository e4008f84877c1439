#include "live/net/spaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"
#include "live/net/netlink.h"

#define NODES_FROM 0xC6120000u // 198.18.0.0
#define DOORS_FROM 0xC6130001u // 198.19.0.1
#define LINK_BITS 30u          // two addresses, and the two that a subnet needs for itself
#define LINK_FROM 1000         // indices of our ends, by node
#define OWN_NAMESPACE "/proc/self/ns/net"

_Static_assert(LZ_SPACES_ROUTE == NETLINK_ROUTE, "it is said without the kernel's header");
_Static_assert(LZ_SPACES_NODES_MAX * 4 <= 65536, "nodes do not reach into the doors' addresses");

// Of IPv6: what is of IPv4, behind a prefix of addresses that are nobody's but ours (RFC 4193).
static const unsigned char v6_prefix[12] = {0xfd};

struct lz_spaces {
    int outside; // the namespace we came from; -1: there is no way back
    int own;     // the run's
    int *nodes;
    size_t node_count;
    char lacks_v6[160]; // why there is none; "" if there is
    struct lz_netlink_batch batch;
};

static bool has_left;

// ---------------------------------------------------------------- addresses

uint32_t lz_spaces_node(size_t i)
{
    LZ_ASSERT(i < LZ_SPACES_NODES_MAX);
    return NODES_FROM + (uint32_t)i * 4 + 2;
}

size_t lz_spaces_index(uint32_t node)
{
    LZ_ASSERT(node >= lz_spaces_node(0));
    size_t i = (node - lz_spaces_node(0)) / 4;
    LZ_ASSERT(lz_spaces_node(i) == node);
    return i;
}

int lz_spaces_link(size_t i)
{
    LZ_ASSERT(i < LZ_SPACES_NODES_MAX);
    return LINK_FROM + (int)i;
}

uint32_t lz_spaces_gateway(size_t i)
{
    return lz_spaces_node(i) - 1;
}

uint32_t lz_spaces_door(size_t i)
{
    LZ_ASSERT(i < LZ_SPACES_DOORS_MAX);
    return DOORS_FROM + (uint32_t)i;
}

void lz_spaces_write(uint32_t address, char text[LZ_SPACES_TEXT_SIZE])
{
    snprintf(text, LZ_SPACES_TEXT_SIZE, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
             address >> 8 & 255, address & 255);
}

static void v6_of(uint32_t address, unsigned char out[16])
{
    uint32_t there = htonl(address);
    memcpy(out, v6_prefix, sizeof(v6_prefix));
    memcpy(out + sizeof(v6_prefix), &there, sizeof(there));
}

void lz_spaces_write_v6(uint32_t address, char text[LZ_SPACES_TEXT_V6_SIZE])
{
    unsigned char bytes[16];
    v6_of(address, bytes);
    const char *written = inet_ntop(AF_INET6, bytes, text, LZ_SPACES_TEXT_V6_SIZE);
    LZ_ASSERT(written != NULL);
}

// ---------------------------------------------------------------- links, addresses, routes

static void add_link(struct lz_netlink_batch *b, size_t i, int peer_namespace)
{
    const struct ifinfomsg outer = {.ifi_index = lz_spaces_link(i)};
    const struct ifinfomsg inner = {.ifi_index = LZ_SPACES_INNER_LINK};
    char name[IFNAMSIZ];
    snprintf(name, sizeof(name), "lz%u", (unsigned)i);
    lz_netlink_message(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &outer, sizeof(outer));
    lz_netlink_put_text(b, IFLA_IFNAME, name);
    lz_netlink_put_u32(b, IFLA_MTU, LZ_SPACES_MTU);
    size_t info = lz_netlink_nest(b, IFLA_LINKINFO);
    lz_netlink_put_text(b, IFLA_INFO_KIND, "veth");
    size_t data = lz_netlink_nest(b, IFLA_INFO_DATA);
    size_t peer = lz_netlink_nest(b, VETH_INFO_PEER);
    lz_netlink_put_raw(b, &inner, sizeof(inner));
    lz_netlink_put_text(b, IFLA_IFNAME, "eth0");
    lz_netlink_put_u32(b, IFLA_MTU, LZ_SPACES_MTU);
    lz_netlink_put_u32(b, IFLA_NET_NS_FD, (uint32_t)peer_namespace);
    lz_netlink_end(b, peer);
    lz_netlink_end(b, data);
    lz_netlink_end(b, info);
}

void lz_spaces_put_single(struct lz_netlink_batch *b, int interface)
{
    const struct ifinfomsg body = {.ifi_index = interface};
    lz_netlink_message(b, RTM_NEWLINK, 0, &body, sizeof(body));
    lz_netlink_put_u32(b, IFLA_GSO_MAX_SEGS, 1);
}

// Up, and perhaps passing on what comes in for others: net.ipv4.conf.X.forwarding, for which
// /proc/sys need not be writable.
static void raise_link(struct lz_netlink_batch *b, int index, bool forwards)
{
    const struct ifinfomsg up = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    lz_netlink_message(b, RTM_NEWLINK, 0, &up, sizeof(up));
    if (index == LZ_SPACES_LOOPBACK)
        lz_netlink_put_u32(b, IFLA_MTU, LZ_SPACES_MTU);
    if (!forwards)
        return;
    size_t spec = lz_netlink_nest(b, IFLA_AF_SPEC);
    size_t inet = lz_netlink_nest(b, AF_INET);
    size_t conf = lz_netlink_nest(b, IFLA_INET_CONF);
    lz_netlink_put_u32(b, IPV4_DEVCONF_FORWARDING, 1);
    lz_netlink_end(b, conf);
    lz_netlink_end(b, inet);
    lz_netlink_end(b, spec);
}

static void add_address(struct lz_netlink_batch *b, int index, uint32_t address, unsigned bits)
{
    const struct ifaddrmsg body = {
        .ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)bits, .ifa_index = (uint32_t)index};
    lz_netlink_message(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
    lz_netlink_put_be32(b, IFA_LOCAL, address);
    lz_netlink_put_be32(b, IFA_ADDRESS, address);
}

static void add_default_route(struct lz_netlink_batch *b, uint32_t gateway)
{
    const struct rtmsg body = {.rtm_family = AF_INET,
                               .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_STATIC,
                               .rtm_scope = RT_SCOPE_UNIVERSE,
                               .rtm_type = RTN_UNICAST};
    lz_netlink_message(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
    lz_netlink_put_be32(b, RTA_GATEWAY, gateway);
}

// Usable at once: nobody else has it, and need not be asked whether it does (IFA_F_NODAD).
static void add_address_v6(struct lz_netlink_batch *b, int index, uint32_t address, unsigned bits)
{
    const struct ifaddrmsg body = {.ifa_family = AF_INET6,
                                   .ifa_prefixlen = (uint8_t)(96 + bits),
                                   .ifa_flags = IFA_F_NODAD,
                                   .ifa_index = (uint32_t)index};
    unsigned char there[16];
    v6_of(address, there);
    lz_netlink_message(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
    lz_netlink_put(b, IFA_LOCAL, there, sizeof(there));
    lz_netlink_put(b, IFA_ADDRESS, there, sizeof(there));
}

static void add_default_route_v6(struct lz_netlink_batch *b, uint32_t gateway)
{
    const struct rtmsg body = {.rtm_family = AF_INET6,
                               .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_STATIC,
                               .rtm_scope = RT_SCOPE_UNIVERSE,
                               .rtm_type = RTN_UNICAST};
    unsigned char there[16];
    v6_of(gateway, there);
    lz_netlink_message(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
    lz_netlink_put(b, RTA_GATEWAY, there, sizeof(there));
    lz_netlink_put_u32(b, RTA_OIF, LZ_SPACES_INNER_LINK);
}

// The namespace that we are in. Never 0, which says "none" to those who get it, though standard
// input may be closed.
static int open_here(void)
{
    int fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), why = errno;
    close(fd);
    errno = why;
    return higher;
}

// One request in the namespace that we are in.
static bool ask_here(const struct lz_netlink_batch *b, const char *what, struct lz_err *err)
{
    int fd;
    if (!lz_netlink_open(NETLINK_ROUTE, &fd, err))
        return false;
    int refused = 0;
    bool ok = lz_netlink_ask(fd, b, &refused, err) || lz_fail_in(err, "%s", what);
    close(fd);
    return ok;
}

static bool write_text(const char *path, const char *text);

/*
 * Before any link is there: its own addresses are not asked for either (DAD), else a neighbour is
 * not answered for a second. What comes in for others is passed on, where it is said so; netlink
 * has no word for either. False: errno says why.
 */
static bool prepare_v6(bool forwards)
{
    static const char *const quiet[] = {"all/accept_dad", "default/accept_dad",
                                        "default/dad_transmits", "default/accept_ra"};
    char path[80];
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof(quiet) / sizeof(quiet[0]); i++) {
        snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s", quiet[i]);
        ok = write_text(path, "0");
    }
    return ok && (!forwards || write_text("/proc/sys/net/ipv6/conf/all/forwarding", "1"));
}

static void note_v6(struct lz_spaces *s, bool ok, const char *what)
{
    if (!ok && s->lacks_v6[0] == '\0')
        snprintf(s->lacks_v6, sizeof(s->lacks_v6), "%.150s", what);
}

static void furnish_own_v6(struct lz_spaces *s, size_t doors)
{
    struct lz_err err;
    lz_netlink_start(&s->batch);
    for (size_t i = 0; i < doors; i++)
        add_address_v6(&s->batch, LZ_SPACES_LOOPBACK, lz_spaces_door(i), 32);
    bool ok = doors == 0 || ask_here(&s->batch, "its addresses of IPv6", &err);
    note_v6(s, ok, ok ? "" : err.msg);
}

static bool furnish_own(struct lz_spaces *s, size_t doors, struct lz_err *err)
{
    bool has_v6 = prepare_v6(true);
    note_v6(s, has_v6, strerror(errno));
    lz_netlink_start(&s->batch);
    raise_link(&s->batch, LZ_SPACES_LOOPBACK, false);
    for (size_t i = 0; i < doors; i++)
        add_address(&s->batch, LZ_SPACES_LOOPBACK, lz_spaces_door(i), 32);
    if (!ask_here(&s->batch, "the run's own network", err))
        return false;
    if (has_v6)
        furnish_own_v6(s, doors);
    return true;
}

// Of the link to a node, once it is there: both of its ends, and the node's way out.
static void furnish_link_v6(struct lz_spaces *s, size_t i, int node_fd)
{
    struct lz_err err;
    lz_netlink_start(&s->batch);
    add_address_v6(&s->batch, lz_spaces_link(i), lz_spaces_gateway(i), LINK_BITS);
    bool ok = ask_here(&s->batch, "a link's address of IPv6", &err);
    lz_netlink_start(&s->batch);
    add_address_v6(&s->batch, LZ_SPACES_INNER_LINK, lz_spaces_node(i), LINK_BITS);
    add_default_route_v6(&s->batch, lz_spaces_gateway(i));
    ok = ok && (lz_netlink_ask(node_fd, &s->batch, NULL, &err) ||
                lz_fail_in(&err, "a program's addresses of IPv6"));
    note_v6(s, ok, ok ? "" : err.msg);
}

// A namespace, and a link to it. We are out of ours for a moment, and in it again at the end.
static bool add_node(struct lz_spaces *s, struct lz_err *err)
{
    size_t i = s->node_count;
    if (unshare(CLONE_NEWNET) != 0)
        return lz_fail(err, LZ_ERANGE, "no further network namespace can be made: %s",
                       strerror(errno));
    s->nodes[i] = open_here();
    int fd = -1, why = errno;
    bool ok = s->nodes[i] >= 0 || lz_fail(err, LZ_EIO, "%s: %s", OWN_NAMESPACE, strerror(why));
    if (s->lacks_v6[0] == '\0') {
        bool is_prepared = prepare_v6(false);
        note_v6(s, is_prepared, strerror(errno));
    }
    ok = ok && lz_netlink_open(NETLINK_ROUTE, &fd, err);
    if (setns(s->own, CLONE_NEWNET) != 0)
        ok = lz_fail(err, LZ_EIO, "the run's own network cannot be entered again: %s",
                     strerror(errno));
    if (s->nodes[i] >= 0)
        s->node_count++;
    if (ok) {
        lz_netlink_start(&s->batch);
        add_link(&s->batch, i, s->nodes[i]);
        raise_link(&s->batch, lz_spaces_link(i), true);
        add_address(&s->batch, lz_spaces_link(i), lz_spaces_gateway(i), LINK_BITS);
        ok = ask_here(&s->batch, "a link (veth)", err);
    }
    if (ok) {
        lz_netlink_start(&s->batch);
        raise_link(&s->batch, LZ_SPACES_LOOPBACK, false);
        raise_link(&s->batch, LZ_SPACES_INNER_LINK, false);
        add_address(&s->batch, LZ_SPACES_INNER_LINK, lz_spaces_node(i), LINK_BITS);
        add_default_route(&s->batch, lz_spaces_gateway(i));
        ok = lz_netlink_ask(fd, &s->batch, NULL, err) || lz_fail_in(err, "a program's network");
    }
    if (ok && s->lacks_v6[0] == '\0')
        furnish_link_v6(s, i, fd);
    if (fd >= 0)
        close(fd);
    return ok;
}

// ---------------------------------------------------------------- moving

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int why = fd < 0 ? errno : lz_io_write(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    errno = why;
    return why == 0;
}

// Who we are stays as it was: files, signals and /proc know us by the same ids.
static bool enter_user_namespace(struct lz_err *err)
{
    char users[64], groups[64];
    snprintf(users, sizeof(users), "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    snprintf(groups, sizeof(groups), "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return lz_fail(err, LZ_ERANGE, "a user namespace cannot be made by this user: %s",
                       strerror(errno));
    has_left = true;
    bool ok = write_text("/proc/self/uid_map", users) &&
              write_text("/proc/self/setgroups", "deny") &&
              write_text("/proc/self/gid_map", groups);
    return ok || lz_fail(err, LZ_ERANGE, "a user namespace cannot be set up: %s", strerror(errno));
}

static bool move_in(struct lz_spaces *s, struct lz_err *err)
{
    s->outside = open_here();
    if (s->outside < 0)
        return lz_fail(err, LZ_ERANGE, "this kernel has no network namespaces: %s",
                       strerror(errno));
    if (unshare(CLONE_NEWNET) != 0) {
        if (errno != EPERM)
            return lz_fail(err, LZ_ERANGE, "no network namespace can be made: %s", strerror(errno));
        close(s->outside);
        s->outside = -1;
        if (!enter_user_namespace(err))
            return false;
    }
    s->own = open_here();
    return s->own >= 0 || lz_fail(err, LZ_EIO, "%s: %s", OWN_NAMESPACE, strerror(errno));
}

bool lz_spaces_create(size_t nodes, size_t doors, struct lz_spaces **out, struct lz_err *err)
{
    LZ_ASSERT(nodes <= LZ_SPACES_NODES_MAX);
    LZ_ASSERT(doors <= LZ_SPACES_DOORS_MAX);
    struct lz_spaces *s = lz_mem_alloc(sizeof(*s));
    s->outside = s->own = -1;
    s->node_count = 0;
    s->lacks_v6[0] = '\0';
    s->nodes = lz_mem_alloc((nodes + 1) * sizeof(s->nodes[0]));
    bool ok = move_in(s, err) && furnish_own(s, doors, err);
    for (size_t i = 0; ok && i < nodes; i++)
        ok = add_node(s, err);
    if (ok)
        *out = s;
    else
        lz_spaces_destroy(s);
    return ok;
}

void lz_spaces_destroy(struct lz_spaces *s)
{
    if (s == NULL)
        return;
    // From a user namespace of its own a process does not come back: setns(2) would refuse.
    if (s->outside >= 0 && s->own >= 0 && setns(s->outside, CLONE_NEWNET) != 0)
        has_left = true;
    for (size_t i = 0; i < s->node_count; i++)
        close(s->nodes[i]);
    if (s->own >= 0)
        close(s->own);
    if (s->outside >= 0)
        close(s->outside);
    free(s->nodes);
    free(s);
}

int lz_spaces_fd(const struct lz_spaces *s, size_t node)
{
    LZ_ASSERT(node < s->node_count);
    return s->nodes[node];
}

size_t lz_spaces_count(const struct lz_spaces *s)
{
    return s->node_count;
}

bool lz_spaces_open_route(const struct lz_spaces *s, size_t node, int *fd, struct lz_err *err)
{
    LZ_ASSERT(node < s->node_count);
    if (setns(s->nodes[node], CLONE_NEWNET) != 0)
        return lz_fail(err, LZ_EIO, "a program's network cannot be entered: %s", strerror(errno));
    bool ok = lz_netlink_open(NETLINK_ROUTE, fd, err);
    if (setns(s->own, CLONE_NEWNET) != 0)
        ok = lz_fail(err, LZ_EIO, "the run's own network cannot be entered again: %s",
                     strerror(errno));
    return ok;
}

bool lz_spaces_join(int fd)
{
    return fd == 0 || setns(fd, CLONE_NEWNET) == 0;
}

const char *lz_spaces_lacks_v6(const struct lz_spaces *s)
{
    return s->lacks_v6[0] != '\0' ? s->lacks_v6 : NULL;
}

bool lz_spaces_has_left(void)
{
    return has_left;
}

// ---------------------------------------------------------------- whether it can be done

static _Noreturn void try_in_child(lz_spaces_try_fn *try_it, int told)
{
    struct lz_spaces *s = NULL;
    struct lz_err err = {.msg = ""};
    bool ok = lz_spaces_create(1, 1, &s, &err) && (try_it == NULL || try_it(&err));
    ssize_t n = write(told, err.msg, ok ? 0 : strlen(err.msg));
    _exit(ok || n < 0 ? !ok : 1);
}

bool lz_spaces_probe_by(lz_spaces_try_fn *try_it, const char *works, struct lz_str *saw)
{
    int ends[2], status = 0;
    char why[sizeof(((struct lz_err *)0)->msg)] = "";
    size_t len = 0;
    ssize_t n;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        lz_str_addf(saw, "no pipe can be had: %s", strerror(errno));
        return false;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        try_in_child(try_it, ends[1]);
    close(ends[1]);
    while (pid > 0 && len < sizeof(why) - 1 &&
           ((n = read(ends[0], why + len, sizeof(why) - 1 - len)) > 0 || (n < 0 && errno == EINTR)))
        len += n > 0 ? (size_t)n : 0;
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    bool ok = pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    lz_str_add(saw, ok ? works : why[0] != '\0' ? why : "no process can be had to try it");
    return ok;
}

bool lz_spaces_probe(struct lz_str *saw)
{
    return lz_spaces_probe_by(NULL, "namespaces with links between them can be made", saw);
}
