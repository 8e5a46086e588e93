// The decoder step of bench/tensor.ts in TensorFlow.js.
import { decoderSizes } from './_tensor-decoder.ts'

const { width, heads, layers, vocabulary, length, batch, inner } = decoderSizes

/** `tf`: the module, its backend set. One step, its loss read. */
export function decoderStepOf(tf: any): () => Promise<number> {
  const variable = (...shape: number[]) => tf.variable(tf.randomUniform(shape, -0.05, 0.05))
  const [embedding, positions, output] = [
    variable(vocabulary, width),
    variable(length, width),
    variable(width, vocabulary),
  ]
  const blocks = Array.from({ length: layers }, () => ({
    qkv: variable(width, 3 * width),
    o: variable(width, width),
    w1: variable(width, inner),
    w2: variable(inner, width),
  }))
  const variables = [embedding, positions, output, ...blocks.flatMap((block) => Object.values(block))]
  const numbers = new Float32Array(batch * length * vocabulary)
  for (let row = 0; row < batch * length; row++) numbers[row * vocabulary + ((row * 7) % vocabulary)] = 1
  const hot = tf.tensor(numbers, [batch * length, vocabulary])
  const hidden = tf.tensor(
    Float32Array.from({ length: length ** 2 }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
    [length, length],
  )
  const standardise = (x: any) => {
    const centred = tf.sub(x, tf.mean(x, -1, true))
    return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5)))
  }
  const gelu = (x: any) => {
    const inside = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI))
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inside), 1))
  }
  const forward = () => {
    const embedded = tf.reshape(tf.matMul(hot, embedding), [batch, length, width])
    let x = tf.reshape(tf.add(embedded, positions), [batch * length, width])
    for (const { qkv, o, w1, w2 } of blocks) {
      const joined = tf.reshape(tf.matMul(standardise(x), qkv), [batch, length, 3, heads, width / heads])
      const [q, k, v] = tf
        .unstack(tf.transpose(joined, [2, 0, 3, 1, 4]))
        .map((part: any) => tf.reshape(part, [batch * heads, length, width / heads]))
      const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads)), hidden)
      const seen = tf.reshape(tf.matMul(tf.softmax(scores, -1), v), [batch, heads, length, width / heads])
      const flat = tf.reshape(tf.transpose(seen, [0, 2, 1, 3]), [batch * length, width])
      x = tf.add(x, tf.matMul(flat, o))
      x = tf.add(x, tf.matMul(gelu(tf.matMul(standardise(x), w1)), w2))
    }
    return tf.matMul(standardise(x), output)
  }
  const loss = () => {
    const logits = forward()
    const shifted = tf.sub(logits, tf.max(logits, -1, true))
    const logp = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)))
    return tf.mul(tf.sum(tf.mul(logp, hot)), -1 / (batch * length))
  }
  return async () => {
    const { value, grads } = tf.variableGrads(loss, variables)
    tf.tidy(() => {
      for (const one of variables) one.assign(tf.sub(one, tf.mul(grads[one.name], 0.1)))
    })
    const [read] = await value.data()
    tf.dispose([value, grads])
    return read
  }
}
