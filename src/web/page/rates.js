// Rates over time, by uPlot, which only this tab loads.
import { html, useEffect, useRef, useState } from './html.js';
import { askJson, query } from './api.js';
import { colours, onTheme } from './theme.js';
import { amount, clock, since } from './text.js';

const EVERY_MS = 1000;

const speed = value => (value === null || value === undefined ? '–' : `${amount(value)}/s`);

// `host`, a target such as tcp/8080, or `pid 812`, as a person types it.
function ratesOf(text) {
	const words = text.trim();
	if (!words || words === 'host')
		return { of: 'host', target: '' };
	const pid = words.match(/^(?:pid[ /]*)(\d+)$/);
	return pid ? { of: 'process', target: pid[1] } : { of: 'port', target: words.replace(/(:\d+)-.*/, "$1") };
}

function loadStyle() {
	if (document.getElementById('uplot-style'))
		return;
	const link = document.createElement('link');
	link.id = 'uplot-style';
	link.rel = 'stylesheet';
	link.href = '/vendor/uPlot.min.css';
	document.head.append(link);
}

function plotOptions(title, series, axis, ink, width) {
	const grid = { stroke: ink.line, width: 1 };
	const ticks = { stroke: ink.line, width: 1, size: 4 };
	return {
		width, height: 220, title: undefined, padding: [12, 12, 0, 0],
		cursor: { points: { size: 6 }, sync: { key: 'doorward' } },
		legend: { live: true },
		scales: { x: { time: true }, y: { range: (u, min, max) => [0, Math.max(max * 1.1, axis.least)] } },
		axes: [
			{ stroke: ink.dim, grid: { show: false }, ticks, font: '12px system-ui', space: 84, size: 32,
				values: (u, all) => all.map(t => clock(t)) },
			{ stroke: ink.dim, grid, ticks: { show: false }, font: '12px system-ui', size: 76, incrs: axis.steps, values: (u, all) => all.map(axis.say) },
		],
		series: [{ value: (u, t) => (t === null ? '' : clock(t)) },
			...series.map(s => ({ ...s, width: 1.5, points: { show: false }, value: (u, v) => (v === null ? '–' : axis.say(v)) }))],
	};
}

// Where an arrow key leads in a plot of @n looks: from the last of them, or from where the cursor is.
function pointed(key, at, n) {
	const from = at ?? (key === 'ArrowLeft' ? n : n - 2);
	const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: n - 1 }[key];
	return to === undefined || !n ? null : Math.max(0, Math.min(n - 1, to));
}

function Plot({ title, names, inks, data, axis }) {
	const node = useRef(null), plot = useRef(null);
	const [said, setSaid] = useState('');
	const shown = useRef(data);
	shown.current = data;
	const make = async () => {
		loadStyle();
		const { default: UPlot } = await import('/vendor/uPlot.esm.js');
		if (!node.current)
			return;
		plot.current?.destroy();
		const ink = colours(['line', 'dim', ...inks]);
		const series = names.map((label, s) => ({ label, stroke: ink[inks[s]], fill: ink[inks[s]].replace('rgb(', 'rgba(').replace(')', ', 0.10)') }));
		plot.current = new UPlot(plotOptions(title, series, axis, ink, node.current.clientWidth), shown.current, node.current);
	};
	useEffect(() => {
		make();
		const watch = new ResizeObserver(() => node.current && plot.current?.setSize({ width: node.current.clientWidth, height: 220 }));
		watch.observe(node.current);
		const ignore = onTheme(make);
		return () => {
			watch.disconnect();
			ignore();
			plot.current?.destroy();
			plot.current = null;
		};
	}, []);
	useEffect(() => plot.current?.setData(data), [data]);
	const point = event => {
		const at = pointed(event.key, plot.current?.cursor.idx, data[0].length);
		if (at === null || !plot.current)
			return;
		event.preventDefault();
		plot.current.setCursor({ left: plot.current.valToPos(data[0][at], 'x'), top: 0 });
		setSaid(`${clock(data[0][at])}: ${names.map((name, s) => `${name} ${axis.say(data[s + 1][at]) || '–'}`).join(', ')}`);
	};
	return html`<figure class="plot" role="group" tabindex="0" aria-label=${`${title}; arrows go over it`} onKeyDown=${point}
		onBlur=${() => plot.current?.setCursor({ left: -10, top: -10 })}>
		<figcaption>${title}</figcaption><div ref=${node}></div><p class="unseen" role="status">${said}</p></figure>`;
}

const BYTES = { least: 1024, steps: Array.from({ length: 40 }, (ignored, k) => 2 ** (k + 6)), say: speed };
const COUNTS = { least: 4, steps: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000], say: value => (Number.isInteger(value) ? String(value) : '') };

// As many looks as the server keeps.
const KEPT = 600;

export function RatesTab({ of, isPast, everyMs, onOf }) {
	const [text, setText] = useState(of);
	const [told, setTold] = useState(null);
	const [error, setError] = useState(null);
	useEffect(() => setText(of), [of]);
	useEffect(() => {
		const abort = new AbortController();
		let timer = 0;
		const again = async () => {
			if (!document.hidden) {
				try {
					setTold(await askJson('rates?' + query(ratesOf(of)), { signal: abort.signal }));
					setError(null);
				} catch (refusal) {
					if (refusal.name === 'AbortError')
						return;
					setError(refusal);
				}
			}
			timer = setTimeout(again, EVERY_MS);
		};
		setTold(null);
		again();
		return () => {
			clearTimeout(timer);
			abort.abort();
		};
	}, [of]);

	const last = list => (list?.length ? list.at(-1) : null);
	return html`<div class="rates">
		<form class="bar" onSubmit=${event => {
			event.preventDefault();
			onOf(text.trim() === 'host' ? '' : text.trim());
		}}>
			<label for="rates-of">Rates of</label>
			<input id="rates-of" type="text" value=${text} placeholder="host, tcp/8080, or pid 812" spellcheck="false" autocomplete="off"
				onInput=${event => setText(event.target.value)} />
			<button type="submit">Show</button>
			${of ? html`<button type="button" onClick=${() => onOf('')}>The host</button>` : null}
		</form>
		${isPast ? html`<p class="warn">Rates are of now: a record does not keep them.</p>` : null}
		${error ? html`<p class="warn" role="alert">${error.what || error.message}${error.hint ? ` — ${error.hint}` : ''}</p>` : null}
		<dl class="figures">
			<div><dt>in</dt><dd>${speed(last(told?.in))}</dd></div>
			<div><dt>out</dt><dd>${speed(last(told?.out))}</dd></div>
			<div><dt>connections</dt><dd>${last(told?.connections) ?? '–'}</dd></div>
		</dl>
		${told ? html`
			<${Plot} key=${'bytes ' + of} title=${`bytes a second of ${of || 'the host'}`} names=${['in', 'out']} inks=${['plot-in', 'plot-out']}
				data=${[told.times, told.in, told.out]} axis=${BYTES} />
			<${Plot} key=${'count ' + of} title="TCP connections" names=${['connections']} inks=${['plot-count']}
				data=${[told.times, told.connections]} axis=${COUNTS} />` : html`<p class="dim">asking…</p>`}
		<p class="dim small">What the open TCP connections say of themselves, of the last ${since(0, KEPT * everyMs / 1000)}. UDP and what was closed
			from one look to the next are not in it, nor the bytes of before they were first asked for.</p>
	</div>`;
}
