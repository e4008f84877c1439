/*
 * pty_run.c — the prompt in a real terminal while time passes: interrupts, pictures in place, a
 * terminal that changes its size, worlds that crash, runs that failed.
 *
 * A world is crashed by a signal to its process: of those that the prompt has forked, and their
 * copies, the one that uses time is the one that runs.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "terminal.h"

static const char *lorenz, *scenario;

static struct terminal *open_repl(void)
{
    const char *const argv[] = {lorenz, "repl", scenario, NULL};
    struct terminal *t = terminal_open(argv);
    terminal_report(t, terminal_asks(t), "it greets and asks");
    return t;
}

static void pictures(struct terminal *t)
{
    terminal_type(t, ".top while .run to 30s\r");
    bool good = terminal_sees(t, "component") && terminal_gets(t, "\x1b[K") && terminal_asks(t);
    terminal_report(t, good && terminal_sees(t, "30s of virtual time"),
                    "all components are drawn while time passes");
    terminal_type(t, ".plot web.rate while .run to 34s at 8x\r");
    good = terminal_sees(t, "/s ") && terminal_gets(t, "A\r") && terminal_asks(t);
    terminal_report(t, good && terminal_sees(t, "34s> "), "a plot is drawn over itself");
    terminal_type(t, ".run to 36s at 0x\r");
    terminal_report(t, terminal_sees(t, "a speed is written 60x") && terminal_asks(t),
                    "a speed is above nothing");
}

static void interrupts(struct terminal *t)
{
    terminal_type(t, ".run to 10m at 2x\r");
    usleep(300000);
    terminal_type(t, "\x03");
    terminal_report(t, terminal_sees(t, "interrupted") && terminal_asks(t),
                    "C-c stops the simulation and not the prompt");
    terminal_type(t, "string.rep('a', 40):find(('a?'):rep(40) .. ('a'):rep(40))\r");
    usleep(500000);
    terminal_type(t, "\x03");
    terminal_report(t, terminal_sees(t, "as it was before the line") && terminal_asks(t),
                    "C-c stops a line that counts no instructions");
    terminal_type(t, ".sql with recursive n(i) as (select 1 union all select i + 1 from n) select "
                     "count(*) from n\r");
    usleep(500000);
    terminal_type(t, "\x03");
    terminal_report(t, terminal_sees(t, "error: interrupted") && terminal_asks(t),
                    "C-c stops an endless question");
}

static void sizes(struct terminal *t)
{
    terminal_resize(t, 40);
    terminal_type(t, "\"a line that is longer than the forty columns that are left\"\r");
    terminal_report(t, terminal_sees(t, "columns that are left\n") && terminal_asks(t),
                    "a line longer than the terminal wraps");
    terminal_type(t, ".top\r");
    bool good = terminal_sees(t, "component") && terminal_asks(t);
    terminal_report(t, good, "what is shown is as narrow as the terminal");
    terminal_type(t, "12345");
    terminal_resize(t, 80);
    terminal_type(t, "6\r");
    terminal_report(t, terminal_sees(t, "\n123456") && terminal_asks(t),
                    "a terminal may change while a line is typed");
}

// ---------------------------------------------------------------- crashes

// "pid (comm) state ppid pgrp session ... utime": fields 6 and 14 of /proc/PID/stat. The terminal's
// session is the prompt's; parents do not tell, for worlds outlive those they are copies of.
static bool look(pid_t pid, pid_t *session, unsigned long *used)
{
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    char *rest = strrchr(text, ')');
    int of = 0;
    bool ok = rest != NULL &&
              sscanf(rest, ") %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu", &of, used) == 2;
    *session = (pid_t)of;
    return ok;
}

#define PIDS_MAX 1000

struct process {
    pid_t pid;
    unsigned long used;
};

static size_t scan(pid_t prompt, struct process *all)
{
    DIR *folder = opendir("/proc");
    size_t count = 0;
    pid_t session;
    unsigned long used;
    struct dirent *e;
    while (folder != NULL && count < PIDS_MAX && (e = readdir(folder)) != NULL) {
        pid_t pid = (pid_t)atoi(e->d_name);
        if (pid > 0 && pid != prompt && look(pid, &session, &used) && session == prompt)
            all[count++] = (struct process){pid, used};
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

// Who has used time since a moment ago.
static pid_t runner_of(pid_t prompt)
{
    static struct process before[PIDS_MAX], now[PIDS_MAX];
    for (int tries = 0; tries < 20; tries++) {
        size_t n = scan(prompt, before);
        usleep(200000);
        size_t m = scan(prompt, now);
        for (size_t i = 0; i < m; i++)
            for (size_t k = 0; k < n; k++)
                if (now[i].pid == before[k].pid && now[i].used > before[k].used)
                    return now[i].pid;
    }
    return 0;
}

static void crashes(struct terminal *t)
{
    terminal_type(t, ".back to 10s\r");
    bool good = terminal_asks(t);
    terminal_type(t, ".run to 4m\r");
    good = good && terminal_sees(t, "3m50s of virtual time") && terminal_asks(t);
    terminal_type(t, ".run to 9m at 30x\r");
    usleep(500000);
    pid_t pid = runner_of(terminal_pid(t));
    good = good && pid > 0 && kill(pid, SIGSEGV) == 0;
    good = good && terminal_sees(t, "has ended: segmentation fault (SIGSEGV)");
    terminal_report(t, good && terminal_sees(t, "this is how it was at") && terminal_asks(t),
                    "a world that crashes gives way to its last snapshot, and the reason is said");
    terminal_type(t, "\"still \" .. \"here\"\r");
    terminal_report(t, terminal_sees(t, "\nstill here") && terminal_asks(t),
                    "the line editor is as it was");
    terminal_type(t, ".run 2s\r");
    terminal_report(t, terminal_sees(t, "2s of virtual time") && terminal_asks(t),
                    "and time goes on from there");
}

// ---------------------------------------------------------------- runs that failed

static bool write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    bool ok = f != NULL && fputs(text, f) >= 0;
    return f != NULL && fclose(f) == 0 && ok;
}

static const char fails[] = "scenario \"It fails\" { duration = \"20s\" }\n"
                            "local web = service \"web\" {}\n"
                            "local users = traffic \"users\" { to = web, rate = \"50/s\" }\n"
                            "fault.kill { web, at = \"10s\" }\n"
                            "expect \"no errors\" { always = users.errors.ratio:below \"1%\" }\n";

static void failed_runs(void)
{
    const char *const run[] = {lorenz, "run", "fails.lua", "--repl-on-fail", NULL};
    const char *const replay[] = {lorenz, "replay", "fails-1", "--at", "5s", NULL};
    bool good = write_file("fails.lua", fails);
    struct terminal *t = terminal_open(run);
    good = good && terminal_sees(t, "no errors") && terminal_asks(t);
    terminal_type(t, "web\r");
    terminal_report(t, good && terminal_sees(t, "0 of 1 replicas up") && terminal_asks(t),
                    "a run that fails is looked at where it failed");
    terminal_report(t, terminal_leave(t) == 1, "and its status is that of the run");
    terminal_close(t);
    t = terminal_open(replay);
    good = terminal_sees(t, "5s> ") && terminal_asks(t);
    terminal_type(t, "web\r");
    terminal_report(t, good && terminal_sees(t, "1 of 1 replicas up") && terminal_asks(t),
                    "a recorded run is looked at at any time");
    terminal_report(t, terminal_leave(t) == 0, "which is no failure");
    terminal_close(t);
}

static void own_words(const char *folder)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/lorenz", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/lorenz/repl.lua", folder);
    bool good = write_file(path, "function slow(n)\n  return top(requests, n)\nend\nseven = 7\n");
    struct terminal *t = open_repl();
    terminal_type(t, "seven * #slow(1)\r");
    terminal_report(t, good && terminal_sees(t, "\n0") && terminal_asks(t),
                    "repl.lua is read first");
    terminal_close(t);
    good = write_file(path, "seven = \n");
    t = open_repl();
    terminal_report(t, good && terminal_sees(t, "lorenz/repl.lua: it is not complete"),
                    "what is wrong with it is said, and the prompt is there");
    terminal_close(t);
    remove(path);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    lorenz = argv[1];
    scenario = argv[2];
    setvbuf(stdout, NULL, _IOLBF, 0);
    char state[] = "/tmp/lorenz-pty-XXXXXX";
    if (mkdtemp(state) == NULL || chdir(state) != 0)
        return 2;
    setenv("XDG_STATE_HOME", state, 1);
    setenv("XDG_CONFIG_HOME", state, 1);
    struct terminal *t = open_repl();
    pictures(t);
    interrupts(t);
    sizes(t);
    crashes(t);
    terminal_report(t, terminal_leave(t) == 0 && terminal_is_cooked(t),
                    "C-d leaves, and the terminal is as it was");
    terminal_close(t);
    own_words(state);
    failed_runs();
    scratch_remove(state);
    return terminal_done();
}
