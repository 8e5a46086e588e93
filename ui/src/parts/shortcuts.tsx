import { Kbd, Modal } from '@mantine/core'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'

export interface Shortcut {
  /** A key as the browser names it, or two with a space between: `g s`. */
  readonly keys: string
  readonly does: string
  readonly run: () => void
}

interface Section {
  readonly title: string
  readonly shortcuts: () => readonly Shortcut[]
}

let sections: readonly Section[] = []
const listeners = new Set<() => void>()
function change(next: readonly Section[]): void {
  sections = next
  for (const listener of listeners) listener()
}

/** Keys of a part of the page while it is there; those of what came last go first. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const current = useRef(shortcuts)
  current.current = shortcuts
  useEffect(() => {
    const section = { title, shortcuts: () => current.current }
    change([...sections, section])
    return () => change(sections.filter((other) => other !== section))
  }, [title])
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:TEXTAREA|SELECT)$/.test(target.tagName) || isTextInput(target))
  )
}

function isTextInput(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement && !/^(?:checkbox|radio|button|range|submit)$/.test(target.type)
}

/** How long the first key of two waits for the second [ms]. */
const patience = 900

/** Listens to keys for the whole page, and lists them on `?`. */
export function Shortcuts() {
  const known = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => sections,
  )
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    let first = ''
    let since = 0
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target))
        return
      if (event.key === '?') {
        event.preventDefault()
        setOpen((open) => !open)
        return
      }
      // when it was pressed, not when a busy page came to it
      const both = event.timeStamp - since < patience ? `${first} ${event.key}` : event.key
      first = event.key
      since = event.timeStamp
      const all = [...sections].reverse().flatMap((section) => section.shortcuts())
      const meant = all.find(({ keys }) => keys === both) ?? all.find(({ keys }) => keys === event.key)
      if (meant === undefined) return
      event.preventDefault()
      first = ''
      meant.run()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
  return (
    <Modal opened={isOpen} onClose={() => setOpen(false)} title="Keys" centered>
      <div className="stack">
        {[...known].reverse().map((section) => (
          <section key={section.title}>
            <h3>{section.title}</h3>
            <table className="plain">
              <tbody>
                {section.shortcuts().map(({ keys, does }) => (
                  <tr key={keys}>
                    <td style={{ width: 110 }}>
                      {keys.split(' ').map((key) => (
                        <Kbd key={key} mr={4}>
                          {names[key] ?? key}
                        </Kbd>
                      ))}
                    </td>
                    <td>{does}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        ))}
      </div>
    </Modal>
  )
}

const names: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
}

export function askForKeys(): void {
  window.dispatchEvent(new KeyboardEvent('keydown', { key: '?' }))
}
