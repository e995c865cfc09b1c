// The page looks again every ten seconds while somebody looks at it; without scripts it stays as it is.
"use strict";
async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const page = fresh.getElementById("page");
    if (!page) throw new Error(answer.statusText);
    document.getElementById("page").replaceWith(page);
    document.title = fresh.title;
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
    document.title = "(no answer) alertd";
  }
}
setInterval(look, 10000);
document.addEventListener("visibilitychange", look);
