import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Promised } from './promise.ts'
import { freePorts } from './system.ts'

const root = join(import.meta.dirname, '..')

/** Debian's Chromium, started so that it talks to nobody but the page. */
async function openBrowser() {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync)
  if (executablePath === undefined) {
    throw new Error('a browser is needed: apt-get install -y --no-install-recommends chromium')
  }
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Environment of a stranger: no path into this checkout, no variables of npm. */
function strangersEnvironment(): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '' } = process.env
  const path = PATH.split(':').filter((part) => !part.includes('node_modules'))
  return { PATH: path.join(':'), HOME }
}

/** What a stranger does: clone, npm ci, npm start, open the page. */
export const promised: Promised = {
  id: 'K1',
  title: 'fresh clone, npm ci, npm start: the first explained alert on the page',
  unit: 's from npm start',
  bar: '<= 60 s, on an injected fault',
  quick: true,
  limitSeconds: 600,
  run: async (report) => {
    const clone = mkdtempSync(join(tmpdir(), 'isotherm-k1-'))
    const environment = strangersEnvironment()
    execFileSync('git', ['clone', '--quiet', root, clone])
    const installStart = performance.now()
    execFileSync('npm', ['ci', '--silent'], { cwd: clone, env: environment, stdio: 'pipe' })
    const installSeconds = (performance.now() - installStart) / 1000
    report(`npm ci took ${installSeconds.toFixed(0)} s`)
    const [port = 0, mqttPort = 0, mqttsPort = 0] = await freePorts(3)
    const browser = await openBrowser()
    const start = performance.now()
    const ports = ['--port', port, '--mqtt-port', mqttPort, '--mqtts-port', mqttsPort].map(String)
    const server = spawn('npm', ['start', '--silent', '--', ...ports], {
      cwd: clone,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let printed = ''
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed = (printed + chunk.toString()).slice(-4000)
      })
    }
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
      const url = `http://127.0.0.1:${port}/`
      while (
        !(await page.goto(url).then(
          () => true,
          () => false,
        ))
      ) {
        if (server.exitCode !== null) throw new Error(`npm start ended: ${printed}`)
        await page.waitForTimeout(200)
      }
      // The first card with a reason: a value, and what is normal or the limit it crossed.
      const card = page
        .locator('[data-alert-id]')
        .filter({ hasText: /normal|limit of/i })
        .first()
      await card.waitFor({ timeout: 90_000 })
      const seconds = (performance.now() - start) / 1000
      const text = (await card.innerText()).replaceAll(/\s+/g, ' ').slice(0, 400)
      const injected = [...printed.matchAll(/injected: (\S+) on (\S+)/g)].map((match) => match[2])
      const alert = await page.evaluate(
        async (id) => (await fetch(`/api/v1/alerts/${id}`)).json(),
        await card.getAttribute('data-alert-id'),
      )
      const deviceId = (alert as { readonly device_id: string }).device_id
      const isInjected = injected.includes(deviceId)
      return {
        ok: seconds <= 60 && isInjected,
        value: seconds,
        detail: { installSeconds, device: deviceId, injected, card: text },
      }
    } finally {
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGTERM')
      await browser.close()
      await new Promise((resolve) => setTimeout(resolve, 3000))
      rmSync(clone, { recursive: true, force: true, maxRetries: 5 })
    }
  },
}
