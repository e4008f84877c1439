/*
 * family.h — all processes that one program has become: itself, its children, theirs.
 *
 * A program may fork, and its children may leave its process group or session (PostgreSQL's do).
 * So its family is whoever is in its session, descends from it, or has its mark in the environment
 * (LORENZ_LIVE_PROCESS), which children inherit whatever they do otherwise. A number alone means
 * nothing: a process is known by its number and the time it was started.
 */
#ifndef LZ_LIVE_FAMILY_H
#define LZ_LIVE_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LZ_FAMILY_VARIABLE "LORENZ_LIVE_PROCESS"

struct lz_family {
    pid_t pid;        /* of the program itself */
    uint64_t start;   /* when it was started: lz_family_start_time */
    const char *mark; /* the variable's value; NULL: not looked for */
};

/* When a process was started, in clock ticks since boot; 0: there is none, or it is a zombie. */
uint64_t lz_family_start_time(pid_t pid);

/* Who they are, `max` at most; how many. */
size_t lz_family_pids(const struct lz_family *family, pid_t *out, size_t max);

/* Send a signal to all of them; how many were there. Signal 0 counts them. */
uint32_t lz_family_signal(const struct lz_family *family, int signal);

/* Those of them that stand still (SIGSTOP) as /proc says now. */
uint32_t lz_family_stopped(const struct lz_family *family);

/* SIGKILL them until there are none; false: some could not be killed. */
bool lz_family_end(const struct lz_family *family);

#endif
