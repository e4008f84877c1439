#include "live/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "live/family.h"
#include "live/fds.h"
#include "live/net/spaces.h"

// What went wrong in the child, sent to the parent.
struct trouble {
    int number;
    char what[32];
};

static _Noreturn void report(int fd, const char *what)
{
    struct trouble t = {.number = errno};
    snprintf(t.what, sizeof(t.what), "%s", what);
    _exit(write(fd, &t, sizeof(t)) == (ssize_t)sizeof(t) ? 127 : 126);
}

static void become(const struct passwd *user, int fd)
{
    if (user == NULL || user->pw_uid == geteuid())
        return;
    if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0)
        report(fd, "user");
}

// In the child; `fds` are the end to wait at and the end to tell of trouble.
static _Noreturn void run(const struct lz_spawn_opts *o, const struct passwd *user,
                          const int fds[2])
{
    char go;
    setsid();
    lz_fds_restore();
    if (read(fds[0], &go, 1) != 1)
        _exit(125); // it could not be written down
    int null = open("/dev/null", O_RDONLY);
    int log = open(o->output, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (null < 0 || log < 0)
        report(fds[1], "output");
    if (!lz_spaces_join(o->net_fd))
        report(fds[1], "network");
    become(user, fds[1]);
    if (chdir(o->cwd) != 0)
        report(fds[1], "folder");
    int told = fcntl(fds[1], F_DUPFD_CLOEXEC, 10);
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    close_range(3, (unsigned)told - 1, 0);
    close_range((unsigned)told + 1, ~0u, 0);
    signal(SIGPIPE, SIG_DFL);
    execvpe(o->argv[0], (char *const *)o->argv, (char *const *)o->env);
    report(told, "program");
}

static bool explain(const struct lz_spawn_opts *o, const struct trouble *t, struct lz_err *err)
{
    const char *why = strerror(t->number);
    if (strcmp(t->what, "folder") == 0)
        return lz_fail(err, LZ_ENOENT, "its folder %s cannot be entered%s%s: %s", o->cwd,
                       o->user != NULL ? " by " : "", o->user != NULL ? o->user : "", why);
    if (strcmp(t->what, "output") == 0)
        return lz_fail(err, LZ_EIO, "its output cannot be kept in %s: %s", o->output, why);
    if (strcmp(t->what, "network") == 0)
        return lz_fail(err, LZ_EIO, "its network namespace cannot be entered: %s", why);
    if (strcmp(t->what, "user") == 0)
        return lz_fail(err, LZ_EIO, "it cannot be run as %s: %s", o->user, why);
    if (t->number == ENOENT)
        return lz_fail(err, LZ_ENOENT,
                       "there is no program \"%s\": install it, or write its whole path; "
                       "\"{{scenario.dir}}\" is the folder of the scenario",
                       o->argv[0]);
    return lz_fail(err, LZ_EIO, "\"%s\" cannot be run: %s", o->argv[0], why);
}

bool lz_spawn_check_user(const char *user, struct lz_err *err)
{
    const struct passwd *pw = user != NULL ? getpwnam(user) : NULL;
    if (user == NULL)
        return true;
    if (pw == NULL)
        return lz_fail(err, LZ_ENOENT, "there is no user \"%s\" on this machine", user);
    return geteuid() == 0 || pw->pw_uid == geteuid() ||
           lz_fail(err, LZ_ERANGE,
                   "it is to be run as %s, which only root can do: leave `user` out, or run "
                   "lorenz as root or as %s",
                   user, user);
}

// Written down, let go, and seen to have become the program.
static bool let_go(struct lz_undo *undo, const struct lz_spawn_opts *o, struct lz_spawned *s,
                   const int fds[2], struct lz_err *err)
{
    struct trouble t;
    const struct lz_undo_entry entry = {
        .verb = LZ_UNDO_END, .pid = s->pid, .start = s->start, .text = o->mark};
    if (!lz_undo_add(undo, &entry, &s->undo, err))
        return false;
    char go = 'g';
    if (write(fds[0], &go, 1) != 1)
        return lz_fail(err, LZ_EIO, "the child did not wait: %s", strerror(errno));
    ssize_t n;
    do
        n = read(fds[1], &t, sizeof(t));
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return true;
    lz_undo_forget(undo, s->undo);
    return n == (ssize_t)sizeof(t) ? explain(o, &t, err)
                                   : lz_fail(err, LZ_EIO, "the child is gone");
}

bool lz_spawn(struct lz_loop *loop, struct lz_undo *undo, const struct lz_spawn_opts *o,
              struct lz_spawned *out, struct lz_err *err)
{
    int go[2], told[2];
    if (!lz_spawn_check_user(o->user, err))
        return false;
    const struct passwd *user = o->user != NULL ? getpwnam(o->user) : NULL;
    if (pipe2(go, O_CLOEXEC) != 0)
        return lz_fail(err, LZ_EIO, "no pipe can be had: %s", strerror(errno));
    if (pipe2(told, O_CLOEXEC) != 0) {
        close(go[0]);
        close(go[1]);
        return lz_fail(err, LZ_EIO, "no pipe can be had: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        close(told[0]);
        lz_loop_forked(loop);
        run(o, user, (const int[2]){go[0], told[1]});
    }
    int why = errno;
    close(go[0]);
    close(told[1]);
    struct lz_spawned s = {.pid = pid, .start = pid > 0 ? lz_family_start_time(pid) : 0};
    bool ok = pid > 0 || lz_fail(err, LZ_EIO, "no process can be had: %s", strerror(why));
    ok = ok && let_go(undo, o, &s, (const int[2]){go[1], told[0]}, err);
    close(go[1]);
    close(told[0]);
    if (!ok && pid > 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (ok)
        *out = s;
    return ok;
}
