// tier3_simgrid.cpp — users, a balancer, three copies of an app, a database: 500 requests a second,
// as `tier3` of bench_model.c has them, with SimGrid's actors and messages.
//
//     tier3_simgrid messages|actors SECONDS [--cfg=...]
//
// With messages each request is an actor of its own, which waits 2 s at most; the balancer is two that pass
// messages on, one by turns to the apps, one back; an app is 64 workers, who wait 500 ms at most for the
// database's answer; the database is 100. Work is time asleep (nothing contends for cores, there as
// here). Six messages a request, over links of 15 ms, 40 ms, 0.15 or 0.6 ms one way.
// With actors nothing is sent: a request is three actors that sleep for each way and hold a place at
// an app and at the database, and two that join the next with a timeout. The mean time of a request must be the one
// that follows from the model, 116.9 ms, or the program says so and fails.
#include <sys/resource.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include <simgrid/s4u.hpp>

namespace sg4 = simgrid::s4u;

enum { APPS = 3, WORKERS = 64, CONNECTIONS = 100, SIZE = 100 };

struct message {
    sg4::Mailbox *back; // who waits for the answer
};

static uint64_t state = 42, begun, answered, failed;
static double seconds_sum, end_of_arrivals;

static double exponential(double mean)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return -mean * std::log(((double)(state >> 11) + 1) * 0x1p-53);
}

static double processor_seconds()
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// What an actor waits for; false: it did not come in time, and it is not waited for any longer.
static bool wait_answer(sg4::Mailbox *box, double patience)
{
    try {
        delete box->get<message>(patience);
        return true;
    } catch (const simgrid::TimeoutException &) {
        failed++;
        return false;
    }
}

static void send(sg4::Mailbox *to, sg4::Mailbox *back)
{
    to->put_init(new message{back}, SIZE)->detach();
}

static void user(uint64_t number)
{
    double start = sg4::Engine::get_clock();
    sg4::Mailbox *box = sg4::Mailbox::by_name("user " + std::to_string(number));
    send(sg4::Mailbox::by_name("lb"), box);
    if (wait_answer(box, 2.0)) {
        answered++;
        seconds_sum += sg4::Engine::get_clock() - start;
    }
}

static void arrivals()
{
    for (;;) {
        sg4::this_actor::sleep_for(exponential(1.0 / 500));
        if (sg4::Engine::get_clock() >= end_of_arrivals)
            return;
        sg4::Actor::create("user", sg4::this_actor::get_host(), user, begun % 4096);
        begun++;
    }
}

// What is sent to it travels at once (an actor that is the mailbox's own receiver), as nobody
// would wait for the one before; answers have a mailbox of their own, since a mailbox gives in the
// order of sending and they travel longer.
static void balancer(bool is_back)
{
    sg4::Mailbox *box = sg4::Mailbox::by_name(is_back ? "lb back" : "lb"), *apps[APPS];
    box->set_receiver(sg4::Actor::self());
    for (int i = 0; i < APPS; i++)
        apps[i] = sg4::Mailbox::by_name("app " + std::to_string(i));
    for (uint64_t turn = 0;;) {
        message *m = box->get<message>();
        send(is_back ? m->back : apps[turn++ % APPS], m->back);
        delete m;
    }
}

static void app_worker(int app, int worker)
{
    sg4::Mailbox *box = sg4::Mailbox::by_name("app " + std::to_string(app));
    sg4::Mailbox *own =
        sg4::Mailbox::by_name("worker " + std::to_string(app) + "." + std::to_string(worker));
    sg4::Mailbox *lb = sg4::Mailbox::by_name("lb back"), *db = sg4::Mailbox::by_name("db");
    for (;;) {
        message *m = box->get<message>();
        sg4::this_actor::sleep_for(exponential(4e-3));
        send(db, own);
        wait_answer(own, 0.5);
        send(lb, m->back);
        delete m;
    }
}

static void connection()
{
    sg4::Mailbox *box = sg4::Mailbox::by_name("db");
    for (;;) {
        message *m = box->get<message>();
        sg4::this_actor::sleep_for(exponential(2e-3));
        send(m->back, nullptr);
        delete m;
    }
}

static sg4::SemaphorePtr places[APPS], connections;

static void query(double way)
{
    sg4::this_actor::sleep_for(way);
    connections->acquire();
    sg4::this_actor::sleep_for(exponential(2e-3));
    connections->release();
    sg4::this_actor::sleep_for(way);
}

static void request(int app)
{
    sg4::Host *host = sg4::this_actor::get_host();
    sg4::this_actor::sleep_for(15e-3);
    sg4::this_actor::sleep_for(40e-3);
    places[app]->acquire();
    sg4::this_actor::sleep_for(exponential(4e-3));
    sg4::Actor::create("query", host, query, app == 0 ? 0.15e-3 : 0.6e-3)->join(0.5);
    places[app]->release();
    sg4::this_actor::sleep_for(40e-3);
    sg4::this_actor::sleep_for(15e-3);
}

static void waiting_user(int app)
{
    double start = sg4::Engine::get_clock();
    sg4::Actor::create("request", sg4::this_actor::get_host(), request, app)->join(2.0);
    double took = sg4::Engine::get_clock() - start;
    answered++;
    failed += took >= 2.0;
    seconds_sum += took;
}

static void waiting_arrivals()
{
    for (;;) {
        sg4::this_actor::sleep_for(exponential(1.0 / 500));
        if (sg4::Engine::get_clock() >= end_of_arrivals)
            return;
        sg4::Actor::create("user", sg4::this_actor::get_host(), waiting_user, (int)(begun++ % APPS));
    }
}

static void build_actors()
{
    sg4::NetZone *zone = sg4::create_full_zone("world");
    sg4::Host *host = zone->create_host("host", 1e9)->seal();
    zone->seal();
    for (int i = 0; i < APPS; i++)
        places[i] = sg4::Semaphore::create(WORKERS);
    connections = sg4::Semaphore::create(CONNECTIONS);
    sg4::Actor::create("arrivals", host, waiting_arrivals);
}

static void join(sg4::NetZone *zone, sg4::Host *a, sg4::Host *b, double latency)
{
    sg4::Link *link = zone->create_link(a->get_name() + "-" + b->get_name(), 1.25e9);
    link->set_latency(latency)->set_sharing_policy(sg4::Link::SharingPolicy::FATPIPE)->seal();
    zone->add_route(a->get_netpoint(), b->get_netpoint(), nullptr, nullptr, {sg4::LinkInRoute(link)});
}

static void build()
{
    sg4::NetZone *zone = sg4::create_full_zone("world");
    sg4::Host *users = zone->create_host("users", 1e9)->seal();
    sg4::Host *lb = zone->create_host("lb", 1e9)->seal(), *db = zone->create_host("db", 1e9)->seal();
    join(zone, users, lb, 15e-3);
    sg4::Actor::create("lb", lb, balancer, false)->daemonize();
    sg4::Actor::create("lb back", lb, balancer, true)->daemonize();
    for (int i = 0; i < APPS; i++) {
        sg4::Host *app = zone->create_host("app" + std::to_string(i), 1e9)->seal();
        join(zone, lb, app, 40e-3);
        join(zone, app, db, i == 0 ? 0.15e-3 : 0.6e-3);
        for (int k = 0; k < WORKERS; k++)
            sg4::Actor::create("app", app, app_worker, i, k)->daemonize();
    }
    zone->seal();
    for (int i = 0; i < CONNECTIONS; i++)
        sg4::Actor::create("db", db, connection)->daemonize();
    sg4::Actor::create("arrivals", users, arrivals);
}

int main(int argc, char **argv)
{
    sg4::Engine engine(&argc, argv);
    sg4::Engine::set_config("network/model:CM02"); // the default stretches latencies by 13
    sg4::Engine::set_config("network/crosstraffic:0");
    std::string how = argc == 3 ? argv[1] : "";
    if (how != "messages" && how != "actors") {
        std::fprintf(stderr, "tier3_simgrid messages|actors SECONDS [--cfg=...]\n");
        return 2;
    }
    end_of_arrivals = std::atof(argv[2]);
    how == "actors" ? build_actors() : build();
    double start = processor_seconds();
    engine.run();
    double took = processor_seconds() - start;

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double mean_ms = seconds_sum / (double)answered * 1e3;
    std::printf("{\"bench\":\"tier3_simgrid/%s\",\"value\":%.6g,\"unit\":\"1/s\",\"rss_kib\":%ld,"
                "\"mean_ms\":%.2f,\"failed\":%lu}\n",
                how.c_str(), (double)begun / took, usage.ru_maxrss, mean_ms, (unsigned long)failed);
    return mean_ms > 116.9 * 0.99 && mean_ms < 116.9 * 1.01 ? 0 : 1;
}
