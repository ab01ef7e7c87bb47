/** What a person said: text as it was written, and the files that came with it. */

import { useSignal } from '@preact/signals';
import type { FileView } from '@cartrita/client';
import { useEffect } from 'preact/hooks';

import { Icon } from '../parts/controls';
import { sizeOf } from '../parts/sentences';
import { useConsole } from '../state/console';

interface MessageTextProps {
  readonly text: string;
  readonly attachments: readonly string[];
  readonly spoken?: boolean | undefined;
}

export function MessageText({ text, attachments, spoken }: MessageTextProps) {
  return (
    <>
      <p class="said">
        {spoken && <span title="Spoken"><Icon name="microphone" /><span class="unseen">Spoken: </span></span>}
        {text}
      </p>
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

/** A file is read soon after it has arrived; so often and at this pace its state is looked at. */
const LOOKS = 10;
const LOOK_MS = 1_000;

/** Images are shown as the server made them anew; everything else is something to keep. */
function Attachment({ fileId }: { fileId: string }) {
  const { api } = useConsole();
  const file = useSignal<FileView | null>(null);
  useEffect(() => {
    let timer = 0;
    const look = async (times: number) => {
      file.value = await api.getFile(fileId).catch(() => null);
      const isRead = file.value && !['stored', 'reading'].includes(file.value.status);
      if (!isRead && times < LOOKS) timer = window.setTimeout(() => void look(times + 1), LOOK_MS);
    };
    void look(1);
    return () => clearTimeout(timer);
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
