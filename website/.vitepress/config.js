import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'

const PAGES = join(import.meta.dirname, '../.pages')

// VitePress knows .js and .ts as files of their own, and takes any other extension for a page.
process.env['VITE_EXTRA_EXTENSIONS'] = 'jsx'

/** The pages of a folder of `docs/`, by name. @param {string} folder */
const pagesIn = (folder) =>
  readdirSync(join(PAGES, folder))
    .filter((name) => name.endsWith('.md') && !['README.md', 'index.md'].includes(name))
    .map((name) => name.replace(/[.]md$/, ''))

/** @param {string} folder @param {readonly string[]} names */
const linksTo = (folder, names) => names.map((name) => ({ text: name, link: `/${folder}/${name}` }))

export default defineConfig({
  title: 'express-ppoppo',
  description: 'Sign in with Ppoppo and the Ppoppo Messaging API for Express',
  srcDir: '.pages',
  outDir: 'dist',
  // A page is found by the same path here, in the repository and in the package.
  rewrites: (id) => id.replace(/(^|[/])README[.]md$/, '$1index.md'),
  lastUpdated: false,
  // The API reference is one large search index.
  vite: { build: { chunkSizeWarningLimit: 10_000 } },
  ignoreDeadLinks: 'localhostLinks',
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Start', link: '/' },
      { text: 'Docs', link: '/docs/' },
      { text: 'Errors', link: '/docs/errors/' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: {
      '/api/': [{ text: 'API', items: [{ text: 'Entries', link: '/api/' }] }],
      '/': [
        { text: 'Docs', items: linksTo('docs', pagesIn('docs')) },
        { text: 'Errors', collapsed: true, items: linksTo('docs/errors', pagesIn('docs/errors')) },
        { text: 'Refused sign-ins', collapsed: true, items: linksTo('docs/refusals', pagesIn('docs/refusals')) },
      ],
    },
  },
})
