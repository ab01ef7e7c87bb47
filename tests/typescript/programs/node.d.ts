/** What these programs use of Node. */

declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

declare module 'node:fs' {
  export function openAsBlob(path: string): Promise<Blob>;
  export function writeFileSync(path: string, text: string): void;
  export function rmSync(path: string): void;
}
