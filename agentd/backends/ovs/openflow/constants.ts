/** Numbers of OpenFlow 1.4 (version 5) and of OVS's extensions to it. */

export const OPENFLOW_14 = 5

/** Vendor number of OVS's extensions. */
export const NICIRA = 0x2320

export const TYPE = {
  HELLO: 0,
  ERROR: 1,
  ECHO_REQUEST: 2,
  ECHO_REPLY: 3,
  EXPERIMENTER: 4,
  FEATURES_REQUEST: 5,
  FEATURES_REPLY: 6,
  GET_CONFIG_REQUEST: 7,
  SET_CONFIG: 9,
  PACKET_IN: 10,
  FLOW_REMOVED: 11,
  PORT_STATUS: 12,
  PACKET_OUT: 13,
  FLOW_MOD: 14,
  GROUP_MOD: 15,
  PORT_MOD: 16,
  MULTIPART_REQUEST: 18,
  MULTIPART_REPLY: 19,
  BARRIER_REQUEST: 20,
  BARRIER_REPLY: 21,
  SET_ASYNC: 28,
  METER_MOD: 29,
  REQUESTFORWARD: 32,
  BUNDLE_CONTROL: 33,
  BUNDLE_ADD: 34,
} as const

/** Kinds of multipart messages. */
export const PART = {
  FLOW: 1,
  AGGREGATE: 2,
  METER: 9,
  METER_CONFIG: 10,
  METER_FEATURES: 11,
  GROUP: 6,
  GROUP_DESC: 7,
  PORT_DESC: 13,
  FLOW_MONITOR: 16,
} as const

/** Subtypes of OVS's own messages. */
export const NXT = { SET_PACKET_IN_FORMAT: 16, SET_CONTROLLER_ID: 20, CT_FLUSH_ZONE: 29, PACKET_IN2: 30 } as const

export const INSTRUCTION = { GOTO_TABLE: 1, WRITE_METADATA: 2, WRITE_ACTIONS: 3, APPLY_ACTIONS: 4, CLEAR_ACTIONS: 5, METER: 6 } as const

export const ACTION = {
  OUTPUT: 0,
  PUSH_VLAN: 17,
  POP_VLAN: 18,
  SET_QUEUE: 21,
  GROUP: 22,
  SET_NW_TTL: 23,
  DEC_NW_TTL: 24,
  SET_FIELD: 25,
  EXPERIMENTER: 0xffff,
} as const

/** Subtypes of OVS's own actions. */
export const NXAST = {
  RESUBMIT: 1,
  POP_QUEUE: 5,
  REG_MOVE: 6,
  REG_LOAD: 7,
  NOTE: 8,
  RESUBMIT_TABLE: 14,
  OUTPUT_REG: 15,
  LEARN: 16,
  EXIT: 17,
  CONTROLLER: 20,
  DEC_TTL_CNT_IDS: 21,
  STACK_PUSH: 27,
  STACK_POP: 28,
  MULTIPATH: 10,
  CONJUNCTION: 34,
  CT: 35,
  NAT: 36,
  CONTROLLER2: 37,
  CLONE: 42,
  CT_CLEAR: 43,
  RESUBMIT_TABLE_CT: 44,
  LEARN2: 45,
  CHECK_PKT_LARGER: 49,
} as const

/** Any port, group or table where one must be named. */
export const ANY = 0xffffffff
export const ALL_TABLES = 0xff

/** Reserved ports have 16 bits inside OVS and 32 on the wire. */
export function portToWire(port: number): number {
  return port >= 0xff00 ? port + 0xffff0000 : port
}

export function portFromWire(port: number): number {
  return port >= 0xffffff00 ? port - 0xffff0000 : port
}
