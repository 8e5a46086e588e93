import { ActionIcon, Alert, Button, CopyButton, Skeleton, Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ApiProblem } from '../api.ts'
import { Icon } from './icon.tsx'

/** Nothing here yet: what would be, and how it comes about. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

export function Command({ children }: { readonly children: string }) {
  return (
    <span className="command">
      <code>{children}</code>
      <CopyButton value={children}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : 'Copy'}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              onClick={copy}
              aria-label={`Copy: ${children}`}
            >
              <Icon name={copied ? 'check' : 'copy'} size={14} />
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  )
}

export function Problem({ error, again }: { readonly error: ApiProblem; readonly again?: () => void }) {
  return (
    <Alert color="red" variant="light" title={error.message} role="alert">
      <div className="row">
        {error.fix && <span>{error.fix}</span>}
        {again && (
          <Button size="compact-sm" variant="default" onClick={again}>
            Try again
          </Button>
        )}
      </div>
    </Alert>
  )
}

export function Waiting({ rows = 4, height = 64 }: { readonly rows?: number; readonly height?: number }) {
  return (
    <div className="stack" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders that never change
        <Skeleton key={row} height={height} radius="md" />
      ))}
    </div>
  )
}

/** What an answer looks like while it is on its way, when it fails, and when it is there. */
export function Answered<Answer>({
  query,
  waiting,
  children,
}: {
  readonly query: {
    readonly data: Answer | undefined
    readonly error: ApiProblem | null
    refetch(): unknown
  }
  readonly waiting?: ReactNode
  readonly children: (answer: Answer) => ReactNode
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error) return <Problem error={query.error} again={() => query.refetch()} />
  return <>{waiting ?? <Waiting />}</>
}
