// The live table: only the rows in sight are in the document, and only they are asked of the server.
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { amount, clockOf } from './text.js';

const OF_WATCHING = new Set(['started', 'lost', 'gap']);     /* they have no socket: all that they say is one text */
const SIGNS = { new: '+', changed: '~', gone: '−' };
const SPOKEN = { new: 'new', changed: 'changed', gone: 'gone' };
const MARGIN = 24;                      /* rows asked for beyond what is in sight */
const COUNT_MAX = 500;
const CELL_MAX = 40;                    /* characters a column may take for itself */
const WIDE_ONES = new Set(['process', 'cmdline', 'exe', 'unit', 'remote', 'local', 'parents', 'cwd']);

// A rate is a number of bytes a second; it moves too fast to be read otherwise than in units.
function shownCell(name, text) {
	if (name === 'time' && /^\d{4}-/.test(text))
		return clockOf(text);
	if (name === 'event')
		return text.replace('_', ' ');
	return name.startsWith('rate_') && /^\d+$/.test(text) ? amount(Number(text)) : text;
}

// How wide a column would be, in characters; kept while the columns are the same, so that nothing jumps.
function useWidths(columns, fields, rows) {
	const kept = useRef({ of: '', widths: [] });
	const of = columns.join(',');
	if (kept.current.of !== of)
		kept.current = { of, widths: columns.map(name => (fields.get(name)?.title ?? name).length + 2) };
	const widths = kept.current.widths;
	for (const row of rows)
		for (let c = 0; c < columns.length; c++)
			widths[c] = Math.max(widths[c], Math.min(CELL_MAX, shownCell(columns[c], row.cells[c] ?? '').length));
	return widths;
}

function template(columns, fields, widths) {
	const tracks = columns.map((name, c) => {
		const isRight = fields.get(name)?.is_right;
		/* letters are wider than the digit that `ch` is, bold ones most; a reach has a dot before it */
		const width = Math.ceil(widths[c] * (isRight ? 1.05 : 1.15)) + (name === 'reach' ? 4 : 2);
		return `minmax(${Math.min(width, WIDE_ONES.has(name) ? 14 : 9)}ch, ${width}ch)`;
	});
	return `2.25rem ${tracks.join(' ')} minmax(0, 1fr)`;
}

function Header({ columns, fields, sort, onSort }) {
	const first = sort.split(',')[0];
	return html`<div class="row head" role="row" aria-rowindex="1">
		<span class="sign" role="columnheader"><span class="unseen">change</span></span>
		${columns.map((name, c) => {
			const field = fields.get(name);
			const order = first === name ? 'ascending' : first === '-' + name ? 'descending' : 'none';
			return html`<span key=${name} role="columnheader" aria-sort=${order} aria-colindex=${c + 2}
				class=${'cell' + (field?.is_right ? ' right' : '')} title=${field?.help}>
				<button type="button" onClick=${() => onSort(order === 'ascending' ? '-' + name : name)}>
					${(field?.title ?? name).toLowerCase()}<i aria-hidden="true">${
						order === 'ascending' ? '↑' : order === 'descending' ? '↓' : ''}</i>
				</button>
			</span>`;
		})}
	</div>`;
}

function Row({ row, index, columns, fields, isChosen, onChoose }) {
	const change = row.change ? ` is-${row.change} turn-${row.stamp % 2}` : '';
	return html`<div class=${'row' + change + (isChosen ? ' is-chosen' : '') + (row.event ? ' of-an-event' : '')} role="row" id=${'row-' + row.id}
		aria-rowindex=${index + 2} aria-selected=${isChosen} title=${row.text}
		style=${{ top: `calc(${index} * var(--row))` }}
		onClick=${() => onChoose(row, index)}>
		<span class="sign" role="gridcell" aria-label=${SPOKEN[row.change]}>${SIGNS[row.change] ?? ''}</span>
		${OF_WATCHING.has(row.event) ? html`<span class="cell told" role="gridcell" aria-colspan=${columns.length}>${row.text}</span>` : columns.map((name, c) => {
			const text = shownCell(name, row.cells[c] ?? '');
			const field = fields.get(name);
			return html`<span key=${name} role="gridcell" aria-colindex=${c + 2} title=${text.length > 12 ? text : undefined}
				class=${'cell of-' + name + (field?.is_right ? ' right' : '')}
				data-word=${name === 'reach' || name === 'state' || name === 'event' ? text.toLowerCase() : undefined}>${text}</span>`;
		})}
	</div>`;
}

// On a narrow page a row has two lines: the door and who stands behind it, and the rest below.
function NarrowRow({ row, index, columns, isChosen, onChoose }) {
	const cell = names => {
		const c = columns.findIndex(name => names.includes(name));
		return c < 0 ? '' : row.cells[c] ?? '';
	};
	const heads = ['port', 'shown_port', 'process', 'remote'];
	const door = cell(['shown_port', 'port']) || cell(['local']).replace(/^.*:/, '');
	if (OF_WATCHING.has(row.event))
		heads.push(...columns);
	const rest = columns.map((name, c) => (heads.includes(name) ? '' : shownCell(name, row.cells[c] ?? ''))).filter(text => text);
	const change = row.change ? ` is-${row.change} turn-${row.stamp % 2}` : '';
	return html`<div class=${'row' + change + (isChosen ? ' is-chosen' : '')} role="row" id=${'row-' + row.id}
		aria-rowindex=${index + 2} aria-selected=${isChosen}
		style=${{ top: `calc(${index} * var(--row))` }}
		onClick=${() => onChoose(row, index)}>
		<span class="sign" role="gridcell" aria-label=${SPOKEN[row.change]}>${SIGNS[row.change] ?? ''}</span>
		<span class="number" role="gridcell">${OF_WATCHING.has(row.event) ? '!' : door}</span>
		<span class="who" role="gridcell">${OF_WATCHING.has(row.event) ? row.text : cell(['process']) || '—'}${cell(['remote']) ? ' → ' + cell(['remote']) : ''}</span>
		<span class="rest" role="gridcell">${rest.join(' · ')}</span>
	</div>`;
}

export function Table({ data, fields, sort, chosen, isNarrow, label, isLooking, empty, onSort, onChoose, onWindow, scrollTo }) {
	const box = useRef(null);
	const [seen, setSeen] = useState({ first: 0, n: 40 });
	const widths = useWidths(data.columns, fields, data.rows);

	const look = () => {
		const node = box.current;
		if (!node)
			return;
		const height = parseFloat(getComputedStyle(node).getPropertyValue('--row-px')) || 30;
		const first = Math.max(0, Math.floor(node.scrollTop / height));
		const n = Math.max(1, Math.ceil(node.clientHeight / height));
		setSeen(was => (was.first === first && was.n === n ? was : { first, n }));
	};
	useLayoutEffect(look, [data.total, isNarrow]);
	useEffect(() => {
		const watch = new ResizeObserver(look);
		watch.observe(box.current);
		return () => watch.disconnect();
	}, []);

	useEffect(() => {
		const from = Math.max(0, seen.first - MARGIN);
		onWindow(from, Math.min(COUNT_MAX, seen.n + 2 * MARGIN));
	}, [seen.first, seen.n]);

	// The chosen row stays in sight when the keyboard moves it.
	useLayoutEffect(() => {
		const node = box.current;
		if (!scrollTo || !node)
			return;
		const height = parseFloat(getComputedStyle(node).getPropertyValue('--row-px')) || 30;
		const top = scrollTo.index * height;
		const head = isNarrow ? 0 : height;
		if (top < node.scrollTop)
			node.scrollTop = top;
		else if (top + height > node.scrollTop + node.clientHeight - head)
			node.scrollTop = top + height - node.clientHeight + head;
	}, [scrollTo]);

	const Line = isNarrow ? NarrowRow : Row;
	return html`<div class=${'table' + (isNarrow ? ' narrow' : '')} ref=${box} role="grid" tabindex="0" aria-label=${label}
		aria-rowcount=${data.total + 1} aria-colcount=${data.columns.length + 1}
		aria-activedescendant=${chosen ? 'row-' + chosen : undefined}
		style=${{ '--columns': template(data.columns, fields, widths) }} onScroll=${look}>
		${isNarrow ? null : html`<${Header} columns=${data.columns} fields=${fields} sort=${sort} onSort=${onSort} />`}
		<div class="rows" role="rowgroup" style=${{ height: `calc(${data.total} * var(--row))` }}>
			${data.rows.map((row, k) => html`<${Line} key=${row.id} row=${row} index=${data.from + k} columns=${data.columns}
				fields=${fields} isChosen=${row.id === chosen} onChoose=${onChoose} />`)}
		</div>
		${data.isWhole || !isLooking ? null : html`<p class="empty late">looking…</p>`}
		${data.isWhole && data.total === 0 ? html`<p class="empty">${empty}</p>` : null}
	</div>`;
}
