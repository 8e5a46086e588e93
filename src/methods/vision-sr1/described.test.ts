import { expect, test } from 'vitest'
import {
  descriptionOf,
  entailedAnswer,
  faithfulDescription,
  priorAnswer,
  priorWorld,
  shapeQuestion,
  vagueDescription,
} from './described.ts'

const questions = (strength: number) => {
  const world = priorWorld('described', strength)
  return Array.from({ length: 200 }, (_, index) => shapeQuestion(world, index))
}

test('the colour gives the shape away as often as it should', () => {
  const share = (strength: number) =>
    questions(strength).filter((question) => question.reference === priorAnswer(question)).length / 200
  expect(share(0.9)).toBeGreaterThan(0.82)
  expect(share(0.9)).toBeLessThan(0.97)
  expect(share(0)).toBe(0)
})

test('questions ask about the only shape of a colour, each about a scene of its own', () => {
  const asked = questions(0.9)
  for (const { scene, colour, reference, prompt } of asked) {
    expect(scene.objects.filter((object) => object.colour === colour).map(({ shape }) => shape)).toEqual([
      reference,
    ])
    expect(prompt).toBe(`what shape is the ${colour} shape?`)
  }
  expect(new Set(asked.map(({ scene }) => scene.id)).size).toBe(asked.length)
})

test('a faithful description decides every question, a vague one none', () => {
  for (const { scene, colour, reference } of questions(0)) {
    expect(entailedAnswer(faithfulDescription(scene), colour)).toBe(reference)
    expect(entailedAnswer(vagueDescription(scene), colour)).toBeUndefined()
  }
})

test('what a description entails', () => {
  expect(entailedAnswer('a red star and two blue circles.', 'red')).toBe('star')
  expect(entailedAnswer('a red star and two blue circles.', 'blue')).toBe('circle')
  expect(entailedAnswer('a red star and a red circle.', 'red')).toBeUndefined() // which one is asked about?
  expect(entailedAnswer('there is no red star.', 'red')).toBeUndefined()
  expect(entailedAnswer('star star red', 'red')).toBeUndefined()
  expect(entailedAnswer('', 'red')).toBeUndefined()
})

test('descriptions stand in their tags', () => {
  expect(descriptionOf('<description> a red star. </description> <think> x </think>')?.trim()).toBe(
    'a red star.',
  )
  expect(descriptionOf('<think> x </think> <answer> star </answer>')).toBeUndefined()
})
