// How tests read a room from one end to the other. A function for the page: it may use nothing from here.

/**
 * Runs in the page: to one end of the log in steps of so many pixels, noting whether what is in sight ever moves
 * by itself. Looked at is what a reader gets to see: each frame as it is painted, after all that the page does in it.
 */
export async function travel({ up, step = 1500 }) {
  const log = document.querySelector('[data-testid=log]');
  const rows = () => [...log.querySelectorAll('[data-testid=message]')];
  const probe = document.body.appendChild(document.createElement('div'));
  probe.style.cssText = 'position: fixed; width: 1px; height: 1px;';
  let resolved = () => undefined;
  const observer = new ResizeObserver(() => resolved());
  observer.observe(probe);
  // Observers of sizes come last in a frame, the page's own before this one.
  const painted = () =>
    new Promise((resolve) => {
      resolved = resolve;
      probe.style.width = probe.style.width === '1px' ? '2px' : '1px';
    });
  await painted();
  let worst = 0;
  let drawn = 0;
  let prepends = 0;
  let lost = 0;
  const seen = new Set();
  for (let steps = 0; steps < 20_000; steps += 1) {
    log.scrollTop += up ? -step : step;
    const anchor = rows().find((row) => row.getBoundingClientRect().top >= 60);
    const place = anchor?.getBoundingClientRect().top ?? 0;
    const edge = up ? log.scrollTop === 0 : log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    for (let quiet = 0; quiet < (edge ? 8 : 2); quiet += 1) {
      const first = rows()[0]?.dataset.id;
      await painted();
      if (anchor?.isConnected)
        worst = Math.max(worst, Math.abs(anchor.getBoundingClientRect().top - place));
      else lost += 1;
      if (rows()[0]?.dataset.id !== first) prepends += 1;
      for (const row of rows()) seen.add(Number(row.dataset.id));
      drawn = Math.max(drawn, rows().length);
    }
    if (up ? seen.has(1) && log.scrollTop === 0 : seen.has(Number(log.dataset.newest))) break;
  }
  observer.disconnect();
  probe.remove();
  return { worst, lost, drawn, prepends, seen: [...seen].sort((a, b) => a - b) };
}
