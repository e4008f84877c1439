#include "live/load/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

#define MS_NS INT64_C(1000000)
#define H2C_SINCE 0x080000 // libcurl 7.88 breaks a cleartext HTTP/2 connection it uses again

struct lz_fetch_run {
    struct lz_fetch *fetch;
    struct lz_fetch_run *next, *before; // among those under way; `next` among the idle ones
    CURL *easy;
    lz_fetch_fn *fn;
    void *ctx;
    int64_t timeout_ms; // as the handle has it
    uint32_t tries;     // requests that libcurl has begun to send
    bool is_fresh;      // as the handle has it
    struct lz_str body;
    char trouble[CURL_ERROR_SIZE];
};

struct lz_fetch {
    struct lz_loop *loop;
    CURLM *multi;
    struct lz_loop_timer timer;
    struct lz_fetch_run *under_way, *idle;
    char *url, *method, *body, *ca_file, *via;
    struct curl_slist *headers, *connect_to;
    size_t body_size, keep;
    bool http2, connect_only;
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
    struct lz_fetch_run *run = ctx;
    size_t keep = run->fetch->keep, all = size * count;
    if (run->body.len < keep)
        lz_str_add_n(&run->body, bytes, keep - run->body.len < all ? keep - run->body.len : all);
    return all;
}

// Before each request: the second time libcurl is at it again after a connection broke.
static int on_request(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct lz_fetch_run *run = ctx;
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    return ++run->tries > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static enum lz_fetch_outcome outcome_of(const struct lz_fetch_run *run, CURLcode code)
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
        curl_easy_getinfo(run->easy, CURLINFO_OS_ERRNO, &os_errno);
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

static struct lz_fetch_result result_of(const struct lz_fetch_run *run, CURLcode code)
{
    struct lz_fetch_result r = {.outcome = outcome_of(run, code)};
    long status = 0, connects = 0;
    curl_easy_getinfo(run->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (connects > 0)
        r.connect_ns = time_of(run->easy, CURLINFO_PRETRANSFER_TIME_T);
    if (r.outcome == LZ_FETCH_ANSWERED) {
        curl_easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
        r.status = (uint16_t)status;
        r.first_ns = time_of(run->easy, CURLINFO_STARTTRANSFER_TIME_T);
        r.text = run->body.text;
        r.size = run->body.len;
        return r;
    }
    r.text = run->trouble;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        r.text = "the kept connection was closed instead of an answer";
    else if (run->trouble[0] == '\0')
        r.text = curl_easy_strerror(code);
    r.size = strlen(r.text);
    return r;
}

static void unlink_run(struct lz_fetch_run *run)
{
    struct lz_fetch *f = run->fetch;
    if (run->before != NULL)
        run->before->next = run->next;
    else
        f->under_way = run->next;
    if (run->next != NULL)
        run->next->before = run->before;
    run->next = run->before = NULL;
}

static void free_run(struct lz_fetch_run *run)
{
    curl_easy_cleanup(run->easy);
    lz_str_finish(&run->body);
    free(run);
}

// Over: the handle is kept as it is configured, for the next one.
static void put_by(struct lz_fetch_run *run)
{
    struct lz_fetch *f = run->fetch;
    if (f->connect_only) {
        free_run(run); // only this closes its connection
        return;
    }
    run->next = f->idle;
    f->idle = run;
}

static void destroy(struct lz_fetch *f);

static void hand_out(struct lz_fetch *f)
{
    int left = 0;
    const CURLMsg *msg;
    f->is_handing_out = true;
    while (!f->is_gone && (msg = curl_multi_info_read(f->multi, &left)) != NULL) {
        LZ_ASSERT(msg->msg == CURLMSG_DONE);
        struct lz_fetch_run *run = NULL;
        CURL *easy = msg->easy_handle;
        CURLcode code = msg->data.result; // gone once the handle is removed
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&run);
        LZ_ASSERT(run != NULL && run->easy == easy);
        struct lz_fetch_result result = result_of(run, code);
        curl_multi_remove_handle(f->multi, easy);
        unlink_run(run);
        run->fn(run->ctx, &result);
        put_by(run); // only now: its texts were in the result
    }
    f->is_handing_out = false;
    if (f->is_gone)
        destroy(f);
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

static void configure(const struct lz_fetch *f, struct lz_fetch_run *run)
{
    CURL *easy = run->easy;
    curl_easy_setopt(easy, CURLOPT_URL, f->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, run);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, run);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, run);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, run->trouble);
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

static struct lz_fetch_run *new_run(struct lz_fetch *f)
{
    struct lz_fetch_run *run = lz_mem_alloc(sizeof(*run));
    *run = (struct lz_fetch_run){.fetch = f, .easy = curl_easy_init()};
    LZ_ASSERT(run->easy != NULL);
    lz_str_init(&run->body);
    configure(f, run);
    return run;
}

static struct lz_fetch_run *take(struct lz_fetch *f)
{
    struct lz_fetch_run *run = f->idle;
    if (run == NULL)
        return new_run(f);
    f->idle = run->next;
    run->next = NULL;
    run->tries = 0;
    run->trouble[0] = '\0';
    lz_str_clear(&run->body);
    return run;
}

struct lz_fetch_run *lz_fetch_begin(struct lz_fetch *fetch, int64_t timeout_ns, bool fresh,
                                    lz_fetch_fn *fn, void *ctx)
{
    LZ_ASSERT(timeout_ns > 0);
    LZ_ASSERT(fn != NULL);
    struct lz_fetch_run *run = take(fetch);
    run->fn = fn;
    run->ctx = ctx;
    int64_t ms = (timeout_ns + MS_NS - 1) / MS_NS;
    if (ms != run->timeout_ms) {
        curl_easy_setopt(run->easy, CURLOPT_TIMEOUT_MS, (long)ms);
        run->timeout_ms = ms;
    }
    if (fresh != run->is_fresh) {
        curl_easy_setopt(run->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
        curl_easy_setopt(run->easy, CURLOPT_FORBID_REUSE, fresh ? 1L : 0L);
        run->is_fresh = fresh;
    }
    run->next = fetch->under_way;
    if (run->next != NULL)
        run->next->before = run;
    fetch->under_way = run;
    CURLMcode code = curl_multi_add_handle(fetch->multi, run->easy);
    LZ_ASSERT(code == CURLM_OK);
    return run;
}

void lz_fetch_cancel(struct lz_fetch_run *run)
{
    curl_multi_remove_handle(run->fetch->multi, run->easy);
    unlink_run(run);
    put_by(run);
}

// --- creating and destroying ---

static char *copy(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

static bool check_url(const struct lz_fetch_opts *o, struct lz_err *err)
{
    CURLU *url = curl_url();
    LZ_ASSERT(url != NULL);
    CURLUcode code = curl_url_set(url, CURLUPART_URL, o->url, 0);
    curl_url_cleanup(url);
    if (code != CURLUE_OK)
        return lz_fail(err, LZ_EINVAL, "\"%.80s\" is no URL: %s", o->url, curl_url_strerror(code));
    bool is_tls = strncmp(o->url, "https:", 6) == 0;
    if (!is_tls && strncmp(o->url, "http:", 5) != 0)
        return lz_fail(err, LZ_EINVAL, "\"%.80s\" must begin with http:// or https://", o->url);
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    if (o->http2 && (v->features & CURL_VERSION_HTTP2) == 0)
        return lz_fail(err, LZ_EINVAL, "this libcurl (%s) was built without HTTP/2", v->version);
    if (o->http2 && !is_tls && v->version_num < H2C_SINCE)
        return lz_fail(err, LZ_EINVAL,
                       "HTTP/2 without TLS needs libcurl 8, this is %s; use https, or HTTP/1.1",
                       v->version);
    return true;
}

static bool check_headers(const struct lz_fetch_opts *o, struct lz_err *err)
{
    for (size_t i = 0; i < o->headers.count; i++) {
        const struct lz_live_pair *h = &o->headers.items[i];
        bool has_line = strpbrk(h->name, "\r\n") != NULL || strpbrk(h->value, "\r\n") != NULL;
        if (has_line || h->name[0] == '\0' || strpbrk(h->name, ": ") != NULL)
            return lz_fail(err, LZ_EINVAL,
                           "\"%.80s\" cannot be a header: its name has no blank and no colon, "
                           "and all of it is one line",
                           h->name);
    }
    for (const char *m = o->method; m != NULL && *m != '\0'; m++)
        if (*m < 'A' || *m > 'Z')
            return lz_fail(err, LZ_EINVAL, "\"%.20s\" is no method of HTTP", o->method);
    return true;
}

static struct curl_slist *append(struct curl_slist *list, const char *text)
{
    list = curl_slist_append(list, text);
    LZ_ASSERT(list != NULL);
    return list;
}

static void make_headers(struct lz_fetch *f, const struct lz_live_pairs *headers)
{
    f->headers = append(NULL, "Expect:"); // a body goes at once, never after a "100 Continue"
    f->headers = append(f->headers, "User-Agent: lorenz");
    for (size_t i = 0; i < headers->count; i++) {
        const struct lz_live_pair *h = &headers->items[i];
        struct lz_str line;
        lz_str_init(&line);
        // libcurl's way to write a header that has no value
        lz_str_addf(&line, h->value[0] == '\0' ? "%s;" : "%s: %s", h->name, h->value);
        f->headers = append(f->headers, line.text);
        lz_str_finish(&line);
    }
}

static void make_multi(struct lz_fetch *f, uint32_t connections)
{
    long max = connections > 0 ? (long)connections : (long)LZ_FETCH_CONNECTIONS;
    f->multi = curl_multi_init();
    LZ_ASSERT(f->multi != NULL);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, max);
    curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max);
}

static void destroy(struct lz_fetch *f)
{
    LZ_ASSERT(f->under_way == NULL);
    while (f->idle != NULL) {
        struct lz_fetch_run *run = f->idle;
        f->idle = run->next;
        free_run(run);
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
    static bool has_begun; // libcurl wants to be told once
    if (!has_begun && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return lz_fail(err, LZ_EIO, "libcurl does not start");
    has_begun = true;
    if (!check_url(opts, err) || !check_headers(opts, err))
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
                           .connect_only = opts->connect_only};
    f->timer.ctx = f;
    make_headers(f, &opts->headers);
    if (f->via != NULL) {
        struct lz_str to;
        lz_str_init(&to);
        lz_str_addf(&to, "::%s", f->via); // whatever host and port the URL has
        f->connect_to = append(NULL, to.text);
        lz_str_finish(&to);
    }
    make_multi(f, opts->connections);
    *out = f;
    return true;
}

void lz_fetch_destroy(struct lz_fetch *fetch)
{
    if (fetch == NULL)
        return;
    LZ_ASSERT(!fetch->is_gone);
    while (fetch->under_way != NULL)
        lz_fetch_cancel(fetch->under_way);
    fetch->is_gone = true;
    if (!fetch->is_handing_out)
        destroy(fetch);
}
