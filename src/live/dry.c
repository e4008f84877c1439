// Every action of a live run, in order, without doing any: --dry-run.

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/inner.h"

static void describe_process(const struct lz_site_process *p, struct lz_str *out)
{
    const struct lz_live_target *t = p->target;
    if (t->url != NULL) {
        lz_str_addf(out, "  endpoint    %s at %s: waited for, at most %.6g s\n", t->name, t->url,
                    (double)t->ready_within / 1e9);
        return;
    }
    for (size_t i = 0; i < t->setup_count; i++) {
        lz_str_addf(out, "  set up      %s:", t->name);
        for (size_t k = 0; k < t->setup[i].count; k++)
            lz_str_addf(out, " %s", t->setup[i].items[k]);
        lz_str_add(out, "\n");
    }
    lz_str_addf(out, "  start       %s:", t->name);
    for (size_t k = 0; k < t->run.count; k++)
        lz_str_addf(out, " %s", t->run.items[k]);
    bool is_free = t->port == 0 && (strcmp(p->address.host, "127.0.0.1") == 0 ||
                                    strcmp(p->address.host, "::1") == 0);
    lz_str_addf(out, "\n              %s port %u%s, folder %s%s%s, output %s\n", p->address.host,
                p->address.port, is_free ? " (one that was free now)" : "", p->folder,
                t->user != NULL ? ", as " : "", t->user != NULL ? t->user : "", p->log);
    for (size_t k = 0; k < t->files.count; k++)
        lz_str_addf(out, "              file %s, %zu bytes\n", t->files.items[k].name,
                    lz_str_width(t->files.items[k].value));
}

static void describe_edge(const struct lz_site_edge *e, bool is_apart, struct lz_str *out)
{
    const struct lz_site_address *to = &e->to->address;
    const char *http = e->protocol == LZ_LIVE_HTTP ? ", HTTP" : "";
    const char *host = strchr(to->host, ':') != NULL ? "::1" : "127.0.0.1";
    if (is_apart && !e->has_proxy) {
        lz_str_addf(out, "  way         %s: packets to %s\n", e->name, to->host);
        return;
    }
    lz_str_addf(out, "  proxy       %s: ", e->name);
    if (is_apart)
        lz_site_write_address(&e->listen, out);
    else
        lz_str_addf(out, "a free port of %s", host);
    lz_str_add(out, " to ");
    lz_site_write_address(to, out);
    lz_str_addf(out, "%s\n", http);
}

static int by_time(const void *a, const void *b)
{
    const struct lz_fault *x = *(const struct lz_fault *const *)a;
    const struct lz_fault *y = *(const struct lz_fault *const *)b;
    return x->opts.at < y->opts.at ? -1 : x->opts.at > y->opts.at;
}

static void describe_fault(struct lz_live *live, const struct lz_fault *f, struct lz_str *out)
{
    lz_str_addf(out, "  %8.3f s  %s: ", (double)f->opts.at / 1e9, f->name);
    lz_hands_describe(live->hands, f, out);
    if (f->opts.lasting > 0)
        lz_str_addf(out, "\n              undone after %.6g s", (double)f->opts.lasting / 1e9);
    else
        lz_str_add(out, "\n              undone at the end of the run");
    if (f->opts.every > 0)
        lz_str_addf(out, ", again every %.6g s", (double)f->opts.every / 1e9);
    lz_str_add(out, "\n");
}

static void describe_faults(struct lz_live *live, struct lz_str *out)
{
    size_t count = lz_fault_count(live->built.faults);
    const struct lz_fault **all = lz_mem_alloc((count + 1) * sizeof(struct lz_fault *));
    for (size_t i = 0; i < count; i++)
        all[i] = lz_fault_get(live->built.faults, (lz_fault_id)i + 1);
    qsort(all, count, sizeof(struct lz_fault *), by_time);
    for (size_t i = 0; i < count; i++)
        describe_fault(live, all[i], out);
    free(all);
}

void lz_live_describe(struct lz_live *live, struct lz_str *out)
{
    const struct lz_site *site = live->site;
    bool is_apart = live->plan->network == LZ_LIVE_NAMESPACES;
    lz_str_addf(out, "What a live run of %s would do; nothing of it was done.\n\n",
                live->opts->script.path);
    if (is_apart)
        lz_str_addf(out, "  networks    %zu namespaces, joined by one of the run's own\n",
                    lz_site_node_count(site));
    for (size_t i = 0; i < site->edge_count; i++)
        describe_edge(&site->edges[i], is_apart, out);
    for (size_t i = 0; i < site->process_count; i++)
        describe_process(&site->processes[i], out);
    for (size_t i = 0; i < live->plan->probe_count; i++) {
        const struct lz_live_probe *p = &live->plan->probes[i];
        lz_str_addf(out, "  probe       %s: %s%s every %.6g s\n", p->name,
                    p->argv.count > 0 ? "runs " : "asks ",
                    p->argv.count > 0 ? p->argv.items[0]
                    : p->url != NULL  ? p->url
                                      : site->processes[p->of - 1].target->name,
                    (double)p->every / 1e9);
    }
    for (size_t i = 0; i < live->plan->traffic_count; i++) {
        const struct lz_live_traffic *t = &live->plan->traffics[i];
        lz_str_addf(out, "  requests    %s: %s %s\n",
                    lz_world_component(live->built.world, t->component)->name, t->method, t->path);
    }
    describe_faults(live, out);
    for (size_t i = 0; i < live->plan->abort_count; i++)
        lz_str_addf(out, "  stops when  %s\n", live->plan->aborts[i].text);
    lz_str_addf(out, "  %8.3f s  the end: faults undone, programs stopped in the reverse order\n",
                (double)live->built.world->end / 1e9);
}
