/*
 * server.c — something small for faults to hit: answers any HTTP request, keeps connections, and
 * works a little for each. Its answer is by how many seconds its clock has gone wrong since it was
 * started. `server PORT`.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 900

static struct pollfd fds[CONNECTIONS + 1];
static nfds_t count = 1;

static void drop(nfds_t i)
{
    close(fds[i].fd);
    fds[i] = fds[--count];
}

static void work(void)
{
    for (volatile unsigned i = 0; i < 1000000; i++)
        continue;
}

// The time of day less the time since it was started: that stays the same on a good clock.
static long difference(void)
{
    struct timespec day, steady;
    clock_gettime(CLOCK_REALTIME, &day);
    clock_gettime(CLOCK_MONOTONIC, &steady);
    return (long)(day.tv_sec - steady.tv_sec);
}

// A request fits into one read here: nobody sends this server a body.
static int answer(int fd)
{
    static long at_first;
    char bytes[8192], text[128], body[32];
    at_first = at_first != 0 ? at_first : difference();
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    if (n <= 0)
        return -1;
    work();
    int len = snprintf(body, sizeof(body), "%ld\n", difference() - at_first);
    len =
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
    return send(fd, text, (size_t)len, MSG_NOSIGNAL) > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int yes = 1;
    at.sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 0));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(listener, (void *)&at, sizeof(at)) != 0 || listen(listener, 512) != 0) {
        perror("server");
        return 1;
    }
    fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(fds, count, 1000) < 0)
            continue;
        for (nfds_t i = count; i-- > 1;) {
            if (fds[i].revents != 0 && answer(fds[i].fd) != 0)
                drop(i);
        }
        int fd = fds[0].revents != 0 && count <= CONNECTIONS ? accept(listener, NULL, NULL) : -1;
        if (fd >= 0)
            fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        else if (fds[0].revents != 0)
            usleep(1000); // no descriptor for it: whoever knocks waits
    }
}
