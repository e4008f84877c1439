/*
 * terminal.h — `lorenz` behind a pseudo-terminal: keys go in, and what a person would see comes
 * out.
 *
 * What came since the last keys is kept twice: as it came, and plain, without escape sequences and
 * carriage returns.
 */
#ifndef LZ_TESTS_REPL_TERMINAL_H
#define LZ_TESTS_REPL_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Skips all tests (and does not return) where there are no pseudo-terminals. */
struct terminal *terminal_open(const char *const *argv);
struct terminal *terminal_open_as(const char *const *argv, const char *kind); /* of TERM */
void terminal_close(struct terminal *t); /* hangs up, and waits for it */

void terminal_type(struct terminal *t, const char *keys);
void terminal_resize(struct terminal *t, int columns);

/* Until the plain text has it, or what came as it came. False: in vain, for 60 s. */
bool terminal_sees(struct terminal *t, const char *text);
bool terminal_gets(struct terminal *t, const char *bytes);

bool terminal_is_plain(const struct terminal *t); /* no escape sequence came */

/* Until a prompt is the last that was written. */
bool terminal_asks(struct terminal *t);

bool terminal_is_cooked(const struct terminal *t); /* as a shell wants to have it back */
pid_t terminal_pid(const struct terminal *t);

/* Exit status; -1 if it does not end. */
int terminal_leave(struct terminal *t);

/* A row of the test; a failing one shows what was seen. */
void terminal_report(const struct terminal *t, bool good, const char *says);
int terminal_done(void); /* the plan; the exit status of the test */

#endif
