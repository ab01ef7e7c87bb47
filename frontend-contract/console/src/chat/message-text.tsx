/** What a person said: text as it was written, and the files that came with it. */

import { useSignal } from '@preact/signals';
import type { FileView } from '@cartrita/client';
import { useEffect } from 'preact/hooks';

import { sizeOf } from '../parts/sentences';
import { useConsole } from '../state/console';

export function MessageText({ text, attachments }: { text: string; attachments: readonly string[] }) {
  return (
    <>
      <p class="said">{text}</p>
      {attachments.length > 0 && (
        <ul class="files">
          {attachments.map((each) => (
            <Attachment key={each} fileId={each} />
          ))}
        </ul>
      )}
    </>
  );
}

/** Images are shown as the server made them anew; everything else is something to keep. */
function Attachment({ fileId }: { fileId: string }) {
  const { api } = useConsole();
  const file = useSignal<FileView | null>(null);
  useEffect(() => {
    void api.getFile(fileId).then((found) => (file.value = found), () => undefined);
  }, [fileId]);
  if (!file.value) return <li>File</li>;
  const { filename, size, url, image_url: image } = file.value;
  return (
    <li>
      <a href={url} download={filename}>
        {image && <img src={image} alt="" />}
        <span>{filename}</span> <small>{sizeOf(size)}</small>
      </a>
    </li>
  );
}
