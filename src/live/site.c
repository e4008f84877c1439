#include "live/site.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/net/spaces.h"

static char *joined(const char *a, const char *b)
{
    struct lz_str s;
    lz_str_init(&s);
    lz_str_addf(&s, "%s/%s", a, b);
    return lz_str_take(&s);
}

// ---------------------------------------------------------------- ports

#define PORT_FIRST 15000 // most of what has a port of its own is below
#define PORT_TRIES 500

#define NO_V6                                                                                      \
    "this machine has no ::1 (IPv6 is off): leave `family` out, or write family = \"ipv4\""

static socklen_t loopback(bool is_v6, uint16_t port, struct sockaddr_storage *out)
{
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    *out = (struct sockaddr_storage){0};
    if (is_v6)
        memcpy(out, &v6, sizeof(v6));
    else
        memcpy(out, &v4, sizeof(v4));
    return is_v6 ? sizeof(v6) : sizeof(v4);
}

// A socket bound to the port on the loopback, 0: to one that is free. -1: errno says why.
static int bind_port(bool is_v6, uint16_t port)
{
    struct sockaddr_storage at;
    socklen_t size = loopback(is_v6, port, &at);
    int one = 1, fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    // As servers do: connections of an earlier run that linger do not matter.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)&at, size) == 0 && listen(fd, 1) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/*
 * A socket bound to a free port that the kernel hands out to nobody by itself: below those of
 * ip_local_port_range(7). A proxy, or somebody's connection, would else get the port between its
 * being chosen and the program's listening there. Two runs begin to look at different ones.
 */
static int bind_any(bool is_v6)
{
    unsigned low = 32768;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file != NULL && fscanf(file, "%u", &low) != 1)
        low = 32768;
    if (file != NULL)
        fclose(file);
    unsigned count = low > PORT_FIRST && low <= 65536 ? low - PORT_FIRST : 0;
    static unsigned tried;
    for (unsigned i = 0; i < count && i < PORT_TRIES; i++) {
        // None twice, not of another family either: who listens at [::] has that of IPv4 too.
        unsigned next = (unsigned)getpid() * 61 + tried++;
        int fd = bind_port(is_v6, (uint16_t)(PORT_FIRST + next % count));
        if (fd >= 0)
            return fd;
    }
    return bind_port(is_v6, 0);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at;
    const struct sockaddr_in *v4 = (const void *)&at;
    const struct sockaddr_in6 *v6 = (const void *)&at;
    socklen_t size = sizeof(at);
    if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

// The inode of the socket that listens on the port: proc_net_tcp(5), state 0A.
static unsigned long listener_inode(const char *table, uint16_t port)
{
    FILE *file = fopen(table, "re");
    char line[512];
    unsigned long inode = 0;
    if (file == NULL)
        return 0;
    while (inode == 0 && fgets(line, sizeof(line), file) != NULL) {
        unsigned local = 0, state = 0;
        unsigned long at = 0;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
                   &local, &state, &at) == 3 &&
            local == port && state == 0x0A)
            inode = at;
    }
    fclose(file);
    return inode;
}

static bool holds_socket(const char *pid, const char *want)
{
    char path[300], link[64];
    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    bool found = false;
    if (dir == NULL)
        return false;
    const struct dirent *entry;
    while (!found && (entry = readdir(dir)) != NULL) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
        if (n > 0) {
            link[n] = '\0';
            found = strcmp(link, want) == 0;
        }
    }
    closedir(dir);
    return found;
}

static void name_process(const char *pid, char *out, size_t size)
{
    char path[300], name[64] = "a process";
    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(name, sizeof(name), file) != NULL)
        name[strcspn(name, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
    snprintf(out, size, "%s (process %s)", name, pid);
}

// What listens at [::] may have a port of IPv4, and none of IPv4 one of IPv6.
static void find_listener(bool is_v6, uint16_t port, char *out, size_t size)
{
    char want[64];
    unsigned long inode = is_v6 ? 0 : listener_inode("/proc/net/tcp", port);
    if (inode == 0)
        inode = listener_inode("/proc/net/tcp6", port);
    snprintf(out, size, "somebody else");
    snprintf(want, sizeof(want), "socket:[%lu]", inode);
    DIR *dir = inode != 0 ? opendir("/proc") : NULL;
    if (dir == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && holds_socket(entry->d_name, want)) {
            name_process(entry->d_name, out, size);
            break;
        }
    }
    closedir(dir);
}

static bool port_is_free(bool is_v6, uint16_t port, char *who, size_t size)
{
    int fd = bind_port(is_v6, port);
    if (fd >= 0) {
        close(fd);
        return true;
    }
    if (is_v6 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT))
        return true; // who binds it says so
    if (errno == EACCES)
        snprintf(who, size, "the system: ports below 1024 need root");
    else
        find_listener(is_v6, port, who, size);
    return false;
}

// ---------------------------------------------------------------- addresses

bool lz_site_read_url(const char *url, struct lz_site_address *out, struct lz_err *err)
{
    static const struct {
        const char *scheme;
        uint16_t port;
    } known[] = {{"http://", 80}, {"https://", 443}, {"tcp://", 0}};
    *out = (struct lz_site_address){0};
    const char *at = NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && at == NULL; i++) {
        size_t n = strlen(known[i].scheme);
        if (strncmp(url, known[i].scheme, n) != 0)
            continue;
        at = url + n;
        out->port = known[i].port;
        out->is_tls = i == 1;
    }
    if (at == NULL)
        return lz_fail(err, LZ_EINVAL, "%s is no URL: write http://HOST:PORT", url);
    const char *end = at + strcspn(at, "/?#");
    const char *close = at[0] == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;
    const char *colon =
        memchr(close != NULL ? close : at, ':', (size_t)(end - (close != NULL ? close : at)));
    const char *host = close != NULL ? at + 1 : at;
    size_t len = (size_t)((close != NULL ? close : colon != NULL ? colon : end) - host);
    if (len == 0 || len >= sizeof(out->host) || memchr(at, '@', (size_t)(end - at)) != NULL)
        return lz_fail(err, LZ_EINVAL, "%s: its host cannot be read", url);
    memcpy(out->host, host, len);
    if (colon != NULL) {
        char *stop;
        long port = strtol(colon + 1, &stop, 10);
        if (stop != end || port < 1 || port > 65535)
            return lz_fail(err, LZ_EINVAL, "%s: a port is 1 to 65535", url);
        out->port = (uint16_t)port;
    }
    return out->port != 0 || lz_fail(err, LZ_EINVAL, "%s has no port", url);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 ==
               127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

bool lz_site_may_reach(const char *host, const char *const *hosts, size_t host_count,
                       struct lz_err *err)
{
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    bool is_allowed = false, is_local = true;
    for (size_t i = 0; i < host_count; i++)
        is_allowed = is_allowed || strcmp(hosts[i], host) == 0;
    int status = getaddrinfo(host, NULL, &want, &list);
    if (status != 0)
        return lz_fail(err, LZ_ENOENT, "the host \"%s\" does not resolve: %s", host,
                       gai_strerror(status));
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
        is_local = is_local && is_loopback(a->ai_addr);
    freeaddrinfo(list);
    if (is_allowed || is_local)
        return true;
    return lz_fail(err, LZ_ERANGE,
                   "the host \"%s\" is not of this machine's loopback: a live run breaks things; "
                   "if that may be broken: --allow-target %s",
                   host, host);
}

// ---------------------------------------------------------------- making

static bool place_endpoint(struct lz_site_process *p, const struct lz_site_opts *opts,
                           struct lz_err *err)
{
    p->state = LZ_SITE_REMOTE;
    return lz_site_read_url(p->target->url, &p->address, err) &&
           lz_site_may_reach(p->address.host, opts->hosts, opts->host_count, err);
}

// In a network of its own every port is free, and the machine's need not be looked at.
static void place_in_namespace(struct lz_site_process *p)
{
    if (p->target->is_v6)
        lz_spaces_write_v6(lz_spaces_node(p->index), p->address.host);
    else
        lz_spaces_write(lz_spaces_node(p->index), p->address.host);
    p->address.port = p->target->port != 0 ? (uint16_t)p->target->port : PORT_FIRST;
}

// `held` keeps the port that was chosen until all are, so that none is given twice.
static bool place_process(struct lz_site *site, uint32_t index, int *held, struct lz_err *err)
{
    struct lz_site_process *p = &site->processes[index];
    char who[128];
    p->folder = joined(site->folder, p->target->name);
    p->address.is_tls = p->target->is_tls;
    struct lz_str log;
    lz_str_init(&log);
    lz_str_addf(&log, "%s/%s.log", site->folder, p->target->name);
    p->log = lz_str_take(&log);
    if (site->plan->network == LZ_LIVE_NAMESPACES) {
        place_in_namespace(p);
        return true;
    }
    bool is_v6 = p->target->is_v6;
    snprintf(p->address.host, sizeof(p->address.host), "%s", is_v6 ? "::1" : "127.0.0.1");
    p->address.port = (uint16_t)p->target->port;
    for (uint32_t i = 0; i < index; i++)
        if (p->address.port != 0 && site->processes[i].target->url == NULL &&
            site->processes[i].target->is_v6 == is_v6 &&
            site->processes[i].address.port == p->address.port)
            return lz_fail(err, LZ_EEXIST, "port %u is %s's already: write listens = \"free\"",
                           p->address.port, site->processes[i].target->name);
    if (p->address.port != 0 && !port_is_free(is_v6, p->address.port, who, sizeof(who)))
        return lz_fail(err, LZ_EEXIST,
                       "port %u is in use by %s: end that, or write listens = \"free\"",
                       p->address.port, who);
    *held = p->address.port != 0 ? bind_port(is_v6, p->address.port) : bind_any(is_v6);
    if (*held < 0 && is_v6 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT))
        return lz_fail(err, LZ_EIO, NO_V6);
    if (*held < 0)
        return lz_fail(err, LZ_EIO, "no port can be had: %s", strerror(errno));
    p->address.port = port_of(*held);
    return true;
}

static bool place_all(struct lz_site *site, const struct lz_site_opts *opts, struct lz_err *err)
{
    int *held = lz_mem_alloc((site->process_count + 1) * sizeof(*held));
    bool ok = true;
    size_t done = 0;
    // Ports that are said come first, so that none of them is chosen for another.
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; ok && i < site->process_count; i++) {
            struct lz_site_process *p = &site->processes[i];
            bool is_first = p->target->url == NULL && p->target->port != 0;
            if (is_first != (pass == 0))
                continue;
            held[done] = -1;
            ok = p->target->url != NULL ? place_endpoint(p, opts, err)
                                        : place_process(site, i, &held[done], err);
            done++;
            if (!ok)
                lz_fail_in(err, "%s", p->target->name);
        }
    }
    for (size_t i = 0; i < done; i++)
        if (held[i] >= 0)
            close(held[i]);
    free(held);
    return ok;
}

static void name_edge(struct lz_site_edge *e, const struct lz_world *w)
{
    const char *from =
        e->from != NULL ? e->from->target->name : lz_world_component(w, e->plan->client)->name;
    snprintf(e->name, sizeof(e->name), "%s -> %s", from, e->to->target->name);
}

static uint32_t node_of_traffic(const struct lz_site *site, lz_component_id client)
{
    const struct lz_live_plan *plan = site->plan;
    for (size_t i = 0; i < plan->traffic_count; i++)
        if (plan->traffics[i].component == client && plan->traffics[i].command.count > 0)
            return (uint32_t)(plan->target_count + i);
    return LZ_SITE_NO_NODE;
}

// Who is told to go where: by an address of the edge's own, or straight to the process.
static void place_edge(const struct lz_site *site, struct lz_site_edge *e)
{
    bool is_apart = site->plan->network == LZ_LIVE_NAMESPACES;
    e->client_node = e->from != NULL ? e->from->index : node_of_traffic(site, e->plan->client);
    // Commands of a traffic are told where a process is, and go there.
    bool by_command = e->from == NULL && e->client_node != LZ_SITE_NO_NODE;
    e->has_proxy = !is_apart || (e->protocol == LZ_LIVE_HTTP && !by_command);
    if (!is_apart)
        return;
    e->listen = e->to->address;
    if (e->has_proxy && e->to->target->is_v6)
        lz_spaces_write_v6(lz_spaces_door(e->index), e->listen.host);
    else if (e->has_proxy)
        lz_spaces_write(lz_spaces_door(e->index), e->listen.host);
}

static bool check_size(const struct lz_site *site, struct lz_err *err)
{
    bool is_apart = site->plan->network == LZ_LIVE_NAMESPACES;
    if (is_apart && lz_site_node_count(site) > LZ_SPACES_NODES_MAX)
        return lz_fail(err, LZ_EFULL, "%zu processes and traffics: at most %d can be in namespaces",
                       lz_site_node_count(site), LZ_SPACES_NODES_MAX);
    if (is_apart && site->edge_count > LZ_SPACES_DOORS_MAX)
        return lz_fail(err, LZ_EFULL, "%zu edges: at most %d can be in namespaces",
                       site->edge_count, LZ_SPACES_DOORS_MAX);
    return true;
}

void lz_site_write_address(const struct lz_site_address *a, struct lz_str *out)
{
    bool is_v6 = strchr(a->host, ':') != NULL;
    lz_str_addf(out, "%s%s%s:%u", is_v6 ? "[" : "", a->host, is_v6 ? "]" : "", a->port);
}

size_t lz_site_node_count(const struct lz_site *site)
{
    return site->process_count + site->plan->traffic_count;
}

static bool check_probes(const struct lz_site *site, const struct lz_site_opts *opts,
                         struct lz_err *err)
{
    struct lz_site_address at;
    for (size_t i = 0; i < site->plan->probe_count; i++) {
        const struct lz_live_probe *p = &site->plan->probes[i];
        bool is_url = p->kind == LZ_LIVE_PROBE_HTTP && p->url != NULL && p->url[0] != '/' &&
                      strstr(p->url, "{{") == NULL;
        if (is_url && (!lz_site_read_url(p->url, &at, err) ||
                       !lz_site_may_reach(at.host, opts->hosts, opts->host_count, err)))
            return lz_fail_in(err, "probe \"%s\"", p->name);
    }
    for (size_t i = 0; i < site->plan->prometheus_count; i++) {
        const struct lz_live_prometheus *p = &site->plan->prometheus[i];
        if (strstr(p->url, "{{") == NULL &&
            (!lz_site_read_url(p->url, &at, err) ||
             !lz_site_may_reach(at.host, opts->hosts, opts->host_count, err)))
            return lz_fail_in(err, "prometheus \"%s\"", p->name);
    }
    return true;
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

bool lz_site_create(const struct lz_site_opts *opts, struct lz_site **out, struct lz_err *err)
{
    const struct lz_live_plan *plan = opts->plan;
    struct lz_site *site = lz_mem_alloc(sizeof(*site));
    *site = (struct lz_site){
        .plan = plan,
        .world = opts->world,
        .processes = lz_mem_alloc((plan->target_count + 1) * sizeof(*site->processes)),
        .process_count = plan->target_count,
        .edges = lz_mem_alloc((plan->edge_count + 1) * sizeof(*site->edges)),
        .edge_count = plan->edge_count,
        .folder = copy(opts->folder),
        .scenario_folder = copy(opts->scenario_folder),
    };
    for (uint32_t i = 0; i < site->process_count; i++)
        site->processes[i] = (struct lz_site_process){.target = &plan->targets[i], .index = i};
    for (uint32_t i = 0; i < site->edge_count; i++) {
        const struct lz_live_edge *e = &plan->edges[i];
        struct lz_site_process *to = &site->processes[e->to];
        site->edges[i] =
            (struct lz_site_edge){.plan = e,
                                  .index = i,
                                  .from = e->from != 0 ? &site->processes[e->from - 1] : NULL,
                                  .to = to,
                                  .protocol = to->target->protocol};
        name_edge(&site->edges[i], opts->world);
    }
    if (check_size(site, err) && place_all(site, opts, err) && check_probes(site, opts, err)) {
        for (size_t i = 0; i < site->edge_count; i++)
            place_edge(site, &site->edges[i]);
        *out = site;
        return true;
    }
    lz_site_destroy(site);
    return false;
}

void lz_site_destroy(struct lz_site *site)
{
    if (site == NULL)
        return;
    for (size_t i = 0; i < site->process_count; i++) {
        free(site->processes[i].folder);
        free(site->processes[i].log);
    }
    free(site->processes);
    free(site->edges);
    free(site->folder);
    free(site->scenario_folder);
    free(site);
}
