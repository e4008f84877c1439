#include "stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../child.h"

#define LOOK_US 2000
#define LOOKS (STAGE_PATIENCE_S * 1000000 / LOOK_US)

static struct sockaddr_in at_port(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void echo(int fd)
{
    static char bytes[65536];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        for (ssize_t at = 0; at < n;) {
            ssize_t m = send(fd, bytes + at, (size_t)(n - at), MSG_NOSIGNAL);
            if (m <= 0)
                return;
            at += m;
        }
    }
}

static void answer(int fd, const char *head, size_t body_len)
{
    char what[64], out[512];
    int n = 0;
    while (head[n] != '\0' && !(head[n] == ' ' && strncmp(head + n, " HTTP/", 6) == 0))
        n++;
    int len = snprintf(what, sizeof(what), "%.*s %zu", n > 50 ? 50 : n, head, body_len);
    int more = strstr(what, "endless") != NULL; // a body that does not all come
    len =
        snprintf(out, sizeof(out), "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: %d\r\n\r\n%s",
                 len + more, strncmp(head, "HEAD", 4) == 0 ? "" : what);
    (void)!send(fd, out, (size_t)len, MSG_NOSIGNAL);
}

// Requests with a Content-Length or without a body; as many as come.
static void serve_http(int fd)
{
    static char text[200000];
    size_t have = 0;
    for (;;) {
        char *end;
        text[have] = '\0';
        while ((end = strstr(text, "\r\n\r\n")) == NULL) {
            ssize_t n = recv(fd, text + have, sizeof(text) - 1 - have, 0);
            if (n <= 0)
                return;
            have += (size_t)n;
            text[have] = '\0';
        }
        const char *length = strcasestr(text, "content-length:");
        size_t body = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
        size_t whole = (size_t)(end + 4 - text) + body;
        while (have < whole) {
            ssize_t n = recv(fd, text + have, sizeof(text) - 1 - have, 0);
            if (n <= 0)
                return;
            have += (size_t)n;
        }
        answer(fd, text, body);
        memmove(text, text + whole, have - whole);
        have -= whole;
    }
}

static _Noreturn void serve(int listener, char letter)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = letter == 'x' ? -1 : accept(listener, NULL, NULL);
        if (letter == 'x')
            pause();
        if (fd < 0 || child_fork() != 0) {
            close(fd);
            continue;
        }
        if (letter == 'b')
            (void)!send(fd, "0123456789", 10, MSG_NOSIGNAL);
        if (letter == 'h')
            serve_http(fd);
        else
            echo(fd);
        _exit(0);
    }
}

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in a = at_port(0);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 512), 0);
    assert_int_equal(getsockname(fd, (void *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

int stage_port(void)
{
    uint16_t port;
    close(listen_somewhere(&port));
    return port;
}

static void on_seen(void *ctx, const struct lz_proxy_seen *seen)
{
    struct stage *s = ctx;
    if (s->seen_count < sizeof(s->seen) / sizeof(s->seen[0]))
        s->seen[s->seen_count++] = *seen;
}

void stage_up(struct stage *s, char letter, uint64_t run_key)
{
    struct lz_err err = {0};
    *s = (struct stage){0};
    int listener = listen_somewhere(&s->server_port);
    s->server = child_fork();
    if (s->server == 0)
        serve(listener, letter);
    close(listener);
    assert_true(lz_loop_create(&s->loop, &err));
    struct lz_proxy_opts opts = {.loop = s->loop, .run_key = run_key, .seen = on_seen, .ctx = s};
    if (!lz_proxy_create(&s->proxy, &opts, &err))
        fail_msg("%s", err.msg);
    struct lz_proxy_edge_opts edge = {.name = "web -> db",
                                      .upstream_host = "127.0.0.1",
                                      .upstream_port = s->server_port,
                                      .is_http = letter == 'h'};
    if (!lz_proxy_edge(s->proxy, &edge, &s->edge, &err))
        fail_msg("%s", err.msg);
}

void stage_down(struct stage *s)
{
    lz_proxy_destroy(s->proxy);
    lz_loop_destroy(s->loop);
    kill(s->server, SIGKILL);
    waitpid(s->server, NULL, 0);
}

void stage_look(struct stage *s, size_t want)
{
    int64_t until = lz_loop_clock() + STAGE_PATIENCE_S * 1000 * MS;
    while (s->seen_count < want && lz_loop_clock() < until)
        lz_loop_turn(s->loop, until);
    lz_loop_turn(s->loop, lz_loop_clock() + 5 * MS); // more than that would be wrong
}

lz_proxy_toxic_id stage_add(struct stage *s, const struct lz_toxic *toxic)
{
    struct lz_err err;
    lz_proxy_toxic_id id;
    if (!lz_proxy_add(s->proxy, s->edge, toxic, &id, &err))
        fail_msg("%s", err.msg);
    return id;
}

void stage_remove(struct stage *s, lz_proxy_toxic_id id)
{
    struct lz_err err;
    if (!lz_proxy_remove(s->proxy, id, &err))
        fail_msg("%s", err.msg);
}

uint64_t stage_touched(struct stage *s, lz_proxy_toxic_id id, uint64_t want)
{
    for (int i = 0; i < LOOKS && lz_proxy_touched(s->proxy, id) < want; i++)
        usleep(LOOK_US);
    return lz_proxy_touched(s->proxy, id);
}

void stage_wait_bytes(struct stage *s, uint64_t want)
{
    for (int i = 0; i < LOOKS; i++) {
        struct lz_proxy_edge_counts c = lz_proxy_counts(s->proxy, s->edge);
        if (c.bytes_up + c.bytes_down >= want)
            return;
        usleep(LOOK_US);
    }
}

// Blocking for STAGE_PATIENCE_S at most; -1 and errno when it was not accepted.
static int try_connect(struct stage *s)
{
    struct sockaddr_in a = at_port(lz_proxy_port(s->proxy, s->edge));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = STAGE_PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    int failed = connect(fd, (void *)&a, sizeof(a));
    if (failed != 0 && errno == EINTR) // it goes on meanwhile, and is asked for again
        failed = connect(fd, (void *)&a, sizeof(a));
    if (failed == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int stage_connect(struct stage *s)
{
    int fd = try_connect(s);
    if (fd < 0)
        fail_msg("connect: %s", strerror(errno));
    return fd;
}

void stage_is_reset(struct stage *s, int fd)
{
    char byte;
    if (fd < 0)
        fd = try_connect(s);
    if (fd >= 0) {
        ssize_t n = stage_recv(fd, &byte, 1);
        int why = errno;
        close(fd);
        assert_int_equal(n, -1);
        errno = why;
    }
    assert_int_equal(errno, ECONNRESET);
}

ssize_t stage_recv(int fd, void *bytes, size_t len)
{
    ssize_t n;
    do
        n = recv(fd, bytes, len, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

ssize_t stage_push(int fd, const void *bytes, size_t len)
{
    ssize_t n;
    do
        n = send(fd, bytes, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

void stage_send(int fd, const char *text)
{
    assert_int_equal(stage_push(fd, text, strlen(text)), strlen(text));
}

ssize_t stage_receive(int fd, char *bytes, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = stage_recv(fd, bytes + have, len - have);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

int64_t stage_echo(int fd, const char *text)
{
    char back[256];
    size_t len = strlen(text);
    assert_true(len <= sizeof(back));
    int64_t before = lz_loop_clock();
    stage_send(fd, text);
    ssize_t n = stage_receive(fd, back, len);
    if (n != (ssize_t)len)
        fail_msg("%zd of %zu bytes came back: %s", n, len, strerror(errno));
    assert_memory_equal(back, text, len);
    return lz_loop_clock() - before;
}
