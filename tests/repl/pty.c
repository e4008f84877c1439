/*
 * pty.c — the prompt in a real terminal: keys, completion, history, paste, resize, interrupts.
 *
 * Method: `lorenz repl` runs behind a pseudo-terminal. Each step types keys and waits until what
 * came since, without the escape sequences, contains a text; a step that waits in vain fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define WAIT_MS 20000
#define SEEN_MAX (1 << 18)

static char seen[SEEN_MAX]; // plain text since the last step
static size_t seen_len;

struct step {
    const char *says; // a true sentence
    const char *keys;
    const char *expect;
};

static const struct step session[] = {
    {"a tab completes what is alone", "fault.kil\t", "fault.kill"},
    {"C-c gives a line up", "\x03", "^C"},
    {"a second tab lists what there is", "web.latency.p9\t\t", "p90  p95  p99  p999"},
    {"C-u empties the line, and an expression shows its value",
     "\x15"
     "1 + 1\r",
     "\n2"},
    {"a chunk goes on until it is complete", "for i = 1, 2 do\r", "... "},
    {"and is run then", "print('line ' .. i)\rend\r", "line 2"},
    {"a line is remembered", "40 + 2\r", "\n42\n0s> "},
    {"the line before comes back with C-p", "\x10\r", "\n42"},
    {"C-r finds a line by a part of it",
     "\x12"
     "print\r",
     "line "},
    {"C-a and C-e go to the ends",
     "\x15"
     "2\x01"
     "1\x05"
     "0\r",
     "\n120"},
    {"M-b, M-d, C-y move a word",
     "- 5\x1b"
     "b\x1b"
     "d\x01\x19\x05"
     "1\r",
     "\n4"},
    {"C-t swaps two characters", "21\x14\r", "\n12"},
    {"C-w deletes a word", "7 9\x17\r", "\n7"},
    {"what is pasted is read line by line", "\x1b[200~y = 20\ny + 2\n\x1b[201~\r", "\n22"},
    {"wide characters take two columns", "\"\xe6\xbc\xa2\xe5\xad\x97\"\r",
     "\n\xe6\xbc\xa2\xe5\xad\x97"},
    {"backspace takes a whole character",
     "\"\xc3\xa9\x7f"
     "e\"\r",
     "\ne"},
    {"an unknown key sequence types nothing", "\x1b[99;9z5\r", "\n5"},
    {"C-c stops the simulation and not the prompt", ".run to 10m\r", "virtual time"},
    {"an endless loop is stopped", "while true do end\r", "LZ510"},
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int terminal;
static pid_t child;

static void start(const char *lorenz, const char *scenario)
{
    terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) {
        printf("1..0 # SKIP no pseudo-terminal: %s\n", strerror(errno));
        exit(0);
    }
    const char *name = ptsname(terminal);
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    ioctl(terminal, TIOCSWINSZ, &size);
    child = fork();
    if (child == 0) {
        close(terminal); // else it would never see the terminal go
        setsid();
        int side = open(name, O_RDWR);
        dup2(side, 0);
        dup2(side, 1);
        dup2(side, 2);
        setenv("TERM", "xterm", 1);
        setenv("NO_COLOR", "1", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execl(lorenz, "lorenz", "repl", scenario, (char *)NULL);
        _exit(127);
    }
}

// Without escape sequences and carriage returns: what a person would read, redrawn lines too.
static void add_plain(const char *bytes, size_t n)
{
    static enum { PLAIN, ESC, CSI } state;
    for (size_t i = 0; i < n && seen_len + 1 < SEEN_MAX; i++) {
        char c = bytes[i];
        if (state == ESC)
            state = c == '[' ? CSI : PLAIN;
        else if (state == CSI)
            state = c >= 0x40 && c <= 0x7e ? PLAIN : CSI;
        else if (c == 0x1b)
            state = ESC;
        else if (c != '\r')
            seen[seen_len++] = c;
    }
    seen[seen_len] = '\0';
}

static bool wait_for(const char *text)
{
    for (int waited = 0; waited < WAIT_MS; waited += 50) {
        if (strstr(seen, text) != NULL)
            return true;
        struct pollfd p = {.fd = terminal, .events = POLLIN};
        if (poll(&p, 1, 50) == 1) {
            char bytes[4096];
            ssize_t n = read(terminal, bytes, sizeof(bytes));
            if (n <= 0)
                return false;
            add_plain(bytes, (size_t)n);
            waited = 0;
        }
    }
    return false;
}

static void type(const char *keys)
{
    seen_len = 0;
    seen[0] = '\0';
    for (const char *k = keys; *k != '\0'; k++) {
        ssize_t n = write(terminal, k, 1);
        if (n != 1)
            return;
        usleep(500); // as keys come: an escape sequence in one go, but not a whole line
    }
}

static int number, failed;

static void report(bool good, const char *says)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, says);
    if (good)
        return;
    failed++;
    for (const char *line = seen; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        printf("# %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void interrupt_a_run(void)
{
    type(".run to 10m\r");
    usleep(100000);
    ssize_t n = write(terminal, "\x03", 1);
    report(n == 1 && wait_for("interrupted") && wait_for("> "),
           "C-c stops the simulation and not the prompt");
}

static void resize(void)
{
    struct winsize size = {.ws_row = 24, .ws_col = 40};
    ioctl(terminal, TIOCSWINSZ, &size);
    type("\"a line that is longer than the forty columns that are left\"\r");
    report(wait_for("columns that are left\n"), "a line longer than the terminal wraps");
}

// Typed while a line is still at work it is the terminal's, not the prompt's: then once more.
static void leave(void)
{
    int status = 0;
    bool ended = false;
    for (int i = 0; i < 60 && !ended; i++) {
        type("\x04");
        for (int k = 0; k < 10 && !ended; k++) {
            struct pollfd p = {.fd = terminal, .events = POLLIN};
            char bytes[4096];
            if (poll(&p, 1, 50) == 1 && read(terminal, bytes, sizeof(bytes)) <= 0)
                usleep(50000);
            ended = waitpid(child, &status, WNOHANG) == child;
        }
    }
    report(ended && WIFEXITED(status) && WEXITSTATUS(status) == 0, "C-d leaves");
    if (!ended)
        kill(child, SIGKILL);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    start(argv[1], argv[2]);
    report(wait_for("0s> "), "it greets and asks");
    for (size_t i = 0; i < COUNT(session); i++) {
        if (strncmp(session[i].keys, ".run", 4) == 0) {
            interrupt_a_run();
            continue;
        }
        type(session[i].keys);
        report(wait_for(session[i].expect), session[i].says);
    }
    resize();
    leave();
    printf("1..%d\n", number);
    return failed > 0;
}
