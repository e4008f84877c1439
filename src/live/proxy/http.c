#include "live/proxy/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"

#define HEAD_FIRST 1024u
#define CHUNK_DIGITS_MAX 15u // a chunk of 2^60 bytes does not end in our lifetime
#define CHUNK_LINE_MAX 4096u
#define TRAILER_MAX 16384u

// One line of a head, without its end.
struct line {
    const char *text;
    size_t len;
};

void lz_http_init(struct lz_http *h, bool is_response)
{
    *h = (struct lz_http){.is_response = is_response, .bad_status = 400};
}

void lz_http_finish(struct lz_http *h)
{
    free(h->head);
    h->head = NULL;
}

bool lz_http_is_idle(const struct lz_http *h)
{
    return h->state == LZ_HTTP_IN_HEAD && (h->head_len == 0 || h->ends);
}

static enum lz_http_step bad(struct lz_http *h, unsigned status, const char *why)
{
    h->state = LZ_HTTP_IS_BAD;
    h->bad_status = status;
    h->why = why;
    return LZ_HTTP_BAD;
}

// The next line from `at`, which moves behind it.
static struct line next_line(const struct lz_http *h, uint32_t *at)
{
    const char *begin = h->head + *at;
    const char *end = memchr(begin, '\n', h->head_len - *at);
    LZ_ASSERT(end != NULL);
    *at = (uint32_t)(end + 1 - h->head);
    if (end > begin && end[-1] == '\r')
        end--;
    return (struct line){begin, (size_t)(end - begin)};
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool parse_version(struct lz_http *h, const char *text, size_t len)
{
    if (len == 8 && memcmp(text, "HTTP/1.", 7) == 0 && text[7] >= '0' && text[7] <= '1') {
        h->minor = (unsigned)(text[7] - '0');
        return true;
    }
    if (len == 8 && memcmp(text, "HTTP/2.0", 8) == 0)
        bad(h, 505, "this is HTTP/2, and only HTTP/1.1 can be looked into");
    else
        bad(h, 400, "no HTTP/1.1 message begins like this");
    return false;
}

static bool parse_request_line(struct lz_http *h, struct line l)
{
    size_t n = 0;
    while (n < l.len && is_token_char(l.text[n]))
        n++;
    if (n == 0 || n >= l.len || l.text[n] != ' ' || n >= LZ_HTTP_METHOD_SIZE) {
        bad(h, 400, "no HTTP/1.1 request begins like this");
        return false;
    }
    memcpy(h->method, l.text, n);
    h->method[n] = '\0';
    const char *path = l.text + n + 1;
    const char *end = memchr(path, ' ', l.len - n - 1);
    if (end == NULL || end == path) {
        bad(h, 400, "the first line of a request names no path or no version");
        return false;
    }
    h->path_at = (uint32_t)(path - h->head);
    h->path_len = (uint32_t)(end - path);
    return parse_version(h, end + 1, (size_t)(l.text + l.len - end - 1));
}

static bool parse_status_line(struct lz_http *h, struct line l)
{
    if (l.len < 12 || l.text[8] != ' ' || (l.len > 12 && l.text[12] != ' ')) {
        bad(h, 502, "no HTTP/1.1 response begins like this");
        return false;
    }
    h->status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (l.text[i] < '0' || l.text[i] > '9') {
            bad(h, 502, "a status is three digits");
            return false;
        }
        h->status = h->status * 10 + (unsigned)(l.text[i] - '0');
    }
    if (h->status < 100) {
        bad(h, 502, "a status is at least 100");
        return false;
    }
    return parse_version(h, l.text, 8);
}

static bool is_named(struct line name, const char *want)
{
    return name.len == strlen(want) && strncasecmp(name.text, want, name.len) == 0;
}

// Is `word` one of the comma-separated words of a value, or with `last` its last one?
static bool has_word(struct line value, const char *word, bool last)
{
    size_t want = strlen(word);
    bool found = false;
    size_t at = 0;
    while (at <= value.len) {
        const char *begin = value.text + at;
        const char *comma = memchr(begin, ',', value.len - at);
        size_t n = comma != NULL ? (size_t)(comma - begin) : value.len - at;
        at += n + 1;
        while (n > 0 && (*begin == ' ' || *begin == '\t'))
            begin++, n--;
        while (n > 0 && (begin[n - 1] == ' ' || begin[n - 1] == '\t'))
            n--;
        if (n == 0)
            continue;
        bool same = n == want && strncasecmp(begin, word, n) == 0;
        found = last ? same : found || same;
    }
    return found;
}

static struct line trimmed(struct line value)
{
    while (value.len > 0 && (*value.text == ' ' || *value.text == '\t'))
        value.text++, value.len--;
    while (value.len > 0 && (value.text[value.len - 1] == ' ' || value.text[value.len - 1] == '\t'))
        value.len--;
    return value;
}

bool lz_http_next_field(const char *head, size_t head_len, const char *name, size_t name_len,
                        struct lz_http_field *field)
{
    while (field->at < head_len) {
        bool is_first = field->at == 0;
        const char *begin = head + field->at;
        const char *end = memchr(begin, '\n', head_len - field->at);
        LZ_ASSERT(end != NULL); // a whole head ends with a line end
        field->at = (size_t)(end + 1 - head);
        if (end > begin && end[-1] == '\r')
            end--;
        size_t len = (size_t)(end - begin);
        if (is_first || len <= name_len || begin[name_len] != ':' ||
            strncasecmp(begin, name, name_len) != 0)
            continue;
        struct line value = trimmed((struct line){begin + name_len + 1, len - name_len - 1});
        field->value = value.text;
        field->len = value.len;
        return true;
    }
    return false;
}

static bool parse_length(struct lz_http *h, struct line value)
{
    uint64_t length = 0;
    if (value.len == 0 || value.len > 18) {
        bad(h, 400, "a Content-Length is a number of at most 18 digits");
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.text[i] < '0' || value.text[i] > '9') {
            bad(h, 400, "a Content-Length is a number of at most 18 digits");
            return false;
        }
        length = length * 10 + (uint64_t)(value.text[i] - '0');
    }
    if (h->has_length && h->length != length) {
        bad(h, 400, "two Content-Lengths that differ");
        return false;
    }
    h->has_length = true;
    h->length = length;
    return true;
}

static bool parse_field(struct lz_http *h, struct line l)
{
    if (l.text[0] == ' ' || l.text[0] == '\t') {
        bad(h, 400, "a header line that is folded");
        return false;
    }
    const char *colon = memchr(l.text, ':', l.len);
    struct line name = {l.text, colon != NULL ? (size_t)(colon - l.text) : 0};
    bool is_name = name.len > 0;
    for (size_t i = 0; i < name.len; i++)
        is_name = is_name && is_token_char(l.text[i]);
    if (!is_name) {
        bad(h, 400, "a header line without a name and a colon");
        return false;
    }
    struct line value = trimmed((struct line){colon + 1, l.len - name.len - 1});
    if (is_named(name, "content-length"))
        return parse_length(h, value);
    if (is_named(name, "transfer-encoding")) {
        if (h->is_chunked || !has_word(value, "chunked", true)) {
            bad(h, 501, "a Transfer-Encoding that does not end with chunked");
            return false;
        }
        h->is_chunked = true;
    } else if (is_named(name, "expect")) {
        h->expects = has_word(value, "100-continue", false);
    } else if (is_named(name, "connection")) {
        h->closes = h->closes || has_word(value, "close", false);
    }
    return true;
}

static enum lz_http_step parse_head(struct lz_http *h)
{
    uint32_t at = 0;
    struct line first = next_line(h, &at);
    if (h->is_response ? !parse_status_line(h, first) : !parse_request_line(h, first))
        return LZ_HTTP_BAD;
    for (;;) {
        struct line l = next_line(h, &at);
        if (l.len == 0)
            break;
        if (memchr(l.text, '\0', l.len) != NULL)
            return bad(h, 400, "a header line with a zero byte");
        if (!parse_field(h, l))
            return LZ_HTTP_BAD;
    }
    LZ_ASSERT(at == h->head_len);
    if (h->is_chunked && h->has_length)
        return bad(h, 400, "a Content-Length beside a Transfer-Encoding");
    h->has_body = h->is_chunked || h->has_length || h->is_response;
    h->state = LZ_HTTP_HEAD_TOLD;
    return LZ_HTTP_HEAD;
}

static void begin_message(struct lz_http *h)
{
    h->head_len = 0;
    h->ends = false;
    h->is_chunked = h->has_length = h->expects = h->closes = false;
    h->length = 0;
    h->status = 0;
    h->method[0] = '\0';
}

static void keep(struct lz_http *h, const char *bytes, size_t len)
{
    if (h->head_len + len > h->head_cap) {
        uint32_t cap = h->head_cap > 0 ? h->head_cap : HEAD_FIRST;
        while (cap < h->head_len + len)
            cap *= 2;
        h->head = lz_mem_resize(h->head, cap);
        h->head_cap = cap;
    }
    memcpy(h->head + h->head_len, bytes, len);
    h->head_len += (uint32_t)len;
}

// Is the line that has just ended an empty one?
static bool ends_empty(const struct lz_http *h)
{
    const char *end = h->head + h->head_len;
    LZ_ASSERT(end[-1] == '\n');
    if (h->head_len >= 2 && end[-2] == '\n')
        return true;
    return h->head_len >= 3 && end[-2] == '\r' && end[-3] == '\n';
}

static bool is_blank(const struct lz_http *h)
{
    return (h->head_len == 1 && h->head[0] == '\n') ||
           (h->head_len == 2 && h->head[0] == '\r' && h->head[1] == '\n');
}

static enum lz_http_step feed_head(struct lz_http *h, const char *bytes, size_t len, size_t *used)
{
    if (h->ends)
        begin_message(h);
    size_t at = 0;
    while (at < len) {
        const char *end = memchr(bytes + at, '\n', len - at);
        size_t n = end != NULL ? (size_t)(end + 1 - bytes) - at : len - at;
        if (h->head_len + n > LZ_HTTP_HEAD_MAX) {
            *used = at;
            return bad(h, 431, "a head of more than 64 KiB");
        }
        keep(h, bytes + at, n);
        at += n;
        *used = at;
        if (end == NULL)
            break;
        if (is_blank(h) && !h->is_response)
            h->head_len = 0; // some clients end a body with one line end too many
        else if (h->head_len <= 2 && is_blank(h))
            return bad(h, 502, "no HTTP/1.1 response begins like this");
        else if (ends_empty(h))
            return parse_head(h);
    }
    return LZ_HTTP_MORE;
}

static enum lz_http_step end_message(struct lz_http *h)
{
    h->state = LZ_HTTP_IN_HEAD;
    h->ends = true;
    return LZ_HTTP_END;
}

void lz_http_answers(struct lz_http *h, bool is_head, bool is_connect)
{
    LZ_ASSERT(h->is_response);
    LZ_ASSERT(h->state == LZ_HTTP_HEAD_TOLD);
    bool is_bare = h->status < 200 || h->status == 204 || h->status == 304;
    h->has_body = !is_head && !is_bare && !(is_connect && h->status < 300);
}

static void begin_body(struct lz_http *h)
{
    h->digits = 0;
    h->line_len = 0;
    h->left = h->is_chunked ? 0 : h->length;
    if (h->is_chunked)
        h->state = LZ_HTTP_IN_CHUNK_SIZE;
    else if (h->has_length)
        h->state = LZ_HTTP_IN_LENGTH;
    else
        h->state = LZ_HTTP_TO_EOF;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool end_chunk_line(struct lz_http *h)
{
    if (h->digits == 0) {
        bad(h, 400, "a chunk without its size");
        return false;
    }
    h->state = h->left > 0 ? LZ_HTTP_IN_CHUNK : LZ_HTTP_IN_TRAILER;
    h->digits = 0;
    h->line_len = 0;
    return true;
}

static bool step_size(struct lz_http *h, char c)
{
    int digit = hex(c);
    if (digit >= 0 && ++h->digits <= CHUNK_DIGITS_MAX) {
        h->left = h->left * 16 + (uint64_t)digit;
        return true;
    }
    if (c == '\n')
        return end_chunk_line(h);
    if (c != ';' && c != '\r' && c != ' ' && c != '\t') {
        bad(h, 400, "a chunk's size is up to 15 hexadecimal digits");
        return false;
    }
    h->state = LZ_HTTP_IN_CHUNK_EXT;
    return true;
}

// One byte of what stands between chunks. False: bad.
static bool step_framing(struct lz_http *h, char c, bool *done)
{
    h->line_len++;
    switch (h->state) {
    case LZ_HTTP_IN_CHUNK_SIZE:
        return step_size(h, c);
    case LZ_HTTP_IN_CHUNK_EXT:
        if (h->line_len > CHUNK_LINE_MAX) {
            bad(h, 400, "a chunk's first line of more than 4 KiB");
            return false;
        }
        return c != '\n' || end_chunk_line(h);
    case LZ_HTTP_IN_CHUNK_CR:
    case LZ_HTTP_IN_CHUNK_LF:
        if (c == '\r' && h->state == LZ_HTTP_IN_CHUNK_CR) {
            h->state = LZ_HTTP_IN_CHUNK_LF;
            return true;
        }
        if (c != '\n') {
            bad(h, 400, "a chunk that is longer than its size");
            return false;
        }
        h->state = LZ_HTTP_IN_CHUNK_SIZE;
        h->line_len = 0;
        return true;
    default:
        LZ_ASSERT(h->state == LZ_HTTP_IN_TRAILER);
        if (++h->left > TRAILER_MAX) {
            bad(h, 400, "a trailer of more than 16 KiB");
            return false;
        }
        // `digits` counts what the line has so far besides its end.
        if (c == '\n') {
            *done = h->digits == 0;
            h->digits = 0;
        } else if (c != '\r') {
            h->digits = 1;
        }
        return true;
    }
}

static enum lz_http_step feed_chunks(struct lz_http *h, const char *bytes, size_t len, size_t *used)
{
    size_t at = 0;
    while (at < len) {
        if (h->state == LZ_HTTP_IN_CHUNK) {
            size_t n = h->left < len - at ? (size_t)h->left : len - at;
            h->left -= n;
            at += n;
            if (h->left == 0)
                h->state = LZ_HTTP_IN_CHUNK_CR;
            continue;
        }
        bool done = false;
        if (!step_framing(h, bytes[at], &done))
            return LZ_HTTP_BAD;
        at++;
        if (done) {
            // END comes with the next feed, which may be of nothing.
            h->is_chunked = false;
            h->has_length = true;
            h->left = 0;
            h->state = LZ_HTTP_IN_LENGTH;
            break;
        }
    }
    *used = at;
    return LZ_HTTP_BODY;
}

enum lz_http_step lz_http_feed(struct lz_http *h, const char *bytes, size_t len, size_t *used)
{
    *used = 0;
    if (h->state == LZ_HTTP_HEAD_TOLD) {
        if (!h->has_body)
            return end_message(h);
        begin_body(h);
    }
    switch (h->state) {
    case LZ_HTTP_IS_BAD:
        return LZ_HTTP_BAD;
    case LZ_HTTP_IN_HEAD:
        return feed_head(h, bytes, len, used);
    case LZ_HTTP_IN_LENGTH:
        if (h->left == 0)
            return end_message(h);
        if (len == 0)
            return LZ_HTTP_MORE;
        *used = h->left < len ? (size_t)h->left : len;
        h->left -= *used;
        return LZ_HTTP_BODY;
    case LZ_HTTP_TO_EOF:
        *used = len;
        return len > 0 ? LZ_HTTP_BODY : LZ_HTTP_MORE;
    default:
        return len > 0 ? feed_chunks(h, bytes, len, used) : LZ_HTTP_MORE;
    }
}

enum lz_http_step lz_http_eof(struct lz_http *h)
{
    size_t used;
    if (h->state == LZ_HTTP_TO_EOF)
        return end_message(h);
    if (h->state == LZ_HTTP_HEAD_TOLD && h->has_body && !h->has_length && !h->is_chunked)
        return end_message(h);
    if (h->state == LZ_HTTP_HEAD_TOLD || (h->state == LZ_HTTP_IN_LENGTH && h->left == 0))
        return lz_http_feed(h, "", 0, &used) == LZ_HTTP_END ? LZ_HTTP_END
                                                            : bad(h, 400, "it ends in a body");
    if (lz_http_is_idle(h))
        return LZ_HTTP_MORE;
    if (h->state == LZ_HTTP_IS_BAD)
        return LZ_HTTP_BAD;
    return bad(h, 400, h->state == LZ_HTTP_IN_HEAD ? "it ends in a head" : "it ends in a body");
}

const char *lz_http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}
