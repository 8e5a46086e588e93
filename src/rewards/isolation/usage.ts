import { readFileSync } from 'node:fs'

/** What a whole process uses, threads included. */
export interface ProcessUsage {
  readonly cpuSeconds: number
  readonly residentMb: number
}

/** Whether the operating system says what a process uses; elsewhere the child measures itself. */
export const hasProcFs = process.platform === 'linux'

const ticksPerSecond = 100 // USER_HZ, fixed by the kernel's interface on every common architecture

/** From Linux's /proc; undefined once the process is gone. */
export function usageOf(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Fields after the command, which may itself hold spaces and brackets; utime and stime are the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const kib = (key: string) => Number(status.match(new RegExp(`^${key}:\\s*(\\d+)`, 'm'))?.[1] ?? 0)
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      residentMb: (kib('VmRSS') + kib('VmSwap')) / 1024,
    }
  } catch {
    return undefined
  }
}
