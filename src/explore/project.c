#include "explore/project.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static bool exists_in(const char *folder, const char *name)
{
    struct lz_str path;
    struct stat st;
    lz_str_init(&path);
    lz_str_addf(&path, "%s/%s", folder, name);
    bool exists = lstat(path.text, &st) == 0;
    lz_str_finish(&path);
    return exists;
}

// Cut a real path to its folder; "/" stays.
static void go_up(char *path)
{
    char *slash = strrchr(path, '/');
    LZ_ASSERT(slash != NULL);
    slash[slash == path ? 1 : 0] = '\0';
}

// The project's folder of a scenario, as a real path to be freed; NULL: it has none.
static char *find_root(const char *scenario)
{
    char *own = realpath(scenario, NULL);
    if (own == NULL)
        return NULL;
    go_up(own);
    char *at = strdup(own);
    LZ_ASSERT(at != NULL);
    for (;;) {
        if (exists_in(at, "lorenz.conf.lua") || exists_in(at, ".git")) {
            free(own);
            return at;
        }
        if (strcmp(at, "/") == 0)
            break;
        go_up(at);
    }
    free(at);
    return own;
}

static bool is_inside(const char *root, const char *path)
{
    size_t len = strlen(root);
    if (strcmp(root, "/") == 0)
        return true;
    return strncmp(path, root, len) == 0 && path[len] == '/';
}

static void cut(struct lz_str *s, size_t len)
{
    LZ_ASSERT(len <= s->len && s->cap > 0);
    s->len = len;
    s->text[len] = '\0';
}

// "a/b.lua" and "../c/./d.lua" is "c/d.lua". What leads above the start keeps its "..".
static void join(struct lz_str *out, const char *from, const char *name)
{
    const char *slash = strrchr(from, '/');
    lz_str_add_n(out, from, slash != NULL ? (size_t)(slash - from) + 1 : 0);
    while (*name != '\0') {
        size_t len = strcspn(name, "/");
        if (len == 2 && strncmp(name, "..", 2) == 0) {
            size_t end = out->len > 0 ? out->len - 1 : 0;
            while (end > 0 && out->text[end - 1] != '/')
                end--;
            bool is_up = out->len == 0 || strncmp(out->text + end, "../", 3) == 0 ||
                         (end == 0 && out->text[0] == '/');
            if (is_up)
                lz_str_add(out, "../");
            else
                cut(out, end);
        } else if (len > 0 && !(len == 1 && *name == '.')) {
            lz_str_add_n(out, name, len);
            if (name[len] == '/')
                lz_str_add_char(out, '/');
        }
        name += len;
        name += strspn(name, "/");
    }
}

static bool read_all(int fd, const char *path, struct lz_str *text, struct lz_err *err)
{
    char chunk[4096];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
        if (n == 0)
            return true;
        lz_str_add_n(text, chunk, (size_t)n);
        if (text->len > LZ_PROJECT_FILE_MAX)
            return lz_fail(err, LZ_EFULL, "%s is larger than %d KiB", path,
                           LZ_PROJECT_FILE_MAX >> 10);
    }
}

// Opened without waiting and without following a link that was put there since.
static bool read_regular(const char *real, const char *path, struct lz_str *text,
                         struct lz_err *err)
{
    int fd = open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
    struct stat st;
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (!ok)
        (void)lz_fail(err, LZ_EIO, "%s is not a regular file", path);
    else
        ok = read_all(fd, path, text, err);
    close(fd);
    return ok;
}

bool lz_project_read(void *ctx, const char *from, const char *name, struct lz_script_file *out,
                     struct lz_err *err)
{
    const char *scenario = ctx;
    join(&out->path, from, name);
    char *root = find_root(scenario);
    if (root == NULL)
        return lz_fail(err, LZ_ENOENT, "the scenario is no file, so nothing stands beside it");
    bool ok = false;
    char *real = realpath(out->path.text, NULL);
    struct stat st;
    if (real == NULL && errno == ENOENT)
        (void)lz_fail(err, LZ_ENOENT, "there is no file %s", out->path.text);
    else if (real == NULL)
        (void)lz_fail(err, LZ_EIO, "cannot read %s: %s", out->path.text, strerror(errno));
    else if (!is_inside(root, real))
        (void)lz_fail(err, LZ_ERANGE, "%s leads outside the project's folder", out->path.text);
    else if (stat(real, &st) != 0 || !S_ISREG(st.st_mode))
        (void)lz_fail(err, LZ_EIO, "%s is not a regular file", out->path.text);
    else
        ok = read_regular(real, out->path.text, &out->text, err);
    if (ok)
        lz_str_add(&out->key, real);
    free(real);
    free(root);
    return ok;
}
