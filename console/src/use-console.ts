import { useContext } from 'preact/hooks'
import { Console, type ConsoleContext } from './console-context.ts'

/** The console's context. @throws Error outside the app, which would be a bug */
export function useConsole(): ConsoleContext {
  const context = useContext(Console)
  if (context === undefined) throw new Error('useConsole needs the app around it')
  return context
}
