import { expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../../tests/judges.ts'
import type { Sample } from '../../core/index.ts'
import { answerWithTools, type VideoTool } from './tool-loop.ts'

const sample = (prompt: string): Sample => ({ id: prompt, prompt, output: '', meta: {} })

/** A model that needs both tools for colours, answers with what it was told, and asks once for what is missing. */
function scripted() {
  return scriptedModel((messages) => {
    const text = textOfConversation(messages)
    if (text.includes('Which tools are needed'))
      return text.includes('sign') ? 'I need ["OCR"]' : '["Scenes", "Radar"]'
    if (text.includes('Answer the question in one')) {
      const told = [...text.matchAll(/(OCR|Scenes) \(.*?\): (\w+)/g)].map(([, , word]) => word)
      return told.length === 0 ? 'unknown' : told.join(' ')
    }
    return text.includes('red STOP') || text.includes('simple')
      ? '[]'
      : 'missing: ["What does the sign say?"]'
  })
}
const tool = (name: string, text: string, calls: string[] = []): VideoTool => ({
  name,
  about: 'finds things',
  run: async (_, question) => {
    calls.push(`${name} ${question}`)
    return text
  },
})

test('tools run as they are needed, and what the critic still asks is asked in another round', async () => {
  const calls: string[] = []
  const tools = [tool('OCR', 'STOP', calls), tool('Scenes', 'red', calls)]
  const [found] = await answerWithTools(scripted().model, [sample('What stands there?')], { tools })
  expect(found).toMatchObject({ answer: 'red STOP', rounds: 2, open: [] })
  expect(calls).toEqual(['Scenes What stands there?', 'OCR What does the sign say?'])
  const [once] = await answerWithTools(scripted().model, [sample('What stands there?')], { tools, rounds: 1 })
  expect(once).toMatchObject({ answer: 'red', rounds: 1, open: ['What does the sign say?'] })
})

test('a complete answer is left alone while others go on; a tool that fails loses its own sample only', async () => {
  const broken: VideoTool = {
    name: 'OCR',
    about: 'reads',
    run: async () => Promise.reject(new Error('no eyes')),
  }
  const results = await answerWithTools(scripted().model, [sample('a simple one'), sample('a sign')], {
    tools: [broken, tool('Scenes', 'blue')],
  })
  expect(results[0]).toMatchObject({ answer: 'blue', rounds: 1 })
  expect(results[1]).toMatchObject({ value: null, code: 'outage', reason: 'the tool OCR failed: no eyes' })
})

test('as released any mention of a name is a wish; a critic that cannot be read asks nothing', async () => {
  const { model } = scriptedModel((messages) =>
    textOfConversation(messages).includes('Which tools') ? 'no OCR please' : 'fine',
  )
  const calls: string[] = []
  const options = { tools: [tool('OCR', 'STOP', calls)] }
  expect(await answerWithTools(model, [sample('q')], options)).toMatchObject([
    { answer: 'fine', rounds: 1, findings: [] },
  ])
  await answerWithTools(model, [sample('q')], { ...options, variant: 'released' })
  expect(calls).toEqual(['OCR q'])
  const silent = scriptedModel(() => null).model
  expect(await answerWithTools(silent, [sample('q')], options)).toMatchObject([{ code: 'outage' }])
})
