import { NOTHING } from '../kinds/kind.ts'
import { displayKey, keyParts, makeKey } from '../model/key.ts'
import { FABRIC, hostScope, intentKey, networkScope } from '../model/scope.ts'
import { DEFAULT_PRIORITY } from './callbacks.ts'

/** What a third party's plugin is handed, so that it needs no import of ours at run time: how keys and scopes are made. */
export const PLUGIN_API: PluginApi = {
  makeKey,
  keyParts,
  displayKey,
  intentKey,
  hostScope,
  networkScope,
  FABRIC,
  NOTHING,
  DEFAULT_PRIORITY,
}

export interface PluginApi {
  readonly makeKey: typeof makeKey
  readonly keyParts: typeof keyParts
  readonly displayKey: typeof displayKey
  readonly intentKey: typeof intentKey
  readonly hostScope: typeof hostScope
  readonly networkScope: typeof networkScope
  readonly FABRIC: typeof FABRIC
  readonly NOTHING: typeof NOTHING
  readonly DEFAULT_PRIORITY: number
}
