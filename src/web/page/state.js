// What a page is made of that changes: the view that the address says, the stream that feeds it, the row that is chosen.
import { useCallback, useEffect, useMemo, useRef, useState } from './html.js';
import { isListTab, readView, showView } from './links.js';
import { USUAL_GROUP } from './list.js';
import { NOTHING, applyMessage } from './rows.js';
import { Stream } from './stream.js';
import { takeToken } from './token.js';

export function useMedia(text) {
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
export function useView() {
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
export function useStream(view, moment, paused, isAllowed, feed, onRefused) {
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
export function useChoice(data) {
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

export function useNotice() {
	const [notice, setNotice] = useState('');
	const timer = useRef(0);
	return [notice, text => {
		clearTimeout(timer.current);
		setNotice(text);
		timer.current = setTimeout(() => setNotice(''), 4000);
	}];
}
