/*
 * pty.c — the line editor in a real terminal: every key of its list, completion and hints, colours,
 * the history and its search, paste, wide characters.
 *
 * Method: a row types keys and waits for what must be seen, or for bytes as they come where a
 * picture is meant: colours. A row that ends a line waits for the next prompt too, so that nothing
 * is typed ahead unless the row says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scratch.h"
#include "terminal.h"

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"
#define META "\x1b"

struct step {
    const char *says; // a true sentence
    const char *keys;
    const char *plain; // what is seen then
    const char *raw;   // what comes then; NULL: anything
};

static const struct step keys[] = {
    {"C-a goes to the start",
     "2\x01"
     "1\r",
     "\n12", NULL},
    {"Home does so too",
     "4\x1b[H"
     "3\r",
     "\n34", NULL},
    {"C-e goes to the end",
     "71\x01\x05"
     "2\r",
     "\n712", NULL},
    {"End does so too",
     "81\x01\x1b[F"
     "2\r",
     "\n812", NULL},
    {"C-b goes a character back",
     "13\x02"
     "5\r",
     "\n153", NULL},
    {"the left arrow does so too", "13" LEFT "6\r", "\n163", NULL},
    {"C-f goes a character on",
     "13\x01\x06"
     "7\r",
     "\n173", NULL},
    {"the right arrow does so too", "13\x01" RIGHT "8\r", "\n183", NULL},
    {"M-b goes a word back", "11 + 22" META "b3\r", "\n333", NULL},
    {"C-left does so too",
     "11 + 22\x1b[1;5D"
     "4\r",
     "\n433", NULL},
    {"M-f goes a word on", "11 + 22\x01" META "f0\r", "\n132", NULL},
    {"C-right does so too",
     "11 + 22\x01\x1b[1;5C"
     "1\r",
     "\n133", NULL},
    {"C-p brings back the line before", "40 + 2\r", "\n42", NULL},
    {"and it can be changed",
     "\x10"
     "1\r",
     "\n61", NULL},
    {"the up arrow goes further back", UP UP "2\r", "\n62", NULL},
    {"C-n comes forward again",
     "5\x10\x0e"
     "6\r",
     "\n56", NULL},
    {"the down arrow does so too", "5" UP DOWN "7\r", "\n57", NULL},
    {"M-< is the oldest line", META "<\r", "\n12", NULL},
    {"M-> is the line that is being typed", "91" META "<" META ">2\r", "\n912", NULL},
    {"C-h deletes the character before",
     "12\x08"
     "3\r",
     "\n13", NULL},
    {"backspace does so too",
     "12\x7f"
     "4\r",
     "\n14", NULL},
    {"C-d deletes the character at the cursor", "912\x01\x04\r", "\n12", NULL},
    {"Delete does so too", "913\x01\x1b[3~\r", "\n13", NULL},
    {"M-backspace deletes a word",
     "1 + 22" META "\x7f"
     "4\r",
     "\n5", NULL},
    {"M-d deletes the word after", "77 - 5\x01" META "d8\r", "\n3", NULL},
    {"C-w deletes up to a blank", "7 9.5\x17\r", "\n7", NULL},
    {"C-k deletes to the end", "6 + 6\x01\x06\x0b\r", "\n6", NULL},
    {"C-u deletes to the start",
     "oops\x15"
     "8\r",
     "\n8", NULL},
    {"C-y puts back what was deleted",
     "9 + \x15"
     "1\x01\x19\r",
     "\n10", NULL},
    {"what keys delete one after another is one piece",
     "1 + 2\x17\x17\x17"
     "\x19\r",
     "\n3", NULL},
    {"C-t swaps two characters", "21\x14\r", "\n12", NULL},
    {"M-t swaps two words", "30 - 10" META "t\r", "\n-20", NULL},
    {"M-u makes a word capitals", "\"abc\"\x01" META "u\r", "\nABC", NULL},
    {"M-l makes it small", "\"ABD\"\x01" META "l\r", "\nabd", NULL},
    {"M-c gives it a capital", "\"abE\"\x01" META "c\r", "\nAbe", NULL},
    {"C-_ undoes the last change", "12 + 1\x17\x17\x1f\x1f\r", "\n13", NULL},
    {"C-l clears the screen", "7\x0c\r", "\n7", "\x1b[H\x1b[2J"},
    {"C-c gives the line up", "error('no')\x03", "^C", NULL},
    {"C-r finds a line by a part of it",
     "\x12"
     "40 +\r",
     "\n62", NULL},
    {"C-r again goes further back",
     "\x12"
     "+ 22\x12\r",
     "\n133", NULL},
    {"C-r says when there is none",
     "\x12"
     "zzz",
     "failing search `zzz'", NULL},
    {"C-g gives the search up",
     "\x07"
     "4\r",
     "\n4", NULL},
    {"an unknown key sequence types nothing", "\x1b[99;9z5\r", "\n5", NULL},
    {"what is typed ahead is there at the next prompt", "for i = 1, 3000000 do end\r6 * 7\r",
     "\n42", NULL},
};

static const struct step looks[] = {
    {"a tab completes what is alone", "fault.kil\t", "fault.kill", NULL},
    {"a second tab lists what there is",
     "\x15"
     "web.latency.p9\t\t",
     "p90  p95  p99  p999", NULL},
    {"fields of a fault are completed",
     "\x15"
     "fault.latency { web, dire\t",
     "{ web, direction", NULL},
    {"fields of a component are completed",
     "\x15"
     "db.failover.det\t",
     "failover.detect", NULL},
    {"commands are completed", "\x15.tim\t", ".timeline", NULL},
    {"what can be explained is completed", "\x15?fault.deg\t", "?fault.degrade", NULL},
    {"the only completion stands in grey",
     "\x15"
     "fault.kil",
     "fault.kill", "\x1b[90ml\x1b[0m"},
    {"and C-e takes it",
     "\x05 \x15"
     "1 + 4\r",
     "\n5", NULL},
    {"how a line of the history went on stands in grey", "1 + ", "1 + 4", "\x1b[90m4\x1b[0m"},
    {"and the right arrow takes it", RIGHT "\r", "\n5", NULL},
    {"a text is green", "\"green\"", "green", "\x1b[32m\"green\"\x1b[0m"},
    {"a number is cyan",
     "\x15"
     "12",
     "12", "\x1b[36m12\x1b[0m"},
    {"a keyword is bold",
     "\x15"
     "for",
     "for", "\x1b[1mfor\x1b[0m"},
    {"a comment is dim", "\x15-- note", "-- note", "\x1b[2m-- note\x1b[0m"},
    {"a command is bold", "\x15.expect ", ".expect", "\x1b[1m.expect\x1b[0m"},
    {"a chunk goes on until it is complete",
     "\x15"
     "for i = 1, 2 do\r",
     "... ", NULL},
    {"and is run then", "print('line ' .. i)\rend\r", "line 2", NULL},
    {"C-c gives a chunk up", "if true then\r", "... ", NULL},
    {"as a whole",
     "\x03"
     "3 + 3\r",
     "\n6", NULL},
    {"what is pasted is read line by line", "\x1b[200~y = 20\ny + 2\n\x1b[201~", "\n22", NULL},
    {"keys in what is pasted are no keys",
     "\x1b[200~'a\x01"
     "b' == 'ab'\x1b[201~\r",
     "\ntrue", NULL},
    {"wide characters are shown", "\"\xe6\xbc\xa2\xe5\xad\x97\"\r", "\n\xe6\xbc\xa2\xe5\xad\x97",
     NULL},
    {"and the cursor goes over them by two columns", "\"\xe6\xbc\xa2\"" LEFT LEFT, "\xe6\xbc\xa2",
     "\r\x1b[5C"},
    {"backspace takes a whole character",
     "\x05\x15\"\xc3\xa9\x7f"
     "e\"\r",
     "\ne", NULL},
    {"a mark belongs to its letter", "#\"e\xcc\x81\x7f\"\r", "\n0", NULL},
    {"an endless loop is stopped", "while true do end\r", "LZ510", NULL},
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void walk(struct terminal *t, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *s = &steps[i];
        terminal_type(t, s->keys);
        bool ends = strchr("\r\x03", s->keys[strlen(s->keys) - 1]) != NULL;
        bool good = terminal_sees(t, s->plain) && (s->raw == NULL || terminal_gets(t, s->raw));
        terminal_report(t, good && (!ends || terminal_asks(t)), s->says);
    }
}

// Each its own screen, one file.
static void two_at_once(const char *lorenz, const char *scenario)
{
    const char *const argv[] = {lorenz, "repl", scenario, NULL};
    struct terminal *a = terminal_open(argv), *b = terminal_open(argv);
    bool both = terminal_asks(a) && terminal_asks(b);
    terminal_type(a, "1000 + 1\r");
    terminal_type(b, "1000 + 2\r");
    both = both && terminal_sees(a, "\n1001") && terminal_sees(b, "\n1002");
    both = both && terminal_asks(a) && terminal_asks(b);
    both = terminal_leave(a) == 0 && terminal_leave(b) == 0 && both;
    terminal_close(a);
    terminal_close(b);
    struct terminal *c = terminal_open(argv);
    both = terminal_asks(c) && both;
    terminal_type(c, "\x12"
                     "1000 + 1\r");
    both = terminal_sees(c, "\n1001") && terminal_asks(c) && both;
    terminal_type(c, "\x12"
                     "1000 + 2\r");
    both = terminal_sees(c, "\n1002") && terminal_asks(c) && both;
    terminal_report(c, both, "two prompts at once keep both their lines");
    terminal_close(c);
}

// Of an editor's shell, or a teletype: lines as the terminal itself edits them.
static void on_a_dumb_one(const char *lorenz, const char *scenario)
{
    const char *const argv[] = {lorenz, "repl", scenario, NULL};
    struct terminal *t = terminal_open_as(argv, "dumb");
    static const struct {
        const char *keys, *seen;
    } rows[] = {{"1000 + 1\n", "\n1001\n"},
                {".run to 1s\n", "1s of virtual time"},
                {"web\n", "service \"web\""},
                {".plot web.rate\n", "web.rate"},
                {"nothing.at\n", "error"}};
    bool good = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        terminal_type(t, rows[i].keys);
        good = good && terminal_sees(t, rows[i].seen) && terminal_is_plain(t);
    }
    terminal_report(t, good && terminal_is_cooked(t),
                    "a dumb terminal gets lines and no escape sequence");
    terminal_report(t, terminal_leave(t) == 0, "C-d leaves it too");
    terminal_close(t);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    char state[] = "/tmp/lorenz-pty-XXXXXX";
    if (mkdtemp(state) == NULL)
        return 2;
    setenv("XDG_STATE_HOME", state, 1);
    setenv("XDG_CONFIG_HOME", state, 1);
    const char *const command[] = {argv[1], "repl", argv[2], NULL};
    struct terminal *t = terminal_open(command);
    terminal_report(t, terminal_sees(t, "Ctrl-R history") && terminal_asks(t),
                    "it greets and asks");
    walk(t, keys, COUNT(keys));
    walk(t, looks, COUNT(looks));
    terminal_report(t, terminal_leave(t) == 0 && terminal_is_cooked(t),
                    "C-d leaves, and the terminal is as it was");
    terminal_close(t);
    two_at_once(argv[1], argv[2]);
    on_a_dumb_one(argv[1], argv[2]);
    scratch_remove(state);
    return terminal_done();
}
