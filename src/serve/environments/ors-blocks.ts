import type { Part } from '../../core/index.ts'
import { imagesOfBlocks, textOfBlocks } from './blocks.ts'

/** What a policy sees as ORS writes it: text and image blocks, `detail` always there. JSON parts are text. */
export function orsBlocks(content: readonly Part[]): object[] {
  return content.flatMap((part): object[] =>
    part.type === 'text' || part.type === 'json'
      ? [{ type: 'text', text: textOfBlocks([part]), detail: null }]
      : imagesOfBlocks([part]).map(({ data, mediaType }) => ({
          type: 'image',
          data,
          mimeType: mediaType,
          detail: null,
        })),
  )
}
