#include "repl/saved.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"

#define FIRST_LINE "-- lorenz session 1"

bool lz_saved_path(const char *name, char *path, size_t size, struct lz_err *err)
{
    LZ_ASSERT(size >= LZ_SAVED_PATH_MAX);
    size_t len = strlen(name);
    bool ok = len > 0 && len <= LZ_SAVED_NAME_MAX && name[0] != '.' &&
              strspn(name, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_.-") == len;
    if (!ok)
        return lz_fail(err, LZ_EINVAL,
                       "a session's name is up to %d letters, digits, _, - and dots, got \"%s\"",
                       LZ_SAVED_NAME_MAX, name);
    snprintf(path, size, LZ_SAVED_FOLDER "/%s.session", name);
    return true;
}

// A line of the head as its word and what follows; false at the first that was typed.
static bool read_head(FILE *f, char **line, size_t *cap, char **value)
{
    long at = ftell(f);
    ssize_t len = getline(line, cap, f);
    if (len < 0)
        return false;
    if (len > 0 && (*line)[len - 1] == '\n')
        (*line)[len - 1] = '\0';
    char *blank = strncmp(*line, "-- ", 3) == 0 ? strchr(*line + 3, ' ') : NULL;
    if (blank == NULL) {
        fseek(f, at, SEEK_SET);
        return false;
    }
    *blank = '\0';
    *value = blank + 1;
    return true;
}

static void take(struct lz_saved *out, const char *word, char *value)
{
    if (strcmp(word, "scenario") == 0) {
        free(out->scenario);
        out->scenario = strdup(value);
    } else if (strcmp(word, "token") == 0) {
        free(out->token);
        out->token = strdup(value);
    } else if (strcmp(word, "seed") == 0) {
        out->seed = strtoull(value, NULL, 10);
    } else if (strcmp(word, "set") == 0 && strchr(value, '=') != NULL) {
        char *equals = strchr(value, '=');
        *equals = '\0';
        lz_select_pairs_put(&out->params, value, equals + 1);
    }
}

bool lz_saved_open(const char *name, struct lz_saved *out, struct lz_err *err)
{
    char path[LZ_SAVED_PATH_MAX], *line = NULL, *value;
    size_t cap = 0;
    *out = (struct lz_saved){0};
    if (!lz_saved_path(name, path, sizeof(path), err))
        return false;
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return lz_fail(err, LZ_ENOENT, "there is no session %s", path);
    ssize_t len = getline(&line, &cap, f);
    bool ok = len > 0 && strcmp(line, FIRST_LINE "\n") == 0;
    while (ok && read_head(f, &line, &cap, &value))
        take(out, line + 3, value);
    free(line);
    out->rest = f;
    if (ok && out->scenario != NULL && out->token != NULL)
        return true;
    lz_saved_close(out);
    return lz_fail(err, LZ_EINVAL, "%s is no session: it does not begin with %s", path,
                   ok ? "its scenario and token" : "\"" FIRST_LINE "\"");
}

void lz_saved_close(struct lz_saved *s)
{
    if (s->rest != NULL)
        fclose(s->rest);
    free(s->scenario);
    free(s->token);
    lz_select_pairs_free(&s->params);
    *s = (struct lz_saved){0};
}

bool lz_saved_write(const char *name, const struct lz_saved *s, const char *lines,
                    struct lz_err *err)
{
    char path[LZ_SAVED_PATH_MAX];
    if (!lz_saved_path(name, path, sizeof(path), err))
        return false;
    mkdir(".lorenz", 0777);
    mkdir(LZ_SAVED_FOLDER, 0777);
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return lz_fail(err, LZ_EIO, "%s cannot be written: %s", path, strerror(errno));
    bool ok = fprintf(f, FIRST_LINE "\n-- scenario %s\n-- seed %" PRIu64 "\n-- token %s\n",
                      s->scenario, s->seed, s->token) > 0;
    for (size_t i = 0; ok && i < s->params.count; i++)
        ok = fprintf(f, "-- set %s=%s\n", s->params.items[i].name, s->params.items[i].value) > 0;
    ok = ok && fputs(lines, f) >= 0;
    if (fclose(f) != 0 || !ok)
        return lz_fail(err, LZ_EIO, "%s cannot be written: %s", path, strerror(errno));
    return true;
}
