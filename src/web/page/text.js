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
