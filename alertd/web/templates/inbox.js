// New messages are put on top as they come; the page is whole without this script, which only keeps it up to date.
"use strict";
const KEPT = 60;
let latest = Number(document.getElementById("script").dataset.latest);
const feeds = Object.fromEntries([...document.querySelectorAll(".column")].map(c => [c.dataset.medium, c.querySelector(".feed")]));

function fit(frame) {
  const page = frame.contentDocument;
  if (page && page.body && frame.offsetParent) frame.style.height = `${page.documentElement.scrollHeight}px`;
}
function watch(root) {
  for (const frame of root.querySelectorAll("iframe")) {
    frame.addEventListener("load", () => fit(frame));
    fit(frame);
  }
  for (const view of root.querySelectorAll("details")) view.addEventListener("toggle", () => view.querySelectorAll("iframe").forEach(fit));
  for (const time of root.querySelectorAll("article time"))
    time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
function count() {
  for (const [medium, feed] of Object.entries(feeds)) {
    const seen = feed.querySelectorAll("article:not(.turned-away)").length;
    for (const place of [feed.parentElement.querySelector(".count"), document.querySelector(`[data-count=${medium}]`)]) place.textContent = seen;
    feed.classList.toggle("bare", !feed.querySelector("article"));
  }
}
function arrive({ number, medium, html }) {
  if (number <= latest) return;
  latest = number;
  const feed = feeds[medium];
  const place = document.createElement("template");
  place.innerHTML = html;
  const article = place.content.querySelector("article");
  article.classList.add("fresh");
  if (!article.classList.contains("turned-away"))
    for (const open of feed.querySelectorAll("details.view[open]")) open.open = false;
  feed.prepend(article);
  for (const old of [...feed.querySelectorAll("article")].slice(KEPT)) old.remove();
  watch(article);
  count();
}
function tell({ story, moods }) {
  const list = document.getElementById("story");
  if (list) {
    list.innerHTML = story;
    const now = list.querySelector(".running");
    if (now) list.scrollTo({ left: now.offsetLeft - list.offsetLeft, behavior: "smooth" });
  }
  for (const [medium, mood] of Object.entries(moods)) {
    const sign = document.querySelector(`#column-${medium} .mood`);
    sign.hidden = !mood;
    sign.textContent = mood;
  }
}
function live(is) {
  const sign = document.getElementById("live");
  sign.classList.toggle("off", !is);
  sign.querySelector(".label").textContent = is ? "live" : "ended";
}
watch(document);
count();
const source = new EventSource(`events?after=${latest}`);
source.addEventListener("arrival", event => arrive(JSON.parse(event.data)));
source.addEventListener("state", event => tell(JSON.parse(event.data)));
source.addEventListener("open", () => live(true));
source.addEventListener("error", () => live(false));
addEventListener("resize", () => document.querySelectorAll("iframe").forEach(fit));
for (const radio of document.querySelectorAll(".switch input"))
  radio.addEventListener("change", () => document.querySelectorAll("iframe").forEach(fit));
