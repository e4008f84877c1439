"""sweep_page.py LORENZ: the percentages and bars of a sweep's HTML page, worked out anew; TAP.

How sure it is that a case fails is the interval of Clopper and Pearson (Biometrika 26, 1934): at
its lower end the chance of so many failures or more is half of what is left to doubt, at its upper
end that of so many or fewer; where none or all failed there is one end, and all of the doubt there.
Here the ends are found by halving, from binomial coefficients in whole numbers; the engine finds
them otherwise. A bar is 100 wide, and as long for each outcome as its share of the runs.
"""
import math
import os
import re
import subprocess
import sys
import tempfile

LORENZ = os.path.abspath(sys.argv[1])
SEEDS = 40
results = []
SCENARIO = """
scenario "Some seeds fail" { duration = "10s", warmup = "1s" }
local errors = param("errors", { "0%", "1%", "4%", "6%", "50%" })
local web = service "web" { error_ratio = errors }
traffic "users" { to = web, rate = "5/s" }
expect "few answers are errors" { at_end = web.errors.ratio:below "4%" }
"""


def check(name, wrong=None):
    results.append(wrong is None)
    print(f"{'ok' if wrong is None else 'not ok'} {len(results)} - {name}")
    if wrong is not None:
        print(f"# {wrong}")


def at_least(n, k, p):
    return sum(math.comb(n, i) * p ** i * (1 - p) ** (n - i) for i in range(k, n + 1))


def halve(is_below):
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return low


def interval(n, k, confidence):
    doubt = (1 - confidence) / (1 if k in (0, n) else 2)
    low = 0.0 if k == 0 else halve(lambda p: at_least(n, k, p) < doubt)
    high = 1.0 if k == n else halve(lambda p: 1 - at_least(n, k + 1, p) > doubt)
    return low, high


def percent(share):
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.2g} %"


def sweep(confidence):
    subprocess.run([LORENZ, "sweep", "-q", "some.lua", "--seeds", str(SEEDS), "--no-shrink",
                    "--no-save", "--progress", "none", "--confidence", confidence,
                    "-o", "html=page.html"],
                   stdout=subprocess.DEVNULL, check=False)
    with open("page.html", encoding="utf-8") as file:
        return file.read()


def rows_of(page):
    pattern = (r'<td>(errors=\S*) <span[^>]*>some.lua</span>(<svg.*?</svg>)</td>'
               r'<td>(\d+) held, (\d+) failed(?:, (\d+) unknown)?</td>'
               r'<td>fails in ([^<]*) of runs</td>')
    return [(m[0], int(m[2]), int(m[3]), int(m[4] or 0), m[5], m[1])
            for m in re.findall(pattern, page)]


def wrong_rows(rows, confidence):
    for name, held, failed, unknown, said, _ in rows:
        low, high = interval(held + failed, failed, confidence)
        wanted = f"{percent(low)} to {percent(high)}"
        if held + failed + unknown != SEEDS or said != wanted:
            return f"{name}: {held} held, {failed} failed, {unknown} unknown: {said}, not {wanted}"
    return None if len(rows) == 5 else f"{len(rows)} rows"


def wrong_bars(rows):
    for name, held, failed, _, _, bar in rows:
        told = {"held": held, "failed": failed}
        x = 0.0
        for start, width, count, what in re.findall(
                r'<rect x="([\d.]+)" y="0" width="([\d.]+)"[^>]*><title>(\d+) (\w+)<', bar):
            if abs(float(start) - x) > 0.011 or told[what] != int(count) \
                    or abs(float(width) - 100 * int(count) / SEEDS) > 0.0051:
                return f"{name}: {count} {what} from {start}, {width} wide"
            x += float(width)
        if abs(x - 100) > 0.03:
            return f"{name} ends at {x}"
    return None if len(rows) == 5 else f"{len(rows)} bars"


def main():
    with open("some.lua", "w", encoding="utf-8") as file:
        file.write(SCENARIO)
    for confidence in ("95%", "99%"):
        page = sweep(confidence)
        rows = rows_of(page)
        share = float(confidence[:-1]) / 100
        check(f"shares are as sure as they say, at {confidence}", wrong_rows(rows, share))
        check(f"bars are as long as shares, at {confidence}", wrong_bars(rows))
        check("the heading says how sure", None if f"{confidence[:-1]} % sure it fails" in page
              else "no such heading")
    kinds = {0 if f == 0 else 2 if h == 0 else 1 for _, h, f, _, _, _ in rows}
    check("some cases hold, some fail, some do both", None if kinds == {0, 1, 2} else kinds)
    check("another confidence is told from it",
          "it is not" if wrong_rows(rows, 0.95) is None else None)
    moved = [(n, h + 1, f - 1, u, s, b) for n, h, f, u, s, b in rows if f > 0]
    check("so is one run more that failed",
          "it is not" if wrong_rows(moved, 0.99) is None else None)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    sys.exit(main())
