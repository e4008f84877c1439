#include "live/load/fetch.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/load/fetch_handle.h"
#include "live/load/fetch_opts.h"

#define MS_NS INT64_C(1000000)
#define STREAMS 100 // of one HTTP/2 connection: libcurl's default

enum where { WAITING, UNDER_WAY, OVER, IDLE };

struct lz_fetch_run {
    struct lz_fetch *fetch;
    struct lz_fetch_run *next, *before; // in the list of `where`
    enum where where;
    struct lz_fetch_handle *handle; // NULL while it waits
    lz_fetch_fn *fn;                // NULL: cancelled when it was over
    void *ctx;
    bool is_fresh, has_blanks;
    struct lz_blanks blanks;
    int64_t until_ns;
    struct lz_loop_timer patience; // armed while it waits; libcurl's own timeout does afterwards
    CURLcode code;                 // once it is over
};

struct list {
    struct lz_fetch_run *first, *last;
};

struct lz_fetch {
    struct lz_loop *loop;
    CURLM *multi;
    struct lz_loop_timer timer;
    struct list lists[IDLE + 1];
    struct lz_fetch_handle *handles; // idle
    uint32_t in_curl, in_curl_max;
    struct lz_fetch_form form;
    bool is_handing_out, is_gone; // destroyed from within a callback
};

const char *lz_fetch_outcome_name(enum lz_fetch_outcome outcome)
{
    static const char *const names[] = {[LZ_FETCH_ANSWERED] = "answered",
                                        [LZ_FETCH_REFUSED] = "refused",
                                        [LZ_FETCH_RESET] = "reset",
                                        [LZ_FETCH_TIMEOUT] = "timeout",
                                        [LZ_FETCH_FAILED] = "failed"};
    LZ_ASSERT((size_t)outcome < sizeof(names) / sizeof(names[0]));
    return names[outcome];
}

// --- libcurl on the loop ---

// --- where runs are ---

static void move(struct lz_fetch_run *run, enum where to)
{
    struct list *from = &run->fetch->lists[run->where], *list = &run->fetch->lists[to];
    *(run->before != NULL ? &run->before->next : &from->first) = run->next;
    *(run->next != NULL ? &run->next->before : &from->last) = run->before;
    run->before = list->last;
    run->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = run;
    list->last = run;
    run->where = to;
}

// libcurl is done with its handle, which is kept as it is configured.
static void release(struct lz_fetch_run *run)
{
    struct lz_fetch *f = run->fetch;
    struct lz_fetch_handle *h = run->handle;
    LZ_ASSERT(f->in_curl > 0);
    f->in_curl--;
    run->handle = NULL;
    curl_multi_remove_handle(f->multi, h->easy);
    if (f->form.connect_only) {
        lz_fetch_handle_destroy(h); // only this closes its connection
        return;
    }
    h->next = f->handles;
    f->handles = h;
}

static void start_waiting(struct lz_fetch *f);
static void destroy(struct lz_fetch *f);

static void handed_out(struct lz_fetch *f)
{
    f->is_handing_out = false;
    if (f->is_gone)
        destroy(f);
    else
        start_waiting(f);
}

// Messages first, handles later: libcurl looks through all of its messages for each handle that is
// removed, and a thousand may time out at once.
static void collect(struct lz_fetch *f)
{
    int left = 0;
    const CURLMsg *msg;
    while ((msg = curl_multi_info_read(f->multi, &left)) != NULL) {
        LZ_ASSERT(msg->msg == CURLMSG_DONE);
        struct lz_fetch_run *run = lz_fetch_handle_of(msg->easy_handle)->owner;
        run->code = msg->data.result;
        move(run, OVER);
    }
}

static void hand_out(struct lz_fetch *f)
{
    LZ_ASSERT(!f->is_handing_out);
    f->is_handing_out = true;
    collect(f);
    struct lz_fetch_run *run;
    while ((run = f->lists[OVER].first) != NULL) {
        struct lz_fetch_result result = lz_fetch_handle_result(run->handle, run->code);
        move(run, IDLE);
        if (run->fn != NULL)
            run->fn(run->ctx, &result);
        release(run); // only now: its texts were in the result
    }
    handed_out(f);
}

static void on_timer(void *ctx, int64_t now_ns)
{
    struct lz_fetch *f = ctx;
    int running;
    (void)now_ns;
    curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    hand_out(f);
}

static void on_socket(void *ctx, int fd, unsigned events)
{
    struct lz_fetch *f = ctx;
    int running, mask = 0;
    mask |= (events & LZ_LOOP_READ) != 0 ? CURL_CSELECT_IN : 0;
    mask |= (events & LZ_LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0;
    mask |= (events & LZ_LOOP_ERROR) != 0 ? CURL_CSELECT_ERR : 0;
    curl_multi_socket_action(f->multi, fd, mask, &running);
    hand_out(f);
}

static int want_timer(CURLM *multi, long ms, void *ctx)
{
    struct lz_fetch *f = ctx;
    (void)multi;
    if (ms < 0)
        lz_loop_cancel(f->loop, &f->timer);
    else
        lz_loop_arm(f->loop, &f->timer, lz_loop_now(f->loop) + ms * MS_NS);
    return 0;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *mine)
{
    struct lz_fetch *f = ctx;
    struct lz_err err;
    (void)easy;
    (void)mine;
    if (what == CURL_POLL_REMOVE) {
        lz_loop_unwatch(f->loop, fd);
        return 0;
    }
    unsigned events = 0;
    events |= what != CURL_POLL_OUT ? LZ_LOOP_READ : 0;
    events |= what != CURL_POLL_IN ? LZ_LOOP_WRITE : 0;
    return lz_loop_watch(f->loop, fd, events, on_socket, f, &err) ? 0 : -1;
}

static struct lz_fetch_handle *take_handle(struct lz_fetch *f)
{
    struct lz_fetch_handle *h = f->handles;
    if (h == NULL)
        return lz_fetch_handle_create(&f->form);
    f->handles = h->next;
    return h;
}

// libcurl gets no more at once than it can send: what waits in it is looked through for each
// request that ends.
static void start(struct lz_fetch_run *run)
{
    struct lz_fetch *f = run->fetch;
    struct lz_fetch_handle *h = take_handle(f);
    lz_fetch_handle_set(h, run->until_ns - lz_loop_clock(), run->is_fresh,
                        run->has_blanks ? &run->blanks : NULL);
    h->owner = run;
    run->handle = h;
    f->in_curl++;
    lz_loop_cancel(f->loop, &run->patience);
    move(run, UNDER_WAY);
    CURLMcode code = curl_multi_add_handle(f->multi, h->easy);
    LZ_ASSERT(code == CURLM_OK);
}

static void start_waiting(struct lz_fetch *f)
{
    while (f->in_curl < f->in_curl_max && f->lists[WAITING].first != NULL)
        start(f->lists[WAITING].first);
}

static void on_impatient(void *ctx, int64_t now_ns)
{
    struct lz_fetch_run *run = ctx;
    struct lz_fetch *f = run->fetch;
    static const char text[] = "no connection was free in time";
    (void)now_ns;
    LZ_ASSERT(run->where == WAITING);
    move(run, IDLE);
    f->is_handing_out = true;
    run->fn(run->ctx, &(struct lz_fetch_result){
                          .outcome = LZ_FETCH_TIMEOUT, .text = text, .size = sizeof(text) - 1});
    handed_out(f);
}

static struct lz_fetch_run *take_run(struct lz_fetch *f)
{
    struct lz_fetch_run *run = f->lists[IDLE].first;
    if (run != NULL && run->handle == NULL) {
        move(run, WAITING);
        return run;
    }
    run = lz_mem_alloc(sizeof(*run));
    *run = (struct lz_fetch_run){.fetch = f, .where = WAITING, .before = f->lists[WAITING].last};
    *(run->before != NULL ? &run->before->next : &f->lists[WAITING].first) = run;
    f->lists[WAITING].last = run;
    return run;
}

struct lz_fetch_run *lz_fetch_begin(struct lz_fetch *fetch, int64_t timeout_ns, bool fresh,
                                    lz_fetch_fn *fn, void *ctx)
{
    return lz_fetch_begin_with(fetch, timeout_ns, fresh, NULL, fn, ctx);
}

struct lz_fetch_run *lz_fetch_begin_with(struct lz_fetch *fetch, int64_t timeout_ns, bool fresh,
                                         const struct lz_blanks *blanks, lz_fetch_fn *fn, void *ctx)
{
    LZ_ASSERT(timeout_ns > 0);
    LZ_ASSERT(fn != NULL);
    LZ_ASSERT(!fetch->is_gone);
    struct lz_fetch_run *run = take_run(fetch);
    run->fn = fn;
    run->ctx = ctx;
    run->is_fresh = fresh;
    run->has_blanks = blanks != NULL && (fetch->form.url_has_blanks ||
                                         fetch->form.body_has_blanks || blanks->header != NULL);
    if (run->has_blanks)
        run->blanks = *blanks;
    run->until_ns = lz_loop_clock() + timeout_ns;
    run->patience = (struct lz_loop_timer){.fn = on_impatient, .ctx = run};
    if (fetch->in_curl < fetch->in_curl_max)
        start(run);
    else
        lz_loop_arm(fetch->loop, &run->patience, run->until_ns);
    return run;
}

void lz_fetch_cancel(struct lz_fetch_run *run)
{
    struct lz_fetch *f = run->fetch;
    LZ_ASSERT(run->where != IDLE);
    if (run->where == OVER) {
        run->fn = NULL; // who hands out knows
        return;
    }
    bool has_handle = run->where == UNDER_WAY;
    lz_loop_cancel(f->loop, &run->patience);
    move(run, IDLE);
    if (has_handle)
        release(run);
    if (!f->is_handing_out && !f->is_gone)
        start_waiting(f);
}

// --- creating and destroying ---

static void make_multi(struct lz_fetch *f, uint32_t connections)
{
    uint32_t max = connections > 0 ? connections : LZ_FETCH_CONNECTIONS;
    f->in_curl_max = f->form.http2 ? max * STREAMS : max;
    f->multi = curl_multi_init();
    LZ_ASSERT(f->multi != NULL);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)max);
    curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)max);
}

static void destroy(struct lz_fetch *f)
{
    LZ_ASSERT(f->in_curl == 0);
    struct lz_fetch_run *run;
    while ((run = f->lists[IDLE].first) != NULL) {
        f->lists[IDLE].first = run->next;
        free(run);
    }
    while (f->handles != NULL) {
        struct lz_fetch_handle *h = f->handles;
        f->handles = h->next;
        lz_fetch_handle_destroy(h);
    }
    curl_multi_cleanup(f->multi);
    lz_loop_cancel(f->loop, &f->timer);
    lz_fetch_form_finish(&f->form);
    free(f);
}

bool lz_fetch_create(struct lz_loop *loop, const struct lz_fetch_opts *opts, struct lz_fetch **out,
                     struct lz_err *err)
{
    if (!lz_curl_load(err) || !lz_fetch_opts_check(opts, err))
        return false;
    struct lz_fetch *f = lz_mem_alloc(sizeof(*f));
    *f = (struct lz_fetch){.loop = loop, .timer = {.fn = on_timer}};
    f->timer.ctx = f;
    lz_fetch_form_init(&f->form, opts);
    make_multi(f, opts->connections);
    *out = f;
    return true;
}

void lz_fetch_destroy(struct lz_fetch *fetch)
{
    if (fetch == NULL)
        return;
    LZ_ASSERT(!fetch->is_gone);
    fetch->is_gone = true;
    while (fetch->lists[WAITING].first != NULL)
        lz_fetch_cancel(fetch->lists[WAITING].first);
    while (fetch->lists[UNDER_WAY].first != NULL)
        lz_fetch_cancel(fetch->lists[UNDER_WAY].first);
    for (struct lz_fetch_run *run = fetch->lists[OVER].first; run != NULL; run = run->next)
        run->fn = NULL;
    if (!fetch->is_handing_out)
        destroy(fetch);
}
