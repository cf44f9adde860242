// The tabs that are lists: filter, groups, columns, and the table.
import { html } from './html.js';
import { FilterLine } from './filter.js';
import { Dialog } from './keys.js';
import { GROUPS } from './links.js';
import { Table } from './table.js';

export const USUAL_GROUP = { doors: 'service', connections: 'none' };

const titleOf = (fields, name) => (fields.get(name)?.title ?? name).toLowerCase();

export function ToolBar({ view, input, fields, refused, isList, columns, onView, onColumns, onTable }) {
	return html`<div class="tool-bar">
		<${FilterLine} value=${view.filter} input=${input} fields=${fields} refused=${refused} onApply=${filter => onView({ filter })} onLeave=${onTable} />
		${isList && view.tab !== 'events' ? html`<label class="group">by <select value=${view.group} onChange=${event => onView({ group: event.target.value })}>
			${GROUPS.map(group => html`<option key=${group} value=${group}>${group || `${USUAL_GROUP[view.tab]} (usual)`}</option>`)}
		</select></label>` : null}
		${isList ? html`<label class="group sort">sort <select value=${view.sort} onChange=${event => onView({ sort: event.target.value })}>
			<option value="">as usual</option>
			${columns.map(name => [name, '-' + name].map(order => html`<option key=${order} value=${order}>${
				titleOf(fields, name)}${order === name ? ' ↑' : ' ↓'}</option>`))}
		</select></label>
		<button type="button" onClick=${onColumns} title="choose columns (v)">Columns</button>` : null}
	</div>`;
}

const LABELS = { doors: 'what is open', connections: 'connections', events: 'events, newest first' };
const EMPTY = { doors: 'No door is open.', connections: 'There is no connection.', events: 'Nothing has happened yet.' };

export function ListTab({ view, data, isLooking, fields, chosen, scrollTo, isNarrow, onView, onChoose, onWindow }) {
	return html`<${Table} data=${data} fields=${fields} sort=${view.sort} chosen=${chosen?.id} scrollTo=${scrollTo} isNarrow=${isNarrow}
		label=${LABELS[view.tab]} isLooking=${isLooking}
		empty=${view.filter ? 'Nothing is what the filter chooses.' : EMPTY[view.tab]}
		onSort=${sort => onView({ sort })} onChoose=${onChoose} onWindow=${onWindow} />`;
}

// Which columns the list has, and in which order. The choice is a part of the view's link.
export function ColumnsDialog({ fields, chosen, defaults, onChange, onClose }) {
	const move = (name, by) => {
		const list = [...chosen];
		const at = list.indexOf(name);
		const to = at + by;
		if (to < 0 || to >= list.length)
			return;
		[list[at], list[to]] = [list[to], list[at]];
		onChange(list);
	};
	const toggle = (name, isOn) => onChange(isOn ? [...chosen, name] : chosen.filter(other => other !== name));
	const line = field => {
		const isOn = chosen.includes(field.name);
		return html`<li key=${field.name}>
			<label class="check"><input type="checkbox" checked=${isOn} disabled=${isOn && chosen.length === 1}
				onChange=${event => toggle(field.name, event.target.checked)} />
				<span><b>${field.name}</b> <span class="dim">${field.help}</span></span></label>
			${isOn ? html`<span class="move">
				<button type="button" class="quiet" aria-label=${`${field.name} to the left`} onClick=${() => move(field.name, -1)}>↑</button>
				<button type="button" class="quiet" aria-label=${`${field.name} to the right`} onClick=${() => move(field.name, 1)}>↓</button>
			</span>` : null}
		</li>`;
	};
	const byName = new Map(fields.map(field => [field.name, field]));
	return html`<${Dialog} label="Columns" className="columns" onClose=${onClose}>
		<header><h2>Columns</h2><button type="button" class="quiet" aria-label="close" onClick=${onClose}>×</button></header>
		<div class="scroll">
			<ul>${chosen.map(name => byName.get(name)).filter(field => field).map(line)}</ul>
			<ul>${fields.filter(field => !chosen.includes(field.name)).map(line)}</ul>
		</div>
		<footer><button type="button" onClick=${() => onChange(defaults)}>As delivered</button><button type="button" onClick=${onClose}>Done</button></footer>
	</${Dialog}>`;
}
