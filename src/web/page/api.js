// One way to ask the server: with the token in a header, and what it refuses as an error in words.
import { parseShown } from './text.js';
import { token } from './token.js';

export class Refused extends Error {
	constructor(status, told) {
		super(told.why || told.what || `the server answered ${status}`);
		this.status = status;
		this.what = told.what ?? '';
		this.why = told.why ?? '';
		this.hint = told.hint ?? '';
		this.at = told.at ?? null;          /* byte offset of what is wrong in a filter */
	}
}

export function query(words) {
	const list = new URLSearchParams();
	for (const [word, value] of Object.entries(words))
		if (value !== '' && value !== null && value !== undefined)
			list.set(word, value);
	return list.toString();
}

// The answer as the browser has it, its body unread.
export async function ask(path, { body, signal } = {}) {
	const headers = { Authorization: 'Bearer ' + token() };
	if (body !== undefined)
		headers['Content-Type'] = 'application/json';
	let answer;
	try {
		answer = await fetch('/api/' + path, {
			method: body === undefined ? 'GET' : 'POST',
			headers, signal,
			body: body === undefined ? undefined : JSON.stringify(body),
			cache: 'no-store', credentials: 'omit', redirect: 'error',
		});
	} catch (error) {
		if (error.name === 'AbortError')
			throw error;
		throw new Refused(0, { what: 'the server', why: 'does not answer', hint: 'is doorward serve still running?' });
	}
	if (answer.ok)
		return answer;
	let told = {};
	try {
		told = parseShown(await answer.text()).error ?? {};
	} catch {
		/* the status says enough */
	}
	throw new Refused(answer.status, told);
}

export async function askJson(path, options) {
	return parseShown(await (await ask(path, options)).text());
}

export async function askBytes(path, options) {
	return new Uint8Array(await (await ask(path, options)).arrayBuffer());
}
