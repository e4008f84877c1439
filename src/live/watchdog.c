#include "live/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "live/undo.h"

#define DISMISSED 'q'
#define PATIENCE 1000 // of 10 ms each

static _Noreturn void watch(int fd, const char *undo_path)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
    struct lz_undo_report report;
    struct lz_err err;
    char said = 0;
    ssize_t n;
    setsid();
    prctl(PR_SET_NAME, "lorenz-watchdog");
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    // What the run's output goes to must not wait for us.
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i <= 2; i++)
        dup2(null, i);
    dup2(fd, 3);
    close_range(4, ~0u, 0);
    do
        n = read(3, &said, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1 && said == DISMISSED)
        _exit(0);
    // Its descriptors are closed a little before it is gone.
    for (int i = 0; i < PATIENCE; i++) {
        if (!lz_undo_file(undo_path, &report, &err))
            _exit(1);
        if (!report.is_running)
            _exit(report.left == 0 ? 0 : 1);
        usleep(10000);
    }
    _exit(1);
}

bool lz_watchdog_start(const char *undo_path, struct lz_watchdog *out, struct lz_err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return lz_fail(err, LZ_EIO, "cannot make a pipe for the watchdog: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        int why = errno;
        close(ends[0]);
        close(ends[1]);
        return lz_fail(err, LZ_EIO, "cannot start the watchdog: %s", strerror(why));
    }
    if (pid == 0) {
        close(ends[1]);
        watch(ends[0], undo_path);
    }
    close(ends[0]);
    *out = (struct lz_watchdog){.pid = pid, .fd = ends[1]};
    return true;
}

void lz_watchdog_dismiss(struct lz_watchdog *w)
{
    LZ_ASSERT(w->pid > 0);
    char bye = DISMISSED;
    if (write(w->fd, &bye, 1) != 1)
        kill(w->pid, SIGKILL); // it has ended, or never will by itself
    close(w->fd);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    w->pid = 0;
}
