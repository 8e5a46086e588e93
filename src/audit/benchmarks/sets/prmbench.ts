import { defineBenchmark } from '../benchmark.ts'
import { pairItem } from '../items.ts'

/**
 * Solutions with an error written into some of their steps, against the same solutions without: of each pair the
 * original is better. Upstream spells the first kind "redundency".
 */
export const prmbench = defineBenchmark({
  name: 'prmbench',
  title: 'PRMBench, whole solutions',
  source: 'arXiv 2501.03124',
  summary: 'Prefers a sound solution to the same one with faulty steps.',
  kind: 'preference',
  chance: 0.5,
  folder: 'prmbench-steps',
  files: { items: ['steps.jsonl'] },
  how: 'The steps are in the repository ssmisya/PRMBench (mr_eval/tasks/prmtest_classified/data).',
  read: (row) => {
    const steps = (field: string) => row.texts(field).join('\n')
    const [a, b] = [steps('original_process'), steps('modified_process')]
    const classification = row.text('classification')
    if (a === b) throw row.problem('modified_process', 'is the original process: there is no error in it.')
    return [
      pairItem({
        id: `${classification}/${row.id('idx')}`,
        subset: classification,
        cluster: row.text('original_question'),
        prompt: row.text('modified_question'),
        a,
        b,
        label: 1,
      }),
    ]
  },
  aggregation: {
    sections: {
      Simplicity: ['redundency', 'circular'],
      Soundness: ['counterfactual', 'step_contradiction', 'domain_inconsistency', 'confidence'],
      Sensitivity: ['missing_condition', 'deception'],
    },
    top: 'macro',
  },
})
