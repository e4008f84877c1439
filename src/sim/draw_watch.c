#include "sim/draw_watch.h"

#include "base/check.h"
#include "sim/draw.h"

const struct lz_draw_watch *lz_draw_watch_now;

// What is not here is not drawn while a world runs, or shares its number with what is.
static const struct {
    enum lz_purpose purpose;
    const char *name;
} purposes[] = {
    {LZ_PURPOSE_ARRIVAL, "arrival"},
    {LZ_PURPOSE_SERVICE, "service time"},
    {LZ_PURPOSE_ERROR, "whether it is an error"},
    {LZ_PURPOSE_NET_OUT, "network, request"},
    {LZ_PURPOSE_NET_BACK, "network, answer"},
    {LZ_PURPOSE_BACKOFF, "backoff"},
    {LZ_PURPOSE_BALANCE, "which replica"},
    {LZ_PURPOSE_PICK, "which targets a fault hits"},
    {LZ_PURPOSE_KEY, "which key"},
    {LZ_PURPOSE_PROBE, "health check"},
    {LZ_PURPOSE_LOG, "replication"},
    {LZ_PURPOSE_SAMPLE, "whether its spans are kept"},
    {LZ_PURPOSE_SCRIPT, "rand()"},
    {LZ_PURPOSE_THINK, "think time"},
    {LZ_PURPOSE_LEAVE, "whether the session ends"},
    {LZ_PURPOSE_THIN, "whether a request of the surge comes"},
    {LZ_PURPOSE_VERSION, "which version serves"},
    {LZ_PURPOSE_PATIENCE, "patience in the queue"},
    {LZ_PURPOSE_RESOLVER, "which resolver"},
    {LZ_PURPOSE_LOOKUP, "lookup time"},
    {LZ_PURPOSE_FILTER, "whether a fault touches it"},
    {LZ_PURPOSE_PHASE, "phase of a period"},
    {LZ_PURPOSE_DISK, "disk"},
    {LZ_PURPOSE_STARTUP, "start-up time"},
    {LZ_PURPOSE_TOKEN, "token"},
    {LZ_PURPOSE_ELECTION, "election timeout"},
    {LZ_PURPOSE_ROUTE, "convergence of routes"},
    {LZ_PURPOSE_SESSION, "end of a session"},
    {LZ_PURPOSE_THROTTLE, "whether its caller rejects it"},
    {LZ_PURPOSE_JITTER, "when the fault comes"},
    {LZ_PURPOSE_SWARM, "whether the fault is left out"},
    {LZ_PURPOSE_ORDER, "order of messages"},
    {LZ_PURPOSE_CHAOS, "what chaos brings"},
    {LZ_PURPOSE_EVICT, "which key is evicted"},
    {LZ_PURPOSE_EXPIRE, "which keys are looked at for expiry"},
    {LZ_PURPOSE_COUNTER, "whether a use is counted"},
    {LZ_PURPOSE_HOT, "whether it is for the hot key"},
    {LZ_PURPOSE_EARLY, "whether a value is made early"},
    {LZ_PURPOSE_SENTINEL, "when a sentinel acts"},
    {LZ_PURPOSE_QUORUM, "which copies answer first"},
    {LZ_PURPOSE_BUS, "gossip"},
};

void lz_draw_watch_owner(enum lz_draw_watch_path kind, uint64_t from, uint64_t index,
                         const char *name, uint64_t path)
{
    LZ_ASSERT(lz_draw_watch_now != NULL);
    LZ_ASSERT((kind == LZ_DRAW_WATCH_NAME) == (name != NULL));
    const struct lz_draw_watch_owner owner = {
        .kind = kind, .path = path, .from = from, .index = index, .name = name};
    if (lz_draw_watch_now->owner != NULL)
        lz_draw_watch_now->owner(lz_draw_watch_now->ctx, &owner);
}

void lz_draw_watch_duration(int64_t ns)
{
    LZ_ASSERT(lz_draw_watch_now != NULL);
    if (lz_draw_watch_now->duration != NULL)
        lz_draw_watch_now->duration(lz_draw_watch_now->ctx, ns);
}

const char *lz_draw_watch_purpose(unsigned purpose)
{
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
        if (purposes[i].purpose == purpose)
            return purposes[i].name;
    return "chance";
}
