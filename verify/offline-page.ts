import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

/** What a browser without a network shows of a file. */
export type OfflinePage = {
  readonly text: string
  /** Requests for anything but the file itself. */
  readonly requests: number
  readonly errors: readonly string[]
  readonly browser: string
}

/** Opens an HTML file in a real browser that has no network. */
export async function openOffline(path: string): Promise<OfflinePage> {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync)
  if (executablePath === undefined) {
    throw new Error('a browser is needed: apt-get install -y --no-install-recommends chromium')
  }
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  })
  try {
    const context = await browser.newContext({ offline: true })
    const page = await context.newPage()
    const errors: string[] = []
    let requests = 0
    const own = pathToFileURL(path).href
    page.on('request', (request) => {
      if (request.url() !== own) requests += 1
    })
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    await page.goto(own)
    const text = await page.locator('body').innerText()
    return { text, requests, errors, browser: browser.version() }
  } finally {
    await browser.close()
  }
}
