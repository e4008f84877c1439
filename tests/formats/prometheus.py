# prometheus.py LORENZ SCENARIOS — promtool takes what `-o openmetrics` writes, and a real Prometheus
# that is started on the blocks made of it answers with the run's own numbers. TAP.
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

LORENZ, SCENARIOS = sys.argv[1:3]
EPOCH = 1700000000  # of the run's beginning, so that the blocks are not older than Prometheus keeps


def say(number, holds, name, detail=""):
    print(f"{'ok' if holds else 'not ok'} {number} - {name}")
    for line in str(detail).splitlines() if not holds else []:
        print("# " + line)
    return holds


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, query, at):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode(
        {"query": query, "time": at})
    for _ in range(150):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["data"]["result"]
        except (OSError, ValueError):
            time.sleep(0.2)
    return None


def main(folder):
    print("1..3")
    shutil.copy(os.path.join(SCENARIOS, "passes.lua"), folder)
    made = run(LORENZ, "run", "-q", "passes.lua", "-o", "openmetrics=m.txt", "-o", "json=r.json",
               "--epoch", str(EPOCH), cwd=folder)
    say(1, made.returncode == 0 and os.path.getsize(folder + "/m.txt") > 1000,
        "a run is written as OpenMetrics", made.stderr)
    blocks = run("promtool", "tsdb", "create-blocks-from", "openmetrics", "m.txt", "data",
                 cwd=folder)
    say(2, blocks.returncode == 0, "promtool makes blocks of it", blocks.stdout + blocks.stderr)
    with open(folder + "/prometheus.yml", "w") as config:
        config.write("global: { scrape_interval: 1h }\n")
    lines = [line for line in open(folder + "/m.txt") if line[0] != "#"]
    text, value, at = lines[len(lines) // 2].rsplit(" ", 2)
    port = free_port()
    server = subprocess.Popen(
        ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
         "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = ask(port, text, float(at))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    holds = bool(found) and float(found[0]["value"][1]) == float(value)
    say(3, holds, "a Prometheus that is given the blocks has the run's numbers",
        f"{text} at {at} is {value}, got {found}")


if shutil.which("promtool") is None or shutil.which("prometheus") is None:
    print("1..0 # SKIP no promtool and prometheus here (Debian's package prometheus)")
else:
    with tempfile.TemporaryDirectory() as place:
        main(place)
