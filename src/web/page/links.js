// A view is what the address bar can say: which tab, filter, order, columns, and what is open beside it.
// It stands in the fragment, so that it can be sent to a colleague; the token never does.
export const TABS = ['doors', 'connections', 'map', 'rates', 'picture', 'events'];

export const GROUPS = ['', 'service', 'process', 'unit', 'container', 'peer', 'none'];

export const isListTab = tab => tab === 'doors' || tab === 'connections' || tab === 'events';

const WORDS = { filter: '', sort: '', group: '', columns: '', story: '', netns: '', of: '', proto: '', port: '', zoom: '', at: '' };

export function readView(fragment = location.hash) {
	const words = new URLSearchParams(fragment.replace(/^#/, ''));
	const view = { tab: TABS.includes(words.get('tab')) ? words.get('tab') : TABS[0] };
	for (const word in WORDS)
		view[word] = words.get(word) ?? WORDS[word];
	if (!GROUPS.includes(view.group))
		view.group = '';
	return view;
}

export function viewFragment(view) {
	const words = new URLSearchParams();
	if (view.tab !== TABS[0])
		words.set('tab', view.tab);
	for (const word in WORDS)
		if (view[word] && view[word] !== WORDS[word])
			words.set(word, view[word]);
	const text = words.toString();
	return text ? '#' + text : '';
}

// What a person went to is a step of the history; what was typed on the way is none.
export function showView(view, isStep) {
	const address = location.pathname + viewFragment(view);
	if (address === location.pathname + location.hash)
		return;
	if (isStep)
		history.pushState(null, '', address);
	else
		history.replaceState(null, '', address);
}

export function viewLink(view) {
	return location.origin + location.pathname + viewFragment(view);
}
