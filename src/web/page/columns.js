// Which columns the list has, and in which order. The choice is a part of the view's link.
import { html } from './html.js';
import { Dialog } from './keys.js';

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
