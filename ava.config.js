// Tests run from what tsc built. Child processes, not threads: native addons and process signals are part of what is tested.
export default {
  files: ['build/test/**/*.test.js'],
  workerThreads: false,
  timeout: '5m',
  verbose: true,
}
