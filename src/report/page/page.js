// What a page does where scripts may run: one cursor for all pictures of a run, the numbers of a
// stretch that was dragged over, filters, keys, and an address that says where one is. With uPlot
// pictures can be zoomed too. Nothing here is needed to read the page.
(function () {
    "use strict";
    const SVG = "http://www.w3.org/2000/svg", LEFT = 76, WIDTH = 960 - 76 - 8;
    const hasPlots = typeof uPlot === "function";
    const all = (root, what) => Array.from(root.querySelectorAll(what));
    const json = (node) => node ? JSON.parse(node.textContent) : null;

    function make(kind, into, text) {
        const node = document.createElement(kind);
        if (text !== undefined) node.textContent = text;
        if (into) into.appendChild(node);
        return node;
    }

    // ------------------------------------------------------------ numbers as texts

    const short = (v) => String(+v.toPrecision(3));

    function span(s) {
        const a = Math.abs(s);
        if (a === 0) return "0s";
        if (a < 1e-3) return short(s * 1e6) + "us";
        if (a < 1) return short(s * 1e3) + "ms";
        return a < 60 ? short(s) + "s" : instant(s);
    }

    function instant(s) {
        let left = Math.round(s * 1000);
        const h = Math.floor(left / 3600000), m = Math.floor(left % 3600000 / 60000);
        const rest = left % 60000 / 1000;
        return (h ? h + "h" : "") + (m ? m + "m" : "") + (rest || !(h || m) ? rest + "s" : "");
    }

    function value(v, unit) {
        if (v === null || v === undefined || !isFinite(v)) return "–";
        if (unit === "s") return span(v);
        if (unit === "ratio") return short(v * 100) + " %";
        if (unit === "B") {
            let i = 0;
            for (; Math.abs(v) >= 1024 && i < 4; i++) v /= 1024;
            return short(v) + ["B", "KiB", "MiB", "GiB", "TiB"][i];
        }
        return (Math.abs(v) >= 1000 ? Math.round(v).toLocaleString("en") : short(v))
            + (unit === "/s" ? "/s" : "");
    }

    function seconds(text) {
        const m = /^(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(text || "");
        return m && text ? (m[1] || 0) * 3600 + (m[2] || 0) * 60 + +(m[3] || 0) : null;
    }

    // ------------------------------------------------------------ a run

    class Run {
        constructor(node, number) {
            this.node = node;
            this.number = number;
            this.info = json(node.querySelector("script.about")) || { end: +node.dataset.end || 1,
                faults: [], pins: [] };
            this.pinned = this.range = this.chosen = null;
            this.figures = all(node, "figure.plot").map((f) => new Figure(this, f));
            this.events = all(node, "table.events tbody tr");
            this.clock = make("div", node);
            this.clock.className = "clock";
            this.clock.hidden = true;
            this.clock.setAttribute("role", "status");
            this.rows();
            this.filters();
            this.player();
            node.addEventListener("pointerenter", () => { active = this; });
        }

        // A row that is about an instant leads there.
        rows() {
            all(this.node, "tr[data-at]").forEach((row) => {
                row.addEventListener("click", () => {
                    this.pin(+row.dataset.at);
                    if (!row.closest("table.events")) this.node.querySelector(".when")
                        .scrollIntoView({ block: "start" });
                });
            });
        }

        filters() {
            const by = (input, rows) => {
                if (!input) return;
                input.hidden = false;
                input.addEventListener("input", () => {
                    const word = input.value.toLowerCase();
                    rows.forEach((r) => {
                        r.hidden = !r.textContent.toLowerCase().includes(word);
                    });
                });
            };
            by(this.node.querySelector("input.events"), this.events);
            by(this.node.querySelector("input.tracks"), all(this.node, "details.track"));
            all(this.node, "details.track").forEach((d) => d.addEventListener("toggle", remember));
        }

        // The whole run in twenty seconds, for who wants to watch the topology.
        player() {
            const head = this.node.querySelector("h2.calls");
            if (!head) return;
            const button = make("button", head, "▶");
            let timer = 0;
            button.title = "play the run: twenty seconds";
            button.addEventListener("click", () => {
                button.textContent = timer ? "▶" : "■";
                if (timer) { clearInterval(timer); timer = 0; return; }
                let at = this.pinned === null || this.pinned >= this.info.end ? 0 : this.pinned;
                timer = setInterval(() => {
                    at += this.info.end / 200;
                    if (at >= this.info.end) { button.click(); at = this.info.end; }
                    this.pin(at);
                }, 100);
            });
        }

        pin(at) {
            this.pinned = at;
            active = this;
            this.show(at);
            remember();
        }

        // All pictures and tables at an instant; null: at the one that is pinned.
        show(at) {
            if (at === null) at = this.pinned;
            this.figures.forEach((f) => f.show(at));
            this.nodes(at);
            this.clock.hidden = at === null;
            if (at === null) return;
            const f = this.info.faults.filter((x) => x.from <= at).pop();
            let near = null;
            this.events.forEach((row) => {
                row.classList.remove("near");
                if (+row.dataset.at <= at) near = row;
            });
            if (near) near.classList.add("near");
            this.clock.textContent = instant(Math.round(at * 1000) / 1000)
                + (f ? "  ·  " + span(at - f.from) + " after " + f.name : "")
                + (near ? "  ·  " + all(near, "td").slice(0, 3).map((c) => c.textContent)
                    .join("  ") : "");
        }

        // Who fails at that instant, in the topology.
        nodes(at) {
            all(this.node, "g.node").forEach((g) => {
                const f = this.figures.find((x) => x.data.of === g.dataset.of
                    && x.data.series[0].name === "errors.ratio");
                const v = f && at !== null ? f.at(at, 0) : null;
                g.querySelector("rect").classList.toggle("ill", v > 0.01);
                g.querySelector(".state").textContent = v > 0.01 ? "✗ " + value(v, "ratio") : "";
            });
        }

        zoom(from, to) {
            const end = this.info.end, wide = Math.min(end, to - from);
            from = Math.max(0, Math.min(end - wide, from));
            this.range = wide >= end ? null : [from, from + wide];
            this.figures.forEach((f) => f.zoom());
            remember();
        }

        // The numbers of a stretch, of every picture that can be seen.
        choose(from, to) {
            const old = this.node.querySelector(".chosen-numbers");
            if (old) old.remove();
            this.chosen = from === null ? null : [Math.min(from, to), Math.max(from, to)];
            this.figures.forEach((f) => f.mark());
            remember();
            if (from === null) return;
            const box = make("div");
            box.className = "chosen-numbers";
            make("strong", box, instant(Math.round(this.chosen[0] * 1000) / 1000) + " to "
                + instant(Math.round(this.chosen[1] * 1000) / 1000) + " ");
            if (hasPlots)
                make("button", box, "zoom in").onclick = () => this.zoom(...this.chosen);
            make("button", box, "close").onclick = () => this.choose(null);
            const into = make("div", box);
            into.className = "wide";
            const table = make("table", into);
            const line = (cells, kind) => {
                const row = make("tr", table);
                cells.forEach((c) => make(kind || "td", row, c));
            };
            line(["", "least", "mean", "greatest"], "th");
            const told = new Set();
            this.figures.filter((f) => !f.node.closest("details:not([open])")).forEach((f) => {
                f.data.series.forEach((s, i) => {
                    const n = f.numbers(i, this.chosen), name = f.data.of + "." + s.name;
                    if (!n || told.has(name)) return;
                    told.add(name);
                    line([name].concat(n.map((v) => value(v, f.data.unit))));
                });
            });
            this.little(line);
            this.node.querySelector(".when").after(box);
        }

        // Little's law, L = rate × time: a sanity line of everything that has all three.
        little(line) {
            const mean = (of, name) => {
                for (const f of this.figures) {
                    const i = f.data.of === of ? f.data.series.findIndex((s) => s.name === name)
                        : -1;
                    const n = i >= 0 ? f.numbers(i, this.chosen) : null;
                    if (n) return n[1];
                }
                return NaN;
            };
            new Set(this.figures.map((f) => f.data.of)).forEach((of) => {
                const l = mean(of, "in_flight"), rate = mean(of, "rate");
                const w = mean(of, "latency.mean");
                if (isFinite(l + rate + w))
                    line(["Little's law, " + of, "in flight " + value(l, "count"),
                        "rate × mean latency", value(rate * w, "count")]);
            });
        }
    }

    // ------------------------------------------------------------ a picture of a metric

    class Figure {
        constructor(run, node) {
            this.run = run;
            this.node = node;
            this.svg = node.querySelector("svg");
            this.out = node.querySelector("output");
            this.data = json(node.querySelector("script"));
            this.line = this.svg.appendChild(document.createElementNS(SVG, "path"));
            this.line.setAttribute("class", "cursor");
            this.box = this.svg.appendChild(document.createElementNS(SVG, "rect"));
            this.box.setAttribute("class", "chosen");
            this.plot = null;
            this.pointer(node.querySelector(".wide"));
        }

        pointer(area) {
            let begun = null;
            const at = (e) => {
                const b = this.svg.getBoundingClientRect();
                const s = ((e.clientX - b.left) / b.width * 960 - LEFT) / WIDTH;
                return s < 0 || s > 1 ? null : s * this.run.info.end;
            };
            area.addEventListener("pointermove", (e) => this.run.show(at(e)));
            area.addEventListener("pointerleave", () => { begun = null; this.run.show(null); });
            area.addEventListener("pointerdown", (e) => { begun = at(e); });
            area.addEventListener("pointerup", (e) => {
                const to = at(e);
                if (begun === null || to === null) return;
                if (Math.abs(to - begun) > this.run.info.end / 150) this.run.choose(begun, to);
                else this.run.pin(to);
                begun = null;
            });
        }

        at(t, i) {
            const list = this.data.series[i].high;
            return list[Math.max(0, Math.min(list.length - 1, Math.floor(t / this.data.step)))];
        }

        // Least, mean and greatest between two instants; null where nothing was measured.
        numbers(i, range) {
            const s = this.data.series[i], last = Math.ceil(range[1] / this.data.step);
            let least = Infinity, most = -Infinity, sum = 0, count = 0;
            for (let k = Math.floor(range[0] / this.data.step); k < last; k++) {
                const high = s.high[k], low = s.low ? s.low[k] : high;
                if (high === null || high === undefined) continue;
                const mean = s.mean && s.mean[k] !== null ? s.mean[k] : high;
                least = Math.min(least, low);
                most = Math.max(most, high);
                sum += mean;
                count++;
            }
            return count ? [least, sum / count, most] : null;
        }

        show(at) {
            const many = this.data.series.length > 1;
            this.out.textContent = at === null ? "" : this.data.series.map((s, i) =>
                (many ? s.name.replace(/^.*\./, "") + " " : "")
                    + value(this.at(at, i), this.data.unit)).join("  ");
            const x = at === null ? 0 : LEFT + at / this.run.info.end * WIDTH;
            this.line.setAttribute("d", at === null ? "" : "M" + x + " 8V"
                + (this.svg.viewBox.baseVal.height - 28));
            if (this.plot && this.run.hovered !== this)
                this.plot.setCursor({ left: at === null ? -10 : this.plot.valToPos(at, "x"),
                    top: 0 }, false);
        }

        mark() {
            const c = this.run.chosen, px = WIDTH / this.run.info.end;
            const h = this.svg.viewBox.baseVal.height - 40;
            const set = (x, wide) => [["x", x], ["y", 12], ["width", wide], ["height", h]]
                .forEach((a) => this.box.setAttribute(a[0], a[1]));
            set(c ? LEFT + c[0] * px : 0, c ? (c[1] - c[0]) * px : 0);
            if (!this.plot) return;
            const left = c ? this.plot.valToPos(c[0], "x") : 0;
            this.plot.setSelect({ left, top: 0, height: this.plot.over.clientHeight,
                width: c ? this.plot.valToPos(c[1], "x") - left : 0 }, false);
        }

        zoom() {
            if (!this.plot) return;
            const r = this.run.range || [0, this.run.info.end];
            this.plot.setScale("x", { min: r[0], max: r[1] });
        }

        // ------------------------------------------------------------ with uPlot

        draw() {
            if (this.plot) this.plot.destroy();
            const css = getComputedStyle(document.documentElement);
            this.colour = (name) => css.getPropertyValue("--" + name).trim();
            const d = this.data, xs = d.series[0].high.map((v, i) => (i + 0.5) * d.step);
            const lists = [xs], series = [{}], bands = [];
            d.series.forEach((s, i) => {
                const stroke = this.colour("c" + (i ? i + 1 : ""));
                if (s.low) {
                    lists.push(s.low);
                    series.push({ stroke, width: 0.5, points: { show: false } });
                    bands.push({ series: [lists.length, lists.length - 1], fill: stroke + "55" });
                }
                lists.push(s.high);
                series.push({ stroke, width: 1.5, points: { size: 3 } });
            });
            this.node.classList.add("drawn");
            this.plot = new uPlot(this.options(series, bands), lists,
                (u, begin) => { this.svg.parentNode.after(u.root); begin(); });
            this.zoom();
            this.show(this.run.pinned);
        }

        options(series, bands) {
            const d = this.data, run = this.run;
            const axis = { stroke: this.colour("q"), grid: { stroke: this.colour("e"), width: 1 },
                ticks: { stroke: this.colour("e"), width: 1 }, font: "11px system-ui" };
            return {
                width: Math.max(200, this.node.clientWidth - 2), height: 150,
                legend: { show: false }, series, bands,
                scales: {
                    x: { time: false },
                    y: { range: (u, low, high) => this.heights(low, high) },
                },
                axes: [
                    Object.assign({ values: (u, v) => v.map(instant), size: 30, space: 80,
                        incrs: [0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800,
                            3600, 7200, 21600, 86400] }, axis),
                    Object.assign({ values: (u, v) => v.map((x) => value(x, d.unit)), size: 62,
                        space: 28 }, axis),
                ],
                cursor: { y: false, points: { size: 6 },
                    drag: { x: true, y: false, setScale: false },
                    bind: { dblclick: () => () => run.zoom(0, run.info.end) } },
                hooks: {
                    drawClear: [(u) => this.behind(u)],
                    draw: [(u) => this.above(u)],
                    setScale: [() => { this.mark(); this.show(run.pinned); }],
                    setCursor: [(u) => {
                        if (!u.cursor.event) return; // ours, or of a new scale
                        run.hovered = this;
                        run.show(u.cursor.left < 0 ? null : u.posToVal(u.cursor.left, "x"));
                        run.hovered = null;
                    }],
                    setSelect: [(u) => {
                        if (u.select.width > 4)
                            run.choose(u.posToVal(u.select.left, "x"),
                                u.posToVal(u.select.left + u.select.width, "x"));
                    }],
                    ready: [(u) => u.over.addEventListener("click", () => {
                        if (u.cursor.left >= 0 && u.select.width <= 4)
                            run.pin(u.posToVal(u.cursor.left, "x"));
                    })],
                },
            };
        }

        heights(low, high) {
            if (low === null) return [0, 1];
            if (this.data.limit !== undefined) {
                low = Math.min(low, this.data.limit);
                high = Math.max(high, this.data.limit);
            }
            if (low > 0 && low < 0.7 * high) low = 0;
            if (!(high > low)) high = low + (Math.abs(low) || 1);
            return [low, high + 0.06 * (high - low)];
        }

        // Warm-up and faults, below the lines.
        behind(u) {
            const box = (from, to, fill) => {
                const a = Math.max(u.bbox.left, u.valToPos(from, "x", true));
                const b = Math.min(u.bbox.left + u.bbox.width, u.valToPos(to, "x", true));
                if (b < u.bbox.left || a > u.bbox.left + u.bbox.width) return;
                u.ctx.fillStyle = fill;
                u.ctx.fillRect(a, u.bbox.top, Math.max(1, b - a), u.bbox.height);
            };
            const i = this.run.info;
            u.ctx.save();
            if (i.warmup) box(0, i.warmup, this.colour("warm"));
            i.faults.forEach((f) => box(f.from, f.to, this.colour("band")));
            u.ctx.restore();
        }

        // The limit, the deadline and where it failed.
        above(u) {
            const d = this.data, b = u.bbox, c = u.ctx;
            const line = (colour, dash, x1, y1, x2, y2) => {
                c.strokeStyle = colour;
                c.setLineDash(dash);
                c.beginPath();
                c.moveTo(x1, y1);
                c.lineTo(x2, y2);
                c.stroke();
            };
            const upright = (t, colour, dash) => {
                const x = u.valToPos(t, "x", true);
                if (x >= b.left && x <= b.left + b.width)
                    line(colour, dash, x, b.top, x, b.top + b.height);
            };
            c.save();
            c.lineWidth = devicePixelRatio;
            if (d.limit !== undefined) {
                const y = u.valToPos(d.limit, "y", true);
                line(this.colour("bad"), [6, 4], b.left, y, b.left + b.width, y);
                c.fillStyle = this.colour("bad");
                c.font = 11 * devicePixelRatio + "px system-ui";
                c.textAlign = "right";
                c.fillText("limit " + d.text, b.left + b.width - 4,
                    y < b.top + 16 * devicePixelRatio ? y + 13 * devicePixelRatio : y - 4);
            }
            if (d.failed !== undefined) upright(d.failed, this.colour("bad"), []);
            if (d.deadline !== undefined) upright(d.deadline, this.colour("q"), [2, 3]);
            c.restore();
        }
    }

    // ------------------------------------------------------------ the address says where one is

    let active = null, isReading = false;

    function remember() {
        if (isReading || !active) return;
        const words = [];
        const at = (s) => instant(Math.round(s * 1000) / 1000);
        if (runs.length > 1) words.push("run=" + active.number);
        if (active.pinned !== null) words.push("t=" + at(active.pinned));
        if (active.chosen) words.push("sel=" + active.chosen.map(at).join(":"));
        if (active.range) words.push("zoom=" + active.range.map(at).join(":"));
        const open = all(active.node, "details.track[open]").map((d) => d.dataset.of);
        if (open.length) words.push("pin=" + open.map(encodeURIComponent).join(","));
        try { history.replaceState(null, "", "#" + words.join("&")); } catch (e) { return; }
    }

    function recall() {
        const words = {};
        location.hash.slice(1).split("&").forEach((w) => {
            const i = w.indexOf("=");
            if (i > 0) words[w.slice(0, i)] = w.slice(i + 1);
        });
        const run = runs[(words.run || 1) - 1];
        if (!run || !Object.keys(words).length) return;
        const pair = (text) => (text || "").split(":").map(seconds);
        const zoom = pair(words.zoom), sel = pair(words.sel), t = seconds(words.t);
        isReading = true;
        active = run;
        const pins = (words.pin || "").split(",");
        all(run.node, "details.track").forEach((d) => {
            if (pins.includes(encodeURIComponent(d.dataset.of))) d.open = true;
        });
        if (zoom.length === 2 && zoom[0] !== null && zoom[1] !== null) run.zoom(...zoom);
        if (sel.length === 2 && sel[0] !== null && sel[1] !== null) run.choose(...sel);
        if (t !== null) run.pin(t);
        if (words.run) run.node.scrollIntoView();
        isReading = false;
    }

    // ------------------------------------------------------------ keys, copies

    function fail(run, by) {
        const pins = run.info.pins.map((p) => p.at).sort((a, b) => a - b);
        const here = run.pinned === null ? (by > 0 ? -1 : Infinity) : run.pinned;
        const found = by > 0 ? pins.find((p) => p > here) : pins.reverse().find((p) => p < here);
        if (found === undefined) return;
        run.pin(found);
        run.node.querySelector(".when").scrollIntoView({ block: "nearest" });
    }

    const help = make("dialog", document.body);
    const KEYS = [["n p", "next, previous failure"], ["/", "filter events"],
        ["Esc", "nothing chosen, nothing zoomed"], ["?", "these keys"]]
        .concat(hasPlots ? [["w s", "zoom in, out"], ["a d", "to the left, to the right"]] : []);
    KEYS.forEach((k) => {
        const p = make("p", help);
        k[0].split(" ").forEach((key) => { make("kbd", p, key); p.append(" "); });
        p.append(k[1]);
    });
    make("p", help, "click: that instant everywhere; drag: the numbers of a stretch").className =
        "quiet";
    make("button", help, "close").onclick = () => help.close();

    document.addEventListener("keydown", (e) => {
        if (e.ctrlKey || e.metaKey || e.altKey || /INPUT|TEXTAREA/.test(e.target.tagName)) return;
        const run = active || runs[0];
        if (!run || (help.open && e.key !== "?")) return;
        const r = run.range || [0, run.info.end], wide = r[1] - r[0];
        const centre = run.pinned === null ? (r[0] + r[1]) / 2 : run.pinned;
        const near = (share) => run.zoom(centre - (centre - r[0]) * share,
            centre + (r[1] - centre) * share);
        const does = {
            n: () => fail(run, 1), p: () => fail(run, -1),
            "?": () => help.open ? help.close() : help.showModal(),
            "/": () => {
                const input = run.node.querySelector("input.events");
                if (!input) return;
                input.closest("details").open = true;
                input.focus();
            },
            Escape: () => { run.pinned = null; run.choose(null); run.zoom(0, run.info.end);
                run.show(null); },
        };
        if (hasPlots) Object.assign(does, {
            w: () => near(0.7), s: () => near(1 / 0.7),
            a: () => run.zoom(r[0] - wide * 0.15, r[1] - wide * 0.15),
            d: () => run.zoom(r[0] + wide * 0.15, r[1] + wide * 0.15),
        });
        if (!does[e.key]) return;
        e.preventDefault();
        does[e.key]();
    });

    all(document, "pre.copy").forEach((pre) => {
        const text = pre.textContent, button = make("button", pre, "copy");
        button.addEventListener("click", () => {
            const done = () => { button.textContent = "copied"; };
            if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => {});
            else {
                getSelection().selectAllChildren(pre);
                if (document.execCommand("copy")) done();
            }
        });
    });

    const runs = all(document, "section.run").map((node, i) => new Run(node, i + 1));
    active = runs[0] || null;

    // A picture is drawn when it comes into sight, and again when the light changes.
    if (hasPlots) {
        const of = new Map();
        const seen = new IntersectionObserver((list) => list.forEach((e) => {
            const f = of.get(e.target);
            if (e.isIntersecting && !f.plot) f.draw();
        }), { rootMargin: "400px" });
        const size = new ResizeObserver((list) => list.forEach((e) => {
            const f = of.get(e.target), wide = e.target.clientWidth - 2;
            if (f.plot && wide > 100 && f.plot.width !== wide) {
                f.plot.setSize({ width: wide, height: 150 });
                f.mark();
            }
        }));
        runs.forEach((run) => run.figures.forEach((f) => {
            of.set(f.node, f);
            seen.observe(f.node);
            size.observe(f.node);
        }));
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
            of.forEach((f) => { if (f.plot) f.draw(); }));
    }
    addEventListener("hashchange", recall);
    recall();
})();
