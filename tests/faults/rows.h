/* rows.h — one row per kind of fault, for faults.c; a kind without a row fails the suite. */
#ifndef LZ_TESTS_FAULTS_ROWS_H
#define LZ_TESTS_FAULTS_ROWS_H

struct fault_row {
    const char *kind;
    /*
     * Its body without the braces and without at and lasting, for the system `s` of
     * topology.lua: strong enough that busy-users' requests meet it within three seconds.
     */
    const char *body;
    /* Load is given as a factor: of the idle system, of nothing. */
    /* A metric whose whole-run value is another one with the fault than without. */
    const char *component, *metric;
};

/* Ends with kind NULL. */
extern const struct fault_row fault_rows[];

/*
 * Kinds again, where what they hit or how they are told is of its own: groups that agree, caches
 * with sentinels, faults of connections. Each meets each other of these.
 */
extern const struct fault_row fault_rows_again[];

#endif
