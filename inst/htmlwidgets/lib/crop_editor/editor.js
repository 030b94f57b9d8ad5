// An editor in an element: buttons, classes, the picture with its boxes, and a line that says where they are.
(function () {
  "use strict";
  const { createState, createView, drawPicture, listenTo } = window.kerascrop;

  const icons = {
    newBox: "M2 2h14v14H2zM9 5.5v7M5.5 9h7", drawMode: "M2 2h14v14H2zM7 8h6v5H7z",
    panMode: "M9 1v16M1 9h16M9 1L7 3M9 1l2 2M9 17l-2-2M9 17l2-2M1 9l2-2M1 9l2 2M17 9l-2-2M17 9l-2 2",
    undo: "M6 3L2 7l4 4M2 7h9a4 4 0 010 8H7", redo: "M12 3l4 4-4 4M16 7H7a4 4 0 000 8h4",
    remove: "M3 5h12M7 5V3h4v2M5 5l1 11h6l1-11", zoomOut: "M4 9h10", zoomIn: "M4 9h10M9 4v10",
    fit: "M2 6V2h4M12 2h4v4M16 12v4h-4M6 16H2v-4", lock: "M4 8h10v8H4zM6 8V5a3 3 0 016 0v3", code: "M6 5L2 9l4 4M12 5l4 4-4 4",
  };
  const titles = {
    newBox: "New box (N)", drawMode: "Draw inside of boxes (D, or hold Shift)", panMode: "Move the picture (H, or hold Space)",
    undo: "Undo (Ctrl+Z)", redo: "Redo (Ctrl+Y)", remove: "Delete the box (Delete)", zoomOut: "Zoom out (−)",
    zoomIn: "Zoom in (+)", fit: "Fit the picture (F)", lock: "Keep the aspect (A)", code: "Copy the boxes as R code",
  };
  const help = [
    ["Drag", "draw a box; move one; drag its sides and corners"], ["Shift + drag", "draw inside of a box; at a corner, keep the aspect"],
    ["Wheel, pinch", "zoom"], ["Space + drag, two fingers", "move the picture"], ["Tab", "the next box"], ["N", "a new box, in the middle"],
    ["Arrows", "move by 1 pixel; with Ctrl, or Page Up/Down, Home, End, by 10"], ["Shift + arrows", "resize, likewise"],
    ["1 – 9, 0", "the box's class, or none"], ["Delete", "delete the box"], ["Ctrl + Z, Ctrl + Y", "undo, redo"],
    ["+ − F", "zoom, fit"], ["D, H, A", "draw inside, move the picture, keep the aspect"], ["Escape", "let go of the box"],
  ];

  function make(tag, attributes, parent, text) {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  }

  // Numbers come as strings with all their digits.
  const fromColumns = (columns) => columns.x1.map((x1, i) => ({
    x1: Number(x1), y1: Number(columns.y1[i]), x2: Number(columns.x2[i]), y2: Number(columns.y2[i]),
    label: columns.label ? columns.label[i] : null,
  }));

  function toColumns(boxes) {
    const column = (name) => boxes.map((box) => box[name]);
    return { x1: column("x1"), y1: column("y1"), x2: column("x2"), y2: column("y2"), label: column("label") };
  }

  function asCode(boxes) {
    const vector = (name) => `  ${name} = c(${boxes.map((box) => JSON.stringify(box[name]) || "").join(", ")})`;
    const labels = `  label = c(${boxes.map((box) => (box.label === null ? "NA_character_" : JSON.stringify(box.label))).join(", ")})`;
    if (!boxes.length) return "data.frame(x1 = numeric(), y1 = numeric(), x2 = numeric(), y2 = numeric(), label = character())";
    return `data.frame(\n${[...["x1", "y1", "x2", "y2"].map(vector), labels].join(",\n")}\n)`;
  }

  function createEditor(element, { onBoxes, onSelected, offerCode }) {
    let x, state, mode, view, canvas, stage, status, news, buttons, classes;

    function show(given) {
      x = given;
      build(fromColumns(x.boxes));
      onBoxes();
      onSelected();
    }

    function build(boxes) {
      const rules = { width: x.width, height: x.height, snap: x.snap, aspect: x.aspect, size: x.size };
      element.replaceChildren();
      const root = make("div", { class: "kc-editor", role: "group", "aria-label": "Crop editor" }, element);
      const bar = make("div", { class: "kc-bar", role: "toolbar", "aria-label": "Tools" }, root);
      classes = make("div", { class: "kc-classes", role: "group", "aria-label": "Classes" }, root);
      stage = make("div", {
        class: "kc-stage", tabindex: 0, role: "application", "aria-roledescription": "image with boxes",
        "aria-label": `${x.name}, ${x.width} by ${x.height} pixels. N makes a new box, Tab goes to the next.`,
      }, root);
      canvas = make("canvas", { class: "kc-picture", "aria-hidden": true }, stage);
      canvas.width = canvas.height = 1;
      const foot = make("div", { class: "kc-foot" }, root);
      status = make("div", { class: "kc-status" }, foot);
      const details = make("details", { class: "kc-help" }, foot);
      make("summary", {}, details, "Keys");
      const table = make("dl", {}, make("div", { class: "kc-keys", tabindex: 0 }, details));
      help.forEach(([key, what]) => { make("dt", {}, table, key); make("dd", {}, table, what); });
      news = make("div", { class: "kc-news", "aria-live": "polite" }, root);

      state = createState(boxes, rules, state ? state.label : null);
      mode = makeMode(rules);
      view = createView(stage, canvas, state);
      const actions = { ...listenTo(stage, state, view, mode), code: copyCode };
      buttons = {};
      Object.keys(icons).forEach((name) => {
        if (name === "code" && !offerCode || name === "lock" && rules.size) return;
        const button = buttons[name] = make("button", { type: "button", class: "kc-button", title: titles[name],
          "aria-label": titles[name] }, bar);
        button.innerHTML = `<svg viewBox="0 0 18 18" aria-hidden="true"><path d="${icons[name]}"/></svg>`;
        button.addEventListener("click", () => actions[name]());
      });
      state.listen((what) => {
        tellStatus();
        if (what === "draft") return;
        if (what === "boxes") onBoxes();
        onSelected();
        news.textContent = state.selected >= 0 ? view.describe(state.selected) : `${state.boxes.length} boxes`;
      });
      showClasses(x.labels);
      showGhosts(x.ghosts);
      tellMode();
      showPicture(x.picture);
    }

    function showClasses(labels) {
      x.labels = labels;
      view.setLabels(labels);
      classes.replaceChildren();
      classes.hidden = !labels.length;
      labels.forEach((label, i) => {
        const button = make("button", { type: "button", class: "kc-class", "aria-pressed": false }, classes);
        make("span", { class: "kc-swatch", style: `background:${view.colour(label)}`, "aria-hidden": true }, button);
        if (i < 9) make("kbd", {}, button, i + 1);
        make("span", {}, button, label);
        button.addEventListener("click", () => mode.choose(button.getAttribute("aria-pressed") === "true" ? 0 : i + 1));
      });
      if (!labels.includes(state.label)) state.label = null;
      tellStatus();
    }

    function showGhosts(ghosts) {
      x.ghosts = ghosts;
      view.setGhosts(ghosts.map(({ name, boxes }) => ({ name, boxes: fromColumns(boxes) })));
      status.replaceChildren();
      tellStatus();
    }

    function makeMode(rules) {
      return {
        draws: false, pans: false,
        toggle(name) {
          this[name] = !this[name];
          if (name === "draws") this.pans = false; else this.draws = false;
          tellMode();
        },
        // The aspect that was given, or else the selected box's.
        lock() {
          if (rules.size) return;
          const box = state.boxes[state.selected];
          rules.aspect = rules.aspect ? null : x.aspect || (box ? (box.x2 - box.x1) / (box.y2 - box.y1) : 1);
          tellMode();
        },
        choose(number) {
          if (number <= x.labels.length) state.relabel(number ? x.labels[number - 1] : null);
        },
      };
    }

    function tellMode() {
      const { drawMode, panMode, lock } = buttons;
      [[drawMode, mode.draws], [panMode, mode.pans], [lock, Boolean(state.rules.aspect)]].forEach(([button, pressed]) =>
        button && button.setAttribute("aria-pressed", pressed));
    }

    // All parts have their place all the time, so that the picture stays where it is while one draws.
    function tellStatus() {
      const box = state.boxes[state.selected], n = (value) => Math.round(value * 100) / 100;
      const count = `${state.boxes.length} ${state.boxes.length === 1 ? "box" : "boxes"}`;
      const parts = [box ? `${state.selected + 1} of ${count}` : `${x.width} × ${x.height} pixels, ${count}`];
      parts.push(box ? `x ${n(box.x1)} – ${n(box.x2)}, y ${n(box.y1)} – ${n(box.y2)}` : "");
      parts.push(box ? `${n(box.x2 - box.x1)} × ${n(box.y2 - box.y1)}` : "");
      view.agreements(box).forEach(({ name, iou }) => parts.push(`IoU with ${name}: ${box ? iou.toFixed(2) : "–"}`));
      while (status.children.length < parts.length) make("span", {}, status);
      parts.forEach((text, i) => { status.children[i].textContent = text; });
      buttons.undo.disabled = !state.canUndo;
      buttons.redo.disabled = !state.canRedo;
      buttons.remove.disabled = !box;
      const label = box ? box.label : state.label;
      [...classes.children].forEach((button, i) => button.setAttribute("aria-pressed", x.labels[i] === label));
    }

    async function showPicture(picture) {
      const mine = canvas;
      try {
        await drawPicture(mine, picture, { width: x.width, height: x.height });
        element.dispatchEvent(new CustomEvent("kerascrop:picture"));
      } catch (error) {
        make("p", { class: "kc-problem", role: "alert" }, stage, `The picture cannot be shown: ${error.message}`);
      }
      if (mine === canvas) view.redraw();
    }

    function copyCode() {
      const area = make("textarea", { class: "kc-copy", "aria-label": "R code" }, element);
      area.value = asCode(state.boxes);
      area.select();
      news.textContent = document.execCommand("copy") ? "Copied." : "The browser does not let this page copy.";
      area.remove();
      buttons.code.focus();
    }

    // What R's update_crop_editor() changes; what is not in the message stays.
    function update(message) {
      const boxes = message.boxes ? fromColumns(message.boxes) : state.boxes;
      if (message.image) {
        x = { ...x, ...message.image };
        build(boxes);
        onBoxes();
        onSelected();
      } else if (message.boxes) {
        state.set(boxes);
      }
      if (message.labels) showClasses(message.labels);
      if (message.ghosts) showGhosts(message.ghosts);
      if (message.add) state.set([...state.boxes, ...fromColumns(message.add)], state.selected);
      if (message.select) state.select(Math.min(message.select, state.boxes.length) - 1);
    }

    return {
      show, update,
      boxes: () => (state ? toColumns(state.boxes) : null),
      selected: () => (state && state.selected >= 0 ? state.selected + 1 : null),
    };
  }

  window.kerascrop.createEditor = createEditor;
})();
