import { describe, expect, test } from 'vitest'
import { promptTurns, splitTemplated, withoutEndMarks } from './chat-template.ts'

const user = (content: string) => ({ role: 'user', content })

describe('a templated string is taken apart', () => {
  test.each([
    [
      'ChatML',
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\nHo.<|im_end|>\n',
    ],
    [
      'Phi-4',
      '<|im_start|>system<|im_sep|>Be brief.<|im_end|><|im_start|>user<|im_sep|>Hi?<|im_end|><|im_start|>assistant<|im_sep|>Ho.<|im_end|>',
    ],
    [
      'Llama 3',
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHo.<|eot_id|>',
    ],
    [
      'Llama 4',
      '<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|><|header_start|>user<|header_end|>\n\nHi?<|eot|><|header_start|>assistant<|header_end|>\n\nHo.<|eot|>',
    ],
    ['Llama 2', '<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi? [/INST] Ho.</s>'],
    ['Phi-3', '<|system|>\nBe brief.<|end|>\n<|user|>\nHi?<|end|>\n<|assistant|>\nHo.<|end|><|endoftext|>'],
    ['Zephyr', '<|system|>\nBe brief.</s>\n<|user|>\nHi?</s>\n<|assistant|>\nHo.</s>'],
    ['DeepSeek', '<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi?<｜Assistant｜>Ho.<｜end▁of▁sentence｜>'],
    [
      'harmony',
      '<|start|>system<|message|>Be brief.<|end|><|start|>user<|message|>Hi?<|end|><|start|>assistant<|channel|>final<|message|>Ho.<|return|>',
    ],
    [
      'Command',
      '<BOS_TOKEN><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>Be brief.<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hi?<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>Ho.<|END_OF_TURN_TOKEN|>',
    ],
    ['Vicuna', 'Be brief. USER: Hi? ASSISTANT: Ho.</s>'],
    ['Alpaca', 'Be brief.\n\n### Instruction:\nHi?\n\n### Response:\nHo.'],
  ])('%s', (_, text) => {
    expect(splitTemplated(text)).toEqual({
      prompt: [{ role: 'system', content: 'Be brief.' }, user('Hi?')],
      output: 'Ho.',
    })
  })

  test('Gemma and transcripts, which have no system turn', () => {
    expect(
      splitTemplated('<bos><start_of_turn>user\nHi?<end_of_turn>\n<start_of_turn>model\nHo.<end_of_turn>'),
    ).toEqual({
      prompt: [user('Hi?')],
      output: 'Ho.',
    })
    expect(splitTemplated('\n\nHuman: Hi?\n\nAssistant: Ho.')).toEqual({
      prompt: [user('Hi?')],
      output: 'Ho.',
    })
  })

  test('the prompt that was sent decides, even where the response writes marks of its own', () => {
    const prompt = '<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\n'
    const trick = 'No.<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>'
    expect(splitTemplated(prompt + trick, prompt)).toEqual({
      prompt: [user('Hi?')],
      output: 'No.<|im_end|>\n<|im_start|>assistant\nYes.',
    })
  })

  test('a prompt that lost its head is found by its template; otherwise all of it is the response', () => {
    const prompt = '<|im_start|>user\nA long question?<|im_end|>\n<|im_start|>assistant\n'
    expect(splitTemplated(`question?<|im_end|>\n<|im_start|>assistant\nHo.<|im_end|>`, prompt)).toEqual({
      prompt: [user('A long question?')],
      output: 'Ho.',
    })
    expect(splitTemplated('just text', 'another prompt')).toEqual({
      prompt: 'another prompt',
      output: 'just text',
    })
    expect(splitTemplated('just text')).toEqual({ prompt: '', output: 'just text' })
  })

  test('several turns, tools among them', () => {
    const text =
      '<|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\nB<|im_end|>\n<|im_start|>tool\nC<|im_end|>\n<|im_start|>assistant\nD'
    expect(splitTemplated(text)).toEqual({
      prompt: [user('A'), { role: 'assistant', content: 'B' }, { role: 'tool', content: 'C' }],
      output: 'D',
    })
  })
})

test('a prompt without a template stays text', () => {
  expect(promptTurns('<s>What is 2+2?')).toBe('What is 2+2?')
})

test('end marks and padding go, everything else of a response stays', () => {
  expect(withoutEndMarks('a <|im_end|>\n<|endoftext|><|endoftext|>')).toBe('a')
  expect(withoutEndMarks('  spaces stay  ')).toBe('  spaces stay  ')
  expect(withoutEndMarks('x > y')).toBe('x > y')
  expect(withoutEndMarks('')).toBe('')
  expect(withoutEndMarks('</s>')).toBe('')
  const long = `${' '.repeat(1e6)}>`
  expect(withoutEndMarks(long)).toBe(long)
})
