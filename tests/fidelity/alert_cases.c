/*
 * One of Alertmanager's acceptance tests, played: what s09_alertmanager.lua writes on standard
 * input, the notifications on standard output (alert_stage.h). A line each, instants in seconds:
 *
 *   route WAIT INTERVAL REPEAT [LABEL ...]    to group by, none: all are one group
 *   timeout SECONDS                           resolve_timeout; default 300
 *   silence FROM UNTIL LABEL VALUE            "*": any value
 *   inhibit LABEL VALUE LABEL VALUE EQUAL ... source, target
 *   alert NAME LABEL=VALUE ...                NAME is a letter
 *   send AT NAME FROM UNTIL                   UNTIL -1: without an end
 *   run UNTIL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert_stage.h"
#include "base/check.h"

#define WORDS_MAX 16
#define LINE_MAX_BYTES 1024
#define STORE_BYTES (1 << 18)

static struct alert_stage stage;
static struct lz_alert_route route;
static struct lz_alert_silence silences[8];
static struct lz_alert_inhibition inhibitions[8];
static struct lz_alert_manager_opts opts = {.routes = &route,
                                            .route_count = 1,
                                            .silences = silences,
                                            .inhibitions = inhibitions,
                                            .resolve_timeout = 300 * LZ_S};

static lz_time instant(const char *text)
{
    double seconds = strtod(text, NULL);
    return seconds < 0.0 ? LZ_FOREVER : (lz_time)(seconds * 1e9 + 0.5);
}

// What is read stays: it is one case, and the process ends with it.
static void *kept(const void *bytes, size_t size)
{
    static _Alignas(16) char store[STORE_BYTES];
    static size_t used;
    void *copy = store + used;
    used += (size + 15) / 16 * 16;
    LZ_ASSERT(used <= sizeof(store));
    return memcpy(copy, bytes, size);
}

static struct lz_alert_names names(char **words, uint32_t count)
{
    return (struct lz_alert_names){kept(words, (count + 1) * sizeof(*words)), count};
}

static struct lz_alert_matchers matcher(char *name, char *value)
{
    struct lz_alert_matcher m = {
        .name = name, .kind = LZ_ALERT_ONE_OF, .values = names((char *[]){value, NULL}, 1)};
    if (strcmp(value, "*") == 0)
        m.kind = LZ_ALERT_ANY;
    return (struct lz_alert_matchers){kept(&m, sizeof(m)), 1};
}

static void add_alert(char **words, uint32_t count)
{
    struct lz_alert_label labels[WORDS_MAX];
    if (stage.manager == NULL)
        alert_stage_init(&stage, &opts);
    stage.shows_times = true;
    for (uint32_t i = 1; i < count; i++) {
        char *value = strchr(words[i], '=');
        LZ_ASSERT(value != NULL);
        *value++ = '\0';
        labels[i - 1] = (struct lz_alert_label){.name = words[i], .value = value};
    }
    alert_stage_add(&stage, words[0],
                    &(struct lz_alert_labels){kept(labels, sizeof(labels)), count - 1});
}

static void send(char **words)
{
    lz_time at = instant(words[0]);
    alert_stage_run(&stage, at);
    for (uint32_t i = 1; i <= stage.count; i++)
        if (strcmp(stage.names[i], words[1]) == 0)
            lz_alert_manager_send(stage.manager, i, instant(words[2]), instant(words[3]), at);
}

static void obey(char **w, uint32_t count)
{
    if (strcmp(w[0], "route") == 0)
        route = (struct lz_alert_route){.group_wait = instant(w[1]),
                                        .group_interval = instant(w[2]),
                                        .repeat_interval = instant(w[3]),
                                        .group_by = names(w + 4, count - 4)};
    else if (strcmp(w[0], "timeout") == 0)
        opts.resolve_timeout = instant(w[1]);
    else if (strcmp(w[0], "silence") == 0)
        silences[opts.silence_count++] = (struct lz_alert_silence){
            .from = instant(w[1]), .until = instant(w[2]), .match = matcher(w[3], w[4])};
    else if (strcmp(w[0], "inhibit") == 0)
        inhibitions[opts.inhibition_count++] =
            (struct lz_alert_inhibition){.source = matcher(w[1], w[2]),
                                         .target = matcher(w[3], w[4]),
                                         .equal = names(w + 5, count - 5)};
    else if (strcmp(w[0], "alert") == 0)
        add_alert(w + 1, count - 1);
    else if (strcmp(w[0], "send") == 0)
        send(w + 1);
    else if (strcmp(w[0], "run") == 0)
        alert_stage_run(&stage, instant(w[1]));
    else
        LZ_UNREACHABLE("a line of its own language");
}

int main(void)
{
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *words[WORDS_MAX] = {NULL}, *rest = kept(line, strlen(line) + 1), *next;
        uint32_t count = 0;
        while ((next = strtok_r(rest, " \n", &rest)) != NULL && count < WORDS_MAX - 1)
            words[count++] = next;
        if (count > 0)
            obey(words, count);
    }
    puts(stage.told);
    return 0;
}
