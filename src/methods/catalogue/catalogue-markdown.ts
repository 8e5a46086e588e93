import { catalogue, gaps, leavesOf, methodOf, statusOf } from './catalogue.ts'
import { taxonomy } from './taxonomy.ts'

/** The catalogue as a page: every system with its status and rewards, then what has no component. */
export function catalogueMarkdown(): string {
  const rows = catalogue().map((entry) => {
    const method = methodOf(entry)
    const made = [
      ...(method?.rewards ?? []).map(({ name }) => name),
      ...(method?.benchmarks ?? []).map((name) => `benchmark ${name}`),
      ...(method?.parts ?? []),
    ].map((name) => `\`${name}\``)
    const title = entry.title.replaceAll('|', '\\|')
    return `| ${entry.number} | ${entry.name} | ${title} | ${paperLink(entry.paper)} | ${leavesOf(entry, 'kind').join(', ')} | ${statusOf(entry)} | ${made.join(', ')} |`
  })
  const missing = gaps().map(({ axis, leaf }) => `| ${taxonomy[axis].title} | ${leaf.title} |`)
  return `# Published systems

Generated from the catalogue (\`guerdon methods\`); a test keeps this page true.

| no. | system | title | paper | what it is | status | made of |
| --: | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## Gaps

Places in the surveys' taxonomies that have no component yet.

| axis | leaf |
| --- | --- |
${missing.join('\n')}
`
}

function paperLink(paper: string): string {
  const number = paper.replace(/^arXiv /, '')
  return `[${paper}](https://arxiv.org/abs/${number})`
}
