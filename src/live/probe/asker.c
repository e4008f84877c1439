#include "live/probe/asker.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/load/fetch.h"
#include "live/loop.h"
#include "live/probe/command.h"
#include "live/told.h"

#define DEFAULT_TIMEOUT LZ_S
#define DEFAULT_EVERY LZ_S

struct lz_asker {
    struct lz_live *live;
    const struct lz_live_probe *probe;
    const struct lz_site_process *of;
    lz_asker_fn *fn;
    void *ctx;
    struct lz_fetch *fetch; // of a connection or an HTTP request
    struct lz_command *command;
    struct lz_loop_timer next;
    int64_t asked_ns;
    bool is_asking;
    bool *is_stopped;    // set while `fn` runs, which may stop it
    struct lz_err wrong; // why it can never be asked
};

// --- reading answers ---

// The number that a text begins with; what follows it does not count ("12 rows").
static bool number_in(const char *text, double *value)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end;
    double v = strtod(text, &end);
    if (end == text || !isfinite(v))
        return false;
    *value = v;
    return true;
}

// The first line of what was said, for people.
static void excerpt(char *out, size_t size, const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    lz_told_excerpt(text, strlen(text), out, size);
}

// Whether what was answered is what was asked for.
static bool is_wanted(const struct lz_live_probe *p, const char *text,
                      struct lz_live_reading *reading, char *said, size_t size)
{
    char line[120];
    excerpt(line, sizeof(line), text);
    if (p->contains != NULL && strstr(text, p->contains) == NULL) {
        snprintf(said, size, "no \"%.60s\" in what it said: \"%s\"", p->contains, line);
        return false;
    }
    if (p->has_value && !number_in(text, &reading->value)) {
        snprintf(said, size, "what it said does not begin with a number: \"%s\"", line);
        return false;
    }
    reading->has_value = p->has_value;
    reading->text = text;
    snprintf(said, size, "%s", line);
    return true;
}

static bool is_good_status(const struct lz_live_probe *p, uint16_t status)
{
    return p->status != 0 ? status == p->status : status >= 200 && status <= 299;
}

static size_t keep_of(const struct lz_live_probe *p)
{
    return p->reads != 0 ? LZ_ASKER_KEEP_RECORDS : LZ_ASKER_KEEP;
}

// --- asking ---

static void answer(struct lz_asker *a, struct lz_live_reading *reading, const char *said);

static void arm_next(struct lz_asker *a)
{
    struct lz_loop *loop = lz_live_loop(a->live);
    int64_t every = a->probe->every > 0 ? a->probe->every : DEFAULT_EVERY;
    int64_t at = a->asked_ns + every, now = lz_loop_clock();
    lz_loop_arm(loop, &a->next, at > now ? at : now);
}

static void answer(struct lz_asker *a, struct lz_live_reading *reading, const char *said)
{
    bool is_stopped = false;
    a->is_asking = false;
    reading->latency = lz_loop_clock() - a->asked_ns;
    a->is_stopped = &is_stopped;
    a->fn(a->ctx, reading, said);
    if (is_stopped)
        return; // and gone
    a->is_stopped = NULL;
    arm_next(a);
}

static void on_fetched(void *ctx, const struct lz_fetch_result *r)
{
    struct lz_asker *a = ctx;
    const struct lz_live_probe *p = a->probe;
    struct lz_live_reading reading = {.is_ok = false};
    char said[240];
    if (r->outcome != LZ_FETCH_ANSWERED)
        snprintf(said, sizeof(said), "%s: %.200s", lz_fetch_outcome_name(r->outcome), r->text);
    else if (p->kind == LZ_LIVE_PROBE_TCP)
        snprintf(said, sizeof(said), "accepted");
    else if (!is_good_status(p, r->status))
        snprintf(said, sizeof(said), p->status != 0 ? "status %u, wanted %u" : "status %u",
                 r->status, p->status);
    reading.is_ok = r->outcome == LZ_FETCH_ANSWERED;
    if (reading.is_ok && p->kind == LZ_LIVE_PROBE_HTTP)
        reading.is_ok =
            is_good_status(p, r->status) && is_wanted(p, r->text, &reading, said, sizeof(said));
    reading.size = reading.text != NULL ? r->size : 0;
    answer(a, &reading, said);
}

static void on_command(void *ctx, const struct lz_command_result *r)
{
    struct lz_asker *a = ctx;
    struct lz_live_reading reading = {.is_ok = false};
    char said[240], line[120];
    a->command = NULL;
    excerpt(line, sizeof(line), r->output);
    if (r->end == LZ_COMMAND_EXITED && r->code == 0)
        reading.is_ok = is_wanted(a->probe, r->output, &reading, said, sizeof(said));
    else if (r->end == LZ_COMMAND_EXITED)
        snprintf(said, sizeof(said), "ended with %d: \"%s\"", r->code, line);
    else if (r->end == LZ_COMMAND_SIGNALLED)
        snprintf(said, sizeof(said), "ended by signal %d (%s)", r->code, strsignal(r->code));
    else if (r->end == LZ_COMMAND_TIMEOUT)
        snprintf(said, sizeof(said), "did not end in time");
    else
        snprintf(said, sizeof(said), "cannot be run: %s", strerror(r->code));
    reading.size = reading.text != NULL ? r->size : 0;
    answer(a, &reading, said);
}

static void ask(void *ctx, int64_t now_ns)
{
    struct lz_asker *a = ctx;
    const struct lz_live_probe *p = a->probe;
    int64_t timeout = p->timeout > 0 ? p->timeout : DEFAULT_TIMEOUT;
    (void)now_ns;
    LZ_ASSERT(!a->is_asking);
    a->is_asking = true;
    a->asked_ns = lz_loop_clock();
    if (a->wrong.msg[0] != '\0') {
        struct lz_live_reading reading = {.is_ok = false};
        answer(a, &reading, a->wrong.msg);
    } else if (p->kind == LZ_LIVE_PROBE_COMMAND) {
        const struct lz_command_opts opts = {.argv = p->argv.items,
                                             .run = lz_live_run_name(a->live),
                                             .cwd = a->of != NULL ? a->of->folder : NULL,
                                             .keep = keep_of(p),
                                             .drops_stderr = p->reads != 0,
                                             .timeout_ns = timeout};
        a->command = lz_command_start(lz_live_loop(a->live), &opts, on_command, a);
    } else {
        lz_fetch_begin(a->fetch, timeout, false, on_fetched, a);
    }
}

// --- making it ---

static void write_url(struct lz_asker *a, char *url, size_t size)
{
    const struct lz_live_probe *p = a->probe;
    bool is_tcp = p->kind == LZ_LIVE_PROBE_TCP;
    if (p->url != NULL && strstr(p->url, "://") != NULL) {
        snprintf(url, size, "%s", p->url);
        return;
    }
    if (p->url != NULL && is_tcp) {
        snprintf(url, size, "http://%s/", p->url);
        return;
    }
    if (a->of == NULL) {
        lz_fail(&a->wrong, LZ_EINVAL, "it says neither whom it asks nor a whole URL");
        return;
    }
    const struct lz_site_address *at = &a->of->address;
    bool is_v6 = strchr(at->host, ':') != NULL;
    const char *path = p->url != NULL && !is_tcp ? p->url : "/";
    snprintf(url, size, "%s://%s%s%s:%u%s%s", at->is_tls && !is_tcp ? "https" : "http",
             is_v6 ? "[" : "", at->host, is_v6 ? "]" : "", at->port, path[0] == '/' ? "" : "/",
             path);
}

static void make_fetch(struct lz_asker *a)
{
    char url[4096] = "";
    bool is_tcp = a->probe->kind == LZ_LIVE_PROBE_TCP;
    write_url(a, url, sizeof(url));
    if (a->wrong.msg[0] != '\0')
        return;
    const struct lz_fetch_opts opts = {.url = url,
                                       .ca_file = a->probe->ca_file,
                                       .connect_only = is_tcp,
                                       .connections = 2,
                                       .keep = is_tcp ? 0 : keep_of(a->probe)};
    struct lz_err err;
    if (!lz_fetch_create(lz_live_loop(a->live), &opts, &a->fetch, &err))
        a->wrong = err;
}

struct lz_asker *lz_asker_start(struct lz_live *live, const struct lz_live_probe *probe,
                                const struct lz_site_process *of, lz_asker_fn *fn, void *ctx)
{
    LZ_ASSERT(fn != NULL);
    struct lz_asker *a = lz_mem_alloc(sizeof(*a));
    *a = (struct lz_asker){.live = live,
                           .probe = probe,
                           .of = of,
                           .fn = fn,
                           .ctx = ctx,
                           .next = {.fn = ask, .ctx = a}};
    if (probe->kind != LZ_LIVE_PROBE_COMMAND)
        make_fetch(a);
    struct lz_loop *loop = lz_live_loop(live);
    lz_loop_arm(loop, &a->next, lz_loop_now(loop));
    return a;
}

void lz_asker_stop(struct lz_asker *asker)
{
    if (asker == NULL)
        return;
    lz_loop_cancel(lz_live_loop(asker->live), &asker->next);
    if (asker->command != NULL)
        lz_command_stop(asker->command);
    if (asker->is_stopped != NULL)
        *asker->is_stopped = true; // from within `fn`
    lz_fetch_destroy(asker->fetch);
    free(asker);
}
