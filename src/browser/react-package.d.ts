/** What is used of React. Its own types declare an empty `HTMLElement` for everybody, which hides that of Playwright. */
declare module 'react' {
  export function useMemo<T>(create: () => T, dependencies: readonly unknown[]): T
  export function useSyncExternalStore<T>(
    subscribe: (listener: () => void) => () => void,
    getSnapshot: () => T,
    getServerSnapshot: () => T,
  ): T
  export const createElement: (type: unknown, props?: object | null, ...children: readonly unknown[]) => object
}

declare module 'react-dom/server' {
  export function renderToString(element: object): string
}
