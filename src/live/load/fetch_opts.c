#include "live/load/fetch_opts.h"

#include <string.h>

#include "base/check.h"
#include "base/curl.h"
#include "base/str.h"

#define H2C_SINCE 0x080000 // libcurl 7.88 breaks a cleartext HTTP/2 connection it uses again

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

bool lz_fetch_opts_check(const struct lz_fetch_opts *opts, struct lz_err *err)
{
    return check_url(opts, err) && check_headers(opts, err);
}

static struct curl_slist *append(struct curl_slist *list, const char *text)
{
    list = curl_slist_append(list, text);
    LZ_ASSERT(list != NULL);
    return list;
}

struct curl_slist *lz_fetch_opts_headers(const struct lz_live_pairs *headers)
{
    struct curl_slist *list = append(NULL, "Expect:"); // a body goes at once, not after a "100"
    list = append(list, "User-Agent: lorenz");
    for (size_t i = 0; i < headers->count; i++) {
        const struct lz_live_pair *h = &headers->items[i];
        struct lz_str line;
        lz_str_init(&line);
        // libcurl's way to write a header that has no value
        lz_str_addf(&line, h->value[0] == '\0' ? "%s;" : "%s: %s", h->name, h->value);
        list = append(list, line.text);
        lz_str_finish(&line);
    }
    return list;
}

struct curl_slist *lz_fetch_opts_route(const char *via)
{
    if (via == NULL)
        return NULL;
    struct lz_str to;
    lz_str_init(&to);
    lz_str_addf(&to, "::%s", via); // whatever host and port the URL has
    struct curl_slist *list = append(NULL, to.text);
    lz_str_finish(&to);
    return list;
}
