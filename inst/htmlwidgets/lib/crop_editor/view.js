// The picture and the boxes on the page: zoom, pan, and what is drawn. A box is drawn in image pixels inside of one
// SVG group, which zoom and pan transform; lines and letters keep their size.
(function () {
  "use strict";
  const { clamp, iou } = window.kerascrop.geometry;
  // Colours that colour-blind people tell apart: Okabe and Ito's, and two dark ones of Paul Tol's, which get a light rim.
  const colours = ["#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#661100", "#332288"];
  const dark = colours.slice(7);
  const handles = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

  const svg = (name, attributes, parent) => set(
    parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name)), attributes);
  function set(element, attributes) {
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    return element;
  }
  const sides = (box) => ({ x: box.x1, y: box.y1, width: box.x2 - box.x1, height: box.y2 - box.y1 });

  function createView(stage, canvas, state) {
    const image = { width: state.rules.width, height: state.rules.height };
    const root = svg("svg", { class: "kc-svg" }, stage);
    const zoomed = svg("g", {}, root);
    const behind = svg("g", { "aria-hidden": true }, zoomed);
    const list = svg("g", { role: "listbox", "aria-label": "Boxes" }, zoomed);
    const front = svg("g", { class: "kc-front", "aria-hidden": true }, root);
    const frame = svg("rect", { class: "kc-frame" }, front);
    const dots = handles.map(() => svg("rect", { class: "kc-handle", width: 9, height: 9, rx: 1 }, front));
    const nodes = []; // of each box: its group, lines and name, and what was drawn last, so that only changes are
    let place = { scale: 1, x: 0, y: 0 }; // image pixel p is at p * scale + (x, y) of the stage
    let labels = [], ghosts = [];
    let fits = true, waiting = 0, drawnScale = 0;

    const colour = (label) => (labels.includes(label) ? colours[labels.indexOf(label) % colours.length] : "#FFFFFF");
    const later = () => { waiting = waiting || requestAnimationFrame(draw); };

    function setLabels(given) {
      labels = given;
      nodes.forEach((node) => { node.box = null; }); // their colours are others
      later();
    }

    function setGhosts(given) {
      behind.replaceChildren();
      ghosts = given.map(({ name, boxes }, i) => {
        const group = svg("g", { class: `kc-ghost kc-ghost-${i % 4}` }, behind);
        boxes.forEach((box) => ["kc-rim", "kc-line"].forEach((part) => svg("rect", { class: part, ...sides(box) }, group)));
        const text = svg("text", { class: "kc-name", dx: 4, dy: -5 }, group);
        text.textContent = name;
        return { name, boxes, text };
      });
      drawnScale = 0;
      later();
    }

    function describe(i) {
      const box = state.boxes[i], n = (x) => Math.round(x * 100) / 100;
      return `Box ${i + 1} of ${state.boxes.length}, ${box.label === null ? "no class" : box.label}: left ${n(box.x1)}, ` +
        `top ${n(box.y1)}, ${n(box.x2 - box.x1)} wide, ${n(box.y2 - box.y1)} high`;
    }

    function addNode() {
      const group = svg("g", { class: "kc-box", role: "option", tabindex: 0 }, list);
      const i = nodes.length;
      group.addEventListener("focus", () => {
        state.select(i);
        reveal(state.boxes[i]);
      });
      nodes.push({
        group, rim: svg("rect", { class: "kc-rim" }, group), line: svg("rect", { class: "kc-line" }, group),
        name: svg("text", { class: "kc-name", dx: 4, dy: 14 }, group), box: null,
      });
    }

    function drawNode(node, i) {
      const box = state.boxes[i];
      if (box !== node.box) {
        set(node.rim, sides(box));
        set(node.line, sides(box));
        node.line.style.stroke = colour(box.label);
        node.group.classList.toggle("kc-dark", dark.includes(colour(box.label)));
        node.name.textContent = box.label === null ? "" : box.label;
        node.box = box;
        node.scale = node.count = 0;
      }
      if (node.count !== state.boxes.length) {
        node.group.setAttribute("aria-label", describe(i));
        node.count = state.boxes.length;
      }
      const chosen = i === state.selected;
      if (chosen !== node.chosen) node.group.setAttribute("aria-selected", chosen);
      if (node.scale !== place.scale || chosen !== node.chosen) {
        // Names would hide what is in very small boxes; and hundreds of them are slow to draw.
        const named = chosen || (box.x2 - box.x1) * place.scale >= 24 && state.boxes.length <= 200;
        node.name.style.display = named ? "" : "none";
        if (named) keepSize(node.name, box);
      }
      node.scale = place.scale;
      node.chosen = chosen;
    }

    function keepSize(name, box) {
      name.setAttribute("transform", `translate(${box.x1} ${box.y1}) scale(${1 / place.scale})`);
    }

    function draw() {
      waiting = 0;
      zoomed.setAttribute("transform", `matrix(${place.scale} 0 0 ${place.scale} ${place.x} ${place.y})`);
      canvas.style.transform = `matrix(${place.scale * image.width / canvas.width}, 0, 0, ` +
        `${place.scale * image.height / canvas.height}, ${place.x}, ${place.y})`;
      canvas.classList.toggle("kc-pixels", place.scale * image.width / canvas.width * devicePixelRatio >= 2);
      while (nodes.length > state.boxes.length) nodes.pop().group.remove();
      while (nodes.length < state.boxes.length) addNode();
      nodes.forEach(drawNode);
      if (drawnScale !== place.scale) ghosts.forEach((ghost) => keepSize(ghost.text, ghost.boxes[0]));
      drawnScale = place.scale;
      drawFrame(state.boxes[state.selected]);
    }

    // The selected box's frame and handles, in the stage's own pixels.
    function drawFrame(box) {
      front.style.display = box ? "" : "none";
      if (!box) return;
      const at = (x, y) => [x * place.scale + place.x, y * place.scale + place.y];
      const [x1, y1] = at(box.x1, box.y1), [x2, y2] = at(box.x2, box.y2);
      set(frame, sides({ x1, y1, x2, y2 }));
      front.classList.toggle("kc-fixed", Boolean(state.rules.size));
      dots.forEach((dot, k) => {
        const x = handles[k].includes("w") ? x1 : handles[k].includes("e") ? x2 : (x1 + x2) / 2;
        const y = handles[k].includes("n") ? y1 : handles[k].includes("s") ? y2 : (y1 + y2) / 2;
        const small = handles[k].length === 1 && (k % 4 === 1 ? x2 - x1 : y2 - y1) < 28;
        dot.style.display = small ? "none" : "";
        set(dot, { x: x - 4.5, y: y - 4.5 });
      });
    }

    const middle = () => ({ x: stage.clientWidth / 2, y: stage.clientHeight / 2 });
    const fitting = () => Math.max(1e-4, Math.min(
      (stage.clientWidth - 16) / image.width, (stage.clientHeight - 16) / image.height));

    function move(scale, x, y) {
      // Some of the image always stays in sight.
      const keep = (at, length, room) => clamp(at, 40 - length * scale, room - 40);
      place = { scale, x: keep(x, image.width, stage.clientWidth), y: keep(y, image.height, stage.clientHeight) };
      later();
    }

    function fit() {
      const scale = fitting(), at = middle();
      fits = true;
      move(scale, at.x - scale * image.width / 2, at.y - scale * image.height / 2);
    }

    function zoom(factor, at = middle()) {
      const least = Math.min(1, fitting()) / 4;
      const scale = clamp(place.scale * factor, least, Math.max(64, 4 * fitting()));
      const by = scale / place.scale;
      fits = false;
      move(scale, at.x - (at.x - place.x) * by, at.y - (at.y - place.y) * by);
    }

    function pan(dx, dy) {
      fits = false;
      move(place.scale, place.x + dx, place.y + dy);
    }

    // A box that is out of sight comes to the middle.
    function reveal(box) {
      const x = (box.x1 + box.x2) / 2 * place.scale + place.x, y = (box.y1 + box.y2) / 2 * place.scale + place.y;
      if (x < 0 || y < 0 || x > stage.clientWidth || y > stage.clientHeight) pan(middle().x - x, middle().y - y);
    }

    // Where a pointer is on the stage, which the page may show larger or smaller, as slides do.
    function onStage(event) {
      const seen = stage.getBoundingClientRect(), scale = stage.offsetWidth / seen.width;
      return { x: (event.clientX - seen.left) * scale, y: (event.clientY - seen.top) * scale };
    }

    function onImage(at) {
      return { x: (at.x - place.x) / place.scale, y: (at.y - place.y) / place.scale };
    }

    function focus(i) {
      draw();
      (i >= 0 ? nodes[i].group : stage).focus({ preventScroll: true });
    }

    new ResizeObserver(() => (fits ? fit() : later())).observe(stage);
    state.listen(later);
    fit();

    return {
      setLabels, setGhosts, fit, zoom, pan, focus, describe, onStage, onImage, colour, redraw: later,
      get scale() { return place.scale; },
      // What the stage shows of the image.
      seen() {
        const from = onImage({ x: 0, y: 0 }), to = onImage({ x: stage.clientWidth, y: stage.clientHeight });
        return {
          x1: Math.max(from.x, 0), y1: Math.max(from.y, 0),
          x2: Math.min(to.x, image.width), y2: Math.min(to.y, image.height),
        };
      },
      // How well a box agrees with each ghost: with the best of its boxes.
      agreements: (box) => ghosts.map(({ name, boxes }) => ({ name, iou: box && Math.max(...boxes.map((b) => iou(b, box))) })),
    };
  }

  window.kerascrop.createView = createView;
})();
