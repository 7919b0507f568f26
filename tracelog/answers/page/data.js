// What the page shows, as report.py has put it in. The files of this folder are one script, joined
// in an order that report.py names; each is one idea.
//
// A log is untrusted: its values reach the page by `textContent` only, which the policy enforces,
// and controls, of direction too, are shown as escapes.

const BOXES = ["socket", "queue", "loop", "code", "await", "send"];
const MEANING = {
  socket: "in the kernel",
  queue: "waiting for its handler",
  loop: "waiting for the event loop",
  code: "its own code",
  await: "waiting for somebody else",
  send: "the client takes the reply",
};
const WHY = ["cause", "blocked_by", "held", "awaits", "busiest", "spans", "behind", "behind_ms",
  "socket_bound", "budget_ms", "failed", "method", "path", "status"];
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu;

const data = JSON.parse(document.getElementById("data").textContent);
const count = data.utterances.total.length;
const late = Uint8Array.from(data.utterances.late);
const at = Float64Array.from(data.utterances.at, (ms) => ms ?? NaN); // since `data.base`
const total = Float64Array.from(data.utterances.total);
const boxes = Object.fromEntries(
  BOXES.map((box) => [box, Float64Array.from(data.utterances[box], (ms) => ms ?? NaN)]),
);
const main = Int8Array.from(total, (_, i) => longestBox(i));
const withTrace = new Map();
data.utterances.trace.forEach((trace, i) => {
  if (trace !== null && !withTrace.has(trace)) withTrace.set(trace, i);
});

function longestBox(i) {
  let best = -1;
  BOXES.forEach((box, k) => {
    if (boxes[box][i] > (best < 0 ? 0 : boxes[BOXES[best]][i])) best = k;
  });
  return best;
}

const words = (list, index) => (index < 0 ? null : list[index]);
const userOf = (i) => words(data.users, data.utterances.user[i]);
const connectionOf = (i) => words(data.connections, data.utterances.connection[i]);
const kindOf = (i) => words(data.kinds, data.utterances.kind[i]);
const traceOf = (i) => data.utterances.trace[i];
const whoOf = (i) => userOf(i) ?? connectionOf(i) ?? "nobody known";
const numberOf = (i) => data.utterances.number[i];

// What is known only of the worst; parsed when somebody looks.
function whyOf(i) {
  const texts = data.why[i];
  return texts ? Object.fromEntries(WHY.map((key, k) => [key, parse(texts[k])])) : null;
}

function parse(text) {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

const entries = (value) =>
  (Array.isArray(value) ? value : []).filter((each) => each !== null && typeof each === "object");
const number = (value) => (Number.isFinite(Number(value)) ? Number(value) : 0);

const figure = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const ms = (value) => (Number.isFinite(value) ? figure.format(value) : "–");

function plain(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.replace(CONTROLS, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const DAY = 86_400_000;
const instant = (offset) => new Date(data.base + offset);
const severalDays =
  Math.floor(data.base / DAY) !== Math.floor((data.base + (data.log.span_ms ?? 0)) / DAY);

function clock(offset, digits = 3) {
  if (!Number.isFinite(offset)) return "–";
  const text = instant(offset).toISOString();
  const from = severalDays ? 5 : 11;
  return text.slice(from, digits ? 20 + digits : 19).replace("T", " ");
}

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function quantity(value, noun) {
  return `${whole.format(value)} ${noun}${value === 1 ? "" : "s"}`;
}

function titleOf(i) {
  const what = numberOf(i);
  const noun = kindOf(i) === "http" ? "request" : "message";
  return plain(whoOf(i)) + (what === null ? "" : `, ${noun} ${plain(what)}`);
}
