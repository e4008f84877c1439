/*
 * peer.c — a program at each end of a way, for live runs in namespaces: TCP and UDP.
 *
 *     peer serve HOST PORT        answers HTTP with what it has counted, and counts datagrams
 *     peer send HOST PORT COUNT   sends so many datagrams, 1 ms apart
 *
 * A datagram is its number and when it was sent, by CLOCK_MONOTONIC, which all namespaces share.
 * What `serve` answers to GET /NAME is one number: received, twice, late (came after a higher
 * number), median (of the delays, in microseconds).
 */
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 500
#define NUMBERS 100000

struct datagram {
    uint64_t number;
    int64_t sent_ns;
};

static struct pollfd fds[CONNECTIONS + 2];
static nfds_t count = 2;
static unsigned char times[NUMBERS]; // how often each number came
static int64_t delays[NUMBERS];
static long received, twice, late;
static uint64_t highest;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static long median_us(void)
{
    static int64_t sorted[NUMBERS];
    if (received == 0)
        return 0;
    memcpy(sorted, delays, (size_t)received * sizeof(delays[0]));
    qsort(sorted, (size_t)received, sizeof(sorted[0]), ascending);
    return (long)(sorted[received / 2] / 1000);
}

static void take_datagram(int fd)
{
    struct datagram d;
    ssize_t n = recv(fd, &d, sizeof(d), 0);
    if (n != (ssize_t)sizeof(d) || d.number >= NUMBERS || received >= NUMBERS)
        return;
    twice += times[d.number]++ == 1;
    late += d.number < highest;
    highest = d.number > highest ? d.number : highest;
    delays[received++] = now_ns() - d.sent_ns;
}

static int answer(int fd)
{
    char bytes[4096], body[32], text[160];
    ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, 0);
    if (n <= 0)
        return -1;
    bytes[n] = '\0';
    long value = strncmp(bytes, "GET /twice", 10) == 0    ? twice
                 : strncmp(bytes, "GET /late", 9) == 0    ? late
                 : strncmp(bytes, "GET /median", 11) == 0 ? median_us()
                                                          : received;
    int len = snprintf(body, sizeof(body), "%ld\n", value);
    len =
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
    return send(fd, text, (size_t)len, MSG_NOSIGNAL) > 0 ? 0 : -1;
}

// HOST and PORT, of either family.
struct place {
    struct sockaddr_storage at;
    socklen_t size;
};

static int bound(int type, const struct place *place)
{
    int fd = socket(place->at.ss_family, type, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (const void *)&place->at, place->size) != 0) {
        perror("peer");
        exit(1);
    }
    return fd;
}

static int serve(const struct place *at)
{
    int udp = bound(SOCK_DGRAM, at), tcp = bound(SOCK_STREAM, at);
    if (listen(tcp, 512) != 0)
        return 1;
    fds[0] = (struct pollfd){.fd = tcp, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = udp, .events = POLLIN};
    for (;;) {
        if (poll(fds, count, -1) < 0)
            continue;
        if (fds[1].revents != 0)
            take_datagram(udp);
        for (nfds_t i = count; i-- > 2;) {
            if (fds[i].revents != 0 && answer(fds[i].fd) != 0) {
                close(fds[i].fd);
                fds[i] = fds[--count];
            }
        }
        if (fds[0].revents != 0 && count < CONNECTIONS + 2) {
            int fd = accept(tcp, NULL, NULL);
            if (fd >= 0)
                fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
    }
}

// One after another for as long as it is let: what it is used for looks at shares.
static int send_all(const struct place *to, uint64_t total)
{
    int fd = socket(to->at.ss_family, SOCK_DGRAM, 0);
    for (uint64_t i = 0; i < total; i++) {
        const struct datagram d = {.number = i, .sent_ns = now_ns()};
        if (sendto(fd, &d, sizeof(d), 0, (const void *)&to->at, to->size) < 0)
            perror("peer");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pause();
    return 0;
}

int main(int argc, char **argv)
{
    const struct addrinfo want = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    struct place at;
    if (argc < 4 || getaddrinfo(argv[2], argv[3], &want, &found) != 0)
        return 2;
    memcpy(&at.at, found->ai_addr, found->ai_addrlen);
    at.size = found->ai_addrlen;
    freeaddrinfo(found);
    if (strcmp(argv[1], "serve") == 0)
        return serve(&at);
    return argc > 4 ? send_all(&at, strtoull(argv[4], NULL, 10)) : 2;
}
