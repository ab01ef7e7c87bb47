/** Does something now, and again and again as long as the page is looked at. */

import { useEffect } from 'preact/hooks';

export function useRepeatedly(work: () => Promise<void>, everyMs: number, reasons: readonly unknown[] = []): void {
  useEffect(() => {
    let ended = false;
    let timer = 0;
    const next = async (first: boolean) => {
      if (first || !document.hidden) await work();
      if (!ended) timer = window.setTimeout(() => void next(false), everyMs);
    };
    void next(true);
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, reasons);
}
