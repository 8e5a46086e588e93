import type { Turns } from '../../core/index.ts'
import { figure } from '../../stats/figure.ts'
import { type Html, html } from './html.ts'
import { picturesOf, type SampleViewOptions, turnsView } from './sample-view.ts'

export interface PairSide {
  readonly title: string
  readonly output: Turns
  /** The judge's number for it, where it gave one. */
  readonly value?: number | null
  readonly tags: readonly { readonly text: string; readonly tone: 'good' | 'bad' }[]
}

export interface PairCardOptions {
  readonly title: string
  readonly note: string
  readonly prompt: Turns
  readonly sides: readonly PairSide[]
  readonly picture: SampleViewOptions['picture']
  /** Longest text shown [UTF-16 code units]. @default 2000 */
  readonly maxText?: number
}

/** Answers to one prompt side by side, with what people and the judge said of each. */
export async function pairCard(options: PairCardOptions): Promise<Html> {
  const { title, note, prompt, sides, picture, maxText = 2000 } = options
  const pictures = await picturesOf([prompt, ...sides.map(({ output }) => output)], [], picture)
  return html`<article>
<h3><span>${title}</span></h3><p class="why">${note}</p>
<details><summary>prompt</summary>${turnsView(prompt, [], maxText)}</details>
${pictures.length > 0 && html`<div class="pictures">${pictures}</div>`}
<div class="pair">${sides.map(
    ({ title, output, value, tags }) =>
      html`<div><p><b>${title}</b> ${tags.map(({ text, tone }) => html`<span class="tag ${tone}">${text}</span> `)}${typeof value === 'number' && html`<span class="soft">score ${figure(value)}</span>`}</p>${turnsView(output, [], maxText)}</div>`,
  )}</div>
</article>`
}
