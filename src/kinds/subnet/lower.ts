import { type Lowered, NOTHING } from '../kind.ts'

/** A subnet alone asks nothing of the data plane: its addresses reach hosts through the ports that have them. */
export function lowerSubnet(): Lowered {
  return NOTHING
}
