// The page as a whole: what it shows of its state, and how the parts are laid together.
import { html, render, useEffect, useMemo, useRef, useState } from './html.js';
import { askJson } from './api.js';
import { commandsOf, doorOf, focusTable, keysOf, placeOf } from './commands.js';
import { KeyHelp, useKeys } from './keys.js';
import { isListTab } from './links.js';
import { ColumnsDialog, ListTab, ToolBar } from './list.js';
import { MapTab, useMaps } from './map.js';
import { NOT_THEN, PastBar, usePast } from './past.js';
import { PictureTab, filterOf } from './picture.js';
import { PlanDialog } from './plan.js';
import { RatesTab } from './rates.js';
import { NOTHING } from './rows.js';
import { Foot, Gate, Head, Spoken } from './shell.js';
import { useChoice, useMedia, useNotice, useStream, useView } from './state.js';
import { Story } from './story.js';
import { applyTheme, theme } from './theme.js';
import { forgetToken, token } from './token.js';

const FOLLOW_MS = 250;

// What the server has: its fields, its tabs, what may be done.
function useInfo(onRefused) {
	const [info, setInfo] = useState(null);
	useEffect(() => {
		askJson('fields').then(setInfo, error => (error.status === 401 || error.status === 403 ? onRefused(error) : setTimeout(() => location.reload(), 3000)));
	}, []);
	return info;
}

// The numbers that the kernel gives away itself, once there is a map to outline them on.
function useEphemeral(hasMap) {
	const [ephemeral, setEphemeral] = useState(null);
	useEffect(() => {
		if (hasMap && !ephemeral)
			askJson('map/legend').then(legend => setEphemeral(legend.ephemeral), () => { /* the outline is left off */ });
	}, [hasMap]);
	return ephemeral;
}

// An open story follows the choice when that has come to rest.
function useFollowing(view, setView, chosen) {
	useEffect(() => {
		if (!view.story || !chosen?.row?.target || !isListTab(view.tab) || chosen.row.target === view.story)
			return undefined;
		const timer = setTimeout(() => setView({ story: chosen.row.target, netns: doorOf(chosen.row).netns }), FOLLOW_MS);
		return () => clearTimeout(timer);
	}, [chosen?.id]);
}

// All that keys, buttons and parts of the page work with.
function useAll(onRefused) {
	const [view, setView] = useView();
	const info = useInfo(onRefused);
	const [paused, setPaused] = useState(false);
	const [dialog, setDialog] = useState(null);
	const [acted, setActed] = useState(0);  /* an act changes the story, and no row: it is told anew */
	const [themeName, setThemeName] = useState(theme());
	const [notice, tell] = useNotice();
	const filterInput = useRef(null);
	const feed = useRef(null);
	const past = usePast(view, setView, !!info, tell);
	const { moment } = past;
	const { data, live, onWindow } = useStream(view, moment, paused, !!info, feed, onRefused);
	const choice = useChoice(data);
	const maps = useMaps(feed, view.tab === 'map' && live.state === 'live' && data.isWhole, moment);
	const fields = useMemo(() => new Map([...info?.fields ?? [], ...(view.tab === 'events' ? info?.event_fields ?? [] : [])].map(field => [field.name, field])), [info, view.tab === 'events']);
	const acts = useMemo(() => (moment ? { close: NOT_THEN, block: NOT_THEN, unblock: NOT_THEN } : info?.actions ?? {}), [info, moment]);
	const columns = view.columns ? view.columns.split(',') : data.columns.length ? data.columns : info?.tabs?.[view.tab] ?? [];

	useEffect(() => {
		document.title = [view.tab, info?.host, 'Doorward'].filter(x => x).join(' · ');
	}, [view.tab, info]);
	useEffect(choice.forget, [view.tab]);
	useFollowing(view, setView, choice.chosen);
	return {
		view, setView, info, fields, acts, columns, data, live, onWindow, ...choice, maps, ephemeral: useEphemeral(maps.tcp), past, moment,
		paused, setPaused, dialog, setDialog, acted, setActed, themeName, setThemeName, notice, tell, filterInput, isNarrow: useMedia('(max-width: 700px)'),
	};
}

function Tab({ page, commands }) {
	const { view, setView } = page;
	const { port, proto, zoom } = placeOf(view);
	switch (view.tab) {
	case 'map':
		return html`<${MapTab} maps=${page.maps} ephemeral=${page.ephemeral} proto=${proto} port=${port} zoom=${zoom}
			onProto=${name => setView({ proto: name })} onPort=${(name, to) => setView({ proto: name, port: String(to) })}
			onZoom=${commands.zoomBy} onOpen=${(name, to) => commands.openStory({ target: `${name}/${to}`, netns: '' })} />`;
	case 'rates':
		return html`<${RatesTab} of=${view.of} isPast=${page.moment > 0} everyMs=${page.info.interval_ms} onOf=${of => setView({ of }, true)} />`;
	case 'picture':
		return html`<${PictureTab} filter=${view.filter} moment=${page.moment}
			onOpen=${node => setView({ tab: 'connections', filter: filterOf(node) }, true)} />`;
	default:
		return isListTab(view.tab) ? html`<${ListTab} key=${view.tab} view=${view} data=${page.data} isLooking=${['opening', 'live'].includes(page.live.state) && !page.data.trouble} fields=${page.fields} chosen=${page.chosen}
			scrollTo=${page.scrollTo} isNarrow=${page.isNarrow} onView=${setView} onChoose=${commands.chooseRow} onWindow=${page.onWindow} />` : null;
	}
}

function Side({ page, commands }) {
	const { view, setView, setDialog } = page;
	const row = page.data.rows.find(one => one.target === view.story && doorOf(one).netns === view.netns);
	return html`<${Story} target=${view.story} netns=${view.netns} moment=${page.moment} stamp=${`${row?.stamp ?? 0} ${page.acted}`} acts=${page.acts}
		onClose=${commands.closeStory} onAct=${(action, of) => setDialog({ action, ...of })}
		onRates=${of => setView({ tab: 'rates', of, story: '', netns: '' }, true)} onCopy=${text => commands.copy(text, 'the story')} />`;
}

function Dialog({ page, commands }) {
	const { dialog, setDialog, fields, info, view } = page;
	const close = () => setDialog(null);
	if (dialog === 'help')
		return html`<${KeyHelp} onClose=${close} />`;
	if (dialog === 'columns')
		return html`<${ColumnsDialog} fields=${[...fields.values()]} chosen=${page.columns} defaults=${info.tabs[view.tab]}
			onChange=${commands.chooseColumns} onClose=${close} />`;
	return html`<${PlanDialog} key=${dialog.action} action=${dialog.action} target=${dialog.target} filter=${dialog.filter} netns=${dialog.netns}
		onSwitch=${() => setDialog({ ...dialog, action: 'unblock' })} onClose=${close} onDone=${action => {
			page.tell(`${action}: done`);
			page.setActed(page.acted + 1);
		}} />`;
}

function Page({ onRefused }) {
	const page = useAll(onRefused);
	const { view, setView, info, data, live, past, paused } = page;
	const commands = commandsOf(page);
	useKeys(view.tab, keysOf(page, commands));
	if (!info)
		return html`<main class="waiting" aria-busy="true"></main>`;
	const isList = isListTab(view.tab);
	const moment = view.tab === 'rates' ? 0 : page.moment;
	return html`<div class=${'page' + (view.story ? ' has-story' : '')}>
		<${Head} info=${info} view=${view} live=${live.state !== 'live' ? live.state : moment ? 'past' : data.moment ? 'opening' : paused ? 'paused' : 'live'} themeName=${page.themeName}
			onView=${setView} onTheme=${commands.wear} onPause=${() => page.setPaused(!paused)} onPast=${past.isShown ? past.close : past.open}
			isPast=${past.isShown} onHelp=${() => page.setDialog('help')} />
		${isList || view.tab === 'picture' ? html`<${ToolBar} view=${view} input=${page.filterInput} fields=${page.fields} isList=${isList} columns=${page.columns}
			refused=${live.state === 'filter' ? live.error : null} onView=${setView} onColumns=${() => page.setDialog('columns')} onTable=${focusTable} />` : null}
		${past.isShown ? html`<${PastBar} past=${past} />` : null}
		<main><${Tab} page=${page} commands=${commands} /></main>
		${view.story ? html`<${Side} page=${page} commands=${commands} />` : null}
		<${Foot} info=${info} data=${data} tab=${view.tab} moment=${moment} notice=${page.notice} />
		<${Spoken} data=${isList ? data : NOTHING} what=${[view.tab, view.filter, view.group, moment].join()} />
		${page.dialog ? html`<${Dialog} page=${page} commands=${commands} />` : null}
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
