// What each key and button does.
import { GROUPS, isListTab, viewLink } from './links.js';
import { nextOpen } from './map-data.js';
import { walked, zoomed } from './map.js';
import { THEMES, setTheme } from './theme.js';

const MANY = 'this row unites several ports: c closes them all, the plan first; by service or none it has one';
const NO_COMMON = 'this row unites several ports which no filter chooses: group by service or none to have one';
const ELSEWHERE = 'it is in another network namespace, which may not be told without root';
const ONE_ONLY = 'one port at a time: group by service or none to have one';
// What the filter of the view and of a row of several ports choose together.
const filterOfRow = (row, view) => [row.chooses, view.filter && `(${view.filter})`,
	view.tab === 'connections' && 'not state in (listen, unconn, bound)'].filter(x => x).join(' and ');
export const doorOf = row => ({ target: row.target ?? '', netns: row.netns ? String(row.netns) : '' });

// Where the map is.
export const placeOf = view => ({
	port: Number.parseInt(view.port || '0', 10) & 65535, proto: view.proto === 'udp' ? 'udp' : 'tcp', zoom: zoomed(Number(view.zoom) || 1, 0),
});

export const focusTable = () => document.querySelector('[role=grid], .maps')?.focus();

// The door that a key means: its target, and its network namespace where that is another than the server's.
function doorMeant({ view, chosen }) {
	const { port, proto } = placeOf(view);
	if (view.tab === 'map')
		return { target: `${proto}/${port}`, netns: '' };
	return chosen?.row ? doorOf(chosen.row) : { target: view.story, netns: view.netns };
}

// Opens the plan of an act, or says why there is none.
function plan(page, action) {
	const { view, chosen, acts, tell, setDialog } = page;
	const of = doorMeant(page);
	if (acts[action])
		tell(`${action}: ${acts[action]}`);
	else if (of.target)
		setDialog({ action, ...of });
	else if (!chosen?.row || !isListTab(view.tab))
		tell('choose a row first');
	else if (chosen.row.netns === 0 && !chosen.row.chooses)
		tell(`${action}: ${ELSEWHERE}`);
	else if (!chosen.row.chooses || action !== 'close')
		tell(`${action}: ${chosen.row.chooses ? ONE_ONLY : NO_COMMON}`);
	else
		setDialog({ action, ...of, filter: filterOfRow(chosen.row, view) });
}

// @page: the state of the page (app.js).
export function commandsOf(page) {
	const { view, setView, columns, tell, setThemeName } = page;
	const openStory = ({ target, netns }, isStep = true) => target && setView({ story: target, netns }, isStep);
	return {
		openStory,
		closeStory: () => {
			setView({ story: '', netns: '' }, true);
			requestAnimationFrame(focusTable);
		},
		chooseRow: (row, index) => {
			page.choose(row, index);
			if (row.target)
				openStory(doorOf(row), !view.story);
			else
				tell(row.text ?? (row.chooses ? MANY : row.netns === 0 ? ELSEWHERE : NO_COMMON));
		},
		copy: (text, what) => navigator.clipboard.writeText(text).then(() => tell(`${what} is copied`), () => tell('the browser lets nothing be copied')),
		chooseColumns: list => setView({ columns: list.join() === page.info.tabs[view.tab].join() ? '' : list.join() }),
		nextSort: () => {
			const now = columns.indexOf(view.sort.replace(/^-/, '').split(',')[0]);
			setView({ sort: columns[(now + 1) % columns.length] ?? '' });
		},
		zoomBy: (by, to, of) => {
			const { proto, zoom } = placeOf(view);
			const nearer = zoomed(zoom, by);
			setView({ zoom: nearer === 1 ? '' : String(nearer), ...(to === null || to === undefined ? {} : { port: String(to), proto: of ?? proto }) });
		},
		wear: name => {
			setTheme(name);
			setThemeName(name);
			tell(`colours: ${name}`);
		},
	};
}

// By the names of keys.js.
export function keysOf(page, commands) {
	const { view, setView, data, chosen, go, past, maps, setDialog } = page;
	const { port, proto } = placeOf(view);
	return {
		filter: () => page.filterInput.current?.select(),
		tab: tab => setView({ tab }, true),
		move: by => go((chosen?.index ?? (by > 0 ? -1 : data.total)) + by),
		page: by => go((chosen?.index ?? 0) + by * 20),
		edge: which => go(which === 'first' ? 0 : data.total - 1),
		walk: (ignored, event) => setView({ port: String(walked(port, event.key, event.shiftKey)), proto }),
		nextDoor: step => maps[proto] && setView({ port: String(nextOpen(maps[proto], port, step)), proto }),
		protocol: () => setView({ proto: proto === 'tcp' ? 'udp' : 'tcp' }),
		zoom: by => commands.zoomBy(by),
		story: () => commands.openStory(doorMeant(page)),
		close: () => plan(page, 'close'), block: () => plan(page, 'block'), unblock: () => plan(page, 'unblock'),
		rates: () => doorMeant(page).target && setView({ tab: 'rates', of: doorMeant(page).target }, true),
		copyRow: () => chosen?.row && commands.copy(chosen.row.cells.join('\t'), 'the row'),
		copyLink: () => commands.copy(viewLink(view), 'the link'),
		sort: commands.nextSort,
		turn: () => setView({ sort: view.sort.startsWith('-') ? view.sort.slice(1) : '-' + (view.sort || page.columns[0]) }),
		group: () => setView({ group: GROUPS[(GROUPS.indexOf(view.group) + 1) % GROUPS.length] }),
		columns: () => setDialog('columns'),
		pause: () => !page.moment && page.setPaused(!page.paused),
		earlier: () => past.walk(-1), later: () => past.walk(1),
		theme: () => commands.wear(THEMES[(THEMES.indexOf(page.themeName) + 1) % THEMES.length]),
		help: () => setDialog('help'),
		back: () => (view.story ? commands.closeStory() : document.activeElement?.blur()),
	};
}
