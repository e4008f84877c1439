#include "live/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/family.h"
#include "live/load/blanks.h"
#include "live/machine/clock.h"
#include "live/spawn.h"

#define READY_EVERY (50 * LZ_MS)

extern char **environ;

// A text of ours that lives as long as all.
static const char *keep(struct lz_prepared *t, char *text)
{
    t->texts = lz_mem_resize(t->texts, (t->text_count + 1) * sizeof(*t->texts));
    t->texts[t->text_count++] = text;
    return text;
}

static const char *fill(const struct lz_site *site, const struct lz_site_process *self,
                        struct lz_prepared *t, const char *text, struct lz_err *err)
{
    struct lz_str out;
    lz_str_init(&out);
    if (!lz_site_fill(site, self, text, &out, err)) {
        lz_str_finish(&out);
        return NULL;
    }
    return keep(t, lz_str_take(&out));
}

static const char **fill_argv(const struct lz_site *site, const struct lz_site_process *self,
                              struct lz_prepared *t, const struct lz_live_argv *argv,
                              struct lz_err *err)
{
    const char **list = lz_mem_alloc((argv->count + 1) * sizeof(*list));
    keep(t, (char *)list);
    for (size_t i = 0; i < argv->count; i++) {
        list[i] = fill(site, self, t, argv->items[i], err);
        if (list[i] == NULL)
            return NULL;
    }
    list[argv->count] = NULL;
    return list;
}

bool lz_prepare_probe(const struct lz_site *site, const struct lz_site_process *self,
                      struct lz_prepared *into, struct lz_live_probe *probe, struct lz_err *err)
{
    if (probe->argv.count > 0) {
        const char **argv = fill_argv(site, self, into, &probe->argv, err);
        if (argv == NULL)
            return false;
        probe->argv.items = argv;
    }
    if (probe->url != NULL && (probe->url = fill(site, self, into, probe->url, err)) == NULL)
        return false;
    if (probe->ca_file != NULL &&
        (probe->ca_file = fill(site, self, into, probe->ca_file, err)) == NULL)
        return false;
    if (probe->contains != NULL)
        probe->contains = fill(site, self, into, probe->contains, err);
    return probe->argv.count == 0 || probe->argv.items[0] != NULL;
}

// A text of a request: its blanks stay, each request fills them in anew.
static bool fill_text(const struct lz_site *site, struct lz_prepared *into, const char **text,
                      struct lz_err *err)
{
    struct lz_str whole, piece;
    size_t blank = 0;
    bool ok = true;
    if (*text == NULL)
        return true;
    lz_str_init(&whole);
    lz_str_init(&piece);
    for (const char *at = *text; ok; at += blank) {
        size_t len = lz_blanks_find(at, &blank);
        lz_str_clear(&piece);
        lz_str_add_n(&piece, at, len);
        ok = lz_site_fill(site, NULL, piece.text, &whole, err);
        at += len;
        lz_str_add_n(&whole, at, blank);
        if (blank == 0)
            break;
    }
    lz_str_finish(&piece);
    if (ok)
        *text = keep(into, lz_str_take(&whole));
    else
        lz_str_finish(&whole);
    return ok;
}

bool lz_prepare_traffic(const struct lz_site *site, struct lz_prepared *into,
                        struct lz_live_traffic *traffic, struct lz_err *err)
{
    struct lz_live_argv *argv = &traffic->command;
    if (argv->count > 0) {
        const char **items = lz_mem_alloc((argv->count + 1) * sizeof(*items));
        memcpy(items, argv->items, argv->count * sizeof(*items));
        items[argv->count] = NULL;
        keep(into, (char *)items);
        argv->items = items;
        for (size_t i = 0; i < argv->count; i++)
            if (!fill_text(site, into, &items[i], err))
                return false;
    }
    return fill_text(site, into, &traffic->path, err) &&
           fill_text(site, into, &traffic->body, err) &&
           fill_text(site, into, &traffic->ca_file, err);
}

static const char *pair(struct lz_prepared *t, const char *name, const char *value)
{
    struct lz_str s;
    lz_str_init(&s);
    lz_str_addf(&s, "%s=%s", name, value);
    return keep(t, lz_str_take(&s));
}

static bool is_said(const struct lz_live_target *target, const char *variable)
{
    for (size_t i = 0; i < target->env.count; i++) {
        size_t n = strlen(target->env.items[i].name);
        if (strncmp(variable, target->env.items[i].name, n) == 0 && variable[n] == '=')
            return true;
    }
    return strncmp(variable, "LORENZ_LIVE_", 12) == 0;
}

static bool fill_env(const struct lz_site *site, const struct lz_site_process *self,
                     const char *mark, struct lz_prepared *t, struct lz_err *err)
{
    const struct lz_live_target *target = self->target;
    size_t count = 0, n = 0;
    while (environ[count] != NULL)
        count++;
    const char **list =
        lz_mem_alloc((count + target->env.count + LZ_CLOCK_VARIABLES + 3) * sizeof(*list));
    t->env = list;
    keep(t, (char *)list);
    for (size_t i = 0; i < count; i++)
        if (!is_said(target, environ[i]))
            list[n++] = environ[i];
    for (size_t i = 0; i < target->env.count; i++) {
        const char *value = fill(site, self, t, target->env.items[i].value, err);
        if (value == NULL)
            return lz_fail_in(err, "env %s", target->env.items[i].name);
        list[n++] = pair(t, target->env.items[i].name, value);
    }
    char *clock[LZ_CLOCK_VARIABLES];
    if (self->has_clock && !lz_clock_environment(self->folder, clock, err))
        return false;
    for (size_t i = 0; self->has_clock && i < LZ_CLOCK_VARIABLES; i++)
        list[n++] = keep(t, clock[i]);
    list[n++] = pair(t, LZ_FAMILY_VARIABLE, mark);
    list[n] = NULL;
    return true;
}

// ---------------------------------------------------------------- folder and files

static bool give_to(const char *path, const char *user, struct lz_err *err)
{
    const struct passwd *pw = user != NULL && geteuid() == 0 ? getpwnam(user) : NULL;
    if (pw == NULL || chown(path, pw->pw_uid, pw->pw_gid) == 0)
        return true;
    return lz_fail(err, LZ_EIO, "%s cannot be given to %s: %s", path, user, strerror(errno));
}

// The folders of `path` below `base`, each given to the user.
static bool make_folders(const char *path, size_t base, const char *user, struct lz_err *err)
{
    char *copy = strdup(path);
    bool ok = copy != NULL;
    for (char *at = ok ? copy + base + 1 : NULL; ok && (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        if (mkdir(copy, 0755) == 0)
            ok = give_to(copy, user, err);
        else if (errno != EEXIST)
            ok = lz_fail(err, LZ_EIO, "cannot make the folder %s: %s", copy, strerror(errno));
        *at = '/';
    }
    free(copy);
    return ok;
}

static bool write_file(const char *path, const char *text, const char *user, struct lz_err *err)
{
    size_t len = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (!ok)
        return lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(why));
    return give_to(path, user, err);
}

static bool write_files(const struct lz_site *site, const struct lz_site_process *self,
                        struct lz_prepared *t, struct lz_err *err)
{
    const struct lz_live_target *target = self->target;
    for (size_t i = 0; i < target->files.count; i++) {
        const char *text = fill(site, self, t, target->files.items[i].value, err);
        struct lz_str path;
        if (text == NULL)
            return lz_fail_in(err, "file %s", target->files.items[i].name);
        lz_str_init(&path);
        lz_str_addf(&path, "%s/%s", self->folder, target->files.items[i].name);
        bool ok = make_folders(path.text, strlen(self->folder), target->user, err) &&
                  write_file(path.text, text, target->user, err);
        lz_str_finish(&path);
        if (!ok)
            return false;
    }
    return true;
}

static bool make_folder(const struct lz_site_process *self, struct lz_err *err)
{
    if (mkdir(self->folder, 0700) != 0 && errno != EEXIST)
        return lz_fail(err, LZ_EIO, "cannot make its folder %s: %s", self->folder, strerror(errno));
    return give_to(self->folder, self->target->user, err);
}

static bool prepare_process(const struct lz_site *site, const struct lz_site_process *self,
                            const char *mark, struct lz_prepared *t, struct lz_err *err)
{
    const struct lz_live_target *target = self->target;
    if (!lz_spawn_check_user(target->user, err) || !make_folder(self, err) ||
        !write_files(site, self, t, err) || !fill_env(site, self, mark, t, err))
        return false;
    t->run = fill_argv(site, self, t, &target->run, err);
    const char *cwd = target->cwd != NULL ? fill(site, self, t, target->cwd, err) : self->folder;
    if (t->run == NULL || cwd == NULL)
        return false;
    t->cwd = (char *)cwd;
    t->setup = lz_mem_alloc((target->setup_count + 1) * sizeof(*t->setup));
    keep(t, (char *)t->setup);
    for (; t->setup_count < target->setup_count; t->setup_count++) {
        t->setup[t->setup_count] = fill_argv(site, self, t, &target->setup[t->setup_count], err);
        if (t->setup[t->setup_count] == NULL)
            return lz_fail_in(err, "setup");
    }
    return true;
}

bool lz_prepare(const struct lz_site *site, const struct lz_site_process *self, const char *mark,
                struct lz_prepared **out, struct lz_err *err)
{
    struct lz_prepared *t = lz_mem_alloc(sizeof(*t));
    *t = (struct lz_prepared){.ready = self->target->ready};
    if (!self->target->has_ready)
        t->ready = (struct lz_live_probe){.kind = LZ_LIVE_PROBE_TCP,
                                          .of = self->index + 1,
                                          .every = READY_EVERY,
                                          .timeout = LZ_S,
                                          .fails = 1,
                                          .passes = 1};
    bool ok = (self->target->url != NULL || prepare_process(site, self, mark, t, err)) &&
              lz_prepare_probe(site, self, t, &t->ready, err);
    if (ok)
        *out = t;
    else
        lz_prepared_free(t);
    return ok;
}

void lz_prepared_free(struct lz_prepared *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->text_count; i++)
        free(t->texts[i]);
    free(t->texts);
    free(t);
}
