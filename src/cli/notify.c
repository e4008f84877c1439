#include "cli/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/curl.h"
#include "base/str.h"
#include "report/json.h"

#define TIMEOUT_S 10L
#define DISTRUSTED 1L // no status of HTTP

enum shape { PLAIN, SLACK, ALERTMANAGER };

static const struct {
    const char *prefix;
    enum shape shape;
} shapes[] = {{"slack:", SLACK}, {"alertmanager:", ALERTMANAGER}, {"", PLAIN}};

// The shape, and in `rest` the URL itself.
static enum shape shape_of(const char *url, const char **rest)
{
    size_t i = 0;
    while (strncmp(url, shapes[i].prefix, strlen(shapes[i].prefix)) != 0)
        i++;
    *rest = url + strlen(shapes[i].prefix);
    return shapes[i].shape;
}

bool lz_notify_check(const char *url, struct lz_err *err)
{
    const char *rest;
    (void)shape_of(url, &rest);
    bool is_known = (strncmp(rest, "https://", 8) == 0 && rest[8] != '\0') ||
                    (strncmp(rest, "http://", 7) == 0 && rest[7] != '\0');
    return is_known || lz_fail(err, LZ_EINVAL,
                               "expected an http:// or https:// address, with slack: or "
                               "alertmanager: before it where it is one, got \"%s\"",
                               url);
}

static void write_plain(const struct lz_notify *n, struct lz_str *out)
{
    lz_str_add(out, "{\"schema\":\"lorenz.notice/1\",\"version\":\"" LZ_VERSION "\",\"command\":");
    lz_json_string(out, n->command);
    lz_str_add(out, ",\"verdict\":");
    lz_json_string(out, n->verdict);
    lz_str_add(out, ",\"summary\":");
    lz_json_string(out, n->summary);
    lz_str_addf(out, ",\"seed\":%" PRIu64 ",\"exit_code\":%d}\n", n->seed, n->exit_code);
}

static void write_slack(const struct lz_notify *n, struct lz_str *out)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_str_addf(&text, "lorenz %s: *%s*\n%s", n->command, n->verdict, n->summary);
    lz_str_add(out, "{\"text\":");
    lz_json_string(out, text.text);
    lz_str_add(out, "}\n");
    lz_str_finish(&text);
}

// An alert that ends now is resolved.
static void write_alert(const struct lz_notify *n, struct lz_str *out)
{
    char now[32];
    time_t t = time(NULL);
    struct tm utc;
    gmtime_r(&t, &utc);
    strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &utc);
    lz_str_add(out, "[{\"labels\":{\"alertname\":\"LorenzVerdict\",\"command\":");
    lz_json_string(out, n->command);
    lz_str_add(out, "},\"annotations\":{\"summary\":");
    lz_json_string(out, n->summary);
    lz_str_add(out, ",\"verdict\":");
    lz_json_string(out, n->verdict);
    lz_str_add(out, "}");
    if (n->exit_code == 0)
        lz_str_addf(out, ",\"endsAt\":\"%s\"", now);
    lz_str_add(out, "}]\n");
}

static size_t swallow(char *bytes, size_t size, size_t count, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * count;
}

// Certificates of one's own, as curl and OpenSSL are told of them; NULL: the system's.
static const char *own_ca(void)
{
    static const char *const names[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *path = getenv(names[i]);
        if (path != NULL && path[0] != '\0')
            return path;
    }
    return NULL;
}

// The status; 0, or DISTRUSTED where asking again changes nothing, with the reason in `why`.
static long post(const char *url, const struct lz_str *body, char *why, size_t size)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        snprintf(why, size, "libcurl cannot be set up");
        return 0;
    }
    long status = 0;
    char said[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->text);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "lorenz/" LZ_VERSION);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
    if (own_ca() != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, own_ca());
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) {
        snprintf(why, size, "%s; SSL_CERT_FILE may name the certificates to trust", said);
        status = DISTRUSTED;
    } else if (code != CURLE_OK) {
        snprintf(why, size, "%s", said[0] != '\0' ? said : curl_easy_strerror(code));
        status = 0;
    } else if (status >= 300) {
        snprintf(why, size, "it answered %ld", status);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

void lz_notify_send(const char *url, const struct lz_notify *notice)
{
    struct lz_str body, address;
    char why[CURL_ERROR_SIZE + 80] = "";
    const char *rest;
    enum shape shape = shape_of(url, &rest);
    lz_str_init(&body);
    lz_str_init(&address);
    lz_str_add(&address, rest);
    if (shape == PLAIN)
        write_plain(notice, &body);
    else if (shape == SLACK)
        write_slack(notice, &body);
    else
        write_alert(notice, &body);
    if (shape == ALERTMANAGER)
        lz_str_add(&address, rest[strlen(rest) - 1] == '/' ? "api/v2/alerts" : "/api/v2/alerts");
    struct lz_err err;
    bool can = lz_curl_load(&err);
    if (!can)
        snprintf(why, sizeof(why), "%s", err.msg);
    long status = 0;
    for (int i = 0; can && i < LZ_NOTIFY_TRIES; i++) {
        const struct timespec pause = {.tv_sec = i};
        nanosleep(&pause, NULL);
        status = post(address.text, &body, why, sizeof(why));
        if (status != 0 && status != 429 && status < 500)
            break;
    }
    if (status < 200 || status >= 300)
        fprintf(stderr, "lorenz: nobody was notified: %s: %s\n", address.text, why);
    lz_str_finish(&body);
    lz_str_finish(&address);
}
