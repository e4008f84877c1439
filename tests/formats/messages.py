#!/usr/bin/env python3
"""messages.py LORENZ SCENARIO — the way of a record through a broker, in traces; TAP.

The spans are read as an OpenTelemetry collector would: kinds, links, parents and the attributes of
its semantic conventions for messaging and for Kafka. Perfetto's arrows are read beside them.
"""
import json
import os
import subprocess
import sys
import tempfile

LORENZ, SCENARIO = sys.argv[1:3]
PRODUCER, CONSUMER, CLIENT, SERVER, INTERNAL = 4, 5, 3, 2, 1

number = 0


def check(is_ok, what, why=""):
    global number
    number += 1
    print(f"{'ok' if is_ok else 'not ok'} {number} - {what}")
    if not is_ok and why:
        print(f"# {why}")


def run(folder):
    out = {kind: os.path.join(folder, kind) for kind in ("otlp", "perfetto", "html")}
    args = [LORENZ, "run", "--keep", "none"]
    for kind, path in out.items():
        args += ["-o", f"{kind}={path}"]
    code = subprocess.run(args + [SCENARIO], stdout=subprocess.DEVNULL, check=False).returncode
    check(code == 0, "the run passes", f"exit {code}")
    return out


def attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


with tempfile.TemporaryDirectory() as folder:
    files = run(folder)
    with open(files["otlp"], encoding="utf-8") as f:
        spans = json.load(f)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    with open(files["perfetto"], encoding="utf-8") as f:
        events = json.load(f)["traceEvents"]
    with open(files["html"], encoding="utf-8") as f:
        page = f.read()

by_id = {s["spanId"]: s for s in spans}
named = {}
for one in spans:
    named.setdefault(one["name"], []).append(one)
sends, appends = named.get("send orders", []), named.get("append orders", [])
copies, polls = named.get("replicate orders", []), named.get("poll orders", [])
works = named.get("process orders", [])

check(len(sends) > 0 and len(sends) == len(appends) == len(copies),
      "each record that a request has written was appended and copied",
      f"{len(sends)} sent, {len(appends)} appended, {len(copies)} copied")
check(len(by_id) == len(spans), "no two spans have one id")
for kind, group, name in ((PRODUCER, sends, "send"), (SERVER, appends, "append"),
                          (INTERNAL, copies, "replicate"), (CLIENT, polls, "poll"),
                          (CONSUMER, works, "process")):
    check(group and all(s["kind"] == kind for s in group), f"{name} has its kind of span")
check(all(by_id[s["parentSpanId"]] in sends for s in appends), "append is below send")
check(all(by_id[s["parentSpanId"]] in appends for s in copies), "replicate is below append")
check(all("parentSpanId" not in s for s in polls), "a poll begins a trace")
check(all(by_id[s["parentSpanId"]] in polls for s in works), "the work is below its poll")
check(all(by_id[s["parentSpanId"]]["traceId"] == s["traceId"]
          for s in spans if "parentSpanId" in s), "parents are in the same trace")
check(all(len(s["links"]) == 1 and by_id[s["links"][0]["spanId"]] in sends and
          by_id[s["links"][0]["spanId"]]["traceId"] == s["links"][0]["traceId"]
          for s in polls + works), "poll and work are linked to the send they came from")
check(all(s["traceId"] != s["links"][0]["traceId"] for s in polls + works),
      "and belong to a trace of their own")
check(not any("links" in s for s in sends + appends), "nothing else is linked")

for group, kind in ((sends, "send"), (polls, "receive"), (works, "process")):
    check(all(attributes(s)["messaging.operation.type"] == kind and
              attributes(s)["messaging.system"] == "kafka" and
              attributes(s)["messaging.destination.name"] == "orders" for s in group),
          f"attributes of {kind} are those of the conventions")
groups = {attributes(s)["messaging.consumer.group.name"] for s in works}
check(groups == {"billing", "mail"}, "each group works on it", str(groups))
check(all(attributes(s)["messaging.destination.partition.id"] in ("0", "1") and
          int(attributes(s)["messaging.kafka.offset"]) >= 0 for s in appends + polls + works),
      "partition and offset are told")
starts = {s["spanId"]: int(s["startTimeUnixNano"]) for s in spans}
check(all(starts[s["spanId"]] >= starts[s["links"][0]["spanId"]] for s in works),
      "nothing is worked on before it is sent")
failed = [s for s in works if s["status"]["code"] == 2]
check(failed and all(attributes(s)["messaging.consumer.group.name"] == "mail" and
                     int(attributes(s)["messaging.kafka.offset"]) % 3 == 0 for s in failed),
      "work that failed says so")

arrows = [e for e in events if e["name"] == "record"]
check(arrows and {e["ph"] for e in arrows} == {"s", "f"},
      "Perfetto has arrows from the leader to who polled")
check(any(e["name"] == "process orders" and e["ph"] == "b" for e in events),
      "and the work where it was done")
check("orders append" in page and "billing process" in page, "the page shows them too")
print(f"1..{number}")
