/*
 * http.h — where HTTP/1.1 messages begin and end in a stream, and what their heads say.
 *
 * An incremental parser (RFC 9112): fed with bytes as they come, it says what it found and how
 * many bytes that took; the rest is fed again. How the bytes are cut does not matter. Heads are
 * kept whole, so that they can be held back, read and changed; bodies pass by and are never kept.
 *
 *     while (len > 0) {
 *         switch (lz_http_feed(&h, bytes, len, &used)) {
 *         case LZ_HTTP_HEAD: h.head .. h.head_len, h.method or h.status; of a response:
 *                            lz_http_answers(&h, ...) now, for it depends on the request
 *         case LZ_HTTP_BODY: bytes .. used, with the framing of chunks and trailers
 *         case LZ_HTTP_END:  the message is complete; the next feed begins another
 *         case LZ_HTTP_MORE: all was taken in, nothing to tell yet
 *         case LZ_HTTP_BAD:  h.why; it stays bad
 *
 * Lines may end with LF alone. Refused, because two readers could see two different messages in
 * it: a length beside chunks, two lengths that differ, folded lines, a coding other than chunked
 * at the end. A head is at most LZ_HTTP_HEAD_MAX bytes.
 */
#ifndef LZ_LIVE_PROXY_HTTP_H
#define LZ_LIVE_PROXY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LZ_HTTP_HEAD_MAX 65536u
#define LZ_HTTP_METHOD_SIZE 24

enum lz_http_step { LZ_HTTP_MORE, LZ_HTTP_HEAD, LZ_HTTP_BODY, LZ_HTTP_END, LZ_HTTP_BAD };

enum lz_http_state {
    LZ_HTTP_IN_HEAD,
    LZ_HTTP_HEAD_TOLD, /* what follows is decided by the next feed */
    LZ_HTTP_IN_LENGTH,
    LZ_HTTP_IN_CHUNK_SIZE,
    LZ_HTTP_IN_CHUNK_EXT,
    LZ_HTTP_IN_CHUNK,
    LZ_HTTP_IN_CHUNK_CR,
    LZ_HTTP_IN_CHUNK_LF,
    LZ_HTTP_IN_TRAILER,
    LZ_HTTP_TO_EOF,
    LZ_HTTP_IS_BAD,
};

struct lz_http {
    bool is_response;
    enum lz_http_state state;
    char *head;
    uint32_t head_len, head_cap;
    uint64_t left; /* of the body, of the chunk, of the trailer's limit */
    uint32_t digits, line_len;
    bool ends; /* END is due */
    /* what the last head said */
    char method[LZ_HTTP_METHOD_SIZE];
    uint32_t path_at, path_len; /* in head */
    unsigned status, minor;
    bool has_length, is_chunked, expects, closes, has_body;
    uint64_t length;
    unsigned bad_status; /* what to answer a request that is bad: 400, 431, 501, 505 */
    const char *why;
};

void lz_http_init(struct lz_http *h, bool is_response);
void lz_http_finish(struct lz_http *h);

enum lz_http_step lz_http_feed(struct lz_http *h, const char *bytes, size_t len, size_t *used);

/* After the HEAD of a response: what it answers. A HEAD's answer has no body, whatever it says. */
void lz_http_answers(struct lz_http *h, bool is_head, bool is_connect);

/* The stream is at its end: END if that completes the message, MORE if none had begun, else BAD. */
enum lz_http_step lz_http_eof(struct lz_http *h);

/* Where a field of a head is: zero before the first is asked for. */
struct lz_http_field {
    size_t at;         /* of the line after it; 0: the head's first line is still to be passed */
    const char *value; /* without the blanks around it */
    size_t len;
};

/* The next field of that name in a whole head, whatever the case it is written in. False: none. */
bool lz_http_next_field(const char *head, size_t head_len, const char *name, size_t name_len,
                        struct lz_http_field *field);

/* Nothing of a message has been read. */
bool lz_http_is_idle(const struct lz_http *h);

/* "Service Unavailable"; "Unknown" for a status that has no name. */
const char *lz_http_reason(unsigned status);

#endif
