import type { Declared } from '../../model/resource.ts'
import { DEFAULT_GROUP, DEFAULT_TEMPLATE, PARENT, type Rule, type TemplateRule } from './spec.ts'

/** What a template (Neutron's, where the site has none) brings to a group, each rule with its place in it. */
export function templateOf(
  { name, project }: Declared,
  template: readonly TemplateRule[] = DEFAULT_TEMPLATE,
): readonly { readonly rule: Rule; readonly place: number }[] {
  return template.flatMap(({ used_in_default_sg, used_in_non_default_sg, ...rule }, place) => {
    if (!(name === DEFAULT_GROUP ? used_in_default_sg : used_in_non_default_sg)) return []
    return [{ rule: { ...rule, ...remoteFor(rule, name, project) }, place }]
  })
}

/** Names as the group itself would write them, so that one rule is never taken for two. */
function remoteFor(rule: Rule, group: string, project: string): Pick<Rule, 'remote_group' | 'remote_address_group'> {
  const own = (name: string): string => (name.startsWith(`${project}/`) ? name.slice(project.length + 1) : name)
  const { remote_group: ports, remote_address_group: addresses } = rule
  return {
    ...(ports === undefined ? {} : { remote_group: ports === PARENT ? group : own(ports) }),
    ...(addresses === undefined ? {} : { remote_address_group: own(addresses) }),
  }
}
