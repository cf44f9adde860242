// Who talks to whom, as a picture: processes, ports, peers, and the edges between them. A node leads to its rows.
import { html, useEffect, useRef, useState } from './html.js';
import { askJson, query } from './api.js';

const EVERY_MS = 3000, WANTING_MS = 300;
const TITLES = ['who comes', 'port', 'process', 'who is dialled'];

const short = (text, n) => (text.length > n ? text.slice(0, n - 1) + '…' : text);
// In little room the end tells more of an address than its middle.
const squeezed = (text, n) => (text.length > n ? `${text.slice(0, Math.floor(n / 2) - 1)}…${text.slice(-Math.ceil(n / 2))}` : text);

// The filter that chooses the connections of a node.
export function filterOf({ id, kind, label }) {
	const number = id.match(/\d+$/)?.[0];
	if (kind === 'process')
		return number ? `pid = ${number}` : `held_by = ${id}`;
	if (kind === 'port') { // tcp/8080, tcp/8080@4026532567
		const [proto, port] = id.split('@')[0].split('/');
		return `${proto} and (port = ${port} or peer_port = ${port})`;
	}
	return `remote = ${label}`;
}

function Node({ at, half, isLit, isDim, onLight, onOpen }) {
	const { node, x, y } = at;
	const hasCount = half >= 60;            /* on a telephone the name has all the room */
	const label = hasCount ? short(node.label, Math.max(5, Math.floor((half * 2 - 34) / 7.2))) : squeezed(node.label, Math.floor((half * 2 - 6) / 6.6));
	return html`<g class=${`node of-${node.kind}${isLit ? ' is-lit' : ''}${isDim ? ' is-dim' : ''}`} role="button" tabindex="0"
		aria-label=${`${node.kind} ${node.label}, ${node.n} ${node.n === 1 ? 'connection' : 'connections'}`}
		onMouseEnter=${() => onLight(node.id)} onMouseLeave=${() => onLight(null)} onFocus=${() => onLight(node.id)} onBlur=${() => onLight(null)}
		onClick=${() => onOpen(node)} onKeyDown=${event => (event.key === 'Enter' || event.key === ' ') && (event.preventDefault(), event.stopPropagation(), onOpen(node))}>
		<title>${node.label}</title>
		<rect x=${x - half} y=${y - 10} width=${half * 2} height="20" rx="4" />
		<text class=${hasCount ? '' : 'small'} x=${x - half + (hasCount ? 8 : 4)} y=${y + 4}>${label}</text>
		${hasCount ? html`<text class="n" x=${x + half - 8} y=${y + 4} text-anchor="end">${node.n}</text>` : null}
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
		const watch = new ResizeObserver(([entry]) => setWidth(Math.max(280, Math.floor(entry.contentRect.width))));
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
		${graph && !graph.nodes.length ? html`<p class="empty">${filter ? 'The filter chooses nobody who talks to anybody' : 'Nobody talks to anybody'}${moment ? '' : ' now'}.</p>` : null}
		${graph?.nodes.length ? html`<${Drawing} graph=${graph} width=${width} onOpen=${onOpen} />` : graph ? null : html`<p class="dim">asking…</p>`}
		${graph?.left_off ? html`<p class="dim">${graph.left_off} smaller ones are left off; a filter shows them.</p>` : null}
	</div>`;
}

// Where the nodes of the picture stand: from left to right who dials, the port, who answers, and who is dialled.
// Pure: nodes and edges in, places out.
const GAP = 26;
const TOP = 34;
const SEEN = 22;                        /* rows that most screens show: no column begins below them */
const WIDE = 760;                       /* from there on the edges have room between the columns */

// 0 who comes to a port, 1 ports, 2 processes that serve them or dial peers, 3 the peers that are dialled.
function columnsOf(nodes, edges) {
	const kinds = new Map(nodes.map(node => [node.id, node.kind]));
	const column = new Map();
	for (const node of nodes)
		column.set(node.id, node.kind === 'port' ? 1 : node.kind === 'process' ? 2 : 0);
	const serves = new Set(), dials = new Set(), dialled = new Set();
	for (const { from, to } of edges) {
		if (kinds.get(from) === 'port')
			serves.add(to);
		if (kinds.get(to) === 'port')
			dials.add(from);
		if (kinds.get(from) === 'process' && kinds.get(to) === 'peer')
			dialled.add(to);
	}
	for (const node of nodes) {
		if (node.kind === 'process' && dials.has(node.id) && !serves.has(node.id))
			column.set(node.id, 0);
		if (node.kind === 'peer' && dialled.has(node.id) && !dials.has(node.id))
			column.set(node.id, 3);
	}
	return column;
}

// Each column is put in the order of the middle of its neighbours, a few times over, so that few edges cross.
function order(columns, edges, sweeps = 4) {
	const place = new Map();
	const number = list => list.forEach((node, k) => place.set(node.id, k));
	columns.forEach(number);
	const near = new Map();
	for (const { from, to } of edges) {
		near.set(from, [...(near.get(from) ?? []), to]);
		near.set(to, [...(near.get(to) ?? []), from]);
	}
	for (let sweep = 0; sweep < sweeps; sweep++)
		for (const list of sweep % 2 ? [...columns].reverse() : columns) {
			const middle = new Map(list.map(node => {
				const around = (near.get(node.id) ?? []).map(id => place.get(id)).filter(k => k !== undefined);
				return [node.id, around.length ? around.reduce((a, b) => a + b, 0) / around.length : place.get(node.id)];
			}));
			list.sort((a, b) => middle.get(a.id) - middle.get(b.id));
			number(list);
		}
}

function layout({ nodes, edges }, width) {
	const known = new Set(nodes.map(node => node.id));
	const joined = edges.filter(edge => known.has(edge.from) && known.has(edge.to));
	const column = columnsOf(nodes, joined);
	const columns = [0, 1, 2, 3].map(k => nodes.filter(node => column.get(node.id) === k).sort((a, b) => b.n - a.n));
	order(columns, joined);
	const tallest = Math.max(1, ...columns.map(list => list.length));
	const height = TOP + tallest * GAP + 8;
	const used = [0, 1, 2, 3].filter(k => columns[k].length || k < 3);
	const places = new Map();
	columns.forEach((list, k) => {
		const top = TOP + Math.max(0, Math.min(tallest, SEEN) - list.length) * GAP / 2;
		const x = Math.round((used.indexOf(k) + 0.5) * width / used.length);
		list.forEach((node, row) => places.set(node.id, { node, column: k, x, y: top + row * GAP + GAP / 2 }));
	});
	return { places, edges: joined, height, columns: used.map(k => ({ k, x: Math.round((used.indexOf(k) + 0.5) * width / used.length) })),
		half: Math.min(110, width / used.length / 2 - (width < WIDE ? 7 : 24)) };
}

// From the right side of one node to the left side of the other; backwards it goes round below.
function curve(a, b, half) {
	const x1 = a.x + half, x2 = b.x - half;
	if (x2 > x1) {
		const bend = (x2 - x1) / 2;
		return `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2} ${b.y}`;
	}
	const left = a.x - half, right = b.x + half;
	const bend = Math.max(20, (left - right) / 2);
	return `M${left} ${a.y}C${left - bend} ${a.y} ${right + bend} ${b.y} ${right} ${b.y}`;
}
