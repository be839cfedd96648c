import { createHash } from 'node:crypto'
import { DEFAULT_PROJECT, type Key, keyParts } from '../model/key.ts'
import type { LabGuest } from './spec.ts'

/** Every lab's files stand below this folder, one folder per tag: what `down` needs after a crash is found here. */
export const LAB_ROOT = '/run/netloom-lab'

/** Linux refuses longer interface names (IFNAMSIZ, 16 with the NUL). */
const MAX_LINK_NAME = 15

/** The name of a lab, six letters and digits, from the path of its state folder: the same folder is always the same lab. */
export function tagOf(stateDir: string): string {
  return hash(stateDir, 6)
}

/** Throws on a tag that could not stand in a file name, a namespace's name and a process's arguments alike. */
export function assertTag(tag: string): void {
  if (!/^[a-z0-9]{1,12}$/.test(tag)) throw new Error(`a lab's tag is 1 to 12 small letters and digits, not '${tag}'`)
}

export function labDir(tag: string): string {
  return `${LAB_ROOT}/${tag}`
}

export function hostDir(tag: string, host: string): string {
  return `${labDir(tag)}/${safe(host, 30)}`
}

/** Start of the name of every namespace of a lab. */
export function netnsPrefix(tag: string): string {
  return `nl-${tag}-`
}

export function hostNetns(tag: string, host: string): string {
  return `${netnsPrefix(tag)}host-${safe(host, 63)}`
}

export function guestNetns(tag: string, port: Key): string {
  const { project, name } = keyParts(port)
  return `${netnsPrefix(tag)}port-${safe(project === '' || project === DEFAULT_PROJECT ? name : `${name}@${project}`, 140)}`
}

/** The namespace of the cables: the underlay's bridge and one bridge per physical network. */
export function wireNetns(tag: string): string {
  return `${netnsPrefix(tag)}wire`
}

/** Neutron's name for a VM's interface: `tap` and the first 11 characters of the port's id. */
export function tapName(guest: Pick<LabGuest, 'id'>): string {
  return linkName('tap', guest.id.slice(0, 11))
}

/** `prefix` + `text` where that is a legal interface name, else `prefix` + a hash of the text. */
export function linkName(prefix: string, text: string): string {
  const plain = prefix + text
  if (plain.length <= MAX_LINK_NAME && /^[A-Za-z0-9_.-]+$/.test(plain)) return plain
  return prefix + hash(text, MAX_LINK_NAME - prefix.length)
}

/** `text` as part of a file name of at most `max` characters; a hash keeps apart what had to be changed. */
function safe(text: string, max: number): string {
  const plain = text.replaceAll(/[^A-Za-z0-9_.@-]/g, '_')
  if (plain === text && text.length <= max && !text.startsWith('.')) return text
  return `${plain.slice(0, max - 9).replace(/^\./, '_')}-${hash(text, 8)}`
}

function hash(text: string, length: number): string {
  const n = BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)
  return n.toString(36).slice(0, length)
}
