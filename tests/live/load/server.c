#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../child.h"

static pid_t server;
static _Atomic int *stuck; // requests of /stuck-once, of all connections

static int listen_on_any(uint16_t *port, int backlog)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_open = fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0 &&
                   listen(fd, backlog) == 0 && getsockname(fd, (struct sockaddr *)&at, &size) == 0;
    if (!is_open)
        abort();
    *port = ntohs(at.sin_port);
    return fd;
}

uint16_t server_closed_port(void)
{
    uint16_t port;
    close(listen_on_any(&port, 1));
    return port;
}

uint16_t server_mute_port(void)
{
    uint16_t port;
    listen_on_any(&port, 64); // open until the test ends
    return port;
}

// --- one connection ---

static void die(int fd, bool abruptly)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (abruptly)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    _exit(0);
}

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0)
            die(fd, false);
        bytes += n;
        size -= (size_t)n;
    }
}

static void answer(int fd, int status, const char *body, size_t size)
{
    char head[200];
    snprintf(head, sizeof(head),
             "HTTP/1.1 %d X\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", status,
             size);
    send_all(fd, head, strlen(head));
    send_all(fd, body, size);
}

static void say(int fd, int status, const char *text)
{
    answer(fd, status, text, strlen(text));
}

#define VECTOR(series)                                                                             \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" series "]}}"
static const struct {
    const char *query;
    int status;
    const char *text;
} answers[] = {
    {"one", 200, VECTOR("{\"metric\":{\"job\":\"a\"},\"value\":[1435781451.781,\"1.5\"]}")},
    {"none", 200, VECTOR("")},
    {"two", 200, VECTOR("{\"metric\":{},\"value\":[1,\"1\"]},{\"metric\":{},\"value\":[1,\"2\"]}")},
    {"nan", 200, VECTOR("{\"metric\":{},\"value\":[1,\"NaN\"]}")},
    {"bad", 400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}"},
    {"html", 200, "<html>not here</html>"},
};

static void answer_query(int fd, const char *query)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (strcmp(query, answers[i].query) == 0) {
            say(fd, answers[i].status, answers[i].text);
            return;
        }
    }
    say(fd, 404, "no such query");
}

static void answer_bytes(int fd, size_t size)
{
    char *bytes = malloc(size + 1);
    if (bytes == NULL)
        abort();
    memset(bytes, 'x', size);
    answer(fd, 200, bytes, size);
    free(bytes);
}

// The argument of a path that begins so, or NULL.
static const char *after(const char *path, const char *start)
{
    return strncmp(path, start, strlen(start)) == 0 ? path + strlen(start) : NULL;
}

static void serve_path(int fd, const char *path, const char *request)
{
    const char *arg;
    if (strcmp(path, "/ok") == 0 || strcmp(path, "/once") == 0)
        say(fd, 200, "42 rows\n");
    else if ((arg = after(path, "/status/")) != NULL)
        say(fd, atoi(arg), "no\n");
    else if ((arg = after(path, "/text/")) != NULL)
        say(fd, 200, arg);
    else if ((arg = after(path, "/slow/")) != NULL) {
        usleep((useconds_t)(atoi(arg) * 1000));
        say(fd, 200, "late\n");
    } else if ((arg = after(path, "/big/")) != NULL)
        answer_bytes(fd, (size_t)atol(arg));
    else if ((arg = after(path, "/api/v1/query?query=")) != NULL)
        answer_query(fd, arg);
    else if (strcmp(path, "/stuck-once") == 0) {
        while (atomic_fetch_add(stuck, 1) == 0)
            pause();
        say(fd, 200, "later\n");
    } else if (strcmp(path, "/echo") == 0)
        say(fd, 200, request);
    else if (strcmp(path, "/partial") == 0) {
        const char *text = "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n0123456789";
        send_all(fd, text, strlen(text));
        die(fd, false);
    } else if (strcmp(path, "/reset") == 0 || strcmp(path, "/close") == 0)
        die(fd, path[1] == 'r');
    else
        say(fd, 404, "no such path\n");
}

// A whole request, its body by Content-Length included; its end is where the next begins.
static size_t request_size(const char *text, size_t len)
{
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL)
        return 0;
    const char *length = strcasestr(text, "\r\nContent-Length:");
    size_t body = length != NULL && length < end ? (size_t)atol(length + 17) : 0;
    size_t all = (size_t)(end - text) + 4 + body;
    return all <= len ? all : 0;
}

static void serve(int fd)
{
    char text[65536], path[4096];
    size_t len = 0;
    bool is_last = false;
    for (;;) {
        ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
        if (n <= 0)
            die(fd, false);
        len += (size_t)n;
        text[len] = '\0';
        size_t size;
        while ((size = request_size(text, len)) > 0) {
            char next = text[size];
            text[size] = '\0';
            if (is_last || sscanf(text, "%*s %4095s", path) != 1)
                die(fd, true);
            serve_path(fd, path, text);
            is_last = strcmp(path, "/once") == 0;
            text[size] = next;
            len -= size;
            memmove(text, text + size, len + 1);
        }
    }
}

// --- all of them ---

static void accept_all(int listener)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (child_fork() == 0) {
            close(listener);
            serve(fd);
        }
        close(fd);
    }
}

uint16_t server_start(void)
{
    uint16_t port;
    int listener = listen_on_any(&port, 1024);
    stuck = mmap(NULL, sizeof(*stuck), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stuck == MAP_FAILED)
        abort();
    server = child_fork();
    if (server == 0)
        accept_all(listener);
    close(listener);
    return port;
}

bool server_is_stuck(void)
{
    return atomic_load(stuck) > 0;
}

void server_stop(void)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}
