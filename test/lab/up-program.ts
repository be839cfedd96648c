import { labUp } from '../../src/lab/lab.ts'

// `up` as a process of its own, to be killed: arguments are the tag and the spec.
process.stdout.write('begun\n')
await labUp(process.argv[2] ?? '', JSON.parse(process.argv[3] ?? ''))
