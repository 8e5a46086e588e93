import { defineReward, unscored } from '../src/core/index.ts'
import { loadImage } from '../src/data/images.ts'

/** Opens the file that a reference names; says with what code it could not. */
export default defineReward({
  name: 'looking',
  judge: async ({ reference }) => {
    try {
      await loadImage({ path: String(reference) })
      return 1
    } catch (error) {
      return unscored('bad-input', (error as { code: string }).code)
    }
  },
})
