/*
 * The proxy beside a plain socket: what a hop through it costs.
 *
 *     build/tests/bench/bench_proxy [CONNECTIONS]
 *     build/tests/bench/bench_proxy beside SERVER-PORT PROXY-PORT PID
 *
 * The second measures another program: one that sends what comes to PROXY-PORT on to SERVER-PORT,
 * by its processor time.
 *
 * - bytes: bulk through one connection; also by the proxy's own processor time, which is what one
 *   core gives it when sender and receiver have cores of their own
 * - connections: connect, one byte there and back, close; eight or 64 clients in turn, of one
 * process
 * - round trip: 64 bytes there and back, median and 99th percentile, without and with the proxy
 * - open: connections held open at once, each of which has answered, and what each takes in the
 *   proxy's process
 *
 * Client, server and proxy are processes of their own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/proxy/proxy.h"

#define BULK (UINT64_C(3) << 30)
#define MAKE 25600
#define CLIENTS_MAX 64
#define TRIPS 20000

static uint16_t direct_port, proxy_port;
static pid_t proxy_pid;

static double seconds(void)
{
    return (double)lz_loop_clock() / 1e9;
}

// Processor time a process has used, in seconds.
static double used_by(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    size_t n = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[n] = '\0';
    if (file != NULL)
        fclose(file);
    const char *at = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (at == NULL ||
        sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long resident_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "Private_Dirty: %ld", &kib) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    return kib;
}

static int to(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int yes = 1;
    // Many source addresses: one has 28,000 ports, and closed ones rest for a minute.
    static uint32_t next;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (next++ % 16));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
    if (bind(fd, (void *)&from, sizeof(from)) != 0 || connect(fd, (void *)&a, sizeof(a)) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof(a);
    int yes = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (void *)&a, sizeof(a)) != 0 || listen(fd, 4096) != 0) {
        perror("listen");
        exit(1);
    }
    getsockname(fd, (void *)&a, &len);
    direct_port = ntohs(a.sin_port);
    return fd;
}

// The server: 'S' asks for the bulk, anything else comes back.
static void handle(int epoll, int fd)
{
    static char bytes[1 << 18];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close(fd);
        return;
    }
    if (bytes[0] != 'S') {
        (void)!send(fd, bytes, (size_t)n, MSG_NOSIGNAL);
        return;
    }
    for (uint64_t left = BULK; left > 0;) {
        size_t now = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
        n = send(fd, bytes, now, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        left -= (uint64_t)n;
    }
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
}

static _Noreturn void serve(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int epoll = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, news[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll, news, 256, -1);
        for (int i = 0; i < n; i++) {
            if (news[i].data.fd != listener) {
                handle(epoll, news[i].data.fd);
                continue;
            }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                int yes = 1;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
                e = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
            }
        }
    }
}

static void bulk(const char *name, uint16_t port)
{
    static char bytes[1 << 20];
    int fd = to(port);
    double began = seconds(), used = used_by(proxy_pid);
    uint64_t have = 0;
    (void)!send(fd, "S", 1, 0);
    for (ssize_t n; (n = recv(fd, bytes, sizeof(bytes), MSG_TRUNC)) > 0;)
        have += (uint64_t)n;
    double took = seconds() - began;
    used = used_by(proxy_pid) - used;
    printf("bytes        %-6s %6.2f GB/s", name, (double)have / took / 1e9);
    if (port == proxy_port)
        printf("   %6.2f GB/s of its processor time", (double)have / (used + 1e-9) / 1e9);
    printf("\n");
    close(fd);
}

static void make(const char *name, uint16_t port, int clients)
{
    int fd[CLIENTS_MAX];
    char byte = 'x';
    double began = seconds(), used = used_by(proxy_pid);
    for (int i = 0; i < MAKE; i += clients) {
        for (int k = 0; k < clients; k++) {
            fd[k] = to(port);
            (void)!send(fd[k], &byte, 1, MSG_NOSIGNAL);
        }
        for (int k = 0; k < clients; k++) {
            if (recv(fd[k], &byte, 1, 0) != 1)
                exit(1);
            close(fd[k]);
        }
    }
    double took = seconds() - began;
    used = used_by(proxy_pid) - used;
    printf("connections  %-6s %6.0f /s, %2d clients", name, MAKE / took, clients);
    if (port == proxy_port)
        printf("   %6.0f /s of its processor time", MAKE / (used + 1e-9));
    printf("\n");
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void trips(const char *name, uint16_t port)
{
    static double took[TRIPS];
    char bytes[64] = "x";
    int fd = to(port);
    for (int i = 0; i < TRIPS; i++) {
        double began = seconds();
        (void)!send(fd, bytes, sizeof(bytes), 0);
        for (ssize_t have = 0; have < (ssize_t)sizeof(bytes);)
            have += recv(fd, bytes, sizeof(bytes), 0);
        took[i] = seconds() - began;
    }
    close(fd);
    qsort(took, TRIPS, sizeof(took[0]), by_size);
    printf("round trip   %-6s %6.1f us median, %.1f us p99\n", name, took[TRIPS / 2] * 1e6,
           took[TRIPS * 99 / 100] * 1e6);
}

static struct lz_proxy *make_proxy(struct lz_loop *loop, uint16_t *port)
{
    struct lz_proxy *proxy;
    struct lz_err err;
    lz_proxy_edge_id edge;
    const struct lz_proxy_edge_opts to_server = {
        .name = "bench", .upstream_host = "127.0.0.1", .upstream_port = direct_port};
    if (!lz_proxy_create(&proxy, &(struct lz_proxy_opts){.loop = loop}, &err) ||
        !lz_proxy_edge(proxy, &to_server, &edge, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    *port = lz_proxy_port(proxy, edge);
    return proxy;
}

static void open_many(struct lz_loop *loop, int count)
{
    uint16_t port;
    struct lz_proxy *proxy = make_proxy(loop, &port);
    int *fd = calloc((size_t)count, sizeof(*fd));
    long before = resident_kib(lz_proxy_pid(proxy));
    char byte = 'x';
    for (int i = 0; i < count; i++) {
        fd[i] = to(port);
        if (send(fd[i], &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd[i], &byte, 1, 0) != 1) {
            fprintf(stderr, "connection %d of %d does not answer\n", i, count);
            exit(1);
        }
    }
    long after = resident_kib(lz_proxy_pid(proxy));
    printf("open         %d connections at once, %.2f KiB each\n", count,
           (double)(after - before) / (double)count);
    for (int i = 0; i < count; i++)
        close(fd[i]);
    free(fd);
    lz_proxy_destroy(proxy);
}

static void raise_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void measure(void)
{
    bulk("plain", direct_port);
    bulk("proxy", proxy_port);
    for (int clients = 8; clients <= CLIENTS_MAX; clients *= 8) {
        make("plain", direct_port, clients);
        make("proxy", proxy_port, clients);
    }
    trips("plain", direct_port);
    trips("proxy", proxy_port);
}

static pid_t start_server(uint16_t port)
{
    int listener = listen_on(port);
    pid_t server = fork();
    if (server == 0)
        serve(listener);
    close(listener);
    return server;
}

static void measure_ours(int count)
{
    struct lz_loop *loop;
    struct lz_err err;
    if (!lz_loop_create(&loop, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    raise_limit();
    pid_t server = start_server(0);
    struct lz_proxy *proxy = make_proxy(loop, &proxy_port);
    proxy_pid = lz_proxy_pid(proxy);
    measure();
    lz_proxy_destroy(proxy);
    open_many(loop, count);
    lz_loop_destroy(loop);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "beside") == 0) {
        pid_t server = start_server((uint16_t)atoi(argv[2]));
        proxy_port = (uint16_t)atoi(argv[3]);
        proxy_pid = atoi(argv[4]);
        measure();
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        return 0;
    }
    measure_ours(argc > 1 ? atoi(argv[1]) : 10000);
    return 0;
}
