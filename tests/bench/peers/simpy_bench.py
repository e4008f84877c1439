"""simpy_bench.py: hold, ping-pong, a queue and three tiers on SimPy 3, as bench_kernel.c and
bench_model.c have them.

    simpy_bench.py hold/1e3|pingpong|mm1|tier3

hold      1,000 processes, each asleep for an exponential time of mean 1 ms; events a second
pingpong  two processes wake each other at the same instant; switches a second
mm1       a process for each customer, one server, at 0.9 of what it can do; customers a second
tier3     a process for each request, 500 a second: balancer, three apps of 64 workers that wait
          500 ms at most for a database of 100 connections, users that wait 2 s; requests a second

No metrics, no trace, no phases: the mean time of a customer or request is all that is kept, and
must be the one that follows from the model, or the program says so and fails.
"""
import random
import resource
import sys
import time

import simpy


def hold(env, draw):
    while True:
        yield env.timeout(draw(1000.0))


def hold_1e3():
    count, env, draw = 1_000_000, simpy.Environment(), random.Random(42).expovariate
    for _ in range(1000):
        env.process(hold(env, draw))
    env.run(until=count / 4e6)  # a million events a virtual second
    start = time.process_time()
    env.run(until=count / 4e6 + count / 1e6)
    return count, time.process_time() - start, None


def pingpong():
    count, env = 1_000_000, simpy.Environment()
    balls = [env.event(), env.event()]

    def player(own):
        for _ in range(count // 2):
            yield balls[own]
            balls[own] = env.event()
            balls[1 - own].succeed()

    for own in (0, 1):
        env.process(player(own))
    balls[0].succeed()
    start = time.process_time()
    env.run()
    return count, time.process_time() - start, None


def mm1():
    count, env, draw = 200_000, simpy.Environment(), random.Random(42).expovariate
    server, took = simpy.Resource(env, 1), []

    def customer():
        begun = env.now
        with server.request() as place:
            yield place
            yield env.timeout(draw(1000.0))
        took.append(env.now - begun)

    def arrivals():
        for _ in range(count):
            yield env.timeout(draw(900.0))
            env.process(customer())

    env.process(arrivals())
    start = time.process_time()
    env.run()
    return count, time.process_time() - start, (sum(took) / count * 1e3, 10.0, 0.2)


def tier3():
    count, env, draw = 50_000, simpy.Environment(), random.Random(42).expovariate
    apps = [simpy.Resource(env, 64) for _ in range(3)]
    db, took, turn = simpy.Resource(env, 100), [], [0]

    def query(way):
        yield env.timeout(way)
        with db.request() as place:
            yield place
            yield env.timeout(draw(500.0))
        yield env.timeout(way)

    def serve(app):
        with apps[app].request() as worker:
            yield worker
            yield env.timeout(draw(250.0))
            answer = env.process(query(0.00015 if app == 0 else 0.0006))
            yield answer | env.timeout(0.5)

    def route():
        yield env.timeout(0.015)  # the users' way to the balancer
        turn[0] += 1
        yield env.timeout(0.040)
        yield from serve(turn[0] % 3)
        yield env.timeout(0.040)
        yield env.timeout(0.015)

    def user():
        begun = env.now
        answer = env.process(route())
        yield answer | env.timeout(2.0)
        if answer.triggered:
            took.append(env.now - begun)

    def arrivals():
        for _ in range(count):
            yield env.timeout(draw(500.0))
            env.process(user())

    env.process(arrivals())
    start = time.process_time()
    env.run()
    return count, time.process_time() - start, (sum(took) / len(took) * 1e3, 116.9, 0.01)


WORKLOADS = {"hold/1e3": hold_1e3, "pingpong": pingpong, "mm1": mm1, "tier3": tier3}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in WORKLOADS:
        sys.exit("simpy_bench.py " + "|".join(WORKLOADS))
    count, seconds, check = WORKLOADS[sys.argv[1]]()
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f'{{"bench":"simpy/{sys.argv[1]}","value":{count / seconds:.6g},"unit":"1/s",'
          f'"rss_kib":{kib}}}')
    if check and abs(check[0] - check[1]) > check[1] * check[2]:
        sys.exit(f"a mean of {check[0]:.2f} ms, where {check[1]:.2f} follows from the model")


main()
