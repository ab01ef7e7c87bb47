export function rendered<T>(component: () => T): T;
export function useState<T>(first: T): [T, (value: T) => void];
export function useState<T>(): [T | undefined, (value: T | undefined) => void];
export function useRef<T>(first: T | null): { current: T | null };
export function useEffect(effect: () => (() => void) | void, needs: readonly unknown[]): void;
