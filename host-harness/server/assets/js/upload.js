//! Owns: checking a file's type and size before it is uploaded, its progress, what is said about it. Loaded with the first one.
//! Does not own: where files come from (`files`), the message that they become part of.

import { parse } from "./morph.js";
import { toast } from "./toast.js";

function size(bytes) {
  if (bytes >= 1 << 20) return `${(bytes / (1 << 20)).toFixed(1)} MB`;
  if (bytes >= 1 << 10) return `${Math.round(bytes / 1024)} kB`;
  return `${bytes} bytes`;
}

export function uploads(form, drafts, cleared, changed) {
  return { all, picture };

  function fill(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }

  // Why the channel does not take a file, or nothing.
  function refused(file) {
    const data = form().dataset;
    const rules = JSON.parse(data.files ?? "[]");
    const fits = rules.filter((rule) => !rule.types.length || rule.types.includes(file.type));
    const short = (type) => type.split("/").pop().replace(/^x-/, "").toUpperCase();
    if (!fits.length) {
      const types = [...new Set(rules.flatMap((rule) => rule.types).map(short))].join(", ");
      return fill(data.notTaken, { channel: data.channel, types });
    }
    const max = Math.min(Math.max(...fits.map((rule) => rule.max)), Number(data.largest));
    if (file.size > max) return fill(data.tooLarge, { channel: data.channel, size: size(file.size), max: size(max) });
    return null;
  }

  // A card's picture: uploaded, named in the form, and drawn by the host.
  async function picture(file) {
    cleared();
    const why = file && refused(file);
    if (!file || why) return why ? offer(problem(why, file), file, picture) : undefined;
    // Another card may be shown by then, or another conversation.
    const name = document.getElementById("card-picture")?.name;
    const headers = file.type ? { "content-type": file.type } : {};
    const answer = await fetch(`/inbox/files?name=${encodeURIComponent(file.name)}`, { method: "POST", headers, body: file }).catch(() => null);
    const handle = answer?.ok && parse(`<ul>${await answer.text()}</ul>`).querySelector("li").dataset.handle;
    const place = form().isConnected && form().elements.namedItem(name);
    if (!handle || !place) return problem(form().dataset.uploadFailed, file);
    place.value = handle;
    changed();
    form().requestSubmit(form().querySelector("[name=change][value=none]"));
  }

  function problem(text, file) {
    const place = form().isConnected && form().querySelector("#refused-files");
    // Somebody is elsewhere by now.
    if (!place) return toast(`${file.name}: ${text}`);
    const line = document.createElement("p");
    line.className = "violation wrap";
    const words = document.createElement("span");
    words.setAttribute("role", "alert");
    words.textContent = `${file.name}: ${text}`;
    line.append(words);
    place.append(line);
    form().querySelector("#files").hidden = false;
    return line;
  }

  // A picture of a kind that is not taken, and that this browser can draw, may become a PNG, where those are taken. What
  // comes of it is checked as every file is.
  async function offer(line, file, take) {
    if (!line) return;
    const data = form().dataset;
    const rules = JSON.parse(data.files ?? "[]");
    const takes = (type) => rules.some((rule) => rule.kind === "image" && (!rule.types.length || rule.types.includes(type)));
    if (!file.type.startsWith("image/") || takes(file.type) || !takes("image/png")) return;
    const { convertible, png } = await import("./convert.js");
    const can = await convertible(file);
    // Something else was attached meanwhile.
    if (!can || !line.isConnected) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn small";
    button.textContent = data.convert;
    button.setAttribute("aria-label", `${data.convert}: ${file.name}`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      const made = await png(file).catch(() => null);
      if (!line.isConnected) return;
      if (made) {
        line.remove();
        form().elements.text.focus();
        return take(made);
      }
      button.remove();
      line.append(` ${data.notConverted}`);
    });
    line.append(" ", button);
    if (can.moves) line.append(` ${data.standsStill}`);
  }

  // Files that come together: what is said about one is not taken back by the next.
  function all(files) {
    cleared();
    return Promise.all(files.map(attach));
  }

  // Until it has ended, however it ends.
  function attach(file) {
    const why = refused(file);
    if (why) {
      offer(problem(why, file), file, attach);
      return;
    }
    const line = document.createElement("li");
    const words = document.createElement("span");
    words.textContent = file.name;
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", fill(form().dataset.uploading, { name: file.name }));
    words.append(bar);
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "btn icon small quiet push";
    stop.dataset.removeFile = "";
    stop.setAttribute("aria-label", form().dataset.remove.replace("{name}", () => file.name));
    stop.textContent = "×";
    line.append(words, stop);
    form().querySelector("#files").hidden = false;
    form().querySelector("#files ul").append(line);
    const request = new XMLHttpRequest();
    request.open("POST", `/inbox/files?name=${encodeURIComponent(file.name)}`);
    if (file.type) request.setRequestHeader("content-type", file.type);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) bar.value = (event.loaded / event.total) * 100;
    };
    request.onload = () => {
      if (request.status !== 201) return failed(request.responseText);
      const attached = parse(`<ul>${request.responseText}</ul>`).querySelector("li");
      // Another conversation is open meanwhile, or this one goes on elsewhere.
      if (!line.isConnected) return drafts.add("file", attached.dataset.handle);
      line.replaceWith(attached);
      changed();
    };
    request.onerror = () => failed("");
    const failed = (text) => {
      line.remove();
      problem(text.length < 300 && text ? text : form().dataset.uploadFailed, file);
    };
    return new Promise((done) => {
      request.onloadend = done;
      stop.addEventListener("click", () => {
        request.abort();
        done();
      });
      request.send(file);
    });
  }
}
