// hold_ns3.cc — the hold model on ns-3's event queue, as `hold` of bench_kernel.c has it: N events
// are pending, and each that fires schedules the next after an exponential time of mean 1 ms.
//
//     hold_ns3 SCHEDULER N EVENTS DRAWS
//
// SCHEDULER is map (ns-3's default), heap, calendar or priority. DRAWS is `own`, the exponential
// variable that users of ns-3 have (MRG32k3a), or `cheap`, a linear congruence of 64 bits and a
// logarithm, which says how much of an event is the queue's. A quarter as many events go by first.
#include <sys/resource.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "ns3/core-module.h"

static uint64_t left, state = 42;
static bool is_cheap;
static ns3::Ptr<ns3::ExponentialRandomVariable> own;

static double processor_seconds()
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double exponential()
{
    if (!is_cheap)
        return own->GetValue();
    state = state * 6364136223846793005u + 1442695040888963407u;
    return -std::log(((double)(state >> 11) + 1) * 0x1p-53);
}

static void hold(uint32_t entity);

static void again(uint32_t entity)
{
    ns3::Simulator::Schedule(ns3::NanoSeconds((int64_t)(exponential() * 1e6)), &hold, entity);
}

static void hold(uint32_t entity)
{
    again(entity);
    if (--left == 0)
        ns3::Simulator::Stop();
}

static void run(uint64_t events)
{
    left = events;
    ns3::Simulator::Run();
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        std::fprintf(stderr, "hold_ns3 map|heap|calendar|priority N EVENTS own|cheap\n");
        return 2;
    }
    std::string scheduler = argv[1], draws = argv[4];
    uint32_t pending = (uint32_t)std::strtoul(argv[2], nullptr, 10);
    uint64_t events = std::strtoull(argv[3], nullptr, 10);
    is_cheap = draws == "cheap";
    own = ns3::CreateObject<ns3::ExponentialRandomVariable>();
    own->SetAttribute("Mean", ns3::DoubleValue(1.0));

    ns3::ObjectFactory factory;
    factory.SetTypeId(scheduler == "heap"       ? "ns3::HeapScheduler"
                      : scheduler == "calendar" ? "ns3::CalendarScheduler"
                      : scheduler == "priority" ? "ns3::PriorityQueueScheduler"
                                                : "ns3::MapScheduler");
    ns3::Simulator::SetScheduler(factory);
    for (uint32_t i = 0; i < pending; i++)
        again(i);
    run(events / 4);
    double start = processor_seconds();
    run(events);
    double took = processor_seconds() - start;

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    std::printf("{\"bench\":\"hold_ns3/%s/%s/%u\",\"value\":%.6g,\"unit\":\"1/s\","
                "\"rss_kib\":%ld}\n",
                scheduler.c_str(), draws.c_str(), pending, (double)events / took, usage.ru_maxrss);
    return 0;
}
