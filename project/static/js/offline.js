// The page for no connection gives way to the one that was asked for, once that can be had.
const PAUSE = 3_000; // milliseconds

async function look() {
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}

addEventListener("online", look);
setInterval(look, PAUSE);
