// Templates in the texts of a live run: lz_site_fill, see site.h.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/site.h"

#define NAME_SIZE 260

static const struct lz_site_process *find(const struct lz_site *site, const char *name)
{
    for (size_t i = 0; i < site->process_count; i++)
        if (strcmp(site->processes[i].target->name, name) == 0)
            return &site->processes[i];
    return NULL;
}

// By the name of a component that it stands for: the first of its instances.
static const struct lz_site_process *find_of(const struct lz_site *site, const char *name,
                                             const struct lz_world *w)
{
    for (size_t i = 0; i < site->process_count; i++)
        if (strcmp(lz_world_component(w, site->processes[i].target->of)->name, name) == 0)
            return &site->processes[i];
    return NULL;
}

// Where `self` is to connect for `to`: the proxy in between, if there is one.
static const struct lz_site_address *seen_by(const struct lz_site *site,
                                             const struct lz_site_process *self,
                                             const struct lz_site_process *to)
{
    for (size_t i = 0; self != NULL && i < site->edge_count; i++)
        if (site->edges[i].from == self && site->edges[i].to == to)
            return &site->edges[i].listen;
    return &to->address;
}

static bool put_address(struct lz_str *out, const struct lz_site_address *a, const char *part)
{
    if (strcmp(part, "port") == 0)
        lz_str_addf(out, "%u", a->port);
    else if (strcmp(part, "host") == 0)
        lz_str_add(out, a->host);
    else if (strcmp(part, "address") == 0)
        lz_site_write_address(a, out);
    else
        return false;
    return true;
}

static bool put_part(const struct lz_site *site, const struct lz_site_process *self,
                     const struct lz_site_process *to, const char *part, struct lz_str *out)
{
    if (strcmp(part, "dir") == 0 && to->folder != NULL) {
        lz_str_add(out, to->folder);
        return true;
    }
    if (strcmp(part, "name") == 0) {
        lz_str_add(out, to->target->name);
        return true;
    }
    if (strncmp(part, "direct_", 7) == 0)
        return put_address(out, &to->address, part + 7);
    return put_address(out, to == self ? &to->address : seen_by(site, self, to), part);
}

static bool refuse(const struct lz_site *site, const char *word, struct lz_err *err)
{
    struct lz_str names;
    lz_str_init(&names);
    for (size_t i = 0; i < site->process_count; i++)
        lz_str_addf(&names, "%s%s", i > 0 ? ", " : "", site->processes[i].target->name);
    lz_fail(err, LZ_EINVAL,
            "there is no template {{%s}}: there are {{port}} {{host}} {{address}} {{dir}} {{name}} "
            "{{run.dir}} {{scenario.dir}}, and .port .host .address .direct_port .direct_address "
            ".dir of %s",
            word, names.len > 0 ? names.text : "what is real");
    lz_str_finish(&names);
    return false;
}

static bool put_word(const struct lz_site *site, const struct lz_site_process *self,
                     const char *word, struct lz_str *out, struct lz_err *err)
{
    char name[NAME_SIZE];
    const char *dot = strrchr(word, '.');
    if (strcmp(word, "run.dir") == 0 || strcmp(word, "scenario.dir") == 0) {
        lz_str_add(out, word[0] == 'r' ? site->folder : site->scenario_folder);
        return true;
    }
    if (dot == NULL && self != NULL && put_part(site, self, self, word, out))
        return true;
    if (dot == NULL || (size_t)(dot - word) >= sizeof(name))
        return refuse(site, word, err);
    snprintf(name, sizeof(name), "%.*s", (int)(dot - word), word);
    const struct lz_site_process *to = find(site, name);
    if (to == NULL)
        to = find_of(site, name, site->world);
    return (to != NULL && put_part(site, self, to, dot + 1, out)) || refuse(site, word, err);
}

bool lz_site_fill(const struct lz_site *site, const struct lz_site_process *self, const char *text,
                  struct lz_str *out, struct lz_err *err)
{
    for (const char *at = text;;) {
        const char *open = strstr(at, "{{"), *close = open != NULL ? strstr(open, "}}") : NULL;
        if (close == NULL) {
            lz_str_add(out, at);
            return true;
        }
        char word[NAME_SIZE + 20];
        size_t len = (size_t)(close - open) - 2;
        lz_str_add_n(out, at, (size_t)(open - at));
        at = close + 2;
        // Braces of somebody else's (Jinja, Go templates, JSON) stay as they are.
        bool is_ours = len > 0 && len < sizeof(word) && strcspn(open + 2, " \n\t{\"'") >= len;
        if (!is_ours) {
            lz_str_add_n(out, open, len + 4);
            continue;
        }
        snprintf(word, sizeof(word), "%.*s", (int)len, open + 2);
        if (!put_word(site, self, word, out, err))
            return false;
    }
}
