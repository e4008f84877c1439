/*
 * child.h — a test's own processes: none outlives its test's program, and a check that fails in
 * one ends that one alone.
 *
 * cmocka leaves a failed test by a long jump, in a child too: that would go on with its parent's
 * teardown and tests. So a child aborts instead, and its parent sees it in the wait status.
 */
#ifndef LZ_TESTS_CHILD_H
#define LZ_TESTS_CHILD_H

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A parent that is gone before this is asked for would never be missed. */
static inline void child_dies_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
}

static inline pid_t child_fork(void)
{
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        child_dies_with(self);
        setenv("CMOCKA_TEST_ABORT", "1", 1);
    }
    return pid;
}

#endif
