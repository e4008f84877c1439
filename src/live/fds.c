#include "live/fds.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN 300 // listeners, pipes, logs, probes, and what the C library opens

static struct rlimit before;
static bool is_raised;

// Asked in a child, as a thread would be in the way of namespaces.
bool lz_fds_may_have_tables(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(unshare(CLONE_FILES) != 0);
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return child > 0 && status == 0;
}

bool lz_fds_raise(size_t connections, struct lz_err *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return true;
    if (!is_raised)
        before = limit;
    rlim_t need = (rlim_t)connections + OWN;
    if (limit.rlim_max < need + (rlim_t)connections && !lz_fds_may_have_tables())
        need += (rlim_t)connections; // the proxy has one table, and two of it for each
    if (limit.rlim_max < need)
        return lz_fail(err, LZ_ERANGE,
                       "%zu connections at once need %llu descriptors, and the hard limit is %llu: "
                       "lower `connections` in `live` of traffic, or raise the limit (ulimit -Hn "
                       "%llu, LimitNOFILE= of systemd)",
                       connections, (unsigned long long)need, (unsigned long long)limit.rlim_max,
                       (unsigned long long)need);
    limit.rlim_cur = limit.rlim_max;
    is_raised = setrlimit(RLIMIT_NOFILE, &limit) == 0 || is_raised;
    return true;
}

void lz_fds_restore(void)
{
    if (is_raised)
        setrlimit(RLIMIT_NOFILE, &before);
}
