// npm run screenshots -- [URL]: the README's pictures, taken from a running demo (npm start).
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'

const url = process.argv[2] ?? 'http://localhost:8080'
const directory = join(import.meta.dirname, '..', 'docs', 'pictures')
mkdirSync(directory, { recursive: true })

type Shot = {
  readonly name: string
  readonly path: string
  readonly width: number
  readonly height: number
  readonly scheme: 'light' | 'dark'
}

async function worstDevice(): Promise<string> {
  const response = await fetch(`${url}/api/v1/alerts?limit=10`)
  const { alerts } = (await response.json()) as {
    readonly alerts: readonly {
      readonly device_id: string
      readonly anomaly_score: number | null
    }[]
  }
  const scored = alerts.find(({ anomaly_score }) => anomaly_score !== null) ?? alerts[0]
  if (scored === undefined) throw new Error(`${url} shows no alert yet; wait for the demo's first`)
  return scored.device_id
}

async function settle(page: Page): Promise<void> {
  await page.waitForLoadState('load')
  // The event stream keeps the network busy for ever; charts are drawn by now.
  await page.waitForTimeout(2500)
}

const device = `/devices/${await worstDevice()}`
const shots: readonly Shot[] = [
  { name: 'work-list', path: '/', width: 1280, height: 860, scheme: 'light' },
  { name: 'work-list-phone', path: '/', width: 390, height: 844, scheme: 'dark' },
  { name: 'fleet', path: '/fleet', width: 1280, height: 860, scheme: 'light' },
  { name: 'device', path: device, width: 1280, height: 1100, scheme: 'light' },
  { name: 'device-dark', path: device, width: 390, height: 844, scheme: 'dark' },
]

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
for (const { name, path, width, height, scheme } of shots) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme })
  await page.goto(`${url}${path}`)
  await settle(page)
  await page.screenshot({ path: join(directory, `${name}.png`) })
  await page.close()
  console.log(`docs/pictures/${name}.png`)
}
await browser.close()
