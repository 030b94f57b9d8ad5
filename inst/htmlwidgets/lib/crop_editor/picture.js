// The picture, decoded by the browser beside the page's own work, and reduced where it is very large: boxes stay in
// the pixels of the original.
(function () {
  "use strict";
  const MOST = 2 ** 23; // pixels that are shown

  // How EXIF's numbers turn a picture: canvas matrices for one of `w` x `h` pixels. The number comes from R, which hides
  // it from the browser, so that what is seen lies as what is cut.
  const turns = {
    2: (w, h) => [-1, 0, 0, 1, w, 0], 3: (w, h) => [-1, 0, 0, -1, w, h], 4: (w, h) => [1, 0, 0, -1, 0, h],
    5: () => [0, 1, 1, 0, 0, 0], 6: (w, h) => [0, 1, -1, 0, h, 0], 7: (w, h) => [0, -1, -1, 0, h, w],
    8: (w, h) => [0, -1, 1, 0, 0, w],
  };

  async function blobOf(picture) {
    if (picture.url) {
      const answer = await fetch(picture.url);
      if (!answer.ok) throw new Error(answer.statusText);
      return answer.blob();
    }
    const text = atob(picture.data);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Blob([bytes], { type: picture.type });
  }

  // Draws a picture into a canvas; `size` is that of the image, upright.
  async function drawPicture(canvas, picture, size) {
    const scale = Math.min(1, Math.sqrt(MOST / (size.width * size.height)));
    const sideways = picture.orientation > 4;
    const lies = sideways ? { width: size.height, height: size.width } : size;
    const w = Math.max(1, Math.round(lies.width * scale)), h = Math.max(1, Math.round(lies.height * scale));
    const options = scale < 1 ? { resizeWidth: w, resizeHeight: h, resizeQuality: "medium" } : {};
    const bitmap = await createImageBitmap(await blobOf(picture), options);
    canvas.width = sideways ? h : w;
    canvas.height = sideways ? w : h;
    const context = canvas.getContext("2d");
    const turn = turns[picture.orientation];
    if (turn) context.setTransform(...turn(w, h));
    context.drawImage(bitmap, 0, 0, w, h);
    bitmap.close();
  }

  window.kerascrop.drawPicture = drawPicture;
})();
