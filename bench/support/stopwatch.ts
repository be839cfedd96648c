/** Milliseconds on the wall and on the processor, all threads of this process together. */
export interface Lap {
  readonly wall: number
  readonly cpu: number
}

export interface Stopwatch {
  /** Ends a lap; the next begins. Laps of one name add up. */
  lap(name: string): void
  laps(): Readonly<Record<string, Lap>>
}

export function stopwatch(): Stopwatch {
  const laps: Record<string, Lap> = {}
  let at = performance.now()
  let used = process.cpuUsage()
  return {
    lap(name) {
      const spent = process.cpuUsage(used)
      const before = laps[name] ?? { wall: 0, cpu: 0 }
      laps[name] = { wall: before.wall + performance.now() - at, cpu: before.cpu + (spent.user + spent.system) / 1000 }
      at = performance.now()
      used = process.cpuUsage()
    },
    laps: () => laps,
  }
}
