/** A nominal type: a `Brand<string, 'Mac'>` is a string that was parsed at the door and is in normal form. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name }

/** Plain JSON data, the only thing that crosses a file, a socket or the database. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }
