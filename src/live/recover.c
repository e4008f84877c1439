#include "live/recover.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define SUFFIX ".undo"
#define PATH_SIZE 4600

typedef void found_fn(void *ctx, const char *path);

static bool each_log(found_fn *fn, void *ctx, struct lz_err *err)
{
    struct lz_str folder;
    lz_str_init(&folder);
    struct dirent **names = NULL;
    bool ok = lz_undo_folder(&folder, err);
    int count = ok ? scandir(folder.text, &names, NULL, alphasort) : 0;
    if (count < 0)
        ok = lz_fail(err, LZ_EIO, "cannot read the state folder %s: %s", folder.text,
                     strerror(errno));
    for (int i = 0; i < count; i++) {
        char path[PATH_SIZE];
        size_t len = strlen(names[i]->d_name);
        snprintf(path, sizeof(path), "%s/%s", folder.text, names[i]->d_name);
        if (len > strlen(SUFFIX) && strcmp(names[i]->d_name + len - strlen(SUFFIX), SUFFIX) == 0)
            fn(ctx, path);
        free(names[i]);
    }
    free(names);
    lz_str_finish(&folder);
    return ok;
}

static void recover_one(void *ctx, const char *path)
{
    struct lz_recovery *r = ctx;
    struct lz_undo_report report;
    struct lz_err err;
    if (!lz_undo_file(path, &report, &err)) {
        r->damaged++;
        lz_str_addf(&r->said, "%s\n", err.msg);
        return;
    }
    if (report.is_running) {
        r->running++;
        r->running_pid = report.pid;
        snprintf(r->running_name, sizeof(r->running_name), "%s", report.run);
    } else if (report.is_damaged || report.left > 0) {
        r->damaged++;
        lz_str_addf(&r->said, "%s%s: %s\n", report.said.text, path,
                    report.is_damaged ? "a line of it is damaged: what could be read was undone"
                                      : "not all of it could be undone");
    } else {
        r->recovered++;
        lz_str_addf(&r->said, "%s: run %s was left, %u things were undone\n%s", path, report.run,
                    report.undone, report.said.text);
    }
    lz_str_finish(&report.said);
}

bool lz_recover(struct lz_recovery *out, struct lz_err *err)
{
    *out = (struct lz_recovery){0};
    lz_str_init(&out->said);
    return each_log(recover_one, out, err);
}

static void set_aside_one(void *ctx, const char *path)
{
    struct lz_undo_report report;
    struct lz_err err;
    char aside[PATH_SIZE + 20];
    bool *ok = ctx;
    if (lz_undo_file(path, &report, &err)) {
        bool is_over = report.is_running || (!report.is_damaged && report.left == 0);
        lz_str_finish(&report.said);
        if (is_over)
            return;
    }
    snprintf(aside, sizeof(aside), "%s.damaged", path);
    *ok = rename(path, aside) == 0 && *ok;
}

bool lz_recover_set_aside(struct lz_err *err)
{
    bool ok = true;
    if (!each_log(set_aside_one, &ok, err))
        return false;
    return ok || lz_fail(err, LZ_EIO, "a damaged undo log cannot be renamed");
}
