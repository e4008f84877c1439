#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "repl/line_state.h"

#define ESCAPE_WAIT_MS 50

static volatile sig_atomic_t resized;
static const struct lz_line *active; // may be in raw mode

// Whoever ends Lorenz, and whatever, finds the terminal as it was.
static void on_end(int signal)
{
    const struct lz_line *l = active;
    if (l != NULL && l->is_raw) {
        static const char leave[] = "\x1b[?2004l\r\n";
        ssize_t n = write(l->opts.out, leave, sizeof(leave) - 1);
        (void)n;
    }
    if (l != NULL)
        tcsetattr(l->opts.in, TCSANOW, &l->cooked);
    _exit(128 + signal);
}

static void on_resize(int signal)
{
    (void)signal;
    resized = 1;
}

void lz_line_signals(struct lz_line *l)
{
    static const int ends[] = {SIGTERM, SIGHUP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    active = l;
    struct sigaction act = {.sa_handler = l != NULL ? on_resize : SIG_DFL};
    sigaction(SIGWINCH, &act, NULL);
    act.sa_handler = l != NULL ? on_end : SIG_DFL;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaction(ends[i], &act, NULL);
}

/*
 * Raw while a line is read. While the prompt is at work signals work, and nothing else: what is
 * typed ahead is not shown where it does not belong, and is there when the next line is read.
 */
void lz_line_set_raw(struct lz_line *l, bool raw)
{
    struct termios t = l->cooked;
    t.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
    t.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
    if (raw)
        t.c_lflag &= ~(tcflag_t)ISIG;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tcsetattr(l->opts.in, TCSADRAIN, &t);
    if (raw != l->is_raw)
        lz_line_put(l, raw ? "\x1b[?2004h" : "\x1b[?2004l");
    l->is_raw = raw;
}

void lz_line_restore(struct lz_line *l)
{
    if (l->is_raw)
        lz_line_put(l, "\x1b[?2004l");
    l->is_raw = false;
    tcsetattr(l->opts.in, TCSADRAIN, &l->cooked);
}

int lz_line_read_byte(const struct lz_line *l)
{
    for (;;) {
        unsigned char c;
        ssize_t n = read(l->opts.in, &c, 1);
        if (n == 1)
            return c;
        if (n < 0 && errno == EINTR) {
            if (resized) {
                resized = 0;
                return LZ_KEY_RESIZED;
            }
            continue;
        }
        return LZ_KEY_END_OF_INPUT;
    }
}

static bool is_more(const struct lz_line *l)
{
    struct pollfd p = {.fd = l->opts.in, .events = POLLIN};
    return poll(&p, 1, ESCAPE_WAIT_MS) == 1;
}

static const struct sequence {
    const char *bytes; // after ESC
    enum lz_line_key key;
} sequences[] = {
    {"[A", LZ_KEY_UP},           {"[B", LZ_KEY_DOWN},          {"[C", LZ_KEY_RIGHT},
    {"[D", LZ_KEY_LEFT},         {"[H", LZ_KEY_HOME},          {"[F", LZ_KEY_END},
    {"OA", LZ_KEY_UP},           {"OB", LZ_KEY_DOWN},          {"OC", LZ_KEY_RIGHT},
    {"OD", LZ_KEY_LEFT},         {"OH", LZ_KEY_HOME},          {"OF", LZ_KEY_END},
    {"[1~", LZ_KEY_HOME},        {"[4~", LZ_KEY_END},          {"[7~", LZ_KEY_HOME},
    {"[8~", LZ_KEY_END},         {"[3~", LZ_KEY_DELETE},       {"[1;5C", LZ_KEY_WORD_RIGHT},
    {"[1;5D", LZ_KEY_WORD_LEFT}, {"[1;3C", LZ_KEY_WORD_RIGHT}, {"[1;3D", LZ_KEY_WORD_LEFT},
    {"[200~", LZ_KEY_PASTE},
};
#define SEQUENCE_COUNT (sizeof(sequences) / sizeof(sequences[0]))

// Known ones; of an unknown CSI sequence all is swallowed, so that none of it is typed.
static int read_escape(const struct lz_line *l)
{
    char got[16];
    size_t n = 0;
    while (n + 1 < sizeof(got) && is_more(l)) {
        int c = lz_line_read_byte(l);
        if (c >= 256)
            return c;
        got[n++] = (char)c;
        got[n] = '\0';
        for (size_t i = 0; i < SEQUENCE_COUNT; i++)
            if (strcmp(sequences[i].bytes, got) == 0)
                return (int)sequences[i].key;
        bool is_csi = got[0] == '[' || got[0] == 'O';
        if (!is_csi)
            return LZ_KEY_META + (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        if (n > 1 && c >= 0x40 && c <= 0x7e)
            return LZ_KEY_NONE;
    }
    return LZ_KEY_NONE;
}

int lz_line_read_key(const struct lz_line *l)
{
    int c = lz_line_read_byte(l);
    return c == 0x1b ? read_escape(l) : c;
}
