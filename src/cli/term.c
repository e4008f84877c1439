#include "cli/term.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"

// Set and not empty: how NO_COLOR and its kin are defined.
static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool env_is(const char *name, const char *wanted)
{
    const char *value = env(name);
    return value != NULL && strcmp(value, wanted) == 0;
}

static bool forced(const char *name)
{
    return env(name) != NULL && !env_is(name, "0");
}

static bool wants_colour(enum lz_term_when when, int fd)
{
    if (when != LZ_TERM_AUTO)
        return when == LZ_TERM_ALWAYS;
    if (env("NO_COLOR") != NULL)
        return false;
    if (forced("CLICOLOR_FORCE") || forced("FORCE_COLOR"))
        return true;
    if (env_is("CLICOLOR", "0") || env_is("TERM", "dumb"))
        return false;
    return isatty(fd) == 1;
}

// The locale as the C library would choose it, without letting it choose: setlocale
// would also change how numbers are read and written.
static bool is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = env(names[i]);
        if (value != NULL)
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

static int find_width(int asked, int fd)
{
    struct lz_err err;
    uint64_t columns;
    struct winsize size;
    if (asked > 0)
        return asked;
    const char *value = env("COLUMNS");
    if (value != NULL && lz_opts_number(value, 1, LZ_TERM_WIDTH_MAX, &columns, &err))
        return (int)columns;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

struct lz_term lz_term_look(const struct lz_term_opts *opts, int fd)
{
    LZ_ASSERT(opts != NULL);
    struct lz_term term = {
        .colour = wants_colour(opts->colour, fd),
        .ascii = opts->ascii || env_is("TERM", "dumb") || !is_utf8(),
        .width = find_width(opts->width, fd),
    };
    if (term.width < LZ_TERM_WIDTH_MIN)
        term.width = LZ_TERM_WIDTH_MIN;
    if (term.width > LZ_TERM_WIDTH_MAX)
        term.width = LZ_TERM_WIDTH_MAX;
    return term;
}

bool lz_term_take_colour(struct lz_term_opts *opts, const char *value, struct lz_err *err)
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(words[i], value) == 0) {
            opts->colour = (enum lz_term_when)i;
            return true;
        }
    }
    return lz_fail(err, LZ_EINVAL, "expected auto, always or never, got \"%s\"", value);
}

bool lz_term_take_width(struct lz_term_opts *opts, const char *value, struct lz_err *err)
{
    uint64_t width;
    if (!lz_opts_number(value, LZ_TERM_WIDTH_MIN, LZ_TERM_WIDTH_MAX, &width, err))
        return false;
    opts->width = (int)width;
    return true;
}
