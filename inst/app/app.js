// What the page of crop_app() needs beside Shiny: keys, clicks in the strip, and what changes in the strip.
(function () {
  "use strict";

  const strip = () => document.getElementById("strip");

  document.addEventListener("click", (event) => {
    const thumb = event.target.closest(".ca-thumb");
    if (thumb) Shiny.setInputValue("go", Number(thumb.dataset.image), { priority: "event" });
  });

  // A letter does what its button does, unless one writes.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button && !button.disabled) button.click();
  });

  // Files may be dropped anywhere.
  const hasFiles = (event) => Boolean(document.getElementById("dropped")) && [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event) || event.target.closest(".ca-drop")) return; // Shiny's own
    event.preventDefault();
    const field = document.getElementById("dropped");
    field.files = event.dataTransfer.files;
    $(field).trigger("change");
  });

  // Each image has an editor of its own: who worked in the last one by keyboard goes on in the next.
  let wasInEditor = false;
  document.addEventListener("focusin", (event) => {
    wasInEditor = Boolean(event.target.closest(".crop_editor")) || event.target.closest(".ca-buttons") && wasInEditor;
  });
  document.addEventListener("kerascrop:picture", (event) => {
    const stage = event.target.querySelector("[tabindex]");
    if (wasInEditor && document.activeElement === document.body && stage) stage.focus({ preventScroll: true });
  }, true);

  function mark({ current, labelled }) {
    const done = new Set([].concat(labelled));
    strip().querySelectorAll(".ca-thumb").forEach((thumb) => {
      const number = Number(thumb.dataset.image), isDone = done.has(number);
      thumb.classList.toggle("ca-labelled", isDone);
      thumb.setAttribute("aria-label", thumb.title + (isDone ? ", labelled" : ""));
      if (number === current) {
        thumb.setAttribute("aria-current", "true");
        thumb.scrollIntoView({ block: "nearest", inline: "nearest" });
      } else thumb.removeAttribute("aria-current");
    });
  }

  let marks = null;
  $(document).on("shiny:connected", () => {
    Shiny.addCustomMessageHandler("kerascrop-marks", (message) => mark((marks = message)));
  });
  $(document).on("shiny:disconnected", () => {
    const end = document.createElement("p");
    end.className = "ca-end";
    end.setAttribute("role", "alert");
    end.textContent = document.activeElement && document.activeElement.id === "done"
      ? "Done: this page can be closed." : "The connection is lost. What was drawn is saved: reload the page to go on.";
    document.body.append(end);
  });
  $(document).on("shiny:value", (event) => {
    if (event.name === "strip" && marks) setTimeout(() => mark(marks));
  });
})();
