import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { lazy, Suspense, useEffect } from 'react'
import { Link, Redirect, Route, Router, Switch, useLocation } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { StartPage } from './pages/start.tsx'
import { Icon, Logo } from './parts/icon.tsx'
import { askForKeys, Shortcuts, useShortcuts } from './parts/shortcuts.tsx'
import { Empty, Waiting } from './parts/states.tsx'

const SamplesPage = lazy(() => import('./pages/samples.tsx'))
const VotesPage = lazy(() => import('./pages/votes.tsx'))
const VotePage = lazy(() => import('./pages/vote.tsx'))
const AuditsPage = lazy(() => import('./pages/audits.tsx'))
const AuditPage = lazy(() => import('./pages/audit.tsx'))
const LeaderboardPage = lazy(() => import('./pages/leaderboard.tsx'))
const TrainingsPage = lazy(() => import('./pages/trainings.tsx'))
const TrainingPage = lazy(() => import('./pages/training.tsx'))
const PlaygroundPage = lazy(() => import('./pages/playground.tsx'))

const tabs = [
  { path: '/', title: 'Start', icon: 'start', key: 'h' },
  { path: '/samples', title: 'Samples', icon: 'samples', key: 's' },
  { path: '/votes', title: 'Votes', icon: 'votes', key: 'v' },
  { path: '/audits', title: 'Audits', icon: 'audits', key: 'a' },
  { path: '/training', title: 'Training', icon: 'training', key: 't' },
  { path: '/playground', title: 'Playground', icon: 'playground', key: 'p' },
] as const

export function App() {
  return (
    <Router hook={useHashLocation}>
      <Frame />
    </Router>
  )
}

function Frame() {
  const [location, navigate] = useLocation()
  const tab = tabs.findLast(({ path }) => location === path || (path !== '/' && location.startsWith(path)))
  useShortcuts('Go to', [
    ...tabs.map(({ path, title, key }) => ({ keys: `g ${key}`, does: title, run: () => navigate(path) })),
  ])
  useEffect(() => {
    document.title = tab === undefined || tab.path === '/' ? 'guerdon' : `${tab.title} · guerdon`
  }, [tab])
  return (
    <>
      <button type="button" className="skip" onClick={focusContent}>
        To the content
      </button>
      <nav className="top" aria-label="Pages">
        <div>
          <Link href="/" className="brand" aria-label="guerdon, start">
            <Logo />
            guerdon
          </Link>
          <div className="tabs">
            {tabs.map(({ path, title, icon }) => (
              <Link key={path} href={path} aria-current={tab?.path === path ? 'page' : undefined}>
                <Icon name={icon} size={19} />
                {title}
              </Link>
            ))}
          </div>
          <div className="row" style={{ gap: 4 }}>
            <Tooltip label="Keys (?)">
              <ActionIcon variant="subtle" color="gray" size="lg" onClick={askForKeys} aria-label="Keys">
                <Icon name="help" size={20} />
              </ActionIcon>
            </Tooltip>
            <SchemeButton />
          </div>
        </div>
      </nav>
      <main id="content" tabIndex={-1}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/" component={StartPage} />
            <Route path="/samples/:run?/:look?/:position?">
              {({ run, look, position }) => (
                <SamplesPage
                  {...(run === undefined ? {} : { run: decodeURIComponent(run) })}
                  {...(look === undefined ? {} : { look })}
                  {...(position === undefined ? {} : { position: Number(position) })}
                />
              )}
            </Route>
            <Route path="/votes" component={VotesPage} />
            <Route path="/votes/:task">{({ task }) => <VotePage task={task} />}</Route>
            <Route path="/audits" component={AuditsPage} />
            <Route path="/audits/audit/:id">{({ id }) => <AuditPage id={decodeURIComponent(id)} />}</Route>
            <Route path="/audits/leaderboard/:id">
              {({ id }) => <LeaderboardPage id={decodeURIComponent(id)} />}
            </Route>
            <Route path="/training" component={TrainingsPage} />
            <Route path="/training/:kind/:id">
              {({ kind, id }) => <TrainingPage kind={kind} id={decodeURIComponent(id)} />}
            </Route>
            <Route path="/playground/:run?/:position?">
              {({ run, position }) => (
                <PlaygroundPage
                  {...(run === undefined ? {} : { run: decodeURIComponent(run) })}
                  {...(position === undefined ? {} : { position: Number(position) })}
                  key={`${run} ${position}`}
                />
              )}
            </Route>
            <Route path="/start">
              <Redirect to="/" />
            </Route>
            <Route>
              <Empty title="There is nothing at this address">
                <Link href="/">To the start</Link>
              </Empty>
            </Route>
          </Switch>
        </Suspense>
      </main>
      <Shortcuts />
    </>
  )
}

/** The address after # is the page's own, so that a jump is made by hand. */
function focusContent(): void {
  document.getElementById('content')?.focus()
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const other = scheme === 'dark' ? 'light' : 'dark'
  return (
    <Tooltip label={`${other === 'dark' ? 'Dark' : 'Light'} colours`}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        onClick={() => setColorScheme(other)}
        aria-label={`${other === 'dark' ? 'Dark' : 'Light'} colours`}
      >
        <Icon name={other === 'dark' ? 'moon' : 'sun'} size={19} />
      </ActionIcon>
    </Tooltip>
  )
}
