#include "live/load/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/curl.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/load/fetch_opts.h"

#define MS_NS INT64_C(1000000)
#define STREAMS 100 // of one HTTP/2 connection: libcurl's default

// One of libcurl's, configured for the request, and what belongs to its use just now.
struct handle {
    struct handle *next; // among the idle ones
    CURL *easy;
    struct lz_fetch_run *run;
    int64_t timeout_ms; // as it is configured
    bool is_fresh;      // likewise
    uint32_t tries;     // requests that libcurl has begun to send
    size_t keep;
    struct lz_str body;
    struct lz_str filled;       // the body that is sent, if it has blanks
    struct curl_slist *headers; // with one of this request's own; NULL: it has none
    char trouble[CURL_ERROR_SIZE];
};

enum where { WAITING, UNDER_WAY, OVER, IDLE };

struct lz_fetch_run {
    struct lz_fetch *fetch;
    struct lz_fetch_run *next, *before; // in the list of `where`
    enum where where;
    struct handle *handle; // NULL while it waits
    lz_fetch_fn *fn;       // NULL: cancelled when it was over
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
    struct handle *handles; // idle
    uint32_t in_curl, in_curl_max;
    char *url, *method, *body, *ca_file, *via;
    struct curl_slist *headers, *connect_to;
    size_t body_size, keep;
    bool http2, connect_only, wants_etag;
    bool url_has_blanks, body_has_blanks;
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

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct handle *h = ctx;
    size_t room = h->body.len < h->keep ? h->keep - h->body.len : 0, all = size * count;
    lz_str_add_n(&h->body, bytes, room < all ? room : all);
    return all;
}

// Before each request: the second time libcurl is at it again after a connection broke.
static int on_request(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct handle *h = ctx;
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    return ++h->tries > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static enum lz_fetch_outcome outcome_of(const struct handle *h, CURLcode code)
{
    long os_errno = 0;
    switch (code) {
    case CURLE_OK:
        return LZ_FETCH_ANSWERED;
    case CURLE_OPERATION_TIMEDOUT:
        return LZ_FETCH_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
        return LZ_FETCH_REFUSED;
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return LZ_FETCH_RESET;
    case CURLE_SSL_CONNECT_ERROR:
        curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &os_errno);
        return os_errno == ECONNRESET || os_errno == EPIPE ? LZ_FETCH_RESET : LZ_FETCH_FAILED;
    default:
        return LZ_FETCH_FAILED;
    }
}

static int64_t time_of(CURL *easy, CURLINFO which)
{
    curl_off_t us = 0;
    curl_easy_getinfo(easy, which, &us);
    return (int64_t)us * 1000;
}

// The reason comes first: what libcurl says of it differs from one TLS library to the other.
static void say_untrusted(struct handle *h)
{
    char said[CURL_ERROR_SIZE];
    snprintf(said, sizeof(said), "%s", h->trouble);
    snprintf(h->trouble, sizeof(h->trouble),
             "its certificate is not trusted (`ca_file` says whose are): %.160s", said);
}

static const char *etag_of(CURL *easy)
{
    struct curl_header *header = NULL;
    return curl_easy_header(easy, "ETag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                     : NULL;
}

static struct lz_fetch_result result_of(struct handle *h, CURLcode code)
{
    struct lz_fetch_result r = {.outcome = outcome_of(h, code)};
    long status = 0, connects = 0, version = 0;
    curl_easy_getinfo(h->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (connects > 0)
        r.connect_ns = time_of(h->easy, CURLINFO_PRETRANSFER_TIME_T);
    if (r.outcome == LZ_FETCH_ANSWERED) {
        curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
        r.status = (uint16_t)status;
        curl_easy_getinfo(h->easy, CURLINFO_HTTP_VERSION, &version);
        r.is_http2 = version == CURL_HTTP_VERSION_2_0;
        r.first_ns = time_of(h->easy, CURLINFO_STARTTRANSFER_TIME_T);
        r.text = h->body.text;
        r.size = h->body.len;
        r.etag = h->run->fetch->wants_etag ? etag_of(h->easy) : NULL;
        return r;
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        say_untrusted(h);
    r.text = h->trouble;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        r.text = "the kept connection was closed instead of an answer";
    else if (h->trouble[0] == '\0')
        r.text = curl_easy_strerror(code);
    r.size = strlen(r.text);
    return r;
}

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

static void free_handle(struct handle *h)
{
    curl_easy_cleanup(h->easy);
    curl_slist_free_all(h->headers);
    lz_str_finish(&h->body);
    lz_str_finish(&h->filled);
    free(h);
}

// libcurl is done with its handle, which is kept as it is configured.
static void release(struct lz_fetch_run *run)
{
    struct lz_fetch *f = run->fetch;
    struct handle *h = run->handle;
    LZ_ASSERT(f->in_curl > 0);
    f->in_curl--;
    run->handle = NULL;
    curl_multi_remove_handle(f->multi, h->easy);
    if (f->connect_only) {
        free_handle(h); // only this closes its connection
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
        struct handle *h = NULL;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&h);
        LZ_ASSERT(h != NULL && h->easy == msg->easy_handle);
        h->run->code = msg->data.result;
        move(h->run, OVER);
    }
}

static void hand_out(struct lz_fetch *f)
{
    LZ_ASSERT(!f->is_handing_out);
    f->is_handing_out = true;
    collect(f);
    struct lz_fetch_run *run;
    while ((run = f->lists[OVER].first) != NULL) {
        struct lz_fetch_result result = result_of(run->handle, run->code);
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

// --- making them ---

static void set_method(const struct lz_fetch *f, CURL *easy)
{
    if (f->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->body_size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, f->body);
    }
    if (f->method == NULL)
        return;
    if (strcmp(f->method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, f->method);
}

static void configure(const struct lz_fetch *f, struct handle *h)
{
    CURL *easy = h->easy;
    curl_easy_setopt(easy, CURLOPT_URL, f->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, h);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, h);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, h->trouble);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
    set_method(f, easy);
    if (f->connect_to != NULL)
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, f->connect_to);
    if (f->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, f->ca_file);
    if (f->connect_only)
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    long version = CURL_HTTP_VERSION_1_1;
    if (f->http2) {
        bool is_tls = strncmp(f->url, "https:", 6) == 0;
        version = is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); // for a stream, rather than connect anew
    }
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
}

static struct handle *take_handle(struct lz_fetch *f)
{
    struct handle *h = f->handles;
    if (h == NULL) {
        h = lz_mem_alloc(sizeof(*h));
        *h = (struct handle){.easy = curl_easy_init(), .keep = f->keep};
        LZ_ASSERT(h->easy != NULL);
        lz_str_init(&h->body);
        lz_str_init(&h->filled);
        configure(f, h);
        return h;
    }
    f->handles = h->next;
    h->tries = 0;
    h->trouble[0] = '\0';
    lz_str_clear(&h->body);
    return h;
}

static void fill_blanks(const struct lz_fetch *f, struct handle *h, const struct lz_blanks *blanks)
{
    if (f->url_has_blanks) {
        struct lz_str url;
        lz_str_init(&url);
        lz_blanks_fill(f->url, blanks, &url);
        curl_easy_setopt(h->easy, CURLOPT_URL, url.text); // it keeps a copy
        lz_str_finish(&url);
    }
    if (f->body_has_blanks) {
        lz_str_clear(&h->filled);
        lz_blanks_fill(f->body, blanks, &h->filled);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->filled.len);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, h->filled.text);
    }
}

// A header of this request alone, beside all of theirs; the next one has them without it.
static void set_header(const struct lz_fetch *f, struct handle *h, const char *header)
{
    struct curl_slist *old = h->headers;
    h->headers = NULL;
    if (header == NULL && old == NULL)
        return;
    for (const struct curl_slist *at = f->headers; header != NULL && at != NULL; at = at->next)
        h->headers = curl_slist_append(h->headers, at->data);
    if (header != NULL)
        h->headers = curl_slist_append(h->headers, header);
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, header != NULL ? h->headers : f->headers);
    curl_slist_free_all(old);
}

// libcurl gets no more at once than it can send: what waits in it is looked through for each
// request that ends.
static void start(struct lz_fetch_run *run)
{
    struct lz_fetch *f = run->fetch;
    struct handle *h = take_handle(f);
    int64_t left = run->until_ns - lz_loop_clock();
    int64_t ms = left > MS_NS ? (left + MS_NS / 2) / MS_NS : 1;
    if (ms != h->timeout_ms) {
        curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)ms);
        h->timeout_ms = ms;
    }
    if (run->is_fresh != h->is_fresh) {
        curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, run->is_fresh ? 1L : 0L);
        curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, run->is_fresh ? 1L : 0L);
        h->is_fresh = run->is_fresh;
    }
    if (run->has_blanks)
        fill_blanks(f, h, &run->blanks);
    set_header(f, h, run->has_blanks ? run->blanks.header : NULL);
    h->run = run;
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
    run->has_blanks = blanks != NULL &&
                      (fetch->url_has_blanks || fetch->body_has_blanks || blanks->header != NULL);
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

static char *copy(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

static void make_multi(struct lz_fetch *f, uint32_t connections)
{
    uint32_t max = connections > 0 ? connections : LZ_FETCH_CONNECTIONS;
    f->in_curl_max = f->http2 ? max * STREAMS : max;
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
        struct handle *h = f->handles;
        f->handles = h->next;
        free_handle(h);
    }
    curl_multi_cleanup(f->multi);
    lz_loop_cancel(f->loop, &f->timer);
    curl_slist_free_all(f->headers);
    curl_slist_free_all(f->connect_to);
    free(f->url);
    free(f->method);
    free(f->body);
    free(f->ca_file);
    free(f->via);
    free(f);
}

bool lz_fetch_create(struct lz_loop *loop, const struct lz_fetch_opts *opts, struct lz_fetch **out,
                     struct lz_err *err)
{
    if (!lz_curl_load(err) || !lz_fetch_opts_check(opts, err))
        return false;
    struct lz_fetch *f = lz_mem_alloc(sizeof(*f));
    *f = (struct lz_fetch){.loop = loop,
                           .timer = {.fn = on_timer},
                           .url = copy(opts->url),
                           .method = copy(opts->method),
                           .body = copy(opts->body),
                           .ca_file = copy(opts->ca_file),
                           .via = copy(opts->via),
                           .body_size = opts->body != NULL ? strlen(opts->body) : 0,
                           .keep = opts->keep,
                           .http2 = opts->http2,
                           .connect_only = opts->connect_only,
                           .wants_etag = opts->wants_etag};
    f->timer.ctx = f;
    f->url_has_blanks = lz_blanks_are_in(f->url);
    f->body_has_blanks = f->body != NULL && lz_blanks_are_in(f->body);
    f->headers = lz_fetch_opts_headers(&opts->headers);
    f->connect_to = lz_fetch_opts_route(opts->via);
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
