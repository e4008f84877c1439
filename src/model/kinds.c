/*
 * kinds.c — the kinds of component and what each measures.
 *
 * The definitions stand beside the model of each kind; this is the one table that
 * people and the language look names up in.
 */
#include "base/check.h"
#include "model/alert/alert.h"
#include "model/alert/alert_record.h"
#include "model/broker/broker.h"
#include "model/broker/consumers.h"
#include "model/broker/topic.h"
#include "model/cache/cache.h"
#include "model/consensus/consensus.h"
#include "model/data/database.h"
#include "model/net/dns.h"
#include "model/net/link.h"
#include "model/node/host.h"
#include "model/real.h"
#include "model/service/gateway.h"
#include "model/service/service.h"
#include "model/store/store.h"
#include "model/traffic/traffic.h"
#include "model/world.h"

static const struct {
    const char *name;
    const struct lz_metric_info *(*metrics)(size_t *count);
} kinds[] = {
    [LZ_COMPONENT_SERVICE] = {"service", lz_service_metrics},
    [LZ_COMPONENT_BALANCER] = {"balancer", lz_service_metrics},
    [LZ_COMPONENT_TRAFFIC] = {"traffic", lz_traffic_metrics},
    [LZ_COMPONENT_DATABASE] = {"database", lz_database_metrics},
    [LZ_COMPONENT_CONSENSUS] = {"consensus", lz_consensus_metrics},
    [LZ_COMPONENT_HOST] = {"host", lz_host_metrics},
    [LZ_COMPONENT_DNS] = {"dns", lz_dns_metrics},
    [LZ_COMPONENT_GATEWAY] = {"gateway", lz_gateway_metrics},
    [LZ_COMPONENT_CACHE] = {"cache", lz_cache_metrics},
    [LZ_COMPONENT_BROKER] = {"broker", lz_broker_metrics},
    [LZ_COMPONENT_TOPIC] = {"topic", lz_topic_metrics},
    [LZ_COMPONENT_CONSUMERS] = {"consumers", lz_consumers_metrics},
    [LZ_COMPONENT_STORE] = {"store", lz_store_metrics},
    [LZ_COMPONENT_LINK] = {"link", lz_link_metrics},
    [LZ_COMPONENT_PROCESS] = {"process", lz_real_process_metrics},
    [LZ_COMPONENT_ENDPOINT] = {"endpoint", lz_real_endpoint_metrics},
    [LZ_COMPONENT_PROBE] = {"probe", lz_real_probe_metrics},
    [LZ_COMPONENT_PROMETHEUS] = {"prometheus", lz_real_prometheus_metrics},
    [LZ_COMPONENT_ALERT] = {"alert", lz_alert_metrics},
    [LZ_COMPONENT_RULE] = {"rule", lz_alert_record_metrics},
};

const char *lz_world_kind_name(enum lz_component_kind kind)
{
    LZ_ASSERT(kind >= 1 && (size_t)kind < sizeof(kinds) / sizeof(kinds[0]));
    return kinds[kind].name;
}

const struct lz_metric_info *lz_world_kind_metrics(enum lz_component_kind kind, size_t *count)
{
    LZ_ASSERT(kind >= 1 && (size_t)kind < sizeof(kinds) / sizeof(kinds[0]));
    return kinds[kind].metrics(count);
}

bool lz_world_kind_calls(enum lz_component_kind kind)
{
    return kind != LZ_COMPONENT_DATABASE && kind != LZ_COMPONENT_CACHE &&
           kind != LZ_COMPONENT_CONSENSUS && kind != LZ_COMPONENT_STORE &&
           kind < LZ_COMPONENT_PROCESS;
}
