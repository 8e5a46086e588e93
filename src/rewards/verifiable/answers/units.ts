/** A unit: what it measures (its dimension) and how many of the dimension's base unit it is. */
interface Unit {
  readonly dimension: string
  readonly factor: number
}

const families: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  length: {
    mm: 0.001,
    millimeter: 0.001,
    cm: 0.01,
    centimeter: 0.01,
    m: 1,
    meter: 1,
    km: 1000,
    kilometer: 1000,
    in: 0.0254,
    inch: 0.0254,
    ft: 0.3048,
    foot: 0.3048,
    feet: 0.3048,
    yd: 0.9144,
    yard: 0.9144,
    mi: 1609.344,
    mile: 1609.344,
  },
  mass: {
    mg: 1e-6,
    milligram: 1e-6,
    g: 0.001,
    gram: 0.001,
    kg: 1,
    kilogram: 1,
    lb: 0.45359237,
    pound: 0.45359237,
    oz: 0.028349523125,
    ounce: 0.028349523125,
    ton: 1000,
    tonne: 1000,
  },
  time: {
    ms: 0.001,
    s: 1,
    sec: 1,
    second: 1,
    min: 60,
    minute: 60,
    h: 3600,
    hr: 3600,
    hour: 3600,
    day: 86400,
    week: 604800,
  },
  volume: { ml: 0.001, milliliter: 0.001, l: 1, liter: 1 },
  angle: { degree: 1, deg: 1, '°': 1, radian: 180 / Math.PI, rad: 180 / Math.PI },
  money: { cent: 0.01, '¢': 0.01, dollar: 1, $: 1, usd: 1 },
  share: { percent: 1, '%': 1 },
  euro: { '€': 1, euro: 1, eur: 1 },
  sterling: { '£': 1, gbp: 1 },
  yen: { '¥': 1, yen: 1 },
  calendar: { month: 1, year: 12 },
}

const units = new Map<string, Unit>()
for (const [dimension, names] of Object.entries(families))
  for (const [name, factor] of Object.entries(names)) units.set(name, { dimension, factor })

const changesTheNumber =
  /\b(?:or|and|not|no|than|about|approximately|least|most|less|more|over|under|between|to|none|if|is|but|because|plus|minus|times|divided|half|hundred|thousand|million|billion|trillion|dozen|wrong|incorrect)\b/

/**
 * The unit that a text names: `cm`, `square inches`, `cm^2`, `miles per hour`, `m/s`. A name that is not known is a
 * dimension of its own (`apples`), plural and singular alike. Undefined for a text that cannot be a unit: more than
 * four words, or a word that changes what the number says.
 */
export function unitOf(text: string): Unit | undefined {
  const plain = text.toLowerCase().replace(/[.{}]/g, '').replace(/\s+/g, ' ').trim()
  if (plain === '' || plain.length > 40 || !/^[a-z°%$€£¥¢][a-z°%$€£¥¢0-9 ^/*-]*$/.test(plain))
    return undefined
  if (changesTheNumber.test(plain)) return undefined
  if (plain.split(' ').length > 4) return undefined
  let dimension = ''
  let factor = 1
  for (const [index, side] of plain.split(/\/| per /).entries()) {
    const { name, power } = powerOf(side.trim())
    const unit =
      units.get(name) ?? units.get(name.replace(/(?:es|s)$/, '')) ?? units.get(name.replace(/s$/, ''))
    const exponent = index === 0 ? power : -power
    dimension += `${unit?.dimension ?? name.replace(/s$/, '')}^${exponent} `
    factor *= (unit?.factor ?? 1) ** exponent
  }
  return { dimension, factor }
}

function powerOf(text: string): { name: string; power: number } {
  const written = /^(square |cubic |sq |cu )?(.*?)(?: squared| cubed|\^(\d))?$/.exec(text)!
  const power = written[3]
    ? Number(written[3])
    : /^sq|squared$/.test(text)
      ? 2
      : /^cu|cubed$/.test(text)
        ? 3
        : 1
  return { name: written[2]!.trim(), power }
}

/** Whether a word by itself is a unit that is in use, so that `5cm` is a length and not 5 times c times m. */
export function isKnownUnit(word: string): boolean {
  const lower = word.toLowerCase()
  return units.has(lower) || units.has(lower.replace(/s$/, '')) || units.has(lower.replace(/es$/, ''))
}
