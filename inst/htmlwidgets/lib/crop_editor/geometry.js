// Boxes in image pixels, as real numbers: pure functions that know of no page.
//
// A box is {x1, y1, x2, y2, label}, in the coordinates of R's functions: 0 is the image's outer edge. `rules` are what
// boxes must keep to: {width, height} of the image; `snap`, whole pixels; `aspect`, width / height, or null; `size`,
// {width, height} of every new box, or null.
(function () {
  "use strict";

  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
  const whole = (x, rules) => (rules.snap ? Math.round(x) : x);
  const least = (rules) => (rules.snap ? 1 : 0.01);

  function clipped(box, rules) {
    return {
      ...box,
      x1: clamp(box.x1, 0, rules.width - least(rules)), y1: clamp(box.y1, 0, rules.height - least(rules)),
      x2: clamp(box.x2, least(rules), rules.width), y2: clamp(box.y2, least(rules), rules.height),
    };
  }

  function moved(box, dx, dy, rules) {
    const along = (first, last, by, length) => {
      const side = Math.min(rules.snap ? Math.max(1, Math.round(last - first)) : last - first, length);
      const start = clamp(whole(first + by, rules), 0, length - side);
      return [start, Math.min(start + side, length)];
    };
    const [x1, x2] = along(box.x1, box.x2, dx, rules.width);
    const [y1, y2] = along(box.y1, box.y2, dy, rules.height);
    return { ...box, x1, y1, x2, y2 };
  }

  // A box of an aspect that grows from a point: to the right or left (`across` 1 or -1), or both (0); `down` alike.
  function grown(from, across, down, wanted, aspect, rules) {
    const room = (at, to, length) => (to > 0 ? length - at : to < 0 ? at : 2 * Math.min(at, length - at));
    const high = room(from.y, down, rules.height);
    let width = Math.min(Math.max(wanted, least(rules), least(rules) * aspect), room(from.x, across, rules.width),
      high * aspect);
    let height = width / aspect;
    if (rules.snap) {
      width = Math.max(1, Math.round(width));
      height = clamp(Math.round(width / aspect), 1, Math.max(1, Math.floor(high)));
    }
    const start = (at, to, side, length) =>
      clamp(whole(to > 0 ? at : to < 0 ? at - side : at - side / 2, rules), 0, length - side);
    const x1 = start(from.x, across, width, rules.width), y1 = start(from.y, down, height, rules.height);
    return { x1, y1, x2: x1 + width, y2: y1 + height };
  }

  // A box whose side or corner `handle`, such as "e" or "nw", is dragged to a point.
  function resized(box, handle, x, y, rules, aspect) {
    const now = clipped(box, rules);
    const across = handle.includes("e") ? 1 : handle.includes("w") ? -1 : 0;
    const down = handle.includes("s") ? 1 : handle.includes("n") ? -1 : 0;
    if (!aspect) {
      if (across > 0) now.x2 = clamp(whole(x, rules), now.x1 + least(rules), rules.width);
      if (across < 0) now.x1 = clamp(whole(x, rules), 0, now.x2 - least(rules));
      if (down > 0) now.y2 = clamp(whole(y, rules), now.y1 + least(rules), rules.height);
      if (down < 0) now.y1 = clamp(whole(y, rules), 0, now.y2 - least(rules));
      return now;
    }
    const fixed = (to, first, last) => (to > 0 ? first : to < 0 ? last : (first + last) / 2);
    const from = { x: fixed(across, now.x1, now.x2), y: fixed(down, now.y1, now.y2) };
    const wanted = Math.max(across * (x - from.x), down * (y - from.y) * aspect);
    return { ...box, ...grown(from, across, down, wanted, aspect, rules) };
  }

  // A box made longer by some pixels to the right and the bottom.
  function stretched(box, dx, dy, rules) {
    if (!rules.aspect) return resized(box, "se", box.x2 + dx, box.y2 + dy, rules, null);
    const now = clipped(box, rules);
    const wanted = now.x2 - now.x1 + dx + dy * rules.aspect;
    return { ...box, ...grown({ x: now.x1, y: now.y1 }, 1, 1, wanted, rules.aspect, rules) };
  }

  // The box that a pointer draws from one point to another. Of whole pixels, those under both points are in it.
  function drawn(from, to, rules) {
    if (rules.size) return placed(to, rules.size, rules);
    const inside = (at) => ({ x: clamp(at.x, 0, rules.width), y: clamp(at.y, 0, rules.height) });
    const a = inside(from), b = inside(to);
    const pixel = (at, length) => Math.min(Math.floor(at), length - 1);
    const span = (one, other, length) => {
      const low = Math.min(one, other), high = Math.max(one, other);
      return rules.snap ? [pixel(low, length), pixel(high, length) + 1] : [low, high];
    };
    if (rules.aspect) {
      const across = b.x >= a.x ? 1 : -1, down = b.y >= a.y ? 1 : -1;
      const start = (at, to, length) => (rules.snap ? pixel(at, length) + (to < 0 ? 1 : 0) : at);
      const corner = { x: start(a.x, across, rules.width), y: start(a.y, down, rules.height) };
      const wanted = Math.max(Math.abs(b.x - corner.x), Math.abs(b.y - corner.y) * rules.aspect);
      return grown(corner, across, down, wanted, rules.aspect, rules);
    }
    const [x1, x2] = span(a.x, b.x, rules.width), [y1, y2] = span(a.y, b.y, rules.height);
    return { x1, y1, x2: Math.max(x2, x1 + least(rules)), y2: Math.max(y2, y1 + least(rules)) };
  }

  // A box of some size around a point.
  function placed(at, size, rules) {
    if (rules.aspect && !rules.size) size = { width: size.width, height: size.width / rules.aspect };
    const scale = Math.min(1, rules.width / size.width, rules.height / size.height);
    const width = size.width * scale, height = size.height * scale;
    const box = { x1: at.x - width / 2, y1: at.y - height / 2, x2: at.x + width / 2, y2: at.y + height / 2 };
    return moved(box, 0, 0, rules);
  }

  function iou(a, b) {
    const both = Math.max(Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1), 0) *
      Math.max(Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1), 0);
    return both / (area(a) + area(b) - both);
  }

  const area = (box) => (box.x2 - box.x1) * (box.y2 - box.y1);

  const holds = (box, x, y, reach) =>
    x >= box.x1 - reach && x <= box.x2 + reach && y >= box.y1 - reach && y <= box.y2 + reach;

  // The number of the smallest box at a point, -1 for none. A box's line belongs to it, `reach` to each side.
  function boxAt(boxes, x, y, reach) {
    let found = -1;
    boxes.forEach((box, i) => {
      if (holds(box, x, y, reach) && (found < 0 || area(box) <= area(boxes[found]))) found = i;
    });
    return found;
  }

  // The side or corner of a box near a point, "" for none. Of a small box the middle is left, to move it by.
  function handleAt(box, x, y, reach) {
    if (!holds(box, x, y, reach)) return "";
    const within = (side) => Math.min(reach, side / 4);
    const insideX = within(box.x2 - box.x1), insideY = within(box.y2 - box.y1);
    const down = y <= box.y1 + insideY ? "n" : y >= box.y2 - insideY ? "s" : "";
    const across = x <= box.x1 + insideX ? "w" : x >= box.x2 - insideX ? "e" : "";
    return down + across;
  }

  const same = (a, b) =>
    a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2 && a.label === b.label;

  window.kerascrop = window.kerascrop || {};
  window.kerascrop.geometry = { clamp, moved, resized, stretched, drawn, placed, iou, boxAt, handleAt, same };
})();
