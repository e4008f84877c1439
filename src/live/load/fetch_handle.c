#include "live/load/fetch_handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/load/fetch_opts.h"

#define MS_NS INT64_C(1000000)

// --- what they have in common ---

static char *copy(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

void lz_fetch_form_init(struct lz_fetch_form *form, const struct lz_fetch_opts *opts)
{
    *form = (struct lz_fetch_form){.url = copy(opts->url),
                                   .method = copy(opts->method),
                                   .body = copy(opts->body),
                                   .ca_file = copy(opts->ca_file),
                                   .via = copy(opts->via),
                                   .body_size = opts->body != NULL ? strlen(opts->body) : 0,
                                   .keep = opts->keep,
                                   .http2 = opts->http2,
                                   .connect_only = opts->connect_only,
                                   .wants_etag = opts->wants_etag};
    form->url_has_blanks = lz_blanks_are_in(form->url);
    form->body_has_blanks = form->body != NULL && lz_blanks_are_in(form->body);
    form->headers = lz_fetch_opts_headers(&opts->headers);
    form->connect_to = lz_fetch_opts_route(opts->via);
}

void lz_fetch_form_finish(struct lz_fetch_form *form)
{
    curl_slist_free_all(form->headers);
    curl_slist_free_all(form->connect_to);
    free(form->url);
    free(form->method);
    free(form->body);
    free(form->ca_file);
    free(form->via);
}

// --- configured once ---

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct lz_fetch_handle *h = ctx;
    size_t room = h->body.len < h->form->keep ? h->form->keep - h->body.len : 0, all = size * count;
    lz_str_add_n(&h->body, bytes, room < all ? room : all);
    return all;
}

// Before each request: the second time libcurl is at it again after a connection broke.
static int on_request(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct lz_fetch_handle *h = ctx;
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    return ++h->tries > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void set_method(const struct lz_fetch_form *f, CURL *easy)
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

static void configure(struct lz_fetch_handle *h)
{
    const struct lz_fetch_form *f = h->form;
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

struct lz_fetch_handle *lz_fetch_handle_create(const struct lz_fetch_form *form)
{
    struct lz_fetch_handle *h = lz_mem_alloc(sizeof(*h));
    *h = (struct lz_fetch_handle){.easy = curl_easy_init(), .form = form};
    LZ_ASSERT(h->easy != NULL);
    lz_str_init(&h->body);
    lz_str_init(&h->filled);
    configure(h);
    return h;
}

void lz_fetch_handle_destroy(struct lz_fetch_handle *h)
{
    curl_easy_cleanup(h->easy);
    curl_slist_free_all(h->headers);
    lz_str_finish(&h->body);
    lz_str_finish(&h->filled);
    free(h);
}

// --- for each request ---

static void fill_blanks(struct lz_fetch_handle *h, const struct lz_blanks *blanks)
{
    const struct lz_fetch_form *f = h->form;
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
static void set_header(struct lz_fetch_handle *h, const char *header)
{
    const struct lz_fetch_form *f = h->form;
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

void lz_fetch_handle_set(struct lz_fetch_handle *h, int64_t timeout_ns, bool fresh,
                         const struct lz_blanks *blanks)
{
    int64_t ms = timeout_ns > MS_NS ? (timeout_ns + MS_NS / 2) / MS_NS : 1;
    h->tries = 0;
    h->trouble[0] = '\0';
    lz_str_clear(&h->body);
    if (ms != h->timeout_ms) {
        curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)ms);
        h->timeout_ms = ms;
    }
    if (fresh != h->is_fresh) {
        curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
        curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, fresh ? 1L : 0L);
        h->is_fresh = fresh;
    }
    if (blanks != NULL)
        fill_blanks(h, blanks);
    set_header(h, blanks != NULL ? blanks->header : NULL);
}

// --- when it is over ---

struct lz_fetch_handle *lz_fetch_handle_of(CURL *easy)
{
    struct lz_fetch_handle *h = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&h);
    LZ_ASSERT(h != NULL && h->easy == easy);
    return h;
}

static enum lz_fetch_outcome outcome_of(const struct lz_fetch_handle *h, CURLcode code)
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
static void say_untrusted(struct lz_fetch_handle *h)
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

struct lz_fetch_result lz_fetch_handle_result(struct lz_fetch_handle *h, CURLcode code)
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
        r.etag = h->form->wants_etag ? etag_of(h->easy) : NULL;
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
