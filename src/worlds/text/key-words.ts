import type { Instruction } from './instruction.ts'
import { categories } from './lexicon.ts'

/** Words that a careless measure of helpfulness counts: what was asked for, and what is known about it. */
export function keyWordsOf({ ask, facts }: Instruction): Set<string> {
  switch (ask.kind) {
    case 'describe':
      return new Set([
        ...ask.items,
        ...facts.filter(({ item }) => ask.items.includes(item)).map(({ value }) => value),
      ])
    case 'lookup':
      return new Set([
        ask.item,
        ...facts
          .filter(({ item, attribute }) => item === ask.item && attribute === ask.attribute)
          .map(({ value }) => value),
      ])
    case 'name':
      return new Set(categories[ask.category])
    case 'refuse':
      return new Set(['sorry', 'not', 'help'])
  }
}
