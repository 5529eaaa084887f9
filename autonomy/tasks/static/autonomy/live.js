/* Adds what a session prints to its panel as it comes. Without it, a reload shows the same. */
"use strict";

const KEPT = 200000;
const AGAIN_MILLISECONDS = 5000;

function follow(panel) {
  const state = panel.querySelector("[role=status]");
  const box = panel.querySelector(".shown-live-text");
  const text = box.querySelector("pre");
  const source = new EventSource(`${panel.dataset.live}?place=${panel.dataset.place}`);
  const say = (mood, words) => {
    panel.dataset.mood = mood;
    state.textContent = words;
  };
  source.addEventListener("open", () => say("live", "It runs; this is live."));
  source.addEventListener("error", () => {
    say("away", "The connection is lost; trying again.");
    if (source.readyState === EventSource.CLOSED) { // refused: the browser would not come back
      setTimeout(() => follow(panel), AGAIN_MILLISECONDS);
    }
  });
  source.addEventListener("output", (event) => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    panel.dataset.place = event.lastEventId;
    text.append(JSON.parse(event.data).text);
    text.normalize();
    if (text.textContent.length > KEPT) {
      text.textContent = text.textContent.slice(-KEPT / 2);
    }
    if (atEnd) {
      box.scrollTop = box.scrollHeight;
    }
  });
  source.addEventListener("ended", (event) => {
    source.close();
    const how = JSON.parse(event.data).ended;
    say("over", `It is over: ${how}. Reload for how it went.`);
  });
}

document.addEventListener("DOMContentLoaded", () => {
  for (const panel of document.querySelectorAll("[data-live]")) {
    const box = panel.querySelector(".shown-live-text");
    box.scrollTop = box.scrollHeight;
    follow(panel);
  }
});
