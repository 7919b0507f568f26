// What the timeline says of what is under the pointer, how it divides time, and its colours.

// From a millisecond to weeks, in steps that people count in.
function niceStep(least) {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5,
    9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5];
  return steps.find((step) => step >= least) ?? Math.ceil(least / 864e5) * 864e5;
}

// A canvas doesn't know of `light-dark()`: an element that does is asked.
function colours() {
  const probe = document.getElementById("timeline");
  const found = {};
  for (const name of [...BOXES, "ink", "muted", "line", "band", "calm", "focus", "drag"]) {
    probe.style.outlineColor = `var(--${name})`;
    found[name] = getComputedStyle(probe).outlineColor;
  }
  probe.style.outlineColor = "";
  return found;
}

function sentenceOf(i) {
  const why = late[i] ? plain(whyOf(i)?.cause ?? "").slice(0, 300) : "";
  return `${titleOf(i)}: ${ms(total[i])} ms${late[i] ? ", late" : ""}, ${clock(at[i])}${why ? `. ${why}` : ""}`;
}

function holdSentence(k) {
  const { holds } = data;
  const who = holds.user[k] ?? holds.holder[k];
  return `Loop held for ${ms(holds.ms[k])} ms by ${plain(who ?? "somebody")} in ${plain(holds.where[k] ?? "–")}`
    + ` (${plain(holds.kind[k] ?? "–")}); ${quantity(holds.delayed[k] ?? 0, "utterance")} delayed`;
}
