#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/proxy/http.h"
#include "live/proxy/inner.h"

#define OUTSTANDING_MAX 1024 // pipelined; nobody sends more without reading

enum act { FORWARD, ANSWER, REPLACE, BREAK };

// A request that was not answered yet. They are answered in the order they came.
struct entry {
    struct entry *next;
    enum act act;
    bool is_head, is_connect;
    bool closes;     // the connection ends with its answer
    bool is_sent;    // passed on to the server
    unsigned status; // ANSWER, REPLACE; 0: the server's
    int64_t came_at_ns;
    int64_t sent_at_ns;
    char *body;       // malloc's; NULL: none
    char *set_header; // the same
    int64_t delay_ns; // of its answer
    char method[LZ_HTTP_METHOD_SIZE];
    uint32_t path_at, path_len, head_len;
    char head[]; // of the request
};

struct lz_exchange {
    struct lz_http up, down;
    struct entry *first, *last;
    uint32_t count;
    bool forwards; // the body of the request that is being read
    bool is_tunnel;
    bool is_over; // no more is understood: what is there is answered, then it ends
};

struct lz_exchange *lz_exchange_create(void)
{
    struct lz_exchange *x = lz_mem_alloc(sizeof(*x));
    *x = (struct lz_exchange){0};
    lz_http_init(&x->up, false);
    lz_http_init(&x->down, true);
    return x;
}

static void pop(struct lz_exchange *x)
{
    struct entry *e = x->first;
    x->first = e->next;
    if (x->first == NULL)
        x->last = NULL;
    x->count--;
    free(e->body);
    free(e->set_header);
    free(e);
}

void lz_exchange_destroy(struct lz_exchange *x)
{
    if (x == NULL)
        return;
    while (x->first != NULL)
        pop(x);
    lz_http_finish(&x->up);
    lz_http_finish(&x->down);
    free(x);
}

static int64_t now_of(const struct lz_conn *c)
{
    return lz_loop_now(c->edge->serve->loop);
}

static void saw(struct lz_conn *c, enum lz_proxy_saw what, unsigned status, int64_t latency_ns)
{
    lz_serve_saw(c->edge, &(struct lz_proxy_seen){.edge = c->edge->id,
                                                  .saw = (uint16_t)what,
                                                  .status = (uint16_t)status,
                                                  .at_ns = now_of(c),
                                                  .latency_ns = latency_ns});
}

static void put(struct lz_conn *c, int d, const char *bytes, size_t len)
{
    if (len > 0 && !c->is_dead)
        lz_lane_put(c, d, bytes, len, &(struct lz_lane_put){0});
}

// An answer: what comes behind it does not overtake it.
static void put_later(struct lz_conn *c, const char *bytes, size_t len, int64_t delay_ns)
{
    if (len > 0 && !c->is_dead)
        lz_lane_put(c, LZ_DOWN, bytes, len, &(struct lz_lane_put){.delay_ns = delay_ns});
}

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = strdup(text);
}

// --- answers of our own ---

static void answer_first(struct lz_conn *c, int64_t held_ns)
{
    struct entry *e = c->exchange->first;
    size_t len = e->body != NULL ? strlen(e->body) : 0;
    struct lz_str out;
    lz_str_init(&out);
    lz_str_addf(&out, "HTTP/1.1 %u %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%s\r\n",
                e->status, lz_http_reason(e->status), len,
                e->closes ? "Connection: close\r\n" : "");
    if (!e->is_head && len > 0)
        lz_str_add_n(&out, e->body, len);
    put_later(c, out.text, out.len, held_ns);
    lz_str_finish(&out);
    saw(c, LZ_PROXY_ANSWERED, e->status, 0);
}

// A request that is refused was held from when it came, whatever waited for an answer before it.
static int64_t still_held(const struct lz_conn *c, const struct entry *e)
{
    int64_t until = e->came_at_ns + e->delay_ns, now = now_of(c);
    return until > now ? until - now : 0;
}

// What stands first and is ours to answer, now that all before it is answered.
static void answer_due(struct lz_conn *c)
{
    struct lz_exchange *x = c->exchange;
    while (x->first != NULL && x->first->act == ANSWER && !c->is_dead) {
        bool closes = x->first->closes;
        int64_t held = still_held(c, x->first);
        answer_first(c, held);
        pop(x);
        if (closes) {
            lz_conn_end(c);
            c->doom_at_ns += held;
            return;
        }
    }
}

static struct entry *push(struct lz_conn *c)
{
    struct lz_exchange *x = c->exchange;
    const struct lz_http *up = &x->up;
    struct entry *e = lz_mem_alloc(sizeof(*e) + up->head_len);
    *e = (struct entry){.is_head = strcmp(up->method, "HEAD") == 0,
                        .is_connect = strcmp(up->method, "CONNECT") == 0,
                        .came_at_ns = now_of(c),
                        .path_at = up->path_at,
                        .path_len = up->path_len,
                        .head_len = up->head_len};
    memcpy(e->method, up->method, sizeof(e->method));
    if (up->head_len > 0)
        memcpy(e->head, up->head, up->head_len);
    if (x->last != NULL)
        x->last->next = e;
    else
        x->first = e;
    x->last = e;
    x->count++;
    return e;
}

static void refuse(struct lz_conn *c, unsigned status, const char *why)
{
    struct lz_exchange *x = c->exchange;
    struct entry *e = push(c);
    char body[256];
    snprintf(body, sizeof(body), "lorenz: edge %s was declared to speak HTTP/1.1: %s\n",
             c->edge->name, why);
    e->act = ANSWER;
    e->status = status;
    e->closes = true;
    e->is_head = e->is_connect = false; // who cannot be understood is told why
    e->body = strdup(body);
    x->is_over = true;
    atomic_fetch_add_explicit(&c->edge->counts->not_http, 1, memory_order_relaxed);
    answer_due(c);
}

// --- up: requests ---

static char *body_of(const struct lz_active *a)
{
    return strdup(a->t.has_body ? a->t.body : "lorenz: fault.http_abort\n");
}

static struct lz_toxic_asked asked_of(const struct entry *e, unsigned status)
{
    return (struct lz_toxic_asked){.method = e->method,
                                   .head = e->head,
                                   .head_len = e->head_len,
                                   .path_at = e->path_at,
                                   .path_len = e->path_len,
                                   .status = status};
}

// Of all that it had asked and was not answered, nothing will be.
static void break_off(struct lz_conn *c)
{
    lz_exchange_lost(c);
    lz_conn_reset(c);
}

void lz_exchange_break(struct lz_conn *c)
{
    saw(c, LZ_PROXY_RESET, 0, now_of(c) - c->exchange->last->came_at_ns);
    break_off(c);
}

// A request that was also delayed is held, and then breaks its connection. What comes behind it
// meanwhile is read no more; what came before it may still be answered.
static void reset_request(struct lz_conn *c, struct entry *e, int64_t delay_ns)
{
    saw(c, LZ_PROXY_ARRIVED, 0, 0);
    e->act = BREAK;
    c->exchange->is_over = true;
    if (delay_ns > 0)
        c->breaks_at_ns = e->came_at_ns + delay_ns;
    else
        lz_exchange_break(c);
}

static void on_request(struct lz_conn *c)
{
    struct lz_exchange *x = c->exchange;
    struct entry *e = push(c);
    atomic_fetch_add_explicit(&c->edge->counts->requests, 1, memory_order_relaxed);
    const struct lz_toxic_asked asked = asked_of(e, 0);
    int64_t delay = 0;
    struct lz_active *a = NULL;
    while ((a = lz_gate_filter(c, LZ_KIND(LZ_TOXIC_HTTP_DELAY), &asked, a, &delay)) != NULL)
        continue;
    a = lz_gate_filter(c, LZ_KIND(LZ_TOXIC_HTTP_ABORT) | LZ_KIND(LZ_TOXIC_HTTP_RESET), &asked, NULL,
                       &delay);
    if (a != NULL && a->t.kind == LZ_TOXIC_HTTP_RESET) {
        reset_request(c, e, delay);
        return;
    }
    if (a != NULL) {
        e->act = ANSWER;
        e->status = a->t.status > 0 ? a->t.status : 500;
        e->body = body_of(a);
        e->delay_ns = delay; // it was held, and then refused
        // Whether its body still comes is not known: the next request could not be told from it.
        e->closes = x->up.expects || x->up.closes || x->up.minor == 0;
        x->forwards = false;
        saw(c, LZ_PROXY_ARRIVED, 0, 0);
        answer_due(c);
        return;
    }
    x->forwards = true;
    lz_lane_put(c, LZ_UP, x->up.head, x->up.head_len,
                &(struct lz_lane_put){.delay_ns = delay, .begins_request = true});
}

void lz_exchange_up(struct lz_conn *c, const char *bytes, size_t len)
{
    struct lz_exchange *x = c->exchange;
    bool ended = true;
    while ((len > 0 || !ended) && !c->is_dead && !x->is_over && !c->is_ending) {
        if (x->is_tunnel) {
            put(c, LZ_UP, bytes, len);
            return;
        }
        size_t used;
        enum lz_http_step step = lz_http_feed(&x->up, bytes, len, &used);
        if (step == LZ_HTTP_BAD) {
            refuse(c, x->up.bad_status, x->up.why);
            return;
        }
        if (step == LZ_HTTP_HEAD && x->count >= OUTSTANDING_MAX)
            refuse(c, 503, "more than 1,024 requests wait for their answers on one connection");
        else if (step == LZ_HTTP_HEAD)
            on_request(c);
        else if (step == LZ_HTTP_BODY && x->forwards)
            put(c, LZ_UP, bytes, used);
        bytes += used;
        len -= used;
        // After a head or a body the end may be due without another byte.
        ended = step == LZ_HTTP_END || step == LZ_HTTP_MORE;
    }
}

void lz_exchange_passed_on(struct lz_conn *c, int64_t now)
{
    struct entry *e = c->exchange->first;
    while (e != NULL && (e->is_sent || e->act == ANSWER))
        e = e->next;
    if (e == NULL)
        return;
    e->is_sent = true;
    e->sent_at_ns = now;
    saw(c, LZ_PROXY_ARRIVED, 0, 0);
}

// --- down: responses ---

// Does a header line tell of the server's body? The tag of a 304 is of what the client has.
static bool is_of_body(const char *line, size_t len, unsigned status)
{
    static const char *const names[] = {
        "content-length:", "transfer-encoding:", "content-encoding:",
        "trailer:",        "content-md5:",       "etag:"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);
        if (len >= n && strncasecmp(line, names[i], n) == 0)
            return status != 304 || names[i][0] != 'e';
    }
    return false;
}

static bool is_named(const char *line, size_t len, const char *header)
{
    size_t n = header != NULL ? strcspn(header, ":") : 0;
    return n > 0 && len > n && line[n] == ':' && strncasecmp(line, header, n) == 0;
}

// Of another body, or of a status that has none (RFC 9110, 6.4.1), the server's is not passed on.
static bool hides_body(const struct entry *e)
{
    return e->act == REPLACE && (e->body != NULL || e->status == 204 || e->status == 304);
}

// The server's head with another status, or for another body.
static void put_changed_head(struct lz_conn *c, const struct entry *e)
{
    const struct lz_http *h = &c->exchange->down;
    unsigned status = e->status > 0 ? e->status : h->status;
    struct lz_str out;
    lz_str_init(&out);
    lz_str_addf(&out, "HTTP/1.%u %u %s\r\n", h->minor, status, lz_http_reason(status));
    const char *at = memchr(h->head, '\n', h->head_len);
    LZ_ASSERT(at != NULL);
    const char *end = h->head + h->head_len;
    for (at++; at < end;) {
        const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        bool is_last = *at == '\r' || *at == '\n';
        size_t len = (size_t)(next - at);
        if (!is_last && !(hides_body(e) && is_of_body(at, len, status)) &&
            !is_named(at, len, e->set_header))
            lz_str_add_n(&out, at, len);
        at = next;
    }
    if (e->set_header != NULL)
        lz_str_addf(&out, "%s\r\n", e->set_header);
    bool has_body = e->body != NULL && e->status != 204 && e->status != 304;
    if (has_body)
        lz_str_addf(&out, "Content-Length: %zu\r\n", strlen(e->body));
    lz_str_add(&out, "\r\n");
    if (has_body && !e->is_head)
        lz_str_add(&out, e->body);
    put_later(c, out.text, out.len, e->delay_ns);
    lz_str_finish(&out);
}

static bool swallows(const struct entry *e)
{
    return e != NULL && hides_body(e);
}

static bool is_interim(const struct lz_http *h)
{
    return h->status < 200 && h->status != 101;
}

// What its toxics make of an answer, in their order; of several the last decides, but what is
// broken stays so. The text of a header lives in its toxic, which may go: it is copied.
static int64_t judge_answer(struct lz_conn *c, struct entry *e)
{
    const unsigned kinds = LZ_KIND(LZ_TOXIC_HTTP_DELAY) | LZ_KIND(LZ_TOXIC_HTTP_REPLACE) |
                           LZ_KIND(LZ_TOXIC_HTTP_RESET);
    struct lz_toxic_asked asked = asked_of(e, c->exchange->down.status);
    int64_t delay = 0;
    struct lz_active *a = NULL;
    while (e->act != BREAK && (a = lz_gate_filter(c, kinds, &asked, a, &delay)) != NULL) {
        if (a->t.kind == LZ_TOXIC_HTTP_DELAY)
            continue;
        e->act = a->t.kind == LZ_TOXIC_HTTP_RESET ? BREAK : REPLACE;
        if (a->t.status != 0)
            e->status = asked.status = a->t.status;
        if (a->t.has_body)
            set_text(&e->body, a->t.body);
        if (a->t.set_header[0] != '\0')
            set_text(&e->set_header, a->t.set_header);
    }
    return delay;
}

static void on_response(struct lz_conn *c)
{
    struct lz_exchange *x = c->exchange;
    struct entry *e = x->first;
    lz_http_answers(&x->down, e != NULL && e->is_head, e != NULL && e->is_connect);
    if (e != NULL && !is_interim(&x->down) && c->edge->active != NULL)
        e->delay_ns = judge_answer(c, e);
    if (e != NULL && e->act == BREAK) { // at its head: it may have no end
        saw(c, LZ_PROXY_ANSWERED, x->down.status, now_of(c) - e->sent_at_ns);
        pop(x);
        break_off(c);
        return;
    }
    if (e == NULL || e->act == FORWARD || is_interim(&x->down))
        put_later(c, x->down.head, x->down.head_len, e != NULL ? e->delay_ns : 0);
    else
        put_changed_head(c, e); // at once: what takes its place does not wait for the server's end
}

static void on_answered(struct lz_conn *c)
{
    struct lz_exchange *x = c->exchange;
    struct entry *e = x->first;
    if (e == NULL || is_interim(&x->down))
        return;
    x->is_tunnel =
        x->down.status == 101 || (e->is_connect && x->down.status >= 200 && x->down.status < 300);
    saw(c, LZ_PROXY_ANSWERED, x->down.status, now_of(c) - e->sent_at_ns);
    pop(x);
    answer_due(c);
}

void lz_exchange_down(struct lz_conn *c, const char *bytes, size_t len)
{
    struct lz_exchange *x = c->exchange;
    bool ended = true;
    while ((len > 0 || !ended) && !c->is_dead && !c->is_ending) {
        if (x->is_tunnel) {
            put(c, LZ_DOWN, bytes, len);
            return;
        }
        size_t used;
        enum lz_http_step step = lz_http_feed(&x->down, bytes, len, &used);
        if (step == LZ_HTTP_BAD) {
            atomic_fetch_add_explicit(&c->edge->counts->not_http, 1, memory_order_relaxed);
            lz_exchange_lost(c);
            lz_conn_reset(c);
            return;
        }
        if (step == LZ_HTTP_HEAD)
            on_response(c);
        else if (step == LZ_HTTP_BODY && !swallows(x->first))
            put(c, LZ_DOWN, bytes, used);
        else if (step == LZ_HTTP_END)
            on_answered(c);
        bytes += used;
        len -= used;
        ended = step == LZ_HTTP_END || step == LZ_HTTP_MORE;
    }
}

void lz_exchange_eof(struct lz_conn *c, int d)
{
    struct lz_exchange *x = c->exchange;
    if (x->is_tunnel || c->is_ending || d == LZ_UP)
        return;
    if (lz_http_eof(&x->down) == LZ_HTTP_END)
        on_answered(c);
    if (!c->is_dead && !c->is_ending)
        lz_exchange_lost(c);
}

void lz_exchange_lost(struct lz_conn *c)
{
    struct lz_exchange *x = c->exchange;
    for (struct entry *e = x != NULL ? x->first : NULL; e != NULL; e = e->next) {
        if (e->is_sent && e->act != ANSWER)
            saw(c, LZ_PROXY_RESET, 0, now_of(c) - e->sent_at_ns);
        e->is_sent = false;
    }
}
