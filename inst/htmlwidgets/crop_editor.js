// The htmlwidget, and where there is a Shiny app, its input.
(function () {
  "use strict";

  const tell = (el, name) => el.dispatchEvent(new CustomEvent(name));

  function tellSelected(el, editor) {
    if (!HTMLWidgets.shinyMode || !window.Shiny.setInputValue) return;
    window.Shiny.setInputValue(`${el.id}_selected:kerascrop.selected`, editor.selected());
  }

  HTMLWidgets.widget({
    name: "crop_editor",
    type: "output",
    factory(el) {
      const editor = window.kerascrop.createEditor(el, {
        onBoxes: () => tell(el, "kerascrop:boxes"),
        onSelected: () => tellSelected(el, editor),
        offerCode: !HTMLWidgets.shinyMode,
      });
      return {
        editor,
        renderValue(x) {
          const kept = el.getAttribute("data-boxes"); // of a bookmark
          if (kept) x.boxes = JSON.parse(kept);
          el.removeAttribute("data-boxes");
          el.cropEditor = editor;
          editor.show(x);
          (el.cropEditorWaits || []).forEach(editor.update);
          el.cropEditorWaits = [];
        },
        resize() {},
      };
    },
  });

  if (!HTMLWidgets.shinyMode) return;

  class BoxesBinding extends window.Shiny.InputBinding {
    find(scope) { return $(scope).find(".crop_editor"); }
    getType() { return "kerascrop.boxes"; }
    getValue(el) { return el.cropEditor ? el.cropEditor.boxes() : null; }
    setValue(el, boxes) { this.receiveMessage(el, { boxes }); }
    subscribe(el, callback) {
      el.cropEditorListener = () => callback(false);
      el.addEventListener("kerascrop:boxes", el.cropEditorListener);
      if (el.cropEditor) tellSelected(el, el.cropEditor); // drawn before Shiny listened
    }
    unsubscribe(el) { el.removeEventListener("kerascrop:boxes", el.cropEditorListener); }
    receiveMessage(el, message) {
      if (el.cropEditor) el.cropEditor.update(message);
      else el.cropEditorWaits = [...(el.cropEditorWaits || []), message]; // until it is drawn
    }
  }
  window.Shiny.inputBindings.register(new BoxesBinding(), "kerascrop.crop_editor");
})();
