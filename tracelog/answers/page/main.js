// The page put together: what is said at its top, what opens what.

const find = (id) => document.getElementById(id);

function say(text) {
  if (find("said").textContent !== text) find("said").textContent = text;
}

let origin = find("chart"); // where who has read an utterance goes on

function open(i, focus) {
  if (focus && !find("detail").contains(document.activeElement)) origin = document.activeElement;
  timeline.choose(i);
  detail.show(i, focus);
  if (focus) find("detail").scrollIntoView({ block: "nearest" });
}

const figureOf = (name, value, className = "figure") => ({ name, value, text: (row) => ms(value(row)), className });

const dated = (offset) => instant(offset).toISOString().slice(0, 19).replace("T", " ");

function summary() {
  const { log } = data;
  const files = log.names.length > 3 ? quantity(log.names.length, "file") : log.names.map(plain).join(", ");
  const when = log.span_ms === null ? "" : `, ${dated(0)} to ${severalDays ? dated(log.span_ms) : clock(log.span_ms, 0)} UTC`;
  find("summary").textContent = `${files}${when}`;
  document.title = `${quantity(log.late, "late utterance")} in ${files}`;
  const share = log.utterances ? ` of ${whole.format(log.utterances)}` : "";
  const held = data.holds.ms.length ? `longest ${ms(Math.max(...data.holds.ms))} ms` : "";
  for (const [name, value, small] of [
    ["late utterances", whole.format(log.late), share],
    ["users it hit", whole.format(log.waiting), ` of ${whole.format(log.users)}`],
    ["half took", log.quantiles.length ? ms(log.quantiles[0]) : "–", " ms or less"],
    ["95 of 100", log.quantiles.length ? ms(log.quantiles[1]) : "–", " ms or less"],
    ["99 of 100", log.quantiles.length ? ms(log.quantiles[2]) : "–", " ms or less"],
    ["holds", whole.format(log.holds), ` ${held}`],
  ]) {
    find("figures").append(element("div", {}, element("dt", { textContent: name }),
      element("dd", {}, value, element("small", { textContent: small }))));
  }
  for (const text of data.log.left_out) find("left-out").append(element("li", { textContent: text }));
}

function legend() {
  const used = new Set(main.filter((_, i) => late[i]));
  BOXES.forEach((box, k) => {
    const key = element("i", { ariaHidden: "true" });
    key.style.background = `var(--${box})`;
    const item = element("li", {}, key, `${box} `, element("small", { textContent: MEANING[box] }));
    if (!used.has(k)) item.className = "unused";
    find("legend").append(item);
  });
  find("legend").append(
    element("li", {}, element("i", { className: "calm", ariaHidden: "true" }), "on time"),
    element("li", {}, element("i", { className: "band", ariaHidden: "true" }), "the loop was held"),
  );
}

function drawBar(cell, i) {
  const bar = element("div", { className: "split", ariaHidden: "true" });
  const all = Math.max(total[i], 1e-9);
  for (const box of BOXES) {
    if (!(boxes[box][i] / all > 0.005)) continue;
    const part = element("i");
    part.style.width = `${Math.min(100, (100 * boxes[box][i]) / all)}%`;
    part.style.background = `var(--${box})`;
    bar.append(part);
  }
  const said = BOXES.filter((box) => boxes[box][i] >= 0.05).map((box) => `${box} ${ms(boxes[box][i])}`).join(", ");
  bar.title = said;
  cell.append(bar, element("span", { className: "unseen", textContent: said }));
}

const causes = data.why.map((texts) => plain(parse(texts[0]) ?? ""));
const utteranceColumns = [
  { name: "time", value: (i) => at[i], text: (i) => clock(at[i]), className: "time" },
  { name: "user", value: (i) => userOf(i) ?? "", text: (i) => plain(userOf(i) ?? "–") },
  { name: "connection", value: (i) => connectionOf(i) ?? "", text: (i) => plain(connectionOf(i) ?? "–"), className: "c-connection" },
  { name: "no.", value: (i) => number(numberOf(i)), text: (i) => plain(numberOf(i) ?? "–"), className: "figure c-number" },
  { ...figureOf("total ms", (i) => total[i]), text: (i) => ms(total[i]) },
  { name: "boxes", value: (i) => main[i], draw: drawBar, className: "c-boxes" },
  { name: "why", value: (i) => causes[i] ?? "", text: (i) => causes[i] ?? (late[i] ? "late" : ""), className: "c-why" },
];
const HOW = { blocked_by: "held the loop", held: "its own code", awaits: "waited for" };
const placeColumns = [
  { name: "where", value: (row) => row[1] ?? "", text: (row) => plain(row[1] ?? "–") },
  { name: "how", value: (row) => row[0], text: (row) => HOW[row[0]], className: "c-how" },
  { name: "what", value: (row) => row[2] ?? "", text: (row) => plain(row[2] ?? "–") },
  figureOf("ms in all", (row) => row[4]),
  figureOf("longest", (row) => row[5], "figure c-longest"),
  { name: "times", value: (row) => row[3], text: (row) => whole.format(row[3]), className: "figure c-times" },
  { name: "users", value: (row) => row[6], text: (row) => whole.format(row[6]), className: "figure" },
];
const peopleColumns = [
  { name: "user", value: (row) => row[0] ?? "", text: (row) => plain(row[0] ?? "–") },
  { name: "utterances", value: (row) => row[1], text: (row) => whole.format(row[1]), className: "figure" },
  { name: "late", value: (row) => row[2], text: (row) => whole.format(row[2]), className: "figure" },
  figureOf("longest ms", (row) => row[3]),
  figureOf("late ms in all", (row) => row[4]),
];

const detail = new Detail(find("detail"), open);
const timeline = new Timeline(find("chart"), say, open);
const table = new Table(find("utterance-table"), "Utterances, the worst first", utteranceColumns, open);
const places = new Table(find("blame-table"), "What is to blame", placeColumns, (row, focus) => {
  if (withTrace.has(row[7])) open(withTrace.get(row[7]), focus);
});
const people = new Table(find("people-table"), "Users", peopleColumns, (row) => {
  find("filter").value = row[0] ?? "";
  filter();
  const first = timeline.lanes.number.get(row[0]);
  if (first !== undefined) find("chart").scrollTop = first * LANE;
});

// Words are looked for in what a user, a connection, a trace or a cause is called.
function filter() {
  const wanted = find("filter").value.toLowerCase();
  const only = find("only-late").checked;
  const has = (text) => text !== null && text.toLowerCase().includes(wanted);
  const [users, connections] = [data.users.map(has), data.connections.map(has)];
  const rows = [];
  for (let i = 0; i < count; i += 1) {
    if (only && !late[i]) continue;
    if (!wanted || users[data.utterances.user[i]] || connections[data.utterances.connection[i]]
      || has(traceOf(i)) || has(causes[i] ?? null)) rows.push(i);
  }
  table.show(rows);
  find("matching").textContent = quantity(rows.length, "utterance");
}

function theme(dark) {
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  find("theme").setAttribute("aria-pressed", dark);
  timeline.redraw();
}

const darkByDefault = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.style.colorScheme || (darkByDefault.matches ? "dark" : "light")) === "dark";
find("theme").setAttribute("aria-pressed", isDark());
find("theme").addEventListener("click", () => theme(!isDark()));
darkByDefault.addEventListener("change", () => {
  find("theme").setAttribute("aria-pressed", isDark());
  timeline.redraw();
});
find("filter").addEventListener("input", filter);
find("only-late").addEventListener("change", filter);
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => timeline.view(button.dataset.view));
}
for (const name of ["focus", "blur"]) find("chart").addEventListener(name, () => timeline.redraw());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && find("detail").contains(document.activeElement)) origin.focus();
});

// Paper is light, and doesn't scroll.
let before = "";
function print(on) {
  const { style } = document.documentElement;
  if (on) before = style.colorScheme;
  style.colorScheme = on ? "light" : before;
  timeline.printing = on;
  timeline.draw();
  for (const each of [table, places, people]) each.print(on);
}
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));

if (severalDays) document.documentElement.dataset.days = "several";
summary();
legend();
if (!late.includes(1)) find("only-late").checked = false;
filter();
places.show(data.places);
people.show(data.people);
if (count) {
  // Without a look at its lane: at the top are those who waited longest.
  timeline.chosen = timeline.focus = 0;
  detail.show(0, false);
}
timeline.draw();
document.documentElement.dataset.ready = "yes";
