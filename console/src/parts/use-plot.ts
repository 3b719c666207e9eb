import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { type ChartColours, chartColours } from './plot.ts'

/**
 * Keeps a chart in an element: made anew when `build` changes, resized with the element, destroyed
 * with it. `build` must be stable while nothing changes.
 */
export function usePlot(
  build: (
    size: { width: number; height: number },
    colours: ChartColours,
  ) => {
    readonly options: uPlot.Options
    readonly data: uPlot.AlignedData
  },
) {
  const holder = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = holder.current
    if (element === null) return
    const size = () => ({ width: element.clientWidth, height: element.clientHeight })
    const { options, data } = build(size(), chartColours(element))
    const plot = new uPlot(options, data, element)
    const observer = new ResizeObserver(() => plot.setSize(size()))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [build])
  return holder
}
