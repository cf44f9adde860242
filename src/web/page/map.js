// The map: 256 x 256 doors of TCP and of UDP, a pixel a door on the canvas below, and marks, lines and the cursor above.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from './html.js';
import { askBytes, askJson, query } from './api.js';
import { CLASSES, COLOURS, DOORS, LEGEND, SIDE, hasMark, inWords, isChanged, nextOpen, paint, palette, place, portAt, state, survey } from './map-data.js';
import { colours, onTheme, pixel } from './theme.js';

const ZOOMS = [1, 2, 4, 8, 16];
const MARK = 5;                         /* an open door is at least so many pixels wide, or nobody would find it */
const REST_MS = 300;
const PROTOS = ['tcp', 'udp'];

// The bytes of both maps: whole once, then what the stream says has changed. @feed is where the app puts its messages.
export function useMaps(feed, isLive, moment) {
	const [maps, setMaps] = useState({ tcp: null, udp: null, stamp: 0 });
	useEffect(() => {
		if (!isLive)
			return undefined;
		const abort = new AbortController();
		const late = [];
		let whole = null, timer = 0;
		const apply = message => {
			if (message.reload) {
				load();
				return;
			}
			performance.mark('doorward-map-asked');
			for (const proto of PROTOS)
				for (const [port, byte] of message[proto] ?? [])
					whole[proto][port] = byte;
			setMaps(was => ({ ...whole, stamp: was.stamp + 1 }));
		};
		feed.current = message => (whole ? apply(message) : late.push(message));
		const load = async () => {
			try {
				performance.mark('doorward-map-asked');
				const [tcp, udp] = await Promise.all(PROTOS.map(proto => askBytes('map?' + query({ proto, moment: moment || '' }), { signal: abort.signal })));
				whole = { tcp: tcp.slice(0, DOORS), udp: udp.slice(0, DOORS) };
				late.splice(0).filter(message => !message.reload).forEach(apply);
				setMaps(was => ({ ...whole, stamp: was.stamp + 1 }));
			} catch (error) {
				if (error.status === 503)       /* there is no snapshot yet */
					timer = setTimeout(load, 300);
			}
		};
		load();
		return () => {
			clearTimeout(timer);
			feed.current = null;
			abort.abort();
		};
	}, [isLive, moment]);
	return maps;
}

// The ephemeral range and the classes as lines: the range begins and ends within a row.
function outline(pen, first, last, at) {
	const a = place(first), b = place(last);
	pen.beginPath();
	pen.moveTo(...at(a.x, a.y));
	pen.lineTo(...at(SIDE, a.y));
	pen.lineTo(...at(SIDE, b.x === SIDE - 1 ? b.y + 1 : b.y));
	if (b.x !== SIDE - 1) {
		pen.lineTo(...at(b.x + 1, b.y));
		pen.lineTo(...at(b.x + 1, b.y + 1));
	}
	pen.lineTo(...at(0, b.y + 1));
	pen.lineTo(...at(0, a.x ? a.y + 1 : a.y));
	if (a.x) {
		pen.lineTo(...at(a.x, a.y + 1));
		pen.lineTo(...at(a.x, a.y));
	}
	pen.stroke();
}

// What the parts between the lines are called, where there is room: below what is there already, the box below its text.
function drawClasses(pen, view, ink, at) {
	if (view.cell > 8)
		return;
	pen.globalCompositeOperation = 'destination-over';
	pen.font = '11px system-ui';
	pen.textBaseline = 'top';
	for (const [first, last, name] of CLASSES) {
		const y = Math.max(0, at(0, first / SIDE)[1]);
		if (y > view.size || (last + 1 - first) / SIDE * view.cell < 18)
			continue;
		const text = `${name} ${first}–${last}`;
		pen.fillStyle = ink.named['map-text'];
		pen.fillText(text, 5, y + 4);
		pen.fillStyle = ink.named['map-closed'];
		pen.fillRect(1, y + 1, pen.measureText(text).width + 8, 16);
	}
	pen.globalCompositeOperation = 'source-over';
}

function drawMarks(pen, bytes, marked, view, ink, at) {
	const grown = Math.max(view.cell, MARK);
	const shift = (grown - view.cell) / 2;
	for (const port of marked) {
		const byte = bytes[port];
		const [x, y] = at(port % SIDE, Math.floor(port / SIDE));
		if (x < -grown || y < -grown || x > view.size || y > view.size)
			continue;
		pen.fillStyle = ink.css[byte];
		pen.fillRect(x - shift, y - shift, grown, grown);
		if (isChanged(byte)) {
			pen.strokeStyle = ink.named['map-new'];
			pen.strokeRect(x - shift - 2, y - shift - 2, grown + 4, grown + 4);
		}
	}
}

function drawNumbers(pen, view, ink, at) {
	if (view.cell < 26)
		return;
	pen.font = `${Math.min(12, view.cell / 3.4)}px system-ui`;
	pen.textAlign = 'center';
	pen.textBaseline = 'middle';
	pen.fillStyle = ink.named['map-text'];
	const n = Math.ceil(view.size / view.cell) + 1;
	for (let y = Math.floor(view.y); y < Math.min(SIDE, view.y + n); y++)
		for (let x = Math.floor(view.x); x < Math.min(SIDE, view.x + n); x++) {
			const [left, top] = at(x, y);
			pen.fillText(portAt(x, y), left + view.cell / 2, top + view.cell / 2);
		}
}

function drawCursor(pen, port, view, ink, at) {
	const [x, y] = at(port % SIDE, Math.floor(port / SIDE));
	const grown = Math.max(view.cell, MARK) + 4;
	const shift = (grown - view.cell) / 2;
	const clamp = v => Math.max(1, Math.min(view.size - grown - 1, v));
	pen.strokeStyle = ink.named['map-cursor'];
	pen.lineWidth = 2;
	pen.strokeRect(clamp(x - shift), clamp(y - shift), grown, grown);
}

function drawAbove(canvas, bytes, marked, view, ink, port, ephemeral) {
	const ratio = devicePixelRatio || 1;
	canvas.width = canvas.height = Math.round(view.size * ratio);
	const pen = canvas.getContext('2d');
	pen.scale(ratio, ratio);
	const at = (x, y) => [(x - view.x) * view.cell, (y - view.y) * view.cell];
	pen.strokeStyle = ink.named['map-line'];
	pen.lineWidth = 1;
	for (const row of [4, 192]) {
		pen.beginPath();
		pen.moveTo(...at(0, row));
		pen.lineTo(...at(SIDE, row));
		pen.stroke();
	}
	pen.setLineDash([4, 3]);
	if (ephemeral)
		outline(pen, ephemeral[0], ephemeral[1], at);
	pen.setLineDash([]);
	drawMarks(pen, bytes, marked, view, ink, at);
	if (port !== null)
		drawCursor(pen, port, view, ink, at);
}

// Texts come a moment later: the first asks for a font, and the doors need not wait for it.
function drawTexts(canvas, view, ink) {
	const pen = canvas.getContext('2d');
	const at = (x, y) => [(x - view.x) * view.cell, (y - view.y) * view.cell];
	drawClasses(pen, view, ink, at);
	drawNumbers(pen, view, ink, at);
}

function useInk() {
	const make = () => {
		const named = colours(COLOURS);
		const pixels = Object.fromEntries(Object.entries(named).map(([name, css]) => [name, pixel(css)]));
		const table = palette(pixels);
		const css = Array.from(table, p => `rgb(${p & 255},${p >> 8 & 255},${p >> 16 & 255})`);
		return { named, table, css };
	};
	const [ink, setInk] = useState(make);
	useEffect(() => onTheme(() => setInk(make())), []);
	return ink;
}

// How long it took, for the bench: to draw, and from asking the server for the bytes or from its line of changes.
function measure(begun, isLast) {
	if (!begun.current)
		return;
	const end = performance.now();
	performance.measure('doorward-map', { start: begun.current, end });
	if (performance.getEntriesByName('doorward-map-asked').length)
		performance.measure('doorward-map-whole', { start: 'doorward-map-asked', end });
	if (isLast)
		performance.clearMarks('doorward-map-asked');
	begun.current = 0;
}

// Which part is in sight: the cell's size, and the door in the upper left corner. A new zoom has the cursor in the
// middle; then the part stays where it is until the cursor would leave it.
function useView(size, zoom, port) {
	const kept = useRef({ zoom: 1, x: 0, y: 0 });
	const seen = SIDE / zoom;
	const { x, y } = place(port);
	const clamp = v => Math.max(0, Math.min(SIDE - seen, Math.round(v)));
	const inside = (from, v) => Math.min(v, Math.max(from, v - seen + 1));
	const was = kept.current;
	kept.current = was.zoom === zoom ? { zoom, x: clamp(inside(was.x, x)), y: clamp(inside(was.y, y)) }
		: { zoom, x: clamp(x - seen / 2), y: clamp(y - seen / 2) };
	return { size, cell: size / SIDE * zoom, x: kept.current.x, y: kept.current.y };
}

function DoorMap({ proto, bytes, stamp, port, zoom, ephemeral, isActive, onMove, onOpen, onZoom }) {
	const below = useRef(null), above = useRef(null), frame = useRef(null);
	const [size, setSize] = useState(512);
	const [hover, setHover] = useState(null);
	const begun = useRef(0);
	const ink = useInk();
	const view = useView(size, zoom, port);
	const seen = useMemo(() => bytes && survey(bytes), [bytes, stamp]);

	useEffect(() => {
		const watch = new ResizeObserver(([entry]) => setSize(Math.floor(entry.contentRect.width)));
		watch.observe(frame.current);
		return () => watch.disconnect();
	}, []);

	// as soon as the bytes are there: an effect would wait until a frame without them was drawn
	useLayoutEffect(() => {
		if (!bytes)
			return;
		begun.current = performance.now();
		const pen = below.current.getContext('2d', { willReadFrequently: true });
		const image = pen.createImageData(SIDE, SIDE);
		paint(seen.runs, ink.table, new Uint32Array(image.data.buffer));
		pen.putImageData(image, 0, 0);
	}, [bytes, stamp, ink]);
	const drawn = [bytes, stamp, ink, size, zoom, view.x, view.y, port, isActive, ephemeral];
	useLayoutEffect(() => {
		if (bytes)
			drawAbove(above.current, bytes, seen.marked, view, ink, isActive ? port : null, ephemeral);
		measure(begun, proto === PROTOS.at(-1));
	}, drawn);
	useEffect(() => {
		if (bytes)
			drawTexts(above.current, view, ink);
	}, drawn);

	const portUnder = event => {
		const box = above.current.getBoundingClientRect();
		const x = Math.floor((event.clientX - box.left) / view.cell + view.x);
		const y = Math.floor((event.clientY - box.top) / view.cell + view.y);
		if (x < 0 || y < 0 || x >= SIDE || y >= SIDE)
			return null;
		return nearOpen(bytes, x, y, Math.ceil(MARK / 2 / view.cell));
	};
	const names = useHolders(proto, hover, bytes && hover !== null && hasMark(bytes[hover]));
	const at = hover === null ? null : place(hover);
	const tip = at && {
		left: `${Math.min(Math.max((at.x + 0.5 - view.x) * view.cell, 70), Math.max(70, size - 130))}px`,
		top: `${(at.y + 1 - view.y) * view.cell + 8}px`,
	};
	return html`<figure class="map">
		<figcaption>${proto.toUpperCase()} <span class="dim">${seen ? `${seen.nOpen} open` : 'asking…'}</span></figcaption>
		<div class="frame" ref=${frame} style=${{ height: `${size}px` }} onWheel=${event => {
			event.preventDefault();
			onZoom(event.deltaY < 0 ? 1 : -1, portUnder(event));
		}}>
			<canvas class="below" id=${'map-' + proto} ref=${below} width=${SIDE} height=${SIDE} aria-hidden="true" style=${{
				width: `${size * zoom}px`, height: `${size * zoom}px`,
				transform: `translate(${-view.x * view.cell}px, ${-view.y * view.cell}px)`,
			}}></canvas>
			<canvas class="above" ref=${above} style=${{ width: `${size}px`, height: `${size}px` }} role="img"
				aria-label=${`map of the ${proto} ports, ${seen?.nOpen ?? 0} open`}
				onMouseMove=${event => setHover(portUnder(event))} onMouseLeave=${() => setHover(null)}
				onClick=${event => {
					const found = portUnder(event);
					if (found !== null) {
						onMove(proto, found);
						onOpen(proto, found);
					}
				}}></canvas>
			${tip && bytes ? html`<div class="tip" style=${tip}><b>${proto}/${hover}</b><br />${inWords(hover, bytes[hover])}${names ? html`<br /><bdi>${names}</bdi>` : null}</div>` : null}
		</div>
	</figure>`;
}

// Who stands behind the door under the pointer, asked when it has rested there.
function useHolders(proto, port, isOpen) {
	const [told, setTold] = useState({ door: '', names: '' });
	const door = `${proto}/${port}`;
	useEffect(() => {
		if (port === null || !isOpen)
			return undefined;
		const abort = new AbortController();
		const timer = setTimeout(async () => {
			try {
				const story = await askJson('story?' + query({ target: door }), { signal: abort.signal });
				const holders = story.sockets.flatMap(socket => socket.holders ?? []);
				const names = [...new Set(holders.map(holder => (holder.runs ? `${holder.name} ${holder.runs}` : holder.name) ?? '?'))];
				setTold({ door, names: [story.port?.[proto]?.service, names.slice(0, 4).join(', ')].filter(x => x).join(': ') });
			} catch { /* the tip has the rest */ }
		}, REST_MS);
		return () => {
			clearTimeout(timer);
			abort.abort();
		};
	}, [door, isOpen]);
	return told.door === door ? told.names : '';
}

// A mark is wider than its door: a click on the mark means that door.
function nearOpen(bytes, x, y, far) {
	const here = portAt(x, y);
	if (!bytes || state(bytes[here]) !== 0)
		return here;
	for (let distance = 1; distance <= far; distance++)
		for (let dy = -distance; dy <= distance; dy++)
			for (let dx = -distance; dx <= distance; dx++) {
				const nx = x + dx, ny = y + dy;
				if (nx >= 0 && ny >= 0 && nx < SIDE && ny < SIDE && hasMark(bytes[portAt(nx, ny)]))
					return portAt(nx, ny);
			}
	return here;
}

export function MapTab({ maps, ephemeral, proto, port, zoom, onProto, onPort, onZoom, onOpen }) {
	const bytes = maps[proto];
	const step = (to, forward) => bytes && onPort(proto, nextOpen(bytes, to, forward));
	return html`<div class="maps" tabindex="0" aria-label="map of all doors">
		<div class="bar">
			<div class="choice" role="group" aria-label="protocol under the cursor">${PROTOS.map(name => html`<button type="button" key=${name}
				aria-pressed=${name === proto} onClick=${() => onProto(name)}>${name.toUpperCase()}</button>`)}</div>
			<div class="choice" role="group" aria-label="zoom">
				<button type="button" aria-label="farther" disabled=${zoom === ZOOMS[0]} onClick=${() => onZoom(-1)}>−</button>
				<output>${zoom}×</output>
				<button type="button" aria-label="nearer" disabled=${zoom === ZOOMS.at(-1)} onClick=${() => onZoom(1)}>+</button>
			</div>
			<button type="button" onClick=${() => step(port, -1)}>‹ open door before</button>
			<button type="button" onClick=${() => step(port, 1)}>next open door ›</button>
			<p class="under" role="status">${bytes ? html`<b>${proto}/${port}</b> ${inWords(port, bytes[port])}` : 'asking…'}</p>
		</div>
		<div class="pair">${PROTOS.map(name => html`<${DoorMap} key=${name} proto=${name} bytes=${maps[name]} stamp=${maps.stamp}
			port=${port} zoom=${zoom} ephemeral=${ephemeral} isActive=${name === proto}
			onMove=${onPort} onOpen=${onOpen} onZoom=${(by, to) => onZoom(by, to, name)} />`)}</div>
		<ul class="legend" aria-label="legend">${LEGEND.map(([colour, says]) => html`<li key=${colour}><i class=${colour}></i>${says}</li>`)}
			<li><i class="dashed"></i>the ephemeral range</li><li><i class="ring"></i>changed just now</li></ul>
	</div>`;
}

// A zoom that there is not, as a link may have, is none.
export function zoomed(zoom, by) {
	const k = Math.max(0, ZOOMS.indexOf(zoom)) + by;
	return ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, k))];
}

// Where an arrow key leads from a door.
export function walked(port, key, isFar) {
	const { x, y } = place(port);
	const by = isFar ? 16 : 1;
	const clamp = v => Math.max(0, Math.min(SIDE - 1, v));
	switch (key) {
	case 'ArrowLeft': return portAt(clamp(x - by), y);
	case 'ArrowRight': return portAt(clamp(x + by), y);
	case 'ArrowUp': return portAt(x, clamp(y - by));
	default: return portAt(x, clamp(y + by));
	}
}
