/** What these programs use of Node. */

declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

declare module 'node:fs' {
  export function openAsBlob(path: string): Promise<Blob>;
  export function rmSync(path: string): void;
}
