// What the plots of bench/ are drawn with: the style, words, lines, axes and the frame around them.
export const width = 860
export const left = 300 // where the axis begins: the names of the servers stand before it
export const right = 130 // for the values behind the longest bar
export const rowHeight = 26

// Readable on white and on black: the reader's preference decides, the ground comes along.
const style = `
  .ground { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .panel { font-weight: 600 } .small { font-size: 11px }
  .grid { stroke: #d1d9e0; stroke-width: 1 } .own { fill: #0b6bcb } .other { fill: #9aa4ae }
  .own-line { stroke: #0b6bcb } .other-line { stroke: #9aa4ae } .fit { stroke: #b35900 } .shade { fill: #eef1f4 }
  .line { fill: none; stroke-width: 2 } .dashed { stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .own { fill: #58a6ff }
    .other { fill: #7d8590 } .own-line { stroke: #58a6ff } .other-line { stroke: #7d8590 } .fit { stroke: #e3a008 }
    .shade { fill: #1b222b }
  }`

export const escaped = (text) => String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
export const text = (x, y, words, { anchor = 'start', kind = '' } = {}) =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${escaped(words)}</text>`
export const round = (value) => Number(value.toFixed(1))
export const line = (x1, y1, x2, y2, kind) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`
export const short = (value) =>
  value.toLocaleString('en-US', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })

// The picture, with what it says of machine and moment below it.
export function svg(title, height, parts, sentences) {
  const captions = [sentences.slice(0, 2), sentences.slice(2)].map((part) => part.join(' '))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 56}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title><style>${style}</style>`,
    `<rect class="ground" width="100%" height="100%"/>`,
    text(16, 28, title, { kind: 'title' }),
    ...parts,
    ...captions.map((caption, i) => text(16, height + 26 + 16 * i, caption, { kind: 'small' })),
    '</svg>\n',
  ].join('\n')
}

// A logarithmic axis over whole decades around the values.
export function logAxis(values) {
  const low = Math.floor(Math.log10(Math.min(...values)) - 1e-9)
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values)) - 1e-9), low + 1)
  const at = (value) => left + ((Math.log10(value) - low) / (high - low)) * (width - left - right)
  const decades = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return { at, decades, begin: 10 ** low }
}

export function decadeLines(axis, top, bottom) {
  return axis.decades.flatMap((value) => [
    line(axis.at(value), top, axis.at(value), bottom, 'grid'),
    text(axis.at(value), bottom + 15, short(value), { anchor: 'middle', kind: 'small' }),
  ])
}

export function bar(axis, middle, [value], kind) {
  const end = axis.at(value)
  return [
    `<rect x="${left}" y="${round(middle - 8)}" width="${round(Math.max(end - left, 1))}" height="16" class="${kind}"/>`,
    text(end + 6, middle + 4, short(value), { kind: 'small' }),
  ]
}

// From p50 (a disc) over p99 (a square) to p99.9 (a bar across).
export function spread(axis, middle, [p50, p99, p999], kind) {
  const [a, b, c] = [p50, p99, p999].map(axis.at)
  return [
    line(a, middle, c, middle, `line ${kind}-line`),
    `<circle cx="${round(a)}" cy="${round(middle)}" r="5" class="${kind}"/>`,
    `<rect x="${round(b - 4.5)}" y="${round(middle - 4.5)}" width="9" height="9" class="${kind}"/>`,
    line(c, middle - 7, c, middle + 7, `line ${kind}-line`),
    text(c + 8, middle + 4, [p50, p99, p999].map(short).join(' / '), { kind: 'small' }),
  ]
}

// Steps of 1, 2 or 5 times a power of ten: some five of them.
export function steps(low, high) {
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough)
  const all = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); ++i) all.push(Number((i * step).toPrecision(6)))
  return all
}
