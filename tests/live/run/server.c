// A server to be broken: live_server PORT [MODE].
//
// It answers each HTTP/1.1 request with 200 and "ok", a process for each connection. Modes:
// dies (says why, and ends), mute (never listens), stubborn (ignores SIGTERM), leaves (a child of
// its goes into a session of its own and stays), slow (answers after a second).

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void serve(int fd, int is_slow)
{
    char text[4096];
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0) {
        len += (size_t)n;
        text[len] = '\0';
        const char *end;
        while ((end = strstr(text, "\r\n\r\n")) != NULL) {
            if (is_slow)
                sleep(1);
            if (write(fd, answer, sizeof(answer) - 1) < 0)
                return;
            size_t used = (size_t)(end + 4 - text);
            memmove(text, text + used, len - used + 1);
            len -= used;
        }
    }
}

static void leave_a_child(void)
{
    if (fork() == 0) {
        setsid();
        for (;;)
            pause();
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[2] : "ok";
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "")),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGCHLD, SIG_IGN);
    if (strcmp(mode, "dies") == 0) {
        fprintf(stderr, "reading the configuration\ncannot open the database\n");
        return 3;
    }
    if (strcmp(mode, "stubborn") == 0)
        signal(SIGTERM, SIG_IGN);
    if (strcmp(mode, "leaves") == 0)
        leave_a_child();
    while (strcmp(mode, "mute") == 0)
        pause();
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 128) != 0) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        int client = accept(fd, NULL, NULL);
        if (client >= 0 && fork() == 0) {
            serve(client, strcmp(mode, "slow") == 0);
            _exit(0);
        }
        if (client >= 0)
            close(client);
    }
}
