import { describe, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { binomialCdf, incompleteBeta, logGamma, normalCdf, normalQuantile, studentQuantile } from './index.ts'

describe('special functions (SciPy)', () => {
  test('log-gamma, incomplete beta, normal, Student, binomial', () => {
    for (const [at, value] of [
      [0.1, 2.252712651734206],
      [1, 0],
      [3.5, 1.2009736023470743],
      [100, 359.1342053695754],
      [1e6, 12815504.569147611],
    ] as const)
      close(logGamma(at), value)
    close(incompleteBeta(0.4, 2, 3), 0.5247999999999999)
    close(incompleteBeta(0.9, 0.5, 0.5), 0.7951672353008665)
    close(incompleteBeta(0.62, 300, 200), 0.8190699881577963, 1e-11)
    close(incompleteBeta(0.501, 1e5, 1e5), 0.8144532554424423, 1e-9)
    for (const [z, p] of [
      [-3, 0.0013498980316300933],
      [-1.96, 0.024997895148220435],
      [0.3, 0.6179114221889526],
      [5, 0.9999997133484281],
    ] as const)
      close(normalCdf(z), p, 1e-14)
    close(normalQuantile(0.025), -1.9599639845400545)
    close(normalQuantile(1e-9), -5.9978070150076865)
    close(studentQuantile(0.975, 3), 3.1824463052837078)
    close(studentQuantile(0.975, 1), 12.706204736174694)
    close(studentQuantile(0.9, 50), 1.2987136941948096)
    close(studentQuantile(0.975, 100_000), 1.9599877075346095, 1e-9)
    close(binomialCdf(3, 10, 0.3), 0.6496107184000002)
    close(binomialCdf(480, 1000, 0.5), 0.10872414660207075, 1e-10)
  })
})
