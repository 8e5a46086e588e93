import { GuerdonError } from '../../../core/index.ts'

/** The languages (ISO 639-1) that can be told from each other: those of the package eld. */
const languages: ReadonlySet<string> = new Set(
  'am ar az be bg bn ca cs da de el en es et eu fa fi fr gu he hi hr hu hy is it ja ka kn ko ku lo lt lv ml mr ms nl no or pa pl pt ro ru sk sl sq sr sv ta te th tl tr uk ur vi yo zh'.split(
    ' ',
  ),
)

/** Whether texts in the language (ISO 639-1) can be told. Not among them, for one: Nepali, Swahili, Indonesian. */
export function isDetectable(language: string): boolean {
  return languages.has(language)
}

export interface DetectedLanguage {
  /** ISO 639-1; the best guess. Empty for a text without letters. */
  readonly language: string
  /** False for texts too short or too mixed to tell. */
  readonly isReliable: boolean
}

export type LanguageDetector = (text: string) => DetectedLanguage

/**
 * Tells the language of a text by n-grams, from its first 4,000 characters (the package eld, its smallest table; an
 * optional peer, being larger than all of guerdon). Throws a `GuerdonError` `missing-module` where it is not installed.
 */
export async function languageDetector(): Promise<LanguageDetector> {
  // The package has types for its main entry only, which loads a table at run time; all entries are alike.
  const entry: string = 'eld/extrasmall'
  const { eld } = (await import(entry).catch((cause: unknown) => {
    throw new GuerdonError(
      'missing-module',
      'telling languages apart needs the package eld, which is not installed.',
      {
        fix: 'Run "npm install eld".',
        cause,
      },
    )
  })) as typeof import('eld')
  return (text) => {
    const detected = eld.detect(text.slice(0, 4000))
    return { language: detected.language, isReliable: detected.isReliable() }
  }
}
