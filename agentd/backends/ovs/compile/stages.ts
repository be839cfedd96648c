import type { TableName } from './tables.ts'

/** Where a stage hands on to. A stage that is put in between changes one line here. */
export const AFTER_GUARD: TableName = 'egress'
export const AFTER_EGRESS: TableName = 'learn'
export const AFTER_LEARN: TableName = 'responder'
export const AFTER_RESPONDER: TableName = 'router'
/** What the responders leave, which is for nobody's MAC alone: no router is asked. */
export const UNANSWERED: TableName = 'l2'
export const AFTER_ROUTER: TableName = 'l2'
/** Frames with a target: the way towards the port begins here. */
export const DELIVER: TableName = 'ingress'
export const AFTER_INGRESS: TableName = 'output'
