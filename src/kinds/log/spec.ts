/** A resolved log. */
export type LogSpec = {
  readonly resource_type: 'security_group'
  readonly security_group?: string
  readonly port?: string
  readonly event: 'ALL' | 'ACCEPT' | 'DROP'
  readonly enabled: boolean
  readonly description: string
}

/** What logs of a project and its ports, which look for them, mean by the same word: its name is the project. No resource. */
export const LOGGED_PROJECT = 'logged_project'
