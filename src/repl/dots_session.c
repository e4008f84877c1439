/* dots_session.c — what was typed, kept under a name and typed again. */
#include <string.h>

#include "repl/dots.h"
#include "repl/saved.h"

void lz_dots_save(struct lz_repl *r, const char *args)
{
    const struct lz_stage_opts *o = &r->opts->stage;
    const struct lz_saved s = {.scenario = (char *)o->source.path,
                               .token = (char *)o->token,
                               .seed = o->seed,
                               .params = *o->params};
    struct lz_err err;
    char path[LZ_SAVED_PATH_MAX];
    if (!lz_saved_write(args, &s, r->typed.text, &err) ||
        !lz_saved_path(args, path, sizeof(path), &err))
        lz_repl_say(r, "error: %s", err.msg);
    else
        lz_repl_say(r, "%s   (sessions replay exactly: lorenz repl %s)", path, args);
}

// Whether it can be typed again in this world; else what to do is said.
static bool fits(struct lz_repl *r, const char *name, const struct lz_saved *s)
{
    const struct lz_stage_opts *o = &r->opts->stage;
    bool same = strcmp(s->scenario, o->source.path) == 0 && s->seed == o->seed &&
                s->params.count == o->params->count;
    for (size_t i = 0; same && i < s->params.count; i++)
        same = strcmp(s->params.items[i].name, o->params->items[i].name) == 0 &&
               strcmp(s->params.items[i].value, o->params->items[i].value) == 0;
    if (!same) {
        lz_repl_say(r,
                    "error: session %s is of another world (%s, seed %llu%s): lorenz repl %s "
                    "opens it",
                    name, s->scenario, (unsigned long long)s->seed,
                    s->params.count > 0 ? ", its own case" : "", name);
        return false;
    }
    if (strcmp(s->token, o->token) != 0)
        lz_repl_say(r,
                    "note: the scenario's text, or Lorenz, is another one than when session %s "
                    "was saved:\n      it may go another way",
                    name);
    return true;
}

void lz_dots_load(struct lz_repl *r, const char *args)
{
    struct lz_saved s;
    struct lz_err err;
    if (r->loading != NULL) {
        lz_repl_say(r, "error: a session is being typed already");
        return;
    }
    if (!lz_saved_open(args, &s, &err)) {
        lz_repl_say(r, "error: %s", err.msg);
        return;
    }
    if (fits(r, args, &s)) {
        r->loading = s.rest; // the lines come from there until it ends
        s.rest = NULL;
    }
    lz_saved_close(&s);
}
