// Text from the host as a person may see it: what is invisible, or would turn the text beside it round, is escaped, in
// the way of the program (src/base/text.c). The story and the plan bring it raw, as JSON does everywhere.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\u180b-\u180d\ufe00-\ufe0f]/gu;
const NAMED = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\x1b': '\\e' };

function escaped(character) {
	const point = character.codePointAt(0);
	return NAMED[character] ?? (point < 0x80 ? `\\x${point.toString(16).padStart(2, '0')}` : `\\u{${point.toString(16).padStart(4, '0')}}`);
}

export function shown(text) {
	return text.replace(HIDDEN, escaped);
}

// JSON of which every string is shown; `text` alone has lines.
export function parseShown(json) {
	return JSON.parse(json, (key, value) => (typeof value !== 'string' ? value
		: key === 'text' ? value.split('\n').map(shown).join('\n') : shown(value)));
}

/* ---- times and amounts as a person reads them ---- */

// Both by hand: the browser's own takes 40 ms the first time, which the first view waits for.
export function counted(number) {
	return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function clock(seconds, { isShort = false } = {}) {
	const at = new Date(seconds * 1000);
	const parts = [at.getHours(), at.getMinutes(), at.getSeconds()].slice(0, isShort ? 2 : 3);
	return parts.map(part => String(part).padStart(2, '0')).join(':');
}

// Of RFC 3339: the local time of day, to the millisecond.
export function clockOf(text) {
	const at = new Date(text.replace(/(\.\d{3})\d+/, '$1'));
	return `${clock(at / 1000)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

export function since(then, now) {
	const seconds = Math.max(0, now - then);
	for (const [size, word] of [[86400, 'd'], [3600, 'h'], [60, 'min']])
		if (seconds >= size)
			return `${Math.floor(seconds / size)} ${word}`;
	return `${Math.floor(seconds)} s`;
}

export function amount(value) {
	if (value === null || value === undefined)
		return '–';
	for (const [size, unit] of [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']])
		if (value >= size)
			return `${(value / size).toFixed(1)} ${unit}`;
	return `${Math.round(value)} B`;
}
