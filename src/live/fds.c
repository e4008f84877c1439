#include "live/fds.h"

#include <stdbool.h>
#include <sys/resource.h>

#define OWN 300 // listeners, pipes, logs, probes, and what the C library opens

static struct rlimit before;
static bool is_raised;

bool lz_fds_raise(size_t connections, struct lz_err *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return true;
    if (!is_raised)
        before = limit;
    rlim_t need = (rlim_t)connections + OWN;
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
