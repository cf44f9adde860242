// What stands around every tab: the head with the tabs, the foot with what was seen, and the gate without a token.
import { html, useEffect, useRef, useState } from './html.js';
import { TABS, isListTab, viewFragment } from './links.js';
import { dated } from './past.js';
import { THEMES } from './theme.js';
import { keepToken, splitFragment } from './token.js';
import { clock, counted } from './text.js';

const TAB_WORDS = { doors: 'Doors', connections: 'Connections', map: 'Map', rates: 'Rates', picture: 'Picture', events: 'Events' };
const LIVE_WORDS = {
	opening: 'opening', live: 'live', paused: 'paused', past: 'recorded', hidden: 'hidden', filter: 'wrong, see there',
	silent: 'no word from the server', lost: 'no answer, trying again', refused: 'refused',
};
const THEME_WORDS = { auto: ['◐', 'colours as the system'], light: ['○', 'light'], dark: ['●', 'dark'] };

export function Head({ info, view, live, themeName, isPast, onView, onTheme, onPause, onPast, onHelp }) {
	const [sign, says] = THEME_WORDS[themeName];
	const isList = isListTab(view.tab);
	return html`<header class="head-bar">
		<h1><img src="/page/icon.svg" alt="" width="18" height="18" /> Doorward <bdi class="host">${info?.host ?? ''}</bdi></h1>
		<nav aria-label="tabs">${TABS.map((tab, t) => html`<a key=${tab} href=${viewFragment({ ...view, tab }) || '#'}
			aria-current=${view.tab === tab ? 'page' : undefined} onClick=${event => {
				event.preventDefault();
				onView({ tab }, true);
			}}>${TAB_WORDS[tab]}<kbd aria-hidden="true">${t + 1}</kbd></a>`)}</nav>
		<div class="end">
			${info?.read_only ? html`<span class="tag">read only</span>` : null}
			<button type="button" class=${'live is-' + live} aria-pressed=${live === 'paused'} disabled=${!isList || live === 'past'}
				title=${live === 'paused' ? 'go on (Space)' : 'pause (Space)'} onClick=${onPause}><i aria-hidden="true"></i>${LIVE_WORDS[live]}</button>
			<button type="button" class="quiet" aria-pressed=${isPast} title="the past (<)" aria-label="the past" onClick=${onPast}>◷</button>
			<button type="button" class="quiet" title=${`colours: ${says} (t)`} aria-label=${`colours: ${says}`} onClick=${() =>
				onTheme(THEMES[(THEMES.indexOf(themeName) + 1) % THEMES.length])}>${sign}</button>
			<button type="button" class="quiet" title="keys (?)" aria-label="keys" onClick=${onHelp}>?</button>
		</div>
	</header>`;
}

function missingInWords(missing) {
	return missing.map(m => [`${m.count ? `${m.count} ` : ''}${m.what}: ${m.why}`, m.hint].filter(x => x).join(', ')).join('; ');
}

export function Foot({ info, data, tab, moment, notice }) {
	const time = !moment ? (data.time && !data.moment ? clock(data.time) : '') : data.moment === moment ? `as recorded on ${dated(moment)}` : data.trouble ? '' : 'looking into the record…';
	const isEvents = tab === 'events';
	return html`<footer class="foot-bar">
		<span>${data.isWhole && isEvents ? `${counted(data.total)} ${data.total === 1 ? 'event' : 'events'}` : data.isWhole ? `${counted(data.total)} ${data.total === 1 ? 'row' : 'rows'}${
			data.sockets === undefined ? '' : `, ${counted(data.sockets)} ${data.sockets === 1 ? 'socket' : 'sockets'}`}` : ''}</span>
		<span>${time}</span>
		${data.complete ? null : html`<details class="warn"><summary>Not all could be seen</summary>${missingInWords(data.missing ?? [])}</details>`}
		${data.trouble ? html`<span class="warn">${data.trouble}</span>` : null}
		<span class="notice" role="status">${notice}</span>
		<span class="version">${info ? `doorward ${info.version}` : ''}</span>
	</footer>`;
}

// Tells in words what came and went, for who does not see the colours, not more than a few at a time; and how much there
// is to see when that is another. @what: which tab, filter, group and moment.
export function Spoken({ data, what }) {
	const [text, setText] = useState('');
	const told = useRef(new Map());
	const seen = useRef({});
	useEffect(() => {
		const was = seen.current;
		if (data.isWhole && data.windows !== was.windows && (what !== was.what || data.total !== was.total)) {
			seen.current = { what, windows: data.windows, total: data.total };
			told.current = new Map(data.rows.map(row => [row.id, row.change]));
			setText(`${data.total ? counted(data.total) : 'no'} ${data.total === 1 ? 'row' : 'rows'}`);
			return;
		}
		const fresh = data.rows.filter(row => (row.change === 'new' || row.change === 'gone') && told.current.get(row.id) !== row.change);
		if (!fresh.length)
			return;
		told.current = new Map(data.rows.map(row => [row.id, row.change]));
		setText(fresh.length > 3 ? `${fresh.length} rows came or went` :
			fresh.map(row => `${row.change}: ${row.cells.slice(0, 7).filter(cell => cell).join(' ')}`).join('; '));
	}, [data.stamp]);
	return html`<div class="unseen" aria-live="polite">${text}</div>`;
}

export function Gate({ why, onToken }) {
	const [text, setText] = useState('');
	const [isWrong, setWrong] = useState(false);
	return html`<main class="gate"><form onSubmit=${event => {
		event.preventDefault();
		const pasted = text.trim();
		const at = pasted.indexOf('#');
		if (keepToken(at < 0 ? pasted : splitFragment(pasted.slice(at)).token))
			onToken();
		else
			setWrong(true);
	}}>
		<h1><img src="/page/icon.svg" alt="" width="22" height="22" /> Doorward</h1>
		<p>${why || 'This tab has no token yet.'} <code>doorward serve</code> prints an address with one: open it, or paste it here.</p>
		<label for="token">Address or token</label>
		<input id="token" type="password" autocomplete="off" value=${text} onInput=${event => {
			setText(event.target.value);
			setWrong(false);
		}} aria-invalid=${isWrong} />
		${isWrong ? html`<p class="warn" role="alert">There is no token in that.</p>` : null}
		<button type="submit" class="primary">Enter</button>
	</form></main>`;
}
