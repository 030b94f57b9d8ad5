// What mouse, pen, fingers and keys do.
(function () {
  "use strict";
  const { moved, resized, drawn, placed, boxAt, handleAt, clamp } = window.kerascrop.geometry;
  const cursors = { n: "ns", s: "ns", e: "ew", w: "ew", nw: "nwse", se: "nwse", ne: "nesw", sw: "nesw" };
  const arrows = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    Home: [-10, 0], End: [10, 0], PageUp: [0, -10], PageDown: [0, 10],
  };

  function listenTo(stage, state, view, mode) {
    const pointers = new Map(); // those that are down: where they are on the stage
    let drag = null; // what the one pointer does: move(at), and perhaps end()
    let pinch = null;
    let space = false;

    const reach = (event) => (event.pointerType === "touch" ? 20 : 6);

    // What a pointer would do at a place: draw, pan, move a box, or drag a handle.
    function aim(event, at) {
      const point = view.onImage(at), near = reach(event) / view.scale;
      if (event.button === 1 || space || mode.pans) return { what: "pan", point };
      const box = state.boxes[state.selected];
      const handle = box && !state.rules.size ? handleAt(box, point.x, point.y, near) : "";
      if (handle) return { what: "resize", point, i: state.selected, handle };
      if (mode.draws || event.shiftKey) return { what: "draw", point };
      const i = boxAt(state.boxes, point.x, point.y, near / 2);
      return i >= 0 ? { what: "move", point, i } : { what: "draw", point };
    }

    function begin(event, at) {
      const { what, point, i, handle } = aim(event, at);
      if (what === "pan") {
        let from = at;
        return { move(to) { view.pan(to.x - from.x, to.y - from.y); from = to; } };
      }
      if (what === "draw") {
        const n = state.boxes.length, fixed = state.rules.size;
        const show = (to) => state.preview(n, { label: state.label, ...drawn(point, to, state.rules) });
        if (fixed) show(point);
        return {
          draws: true, starts: at, near: reach(event) / 2, move: (to) => show(view.onImage(to)),
          end(hasMoved) { return hasMoved || fixed ? state.finish() : state.select(-1); },
        };
      }
      const box = state.boxes[i];
      state.select(i);
      if (what === "move") {
        return {
          starts: at, near: reach(event) / 2,
          move(to) {
            const here = view.onImage(to);
            state.preview(i, moved(box, here.x - point.x, here.y - point.y, state.rules));
          },
          end: (hasMoved) => hasMoved && state.finish(),
        };
      }
      // The side keeps its distance from the pointer that has it.
      const side = { x: handle.includes("w") ? box.x1 : box.x2, y: handle.includes("n") ? box.y1 : box.y2 };
      return {
        starts: at, near: 0,
        move(to, moving) {
          const here = view.onImage(to), ratio = (box.x2 - box.x1) / (box.y2 - box.y1);
          const aspect = state.rules.aspect || (moving.shiftKey ? ratio : null);
          state.preview(i, resized(box, handle, side.x + here.x - point.x, side.y + here.y - point.y, state.rules, aspect));
        },
        end: (hasMoved) => hasMoved && state.finish(),
      };
    }

    const spread = ([a, b]) => ({
      x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, far: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)),
    });

    function down(event) {
      if (event.button > 1 || pointers.size > 1) return;
      event.preventDefault(); // no text is selected, and the focus is ours to set
      stage.dataset.by = "pointer"; // which needs no frame around what has the focus
      stage.setPointerCapture(event.pointerId);
      const at = view.onStage(event);
      pointers.set(event.pointerId, at);
      if (pointers.size === 2) {
        if (drag && drag.end) state.cancel();
        drag = null;
        pinch = spread([...pointers.values()]);
      } else {
        drag = begin(event, at);
        view.focus(drag.draws ? -1 : state.selected);
      }
    }

    function move(event) {
      const at = view.onStage(event);
      if (!pointers.has(event.pointerId)) {
        const { what, handle } = aim(event, at);
        stage.style.cursor = { pan: "grab", move: "move", draw: "crosshair", resize: `${cursors[handle]}-resize` }[what];
        return;
      }
      pointers.set(event.pointerId, at);
      if (pinch && pointers.size === 2) {
        const now = spread([...pointers.values()]);
        view.pan(now.x - pinch.x, now.y - pinch.y);
        view.zoom(now.far / pinch.far, now);
        pinch = now;
      } else if (drag) {
        const far = drag.starts ? Math.hypot(at.x - drag.starts.x, at.y - drag.starts.y) : Infinity;
        drag.moves = drag.moves || far > (drag.near || 0);
        if (drag.moves) drag.move(at, event);
      }
    }

    function up(event) {
      if (!pointers.delete(event.pointerId)) return;
      pinch = null;
      if (!drag) return;
      const done = drag;
      drag = null;
      if (!done.end) return;
      if (event.type === "pointercancel") return state.cancel();
      done.end(done.moves);
      view.focus(state.selected);
    }

    function wheel(event) {
      // The page scrolls over an editor that nobody uses.
      if (!event.ctrlKey && !stage.contains(document.activeElement)) return;
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 24 : 1);
      view.zoom(Math.exp(clamp(-pixels, -240, 240) * (event.ctrlKey ? 0.008 : 0.002)), view.onStage(event));
    }

    function newBox() {
      const seen = view.seen(), { rules } = state;
      const size = rules.size || { width: (seen.x2 - seen.x1) / 4, height: (seen.y2 - seen.y1) / 4 };
      state.add(placed({ x: (seen.x1 + seen.x2) / 2, y: (seen.y1 + seen.y2) / 2 }, size, rules));
      view.focus(state.selected);
    }

    const actions = {
      newBox,
      remove() {
        state.remove();
        view.focus(state.selected);
      },
      undo: () => state.undo() && view.focus(state.selected),
      redo: () => state.redo() && view.focus(state.selected),
      zoomIn: () => view.zoom(1.25), zoomOut: () => view.zoom(0.8), fit: view.fit,
      drawMode: () => mode.toggle("draws"), panMode: () => mode.toggle("pans"), lock: () => mode.lock(),
      leave() {
        drag = null;
        state.cancel();
        state.select(-1);
        view.focus(-1);
        return true;
      },
    };
    const keys = {
      n: "newBox", insert: "newBox", delete: "remove", backspace: "remove", "+": "zoomIn", "=": "zoomIn", "-": "zoomOut",
      f: "fit", d: "drawMode", h: "panMode", a: "lock", escape: "leave",
    };

    // Whether a key means something here.
    function press(event) {
      const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
      if (arrows[event.key]) {
        const [dx, dy] = arrows[event.key].map((step) => step * (control && event.key.startsWith("Arrow") ? 10 : 1));
        if (state.selected < 0) view.pan(-40 * Math.sign(dx), -40 * Math.sign(dy));
        else if (event.shiftKey) state.stretch(dx, dy, event.repeat);
        else state.nudge(dx, dy, event.repeat);
      } else if (control && key === "z") actions[event.shiftKey ? "redo" : "undo"]();
      else if (control && key === "y") actions.redo();
      else if (control || event.altKey) return false;
      else if (key === "enter" && document.activeElement === stage) newBox();
      else if (/^[0-9]$/.test(key)) mode.choose(Number(key));
      else if (key === " ") space = true;
      else if (keys[key]) actions[keys[key]]();
      else return false;
      return true;
    }

    stage.addEventListener("pointerdown", down);
    stage.addEventListener("pointermove", move);
    stage.addEventListener("pointerup", up);
    stage.addEventListener("pointercancel", up);
    stage.addEventListener("wheel", wheel, { passive: false });
    stage.addEventListener("keydown", (event) => {
      stage.dataset.by = "key";
      if (pointers.size ? event.key === "Escape" && actions.leave() : press(event)) event.preventDefault();
    });
    stage.addEventListener("keyup", (event) => { if (event.key === " ") space = false; });
    stage.addEventListener("focusout", (event) => {
      space = false;
      if (!stage.contains(event.relatedTarget)) stage.dataset.by = "";
    });
    return actions;
  }

  window.kerascrop.listenTo = listenTo;
})();
