import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style/tokens.css'
import './style/base.css'
import './style/alerts.css'
import './style/fleet.css'
import './style/device.css'
import './style/dead-letters.css'
import './style/hub.css'
import './style/quality.css'
import './style/ledger.css'
import './style/features.css'
import './style/contracts.css'
import { App } from './app.tsx'

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
