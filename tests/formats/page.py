"""page.py LORENZ: the HTML page as a reader, a strict server and a browser have it; TAP.

What needs a browser is skipped where there is no chromium. It runs with its clock virtual, so that
nothing depends on how fast this machine is.
"""
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

LORENZ = os.path.abspath(sys.argv[1])
results = []
SCENARIO = """
scenario "</script><img src=x onerror=\\"document.title='owned'\\">" { duration = "30s",
    warmup = "2s" }
local web = service "web" { replicas = 2, concurrency = 8, service_time = "5ms" }
local users = traffic "users" { to = web, rate = "100/s", timeout = "1s" }
fault.kill { web, at = "10s" }
drive("who watches", function()
    sleep "12s"
    log "<b onclick=x>it is gone"
end)
expect "<i>nobody</i> gets an \\"error\\" & co" { always = users.errors.ratio:below "0.001%" }
"""
VOID = {"meta", "input", "br", "img", "link"}


class Reader(html.parser.HTMLParser):
    """Which elements there are, what is written in them, and whether each is closed."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.wrong, self.text, self.data = [], [], [], "", []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, text):
        if self.open and self.open[-1] == "script":
            if self.seen[-1][1].get("type") == "application/json":
                self.data.append(text)
        elif self.open and self.open[-1] != "style":
            self.text += text


def check(name, problem=None, skip=None):
    results.append(not problem)
    print(f"{'not ok' if problem else 'ok'} {len(results)} - {name}"
          + (f" # SKIP {skip}" if skip else ""))
    if problem:
        print("# " + str(problem)[:2000].replace("\n", "\n# "))


def browse(path, place, *args):
    """The document after its scripts have run."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--hide-scrollbars", "--window-size=1280,6000",
             "--user-data-dir=" + home, "--virtual-time-budget=5000", *args, "--dump-dom",
             "file://" + path + place], capture_output=True, text=True, timeout=200)
    return done.stdout


def without_browser(page, reader):
    check("every element is closed", reader.wrong or reader.open)
    want = ["nobody</i> gets an", "When what went wrong", "kill web", "it is gone",
            "What users saw", "Little's law", "The scenario",
            "lorenz run "]
    missing = [w for w in want if w not in reader.text]
    check("it can be read without scripts and without styles", missing)
    plots = sum(1 for t, a in reader.seen if t == "figure" and a.get("class") == "plot")
    pictures = sum(1 for t, _ in reader.seen if t == "svg")
    check("every plot is there as a picture", None if 5 < plots <= pictures else (plots, pictures))
    shades = [a.get("d") for t, a in reader.seen if a.get("class") == "heat"]
    check("how latency was spread is a picture, and a table beside it",
          None if any(shades) and "these latencies as a table" in reader.text else shades)
    inert = [(t, a) for t, a in reader.seen if "style" in a
             or any(k.startswith("on") for k in a) or t == "img"]
    check("no element has a style or a script of its own", inert)
    loads = [(t, a) for t, a in reader.seen if "src" in a
             or not a.get("href", "#").startswith("#")] + re.findall(r"@import|url\(h", page)
    check("it loads nothing", loads)
    wrong = []
    for text in reader.data:
        block = json.loads(text)
        series = block.get("series", [])
        if len({len(s["high"]) for s in series}) > 1:
            wrong.append(block["of"])
    check("its numbers are as long as each other", wrong if reader.data else "there are none")
    check("it is small", None if len(page) < 1500000 else len(page))


def with_browser(path, has_plots):
    names = ["what a name says is not run", "the address says where one is",
             "a stretch has its numbers", "the topology shows who fails",
             "plots can be zoomed"]
    if shutil.which("chromium") is None:
        for name in names:
            check(name, skip="chromium is not installed")
        return
    dom = browse(path, "#t=11s&sel=9s:15s&zoom=8s:16s&pin=web")
    if not dom:
        for name in names:
            check(name, skip="chromium does not start here")
        return
    check(names[0], None if "<title>&lt;/script&gt;" in dom else dom[:600])
    clock = re.search(r'<div class="clock"[^>]*>([^<]*)', dom)
    ok = clock and clock.group(1).startswith("11s  ·  1s after kill web")
    check(names[1], None if ok else clock and clock.group(0))
    box = re.search(r'<div class="chosen-numbers">.*?</div></div>', dom, re.S)
    ok = box and "9s to 15s" in box.group(0) and "users.errors.ratio" in box.group(0)
    check(names[2], None if ok else box and box.group(0))
    state = re.findall(r'class="state b"[^>]*>([^<]*)', dom)
    check(names[3], None if any(s.startswith("✗") for s in state) else state)
    if not has_plots:
        check(names[4], skip="no uPlot in this build: meson's option uplot says where it may be")
        return
    drawn = len(re.findall(r'<figure class="plot drawn">', dom))
    check(names[4], None if drawn > 3 and dom.count('class="u-over"') == drawn else drawn)


def main():
    with open("page.lua", "w", encoding="utf-8") as file:
        file.write(SCENARIO)
    done = subprocess.run([LORENZ, "run", "-q", "--keep", "none", "-o", "html=page.html",
                           "page.lua"], capture_output=True, text=True)
    check("a run that fails has a page", None if done.returncode == 1 else done.stdout + done.stderr)
    version = json.loads(subprocess.run([LORENZ, "version", "--json"], capture_output=True,
                                        text=True).stdout)
    with open("page.html", encoding="utf-8") as file:
        page = file.read()
    reader = Reader()
    reader.feed(page)
    without_browser(page, reader)
    with_browser(os.path.abspath("page.html"), version["uplot"] is not None)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    status = main()
    os.chdir("/")
sys.exit(status)
