// The one table of keys: what listens and what `?` shows are made from it.
import { html, useEffect, useRef } from './html.js';

// `keys` as KeyboardEvent.key has them; `on` is where they count: everywhere, in a list of rows, on the map.
export const KEYS = [
	{ keys: ['/'], shown: '/', on: 'all', act: 'filter', says: 'filter' },
	{ keys: ['1'], shown: '1', on: 'all', act: 'tab', with: 'doors', says: 'doors' },
	{ keys: ['2'], shown: '2', on: 'all', act: 'tab', with: 'connections', says: 'connections' },
	{ keys: ['3'], shown: '3', on: 'all', act: 'tab', with: 'map', says: 'map' },
	{ keys: ['4'], shown: '4', on: 'all', act: 'tab', with: 'rates', says: 'rates' },
	{ keys: ['5'], shown: '5', on: 'all', act: 'tab', with: 'picture', says: 'who talks to whom' },
	{ keys: ['6'], shown: '6', on: 'all', act: 'tab', with: 'events', says: 'events' },
	{ keys: ['<'], shown: '<', on: 'all', act: 'earlier', says: 'back through what is recorded, from change to change' },
	{ keys: ['>'], shown: '>', on: 'all', act: 'later', says: 'forward, up to now' },
	{ keys: ['ArrowDown', 'j'], shown: '↓ j', on: 'rows', act: 'move', with: 1, says: 'next row' },
	{ keys: ['ArrowUp', 'k'], shown: '↑ k', on: 'rows', act: 'move', with: -1, says: 'row before' },
	{ keys: ['PageDown'], shown: 'Page ↓', on: 'rows', act: 'page', with: 1, says: 'a page down' },
	{ keys: ['PageUp'], shown: 'Page ↑', on: 'rows', act: 'page', with: -1, says: 'a page up' },
	{ keys: ['Home'], shown: 'Home', on: 'rows', act: 'edge', with: 'first', says: 'first row' },
	{ keys: ['End'], shown: 'End', on: 'rows', act: 'edge', with: 'last', says: 'last row' },
	{ keys: ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'], shown: '← ↑ → ↓', on: 'map', act: 'walk', says: 'go over the map, with Shift by 16' },
	{ keys: ['n'], shown: 'n', on: 'map', act: 'nextDoor', with: 1, says: 'next door that is not closed' },
	{ keys: ['N'], shown: 'N', on: 'map', act: 'nextDoor', with: -1, says: 'the one before' },
	{ keys: ['p'], shown: 'p', on: 'map', act: 'protocol', says: 'the other protocol' },
	{ keys: ['+', '='], shown: '+', on: 'map', act: 'zoom', with: 1, says: 'nearer' },
	{ keys: ['-'], shown: '−', on: 'map', act: 'zoom', with: -1, says: 'farther' },
	{ keys: ['ArrowLeft', 'ArrowRight'], shown: '← →', on: 'plot', act: 'point', says: 'go over the plot that has the focus' },
	{ keys: ['Enter'], shown: 'Enter', on: 'doors', act: 'story', says: 'the story of the port' },
	{ keys: ['c'], shown: 'c', on: 'doors', act: 'close', says: 'close: the plan first' },
	{ keys: ['b'], shown: 'b', on: 'doors', act: 'block', says: 'block: new traffic is refused' },
	{ keys: ['u'], shown: 'u', on: 'doors', act: 'unblock', says: 'lift a block' },
	{ keys: ['r'], shown: 'r', on: 'doors', act: 'rates', says: 'its rates over time' },
	{ keys: ['y'], shown: 'y', on: 'rows', act: 'copyRow', says: 'copy the row' },
	{ keys: ['l'], shown: 'l', on: 'all', act: 'copyLink', says: 'copy a link to this view' },
	{ keys: ['s'], shown: 's', on: 'rows', act: 'sort', says: 'sort by the next column' },
	{ keys: ['S'], shown: 'S', on: 'rows', act: 'turn', says: 'turn the order round' },
	{ keys: ['g'], shown: 'g', on: 'rows', act: 'group', says: 'group by the next thing' },
	{ keys: ['v'], shown: 'v', on: 'rows', act: 'columns', says: 'choose columns' },
	{ keys: [' '], shown: 'Space', on: 'rows', act: 'pause', says: 'pause, go on' },
	{ keys: ['t'], shown: 't', on: 'all', act: 'theme', says: 'light, dark, as the system' },
	{ keys: ['?'], shown: '?', on: 'all', act: 'help', says: 'these keys' },
	{ keys: ['Escape'], shown: 'Esc', on: 'all', act: 'back', says: 'close what is open' },
];

const PLACES = { all: 'Everywhere', doors: 'A door', rows: 'Lists', map: 'Map', plot: 'Plot' };

const isTyping = node => node && (/^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) || node.isContentEditable);
const isPressable = node => node && /^(BUTTON|A|SUMMARY)$/.test(node.tagName);

// Whether a key of that place counts on that tab.
function counts(on, tab) {
	const isList = tab === 'doors' || tab === 'connections' || tab === 'events';
	return on === 'all' || on === 'rows' && isList || on === 'map' && tab === 'map' || on === 'doors' && (isList || tab === 'map');
}

// Listens on the whole page. A dialog has its own keys; what is typed into a field is typed there.
export function useKeys(tab, acts) {
	const now = useRef(null);
	now.current = { tab, acts };
	useEffect(() => {
		const pressed = event => {
			if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || document.querySelector('dialog[open]'))
				return;
			const node = document.activeElement;
			if (isTyping(node) && event.key !== 'Escape')
				return;
			if (isPressable(node) && (event.key === 'Enter' || event.key === ' '))
				return;
			const key = KEYS.find(k => k.keys.includes(event.key) && counts(k.on, now.current.tab));
			if (!key)
				return;
			event.preventDefault();
			now.current.acts[key.act]?.(key.with, event);
		};
		addEventListener('keydown', pressed);
		return () => removeEventListener('keydown', pressed);
	}, []);
}

// A modal dialog: the browser keeps the focus inside and gives it back.
export function Dialog({ label, className, onClose, children }) {
	const node = useRef(null);
	useEffect(() => {
		const before = document.activeElement;
		node.current.showModal();
		return () => before?.focus?.();
	}, []);
	return html`<dialog ref=${node} class=${className} aria-label=${label} onCancel=${event => {
		event.preventDefault();
		onClose();
	}} onClick=${event => event.target === node.current && onClose()}>${children}</dialog>`;
}

export function KeyHelp({ onClose }) {
	return html`<${Dialog} label="Keys" className="keys" onClose=${onClose}>
		<header><h2>Keys</h2><button type="button" class="quiet" aria-label="close" onClick=${onClose}>×</button></header>
		<div class="groups">${Object.entries(PLACES).map(([on, title]) => html`<section key=${on}>
			<h3>${title}</h3>
			<dl>${KEYS.filter(key => key.on === on).map(key => html`<div key=${key.act + key.shown}>
				<dt><kbd>${key.shown}</kbd></dt><dd>${key.says}</dd></div>`)}</dl>
		</section>`)}</div>
	</${Dialog}>`;
}
