// One utterance: the six boxes one after the other on one axis, below them who and what it waited
// for, and its lines.

class Detail {
  constructor(section, open) {
    this.title = section.querySelector("h2");
    this.body = section.querySelector("#detail-body");
    this.open = open;
  }

  show(i, focus) {
    const why = whyOf(i);
    this.i = i;
    this.why = why ?? {};
    this.title.textContent = titleOf(i);
    this.body.replaceChildren(this.#about(i, this.why));
    if (why === null) this.#hint("Causes are in this page for the worst utterances only.");
    else if (why.cause) this.body.append(element("p", { className: "cause", textContent: plain(why.cause) }));
    this.body.append(this.#waterfall(i));
    this.#hint("The boxes are sums: an utterance comes back to the loop, its code and its waits many times."
      + " What is pale has its length here, but not its place.");
    this.#lines(i);
    if (focus) this.title.focus();
  }

  #hint(text) {
    this.body.append(element("p", { className: "hint", textContent: text }));
  }

  #about(i, why) {
    const list = element("dl", { className: "about" });
    const budget = why.budget_ms ? ` of ${ms(number(why.budget_ms))} allowed` : "";
    const request = [why.method, why.path, why.status].filter((each) => each !== null && each !== undefined);
    for (const [name, value] of [
      ["took", `${ms(total[i])} ms${late[i] ? ", late" : ""}${budget}${why.failed ? ", failed" : ""}`],
      ["arrived", `${clock(at[i], 3)} UTC`],
      ["kind", kindOf(i)],
      ["path", request.length ? request.map(plain).join(" ") : null],
      ["connection", connectionOf(i)],
      ["trace", traceOf(i)],
    ]) {
      if (value === null) continue;
      list.append(element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: plain(value) })));
    }
    return list;
  }

  #waterfall(i) {
    const table = element("table", { className: "fall" });
    table.append(element("caption", { textContent: `Where ${ms(total[i])} ms went` }), this.#axis(table, i));
    let start = 0;
    this.begins = {};
    const rows = BOXES.map((box) => {
      const length = boxes[box][i];
      this.begins[box] = start;
      if (length > 0) start += length;
      const bound = box === "socket" && this.why.socket_bound ? " (at most)" : "";
      return this.#row(box, MEANING[box] + bound, box, this.begins[box], length);
    });
    this.#group(table, "Boxes", rows);
    this.#group(table, "The loop was held by", entries(this.why.blocked_by).map((each) => this.#hold(each)));
    this.#group(table, "Its own holds", entries(this.why.held).map((each) => this.#own(each)));
    this.#group(table, "Many short steps of", entries(this.why.busiest).map((each) =>
      this.#row(who(each), "", "loop", this.begins.loop, number(each.ms))));
    this.#group(table, "It waited for", entries(this.why.awaits).map((each) => this.#await(each)));
    this.#group(table, "Spans", entries(this.why.spans).map((each) => this.#span(each)));
    return table;
  }

  #axis(table, i) {
    const track = element("td", { className: "track axis", ariaHidden: "true" });
    const step = niceStep(Math.max(total[i], 1) / 6);
    table.style.setProperty("--step", `${(100 * step) / Math.max(total[i], 1e-9)}%`);
    for (let tick = 0; tick <= total[i]; tick += step) {
      const label = element("span", { textContent: whole.format(tick) });
      label.style.left = `${(100 * tick) / Math.max(total[i], 1e-9)}%`;
      if (tick / total[i] < 0.94) track.append(label);
    }
    const end = element("th", { scope: "col", textContent: "ms" });
    return element("thead", {}, element("tr", {}, element("th", { scope: "col" }), track, end));
  }

  #group(table, name, rows) {
    if (!rows.length) return;
    const head = element("th", { colSpan: 3, scope: "rowgroup", textContent: name });
    table.append(element("tbody", {}, element("tr", { className: "group" }, head), ...rows));
  }

  #row(label, small, box, start, length, exact = true, trace = null) {
    const head = element("th", { scope: "row" });
    const other = trace === null ? undefined : withTrace.get(trace);
    if (other === undefined || other === this.i) head.append(element("span", { textContent: plain(label) }));
    else head.append(this.#link(label, other));
    if (small) head.append(element("small", { textContent: plain(small) }));
    const bar = element("div", { className: `bar ${exact ? "" : "loose"}` });
    const all = Math.max(total[this.i], 1e-9);
    const left = Math.min(Math.max(start / all, 0), 1);
    bar.style.setProperty("--box", `var(--${box})`);
    bar.style.left = `${100 * left}%`;
    bar.style.width = `${100 * Math.min(Math.max(length, 0) / all, 1 - left)}%`;
    const track = element("td", { className: "track", ariaHidden: "true" });
    if (length > 0) track.append(bar);
    return element("tr", {}, head, track, element("td", { className: "figure", textContent: ms(length) }));
  }

  #link(label, other) {
    const button = element("button", { type: "button", className: "link", textContent: plain(label) });
    button.addEventListener("click", () => this.open(other, true));
    return button;
  }

  // Where it was, if the hold has a line of its own; it may have begun before this one came.
  #hold(each) {
    const k = data.holds.trace.findIndex((trace, n) =>
      trace !== null && trace === each.trace_id && data.holds.where[n] === each.where
      && data.holds.at[n] + data.holds.ms[n] > at[this.i] && data.holds.at[n] < at[this.i] + total[this.i]);
    const place = [each.where, each.kind].filter((text) => text).join(", ");
    const start = k < 0 ? 0 : Math.max(data.holds.at[k] - at[this.i], 0);
    return this.#row(who(each), place, "loop", start, number(each.ms), k >= 0, each.trace_id);
  }

  #own(each) {
    const k = data.holds.trace.findIndex((trace, n) => trace !== null && trace === traceOf(this.i)
      && data.holds.where[n] === each.where);
    const start = k < 0 ? this.begins.code : data.holds.at[k] - at[this.i];
    return this.#row(each.where ?? "–", each.kind ?? "", "code", start, number(each.ms), k >= 0);
  }

  #await(each) {
    const until = each.until && typeof each.until === "object" ? each.until : null;
    const small = [each.where, until && `until ${who(until)} let it go on`].filter((text) => text).join(", ");
    return this.#row(each.what ?? "–", small, "await", this.begins.await, number(each.ms), false, until?.trace_id);
  }

  // A span that was logged, at DEBUG, ended when its line was made.
  #span(each) {
    const lines = (data.lines[traceOf(this.i)]?.lines ?? []).filter((line) => line[3] === "span");
    const logged = lines.map((line) => [line[0], parse(line[4])]).find(([, line]) =>
      line?.name === each.name && number(each.count) <= 1);
    const length = number(each.total_ms);
    const start = logged ? logged[0] - length - at[this.i] : this.begins.loop;
    const within = Array.isArray(each.within) ? `within ${each.within.map(plain).join(" › ")}, ` : "";
    const small = `${within}${quantity(number(each.count), "time")}, ${ms(number(each.own_ms))} ms its own`;
    return this.#row(each.name ?? "–", small, "span", start, length, Boolean(logged));
  }

  #lines(i) {
    const found = data.lines[traceOf(i)];
    this.body.append(element("h3", { textContent: "Its lines" }));
    if (!found) {
      this.#hint("Lines are in this page for the worst utterances only. In the log, look for the trace.");
      return;
    }
    const body = element("tbody");
    for (const [k, line] of found.lines.entries()) {
      if (k === found.gap) {
        const cell = element("td", { colSpan: 3, textContent: `${quantity(found.count - found.lines.length, "line")} left out` });
        body.append(element("tr", { className: "gap" }, cell));
      }
      body.append(this.#line(i, line));
    }
    const heads = ["ms", "level", "event"].map((name) => element("th", { scope: "col", textContent: name }));
    const table = element("table", { className: "lines" }, element("thead", {}, element("tr", {}, ...heads)), body);
    this.body.append(element("div", { className: "wide", tabIndex: 0, role: "region", ariaLabel: "Its lines" }, table));
  }

  #line(i, [when, level, logger, event, raw]) {
    const shown = element("td", {}, element("b", { textContent: plain(event ?? "") }), " ",
      element("span", { className: "logger", textContent: plain(logger ?? "") }));
    const more = element("details", {}, element("summary", { textContent: "all of it" }));
    // Made when it is opened: a line may have kilobytes.
    more.addEventListener("toggle", () => {
      if (more.childElementCount === 1) more.append(element("pre", { textContent: pretty(raw) }));
    });
    shown.append(more);
    const grave = /^(warning|error|critical)$/.test(level ?? "") ? "grave" : "";
    return element("tr", { className: grave },
      element("td", { className: "figure", textContent: ms(when - at[i]) }),
      element("td", { textContent: plain(level ?? "") }), shown);
  }
}

function pretty(raw) {
  const line = parse(raw);
  if (line === null || typeof line !== "object") return `${plain(raw)} … (cut)`;
  return Object.entries(line).map(([key, value]) => `${plain(key)}: ${plain(value)}`).join("\n");
}

// As the causes name people.
function who(about) {
  if (about.user_id !== undefined && about.user_id !== null) {
    return about.what === undefined ? plain(about.user_id) : `${plain(about.user_id)}’s ${plain(about.what)}`;
  }
  if (about.trace_id) return `${about.what === undefined ? "" : `${plain(about.what)} of `}trace ${plain(about.trace_id)}`;
  return plain(about.holder ?? "somebody");
}
