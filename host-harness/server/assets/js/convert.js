//! Owns: turning a picture of a kind that a channel does not take into a PNG, in the browser.
//! Does not own: which files a channel takes, attaching the new one (`files`). It is loaded when a picture was refused.

// What the browser can decode of a file; nothing where it cannot.
async function decoded(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    return null;
  }
}

// Whether it is a picture that moves, of which one picture would be left.
async function moves(file) {
  if (!("ImageDecoder" in window)) return file.type === "image/gif";
  try {
    const decoder = new ImageDecoder({ data: file.stream(), type: file.type });
    await decoder.tracks.ready;
    const animated = decoder.tracks.selectedTrack.animated;
    decoder.close();
    return animated;
  } catch {
    return false;
  }
}

// Whether a refused picture can be converted, and whether it moves.
export async function convertible(file) {
  const picture = await decoded(file);
  if (!picture) return null;
  picture.close();
  return { moves: await moves(file) };
}

// The same picture as a PNG, under the same name; nothing where the browser has no room for it.
export async function png(file) {
  const picture = await decoded(file);
  if (!picture) return null;
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d")?.drawImage(picture, 0, 0);
  picture.close();
  const content = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const name = `${file.name.replace(/\.[^.]*$/, "") || file.name}.png`;
  return content?.type === "image/png" ? new File([content], name, { type: "image/png" }) : null;
}
