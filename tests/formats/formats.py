"""formats.py LORENZ SCENARIOS SCHEMA: what lorenz writes, read by the programs it is written for.

Each check reads a format of the same few runs with a parser that is not ours, or by the letter of
the format's specification where Python has none; TAP on standard output. What needs a program that
is not here (promtool, xmllint) is named as skipped.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

LORENZ, SCENARIOS, SCHEMA = (os.path.abspath(a) for a in sys.argv[1:4])
NAMES = ["passes", "fails", "cases", "inconclusive", "wrong"]
FORMATS = "dot github json junit mermaid ndjson openmetrics otlp perfetto summary tap".split()
results = []


def check(name, problem=None, skip=None):
    """A line of TAP; `problem` is what is wrong, or None."""
    results.append(not problem)
    mark = "ok" if not problem else "not ok"
    print(f"{mark} {len(results)} - {name}{' # SKIP ' + skip if skip else ''}")
    if problem:
        print("# " + str(problem).replace("\n", "\n# "))


def lorenz(*args):
    done = subprocess.run([LORENZ, *args], capture_output=True, text=True, timeout=100,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})
    return done.returncode, done.stdout, done.stderr


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def attempt(name, work):
    """A check that fails with the exception that its work raises."""
    try:
        check(name, work())
    except Exception as problem:  # whatever a parser raises is what is wrong
        check(name, repr(problem))


def by_hand(text):
    """XML as events, by its grammar and nothing else: (element, attributes) of what opens."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    at, stack, seen = text.index("\n") + 1, [], []
    token = re.compile(r'<(/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(/?)>|([^<]+)')
    while at < len(text):
        m = token.match(text, at)
        assert m, text[at:at + 60]
        at = m.end()
        assert not re.search(r"&(?!(amp|lt|gt|quot|#10|#9);)", m.group(0)), m.group(0)
        if m.group(5) is not None:
            continue
        if m.group(1):
            assert stack.pop() == m.group(2)
            continue
        seen.append((m.group(2), dict(re.findall(r' ([a-z]+)="([^"]*)"', m.group(3)))))
        if not m.group(4):
            stack.append(m.group(2))
    assert not stack
    return seen


def junit_by_expat():
    root = xml.etree.ElementTree.parse("o.junit").getroot()
    cases = root.findall("./testsuite/testcase")
    kinds = {k: root.findall(f"./testsuite/testcase/{k}") for k in ("failure", "error", "skipped")}
    counted = [len(cases)] + [len(kinds[k]) for k in ("failure", "error", "skipped")]
    told = [int(root.get(k)) for k in ("tests", "failures", "errors", "skipped")]
    names = [(c.get("classname"), c.get("name")) for c in cases]
    assert len(set(names)) == len(names), "names are not unique"
    assert kinds["failure"][0].get("message").startswith("worst"), kinds["failure"][0].attrib
    return None if counted == told else f"counted {counted}, told {told}"


def junit_by_hand():
    opened = by_hand(read("o.junit"))
    cases = sum(1 for name, _ in opened if name == "testcase")
    return None if cases == int(opened[0][1]["tests"]) else f"{cases} cases"


def junit_leads_to_the_page():
    lorenz("report", "-ohtml=a&b.html", "-ojunit=with.junit")
    root = xml.etree.ElementTree.parse("with.junit").getroot()
    bad = [c for c in root.findall("./testsuite/testcase")
           if c.find("failure") is not None or c.find("error") is not None]
    said = [c.findtext("system-out") for c in root.findall("./testsuite/testcase")]
    assert "ATTACHMENT" not in read("o.junit"), "no page was written with it"
    led = [text for text in said if text == "[[ATTACHMENT|a&b.html]]"]
    return None if bad and len(led) == len(bad) else f"{len(bad)} failed, {len(led)} lead there"


def fits(value, schema):
    """The part of JSON Schema that ours is written in."""
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    types = {"object": dict, "string": str, "integer": int, "number": (int, float),
             "null": type(None)}
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(isinstance(value, types[t]) for t in wanted):
        return False
    if any(key not in value for key in schema.get("required", [])):
        return False
    for key, inner in schema.get("properties", {}).items():
        if key in value and not fits(value[key], inner):
            return False
    return "oneOf" not in schema or sum(fits(value, one) for one in schema["oneOf"]) == 1


def ndjson_by_schema():
    schema = json.loads(read(SCHEMA))
    lines = [json.loads(line) for line in read("o.ndjson").splitlines()]
    assert not fits({"v": 1, "event": "run"}, schema) and not fits({"v": 2}, schema)
    wrong = [line for line in lines if not fits(line, schema)]
    ends = lines[0]["event"] == "start" and lines[-1]["event"] == "summary"
    return wrong or (None if ends else "it does not begin with start and end with summary")


def openmetrics_by_letter():
    text = read("o.openmetrics")
    assert text.endswith("\n# EOF\n")
    sample = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+)\} (\S+) (\S+)$')
    family, seen, last = None, set(), {}
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            family = line.split()[2]
            assert family not in seen, f"{family} comes twice"
            seen.add(family)
        elif line.startswith("# UNIT "):
            assert line.split()[2] == family and family.endswith("_" + line.split()[3]), line
        else:
            m = sample.match(line)
            assert m and m.group(1) == family, line
            key, at = m.group(2), float(m.group(4))
            float(m.group(3))
            assert last.get((family, key), 0) < at, "time goes back: " + line
            last[family, key] = at
    return None if seen else "there is no metric"


def otlp_by_letter():
    spans = {}
    for line in read("o.otlp").splitlines():
        for scope in json.loads(line)["resourceSpans"][0]["scopeSpans"]:
            for span in scope["spans"]:
                assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
                assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
                assert isinstance(span["startTimeUnixNano"], str)
                assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
                assert (span["traceId"], span["spanId"]) not in spans, "an id comes twice"
                spans[span["traceId"], span["spanId"]] = span
    lost = [s for (trace, _), s in spans.items()
            if "parentSpanId" in s and (trace, s["parentSpanId"]) not in spans]
    return lost or (None if spans else "there is no span")


def perfetto_by_letter():
    opened = {}
    for event in json.loads(read("o.perfetto"))["traceEvents"]:
        assert event["ph"] in "MbeCisf" and "name" in event, event
        if event["ph"] in "be":
            key = event["id"]
            opened[key] = opened.get(key, 0) + (1 if event["ph"] == "b" else -1)
            assert opened[key] in (0, 1), event
    return None if opened and not any(opened.values()) else "a request does not end"


def tap_by_letter():
    plan, seen = None, 0
    for line in read("o.tap").splitlines()[1:]:
        if line.startswith("1.."):
            plan = int(line[3:])
        m = re.match(r"(not )?ok (\d+) - ", line)
        if m:
            seen += 1
            assert int(m.group(2)) == seen
    return None if plan == seen else f"planned {plan}, there are {seen}"


def outside(program, *args):
    if not shutil.which(program):
        return check(f"{program} takes it", skip=f"{program} is not here")
    done = subprocess.run([program, *args], capture_output=True, text=True)
    check(f"{program} takes it", done.stderr[:2000] if done.returncode else None)


def shards_are_the_whole():
    lorenz("run", "s")
    whole = lorenz("report", "-o", "json=-")[1]
    os.rename(".lorenz", "whole")
    for i in (1, 2, 3):
        lorenz("run", "--shard", f"{i}/3", "-j", str(i), "s")
        os.rename(".lorenz", f"part{i}")
    parts = lorenz("report", *[f"part{i}/runs" for i in (3, 1, 2, 1)], "-o", "json=-")[1]
    return None if parts == whole else "merged shards are not the whole"


def mixed_texts_are_refused():
    with open("s/passes.lua", "a", encoding="utf-8") as file:
        file.write("-- another text\n")
    lorenz("run", "--seed", "5", "s/passes.lua")
    status, _, err = lorenz("report", "whole/runs", ".lorenz/runs")
    refused = status == 4 and "different texts of the scenario" in err
    return None if refused else f"status {status}: {err}"


def sealed(image):
    """An image and what stands behind it: FNV-1a of its bytes, mixed as in base/hash.h."""
    full = (1 << 64) - 1
    h = 0xcbf29ce484222325
    for byte in image:
        h = (h ^ byte) * 0x100000001b3 & full
    p = (h ^ 0xa0761d6478bd642f) * (len(image) ^ 0xe7037ed1a0b428db)
    return image + b"lz-seal1" + ((p ^ p >> 64) & full).to_bytes(8, "little")


def rewrite(path, statement):
    """A run file as another lorenz would have written it."""
    import sqlite3
    with open(path, "rb") as file:
        image = file.read()
    if sealed(image[:-16]) != image:
        raise AssertionError(path + " has no seal")
    with open(path, "wb") as file:
        file.write(image[:-16])
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()
    with open(path, "rb") as file:
        image = file.read()
    with open(path, "wb") as file:
        file.write(sealed(image))


def mixed_engines_are_refused():
    shutil.copytree("whole/runs", "mixed")
    rewrite("mixed/fails-1.lzrun",
            "update run set token = substr(token, 1, length(token) - 4) || '0123'")
    status, _, err = lorenz("report", "mixed")
    return None if status == 4 and "different engines" in err else f"status {status}: {err}"


def differing_records_are_refused():
    shutil.copytree("whole/runs", "twice")
    rewrite("twice/fails-1.lzrun", "update run set trace_hash = '0'")
    status, _, err = lorenz("report", "twice", "whole/runs")
    return None if status == 6 and "the same run and differ" in err else f"status {status}: {err}"


def damage_is_named():
    shutil.copytree("whole/runs", "damaged")
    with open("damaged/fails-1.lzrun", "wb") as file:
        file.write(b"SQLite format 3\0" + bytes(3000))
    status, out, err = lorenz("report", "damaged")
    ok = "damaged/fails-1.lzrun" in err and status == 2 and "Everything holds" in out
    return None if ok else f"status {status}: {err}"


def what_is_no_run_is_refused():
    """A verdict of another lorenz, and a file without an end."""
    shutil.copytree("whole/runs", "unknown")
    rewrite("unknown/fails-1.lzrun", "update run set verdict = 'maybe'")
    for path in ("unknown/fails-1.lzrun", "/dev/zero"):
        for command in ("report", "sql", "why", "shrink", "replay"):
            status, _, err = lorenz(command, path)
            if status != 4 or path + ": " not in err:
                return f"{command} {path}: status {status}: {err}"
    return None


def no_changed_byte_goes_unnoticed():
    """SQLite would read most of these as a run with fewer rows."""
    os.mkdir("bytes")
    with open("whole/runs/fails-1.lzrun", "rb") as file:
        image = file.read()
    middle = len(image) // 2
    for name, bytes_ in {"a bit": image[:middle] + bytes([image[middle] ^ 1]) + image[middle + 1:],
                         "a page": image[:12288] + bytes(4096) + image[16384:],
                         "the end": image[:-17], "all but the end": image[-16:],
                         "more": image + b"x"}.items():
        with open("bytes/x.lzrun", "wb") as file:
            file.write(bytes_)
        for command in (["report"], ["sql"], ["why"], ["shrink"], ["replay"]):
            more = ["select count(*) from series"] if command == ["sql"] else []
            status, _, err = lorenz(*command, "bytes/x.lzrun", *more)
            if status != 4 or "bytes/x.lzrun: " not in err:
                return f"{name}, {command[0]}: status {status}: {err}"
    return None


def others_read_a_run_file():
    import sqlite3
    db = sqlite3.connect("file:whole/runs/fails-1.lzrun?mode=ro", uri=True)
    sound = db.execute("pragma integrity_check").fetchall()
    verdict = db.execute("select verdict from run").fetchall()
    db.close()
    return None if (sound, verdict) == ([("ok",)], [("fail",)]) else f"{sound} {verdict}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir("s")
        for name in NAMES:
            shutil.copy(os.path.join(SCENARIOS, name + ".lua"), "s")
        args = [f"-o{name}=o.{name}" for name in FORMATS]
        status, _, err = lorenz("run", "s", *args)
        check("one run writes all formats", None if status == 2 else err)
        again = [f"-o{name}=p.{name}" for name in FORMATS]
        lorenz("report", *again)
        differ = [n for n in FORMATS if read(f"o.{n}") != read(f"p.{n}")]
        check("a report gives the same bytes as the run", differ)
        attempt("JUnit is read by expat", junit_by_expat)
        attempt("JUnit is read by the grammar", junit_by_hand)
        outside("xmllint", "--noout", "o.junit")
        attempt("JUnit leads to the page that is written with it", junit_leads_to_the_page)
        attempt("NDJSON fits its schema", ndjson_by_schema)
        attempt("OpenMetrics is as specified", openmetrics_by_letter)
        outside("promtool", "tsdb", "create-blocks-from", "openmetrics", "o.openmetrics", "tsdb")
        attempt("OTLP is as specified", otlp_by_letter)
        attempt("requests of a Perfetto trace begin and end", perfetto_by_letter)
        attempt("TAP has the plan it keeps", tap_by_letter)
        shutil.rmtree(".lorenz")
        attempt("merged shards are the whole", shards_are_the_whole)
        attempt("runs of different texts are refused", mixed_texts_are_refused)
        attempt("runs of different engines are refused", mixed_engines_are_refused)
        attempt("records that differ are refused", differing_records_are_refused)
        attempt("a damaged run file is named, the others are shown", damage_is_named)
        attempt("what is no run is refused", what_is_no_run_is_refused)
        attempt("no changed byte of a run file goes unnoticed", no_changed_byte_goes_unnoticed)
        attempt("others read a run file by SQLite", others_read_a_run_file)
        os.chdir("/")
    print(f"1..{len(results)}")
    sys.exit(0 if all(results) else 1)


main()
