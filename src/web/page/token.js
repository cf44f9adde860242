// The token comes in the fragment, which no server and no log sees, and stays in this tab.
const KEY = 'doorward-token';
const SHAPE = /^[A-Za-z0-9_-]{32,128}$/;

export function token() {
	return sessionStorage.getItem(KEY) ?? '';
}

export function keepToken(text) {
	if (!SHAPE.test(text))
		return false;
	sessionStorage.setItem(KEY, text);
	return true;
}

export function forgetToken() {
	sessionStorage.removeItem(KEY);
}

// The token of a fragment, and the fragment without it: `#token=T&tab=map`, or `#T` alone.
export function splitFragment(fragment) {
	const bare = fragment.replace(/^#/, '');
	if (SHAPE.test(bare))
		return { token: bare, rest: '' };
	const words = new URLSearchParams(bare);
	const found = words.get('token') ?? '';
	words.delete('token');
	return { token: found, rest: words.toString() };
}

// Takes the token out of the address bar and the history at once.
export function takeToken() {
	const split = splitFragment(location.hash);
	if (!split.token)
		return;
	keepToken(split.token);
	history.replaceState(null, '', location.pathname + (split.rest ? '#' + split.rest : ''));
}
