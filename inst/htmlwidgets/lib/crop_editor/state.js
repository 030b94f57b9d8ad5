// The boxes, which of them is selected, and how they came to be: undo and redo. Knows of no page.
(function () {
  "use strict";
  const { moved, stretched, same } = window.kerascrop.geometry;

  // Listeners are called with "draft" while a pointer draws, "boxes" when a step is done, "selected" for a selection.
  function createState(boxes, rules, label) {
    let now = { boxes, selected: -1 };
    let draft = null; // what is seen while a pointer is down
    let past = [], future = [];
    let last = ""; // what the last step was: one that goes on becomes part of it
    const listeners = [];
    const tell = (what) => listeners.forEach((listener) => listener(what));

    function commit(boxes, selected, name = "", goesOn = false) {
      draft = null;
      const unchanged = boxes.length === now.boxes.length && boxes.every((box, i) => same(box, now.boxes[i]));
      if (unchanged) return state.select(selected);
      if (!goesOn || name !== last) past.push(now);
      last = name;
      future = [];
      now = { boxes, selected };
      tell("boxes");
    }

    function travel(from, to) {
      draft = null;
      last = "";
      if (!from.length) return false;
      to.push(now);
      now = from.pop();
      tell("boxes");
      return true;
    }

    function change(how, name, held) {
      const i = now.selected;
      if (i >= 0) commit(at(i, how(now.boxes[i])), i, name, held);
    }

    const at = (i, box) => now.boxes.map((old, k) => (k === i ? box : old));

    const state = {
      rules,
      label, // of new boxes, null for none
      get boxes() { return (draft || now).boxes; },
      get selected() { return (draft || now).selected; },
      get canUndo() { return past.length > 0; },
      get canRedo() { return future.length > 0; },
      listen: (listener) => listeners.push(listener),

      // What a pointer is about to do to one box (a new one behind the last): seen, but no step yet.
      preview(i, box) {
        draft = { boxes: i < now.boxes.length ? at(i, box) : [...now.boxes, box], selected: i };
        tell("draft");
      },
      finish() { if (draft) commit(draft.boxes, draft.selected); },
      cancel() {
        draft = null;
        tell("draft");
      },
      select(i) {
        last = "";
        if (i === now.selected) return tell("draft");
        now = { ...now, selected: i };
        tell("selected");
      },
      set: (boxes, selected = -1) => commit(boxes, Math.min(selected, boxes.length - 1)),
      add: (box) => commit([...now.boxes, { label: state.label, ...box }], now.boxes.length),
      remove() {
        const i = now.selected;
        const left = now.boxes.filter((_, k) => k !== i);
        if (i >= 0) commit(left, Math.min(i, left.length - 1));
      },
      relabel(label) {
        state.label = label;
        const i = now.selected;
        if (i >= 0) commit(at(i, { ...now.boxes[i], label }), i);
        tell("selected");
      },
      // A key that is held down goes on with its step.
      nudge: (dx, dy, held) => change((box) => moved(box, dx, dy, rules), "nudge", held),
      stretch: (dx, dy, held) => !rules.size && change((box) => stretched(box, dx, dy, rules), "stretch", held),
      undo: () => travel(past, future),
      redo: () => travel(future, past),
    };
    return state;
  }

  window.kerascrop.createState = createState;
})();
