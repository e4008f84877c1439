/*
 * The HTTP parser. A text is fed in pieces; what it was found to be is a line: H for a head (with
 * what it said), B for bytes of a body, E for an end, ! for why it is refused. However the text
 * is cut, the line is the same. After the table, its texts are changed at random, always in the
 * same ways, and cut at random: nothing may crash, read too far or depend on the cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "live/proxy/http.h"
#include "sim/draw.h"

#define CHANGES 4000
#define GOOD 13 // rows before those that are refused

struct reading {
    struct lz_http http;
    struct lz_str line;
    size_t body;
    bool is_bad;
};

static void tell_body(struct reading *r)
{
    if (r->body > 0)
        lz_str_addf(&r->line, "B%zu ", r->body);
    r->body = 0;
}

static void tell(struct reading *r, enum lz_http_step step, size_t used)
{
    struct lz_http *h = &r->http;
    if (step == LZ_HTTP_BODY) {
        r->body += used;
        return;
    }
    if (step == LZ_HTTP_MORE)
        return;
    tell_body(r);
    if (step == LZ_HTTP_HEAD && h->is_response) {
        lz_str_addf(&r->line, "H%u ", h->status);
        lz_http_answers(h, false, false);
    } else if (step == LZ_HTTP_HEAD) {
        lz_str_addf(&r->line, "H%s:%.*s%s ", h->method, (int)h->path_len, h->head + h->path_at,
                    h->expects ? "?" : "");
    } else if (step == LZ_HTTP_END) {
        lz_str_add(&r->line, "E ");
    } else {
        lz_str_addf(&r->line, "!%u %s", h->bad_status, h->why);
        r->is_bad = true;
    }
}

static void feed(struct reading *r, const char *bytes, size_t len)
{
    // A copy of its own length: reading past it is then an error that sanitizers see.
    char *copy = malloc(len > 0 ? len : 1);
    memcpy(copy, bytes, len);
    size_t at = 0;
    bool ended = true;
    while ((at < len || !ended) && !r->is_bad) {
        size_t used;
        enum lz_http_step step = lz_http_feed(&r->http, copy + at, len - at, &used);
        assert_true(used <= len - at);
        tell(r, step, used);
        at += used;
        ended = step == LZ_HTTP_END || step == LZ_HTTP_MORE;
    }
    free(copy);
}

static void begin(struct reading *r, bool is_response)
{
    memset(r, 0, sizeof(*r));
    lz_http_init(&r->http, is_response);
    lz_str_init(&r->line);
}

static void finish(struct reading *r)
{
    lz_http_finish(&r->http);
    lz_str_finish(&r->line);
}

static void end(struct reading *r)
{
    if (!r->is_bad)
        tell(r, lz_http_eof(&r->http), 0);
    tell_body(r);
}

// Cut into pieces of `piece` bytes; 0: by the draws of `seed`.
static void read_in_pieces(struct reading *r, const char *text, size_t len, size_t piece,
                           uint64_t seed)
{
    struct lz_draw draw = lz_draw_begin(seed, 1, LZ_PURPOSE_SCRIPT, 1);
    for (size_t at = 0; at < len;) {
        size_t n = piece > 0 ? piece : 1 + (size_t)lz_draw_below(&draw, 40);
        n = n < len - at ? n : len - at;
        feed(r, text + at, n);
        at += n;
    }
    end(r);
}

static const struct row {
    const char *text;
    const char *want;
} rows[] = {
    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HGET:/ E "},
    {"GET /a HTTP/1.1\n\nGET /b HTTP/1.1\n\n", "HGET:/a E HGET:/b E "},
    {"\r\n\r\nGET / HTTP/1.0\r\n\r\n", "HGET:/ E "},
    {"POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n",
     "HPOST:/p B5 E HGET:/ E "},
    {"POST /p HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HPOST:/p E "},
    {"POST /p HTTP/1.1\r\ncontent-length:3\r\nContent-Length: 3\r\n\r\nabc", "HPOST:/p B3 E "},
    {"PUT /c HTTP/1.1\r\nTransfer-Encoding: gzip, "
     "chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
     "0\r\nTrailer: 1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
     "HPUT:/c B44 E HGET:/ E "},
    {"PUT /c HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", "HPUT:/c? B2 E "},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 Not Found\r\nContent-Length: 0"
     "\r\n\r\n",
     "H200 B2 E H404 E "},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\n\r\nHTTP/1.1 304 Not Modified\r\n"
     "Content-Length: 99\r\n\r\n",
     "H100 E H204 E H304 E "},
    {"HTTP/1.0 200 OK\r\n\r\nto the end", "H200 B10 E "},
    {"HTTP/1.1 200 OK\r\n\r\n", "H200 E "},
    {"", ""},
    // refused
    {"GET / HTTP/1.1\r\nHost: x", "!400 it ends in a head"},
    {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel", "HPOST:/ B3 !400 it ends in a body"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
     "!505 this is HTTP/2, and only HTTP/1.1 can be looked into"},
    {"\x16\x03\x01\x02\r\n\r\n", "!400 no HTTP/1.1 request begins like this"},
    {"GET /\r\n\r\n", "!400 the first line of a request names no path or no version"},
    {"GET / HTTP/3.1\r\n\r\n", "!400 no HTTP/1.1 message begins like this"},
    {"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "!400 a header line that is folded"},
    {"GET / HTTP/1.1\r\nA b\r\n\r\n", "!400 a header line without a name and a colon"},
    {"GET / HTTP/1.1\r\nA : b\r\n\r\n", "!400 a header line without a name and a colon"},
    {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     "!400 two Content-Lengths that differ"},
    {"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
     "!400 a Content-Length is a number of at most 18 digits"},
    {"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "!400 a Content-Length beside a Transfer-Encoding"},
    {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
     "!501 a Transfer-Encoding that does not end with chunked"},
    {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz",
     "HPUT:/ !400 a chunk's size is up to 15 hexadecimal digits"},
    {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
     "HPUT:/ !400 a chunk's size is up to 15 hexadecimal digits"},
    {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n;a\r\n",
     "HPUT:/ !400 a chunk without its size"},
    {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc",
     "HPUT:/ !400 a chunk that is longer than its size"},
    {"HTTP/1.1 2x0 OK\r\n\r\n", "!502 a status is three digits"},
    {"HTTP/1.1 099 OK\r\n\r\n", "!502 a status is at least 100"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool is_response(const char *text)
{
    return strncmp(text, "HTTP/", 5) == 0;
}

// Bodies before an error may be told in parts of any length; how long they were is not certain.
static void compare(struct reading *r, const char *want)
{
    if (!r->is_bad) {
        assert_string_equal(r->line.text, want);
        return;
    }
    const char *got_why = strchr(r->line.text, '!'), *want_why = strchr(want, '!');
    assert_non_null(want_why);
    assert_string_equal(got_why, want_why);
}

static void a_text_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t len = strlen(rows[i].text);
        for (size_t piece = 0; piece <= (len > 0 ? len : 1); piece++) {
            struct reading r;
            begin(&r, is_response(rows[i].text));
            read_in_pieces(&r, rows[i].text, len, piece, i);
            compare(&r, rows[i].want);
            finish(&r);
        }
    }
}

static void a_head_of_more_than_64_KiB_is_refused(void **state)
{
    (void)state;
    struct reading r;
    begin(&r, false);
    feed(&r, "GET / HTTP/1.1\r\n", 16);
    char line[1024];
    memset(line, 'a', sizeof(line));
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    for (int i = 0; i < 63; i++)
        feed(&r, line, sizeof(line));
    assert_false(r.is_bad);
    feed(&r, line, sizeof(line));
    assert_string_equal(r.line.text, "!431 a head of more than 64 KiB");
    finish(&r);
}

static size_t change(char *text, size_t len, struct lz_draw *draw)
{
    static const char bytes[] = "\r\n :;0159aFHTP/,\t\x80";
    uint64_t times = 1 + lz_draw_below(draw, 2);
    for (uint64_t i = 0; i < times && len > 1; i++) {
        size_t at = (size_t)lz_draw_below(draw, len);
        switch (lz_draw_below(draw, 3)) {
        case 0:
            text[at] = bytes[lz_draw_below(draw, sizeof(bytes) - 1)];
            break;
        case 1:
            memmove(text + at, text + at + 1, len - at - 1);
            len--;
            break;
        default:
            memmove(text + at + 1, text + at, len - at - 1);
            text[at] = bytes[lz_draw_below(draw, sizeof(bytes) - 1)];
            break;
        }
    }
    return len;
}

static void changed_texts_are_understood_or_refused_and_never_depend_on_the_cut(void **state)
{
    (void)state;
    size_t refused = 0;
    for (uint64_t i = 0; i < CHANGES; i++) {
        struct lz_draw draw = lz_draw_begin(7, i, LZ_PURPOSE_SCRIPT, 0);
        const char *from = rows[i % GOOD].text;
        char text[512];
        size_t len = strlen(from);
        memcpy(text, from, len);
        len = change(text, len, &draw);
        struct reading whole, cut;
        begin(&whole, is_response(from));
        begin(&cut, is_response(from));
        feed(&whole, text, len);
        end(&whole);
        read_in_pieces(&cut, text, len, 0, i);
        assert_int_equal(whole.is_bad, cut.is_bad);
        compare(&cut, whole.line.text);
        refused += whole.is_bad;
        finish(&whole);
        finish(&cut);
    }
    // Both kinds were met, or this would prove little.
    assert_in_range(refused, CHANGES / 10, CHANGES * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_the_same_however_it_is_cut),
        cmocka_unit_test(a_head_of_more_than_64_KiB_is_refused),
        cmocka_unit_test(changed_texts_are_understood_or_refused_and_never_depend_on_the_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
