#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define WAIT_MS 60000
#define SEEN_MAX (1 << 18)

struct terminal {
    int fd;
    pid_t child;
    char seen[SEEN_MAX], raw[SEEN_MAX];
    size_t seen_len, raw_len;
    enum { PLAIN, ESC, CSI } state;
};

static int number, failed;

static void become(const char *const *argv, const char *name, const char *kind)
{
    setsid();
    int side = open(name, O_RDWR);
    dup2(side, 0);
    dup2(side, 1);
    dup2(side, 2);
    setenv("TERM", kind, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

struct terminal *terminal_open_as(const char *const *argv, const char *kind)
{
    struct terminal *t = calloc(1, sizeof(*t));
    if (t == NULL)
        abort();
    t->fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (t->fd < 0 || grantpt(t->fd) != 0 || unlockpt(t->fd) != 0) {
        printf("1..0 # SKIP no pseudo-terminal: %s\n", strerror(errno));
        exit(0);
    }
    fcntl(t->fd, F_SETFD, FD_CLOEXEC); // else a child would never see its terminal go
    const char *name = ptsname(t->fd);
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    ioctl(t->fd, TIOCSWINSZ, &size);
    t->child = fork();
    if (t->child == 0)
        become(argv, name, kind);
    return t;
}

struct terminal *terminal_open(const char *const *argv)
{
    return terminal_open_as(argv, "xterm");
}

static void add(struct terminal *t, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        if (t->raw_len + 1 < SEEN_MAX)
            t->raw[t->raw_len++] = c;
        if (t->state == ESC)
            t->state = c == '[' ? CSI : PLAIN;
        else if (t->state == CSI)
            t->state = c >= 0x40 && c <= 0x7e ? PLAIN : CSI;
        else if (c == 0x1b)
            t->state = ESC;
        else if (c != '\r' && t->seen_len + 1 < SEEN_MAX)
            t->seen[t->seen_len++] = c;
    }
    t->seen[t->seen_len] = t->raw[t->raw_len] = '\0';
}

// One more piece of output. False: there is none for so long, or it has ended.
static bool listen_ms(struct terminal *t, int ms)
{
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    if (poll(&p, 1, ms) != 1)
        return false;
    char bytes[4096];
    ssize_t n = read(t->fd, bytes, sizeof(bytes));
    if (n > 0)
        add(t, bytes, (size_t)n);
    return n > 0;
}

static bool wait_for(struct terminal *t, const char *in, const char *text)
{
    for (int waited = 0; waited < WAIT_MS; waited += 50) {
        if (strstr(in, text) != NULL)
            return true;
        if (listen_ms(t, 50))
            waited = 0;
    }
    return false;
}

bool terminal_sees(struct terminal *t, const char *text)
{
    return wait_for(t, t->seen, text);
}

bool terminal_gets(struct terminal *t, const char *bytes)
{
    return wait_for(t, t->raw, bytes);
}

bool terminal_is_plain(const struct terminal *t)
{
    return memchr(t->raw, 0x1b, t->raw_len) == NULL;
}

bool terminal_asks(struct terminal *t)
{
    for (int waited = 0; waited < WAIT_MS; waited += 50) {
        bool is_quiet = !listen_ms(t, 50);
        bool is_prompt = t->seen_len >= 2 && strcmp(t->seen + t->seen_len - 2, "> ") == 0;
        bool goes_on = t->seen_len >= 4 && strcmp(t->seen + t->seen_len - 4, "... ") == 0;
        if (is_quiet && (is_prompt || goes_on))
            return true;
    }
    return false;
}

void terminal_type(struct terminal *t, const char *keys)
{
    t->seen_len = t->raw_len = 0;
    t->seen[0] = t->raw[0] = '\0';
    for (const char *k = keys; *k != '\0'; k++) {
        ssize_t n = write(t->fd, k, 1);
        if (n != 1)
            return;
        usleep(500); // as keys come: an escape sequence in one go, but not a whole line
    }
}

void terminal_resize(struct terminal *t, int columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    ioctl(t->fd, TIOCSWINSZ, &size);
}

bool terminal_is_cooked(const struct terminal *t)
{
    struct termios now;
    return tcgetattr(t->fd, &now) == 0 && (now.c_lflag & ICANON) != 0 && (now.c_lflag & ECHO) != 0;
}

pid_t terminal_pid(const struct terminal *t)
{
    return t->child;
}

static int wait_end(struct terminal *t)
{
    int status;
    for (int waited = 0; waited < WAIT_MS; waited += 50) {
        if (!listen_ms(t, 50))
            usleep(50000); // a terminal whose other end is closed answers at once
        if (waitpid(t->child, &status, WNOHANG) == t->child) {
            t->child = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
    return -1;
}

int terminal_leave(struct terminal *t)
{
    terminal_type(t, "\x04");
    return wait_end(t);
}

void terminal_close(struct terminal *t)
{
    if (t->child != 0 && (kill(t->child, SIGHUP) != 0 || wait_end(t) < 0))
        kill(t->child, SIGKILL);
    close(t->fd);
    free(t);
}

void terminal_report(const struct terminal *t, bool good, const char *says)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, says);
    if (good)
        return;
    failed++;
    for (const char *line = t->seen; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        printf("# %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

int terminal_done(void)
{
    printf("1..%d\n", number);
    return failed > 0;
}
