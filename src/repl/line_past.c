#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "repl/line_state.h"

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

char *lz_line_history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    struct lz_str path;
    lz_str_init(&path);
    if (state != NULL && state[0] == '/')
        lz_str_addf(&path, "%s/lorenz/history", state);
    else if (home != NULL && home[0] == '/')
        lz_str_addf(&path, "%s/.local/state/lorenz/history", home);
    else
        return NULL;
    make_folders(path.text);
    return lz_str_take(&path);
}

static void remember(struct lz_line *l, const char *text)
{
    if (l->past_count > 0 && strcmp(l->past[l->past_count - 1], text) == 0)
        return;
    if (l->past_count == LZ_LINE_PAST_MAX) {
        free(l->past[0]);
        memmove(l->past, l->past + 1, --l->past_count * sizeof(l->past[0]));
    }
    l->past = lz_mem_resize(l->past, (l->past_count + 1) * sizeof(l->past[0]));
    l->past[l->past_count++] = copy(text);
}

/*
 * Two prompts at once share the file: each holds the lock beside it while it adds a line, or puts
 * a shorter file in its place. -1: there is no lock to be had, and then no file.
 */
static int lock(const struct lz_line *l)
{
    struct lz_str path;
    lz_str_init(&path);
    lz_str_addf(&path, "%s.lock", l->opts.history);
    int fd = open(path.text, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    lz_str_finish(&path);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static size_t read_all(struct lz_line *l, FILE *f)
{
    char *line = NULL;
    size_t cap = 0, count = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, f)) >= 0) {
        count++;
        if (len > 0 && line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (line[0] != '\0')
            remember(l, line);
    }
    free(line);
    return count;
}

// What is in memory becomes the file, whole or not at all.
static void shorten(const struct lz_line *l)
{
    struct lz_str path;
    lz_str_init(&path);
    lz_str_addf(&path, "%s.new", l->opts.history);
    FILE *f = fopen(path.text, "w");
    bool ok = f != NULL;
    for (size_t i = 0; ok && i < l->past_count; i++)
        ok = fprintf(f, "%s\n", l->past[i]) > 0;
    if (f != NULL && fclose(f) == 0 && ok)
        rename(path.text, l->opts.history);
    else if (f != NULL)
        remove(path.text);
    lz_str_finish(&path);
}

void lz_line_past_load(struct lz_line *l)
{
    if (l->opts.history == NULL)
        return;
    int fd = lock(l);
    FILE *f = fopen(l->opts.history, "r");
    if (f != NULL) {
        size_t lines = read_all(l, f);
        fclose(f);
        if (fd >= 0 && lines > 2 * LZ_LINE_PAST_MAX)
            shorten(l);
    }
    if (fd >= 0)
        close(fd);
}

// A history that cannot be written is not worth a word: the session goes on.
void lz_line_past_add(struct lz_line *l, const char *text)
{
    if (text[strspn(text, " \t")] == '\0')
        return;
    remember(l, text);
    int fd = l->opts.history != NULL ? lock(l) : -1;
    if (fd < 0)
        return;
    FILE *f = fopen(l->opts.history, "a");
    if (f != NULL) {
        fprintf(f, "%s\n", text);
        fclose(f);
    }
    close(fd);
}

size_t lz_line_past_find(const struct lz_line *l, size_t from, const char *text, bool at_start)
{
    size_t len = strlen(text);
    for (size_t i = from; i-- > 0;) {
        const char *hit = strstr(l->past[i], text);
        if (at_start ? strncmp(l->past[i], text, len) == 0 : hit != NULL)
            return i;
    }
    return l->past_count;
}
