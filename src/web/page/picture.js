// Who talks to whom, as a picture: processes, ports, peers, and the edges between them. A node leads to its rows.
import { html, useEffect, useRef, useState } from './html.js';
import { askJson, query } from './api.js';
import { curve, layout } from './picture-layout.js';

const EVERY_MS = 3000, WANTING_MS = 300;
const TITLES = ['who comes', 'port', 'process', 'who is dialled'];

const short = (text, n) => (text.length > n ? text.slice(0, n - 1) + '…' : text);

// The filter that chooses the connections of a node.
export function filterOf({ id, kind, label }) {
	const number = id.match(/\d+$/)?.[0];
	if (kind === 'process')
		return number ? `pid = ${number}` : 'not held_by = process';
	if (kind === 'port')
		return `${id.split('/')[0]} and (port = ${number} or peer_port = ${number})`;
	return `remote = ${label}`;
}

function Node({ at, half, isLit, isDim, onLight, onOpen }) {
	const { node, x, y } = at;
	const fits = Math.max(5, Math.floor((half * 2 - 34) / 7.2));
	return html`<g class=${`node of-${node.kind}${isLit ? ' is-lit' : ''}${isDim ? ' is-dim' : ''}`} role="button" tabindex="0"
		aria-label=${`${node.kind} ${node.label}, ${node.n} ${node.n === 1 ? 'connection' : 'connections'}`}
		onMouseEnter=${() => onLight(node.id)} onMouseLeave=${() => onLight(null)} onFocus=${() => onLight(node.id)} onBlur=${() => onLight(null)}
		onClick=${() => onOpen(node)} onKeyDown=${event => event.key === 'Enter' && (event.stopPropagation(), onOpen(node))}>
		<title>${node.label}</title>
		<rect x=${x - half} y=${y - 10} width=${half * 2} height="20" rx="4" />
		<text x=${x - half + 8} y=${y + 4}>${short(node.label, fits)}</text>
		<text class="n" x=${x + half - 8} y=${y + 4} text-anchor="end">${node.n}</text>
	</g>`;
}

function Drawing({ graph, width, onOpen }) {
	const [lit, setLit] = useState(null);
	const drawn = layout(graph, width);
	const near = new Set(lit ? [lit] : []);
	if (lit)
		for (const { from, to } of drawn.edges)
			if (from === lit || to === lit)
				near.add(from).add(to);
	return html`<svg class="picture" width=${width} height=${drawn.height} viewBox=${`0 0 ${width} ${drawn.height}`}
		role="group" aria-label="who talks to whom">
		${drawn.columns.map(({ k, x }) => html`<text key=${k} class="title" x=${x} y="18" text-anchor="middle">${TITLES[k]}</text>`)}
		${drawn.edges.map(edge => html`<path key=${edge.from + ' ' + edge.to}
			class=${`edge${drawn.places.get(edge.from).column > drawn.places.get(edge.to).column ? ' is-back' : ''}${lit ? (edge.from === lit || edge.to === lit ? ' is-lit' : ' is-dim') : ''}`}
			stroke-width=${Math.min(6, 1 + Math.log2(edge.n || 1))}
			d=${curve(drawn.places.get(edge.from), drawn.places.get(edge.to), drawn.half)} />`)}
		${[...drawn.places.values()].map(at => html`<${Node} key=${at.node.id} at=${at} half=${drawn.half}
			isLit=${near.has(at.node.id)} isDim=${lit && !near.has(at.node.id)} onLight=${setLit} onOpen=${onOpen} />`)}
	</svg>`;
}

export function PictureTab({ filter, moment, onOpen }) {
	const [graph, setGraph] = useState(null);
	const [error, setError] = useState(null);
	const [width, setWidth] = useState(900);
	const box = useRef(null);
	useEffect(() => {
		const watch = new ResizeObserver(([entry]) => setWidth(Math.max(760, Math.floor(entry.contentRect.width))));
		watch.observe(box.current);
		return () => watch.disconnect();
	}, []);
	useEffect(() => {
		const abort = new AbortController();
		let timer = 0;
		const again = async () => {
			let isWanting = document.hidden;
			if (!document.hidden) {
				try {
					setGraph(await askJson('graph?' + query({ filter, moment: moment || '' }), { signal: abort.signal }));
					setError(null);
				} catch (refusal) {
					if (refusal.name === 'AbortError')
						return;
					isWanting = refusal.status === 503; /* it is not collected yet */
					setError(isWanting ? null : refusal);
				}
			}
			if (!moment || isWanting)
				timer = setTimeout(again, isWanting && !document.hidden ? WANTING_MS : EVERY_MS);
		};
		again();
		return () => {
			clearTimeout(timer);
			abort.abort();
		};
	}, [filter, moment]);
	return html`<div class="pictures" ref=${box}>
		${error ? html`<p class="warn" role="alert">${error.what || error.message}</p>` : null}
		${graph && !graph.nodes.length ? html`<p class="empty">Nobody talks to anybody${moment ? '' : ' now'}.</p>` : null}
		${graph?.nodes.length ? html`<${Drawing} graph=${graph} width=${width} onOpen=${onOpen} />` : graph ? null : html`<p class="dim">asking…</p>`}
		${graph?.left_off ? html`<p class="dim">${graph.left_off} smaller ones are left off; a filter shows them.</p>` : null}
	</div>`;
}
