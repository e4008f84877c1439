#include "live/probe/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/fds.h"
#include "live/net/spaces.h"

struct lz_command {
    struct lz_loop *loop;
    lz_command_fn *fn;
    void *ctx;
    struct lz_loop_timer timer; // its time is up, or it could not be started
    pid_t pid;                  // 0: not running
    int output, trouble;        // -1: closed
    size_t keep;
    struct lz_str said;
    struct lz_command_result result;
};

// In the child. What the parent learns of a failure it reads from `trouble`.
static void become(const struct lz_command_opts *opts, pid_t parent, int output, int trouble)
{
    int null = open("/dev/null", O_RDWR);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool is_set = getppid() == parent && null >= 0 && dup2(null, 0) >= 0 && dup2(output, 1) >= 0 &&
                  dup2(opts->drops_stderr ? null : output, 2) >= 0 &&
                  (opts->cwd == NULL || chdir(opts->cwd) == 0) && lz_spaces_join(opts->net_fd) &&
                  (opts->run == NULL || setenv("LORENZ_LIVE_RUN", opts->run, 1) == 0);
    lz_fds_restore();
    signal(SIGPIPE, SIG_DFL);
    if (is_set)
        execvp(opts->argv[0], (char *const *)(uintptr_t)opts->argv);
    int code = errno;
    ssize_t n = write(trouble, &code, sizeof(code));
    _exit(n == (ssize_t)sizeof(code) ? 127 : 126);
}

static void close_pipes(struct lz_command *c)
{
    if (c->output >= 0) {
        lz_loop_unwatch(c->loop, c->output);
        close(c->output);
    }
    if (c->trouble >= 0)
        close(c->trouble);
}

static void finish(struct lz_command *c)
{
    struct lz_command_result result = c->result;
    struct lz_str said = c->said;
    lz_command_fn *fn = c->fn;
    void *ctx = c->ctx;
    LZ_ASSERT(c->pid == 0);
    lz_loop_cancel(c->loop, &c->timer);
    close_pipes(c);
    free(c);
    result.output = said.text;
    result.size = said.len;
    fn(ctx, &result);
    lz_str_finish(&said);
}

static void read_all(struct lz_command *c)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(c->output, bytes, sizeof(bytes))) > 0) {
        size_t room = c->said.len < c->keep ? c->keep - c->said.len : 0;
        lz_str_add_n(&c->said, bytes, (size_t)n < room ? (size_t)n : room);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    lz_loop_unwatch(c->loop, c->output); // a grandchild may hold it for ever: its end is no news
    close(c->output);
    c->output = -1;
}

static void on_output(void *ctx, int fd, unsigned events)
{
    struct lz_command *c = ctx;
    (void)fd;
    (void)events;
    read_all(c);
}

// An errno: it was not executed. Asked when it has ended, since a busy machine may take long to
// begin with it, and nobody can wait here.
static int trouble_of(const struct lz_command *c)
{
    int code = 0;
    return read(c->trouble, &code, sizeof(code)) == (ssize_t)sizeof(code) ? code : 0;
}

static void on_end(void *ctx, pid_t pid, int wait_status)
{
    struct lz_command *c = ctx;
    LZ_ASSERT(pid == c->pid);
    c->pid = 0;
    kill(-pid, SIGKILL); // what it left behind
    if (c->output >= 0)
        read_all(c);
    if (c->result.end != LZ_COMMAND_TIMEOUT) {
        bool is_exit = WIFEXITED(wait_status);
        c->result.end = is_exit ? LZ_COMMAND_EXITED : LZ_COMMAND_SIGNALLED;
        c->result.code = is_exit ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status);
        int code = trouble_of(c);
        if (code != 0)
            c->result = (struct lz_command_result){.end = LZ_COMMAND_UNSTARTED, .code = code};
    }
    finish(c);
}

static void on_time(void *ctx, int64_t now_ns)
{
    struct lz_command *c = ctx;
    (void)now_ns;
    if (c->pid == 0) { // it never was
        finish(c);
        return;
    }
    c->result.end = LZ_COMMAND_TIMEOUT;
    kill(-c->pid, SIGKILL); // on_end comes of it
}

static int spawn(struct lz_command *c, const struct lz_command_opts *opts)
{
    int output[2], trouble[2];
    if (pipe2(output, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(trouble, O_CLOEXEC) != 0) {
        int code = errno;
        close(output[0]);
        close(output[1]);
        return code;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        lz_loop_forked(c->loop);
        become(opts, parent, output[1], trouble[1]);
    }
    int code = pid < 0 ? errno : 0;
    close(output[1]);
    close(trouble[1]);
    c->output = output[0];
    c->trouble = trouble[0];
    fcntl(c->output, F_SETFL, O_NONBLOCK);
    fcntl(c->trouble, F_SETFL, O_NONBLOCK);
    if (pid > 0) {
        setpgid(pid, pid); // whichever of the two comes first
        c->pid = pid;
    }
    return code;
}

static void end_child(struct lz_command *c)
{
    kill(-c->pid, SIGKILL);
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
}

struct lz_command *lz_command_start(struct lz_loop *loop, const struct lz_command_opts *opts,
                                    lz_command_fn *fn, void *ctx)
{
    LZ_ASSERT(opts->argv != NULL && opts->argv[0] != NULL);
    LZ_ASSERT(opts->timeout_ns > 0);
    struct lz_command *c = lz_mem_alloc(sizeof(*c));
    *c = (struct lz_command){.loop = loop,
                             .fn = fn,
                             .ctx = ctx,
                             .timer = {.fn = on_time, .ctx = c},
                             .output = -1,
                             .trouble = -1,
                             .keep = opts->keep};
    lz_str_init(&c->said);
    int code = spawn(c, opts);
    struct lz_err err;
    if (code == 0 && (!lz_loop_watch(loop, c->output, LZ_LOOP_READ, on_output, c, &err) ||
                      !lz_loop_watch_child(loop, c->pid, on_end, c, &err)))
        code = EIO;
    if (code != 0) {
        if (c->pid > 0)
            end_child(c);
        c->result = (struct lz_command_result){.end = LZ_COMMAND_UNSTARTED, .code = code};
    }
    lz_loop_arm(loop, &c->timer, lz_loop_clock() + (code == 0 ? opts->timeout_ns : 0));
    return c;
}

void lz_command_stop(struct lz_command *command)
{
    struct lz_command *c = command;
    if (c->pid > 0) {
        lz_loop_unwatch_child(c->loop, c->pid);
        end_child(c);
    }
    lz_loop_cancel(c->loop, &c->timer);
    close_pipes(c);
    lz_str_finish(&c->said);
    free(c);
}
