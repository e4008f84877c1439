// A key-value server to be judged by its history: live_keys HOST PORT [MODE].
//
//   GET /N      the value of key N, or 404       PUT /N      the body is its value, 200
//   DELETE /N   200                              PUT /N with If-None-Match: 412 if there is one
//   POST /N     adds one, and says what it came to
//   GET /members  all of a set, with commas; PUT /members adds the body
//   GET /N and PUT /N give its ETag; PUT /N with another's in If-Match: 412
//   GET /accounts what each of ten holds; POST /transfer moves 5 from one to the next
//   POST /log   appends the body and says where; GET /log all of it, "0 offset body" on each line
//   GET /late   every fourth after 400 ms        GET /gone   how many clients of those went before
//
// Modes, of a write whose number is a multiple of seven: loses (200, and it is not kept), mute
// (kept, and never answered), shy (neither). Or stale: every second read says what was
// written first; blind: If-Match is not looked at; plain: there are no ETags; twice: what is
// appended is so twice, by every seventh; huge: what is read has over 1 MiB. One process, one
// thread: whatever it answers it has done.

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 1024
#define KEYS 1000
#define LATE_MS 400

struct client {
    int fd;
    size_t len;
    long long due_ms; // a late answer; 0: none
    char text[8192];
};

static struct client clients[CLIENTS];
static char values[KEYS][64], first[KEYS][64];
static char members[65536], records[65536];
static int versions[KEYS], accounts[10] = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100};
static int offsets;
static int writes, reads, lates, gone;
static const char *mode = "good";

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void answer_as(int fd, int status, const char *headers, const char *body)
{
    static char text[sizeof(members) + 256];
    int n = snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", status,
                     strlen(body), headers, body);
    if (write(fd, text, (size_t)n) < 0)
        return; // its client is gone
}

static void answer(int fd, int status, const char *body)
{
    answer_as(fd, status, "", body);
}

static void answer_key(int fd, int key, int status, const char *body)
{
    char etag[48];
    snprintf(etag, sizeof(etag), "ETag: \"v%d\"\r\n", versions[key]);
    answer_as(fd, status, strcmp(mode, "plain") == 0 ? "" : etag, body);
}

static void keep(int key, const char *body, size_t len)
{
    snprintf(values[key], sizeof(values[key]), "%.*s", (int)len, body);
    versions[key]++;
    if (first[key][0] == '\0')
        memcpy(first[key], values[key], sizeof(first[key]));
}

static void write_key(int fd, int key, const char *body, size_t len)
{
    int is_seventh = ++writes % 7 == 0;
    if (!is_seventh || (strcmp(mode, "loses") != 0 && strcmp(mode, "shy") != 0))
        keep(key, body, len);
    if (is_seventh && (strcmp(mode, "mute") == 0 || strcmp(mode, "shy") == 0))
        return;
    answer_key(fd, key, 200, strncmp(body, "+", 1) == 0 ? values[key] : "ok");
}

static void answer_huge(int fd)
{
    static char text[(1 << 20) + 256];
    int n = snprintf(text, sizeof(text), "HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n", 1 << 20);
    size_t left = (size_t)n + (1 << 20);
    memset(text + n, 'x', 1 << 20);
    for (const char *at = text; left > 0;) {
        ssize_t written = write(fd, at, left);
        if (written < 0)
            return; // its client is gone
        at += written;
        left -= (size_t)written;
    }
}

static void read_key(int fd, int key)
{
    if (strcmp(mode, "huge") == 0) {
        answer_huge(fd);
        return;
    }
    int is_stale = strcmp(mode, "stale") == 0 && ++reads % 2 == 0;
    const char *value = is_stale ? first[key] : values[key];
    answer_key(fd, key, value[0] != '\0' ? 200 : 404, value);
}

// May it write? A header's value follows its name and a blank.
static int is_met(const char *request, int key)
{
    char etag[32];
    const char *match = strcasestr(request, "If-Match: ");
    if (strcasestr(request, "If-None-Match") != NULL)
        return values[key][0] == '\0';
    snprintf(etag, sizeof(etag), "\"v%d\"\r", versions[key]);
    return match == NULL || strcmp(mode, "blind") == 0 ||
           strncmp(match + sizeof("If-Match: ") - 1, etag, strlen(etag)) == 0;
}

// Who loses forgets where the money went.
static void transfer(int fd)
{
    int from = ++writes % 10;
    accounts[from] -= 5;
    if (strcmp(mode, "loses") != 0 || writes % 7 != 0)
        accounts[(from + 3) % 10] += 5;
    answer(fd, 200, "ok");
}

static void tell_accounts(int fd)
{
    char text[400];
    int n = 0;
    for (int i = 0; i < 10; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "account-%d|%d\n", i, accounts[i]);
    answer(fd, 200, text);
}

static void append(int fd, const char *body, size_t len)
{
    char place[32];
    int is_seventh = ++writes % 7 == 0, offset = offsets++;
    int times = is_seventh && strcmp(mode, "loses") == 0   ? 0
                : is_seventh && strcmp(mode, "twice") == 0 ? 2
                                                           : 1;
    for (int i = 0; i < times; i++) {
        size_t used = strlen(records);
        snprintf(records + used, sizeof(records) - used, "0 %d %.*s\n", i > 0 ? offsets++ : offset,
                 (int)len, body);
    }
    snprintf(place, sizeof(place), "{\"partition\":0,\"offset\":%d}", offset);
    answer(fd, 200, place);
}

// Of a set: each seventh is lost by who loses.
static void add_member(int fd, const char *body, size_t len)
{
    size_t used = strlen(members);
    int is_lost = strcmp(mode, "loses") == 0 && ++writes % 7 == 0;
    if (!is_lost && used + len + 2 < sizeof(members))
        snprintf(members + used, sizeof(members) - used, "%s%.*s", used > 0 ? "," : "", (int)len,
                 body);
    answer(fd, 200, "ok");
}

static void serve(struct client *c, const char *body, size_t len)
{
    char method[16] = "", path[64] = "", sum[64];
    sscanf(c->text, "%15s %63s", method, path);
    int key = atoi(path + 1) % KEYS;
    if (strcmp(path, "/late") == 0 && ++lates % 4 == 0)
        c->due_ms = now_ms() + LATE_MS;
    else if (strcmp(path, "/late") == 0 || strcmp(path, "/health") == 0)
        answer(c->fd, 200, "ok");
    else if (strcmp(path, "/gone") == 0) {
        snprintf(sum, sizeof(sum), "%d", gone);
        answer(c->fd, 200, sum);
    } else if (strcmp(path, "/members") == 0 && strcmp(method, "PUT") == 0)
        add_member(c->fd, body, len);
    else if (strcmp(path, "/members") == 0)
        answer(c->fd, 200, members);
    else if (strcmp(path, "/accounts") == 0)
        tell_accounts(c->fd);
    else if (strcmp(path, "/transfer") == 0)
        transfer(c->fd);
    else if (strcmp(path, "/log") == 0 && strcmp(method, "POST") == 0)
        append(c->fd, body, len);
    else if (strcmp(path, "/log") == 0)
        answer(c->fd, 200, records);
    else if (strcmp(method, "GET") == 0)
        read_key(c->fd, key);
    else if (strcmp(method, "POST") == 0) {
        int is_lost = strcmp(mode, "loses") == 0 && ++writes % 7 == 0;
        snprintf(sum, sizeof(sum), "%d", atoi(values[key]) + 1);
        if (!is_lost)
            keep(key, sum, strlen(sum));
        answer(c->fd, 200, sum);
    } else if (strcmp(method, "DELETE") == 0)
        write_key(c->fd, key, "", 0);
    else if (!is_met(c->text, key))
        answer(c->fd, 412, "");
    else
        write_key(c->fd, key, body, len);
}

static void drop(struct client *c)
{
    gone += c->due_ms > 0;
    close(c->fd);
    *c = (struct client){.fd = -1};
}

// All whole requests that are in the buffer.
static void on_bytes(struct client *c)
{
    ssize_t n = read(c->fd, c->text + c->len, sizeof(c->text) - 1 - c->len);
    if (n <= 0) {
        drop(c);
        return;
    }
    c->len += (size_t)n;
    c->text[c->len] = '\0';
    const char *end;
    while (c->fd >= 0 && (end = strstr(c->text, "\r\n\r\n")) != NULL) {
        const char *said = strcasestr(c->text, "Content-Length:");
        size_t body = said != NULL && said < end ? (size_t)atoi(said + 15) : 0;
        size_t used = (size_t)(end + 4 - c->text) + body;
        if (used > c->len)
            return;
        serve(c, end + 4, body);
        memmove(c->text, c->text + used, c->len - used + 1);
        c->len -= used;
    }
}

static int open_door(const char *host, const char *port)
{
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *at = NULL;
    int one = 1, fd = -1;
    if (getaddrinfo(host, port, &want, &at) != 0)
        return -1;
    fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    int failed = bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 511) != 0;
    freeaddrinfo(at);
    return failed ? -1 : fd;
}

int main(int argc, char **argv)
{
    static struct pollfd polls[CLIENTS + 1];
    int door = argc > 2 ? open_door(argv[1], argv[2]) : -1;
    mode = argc > 3 ? argv[3] : mode;
    signal(SIGPIPE, SIG_IGN);
    if (door < 0) {
        perror("live_keys");
        return 1;
    }
    for (int i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;
    for (;;) {
        for (int i = 0; i < CLIENTS; i++)
            polls[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
        polls[CLIENTS] = (struct pollfd){.fd = door, .events = POLLIN};
        poll(polls, CLIENTS + 1, 10);
        for (int i = 0; i < CLIENTS; i++) {
            if (clients[i].fd >= 0 && polls[i].revents != 0)
                on_bytes(&clients[i]);
            if (clients[i].fd < 0 || clients[i].due_ms == 0 || now_ms() < clients[i].due_ms)
                continue;
            clients[i].due_ms = 0;
            answer(clients[i].fd, 200, "ok");
        }
        int fd = polls[CLIENTS].revents != 0 ? accept(door, NULL, NULL) : -1;
        int place = 0;
        while (fd >= 0 && place < CLIENTS && clients[place].fd >= 0)
            place++;
        if (fd >= 0 && place < CLIENTS)
            clients[place] = (struct client){.fd = fd};
        else if (fd >= 0)
            close(fd);
    }
}
