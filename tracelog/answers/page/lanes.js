// Who has a row of the timeline, and which utterances are in it: rows are sorted by how long their
// users waited in late utterances, each row's utterances by time, so that what is in sight is found
// by bisection.

const LONG_MS = 60_000;

class Lanes {
  constructor() {
    const waited = new Map();
    for (let i = 0; i < count; i += 1) {
      const who = whoOf(i);
      waited.set(who, (waited.get(who) ?? 0) + (late[i] ? total[i] : 0));
    }
    this.names = [...waited.keys()].sort((a, b) => waited.get(b) - waited.get(a));
    this.number = new Map(this.names.map((name, lane) => [name, lane]));
    this.labels = this.names.map(plain);
    this.of = Int32Array.from(total, (_, i) => this.number.get(whoOf(i)));
    const known = new Uint32Array(count).map((_, i) => i).filter((i) => Number.isFinite(at[i]));
    this.order = known.sort((a, b) => this.of[a] - this.of[b] || at[a] - at[b]);
    this.starts = new Uint32Array(this.names.length + 1);
    for (const i of this.order) this.starts[this.of[i] + 1] += 1;
    for (let lane = 0; lane < this.names.length; lane += 1) this.starts[lane + 1] += this.starts[lane];
    this.longest = total.reduce((a, b) => Math.max(a, b), 1);
    // Those that can reach into the sight from further to the left than this are few.
    this.reach = Math.min(this.longest, LONG_MS);
    this.long = new Map();
    for (const i of this.order.filter((i) => total[i] > this.reach)) {
      const lane = this.of[i];
      if (!this.long.has(lane)) this.long.set(lane, []);
      this.long.get(lane).push(i);
    }
  }

  // The first of a lane that came then or later.
  firstIn(lane, from) {
    let [low, high] = [this.starts[lane], this.starts[lane + 1]];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[this.order[middle]] < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  worst() {
    return this.order.length ? this.order.reduce((a, b) => Math.min(a, b)) : -1;
  }

  beside(i, key, step) {
    const lane = this.of[i];
    const [first, end] = [this.starts[lane], this.starts[lane + 1]];
    const here = this.order.indexOf(i, first);
    const start = { Home: first, End: end - 1 }[key] ?? here + step;
    for (let k = start; k >= first && k < end; k += step) if (late[this.order[k]]) return this.order[k];
    return i;
  }

  // The nearest late one of the next user who has any.
  below(i, step) {
    const time = at[i];
    for (let lane = this.of[i] + step; lane >= 0 && lane < this.names.length; lane += step) {
      let best = -1;
      for (let k = this.starts[lane]; k < this.starts[lane + 1]; k += 1) {
        const other = this.order[k];
        const far = Math.abs(at[other] - time);
        if (late[other] && (best < 0 || far < Math.abs(at[best] - time))) best = other;
      }
      if (best >= 0) return best;
    }
    return i;
  }
}
