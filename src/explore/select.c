#include "explore/select.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/str.h"

static char *copy_n(const char *text, size_t len)
{
    char *copy = lz_mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static bool add_path(struct lz_select_files *files, const char *path, struct lz_err *err)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->paths[i], path) == 0)
            return true;
    }
    if (files->count == LZ_SELECT_FILES_MAX)
        return lz_fail(err, LZ_EFULL, "more than %d scenarios", LZ_SELECT_FILES_MAX);
    files->paths = lz_mem_resize(files->paths, (files->count + 1) * sizeof(files->paths[0]));
    files->paths[files->count++] = copy_n(path, strlen(path));
    return true;
}

static char *join(const char *folder, const char *name)
{
    struct lz_str path;
    lz_str_init(&path);
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    lz_str_add_n(&path, folder, len);
    if (path.len == 0 || path.text[path.len - 1] != '/')
        lz_str_add_char(&path, '/');
    lz_str_add(&path, name);
    return lz_str_take(&path);
}

static bool is_scenario(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

static bool walk(struct lz_select_files *files, const char *folder, int depth, struct lz_err *err);

// Where `lorenz shrink` writes (cli/minimise.c): "min/NAME.lua", or "NAME.min.lua" beside the
// scenario.
static bool is_for_leftovers(const char *folder)
{
    const char *name = strrchr(folder, '/');
    return strcmp(name != NULL ? name + 1 : folder, "min") == 0;
}

static bool is_leftover(const char *path)
{
    static const char end[] = ".min.lua";
    size_t len = strlen(path), n = sizeof(end) - 1;
    return len > n && strcmp(path + len - n, end) == 0;
}

// A link to a folder is not followed: it may lead back here.
static bool walk_entry(struct lz_select_files *files, const char *path, int depth,
                       struct lz_err *err)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return is_for_leftovers(path) || walk(files, path, depth + 1, err);
    if (!is_scenario(path) || is_leftover(path) || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    return add_path(files, path, err);
}

static bool walk(struct lz_select_files *files, const char *folder, int depth, struct lz_err *err)
{
    if (depth > LZ_SELECT_DEPTH_MAX)
        return lz_fail(err, LZ_EFULL, "%s: more than %d folders deep", folder, LZ_SELECT_DEPTH_MAX);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", folder, strerror(errno));
    bool ok = true;
    for (struct dirent *e = readdir(dir); ok && e != NULL; e = readdir(dir)) {
        if (e->d_name[0] == '.' || e->d_name[0] == '_')
            continue;
        char *path = join(folder, e->d_name);
        ok = walk_entry(files, path, depth, err);
        free(path);
    }
    closedir(dir);
    return ok;
}

static int by_bytes(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool find_one(struct lz_select_files *files, const char *arg, struct lz_err *err)
{
    struct stat st;
    if (stat(arg, &st) != 0 && errno == ENOENT)
        return lz_fail(err, LZ_ENOENT, "no such file: %s", arg);
    if (stat(arg, &st) != 0)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", arg, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return add_path(files, arg, err);

    // Sorted apart, so that a file named before the folder keeps its place.
    struct lz_select_files found = {0};
    bool ok = walk(&found, arg, 1, err);
    if (ok)
        lz_sort(found.paths, found.count, sizeof(found.paths[0]), by_bytes, NULL);
    for (size_t i = 0; ok && i < found.count; i++)
        ok = add_path(files, found.paths[i], err);
    lz_select_free(&found);
    return ok;
}

bool lz_select_find(const char *const *args, size_t arg_count, struct lz_select_files *out,
                    struct lz_err *err)
{
    struct lz_select_files files = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < arg_count; i++)
        ok = find_one(&files, args[i], err);
    struct stat st;
    if (arg_count == 0 && stat(LZ_SELECT_DEFAULT, &st) == 0)
        ok = find_one(&files, LZ_SELECT_DEFAULT, err);
    if (!ok) {
        lz_select_free(&files);
        return false;
    }
    *out = files;
    return true;
}

void lz_select_free(struct lz_select_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
    *files = (struct lz_select_files){0};
}

// Takes both texts over.
static void put_n(struct lz_select_pairs *pairs, const char *name, const char *value)
{
    for (size_t i = 0; i < pairs->count; i++) {
        struct lz_script_set *item = &pairs->items[i];
        if (strcmp(item->name, name) == 0) {
            free((char *)item->value);
            item->value = value;
            free((char *)name);
            return;
        }
    }
    pairs->items = lz_mem_resize(pairs->items, (pairs->count + 1) * sizeof(pairs->items[0]));
    pairs->items[pairs->count++] = (struct lz_script_set){.name = name, .value = value};
}

bool lz_select_pairs_add(struct lz_select_pairs *pairs, const char *text, bool many,
                         struct lz_err *err)
{
    LZ_ASSERT(pairs != NULL && text != NULL);
    const char *at = text;
    for (;;) {
        size_t len = many ? strcspn(at, ",") : strlen(at);
        const char *equals = memchr(at, '=', len);
        if (equals == NULL || equals == at)
            return lz_fail(err, LZ_EINVAL, "expected NAME=VALUE, got \"%.*s\"", (int)len, at);
        put_n(pairs, copy_n(at, (size_t)(equals - at)),
              copy_n(equals + 1, len - (size_t)(equals + 1 - at)));
        if (at[len] == '\0')
            return true;
        at += len + 1;
    }
}

void lz_select_pairs_put(struct lz_select_pairs *pairs, const char *name, const char *value)
{
    LZ_ASSERT(name != NULL && value != NULL);
    put_n(pairs, copy_n(name, strlen(name)), copy_n(value, strlen(value)));
}

const char *lz_select_pairs_value(const struct lz_select_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].name, name) == 0)
            return pairs->items[i].value;
    }
    return NULL;
}

void lz_select_pairs_free(struct lz_select_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free((char *)pairs->items[i].name);
        free((char *)pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct lz_select_pairs){0};
}

bool lz_select_matches(const struct lz_select_pairs *wanted, const struct lz_select_pairs *params)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const char *value = lz_select_pairs_value(params, wanted->items[i].name);
        if (value == NULL || strcmp(value, wanted->items[i].value) != 0)
            return false;
    }
    return true;
}
