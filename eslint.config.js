// Only the two rules that need types and that Biome does not have: an async daemon must not lose a promise.
import { parser, plugin } from 'typescript-eslint'

export default [
  { ignores: ['build/**', 'coverage/**'] },
  {
    files: ['src/**/*.ts', 'agentd/**/*.ts', 'schemas/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    languageOptions: { parser, parserOptions: { project: './tsconfig.json' } },
    plugins: { '@typescript-eslint': plugin },
    rules: { '@typescript-eslint/no-floating-promises': 'error', '@typescript-eslint/no-misused-promises': 'error' },
  },
]
