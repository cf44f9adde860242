// The page as a whole: the view that the address says, the stream that feeds it, and what each key and button does.
import { html, render, useCallback, useEffect, useMemo, useRef, useState } from './html.js';
import { askJson } from './api.js';
import { KeyHelp, useKeys } from './keys.js';
import { isListTab, readView, showView, viewLink } from './links.js';
import { ColumnsDialog, GROUPS, ListTab, ToolBar, USUAL_GROUP } from './list.js';
import { nextOpen } from './map-data.js';
import { MapTab, useMaps, walked, zoomed } from './map.js';
import { NOT_THEN, PastBar, usePast } from './past.js';
import { PictureTab, filterOf } from './picture.js';
import { PlanDialog } from './plan.js';
import { RatesTab } from './rates.js';
import { NOTHING, applyMessage } from './rows.js';
import { Foot, Gate, Head, Spoken } from './shell.js';
import { Story } from './story.js';
import { Stream } from './stream.js';
import { THEMES, applyTheme, setTheme, theme } from './theme.js';
import { forgetToken, takeToken, token } from './token.js';

const FOLLOW_MS = 250;
const MANY = 'this row unites several ports: c closes them all, the plan first; by service or none it has one';
const NO_COMMON = 'this row unites several ports which no filter chooses: group by service or none to have one';
const ELSEWHERE = 'it is in another network namespace, which may not be told without root';
const ONE_ONLY = 'one port at a time: group by service or none to have one';
// What the filter of the view and of a row of several ports choose together.
const filterOfRow = (row, view) => [row.chooses, view.filter && `(${view.filter})`,
	view.tab === 'connections' && 'not state in (listen, unconn, bound)'].filter(x => x).join(' and ');
const doorOf = row => ({ target: row.target ?? '', netns: row.netns ? String(row.netns) : '' });

function useMedia(text) {
	const media = useMemo(() => matchMedia(text), [text]);
	const [matches, setMatches] = useState(media.matches);
	useEffect(() => {
		const tell = () => setMatches(media.matches);
		media.addEventListener('change', tell);
		return () => media.removeEventListener('change', tell);
	}, [media]);
	return matches;
}

// The view, and how to change it: @isStep makes the browser's way back lead here.
function useView() {
	const [view, setView] = useState(() => readView());
	useEffect(() => {
		const read = () => {
			takeToken();
			setView(readView());
		};
		addEventListener('popstate', read);
		addEventListener('hashchange', read);
		return () => {
			removeEventListener('popstate', read);
			removeEventListener('hashchange', read);
		};
	}, []);
	const change = useCallback((words, isStep = false) => setView(was => {
		// fields of events are in no other list
		const isOther = words.tab && words.tab !== was.tab && [words.tab, was.tab].includes('events');
		const next = { ...was, ...(isOther ? { columns: '', sort: '' } : {}), ...words };
		showView(next, isStep);
		return next;
	}), []);
	return [view, change];
}

// The stream as the view wants it. Other tabs than lists want no rows, but that the server goes on looking.
function useStream(view, moment, paused, isAllowed, feed, onRefused) {
	const [data, setData] = useState(NOTHING);
	const [live, setLive] = useState({ state: 'opening', error: null });
	const stream = useRef(null);
	const span = useRef({ from: 0, count: 80 });
	const last = useRef({ tab: '', map: '' });

	const wanted = () => ({
		tab: isListTab(view.tab) ? view.tab : 'doors',
		filter: isListTab(view.tab) ? view.filter : '', sort: view.sort, group: view.group || USUAL_GROUP[view.tab] || 'none', columns: view.columns,
		from: isListTab(view.tab) ? span.current.from : 0, count: isListTab(view.tab) ? span.current.count : 1,
		map: view.tab === 'map' ? '1' : '', paused, moment: view.tab === 'rates' ? 0 : moment,
	});
	useEffect(() => {
		if (!isAllowed)
			return undefined;
		const made = new Stream({
			tell: message => {
				if (message.type === 'map')
					feed.current?.(message);
				else if (message.type === 'error')
					setData(was => ({ ...was, trouble: message.error?.what ?? 'a look failed' }));
				else
					setData(was => ({ ...applyMessage(was, message, performance.now()), trouble: '' }));
			},
			state: (state, error = null) => {
				setLive({ state, error });
				if (state === 'refused')
					onRefused(error);
			},
		});
		stream.current = made;
		made.want(wanted());
		return () => {
			stream.current = null;
			made.end();
		};
	}, [isAllowed]);
	useEffect(() => {
		const map = view.tab === 'map' ? '1' : '';
		if (last.current.tab !== view.tab) {
			setData(NOTHING);
			span.current = { from: 0, count: 80 };
		}
		const isNew = last.current.map !== map;
		last.current = { tab: view.tab, map };
		stream.current?.want(wanted(), isNew);
	}, [view.tab, view.filter, view.sort, view.group, view.columns, paused, moment]);

	const onWindow = useCallback((from, count) => {
		span.current = { from, count };
		stream.current?.want({ ...stream.current.wanted, from, count });
	}, []);
	return { data, live, onWindow };
}

// The chosen row: it follows the socket, not the line. Its place is kept for when its row is not in the window.
function useChoice(data) {
	const [chosen, setChosen] = useState(null);
	const [scrollTo, setScrollTo] = useState(null);
	useEffect(() => {
		if (!chosen)
			return;
		const at = data.rows.findIndex(row => row.id === chosen.id);
		if (at >= 0)
			setChosen({ id: chosen.id, index: data.from + at, row: data.rows[at] });
		else if (!chosen.id && data.rows[chosen.index - data.from]) {
			const row = data.rows[chosen.index - data.from];
			setChosen({ id: row.id, index: chosen.index, row });
		}
	}, [data]);
	const choose = (row, index) => setChosen({ id: row.id, index, row });
	const go = index => {
		const to = Math.max(0, Math.min(data.total - 1, index));
		const row = data.rows[to - data.from] ?? null;
		setChosen({ id: row?.id ?? null, index: to, row });
		setScrollTo({ index: to });
	};
	return { chosen, choose, go, scrollTo, forget: () => setChosen(null) };
}

function useNotice() {
	const [notice, setNotice] = useState('');
	const timer = useRef(0);
	return [notice, text => {
		clearTimeout(timer.current);
		setNotice(text);
		timer.current = setTimeout(() => setNotice(''), 4000);
	}];
}

function Page({ onRefused }) {
	const [view, setView] = useView();
	const [info, setInfo] = useState(null);
	const [paused, setPaused] = useState(false);
	const [dialog, setDialog] = useState(null);
	const [themeName, setThemeName] = useState(theme());
	const [notice, tell] = useNotice();
	const filterInput = useRef(null);
	const feed = useRef(null);
	const isNarrow = useMedia('(max-width: 700px)');
	const past = usePast(view, setView, !!info, tell);
	const { moment } = past;
	const { data, live, onWindow } = useStream(view, moment, paused, !!info, feed, onRefused);
	const { chosen, choose, go, scrollTo, forget } = useChoice(data);
	const maps = useMaps(feed, view.tab === 'map' && live.state === 'live' && data.isWhole, moment);
	const fields = useMemo(() => new Map((view.tab === 'events' ? [...info?.fields ?? [], ...info?.event_fields ?? []] : info?.fields ?? []).map(field => [field.name, field])), [info, view.tab === 'events']);
	const [ephemeral, setEphemeral] = useState(null);

	useEffect(() => {
		askJson('fields').then(setInfo, error => (error.status === 401 || error.status === 403 ? onRefused(error) : setTimeout(() => location.reload(), 3000)));
	}, []);
	useEffect(() => {
		if (maps.tcp && !ephemeral)
			askJson('map/legend').then(legend => setEphemeral(legend.ephemeral), () => { /* the outline is left off */ });
	}, [maps.tcp]);
	useEffect(() => {
		document.title = [view.tab, info?.host, 'Doorward'].filter(x => x).join(' · ');
	}, [view.tab, info]);
	useEffect(forget, [view.tab]);
	// an open story follows the choice when that has come to rest
	useEffect(() => {
		if (!view.story || !chosen?.row?.target || !isListTab(view.tab) || chosen.row.target === view.story)
			return undefined;
		const timer = setTimeout(() => setView({ story: chosen.row.target, netns: doorOf(chosen.row).netns }), FOLLOW_MS);
		return () => clearTimeout(timer);
	}, [chosen?.id]);

	const focusTable = () => document.querySelector('[role=grid], .maps')?.focus();
	const copy = (text, what) => navigator.clipboard.writeText(text).then(() => tell(`${what} is copied`), () => tell('the browser lets nothing be copied'));
	const port = Number.parseInt(view.port || '0', 10) & 65535;
	const proto = view.proto || 'tcp';
	const zoom = zoomed(Number(view.zoom) || 1, 0);
	// The door that a key means: its target, and its network namespace where that is another than the server's.
	const door = () => {
		if (view.tab === 'map')
			return { target: `${proto}/${port}`, netns: '' };
		return chosen?.row ? doorOf(chosen.row) : { target: view.story, netns: view.netns };
	};
	const openStory = ({ target, netns }, isStep = true) => target && setView({ story: target, netns }, isStep);
	const acts = useMemo(() => (moment ? { close: NOT_THEN, block: NOT_THEN, unblock: NOT_THEN } : info?.actions ?? {}), [info, moment]);
	const plan = action => {
		const of = door();
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
	};
	const columns = view.columns ? view.columns.split(',') : data.columns.length ? data.columns : info?.tabs?.[view.tab] ?? [];
	const zoomBy = (by, to, of) => {
		const nearer = zoomed(zoom, by);
		setView({ zoom: nearer === 1 ? '' : String(nearer), ...(to === null || to === undefined ? {} : { port: String(to), proto: of ?? proto }) });
	};
	const toggleTheme = name => {
		setTheme(name);
		setThemeName(name);
		tell(`colours: ${name}`);
	};
	const closeStory = () => {
		setView({ story: '', netns: '' }, true);
		requestAnimationFrame(focusTable);
	};

	useKeys(view.tab, {
		filter: () => filterInput.current?.select(),
		tab: tab => setView({ tab }, true),
		move: by => go((chosen?.index ?? (by > 0 ? -1 : data.total)) + by),
		page: by => go((chosen?.index ?? 0) + by * 20),
		edge: which => go(which === 'first' ? 0 : data.total - 1),
		walk: (ignored, event) => setView({ port: String(walked(port, event.key, event.shiftKey)), proto }),
		nextDoor: step => maps[proto] && setView({ port: String(nextOpen(maps[proto], port, step)), proto }),
		protocol: () => setView({ proto: proto === 'tcp' ? 'udp' : 'tcp' }),
		zoom: by => zoomBy(by),
		story: () => openStory(door()),
		close: () => plan('close'), block: () => plan('block'), unblock: () => plan('unblock'),
		rates: () => door().target && setView({ tab: 'rates', of: door().target }, true),
		copyRow: () => chosen?.row && copy(chosen.row.cells.join('\t'), 'the row'),
		copyLink: () => copy(viewLink(view), 'the link'),
		sort: () => {
			const now = columns.indexOf(view.sort.replace(/^-/, '').split(',')[0]);
			setView({ sort: columns[(now + 1) % columns.length] ?? '' });
		},
		turn: () => setView({ sort: view.sort.startsWith('-') ? view.sort.slice(1) : '-' + (view.sort || columns[0]) }),
		group: () => setView({ group: GROUPS[(GROUPS.indexOf(view.group) + 1) % GROUPS.length] }),
		columns: () => setDialog('columns'),
		pause: () => !moment && setPaused(!paused),
		earlier: () => past.walk(-1), later: () => past.walk(1),
		theme: () => toggleTheme(THEMES[(THEMES.indexOf(themeName) + 1) % THEMES.length]),
		help: () => setDialog('help'),
		back: () => (view.story ? closeStory() : document.activeElement?.blur()),
	});

	const storyRow = view.story ? data.rows.find(row => row.target === view.story && doorOf(row).netns === view.netns) : null;
	const onPicture = node => setView({ tab: 'connections', filter: filterOf(node) }, true);
	if (!info)
		return html`<main class="waiting" aria-busy="true"></main>`;
	return html`<div class=${'page' + (view.story ? ' has-story' : '')}>
		<${Head} info=${info} view=${view} live=${live.state !== 'live' ? live.state : moment && view.tab !== 'rates' ? 'past' : paused ? 'paused' : 'live'} themeName=${themeName}
			onView=${setView} onTheme=${toggleTheme} onPause=${() => setPaused(!paused)} onPast=${past.isShown ? past.close : past.open} isPast=${past.isShown} onHelp=${() => setDialog('help')} />
		${isListTab(view.tab) || view.tab === 'picture' ? html`<${ToolBar} view=${view} input=${filterInput} fields=${fields} isList=${isListTab(view.tab)} columns=${columns}
			refused=${live.state === 'filter' ? live.error : null} onView=${setView} onColumns=${() => setDialog('columns')} onTable=${focusTable} />` : null}
		${past.isShown ? html`<${PastBar} past=${past} />` : null}
		<main>
			${isListTab(view.tab) ? html`<${ListTab} key=${view.tab} view=${view} data=${data} fields=${fields} chosen=${chosen} scrollTo=${scrollTo}
				isNarrow=${isNarrow} onView=${setView} onChoose=${(row, index) => {
					choose(row, index);
					if (row.target)
						openStory(doorOf(row), !view.story);
					else
						tell(row.text ?? (row.chooses ? MANY : row.netns === 0 ? ELSEWHERE : NO_COMMON));
				}} onWindow=${onWindow} />` : null}
			${view.tab === 'map' ? html`<${MapTab} maps=${maps} ephemeral=${ephemeral} proto=${proto} port=${port} zoom=${zoom}
				onProto=${name => setView({ proto: name })} onPort=${(name, to) => setView({ proto: name, port: String(to) })}
				onZoom=${zoomBy} onOpen=${(name, to) => openStory({ target: `${name}/${to}`, netns: '' })} />` : null}
			${view.tab === 'rates' ? html`<${RatesTab} of=${view.of} isPast=${moment > 0} onOf=${of => setView({ of }, true)} />` : null}
			${view.tab === 'picture' ? html`<${PictureTab} filter=${view.filter} moment=${moment} onOpen=${onPicture} />` : null}
		</main>
		${view.story ? html`<${Story} target=${view.story} netns=${view.netns} moment=${moment} stamp=${storyRow?.stamp ?? 0} acts=${acts} onClose=${closeStory}
			onAct=${(action, of) => setDialog({ action, ...of })} onRates=${of => setView({ tab: 'rates', of, story: '', netns: '' }, true)}
			onCopy=${text => copy(text, 'the story')} />` : null}
		<${Foot} info=${info} data=${data} tab=${view.tab} moment=${view.tab === 'rates' ? 0 : moment} notice=${notice} />
		<${Spoken} data=${data} />
		${dialog === 'help' ? html`<${KeyHelp} onClose=${() => setDialog(null)} />` : null}
		${dialog === 'columns' ? html`<${ColumnsDialog} fields=${[...fields.values()]} chosen=${columns} defaults=${info.tabs[view.tab]}
			onChange=${list => setView({ columns: list.join() === info.tabs[view.tab].join() ? '' : list.join() })} onClose=${() => setDialog(null)} />` : null}
		${dialog?.action ? html`<${PlanDialog} key=${dialog.action} action=${dialog.action} target=${dialog.target} filter=${dialog.filter} netns=${dialog.netns}
			onSwitch=${() => setDialog({ ...dialog, action: 'unblock' })} onClose=${() => setDialog(null)} onDone=${action => tell(`${action}: done`)} />` : null}
	</div>`;
}

function App() {
	const [gate, setGate] = useState(token() ? null : { why: '' });
	if (gate)
		return html`<${Gate} why=${gate.why} onToken=${() => setGate(null)} />`;
	return html`<${Page} onRefused=${error => {
		if (error.status === 401)
			forgetToken();
		setGate({ why: error.status === 401 ? 'The server does not know this tab\'s token; it may have been started anew.' : error.what || error.message });
	}} />`;
}

export function start(node) {
	applyTheme();
	render(html`<${App} />`, node);
}
